/* SPDX-License-Identifier: MIT
 *
 * What print.c and print_tsv.c share: text in the making, whose first failure stays.
 */
#ifndef DQ_INSPECT_PRINT_IMPL_H
#define DQ_INSPECT_PRINT_IMPL_H

#include "dq/schema.h"
#include "inspect/print.h"

typedef struct dq_print {
    dq_json_text *out;
    const dq_selection *select; /* knows the ids behind references */
    dq_error *error;
    dq_status status;
    bool with_kind;
} dq_print;

void dq_print_bytes(dq_print *print, const char *text, size_t n);
void dq_print_text(dq_print *print, const char *text);
/* One row of a column as JSON: a number, an id, a string, a list, or null. */
void dq_print_cell(dq_print *print, const dq_column *column, uint64_t row);

/* Named parts of a bundle's vector. Zero-initialise; free the arena. */
typedef struct dq_print_parts {
    dq_field *fields;
    size_t count; /* 0: the vector is one list */
    dq_arena arena;
} dq_print_parts;

bool dq_print_is_vector(const dq_column *column);
void dq_print_read_parts(dq_print *print, const dq_bundle *bundle, dq_print_parts *parts);
/* A list, or an object of lists. */
void dq_print_vector(dq_print *print, const dq_column *column, uint64_t row, const dq_print_parts *parts);

#endif
