/* SPDX-License-Identifier: MIT
 *
 * What makes a single document unusable. It is then counted and passed over, or an error where the tally is
 * strict (import/tally.h); whatever breaks a source as a whole is a dq_status. A function that returns a
 * fault also says it in words in *error. Short memory, and a limit of this program that is passed, come as a
 * fault, too, with DQ_ERR_MEMORY or DQ_ERR_RANGE in *error: no document is to blame, and no tally passes them
 * over.
 */
#ifndef DQ_IMPORT_FAULT_H
#define DQ_IMPORT_FAULT_H

#include "dq/status.h"
#include "port/files/documents.h"

typedef enum dq_import_fault {
    DQ_IMPORT_FINE = 0,
    DQ_IMPORT_MALFORMED, /* no JSON, no row of a table, no BSON */
    DQ_IMPORT_NOT_UTF8,
    DQ_IMPORT_NO_ID,
    DQ_IMPORT_MISSING, /* a required text, a vector */
    DQ_IMPORT_MISTYPED,
    DQ_IMPORT_WIDTH,
    DQ_IMPORT_NOT_FINITE,
    DQ_IMPORT_DUPLICATE,
    DQ_IMPORT_UNMATCHED, /* a document for an entity that the first collection lacks, or an entity without its
                            document in another collection */
    DQ_IMPORT_UNKNOWN_USER, /* of an interaction */
    DQ_IMPORT_UNKNOWN_ITEM,
    DQ_IMPORT_NO_TIME,    /* of another form than --time-format says */
    DQ_IMPORT_PROPENSITY, /* not above 0, or above 1 */
    DQ_IMPORT_POSITION,   /* no whole number from 1 */
    DQ_IMPORT_REWARD,     /* outside of --reward-scale */
    DQ_IMPORT_FEEDBACK,   /* one that answers two rows, or a row that has a reward of its own */
    DQ_IMPORT_FAULTS,     /* how many there are */
} dq_import_fault;

/* What is wrong with a document by what its source answered (dq_document_answer). */
static inline dq_import_fault dq_import_answered(int answer)
{
    if (answer == DQ_DOCUMENT_NOT_UTF8) return DQ_IMPORT_NOT_UTF8;
    return answer == DQ_DOCUMENT_BAD ? DQ_IMPORT_MALFORMED : DQ_IMPORT_FINE;
}

static inline dq_import_fault dq_import_out_of_memory(const char *what, dq_error *error)
{
    dq_fail(error, DQ_ERR_MEMORY, "out of memory for %s", what);
    return DQ_IMPORT_MALFORMED;
}

#endif
