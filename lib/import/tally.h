/* SPDX-License-Identifier: MIT
 *
 * What was passed over, and where a faulty document stands.
 */
#ifndef DQ_IMPORT_TALLY_H
#define DQ_IMPORT_TALLY_H

#include "import/fault.h"
#include "import/value.h"
#include "port/files/documents.h"

/* Counts of one kind of rows, and where and why each fault was first seen. Zero-initialise. */
typedef struct dq_import_tally {
    bool strict;     /* a fault is an error */
    uint64_t used;   /* rows without a fault, whether or not they were selected: their reader counts them */
    uint64_t others; /* rows that say they are of another of the stream's kinds, passed over */
    dq_import_fault first; /* the fault of the first row that had one */
    struct {
        uint64_t count, record; /* as of a dq_error */
        char source[160], reason[400];
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

/* DQ_ERR_SCHEMA where there were rows of a source and none of them could be used: how many there were, and
 * the first one's reason and place. Whoever has read a source to its end calls this. The kind is the
 * stream's; `more` (or NULL) is what else there is to say of the source: its columns. */
dq_status dq_import_check_used(const dq_import_tally *tally, const char *source, const char *kind,
                               const char *more, dq_error *error);

/* Writes "2 wrong width (first: line 17: WHY), 1 duplicate id (first: line 20: WHY)", cut to size >= 1 bytes;
 * `named` puts the source before a line. Returns how many were passed over. */
uint64_t dq_import_describe(const dq_import_tally *tally, bool named, char *text, size_t size);

#endif
