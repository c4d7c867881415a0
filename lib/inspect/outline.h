/* SPDX-License-Identifier: MIT
 *
 * What a stream holds, at a glance: a line for each column of each kind.
 *
 *     kind          column     type  width  rows  nulls  holds                        example
 *     users         id         text      1   943      0  texts of 1 to 3 bytes        1
 *     users         vector     f4       20   943      0  0 to 1                       0,0.25,1,0,...
 *     users         .age       f4        1   943      0  0.1 to 0.73                  0.24
 *     interactions  attr.time  json      1  9430      0  1997-09-20T03:05:10Z to ...  874724710
 *
 * A line whose column begins with a point is a field of the vector above it. Columns of one name whose type,
 * width or reference differ stand on lines of their own. A model is a row, each of its tensors a column,
 * whose width is its shape.
 */
#ifndef DQ_INSPECT_OUTLINE_H
#define DQ_INSPECT_OUTLINE_H

#include "core/index.h"
#include "data/select.h"
#include "dq/sink.h"

typedef struct dq_outline_line dq_outline_line;

/* Zero-initialise; free with dq_outline_free. */
typedef struct dq_outline {
    dq_index keys; /* kind, column, type, width, reference */
    dq_outline_line *lines;
    size_t room;
} dq_outline;

/* Takes in the rows of a bundle that the selection chose; one of a kind that is asked for has its lines
 * though no row was chosen. DQ_ERR_FORMAT for an attribute that is not JSON, DQ_ERR_SCHEMA for fields that
 * do not fit the vector, DQ_ERR_MEMORY. */
dq_status dq_outline_add(dq_outline *outline, const dq_bundle *bundle, const dq_selection *select,
                         dq_error *error);
/* Writes the table, its columns padded with blanks and at least two blanks apart; nothing where no kind
 * came. */
dq_status dq_outline_write(const dq_outline *outline, dq_sink *out, dq_error *error);
void dq_outline_free(dq_outline *outline);

#endif
