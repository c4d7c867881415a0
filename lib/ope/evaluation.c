/* SPDX-License-Identifier: MIT
 *
 * A line is an estimator with its bound: one a pick, and for SLOPE one a bound of the grid. Each has moments
 * over the rows, and sums over the blocks: of its base, and where it is normalised of `over` and the weight.
 */
#include "ope/evaluation.h"

#include "math/special.h"
#include "ope/blocks.h"
#include "ope/moments.h"
#include "ope/slope.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 10000, CHUNK = 256, BASE = 0, OVER = 1, WEIGHT = 2 };

typedef struct line {
    const dq_ope_estimator *estimator;
    double bound;
    dq_ope_moments moments;
    size_t column; /* of its sums in a block */
} line;

struct dq_ope_evaluation {
    dq_ope_config config;
    line *lines; /* (line_count) pick by pick */
    size_t line_count;
    dq_ope_blocks blocks; /* column 0: rows */
    dq_ope_moments weights;
    dq_ope_sessions sessions;
    double *terms; /* (line_count, DQ_OPE_MOMENTS, CHUNK) */
    /* The rows of a chunk, without their choices. A chunk is full before its sums are taken, since sums
     * depend in their last bits on where they are cut. */
    dq_ope_row held[CHUNK];
    size_t held_count;
};

static size_t lines_of(const dq_ope_config *c, size_t pick)
{
    if (c->picks->at[pick].estimator->session) return 0;
    return c->picks->at[pick].slope ? c->grid_count : 1;
}

static double bound_of(const dq_ope_config *c, dq_ope_bound bound)
{
    switch (bound) {
    case DQ_OPE_CLIP: return c->clip;
    case DQ_OPE_SWITCH: return c->tau;
    case DQ_OPE_SHRINKAGE: return c->shrinkage;
    default: return INFINITY;
    }
}

/* Sets the lines; returns the sums of a block. */
static size_t set_lines(dq_ope_evaluation *e)
{
    const dq_ope_config *c = &e->config;
    size_t width = 1, at = 0;
    for (size_t p = 0; p < c->picks->count; p++)
        for (size_t i = 0; i < lines_of(c, p); i++, at++) {
            const dq_ope_pick *pick = &c->picks->at[p];
            double bound = pick->slope ? c->grid[i] : bound_of(c, pick->estimator->bound);
            e->lines[at] = (line){.estimator = pick->estimator, .bound = bound, .column = width};
            width += pick->estimator->normalised ? DQ_OPE_MOMENTS : 1;
        }
    return width;
}

dq_status dq_ope_evaluation_new(dq_ope_evaluation **evaluation, const dq_ope_config *config, dq_error *error)
{
    dq_ope_evaluation *e = calloc(1, sizeof *e);
    *evaluation = NULL;
    if (!e) return dq_fail_memory(error, "an evaluation");
    e->config = *config;
    for (size_t p = 0; p < config->picks->count; p++) e->line_count += lines_of(config, p);
    e->lines = calloc(e->line_count + 1, sizeof *e->lines);
    e->terms = calloc(e->line_count + 1, DQ_OPE_MOMENTS * CHUNK * sizeof *e->terms);
    dq_status status = e->lines && e->terms ? DQ_OK : dq_fail_memory(error, "%zu estimators", e->line_count);
    if (!status) status = dq_ope_blocks_init(&e->blocks, set_lines(e), BLOCKS, error);
    if (!status && config->picks->sessions) status = dq_ope_sessions_init(&e->sessions, config->gamma, error);
    if (status)
        dq_ope_evaluation_free(e);
    else
        *evaluation = e;
    return status;
}

void dq_ope_evaluation_free(dq_ope_evaluation *evaluation)
{
    if (!evaluation) return;
    dq_ope_blocks_free(&evaluation->blocks);
    dq_ope_sessions_free(&evaluation->sessions);
    free(evaluation->lines);
    free(evaluation->terms);
    free(evaluation);
}

/* ---- rows ---- */

static double *term_of(const dq_ope_evaluation *e, size_t at, size_t which)
{
    return e->terms + (at * DQ_OPE_MOMENTS + which) * CHUNK;
}

static void take_weights(dq_ope_evaluation *e, const dq_ope_row *rows, size_t n, double *weight)
{
    const double *columns[] = {weight};
    for (size_t i = 0; i < n; i++) weight[i] = rows[i].target / rows[i].propensity;
    dq_ope_moments_add(&e->weights, columns, 1, n);
}

/* The terms of one line, and its moments. */
static void take_terms(dq_ope_evaluation *e, size_t at, const dq_ope_row *rows, const double *weight,
                       size_t n)
{
    line *l = &e->lines[at];
    double *bounded = term_of(e, at, WEIGHT);
    const double *columns[] = {term_of(e, at, BASE), term_of(e, at, OVER), bounded};
    double most = l->estimator->bound == DQ_OPE_CLIP ? l->bound : INFINITY;
    for (size_t i = 0; i < n; i++) bounded[i] = weight[i] < most ? weight[i] : most;
    l->estimator->terms(rows, bounded, n, l->bound, term_of(e, at, BASE), term_of(e, at, OVER));
    dq_ope_moments_add(&l->moments, columns, l->estimator->normalised ? DQ_OPE_MOMENTS : 1, n);
}

static double sum_of(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    return sum;
}

/* Rows from .. from + n - 1 of the chunk are of one block. */
static void add_sums(const dq_ope_evaluation *e, size_t from, size_t n, double *sums)
{
    sums[0] += (double)n;
    for (size_t i = 0; i < e->line_count; i++) {
        size_t kinds = e->lines[i].estimator->normalised ? DQ_OPE_MOMENTS : 1;
        for (size_t k = 0; k < kinds; k++) sums[e->lines[i].column + k] += sum_of(term_of(e, i, k) + from, n);
    }
}

static void take_chunk(dq_ope_evaluation *e)
{
    double weight[CHUNK], *sums;
    size_t count = e->held_count;
    e->held_count = 0;
    take_weights(e, e->held, count, weight);
    for (size_t i = 0; i < e->line_count; i++) take_terms(e, i, e->held, weight, count);
    for (size_t at = 0, taken; at < count; at += taken) {
        taken = dq_ope_blocks_take(&e->blocks, count - at, &sums);
        add_sums(e, at, taken, sums);
    }
}

dq_status dq_ope_evaluation_add(dq_ope_evaluation *evaluation, const dq_ope_row *rows, size_t n,
                                dq_error *error)
{
    dq_ope_evaluation *e = evaluation;
    for (size_t from = 0, taken; from < n; from += taken) {
        size_t room = CHUNK - e->held_count;
        taken = n - from < room ? n - from : room;
        memcpy(e->held + e->held_count, rows + from, taken * sizeof *rows);
        e->held_count += taken;
        if (e->held_count == CHUNK) take_chunk(e);
    }
    if (!evaluation->config.picks->sessions) return DQ_OK;
    return dq_ope_sessions_add(&evaluation->sessions, rows, n, error);
}

/* ---- estimates ---- */

static double value_of(const line *l)
{
    const dq_ope_moments *m = &l->moments;
    return m->mean[BASE] + (l->estimator->normalised ? m->mean[OVER] / m->mean[WEIGHT] : 0);
}

/* Of a row's term as it stands in the mean. */
static double variance_of(const line *l)
{
    const dq_ope_moments *m = &l->moments;
    double base = dq_ope_moments_covariance(m, BASE, BASE);
    if (!l->estimator->normalised) return base;
    double mean = m->mean[WEIGHT], ratio = m->mean[OVER] / mean;
    double both = dq_ope_moments_covariance(m, BASE, OVER) -
                  ratio * dq_ope_moments_covariance(m, BASE, WEIGHT);
    return fmax(base + dq_ope_ratio_variance(m, OVER, WEIGHT) + 2 * both / mean, 0);
}

static dq_interval bernstein_of(const line *l, double confidence)
{
    const dq_ope_moments *m = &l->moments;
    double range = dq_ope_range(m, BASE);
    if (l->estimator->normalised) range += dq_ope_range(m, OVER) / m->mean[WEIGHT];
    return dq_ope_bernstein(value_of(l), variance_of(l), range, m->rows, confidence);
}

/* The line of a SLOPE that counts: one-sided Student bounds at 0.1. */
static size_t choose(const line *lines, size_t count)
{
    double values[DQ_SLOPE_MAX], widths[DQ_SLOPE_MAX];
    for (size_t i = 0; i < count; i++) {
        double n = (double)lines[i].moments.rows;
        values[i] = value_of(&lines[i]);
        widths[i] = n < 2 ? 0 : sqrt(variance_of(&lines[i]) / n) * dq_student_quantile(0.9, n - 1);
    }
    return dq_slope_choose(values, widths, count);
}

/* The lines that are printed, and the picks that they are of. */
typedef struct chosen {
    const line *at[DQ_OPE_MAX_PICKS];
    size_t pick[DQ_OPE_MAX_PICKS];
    size_t count;
} chosen;

static void statistic(const void *self, const double *sums, double *values)
{
    const chosen *c = self;
    for (size_t i = 0; i < c->count; i++) {
        const double *own = sums + c->at[i]->column;
        values[i] = own[BASE] / sums[0];
        if (c->at[i]->estimator->normalised) values[i] += own[OVER] / own[WEIGHT];
    }
}

static chosen choose_lines(const dq_ope_evaluation *e)
{
    chosen c = {.count = 0};
    for (size_t p = 0, at = 0, n; p < e->config.picks->count; p++, at += n) {
        n = lines_of(&e->config, p);
        if (n == 0) continue;
        c.pick[c.count] = p;
        c.at[c.count++] = &e->lines[at + (e->config.picks->at[p].slope ? choose(e->lines + at, n) : 0)];
    }
    return c;
}

static dq_status fill(const dq_ope_evaluation *e, const line *l, dq_interval bootstrap, dq_ope_estimate *to,
                      dq_error *error)
{
    double n = (double)l->moments.rows;
    to->value = value_of(l);
    to->se = n < 2 ? NAN : sqrt(variance_of(l) / n);
    to->bootstrap = bootstrap;
    to->bernstein = bernstein_of(l, e->config.confidence);
    to->bound = isfinite(l->bound) ? l->bound : NAN;
    to->ess = dq_ope_effective_size(&e->weights, 0);
    to->largest = e->weights.max[0];
    if (isfinite(to->value)) return DQ_OK;
    if (e->weights.max[0] > 0)
        return dq_fail(error, DQ_ERR_NUMERIC, "%s is no number: weights or rewards are too large", to->name);
    return dq_fail(error, DQ_ERR_NUMERIC,
                   "%s is no number: the target takes none of the logged actions, all weights are 0",
                   to->name);
}

static dq_status estimate_rows(const dq_ope_evaluation *e, dq_ope_estimate *estimates, dq_error *error)
{
    dq_interval intervals[DQ_OPE_MAX_PICKS];
    const chosen lines = choose_lines(e);
    dq_rng rng = dq_rng_new(e->config.seed);
    dq_status status = dq_ope_blocks_bootstrap(&e->blocks, statistic, &lines, lines.count,
                                               e->config.resamples, e->config.confidence, &rng, intervals,
                                               NULL, error);
    for (size_t i = 0; i < lines.count && !status; i++)
        status = fill(e, lines.at[i], intervals[i], &estimates[lines.pick[i]], error);
    return status;
}

static dq_status estimate_sessions(dq_ope_evaluation *e, dq_ope_estimate *estimates, dq_error *error)
{
    const dq_ope_config *c = &e->config;
    dq_ope_session_kind kinds[DQ_OPE_SESSION_KINDS];
    dq_ope_estimate *to[DQ_OPE_SESSION_KINDS];
    size_t count = 0;
    dq_ope_sessions_end(&e->sessions);
    for (size_t p = 0; p < c->picks->count; p++) {
        dq_ope_session_kind kind = c->picks->at[p].estimator->session;
        if (!kind) continue;
        kinds[count] = kind;
        to[count++] = &estimates[p];
    }
    return dq_ope_sessions_estimate(&e->sessions, kinds, to, count, c->confidence, c->resamples, c->seed,
                                    error);
}

dq_status dq_ope_evaluation_finish(dq_ope_evaluation *evaluation, dq_ope_estimate *estimates,
                                   dq_ope_weights *weights, dq_error *error)
{
    const dq_ope_picks *picks = evaluation->config.picks;
    const dq_ope_moments *m = &evaluation->weights;
    if (evaluation->held_count) take_chunk(evaluation);
    if (m->rows == 0) return dq_fail(error, DQ_ERR_RANGE, "no row to estimate from");
    *weights = (dq_ope_weights){.rows = m->rows, .mean = m->mean[0]};
    for (size_t p = 0; p < picks->count; p++)
        estimates[p] = (dq_ope_estimate){.name = picks->at[p].name, .bound = NAN};
    dq_status status = estimate_rows(evaluation, estimates, error);
    if (!status && picks->sessions) status = estimate_sessions(evaluation, estimates, error);
    return status;
}

static dq_ope_session_kind session_of(const dq_ope_evaluation *e, size_t pick)
{
    return e->config.picks->at[pick].estimator->session;
}

size_t dq_ope_evaluation_blocks(const dq_ope_evaluation *evaluation, size_t pick)
{
    return session_of(evaluation, pick) ? evaluation->sessions.blocks.count : evaluation->blocks.count;
}

bool dq_ope_evaluation_sums(const dq_ope_evaluation *evaluation, size_t pick)
{
    const dq_ope_evaluation *e = evaluation;
    return (session_of(e, pick) ? e->sessions.blocks.size : e->blocks.size) > 1;
}

dq_status dq_ope_evaluation_influence(const dq_ope_evaluation *evaluation, size_t pick, double *values,
                                      dq_error *error)
{
    const dq_ope_evaluation *e = evaluation;
    const chosen lines = choose_lines(e);
    size_t at = 0;
    if (session_of(e, pick))
        return dq_ope_sessions_influence(&e->sessions, session_of(e, pick), values, error);
    while (lines.pick[at] != pick) at++;
    return dq_ope_blocks_influence(&e->blocks, statistic, &lines, lines.count, at, values, error);
}
