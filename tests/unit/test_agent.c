/* SPDX-License-Identifier: MIT */
#include "dq/agent.h"

#include "../fixtures/agent/torch.h"
#include "allocations.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static dq_pool *pool_of(unsigned threads)
{
    dq_pool *pool;
    assert_int_equal(dq_pool_new(&pool, threads, NULL), DQ_OK);
    return pool;
}

static dq_agent *make(const char *kind, const dq_agent_config *config, const dq_task_shape *shape,
                      dq_pool *pool)
{
    dq_agent *agent;
    dq_error e = DQ_ERROR_NONE;
    if (dq_agent_new(&agent, kind, config, shape, pool, &e)) fail_msg("%s", e.reason);
    return agent;
}

static void assert_near(const float *a, const float *b, size_t n, float within)
{
    for (size_t i = 0; i < n; i++) assert_true(fabsf(a[i] - b[i]) < within * (1 + fabsf(b[i])));
}

/* ---- updates against PyTorch ---- */

static const dq_task_shape fixture_shape = {.state_width = FIX_INPUT,
                                            .user_width = FIX_USER,
                                            .history = FIX_HISTORY,
                                            .action_count = FIX_COUNT,
                                            .action_width = FIX_WIDTH,
                                            .actions = fix_vectors};

static dq_agent_config fixture_config(size_t c)
{
    dq_agent_config config = dq_agent_find("dqn")->defaults;
    config.hidden[0] = 9;
    config.hidden[1] = 7;
    config.gamma = 0.9;
    config.adam.rate = 1e-2;
    config.adam.decay = fix_cases[c].decay;
    config.adam.eps = fix_cases[c].batch_norm ? 1e-3 : 1e-8;
    config.loss = fix_cases[c].huber ? DQ_LOSS_HUBER : DQ_LOSS_MSE;
    config.double_q = fix_cases[c].double_q;
    config.dueling = fix_cases[c].dueling;
    config.batch_norm = fix_cases[c].batch_norm;
    config.head = (dq_head)fix_cases[c].head;
    config.encoder = (dq_encoder)fix_cases[c].encoder;
    config.tau = fix_cases[c].tau;
    config.target_every = config.tau > 0 ? 1 : 2;
    config.clip_norm = fix_cases[c].clip_norm;
    config.clip_value = fix_cases[c].clip_value;
    config.conservative = fix_cases[c].conservative;
    config.batch = FIX_ROWS;
    return config;
}

static void fixture_rows(size_t update, dq_experience *rows)
{
    for (size_t i = 0; i < FIX_ROWS; i++) {
        size_t at = update * FIX_ROWS + i;
        rows[i] = (dq_experience){.state = fix_state + at * FIX_INPUT,
                                  .next = fix_next + at * FIX_INPUT,
                                  .action = fix_action[at],
                                  .reward = fix_reward[at],
                                  .terminal = fix_done[at] != 0};
    }
}

static void set_weights(dq_mlp *net, const float *weights)
{
    memcpy(dq_mlp_weights(net), weights, dq_mlp_count(net) * sizeof *weights);
}

static void check_torch(size_t c)
{
    dq_pool *pool = pool_of(1);
    dq_agent_config config = fixture_config(c);
    dq_agent *agent = make("dqn", &config, &fixture_shape, pool);
    dq_mlp *q = dq_agent_network(agent, "q"), *target = dq_agent_network(agent, "target");
    dq_experience rows[FIX_ROWS];
    dq_agent_losses losses, judged;
    set_weights(q, fix_cases[c].start);
    set_weights(target, fix_cases[c].start);
    for (size_t u = 0; u < FIX_UPDATES; u++) {
        fixture_rows(u, rows);
        assert_int_equal(dq_agent_judge(agent, rows, FIX_ROWS, &judged, NULL), DQ_OK);
        assert_int_equal(dq_agent_fit(agent, rows, FIX_ROWS, &losses, NULL), DQ_OK);
        assert_true(fabs(losses.q - (double)fix_cases[c].losses[u]) < 1e-5 * (1 + losses.q));
        if (!config.batch_norm) assert_true(fabs(losses.q - judged.q) < 1e-6 * (1 + losses.q));
    }
    assert_near(dq_mlp_weights(q), fix_cases[c].last, dq_mlp_count(q), 1e-5F);
    assert_near(dq_mlp_weights(target), fix_cases[c].target, dq_mlp_count(q), 1e-5F);
    dq_agent_free(agent);
    dq_pool_free(pool);
}

static void updates_equal_torch(void **state)
{
    (void)state;
    for (size_t c = 0; c < FIX_CASES; c++) check_torch(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(updates_equal_torch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
