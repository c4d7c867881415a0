/* SPDX-License-Identifier: MIT
 *
 * Rows of a table as documents of the generic form. A column's name says what it is (names.h), by itself or
 * by what the reading says:
 *
 *     id user item label                      as they are
 *     text.NAME                               a text
 *     vector                                  JSON: a list, or an object of lists
 *     vector.N   vector.FIELD.N               number N, counted from 0 in the order of the columns
 *     reward                                  a number
 *     NAME, attr.NAME                         an attribute: JSON where the cell is JSON, else a string
 *     NAME:token NAME:float                   RecBole's, where every column has a type: a string, a number
 *     NAME:token_seq NAME:float_seq           strings, numbers, with blanks between them
 *
 * An empty cell is an absent key. Of a table without a header the columns that the reading names are read.
 */
#ifndef DQ_IMPORT_TABLE_H
#define DQ_IMPORT_TABLE_H

#include "import/form.h"
#include "import/row.h"
#include "port/files/csv.h"
#include "port/files/documents.h"

/* Takes a source over, which is closed also on failure; see dq_import_open. DQ_ERR_FORMAT also for elements
 * of a vector out of their order, and for what dq_csv_open refuses. */
dq_status dq_import_table_open(dq_documents *documents, dq_source *source, const char *kind, dq_csv_form form,
                               const dq_import_reading *reading, char found[DQ_IMPORT_FOUND],
                               dq_error *error);

/* documents->next of any documents of interactions; but a row of a table that is plain (import/file/plain.h)
 * becomes *x, which is valid until the next call, and no document: *plain says so. What it gives is what
 * dq_import_read_interaction would make of the document, without a format of times or a scale. */
int dq_import_next_interaction(dq_documents *documents, dq_arena *arena, dq_value *document,
                               dq_import_interaction *x, bool *plain, dq_error *error);

#endif
