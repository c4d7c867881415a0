/* SPDX-License-Identifier: MIT
 *
 * The rows of bundles that a dq_selection chose, as text, in the forms that dq-export reads.
 */
#ifndef DQ_INSPECT_PRINT_H
#define DQ_INSPECT_PRINT_H

#include "data/select.h"
#include "port/files/json.h"

/* Appends the chosen rows as JSON lines; with_kind puts the kind first. A bundle without rows (a model) is a
 * line for its metadata and one for each tensor. What calls itself JSON and is not: DQ_ERR_FORMAT. */
dq_status dq_print_json(dq_json_text *out, const dq_bundle *bundle, const dq_selection *select,
                        bool with_kind, dq_error *error);

/* The columns of a table of tab-separated values: those of its first bundle. Zero-initialise; free the
 * arena. */
typedef struct dq_tsv_head {
    const char **names;
    size_t count;
    char *kind;
    dq_arena arena;
} dq_tsv_head;
/* The same as tab-separated values; the first call writes the names of the columns. Nulls are empty, a vector
 * is one cell of JSON. DQ_ERR_UNSUPPORTED for a bundle without rows, a second kind, or a new column. */
dq_status dq_print_tsv(dq_json_text *out, const dq_bundle *bundle, const dq_selection *select,
                       dq_tsv_head *head, dq_error *error);

#endif
