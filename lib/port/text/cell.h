/* SPDX-License-Identifier: MIT
 *
 * What a cell of a table is, where that can be told without reading JSON: a number, a truth value, null, or a
 * text that is no JSON.
 */
#ifndef DQ_PORT_TEXT_CELL_H
#define DQ_PORT_TEXT_CELL_H

#include "dq/value.h"

/* The value that dq_json_parse (port/files/json.h) makes of a cell, or a DQ_STRING of it where that refuses
 * it, which then is the cell itself and not a copy. A NUL follows the cell. False: it is to be parsed, for it
 * begins as a string, list or object does, has blanks around it, or is a number that is rarely seen. */
bool dq_cell_read(const char *text, size_t n, dq_value *value);

#endif
