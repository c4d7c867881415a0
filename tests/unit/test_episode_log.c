/* SPDX-License-Identifier: MIT */
#include "rollout/episode_log.h"

#include "dq/schema.h"
#include "tables.h"

#include <math.h>

enum { EPISODES = 40, MOST = 8192 };

typedef struct kept {
    uint64_t rows;
    uint32_t last_episode;
    double propensity[MOST];
    float reward[MOST];
    uint64_t ended, cut;
    dq_vec_env *envs;
} kept;

static const void *data_of(const dq_bundle *b, const char *name)
{
    const dq_column *c = dq_bundle_column(b, name);
    assert_non_null(c);
    return c->data;
}

/* Each row goes on from the one before, or begins an episode after an end. */
static void check_order(kept *k, const dq_bundle *b)
{
    const uint32_t *episode = data_of(b, "episode"), *step = data_of(b, "step");
    const uint8_t *done = data_of(b, "done"), *truncated = data_of(b, "truncated");
    const float *state = data_of(b, "state"), *next = data_of(b, "next_state");
    size_t width = k->envs->shape.state_width;
    for (uint64_t r = 0; r + 1 < b->rows; r++) {
        bool over = done[r] || truncated[r];
        assert_int_equal(episode[r + 1], episode[r] + over);
        assert_int_equal(step[r + 1], over ? 0 : step[r] + 1);
        if (!over) assert_memory_equal(state + (r + 1) * width, next + r * width, width * sizeof *next);
    }
    k->last_episode = episode[b->rows - 1];
    assert_true(done[b->rows - 1] || truncated[b->rows - 1]);
}

static dq_status take(void *arg, const dq_bundle *b, dq_error *error)
{
    kept *k = arg;
    assert_int_equal(dq_schema_check(b, error), DQ_OK);
    assert_int_equal(k->rows, 0); /* one bundle is enough here */
    assert_true(b->rows <= MOST);
    check_order(k, b);
    k->rows = b->rows;
    memcpy(k->propensity, data_of(b, "propensity"), b->rows * sizeof(double));
    memcpy(k->reward, data_of(b, "reward"), b->rows * sizeof(float));
    return DQ_OK;
}

static void count(void *arg, uint64_t episodes)
{
    kept *k = arg;
    k->ended = episodes;
}

static void play_at_most(kept *k, dq_agent *agent, double epsilon, uint64_t max_steps)
{
    const dq_episode_log log = {.episodes = EPISODES,
                                .agent = agent,
                                .epsilon = epsilon,
                                .max_steps = max_steps,
                                .seed = 3,
                                .taker = {take, k},
                                .ended = count,
                                .arg = k};
    const dq_vec_env_config config = {.name = "cartpole", .count = 1, .seed = 5};
    *k = (kept){0};
    assert_int_equal(dq_vec_env_open(&k->envs, &config, NULL), DQ_OK);
    assert_int_equal(dq_episode_log_write(k->envs, &log, &k->cut, NULL), DQ_OK);
    assert_int_equal(dq_vec_env_close(k->envs, DQ_OK, NULL), DQ_OK);
    assert_int_equal(k->ended, EPISODES);
    assert_int_equal(k->last_episode, EPISODES - 1);
}

static void play(kept *k, dq_agent *agent, double epsilon)
{
    play_at_most(k, agent, epsilon, 0);
    assert_int_equal(k->cut, 0);
}

static kept first, second;

static void any_action_is_as_likely_as_another(void **state)
{
    (void)state;
    play(&first, NULL, 0);
    for (uint64_t r = 0; r < first.rows; r++) assert_true(first.propensity[r] == 0.5 && first.reward[r] == 1);
    play(&second, NULL, 0);
    assert_int_equal(first.rows, second.rows); /* the seed decides */
}

/* Truncated, which take() has checked; a pole that is pushed at random stands for eight steps at least. */
static void what_does_not_end_is_cut_off(void **state)
{
    (void)state;
    play_at_most(&first, NULL, 0, 7);
    assert_int_equal(first.cut, EPISODES);
    assert_int_equal(first.rows, 7 * EPISODES);
}

/* Of two actions the best has 1 - epsilon / 2 and the other epsilon / 2; how often the other comes is within
 * five standard deviations of it. */
static void propensities_are_epsilon_greedy(void **state)
{
    (void)state;
    dq_pool *pool;
    dq_vec_env *envs;
    dq_agent *agent;
    const dq_vec_env_config shape = {.name = "cartpole", .count = 1, .seed = 5};
    dq_agent_config config = dq_agent_find("dqn")->defaults;
    config.hidden[0] = 8;
    config.hidden_count = 1;
    config.head = DQ_HEAD_OUTPUTS;
    assert_int_equal(dq_pool_new(&pool, 1, NULL), DQ_OK);
    assert_int_equal(dq_vec_env_open(&envs, &shape, NULL), DQ_OK);
    assert_int_equal(dq_agent_new(&agent, "dqn", &config, &envs->shape, pool, NULL), DQ_OK);
    play(&first, agent, 0.4);
    uint64_t others = 0;
    for (uint64_t r = 0; r < first.rows; r++) {
        bool other = first.propensity[r] < 0.5;
        assert_true(fabs(first.propensity[r] - (other ? 0.2 : 0.8)) < 1e-15);
        others += other;
    }
    double n = (double)first.rows;
    assert_true(fabs((double)others - 0.2 * n) < 5 * sqrt(n * 0.2 * 0.8));
    dq_agent_free(agent);
    dq_pool_free(pool);
    assert_int_equal(dq_vec_env_close(envs, DQ_OK, NULL), DQ_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_action_is_as_likely_as_another),
        cmocka_unit_test(what_does_not_end_is_cut_off),
        cmocka_unit_test(propensities_are_epsilon_greedy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
