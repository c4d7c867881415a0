/* SPDX-License-Identifier: MIT
 *
 * One transaction at a time. A writing one takes along the hits that waited to be counted.
 */
#include "port/cache/impl.h"

dq_status dq_cache_begin(dq_cache *cache, bool writes, dq_error *error)
{
    cache->owner_before = cache->owner;
    cache->writing = writes;
    return cache->database->begin(cache, writes, error);
}

dq_status dq_cache_end(dq_cache *cache, dq_status status, dq_error *error)
{
    if (!status && cache->writing) status = dq_cache_add_hits(cache, error);
    if (!status) status = cache->database->commit(cache, error);
    if (!status && cache->writing) cache->hits = 0;
    if (status) cache->database->undo(cache);       /* what failed first is what is told */
    if (status) cache->owner = cache->owner_before; /* the number may be another's by now */
    return status;
}
