/* SPDX-License-Identifier: MIT
 *
 * What several runs (agents, systems) came to over the same queries (episodes): a line of a table for each.
 */
#ifndef DQ_MEASURE_SUMMARY_H
#define DQ_MEASURE_SUMMARY_H

#include "compare/runs.h"

typedef struct dq_summary {
    double mean, sd, min, max; /* sd that of a sample, 0 for one query */
    dq_comparison compared;    /* the mean's interval, and how the run differs from the first */
} dq_summary;

/* values (runs, queries), of runs >= 1 and queries >= 1; fills summaries (runs). Errors as dq_compare_runs.
 */
dq_status dq_summarise_runs(const double *values, size_t runs, size_t queries,
                            const dq_compare_config *config, dq_summary *summaries, dq_error *error);

#endif
