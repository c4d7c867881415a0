/* SPDX-License-Identifier: MIT
 *
 * A cache on a server: PostgreSQL, in the schema dq_cache of the database that the address names.
 *
 * One writes at a time, as in SQLite: a transaction that writes begins with a lock of the ledger that others'
 * writes wait for, and nobody's reads. So a budget and a claim are looked at and taken by one process alone,
 * and a commit (synchronous_commit) is on the server's disk before anybody sees it. Whoever dies in between
 * loses his connection, and with it the lock and what was not committed; whose machine is lost with him,
 * after a minute.
 *
 * Leases are told by the server's clock, which every transaction reads as it begins: those of the machines
 * may differ by more than a lease.
 *
 * A connection that broke is made anew when the next transaction begins, for as long as others' locks are
 * waited for: a server that begins anew stops nobody who was not in the middle of one.
 */
#include "port/cache/impl.h"
#include "port/cache/libpq.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    LOCK_OF_MAKERS = 0x64716361, /* "dqca": an advisory lock while the tables are made */
    OID_BYTES = 17,
    OID_INT8 = 20,
    OID_TEXT = 25,
    OID_FLOAT8 = 701,
};

#define SCHEMA_NAME "dq_cache"
#define CLOCK       "SELECT CAST(floor(extract(epoch FROM clock_timestamp())) AS BIGINT)"

/* ---- words ---- */

/* A complaint of several lines in one. */
static void one_line(char *to, size_t room, const char *words)
{
    size_t n = 0;
    for (; *words && n + 3 < room; words++) {
        bool end = *words == '\n';
        if (end && words[1 + strspn(words + 1, " \t\n")] == '\0') break;
        if (end) to[n++] = ';';
        to[n++] = end ? ' ' : *words;
        if (end) words += strspn(words + 1, " \t\n");
    }
    to[n] = '\0';
}

static dq_status fail_connection(dq_cache *cache, dq_error *error)
{
    char words[300];
    one_line(words, sizeof words, PQerrorMessage(cache->server));
    bool asks = PQconnectionNeedsPassword(cache->server);
    return dq_cache_named(
        cache, error,
        dq_fail(error, DQ_ERR_IO, "no connection to the cache's server: %s%s", words,
                asks ? "; PGPASSWORD, a service file (PGSERVICE) or ~/.pgpass gives one" : ""));
}

/* By SQLSTATE, whose first two characters are the class. */
static dq_status fail_as(dq_cache *cache, const char *code, const char *words, dq_error *error)
{
    if (strcmp(code, "55P03") == 0) return dq_cache_locked(cache, error);
    if (strcmp(code, "53100") == 0)
        return dq_fail_errno(error, ENOSPC, "cannot use the cache, on its server");
    if (strncmp(code, "22", 2) == 0 || strncmp(code, "23", 2) == 0 || strncmp(code, "54", 2) == 0)
        return dq_fail(error, DQ_ERR_RANGE, "%s", words);
    return dq_fail(error, DQ_ERR_IO, "cannot use the cache: %s", words);
}

/* What a result, which is freed, complains of; or the connection, where it is NULL or says nothing. */
static dq_status fail(dq_cache *cache, PGresult *result, dq_error *error)
{
    char words[300], code[8] = "";
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL,
               *said = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    if (state) (void)snprintf(code, sizeof code, "%s", state);
    one_line(words, sizeof words, said ? said : "");
    PQclear(result);
    if (!code[0] || !words[0]) return fail_connection(cache, error);
    return dq_cache_named(cache, error, fail_as(cache, code, words, error));
}

static bool good(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

/* Statements without values, one or more; the last one's rows are given, or freed when nobody wants them. */
static dq_status run_text(dq_cache *cache, const char *sql, PGresult **rows, dq_error *error)
{
    PGresult *result = PQexec(cache->server, sql);
    if (!good(result)) return fail(cache, result, error);
    if (rows)
        *rows = result;
    else
        PQclear(result);
    return DQ_OK;
}

/* ---- the connection ---- */

static void no_words(void *arg, const char *words)
{
    (void)arg;
    (void)words;
}

/* What the promises of a cache rest on, whatever the server's and the user's defaults are. Nobody waits for a
 * lock for ever, be it one that an administrator holds. */
static dq_status settle(dq_cache *cache, dq_error *error)
{
    char sql[400];
    const char *encoding = PQparameterStatus(cache->server, "server_encoding");
    (void)PQsetNoticeProcessor(cache->server, no_words, NULL);
    if (encoding && strcmp(encoding, "UTF8") != 0 && strcmp(encoding, "SQL_ASCII") != 0)
        return dq_cache_named(
            cache, error,
            dq_fail(error, DQ_ERR_UNSUPPORTED,
                    "the database's encoding is %s; a cache needs one made with ENCODING 'UTF8'", encoding));
    (void)snprintf(sql, sizeof sql,
                   "SET search_path = " SCHEMA_NAME ", pg_temp; SET synchronous_commit = on;"
                   "SET statement_timeout = 0; SET lock_timeout = %d;"
                   "SET idle_in_transaction_session_timeout = %d;"
                   "SET client_min_messages = warning; SET default_transaction_read_only = %s",
                   DQ_CACHE_BUSY * 1000, DQ_CACHE_BUSY * 1000, cache->read_only ? "on" : "off");
    for (int i = 0; i < SQL_STATEMENTS; i++) cache->rows[i].prepared = false;
    return run_text(cache, sql, NULL, error);
}

/* A server that is gone without a word, or never says one, is noticed within a minute, unless the
 * address says otherwise. */
static dq_status open_connection(dq_cache *cache, dq_error *error)
{
    static const char *const names[] = {"connect_timeout",     "tcp_user_timeout",          "keepalives_idle",
                                        "keepalives_interval", "keepalives_count",          "dbname",
                                        "client_encoding",     "fallback_application_name", NULL};
    const char *const values[] = {"30", "60000", "20", "10", "4", cache->path, "UTF8", "dq", NULL};
    cache->server = PQconnectdbParams(names, values, 1);
    if (!cache->server) return dq_cache_no_memory(cache, error);
    return PQstatus(cache->server) == CONNECTION_OK ? settle(cache, error) : fail_connection(cache, error);
}

static dq_status reconnect(dq_cache *cache, dq_error *error)
{
    PQreset(cache->server);
    return PQstatus(cache->server) == CONNECTION_OK ? settle(cache, error) : fail_connection(cache, error);
}

/* ---- transactions ---- */

/* The number in the first row of a result, which is freed; 0 where there is no row. */
static int64_t take_number(PGresult *rows)
{
    int64_t number = PQntuples(rows) > 0 ? strtoll(PQgetvalue(rows, 0, 0), NULL, 10) : 0;
    PQclear(rows);
    return number;
}

/* The beginning of one, and the server's time. */
static dq_status try_to_begin(dq_cache *cache, const char *sql, dq_error *error)
{
    PGresult *rows = NULL;
    dq_status status = PQstatus(cache->server) == CONNECTION_OK ? DQ_OK : reconnect(cache, error);
    if (!status) status = run_text(cache, sql, &rows, error);
    if (status) return status;
    cache->ahead = take_number(rows) - (int64_t)time(NULL);
    return DQ_OK;
}

static void undo(dq_cache *cache)
{
    if (PQstatus(cache->server) == CONNECTION_OK && PQtransactionStatus(cache->server) != PQTRANS_IDLE)
        PQclear(PQexec(cache->server, "ROLLBACK"));
}

/* Tries again while there is no connection: nothing has been done yet. */
static dq_status begin_by(dq_cache *cache, const char *sql, dq_error *error)
{
    dq_error before = error ? *error : DQ_ERROR_NONE;
    time_t since = time(NULL);
    for (;;) {
        dq_status status = try_to_begin(cache, sql, error);
        if (!status) return DQ_OK;
        undo(cache);
        if (PQstatus(cache->server) == CONNECTION_OK || difftime(time(NULL), since) > cache->tuning.busy)
            return status;
        if (error) *error = before;
        nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    }
}

static dq_status begin(dq_cache *cache, bool writes, dq_error *error)
{
    char sql[320];
    if (!writes) return begin_by(cache, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;" CLOCK, error);
    (void)snprintf(sql, sizeof sql,
                   "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = %.0f;"
                   "LOCK TABLE ledger IN SHARE ROW EXCLUSIVE MODE;" CLOCK,
                   cache->tuning.busy * 1000 + 1);
    return begin_by(cache, sql, error);
}

static dq_status commit(dq_cache *cache, dq_error *error)
{
    PGresult *result = NULL;
    dq_status status = run_text(cache, "COMMIT", &result, error);
    if (status) return status;
    bool done = strcmp(PQcmdStatus(result), "COMMIT") == 0;
    PQclear(result);
    if (done) return DQ_OK;
    return dq_cache_named(cache, error, dq_fail(error, DQ_ERR_IO, "the server undid what was written"));
}

static int64_t now(const dq_cache *cache)
{
    return (int64_t)time(NULL) + cache->ahead;
}

/* ---- opening ---- */

static dq_status ask_number(dq_cache *cache, const char *sql, int64_t *number, dq_error *error)
{
    PGresult *rows = NULL;
    dq_status status = run_text(cache, sql, &rows, error);
    if (status) return status;
    *number = take_number(rows);
    return DQ_OK;
}

/* *empty: nobody has made anything in our schema. Otherwise it is a cache of this version, or an error. */
static dq_status recognise(dq_cache *cache, bool *empty, dq_error *error)
{
    int64_t version = 0, tables = 0, ours = 0;
    dq_status wrong;
    dq_status status = ask_number(
        cache, "SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace('" SCHEMA_NAME "')",
        &tables, error);
    *empty = !tables;
    if (status || *empty) return status;
    status = ask_number(cache,
                        "SELECT count(*) FROM pg_class WHERE oid = to_regclass('" SCHEMA_NAME
                        ".about') AND relkind = 'r'",
                        &ours, error);
    if (!status && ours)
        status = ask_number(cache, "SELECT schema FROM " SCHEMA_NAME ".about", &version, error);
    if (status) return status;
    if (!ours)
        wrong = dq_fail(error, DQ_ERR_FORMAT,
                        "not a cache: the tables in its schema " SCHEMA_NAME " are another application's");
    else if (version > DQ_CACHE_SCHEMA)
        wrong = dq_fail(error, DQ_ERR_VERSION, "a cache of schema %lld; this program knows %d",
                        (long long)version, DQ_CACHE_SCHEMA);
    else if (version < DQ_CACHE_SCHEMA)
        wrong = dq_fail(error, DQ_ERR_FORMAT, "not a cache: no schema has the number %lld",
                        (long long)version);
    else
        return DQ_OK;
    return dq_cache_named(cache, error, wrong);
}

/* An administrator may have made the schema, for who may make tables in it and no schema. */
static dq_status make_schema(dq_cache *cache, dq_error *error)
{
    int64_t there;
    dq_status status = ask_number(
        cache, "SELECT count(*) FROM pg_namespace WHERE nspname = '" SCHEMA_NAME "'", &there, error);
    return status || there ? status : run_text(cache, "CREATE SCHEMA " SCHEMA_NAME, NULL, error);
}

/* Of many who find it empty one makes the tables; the rest wait, and find them made. */
static dq_status make_tables(dq_cache *cache, dq_error *error)
{
    char sql[160];
    bool empty = false;
    (void)snprintf(sql, sizeof sql, "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock(%d)",
                   LOCK_OF_MAKERS);
    dq_status status = run_text(cache, sql, NULL, error);
    if (!status) status = recognise(cache, &empty, error);
    if (!status && empty) status = make_schema(cache, error);
    if (!status && empty) status = run_text(cache, dq_cache_postgres_schema, NULL, error);
    (void)snprintf(sql, sizeof sql,
                   "CREATE TABLE about(schema bigint NOT NULL); INSERT INTO about VALUES(%d)",
                   DQ_CACHE_SCHEMA);
    if (!status && empty) status = run_text(cache, sql, NULL, error);
    if (!status) status = commit(cache, error);
    if (status) undo(cache);
    return status;
}

static dq_status open_cache(dq_cache *cache, dq_error *error)
{
    bool empty = false;
    dq_status status = dq_pq_load(error);
    if (!status) status = open_connection(cache, error);
    if (!status) status = recognise(cache, &empty, error);
    if (status || !empty) return status;
    if (!cache->read_only) return make_tables(cache, error);
    return dq_cache_named(cache, error,
                          dq_fail(error, DQ_ERR_UNKNOWN, "not a cache: nobody has written to it yet"));
}

static void close_cache(dq_cache *cache)
{
    PQfinish(cache->server);
}

/* ---- statements ---- */

/* Values as the server takes them: numbers in the network's order. */
typedef struct sent_values {
    const char *values[CACHE_VALUES_MOST];
    int lengths[CACHE_VALUES_MOST], formats[CACHE_VALUES_MOST];
    Oid types[CACHE_VALUES_MOST];
    unsigned char numbers[CACHE_VALUES_MOST][8];
} sent_values;

static void put_number(unsigned char *to, uint64_t bits)
{
    for (int i = 7; i >= 0; i--, bits >>= 8) to[i] = (unsigned char)(bits & 0xff);
}

static uint64_t get_number(const unsigned char *from, int bytes)
{
    uint64_t bits = bytes && from[0] & 0x80 ? UINT64_MAX : 0;
    for (int i = 0; i < bytes; i++) bits = bits << 8 | from[i];
    return bits;
}

static void send_value(sent_values *s, size_t i, const cache_value *v)
{
    uint64_t bits = (uint64_t)v->integer;
    bool number = strchr("inr", v->letter) != NULL;
    if (v->letter == 'r') memcpy(&bits, &v->real, sizeof bits);
    put_number(s->numbers[i], bits);
    s->types[i] = v->letter == 'r' ? OID_FLOAT8 : number ? OID_INT8 : v->letter == 't' ? OID_TEXT : OID_BYTES;
    s->values[i] = number ? (const char *)s->numbers[i] : v->text;
    s->lengths[i] = number ? 8 : v->letter != 't' ? (int)v->bytes : v->text ? (int)strlen(v->text) : 0;
    s->formats[i] = 1;
    if (v->letter == 'n' && v->integer < 0) s->values[i] = NULL;
}

static void done(cache_row *row)
{
    PQclear(row->at);
    row->at = NULL;
}

static int more(cache_row *row, dq_error *error)
{
    (void)error;
    if (++row->place < PQntuples(row->at)) return 1;
    done(row);
    return 0;
}

/* A result with its rows, or without any, or the complaint. */
static int take(cache_row *row, PGresult *result, dq_error *error)
{
    if (!good(result)) {
        (void)fail(row->cache, result, error);
        return -1;
    }
    row->at = result;
    row->place = -1;
    return more(row, error);
}

static int step(cache_row *row, const cache_value *values, size_t n, dq_error *error)
{
    char name[16];
    sent_values s;
    struct pg_conn *server = row->cache->server;
    done(row);
    (void)snprintf(name, sizeof name, "dq%d", (int)row->sql);
    for (size_t i = 0; i < n; i++) send_value(&s, i, &values[i]);
    if (!row->prepared) {
        PGresult *result = PQprepare(server, name, dq_cache_sql_text[row->sql], (int)n, s.types);
        row->prepared = good(result);
        if (!row->prepared) return take(row, result, error);
        PQclear(result);
    }
    return take(row, PQexecPrepared(server, name, (int)n, s.values, s.lengths, s.formats, 1), error);
}

static bool is_null(const cache_row *row, int column)
{
    return PQgetisnull(row->at, row->place, column);
}

static int64_t integer(const cache_row *row, int column)
{
    int bytes = PQgetlength(row->at, row->place, column);
    if (is_null(row, column) || bytes > 8) return 0;
    return (int64_t)get_number((const unsigned char *)PQgetvalue(row->at, row->place, column), bytes);
}

static double real(const cache_row *row, int column)
{
    double number = 0;
    uint64_t bits = (uint64_t)integer(row, column);
    if (PQftype(row->at, column) != OID_FLOAT8) return (double)(int64_t)bits;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static const char *text(const cache_row *row, int column, size_t *bytes)
{
    *bytes = (size_t)PQgetlength(row->at, row->place, column);
    return PQgetvalue(row->at, row->place, column);
}

const cache_database dq_cache_postgres = {.one_machine = false,
                                          .open = open_cache,
                                          .close = close_cache,
                                          .begin = begin,
                                          .commit = commit,
                                          .undo = undo,
                                          .now = now,
                                          .step = step,
                                          .more = more,
                                          .done = done,
                                          .forget = done,
                                          .is_null = is_null,
                                          .integer = integer,
                                          .real = real,
                                          .text = text};
