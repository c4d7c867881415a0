/* SPDX-License-Identifier: MIT
 *
 * The vectors that re-ranking for diversity (rank/mmr.h) needs when the items have gone by: of those items
 * alone that stand in some user's list of candidates.
 */
#ifndef DQ_RANK_MMR_VECTORS_H
#define DQ_RANK_MMR_VECTORS_H

#include "core/topk.h"
#include "rank/block.h"

/* By ascending number of the item. Zero-initialise to start. */
typedef struct dq_mmr_vectors {
    uint32_t *numbers;
    float **vectors; /* (count) each width float32 */
    size_t count, slots, next_sweep;
    uint32_t width;
    uint8_t *marks; /* (mark_slots) scratch */
    size_t mark_slots;
} dq_mmr_vectors;

/* Keeps the vectors of the block's items that are in one of lists [first, last) (whose tags are the items'
 * numbers in their lower 32 bits), and now and then forgets those of items that none of all `count` lists has
 * any more. */
dq_status dq_mmr_vectors_update(dq_mmr_vectors *mmr, const dq_rank_block *block, dq_topk *const *lists,
                                size_t count, size_t first, size_t last, dq_error *error);
/* The vector (width) of an item that stands in a list; valid until the next update. */
const float *dq_mmr_vectors_find(const dq_mmr_vectors *mmr, uint32_t number);
void dq_mmr_vectors_free(dq_mmr_vectors *mmr);

#endif
