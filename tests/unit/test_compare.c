/* SPDX-License-Identifier: MIT
 *
 * Runs compared, against closed forms and against the bootstrap of one column.
 */
#include "compare/runs.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const dq_compare_config config = {.resamples = 500, .confidence = 0.9, .seed = 7};

/* values (measures, runs, queries) */
typedef struct table {
    size_t runs, queries;
    const double *values;
} table;

static double value(const void *self, size_t measure, size_t run, size_t query)
{
    const table *t = self;
    return t->values[(measure * t->runs + run) * t->queries + query];
}

static void compare(const double *values, size_t measures, size_t runs, size_t queries,
                    dq_comparison *results)
{
    const table t = {runs, queries, values};
    const dq_run_values of = {measures, runs, queries, value, &t};
    dq_error e = DQ_ERROR_NONE;
    if (dq_compare_runs(&of, &config, results, &e)) fail_msg("%s", e.reason);
}

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-12;
}

/* Three queries, whose 8 signs are all tried. */
static void known_differences(void **state)
{
    (void)state;
    const double values[3][3] = {{4, 4, 4}, {5, 6, 7}, {3.5, 3.5, 3.5}};
    dq_comparison r[3];
    compare(values[0], 1, 3, 3, r);
    assert_true(r[0].interval.low == 4 && r[0].interval.high == 4);
    assert_true(r[0].difference == 0 && r[0].p == 0 && r[0].p_t == 0); /* the baseline */
    assert_true(near(r[1].difference, 2)); /* of 1, 2, 3: two of the 8 sums are as far from 0 */
    assert_true(near(r[1].p, 0.25));
    assert_true(r[1].interval.low >= 5 && r[1].interval.low < 6);
    assert_true(r[1].interval.high <= 7 && r[1].interval.high > 6);
    /* t = 2 / (1 / sqrt(3)) with 2 degrees of freedom: p = 1 - t / sqrt(t^2 + 2) */
    double t = 2 * sqrt(3);
    assert_true(near(r[1].p_t, 1 - t / sqrt(t * t + 2)));
    assert_true(near(r[2].difference, -0.5) && near(r[2].p, 0.25));
    assert_true(isnan(r[2].p_t)); /* the same difference of all three: there is no variance */
    assert_true(near(r[2].difference_interval.low, -0.5) && near(r[2].difference_interval.high, -0.5));
}

/* A difference's interval is not that of two independent means: what queries share cancels. */
static void pairs_are_resampled_together(void **state)
{
    (void)state;
    enum { N = 40 };
    double values[2][N];
    dq_comparison r[2];
    dq_rng rng = dq_rng_new(5);
    for (int q = 0; q < N; q++) {
        values[0][q] = 100 * dq_rng_normal(&rng);
        values[1][q] = values[0][q] + 1 + dq_rng_normal(&rng) / 10;
    }
    compare(values[0], 1, 2, N, r);
    assert_true(r[0].interval.high - r[0].interval.low > 20);
    assert_true(r[1].difference_interval.low > 0.9 && r[1].difference_interval.high < 1.1);
    assert_true(r[1].difference_interval.low < r[1].difference &&
                r[1].difference < r[1].difference_interval.high);
    assert_true(near(r[1].p, 1.0 / 501)); /* no draw of 500 is as far */
}

static void each_is_what_it_is_alone(void **state)
{
    (void)state;
    enum { MEASURES = 2, RUNS = 3, N = 30 };
    static double values[MEASURES][RUNS][N], pair[2][N], differences[N];
    dq_comparison all[MEASURES][RUNS], two[2];
    dq_rng rng = dq_rng_new(6);
    for (int m = 0; m < MEASURES; m++)
        for (int r = 0; r < RUNS; r++)
            for (int q = 0; q < N; q++) values[m][r][q] = dq_rng_normal(&rng) + (m + r) / 5.0;
    compare(values[0][0], MEASURES, RUNS, N, all[0]);
    for (int m = 0; m < MEASURES; m++)
        for (int r = 1; r < RUNS; r++) {
            for (int q = 0; q < N; q++) {
                pair[0][q] = values[m][0][q];
                pair[1][q] = values[m][r][q];
                differences[q] = pair[1][q] - pair[0][q];
            }
            compare(pair[0], 1, 2, N, two);
            assert_memory_equal(&two[0], &all[m][0], sizeof two[0]);
            assert_memory_equal(&two[1], &all[m][r], sizeof two[1]);
            assert_true(two[1].difference == dq_mean(differences, N));
            assert_true(two[1].p_t == dq_t_test(differences, N));
            assert_true(two[1].p > 0 && two[1].p <= 1);
        }
    compare(values[1][0], 1, 1, N, two); /* one run: its intervals */
    assert_memory_equal(&two[0], &all[1][0], sizeof two[0]);
}

static void bad_arguments(void **state)
{
    (void)state;
    const double values[] = {1, 2, 3, 5};
    const table t = {2, 2, values};
    dq_run_values of = {1, 2, 2, value, &t};
    dq_comparison r[2];
    dq_error e = DQ_ERROR_NONE;
    dq_compare_config bad = config;
    bad.confidence = 1;
    assert_int_equal(dq_compare_runs(&of, &bad, r, &e), DQ_ERR_RANGE);
    bad = config;
    bad.resamples = 1;
    assert_int_equal(dq_compare_runs(&of, &bad, r, &e), DQ_ERR_RANGE);
    of.queries = 0;
    assert_int_equal(dq_compare_runs(&of, &config, r, &e), DQ_ERR_RANGE);
    of.measures = 0; /* nothing to say */
    assert_int_equal(dq_compare_runs(&of, &config, r, &e), DQ_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_differences),
        cmocka_unit_test(pairs_are_resampled_together),
        cmocka_unit_test(each_is_what_it_is_alone),
        cmocka_unit_test(bad_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
