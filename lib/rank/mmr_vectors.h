/* SPDX-License-Identifier: MIT
 *
 * Vectors that diversity needs again.
 */
#ifndef DQ_RANK_MMR_VECTORS_H
#define DQ_RANK_MMR_VECTORS_H

#include "core/topk.h"
#include "rank/block.h"

/* Vectors of the items that stand in some list: by ascending number. */
typedef struct rank_kept {
    uint32_t *numbers;
    float **vectors; /* (count) each width float32 */
    size_t count, slots, next_sweep;
    uint32_t width;
    uint8_t *marks; /* (mark_slots) scratch */
    size_t mark_slots;
} rank_kept;

/* Keeps the vectors of the block's items that are in one of lists [first, last) (whose tags are the items'
 * numbers), and now and then forgets those of items that none of all `count` lists has any more. */
dq_status rank_kept_update(rank_kept *kept, const rank_block *block, dq_topk *const *lists, size_t count,
                           size_t first, size_t last, dq_error *error);
/* The vector of an item that stands in a list. */
const float *rank_kept_find(const rank_kept *kept, uint32_t number);
void rank_kept_free(rank_kept *kept);

#endif
