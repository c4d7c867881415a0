/* SPDX-License-Identifier: MIT
 *
 * The simplest model of rewards: what an action earned at its place, drawn towards 1/2 as if two more rows
 * had been seen, one with reward 1 and one with 0 (Laplace's rule of succession):
 *
 *     q(a, place) = (rewards + 1) / (shown + 2)
 *
 * For rewards in [0, 1]. It is of the same log that it then judges: with few rows an action it leans to what
 * these rows say. Of an action that was never shown it says 1/2, which is far above most rates of clicks.
 */
#ifndef DQ_OPE_TABLE_H
#define DQ_OPE_TABLE_H

#include "ope/support.h"

typedef struct dq_ope_table {
    uint32_t positions, actions;
    double *q;   /* (positions, actions) */
    double *sum; /* (positions) over the actions */
} dq_ope_table;

/* Of what the support counted, which keeps rewards. DQ_ERR_RANGE where an action's rewards at a place are not
 * within 0 .. shown; DQ_ERR_MEMORY. */
dq_status dq_ope_table_fit(dq_ope_table *table, const dq_ope_support *support, dq_error *error);
/* Fills q and q_target of rows, whose actions and positions the support counted, by their choices. */
void dq_ope_table_apply(const dq_ope_table *table, dq_ope_row *rows, size_t n);
void dq_ope_table_free(dq_ope_table *table);

#endif
