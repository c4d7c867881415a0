/* SPDX-License-Identifier: MIT
 *
 * The pairs that a ranking leaves out: those that had an interaction, whatever its label. Users and items are
 * numbered as the interactions name them, since the catalogue may come later.
 */
#ifndef DQ_RANK_SEEN_H
#define DQ_RANK_SEEN_H

#include "core/pairset.h"

/* Zero-initialise to start. */
typedef struct dq_rank_seen {
    dq_index users, items;
    dq_pairset pairs; /* of the numbers of users and items above */
} dq_rank_seen;

/* Notes a bundle of interactions. ranked (may be NULL): items that have gone by; a new pair with one of them
 * comes too late (DQ_ERR_UNSUPPORTED). */
dq_status dq_rank_seen_add(dq_rank_seen *seen, const dq_bundle *interactions, const dq_index *ranked,
                           dq_error *error);
void dq_rank_seen_free(dq_rank_seen *seen);

#endif
