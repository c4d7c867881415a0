/* SPDX-License-Identifier: MIT
 *
 * Off-policy evaluation of a log that streams by. Memory is that of the blocks (ope/blocks.h), whatever the
 * log's length:
 *
 *     dq_ope_evaluation *e;
 *     dq_ope_evaluation_new(&e, &config, &error);
 *     while (...) dq_ope_evaluation_add(e, rows, n);
 *     dq_ope_evaluation_finish(e, estimates, &weights, &error);
 *     dq_ope_evaluation_free(e);
 */
#ifndef DQ_OPE_EVALUATION_H
#define DQ_OPE_EVALUATION_H

#include "measure/bootstrap.h"
#include "ope/estimator.h"

typedef struct dq_ope_config {
    const dq_ope_picks *picks; /* borrowed */
    /* The greatest weight of ips, snips, dr and sndr; the tau of switch-dr; the lambda of dr-os. Each may be
     * INFINITY. */
    double clip, tau, shrinkage;
    const double *grid; /* (grid_count) bounds for SLOPE, ascending; borrowed */
    size_t grid_count;  /* at most DQ_SLOPE_MAX */
    double confidence;  /* of the intervals, in (0, 1) */
    size_t resamples;   /* of the bootstrap, >= 2 */
    uint64_t seed;
} dq_ope_config;

typedef struct dq_ope_estimate {
    const char *name;
    double value;
    /* Of a mean sd / sqrt(n); of a ratio by the delta method. NAN for fewer than 2 rows. */
    double se;
    dq_interval bootstrap;
    /* Maurer and Pontil, "Empirical Bernstein bounds and sample variance penalization", 2009, theorem 4, for
     * each side with half of what the confidence leaves. The theorem wants the range of a term; it gets the
     * observed one and 0. Of a ratio it is that of its linearised terms, and so an approximation. */
    dq_interval bernstein;
    double bound; /* clip, tau or lambda that counted; NAN: none */
} dq_ope_estimate;

/* Of the weights target / propensity, before any clip. */
typedef struct dq_ope_weights {
    uint64_t rows;
    double ess; /* effective sample size, sum(w)^2 / sum(w^2) (Kong 1992); 0 where all are 0 */
    double largest, mean;
    double reward; /* mean of the log: what the policy earned that wrote it */
} dq_ope_weights;

typedef struct dq_ope_evaluation dq_ope_evaluation;

dq_status dq_ope_evaluation_new(dq_ope_evaluation **evaluation, const dq_ope_config *config, dq_error *error);
void dq_ope_evaluation_add(dq_ope_evaluation *evaluation, const dq_ope_row *rows, size_t n);
/* estimates (picks): in the order of the picks. DQ_ERR_RANGE for no rows, DQ_ERR_NUMERIC for an estimate that
 * is no finite number (all weights 0 in a ratio). */
dq_status dq_ope_evaluation_finish(dq_ope_evaluation *evaluation, dq_ope_estimate *estimates,
                                   dq_ope_weights *weights, dq_error *error);
void dq_ope_evaluation_free(dq_ope_evaluation *evaluation);

#endif
