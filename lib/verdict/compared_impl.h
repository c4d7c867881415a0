/* SPDX-License-Identifier: MIT
 *
 * What the comparisons share: rows of TSV, names, notes.
 */
#ifndef DQ_VERDICT_COMPARED_IMPL_H
#define DQ_VERDICT_COMPARED_IMPL_H

#include "core/index.h"
#include "dq/arena.h"
#include "verdict/compared.h"

/* Adds a note; of at most DQ_COMPARED_NOTES. */
void verdict_note(dq_compared *compared, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A cell, and the tab behind it. */
dq_status verdict_text(dq_sink *out, const char *text, dq_error *error);
/* A cell, and what stands behind it. What is no finite number is empty. */
dq_status verdict_number(dq_sink *out, double value, char behind, dq_error *error);
/* Cells to the end of the row. */
dq_status verdict_numbers(dq_sink *out, const double *values, size_t count, dq_error *error);
/* Closes the sink of a table, or after a failure gives up. */
dq_status verdict_end(dq_sink *out, dq_status status, dq_error *error);
/* The ids of an index as C strings in the arena; NULL: no memory. */
const char **verdict_names(const dq_index *index, dq_arena *arena);

#endif
