/* SPDX-License-Identifier: MIT
 *
 * A cache in a file: SQLite.
 *
 * Why a journal that is truncated: with synchronous=FULL a journal that is deleted (SQLite's default) may
 * come back after a loss of power, since nobody syncs the folder then, and take the last, committed answers
 * with it. A truncated one is synced. No WAL: before 3.51.3 two writers could corrupt one.
 *
 * Why the file is made by mknod: it is then 0600 from its first moment whatever the umask, only one process
 * makes it, and no descriptor of it is ever closed behind SQLite's back, which would drop the locks that
 * another handle of this process holds (POSIX locks belong to the process, not to the descriptor).
 *
 * Why no memory map: a page that cannot be read would be a SIGBUS in place of an error.
 */
#include "port/cache/impl.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    APPLICATION = 0x64716361, /* "dqca" */
    PAGE_BYTES = 8192,
    PAGES_KIB = 32 << 10,  /* of memory for pages, at most */
    ROW_BYTES = 128 << 20, /* an answer is at most 64 MiB; a damaged row's claim of more is not believed */
};

/* ---- words ---- */

/* errno of the latest failure, as well as SQLite can tell: a statement forgets it, the file does not. */
static int system_error(dq_cache *cache)
{
    int sys = sqlite3_system_errno(cache->file);
    if (sys) return sys;
    if (sqlite3_file_control(cache->file, "main", SQLITE_FCNTL_LAST_ERRNO, &sys) != SQLITE_OK) return 0;
    return sys == EAGAIN ? 0 : sys; /* a lock that another held, some time ago */
}

static dq_status fail_io(dq_cache *cache, dq_error *error, int code)
{
    int sys = (code & 0xff) == SQLITE_FULL ? ENOSPC : system_error(cache);
    if (sys) return dq_fail_errno(error, sys, "cannot use the cache");
    return dq_fail(error, DQ_ERR_IO, "cannot use the cache: %s", sqlite3_errmsg(cache->file));
}

static dq_status fail_as(dq_cache *cache, int code, dq_error *error)
{
    if (code == SQLITE_READONLY_ROLLBACK)
        return dq_fail(error, DQ_ERR_IO,
                       "a write to it was interrupted: open it once with write access to undo that");
    switch (code & 0xff) {
    case SQLITE_NOMEM: return dq_fail_memory(error, "the cache");
    case SQLITE_BUSY: return dq_cache_locked(cache, error);
    case SQLITE_NOTADB: return dq_fail(error, DQ_ERR_FORMAT, "not a cache: not an SQLite file");
    case SQLITE_CORRUPT:
        return dq_fail(error, DQ_ERR_FORMAT, "damaged (%s); docs/cache.md says how to save its answers",
                       sqlite3_errmsg(cache->file));
    case SQLITE_READONLY: return dq_fail(error, DQ_ERR_IO, "no write access to the cache or its folder");
    case SQLITE_CONSTRAINT: return dq_fail(error, DQ_ERR_RANGE, "%s", sqlite3_errmsg(cache->file));
    case SQLITE_TOOBIG: return dq_fail(error, DQ_ERR_RANGE, "an answer is too long for the cache");
    default: return fail_io(cache, error, code);
    }
}

/* What SQLite last complained of. */
static dq_status fail(dq_cache *cache, dq_error *error)
{
    return dq_cache_named(cache, error, fail_as(cache, sqlite3_extended_errcode(cache->file), error));
}

/* ---- waiting for other processes ---- */

static double monotonic(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Another's transaction takes about a millisecond: waits grow from a fifth of one to five, each drawn anew,
 * so that many processes neither wake together nor sleep long after the lock is free. SQLite's own go to 100.
 */
static int wait_for_others(void *arg, int tries)
{
    dq_cache *cache = arg;
    double now = monotonic();
    if (tries == 0) cache->waiting = now;
    if (now - cache->waiting > cache->tuning.busy) return 0;
    cache->jitter = cache->jitter * 6364136223846793005u + 1442695040888963407u;
    double most = tries < 5 ? 200e3 * (1 << tries) : 5e6, part = (double)(cache->jitter >> 33) / 0x1p31;
    nanosleep(&(struct timespec){.tv_nsec = (long)(most * (0.5 + 0.5 * part))}, NULL);
    return 1;
}

/* ---- opening ---- */

/* Makes the file where there is none. */
static dq_status make_file(dq_cache *cache, dq_error *error)
{
    if (mknod(cache->path, S_IFREG | 0600, 0) == 0 || errno == EEXIST) return DQ_OK;
    return dq_cache_named(cache, error, dq_fail_errno(error, errno, "cannot make the cache"));
}

static dq_status open_file(dq_cache *cache, dq_error *error)
{
    struct stat about;
    if (stat(cache->path, &about) != 0)
        return dq_cache_named(cache, error, dq_fail_errno(error, errno, "cannot open the cache"));
    if (!S_ISREG(about.st_mode))
        return dq_cache_named(cache, error, dq_fail(error, DQ_ERR_FORMAT, "not a cache: not a regular file"));
    /* Also to read: only then can it undo what a killed writer left half done, now or while we read. Without
     * write access SQLite opens it for reading by itself. */
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    if (sqlite3_open_v2(cache->path, &cache->file, flags, NULL) != SQLITE_OK)
        return cache->file ? fail(cache, error) : dq_cache_no_memory(cache, error);
    if (!cache->read_only && sqlite3_db_readonly(cache->file, "main"))
        return dq_cache_named(cache, error, dq_fail_errno(error, EACCES, "cannot write the cache"));
    sqlite3_busy_handler(cache->file, wait_for_others, cache);
    sqlite3_db_config(cache->file, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(cache->file, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_limit(cache->file, SQLITE_LIMIT_LENGTH, ROW_BYTES);
    return DQ_OK;
}

/* The number that a pragma or a query answers. */
static dq_status ask_number(dq_cache *cache, const char *sql, int64_t *number, dq_error *error)
{
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(cache->file, sql, -1, &statement, NULL);
    if (code == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW) {
        *number = sqlite3_column_int64(statement, 0);
        code = sqlite3_reset(statement);
    } else if (code == SQLITE_OK) {
        code = sqlite3_reset(statement);
    }
    dq_status status = code == SQLITE_OK ? DQ_OK : fail(cache, error);
    sqlite3_finalize(statement);
    return status;
}

static dq_status run_text(dq_cache *cache, const char *sql, dq_error *error)
{
    return sqlite3_exec(cache->file, sql, NULL, NULL, NULL) == SQLITE_OK ? DQ_OK : fail(cache, error);
}

/* Inside a transaction, since another process may be making the tables now.
 * *empty: an SQLite file in which nobody has made anything. Otherwise it is a cache of this schema, or an
 * error. */
static dq_status recognise(dq_cache *cache, bool *empty, dq_error *error)
{
    int64_t application = 0, version = 0, tables = 0;
    dq_status wrong = DQ_ERR_FORMAT;
    dq_status status = ask_number(cache, "SELECT count(*) FROM sqlite_schema", &tables, error);
    if (!status) status = ask_number(cache, "PRAGMA application_id", &application, error);
    if (!status) status = ask_number(cache, "PRAGMA user_version", &version, error);
    if (status) return status;
    *empty = !tables && !application && !version;
    if (*empty) return DQ_OK;
    if (application != APPLICATION)
        dq_fail(error, DQ_ERR_FORMAT, "not a cache: an SQLite file of another application");
    else if (version > DQ_CACHE_SCHEMA)
        wrong = dq_fail(error, DQ_ERR_VERSION, "a cache of schema %lld; this program knows %d",
                        (long long)version, DQ_CACHE_SCHEMA);
    else if (version < DQ_CACHE_SCHEMA)
        dq_fail(error, DQ_ERR_FORMAT, "not a cache: no schema has the number %lld", (long long)version);
    else
        return DQ_OK;
    return dq_cache_named(cache, error, wrong);
}

/* Of many who find it empty one makes the tables; the rest find them made. */
static dq_status make_tables(dq_cache *cache, dq_error *error)
{
    char marks[120];
    bool empty;
    (void)snprintf(marks, sizeof marks, "PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION,
                   DQ_CACHE_SCHEMA);
    dq_status status = dq_cache_begin(cache, true, error);
    if (status) return status;
    status = recognise(cache, &empty, error);
    if (!status && empty) status = run_text(cache, dq_cache_sqlite_schema, error);
    if (!status && empty) status = run_text(cache, marks, error);
    return dq_cache_end(cache, status, error);
}

static dq_status settle(dq_cache *cache, dq_error *error)
{
    char pragmas[160];
    bool empty = false;
    (void)snprintf(pragmas, sizeof pragmas,
                   "PRAGMA page_size = %d; PRAGMA synchronous = FULL; PRAGMA cache_size = -%d;"
                   "PRAGMA query_only = %d",
                   PAGE_BYTES, PAGES_KIB, cache->read_only);
    dq_status status = run_text(cache, pragmas, error);
    if (!status) status = dq_cache_begin(cache, false, error);
    if (status) return status;
    status = dq_cache_end(cache, recognise(cache, &empty, error), error);
    if (!status && empty && cache->read_only)
        return dq_cache_named(cache, error, dq_fail(error, DQ_ERR_FORMAT, "not a cache: an empty file"));
    if (!status && !cache->read_only) status = run_text(cache, "PRAGMA journal_mode = TRUNCATE", error);
    return !status && empty ? make_tables(cache, error) : status;
}

/* SQLite gives ":memory:", "file:..." and "" a meaning of their own: the path has a slash. */
static dq_status open_cache(dq_cache *cache, dq_error *error)
{
    dq_status status = cache->read_only ? DQ_OK : make_file(cache, error);
    if (!status) status = open_file(cache, error);
    return status ? status : settle(cache, error);
}

static void close_cache(dq_cache *cache)
{
    sqlite3_close(cache->file);
}

/* ---- transactions ---- */

static dq_status begin(dq_cache *cache, bool writes, dq_error *error)
{
    return run_text(cache, writes ? "BEGIN IMMEDIATE" : "BEGIN", error);
}

static dq_status commit(dq_cache *cache, dq_error *error)
{
    return run_text(cache, "COMMIT", error);
}

static void undo(dq_cache *cache)
{
    if (!sqlite3_get_autocommit(cache->file)) sqlite3_exec(cache->file, "ROLLBACK", NULL, NULL, NULL);
}

static int64_t now(const dq_cache *cache)
{
    (void)cache;
    return (int64_t)time(NULL);
}

/* ---- statements ---- */

static sqlite3_stmt *prepared(cache_row *row)
{
    sqlite3_stmt *kept = row->at;
    if (kept)
        sqlite3_reset(kept);
    else
        sqlite3_prepare_v3(row->cache->file, dq_cache_sql_text[row->sql], -1, SQLITE_PREPARE_PERSISTENT,
                           &kept, NULL);
    return row->at = kept;
}

static void bind(sqlite3_stmt *statement, int at, const cache_value *v)
{
    switch (v->letter) {
    case 'n':
        if (v->integer < 0) {
            sqlite3_bind_null(statement, at);
            break;
        } /* fall through */
    case 'i': sqlite3_bind_int64(statement, at, v->integer); break;
    case 'r': sqlite3_bind_double(statement, at, v->real); break;
    case 't': sqlite3_bind_text(statement, at, v->text, -1, SQLITE_STATIC); break;
    case 'k': sqlite3_bind_blob(statement, at, v->text, (int)v->bytes, SQLITE_STATIC); break;
    default: sqlite3_bind_text64(statement, at, v->text, v->bytes, SQLITE_STATIC, SQLITE_UTF8);
    }
}

/* $1, $2 ... are names to SQLite, which counts parameters as they first appear. */
static void bind_all(sqlite3_stmt *statement, const cache_value *values, size_t n)
{
    char name[16];
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(name, sizeof name, "$%d", (int)i + 1);
        bind(statement, sqlite3_bind_parameter_index(statement, name), &values[i]);
    }
}

static int more(cache_row *row, dq_error *error)
{
    int code = sqlite3_step(row->at);
    if (code == SQLITE_ROW) return 1;
    if (code != SQLITE_DONE) (void)fail(row->cache, error);
    sqlite3_reset(row->at);
    return code == SQLITE_DONE ? 0 : -1;
}

static int step(cache_row *row, const cache_value *values, size_t n, dq_error *error)
{
    sqlite3_stmt *statement = prepared(row);
    if (statement) {
        bind_all(statement, values, n);
        return more(row, error);
    }
    (void)fail(row->cache, error);
    return -1;
}

static void done(cache_row *row)
{
    sqlite3_reset(row->at);
}

static void forget(cache_row *row)
{
    sqlite3_finalize(row->at);
}

static bool is_null(const cache_row *row, int column)
{
    return sqlite3_column_type(row->at, column) == SQLITE_NULL;
}

static int64_t integer(const cache_row *row, int column)
{
    return sqlite3_column_int64(row->at, column);
}

static double real(const cache_row *row, int column)
{
    return sqlite3_column_double(row->at, column);
}

static const char *text(const cache_row *row, int column, size_t *bytes)
{
    const char *from = (const char *)sqlite3_column_text(row->at, column);
    *bytes = (size_t)sqlite3_column_bytes(row->at, column);
    return from;
}

const cache_database dq_cache_sqlite = {.one_machine = true,
                                        .open = open_cache,
                                        .close = close_cache,
                                        .begin = begin,
                                        .commit = commit,
                                        .undo = undo,
                                        .now = now,
                                        .step = step,
                                        .more = more,
                                        .done = done,
                                        .forget = forget,
                                        .is_null = is_null,
                                        .integer = integer,
                                        .real = real,
                                        .text = text};
