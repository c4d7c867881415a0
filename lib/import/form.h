/* SPDX-License-Identifier: MIT
 *
 * Forms of single files, told by their names; those that are not read, told by their names or first bytes;
 * and files of documents, opened whatever their form and the names in them.
 */
#ifndef DQ_IMPORT_FORM_H
#define DQ_IMPORT_FORM_H

#include "import/names.h"
#include "port/files/documents.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum dq_import_form {
    DQ_IMPORT_JSON, /* lines, documents, arrays */
    DQ_IMPORT_CSV,
    DQ_IMPORT_TSV,
    DQ_IMPORT_ATOMIC, /* RecBole's tables */
    DQ_IMPORT_NPY,
    DQ_IMPORT_SAFETENSORS,
    DQ_IMPORT_OTHER /* none that its name tells */
} dq_import_form;

/* By the name's extension, before .zst or .gz; a name without one ("-", "/dev/fd/63") is JSON. */
dq_import_form dq_import_form_of(const char *path);
/* Whether the name has an extension. */
bool dq_import_form_is_told(const char *path);

/* A form whose rows have no ids of their own. */
bool dq_import_form_is_array(dq_import_form form);

/* A form that another program makes readable: what it is and how ("Parquet; duckdb -c ..."); NULL for any
 * other. By the name's extension. */
const char *dq_import_form_advice(const char *path);
/* By the first bytes of a file, DQ_IMPORT_TELLING of them or all. */
const char *dq_import_bytes_advice(const char *first, size_t n);
enum { DQ_IMPORT_TELLING = 16 };
/* DQ_ERR_FORMAT, with the advice, for a source that is of such a form whatever its name; but an array of
 * NumPy's is what DQ_IMPORT_NPY reads. */
dq_status dq_import_check_bytes(dq_source *source, dq_import_form form, dq_error *error);

enum { DQ_IMPORT_FOUND = 200 };

/* Opens a file of rows of a kind; kind and reading are borrowed. *found says what a table has ("its columns:
 * a, b"), "" for others. A form that is not read, whatever its name, and a table without the columns that its
 * kind needs are DQ_ERR_FORMAT and DQ_ERR_SCHEMA in words that say the way out. */
dq_status dq_import_open(dq_documents *documents, const char *path, const char *kind,
                         const dq_import_reading *reading, char found[DQ_IMPORT_FOUND], dq_error *error);

#endif
