/* SPDX-License-Identifier: MIT
 *
 * As many items as are scored at once, cut anew whatever the blocks of the stream: enough tiles for all
 * threads, so that products run at full speed.
 */
#ifndef DQ_RANK_BLOCK_H
#define DQ_RANK_BLOCK_H

#include "dq/bundle.h"

typedef struct dq_rank_block {
    dq_strings ids;
    float *vectors; /* (capacity, width) */
    uint32_t rows, capacity, width;
    uint32_t first; /* number of row 0 in dq_rank_items; the others follow */
} dq_rank_block;

/* An empty block for vectors of a width (0: for ids alone, then of few rows), with room for as many as that
 * many threads need; its first row will be number 0. */
dq_status dq_rank_block_open(dq_rank_block *block, uint32_t width, unsigned threads, dq_error *error);
/* Appends rows[*at .. count) of a bundle of items, whose vectors (of any type) are that wide, until there are
 * no more or the block is full; *at moves on. */
dq_status dq_rank_block_fill(dq_rank_block *block, const dq_bundle *bundle, const uint32_t *rows,
                             uint32_t count, uint32_t *at, dq_error *error);
/* Empties it; the next row will be number `first`. */
void dq_rank_block_clear(dq_rank_block *block, uint32_t first);
void dq_rank_block_free(dq_rank_block *block);

#endif
