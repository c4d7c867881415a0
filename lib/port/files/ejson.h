/* SPDX-License-Identifier: MIT
 *
 * Extended JSON: how the types of BSON that JSON does not have are written. mongoexport, Compass, drivers and
 * shells write it in four ways (version 1 and 2, canonical and relaxed). Here each becomes one form, which
 * port/mongo makes of BSON itself, so that a document is one and the same wherever it came from:
 *
 *     int32, int64         a number, DQ_INT
 *     double               a number, DQ_REAL; {"$numberDouble": "NaN", "Infinity" or "-Infinity"}
 *     decimal              {"$numberDecimal": "12.50"}
 *     string, symbol       a string
 *     ObjectId             {"$oid": 24 hex digits, lower-case}
 *     date                 {"$date": "2026-01-31T12:00:00Z"}, with .mmm where it has milliseconds;
 *                          {"$date": {"$numberLong": ms}} outside of the years 1970 to 9999
 *     binary, UUID         {"$binary": {"base64": ..., "subType": two hex digits, lower-case}}
 *     regular expression   {"$regularExpression": {"pattern": ..., "options": ...}}
 *     others               as they stand
 *
 * An object with another key that begins with a $, with a key more, or whose inside is not what its key says,
 * stays as it is. A date is cut to its milliseconds, as BSON has them.
 *
 * MongoDB Extended JSON, version 2: github.com/mongodb/specifications, source/extended-json.
 */
#ifndef DQ_PORT_FILES_EJSON_H
#define DQ_PORT_FILES_EJSON_H

#include "dq/status.h"
#include "dq/value.h"

/* dq_json_parse, and then the one form. Its errors. */
dq_status dq_ejson_parse(const char *text, size_t bytes, dq_arena *arena, dq_value *value, dq_error *error);

/* Brings a value, whose lists and maps may be written, into the one form. DQ_ERR_MEMORY. */
dq_status dq_ejson_normalise(dq_value *value, dq_arena *arena, dq_error *error);

/* ---- the one form, made of BSON's types (ejson_types.c); DQ_ERR_MEMORY ---- */

dq_status dq_ejson_real(double number, dq_arena *arena, dq_value *value, dq_error *error);
/* Milliseconds since 1970. */
dq_status dq_ejson_date(int64_t ms, dq_arena *arena, dq_value *value, dq_error *error);
dq_status dq_ejson_binary(const void *bytes, size_t n, unsigned subtype, dq_arena *arena, dq_value *value,
                          dq_error *error);
/* {key: inner}, and {a: x, b: y}. */
dq_status dq_ejson_wrap(const char *key, dq_value inner, dq_arena *arena, dq_value *value, dq_error *error);
dq_status dq_ejson_wrap_two(const char *a, dq_value x, const char *b, dq_value y, dq_arena *arena,
                            dq_value *value, dq_error *error);

/* ---- what a value in the one form holds ---- */

/* The key of an object that is of one of the forms above or could be: its first key where that begins with a
 * $; else NULL. */
const char *dq_ejson_key(const dq_value *value);

/* A number, perhaps not finite: DQ_INT, DQ_REAL, $numberDouble, $numberDecimal (rounded). False for anything
 * else. */
bool dq_ejson_number(const dq_value *value, double *number);

/* The bytes of a $binary, in the arena: DQ_ERR_FORMAT where the value is none, or no base64 with its padding.
 */
typedef struct dq_ejson_bytes {
    const unsigned char *at;
    size_t count;
    unsigned subtype;
} dq_ejson_bytes;
dq_status dq_ejson_bytes_of(const dq_value *value, dq_arena *arena, dq_ejson_bytes *bytes, dq_error *error);

enum { DQ_UUID_BYTES = 16, DQ_UUID_TEXT = 36, DQ_UUID_SUBTYPE = 4, DQ_OLD_UUID_SUBTYPE = 3 };

/* 8-4-4-4-12 lower-case hex digits, and a NUL. */
void dq_ejson_uuid(const unsigned char bytes[DQ_UUID_BYTES], char text[DQ_UUID_TEXT + 1]);

/* What a person reads in it: an ObjectId's digits, a date in ISO 8601, a decimal, a UUID, other bytes in
 * base64, a pattern, code. *text, which is another value, is DQ_NIL for one that is none of these.
 * DQ_ERR_MEMORY. */
dq_status dq_ejson_text(const dq_value *value, dq_arena *arena, dq_value *text, dq_error *error);

#endif
