/* SPDX-License-Identifier: MIT
 *
 * Rows that programs print: cells of tab-separated ones, which dq-export reads back, and lines of JSON.
 */
#ifndef DQ_PORT_FILES_ROWS_H
#define DQ_PORT_FILES_ROWS_H

#include "dq/sink.h"
#include "port/files/json.h"

/* Appends the text of a cell: a tab, line feed, carriage return and backslash become \t, \n, \r and \\, and a
 * quote at its beginning \", for a cell in quotes is read as CSV's; each byte of another control character
 * becomes \xNN (core/utf8.h), for a terminal obeys them. */
dq_status dq_rows_add_text(dq_json_text *line, const char *text, size_t bytes, dq_error *error);
/* The same straight into a sink. */
dq_status dq_rows_write_text(dq_sink *sink, const char *text, size_t bytes, dq_error *error);

/* The decimal of the fewest digits, at least 15, that reads back as the same double. */
void dq_rows_number(double value, char text[32]);

/* Appends {"user":"...","item":"...": an object that is to go on. */
dq_status dq_rows_begin_pair(dq_json_text *line, const char *user, size_t user_bytes, const char *item,
                             size_t item_bytes, dq_error *error);

/* Whether a name is "kind", perhaps behind "attr."s. A row that says its kind under that key has an attribute
 * of that name under attr.kind, and one of the name attr.kind under attr.attr.kind. */
bool dq_rows_names_kind(const char *name, size_t bytes);

/* A value as one line of JSON; errors as dq_json_write's. */
dq_status dq_rows_write_json(dq_sink *sink, const dq_value *value, dq_error *error);

#endif
