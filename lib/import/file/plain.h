/* SPDX-License-Identifier: MIT
 *
 * Rows of a table of interactions read straight: where each cell is what its column is for, an interaction is
 * made of the cells, and no document stands between. A row with a cell that is more than it looks like, an
 * ObjectId, JSON, a reward that is no number, is not plain; it becomes a document, and what is wrong with it
 * is said where documents are read (import/document.h). So this knows no faults, and gives what a document of
 * the same row gives.
 */
#ifndef DQ_IMPORT_FILE_PLAIN_H
#define DQ_IMPORT_FILE_PLAIN_H

#include "import/row.h"
#include "port/files/csv.h"

typedef struct dq_import_plain_column {
    const char *key; /* of a document; NULL: the column is left out */
    bool text;       /* its cells are texts, whatever they look like */
} dq_import_plain_column;

typedef struct dq_import_plain_rows dq_import_plain_rows;

/* For columns (count), whose keys are borrowed; in the arena. *rows is NULL where no row of such columns is
 * plain. DQ_ERR_MEMORY. */
dq_status dq_import_plain_rows_new(dq_import_plain_rows **rows, const dq_import_plain_column *columns,
                                   size_t count, dq_arena *arena, dq_error *error);

/* The interaction of a row's cells (count), which it points into; its attributes are the rows' own, until the
 * next call. False: the row is not plain. */
bool dq_import_plain_row(dq_import_plain_rows *rows, const dq_csv_cell *cells, dq_import_interaction *x);

#endif
