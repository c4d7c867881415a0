/* SPDX-License-Identifier: MIT
 *
 * Numbers that a log's rows bring along: a column of the interactions, or an attribute, whose JSON is a
 * number or, for a target's probabilities, an object from item to probability.
 */
#ifndef DQ_REPORT_OPE_COLUMN_H
#define DQ_REPORT_OPE_COLUMN_H

#include "core/index.h"
#include "ope/row.h"

typedef struct dq_ope_column {
    const dq_column *column;
} dq_ope_column;

/* Choices that the rows at hand point into. */
typedef struct dq_ope_choices {
    dq_arena arena;
} dq_ope_choices;

void dq_ope_choices_clear(dq_ope_choices *choices);
void dq_ope_choices_free(dq_ope_choices *choices);

/* The column NAME of numbers, else attr.NAME. DQ_ERR_SCHEMA: there is none. */
dq_status dq_ope_column_find(const dq_bundle *bundle, const char *name, dq_ope_column *column,
                             dq_error *error);
/* A finite number; DQ_ERR_SCHEMA for a null and for anything else. */
dq_status dq_ope_column_number(const dq_ope_column *column, uint64_t row, double *number, dq_error *error);
/* Fills target; of an object also choice, where `items` numbers its keys, and where items is NULL only what
 * it says of item_id, 0 where it does not have it. DQ_ERR_RANGE for a number outside [0, 1] and for an object
 * whose numbers add up to more than 1; DQ_ERR_UNKNOWN for an item that is not there. */
dq_status dq_ope_column_probability(const dq_ope_column *column, uint64_t row, const dq_index *items,
                                    const char *item_id, size_t item_bytes, dq_ope_choices *choices,
                                    dq_ope_row *to, dq_error *error);

#endif
