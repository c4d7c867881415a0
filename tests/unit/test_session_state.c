/* SPDX-License-Identifier: MIT */
#include "data/session_state.h"
#include "data/time.h"
#include "dq/schema.h"
#include "env/env.h"
#include "offline/sessions.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const float item_numbers[3][2] = {{1, 2}, {3, 4}, {5, 6}};
static const float *const item_rows[3] = {item_numbers[0], item_numbers[1], item_numbers[2]};
static const dq_vectors items = {.at = item_rows, .count = 3, .width = 2};
static const float user[2] = {.5F, .25F};

static void near(double got, double wanted, double most)
{
    if (!(fabs(got - wanted) <= most)) fail_msg("%.9g, where %.9g is wanted", got, wanted);
}

static dq_session_place after(const uint32_t *before, uint32_t n)
{
    return (dq_session_place){.user = user,
                              .latest = n ? before + n - 1 : NULL,
                              .step = -1,
                              .entered = n,
                              .met = n,
                              .now = (double)NAN,
                              .before = (double)NAN};
}

/* ---- what stands where ---- */

static void the_items_themselves_the_latest_first(void **state)
{
    (void)state;
    const dq_session_layout layout = {
        .user_width = 2, .item_width = 2, .history = 3, .recency = 1, .count = true};
    const uint32_t before[4] = {0, 1, 2, 2};
    float got[9];
    assert_int_equal(dq_session_state_width(&layout), 9);
    dq_session_place place = after(before, 2);
    dq_session_state(&layout, &items, &place, got);
    assert_memory_equal(got, ((float[]){.5F, .25F, 3, 4, 1, 2, 0, 0, .2F}), sizeof got);
    place = after(before, 4);
    dq_session_state(&layout, &items, &place, got);
    assert_memory_equal(got, ((float[]){.5F, .25F, 5, 6, 5, 6, 3, 4, .4F}), sizeof got);
    place = after(before, 0);
    place.user = NULL;
    dq_session_state(&layout, &items, &place, got);
    assert_memory_equal(got, ((float[9]){0}), sizeof got);
    const uint32_t forward[4] = {2, 2, 1, 0}; /* the same, kept the other way round */
    float other[9];
    dq_session_place turned = after(before, 4);
    dq_session_state(&layout, &items, &turned, got);
    turned.latest = forward;
    turned.step = 1;
    dq_session_state(&layout, &items, &turned, other);
    assert_memory_equal(got, other, sizeof got);
}

static void weights_by_recency_of_rows_and_mean(void **state)
{
    (void)state;
    dq_session_layout layout = {.user_width = 0, .item_width = 2, .history = 3, .recency = .5};
    const uint32_t before[3] = {0, 1, 2};
    float got[6];
    dq_session_place place = after(before, 3);
    place.user = NULL;
    dq_session_state(&layout, &items, &place, got);
    assert_memory_equal(got, ((float[]){5, 6, 1.5F, 2, .25F, .5F}), sizeof got);
    layout.mean = true;
    assert_int_equal(dq_session_state_width(&layout), 2);
    dq_session_state(&layout, &items, &place, got);
    near((double)got[0], (5 + 1.5 + .25) / 1.75, 1e-6);
    near((double)got[1], (6 + 2 + .5) / 1.75, 1e-6);
}

/* Three places, the last for values that are not known. */
static void values_of_events_one_hot_and_crossed(void **state)
{
    (void)state;
    dq_session_layout layout = {.item_width = 2,
                                .history = 3,
                                .recency = .5,
                                .values = 3,
                                .one_hot = true,
                                .cross = true,
                                .count = true};
    const uint32_t before[3] = {0, 1, 2}, value[3] = {1, DQ_SESSION_NO_VALUE, 2};
    float got[22];
    dq_session_place place = after(before, 3);
    place.user = NULL;
    place.value = value + 2;
    assert_int_equal(dq_session_layout_check(&layout, NULL), DQ_OK);
    assert_int_equal(dq_session_state_width(&layout), 22);
    dq_session_state(&layout, &items, &place, got);
    assert_memory_equal(got, ((float[]){5,  6, 1.5F, 2, .25F, .5F,             /* the items */
                                        0,  0, 1,    0, 0,    0,   0, .25F, 0, /* the last's value, none, 1 */
                                        0,  0, 0,    0, 5,    6, /* the last item at its value */
                                        .3F}),
                        sizeof got);
    place.value = value + 1; /* of the first two: the last of them has none */
    place.latest = before + 1;
    place.entered = 2;
    dq_session_state(&layout, &items, &place, got);
    assert_memory_equal(got + 6, ((float[]){0, 0, 0, 0, .5F, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, .2F}),
                        16 * sizeof *got);
    layout.mean = true;
    layout.cross = false;
    assert_int_equal(dq_session_state_width(&layout), 6);
    place = after(before, 3);
    place.user = NULL;
    place.value = value + 2;
    dq_session_state(&layout, &items, &place, got);
    near((double)got[2], 0, 0);
    near((double)got[3], .25 / 1.75, 1e-6);
    near((double)got[4], 1 / 1.75, 1e-6);
    place.value = NULL; /* nobody knows any */
    dq_session_state(&layout, &items, &place, got);
    assert_memory_equal(got + 2, ((float[3]){0}), 3 * sizeof *got);
}

static void shares_are_at_most_one(void **state)
{
    (void)state;
    const dq_session_layout layout = {.item_width = 2, .recency = 1, .steps = 4, .count = true};
    const uint32_t before[12] = {0};
    float got[2];
    dq_session_place place = after(before, 3);
    dq_session_state(&layout, &items, &place, got);
    assert_memory_equal(got, ((float[]){.75F, .3F}), sizeof got);
    place = after(before, 12);
    dq_session_state(&layout, &items, &place, got);
    assert_memory_equal(got, ((float[]){1, 1}), sizeof got);
}

/* 2024-01-01 was a Monday. */
static void the_clock_turns_by_day_and_week(void **state)
{
    (void)state;
    const dq_session_layout layout = {.item_width = 2, .recency = 1, .clock = true, .since = true};
    const struct {
        const char *now, *before;
        double day, week, since; /* turns; */
    } cases[] = {
        {"2024-01-01T06:00:00Z", NULL, .25, .25 / 7, 1},
        {"2024-01-04T00:00:00Z", "2024-01-04", 0, 3. / 7, 0},
        {"1969-12-28T18:00", "1969-12-28T17:59:01", .75, 6.75 / 7, log1p(59) / log1p(30 * 86400)},
        {"2024-03-01T12:00+02:00", "2023-03-01", 10. / 24, (4 + 10. / 24) / 7, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float got[5];
        dq_session_place place = after(NULL, 0);
        dq_time now = dq_time_parse(cases[i].now, strlen(cases[i].now));
        place.now = dq_time_seconds(&now);
        if (cases[i].before) {
            dq_time before = dq_time_parse(cases[i].before, strlen(cases[i].before));
            place.before = dq_time_seconds(&before);
        }
        dq_session_state(&layout, &items, &place, got);
        near((double)got[0], sin(2 * acos(-1) * cases[i].day), 1e-6);
        near((double)got[1], cos(2 * acos(-1) * cases[i].day), 1e-6);
        near((double)got[2], sin(2 * acos(-1) * cases[i].week), 1e-6);
        near((double)got[3], cos(2 * acos(-1) * cases[i].week), 1e-6);
        near((double)got[4], cases[i].since, 1e-6);
    }
    float got[5];
    dq_session_place unknown = after(NULL, 0);
    dq_session_state(&layout, &items, &unknown, got);
    assert_memory_equal(got, ((float[]){0, 0, 0, 0, 1}), sizeof got);
}

/* ---- in a model ---- */

static void a_model_keeps_it_and_says_what_differs(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    const dq_session_layout layout = {.user_width = 3,
                                      .item_width = 2,
                                      .history = 5,
                                      .mean = true,
                                      .recency = .75,
                                      .values = 4,
                                      .one_hot = true,
                                      .steps = 7,
                                      .since = true};
    dq_session_layout got, other = layout, none = {0};
    dq_bundle model;
    assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
    assert_int_equal(dq_session_layout_load(&got, &model, NULL), DQ_OK);
    assert_int_equal(got.item_width, 0);
    assert_int_equal(dq_session_layout_save(&layout, &model, NULL), DQ_OK);
    assert_int_equal(dq_session_layout_load(&got, &model, NULL), DQ_OK);
    dq_bundle_free(&model);
    assert_int_equal(dq_session_layout_fits(&got, &layout, NULL), DQ_OK);
    assert_int_equal(dq_session_layout_fits(&none, &layout, NULL), DQ_OK);
    other.history = 3;
    assert_int_equal(dq_session_layout_fits(&layout, &other, &e), DQ_ERR_RANGE);
    assert_string_equal(e.reason, "the model learnt from states with history 5, and here it is 3");
    other = layout;
    other.mean = false;
    assert_int_equal(dq_session_layout_fits(&layout, &other, &e), DQ_ERR_RANGE);
    assert_string_equal(e.reason, "the model learnt from states with mean on, and here it is off");
    other = layout;
    other.values = 0;
    other.one_hot = false;
    assert_int_equal(dq_session_layout_fits(&layout, &other, &e), DQ_ERR_RANGE);
    assert_string_equal(e.reason, "the model learnt from states with values 4, and here it is 0");
}

static void layouts_that_cannot_be(void **state)
{
    (void)state;
    static const dq_session_layout cases[] = {
        {.user_width = 3, .recency = 1}, /* no items */
        {.item_width = 2, .recency = 1}, /* nothing shown */
        {.item_width = 2, .history = 1},
        {.item_width = 2, .history = 1, .recency = 1.5},
        {.item_width = UINT32_MAX, .history = UINT32_MAX, .recency = 1},
        {.item_width = UINT32_MAX, .values = UINT32_MAX, .cross = true, .recency = 1},
        {.item_width = 2, .history = 1, .values = 3, .recency = 1}, /* values, and no form */
        {.item_width = 2, .history = 1, .cross = true, .recency = 1},
        {.item_width = 2, .values = 3, .one_hot = true, .count = true, .recency = 1}, /* of no history */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(dq_session_layout_check(&cases[i], NULL), DQ_ERR_RANGE);
}

/* ---- one layout in log and environment ---- */

enum { MOST = 100 };

/* Plays an episode at random and logs it; the log's states are the environment's, bit for bit. */
static void logged_is_what_was_seen(const char *kind, const char *options, double engaged_from)
{
    dq_error e = DQ_ERROR_NONE;
    dq_env *env;
    dq_rng rng = dq_rng_new(3);
    uint32_t first[2] = {0, 0}, item[MOST];
    float reward[MOST];
    assert_int_equal(dq_env_new(&env, kind, options, 11, &e), DQ_OK);
    const dq_env_spec *spec = &env->shape;
    size_t width = spec->state_width;
    float *seen = calloc((MOST + 1) * width, sizeof *seen), *made = calloc(2 * width, sizeof *made);
    const float **rows = calloc(spec->action_count, sizeof *rows);
    assert_true(seen && made && rows);
    for (uint32_t i = 0; i < spec->action_count; i++) rows[i] = spec->actions[i];
    assert_int_equal(dq_env_reset(env, &e), DQ_OK);
    memcpy(seen, env->state, width * sizeof *seen);
    for (bool over = false; !over && first[1] < MOST;) {
        dq_step step;
        uint32_t n = first[1]++;
        item[n] = (uint32_t)dq_rng_below(&rng, spec->action_count);
        assert_int_equal(dq_env_step(env, item[n], &step, &e), DQ_OK);
        reward[n] = (double)step.reward >= engaged_from ? 1 : -.1F;
        memcpy(seen + (n + 1) * width, env->state, width * sizeof *seen);
        over = step.terminal || step.truncated;
    }
    const float *users[1] = {seen};
    const dq_session_rows log = {
        .users = {.at = users, .count = 1, .width = spec->user_width},
        .items = {.at = rows, .count = spec->action_count, .width = spec->item_width},
        .layout = spec->layout,
        .first = first,
        .item = item,
        .reward = reward};
    dq_sessions *sessions;
    assert_int_equal(dq_sessions_new(&sessions, &log, false, &e), DQ_OK);
    dq_offline_rows logged = dq_sessions_rows(sessions, NULL);
    assert_int_equal(logged.state_width, width);
    for (uint32_t n = 0; n < first[1]; n++) {
        dq_transition got;
        logged.fill(logged.self, n, &got, made, made + width);
        assert_memory_equal(made, seen + n * width, width * sizeof *seen);
        assert_memory_equal(made + width, seen + (n + 1) * width, width * sizeof *seen);
    }
    dq_sessions_free(sessions);
    dq_env_free(env);
    free(seen);
    free(made);
    free(rows);
}

static void log_and_environment_write_the_same_states(void **state)
{
    (void)state;
    logged_is_what_was_seen("session", "items=30", .5);
    logged_is_what_was_seen("session", "items=30,full=1,history=4,recency=0.5,steps=40", .5);
    logged_is_what_was_seen("session", "items=30,generated=1,recency=0.7,steps=25", .5);
    logged_is_what_was_seen("films", NULL, 0);
}

/* The simulated clock: one hour and day for all sessions of a minute's steps, and an empty past at first. */
static void a_session_has_a_clock(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_env *plain, *timed;
    double sum = 0;
    enum { SESSIONS = 200, STEPS = 10, WIDTH = 42 };
    assert_int_equal(dq_env_new(&plain, "session", "items=30", 11, &e), DQ_OK);
    assert_int_equal(dq_env_new(&timed, "session", "items=30,clock=1,since=1", 11, &e), DQ_OK);
    assert_int_equal(timed->shape.state_width, WIDTH + 5);
    for (int s = 0; s < SESSIONS; s++) {
        assert_int_equal(dq_env_reset(timed, &e), DQ_OK);
        assert_int_equal(dq_env_reset(plain, &e), DQ_OK);
        const float *clock = timed->state + WIDTH;
        float at = clock[0];
        assert_true(clock[4] == 1);
        for (int t = 0; t < STEPS; t++) {
            dq_step step;
            near((double)(clock[0] * clock[0] + clock[1] * clock[1]), 1, 1e-6);
            near((double)(clock[2] * clock[2] + clock[3] * clock[3]), 1, 1e-6);
            assert_int_equal(dq_env_step(timed, 0, &step, &e), DQ_OK);
            assert_int_equal(dq_env_step(plain, 0, &step, &e), DQ_OK);
            assert_memory_equal(plain->state, timed->state, WIDTH * sizeof(float));
            near((double)clock[0], (double)at, .3); /* an hour is a quarter of it at most */
            sum += expm1((double)clock[4] * log1p(30 * 86400)) / (SESSIONS * STEPS);
        }
    }
    near(sum, 60, 6); /* its standard error is 60 / sqrt(2000) */
    dq_env_free(plain);
    dq_env_free(timed);
}

static void histories_of_one_hot_items_are_sparse(void **state)
{
    (void)state;
    enum { WIDTH = 32 };
    float one[2][WIDTH] = {{1}, {0, 1}}, dense[WIDTH];
    for (int i = 0; i < WIDTH; i++) dense[i] = i < 3; /* 3 of 32 are more than one in 16 */
    const float *some[2] = {one[0], one[1]}, *others[2] = {one[0], dense};
    const dq_vectors sparse = {some, 2, WIDTH}, not_sparse = {others, 2, WIDTH};
    dq_session_layout l = {.user_width = 4, .item_width = WIDTH, .history = 2, .recency = 1};
    assert_true(dq_session_layout_is_sparse(&l, &sparse));
    assert_false(dq_session_layout_is_sparse(&l, &not_sparse));
    l.user_width = 65; /* the history is less than half */
    assert_false(dq_session_layout_is_sparse(&l, &sparse));
    l.user_width = 0;
    l.mean = true;
    assert_false(dq_session_layout_is_sparse(&l, &sparse));
    l.values = 3;
    l.cross = true;
    assert_true(dq_session_layout_is_sparse(&l, &sparse));
    assert_false(dq_session_layout_is_sparse(&l, &not_sparse));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_items_themselves_the_latest_first),
        cmocka_unit_test(weights_by_recency_of_rows_and_mean),
        cmocka_unit_test(values_of_events_one_hot_and_crossed),
        cmocka_unit_test(shares_are_at_most_one),
        cmocka_unit_test(the_clock_turns_by_day_and_week),
        cmocka_unit_test(a_model_keeps_it_and_says_what_differs),
        cmocka_unit_test(layouts_that_cannot_be),
        cmocka_unit_test(log_and_environment_write_the_same_states),
        cmocka_unit_test(a_session_has_a_clock),
        cmocka_unit_test(histories_of_one_hot_items_are_sparse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
