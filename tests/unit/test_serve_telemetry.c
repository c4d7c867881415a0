/* SPDX-License-Identifier: MIT
 *
 * Metrics, and their text.
 */
#include "serve/telemetry.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static double seven(void *arg)
{
    (void)arg;
    return 7;
}

static void written(dq_telemetry *t, const char *expected)
{
    dq_json_text text = DQ_JSON_TEXT_EMPTY;
    assert_int_equal(dq_telemetry_write(t, &text, NULL), DQ_OK);
    assert_int_equal(dq_json_write_raw(&text, "", 1, NULL), DQ_OK);
    assert_string_equal(text.data, expected);
    dq_json_text_free(&text);
}

/* Those of one name stand together, in whatever order they were made. */
static void test_the_text(void **state)
{
    (void)state;
    dq_telemetry *t;
    assert_int_equal(dq_telemetry_new(&t, NULL), DQ_OK);
    dq_metric *a = dq_telemetry_counter(t, "a_total", "what a is", "x=\"1\"");
    dq_metric *g = dq_telemetry_gauge(t, "g", "what g is", NULL);
    dq_metric *b = dq_telemetry_counter(t, "a_total", "what a is", "x=\"2\"");
    assert_true(dq_telemetry_read(t, false, "r", "what r is", NULL, seven, NULL));
    assert_ptr_equal(dq_telemetry_counter(t, "a_total", "what a is", "x=\"1\""), a);
    assert_null(dq_telemetry_gauge(t, "a_total", "what a is", NULL));
    dq_metric_add(a, 3);
    dq_metric_add(b, 1);
    dq_metric_add(NULL, 1);
    dq_metric_set(g, -2.5);
    assert_int_equal(dq_metric_count(a), 3);
    written(t, "# HELP a_total what a is\n# TYPE a_total counter\na_total{x=\"1\"} 3\na_total{x=\"2\"} 1\n"
               "# HELP g what g is\n# TYPE g gauge\ng -2.5\n# HELP r what r is\n# TYPE r gauge\nr 7\n");
    dq_telemetry_free(t);
}

static void test_a_histogram(void **state)
{
    (void)state;
    dq_telemetry *t;
    assert_int_equal(dq_telemetry_new(&t, NULL), DQ_OK);
    dq_metric *h = dq_telemetry_histogram(t, "h_seconds", "times", "x=\"1\"");
    const double seconds[] = {0, .0001, .00011, .003, .5, .5, 10, 11};
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) dq_metric_observe(h, seconds[i]);
    assert_int_equal(dq_metric_count(h), 8);
    written(t, "# HELP h_seconds times\n# TYPE h_seconds histogram\n"
               "h_seconds_bucket{x=\"1\",le=\"0.0001\"} 2\nh_seconds_bucket{x=\"1\",le=\"0.00025\"} 3\n"
               "h_seconds_bucket{x=\"1\",le=\"0.0005\"} 3\nh_seconds_bucket{x=\"1\",le=\"0.001\"} 3\n"
               "h_seconds_bucket{x=\"1\",le=\"0.0025\"} 3\nh_seconds_bucket{x=\"1\",le=\"0.005\"} 4\n"
               "h_seconds_bucket{x=\"1\",le=\"0.01\"} 4\nh_seconds_bucket{x=\"1\",le=\"0.025\"} 4\n"
               "h_seconds_bucket{x=\"1\",le=\"0.05\"} 4\nh_seconds_bucket{x=\"1\",le=\"0.1\"} 4\n"
               "h_seconds_bucket{x=\"1\",le=\"0.25\"} 4\nh_seconds_bucket{x=\"1\",le=\"0.5\"} 6\n"
               "h_seconds_bucket{x=\"1\",le=\"1\"} 6\nh_seconds_bucket{x=\"1\",le=\"2.5\"} 6\n"
               "h_seconds_bucket{x=\"1\",le=\"5\"} 6\nh_seconds_bucket{x=\"1\",le=\"10\"} 7\n"
               "h_seconds_bucket{x=\"1\",le=\"+Inf\"} 8\nh_seconds_sum{x=\"1\"} 22.00321\n"
               "h_seconds_count{x=\"1\"} 8\n");
    dq_telemetry_free(t);
}

enum { THREADS = 4, EACH = 20000 };

static void *count_many(void *telemetry)
{
    dq_metric *c = dq_telemetry_counter(telemetry, "c_total", "c", NULL);
    dq_metric *h = dq_telemetry_histogram(telemetry, "h_seconds", "h", NULL);
    for (int i = 0; i < EACH; i++) {
        dq_metric_add(c, 1);
        dq_metric_observe(h, .001);
    }
    return NULL;
}

static void test_many_threads(void **state)
{
    (void)state;
    dq_telemetry *t;
    pthread_t threads[THREADS];
    assert_int_equal(dq_telemetry_new(&t, NULL), DQ_OK);
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, count_many, t), 0);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    assert_int_equal(dq_metric_count(dq_telemetry_counter(t, "c_total", "c", NULL)), THREADS * EACH);
    assert_int_equal(dq_metric_count(dq_telemetry_histogram(t, "h_seconds", "h", NULL)), THREADS * EACH);
    dq_telemetry_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_text),
        cmocka_unit_test(test_a_histogram),
        cmocka_unit_test(test_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
