/* SPDX-License-Identifier: MIT
 *
 * Systems held against each other: every number against SciPy's and statsmodels' (tests/fixtures/compare),
 * closed forms and published examples.
 */
#include "compare/effect.h"
#include "compare/pairs.h"
#include "compare/power.h"
#include "math/special.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../fixtures/compare/compare.h"

enum { SAMPLES = sizeof compared_samples / sizeof *compared_samples };

static bool near(double a, double b, double within)
{
    return fabs(a - b) <= within;
}

static double value_of(const void *self, size_t measure, size_t run, size_t unit)
{
    const compared *c = self;
    (void)measure;
    return run ? c->a[unit] : c->b[unit];
}

static void as_scipy(void **state)
{
    (void)state;
    const dq_pairs_config config = {{200, 0.95, 1}, DQ_TEST_STUDENT, DQ_ADJUST_NONE};
    for (size_t i = 0; i < SAMPLES; i++) {
        const compared *c = &compared_samples[i];
        const dq_run_values values = {1, 2, c->n, value_of, c};
        dq_differences d = {0};
        dq_error e = DQ_ERROR_NONE;
        assert_int_equal(dq_compare_pairs(&values, 0, &config, &d, &e), DQ_OK);
        assert_int_equal(d.count, 1);
        const dq_difference *r = d.rows;
        assert_true(r->a == 1 && r->b == 0 && r->n == c->n && r->wins + r->losses + r->ties == c->n);
        assert_true(near(r->p[DQ_TEST_STUDENT], c->t, 1e-12) && r->p_adjusted == r->p[DQ_TEST_STUDENT]);
        assert_true(near(r->p[DQ_TEST_WILCOXON], c->wilcoxon, 1e-12));
        assert_true(near(r->cohen, c->d, 1e-12) && near(r->hedges, c->g, 1e-12));
        assert_true(near(r->rank_biserial, c->rank_biserial, 1e-12) && near(r->cliff, c->cliff, 1e-12));
        assert_true(near(r->difference, r->mean_a - r->mean_b, 1e-12));
        assert_true(r->interval.low <= r->difference && r->difference <= r->interval.high);
        dq_differences_free(&d);
    }
}

/* Wilcoxon's own example of paired plots (1945): eight differences, one of them negative, of rank 1: sum 1,
 * and 2 of 256 signs have a lesser sum, 4 as extreme on both sides. */
static void wilcoxon_known(void **state)
{
    (void)state;
    static const double published[] = {6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75};
    static const double one[] = {2}, flat[] = {0, 0, 0}, equal[] = {1, 1, -1, 1, 1, 1};
    static const double decimals[] = {0.3 - 0.2, 0.9 - 0.8, 0.2 - 0.3, 0};
    dq_wilcoxon w;
    dq_error e = DQ_ERROR_NONE;
    /* Darwin's Zea mays (The Effects of Cross and Self Fertilisation, 1876): W = 24, p = 0.0412 */
    assert_int_equal(dq_wilcoxon_test(published, 15, &w, &e), DQ_OK);
    assert_true(w.exact && w.below == 24 && w.above == 96 && near(w.p, 0.041259765625, 1e-15));
    assert_int_equal(dq_wilcoxon_test(one, 1, &w, &e), DQ_OK);
    assert_true(w.p == 1);
    assert_int_equal(dq_wilcoxon_test(flat, 3, &w, &e), DQ_OK);
    assert_true(w.p == 1 && dq_effect_rank_biserial(&w) == 0);
    assert_int_equal(dq_wilcoxon_test(equal, 6, &w, &e), DQ_OK); /* a sign test: 2 (1 + 6) / 64 */
    assert_true(near(w.p, 14.0 / 64, 1e-15));
    assert_int_equal(dq_wilcoxon_test(decimals, 4, &w, &e), DQ_OK); /* three of one size, ranks 3 */
    assert_true(w.above == 6 && w.below == 3 && w.p == 1);
    assert_int_equal(dq_wilcoxon_test(NULL, 0, &w, &e), DQ_OK);
    assert_true(isnan(w.p));
}

static void adjusted(void **state)
{
    (void)state;
    enum { N = sizeof adjusted_p / sizeof *adjusted_p };
    double p[N + 1], got[N + 1];
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_adjust(DQ_ADJUST_HOLM, adjusted_p, N, got, &e), DQ_OK);
    for (size_t i = 0; i < N; i++) assert_true(near(got[i], adjusted_holm[i], 1e-15));
    assert_int_equal(dq_adjust(DQ_ADJUST_BH, adjusted_p, N, got, &e), DQ_OK);
    for (size_t i = 0; i < N; i++) assert_true(near(got[i], adjusted_bh[i], 1e-15));
    assert_int_equal(dq_adjust(DQ_ADJUST_NONE, adjusted_p, N, got, &e), DQ_OK);
    assert_memory_equal(got, adjusted_p, sizeof adjusted_p);
    memcpy(p, adjusted_p, sizeof adjusted_p); /* what is no test does not count; in place */
    p[N] = NAN;
    assert_int_equal(dq_adjust(DQ_ADJUST_HOLM, p, N + 1, p, &e), DQ_OK);
    for (size_t i = 0; i < N; i++) assert_true(near(p[i], adjusted_holm[i], 1e-15));
    assert_true(isnan(p[N]));
}

static void effects_known(void **state)
{
    (void)state;
    double a[] = {1, 2, 3}, b[] = {2, 2}, more[] = {5, 6}, flat[] = {1, 1};
    assert_true(near(dq_effect_cliff(a, 3, b, 2), 0, 1e-15));
    assert_true(dq_effect_cliff(more, 2, a, 3) == 1 && dq_effect_cliff(a, 3, more, 2) == -1);
    assert_true(isnan(dq_effect_cliff(a, 3, b, 0)));
    /* Hedges 1981, table 1: c(2) = 0.5642, c(10) = 0.9227, c(50) = 0.9849 */
    assert_true(near(dq_effect_hedges_factor(2), 0.5642, 5e-5) &&
                near(dq_effect_hedges_factor(10), 0.9227, 5e-5) &&
                near(dq_effect_hedges_factor(50), 0.9849, 5e-5));
    assert_true(isnan(dq_effect_hedges_factor(1)) && isnan(dq_effect_cohen(flat, 2)) &&
                isnan(dq_effect_cohen(a, 1)));
    assert_true(near(dq_effect_cohen(a, 3), 2, 1e-15));
    const double decimals[] = {0.3 - 0.2, 0.9 - 0.8, 1.2 - 1.1}; /* 0.1 but for the last bits */
    assert_true(isnan(dq_effect_cohen(decimals, 3)));
}

static void noncentral_t(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof noncentral / sizeof *noncentral; i++)
        assert_true(near(dq_student_noncentral(noncentral[i][0], noncentral[i][1], noncentral[i][2]),
                         noncentral[i][3], 1e-11));
    /* without a difference it is Student's; a difference and t change sides together; at 0 the normal's */
    for (double t = -4; t < 4; t += 0.37) {
        double student = t < 0 ? dq_student_two_sided(t, 7) / 2 : 1 - dq_student_two_sided(t, 7) / 2;
        assert_true(near(dq_student_noncentral(t, 7, 0), student, 1e-13));
        assert_true(near(dq_student_noncentral(t, 7, 1.3) + dq_student_noncentral(-t, 7, -1.3), 1, 1e-13));
    }
    assert_true(near(dq_student_noncentral(0, 5, 1.5), dq_normal_below(-1.5), 1e-15));
    /* where the approximation takes over */
    assert_true(near(dq_student_noncentral(3, 1e5, 2.5), dq_student_noncentral(3, 1e5 + 1, 2.5), 1e-5));
    assert_true(near(dq_student_noncentral(40, 500, 37), dq_student_noncentral(40, 500, 37.0001), 1e-3));
    assert_true(near(dq_normal_two_sided(1.959963984540054), 0.05, 1e-15) && dq_normal_below(0) == 0.5);
}

static void power_known(void **state)
{
    (void)state;
    double n;
    dq_error e = DQ_ERROR_NONE;
    for (size_t i = 0; i < sizeof powers / sizeof *powers; i++) {
        const double *x = powers[i];
        assert_true(near(dq_power(DQ_DESIGN_PAIRED, x[0], x[1], x[2]), x[3], 1e-9));
        assert_true(near(dq_power(DQ_DESIGN_TWO_SAMPLES, x[0], x[1], x[2]), x[4], 1e-9));
    }
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        const double *x = needed[i];
        for (int design = 0; design < 2; design++) {
            double effect;
            assert_int_equal(dq_power_units((dq_design)design, x[0], x[1], x[2], &n, &e), DQ_OK);
            assert_true(n == x[3 + design]);
            assert_true(dq_power((dq_design)design, n, x[0], x[1]) >= x[2]);
            assert_int_equal(dq_power_effect((dq_design)design, n, x[1], x[2], &effect, &e), DQ_OK);
            assert_true(effect <= x[0] && near(dq_power((dq_design)design, n, effect, x[1]), x[2], 1e-8));
        }
    }
    /* Cohen 1988, table 2.4.1: d = 0.2, 0.5, 0.8 at 0.05 and 0.80 need 393, 64, 26 (exactly 394, 64, 26) */
    static const double cohen[][2] = {{0.2, 394}, {0.5, 64}, {0.8, 26}};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(dq_power_units(DQ_DESIGN_TWO_SAMPLES, cohen[i][0], 0.05, 0.8, &n, &e), DQ_OK);
        assert_true(n == cohen[i][1]);
    }
    /* many: 2 (z_0.975 + z_0.8)^2 / d^2, less what findings of the wrong sign add to the power, 1e-6 */
    assert_int_equal(dq_power_units(DQ_DESIGN_TWO_SAMPLES, 1e-4, 0.05, 0.8, &n, &e), DQ_OK);
    double z = dq_normal_quantile(0.975) + dq_normal_quantile(0.8);
    assert_true(fabs(n / (2 * z * z / 1e-8) - 1) < 1e-5);
    assert_int_equal(dq_power_units(DQ_DESIGN_PAIRED, 0, 0.05, 0.8, &n, &e), DQ_ERR_RANGE);
    assert_int_equal(dq_power_units(DQ_DESIGN_PAIRED, 1e-9, 0.05, 0.8, &n, &e), DQ_ERR_RANGE);
    assert_int_equal(dq_power_units(DQ_DESIGN_PAIRED, 1, 0.05, 0.05, &n, &e), DQ_ERR_RANGE);
    assert_int_equal(dq_power_effect(DQ_DESIGN_PAIRED, 1, 0.05, 0.8, &n, &e), DQ_ERR_RANGE);
}

/* What a number of units promises, happens: 34 find half a standard deviation in 80 of 100 tests. */
static void power_happens(void **state)
{
    (void)state;
    enum { TIMES = 4000, N = 34 };
    dq_rng rng = dq_rng_new(34);
    size_t found = 0;
    for (size_t t = 0; t < TIMES; t++) {
        double values[N];
        for (size_t i = 0; i < N; i++) values[i] = dq_rng_normal(&rng) + 0.5;
        found += dq_t_test(values, N) <= 0.05;
    }
    double promised = dq_power(DQ_DESIGN_PAIRED, N, 0.5, 0.05);
    print_message("power %.4f, found %.4f\n", promised, (double)found / TIMES);
    assert_true(near((double)found / TIMES, promised, 0.02)); /* three standard errors */
}

/* ---- many systems ---- */

enum { SYSTEMS = 4, MEASURES = 2, UNITS = 30 };
static double table[MEASURES][SYSTEMS][UNITS];

static double of_table(const void *self, size_t measure, size_t run, size_t unit)
{
    (void)self;
    return table[measure][run][unit];
}

static void all_pairs(void **state)
{
    (void)state;
    dq_rng rng = dq_rng_new(9);
    for (size_t m = 0; m < MEASURES; m++)
        for (size_t s = 0; s < SYSTEMS; s++)
            for (size_t u = 0; u < UNITS; u++) table[m][s][u] = dq_rng_normal(&rng) + 0.3 * (double)s;
    table[1][2][7] = NAN;
    const dq_pairs_config config = {{500, 0.9, 3}, DQ_TEST_RANDOMISATION, DQ_ADJUST_HOLM};
    const dq_run_values values = {MEASURES, SYSTEMS, UNITS, of_table, NULL};
    dq_differences all = {0}, first = {0}, none = {0};
    dq_error e = DQ_ERROR_NONE;
    dq_comparison runs[MEASURES * SYSTEMS];
    assert_int_equal(dq_compare_pairs(&values, DQ_AGAINST_ALL, &config, &all, &e), DQ_OK);
    assert_int_equal(dq_compare_pairs(&values, 0, &config, &first, &e), DQ_OK);
    assert_true(all.count == 12 && first.count == 6);
    for (size_t i = 0; i < all.count; i++)
        assert_true(all.rows[i].a > all.rows[i].b && all.rows[i].n == UNITS - (i >= 6));
    /* a row does not depend on what else is compared, and is what runs.h says of it */
    const dq_run_values whole = {1, SYSTEMS, UNITS, of_table, NULL};
    assert_int_equal(dq_compare_runs(&whole, &config.draw, runs, &e), DQ_OK);
    for (size_t s = 1; s < SYSTEMS; s++) {
        const dq_difference *row = &first.rows[s - 1];
        assert_true(row->a == s && row->b == 0);
        assert_true(row->interval.low == runs[s].difference_interval.low &&
                    row->p[DQ_TEST_RANDOMISATION] == runs[s].p && row->p[DQ_TEST_STUDENT] == runs[s].p_t);
        for (size_t i = 0; i < 6; i++)
            if (all.rows[i].a == s && all.rows[i].b == 0)
                assert_true(all.rows[i].interval.high == row->interval.high &&
                            all.rows[i].p_adjusted >= row->p_adjusted);
    }
    const dq_run_values alone = {1, 1, UNITS, of_table, NULL};
    assert_int_equal(dq_compare_pairs(&alone, 0, &config, &none, &e), DQ_ERR_RANGE);
    for (size_t u = 0; u < UNITS; u++) table[0][1][u] = NAN; /* no unit at all */
    dq_differences_free(&first);
    assert_int_equal(dq_compare_pairs(&whole, 0, &config, &first, &e), DQ_OK);
    assert_true(first.rows[0].n == 0 && isnan(first.rows[0].difference) && isnan(first.rows[0].p_adjusted));
    dq_differences_free(&all);
    dq_differences_free(&first);
    dq_differences_free(&none);
}

/* More pairs than are resampled together: each is what it is alone. */
static double of_many(const void *self, size_t measure, size_t run, size_t unit)
{
    (void)measure;
    return ((const double *)self)[run * UNITS + unit];
}

static void many_pairs(void **state)
{
    (void)state;
    enum { MANY = 15 };
    static double values[MANY][UNITS];
    dq_rng rng = dq_rng_new(11);
    for (size_t s = 0; s < MANY; s++)
        for (size_t u = 0; u < UNITS; u++) values[s][u] = dq_rng_normal(&rng);
    const dq_pairs_config config = {{200, 0.9, 3}, DQ_TEST_RANDOMISATION, DQ_ADJUST_NONE};
    const dq_run_values v = {1, MANY, UNITS, of_many, values};
    dq_differences all = {0}, last = {0};
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_compare_pairs(&v, DQ_AGAINST_ALL, &config, &all, &e), DQ_OK);
    assert_int_equal(dq_compare_pairs(&v, MANY - 2, &config, &last, &e), DQ_OK);
    assert_true(all.count == MANY * (MANY - 1) / 2 && last.count == MANY - 1);
    const dq_difference *a = &all.rows[all.count - 1], *b = &last.rows[last.count - 1];
    assert_true(a->a == MANY - 1 && a->b == MANY - 2 && b->a == MANY - 1 && b->b == MANY - 2);
    assert_memory_equal(a, b, sizeof *a);
    dq_differences_free(&all);
    dq_differences_free(&last);
}

/* ---- coverage ---- */

/* 2000 experiments with a known difference: how often the interval covers it, and how often each test finds a
 * difference at 0.05 where there is none. Differences are uniform, lopsided or normal. */
static void coverage(void **state)
{
    (void)state;
    enum { TIMES = 2000, N = 60 };
    for (int shape = 0; shape < 3; shape++) {
        static compared c;
        size_t covered = 0, found[DQ_PAIRED_TESTS] = {0};
        dq_rng rng = dq_rng_new(20 + (uint64_t)shape);
        c = (compared){.n = N};
        for (size_t t = 0; t < TIMES; t++) {
            const dq_pairs_config config = {{400, 0.95, t}, DQ_TEST_STUDENT, DQ_ADJUST_NONE};
            const dq_run_values values = {1, 2, N, value_of, &c};
            dq_differences d = {0};
            dq_error e = DQ_ERROR_NONE;
            for (size_t i = 0; i < N; i++) {
                double own = shape == 0   ? dq_rng_uniform(&rng) - 0.5
                             : shape == 1 ? dq_rng_normal(&rng)
                                          : dq_rng_uniform(&rng) < 0.3;
                c.b[i] = dq_rng_normal(&rng);
                c.a[i] = c.b[i] + own - (shape == 2 ? 0.3 : 0);
            }
            assert_int_equal(dq_compare_pairs(&values, 0, &config, &d, &e), DQ_OK);
            covered += d.rows->interval.low <= 0 && 0 <= d.rows->interval.high;
            for (size_t k = 0; k < DQ_PAIRED_TESTS; k++) found[k] += d.rows->p[k] <= 0.05;
            dq_differences_free(&d);
        }
        print_message("shape %d: covered %.2f %%; found by chance %.2f %.2f %.2f %%\n", shape,
                      100.0 * (double)covered / TIMES, 100.0 * (double)found[0] / TIMES,
                      100.0 * (double)found[1] / TIMES, 100.0 * (double)found[2] / TIMES);
        assert_in_range(covered, 0.93 * TIMES, 0.97 * TIMES);
        for (size_t k = 0; k < DQ_PAIRED_TESTS; k++)
            if (shape < 2 || k != DQ_TEST_WILCOXON) assert_in_range(found[k], 0.03 * TIMES, 0.07 * TIMES);
    }
}

/* Few units: Student's interval covers as it says, and the percentile bootstrap's does not. R's
 * t.test(paired = TRUE) of Student's sleep data: 0.7001142 to 2.4598858. */
static void few_units(void **state)
{
    (void)state;
    enum { TIMES = 2000, N = 5 };
    static const double sleep_data[] = {1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4};
    const dq_interval known = dq_t_interval(sleep_data, 10, 0.95);
    assert_true(near(known.low, 0.7001142, 5e-8) && near(known.high, 2.4598858, 5e-8));
    assert_true(isnan(dq_t_interval(sleep_data, 1, 0.95).low));
    dq_rng rng = dq_rng_new(30);
    size_t student = 0, bootstrap = 0;
    for (size_t t = 0; t < TIMES; t++) {
        double values[N];
        dq_interval drawn;
        dq_error e = DQ_ERROR_NONE;
        for (size_t i = 0; i < N; i++) values[i] = dq_rng_normal(&rng);
        const dq_interval found = dq_t_interval(values, N, 0.95);
        assert_int_equal(dq_bootstrap_means(values, N, 1, 400, 0.95, &rng, &drawn, &e), DQ_OK);
        student += found.low <= 0 && 0 <= found.high;
        bootstrap += drawn.low <= 0 && 0 <= drawn.high;
    }
    print_message("%d units: Student's covers %.1f %%, the bootstrap's %.1f %%\n", N,
                  100.0 * (double)student / TIMES, 100.0 * (double)bootstrap / TIMES);
    assert_in_range(student, 0.93 * TIMES, 0.97 * TIMES);
    assert_in_range(bootstrap, 0.75 * TIMES, 0.88 * TIMES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_scipy),      cmocka_unit_test(wilcoxon_known), cmocka_unit_test(adjusted),
        cmocka_unit_test(effects_known), cmocka_unit_test(noncentral_t),   cmocka_unit_test(power_known),
        cmocka_unit_test(power_happens), cmocka_unit_test(all_pairs),      cmocka_unit_test(many_pairs),
        cmocka_unit_test(coverage),      cmocka_unit_test(few_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
