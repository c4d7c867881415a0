/* SPDX-License-Identifier: MIT
 *
 * Online training against the catalogue environment goes on from a checkpoint as if it had never stopped,
 * also from one that was made while a reward was waited for.
 */
#include "dq/schema.h"
#include "rollout/online_catalogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { ITEMS = 7, OFFERED = 4, WIDTH = 3, EPISODES = 6, STEPS = 10 };

/* Who is asked and told. */
typedef struct told {
    uint64_t asked, episodes, steps;
    uint64_t stop_asking, stop_after; /* at which question, after which step; 0: never */
    uint64_t last;                    /* the episode that a step was last said to be of */
    double reward;
} told;

typedef struct world {
    dq_pool *pool;
    float vector[ITEMS][WIDTH];
    const float *at[ITEMS];
    dq_vectors users, items;
    told told;
    dq_online_catalogue run;
} world;

static dq_status reward_of(void *arg, uint32_t user, uint32_t item, float *reward, dq_error *error)
{
    (void)arg;
    (void)error;
    assert_int_equal(user, 1);
    *reward = (float)item / 8;
    return DQ_OK;
}

static void episode(void *arg, uint64_t number)
{
    told *t = arg;
    t->last = number;
}

static dq_status reward_needed(void *arg, const dq_online_catalogue *run, uint32_t choice, dq_error *error)
{
    told *t = arg;
    assert_in_range(choice, 0, OFFERED - 1);
    assert_int_equal(run->at.choice, choice);
    assert_int_equal(t->last, run->at.episode);
    return ++t->asked == t->stop_asking ? dq_fail(error, DQ_ERR_STOPPED, "no answer") : DQ_OK;
}

static dq_status episode_ended(void *arg, const dq_online_catalogue *run, dq_error *error)
{
    told *t = arg;
    (void)error;
    assert_int_equal(run->at.step, STEPS);
    assert_int_equal(run->at.episode, t->last + 1);
    t->episodes++;
    t->reward += (double)run->at.episode * run->at.reward;
    return DQ_OK;
}

static dq_status stepped(void *arg, dq_online_catalogue *run, dq_error *error)
{
    told *t = arg;
    assert_int_equal(run->at.choice, -1);
    return ++t->steps == t->stop_after ? dq_fail(error, DQ_ERR_STOPPED, "asked") : DQ_OK;
}

static void check(dq_status status, const dq_error *e)
{
    if (status) fail_msg("%s", e->reason);
}

static void make(world *w)
{
    dq_error e = DQ_ERROR_NONE;
    dq_dynaq_config c = DQ_DYNAQ_DEFAULTS;
    *w = (world){0};
    for (uint32_t i = 0; i < ITEMS; i++) {
        for (uint32_t k = 0; k < WIDTH; k++) w->vector[i][k] = (float)((i * 5 + k * 3) % 7) / 7;
        w->at[i] = w->vector[i];
    }
    w->users = (dq_vectors){w->at, 2, WIDTH};
    w->items = (dq_vectors){w->at, ITEMS, WIDTH};
    c.q = (dq_net_spec){.user_width = WIDTH, .item_width = WIDTH, .hidden = {6}, .hidden_count = 1};
    c.world = c.q;
    c.batch = 4;
    c.warmup = 12;
    c.replay = 40;
    c.planning = 2;
    c.target_every = 8;
    check(dq_pool_new(&w->pool, 1, &e), &e);
    check(dq_dynaq_new(&w->run.agent, &c, &w->users, &w->items, w->pool, &e), &e);
    const dq_catalogue_env_config env = {
        .users = w->users, .items = w->items, .user = 1, .candidates = OFFERED, .reward = reward_of};
    check(dq_catalogue_env_new(&w->run.env, &env, 9, &e), &e);
    w->run.at.choice = -1;
    w->run.config = (dq_online_catalogue_config){.episodes = EPISODES,
                                                 .steps = STEPS,
                                                 .arg = &w->told,
                                                 .episode = episode,
                                                 .reward_needed = reward_needed,
                                                 .episode_ended = episode_ended,
                                                 .stepped = stepped};
}

static void drop(world *w)
{
    dq_dynaq_free(w->run.agent);
    dq_env_free(w->run.env);
    dq_pool_free(w->pool);
}

static dq_bundle saved(const dq_online_catalogue *run)
{
    dq_error e = DQ_ERROR_NONE;
    dq_bundle b;
    check(dq_bundle_init(&b, DQ_KIND_MODEL, 0, &e), &e);
    check(dq_online_catalogue_save(run, &b, &e), &e);
    return b;
}

static void assert_same(const dq_online_catalogue *x, const dq_online_catalogue *y)
{
    dq_bundle a = saved(x), b = saved(y);
    assert_int_equal(a.column_count, b.column_count);
    for (size_t i = 0; i < a.column_count; i++) {
        const dq_column *c = &a.columns[i], *d = dq_bundle_column(&b, c->name);
        assert_non_null(d);
        assert_int_equal(c->bytes, d->bytes);
        assert_memory_equal(c->data, d->data, c->bytes);
    }
    assert_true(dq_value_equal(&a.meta, &b.meta));
    dq_bundle_free(&a);
    dq_bundle_free(&b);
}

static void goes_on(uint64_t stop_asking, uint64_t stop_after)
{
    dq_error e = DQ_ERROR_NONE;
    world whole, first, second;
    make(&whole);
    check(dq_online_catalogue_run(&whole.run, &e), &e);
    assert_int_equal(whole.told.episodes, EPISODES);
    assert_int_equal(whole.told.asked, EPISODES * STEPS);
    make(&first);
    first.told.stop_asking = stop_asking;
    first.told.stop_after = stop_after;
    assert_int_equal(dq_online_catalogue_run(&first.run, &e), DQ_ERR_STOPPED);
    assert_int_equal(first.run.at.choice >= 0, stop_asking > 0);
    dq_bundle checkpoint = saved(&first.run);
    make(&second);
    check(dq_online_catalogue_restore(&second.run, &checkpoint, &e), &e);
    check(dq_online_catalogue_run(&second.run, &e), &e);
    assert_same(&whole.run, &second.run);
    assert_int_equal(first.told.episodes + second.told.episodes, EPISODES);
    assert_true(first.told.reward + second.told.reward == whole.told.reward); /* eighths */
    dq_bundle_free(&checkpoint);
    drop(&whole);
    drop(&first);
    drop(&second);
}

static void goes_on_after_any_step(void **state)
{
    (void)state;
    goes_on(0, 1);
    goes_on(0, 2 * STEPS); /* between two episodes */
    goes_on(0, 3 * STEPS + 4);
}

static void goes_on_where_a_reward_was_waited_for(void **state)
{
    (void)state;
    goes_on(1, 0);
    goes_on(2 * STEPS + 1, 0); /* the first choice of an episode */
    goes_on(4 * STEPS + 7, 0);
}

static void a_model_is_no_checkpoint(void **state)
{
    dq_error e = DQ_ERROR_NONE;
    dq_bundle b;
    world w;
    (void)state;
    make(&w);
    check(dq_bundle_init(&b, DQ_KIND_MODEL, 0, &e), &e);
    check(dq_dynaq_save(w.run.agent, true, &b, &e), &e);
    assert_int_equal(dq_online_catalogue_restore(&w.run, &b, &e), DQ_ERR_SCHEMA);
    dq_bundle_free(&b);
    drop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_on_after_any_step),
        cmocka_unit_test(goes_on_where_a_reward_was_waited_for),
        cmocka_unit_test(a_model_is_no_checkpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
