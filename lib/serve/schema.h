/* SPDX-License-Identifier: MIT
 *
 * What a JSON body, a query or an answer may hold, as tables of fields. One table checks what came (unknown
 * fields refused, sizes bounded) and writes its JSON Schema (2020-12) for the OpenAPI description, so that
 * the description cannot leave the handlers.
 *
 *     static const dq_serve_field fields[] = {
 *         {"user_id", DQ_SERVE_STRING | DQ_SERVE_INTEGER, .required = true, .max_length = 256},
 *         {"n_recommendations", DQ_SERVE_INTEGER, .min = 1, .max = 1000, .help = "items wanted (10)"},
 *         {"exclude", DQ_SERVE_LIST, .of_type = DQ_SERVE_STRING, .max_items = 10000}, {0}};
 *     static const dq_serve_schema body = {.name = "RecommendRequest", .fields = fields};
 */
#ifndef DQ_SERVE_SCHEMA_H
#define DQ_SERVE_SCHEMA_H

#include "dq/status.h"
#include "dq/value.h"

/* Bits: a field may be of several types. */
enum {
    DQ_SERVE_STRING = 1,
    DQ_SERVE_INTEGER = 2,
    DQ_SERVE_NUMBER = 4, /* integers, too */
    DQ_SERVE_BOOLEAN = 8,
    DQ_SERVE_LIST = 16,
    DQ_SERVE_OBJECT = 32,
    DQ_SERVE_NULL = 64,
};

typedef struct dq_serve_schema dq_serve_schema;

typedef struct dq_serve_field {
    const char *name;
    unsigned type; /* bits; 0: the end of the table */
    bool required;
    double min, max;            /* of numbers, inclusive, where min < max */
    uint32_t max_length;        /* STRING: bytes at most; 0 of what is taken means 4096. Of elements, too */
    uint32_t max_items;         /* LIST: elements at most; 0 of what is taken means 10000 */
    unsigned of_type;           /* LIST: bits of what its elements may be */
    const dq_serve_schema *of;  /* OBJECT: its fields; LIST of objects: the elements' fields */
    const char *const *choices; /* STRING: these alone; NULL-ended */
    const char *help;           /* one line */
} dq_serve_field;

struct dq_serve_schema {
    const char *name;             /* the component's name in OpenAPI: "RecommendRequest" */
    const dq_serve_field *fields; /* ended by {0}; NULL: any name, each value of type `any` */
    unsigned any;                 /* fields NULL: bits */
};

/* DQ_ERR_SCHEMA with a JSON Pointer and what is wrong there: "/exclude/3: not a string". */
dq_status dq_serve_schema_check(const dq_serve_schema *schema, const dq_value *value, dq_error *error);

/* One field's value from the words of a query ("20", "true"); DQ_ERR_SCHEMA as above. */
dq_status dq_serve_field_parse(const dq_serve_field *field, const char *words, dq_arena *arena,
                               dq_value *value, dq_error *error);

/* The schema as JSON Schema: {"type": "object", ...}; those that it refers to are {"$ref":
 * "#/components/schemas/NAME"}. taken: it is of what a client sends, and has limits where the table names
 * none; an answer has those of the table alone. A string's maxLength is of characters, so of fewer than its
 * bytes are: what is longer is refused, and so may be what is not. False when memory is short. */
bool dq_serve_schema_describe(const dq_serve_schema *schema, bool taken, dq_arena *arena, dq_value *out);
/* The same of one field. */
bool dq_serve_field_describe(const dq_serve_field *field, bool taken, dq_arena *arena, dq_value *out);

#endif
