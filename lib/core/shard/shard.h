/* SPDX-License-Identifier: MIT
 *
 * One of N parts of a set of ids, for work that many processes or machines share: "3/12" is the third of
 * twelve. An id is in part 1 + XXH3-64(its bytes) mod N: every id is in one part and no other, whatever the
 * order of the ids and whoever else there is, today and in every later version. In Python:
 *
 *     1 + xxhash.xxh3_64_intdigest(id) % n
 *
 * Parts are about equal in number, not exactly; one may be empty where N is near the number of ids.
 *
 *     dq_shard shard = DQ_SHARD_ALL;
 *     if (text && dq_shard_parse(&shard, text, &e)) ...
 *     if (dq_shard_has(&shard, id, bytes)) ...
 */
#ifndef DQ_CORE_SHARD_SHARD_H
#define DQ_CORE_SHARD_SHARD_H

#include "dq/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DQ_SHARD_MAX = 1000000 }; /* the most parts */

typedef struct dq_shard {
    uint32_t index; /* from 1 to count */
    uint32_t count; /* 0 or 1: there is one part, which has everything */
} dq_shard;

#define DQ_SHARD_ALL ((dq_shard){0})

/* Reads "I/N", I from 1 to N, N up to DQ_SHARD_MAX: digits and nothing else. DQ_ERR_RANGE says what is wanted
 * instead; *shard stays as it was. */
dq_status dq_shard_parse(dq_shard *shard, const char *text, dq_error *error);

/* Whether there is more than one part. */
static inline bool dq_shard_cuts(const dq_shard *shard)
{
    return shard->count > 1;
}

bool dq_shard_has(const dq_shard *shard, const char *id, size_t bytes);

#endif
