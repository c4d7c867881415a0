/* SPDX-License-Identifier: MIT
 *
 * A small tree of values: what a stream's metadata, a maker's options, a schema mapping and a JSON line all
 * are. wire turns it into MessagePack and back, port/json into JSON and back. Every node and text lives in an
 * arena; a value is copied by assignment and never freed on its own. A tree that came out of a stream is
 * read-only: copy it (dq_value_copy) before adding to it.
 */
#ifndef DQ_VALUE_H
#define DQ_VALUE_H

#include "dq/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum dq_value_type {
    DQ_NIL,
    DQ_BOOL,
    DQ_INT,
    DQ_REAL,
    DQ_STRING,
    DQ_BINARY,
    DQ_LIST,
    DQ_MAP,
    DQ_FLOATS /* a list of numbers, kept as float32: a vector that never was anything else to its reader */
} dq_value_type;

typedef struct dq_value {
    dq_value_type type;
    uint32_t count; /* STRING, BINARY: bytes; LIST, FLOATS: elements; MAP: pairs */
    union {
        bool boolean;
        int64_t integer;
        double real;
        const char *string;    /* UTF-8, count bytes; NUL-terminated unless it points into a record's body */
        const void *binary;    /* count bytes */
        struct dq_value *list; /* count elements */
        struct dq_entry *map;  /* count entries in order; keys are unique */
        const float *floats;   /* count numbers, perhaps not finite */
    } as;
} dq_value;

typedef struct dq_entry {
    dq_value key; /* always DQ_STRING */
    dq_value value;
} dq_entry;

dq_value dq_nil(void);
dq_value dq_bool(bool b);
dq_value dq_int(int64_t i);
dq_value dq_real(double d);
/* Nil for a NAN or an infinity, which JSON does not have. */
dq_value dq_real_or_nil(double d);

/* A copy of the text in the arena; DQ_NIL when memory is short or text is NULL. */
dq_value dq_string(dq_arena *arena, const char *text);
dq_value dq_string_n(dq_arena *arena, const char *text, size_t n);

dq_value dq_list(void);
dq_value dq_map(void);

/* Appends; the container grows in the arena. Returns false when memory is short, or was for an earlier piece
 * of the arena: what is to be added may be one that dq_string could not make. */
bool dq_list_add(dq_arena *arena, dq_value *list, dq_value element);
/* Sets key (copied) to value, replacing an equal key in place. false as above. */
bool dq_map_set(dq_arena *arena, dq_value *map, const char *key, dq_value value);
/* The same for a key, a string, that the map does not have: not looked for, and not copied. */
bool dq_map_add(dq_arena *arena, dq_value *map, dq_value key, dq_value value);

/* The value under key, or NULL when map is not a map or has none. */
const dq_value *dq_map_get(const dq_value *map, const char *key);

/* True when v is a string equal to text. */
bool dq_value_is(const dq_value *v, const char *text);
bool dq_value_equal(const dq_value *a, const dq_value *b);

/* A number as double, whether INT or REAL; fallback when v is NULL or not a number. */
double dq_value_number(const dq_value *v, double fallback);
/* An integer; fallback when v is NULL or not INT. */
int64_t dq_value_integer(const dq_value *v, int64_t fallback);
/* A NUL-terminated copy of a string in the arena, or NULL when v is NULL, not a string, or memory is short.
 */
const char *dq_value_text(dq_arena *arena, const dq_value *v);

/* A deep copy into another arena. Returns false when memory is short. */
bool dq_value_copy(dq_arena *arena, const dq_value *from, dq_value *to);

#endif
