/* SPDX-License-Identifier: MIT
 *
 * A cache in a folder of its own, for the tests of it.
 */
#ifndef DQ_TEST_CACHE_FILE_H
#define DQ_TEST_CACHE_FILE_H

#include "port/cache/cache.h"

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

static char folder[64], path[96], journal[112];
static int64_t clock_now;

static inline int64_t test_clock(void *arg)
{
    (void)arg;
    return clock_now;
}

static inline int setup(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/dq-test-cache-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    (void)snprintf(path, sizeof path, "%s/c.db", folder);
    (void)snprintf(journal, sizeof journal, "%s-journal", path);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
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

/* SQL on the file, behind the cache's back; the first column of the last row is the answer. */
static inline int64_t sql(const char *text)
{
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
