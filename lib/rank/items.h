/* SPDX-License-Identifier: MIT
 *
 * The items that stream by, numbered 0, 1, 2 ... as they come. Of one that has gone by only its id and a
 * digest of its row stay, so that an item that several sections hold counts once, and a catalogue need not
 * fit into memory.
 */
#ifndef DQ_RANK_ITEMS_H
#define DQ_RANK_ITEMS_H

#include "core/layout.h"
#include "data/identity.h"
#include "dq/schema.h"
#include "math/pool.h"

/* Zero-initialise to start. */
typedef struct dq_rank_items {
    dq_identity identity; /* of every item met so far, by its number */
    bool bare;            /* set by the caller: vectors are no matter, and not looked at */
    uint32_t width;       /* of the vectors; 0: no items yet, or bare */
    dq_value meta;        /* of the first bundle */
    dq_field *fields;
    size_t field_count;
    dq_pair_names *pairs; /* the default pairs */
    size_t pair_count;
    dq_arena arena;
    uint64_t *digests; /* (digest_slots) of the rows of the bundle at hand */
    size_t digest_slots;
} dq_rank_items;

/* Takes width, fields and pairs of the first bundle of items, and holds later ones to them: DQ_ERR_SCHEMA
 * when they differ, or when there are no vectors. A bundle without rows says nothing. */
dq_status dq_rank_items_agree(dq_rank_items *items, const dq_bundle *bundle, dq_error *error);
/* The digests of a bundle's rows (data/identity.h), in items->digests until the next call, by all threads. */
dq_status dq_rank_items_digest(dq_rank_items *items, const dq_bundle *bundle, dq_pool *pool, dq_error *error);
/* Numbers the rows of a bundle that agrees; those that are new are in items->identity.fresh until the next
 * call, and all rows' digests in items->digests. section is dq_reader_section; errors are those of
 * dq_identity_add. */
dq_status dq_rank_items_take(dq_rank_items *items, const dq_bundle *bundle, uint64_t section, dq_pool *pool,
                             dq_error *error);
/* How the vectors are cut into fields; of no width before the first bundle. */
dq_layout dq_rank_items_layout(const dq_rank_items *items);
void dq_rank_items_free(dq_rank_items *items);

#endif
