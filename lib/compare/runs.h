/* SPDX-License-Identifier: MIT
 *
 * How sure are the means of several runs (systems) over the same queries, and how do the runs differ from the
 * first, which is the baseline? The pairs are a query's values: both are resampled together. Every measure
 * and every run sees the same resamples, so results do not depend on what else is compared.
 */
#ifndef DQ_COMPARE_RUNS_H
#define DQ_COMPARE_RUNS_H

#include "compare/bootstrap.h"

#include <stdint.h>

/* The values that are compared, of whoever has them. */
typedef struct dq_run_values {
    size_t measures, runs, queries; /* runs >= 1, queries >= 1 */
    double (*value)(const void *self, size_t measure, size_t run, size_t query);
    const void *self;
} dq_run_values;

/* The streams of random numbers that comparisons draw from. */
enum { DQ_COMPARE_RESAMPLE = 1, DQ_COMPARE_SIGN };

typedef struct dq_compare_config {
    size_t resamples;  /* >= 2; of the bootstrap, and signs tossed by the randomisation test */
    double confidence; /* of the intervals, in (0, 1) */
    uint64_t seed;
} dq_compare_config;

/* One run by one measure. */
typedef struct dq_comparison {
    dq_interval interval; /* of the mean */
    /* The mean of this run's values less the first run's, its interval, and two-sided p of "no difference":
     * by the randomisation test, and by Student's t test (dq_t_test, which may be NAN). 0 of the first run.
     */
    double difference;
    dq_interval difference_interval;
    double p, p_t;
} dq_comparison;

/* Fills results (measures, runs). DQ_ERR_RANGE as dq_bootstrap_means. */
dq_status dq_compare_runs(const dq_run_values *values, const dq_compare_config *config,
                          dq_comparison *results, dq_error *error);

#endif
