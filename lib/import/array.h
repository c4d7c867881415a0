/* SPDX-License-Identifier: MIT
 *
 * Vectors without documents: an array, its rows in the order of a list of ids: one a line, or a .npy
 * file of texts or integers (told by its first byte). A .npy file is
 * read row by row; of safetensors all tensors are read, and with more than one each is a field of the vector
 * under its name.
 */
#ifndef DQ_IMPORT_ARRAY_H
#define DQ_IMPORT_ARRAY_H

#include "import/form.h"
#include "import/row.h"

typedef struct dq_import_array dq_import_array;

/* Opens an array (DQ_IMPORT_NPY or _SAFETENSORS) and its ids (NULL: none), and fills the empty layout, whose
 * arena the caller frees. The paths are borrowed until the array is closed. On failure *array can still be
 * closed. */
dq_status dq_import_array_open(dq_import_array **array, const char *path, dq_import_form form,
                               const char *ids, dq_import_layout *layout, dq_error *error);

/* The next row, in the arena: 1, with *fault where it is no good; 0 at the end of both; -1 when one ends
 * before the other or cannot be read. */
int dq_import_array_next(dq_import_array *array, const dq_import_layout *layout, dq_arena *arena,
                         dq_import_entity *entity, dq_import_fault *fault, dq_error *error);

/* The same apart, for whoever does not read them side by side. The next id: 1, with *fault where it is none;
 * 0 at the end; -1. It lives in the arena, or until the next one is read. */
int dq_import_array_id(dq_import_array *array, dq_arena *arena, dq_import_id *id, dq_import_fault *fault,
                       dq_error *error);
/* The next vector, of which there is one left, in the arena; *fault where it is no good. */
dq_status dq_import_array_vector(dq_import_array *array, const dq_import_layout *layout, dq_arena *arena,
                                 const float **vector, dq_import_fault *fault, dq_error *error);
/* Behind the last vector nothing stands. */
dq_status dq_import_array_end(dq_import_array *array, dq_error *error);

/* Rows read so far, and how many there are. */
uint64_t dq_import_array_row(const dq_import_array *array);
uint64_t dq_import_array_rows(const dq_import_array *array);

void dq_import_array_close(dq_import_array *array);

#endif
