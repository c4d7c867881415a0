/* SPDX-License-Identifier: MIT
 *
 * An agent that lives through environments, for the tests of agents.
 */
#ifndef DQ_TEST_LIFE_H
#define DQ_TEST_LIFE_H

#include "env/catalogue.h"
#include "env/env.h"
#include "learn/agent.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static inline dq_pool *pool_of(unsigned threads)
{
    dq_pool *pool;
    assert_int_equal(dq_pool_new(&pool, threads, NULL), DQ_OK);
    return pool;
}

static inline dq_agent *make(const char *kind, const dq_agent_config *config, const dq_env_spec *shape,
                             dq_pool *pool)
{
    dq_agent *agent;
    dq_error e = DQ_ERROR_NONE;
    if (dq_agent_new(&agent, kind, config, shape, pool, &e)) fail_msg("%s", e.reason);
    return agent;
}

/* ---- a catalogue: a few users and items with unit vectors, rewards by the first of their numbers ---- */

enum { LIFE_USERS = 3, LIFE_ITEMS = 12, LIFE_WIDTH = 6, LIFE_OFFERED = 5 };

static float life_vectors[LIFE_USERS + LIFE_ITEMS][LIFE_WIDTH];
static const float *life_at[LIFE_USERS + LIFE_ITEMS];

static inline dq_status life_reward(void *arg, uint32_t user, uint32_t item, float *reward, dq_error *error)
{
    (void)arg;
    (void)error;
    *reward = life_at[user][0] * life_at[LIFE_USERS + item][0] > 0 ? 1 : 0;
    return DQ_OK;
}

static inline dq_env *life_catalogue(uint64_t seed)
{
    dq_rng rng = dq_rng_new(11);
    dq_env *env;
    for (int v = 0; v < LIFE_USERS + LIFE_ITEMS; v++) {
        double sum = 0;
        life_at[v] = life_vectors[v];
        for (int i = 0; i < LIFE_WIDTH; i++) {
            life_vectors[v][i] = (float)dq_rng_normal(&rng);
            sum += pow((double)life_vectors[v][i], 2);
        }
        for (int i = 0; i < LIFE_WIDTH; i++) life_vectors[v][i] /= (float)sqrt(sum);
    }
    const dq_catalogue_env_config config = {.users = {life_at, LIFE_USERS, LIFE_WIDTH},
                                            .items = {life_at + LIFE_USERS, LIFE_ITEMS, LIFE_WIDTH},
                                            .candidates = LIFE_OFFERED,
                                            .step_limit = 7,
                                            .reward = life_reward};
    assert_int_equal(dq_catalogue_env_new(&env, &config, seed, NULL), DQ_OK);
    return env;
}

/* ---- a life ---- */

enum { SIDE_BY_SIDE = 2 };

typedef struct life {
    dq_pool *pool;
    dq_agent *agent;
    dq_env *envs[SIDE_BY_SIDE];
    uint32_t count;
    uint64_t episodes, steps_of_last; /* of environment 0 */
    dq_agent_losses losses;
} life;

/* Begins an episode; in a catalogue with the next user. */
static inline void life_reset(life *l, uint32_t i)
{
    dq_env *env = l->envs[i];
    bool numbered = env->shape.states.count > 0;
    if (numbered) dq_catalogue_env_serve(env, (uint32_t)(l->episodes % LIFE_USERS));
    assert_int_equal(dq_env_reset(env, NULL), DQ_OK);
    if (l->agent && env->offered) dq_agent_offer(l->agent, env->offered, env->offered_count);
}

static inline void begin(life *l, const char *env, const char *options, const char *kind,
                         const dq_agent_config *config, unsigned threads)
{
    *l = (life){.pool = pool_of(threads), .count = config->envs};
    for (uint32_t i = 0; i < l->count; i++)
        if (strcmp(env, "catalogue") == 0)
            l->envs[i] = life_catalogue(config->seed);
        else
            assert_int_equal(dq_env_new(&l->envs[i], env, options, config->seed + i, NULL), DQ_OK);
    l->agent = make(kind, config, &l->envs[0]->shape, l->pool);
    for (uint32_t i = 0; i < l->count; i++) life_reset(l, i);
}

static inline void end(life *l)
{
    dq_agent_free(l->agent);
    for (uint32_t i = 0; i < l->count; i++) dq_env_free(l->envs[i]);
    dq_pool_free(l->pool);
}

/* One step of one environment, with the action given. */
static inline void live_step(life *l, uint32_t i, uint32_t action)
{
    static float before[1024];
    dq_env *env = l->envs[i];
    bool numbered = env->shape.states.count > 0;
    const uint32_t number = env->number;
    dq_step step;
    if (!numbered) memcpy(before, env->state, env->shape.state_width * sizeof *before);
    assert_int_equal(dq_env_step(env, action, &step, NULL), DQ_OK);
    const float *at[] = {before, env->state};
    const dq_vectors states = {at, 2, env->shape.state_width};
    const dq_transition t = {.state = numbered ? number : 0,
                             .action = action,
                             .next = numbered ? env->number : 1,
                             .reward = step.reward,
                             .done = step.terminal};
    dq_agent_observe(l->agent, i, &states, &t, step.terminal || step.truncated);
    if (!step.terminal && !step.truncated) return;
    if (i == 0) {
        l->episodes++;
        l->steps_of_last = env->steps;
    }
    dq_agent_end_episode(l->agent);
    life_reset(l, i);
}

static inline void live(life *l, int steps)
{
    const float *at[SIDE_BY_SIDE];
    uint32_t actions[SIDE_BY_SIDE], numbers[SIDE_BY_SIDE];
    const dq_env_spec *shape = &l->envs[0]->shape;
    bool numbered = shape->states.count > 0;
    for (int t = 0; t < steps; t++) {
        for (uint32_t i = 0; i < l->count; i++) {
            at[i] = l->envs[i]->state;
            numbers[i] = numbered ? l->envs[i]->number : i;
        }
        const dq_vectors states = {at, l->count, shape->state_width};
        dq_agent_act(l->agent, &states, numbers, l->count, true, actions);
        for (uint32_t i = 0; i < l->count; i++) live_step(l, i, actions[i]);
        while (dq_agent_ready(l->agent)) assert_int_equal(dq_agent_learn(l->agent, &l->losses, NULL), DQ_OK);
    }
}

#endif
