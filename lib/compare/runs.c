/* SPDX-License-Identifier: MIT
 *
 * All means and differences are resampled with the same queries, in one pass over a matrix with a row a
 * query:
 *
 *     measure 1: run 1, run 2 ..., run 2 - run 1, run 3 - run 1 ... | measure 2: ...
 */
#include "compare/runs.h"

#include <stdbool.h>
#include <stdlib.h>

typedef struct matrix {
    size_t width, differences; /* columns in all, and those that are differences */
    double *values;            /* (queries, width) */
    dq_interval *intervals;    /* (width) */
    double *signed_values;     /* (queries, differences) the differences alone, for the tests */
    double *p;                 /* (differences) */
    double *column;            /* (queries) scratch */
} matrix;

static void free_matrix(matrix *m)
{
    free(m->values);
    free(m->intervals);
    free(m->signed_values);
    free(m->p);
    free(m->column);
}

static dq_status make_matrix(const dq_run_values *v, matrix *m, dq_error *error)
{
    m->width = v->measures * (2 * v->runs - 1);
    m->differences = v->measures * (v->runs - 1);
    m->values = calloc(v->queries * m->width + 1, sizeof *m->values);
    m->intervals = calloc(m->width + 1, sizeof *m->intervals);
    m->signed_values = calloc(v->queries * m->differences + 1, sizeof *m->signed_values);
    m->p = calloc(m->differences + 1, sizeof *m->p);
    m->column = calloc(v->queries + 1, sizeof *m->column);
    bool all = m->values && m->intervals && m->signed_values && m->p && m->column;
    return all ? DQ_OK : dq_fail(error, DQ_ERR_MEMORY, "out of memory to compare runs");
}

static void fill_matrix(const dq_run_values *v, matrix *m)
{
    double *value = m->values, *difference = m->signed_values;
    for (size_t q = 0; q < v->queries; q++)
        for (size_t k = 0; k < v->measures; k++) {
            for (size_t r = 0; r < v->runs; r++) *value++ = v->value(v->self, k, r, q);
            const double *runs = value - v->runs;
            for (size_t r = 1; r < v->runs; r++) *value++ = *difference++ = runs[r] - runs[0];
        }
}

/* One measure's results, (runs). */
static void take_results(const dq_run_values *v, const matrix *m, size_t measure, dq_comparison *results)
{
    const dq_interval *interval = m->intervals + measure * (2 * v->runs - 1);
    const double *p = m->p + measure * (v->runs - 1);
    for (size_t r = 0; r < v->runs; r++) {
        results[r] = (dq_comparison){.interval = interval[r]};
        if (r == 0) continue;
        for (size_t q = 0; q < v->queries; q++)
            m->column[q] = m->signed_values[q * m->differences + measure * (v->runs - 1) + r - 1];
        results[r].difference = dq_mean(m->column, v->queries);
        results[r].difference_interval = interval[v->runs + r - 1];
        results[r].p = p[r - 1];
        results[r].p_t = dq_t_test(m->column, v->queries);
    }
}

dq_status dq_compare_runs(const dq_run_values *values, const dq_compare_config *config,
                          dq_comparison *results, dq_error *error)
{
    matrix m = {0};
    dq_rng queries = dq_rng_stream(config->seed, DQ_COMPARE_RESAMPLE);
    dq_rng signs = dq_rng_stream(config->seed, DQ_COMPARE_SIGN);
    dq_status status = make_matrix(values, &m, error);
    if (!status && m.width) {
        fill_matrix(values, &m);
        status = dq_bootstrap_means(m.values, values->queries, m.width, config->resamples, config->confidence,
                                    &queries, m.intervals, error);
    }
    if (!status && m.differences)
        status = dq_randomisation_tests(m.signed_values, values->queries, m.differences, config->resamples,
                                        &signs, m.p, error);
    for (size_t k = 0; k < values->measures && !status; k++)
        take_results(values, &m, k, results + k * values->runs);
    free_matrix(&m);
    return status;
}
