/* SPDX-License-Identifier: MIT */
#include "core/index.h"

#include "core/bytes.h"

#include <stdlib.h>
#include <string.h>

uint64_t dq_hash(const void *data, size_t bytes, uint64_t seed)
{
    const unsigned char *p = data;
    uint64_t h = 0xcbf29ce484222325U ^ seed;
    for (size_t i = 0; i < bytes; i++) h = (h ^ p[i]) * 0x100000001b3U;
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9U;
    h = (h ^ (h >> 27)) * 0x94d049bb133111ebU;
    return h ^ (h >> 31);
}

static const uint64_t EMPTY = UINT64_MAX, TAG = 0xffffffff00000000U;

/* The slot that holds the id, or the empty one where it would go. Other ids are mostly told by the halves of
 * their hashes, without a look at their bytes, which are far away. */
static size_t probe(const dq_index *index, const char *id, size_t bytes, uint64_t hash)
{
    size_t mask = index->slot_count - 1, at = (size_t)(hash >> 32) & mask;
    for (; index->slots[at] != EMPTY; at = (at + 1) & mask) {
        size_t n;
        if ((index->slots[at] ^ hash) & TAG) continue;
        const char *held = dq_strings_get(&index->ids, (uint32_t)index->slots[at], &n);
        if (n == bytes && dq_bytes_equal(held, id, n)) break;
    }
    return at;
}

static dq_status grow(dq_index *index, dq_error *error)
{
    size_t count = index->slot_count ? 2 * index->slot_count : 64, mask = count - 1;
    uint64_t *slots = malloc(count * sizeof *slots);
    if (!slots) return dq_fail_memory(error, "an index of %zu ids", index->ids.count);
    memset(slots, 0xff, count * sizeof *slots);
    for (size_t i = 0; i < index->slot_count; i++) { /* what is kept of a hash says where its id goes */
        if (index->slots[i] == EMPTY) continue;
        size_t at = (size_t)(index->slots[i] >> 32) & mask;
        while (slots[at] != EMPTY) at = (at + 1) & mask;
        slots[at] = index->slots[i];
    }
    free(index->slots);
    index->slots = slots;
    index->slot_count = count;
    return DQ_OK;
}

dq_status dq_index_add(dq_index *index, const char *id, size_t bytes, uint32_t *row, bool *added,
                       dq_error *error)
{
    if (index->ids.count >= DQ_ABSENT - 1) return dq_fail(error, DQ_ERR_RANGE, "more than 2^32 - 2 ids");
    if (2 * (index->ids.count + 1) > index->slot_count) {
        dq_status status = grow(index, error);
        if (status) return status;
    }
    uint64_t hash = dq_hash(id, bytes, 0);
    size_t at = probe(index, id, bytes, hash);
    bool fresh = index->slots[at] == EMPTY;
    if (fresh) {
        dq_status status = dq_strings_add(&index->ids, id, bytes, error);
        if (status) return status;
        index->slots[at] = (hash & TAG) | (index->ids.count - 1);
    }
    if (row) *row = (uint32_t)index->slots[at];
    if (added) *added = fresh;
    return DQ_OK;
}

uint32_t dq_index_find(const dq_index *index, const char *id, size_t bytes)
{
    if (!index->slot_count) return DQ_ABSENT;
    return (uint32_t)index->slots[probe(index, id, bytes, dq_hash(id, bytes, 0))];
}

uint32_t *dq_index_find_all(const dq_index *among, const dq_index *ids)
{
    uint32_t count = (uint32_t)dq_index_count(ids), *number = malloc((count + (size_t)1) * sizeof *number);
    if (!number) return NULL;
    for (uint32_t i = 0; i < count; i++) {
        size_t n;
        const char *id = dq_index_id(ids, i, &n);
        number[i] = dq_index_find(among, id, n);
    }
    return number;
}

size_t dq_index_count(const dq_index *index)
{
    return index->ids.count;
}

const char *dq_index_id(const dq_index *index, uint32_t row, size_t *bytes)
{
    return dq_strings_get(&index->ids, row, bytes);
}

void dq_index_free(dq_index *index)
{
    dq_strings_free(&index->ids);
    free(index->slots);
    *index = DQ_INDEX_EMPTY;
}
