/* SPDX-License-Identifier: MIT */
#include "learn/agent_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ACT_BLOCK = 64 };

/* ---- making ---- */

static bool share(double x)
{
    return x >= 0 && x <= 1;
}

static dq_status check(const dq_agent_config *c, const dq_env_spec *s, dq_error *error)
{
    dq_status status = dq_env_spec_check(s, error);
    if (status) return status;
    if (c->head == DQ_HEAD_ACTIONS && !s->actions)
        return dq_fail(error, DQ_ERR_RANGE,
                       "a head on actions needs vectors of them, and the environment has none");
    if (!share(c->gamma)) return dq_fail(error, DQ_ERR_RANGE, "gamma is in [0, 1], not %g", c->gamma);
    if (!share(c->epsilon) || !share(c->epsilon_min) || c->epsilon_min > c->epsilon)
        return dq_fail(error, DQ_ERR_RANGE, "epsilon goes from %g to %g", c->epsilon, c->epsilon_min);
    if (!(c->epsilon_decay > 0) || (c->decay_form == DQ_DECAY_MULTIPLICATIVE && c->epsilon_decay > 1))
        return dq_fail(error, DQ_ERR_RANGE, "epsilon does not decay by %g", c->epsilon_decay);
    if (c->explore_by == DQ_EXPLORE_SOFTMAX && !(c->temperature > 0))
        return dq_fail(error, DQ_ERR_RANGE, "softmax needs a temperature above 0, not %g", c->temperature);
    if (c->train_every == 0 || c->updates == 0 || c->tasks == 0)
        return dq_fail(error, DQ_ERR_RANGE, "an agent learns at least once, of at least one task");
    return DQ_OK;
}

static dq_status make_buffers(dq_agent *a, dq_error *error)
{
    bool ok = true;
    size_t vectors = (size_t)a->shape.action_count * a->shape.action_width;
    const float **at = vectors ? dq_arena_zero(&a->arena, a->shape.action_count, sizeof *at) : NULL;
    a->vectors = vectors ? agent_floats(a, vectors, &ok) : NULL;
    a->act_values = agent_floats(a, (size_t)ACT_BLOCK * a->shape.action_count, &ok);
    a->act_states = agent_floats(a, (size_t)ACT_BLOCK * a->shape.state_width, &ok);
    a->act_at = agent_numbers(a, ACT_BLOCK, &ok);
    if (!ok || (vectors && !at)) return dq_fail(error, DQ_ERR_MEMORY, "no memory for an agent");
    for (uint32_t i = 0; at && i < a->shape.action_count; i++) {
        float *to = a->vectors + (size_t)i * a->shape.action_width;
        memcpy(to, a->shape.actions[i], a->shape.action_width * sizeof *to);
        at[i] = to;
    }
    a->shape.actions = at;
    return DQ_OK;
}

dq_status dq_agent_new(dq_agent **out, const char *kind, const dq_agent_config *config,
                       const dq_env_spec *shape, dq_pool *pool, dq_error *error)
{
    *out = NULL;
    const dq_agent_kind *found = dq_agent_find(kind);
    if (!found) return dq_fail(error, DQ_ERR_UNKNOWN, "there is no agent '%s'", kind);
    dq_status status = check(config, shape, error);
    if (status) return status;
    dq_agent *a = calloc(1, sizeof *a);
    if (!a) return dq_fail(error, DQ_ERR_MEMORY, "no memory for an agent");
    *a = (dq_agent){.kind = found, .config = *config, .shape = *shape, .pool = pool};
    if (!a->config.schedule) a->config.schedule = &dq_schedules[0];
    if (a->config.fit_rows < a->config.batch) a->config.fit_rows = a->config.batch;
    for (unsigned i = 0; i < RNG_AGENT_COUNT; i++) a->rng[i] = dq_rng_stream(config->seed, i + 1);
    status = make_buffers(a, error);
    if (!status) status = found->init(a, error);
    if (status) {
        dq_agent_free(a);
        return status;
    }
    *out = a;
    return DQ_OK;
}

void dq_agent_free(dq_agent *a)
{
    if (!a) return;
    if (a->self) a->kind->free(a);
    dq_arena_free(&a->arena);
    free(a);
}

const dq_agent_config *dq_agent_get_config(const dq_agent *a)
{
    return &a->config;
}

const dq_env_spec *dq_agent_get_shape(const dq_agent *a)
{
    return &a->shape;
}

/* ---- acting ---- */

/* The best: the first of equals, or when exploring any of them. */
static uint32_t best_of(dq_agent *a, const float *q, bool explore)
{
    uint32_t best = 0, equals = 1, n = a->shape.action_count;
    for (uint32_t i = 1; i < n; i++) {
        if (q[i] > q[best]) {
            best = i;
            equals = 1;
        } else if (explore && q[i] == q[best]) {
            equals++;
        }
    }
    if (equals == 1) return best;
    for (uint64_t left = dq_rng_below(&a->rng[RNG_ACT], equals), i = best;; i++)
        if (q[i] == q[best] && left-- == 0) return (uint32_t)i;
}

/* One of n by chances that grow as e^(q / temperature); q is overwritten. */
static uint32_t draw_softmax(dq_agent *a, float *q)
{
    uint32_t n = a->shape.action_count, i = 0;
    for (uint32_t j = 0; j < n; j++) q[j] = (float)((double)q[j] / a->config.temperature);
    dq_loss_logsumexp(q, n, q);
    double left = dq_rng_uniform(&a->rng[RNG_ACT]);
    while (i + 1 < n && (left -= (double)q[i]) >= 0) i++;
    return i;
}

/* At most ACT_BLOCK states. Those that explore by epsilon need no values. */
static void act(dq_agent *a, const float *states, size_t n, bool explore, uint32_t *actions)
{
    size_t width = a->shape.state_width, asked = 0;
    uint32_t count = a->shape.action_count;
    bool softmax = explore && a->config.explore_by == DQ_EXPLORE_SOFTMAX;
    double epsilon = explore && !softmax ? dq_agent_epsilon(a) : 0;
    for (uint32_t i = 0; i < n; i++) {
        if (epsilon > 0 && dq_rng_uniform(&a->rng[RNG_ACT]) < epsilon) {
            actions[i] = (uint32_t)dq_rng_below(&a->rng[RNG_ACT], count);
            continue;
        }
        memcpy(a->act_states + asked * width, states + i * width, width * sizeof *states);
        a->act_at[asked++] = i;
    }
    if (asked) a->kind->values(a, a->act_states, asked, a->act_values);
    for (size_t i = 0; i < asked; i++) {
        float *q = a->act_values + i * count;
        actions[a->act_at[i]] = softmax ? draw_softmax(a, q) : best_of(a, q, explore);
    }
}

void dq_agent_act(dq_agent *a, const float *states, size_t n, bool explore, uint32_t *actions)
{
    for (size_t i = 0; i < n; i += ACT_BLOCK)
        act(a, states + i * a->shape.state_width, n - i < ACT_BLOCK ? n - i : ACT_BLOCK, explore,
            actions + i);
}

void dq_agent_values(dq_agent *a, const float *states, size_t n, float *q)
{
    a->kind->values(a, states, n, q);
}

/* ---- learning ---- */

void dq_agent_observe(dq_agent *a, uint32_t task, const dq_experience *experience)
{
    agent_count_observation(a);
    a->kind->observe(a, task, experience);
}

bool dq_agent_ready(const dq_agent *a)
{
    return agent_due(a) && a->kind->ready(a);
}

static const dq_agent_losses none = {NAN, NAN, NAN, NAN};

dq_status dq_agent_learn(dq_agent *a, dq_agent_losses *losses, dq_error *error)
{
    *losses = none;
    agent_take_due(a);
    return a->kind->learn(a, losses, error);
}

static dq_status fit(dq_agent *a, const dq_experience *rows, size_t n, bool learn, dq_agent_losses *losses,
                     dq_error *error)
{
    *losses = none;
    if (n == 0 || n > a->config.fit_rows)
        return dq_fail(error, DQ_ERR_RANGE, "a batch of %zu rows, where 1 to %zu fit", n, a->config.fit_rows);
    for (size_t i = 0; i < n; i++)
        if (rows[i].action >= a->shape.action_count)
            return dq_fail(error, DQ_ERR_RANGE, "action %u of %u", rows[i].action, a->shape.action_count);
    return a->kind->fit(a, rows, n, learn, losses, error);
}

dq_status dq_agent_fit(dq_agent *a, const dq_experience *rows, size_t n, dq_agent_losses *losses,
                       dq_error *error)
{
    return fit(a, rows, n, true, losses, error);
}

dq_status dq_agent_evaluate_loss(dq_agent *a, const dq_experience *rows, size_t n, dq_agent_losses *losses,
                                 dq_error *error)
{
    return fit(a, rows, n, false, losses, error);
}

void dq_agent_end_episode(dq_agent *a, uint32_t task)
{
    a->episodes++;
    if (a->kind->end_episode) a->kind->end_episode(a, task);
}

dq_status dq_agent_predict(dq_agent *a, const float *states, const uint32_t *actions, size_t n, float *next,
                           float *rewards, float *ends, float *disagreement, dq_error *error)
{
    if (!a->kind->predict)
        return dq_fail(error, DQ_ERR_UNSUPPORTED, "a %s agent has no world model to ask", a->kind->name);
    for (size_t i = 0; i < n; i++)
        if (actions[i] >= a->shape.action_count)
            return dq_fail(error, DQ_ERR_RANGE, "action %u of %u", actions[i], a->shape.action_count);
    a->kind->predict(a, states, actions, n, next, rewards, ends, disagreement);
    return DQ_OK;
}

dq_status agent_check_world(dq_agent *a, double most, dq_error *error)
{
    if (!a->kind->predict)
        return dq_fail(error, DQ_ERR_UNSUPPORTED, "a %s agent has no world model to ask", a->kind->name);
    if (isfinite(most) && a->config.models < 2)
        return dq_fail(error, DQ_ERR_RANGE,
                       "one world model cannot disagree; an ensemble can (dq-train --models 5)");
    return DQ_OK;
}

dq_mlp *dq_agent_network(dq_agent *a, const char *name)
{
    return a->kind->network ? a->kind->network(a, name) : NULL;
}

uint64_t dq_agent_steps(const dq_agent *a)
{
    return a->steps;
}

/* ---- bundles ---- */

dq_status dq_agent_save(dq_agent *a, bool checkpoint, dq_bundle *model, dq_error *error)
{
    dq_status status = agent_save_config(a, model, error);
    if (!status && checkpoint) status = agent_save_place(a, model, error);
    return status ? status : a->kind->save(a, checkpoint, model, error);
}

/* A head on actions scores any vectors: other actions, and more of them, are no other task. */
static bool same_shape(const dq_env_spec *a, const dq_env_spec *b, dq_head head)
{
    return a->state_width == b->state_width && a->user_width == b->user_width && a->history == b->history &&
           agent_vector_width(a) == agent_vector_width(b) &&
           (a->action_count == b->action_count || head == DQ_HEAD_ACTIONS);
}

dq_status dq_agent_load(dq_agent *a, bool checkpoint, const dq_bundle *model, dq_error *error)
{
    const char *kind;
    dq_agent_config config;
    dq_env_spec shape;
    dq_status status = agent_read_config(model, &kind, &config, &shape, error);
    if (status) return status;
    bool has_q = a->kind == &dq_agent_dqn && strcmp(kind, dq_agent_dyna_q.name) == 0 && !checkpoint;
    if (strcmp(kind, a->kind->name) != 0 && !has_q)
        return dq_fail(error, DQ_ERR_RANGE, "the model is of a %s agent, not of %s", kind, a->kind->name);
    status = dq_session_layout_fits(&shape.layout, &a->shape.layout, error);
    if (status) return status;
    if (!same_shape(&shape, &a->shape, config.head))
        return dq_fail(error, DQ_ERR_RANGE, "the model is of another task: %u numbers a state, %u actions",
                       shape.state_width, shape.action_count);
    if (checkpoint) status = agent_restore_place(a, model, error);
    return status ? status : a->kind->load(a, checkpoint, model, error);
}
