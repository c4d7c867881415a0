/* SPDX-License-Identifier: MIT
 *
 * Statements, prepared once, and what SQLite complains of in words.
 */
#include "port/cache/impl.h"

#include <errno.h>
#include <stdarg.h>
#include <time.h>
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

/* errno of the latest failure, as well as SQLite can tell: a statement forgets it, the file does not. */
static int system_error(dq_cache *cache)
{
    int sys = sqlite3_system_errno(cache->db);
    if (sys) return sys;
    if (sqlite3_file_control(cache->db, "main", SQLITE_FCNTL_LAST_ERRNO, &sys) != SQLITE_OK) return 0;
    return sys == EAGAIN ? 0 : sys; /* a lock that another held, some time ago */
}

static dq_status fail_io(dq_cache *cache, dq_error *error, int code)
{
    int sys = (code & 0xff) == SQLITE_FULL ? ENOSPC : system_error(cache);
    if (sys) return dq_fail_errno(error, sys, "cannot use the cache");
    return dq_fail(error, DQ_ERR_IO, "cannot use the cache: %s", sqlite3_errmsg(cache->db));
}

static dq_status fail_as(dq_cache *cache, int code, dq_error *error)
{
    if (code == SQLITE_READONLY_ROLLBACK)
        return dq_fail(error, DQ_ERR_IO,
                       "a write to it was interrupted: open it once with write access to undo that");
    switch (code & 0xff) {
    case SQLITE_NOMEM: return dq_fail_memory(error, "the cache");
    case SQLITE_BUSY:
        return dq_fail(error, DQ_ERR_IO, "another process has kept it locked for %g seconds",
                       cache->tuning.busy);
    case SQLITE_NOTADB: return dq_fail(error, DQ_ERR_FORMAT, "not a cache: not an SQLite file");
    case SQLITE_CORRUPT:
        return dq_fail(error, DQ_ERR_FORMAT, "damaged (%s); docs/cache.md says how to save its answers",
                       sqlite3_errmsg(cache->db));
    case SQLITE_READONLY: return dq_fail(error, DQ_ERR_IO, "no write access to the cache or its folder");
    case SQLITE_CONSTRAINT: return dq_fail(error, DQ_ERR_RANGE, "%s", sqlite3_errmsg(cache->db));
    case SQLITE_TOOBIG: return dq_fail(error, DQ_ERR_RANGE, "an answer is too long for the cache");
    default: return fail_io(cache, error, code);
    }
}

dq_status dq_cache_fail(dq_cache *cache, dq_error *error)
{
    return dq_cache_named(cache, error, fail_as(cache, sqlite3_extended_errcode(cache->db), error));
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

/* ---- statements ---- */

static sqlite3_stmt *prepared(dq_cache *cache, cache_sql sql)
{
    sqlite3_stmt **kept = &cache->statements[sql];
    if (*kept)
        sqlite3_reset(*kept);
    else
        sqlite3_prepare_v3(cache->db, dq_cache_sql_text[sql], -1, SQLITE_PREPARE_PERSISTENT, kept, NULL);
    return *kept;
}

/* Texts are borrowed: a statement is stepped before its caller goes on, and reset before it is bound again.
 */
static void bind(sqlite3_stmt *statement, const char *letters, va_list args)
{
    for (int at = 1; *letters; at++, letters++) {
        switch (*letters) {
        case 'i': sqlite3_bind_int64(statement, at, va_arg(args, int64_t)); break;
        case 'r': sqlite3_bind_double(statement, at, va_arg(args, double)); break;
        case 't': sqlite3_bind_text(statement, at, va_arg(args, const char *), -1, SQLITE_STATIC); break;
        case 'k':
            sqlite3_bind_blob(statement, at, va_arg(args, const dq_cache_key *)->digest, DQ_SHA256_BYTES,
                              SQLITE_STATIC);
            break;
        default: {
            const char *text = va_arg(args, const char *);
            sqlite3_bind_text64(statement, at, text, va_arg(args, size_t), SQLITE_STATIC, SQLITE_UTF8);
        }
        }
    }
}

int dq_cache_more(dq_cache *cache, sqlite3_stmt *row, dq_error *error)
{
    int code = sqlite3_step(row);
    if (code == SQLITE_ROW) return 1;
    if (code != SQLITE_DONE) (void)dq_cache_fail(cache, error);
    sqlite3_reset(row);
    return code == SQLITE_DONE ? 0 : -1;
}

void dq_cache_done(sqlite3_stmt *row)
{
    sqlite3_reset(row);
}

static int step(dq_cache *cache, cache_sql sql, sqlite3_stmt **row, dq_error *error, const char *letters,
                va_list args)
{
    *row = prepared(cache, sql);
    if (*row) {
        bind(*row, letters, args);
        return dq_cache_more(cache, *row, error);
    }
    (void)dq_cache_fail(cache, error);
    return -1;
}

int dq_cache_step(dq_cache *cache, cache_sql sql, sqlite3_stmt **row, dq_error *error, const char *letters,
                  ...)
{
    va_list args;
    va_start(args, letters);
    int got = step(cache, sql, row, error, letters, args);
    va_end(args);
    return got;
}

dq_status dq_cache_run(dq_cache *cache, cache_sql sql, dq_error *error, const char *letters, ...)
{
    sqlite3_stmt *row;
    va_list args;
    va_start(args, letters);
    int got = step(cache, sql, &row, error, letters, args);
    va_end(args);
    if (got > 0) dq_cache_done(row);
    return got < 0 ? cache->failed : DQ_OK;
}

int64_t dq_cache_now(const dq_cache *cache)
{
    return cache->tuning.now ? cache->tuning.now(cache->tuning.arg) : (int64_t)time(NULL);
}
