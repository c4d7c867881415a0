/* SPDX-License-Identifier: MIT
 *
 * A cache is opened and closed: a file, or a server's database where the name is an address.
 */
#include "port/cache/impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PARTING = 3 }; /* seconds */

void dq_cache_tune(dq_cache *cache, const dq_cache_tuning *tuning)
{
    cache->tuning = *tuning;
}

/* SQLite gives ":memory:", "file:..." and "" a meaning of their own; with a folder they have none. */
static dq_status take_name(dq_cache *c, const char *path, dq_error *error)
{
    bool address = dq_cache_is_address(path);
    c->database = address ? &dq_cache_postgres : &dq_cache_sqlite;
    if (asprintf(&c->path, "%s%s", address || *path == '/' ? "" : "./", path) < 0) c->path = NULL;
    c->name = c->path ? c->path + strlen(c->path) - strlen(path) : "";
    if (!c->path) return dq_fail_memory(error, "the cache");
    return dq_cache_check_address(path, error);
}

dq_status dq_cache_open(dq_cache **cache, const char *path, bool read_only, dq_error *error)
{
    dq_cache *c = *cache = calloc(1, sizeof *c);
    if (!c) return dq_fail_memory(error, "the cache");
    c->read_only = read_only;
    c->pid = getpid();
    c->jitter = (uint64_t)c->pid * 0x9e3779b97f4a7c15u;
    c->tuning.busy = DQ_CACHE_BUSY;
    dq_cache_process_self(&c->self);
    dq_status status = take_name(c, path, error);
    if (!status) status = c->database->open(c, error);
    if (!status && !read_only) status = dq_cache_mend_ledger(c, error);
    if (!status) return DQ_OK;
    dq_cache_close(c);
    *cache = NULL;
    return status;
}

uint64_t dq_cache_mended(const dq_cache *cache)
{
    return cache ? cache->mended : 0;
}

/* What we claimed is free, and what has no outcome is lost; so it is with the dead, whom perhaps nobody comes
 * after us to clear away. When that cannot be written, our death will say it: a cache that failed us before,
 * a server that is gone, is not waited for as long again. */
static void leave(dq_cache *cache)
{
    dq_error ignored = DQ_ERROR_NONE;
    if (cache->failed == DQ_ERR_IO) cache->tuning.busy = fmin(cache->tuning.busy, PARTING);
    if ((!cache->owner && !cache->hits) || dq_cache_begin(cache, true, &ignored)) return;
    dq_status status = DQ_OK;
    if (cache->owner) status = dq_cache_owner_clear(cache, cache->owner, &ignored);
    if (!status) status = dq_cache_clear_dead(cache, &ignored);
    (void)dq_cache_end(cache, status, &ignored);
}

void dq_cache_close(dq_cache *cache)
{
    if (!cache) return;
    if ((cache->file || cache->server) && cache->pid == getpid()) {
        leave(cache);
        for (int i = 0; i < SQL_STATEMENTS; i++) cache->database->forget(&cache->rows[i]);
        cache->database->close(cache);
    }
    free(cache->hits_model);
    free(cache->path);
    free(cache);
}
