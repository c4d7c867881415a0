/* SPDX-License-Identifier: MIT
 *
 * A cache file that somebody has damaged, or has filled by hand. The first byte's lowest bits say what the
 * rest is, 4 that it is opened for reading alone:
 *
 *     0  a file
 *     1  changes to the bytes of a sound cache: place (2 bytes), how many (1), these
 *     2  changes to its values: table and column (1), row (1), kind (1), length (1), the value
 *
 * What the reader says of sums is within what counting makes, and every failure has its words.
 */
#include "fuzz.h"
#include "port/cache/cache.h"

#include <fcntl.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEYS = 4, LARGEST = 1 << 17 };

static unsigned char sound[LARGEST]; /* (sound_bytes) a cache with a row in every table */
static size_t sound_bytes;

static int64_t now(void *arg)
{
    (void)arg;
    return 1700000000;
}

static const dq_cache_tuning tuning = {.now = now, .busy = 0};

static dq_cache_key key_of(unsigned i)
{
    dq_cache_key key = {{0}};
    key.digest[0] = (uint8_t)i;
    return key;
}

static dq_cache_entry entry_of(unsigned i)
{
    return (dq_cache_entry){.key = key_of(i),
                            .model = i & 1 ? "m" : "n",
                            .request = "{\"q\":1}",
                            .request_bytes = 7,
                            .answer = "{\"a\":\"LIKE\"}",
                            .answer_bytes = 12,
                            .label = i == 2 ? NULL : "LIKE",
                            .reader = 7,
                            .tokens_in = 11,
                            .tokens_out = 3,
                            .seconds = 0.5,
                            .cost = 0.01,
                            .server = "h:1",
                            .time = 1600000000,
                            .asked = 1};
}

/* ---- a file ---- */

static void write_file(const char *path, const void *bytes, size_t n)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || write(file, bytes, n) != (ssize_t)n || close(file)) fuzz_fail("cannot write %s", path);
}

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db;
    if (sqlite3_open(path, &db) || sqlite3_exec(db, sql, NULL, NULL, NULL))
        fuzz_fail("%s", sqlite3_errmsg(db));
    (void)sqlite3_close(db);
}

/* Pages of 512 bytes, so that a change of a byte has a meaning more often. */
static void make_sound(const char *path)
{
    dq_error e = DQ_ERROR_NONE;
    dq_cache *cache;
    uint64_t granted;
    run_sql(path, "PRAGMA page_size = 512; CREATE TABLE x(y); DROP TABLE x; VACUUM");
    if (dq_cache_open(&cache, path, false, &e)) fuzz_fail("%s", e.reason);
    dq_cache_tune(cache, &tuning);
    for (unsigned i = 0; i < KEYS - 1; i++) {
        dq_cache_entry entry = entry_of(i);
        if (dq_cache_spend(cache, entry.model, NULL, 1, &granted, &e) || dq_cache_store(cache, &entry, 1, &e))
            fuzz_fail("%s", e.reason);
    }
    if (dq_cache_remember(cache, "h:1 m", "response_format", "none", &e)) fuzz_fail("%s", e.reason);
    dq_cache_close(cache);
    run_sql(path,
            "INSERT INTO owners VALUES(1, 'h', 'b', 1, 1, 1, 1800000000);"
            "INSERT INTO claims VALUES(x'0300000000000000000000000000000000000000000000000000000000000000', "
            "1); INSERT INTO flights VALUES(1, 'm', 1)");
    int file = open(path, O_RDONLY);
    ssize_t n = file < 0 ? -1 : read(file, sound, sizeof sound);
    if (n <= 0 || n == LARGEST) fuzz_fail("no sound cache");
    sound_bytes = (size_t)n;
    (void)close(file);
}

static void change_bytes(const char *path, fuzz_bytes rest)
{
    static unsigned char bytes[LARGEST];
    memcpy(bytes, sound, sound_bytes);
    while (rest.n > 3) {
        size_t at = (size_t)fuzz_byte(&rest) << 8;
        at |= fuzz_byte(&rest);
        for (size_t n = fuzz_byte(&rest), i = 0; i < n && rest.n; i++)
            bytes[(at + i) % sound_bytes] = (unsigned char)fuzz_byte(&rest);
    }
    write_file(path, bytes, sound_bytes);
}

static const char *const columns[] = {
    "answers.key",     "answers.label",    "answers.reader",    "answers.tokens_in", "answers.tokens_out",
    "answers.seconds", "answers.cost",     "answers.time",      "answers.asked",     "answers.model",
    "answers.server",  "answers.answer",   "answers.request",   "owners.host",       "owners.boot",
    "owners.space",    "owners.pid",       "owners.started",    "owners.until",      "claims.key",
    "claims.owner",    "flights.owner",    "flights.model",     "flights.calls",     "ledger.model",
    "ledger.calls",    "ledger.answered",  "ledger.failed",     "ledger.lost",       "ledger.unreadable",
    "ledger.hits",     "ledger.tokens_in", "ledger.tokens_out", "ledger.cost",       "ledger.seconds",
    "facts.about",     "facts.name",       "facts.value",       "owners.id",         "answers.id"};
enum { COLUMNS = sizeof columns / sizeof *columns };

static void bind(sqlite3_stmt *s, unsigned kind, fuzz_bytes v)
{
    int64_t i = 0;
    double d = 0;
    memcpy(&i, v.data, v.n < 8 ? v.n : 8);
    memcpy(&d, &i, 8);
    switch (kind % 5) {
    case 0: (void)sqlite3_bind_null(s, 1); break;
    case 1: (void)sqlite3_bind_int64(s, 1, i); break;
    case 2: (void)sqlite3_bind_double(s, 1, d); break;
    case 3: (void)sqlite3_bind_text(s, 1, (const char *)v.data, (int)v.n, SQLITE_TRANSIENT); break;
    default: (void)sqlite3_bind_blob(s, 1, v.data, (int)v.n, SQLITE_TRANSIENT);
    }
}

/* Sets a value of a row, where the table's rules allow it. */
static void change_value(sqlite3 *db, fuzz_bytes *rest)
{
    char sql[200];
    sqlite3_stmt *s;
    const char *column = columns[fuzz_byte(rest) % COLUMNS], *dot = strchr(column, '.');
    unsigned row = fuzz_byte(rest) % KEYS, kind = fuzz_byte(rest), n = fuzz_byte(rest);
    fuzz_bytes value = {rest->data, n < rest->n ? n : rest->n};
    rest->data += value.n;
    rest->n -= value.n;
    int table = (int)(dot - column);
    (void)snprintf(
        sql, sizeof sql,
        "WITH r AS (SELECT *, row_number() OVER () AS nr FROM %.*s) UPDATE %.*s SET %s = ?1 WHERE %s = "
        "(SELECT %s FROM r WHERE nr = %u)",
        table, column, table, column, dot + 1, dot + 1, dot + 1, row + 1);
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL)) fuzz_fail("%s", sqlite3_errmsg(db));
    bind(s, kind, value);
    (void)sqlite3_step(s);
    (void)sqlite3_finalize(s);
}

static void change_values(const char *path, fuzz_bytes rest)
{
    sqlite3 *db;
    write_file(path, sound, sound_bytes);
    if (sqlite3_open(path, &db)) fuzz_fail("%s", sqlite3_errmsg(db));
    (void)sqlite3_exec(db, "PRAGMA synchronous = OFF; BEGIN", NULL, NULL, NULL);
    while (rest.n > 3) change_value(db, &rest);
    (void)sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    (void)sqlite3_close(db);
}

/* ---- the reader ---- */

static bool fine(dq_status status, const dq_error *error)
{
    if (status) fuzz_failed(error);
    return status == DQ_OK;
}

static void read_entries(const dq_cache_entry *entries, const dq_cache_state *states)
{
    size_t sum = 0;
    for (size_t i = 0; i < KEYS; i++) {
        if (states[i] != DQ_CACHE_HAVE) continue;
        const dq_cache_entry *e = &entries[i];
        const char *texts[] = {e->model, e->request, e->answer, e->label, e->server};
        for (size_t t = 0; t < 5; t++) sum += texts[t] ? strlen(texts[t]) : 0;
        for (size_t k = 0; k < e->request_bytes; k++) sum += (unsigned char)e->request[k];
        for (size_t k = 0; k < e->answer_bytes; k++) sum += (unsigned char)e->answer[k];
        if (isnan(e->seconds) || isnan(e->cost)) fuzz_fail("seconds %g, cost %g", e->seconds, e->cost);
    }
    __asm__ volatile("" : : "m"(sum));
}

static void read_sums(dq_cache *cache)
{
    dq_error e = DQ_ERROR_NONE;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_cache_ledger *rows;
    size_t count;
    if (fine(dq_cache_sums(cache, &arena, &rows, &count, &e), &e))
        for (size_t i = 0; i < count; i++) {
            const uint64_t most = (uint64_t)1 << 53,
                           sums[] = {rows[i].calls,      rows[i].answered,  rows[i].failed,
                                     rows[i].lost,       rows[i].hits,      rows[i].tokens_in,
                                     rows[i].tokens_out, rows[i].unreadable};
            if (!rows[i].model) fuzz_fail("a model without a name");
            for (size_t k = 0; k < sizeof sums / sizeof *sums; k++)
                if (sums[k] > most) fuzz_fail("a sum of %llu", (unsigned long long)sums[k]);
            if (isnan(rows[i].cost) || isnan(rows[i].seconds)) fuzz_fail("a sum that is no number");
        }
    dq_arena_free(&arena);
}

static void use_cache(dq_cache *cache)
{
    dq_error e[6];
    for (size_t i = 0; i < 6; i++) e[i] = DQ_ERROR_NONE;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_cache_key keys[KEYS];
    dq_cache_entry entries[KEYS] = {0}, entry = entry_of(KEYS - 1);
    dq_cache_state states[KEYS];
    const dq_cache_budget budget = {.requests = 100, .tokens = 1000, .cost = 1};
    uint64_t granted;
    const char *value;
    for (unsigned i = 0; i < KEYS; i++) keys[i] = key_of(i);
    read_sums(cache);
    if (fine(dq_cache_find(cache, keys, KEYS, false, &arena, entries, states, &e[0]), &e[0]))
        read_entries(entries, states);
    if (fine(dq_cache_claim(cache, keys, NULL, KEYS, &arena, entries, states, &e[1]), &e[1]))
        read_entries(entries, states);
    (void)fine(dq_cache_spend(cache, "m", &budget, 1, &granted, &e[2]), &e[2]);
    (void)fine(dq_cache_store(cache, &entry, 1, &e[3]), &e[3]);
    (void)fine(dq_cache_fact(cache, "h:1 m", "response_format", &arena, &value, &e[4]), &e[4]);
    (void)fine(dq_cache_count(cache, "m", 1, 0, 1, &e[5]), &e[5]);
    read_sums(cache);
    dq_arena_free(&arena);
}

static void read_cache(const uint8_t *data, size_t n)
{
    fuzz_bytes rest = {data, n};
    char path[128];
    (void)snprintf(path, sizeof path, "%s/cache", fuzz_folder());
    if (!sound_bytes) {
        fuzz_allow(LARGEST);
        make_sound(path);
        (void)fuzz_folder();
    }
    unsigned mode = fuzz_byte(&rest);
    if ((mode & 3) == 0)
        write_file(path, rest.data, rest.n);
    else if ((mode & 3) == 1)
        change_bytes(path, rest);
    else
        change_values(path, rest);
    dq_error e = DQ_ERROR_NONE;
    dq_cache *cache;
    if (fine(dq_cache_open(&cache, path, mode & 4, &e), &e)) {
        dq_cache_tune(cache, &tuning);
        use_cache(cache);
        dq_cache_close(cache);
    }
}

/* SQLite takes what a row claims, up to the limit that the cache sets, before it finds the bytes missing. */
const fuzz_target fuzz_it = {.read = read_cache, .memory = 130 << 20, .per_byte = 512};
