/* SPDX-License-Identifier: MIT
 *
 * A sorted array, found in by binary search. Numbers rise as items stream by, so inserting mostly appends.
 */
#include "rank/mmr_vectors.h"

#include <stdlib.h>
#include <string.h>

static size_t place_of(const rank_kept *kept, uint32_t number)
{
    size_t low = 0, high = kept->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (kept->numbers[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const float *rank_kept_find(const rank_kept *kept, uint32_t number)
{
    return kept->vectors[place_of(kept, number)];
}

static dq_status clear_marks(rank_kept *kept, size_t n, dq_error *error)
{
    if (n > kept->mark_slots) {
        uint8_t *marks = realloc(kept->marks, n);
        if (!marks) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for the items' vectors");
        kept->marks = marks;
        kept->mark_slots = n;
    }
    if (n) memset(kept->marks, 0, n);
    return DQ_OK;
}

static dq_status insert(rank_kept *kept, uint32_t number, const float *vector, dq_error *error)
{
    size_t at = place_of(kept, number);
    if (at < kept->count && kept->numbers[at] == number) return DQ_OK;
    if (kept->count == kept->slots) {
        size_t slots = kept->slots ? 2 * kept->slots : 256;
        uint32_t *numbers = realloc(kept->numbers, slots * sizeof *numbers);
        if (numbers) kept->numbers = numbers;
        float **vectors = realloc(kept->vectors, slots * sizeof *vectors);
        if (vectors) kept->vectors = vectors;
        if (!numbers || !vectors)
            return dq_fail(error, DQ_ERR_MEMORY, "out of memory for the items' vectors");
        kept->slots = slots;
    }
    float *copy = malloc(kept->width * sizeof *copy);
    if (!copy) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for the items' vectors");
    memcpy(copy, vector, kept->width * sizeof *copy);
    memmove(kept->numbers + at + 1, kept->numbers + at, (kept->count - at) * sizeof *kept->numbers);
    memmove(kept->vectors + at + 1, kept->vectors + at, (kept->count - at) * sizeof *kept->vectors);
    kept->numbers[at] = number;
    kept->vectors[at] = copy;
    kept->count++;
    return DQ_OK;
}

/* Marks by place in kept. */
static dq_status sweep(rank_kept *kept, dq_topk *const *lists, size_t count, dq_error *error)
{
    dq_status status = clear_marks(kept, kept->count, error);
    if (status) return status;
    for (size_t u = 0; u < count; u++) {
        const dq_scored *items;
        size_t n = dq_topk_sorted(lists[u], &items);
        for (size_t i = 0; i < n; i++) kept->marks[place_of(kept, (uint32_t)items[i].tag)] = 1;
    }
    size_t left = 0;
    for (size_t i = 0; i < kept->count; i++) {
        if (!kept->marks[i]) {
            free(kept->vectors[i]);
            continue;
        }
        kept->numbers[left] = kept->numbers[i];
        kept->vectors[left++] = kept->vectors[i];
    }
    kept->count = left;
    kept->next_sweep = 2 * left + 256;
    return DQ_OK;
}

/* Marks by row of the block. */
static dq_status mark_new(rank_kept *kept, const rank_block *block, dq_topk *const *lists, size_t count,
                          dq_error *error)
{
    dq_status status = clear_marks(kept, block->rows, error);
    for (size_t u = 0; !status && u < count; u++) {
        const dq_scored *items;
        size_t n = dq_topk_sorted(lists[u], &items);
        for (size_t i = 0; i < n; i++)
            if (items[i].tag >= block->first) kept->marks[items[i].tag - block->first] = 1;
    }
    return status;
}

dq_status rank_kept_update(rank_kept *kept, const rank_block *block, dq_topk *const *lists, size_t count,
                           size_t first, size_t last, dq_error *error)
{
    kept->width = block->width;
    dq_status status = mark_new(kept, block, lists + first, last - first, error);
    for (uint32_t r = 0; !status && r < block->rows; r++)
        if (kept->marks[r])
            status = insert(kept, block->first + r, block->vectors + (size_t)r * block->width, error);
    if (!status && kept->count >= kept->next_sweep) status = sweep(kept, lists, count, error);
    return status;
}

void rank_kept_free(rank_kept *kept)
{
    for (size_t i = 0; i < kept->count; i++) free(kept->vectors[i]);
    free(kept->numbers);
    free(kept->vectors);
    free(kept->marks);
}
