/* SPDX-License-Identifier: MIT
 *
 * Several targets judged by one log, in pairs: what each block of rows adds to the estimates of each, so that
 * what they share cancels in their differences.
 *
 *     dq_ope_paired p = {.evaluations = evaluations, .count = 2, .picks = &picks};
 *     dq_ope_paired_find(&p, &e);
 *     values = dq_ope_paired_values(&p);         measures: picks; runs: targets; queries: blocks
 *     dq_ope_paired_free(&p);
 */
#ifndef DQ_OPE_PAIRED_H
#define DQ_OPE_PAIRED_H

#include "compare/runs.h"
#include "ope/evaluation.h"

enum { DQ_OPE_MAX_TARGETS = 16 };

typedef struct dq_ope_paired {
    const dq_ope_evaluation
        *evaluations[DQ_OPE_MAX_TARGETS]; /* (count) finished, of the same rows and picks */
    size_t count;
    const dq_ope_picks *picks;
    size_t blocks;  /* the most that a pick has */
    double *values; /* (picks, count, blocks); NAN: the pick has fewer */
} dq_ope_paired;

/* Finds the values (dq_ope_evaluation_influence): their mean over blocks is the estimate. DQ_ERR_MEMORY. */
dq_status dq_ope_paired_find(dq_ope_paired *paired, dq_error *error);
dq_run_values dq_ope_paired_values(const dq_ope_paired *paired);
void dq_ope_paired_free(dq_ope_paired *paired);

#endif
