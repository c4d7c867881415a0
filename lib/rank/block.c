/* SPDX-License-Identifier: MIT
 *
 * A stream's blocks hold a few hundred wide vectors, less than a product needs to run at full speed on all
 * threads. So rows are copied together, which costs a few per cent of scoring them; vectors that are neither
 * float32 nor halves become float32 on the way.
 */
#include "rank/block.h"

#include <stdlib.h>
#include <string.h>

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
    block->vectors = block->room = aligned_alloc(64, (rows * row_bytes + 64) / 64 * 64);
    if (!block->room) return dq_fail_memory(error, "a block of items");
    block->capacity = (uint32_t)rows;
    block->width = width;
    return DQ_OK;
}

/* What a bundle's vectors are in a block: DQ_F2 or DQ_BF16 as they are, else DQ_F4. */
static dq_dtype type_in_block(const dq_rank_block *block, const dq_bundle *bundle)
{
    const dq_column *vector = dq_bundle_column(bundle, "vector");
    return vector && !block->floats && (vector->type == DQ_F2 || vector->type == DQ_BF16) ? vector->type
                                                                                          : DQ_F4;
}

static dq_dtype type_of(const dq_rank_block *block)
{
    return block->halves ? block->half_type : DQ_F4;
}

bool dq_rank_block_is_full(const dq_rank_block *block, const dq_bundle *bundle)
{
    if (block->borrowed || block->rows == block->capacity) return true;
    return block->width && block->rows && type_in_block(block, bundle) != type_of(block);
}

/* An empty block takes the type of what comes. */
static void take_type(dq_rank_block *block, dq_dtype type)
{
    block->half_type = type;
    block->halves = type == DQ_F4 ? NULL : block->room;
    block->vectors = type == DQ_F4 ? block->room : NULL;
}

/* Rows of a bundle that lie side by side from the first to the last of them are a block of their own. */
static bool borrow(dq_rank_block *block, const dq_column *vector, const uint32_t *rows, uint32_t n)
{
    if (!block->borrows || block->rows || n < block->borrows || rows[n - 1] - rows[0] != n - 1) return false;
    if (vector->type != DQ_F4 && !block->halves) return false;
    const char *from = (const char *)vector->data +
                       (size_t)rows[0] * block->width * dq_dtype_size(vector->type);
    /* Nobody writes into a block's vectors: what is borrowed is only read. */
    if (block->halves)
        block->halves = (const uint16_t *)(const void *)from;
    else
        block->vectors = (const float *)(const void *)from;
    block->borrowed = true;
    return true;
}

static void put_vector(dq_rank_block *block, const dq_column *vector, uint32_t row)
{
    size_t width = block->width, at = block->rows * width, bytes = width * dq_dtype_size(vector->type);
    const char *from = (const char *)vector->data + row * bytes;
    if (block->halves)
        memcpy((uint16_t *)block->room + at, from, bytes);
    else
        dq_convert_f4((float *)block->room + at, from, vector->type, width);
}

dq_status dq_rank_block_fill(dq_rank_block *block, const dq_bundle *bundle, const uint32_t *rows,
                             uint32_t count, uint32_t *at, dq_error *error)
{
    const dq_column *ids = dq_bundle_column(bundle, "id"), *vector = dq_bundle_column(bundle, "vector");
    size_t n;
    if (block->rows == 0 && block->width) take_type(block, type_in_block(block, bundle));
    uint32_t some = count - *at < block->capacity ? count - *at : block->capacity, end = *at + some;
    bool borrowed = block->width && some && borrow(block, vector, rows + *at, some);
    for (; *at < (borrowed ? end : count) && (borrowed || !dq_rank_block_is_full(block, bundle)); ++*at) {
        const char *id = dq_column_text(ids, rows[*at], &n);
        dq_status status = dq_strings_add(&block->ids, id, n, error);
        if (status) return status;
        if (block->width && !borrowed) put_vector(block, vector, rows[*at]);
        block->rows++;
    }
    return DQ_OK;
}

void dq_rank_block_clear(dq_rank_block *block, uint32_t first)
{
    dq_strings_clear(&block->ids);
    if (block->borrowed) take_type(block, DQ_F4);
    block->borrowed = false;
    block->rows = 0;
    block->first = first;
}

const float *dq_rank_block_vector(const dq_rank_block *block, size_t row, float *scratch)
{
    size_t at = row * block->width;
    if (!block->halves) return block->vectors + at;
    dq_convert_f4(scratch, block->halves + at, block->half_type, block->width);
    return scratch;
}

void dq_rank_block_free(dq_rank_block *block)
{
    dq_strings_free(&block->ids);
    free(block->room);
}
