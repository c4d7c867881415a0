/* SPDX-License-Identifier: MIT
 *
 * Cells of the tab-separated rows that programs print. Such rows read back: dq-export takes them.
 */
#ifndef DQ_CLI_ROWS_H
#define DQ_CLI_ROWS_H

#include "dq/sink.h"
#include "port/files/json.h"

/* Appends a text's bytes; a tab, line feed, carriage return and backslash become \t, \n, \r and \\. */
dq_status dq_rows_add_text(dq_json_text *line, const char *text, size_t bytes, dq_error *error);
/* The same straight into a sink. */
dq_status dq_rows_write_text(dq_sink *sink, const char *text, size_t bytes, dq_error *error);

/* The decimal of the fewest digits, at least 15, that reads back as the same double. */
void dq_rows_number(double value, char text[32]);

#endif
