/* SPDX-License-Identifier: MIT
 *
 * Summaries of dq-eval's runs, how sure they are, and how the runs differ. All means and differences are
 * resampled with the same queries, in one pass over a matrix with a row a query:
 *
 *     measure 1: run 1, run 2 ..., run 2 - run 1, run 3 - run 1 ... | measure 2: ...
 */
#include "eval.h"

#include <stdlib.h>

enum { RESAMPLE_STREAM = 1, SIGN_STREAM };

typedef struct matrix {
    size_t *picks; /* (pick_count) those that are means */
    size_t pick_count, width, differences;
    double *values;         /* (queries, width) */
    dq_interval *intervals; /* (width) */
    double *signed_values;  /* (queries, differences) the differences alone, for the tests */
    double *p;              /* (differences) */
} matrix;

static void free_matrix(matrix *m)
{
    free(m->picks);
    free(m->values);
    free(m->intervals);
    free(m->signed_values);
    free(m->p);
}

static eval_cell *cell_of(const eval_table *t, size_t run, size_t pick)
{
    return &t->cells[run * t->picks.count + pick];
}

static dq_status make_matrix(const eval_table *t, matrix *m, dq_error *error)
{
    m->picks = malloc(t->picks.count * sizeof *m->picks);
    for (size_t p = 0; m->picks && p < t->picks.count; p++)
        if (t->picks.at[p].measure->over == DQ_OVER_MEAN) m->picks[m->pick_count++] = p;
    m->width = m->pick_count * (2 * t->run_count - 1);
    m->differences = m->pick_count * (t->run_count - 1);
    m->values = calloc(t->query_count * m->width + 1, sizeof *m->values);
    m->intervals = calloc(m->width + 1, sizeof *m->intervals);
    m->signed_values = calloc(t->query_count * m->differences + 1, sizeof *m->signed_values);
    m->p = calloc(m->differences + 1, sizeof *m->p);
    bool all = m->picks && m->values && m->intervals && m->signed_values && m->p;
    return all ? DQ_OK : dq_fail(error, DQ_ERR_MEMORY, "out of memory to compare runs");
}

static void fill_matrix(const eval_table *t, matrix *m)
{
    double *value = m->values, *difference = m->signed_values;
    for (size_t i = 0; i < t->query_count; i++)
        for (size_t p = 0; p < m->pick_count; p++) {
            for (size_t r = 0; r < t->run_count; r++) *value++ = eval_value(t, r, m->picks[p], t->order[i]);
            const double *runs = value - t->run_count;
            for (size_t r = 1; r < t->run_count; r++) *value++ = *difference++ = runs[r] - runs[0];
        }
}

/* Puts the results for measure number `which` of the matrix into the cells of all runs. */
static void take_results(eval_table *t, const matrix *m, size_t which)
{
    size_t runs = t->run_count, pick = m->picks[which];
    const dq_interval *interval = m->intervals + which * (2 * runs - 1);
    for (size_t r = 0; r < runs; r++) {
        eval_cell *c = cell_of(t, r, pick);
        c->has_interval = true;
        c->interval = interval[r];
        if (r == 0) continue;
        for (size_t i = 0; i < t->query_count; i++)
            t->ordered[i] = eval_value(t, r, pick, t->order[i]) - eval_value(t, 0, pick, t->order[i]);
        c->has_difference = true;
        c->difference = dq_mean(t->ordered, t->query_count);
        c->difference_interval = interval[runs + r - 1];
        c->p = m->p[which * (runs - 1) + r - 1];
        c->t = dq_t_test(t->ordered, t->query_count);
    }
}

static dq_status fill_intervals(eval_table *t, const eval_options *o, dq_error *error)
{
    matrix m = {0};
    size_t resamples = (size_t)o->resamples;
    dq_rng queries = dq_rng_stream(o->common.seed, RESAMPLE_STREAM);
    dq_rng signs = dq_rng_stream(o->common.seed, SIGN_STREAM);
    dq_status status = make_matrix(t, &m, error);
    if (!status && m.width) {
        fill_matrix(t, &m);
        status = dq_bootstrap_means(m.values, t->query_count, m.width, resamples, o->confidence, &queries,
                                    m.intervals, error);
    }
    if (!status && m.differences)
        status = dq_randomisation_tests(m.signed_values, t->query_count, m.differences, resamples, &signs,
                                        m.p, error);
    for (size_t p = 0; p < m.pick_count && !status; p++) take_results(t, &m, p);
    free_matrix(&m);
    return status;
}

dq_status eval_compare(eval_table *t, const eval_options *o, dq_error *error)
{
    t->cells = calloc(t->run_count * t->picks.count + 1, sizeof *t->cells);
    if (!t->cells) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for the results");
    for (size_t r = 0; r < t->run_count; r++)
        for (size_t p = 0; p < t->picks.count; p++)
            cell_of(t, r, p)->value = dq_measure_summary(t->picks.at[p].measure, eval_values(t, r, p),
                                                         t->query_count);
    bool wanted = o->format != EVAL_TREC && (o->interval || t->run_count > 1);
    return wanted ? fill_intervals(t, o, error) : DQ_OK;
}
