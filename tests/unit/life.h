/* SPDX-License-Identifier: MIT
 *
 * An agent that lives through tasks, for the tests of agents.
 */
#ifndef DQ_TEST_LIFE_H
#define DQ_TEST_LIFE_H

#include "env/env.h"
#include "learn/agent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static dq_pool *pool_of(unsigned threads)
{
    dq_pool *pool;
    assert_int_equal(dq_pool_new(&pool, threads, NULL), DQ_OK);
    return pool;
}

static dq_agent *make(const char *kind, const dq_agent_config *config, const dq_env_spec *shape,
                      dq_pool *pool)
{
    dq_agent *agent;
    dq_error e = DQ_ERROR_NONE;
    if (dq_agent_new(&agent, kind, config, shape, pool, &e)) fail_msg("%s", e.reason);
    return agent;
}

enum { SIDE_BY_SIDE = 2 };

typedef struct life {
    dq_pool *pool;
    dq_agent *agent;
    dq_env *tasks[SIDE_BY_SIDE];
    uint32_t count;
    uint64_t episodes, steps_of_last; /* of task 0 */
    dq_agent_losses losses;
} life;

static void begin(life *l, const char *task, const char *options, const char *kind,
                  const dq_agent_config *config, unsigned threads)
{
    *l = (life){.pool = pool_of(threads), .count = config->tasks};
    for (uint32_t i = 0; i < l->count; i++) {
        assert_int_equal(dq_env_new(&l->tasks[i], task, options, config->seed + i, NULL), DQ_OK);
        assert_int_equal(dq_env_reset(l->tasks[i], NULL), DQ_OK);
    }
    l->agent = make(kind, config, &l->tasks[0]->shape, l->pool);
}

static void end(life *l)
{
    dq_agent_free(l->agent);
    for (uint32_t i = 0; i < l->count; i++) dq_env_free(l->tasks[i]);
    dq_pool_free(l->pool);
}

/* One step of one task, with the action given. */
static void live_step(life *l, uint32_t i, uint32_t action)
{
    static float before[1024];
    dq_env *task = l->tasks[i];
    dq_step step;
    memcpy(before, task->state, task->shape.state_width * sizeof *before);
    assert_int_equal(dq_env_step(task, action, &step, NULL), DQ_OK);
    const dq_experience e = {before, task->state, action, step.reward, step.terminal, step.truncated};
    dq_agent_observe(l->agent, i, &e);
    if (!step.terminal && !step.truncated) return;
    if (i == 0) {
        l->episodes++;
        l->steps_of_last = task->steps;
    }
    dq_agent_end_episode(l->agent, i);
    assert_int_equal(dq_env_reset(task, NULL), DQ_OK);
}

static void live(life *l, int steps)
{
    static float states[SIDE_BY_SIDE * 1024];
    uint32_t actions[SIDE_BY_SIDE];
    size_t width = l->tasks[0]->shape.state_width;
    for (int t = 0; t < steps; t++) {
        for (uint32_t i = 0; i < l->count; i++)
            memcpy(states + i * width, l->tasks[i]->state, width * sizeof *states);
        dq_agent_act(l->agent, states, l->count, true, actions);
        for (uint32_t i = 0; i < l->count; i++) live_step(l, i, actions[i]);
        while (dq_agent_ready(l->agent)) assert_int_equal(dq_agent_learn(l->agent, &l->losses, NULL), DQ_OK);
    }
}

#endif
