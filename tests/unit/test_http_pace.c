/* SPDX-License-Identifier: MIT
 *
 * When a request may go out, by a clock that the test holds: limits of a minute, pauses, back-off,
 * throttling, and when a server counts as down.
 */
#include "port/http/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static dq_pace start(dq_http_config config)
{
    dq_pace pace;
    dq_pace_init(&pace, &config);
    return pace;
}

/* Sends one that may go now. */
static void goes(dq_pace *pace, double now, uint64_t tokens)
{
    dq_error e = DQ_ERROR_NONE;
    assert_true(dq_pace_wait(pace, now, tokens) == 0);
    assert_int_equal(dq_pace_count(pace, now, tokens, &e), DQ_OK);
}

static void test_no_limits(void **state)
{
    (void)state;
    dq_pace pace = start((dq_http_config)DQ_HTTP_DEFAULTS);
    for (int i = 0; i < 1000; i++) goes(&pace, 5, 1000000);
    dq_pace_free(&pace);
}

static void test_requests_per_minute(void **state)
{
    (void)state;
    dq_http_config config = DQ_HTTP_DEFAULTS;
    config.requests_per_minute = 100;
    dq_pace pace = start(config);
    for (int i = 0; i < 100; i++) goes(&pace, i * 0.25, 0);
    assert_true(dq_pace_wait(&pace, 30, 0) == 30); /* until the first, of time 0, is a minute old */
    assert_true(dq_pace_wait(&pace, 59.75, 0) == 0.25);
    goes(&pace, 60, 0);
    assert_true(dq_pace_wait(&pace, 60, 0) == 0.25);
    /* Whatever minute one looks at, it holds at most a hundred. */
    double sent[400] = {0}, now = 60;
    size_t n = 0;
    while (n < 400) {
        double wait = dq_pace_wait(&pace, now, 0);
        if (wait > 0) {
            now += wait;
            continue;
        }
        goes(&pace, now, 0);
        sent[n++] = now;
        if (n > 100) assert_true(sent[n - 1] - sent[n - 101] >= 60);
    }
    dq_pace_free(&pace);
}

static void test_tokens_per_minute(void **state)
{
    (void)state;
    dq_http_config config = DQ_HTTP_DEFAULTS;
    config.tokens_per_minute = 1000;
    dq_pace pace = start(config);
    goes(&pace, 0, 400);
    goes(&pace, 1, 400);
    goes(&pace, 2, 200);
    assert_true(dq_pace_wait(&pace, 10, 1) == 50);
    assert_true(dq_pace_wait(&pace, 10, 400) == 50);
    assert_true(dq_pace_wait(&pace, 10, 401) == 51);
    assert_true(dq_pace_wait(&pace, 10, 5000) == 52); /* dearer than a minute: alone */
    goes(&pace, 62, 5000);
    assert_true(dq_pace_wait(&pace, 63, 1) == 59);
    goes(&pace, 122, 1);
    dq_pace_free(&pace);
}

static void test_pause(void **state)
{
    (void)state;
    dq_pace pace = start((dq_http_config)DQ_HTTP_DEFAULTS);
    dq_pace_pause(&pace, 12);
    dq_pace_pause(&pace, 11); /* the longer one holds */
    assert_true(dq_pace_wait(&pace, 10, 0) == 2);
    assert_true(dq_pace_wait(&pace, 12, 0) == 0);
    dq_pace_free(&pace);
}

static void test_backoff(void **state)
{
    (void)state;
    dq_http_config config = DQ_HTTP_DEFAULTS;
    config.backoff = 0.5;
    config.backoff_most = 10;
    dq_pace pace = start(config), same = start(config);
    double least[40] = {0}, most[40] = {0};
    for (int round = 0; round < 2000; round++)
        for (unsigned a = 1; a < 40; a++) {
            double b = a < 6 ? 0.5 * (1 << (a - 1)) : 10, wait = dq_pace_backoff(&pace, a, 0);
            assert_true(wait >= b / 2 && wait <= b);
            assert_true(wait == dq_pace_backoff(&same, a, 0)); /* by the seed */
            least[a] = round == 0 || wait < least[a] ? wait : least[a];
            most[a] = wait > most[a] ? wait : most[a];
        }
    assert_true(most[1] - least[1] > 0.2); /* it is jittered */
    assert_true(most[39] <= 10);
    for (int i = 0; i < 100; i++) {
        double wait = dq_pace_backoff(&pace, 2, 7);
        assert_true(wait >= 7 && wait <= 7.25);
    }
    dq_pace_free(&pace);
    dq_pace_free(&same);
}

static void test_down(void **state)
{
    (void)state;
    dq_http_config config = DQ_HTTP_DEFAULTS;
    config.failures_most = 3;
    dq_pace pace = start(config);
    for (int i = 0; i < 50; i++) assert_false(dq_pace_failed(&pace, 0, 1)); /* one crash, fifty connections */
    assert_false(dq_pace_failed(&pace, 2, 3));
    dq_pace_answered(&pace);
    assert_false(dq_pace_failed(&pace, 4, 5));
    assert_false(dq_pace_failed(&pace, 6, 7));
    assert_false(dq_pace_failed(&pace, 6, 8)); /* with the one before */
    assert_true(dq_pace_failed(&pace, 9, 10));
    dq_pace_free(&pace);
}

static void test_throttled(void **state)
{
    (void)state;
    dq_http_config config = DQ_HTTP_DEFAULTS;
    config.parallel = 64;
    dq_pace pace = start(config);
    for (int i = 0; i < 64; i++) dq_pace_throttled(&pace, 0, 1);
    assert_true(pace.window == 32); /* a burst is cut once */
    for (int i = 1; i < 20; i++) dq_pace_throttled(&pace, i, i + 0.5);
    assert_true(pace.window == 1);
    for (int i = 0; i < 3; i++) dq_pace_answered(&pace);
    assert_true(pace.window > 2 && pace.window < 3);
    for (int i = 0; i < 10000; i++) dq_pace_answered(&pace);
    assert_true(pace.window == 64);
    dq_pace_free(&pace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_limits),         cmocka_unit_test(test_requests_per_minute),
        cmocka_unit_test(test_tokens_per_minute), cmocka_unit_test(test_pause),
        cmocka_unit_test(test_backoff),           cmocka_unit_test(test_down),
        cmocka_unit_test(test_throttled)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
