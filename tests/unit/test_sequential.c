/* SPDX-License-Identifier: MIT
 *
 * Always-valid intervals: closed forms, and how often a test that is looked at after every row finds a
 * difference that is not there. The ordinary test is looked at in the same way, to show that these
 * simulations can fail.
 */
#include "compare/pairs.h"
#include "compare/sequential.h"
#include "math/special.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-12 * fmax(1, fabs(b));
}

/* 1 / L by its integral over the mixture, in steps. */
static double likelihood_ratio(double d, double v, double tau)
{
    enum { STEPS = 20000 };
    double sum = 0, step = 20 * tau / STEPS;
    for (int i = 0; i <= STEPS; i++) {
        double theta = -10 * tau + step * i;
        double prior = exp(-theta * theta / (2 * tau * tau)) / (tau * sqrt(2 * M_PI));
        sum += prior * exp((2 * d * theta - theta * theta) / (2 * v)) * step;
    }
    return sum;
}

static void mixture(void **state)
{
    (void)state;
    static const double cases[][3] = {{0.3, 0.01, 0.2}, {-0.5, 0.04, 0.1}, {0.02, 0.09, 0.5}};
    for (size_t i = 0; i < 3; i++) {
        double d = cases[i][0], v = cases[i][1], tau = cases[i][2];
        dq_always_valid found = dq_mixture_test(d, v, tau, 0.95);
        assert_true(fabs(found.p - fmin(1, 1 / likelihood_ratio(d, v, tau))) < 1e-9);
        /* the interval's ends are the differences whose p is alpha */
        double half = (found.interval.high - found.interval.low) / 2;
        assert_true(near(found.interval.high + found.interval.low, 2 * d));
        assert_true(near(dq_mixture_test(half, v, tau, 0.95).p, 0.05));
    }
    /* nothing is known without a variance */
    dq_always_valid none = dq_mixture_test(1, 0, 0.1, 0.95), nan = dq_mixture_test(1, NAN, 0.1, 0.95);
    assert_true(none.p == 1 && isinf(none.interval.low) && nan.p == 1 && isinf(nan.interval.high));
}

/* ---- one log by hand ---- */

static void units_and_looks(void **state)
{
    (void)state;
    /* arm, unit, reward; unit 0 of arm 0 has two rows, whose mean counts once */
    static const dq_ab_row rows[] = {{0, 0, 1}, {1, 1, 2}, {0, 0, 3}, {0, 2, 4}, {1, 3, 6}, {1, 0, 1}};
    const dq_ab_config config = {.confidence = 0.9, .effect = 0.5, .every = 4, .burn_in = 2, .against = 0};
    dq_ab_looks looks = {0};
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_ab_judge(rows, 6, 2, 4, &config, &looks, &e), DQ_OK);
    assert_int_equal(looks.count, 2);
    const dq_ab_look *early = &looks.at[0], *last = &looks.at[1];
    assert_true(early->rows == 4 && early->units_a == 1 && early->units_b == 2 && early->p == 1 &&
                !early->decided);
    assert_true(last->rows == 6 && last->a == 1 && last->b == 0 && last->units_a == 3 && last->units_b == 2);
    assert_true(near(last->mean_a, 3) && near(last->mean_b, 3) && near(last->difference, 0));
    /* variances 7 of 3 units, and 2 of 2: 7 / 3 + 1; pooled 16 / 3, which is more: 16 / 9 + 16 / 6 */
    dq_always_valid want = dq_mixture_test(0, 40.0 / 9, 0.5, 0.9);
    assert_true(near(last->interval.high, want.interval.high) && last->p == 1);
    dq_ab_looks_free(&looks);
    assert_int_equal(dq_ab_judge(rows, 6, 1, 4, &config, &looks, &e), DQ_ERR_RANGE);
    /* three arms, each pair; the least p of a pair stays, adjusted over the pairs */
    dq_ab_config pairs = config;
    pairs.against = DQ_AGAINST_ALL;
    assert_int_equal(dq_ab_judge(rows, 6, 3, 4, &pairs, &looks, &e), DQ_OK);
    assert_true(looks.count == 6 && looks.at[1].a == 2 && looks.at[1].b == 0 && isnan(looks.at[1].mean_a));
    dq_ab_looks_free(&looks);
}

/* ---- false alarms ---- */

enum { TIMES = 1000, ROWS = 1200, USERS = 150 };

/* What rows are: normal; rare clicks; those of users who come back, and differ from one another; rarer
 * clicks, and one arm has a tenth of the rows. */
typedef enum shape { NORMAL, CLICKS, RETURNING, UNEVEN } shape;

static void draw(dq_ab_row *rows, shape s, double effect, dq_rng *rng)
{
    double of[2 * USERS];
    for (size_t u = 0; u < 2 * USERS; u++) of[u] = dq_rng_normal(rng);
    for (size_t i = 0; i < ROWS; i++) {
        uint32_t user = s == RETURNING ? (uint32_t)dq_rng_below(rng, 2 * USERS) : (uint32_t)i;
        uint32_t arm = s == RETURNING ? user % 2 : (uint32_t)dq_rng_below(rng, 2);
        if (s == UNEVEN) arm = dq_rng_below(rng, 10) == 0;
        double rate = (s == UNEVEN ? 0.03 : 0.1) + (arm ? effect : 0);
        double reward = s == CLICKS || s == UNEVEN ? dq_rng_uniform(rng) < rate
                                                   : dq_rng_normal(rng) + (arm ? effect : 0);
        rows[i] = (dq_ab_row){.arm = arm, .unit = user, .reward = reward + (s == RETURNING ? of[user] : 0)};
    }
}

/* The ordinary test at 0.05, at each look at the same numbers. */
static bool naive_finds(const dq_ab_looks *looks, const dq_ab_row *rows)
{
    double n[2] = {0}, sum[2] = {0}, squares[2] = {0};
    bool found = false;
    for (size_t i = 0; i < ROWS; i++) {
        uint32_t arm = rows[i].arm;
        n[arm]++;
        sum[arm] += rows[i].reward;
        squares[arm] += rows[i].reward * rows[i].reward;
        if (n[0] < 30 || n[1] < 30) continue;
        double v = 0;
        for (int k = 0; k < 2; k++) v += (squares[k] - sum[k] * sum[k] / n[k]) / (n[k] - 1) / n[k];
        found |= dq_normal_two_sided((sum[1] / n[1] - sum[0] / n[0]) / sqrt(v)) <= 0.05;
    }
    return found && looks->count;
}

static size_t alarms(shape s, double effect, double tau, size_t *naive)
{
    static dq_ab_row rows[ROWS];
    const dq_ab_config config = {.confidence = 0.95, .effect = tau, .every = 1, .burn_in = 30, .against = 0};
    dq_rng rng = dq_rng_new(77 + (uint64_t)s);
    size_t found = 0;
    *naive = 0;
    for (size_t t = 0; t < TIMES; t++) {
        dq_ab_looks looks = {0};
        dq_error e = DQ_ERROR_NONE;
        draw(rows, s, effect, &rng);
        assert_int_equal(dq_ab_judge(rows, ROWS, 2, ROWS, &config, &looks, &e), DQ_OK);
        assert_int_equal(looks.count, ROWS);
        found += looks.at[ROWS - 1].decided;
        *naive += naive_finds(&looks, rows);
        dq_ab_looks_free(&looks);
    }
    return found;
}

static void false_alarms(void **state)
{
    (void)state;
    static const struct {
        shape s;
        double tau;
    } cases[] = {{NORMAL, 0},    {NORMAL, 0.5},    {CLICKS, 0}, {CLICKS, 0.05},
                 {RETURNING, 0}, {RETURNING, 0.5}, {UNEVEN, 0}, {UNEVEN, 0.01}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t naive, found = alarms(cases[i].s, 0, cases[i].tau, &naive);
        print_message("case %zu: %.1f %% false alarms, the ordinary test %.1f %%\n", i,
                      100.0 * (double)found / TIMES, 100.0 * (double)naive / TIMES);
        assert_true((double)found <= 0.05 * TIMES);
        assert_true((double)naive >= 0.2 * TIMES);
    }
    size_t naive; /* and what is there, is found */
    assert_true((double)alarms(NORMAL, 0.5, 0, &naive) > 0.95 * TIMES);
    assert_true((double)alarms(CLICKS, 0.2, 0, &naive) > 0.95 * TIMES);
}

/* Four equal arms, six pairs: any false alarm at all, with and without the correction for many. */
static void many_arms(void **state)
{
    (void)state;
    enum { ARMS = 4, LONG = 800, FEWER = 400 };
    static dq_ab_row rows[LONG];
    size_t alarmed[2] = {0};
    dq_rng rng = dq_rng_new(6);
    for (size_t t = 0; t < FEWER; t++) {
        for (size_t i = 0; i < LONG; i++)
            rows[i] = (dq_ab_row){(uint32_t)dq_rng_below(&rng, ARMS), (uint32_t)i, dq_rng_normal(&rng)};
        for (int adjusted = 0; adjusted < 2; adjusted++) {
            const dq_ab_config config = {.confidence = 0.95,
                                         .effect = 0.4,
                                         .every = 1,
                                         .burn_in = 30,
                                         .against = DQ_AGAINST_ALL,
                                         .adjust = adjusted ? DQ_ADJUST_HOLM : DQ_ADJUST_NONE};
            dq_ab_looks looks = {0};
            dq_error e = DQ_ERROR_NONE;
            bool any = false;
            assert_int_equal(dq_ab_judge(rows, LONG, ARMS, LONG, &config, &looks, &e), DQ_OK);
            for (size_t i = looks.count - 6; i < looks.count; i++) any |= looks.at[i].decided;
            alarmed[adjusted] += any;
            dq_ab_looks_free(&looks);
        }
    }
    print_message("six pairs: %.1f %% false alarms, %.1f %% adjusted\n", 100.0 * (double)alarmed[0] / FEWER,
                  100.0 * (double)alarmed[1] / FEWER);
    assert_true((double)alarmed[1] <= 0.05 * FEWER && alarmed[0] > 2 * alarmed[1]);
}

/* The intervals of all looks cover a true difference together. */
static void covers(void **state)
{
    (void)state;
    static dq_ab_row rows[ROWS];
    const dq_ab_config config = {.confidence = 0.95, .every = 1, .burn_in = 30, .against = 0};
    dq_rng rng = dq_rng_new(5);
    size_t covered = 0;
    for (size_t t = 0; t < TIMES; t++) {
        dq_ab_looks looks = {0};
        dq_error e = DQ_ERROR_NONE;
        bool always = true;
        draw(rows, NORMAL, 0.3, &rng);
        assert_int_equal(dq_ab_judge(rows, ROWS, 2, ROWS, &config, &looks, &e), DQ_OK);
        for (size_t i = 0; i < looks.count; i++)
            always &= looks.at[i].interval.low <= 0.3 && 0.3 <= looks.at[i].interval.high;
        covered += always;
        dq_ab_looks_free(&looks);
    }
    print_message("all looks cover: %.1f %%\n", 100.0 * (double)covered / TIMES);
    assert_true((double)covered >= 0.95 * TIMES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mixture),   cmocka_unit_test(units_and_looks), cmocka_unit_test(false_alarms),
        cmocka_unit_test(many_arms), cmocka_unit_test(covers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
