/* SPDX-License-Identifier: MIT
 *
 * Questions and answers: looking up, storing.
 */
#include "port/cache/impl.h"

#include <string.h>

/* The columns of SQL_FIND, and of SQL_FIND_WHOLE behind them. */
enum { LABEL, READER, TOKENS_IN, TOKENS_OUT, SECONDS, COST, TIME, ASKED, MODEL, SERVER, ANSWER, REQUEST };

static int64_t tokens(const cache_row *row, int column)
{
    return dq_cache_is_null(row, column) ? -1 : dq_cache_integer(row, column);
}

bool dq_cache_read_entry(const cache_row *row, bool whole, dq_arena *arena, dq_cache_entry *entry)
{
    bool lacks = false;
    size_t unused;
    *entry = (dq_cache_entry){
        .label = dq_cache_copy(row, LABEL, &unused, arena, &lacks),
        .reader = (uint32_t)dq_cache_integer(row, READER),
        .tokens_in = tokens(row, TOKENS_IN),
        .tokens_out = tokens(row, TOKENS_OUT),
        .seconds = dq_cache_real(row, SECONDS),
        .cost = dq_cache_real(row, COST),
        .time = dq_cache_integer(row, TIME),
        .asked = (int)dq_cache_integer(row, ASKED),
    };
    if (whole) {
        entry->model = dq_cache_copy(row, MODEL, &unused, arena, &lacks);
        entry->server = dq_cache_copy(row, SERVER, &unused, arena, &lacks);
        entry->answer = dq_cache_copy(row, ANSWER, &entry->answer_bytes, arena, &lacks);
        entry->request = dq_cache_copy(row, REQUEST, &entry->request_bytes, arena, &lacks);
    }
    return !lacks;
}

int dq_cache_look(dq_cache *cache, const dq_cache_key *key, bool whole, dq_arena *arena,
                  dq_cache_entry *entry, dq_error *error)
{
    cache_row *row;
    int got = dq_cache_step(cache, whole ? SQL_FIND_WHOLE : SQL_FIND, &row, error, "k", key);
    if (got <= 0) return got;
    bool read = dq_cache_read_entry(row, whole, arena, entry);
    entry->key = *key;
    dq_cache_done(row);
    if (read) return 1;
    (void)dq_cache_no_memory(cache, error);
    return -1;
}

dq_status dq_cache_find(dq_cache *cache, const dq_cache_key *keys, size_t n, bool whole, dq_arena *arena,
                        dq_cache_entry *entries, dq_cache_state *states, dq_error *error)
{
    dq_status status = dq_cache_usable(cache, false, error);
    if (!status) status = dq_cache_begin(cache, false, error);
    if (status) return status;
    for (size_t i = 0; i < n && !status; i++) {
        int got = dq_cache_look(cache, &keys[i], whole, arena, &entries[i], error);
        states[i] = got > 0 ? DQ_CACHE_HAVE : DQ_CACHE_NONE;
        if (got < 0) status = cache->failed;
    }
    return dq_cache_end(cache, status, error);
}

int dq_cache_put(dq_cache *cache, cache_sql sql, const dq_cache_entry *e, dq_error *error)
{
    cache_row *row;
    int got = dq_cache_step(cache, sql, &row, error, "ktinnrriittbb", &e->key, e->label, (int64_t)e->reader,
                            dq_cache_tokens(e->tokens_in), dq_cache_tokens(e->tokens_out),
                            dq_cache_amount(e->seconds), dq_cache_amount(e->cost), e->time, (int64_t)e->asked,
                            e->model, e->server, e->answer, e->answer_bytes, e->request, e->request_bytes);
    if (got > 0) dq_cache_done(row);
    return got;
}

static dq_status store_one(dq_cache *cache, const dq_cache_entry *e, dq_error *error)
{
    dq_status status = dq_cache_put(cache, SQL_STORE, e, error) < 0 ? cache->failed : DQ_OK;
    if (!status && cache->owner)
        status = dq_cache_run(cache, SQL_UNCLAIM, error, "ki", &e->key, cache->owner);
    return status;
}

static bool same_model(const dq_cache_entry *a, const dq_cache_entry *b)
{
    return a->model && b->model && strcmp(a->model, b->model) == 0;
}

/* Adds a run of entries of one model to its row of the ledger; *i moves behind them. */
static dq_status count_run(dq_cache *cache, const dq_cache_entry *entries, size_t n, size_t *i,
                           dq_error *error)
{
    const dq_cache_entry *first = &entries[*i];
    cache_count count = {0};
    for (; *i < n && same_model(&entries[*i], first); ++*i) {
        const dq_cache_entry *e = &entries[*i];
        count.answered += !e->shared;
        count.unreadable += !e->label;
        count.tokens_in += e->tokens_in > 0 ? dq_cache_tokens(e->tokens_in) : 0;
        count.tokens_out += e->tokens_out > 0 ? dq_cache_tokens(e->tokens_out) : 0;
        count.cost += dq_cache_amount(e->cost);
        count.seconds += dq_cache_amount(e->seconds);
    }
    count.cost = dq_cache_amount(count.cost);
    count.seconds = dq_cache_amount(count.seconds);
    return dq_cache_add(cache, first->model, &count, error);
}

dq_status dq_cache_store(dq_cache *cache, const dq_cache_entry *entries, size_t n, dq_error *error)
{
    dq_status status = dq_cache_usable(cache, true, error);
    if (status || !n) return status;
    status = dq_cache_begin(cache, true, error);
    if (status) return status;
    for (size_t i = 0; i < n && !status; i++) status = store_one(cache, &entries[i], error);
    for (size_t i = 0; i < n && !status;) status = count_run(cache, entries, n, &i, error);
    return dq_cache_end(cache, status, error);
}
