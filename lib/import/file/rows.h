/* SPDX-License-Identifier: MIT
 *
 * The rows of users, or of items: of a file of documents, of such a file with an array beside it that has the
 * vectors, of an array with its ids, or of a place's collection. Faulty rows are counted and passed over.
 */
#ifndef DQ_IMPORT_FILE_ROWS_H
#define DQ_IMPORT_FILE_ROWS_H

#include "import/file/beside.h"
#include "import/import.h"

typedef struct dq_import_rows {
    const char *path, *kind;
    const dq_import_reading *reading; /* NULL: of a place, whose keys nobody else names */
    dq_documents documents;
    char found[DQ_IMPORT_FOUND];    /* what a table has */
    dq_import_array *array;         /* or NULL */
    dq_import_beside *beside;       /* or NULL */
    dq_import_layout own;           /* of the documents, or the array */
    const dq_import_layout *layout; /* of the vectors that rows have: that, or the one beside */
    uint64_t row, seen;             /* the last row's place; how many rows the file has had */
    dq_import_entities_request *request;
    uint64_t selected;
    dq_index ids; /* of all good rows */
    dq_import_tally *tally;
    dq_arena arena; /* of the current row */
} dq_import_rows;

/* Opens the request's file, or the place's collection of that kind where there is a place. Request, tally and
 * place are borrowed. To be closed also on failure. */
dq_status dq_import_rows_open(dq_import_rows *rows, const char *kind, dq_import_entities_request *request,
                              dq_import_tally *tally, dq_collections *place, dq_error *error);

/* The next good row that is asked for. 1: a row, valid until the next call; 0: the end, or all that were
 * asked for have come; -1: an error. */
int dq_import_rows_next(dq_import_rows *rows, dq_import_entity *entity, dq_error *error);

/* Says in *error where the last row stands. */
dq_status dq_import_rows_blame(const dq_import_rows *rows, dq_error *error);

void dq_import_rows_close(dq_import_rows *rows);

#endif
