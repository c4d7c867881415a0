/* SPDX-License-Identifier: MIT */
#include "compare/bootstrap.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Student's sleep data (Biometrika 1908): differences of two drugs; R's t.test(paired = TRUE): p = 0.002833.
 */
static const double sleep_data[] = {1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4};
enum { SLEEP = 10 };

static void t_test(void **state)
{
    (void)state;
    static const double flat[] = {0, 0, 0}, shifted[] = {1, 1, 1}, pair[] = {1, 2};
    static const double decimals[] = {0.3 - 0.2, 0.9 - 0.8, 1.2 - 1.1}; /* 0.1 but for the last bits */
    assert_true(fabs(dq_t_test(sleep_data, SLEEP) - 0.002832890197) < 1e-11);
    /* one degree of freedom is the Cauchy distribution: t = 3, p = 1 - 2 atan(3) / pi */
    assert_true(fabs(dq_t_test(pair, 2) - (1 - 2 * atan(3) / acos(-1))) < 1e-13);
    assert_true(dq_t_test(flat, 3) == 1);
    assert_true(isnan(dq_t_test(shifted, 3)) && isnan(dq_t_interval(shifted, 3, 0.95).low));
    assert_true(isnan(dq_t_test(decimals, 3)) && dq_all_same(decimals, 3) && !dq_all_same(pair, 2));
    assert_true(dq_t_interval(flat, 3, 0.95).low == 0 && dq_t_interval(flat, 3, 0.95).high == 0);
    assert_true(isnan(dq_t_test(flat, 1)));
}

static double randomisation_test(const double *differences, size_t n, size_t resamples, dq_rng *rng)
{
    double p = -1;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_randomisation_tests(differences, n, 1, resamples, rng, &p, &e), DQ_OK);
    return p;
}

static void exact_randomisation(void **state)
{
    (void)state;
    static const double three[] = {1, 2, 3}, mixed[] = {1, -2, 3, 0.5};
    dq_rng rng = dq_rng_new(1);
    /* all signs equal: 2 of 8 are as extreme */
    assert_true(fabs(randomisation_test(three, 3, 1000, &rng) - 0.25) < 1e-15);
    /* the mean of the four is 2.5 / 4; the 16 sums one by one */
    int extreme = 0;
    for (int s = 0; s < 16; s++) {
        double sum = 0;
        for (int i = 0; i < 4; i++) sum += s >> i & 1 ? mixed[i] : -mixed[i];
        extreme += fabs(sum) >= 2.5;
    }
    assert_true(fabs(randomisation_test(mixed, 4, 16, &rng) - extreme / 16.0) < 1e-15);
}

static void sampled_randomisation(void **state)
{
    (void)state;
    double values[400];
    dq_rng rng = dq_rng_new(2), again;
    for (int i = 0; i < 400; i++) values[i] = dq_rng_normal(&rng);
    double mean = dq_mean(values, 400);
    for (int i = 0; i < 400; i++) values[i] += 0.1 - mean; /* mean exactly 0.1, t about 2 */
    again = rng;
    double sampled = randomisation_test(values, 400, 20000, &rng), t = dq_t_test(values, 400);
    assert_true(fabs(sampled - t) < 0.01); /* the two agree for many values */
    assert_true(t > 0.01 && t < 0.1);
    assert_true(randomisation_test(values, 400, 20000, &again) == sampled); /* equal seeds, equal p */
}

static void bootstrap(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_interval wide, narrow, again;
    dq_rng rng = dq_rng_new(3), copy = rng;
    assert_int_equal(dq_bootstrap_means(sleep_data, SLEEP, 1, 20000, 0.95, &rng, &wide, &e), DQ_OK);
    assert_int_equal(dq_bootstrap_means(sleep_data, SLEEP, 1, 20000, 0.95, &copy, &again, &e), DQ_OK);
    assert_true(wide.low == again.low && wide.high == again.high);
    /* the normal approximation: 1.58 +- 1.96 * sd / sqrt(10) * sqrt(9 / 10) */
    double half = 1.96 * dq_sd(sleep_data, SLEEP) / sqrt(10) * sqrt(0.9);
    assert_true(fabs(wide.low - (1.58 - half)) < 0.15);
    assert_true(fabs(wide.high - (1.58 + half)) < 0.15);
    assert_int_equal(dq_bootstrap_means(sleep_data, SLEEP, 1, 20000, 0.5, &rng, &narrow, &e), DQ_OK);
    assert_true(narrow.low > wide.low && narrow.high < wide.high);
    static const double one[] = {7};
    assert_int_equal(dq_bootstrap_means(one, 1, 1, 100, 0.95, &rng, &wide, &e), DQ_OK);
    assert_true(wide.low == 7 && wide.high == 7);
}

/* Several quantities at once are what each is alone: the same queries are drawn, the same signs tossed. */
static void many_at_once(void **state)
{
    (void)state;
    enum { N = 50, WIDTH = 3 };
    static double together[N][WIDTH], alone[WIDTH][N];
    dq_error e = DQ_ERROR_NONE;
    dq_rng rng = dq_rng_new(4);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < WIDTH; j++) together[i][j] = alone[j][i] = dq_rng_normal(&rng) + j / 10.0;
    dq_interval intervals[WIDTH], interval;
    double p[WIDTH];
    dq_rng first = rng, second = rng;
    assert_int_equal(dq_bootstrap_means(together[0], N, WIDTH, 500, 0.9, &first, intervals, &e), DQ_OK);
    assert_int_equal(dq_randomisation_tests(together[0], N, WIDTH, 500, &second, p, &e), DQ_OK);
    for (int j = 0; j < WIDTH; j++) {
        first = second = rng;
        assert_int_equal(dq_bootstrap_means(alone[j], N, 1, 500, 0.9, &first, &interval, &e), DQ_OK);
        assert_true(interval.low == intervals[j].low && interval.high == intervals[j].high);
        assert_true(randomisation_test(alone[j], N, 500, &second) == p[j]);
        assert_true(p[j] > 0 && p[j] <= 1);
    }
}

static void bad_arguments(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_interval i;
    dq_rng rng = dq_rng_new(3);
    assert_int_equal(dq_bootstrap_means(sleep_data, 0, 1, 100, 0.95, &rng, &i, &e), DQ_ERR_RANGE);
    assert_int_equal(dq_bootstrap_means(sleep_data, SLEEP, 1, 1, 0.95, &rng, &i, &e), DQ_ERR_RANGE);
    assert_int_equal(dq_bootstrap_means(sleep_data, SLEEP, 1, 100, 1, &rng, &i, &e), DQ_ERR_RANGE);
    assert_int_equal(dq_bootstrap_means(sleep_data, SLEEP, 1, 100, NAN, &rng, &i, &e), DQ_ERR_RANGE);
}

static void moments(void **state)
{
    (void)state;
    assert_true(fabs(dq_mean(sleep_data, SLEEP) - 1.58) < 1e-14);
    assert_true(fabs(dq_sd(sleep_data, SLEEP) - 1.229995) < 1e-6); /* R: sd() */
    assert_true(dq_sd(sleep_data, 1) == 0 && dq_mean(sleep_data, 0) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(t_test),
        cmocka_unit_test(exact_randomisation),
        cmocka_unit_test(sampled_randomisation),
        cmocka_unit_test(bootstrap),
        cmocka_unit_test(many_at_once),
        cmocka_unit_test(bad_arguments),
        cmocka_unit_test(moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
