/* SPDX-License-Identifier: MIT
 *
 * Off-policy evaluation of a log that streams by. Memory is that of the blocks (ope/blocks.h), whatever the
 * log's length:
 *
 *     dq_ope_evaluation *e;
 *     dq_ope_evaluation_new(&e, &config, &error);
 *     while (...) dq_ope_evaluation_add(e, rows, n, &error);
 *     dq_ope_evaluation_finish(e, estimates, &weights, &error);
 *     dq_ope_evaluation_free(e);
 */
#ifndef DQ_OPE_EVALUATION_H
#define DQ_OPE_EVALUATION_H

#include "ope/estimate.h"
#include "ope/estimator.h"

typedef struct dq_ope_config {
    const dq_ope_picks *picks; /* borrowed */
    /* The greatest weight of ips, snips, dr and sndr; the tau of switch-dr; the lambda of dr-os. Each may be
     * INFINITY. */
    double clip, tau, shrinkage;
    const double *grid; /* (grid_count) bounds for SLOPE, ascending; borrowed */
    size_t grid_count;  /* at most DQ_SLOPE_MAX */
    double gamma;       /* discount of sessions, in [0, 1] */
    double confidence;  /* of the intervals, in (0, 1) */
    size_t resamples;   /* of the bootstrap, >= 2 */
    uint64_t seed;
} dq_ope_config;

/* What the log is worth. */
typedef struct dq_ope_weights {
    uint64_t rows;
    double mean; /* of the weights target / propensity: 1 where the target takes only what the log can show */
} dq_ope_weights;

typedef struct dq_ope_evaluation dq_ope_evaluation;

dq_status dq_ope_evaluation_new(dq_ope_evaluation **evaluation, const dq_ope_config *config, dq_error *error);
/* Takes rows; how they are cut into calls changes no bit of what comes out. DQ_ERR_RANGE as
 * dq_ope_sessions_add. */
dq_status dq_ope_evaluation_add(dq_ope_evaluation *evaluation, const dq_ope_row *rows, size_t n,
                                dq_error *error);
/* estimates (picks): in the order of the picks. DQ_ERR_RANGE for no rows, DQ_ERR_NUMERIC for an estimate that
 * is no finite number (all weights 0 in a ratio). */
dq_status dq_ope_evaluation_finish(dq_ope_evaluation *evaluation, dq_ope_estimate *estimates,
                                   dq_ope_weights *weights, dq_error *error);
/* After dq_ope_evaluation_finish: what each block of rows, or of sessions, adds to a pick's estimate
 * (dq_ope_blocks_influence): how many, and the values. Evaluations of the same rows have the same blocks. */
size_t dq_ope_evaluation_blocks(const dq_ope_evaluation *evaluation, size_t pick);
/* Whether a block is more than one row, or session. */
bool dq_ope_evaluation_sums(const dq_ope_evaluation *evaluation, size_t pick);
dq_status dq_ope_evaluation_influence(const dq_ope_evaluation *evaluation, size_t pick, double *values,
                                      dq_error *error);
void dq_ope_evaluation_free(dq_ope_evaluation *evaluation);

#endif
