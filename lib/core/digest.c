/* SPDX-License-Identifier: MIT */
#include "core/digest.h"

#include <xxhash.h>

uint64_t dq_digest(const void *data, size_t bytes)
{
    return XXH3_64bits(data, bytes);
}

uint64_t dq_digest_seeded(const void *data, size_t bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(data, bytes, seed);
}

/* The 53 highest bits of a digest are a double's. The seed keeps shares apart from other uses of digests. */
double dq_share(const char *id, size_t bytes)
{
    enum { SEED = 0x5ba2e };
    return (double)(dq_digest_seeded(id, bytes, SEED) >> 11) * 0x1p-53;
}

/* dq_hasher is XXH3's own state under another name, so that no other file needs the header. */

dq_hasher *dq_hasher_new(void)
{
    XXH3_state_t *state = XXH3_createState();
    if (state) (void)XXH3_64bits_reset(state);
    return (dq_hasher *)state;
}

void dq_hasher_reset(dq_hasher *hasher)
{
    (void)XXH3_64bits_reset((XXH3_state_t *)hasher);
}

void dq_hasher_add(dq_hasher *hasher, const void *data, size_t n)
{
    (void)XXH3_64bits_update((XXH3_state_t *)hasher, data, n);
}

uint64_t dq_hasher_value(const dq_hasher *hasher)
{
    return XXH3_64bits_digest((const XXH3_state_t *)hasher);
}

void dq_hasher_free(dq_hasher *hasher)
{
    (void)XXH3_freeState((XXH3_state_t *)hasher);
}
