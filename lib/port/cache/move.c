/* SPDX-License-Identifier: MIT
 *
 * Answers out of one cache and into another, of either database.
 */
#include "port/cache/impl.h"

#include <string.h>

enum { KEY = 12 }; /* the column of SQL_NEXT behind those of an entry */

static bool read_next(const cache_row *row, dq_arena *arena, dq_cache_entry *entry)
{
    size_t bytes;
    const char *key = dq_cache_text(row, KEY, &bytes);
    if (!key || !dq_cache_read_entry(row, true, arena, entry)) return false;
    memcpy(entry->key.digest, key, bytes < DQ_SHA256_BYTES ? bytes : DQ_SHA256_BYTES);
    return true;
}

static dq_status read_page(dq_cache *cache, const dq_cache_key *after, dq_arena *arena,
                           dq_cache_entry *entries, size_t *n, dq_error *error)
{
    cache_row *row;
    const int64_t most = DQ_CACHE_PAGE;
    /* A text is less than any digest to SQLite, and bytes that are none to PostgreSQL. */
    int got = after ? dq_cache_step(cache, SQL_NEXT, &row, error, "ki", after, most)
                    : dq_cache_step(cache, SQL_NEXT, &row, error, "bi", "", (size_t)0, most);
    for (; got > 0; got = dq_cache_more(row, error)) {
        if (!read_next(row, arena, &entries[*n])) {
            dq_cache_done(row);
            return dq_cache_no_memory(cache, error);
        }
        ++*n;
    }
    return got < 0 ? cache->failed : DQ_OK;
}

dq_status dq_cache_next(dq_cache *cache, const dq_cache_key *after, dq_arena *arena, dq_cache_entry *entries,
                        size_t *n, dq_error *error)
{
    *n = 0;
    dq_status status = dq_cache_usable(cache, false, error);
    if (!status) status = dq_cache_begin(cache, false, error);
    if (status) return status;
    return dq_cache_end(cache, read_page(cache, after, arena, entries, n, error), error);
}

dq_status dq_cache_merge(dq_cache *cache, const dq_cache_entry *entries, size_t n, uint64_t *taken,
                         dq_error *error)
{
    uint64_t more = 0;
    dq_status status = dq_cache_usable(cache, true, error);
    if (status || !n) return status;
    status = dq_cache_begin(cache, true, error);
    if (status) return status;
    for (size_t i = 0; i < n && !status; i++) {
        int got = dq_cache_put(cache, SQL_MERGE, &entries[i], error);
        if (got < 0) status = cache->failed;
        more += got > 0;
    }
    status = dq_cache_end(cache, status, error);
    if (!status) *taken += more;
    return status;
}

static dq_status tell_facts(dq_cache *cache, dq_arena *arena, dq_cache_told *told, void *arg, dq_error *error)
{
    cache_row *row;
    dq_status status = DQ_OK;
    int got = dq_cache_step(cache, SQL_FACTS, &row, error, "");
    for (; got > 0 && !status; got = status ? got : dq_cache_more(row, error)) {
        bool lacks = false;
        size_t bytes;
        const char *about = dq_cache_copy(row, 0, &bytes, arena, &lacks),
                   *name = dq_cache_copy(row, 1, &bytes, arena, &lacks),
                   *value = dq_cache_copy(row, 2, &bytes, arena, &lacks);
        status = lacks ? dq_cache_no_memory(cache, error) : told(arg, about, name, value, error);
    }
    if (status) dq_cache_done(row);
    return got < 0 ? cache->failed : status;
}

dq_status dq_cache_facts(dq_cache *cache, dq_arena *arena, dq_cache_told *told, void *arg, dq_error *error)
{
    dq_status status = dq_cache_usable(cache, false, error);
    if (!status) status = dq_cache_begin(cache, false, error);
    if (status) return status;
    return dq_cache_end(cache, tell_facts(cache, arena, told, arg, error), error);
}

dq_status dq_cache_learn(dq_cache *cache, const char *about, const char *name, const char *value,
                         dq_error *error)
{
    dq_status status = dq_cache_usable(cache, true, error);
    if (!status) status = dq_cache_begin(cache, true, error);
    if (status) return status;
    return dq_cache_end(cache, dq_cache_run(cache, SQL_LEARN, error, "ttt", about, name, value), error);
}
