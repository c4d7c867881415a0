/* SPDX-License-Identifier: MIT
 *
 * What makes two rows of a catalogue the same. An id names one entity, users and items apart. Inside a
 * section it stands once; in a later section it may stand again with an equal row, which is a repetition of
 * the entity and adds nothing. Only ids, digests and sections are kept, so rows may have gone by.
 *
 *     dq_identity known = DQ_IDENTITY_EMPTY;
 *     dq_identity_add(&known, &bundle, section, NULL, &e);      every bundle of users, or every one of items
 *     for (i = 0; i < known.fresh_count; i++) ... known.fresh[i] is a row of this bundle that is new
 */
#ifndef DQ_DATA_IDENTITY_H
#define DQ_DATA_IDENTITY_H

#include "core/index.h"

/* The two kinds of bundles that hold entities. */
enum { DQ_USERS, DQ_ITEMS, DQ_ENTITY_KINDS };

/* DQ_USERS for "users", DQ_ITEMS for "items"; -1 for other kinds, and for NULL. */
int dq_entity_kind(const char *kind);

typedef struct dq_identity {
    dq_index ids;       /* numbered 0, 1 ... in the order of arrival */
    uint64_t *digests;  /* (ids) of the row */
    uint32_t *sections; /* (ids) the last section that held it */
    size_t capacity;    /* of both */
    /* of the bundle that came last */
    uint32_t *numbers;    /* (rows) each row's number in ids */
    uint32_t *fresh;      /* (fresh_count) its rows that were new, ascending; their numbers ascend too */
    uint32_t fresh_count; /* the new ones have the last fresh_count numbers */
    size_t row_capacity;
} dq_identity;

#define DQ_IDENTITY_EMPTY ((dq_identity){0})

/* The digest of a row: equal for rows whose values are all equal, whatever the order of columns and blocks; a
 * null is as good as no column. */
uint64_t dq_identity_digest(const dq_bundle *bundle, uint64_t row);

/* Enters the rows of a bundle with a column "id". section numbers the stream's sections (dq_reader_section).
 * digests (rows): dq_identity_digest of each row, for a caller who computed them on several threads; NULL:
 * they are computed here. DQ_ERR_DUPLICATE for an id that stands twice in its section, or in two sections
 * with unequal rows; DQ_ERR_RANGE for more than 2^32 - 2 rows, ids or sections; DQ_ERR_MEMORY. After an error
 * only freeing is of use. */
dq_status dq_identity_add(dq_identity *identity, const dq_bundle *bundle, uint64_t section,
                          const uint64_t *digests, dq_error *error);
void dq_identity_free(dq_identity *identity);

#endif
