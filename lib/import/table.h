/* SPDX-License-Identifier: MIT
 *
 * Rows of CSV and TSV as documents of the generic form. A column's name says what it is:
 *
 *     id user item label                      as they are
 *     text.NAME                               a text
 *     vector                                  JSON: a list, or an object of lists
 *     vector.N   vector.FIELD.N               number N, counted from 0 in the order of the columns
 *     reward                                  a number
 *     NAME, attr.NAME                         an attribute: JSON where the cell is JSON, else a string
 *
 * An empty cell is an absent key.
 */
#ifndef DQ_IMPORT_TABLE_H
#define DQ_IMPORT_TABLE_H

#include "port/files/csv.h"
#include "port/files/documents.h"

/* Opens a file ("-" is stdin), plain or compressed. Errors are those of dq_source_open and dq_csv_open, and
 * DQ_ERR_FORMAT for elements of a vector out of their order. */
dq_status dq_import_table_open(dq_documents *documents, const char *path, dq_csv_form form, dq_error *error);

#endif
