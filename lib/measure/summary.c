/* SPDX-License-Identifier: MIT */
#include "measure/summary.h"

#include <math.h>
#include <stdlib.h>

typedef struct rows {
    const double *values; /* (runs, queries) */
    size_t queries;
} rows;

static double value_of(const void *self, size_t measure, size_t run, size_t query)
{
    const rows *r = self;
    (void)measure;
    return r->values[run * r->queries + query];
}

static dq_summary describe(const double *values, size_t n, const dq_comparison *compared)
{
    dq_summary s = {.mean = dq_mean(values, n),
                    .sd = dq_sd(values, n),
                    .min = INFINITY,
                    .max = -INFINITY,
                    .compared = *compared};
    for (size_t i = 0; i < n; i++) {
        s.min = fmin(s.min, values[i]);
        s.max = fmax(s.max, values[i]);
    }
    return s;
}

dq_status dq_summarise_runs(const double *values, size_t runs, size_t queries,
                            const dq_compare_config *config, dq_summary *summaries, dq_error *error)
{
    const rows of = {values, queries};
    const dq_run_values all = {
        .measures = 1, .runs = runs, .queries = queries, .value = value_of, .self = &of};
    dq_comparison *compared = calloc(runs + 1, sizeof *compared);
    if (!compared) return dq_fail(error, DQ_ERR_MEMORY, "out of memory to sum up runs");
    dq_status status = dq_compare_runs(&all, config, compared, error);
    for (size_t r = 0; r < runs && !status; r++)
        summaries[r] = describe(values + r * queries, queries, &compared[r]);
    free(compared);
    return status;
}
