/* SPDX-License-Identifier: MIT
 *
 * Off-policy estimators: their identities, closed forms, and how often their intervals hold the truth.
 */
#include "core/rng.h"
#include "ope/paired.h"
#include "ope/policy.h"
#include "ope/slope.h"
#include "ope/support.h"
#include "ope/table.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ACTIONS = 4, ROWS = 300 };

static const double logging[ACTIONS] = {0.4, 0.3, 0.2, 0.1}, target[ACTIONS] = {0.1, 0.3, 0.2, 0.4},
                    chance[ACTIONS] = {0.2, 0.5, 0.3, 0.7}; /* of a reward of 1 */

static const dq_ope_config standard = {.clip = INFINITY,
                                       .tau = INFINITY,
                                       .shrinkage = INFINITY,
                                       .confidence = 0.95,
                                       .resamples = 300,
                                       .seed = 3};

static double truth(void)
{
    double sum = 0;
    for (int a = 0; a < ACTIONS; a++) sum += target[a] * chance[a];
    return sum;
}

/* A row of the log; the model's values are the truth plus what it errs by. */
static dq_ope_row draw(dq_rng *rng, double err)
{
    double u = dq_rng_uniform(rng), q_target = 0;
    uint32_t a = 0;
    while (a < ACTIONS - 1 && u >= logging[a]) u -= logging[a++];
    for (int i = 0; i < ACTIONS; i++) q_target += target[i] * (chance[i] + err * i);
    return (dq_ope_row){.item = a,
                        .reward = dq_rng_uniform(rng) < chance[a],
                        .propensity = logging[a],
                        .target = target[a],
                        .q = chance[a] + err * a,
                        .q_target = q_target};
}

static void estimate(const char *names, const dq_ope_config *config, const dq_ope_row *rows, size_t n,
                     dq_ope_estimate *estimates, dq_ope_weights *weights)
{
    dq_error e = DQ_ERROR_NONE;
    dq_ope_picks picks = {0};
    dq_ope_config own = *config;
    dq_ope_evaluation *evaluation;
    own.picks = &picks;
    if (dq_ope_picks_add(&picks, names, &e)) fail_msg("%s", e.reason);
    if (dq_ope_evaluation_new(&evaluation, &own, &e)) fail_msg("%s", e.reason);
    if (dq_ope_evaluation_add(evaluation, rows, n, &e)) fail_msg("%s", e.reason);
    if (dq_ope_evaluation_finish(evaluation, estimates, weights, &e)) fail_msg("%s", e.reason);
    for (size_t i = 0; i < picks.count; i++) estimates[i].name = NULL; /* the picks end here */
    dq_ope_evaluation_free(evaluation);
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-12 * (1 + fabs(b));
}

static bool same(const dq_ope_estimate *a, const dq_ope_estimate *b)
{
    return near(a->value, b->value) && near(a->se, b->se) && near(a->bootstrap.low, b->bootstrap.low) &&
           near(a->bootstrap.high, b->bootstrap.high) && near(a->bernstein.low, b->bernstein.low);
}

static void draw_rows(dq_ope_row *rows, size_t n, uint64_t seed, double err)
{
    dq_rng rng = dq_rng_new(seed);
    for (size_t i = 0; i < n; i++) rows[i] = draw(&rng, err);
}

static void bounds_at_their_ends(void **state)
{
    (void)state;
    dq_ope_row rows[ROWS];
    dq_ope_estimate e[4];
    dq_ope_weights w;
    dq_ope_config zero = standard;
    zero.tau = zero.shrinkage = 0;
    draw_rows(rows, ROWS, 1, 0.1);
    estimate("dr,switch-dr,dr-os,dm", &standard, rows, ROWS, e, &w);
    assert_true(same(&e[0], &e[1]) && same(&e[0], &e[2])); /* without a bound they are dr */
    assert_true(isnan(e[1].bound) && isnan(e[3].bound));
    estimate("dr,switch-dr,dr-os,dm", &zero, rows, ROWS, e, &w);
    assert_true(same(&e[3], &e[1]) && same(&e[3], &e[2])); /* with a bound of 0 they are dm */
    assert_true(e[1].bound == 0);
}

static void constant_reward(void **state)
{
    (void)state;
    dq_ope_row rows[ROWS];
    dq_ope_estimate e[2];
    dq_ope_weights w;
    draw_rows(rows, ROWS, 2, 0);
    for (size_t i = 0; i < ROWS; i++) rows[i].reward = 0.25;
    estimate("snips", &standard, rows, ROWS, e, &w);
    assert_true(near(e[0].value, 0.25) && e[0].se < 1e-8);
    assert_true(near(e[0].bootstrap.low, 0.25) && near(e[0].bootstrap.high, 0.25));
}

static void logging_policy(void **state)
{
    (void)state;
    dq_ope_row rows[ROWS];
    dq_ope_estimate e[3];
    dq_ope_weights w;
    double sum = 0, squares = 0;
    draw_rows(rows, ROWS, 3, 0);
    for (size_t i = 0; i < ROWS; i++) {
        rows[i].target = rows[i].propensity;
        sum += rows[i].reward;
    }
    double mean = sum / ROWS;
    for (size_t i = 0; i < ROWS; i++) squares += (rows[i].reward - mean) * (rows[i].reward - mean);
    estimate("ips,snips,log", &standard, rows, ROWS, e, &w);
    assert_true(near(e[0].value, mean) && near(e[1].value, mean) && same(&e[0], &e[2]));
    assert_true(near(e[0].se, sqrt(squares / (ROWS - 1) / ROWS)));
    assert_true(near(e[0].ess, ROWS) && near(e[0].largest, 1) && near(w.mean, 1) && w.rows == ROWS);
}

/* Two rows by hand: weights 2 and 0.5, rewards 1 and 0, q 0.5 and 0.25, Q 0.4. */
static void by_hand(void **state)
{
    (void)state;
    const dq_ope_row rows[2] = {
        {.reward = 1, .propensity = 0.25, .target = 0.5, .q = 0.5, .q_target = 0.4},
        {.reward = 0, .propensity = 0.5, .target = 0.25, .q = 0.25, .q_target = 0.4},
    };
    dq_ope_estimate e[7];
    dq_ope_weights w;
    dq_ope_config bounded = standard;
    bounded.tau = 1;
    bounded.shrinkage = 4;
    estimate("ips,snips,dm,dr,sndr,switch-dr,dr-os", &bounded, rows, 2, e, &w);
    assert_true(near(e[0].value, 1));   /* (2 + 0) / 2 */
    assert_true(near(e[0].se, 1));      /* sqrt(2) / sqrt(2) */
    assert_true(near(e[1].value, 0.8)); /* 2 / 2.5 */
    assert_true(near(e[2].value, 0.4));
    assert_true(near(e[3].value, 0.4 + (2 * 0.5 - 0.5 * 0.25) / 2));
    assert_true(near(e[4].value, 0.4 + (2 * 0.5 - 0.5 * 0.25) / 2.5));
    assert_true(near(e[5].value, 0.4 - 0.5 * 0.25 / 2));
    assert_true(near(e[6].value, 0.4 + (1 * 0.5 - 4 * 0.5 / 4.25 * 0.25) / 2));
    assert_true(near(e[0].ess, 2.5 * 2.5 / 4.25) && e[0].largest == 2);
    /* Maurer and Pontil with n = 2, variance 2, range 2, 1 - confidence 0.05 on two sides */
    double l = log(2 / 0.025);
    assert_true(near(e[0].bernstein.high, 1 + sqrt(2 * 2 * l / 2) + 7 * 2 * l / 3));
    bounded.clip = 1;
    estimate("ips,snips", &bounded, rows, 2, e, &w);
    assert_true(near(e[0].value, 0.5) && near(e[1].value, 1 / 1.5) && e[0].bound == 1);
    assert_true(e[0].largest == 2); /* what is said of the weights is said of those of the log */
}

/* With the true model dr's variance is that of w (r - q) and of Q: here E[w^2 chance (1 - chance)]. */
static void perfect_model(void **state)
{
    (void)state;
    enum { MANY = 200000 };
    dq_ope_row *rows = calloc(MANY, sizeof *rows);
    dq_ope_estimate e[2];
    dq_ope_weights w;
    double variance = 0;
    assert_non_null(rows);
    for (int a = 0; a < ACTIONS; a++)
        variance += target[a] * target[a] / logging[a] * chance[a] * (1 - chance[a]);
    draw_rows(rows, MANY, 4, 0);
    dq_ope_config few = standard;
    few.resamples = 20;
    estimate("dr,ips", &few, rows, MANY, e, &w);
    assert_true(fabs(e[0].se * e[0].se * MANY / variance - 1) < 0.01);
    assert_true(fabs(e[0].value - truth()) < 4 * e[0].se && e[0].se < e[1].se);
    free(rows);
}

/* ---- intervals ---- */

enum { SIMULATIONS = 2000, ESTIMATORS = 4 };

typedef struct coverage {
    int bootstrap[ESTIMATORS], bernstein[ESTIMATORS];
    double sum[ESTIMATORS], squares[ESTIMATORS], se[ESTIMATORS];
} coverage;

static void simulate(uint64_t seed, coverage *c)
{
    dq_ope_row rows[ROWS];
    dq_ope_estimate e[ESTIMATORS];
    dq_ope_weights w;
    dq_ope_config config = standard;
    config.seed = seed;
    draw_rows(rows, ROWS, 1000 + seed, 0.1);
    estimate("ips,snips,dr,sndr", &config, rows, ROWS, e, &w);
    for (int i = 0; i < ESTIMATORS; i++) {
        c->bootstrap[i] += e[i].bootstrap.low <= truth() && truth() <= e[i].bootstrap.high;
        c->bernstein[i] += e[i].bernstein.low <= truth() && truth() <= e[i].bernstein.high;
        c->sum[i] += e[i].value - truth();
        c->squares[i] += (e[i].value - truth()) * (e[i].value - truth());
        c->se[i] += e[i].se;
    }
}

static void intervals_cover(void **state)
{
    (void)state;
    coverage c = {0};
    for (uint64_t s = 0; s < SIMULATIONS; s++) simulate(s, &c);
    for (int i = 0; i < ESTIMATORS; i++) {
        double sd = sqrt(c.squares[i] / SIMULATIONS);
        assert_in_range((uintmax_t)c.bootstrap[i], 0.93 * SIMULATIONS, 0.97 * SIMULATIONS);
        assert_true(c.bernstein[i] >= 0.95 * SIMULATIONS);
        assert_true(fabs(c.sum[i] / SIMULATIONS) < 4 * sd / sqrt(SIMULATIONS));
        assert_true(fabs(c.se[i] / SIMULATIONS / sd - 1) < 0.06);
    }
}

/* Sessions of one or two rows, whose length does not depend on what happens in them. */
static void session_intervals_cover(void **state)
{
    (void)state;
    enum { SESSIONS = 300, KINDS = 3 };
    coverage c = {0};
    double expected = 0; /* of one and a half rows in the mean, by a target halfway to the log's policy */
    for (int a = 0; a < ACTIONS; a++) expected += 1.5 * (target[a] + logging[a]) / 2 * chance[a];
    for (uint64_t seed = 0; seed < SIMULATIONS; seed++) {
        dq_ope_row rows[2 * SESSIONS];
        dq_ope_estimate e[KINDS];
        dq_ope_weights w;
        dq_rng rng = dq_rng_new(500000 + seed);
        size_t n = 0;
        for (int s = 0; s < SESSIONS; s++)
            for (uint64_t t = 0, length = 1 + dq_rng_below(&rng, 2); t < length; t++) {
                rows[n] = draw(&rng, 0);
                rows[n].target = (rows[n].target + rows[n].propensity) / 2;
                rows[n++].begins = t == 0;
            }
        dq_ope_config config = standard;
        config.gamma = 1;
        config.resamples = 300;
        config.seed = seed;
        estimate("pdis,wpdis,wis", &config, rows, n, e, &w);
        for (int i = 0; i < KINDS; i++)
            c.bootstrap[i] += e[i].bootstrap.low <= expected && expected <= e[i].bootstrap.high;
    }
    for (int i = 0; i < KINDS; i++)
        assert_in_range((uintmax_t)c.bootstrap[i], 0.93 * SIMULATIONS, 0.97 * SIMULATIONS);
}

/* 25,000 rows are 6,250 blocks of 4, and the interval is still that of the rows. */
static void blocks_merge(void **state)
{
    (void)state;
    enum { MANY = 25000 };
    dq_ope_row *rows = calloc(MANY, sizeof *rows);
    dq_ope_estimate e[2];
    dq_ope_weights w;
    assert_non_null(rows);
    draw_rows(rows, MANY, 5, 0.1);
    estimate("ips,snips", &standard, rows, MANY, e, &w);
    for (int i = 0; i < 2; i++) {
        double width = e[i].bootstrap.high - e[i].bootstrap.low;
        assert_true(fabs(width / (2 * 1.96 * e[i].se) - 1) < 0.15);
        assert_true(fabs(e[i].value - truth()) < 4 * e[i].se);
    }
    free(rows);
}

static void one_row_or_none(void **state)
{
    (void)state;
    const dq_ope_row row = {.reward = 1, .propensity = 0.5, .target = 0.25};
    const dq_ope_row never = {.reward = 1, .propensity = 0.5, .target = 0};
    dq_ope_estimate e[2];
    dq_ope_weights w;
    estimate("ips", &standard, &row, 1, e, &w);
    assert_true(e[0].value == 0.5 && isnan(e[0].se) && isnan(e[0].bootstrap.low) &&
                isnan(e[0].bernstein.low));
    dq_error error = DQ_ERROR_NONE;
    dq_ope_picks picks = {0};
    dq_ope_config config = standard;
    dq_ope_evaluation *evaluation;
    config.picks = &picks;
    assert_int_equal(dq_ope_picks_add(&picks, "snips", &error), DQ_OK);
    assert_int_equal(dq_ope_evaluation_new(&evaluation, &config, &error), DQ_OK);
    assert_int_equal(dq_ope_evaluation_finish(evaluation, e, &w, &error), DQ_ERR_RANGE);
    assert_int_equal(dq_ope_evaluation_add(evaluation, &never, 1, &error), DQ_OK);
    assert_int_equal(dq_ope_evaluation_finish(evaluation, e, &w, &error), DQ_ERR_NUMERIC);
    dq_ope_evaluation_free(evaluation);
}

/* The same rows in calls of other lengths: the same bits. */
static void cut_otherwise(void **state)
{
    (void)state;
    enum { MANY = 1000 };
    static dq_ope_row rows[MANY];
    dq_error error = DQ_ERROR_NONE;
    dq_ope_picks picks = {0};
    dq_ope_config config = standard;
    dq_ope_estimate whole[4] = {0}, pieces[4] = {0};
    dq_ope_weights of_whole, of_pieces;
    dq_ope_evaluation *evaluation;
    config.picks = &picks;
    draw_rows(rows, MANY, 8, 0.1);
    for (size_t i = 0; i < MANY; i++) rows[i].propensity *= 1 + 1e-3 * (double)(i % 7);
    assert_int_equal(dq_ope_picks_add(&picks, "log,snips,dr,sndr", &error), DQ_OK);
    for (size_t piece = MANY; piece > 0; piece = piece == MANY ? 37 : 0) {
        assert_int_equal(dq_ope_evaluation_new(&evaluation, &config, &error), DQ_OK);
        for (size_t i = 0; i < MANY; i += piece)
            assert_int_equal(
                dq_ope_evaluation_add(evaluation, rows + i, MANY - i < piece ? MANY - i : piece, &error),
                DQ_OK);
        bool first = piece == MANY;
        assert_int_equal(dq_ope_evaluation_finish(evaluation, first ? whole : pieces,
                                                  first ? &of_whole : &of_pieces, &error),
                         DQ_OK);
        dq_ope_evaluation_free(evaluation);
    }
    assert_true(of_whole.mean == of_pieces.mean);
    for (size_t i = 0; i < 4; i++)
        assert_true(whole[i].value == pieces[i].value && whole[i].se == pieces[i].se &&
                    whole[i].ess == pieces[i].ess && whole[i].bernstein.low == pieces[i].bernstein.low);
}

/* ---- SLOPE ---- */

static void bounds_of_slope_ascend(void **state)
{
    static const char *const wrong[] = {"",    "0",  "1,,2", "1,",  ",1",  "2,1",
                                        "1,1", "-1", "1;2",  "inf", "nan", "x"};
    double grid[DQ_SLOPE_MAX];
    char many[4 * (DQ_SLOPE_MAX + 1)] = "";
    size_t count = 99;
    (void)state;
    assert_int_equal(dq_slope_grid("0.5,1,1e3", grid, &count, NULL), DQ_OK);
    assert_int_equal(count, 3);
    assert_true(grid[0] == 0.5 && grid[1] == 1 && grid[2] == 1000);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(dq_slope_grid(wrong[i], grid, &count, NULL), DQ_ERR_RANGE);
    for (size_t i = 0, at = 0; i <= DQ_SLOPE_MAX; i++)
        at += (size_t)snprintf(many + at, sizeof many - at, "%s%zu", i ? "," : "", i + 10);
    assert_int_equal(dq_slope_grid(many, grid, &count, NULL), DQ_ERR_RANGE);
    *strrchr(many, ',') = '\0';
    assert_int_equal(dq_slope_grid(many, grid, &count, NULL), DQ_OK);
    assert_int_equal(count, DQ_SLOPE_MAX);
}

static void slope_by_hand(void **state)
{
    (void)state;
    const double values[4] = {1, 2, 2.5, 2.6}, widths[4] = {0.1, 0.3, 0.6, 1};
    /* widest first: 2.6; 2.5 agrees; 2 is within 0.3 + 1.449 * 0.6 of 2.5; 1 is not within 0.1 + 1.449 * 0.3
     * of 2 */
    assert_int_equal(dq_slope_choose(values, widths, 4), 1);
    assert_int_equal(dq_slope_choose(values, widths, 1), 0);
    const double equal[3] = {1, 1, 1}, none[3] = {0, 0, 0};
    assert_int_equal(dq_slope_choose(equal, none, 3), 0); /* all agree: the smallest bound */
    const double apart[2] = {0, 1};
    assert_int_equal(dq_slope_choose(apart, none, 2), 1); /* the greater bound is the start */
}

static void picks_named(void **state)
{
    (void)state;
    dq_error error = DQ_ERROR_NONE;
    dq_ope_picks picks = {0};
    assert_int_equal(dq_ope_picks_add(&picks, "ips,slope,ips,slope:ips,slope:dr-os", &error), DQ_OK);
    assert_int_equal(picks.count, 3);
    assert_string_equal(picks.at[1].name, "slope:ips");
    assert_true(picks.needs_model && picks.at[2].slope);
    const char *const wrong[] = {"", "ips,", "IPS", "slope:dm", "slope:snips", "slope:", "ips snips"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(dq_ope_picks_add(&picks, wrong[i], &error), DQ_ERR_UNKNOWN);
}

/* ---- several targets in pairs ---- */

static dq_ope_evaluation *evaluated(const dq_ope_picks *picks, const dq_ope_row *rows, size_t n,
                                    dq_ope_estimate *estimates)
{
    dq_error e = DQ_ERROR_NONE;
    dq_ope_config own = standard;
    dq_ope_evaluation *evaluation;
    dq_ope_weights weights;
    own.picks = picks;
    assert_int_equal(dq_ope_evaluation_new(&evaluation, &own, &e), DQ_OK);
    assert_int_equal(dq_ope_evaluation_add(evaluation, rows, n, &e), DQ_OK);
    assert_int_equal(dq_ope_evaluation_finish(evaluation, estimates, &weights, &e), DQ_OK);
    return evaluation;
}

/* What rows add: of a mean the row's term, of a ratio about its linearised one; their mean is the estimate,
 * and their standard error the estimate's. Of merged blocks, too. */
static void influence(void **state)
{
    (void)state;
    enum { LONG = 25000 };
    static dq_ope_row rows[LONG];
    static double values[LONG];
    dq_ope_picks picks = {0};
    dq_ope_estimate estimates[4];
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_ope_picks_add(&picks, "ips,snips,dr,sndr", &e), DQ_OK);
    draw_rows(rows, LONG, 12, 0.1);
    for (size_t n = ROWS; n <= LONG; n = n == ROWS ? LONG : LONG + 1) {
        dq_ope_evaluation *evaluation = evaluated(&picks, rows, n, estimates);
        size_t blocks = dq_ope_evaluation_blocks(evaluation, 0);
        assert_true(n == ROWS ? blocks == ROWS : blocks == LONG / 4);
        for (size_t p = 0; p < 4; p++) {
            assert_int_equal(dq_ope_evaluation_influence(evaluation, p, values, &e), DQ_OK);
            double se = dq_sd(values, blocks) / sqrt((double)blocks);
            assert_true(fabs(dq_mean(values, blocks) - estimates[p].value) < 1e-12);
            assert_true(fabs(se / estimates[p].se - 1) < (n == ROWS ? p % 2 ? 0.05 : 1e-9 : 0.03));
            for (size_t i = 0; n == ROWS && p == 0 && i < n; i++)
                assert_true(fabs(values[i] - rows[i].target / rows[i].propensity * rows[i].reward) < 1e-10);
        }
        dq_ope_evaluation_free(evaluation);
    }
}

/* A target against itself, and against the log's own policy, whose ips is the mean reward. */
static void targets_in_pairs(void **state)
{
    (void)state;
    static dq_ope_row rows[3][ROWS];
    dq_ope_picks picks = {0};
    dq_ope_estimate estimates[3][2];
    dq_ope_paired paired = {.count = 3, .picks = &picks};
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_ope_picks_add(&picks, "ips,wpdis", &e), DQ_OK);
    for (size_t t = 0; t < 3; t++) {
        draw_rows(rows[t], ROWS, 13, 0);
        for (size_t i = 0; i < ROWS; i++) {
            rows[t][i].begins = i % 3 == 0;
            if (t == 2) rows[t][i].target = rows[t][i].propensity;
        }
        paired.evaluations[t] = evaluated(&picks, rows[t], ROWS, estimates[t]);
    }
    assert_int_equal(dq_ope_paired_find(&paired, &e), DQ_OK);
    const dq_run_values v = dq_ope_paired_values(&paired);
    assert_true(v.measures == 2 && v.runs == 3 && v.queries == ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        assert_true(v.value(v.self, 0, 0, i) == v.value(v.self, 0, 1, i));
        assert_true(fabs(v.value(v.self, 0, 2, i) - rows[2][i].reward) < 1e-10);
        assert_true(isnan(v.value(v.self, 1, 0, i)) == (i >= ROWS / 3)); /* a session is three rows */
    }
    dq_ope_paired_free(&paired);
    for (size_t t = 0; t < 3; t++) dq_ope_evaluation_free((dq_ope_evaluation *)paired.evaluations[t]);
}

/* 2000 logs: the interval of a difference of two targets, in pairs, holds the true one, and is narrower than
 * those of the two would have it. */
static double of_pair(const void *self, size_t measure, size_t run, size_t query)
{
    (void)measure;
    return ((const double *)self)[run * ROWS + query];
}

static void differences_cover(void **state)
{
    (void)state;
    enum { TIMES = 2000 };
    static dq_ope_row rows[2][ROWS];
    static double values[2][ROWS];
    const dq_compare_config config = {300, 0.95, 1};
    const dq_run_values v = {1, 2, ROWS, of_pair, values};
    double own[ACTIONS], difference = 0;
    size_t covered = 0, narrower = 0;
    dq_ope_picks picks = {0};
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_ope_picks_add(&picks, "snips", &e), DQ_OK);
    for (int a = 0; a < ACTIONS; a++) { /* the second target is a little the log's own */
        own[a] = 0.7 * target[a] + 0.3 * logging[a];
        difference += (own[a] - target[a]) * chance[a];
    }
    for (size_t t = 0; t < TIMES; t++) {
        dq_comparison found[2];
        draw_rows(rows[0], ROWS, 1000 + t, 0);
        for (size_t k = 0; k < 2; k++) {
            dq_ope_estimate estimate_of;
            for (size_t i = 0; k && i < ROWS; i++) {
                rows[1][i] = rows[0][i];
                rows[1][i].target = own[rows[0][i].item];
            }
            dq_ope_evaluation *evaluation = evaluated(&picks, rows[k], ROWS, &estimate_of);
            assert_int_equal(dq_ope_evaluation_influence(evaluation, 0, values[k], &e), DQ_OK);
            dq_ope_evaluation_free(evaluation);
        }
        assert_int_equal(dq_compare_runs(&v, &config, found, &e), DQ_OK);
        const dq_interval d = found[1].difference_interval;
        covered += d.low <= difference && difference <= d.high;
        narrower += d.high - d.low < 0.5 * (found[0].interval.high - found[0].interval.low);
    }
    print_message("differences of targets: covered %.2f %%\n", 100.0 * (double)covered / TIMES);
    assert_in_range(covered, 0.93 * TIMES, 0.97 * TIMES);
    assert_int_equal(narrower, TIMES);
}

/* One row is a block of its own, and all that there is. */
static void influence_of_one(void **state)
{
    (void)state;
    dq_ope_row row;
    dq_ope_picks picks = {0};
    dq_ope_estimate estimates[2];
    dq_error e = DQ_ERROR_NONE;
    double value;
    assert_int_equal(dq_ope_picks_add(&picks, "snips", &e), DQ_OK);
    draw_rows(&row, 1, 14, 0);
    dq_ope_evaluation *evaluation = evaluated(&picks, &row, 1, estimates);
    assert_int_equal(dq_ope_evaluation_influence(evaluation, 0, &value, &e), DQ_OK);
    assert_true(value == estimates[0].value);
    dq_ope_evaluation_free(evaluation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_at_their_ends),
        cmocka_unit_test(constant_reward),
        cmocka_unit_test(logging_policy),
        cmocka_unit_test(by_hand),
        cmocka_unit_test(perfect_model),
        cmocka_unit_test(intervals_cover),
        cmocka_unit_test(influence),
        cmocka_unit_test(targets_in_pairs),
        cmocka_unit_test(influence_of_one),
        cmocka_unit_test(differences_cover),
        cmocka_unit_test(blocks_merge),
        cmocka_unit_test(session_intervals_cover),
        cmocka_unit_test(one_row_or_none),
        cmocka_unit_test(slope_by_hand),
        cmocka_unit_test(bounds_of_slope_ascend),
        cmocka_unit_test(picks_named),
        cmocka_unit_test(cut_otherwise),
    };
    return cmocka_run_group_tests_name("ope", tests, NULL, NULL);
}
