/* SPDX-License-Identifier: MIT
 *
 * Online training: it ends where it shall, evaluates when it is due, and goes on from a checkpoint as if it
 * had never stopped.
 */
#include "dq/schema.h"
#include "rollout/online.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { ENVS = 3, EVALS = 2, STATES = 8, EPISODES = 14 };

/* What the run told. */
typedef struct told {
    uint64_t episodes, evaluations, steps, stop_after; /* stop_after: 0: never */
    uint64_t at_evaluation[EPISODES];
    double total; /* the returns, each weighted by its number */
} told;

static dq_status episode_ended(void *arg, const dq_online *run, size_t env, dq_error *error)
{
    told *t = arg;
    (void)error;
    t->episodes++;
    assert_in_range(env, 0, ENVS - 1);
    assert_true(run->lengths[env] > 0);
    t->total += (double)run->at.episode * run->returns[env];
    return DQ_OK;
}

static dq_status evaluated(void *arg, const dq_online *run, const dq_played *played, dq_error *error)
{
    told *t = arg;
    (void)error;
    for (size_t i = 0; i < EVALS; i++) assert_true(played[i].steps > 0);
    t->at_evaluation[t->evaluations++] = run->at.episode;
    return DQ_OK;
}

static dq_status stepped(void *arg, dq_online *run, dq_error *error)
{
    told *t = arg;
    (void)run;
    t->steps++;
    return t->stop_after && t->steps == t->stop_after ? dq_fail(error, DQ_ERR_STOPPED, "asked") : DQ_OK;
}

static void check(dq_status status, const dq_error *e)
{
    if (status) fail_msg("%s", e->reason);
}

static void open_run(dq_online *run, told *t, uint64_t evaluate, dq_pool *pool)
{
    dq_error e = DQ_ERROR_NONE;
    dq_vec_env_config envs = {.name = "cartpole", .count = ENVS, .seed = 5};
    dq_agent_config config = dq_agent_find("dqn")->defaults;
    *run = (dq_online){.config = {.episodes = EPISODES,
                                  .evaluate = evaluate,
                                  .arg = t,
                                  .episode_ended = episode_ended,
                                  .evaluated = evaluated,
                                  .stepped = stepped}};
    config.hidden[0] = STATES;
    config.hidden_count = 1;
    config.batch = 4;
    config.warmup = 8;
    config.replay = 64;
    config.tasks = ENVS;
    config.seed = 3;
    check(dq_vec_env_open(&run->envs, &envs, &e), &e);
    envs.count = EVALS;
    envs.seed = 6;
    if (evaluate) check(dq_vec_env_open(&run->eval_envs, &envs, &e), &e);
    check(dq_agent_new(&run->agent, "dqn", &config, &run->envs->shape, pool, &e), &e);
    check(dq_online_open(run, &e), &e);
}

static void close_run(dq_online *run)
{
    dq_agent_free(run->agent);
    assert_int_equal(dq_vec_env_close(run->envs, DQ_OK, NULL), DQ_OK);
    assert_int_equal(dq_vec_env_close(run->eval_envs, DQ_OK, NULL), DQ_OK);
    dq_online_close(run);
}

static void ends_by_episodes_or_by_steps(void **state)
{
    dq_error e = DQ_ERROR_NONE;
    dq_pool *pool;
    dq_online run;
    told t = {0};
    (void)state;
    check(dq_pool_new(&pool, 1, &e), &e);
    open_run(&run, &t, 0, pool);
    check(dq_online_run(&run, &e), &e);
    assert_in_range(run.at.episode, EPISODES, EPISODES + ENVS - 1); /* some end in the same step */
    assert_int_equal(t.episodes, run.at.episode);
    assert_int_equal(t.steps * ENVS, run.at.step);
    assert_true(dq_agent_steps(run.agent) > 0);
    close_run(&run);
    t = (told){0};
    open_run(&run, &t, 0, pool);
    run.config.steps = 20;
    check(dq_online_run(&run, &e), &e);
    assert_int_equal(run.at.step, 21); /* the first multiple of ENVS */
    close_run(&run);
    dq_pool_free(pool);
}

static void evaluates_every_so_many_episodes(void **state)
{
    dq_error e = DQ_ERROR_NONE;
    dq_pool *pool;
    dq_online run;
    told t = {0};
    (void)state;
    check(dq_pool_new(&pool, 1, &e), &e);
    open_run(&run, &t, 5, pool);
    check(dq_online_run(&run, &e), &e);
    assert_int_equal(t.evaluations, run.at.episode / 5);
    for (uint64_t i = 0; i < t.evaluations; i++)
        assert_in_range(t.at_evaluation[i], 5 * (i + 1), 5 * (i + 1) + ENVS - 1);
    close_run(&run);
    dq_pool_free(pool);
}

static dq_bundle saved(const dq_online *run)
{
    dq_error e = DQ_ERROR_NONE;
    dq_bundle b;
    check(dq_bundle_init(&b, DQ_KIND_MODEL, 0, &e), &e);
    check(dq_online_save(run, &b, &e), &e);
    return b;
}

static void assert_same_columns(const dq_bundle *a, const dq_bundle *b)
{
    assert_int_equal(a->column_count, b->column_count);
    for (size_t i = 0; i < a->column_count; i++) {
        const dq_column *x = &a->columns[i], *y = dq_bundle_column(b, x->name);
        assert_non_null(y);
        assert_int_equal(x->bytes, y->bytes);
        assert_memory_equal(x->data, y->data, x->bytes);
    }
    assert_true(dq_value_equal(&a->meta, &b->meta));
}

static void going_on_equals_never_having_stopped(void **state)
{
    dq_error e = DQ_ERROR_NONE;
    dq_pool *pool;
    dq_online whole, first, second;
    told all = {0}, before = {.stop_after = 31}, after = {0};
    (void)state;
    check(dq_pool_new(&pool, 1, &e), &e);
    open_run(&whole, &all, 0, pool);
    check(dq_online_run(&whole, &e), &e);
    open_run(&first, &before, 0, pool);
    assert_int_equal(dq_online_run(&first, &e), DQ_ERR_STOPPED);
    dq_bundle checkpoint = saved(&first);
    open_run(&second, &after, 0, pool);
    check(dq_online_restore(&second, &checkpoint, &e), &e);
    check(dq_online_run(&second, &e), &e);
    dq_bundle a = saved(&whole), b = saved(&second);
    assert_same_columns(&a, &b);
    assert_int_equal(before.episodes + after.episodes, all.episodes);
    assert_true(before.episodes > 0 && after.episodes > 0);
    assert_true(before.total + after.total == all.total); /* whole numbers */
    dq_bundle_free(&a);
    dq_bundle_free(&b);
    close_run(&whole);
    close_run(&second);
    dq_bundle_free(&checkpoint);
    close_run(&first);
    dq_pool_free(pool);
}

static void a_model_is_no_checkpoint(void **state)
{
    dq_error e = DQ_ERROR_NONE;
    dq_pool *pool;
    dq_online run;
    told t = {0};
    dq_bundle b;
    (void)state;
    check(dq_pool_new(&pool, 1, &e), &e);
    open_run(&run, &t, 0, pool);
    check(dq_bundle_init(&b, DQ_KIND_MODEL, 0, &e), &e);
    check(dq_agent_save(run.agent, true, &b, &e), &e);
    assert_int_equal(dq_online_restore(&run, &b, &e), DQ_ERR_SCHEMA);
    dq_bundle_free(&b);
    close_run(&run);
    dq_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_by_episodes_or_by_steps),
        cmocka_unit_test(evaluates_every_so_many_episodes),
        cmocka_unit_test(going_on_equals_never_having_stopped),
        cmocka_unit_test(a_model_is_no_checkpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
