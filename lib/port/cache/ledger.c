/* SPDX-License-Identifier: MIT
 *
 * What was spent, by model, and what was learnt of servers.
 *
 * A request is counted before it goes out, by the process that holds the lock of writers, so that a budget
 * holds whoever spends it. Until its outcome is known it is one of its owner's flights; the flights of a dead
 * owner become answers lost on the way.
 */
#include "port/cache/impl.h"

#include <stdlib.h>
#include <string.h>

enum {
    MODEL,
    CALLS,
    ANSWERED,
    FAILED,
    LOST,
    UNREADABLE,
    HITS,
    ENTRIES,
    TOKENS_IN,
    TOKENS_OUT,
    COST,
    SECONDS,
    BROKEN
};

/* How many of n requests the budget allows; with none, which limit is spent. */
static dq_status allow(dq_cache *cache, const dq_cache_budget *budget, uint64_t *n, dq_error *error)
{
    cache_row *row;
    if (dq_cache_step(cache, SQL_TOTALS, &row, error, "") <= 0) return cache->failed;
    uint64_t requests = (uint64_t)dq_cache_integer(row, 0), tokens = (uint64_t)dq_cache_integer(row, 1);
    double cost = dq_cache_real(row, 2);
    dq_cache_done(row);
    if (budget->requests && requests >= budget->requests)
        return dq_fail(error, DQ_ERR_STOPPED, "the budget of %llu requests is spent",
                       (unsigned long long)budget->requests);
    if (budget->tokens && tokens >= budget->tokens)
        return dq_fail(error, DQ_ERR_STOPPED, "the budget of %llu tokens is spent (%llu)",
                       (unsigned long long)budget->tokens, (unsigned long long)tokens);
    if (budget->cost > 0 && cost >= budget->cost)
        return dq_fail(error, DQ_ERR_STOPPED, "the budget of %.9g is spent (%.9g)", budget->cost, cost);
    if (budget->requests && *n > budget->requests - requests) *n = budget->requests - requests;
    return DQ_OK;
}

static dq_status grant(dq_cache *cache, const char *model, int64_t n, dq_error *error)
{
    dq_status status = dq_cache_owner_ready(cache, error);
    if (!status) status = dq_cache_add(cache, model, &(cache_count){.calls = n}, error);
    if (!status) status = dq_cache_run(cache, SQL_FLIGHT_MORE, error, "iti", cache->owner, model, n);
    return status;
}

dq_status dq_cache_spend(dq_cache *cache, const char *model, const dq_cache_budget *budget, uint64_t n,
                         uint64_t *granted, dq_error *error)
{
    *granted = 0;
    dq_status status = dq_cache_usable(cache, true, error);
    if (status || !n) return status;
    status = dq_cache_begin(cache, true, error);
    if (status) return status;
    if (budget) status = allow(cache, budget, &n, error);
    if (!status) status = grant(cache, model, (int64_t)n, error);
    status = dq_cache_end(cache, status, error);
    if (!status) *granted = n;
    if (status == DQ_ERR_STOPPED) dq_error_at(error, cache->name, DQ_NO_RECORD);
    return status;
}

dq_status dq_cache_unspend(dq_cache *cache, const char *model, uint64_t n, dq_error *error)
{
    dq_status status = dq_cache_usable(cache, true, error);
    if (status || !n) return status;
    status = dq_cache_begin(cache, true, error);
    if (status) return status;
    status = dq_cache_add(cache, model, &(cache_count){.calls = -(int64_t)n}, error);
    if (!status && cache->owner)
        status = dq_cache_run(cache, SQL_FLIGHT_LESS, error, "iti", cache->owner, model, (int64_t)n);
    return dq_cache_end(cache, status, error);
}

/* Hits cost nothing, and are not worth a commit: they go with the next, or at the latest when we close. */
static dq_status keep_hits(dq_cache *cache, const char *model, uint64_t hits, dq_error *error)
{
    if (cache->hits && strcmp(cache->hits_model, model) != 0) {
        dq_status status = dq_cache_begin(cache, true, error);
        if (!status) status = dq_cache_end(cache, DQ_OK, error);
        if (status) return status;
    }
    if (!cache->hits_model || strcmp(cache->hits_model, model) != 0) {
        free(cache->hits_model);
        cache->hits_model = strdup(model);
        if (!cache->hits_model) return dq_cache_no_memory(cache, error);
    }
    cache->hits += hits;
    return DQ_OK;
}

dq_status dq_cache_count(dq_cache *cache, const char *model, uint64_t failed, uint64_t lost, uint64_t hits,
                         dq_error *error)
{
    cache_count count = {.failed = (int64_t)failed, .lost = (int64_t)lost};
    dq_status status = dq_cache_usable(cache, true, error);
    if (!status && hits) status = keep_hits(cache, model, hits, error);
    if (status || (!failed && !lost)) return status;
    status = dq_cache_begin(cache, true, error);
    if (status) return status;
    return dq_cache_end(cache, dq_cache_add(cache, model, &count, error), error);
}

/* ---- sums ---- */

static uint64_t number(const cache_row *row, int column)
{
    int64_t n = dq_cache_integer(row, column);
    return n > 0 ? (uint64_t)n : 0;
}

static bool read_sums(const cache_row *row, dq_arena *arena, dq_cache_ledger *sums)
{
    bool lacks = false;
    size_t bytes;
    *sums = (dq_cache_ledger){
        .model = dq_cache_copy(row, MODEL, &bytes, arena, &lacks),
        .calls = number(row, CALLS),
        .answered = number(row, ANSWERED),
        .failed = number(row, FAILED),
        .lost = number(row, LOST),
        .unreadable = number(row, UNREADABLE),
        .hits = number(row, HITS),
        .entries = number(row, ENTRIES),
        .tokens_in = number(row, TOKENS_IN),
        .tokens_out = number(row, TOKENS_OUT),
        .cost = dq_cache_real(row, COST),
        .seconds = dq_cache_real(row, SECONDS),
        .broken = dq_cache_integer(row, BROKEN) != 0,
    };
    return sums->model;
}

/* Room for one more row, doubling; the arena keeps the smaller ones. */
static bool one_more(dq_arena *arena, dq_cache_ledger **rows, size_t count)
{
    if (count & (count - 1)) return true;
    dq_cache_ledger *more = dq_arena_zero(arena, count ? 2 * count : 1, sizeof *more);
    if (more && count) memcpy(more, *rows, count * sizeof *more);
    if (more) *rows = more;
    return more;
}

static dq_status read_all_sums(dq_cache *cache, dq_arena *arena, dq_cache_ledger **rows, size_t *count,
                               dq_error *error)
{
    cache_row *row;
    int got = dq_cache_step(cache, SQL_SUMS, &row, error, "");
    while (got > 0) {
        if (!one_more(arena, rows, *count) || !read_sums(row, arena, &(*rows)[*count])) {
            dq_cache_done(row);
            return dq_cache_no_memory(cache, error);
        }
        ++*count;
        got = dq_cache_more(row, error);
    }
    return got < 0 ? cache->failed : DQ_OK;
}

dq_status dq_cache_sums(dq_cache *cache, dq_arena *arena, dq_cache_ledger **rows, size_t *count,
                        dq_error *error)
{
    *rows = NULL;
    *count = 0;
    dq_status status = dq_cache_usable(cache, false, error);
    if (!status) status = dq_cache_begin(cache, false, error);
    if (status) return status;
    return dq_cache_end(cache, read_all_sums(cache, arena, rows, count, error), error);
}

/* ---- a broken one ---- */

static dq_status count_broken(dq_cache *cache, int64_t *count, dq_error *error)
{
    cache_row *row;
    if (dq_cache_step(cache, SQL_BROKEN, &row, error, "") <= 0) return cache->failed;
    *count = dq_cache_integer(row, 0);
    dq_cache_done(row);
    return DQ_OK;
}

dq_status dq_cache_mend_ledger(dq_cache *cache, dq_error *error)
{
    int64_t broken = 0;
    dq_status status = dq_cache_begin(cache, false, error);
    if (status) return status;
    status = dq_cache_end(cache, count_broken(cache, &broken, error), error);
    if (status || !broken) return status;
    status = dq_cache_begin(cache, true, error);
    if (status) return status;
    status = count_broken(cache, &broken, error); /* another process may have been here first */
    if (!status) status = dq_cache_run(cache, SQL_MEND_ANSWERS, error, "i", (int64_t)DQ_CACHE_TOKENS_MOST);
    if (!status) status = dq_cache_run(cache, SQL_MEND_LEDGER, error, "");
    status = dq_cache_end(cache, status, error);
    if (!status) cache->mended = (uint64_t)broken;
    return status;
}

/* ---- facts ---- */

static dq_status read_fact(dq_cache *cache, const char *about, const char *name, dq_arena *arena,
                           const char **value, dq_error *error)
{
    cache_row *row;
    int got = dq_cache_step(cache, SQL_FACT, &row, error, "tt", about, name);
    if (got <= 0) return got < 0 ? cache->failed : DQ_OK;
    bool lacks = false;
    size_t bytes;
    *value = dq_cache_copy(row, 0, &bytes, arena, &lacks);
    dq_cache_done(row);
    return *value ? DQ_OK : dq_cache_no_memory(cache, error);
}

dq_status dq_cache_fact(dq_cache *cache, const char *about, const char *name, dq_arena *arena,
                        const char **value, dq_error *error)
{
    *value = NULL;
    dq_status status = dq_cache_usable(cache, false, error);
    if (!status) status = dq_cache_begin(cache, false, error);
    if (status) return status;
    return dq_cache_end(cache, read_fact(cache, about, name, arena, value, error), error);
}

dq_status dq_cache_remember(dq_cache *cache, const char *about, const char *name, const char *value,
                            dq_error *error)
{
    dq_status status = dq_cache_usable(cache, true, error);
    if (!status) status = dq_cache_begin(cache, true, error);
    if (status) return status;
    return dq_cache_end(cache, dq_cache_run(cache, SQL_REMEMBER, error, "ttt", about, name, value), error);
}
