/* SPDX-License-Identifier: MIT
 *
 * Shortest paths on a random directed graph, as the illustrative example of the paper on decision
 * transformers has them: `nodes` nodes, of which 0 is the goal, with `degree` edges out of each; an action
 * follows one. The state is the node, one-hot. Every step costs 1; a walk that is not there after `steps`
 * steps is lost, and the last one then costs `steps`. So the return of a walk is its length, negated, and
 * random walks from anywhere hold pieces of better ways than any of them went.
 *
 * The first edge of each node goes along a random cycle of all, so that the goal can be reached from
 * everywhere; the others go to any other node. The graph is the option `world`'s, not the seed's.
 */
#include "env/env_impl.h"

#include "core/buffers.h"

#include <string.h>

enum { NODES, DEGREE, STEPS, START, WORLD };
enum { ARRIVED, LOST };
enum { GOAL = 0 };

static const dq_env_option options[] = {
    {"nodes", "nodes, of which 0 is the goal", 20, 3, 1e5, true},
    {"degree", "edges out of each: the actions", 3, 1, 1000, true},
    {"steps", "steps after which a walk is lost", 10, 1, 1e6, true},
    {"start", "the node that walks begin at; 0: any", 0, 0, 1e5, true},
    {"world", "seed of the graph", 42, 0, 9e15, true},
    {0},
};

typedef struct graph {
    uint32_t nodes, degree, steps, start;
    uint32_t *edge; /* (nodes, degree) where it leads */
} graph;

typedef struct memory {
    uint32_t at, step;
} memory;

static void show(dq_env *env)
{
    const memory *m = env->memory;
    memset(env->state, 0, env->shape.state_width * sizeof(float));
    env->state[m->at] = 1;
}

static void draw_edges(const graph *g, uint64_t world, uint32_t *order)
{
    dq_rng rng = dq_rng_stream(world, 1);
    for (uint32_t i = 0; i < g->nodes; i++) order[i] = i;
    dq_rng_shuffle(&rng, order, g->nodes);
    for (uint32_t i = 0; i < g->nodes; i++) {
        uint32_t node = order[i], *edge = g->edge + (size_t)node * g->degree;
        edge[0] = order[(i + 1) % g->nodes];
        for (uint32_t j = 1; j < g->degree; j++) {
            uint32_t to = (uint32_t)dq_rng_below(&rng, g->nodes - 1);
            edge[j] = to < node ? to : to + 1;
        }
    }
}

static dq_status init(dq_env *env, const double *o, dq_error *error)
{
    graph *g = env->self = dq_arena_zero(&env->arena, 1, sizeof *g);
    uint32_t *order;
    if (!g) return dq_fail_memory(error, "a graph");
    *g = (graph){(uint32_t)o[NODES], (uint32_t)o[DEGREE], (uint32_t)o[STEPS], (uint32_t)o[START], NULL};
    if (g->start >= g->nodes)
        return dq_fail(error, DQ_ERR_RANGE, "graph: start=%u of %u nodes", g->start, g->nodes);
    const dq_buffer buffers[] = {DQ_BUFFER(g->edge, (size_t)g->nodes * g->degree),
                                 DQ_BUFFER(order, g->nodes)};
    if (!dq_buffers_take(&env->arena, buffers, DQ_BUFFERS(buffers))) return dq_fail_memory(error, "a graph");
    draw_edges(g, (uint64_t)o[WORLD], order);
    env->shape = (dq_env_spec){.state_width = g->nodes, .action_count = g->degree};
    return dq_env_reserve(env, sizeof(memory), error);
}

static dq_status reset(dq_env *env, dq_error *error)
{
    const graph *g = env->self;
    memory *m = env->memory;
    (void)error;
    m->at = g->start ? g->start : 1 + (uint32_t)dq_rng_below(&env->rng, g->nodes - 1);
    m->step = 0;
    show(env);
    return DQ_OK;
}

static dq_status step(dq_env *env, uint32_t action, dq_step *step, dq_error *error)
{
    const graph *g = env->self;
    memory *m = env->memory;
    (void)error;
    m->at = g->edge[(size_t)m->at * g->degree + action];
    bool arrived = m->at == GOAL, lost = ++m->step >= g->steps && !arrived;
    step->terminal = arrived || lost;
    step->reward = lost ? -(float)g->steps : -1;
    env->counters[ARRIVED] += arrived;
    env->counters[LOST] += lost;
    show(env);
    return DQ_OK;
}

static bool sound(const dq_env *env)
{
    const graph *g = env->self;
    const memory *m = env->memory;
    return m->at < g->nodes && m->step <= g->steps;
}

const dq_env_kind dq_env_graph = {
    .name = "graph",
    .help = "the shortest way to a node of a random graph",
    .source = "Chen et al., Decision transformer, 2021, section 3",
    .options = options,
    .counters = {"arrived", "lost"},
    .init = init,
    .reset = reset,
    .step = step,
    .sound = sound,
};
