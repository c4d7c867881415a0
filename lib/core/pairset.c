/* SPDX-License-Identifier: MIT */
#include "core/pairset.h"

#include <stdlib.h>
#include <string.h>

static const uint64_t empty = UINT64_MAX; /* what the pair of two absent numbers would be */

static uint64_t key_of(uint32_t user, uint32_t item)
{
    return (uint64_t)user << 32 | item;
}

/* splitmix64's finaliser: every bit of the key reaches the lowest ones, which choose the slot. */
static uint64_t mixed(uint64_t key)
{
    key = (key ^ (key >> 30)) * 0xbf58476d1ce4e5b9U;
    key = (key ^ (key >> 27)) * 0x94d049bb133111ebU;
    return key ^ (key >> 31);
}

/* The slot that holds the key, or the empty one where it would go. */
static size_t probe(const dq_pairset *set, uint64_t key)
{
    size_t mask = set->slot_count - 1, at = (size_t)mixed(key) & mask;
    while (set->slots[at] != empty && set->slots[at] != key) at = (at + 1) & mask;
    return at;
}

static dq_status grow(dq_pairset *set, dq_error *error)
{
    dq_pairset larger = {.slot_count = set->slot_count ? 2 * set->slot_count : 64, .count = set->count};
    larger.slots = malloc(larger.slot_count * sizeof *larger.slots);
    if (!larger.slots) return dq_fail_memory(error, "%zu pairs of users and items", set->count);
    memset(larger.slots, 0xff, larger.slot_count * sizeof *larger.slots);
    for (size_t i = 0; i < set->slot_count; i++)
        if (set->slots[i] != empty) larger.slots[probe(&larger, set->slots[i])] = set->slots[i];
    free(set->slots);
    *set = larger;
    return DQ_OK;
}

dq_status dq_pairset_add(dq_pairset *set, uint32_t user, uint32_t item, bool *added, dq_error *error)
{
    if (user == DQ_ABSENT || item == DQ_ABSENT)
        return dq_fail(error, DQ_ERR_RANGE, "a pair needs a user and an item");
    if (3 * (set->count + 1) > 2 * set->slot_count) { /* probes stay short up to two thirds */
        dq_status status = grow(set, error);
        if (status) return status;
    }
    uint64_t key = key_of(user, item);
    size_t at = probe(set, key);
    bool fresh = set->slots[at] == empty;
    set->slots[at] = key;
    set->count += fresh;
    if (added) *added = fresh;
    return DQ_OK;
}

bool dq_pairset_has(const dq_pairset *set, uint32_t user, uint32_t item)
{
    uint64_t key = key_of(user, item);
    return set->count && key != empty && set->slots[probe(set, key)] == key;
}

size_t dq_pairset_count(const dq_pairset *set)
{
    return set->count;
}

static int by_user_and_item(const void *a, const void *b)
{
    const dq_pairset_pair *x = a, *y = b;
    uint64_t p = key_of(x->user, x->item), q = key_of(y->user, y->item);
    return (p > q) - (p < q);
}

void dq_pairset_sorted(const dq_pairset *set, dq_pairset_pair *pairs)
{
    size_t n = 0;
    for (size_t i = 0; i < set->slot_count; i++)
        if (set->slots[i] != empty)
            pairs[n++] = (dq_pairset_pair){(uint32_t)(set->slots[i] >> 32), (uint32_t)set->slots[i]};
    if (n) qsort(pairs, n, sizeof *pairs, by_user_and_item);
}

void dq_pairset_free(dq_pairset *set)
{
    free(set->slots);
    *set = DQ_PAIRSET_EMPTY;
}
