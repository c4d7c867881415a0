/* SPDX-License-Identifier: MIT
 *
 * JSON texts into values and back. lib/port/files/json.c is the only home of jansson.
 *
 * Reading is strict (RFC 8259): UTF-8, no NaN, no comments, no duplicate keys, at most 32 levels. An integer
 * that fits 64 bits is DQ_INT, every other number DQ_REAL. Writing is compact and canonical: keys in the
 * map's order, numbers in the fewest digits that read back as the same number, so that a text which was read
 * and written once stays the same for ever.
 */
#ifndef DQ_PORT_FILES_JSON_H
#define DQ_PORT_FILES_JSON_H

#include "dq/status.h"
#include "dq/value.h"

#include <stdbool.h>

enum { DQ_JSON_DEPTH = 32 };

/* Parses one JSON text of n bytes (white space around it is allowed, anything else after it is not) into a
 * value in the arena. DQ_ERR_FORMAT with what and where: "JSON: invalid token near 'NaN' at byte 12". With
 * DQ_ERR_MEMORY the arena has failed, too, for callers that take an error for "says nothing". */
dq_status dq_json_parse(const char *text, size_t bytes, dq_arena *arena, dq_value *value, dq_error *error);

/* The same for a small file (at most 16 MiB, plain or compressed): a mapping, an options file. */
dq_status dq_json_read_file(const char *path, dq_arena *arena, dq_value *value, dq_error *error);

/* A decimal number that stands in a text of its own, whose bytes a NUL or a blank follows: sign, digits,
 * point, exponent. False for anything else, also for what strtod(3) takes besides: white space, hexadecimal
 * digits, words. The number may be infinite. */
bool dq_json_read_number(const char *text, size_t bytes, double *number);

/* JSON text in the making. Zero-initialise; `bytes = 0` forgets the text and keeps the memory. */
typedef struct dq_json_text {
    char *data; /* not NUL-terminated */
    size_t bytes, capacity;
} dq_json_text;

#define DQ_JSON_TEXT_EMPTY ((dq_json_text){0})

/* Each appends; DQ_ERR_MEMORY when memory is short. A DQ_BINARY value and a NaN or infinity have no JSON
 * form: DQ_ERR_UNSUPPORTED, DQ_ERR_NUMERIC. */
dq_status dq_json_write(dq_json_text *out, const dq_value *value, dq_error *error);
/* A quoted, escaped string of UTF-8; DEL and C1 control characters are escaped, too. */
dq_status dq_json_write_string(dq_json_text *out, const char *text, size_t bytes, dq_error *error);
/* A double: at most 17 significant digits, with a point or an exponent ("1.0"), so that it stays a real. */
dq_status dq_json_write_real(dq_json_text *out, double number, dq_error *error);
/* The double of which dq_json_write_real writes at most 9 digits, as many as tell float32 apart: what "%.9g"
 * of this one reads back as. */
double dq_json_real_of(float number);
/* [a,b,...]: float32 with at most 9 significant digits ("1" for one). */
dq_status dq_json_write_floats(dq_json_text *out, const float *numbers, size_t count, dq_error *error);
/* Bytes as they are: punctuation, or a text that is JSON already. */
dq_status dq_json_write_raw(dq_json_text *out, const char *text, size_t bytes, dq_error *error);
void dq_json_text_free(dq_json_text *out);

#endif
