/* SPDX-License-Identifier: MIT
 *
 * One transaction at a time. A writing one takes along the hits that waited to be counted.
 */
#include "port/cache/impl.h"

dq_status dq_cache_begin(dq_cache *cache, bool writes, dq_error *error)
{
    cache->owner_before = cache->owner;
    cache->writing = writes;
    return dq_cache_run(cache, writes ? SQL_BEGIN_WRITE : SQL_BEGIN_READ, error, "");
}

dq_status dq_cache_end(dq_cache *cache, dq_status status, dq_error *error)
{
    if (!status && cache->writing) status = dq_cache_add_hits(cache, error);
    if (!status) status = dq_cache_run(cache, SQL_COMMIT, error, "");
    if (!status && cache->writing) cache->hits = 0;
    if (status && !sqlite3_get_autocommit(cache->db)) {
        dq_error ignored = DQ_ERROR_NONE; /* what failed first is what is told */
        (void)dq_cache_run(cache, SQL_ROLLBACK, &ignored, "");
    }
    if (status) cache->owner = cache->owner_before; /* the number may be another's by now */
    return status;
}
