/* SPDX-License-Identifier: MIT
 *
 * As many items as are scored at once, cut anew whatever the blocks of the stream: enough tiles for all
 * threads, so that products run at full speed. Vectors of halves (DQ_F2, DQ_BF16) stay what they are, half as
 * many bytes to read; whoever computes with them makes floats of some at a time. Other types become float32.
 */
#ifndef DQ_RANK_BLOCK_H
#define DQ_RANK_BLOCK_H

#include "dq/bundle.h"

typedef struct dq_rank_block {
    dq_strings ids;
    const float *vectors;   /* (capacity, width); NULL: they are halves */
    const uint16_t *halves; /* (capacity, width) of half_type, as the stream had them */
    dq_dtype half_type;
    bool floats;      /* set by the caller before any row is in it: halves become float32, too */
    uint32_t borrows; /* set by the caller who empties a full block before its bundle goes: so many rows of a
                         bundle side by side are the block, uncopied; 0: rows are always copied */
    bool borrowed;
    void *room; /* both lie there, unless borrowed; what dq_rank_block_free frees */
    uint32_t rows, capacity, width;
    uint32_t first; /* number of row 0 in dq_rank_items; the others follow */
} dq_rank_block;

/* An empty block for vectors of a width (0: for ids alone, then of few rows), with room for as many as that
 * many threads need; its first row will be number 0. */
dq_status dq_rank_block_open(dq_rank_block *block, uint32_t width, unsigned threads, dq_error *error);
/* Whether it takes no more rows of this bundle: there is no room, or its rows are halves of another type, or
 * floats and those not. */
bool dq_rank_block_is_full(const dq_rank_block *block, const dq_bundle *bundle);
/* Appends rows[*at .. count) of a bundle of items, whose vectors (of any type) are that wide, until there are
 * no more or the block is full; *at moves on. A block that is full may have borrowed the bundle's vectors
 * (borrows), until it is cleared. */
dq_status dq_rank_block_fill(dq_rank_block *block, const dq_bundle *bundle, const uint32_t *rows,
                             uint32_t count, uint32_t *at, dq_error *error);
/* Empties it; the next row will be number `first`. */
void dq_rank_block_clear(dq_rank_block *block, uint32_t first);
/* The vector of a row as float32: in place, or in `scratch` (width). */
const float *dq_rank_block_vector(const dq_rank_block *block, size_t row, float *scratch);
void dq_rank_block_free(dq_rank_block *block);

#endif
