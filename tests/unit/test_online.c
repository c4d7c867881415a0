/* SPDX-License-Identifier: MIT
 *
 * Online training, in environments side by side and in a catalogue: it ends where it shall, evaluates when it
 * is due, keeps the best, and goes on from a checkpoint as if it had never stopped, also from one that was
 * made while a reward was waited for.
 */
#include "dq/schema.h"
#include "env/catalogue.h"
#include "learn/bandit/bandit.h"
#include "rollout/online.h"

#include <math.h>
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
    bool better[EPISODES];
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

static dq_status evaluated(void *arg, const dq_online *run, const dq_played *played, bool better,
                           dq_error *error)
{
    told *t = arg;
    (void)error;
    for (size_t i = 0; i < EVALS; i++) assert_true(played[i].steps > 0);
    t->better[t->evaluations] = better;
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
                                  .evaluate_episodes = EVALS,
                                  .arg = t,
                                  .episode_ended = episode_ended,
                                  .evaluated = evaluated,
                                  .stepped = stepped}};
    config.hidden[0] = STATES;
    config.hidden_count = 1;
    config.batch = 4;
    config.warmup = 8;
    config.replay = 64;
    config.envs = ENVS;
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

/* ---- evaluations ---- */

/* The network's first weight: what tells one model from another. */
static float weight_of(const dq_bundle *model)
{
    const dq_column *c = dq_bundle_column(model, "q.hidden.0.weight");
    assert_non_null(c);
    return *(const float *)c->data;
}

static void the_best_evaluation_is_kept(void **state)
{
    dq_error e = DQ_ERROR_NONE;
    dq_pool *pool;
    dq_online run;
    told t = {0};
    (void)state;
    check(dq_pool_new(&pool, 1, &e), &e);
    open_run(&run, &t, 3, pool);
    run.config.keep_best = true;
    check(dq_online_run(&run, &e), &e);
    assert_true(t.better[0]);
    uint64_t best = 0;
    for (uint64_t i = 0; i < t.evaluations; i++)
        if (t.better[i]) best = i;
    assert_int_equal(run.at.best_at, t.at_evaluation[best]);
    assert_int_equal(run.at.stale, t.evaluations - 1 - best);
    assert_true(run.at.best > 0);
    assert_string_equal(run.best.kind, DQ_KIND_MODEL);
    dq_vec_env_rewind(run.eval_envs); /* it plays as it did then */
    dq_policy policy = {.by = DQ_POLICY_AGENT, .agent = run.agent};
    dq_played played[EVALS];
    check(dq_agent_load(run.agent, false, &run.best, &e), &e);
    check(dq_episodes_play(run.eval_envs, &policy, played, &e), &e);
    assert_true((played[0].total + played[1].total) / 2 == run.at.best);
    close_run(&run);
    dq_pool_free(pool);
}

/* A rate that moves nothing: no evaluation is better than the first. */
static void patience_ends_the_run(void **state)
{
    dq_error e = DQ_ERROR_NONE;
    dq_pool *pool;
    dq_online run;
    told t = {0};
    (void)state;
    check(dq_pool_new(&pool, 1, &e), &e);
    open_run(&run, &t, 2, pool);
    dq_agent_config still = *dq_agent_get_config(run.agent);
    still.adam.rate = 1e-30;
    dq_agent_free(run.agent);
    check(dq_agent_new(&run.agent, "dqn", &still, &run.envs->shape, pool, &e), &e);
    run.config.episodes = 1000;
    run.config.patience = 3;
    check(dq_online_run(&run, &e), &e);
    assert_int_equal(t.evaluations, 4);
    assert_true(t.better[0] && !t.better[1] && !t.better[2] && !t.better[3]);
    assert_true(run.at.episode < 20);
    close_run(&run);
    dq_pool_free(pool);
}

static void the_best_goes_on_with_a_checkpoint(void **state)
{
    dq_error e = DQ_ERROR_NONE;
    dq_pool *pool;
    dq_online whole, first, second;
    told all = {0}, before = {.stop_after = 60}, after = {0};
    (void)state;
    check(dq_pool_new(&pool, 1, &e), &e);
    open_run(&whole, &all, 3, pool);
    open_run(&first, &before, 3, pool);
    open_run(&second, &after, 3, pool);
    whole.config.keep_best = first.config.keep_best = second.config.keep_best = true;
    check(dq_online_run(&whole, &e), &e);
    assert_int_equal(dq_online_run(&first, &e), DQ_ERR_STOPPED);
    assert_true(before.evaluations > 0 && before.evaluations < all.evaluations);
    dq_bundle checkpoint = saved(&first);
    assert_true(weight_of(&first.best) != weight_of(&checkpoint));
    check(dq_online_restore(&second, &checkpoint, &e), &e);
    assert_true(weight_of(&first.best) == weight_of(&second.best));
    check(dq_online_run(&second, &e), &e);
    dq_bundle a = saved(&whole), b = saved(&second);
    assert_same_columns(&a, &b);
    dq_bundle_free(&a);
    dq_bundle_free(&b);
    dq_bundle_free(&checkpoint);
    close_run(&whole);
    close_run(&first);
    close_run(&second);
    dq_pool_free(pool);
}

/* ---- the catalogue ---- */

enum { ITEMS = 7, OFFERED = 4, WIDTH = 3, LIVES = 6, STEPS = 10 };

typedef struct catalogue {
    float vector[ITEMS][WIDTH];
    const float *at[ITEMS];
    dq_env *env;
    uint64_t asked, stop_asking; /* at which question; 0: never */
    double progress;             /* the last */
    told told;
    dq_online run;
} catalogue;

static dq_status reward_of(void *arg, uint32_t user, uint32_t item, float *reward, dq_error *error)
{
    catalogue *c = arg;
    assert_int_equal(user, 1);
    assert_true(c->run.at.pending);
    assert_int_equal(c->run.actions[0], item);
    if (++c->asked == c->stop_asking) return dq_fail(error, DQ_ERR_STOPPED, "no answer");
    *reward = (float)item / 8;
    return DQ_OK;
}

static dq_status life_ended(void *arg, const dq_online *run, size_t env, dq_error *error)
{
    catalogue *c = arg;
    assert_int_equal(run->lengths[env], STEPS);
    return episode_ended(&c->told, run, env, error);
}

static dq_status life_stepped(void *arg, dq_online *run, dq_error *error)
{
    catalogue *c = arg;
    double progress = dq_online_progress(run);
    assert_true(fabs(progress - (double)run->at.step / (LIVES * STEPS)) < 1e-12);
    assert_true(progress > c->progress);
    c->progress = progress;
    return stepped(&c->told, run, error);
}

static void make_catalogue(catalogue *c, const char *kind, dq_pool *pool)
{
    dq_error e = DQ_ERROR_NONE;
    dq_agent_config config = dq_agent_find(kind)->defaults;
    *c = (catalogue){0};
    for (uint32_t i = 0; i < ITEMS; i++) {
        for (uint32_t k = 0; k < WIDTH; k++) c->vector[i][k] = (float)((i * 5 + k * 3) % 7) / 7;
        c->at[i] = c->vector[i];
    }
    const dq_catalogue_env_config env = {.users = {c->at, 2, WIDTH},
                                         .items = {c->at, ITEMS, WIDTH},
                                         .user = 1,
                                         .candidates = OFFERED,
                                         .step_limit = STEPS,
                                         .reward = reward_of,
                                         .reward_arg = c};
    check(dq_catalogue_env_new(&c->env, &env, 0, &e), &e);
    const dq_vec_env_config envs = {.env = c->env, .count = 1, .seed = 9};
    check(dq_vec_env_open(&c->run.envs, &envs, &e), &e);
    bool bandit = dq_bandit_is(kind), plans = !bandit && strcmp(kind, "dqn") != 0;
    if (strcmp(kind, "tabular") != 0) config.head = DQ_HEAD_ACTIONS;
    if (strcmp(kind, "tabular") != 0 && !bandit) {
        config.hidden[0] = 6;
        config.hidden_count = 1;
        config.batch = 4;
        config.warmup = 12;
        config.replay = 40;
        config.target_every = 8;
    }
    config.offered = OFFERED;
    if (plans) config.planning = 2;
    check(dq_agent_new(&c->run.agent, kind, &config, &c->run.envs->shape, pool, &e), &e);
    c->run.config = (dq_online_config){
        .episodes = LIVES, .arg = c, .episode_ended = life_ended, .stepped = life_stepped};
    check(dq_online_open(&c->run, &e), &e);
}

static void drop_catalogue(catalogue *c)
{
    close_run(&c->run);
    dq_env_free(c->env);
}

static void goes_on(const char *kind, uint64_t stop_asking, uint64_t stop_after)
{
    dq_error e = DQ_ERROR_NONE;
    dq_pool *pool;
    catalogue whole, first, second;
    check(dq_pool_new(&pool, 1, &e), &e);
    make_catalogue(&whole, kind, pool);
    check(dq_online_run(&whole.run, &e), &e);
    assert_int_equal(whole.told.episodes, LIVES);
    assert_int_equal(whole.asked, LIVES * STEPS);
    assert_true(whole.progress == 1);
    make_catalogue(&first, kind, pool);
    first.stop_asking = stop_asking;
    first.told.stop_after = stop_after;
    assert_int_equal(dq_online_run(&first.run, &e), DQ_ERR_STOPPED);
    assert_int_equal(first.run.at.pending, stop_asking > 0);
    dq_bundle checkpoint = saved(&first.run);
    make_catalogue(&second, kind, pool);
    check(dq_online_restore(&second.run, &checkpoint, &e), &e);
    check(dq_online_run(&second.run, &e), &e);
    dq_bundle a = saved(&whole.run), b = saved(&second.run);
    assert_same_columns(&a, &b);
    assert_int_equal(first.told.episodes + second.told.episodes, LIVES);
    assert_true(first.told.total + second.told.total == whole.told.total); /* eighths */
    dq_bundle_free(&a);
    dq_bundle_free(&b);
    dq_bundle_free(&checkpoint);
    drop_catalogue(&whole);
    drop_catalogue(&first);
    drop_catalogue(&second);
    dq_pool_free(pool);
}

static void goes_on_after_any_step(void **state)
{
    (void)state;
    for (const dq_agent_kind *const *kind = dq_agent_kinds; *kind; kind++) {
        if ((*kind)->defaults.context) continue; /* it learns from logs alone */
        goes_on((*kind)->name, 0, 1);
        goes_on((*kind)->name, 0, 2 * STEPS); /* between two episodes */
        goes_on((*kind)->name, 0, 3 * STEPS + 4);
    }
}

static void goes_on_where_a_reward_was_waited_for(void **state)
{
    (void)state;
    for (const dq_agent_kind *const *kind = dq_agent_kinds; *kind; kind++) {
        if ((*kind)->defaults.context) continue;
        goes_on((*kind)->name, 1, 0);
        goes_on((*kind)->name, 2 * STEPS + 1, 0); /* the first choice of an episode */
        goes_on((*kind)->name, 4 * STEPS + 7, 0);
    }
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
        cmocka_unit_test(the_best_evaluation_is_kept),
        cmocka_unit_test(patience_ends_the_run),
        cmocka_unit_test(the_best_goes_on_with_a_checkpoint),
        cmocka_unit_test(goes_on_after_any_step),
        cmocka_unit_test(goes_on_where_a_reward_was_waited_for),
        cmocka_unit_test(a_model_is_no_checkpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
