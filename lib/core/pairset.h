/* SPDX-License-Identifier: MIT
 *
 * The pairs of a user and an item that have met: a set of pairs of numbers, an open-addressing hash table of
 * 8 bytes a slot. Numbers are rows of a catalogue, or of an index: below DQ_ABSENT.
 */
#ifndef DQ_CORE_PAIRSET_H
#define DQ_CORE_PAIRSET_H

#include "core/index.h"

typedef struct dq_pairset_pair {
    uint32_t user, item;
} dq_pairset_pair;

typedef struct dq_pairset {
    uint64_t *slots; /* (slot_count), a power of two; user << 32 | item, or UINT64_MAX where empty */
    size_t slot_count, count;
} dq_pairset;

/* Zero-initialise to start. */
#define DQ_PAIRSET_EMPTY ((dq_pairset){0})

/* Adds a pair; *added (may be NULL) says whether it is new. DQ_ERR_RANGE when a number is DQ_ABSENT,
 * DQ_ERR_MEMORY; either leaves the set as it was. */
dq_status dq_pairset_add(dq_pairset *set, uint32_t user, uint32_t item, bool *added, dq_error *error);
/* Whether a pair is in the set; never when a number is DQ_ABSENT. Threads may ask at once. */
bool dq_pairset_has(const dq_pairset *set, uint32_t user, uint32_t item);
/* How many pairs there are, each counted once. */
size_t dq_pairset_count(const dq_pairset *set);
/* Writes all pairs, by ascending user, and a user's by ascending item. pairs: (count), the caller's. */
void dq_pairset_sorted(const dq_pairset *set, dq_pairset_pair *pairs);
void dq_pairset_free(dq_pairset *set);

#endif
