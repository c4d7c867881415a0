/* SPDX-License-Identifier: MIT
 *
 * Reads ids, texts and vectors out of the values of a document. Extended JSON's forms ({"$oid": ...},
 * {"$numberLong":
 * ...}) are read, so that what mongoexport wrote and what a database answers are the same.
 */
#ifndef DQ_IMPORT_VALUE_H
#define DQ_IMPORT_VALUE_H

#include "dq/status.h"
#include "dq/value.h"
#include "import/fault.h"
#include "port/files/documents.h"

typedef struct dq_import_id {
    enum dq_id_kinds kind;
    int64_t integer;  /* of a DQ_ID_INTEGER */
    const char *text; /* decimal, the string itself, or 24 lower-case hex digits; perhaps without a NUL */
    size_t bytes;
} dq_import_id;

/* A string that is not empty, an integer, {"$oid": hex}, {"$numberLong": decimal}, {"$numberInt": decimal}:
 * DQ_IMPORT_NO_ID for anything else, NULL among it. The text is the value's, or in the arena. */
dq_import_fault dq_import_read_id(const dq_value *value, dq_arena *arena, dq_import_id *id, dq_error *error);
/* Integers by value, then strings by bytes, then ObjectIds. */
int dq_import_id_compare(const dq_import_id *a, const dq_import_id *b);

/* What a person would read: strings as they are, lists joined by ", " (lists of objects by "; "), objects as
 * "key: value, key: value", in the arena. DQ_NIL for null and NULL. DQ_ERR_NUMERIC for a number that is not
 * finite. */
dq_status dq_import_read_text(const dq_value *value, dq_arena *arena, dq_value *text, dq_error *error);

/* Exactly `width` finite numbers into `to`: a list, DQ_FLOATS, or a binary vector as extended JSON has it.
 * The name is for messages. DQ_IMPORT_MISTYPED, _WIDTH, _NOT_FINITE; `to` then holds anything. */
dq_import_fault dq_import_read_vector(const dq_value *value, const char *name, uint32_t width,
                                      dq_arena *arena, float *to, dq_error *error);

#endif
