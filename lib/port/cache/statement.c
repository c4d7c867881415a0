/* SPDX-License-Identifier: MIT
 *
 * Statements given their values and run, rows read, and errors named: by the functions of the cache's
 * database.
 */
#include "port/cache/impl.h"

#include <stdarg.h>
#include <unistd.h>

/* ---- words ---- */

dq_status dq_cache_named(dq_cache *cache, dq_error *error, dq_status status)
{
    dq_error_at(error, cache->name, DQ_NO_RECORD);
    return cache->failed = status;
}

dq_status dq_cache_no_memory(dq_cache *cache, dq_error *error)
{
    return dq_cache_named(cache, error, dq_fail_memory(error, "the cache"));
}

dq_status dq_cache_locked(dq_cache *cache, dq_error *error)
{
    return dq_cache_named(
        cache, error,
        dq_fail(error, DQ_ERR_IO, "another process has kept it locked for %g seconds", cache->tuning.busy));
}

dq_status dq_cache_usable(const dq_cache *cache, bool writes, dq_error *error)
{
    if (cache->pid != getpid())
        dq_fail(error, DQ_ERR_UNSUPPORTED, "the cache was opened before a fork");
    else if (writes && cache->read_only)
        dq_fail(error, DQ_ERR_UNSUPPORTED, "the cache was opened for reading only");
    else
        return DQ_OK;
    dq_error_at(error, cache->name, DQ_NO_RECORD);
    return DQ_ERR_UNSUPPORTED;
}

int64_t dq_cache_now(const dq_cache *cache)
{
    return cache->tuning.now ? cache->tuning.now(cache->tuning.arg) : cache->database->now(cache);
}

/* ---- statements ---- */

/* Texts are borrowed: a statement is run before its caller goes on. */
static size_t take_values(cache_value *values, const char *letters, va_list args)
{
    size_t n = 0;
    for (; *letters && n < CACHE_VALUES_MOST; n++, letters++) {
        cache_value *v = &values[n];
        *v = (cache_value){.letter = *letters};
        switch (*letters) {
        case 'i':
        case 'n': v->integer = va_arg(args, int64_t); break;
        case 'r': v->real = va_arg(args, double); break;
        case 't': v->text = va_arg(args, const char *); break;
        case 'k':
            v->text = (const char *)va_arg(args, const dq_cache_key *)->digest;
            v->bytes = DQ_SHA256_BYTES;
            break;
        default: v->text = va_arg(args, const char *); v->bytes = va_arg(args, size_t);
        }
    }
    return n;
}

int dq_cache_step(dq_cache *cache, cache_sql sql, cache_row **row, dq_error *error, const char *letters, ...)
{
    cache_value values[CACHE_VALUES_MOST];
    va_list args;
    va_start(args, letters);
    size_t n = take_values(values, letters, args);
    va_end(args);
    *row = &cache->rows[sql];
    (*row)->cache = cache;
    (*row)->sql = sql;
    return cache->database->step(*row, values, n, error);
}

dq_status dq_cache_run(dq_cache *cache, cache_sql sql, dq_error *error, const char *letters, ...)
{
    cache_value values[CACHE_VALUES_MOST];
    cache_row *row = &cache->rows[sql];
    va_list args;
    va_start(args, letters);
    size_t n = take_values(values, letters, args);
    va_end(args);
    row->cache = cache;
    row->sql = sql;
    int got = cache->database->step(row, values, n, error);
    if (got > 0) dq_cache_done(row);
    return got < 0 ? cache->failed : DQ_OK;
}

int dq_cache_more(cache_row *row, dq_error *error)
{
    return row->cache->database->more(row, error);
}

void dq_cache_done(cache_row *row)
{
    row->cache->database->done(row);
}

/* ---- rows ---- */

bool dq_cache_is_null(const cache_row *row, int column)
{
    return row->cache->database->is_null(row, column);
}

int64_t dq_cache_integer(const cache_row *row, int column)
{
    return row->cache->database->integer(row, column);
}

double dq_cache_real(const cache_row *row, int column)
{
    return row->cache->database->real(row, column);
}

const char *dq_cache_text(const cache_row *row, int column, size_t *bytes)
{
    *bytes = 0;
    return dq_cache_is_null(row, column) ? NULL : row->cache->database->text(row, column, bytes);
}

const char *dq_cache_copy(const cache_row *row, int column, size_t *bytes, dq_arena *arena, bool *lacks)
{
    if (dq_cache_is_null(row, column)) return NULL;
    const char *from = row->cache->database->text(row, column, bytes);
    const char *copy = from ? dq_arena_text(arena, from, *bytes) : NULL;
    if (!copy) *lacks = true;
    return copy;
}
