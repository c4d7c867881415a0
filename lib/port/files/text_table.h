/* SPDX-License-Identifier: MIT
 *
 * A table in the forms that people, papers and programs want it in, from its text as tab-separated rows
 * (port/files/rows.h) under a header: whoever has rows writes them once.
 *
 *     dq_text_table t = {.texts = 2};
 *     dq_text_table_open(&t, &sink, &e);               rows are written into the sink, then it is closed
 *     dq_text_table_write(&t, DQ_TEXT_MARKDOWN, out, &e);
 *     dq_text_table_free(&t);
 */
#ifndef DQ_PORT_FILES_TEXT_TABLE_H
#define DQ_PORT_FILES_TEXT_TABLE_H

#include "dq/sink.h"

#include <stddef.h>

typedef enum dq_text_form {
    DQ_TEXT_TABLE,   /* aligned columns */
    DQ_TEXT_TSV,     /* as it is */
    DQ_TEXT_CSV,     /* RFC 4180, with newlines alone */
    DQ_TEXT_JSON,    /* an object a row: numbers of numeric columns, null for an empty cell, else texts */
    DQ_TEXT_LATEX,   /* a tabular with booktabs' rules */
    DQ_TEXT_MARKDOWN /* a table of GitHub's */
} dq_text_form;

typedef struct dq_text_table {
    size_t texts; /* leading columns that are texts, whatever they look like; so is a column "group" */
    char *data;   /* (bytes) what was written, and a NUL behind it; NULL: nothing */
    size_t bytes, capacity;
} dq_text_table;

/* A sink that keeps what is written. Close it before the table is written. */
dq_status dq_text_table_open(dq_text_table *table, dq_sink **sink, dq_error *error);
/* TSV, CSV and JSON keep every digit; the others round a column of numbers to four digits of its largest that
 * is no whole number, but a p ("p", "p_...") to four decimals or "<0.0001"; whole numbers stay whole in a
 * column of such. They leave out columns without any cell. DQ_ERR_FORMAT for data that is no table. */
dq_status dq_text_table_write(const dq_text_table *table, dq_text_form form, dq_sink *out, dq_error *error);
void dq_text_table_free(dq_text_table *table);

#endif
