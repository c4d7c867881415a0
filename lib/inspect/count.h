/* SPDX-License-Identifier: MIT
 *
 * How many rows of each kind there are, or were chosen. A model counts as one.
 */
#ifndef DQ_INSPECT_COUNT_H
#define DQ_INSPECT_COUNT_H

#include "core/index.h"
#include "dq/sink.h"

/* Zero-initialise; free with dq_counts_free. */
typedef struct dq_counts {
    dq_index kinds;
    uint64_t *rows; /* (kinds) */
    size_t room;
} dq_counts;

/* So many more rows of a kind; 0 lets it be counted as 0. DQ_ERR_MEMORY. */
dq_status dq_counts_add(dq_counts *counts, const char *kind, uint64_t rows, dq_error *error);
/* A line "KIND TAB ROWS" for each kind, in the order of their first appearance. */
dq_status dq_counts_write(const dq_counts *counts, dq_sink *out, dq_error *error);
void dq_counts_free(dq_counts *counts);

#endif
