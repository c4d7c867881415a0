/* SPDX-License-Identifier: MIT
 *
 * All the SQL there is, but for a handful of pragmas and settings: one table, which SQLite and PostgreSQL
 * read alike. What only one of them knows has a way round that both know: CASE for SQLite's min and max of
 * two, which PostgreSQL calls LEAST and GREATEST; sums of reals for sums that may not overflow. docs/cache.md
 * explains the tables.
 *
 * Answers are a table by number with an index over the digests, not a table by digest: rows of some
 * kilobytes would make such a tree shallow of keys and spread every group of answers over as many pages as it
 * has rows. Measured, 100,000 rows, finds a second: 290,000 against 58,000. What a replay needs stands before
 * the long texts, which SQLite then never reads. Answers and requests are texts to SQLite, which takes any
 * bytes for one, and bytes to PostgreSQL, whose texts are UTF-8 without a NUL.
 */
#include "port/cache/impl.h"

/* clang-format off */
/* PLACE, NUMBERED: keys that number themselves, the second never twice the same; STRICT, KEYED: what ends a table, and one whose rows lie by its key. */
#define SCHEMA(PLACE, NUMBERED, BYTES, INTEGER, REAL, TEXT, RAW, STRICT, KEYED) \
    "CREATE TABLE answers(\n" \
    "  id " PLACE ",\n" \
    "  key " BYTES " NOT NULL UNIQUE CHECK(length(key) = 32), -- SHA-256 of the canonical request\n" \
    "  label " TEXT ",               -- as read when it came; NULL: unreadable\n" \
    "  reader " INTEGER " NOT NULL,  -- who read it\n" \
    "  tokens_in " INTEGER ",        -- as the server counted; NULL: it did not say\n" \
    "  tokens_out " INTEGER ",\n" \
    "  seconds " REAL " NOT NULL,    -- until the answer\n" \
    "  cost " REAL " NOT NULL,       -- as priced when asked\n" \
    "  time " INTEGER " NOT NULL,    -- Unix seconds, of the answer\n" \
    "  asked " INTEGER " NOT NULL,   -- how often\n" \
    "  model " TEXT " NOT NULL,\n" \
    "  server " TEXT " NOT NULL,     -- host:port\n" \
    "  answer " RAW " NOT NULL,      -- the raw body\n" \
    "  request " RAW " NOT NULL      -- canonical JSON\n" \
    ")" STRICT ";\n" \
    "CREATE INDEX answers_by_model ON answers(model);\n" \
    "CREATE TABLE owners(       -- handles that may ask now\n" \
    "  id " NUMBERED ",\n" \
    "  host " TEXT " NOT NULL, boot " TEXT " NOT NULL, space " INTEGER " NOT NULL, pid " INTEGER " NOT NULL,\n" \
    "  started " INTEGER " NOT NULL, -- clock ticks since the boot\n" \
    "  until " INTEGER " NOT NULL    -- the lease's end, Unix seconds\n" \
    ")" STRICT ";\n" \
    "CREATE TABLE claims(       -- questions being asked now\n" \
    "  key " BYTES " PRIMARY KEY CHECK(length(key) = 32), owner " INTEGER " NOT NULL\n" \
    ")" KEYED ";\n" \
    "CREATE INDEX claims_by_owner ON claims(owner);\n" \
    "CREATE TABLE flights(      -- requests granted, without an outcome yet\n" \
    "  owner " INTEGER ", model " TEXT ", calls " INTEGER " NOT NULL, PRIMARY KEY(owner, model)\n" \
    ")" KEYED ";\n" \
    "CREATE TABLE ledger(       -- sums since the cache's beginning\n" \
    "  model " TEXT " PRIMARY KEY,\n" \
    "  calls " INTEGER " NOT NULL, answered " INTEGER " NOT NULL, failed " INTEGER " NOT NULL,\n" \
    "  lost " INTEGER " NOT NULL, unreadable " INTEGER " NOT NULL, hits " INTEGER " NOT NULL,\n" \
    "  tokens_in " INTEGER " NOT NULL, tokens_out " INTEGER " NOT NULL,\n" \
    "  cost " REAL " NOT NULL, seconds " REAL " NOT NULL\n" \
    ")" KEYED ";\n" \
    "CREATE TABLE facts(        -- what was learnt of a server and model\n" \
    "  about " TEXT ", name " TEXT ", value " TEXT " NOT NULL, PRIMARY KEY(about, name)\n" \
    ")" KEYED ";\n"

const char dq_cache_sqlite_schema[] = SCHEMA("INTEGER PRIMARY KEY", "INTEGER PRIMARY KEY AUTOINCREMENT", "BLOB", "INTEGER",
    "REAL", "TEXT", "TEXT", " STRICT", " STRICT, WITHOUT ROWID");
#define IDENTITY "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
/* Texts in the order of their bytes, as in SQLite. */
const char dq_cache_postgres_schema[] = SCHEMA(IDENTITY, IDENTITY, "bytea", "bigint", "double precision",
    "text COLLATE \"C\"", "bytea", "", "");

#define SHORT "label, reader, tokens_in, tokens_out, seconds, cost, time, asked"
#define LONG  "model, server, answer, request"
#define INSERT_ANSWER "INSERT INTO answers(key, " SHORT ", " LONG ")" \
    " VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)" \
    " ON CONFLICT(key) DO UPDATE SET label = excluded.label, reader = excluded.reader," \
    " tokens_in = excluded.tokens_in, tokens_out = excluded.tokens_out, seconds = excluded.seconds," \
    " cost = excluded.cost, time = excluded.time, asked = excluded.asked, model = excluded.model," \
    " server = excluded.server, answer = excluded.answer, request = excluded.request"

/* Sums stay within what every reader counts exactly, whatever is added: an integer that overflows would be a
 * real in SQLite, which a STRICT table refuses, and an error in PostgreSQL, and with it the answer that was to
 * be counted. */
#define MOST      "9007199254740992" /* 2^53 */
#define MOST_COST "1e300"
#define LEAST(a, b)     "CASE WHEN " a " > " b " THEN " b " ELSE " a " END"
#define SUM_OF(table, column) column " = CASE WHEN " table "." column " > " MOST " - excluded." column " THEN " MOST \
    " WHEN " table "." column " < -excluded." column " THEN 0 ELSE " table "." column " + excluded." column " END"
#define SUM(column)      SUM_OF("ledger", column)
#define SUM_REAL(column) column " = CASE WHEN ledger." column " + excluded." column " > " MOST_COST " THEN " MOST_COST \
    " WHEN ledger." column " + excluded." column " > 0 THEN ledger." column " + excluded." column " ELSE 0.0 END"
#define COUNTABLE(column) column " BETWEEN 0 AND " MOST
#define BROKEN "NOT (" COUNTABLE("calls") " AND " COUNTABLE("answered") " AND " COUNTABLE("failed") " AND " \
    COUNTABLE("lost") " AND " COUNTABLE("unreadable") " AND " COUNTABLE("hits") " AND " COUNTABLE("tokens_in") " AND " \
    COUNTABLE("tokens_out") " AND cost BETWEEN 0 AND " MOST_COST " AND seconds BETWEEN 0 AND " MOST_COST ")"
#define WITHIN(column) "CASE WHEN " column " > " MOST " THEN " MOST " WHEN " column " > 0 THEN " column " ELSE 0 END"
#define TOTAL(column) "coalesce(sum(" column " + 0.0), 0.0)"
#define WHOLE(sum)    "CAST(" LEAST(sum, MOST) " AS BIGINT)"
#define FROM_ANSWERS(sum) "(SELECT " sum " FROM answers WHERE answers.model = ledger.model)"
#define TOKENS(column) "coalesce(" column ", 0)"

const char *const dq_cache_sql_text[SQL_STATEMENTS] = {
    [SQL_FIND] = "SELECT " SHORT " FROM answers WHERE key = $1",
    [SQL_FIND_WHOLE] = "SELECT " SHORT ", " LONG " FROM answers WHERE key = $1",
    [SQL_NEXT] = "SELECT " SHORT ", " LONG ", key FROM answers WHERE key > $1 ORDER BY key LIMIT $2",
    [SQL_STORE] = INSERT_ANSWER,
    /* What is there stays, unless it could not be read and this can. */
    [SQL_MERGE] = INSERT_ANSWER " WHERE answers.label IS NULL AND excluded.label IS NOT NULL RETURNING id",
    [SQL_HOLDER] = "SELECT owner, until, host, boot, space, pid, started"
        " FROM claims LEFT JOIN owners ON owners.id = owner WHERE key = $1",
    [SQL_CLAIM] = "INSERT INTO claims(key, owner) VALUES($1, $2)"
        " ON CONFLICT(key) DO UPDATE SET owner = excluded.owner",
    [SQL_UNCLAIM] = "DELETE FROM claims WHERE key = $1 AND owner = $2",
    [SQL_UNCLAIM_ALL] = "DELETE FROM claims WHERE owner = $1",
    [SQL_OWNERS] = "SELECT id, until, host, boot, space, pid, started FROM owners",
    [SQL_OWNER_NEW] = "INSERT INTO owners(host, boot, space, pid, started, until) VALUES($1, $2, $3, $4, $5, $6)"
        " RETURNING id",
    [SQL_OWNER_RENEW] = "UPDATE owners SET until = $2 WHERE id = $1 RETURNING id",
    [SQL_OWNER_GONE] = "DELETE FROM owners WHERE id = $1",
    [SQL_FLIGHT_MORE] = "INSERT INTO flights(owner, model, calls) VALUES($1, $2, $3)"
        " ON CONFLICT(owner, model) DO UPDATE SET " SUM_OF("flights", "calls"),
    [SQL_FLIGHT_LESS] = "UPDATE flights SET calls = CASE WHEN calls > $3 THEN calls - $3 ELSE 0 END"
        " WHERE owner = $1 AND model = $2",
    [SQL_FLIGHTS_LOST] = "UPDATE ledger SET lost = CASE WHEN lost > " MOST " - flights.calls THEN " MOST
        " ELSE lost + flights.calls END FROM flights WHERE flights.owner = $1 AND flights.model = ledger.model",
    [SQL_FLIGHTS_GONE] = "DELETE FROM flights WHERE owner = $1",
    [SQL_COUNT] = "INSERT INTO ledger(model, calls, answered, failed, lost, unreadable, hits, tokens_in, tokens_out,"
        " cost, seconds) VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        " ON CONFLICT(model) DO UPDATE SET " SUM("calls") ", " SUM("answered") ", " SUM("failed") ", " SUM("lost") ", "
        SUM("unreadable") ", " SUM("hits") ", " SUM("tokens_in") ", " SUM("tokens_out") ", "
        SUM_REAL("cost") ", " SUM_REAL("seconds"),
    [SQL_TOTALS] = "SELECT calls, " WHOLE("tokens") ", cost FROM (SELECT " WHOLE(TOTAL("calls")) " AS calls, "
        TOTAL("tokens_in") " + " TOTAL("tokens_out") " AS tokens, " TOTAL("cost") " AS cost FROM ledger) AS totals",
    [SQL_SUMS] = "SELECT model, " WITHIN("calls") ", " WITHIN("answered") ", " WITHIN("failed") ", "
        WITHIN("lost") ", " WITHIN("unreadable") ", " WITHIN("hits") ","
        " (SELECT count(*) FROM answers WHERE answers.model = named.model), "
        WITHIN("tokens_in") ", " WITHIN("tokens_out") ", coalesce(cost, 0.0), coalesce(seconds, 0.0),"
        " CASE WHEN " BROKEN " THEN 1 ELSE 0 END"
        " FROM (SELECT model FROM ledger UNION SELECT model FROM answers) AS named"
        " LEFT JOIN ledger USING(model) ORDER BY model",
    [SQL_BROKEN] = "SELECT count(*) FROM ledger WHERE " BROKEN,
    /* What an answer cost falls with its tokens. */
    [SQL_MEND_ANSWERS] = "UPDATE answers SET tokens_in = " LEAST("tokens_in", "$1") ","
        " tokens_out = " LEAST("tokens_out", "$1") ", cost = coalesce(cost *"
        " (" LEAST(TOKENS("tokens_in"), "$1") " + " LEAST(TOKENS("tokens_out"), "$1") ") /"
        " (" TOKENS("tokens_in") " + 0.0 + " TOKENS("tokens_out") "), 0.0)"
        " WHERE (tokens_in > $1 OR tokens_out > $1)"
        " AND model IN (SELECT model FROM ledger WHERE " BROKEN ")",
    [SQL_MEND_LEDGER] = "UPDATE ledger SET calls = " WITHIN("calls") ", answered = " WITHIN("answered") ","
        " failed = " WITHIN("failed") ", lost = " WITHIN("lost") ", unreadable = " WITHIN("unreadable") ","
        " hits = " WITHIN("hits") ", tokens_in = " FROM_ANSWERS(WHOLE(TOTAL("tokens_in"))) ","
        " tokens_out = " FROM_ANSWERS(WHOLE(TOTAL("tokens_out"))) ","
        " cost = " FROM_ANSWERS(LEAST(TOTAL("cost"), MOST_COST)) ","
        " seconds = " FROM_ANSWERS(LEAST(TOTAL("seconds"), MOST_COST)) " WHERE " BROKEN,
    [SQL_FACT] = "SELECT value FROM facts WHERE about = $1 AND name = $2",
    [SQL_FACTS] = "SELECT about, name, value FROM facts ORDER BY about, name",
    [SQL_REMEMBER] = "INSERT INTO facts(about, name, value) VALUES($1, $2, $3)"
        " ON CONFLICT(about, name) DO UPDATE SET value = excluded.value",
    [SQL_LEARN] = "INSERT INTO facts(about, name, value) VALUES($1, $2, $3) ON CONFLICT(about, name) DO NOTHING",
};
/* clang-format on */
