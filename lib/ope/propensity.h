/* SPDX-License-Identifier: MIT
 *
 * With which probability a log's policy showed an item, where it did not write that down: multinomial
 * logistic regression of the item on the user's vector and the place,
 *
 *     p(a | x) = exp(w_a x) / sum_b exp(w_b x)        x = [1 | place (one of 16) | the user's vector]
 *
 * with the penalty |w|^2 / 2 without the constants. Each pass over the log is a step of Bohning's method
 * ("Multinomial logistic regression algorithm", 1992), whose curvature, 1/2 sum x x', bounds the likelihood's
 * own, so that every step goes up; with Nesterov's momentum. (By counts it is ope/support.h's
 * dq_ope_support_share.)
 *
 *     dq_ope_propensity_init(&p, users, items, &e);
 *     do {
 *         ... dq_ope_propensity_take(&p, rows, n);            all rows
 *         dq_ope_propensity_solve(&p, &done, &e);
 *     } while (!done);
 *     ... dq_ope_propensity_apply(&p, rows, n);
 */
#ifndef DQ_OPE_PROPENSITY_H
#define DQ_OPE_PROPENSITY_H

#include "core/vectors.h"
#include "dq/status.h"
#include "ope/row.h"

#include <stddef.h>

typedef struct dq_ope_propensity {
    dq_vectors users; /* borrowed; of width 0: none */
    uint32_t items, width;
    double *w, *ahead; /* (items, width) as they stand, and where momentum looks from */
    double *gradient;  /* (items, width) */
    double *gram;      /* (width (width + 1) / 2) sum x x' of the first pass, then the curvature's factor */
    double *x, *p;     /* (width), (items) scratch */
    unsigned passes;
    bool unsettled; /* the passes ended before the weights stood still */
} dq_ope_propensity;

/* Free after a failure, too. DQ_ERR_RANGE for over 2^24 weights, DQ_ERR_MEMORY. */
dq_status dq_ope_propensity_init(dq_ope_propensity *propensity, dq_vectors users, uint32_t items,
                                 dq_error *error);
void dq_ope_propensity_free(dq_ope_propensity *propensity);
/* user (where there are vectors), item and position of the rows count. */
void dq_ope_propensity_take(dq_ope_propensity *propensity, const dq_ope_row *rows, size_t n);
/* After a pass; *done after the last of them. DQ_ERR_NUMERIC where vectors are too large. */
dq_status dq_ope_propensity_solve(dq_ope_propensity *propensity, bool *done, dq_error *error);
/* Fills the rows' propensities, each above 0. */
void dq_ope_propensity_apply(dq_ope_propensity *propensity, dq_ope_row *rows, size_t n);

#endif
