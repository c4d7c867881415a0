/* SPDX-License-Identifier: MIT
 *
 * NumPy's .npy, versions 1 to 3: a header and one array, read row by row. Types f2 f4 f8 i1..i8 u1..u8,
 * little- endian, one or two dimensions, C order (Fortran order only where it is the same).
 *
 *     "\x93NUMPY" major minor | header length (2 or 4 bytes) | "{'descr': '<f4', ... }   \n" | data
 */
#ifndef DQ_PORT_FILES_NPY_H
#define DQ_PORT_FILES_NPY_H

#include "dq/bundle.h"
#include "dq/sink.h"
#include "dq/source.h"

typedef struct dq_npy {
    dq_dtype type;
    unsigned dims;     /* 1 or 2 */
    uint64_t shape[2]; /* (rows, width); width 1 for one dimension */
    uint64_t row_bytes;
    uint64_t rows_left;
} dq_npy;

/* Reads the header. DQ_ERR_FORMAT for what is no .npy, DQ_ERR_TRUNCATED, DQ_ERR_UNSUPPORTED for a type or
 * order that we do not read, DQ_ERR_RANGE for a size that overflows. Allocates nothing. */
dq_status dq_npy_read_header(dq_npy *npy, dq_source *source, dq_error *error);

/* Reads the next rows <= rows_left rows into `to` (rows * row_bytes). DQ_ERR_TRUNCATED when they are not
 * there. */
dq_status dq_npy_read_rows(dq_npy *npy, dq_source *source, void *to, uint64_t rows, dq_error *error);

/* After the last row: DQ_ERR_FORMAT when bytes follow the array. */
dq_status dq_npy_read_end(const dq_npy *npy, dq_source *source, dq_error *error);

/* Writes a version 1 header, as numpy.save does (the data start at a multiple of 64); the caller then writes
 * the data. dims up to DQ_MAX_DIMS. bfloat16 has no .npy type: DQ_ERR_UNSUPPORTED. */
dq_status dq_npy_write_header(dq_sink *sink, dq_dtype type, unsigned dims, const uint64_t *shape,
                              dq_error *error);

#endif
