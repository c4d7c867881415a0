/* SPDX-License-Identifier: MIT
 *
 * Who asks: claims.
 *
 * A claim first only reads, so that those who wait for another's answer can look again as often as they like
 * without a write to the disk. Only keys that seem free are looked at once more, and taken, under the lock of
 * writers.
 */
#include "port/cache/impl.h"

/* One call of dq_cache_claim. */
typedef struct claiming {
    dq_cache *cache;
    const dq_cache_key *keys;
    const int *again; /* or NULL */
    dq_arena *arena;
    dq_cache_entry *entries;
    dq_cache_state *states;
    size_t free; /* keys that may be taken */
} claiming;

/* Whether somebody asks it now. clear: a dead owner is cleared away. */
static dq_status held(dq_cache *cache, const dq_cache_key *key, bool clear, bool *is, dq_error *error)
{
    cache_row *row;
    int64_t owner;
    int got = dq_cache_step(cache, SQL_HOLDER, &row, error, "k", key);
    *is = false;
    if (got <= 0) return got < 0 ? cache->failed : DQ_OK;
    dq_cache_holder holder = dq_cache_read_owner(row, &owner);
    dq_cache_done(row);
    *is = holder == HOLDER_WE || holder == HOLDER_ALIVE;
    return clear && holder == HOLDER_DEAD ? dq_cache_owner_clear(cache, owner, error) : DQ_OK;
}

/* Fills state and entry of a key: NONE where it may be taken. */
static dq_status look(const claiming *c, size_t i, bool clear, dq_error *error)
{
    bool asking = false;
    dq_cache_entry *entry = &c->entries[i];
    int got = dq_cache_look(c->cache, &c->keys[i], true, c->arena, entry, error);
    if (got < 0) return c->cache->failed;
    c->states[i] = DQ_CACHE_HAVE;
    if (got && (!c->again || entry->asked >= c->again[i])) return DQ_OK;
    dq_status status = held(c->cache, &c->keys[i], clear, &asking, error);
    c->states[i] = asking ? DQ_CACHE_THEIRS : DQ_CACHE_NONE;
    return status;
}

static dq_status look_at_all(claiming *c, size_t n, dq_error *error)
{
    dq_status status = dq_cache_begin(c->cache, false, error);
    if (status) return status;
    for (size_t i = 0; i < n && !status; i++) {
        status = look(c, i, false, error);
        c->free += c->states[i] == DQ_CACHE_NONE;
    }
    return dq_cache_end(c->cache, status, error);
}

static dq_status take(const claiming *c, size_t i, dq_error *error)
{
    dq_status status = look(c, i, true, error);
    if (status || c->states[i] != DQ_CACHE_NONE) return status;
    c->states[i] = DQ_CACHE_MINE;
    return dq_cache_run(c->cache, SQL_CLAIM, error, "ki", &c->keys[i], c->cache->owner);
}

static dq_status take_free(const claiming *c, size_t n, dq_error *error)
{
    dq_status status = dq_cache_begin(c->cache, true, error);
    if (status) return status;
    status = dq_cache_owner_ready(c->cache, error);
    for (size_t i = 0; i < n && !status; i++)
        if (c->states[i] == DQ_CACHE_NONE) status = take(c, i, error);
    return dq_cache_end(c->cache, status, error);
}

dq_status dq_cache_claim(dq_cache *cache, const dq_cache_key *keys, const int *again, size_t n,
                         dq_arena *arena, dq_cache_entry *entries, dq_cache_state *states, dq_error *error)
{
    claiming c = {cache, keys, again, arena, entries, states, 0};
    dq_status status = dq_cache_usable(cache, false, error);
    if (!status) status = look_at_all(&c, n, error);
    if (!status && c.free && !cache->read_only) status = take_free(&c, n, error);
    return status;
}

dq_status dq_cache_renew(dq_cache *cache, dq_error *error)
{
    dq_status status = dq_cache_usable(cache, true, error);
    if (status || !cache->owner) return status;
    status = dq_cache_begin(cache, true, error);
    if (status) return status;
    status = dq_cache_owner_ready(cache, error);
    return dq_cache_end(cache, status, error);
}

dq_status dq_cache_release(dq_cache *cache, const dq_cache_key *keys, size_t n, dq_error *error)
{
    dq_status status = dq_cache_usable(cache, true, error);
    if (status || !n || !cache->owner) return status;
    status = dq_cache_begin(cache, true, error);
    if (status) return status;
    for (size_t i = 0; i < n && !status; i++)
        status = dq_cache_run(cache, SQL_UNCLAIM, error, "ki", &keys[i], cache->owner);
    return dq_cache_end(cache, status, error);
}
