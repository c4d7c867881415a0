/* SPDX-License-Identifier: MIT
 *
 * Two small environments whose values are known, with one-hot states.
 *
 * The maze is the one of figure 8.2 of Sutton and Barto (2018), 6 rows of 9:
 *
 *     . . . . . . . # G        S: the start, G: the goal, #: walls
 *     . . # . . . . # .        0 at every step, and 1 at the goal, which ends the episode
 *     S . # . . . . # .        up, down, right, left; into a wall or off the edge: no move
 *     . . # . . . . . .
 *     . . . . . # . . .
 *     . . . . . . . . .
 *
 * The chain is Strens's: forward along the states for nothing, and for `large` at the last one; or back to
 * the first for `small`; with probability `slip` the other action is what happens.
 */
#include "env/env_impl.h"

#include <string.h>

static void show(dq_env *env, uint32_t at)
{
    memset(env->state, 0, env->shape.state_width * sizeof(float));
    env->state[at] = 1;
}

typedef struct memory {
    uint32_t at;
} memory;

static bool sound(const dq_env *env)
{
    const memory *m = env->memory;
    return m->at < env->shape.state_width;
}

/* ---- the maze ---- */

enum { ROWS = 6, COLUMNS = 9, MAZE_STEPS = 0 };

static const char maze[ROWS][COLUMNS + 1] = {
    ".......#G", "..#....#.", "S.#....#.", "..#......", ".....#...", ".........",
};

static const dq_env_option maze_options[] = {
    {"steps", "steps that truncate an episode; 0: none do", 0, 0, 1e9, true},
    {0},
};

static uint32_t find(char what)
{
    uint32_t at = 0;
    while (maze[at / COLUMNS][at % COLUMNS] != what) at++;
    return at;
}

static dq_status maze_init(dq_env *env, const double *o, dq_error *error)
{
    env->shape = (dq_env_spec){
        .state_width = ROWS * COLUMNS, .action_count = 4, .step_limit = (uint32_t)o[MAZE_STEPS]};
    return dq_env_reserve(env, sizeof(memory), error);
}

static dq_status maze_reset(dq_env *env, dq_error *error)
{
    memory *m = env->memory;
    (void)error;
    m->at = find('S');
    show(env, m->at);
    return DQ_OK;
}

static dq_status maze_step(dq_env *env, uint32_t action, dq_step *step, dq_error *error)
{
    static const int down[] = {-1, 1, 0, 0}, right[] = {0, 0, 1, -1};
    memory *m = env->memory;
    int row = (int)m->at / COLUMNS + down[action], column = (int)m->at % COLUMNS + right[action];
    (void)error;
    if (row >= 0 && row < ROWS && column >= 0 && column < COLUMNS && maze[row][column] != '#')
        m->at = (uint32_t)(row * COLUMNS + column);
    step->terminal = m->at == find('G');
    step->reward = step->terminal;
    show(env, m->at);
    return DQ_OK;
}

const dq_env_kind dq_env_maze = {
    .name = "maze",
    .help = "the Dyna maze: 14 steps from the start to the goal",
    .source = "Sutton and Barto, Reinforcement Learning, 2018, example 8.1",
    .options = maze_options,
    .init = maze_init,
    .reset = maze_reset,
    .step = maze_step,
    .sound = sound,
};

/* ---- the chain ---- */

enum { LENGTH, SLIP, SMALL, LARGE, STEPS };
enum { FORWARD, BACK };

static const dq_env_option chain_options[] = {
    {"length", "states", 5, 2, 1e5, true},
    {"slip", "probability that the other action happens", 0.2, 0, 1, false},
    {"small", "reward for going back", 2, -1e6, 1e6, false},
    {"large", "reward for going forward at the last state", 10, -1e6, 1e6, false},
    {"steps", "steps that truncate an episode; 0: none do", 100, 0, 1e9, true},
    {0},
};

typedef struct chain {
    double slip, small, large;
} chain;

static dq_status chain_init(dq_env *env, const double *o, dq_error *error)
{
    chain *c = env->self = dq_arena_zero(&env->arena, 1, sizeof *c);
    if (!c) return dq_fail_memory(error, "a chain");
    *c = (chain){o[SLIP], o[SMALL], o[LARGE]};
    env->shape = (dq_env_spec){
        .state_width = (uint32_t)o[LENGTH], .action_count = 2, .step_limit = (uint32_t)o[STEPS]};
    return dq_env_reserve(env, sizeof(memory), error);
}

static dq_status chain_reset(dq_env *env, dq_error *error)
{
    memory *m = env->memory;
    (void)error;
    m->at = 0;
    show(env, 0);
    return DQ_OK;
}

static dq_status chain_step(dq_env *env, uint32_t action, dq_step *step, dq_error *error)
{
    const chain *c = env->self;
    memory *m = env->memory;
    bool slips = dq_rng_uniform(&env->rng) < c->slip;
    (void)error;
    if ((action == BACK) != slips) {
        m->at = 0;
        step->reward = (float)c->small;
    } else if (m->at + 1 == env->shape.state_width) {
        step->reward = (float)c->large;
    } else {
        m->at++;
    }
    show(env, m->at);
    return DQ_OK;
}

const dq_env_kind dq_env_chain = {
    .name = "chain",
    .help = "a chain of states: little at once, or much at its end",
    .source = "Strens, A Bayesian framework for reinforcement learning, 2000",
    .options = chain_options,
    .init = chain_init,
    .reset = chain_reset,
    .step = chain_step,
    .sound = sound,
};
