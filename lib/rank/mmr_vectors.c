/* SPDX-License-Identifier: MIT
 *
 * A sorted array, found in by binary search. Numbers rise as items stream by, so inserting mostly appends.
 */
#include "rank/mmr_vectors.h"

#include "core/array.h"

#include <stdlib.h>
#include <string.h>

static size_t place_of(const dq_mmr_vectors *mmr, uint32_t number)
{
    size_t low = 0, high = mmr->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (mmr->numbers[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const float *dq_mmr_vectors_find(const dq_mmr_vectors *mmr, uint32_t number)
{
    return mmr->vectors[place_of(mmr, number)];
}

static dq_status clear_marks(dq_mmr_vectors *mmr, size_t n, dq_error *error)
{
    if (!dq_array_reserve(&mmr->marks, &mmr->mark_slots, n, 1))
        return dq_fail_memory(error, "the items' vectors");
    if (n) memset(mmr->marks, 0, n);
    return DQ_OK;
}

static dq_status insert(dq_mmr_vectors *mmr, const dq_rank_block *block, uint32_t row, dq_error *error)
{
    uint32_t number = block->first + row;
    size_t at = place_of(mmr, number);
    if (at < mmr->count && mmr->numbers[at] == number) return DQ_OK;
    size_t slots = dq_array_capacity(mmr->slots, mmr->count + 1);
    if (slots > mmr->slots && (!dq_array_resize(&mmr->numbers, slots, sizeof *mmr->numbers) ||
                               !dq_array_resize(&mmr->vectors, slots, sizeof *mmr->vectors)))
        return dq_fail_memory(error, "the items' vectors");
    mmr->slots = slots;
    float *copy = malloc(mmr->width * sizeof *copy);
    if (!copy) return dq_fail_memory(error, "the items' vectors");
    const float *vector = dq_rank_block_vector(block, row, copy);
    if (vector != copy) memcpy(copy, vector, mmr->width * sizeof *copy);
    memmove(mmr->numbers + at + 1, mmr->numbers + at, (mmr->count - at) * sizeof *mmr->numbers);
    memmove(mmr->vectors + at + 1, mmr->vectors + at, (mmr->count - at) * sizeof *mmr->vectors);
    mmr->numbers[at] = number;
    mmr->vectors[at] = copy;
    mmr->count++;
    return DQ_OK;
}

/* Marks by place in mmr. */
static dq_status sweep(dq_mmr_vectors *mmr, dq_topk *const *lists, size_t count, dq_error *error)
{
    dq_status status = clear_marks(mmr, mmr->count, error);
    if (status) return status;
    for (size_t u = 0; u < count; u++) {
        const dq_scored *items;
        size_t n = dq_topk_sorted(lists[u], &items);
        for (size_t i = 0; i < n; i++) mmr->marks[place_of(mmr, (uint32_t)items[i].tag)] = 1;
    }
    size_t left = 0;
    for (size_t i = 0; i < mmr->count; i++) {
        if (!mmr->marks[i]) {
            free(mmr->vectors[i]);
            continue;
        }
        mmr->numbers[left] = mmr->numbers[i];
        mmr->vectors[left++] = mmr->vectors[i];
    }
    mmr->count = left;
    mmr->next_sweep = 2 * left + 256;
    return DQ_OK;
}

/* Marks by row of the block. */
static dq_status mark_new(dq_mmr_vectors *mmr, const dq_rank_block *block, dq_topk *const *lists,
                          size_t count, dq_error *error)
{
    dq_status status = clear_marks(mmr, block->rows, error);
    for (size_t u = 0; !status && u < count; u++) {
        const dq_scored *items;
        size_t n = dq_topk_sorted(lists[u], &items);
        for (size_t i = 0; i < n; i++)
            if ((uint32_t)items[i].tag >= block->first && (uint32_t)items[i].tag - block->first < block->rows)
                mmr->marks[(uint32_t)items[i].tag - block->first] = 1;
    }
    return status;
}

dq_status dq_mmr_vectors_update(dq_mmr_vectors *mmr, const dq_rank_block *block, dq_topk *const *lists,
                                size_t count, size_t first, size_t last, dq_error *error)
{
    mmr->width = block->width;
    dq_status status = mark_new(mmr, block, lists + first, last - first, error);
    for (uint32_t r = 0; !status && r < block->rows; r++)
        if (mmr->marks[r]) status = insert(mmr, block, r, error);
    if (!status && mmr->count >= mmr->next_sweep) status = sweep(mmr, lists, count, error);
    return status;
}

void dq_mmr_vectors_free(dq_mmr_vectors *mmr)
{
    for (size_t i = 0; i < mmr->count; i++) free(mmr->vectors[i]);
    free(mmr->numbers);
    free(mmr->vectors);
    free(mmr->marks);
}
