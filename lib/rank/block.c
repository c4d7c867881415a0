/* SPDX-License-Identifier: MIT
 *
 * A stream's blocks hold a few hundred wide vectors, less than a product needs to run at full speed on all
 * threads. So rows are copied together, which costs a few per cent of scoring them; vectors of other types
 * become float32 on the way.
 */
#include "rank/block.h"

#include <stdlib.h>

enum {
    ROWS_A_THREAD = 256,
    MIN_ROWS = 2048,
    MAX_BYTES = 64 << 20,
    BARE_ROWS = 256, /* without vectors: what baselines remember of a block's rows is kept small */
};

dq_status dq_rank_block_open(dq_rank_block *block, uint32_t width, unsigned threads, dq_error *error)
{
    size_t unit = (size_t)ROWS_A_THREAD * threads, rows = unit, row_bytes = width * sizeof(float);
    while (rows < MIN_ROWS) rows += unit;
    if (rows * row_bytes > MAX_BYTES) rows = MAX_BYTES / row_bytes;
    if (width == 0) rows = BARE_ROWS;
    if (rows == 0) rows = 1;
    block->vectors = aligned_alloc(64, (rows * row_bytes + 64) / 64 * 64);
    if (!block->vectors) return dq_fail_memory(error, "a block of items");
    block->capacity = (uint32_t)rows;
    block->width = width;
    return DQ_OK;
}

dq_status dq_rank_block_fill(dq_rank_block *block, const dq_bundle *bundle, const uint32_t *rows,
                             uint32_t count, uint32_t *at, dq_error *error)
{
    const dq_column *ids = dq_bundle_column(bundle, "id"), *vector = dq_bundle_column(bundle, "vector");
    size_t row_bytes = block->width ? block->width * dq_dtype_size(vector->type) : 0, n;
    for (; *at < count && block->rows < block->capacity; ++*at) {
        const char *id = dq_column_text(ids, rows[*at], &n);
        dq_status status = dq_strings_add(&block->ids, id, n, error);
        if (status) return status;
        if (block->width)
            dq_convert_f4(block->vectors + (size_t)block->rows * block->width,
                          (const char *)vector->data + rows[*at] * row_bytes, vector->type, block->width);
        block->rows++;
    }
    return DQ_OK;
}

void dq_rank_block_clear(dq_rank_block *block, uint32_t first)
{
    dq_strings_clear(&block->ids);
    block->rows = 0;
    block->first = first;
}

void dq_rank_block_free(dq_rank_block *block)
{
    dq_strings_free(&block->ids);
    free(block->vectors);
}
