/* SPDX-License-Identifier: MIT
 *
 * NumPy's .npy, versions 1 to 3: a header and one array, read row by row. Types f2 f4 f8 i1..i8 u1..u8,
 * little-endian, one or two dimensions, C order (Fortran order only where it is the same); lists of ids also
 * of texts, <U and |S.
 *
 *     "\x93NUMPY" major minor | header length (2 or 4 bytes) | "{'descr': '<f4', ... }   \n" | data
 */
#ifndef DQ_PORT_FILES_NPY_H
#define DQ_PORT_FILES_NPY_H

#include "dq/bundle.h"
#include "dq/sink.h"
#include "dq/source.h"
#include "dq/value.h"

typedef struct dq_npy {
    dq_dtype type;
    unsigned dims;     /* 1 or 2 */
    uint64_t shape[2]; /* (rows, width); width 1 for one dimension */
    uint64_t row_bytes;
    uint64_t rows_left;
    char text; /* of ids that are texts: 'U' (4 bytes a character) or 'S' (bytes), each filled up by NULs;
                  else 0 */
} dq_npy;

/* Reads the header. DQ_ERR_FORMAT for what is no .npy, DQ_ERR_TRUNCATED, DQ_ERR_UNSUPPORTED for a type or
 * order that we do not read, with what to save instead, DQ_ERR_RANGE for a size that overflows. Allocates
 * nothing. */
dq_status dq_npy_read_header(dq_npy *npy, dq_source *source, dq_error *error);

/* Reads the next rows <= rows_left rows into `to` (rows * row_bytes). DQ_ERR_TRUNCATED when they are not
 * there. */
dq_status dq_npy_read_rows(dq_npy *npy, dq_source *source, void *to, uint64_t rows, dq_error *error);

/* Reads the next row (row_bytes) into the arena, which grows with what comes and not with what the header
 * claims. Errors as dq_npy_read_rows. */
dq_status dq_npy_read_row(dq_npy *npy, dq_source *source, dq_arena *arena, void **row, dq_error *error);

/* The same header of a list of ids: texts or integers, in one dimension (or a column of them). */
dq_status dq_npy_read_ids_header(dq_npy *npy, dq_source *source, dq_error *error);

/* Reads the next id, while rows_left: a DQ_STRING in the arena, or a DQ_INT (an integer over 63 bits is its
 * digits); DQ_NIL for a text that is no Unicode. Errors as dq_npy_read_rows. */
dq_status dq_npy_read_id(dq_npy *npy, dq_source *source, dq_arena *arena, dq_value *id, dq_error *error);

/* After the last row: DQ_ERR_FORMAT when bytes follow the array. */
dq_status dq_npy_read_end(const dq_npy *npy, dq_source *source, dq_error *error);

/* Writes a version 1 header, as numpy.save does (the data start at a multiple of 64); the caller then writes
 * the data. dims up to DQ_MAX_DIMS. bfloat16 has no .npy type: DQ_ERR_UNSUPPORTED. */
dq_status dq_npy_write_header(dq_sink *sink, dq_dtype type, unsigned dims, const uint64_t *shape,
                              dq_error *error);

#endif
