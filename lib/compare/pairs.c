/* SPDX-License-Identifier: MIT
 *
 * Measure by measure: units with a value of every system are gathered, and the differences of up to
 * TOGETHER pairs are resampled together. That saves random numbers and changes no bit: each such lot draws
 * the same ones.
 */
#include "compare/pairs.h"

#include "compare/effect.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { TOGETHER = 64 };

const char *const dq_paired_test_names[] = {[DQ_TEST_RANDOMISATION] = "randomisation",
                                            [DQ_TEST_STUDENT] = "t",
                                            [DQ_TEST_WILCOXON] = "wilcoxon",
                                            NULL};

typedef struct gathered {
    const dq_run_values *of;
    const dq_pairs_config *config;
    size_t n, pairs;        /* units; pairs at hand, at most TOGETHER */
    double *values;         /* (systems, units) of which n a system count */
    double *differences;    /* (n, pairs) */
    double *column, *a, *b; /* (units) scratch */
    dq_interval *intervals; /* (pairs) */
    double *p;              /* (pairs) of the randomisation test */
} gathered;

static void release(gathered *g)
{
    free(g->values);
    free(g->differences);
    free(g->column);
    free(g->intervals);
    free(g->p);
}

static dq_status prepare(gathered *g, dq_error *error)
{
    const dq_run_values *v = g->of;
    g->values = calloc(v->runs * v->queries + 1, sizeof *g->values);
    g->differences = calloc(g->pairs * v->queries + 1, sizeof *g->differences);
    g->column = calloc(3 * v->queries + 1, sizeof *g->column);
    g->intervals = calloc(g->pairs + 1, sizeof *g->intervals);
    g->p = calloc(g->pairs + 1, sizeof *g->p);
    if (!g->values || !g->differences || !g->column || !g->intervals || !g->p)
        return dq_fail_memory(error, "%zu comparisons", g->pairs);
    g->a = g->column + v->queries;
    g->b = g->a + v->queries;
    return DQ_OK;
}

static double *values_of(const gathered *g, size_t system)
{
    return g->values + system * g->of->queries;
}

static void gather(gathered *g, size_t measure)
{
    const dq_run_values *v = g->of;
    g->n = 0;
    for (size_t q = 0; q < v->queries; q++) {
        bool whole = true;
        for (size_t r = 0; r < v->runs; r++) {
            double value = v->value(v->self, measure, r, q);
            values_of(g, r)[g->n] = value;
            whole &= !isnan(value);
        }
        g->n += whole;
    }
}

static void subtract(const gathered *g, const dq_difference *rows)
{
    for (size_t i = 0; i < g->n; i++)
        for (size_t j = 0; j < g->pairs; j++)
            g->differences[i * g->pairs + j] = values_of(g, rows[j].a)[i] - values_of(g, rows[j].b)[i];
}

/* Ties are the zeros of Wilcoxon's test. */
static void count_wins(dq_difference *row, const double *differences, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) most = fmax(most, fabs(differences[i]));
    for (size_t i = 0; i < n; i++) {
        row->wins += differences[i] > 1e-12 * most;
        row->losses += differences[i] < -1e-12 * most;
    }
    row->ties = n - row->wins - row->losses;
}

static dq_status describe(const gathered *g, size_t pair, dq_difference *row, dq_error *error)
{
    dq_wilcoxon ranks;
    for (size_t i = 0; i < g->n; i++) {
        g->column[i] = g->differences[i * g->pairs + pair];
        g->a[i] = values_of(g, row->a)[i];
        g->b[i] = values_of(g, row->b)[i];
    }
    dq_status status = dq_wilcoxon_test(g->column, g->n, &ranks, error);
    if (status) return status;
    row->n = g->n;
    row->mean_a = g->n ? dq_mean(g->a, g->n) : NAN;
    row->mean_b = g->n ? dq_mean(g->b, g->n) : NAN;
    row->difference = g->n ? dq_mean(g->column, g->n) : NAN;
    row->interval = g->n ? g->intervals[pair] : (dq_interval){NAN, NAN};
    row->student = dq_t_interval(g->column, g->n, g->config->draw.confidence);
    row->p[DQ_TEST_RANDOMISATION] = g->n ? g->p[pair] : NAN;
    row->p[DQ_TEST_STUDENT] = dq_t_test(g->column, g->n);
    row->p[DQ_TEST_WILCOXON] = ranks.p;
    row->cohen = dq_effect_cohen(g->column, g->n);
    row->hedges = dq_effect_hedges_factor((double)g->n - 1) * row->cohen;
    row->rank_biserial = g->n ? dq_effect_rank_biserial(&ranks) : NAN;
    row->cliff = dq_effect_cliff(g->a, g->n, g->b, g->n);
    count_wins(row, g->column, g->n);
    return DQ_OK;
}

static dq_status compare_lot(gathered *g, dq_difference *rows, dq_error *error)
{
    const dq_compare_config *c = &g->config->draw;
    dq_rng units = dq_rng_stream(c->seed, DQ_COMPARE_RESAMPLE),
           signs = dq_rng_stream(c->seed, DQ_COMPARE_SIGN);
    dq_status status = DQ_OK;
    subtract(g, rows);
    if (g->n)
        status = dq_bootstrap_means(g->differences, g->n, g->pairs, c->resamples, c->confidence, &units,
                                    g->intervals, error);
    if (!status && g->n)
        status = dq_randomisation_tests(g->differences, g->n, g->pairs, c->resamples, &signs, g->p, error);
    for (size_t j = 0; j < g->pairs && !status; j++) status = describe(g, j, &rows[j], error);
    return status;
}

static dq_status compare_measure(gathered *g, size_t measure, size_t pairs, dq_difference *rows,
                                 dq_error *error)
{
    dq_status status = DQ_OK;
    gather(g, measure);
    for (size_t from = 0; from < pairs && !status; from += g->pairs) {
        g->pairs = pairs - from < TOGETHER ? pairs - from : TOGETHER;
        status = compare_lot(g, rows + from, error);
    }
    return status;
}

/* Which systems each row holds against each other. */
static void set_pairs(dq_difference *rows, size_t measures, size_t systems, size_t against)
{
    for (size_t m = 0; m < measures; m++)
        for (size_t a = 0; a < systems; a++)
            for (size_t b = 0; b < systems; b++) {
                bool wanted = against == DQ_AGAINST_ALL ? b < a : b == against && a != b;
                if (wanted) *rows++ = (dq_difference){.measure = m, .a = a, .b = b};
            }
}

static dq_status adjust(const dq_pairs_config *config, dq_differences *d, dq_error *error)
{
    double *p = calloc(d->count + 1, sizeof *p);
    if (!p) return dq_fail_memory(error, "%zu tests", d->count);
    for (size_t i = 0; i < d->count; i++) p[i] = d->rows[i].p[config->test];
    dq_status status = dq_adjust(config->adjust, p, d->count, p, error);
    for (size_t i = 0; i < d->count; i++) d->rows[i].p_adjusted = p[i];
    free(p);
    return status;
}

dq_status dq_compare_pairs(const dq_run_values *values, size_t against, const dq_pairs_config *config,
                           dq_differences *differences, dq_error *error)
{
    size_t systems = values->runs;
    if (systems < 2) return dq_fail(error, DQ_ERR_RANGE, "one system alone cannot be compared");
    size_t pairs = against == DQ_AGAINST_ALL ? systems * (systems - 1) / 2 : systems - 1;
    gathered g = {.of = values, .config = config, .pairs = pairs < TOGETHER ? pairs : TOGETHER};
    differences->count = values->measures * pairs;
    differences->rows = calloc(differences->count + 1, sizeof *differences->rows);
    if (!differences->rows) return dq_fail_memory(error, "%zu comparisons", differences->count);
    set_pairs(differences->rows, values->measures, systems, against);
    dq_status status = prepare(&g, error);
    for (size_t m = 0; m < values->measures && !status; m++)
        status = compare_measure(&g, m, pairs, differences->rows + m * pairs, error);
    release(&g);
    return status ? status : adjust(config, differences, error);
}

void dq_differences_free(dq_differences *differences)
{
    free(differences->rows);
    *differences = (dq_differences){0};
}
