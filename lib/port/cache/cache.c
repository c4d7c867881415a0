/* SPDX-License-Identifier: MIT
 *
 * The file, its statements and its transactions.
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
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    APPLICATION = 0x64716361, /* "dqca" */
    PAGE_BYTES = 8192,
    PAGES_KIB = 32 << 10, /* of memory for pages, at most */
};

/* ---- words ---- */

static dq_status named(dq_cache *cache, dq_error *error, dq_status status)
{
    dq_error_at(error, cache->name, DQ_NO_RECORD);
    return cache->failed = status;
}

dq_status dq_cache_no_memory(dq_cache *cache, dq_error *error)
{
    return named(cache, error, dq_fail(error, DQ_ERR_MEMORY, "out of memory for the cache"));
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
    case SQLITE_NOMEM: return dq_fail(error, DQ_ERR_MEMORY, "out of memory for the cache");
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
    return named(cache, error, fail_as(cache, sqlite3_extended_errcode(cache->db), error));
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

/* ---- transactions ---- */

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

int64_t dq_cache_now(const dq_cache *cache)
{
    return cache->tuning.now ? cache->tuning.now(cache->tuning.arg) : (int64_t)time(NULL);
}

void dq_cache_tune(dq_cache *cache, const dq_cache_tuning *tuning)
{
    cache->tuning = *tuning;
}

/* ---- opening ---- */

/* Makes the file where there is none. */
static dq_status make_file(dq_cache *cache, dq_error *error)
{
    if (mknod(cache->path, S_IFREG | 0600, 0) == 0 || errno == EEXIST) return DQ_OK;
    return named(cache, error, dq_fail_errno(error, errno, "cannot make the cache"));
}

static dq_status open_file(dq_cache *cache, dq_error *error)
{
    struct stat about;
    if (stat(cache->path, &about) != 0)
        return named(cache, error, dq_fail_errno(error, errno, "cannot open the cache"));
    if (!S_ISREG(about.st_mode))
        return named(cache, error, dq_fail(error, DQ_ERR_FORMAT, "not a cache: not a regular file"));
    /* Also to read: only then can it undo what a killed writer left half done, now or while we read. Without
     * write access SQLite opens it for reading by itself. */
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    if (sqlite3_open_v2(cache->path, &cache->db, flags, NULL) != SQLITE_OK)
        return cache->db ? dq_cache_fail(cache, error) : dq_cache_no_memory(cache, error);
    if (!cache->read_only && sqlite3_db_readonly(cache->db, "main"))
        return named(cache, error, dq_fail_errno(error, EACCES, "cannot write the cache"));
    sqlite3_busy_handler(cache->db, wait_for_others, cache);
    sqlite3_db_config(cache->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(cache->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return DQ_OK;
}

/* The number that a pragma or a query answers. */
static dq_status ask_number(dq_cache *cache, const char *sql, int64_t *number, dq_error *error)
{
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(cache->db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW) {
        *number = sqlite3_column_int64(statement, 0);
        code = sqlite3_reset(statement);
    } else if (code == SQLITE_OK) {
        code = sqlite3_reset(statement);
    }
    dq_status status = code == SQLITE_OK ? DQ_OK : dq_cache_fail(cache, error);
    sqlite3_finalize(statement);
    return status;
}

static dq_status run_text(dq_cache *cache, const char *sql, dq_error *error)
{
    return sqlite3_exec(cache->db, sql, NULL, NULL, NULL) == SQLITE_OK ? DQ_OK : dq_cache_fail(cache, error);
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
    return named(cache, error, wrong);
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
    if (!status && empty) status = run_text(cache, dq_cache_sql_schema, error);
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
        return named(cache, error, dq_fail(error, DQ_ERR_FORMAT, "not a cache: an empty file"));
    if (!status && !cache->read_only) status = run_text(cache, "PRAGMA journal_mode = TRUNCATE", error);
    if (!status && empty) status = make_tables(cache, error);
    return status;
}

dq_status dq_cache_open(dq_cache **cache, const char *path, bool read_only, dq_error *error)
{
    dq_cache *c = *cache = calloc(1, sizeof *c);
    if (!c) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for the cache");
    /* SQLite gives ":memory:", "file:..." and "" a meaning of their own. */
    if (asprintf(&c->path, "%s%s", *path == '/' ? "" : "./", path) < 0) c->path = NULL;
    c->name = c->path ? c->path + strlen(c->path) - strlen(path) : "";
    c->read_only = read_only;
    c->pid = getpid();
    c->jitter = (uint64_t)c->pid * 0x9e3779b97f4a7c15u;
    c->tuning.busy = DQ_CACHE_BUSY;
    dq_cache_process_self(&c->self);
    dq_status status = c->path ? DQ_OK : dq_fail(error, DQ_ERR_MEMORY, "out of memory for the cache");
    if (!status && !read_only) status = make_file(c, error);
    if (!status) status = open_file(c, error);
    if (!status) status = settle(c, error);
    if (!status) return DQ_OK;
    dq_cache_close(c);
    *cache = NULL;
    return status;
}

/* What we claimed is free, and what has no outcome is lost; so it is with the dead, whom perhaps nobody comes
 * after us to clear away. When that cannot be written, our death will say it. */
static void leave(dq_cache *cache)
{
    dq_error ignored = DQ_ERROR_NONE;
    if ((!cache->owner && !cache->hits) || dq_cache_begin(cache, true, &ignored)) return;
    dq_status status = DQ_OK;
    if (cache->owner) status = dq_cache_owner_clear(cache, cache->owner, &ignored);
    if (!status) status = dq_cache_clear_dead(cache, &ignored);
    (void)dq_cache_end(cache, status, &ignored);
}

void dq_cache_close(dq_cache *cache)
{
    if (!cache) return;
    if (cache->db && cache->pid == getpid()) {
        leave(cache);
        for (int i = 0; i < SQL_STATEMENTS; i++) sqlite3_finalize(cache->statements[i]);
        sqlite3_close(cache->db);
    }
    free(cache->hits_model);
    free(cache->path);
    free(cache);
}
