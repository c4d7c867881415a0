/* SPDX-License-Identifier: MIT
 *
 * The one noun of dq: a bundle, named columns in order with a small map of metadata. A block of catalogue
 * rows, of transitions, a model's weights, a ranked list: all are bundles, told apart by their kind (see
 * dq/schema.h).
 *
 *     kind "items", rows 3, meta {"fields": ...}
 *     +---------+------------------+-----------------+---------------------+
 *     | id      | text.title       | attr.salary     | vector              |
 *     | DQ_TEXT | DQ_TEXT          | DQ_JSON         | DQ_F4 (rows, 1536)  |
 *     +---------+------------------+-----------------+---------------------+
 *
 * Columns of a table kind share the row count as their first dimension; the columns of a model have shapes of
 * their own. Text columns hold offsets and one run of UTF-8 bytes (as Arrow does). Any one-dimensional column
 * may have nulls. Numbers are little-endian in memory and in the stream.
 *
 * A bundle owns its arena: names, metadata and whatever was copied in. Column data are borrowed from the
 * caller (dq_bundle_add_*), copied into the arena (by the caller), or point into `body`, the record read from
 * a stream.
 */
#ifndef DQ_BUNDLE_H
#define DQ_BUNDLE_H

#include "dq/arena.h"
#include "dq/status.h"
#include "dq/value.h"

enum { DQ_MAX_DIMS = 4, DQ_MAX_COLUMNS = 4096 };

typedef enum dq_dtype {
    DQ_F2,   /* IEEE half */
    DQ_BF16, /* bfloat16 */
    DQ_F4,
    DQ_F8,
    DQ_I1,
    DQ_I2,
    DQ_I4,
    DQ_I8,
    DQ_U1,
    DQ_U2,
    DQ_U4,
    DQ_U8,
    DQ_TEXT, /* UTF-8 strings */
    DQ_JSON, /* UTF-8 strings, each one JSON value in compact form */
} dq_dtype;

/* The type's name in the stream: "f2" "bf16" "f4" "f8" "i1" ... "u8" "text" "json". */
const char *dq_dtype_name(dq_dtype type);
/* The type of a name of n bytes; false when there is none. */
bool dq_dtype_parse(const char *name, size_t n, dq_dtype *type);
/* Bytes an element: 1, 2, 4, 8; 0 for text and json. */
size_t dq_dtype_size(dq_dtype type);

typedef struct dq_column {
    const char *name;
    const char
        *ref; /* the kind whose rows (of the same section) these numbers count, e.g. "items"; NULL: plain */
    dq_dtype type;
    unsigned dims;               /* 1 .. DQ_MAX_DIMS; 1 for text */
    uint64_t shape[DQ_MAX_DIMS]; /* shape[0] is the bundle's rows in a table */
    const void *data;            /* numbers, row-major, 64-aligned when read; or the text bytes */
    size_t bytes;                /* of data */
    const uint32_t *offsets;     /* text: shape[0] + 1 ascending offsets into data, from 0 to bytes */
    const uint8_t *nulls; /* shape[0] flags, 1 where there is no value; NULL: none is null. Only dims 1 */
} dq_column;

typedef struct dq_bundle {
    const char
        *kind; /* "model" "users" "interactions" "items" "transitions" "rankings", or one we do not know */
    uint64_t rows; /* 0 for a model */
    dq_value meta; /* DQ_MAP */
    dq_column *columns;
    size_t column_count;
    dq_arena arena;
    unsigned char *body; /* the record these columns point into, 64-aligned, freed with the bundle; or NULL */
    size_t body_bytes;
    uint64_t body_hash; /* XXH3-64 of body, when there is one */
} dq_bundle;

#define DQ_BUNDLE_EMPTY ((dq_bundle){0})

/* Starts a bundle of a kind (copied) with so many rows; *bundle is overwritten, not freed. */
dq_status dq_bundle_init(dq_bundle *bundle, const char *kind, uint64_t rows, dq_error *error);

/* Adds a column of numbers. data (borrowed until the bundle is freed) has the product of shape elements. ref
 * may be NULL, nulls may be NULL. DQ_ERR_DUPLICATE for a name already there, DQ_ERR_RANGE for a product that
 * overflows, and for NULL where there are elements. */
dq_status dq_bundle_add_tensor(dq_bundle *bundle, const char *name, dq_dtype type, unsigned dims,
                               const uint64_t *shape, const void *data, dq_error *error);
/* A one-dimensional column of bundle->rows numbers, with what it refers to and its nulls (each may be NULL).
 */
dq_status dq_bundle_add_numbers(dq_bundle *bundle, const char *name, dq_dtype type, const void *data,
                                const char *ref, const uint8_t *nulls, dq_error *error);
/* A column of bundle->rows texts, DQ_TEXT or DQ_JSON; offsets[rows] bytes at data. nulls may be NULL. */
dq_status dq_bundle_add_text(dq_bundle *bundle, const char *name, dq_dtype type, const uint32_t *offsets,
                             const char *data, const uint8_t *nulls, dq_error *error);

/* The column of that name, or NULL. */
const dq_column *dq_bundle_column(const dq_bundle *bundle, const char *name);

/* Row r of a text column: its bytes and their number; NULL for a null. Not NUL-terminated. */
const char *dq_column_text(const dq_column *column, uint64_t row, size_t *bytes);
bool dq_column_is_null(const dq_column *column, uint64_t row);
/* Element i of a numeric column, converted (half and bfloat16 exactly). i < product of shape. */
double dq_column_number(const dq_column *column, uint64_t i);
/* Elements a row: the product of shape[1..]. */
uint64_t dq_column_width(const dq_column *column);

/* n elements of any float or integer type to float32 (f8 is rounded). */
void dq_convert_f4(float *to, const void *from, dq_dtype type, size_t n);
/* n float32 to type DQ_F4, DQ_F2 or DQ_BF16, round to nearest even. */
void dq_convert_from_f4(void *to, dq_dtype type, const float *from, size_t n);

/* A new bundle (*to is overwritten, and empty on failure) with the given rows of a table, in that order: all
 * columns copied, kind and metadata kept. Row references come over as they are: renumbering is the caller's.
 */
dq_status dq_bundle_select(dq_bundle *to, const dq_bundle *from, const uint32_t *rows, size_t count,
                           dq_error *error);

/* A new bundle (*to) that borrows the columns and metadata of another, but for the columns named in `without`
 * (NULL-ended): the start of a changed copy. To change its metadata, copy that first. */
dq_status dq_bundle_borrow(dq_bundle *to, const dq_bundle *from, const char *const *without, dq_error *error);

/* Releases arena and body, and leaves *bundle empty. */
void dq_bundle_free(dq_bundle *bundle);

/* Strings in the making: the builder behind a text column. Zero-initialise; free with dq_strings_free. */
typedef struct dq_strings {
    char *data;
    uint32_t *offsets; /* count + 1 */
    uint8_t *nulls;    /* count, or NULL while none is null */
    size_t count, bytes, capacity, slots;
} dq_strings;

/* Appends one string, or a null when text is NULL. DQ_ERR_RANGE when the bytes would pass 4 GiB - 1. */
dq_status dq_strings_add(dq_strings *strings, const char *text, size_t bytes, dq_error *error);
/* String i and its length; NULL for a null. */
const char *dq_strings_get(const dq_strings *strings, size_t i, size_t *bytes);
/* Forgets the strings and keeps the memory. */
void dq_strings_clear(dq_strings *strings);
void dq_strings_free(dq_strings *strings);

#endif
