/* SPDX-License-Identifier: MIT
 *
 * Models of rewards that are linear in what ope/features.h says of a row, or logistic:
 *
 *     ridge      q = x b          least squares with the penalty |b|^2 (Hoerl and Kennard 1970)
 *     logistic   q = 1 / (1 + exp(-x b))    Newton's method with the penalty |b|^2 / 2, for rewards in [0, 1]
 *
 * without a penalty on the constant. They are cross-fitted (Chernozhukov et al., "Double/debiased machine
 * learning", 2018): rows are dealt to DQ_OPE_FOLDS folds, 32 in a row to each in turn, and a row is judged by
 * the model that its fold had no part in.
 *
 *     dq_ope_linear_init(&l, logistic, &features, items, &e);
 *     do {
 *         dq_ope_linear_begin(&l);
 *         ... dq_ope_linear_take(&l, rows, n, &e);              all rows, in order
 *         dq_ope_linear_solve(&l, &done, &e);
 *     } while (!done);
 *     dq_ope_linear_begin(&l);
 *     ... dq_ope_linear_apply(&l, rows, n);                     the same rows, in order
 */
#ifndef DQ_OPE_LINEAR_H
#define DQ_OPE_LINEAR_H

#include "ope/features.h"

enum { DQ_OPE_FOLDS = 5, DQ_OPE_FOLD_ROWS = 32 };

typedef struct dq_ope_linear {
    bool logistic;
    const dq_ope_features *features; /* borrowed */
    uint32_t items;
    double *b[DQ_OPE_FOLDS];     /* (width) of the model that judges this fold */
    double *gram[DQ_OPE_FOLDS];  /* (dq_triangle(width)) */
    double *right[DQ_OPE_FOLDS]; /* (width) */
    double *score[DQ_OPE_FOLDS]; /* (items) the item's own part of x b */
    double *total;               /* (folds) these summed over the items */
    double *units;               /* (width of the users' vectors) sums over items of unit vectors, by pair */
    double *x, *work;            /* (width) scratch */
    uint64_t row;                /* of the pass */
    unsigned passes;
    bool unsettled; /* the passes ended before the models stood still */
} dq_ope_linear;

/* Of so many items. Free after a failure, too. DQ_ERR_MEMORY. */
dq_status dq_ope_linear_init(dq_ope_linear *linear, bool logistic, const dq_ope_features *features,
                             uint32_t items, dq_error *error);
void dq_ope_linear_free(dq_ope_linear *linear);

/* Before a pass over all rows. */
void dq_ope_linear_begin(dq_ope_linear *linear);
/* Takes rows into the fit; user and item are known. DQ_ERR_RANGE for a reward outside [0, 1] where it is
 * logistic. */
dq_status dq_ope_linear_take(dq_ope_linear *linear, const dq_ope_row *rows, size_t n, dq_error *error);
/* After a pass: *done says whether the models stand; else another pass follows. DQ_ERR_NUMERIC where the
 * numbers are too large to solve, DQ_ERR_RANGE for at most DQ_OPE_FOLD_ROWS rows, whose judge saw none. */
dq_status dq_ope_linear_solve(dq_ope_linear *linear, bool *done, dq_error *error);
/* Fills q and q_target by the rows' choices. */
void dq_ope_linear_apply(dq_ope_linear *linear, dq_ope_row *rows, size_t n);

#endif
