/* SPDX-License-Identifier: MIT
 *
 * Interactions of a collection: kept until all are read, then in order by user, then by their own `_id`
 * (integers, then strings, ObjectIds, and what else a database allows; those without one first), then as they
 * came. So a folder and a database give them alike, and events of one time keep the order in which they were
 * stored. Their memory grows with their number.
 */
#ifndef DQ_IMPORT_INTERACTIONS_H
#define DQ_IMPORT_INTERACTIONS_H

#include "import/document.h"
#include "import/selection.h"
#include "import/tally.h"

typedef struct dq_import_kept {
    dq_import_interaction interaction;
    dq_import_id id; /* `_id`; kind 0: none */
    uint32_t user;   /* place among those that left */
    size_t number;   /* as they came */
} dq_import_kept;

/* Zero-initialise. */
typedef struct dq_import_interactions {
    dq_import_kept *rows; /* (count) */
    size_t count, slots;
    dq_arena arena;
} dq_import_interactions;

/* Reads those between users and items that left, in the order of these. Faulty ones are counted in the tally,
 * among them those with somebody who was never there. To be freed also on failure. */
dq_status dq_import_interactions_read(dq_import_interactions *all, dq_documents *documents,
                                      const dq_import_interaction_keys *keys, const dq_import_chosen *users,
                                      const dq_import_chosen *items, dq_import_tally *tally, dq_error *error);
void dq_import_interactions_free(dq_import_interactions *all);

#endif
