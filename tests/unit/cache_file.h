/* SPDX-License-Identifier: MIT
 *
 * A cache in a folder of its own, for the tests of it; or, where DQ_CACHE_ADDRESS holds a server's address,
 * in that server's database, whose schema dq_cache goes before and after each test.
 */
#ifndef DQ_TEST_CACHE_FILE_H
#define DQ_TEST_CACHE_FILE_H

#include "port/cache/cache.h"
#include "port/cache/libpq.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], path[160], journal[176];
static int64_t clock_now;

static inline int64_t test_clock(void *arg)
{
    (void)arg;
    return clock_now;
}

static inline bool on_server(void)
{
    return dq_cache_is_address(path);
}

/* SQL on the server, behind the cache's back; the first column of the last row is the answer. */
static inline int64_t server_sql(const char *text)
{
    dq_error e = DQ_ERROR_NONE;
    static const char *const names[] = {"options", "dbname", NULL};
    const char *const values[] = {"-csearch_path=dq_cache -cclient_min_messages=error", path, NULL};
    if (dq_pq_load(&e)) fail_msg("%s", e.reason);
    PGconn *server = PQconnectdbParams(names, values, 1);
    PGresult *result = PQexec(server, text);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) fail_msg("%s", PQerrorMessage(server));
    int rows = PQntuples(result);
    const char *last = rows ? PQgetvalue(result, rows - 1, 0) : "";
    int64_t answer = strcmp(last, "t") == 0 ? 1 : strtoll(last, NULL, 10);
    PQclear(result);
    PQfinish(server);
    return answer;
}

static inline int setup(void **state)
{
    (void)state;
    const char *address = getenv("DQ_CACHE_ADDRESS");
    folder[0] = journal[0] = '\0';
    (void)snprintf(path, sizeof path, "%s", address ? address : "");
    if (address) (void)server_sql("DROP SCHEMA IF EXISTS dq_cache CASCADE");
    if (address) return 0;
    strcpy(folder, "/tmp/dq-test-cache-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    (void)snprintf(path, sizeof path, "%s/c.db", folder);
    (void)snprintf(journal, sizeof journal, "%s-journal", path);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    if (on_server()) (void)server_sql("DROP SCHEMA IF EXISTS dq_cache CASCADE");
    if (on_server()) return 0;
    (void)chmod(folder, 0700);
    (void)unlink(path);
    (void)unlink(journal);
    return rmdir(folder);
}

static inline dq_cache *open_cache(bool read_only)
{
    dq_error e = DQ_ERROR_NONE;
    dq_cache *cache;
    if (dq_cache_open(&cache, path, read_only, &e)) fail_msg("%s: %s", e.source, e.reason);
    return cache;
}

static inline dq_cache_key key_of(unsigned n)
{
    dq_cache_key key = {{0}};
    memcpy(key.digest + 8, &n, sizeof n);
    return key;
}

static inline dq_cache_entry entry_of(unsigned n, const char *label)
{
    return (dq_cache_entry){.key = key_of(n),
                            .model = "m",
                            .request = "{\"n\":1}",
                            .request_bytes = 7,
                            .answer = "{\"a\":2}",
                            .answer_bytes = 7,
                            .label = label,
                            .reader = 3,
                            .tokens_in = 100,
                            .tokens_out = 5,
                            .seconds = 0.5,
                            .cost = 0.25,
                            .server = "127.0.0.1:80",
                            .time = 1700000000,
                            .asked = 1};
}

static inline void store(dq_cache *cache, unsigned n, const char *label)
{
    dq_error e = DQ_ERROR_NONE;
    dq_cache_entry entry = entry_of(n, label);
    assert_int_equal(dq_cache_store(cache, &entry, 1, &e), DQ_OK);
}

/* The state of one key after an attempt to claim it. */
static inline dq_cache_state claim(dq_cache *cache, unsigned n, int again)
{
    dq_error e = DQ_ERROR_NONE;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_cache_key key = key_of(n);
    dq_cache_entry entry;
    dq_cache_state state;
    if (dq_cache_claim(cache, &key, &again, 1, &arena, &entry, &state, &e)) fail_msg("%s", e.reason);
    dq_arena_free(&arena);
    return state;
}

static inline dq_cache_state find(dq_cache *cache, unsigned n)
{
    dq_error e = DQ_ERROR_NONE;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_cache_key key = key_of(n);
    dq_cache_entry entry;
    dq_cache_state state;
    if (dq_cache_find(cache, &key, 1, true, &arena, &entry, &state, &e)) fail_msg("%s", e.reason);
    dq_arena_free(&arena);
    return state;
}

/* SQL on the cache, behind its back; the first column of the last row is the answer. */
static inline int64_t sql(const char *text)
{
    if (on_server()) return server_sql(text);
    sqlite3 *db;
    sqlite3_stmt *statement;
    int64_t answer = 0;
    const char *rest = text;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    (void)sqlite3_busy_timeout(db, 5000);
    while (*rest) {
        if (sqlite3_prepare_v2(db, rest, -1, &statement, &rest)) fail_msg("%s", sqlite3_errmsg(db));
        int code;
        while ((code = sqlite3_step(statement)) == SQLITE_ROW) answer = sqlite3_column_int64(statement, 0);
        if (code != SQLITE_DONE) fail_msg("%s", sqlite3_errmsg(db));
        sqlite3_finalize(statement);
    }
    sqlite3_close(db);
    return answer;
}

#endif
