/* SPDX-License-Identifier: MIT
 *
 * Bundles to and from other programs' files: .npy for the vectors of users or items, safetensors for a model.
 */
#ifndef DQ_INSPECT_ARRAYS_H
#define DQ_INSPECT_ARRAYS_H

#include "dq/bundle.h"
#include "dq/sink.h"

/* Vectors of users or items, kept until all are there: .npy has its number of rows first. Zero-initialise. */
typedef struct dq_arrays {
    dq_bundle *bundles;
    size_t count, room;
    uint64_t rows, width;
    dq_dtype type;
    char kind[16]; /* of the first */
} dq_arrays;

/* Keeps the bundle (it is emptied). DQ_ERR_UNSUPPORTED for rows without vectors and for a second kind,
 * DQ_ERR_SCHEMA for vectors of another width or type. */
dq_status dq_arrays_add(dq_arrays *arrays, dq_bundle *bundle, dq_error *error);
/* Writes the array (rows, width), bfloat16 as float32, and the ids, one a line, to the file `ids` unless it
 * is NULL. */
dq_status dq_arrays_write(const dq_arrays *arrays, dq_sink *out, const char *ids, dq_error *error);
void dq_arrays_free(dq_arrays *arrays);

typedef dq_status (*dq_arrays_put)(void *arg, dq_bundle *bundle, dq_error *error);
/* Reads an .npy file as a stream's bundles of a kind, `users` or `items`, each given to put. Ids come one a
 * line from the file `ids`; NULL: rows are numbered from 0. DQ_ERR_RANGE where there are more or fewer ids
 * than vectors, DQ_ERR_DUPLICATE for an id that stands twice. */
dq_status dq_arrays_read_npy(const char *path, const char *ids, const char *kind, dq_arrays_put put,
                             void *arg, dq_error *error);
/* Reads a safetensors file as one model bundle. */
dq_status dq_arrays_read_safetensors(const char *path, dq_arrays_put put, void *arg, dq_error *error);

#endif
