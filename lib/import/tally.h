/* SPDX-License-Identifier: MIT
 *
 * What was passed over, and where a faulty document stands.
 */
#ifndef DQ_IMPORT_TALLY_H
#define DQ_IMPORT_TALLY_H

#include "import/fault.h"
#include "import/value.h"
#include "port/files/documents.h"

/* Counts of one kind of rows, and where each fault was first seen. Zero-initialise. */
typedef struct dq_import_tally {
    bool strict; /* a fault is an error */
    struct {
        uint64_t count, record; /* as of a dq_error */
        char source[160];
    } faults[DQ_IMPORT_FAULTS];
} dq_import_tally;

/* Counts a fault that *error describes (why, source and record), clears *error and returns DQ_OK. With
 * strict, and where no document is to blame (DQ_ERR_MEMORY, DQ_ERR_RANGE), *error stays and its status is
 * returned. */
dq_status dq_import_skip(dq_import_tally *tally, dq_import_fault fault, dq_error *error);

/* Says in *error where a faulty document stands: its line, or the _id of one that has no line (NULL: it could
 * not be read). */
void dq_import_locate(const dq_documents *documents, const dq_value *document, dq_error *error);
/* The same by the id of what lacks a document. */
void dq_import_locate_id(const char *collection, const dq_import_id *id, dq_error *error);

/* Writes "2 wrong width (first: line 17), 1 duplicate id (first: line 20)", cut to size >= 1 bytes; `named`
 * puts the source before a line. Returns how many were passed over. */
uint64_t dq_import_describe(const dq_import_tally *tally, bool named, char *text, size_t size);

#endif
