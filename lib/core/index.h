/* SPDX-License-Identifier: MIT
 *
 * From an id to its number: an open-addressing hash table over ids that are numbered 0, 1, 2 ... as they
 * come. Used for catalogues (id -> row), for vocabularies, and to find duplicates.
 */
#ifndef DQ_CORE_INDEX_H
#define DQ_CORE_INDEX_H

#include "dq/bundle.h"

#define DQ_ABSENT UINT32_MAX

typedef struct dq_index {
    dq_strings ids;
    uint64_t *slots;   /* the upper half of an id's hash, and its number below; all ones where empty */
    size_t slot_count; /* a power of two */
} dq_index;

/* Zero-initialise to start. */
#define DQ_INDEX_EMPTY ((dq_index){0})

/* Finds or adds an id; *row gets its number, *added (may be NULL) whether it is new. */
dq_status dq_index_add(dq_index *index, const char *id, size_t bytes, uint32_t *row, bool *added,
                       dq_error *error);
/* The number of an id, or DQ_ABSENT. */
uint32_t dq_index_find(const dq_index *index, const char *id, size_t bytes);
/* The numbers (count of ids) in `among` of all ids, DQ_ABSENT where it lacks one; to be freed. NULL: memory
 * is short. */
uint32_t *dq_index_find_all(const dq_index *among, const dq_index *ids);
size_t dq_index_count(const dq_index *index);
/* Id number `row`, and its length; not NUL-terminated. */
const char *dq_index_id(const dq_index *index, uint32_t row, size_t *bytes);
void dq_index_free(dq_index *index);

/* The table's hash: FNV-1a over the bytes with splitmix64's finaliser. Stable for ever: feature hashing
 * (embed/hashing.h) gives the same vectors in every version. Not for integrity, which is XXH3's office in
 * wire.
 */
uint64_t dq_hash(const void *data, size_t bytes, uint64_t seed);

#endif
