/* SPDX-License-Identifier: MIT
 *
 * Vectors beside a table: users or items have a file of documents, and an array holds their vectors. Which
 * row of the array is whose is said in one of two ways.
 *
 *     by order   row k of the array is of row k of the file. Rows of the file that are passed over have
 *                theirs, too, so that no vector is given to a neighbour; and both have as many rows, or
 *                nothing is made of them.
 *     by id      a list has the id of each row of the array, in any order. A row of the file whose id is not
 *                listed has no vector, and a listed id without a row is counted.
 *
 * An .npy array is read as its rows are asked for. By id, those that stand before the one that is asked for
 * are held until their turn comes: none where the orders agree, all where they are contrary.
 */
#ifndef DQ_IMPORT_FILE_BESIDE_H
#define DQ_IMPORT_FILE_BESIDE_H

#include "import/array.h"

typedef struct dq_import_beside dq_import_beside;

/* Opens an array, and the list of ids that its rows have (NULL: by order), and fills the empty layout, whose
 * arena the caller frees. DQ_ERR_DUPLICATE for an id that is listed twice, DQ_ERR_SCHEMA where there are not
 * as many ids as rows. The paths are borrowed; on failure *beside can still be closed. */
dq_status dq_import_beside_open(dq_import_beside **beside, const char *vectors, const char *ids,
                                const dq_import_layout **layout, dq_error *error);

bool dq_import_beside_is_ordered(const dq_import_beside *beside);

/* By order: whether there is a vector for a further row of the file, and that vector, in the arena. */
bool dq_import_beside_has_next(const dq_import_beside *beside);
dq_status dq_import_beside_next(dq_import_beside *beside, dq_arena *arena, const float **vector,
                                dq_import_fault *fault, dq_error *error);
/* By id: the vector of that id, in the arena. *fault: DQ_IMPORT_MISSING where the id is not listed,
 * DQ_IMPORT_DUPLICATE where its vector was asked for before, DQ_IMPORT_NOT_FINITE. */
dq_status dq_import_beside_find(dq_import_beside *beside, const dq_import_id *id, dq_arena *arena,
                                const float **vector, dq_import_fault *fault, dq_error *error);

/* After the file's last row. By order DQ_ERR_SCHEMA, with both numbers, unless the file (its name, for words)
 * had as many rows as the array. By id *unclaimed is how many listed ids no row had, and `first` the first of
 * them, cut to size >= 1 bytes. */
dq_status dq_import_beside_end(dq_import_beside *beside, const char *file, uint64_t rows, uint64_t *unclaimed,
                               char *first, size_t size, dq_error *error);

void dq_import_beside_close(dq_import_beside *beside);

#endif
