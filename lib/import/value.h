/* SPDX-License-Identifier: MIT
 *
 * Reads ids, texts, numbers and vectors out of the values of a document, which has been read by
 * dq_ejson_parse (port/files/ejson.h) or comes from a database: either way in the one form of extended JSON.
 */
#ifndef DQ_IMPORT_VALUE_H
#define DQ_IMPORT_VALUE_H

#include "dq/status.h"
#include "dq/value.h"
#include "import/fault.h"
#include "port/files/documents.h"

typedef struct dq_import_id {
    enum dq_id_kinds kind;
    int64_t integer;  /* of a DQ_ID_INTEGER; of a DQ_ID_BINARY 256 * its bytes + its subtype, as BSON sorts */
    const char *text; /* decimal, the string itself, 24 lower-case hex digits, a UUID (8-4-4-4-12 of them),
                         other bytes in lower-case hex; perhaps without a NUL */
    size_t bytes;
} dq_import_id;

/* A string that is not empty (ObjectId("...") is the ObjectId); an integer, or a whole number up to 2^53;
 * an ObjectId; a binary of subtype 4 (a UUID), or of 0, 5 or 128 unless it has the 12 bytes of an ObjectId;
 * what a reference ({"$ref": .., "$id": ..}) refers to. DQ_IMPORT_NO_ID in words for anything else. The text
 * is the value's, or in the arena. */
dq_import_fault dq_import_read_id(const dq_value *value, dq_arena *arena, dq_import_id *id, dq_error *error);
/* Integers by value, then strings by bytes, then binaries, then ObjectIds: as a database sorts them. */
int dq_import_id_compare(const dq_import_id *a, const dq_import_id *b);

/* What a person would read: strings as they are, lists joined by ", " (lists of objects by "; "), objects as
 * "key: value, key: value", dates, ObjectIds, decimals and UUIDs in their digits (dq_ejson_text), in the
 * arena. DQ_NIL for null and NULL. DQ_ERR_NUMERIC for a number that is not
 * finite. */
dq_status dq_import_read_text(const dq_value *value, dq_arena *arena, dq_value *text, dq_error *error);

/* A finite number, also in quotes. The name is for messages. DQ_IMPORT_MISTYPED, _NOT_FINITE. */
dq_import_fault dq_import_read_number(const dq_value *value, const char *name, double *number,
                                      dq_error *error);

/* The numbers of a vector: DQ_FLOATS, or a DQ_LIST whose elements have not been looked at. Out of a list
 * (also of one list), a text (port/files/vector_text.h), or a binary (dq_bson_vector), for which the width
 * counts that is expected, 0 where that is not known. DQ_IMPORT_MISTYPED. */
dq_import_fault dq_import_unpack_vector(const dq_value *value, const char *name, uint32_t width,
                                        dq_arena *arena, dq_value *numbers, dq_error *error);

/* Exactly `width` finite numbers of a vector into `to`. DQ_IMPORT_MISTYPED, _WIDTH, _NOT_FINITE; `to` then
 * holds anything. */
dq_import_fault dq_import_read_vector(const dq_value *value, const char *name, uint32_t width,
                                      dq_arena *arena, float *to, dq_error *error);

#endif
