/* SPDX-License-Identifier: MIT
 *
 * What makes a single document unusable. It is then counted and passed over, or an error where the tally is
 * strict (import/tally.h); whatever breaks a source as a whole is a dq_status. A function that returns a
 * fault also says it in words in *error. Short memory comes as a fault, too, with DQ_ERR_MEMORY in *error: no
 * tally passes that over.
 */
#ifndef DQ_IMPORT_FAULT_H
#define DQ_IMPORT_FAULT_H

typedef enum dq_import_fault {
    DQ_IMPORT_FINE = 0,
    DQ_IMPORT_MALFORMED, /* no JSON, no row of a table, no BSON */
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
    DQ_IMPORT_FAULTS, /* how many there are */
} dq_import_fault;

#endif
