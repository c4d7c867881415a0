/* SPDX-License-Identifier: MIT
 *
 * The file: how it is made, opened and closed.
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
#include <stdio.h>
#include <stdlib.h>
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

void dq_cache_tune(dq_cache *cache, const dq_cache_tuning *tuning)
{
    cache->tuning = *tuning;
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
    if (sqlite3_open_v2(cache->path, &cache->db, flags, NULL) != SQLITE_OK)
        return cache->db ? dq_cache_fail(cache, error) : dq_cache_no_memory(cache, error);
    if (!cache->read_only && sqlite3_db_readonly(cache->db, "main"))
        return dq_cache_named(cache, error, dq_fail_errno(error, EACCES, "cannot write the cache"));
    sqlite3_busy_handler(cache->db, wait_for_others, cache);
    sqlite3_db_config(cache->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(cache->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_limit(cache->db, SQLITE_LIMIT_LENGTH, ROW_BYTES);
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
        return dq_cache_named(cache, error, dq_fail(error, DQ_ERR_FORMAT, "not a cache: an empty file"));
    if (!status && !cache->read_only) status = run_text(cache, "PRAGMA journal_mode = TRUNCATE", error);
    if (!status && empty) status = make_tables(cache, error);
    if (!status && !cache->read_only) status = dq_cache_mend_ledger(cache, error);
    return status;
}

dq_status dq_cache_open(dq_cache **cache, const char *path, bool read_only, dq_error *error)
{
    dq_cache *c = *cache = calloc(1, sizeof *c);
    if (!c) return dq_fail_memory(error, "the cache");
    /* SQLite gives ":memory:", "file:..." and "" a meaning of their own. */
    if (asprintf(&c->path, "%s%s", *path == '/' ? "" : "./", path) < 0) c->path = NULL;
    c->name = c->path ? c->path + strlen(c->path) - strlen(path) : "";
    c->read_only = read_only;
    c->pid = getpid();
    c->jitter = (uint64_t)c->pid * 0x9e3779b97f4a7c15u;
    c->tuning.busy = DQ_CACHE_BUSY;
    dq_cache_process_self(&c->self);
    dq_status status = c->path ? DQ_OK : dq_fail_memory(error, "the cache");
    if (!status && !read_only) status = make_file(c, error);
    if (!status) status = open_file(c, error);
    if (!status) status = settle(c, error);
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
