/* SPDX-License-Identifier: MIT
 *
 * All the SQL there is, but for a handful of pragmas. docs/cache.md explains the tables.
 *
 * Answers are a table by number with an index over the digests, not a table by digest: rows of some
 * kilobytes would make such a tree shallow of keys and spread every group of answers over as many pages as it
 * has rows. Measured, 100,000 rows, finds a second: 290,000 against 58,000. What a replay needs stands before
 * the long texts, which SQLite then never reads.
 */
#include "port/cache/impl.h"

/* clang-format off */
const char dq_cache_sql_schema[] =
    "CREATE TABLE answers(\n"
    "  id INTEGER PRIMARY KEY,\n"
    "  key BLOB NOT NULL UNIQUE CHECK(length(key) = 32), -- SHA-256 of the canonical request\n"
    "  label TEXT,               -- as read when it came; NULL: unreadable\n"
    "  reader INTEGER NOT NULL,  -- who read it\n"
    "  tokens_in INTEGER,        -- as the server counted; NULL: it did not say\n"
    "  tokens_out INTEGER,\n"
    "  seconds REAL NOT NULL,    -- until the answer\n"
    "  cost REAL NOT NULL,       -- as priced when asked\n"
    "  time INTEGER NOT NULL,    -- Unix seconds, of the answer\n"
    "  asked INTEGER NOT NULL,   -- how often\n"
    "  model TEXT NOT NULL,\n"
    "  server TEXT NOT NULL,     -- host:port\n"
    "  answer TEXT NOT NULL,     -- the raw body\n"
    "  request TEXT NOT NULL     -- canonical JSON\n"
    ") STRICT;\n"
    "CREATE INDEX answers_by_model ON answers(model);\n"
    "CREATE TABLE owners(       -- handles that may ask now\n"
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,\n"
    "  host TEXT NOT NULL, boot TEXT NOT NULL, space INTEGER NOT NULL, pid INTEGER NOT NULL,\n"
    "  started INTEGER NOT NULL, -- clock ticks since the boot\n"
    "  until INTEGER NOT NULL    -- the lease's end, Unix seconds\n"
    ") STRICT;\n"
    "CREATE TABLE claims(       -- questions being asked now\n"
    "  key BLOB PRIMARY KEY CHECK(length(key) = 32), owner INTEGER NOT NULL\n"
    ") STRICT, WITHOUT ROWID;\n"
    "CREATE INDEX claims_by_owner ON claims(owner);\n"
    "CREATE TABLE flights(      -- requests granted, without an outcome yet\n"
    "  owner INTEGER, model TEXT, calls INTEGER NOT NULL, PRIMARY KEY(owner, model)\n"
    ") STRICT, WITHOUT ROWID;\n"
    "CREATE TABLE ledger(       -- sums since the cache's beginning\n"
    "  model TEXT PRIMARY KEY,\n"
    "  calls INTEGER NOT NULL, answered INTEGER NOT NULL, failed INTEGER NOT NULL, lost INTEGER NOT NULL,\n"
    "  unreadable INTEGER NOT NULL, hits INTEGER NOT NULL,\n"
    "  tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL, cost REAL NOT NULL, seconds REAL NOT NULL\n"
    ") STRICT, WITHOUT ROWID;\n"
    "CREATE TABLE facts(        -- what was learnt of a server and model\n"
    "  about TEXT, name TEXT, value TEXT NOT NULL, PRIMARY KEY(about, name)\n"
    ") STRICT, WITHOUT ROWID;\n";

#define SHORT "label, reader, tokens_in, tokens_out, seconds, cost, time, asked"
#define LONG  "model, server, answer, request"

/* Sums stay within what every reader counts exactly, whatever is added: an integer that overflows would be a
 * real, which a STRICT table refuses, and with it the answer that was to be counted. */
#define MOST      "9007199254740992" /* 2^53 */
#define MOST_COST "1e300"
#define SUM(column)      column " = max(0, min(" column " + excluded." column ", " MOST "))"
#define SUM_REAL(column) column " = max(0.0, min(" column " + excluded." column ", " MOST_COST "))"
#define BROKEN "(max(calls, answered, failed, lost, unreadable, hits, tokens_in, tokens_out) > " MOST \
    " OR min(calls, answered, failed, lost, unreadable, hits, tokens_in, tokens_out) < 0" \
    " OR max(cost, seconds) > " MOST_COST " OR min(cost, seconds) < 0)"
#define WITHIN(column) "max(0, min(coalesce(" column ", 0), " MOST "))"
#define FROM_ANSWERS(sum) "(SELECT " sum " FROM answers WHERE answers.model = ledger.model)"
#define COUNTED(column) FROM_ANSWERS("CAST(min(total(" column "), " MOST ") AS INTEGER)")

const char *const dq_cache_sql_text[SQL_STATEMENTS] = {
    [SQL_BEGIN_READ] = "BEGIN",
    /* The lock of writers at once: a reader who becomes a writer could meet another, and neither could go on. */
    [SQL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_FIND] = "SELECT " SHORT " FROM answers WHERE key = ?1",
    [SQL_FIND_WHOLE] = "SELECT " SHORT ", " LONG " FROM answers WHERE key = ?1",
    [SQL_STORE] = "INSERT INTO answers(key, " SHORT ", " LONG ")"
        " VALUES(?1, ?2, ?3, iif(?4 < 0, NULL, ?4), iif(?5 < 0, NULL, ?5), ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
        " ON CONFLICT(key) DO UPDATE SET label = excluded.label, reader = excluded.reader,"
        " tokens_in = excluded.tokens_in, tokens_out = excluded.tokens_out, seconds = excluded.seconds,"
        " cost = excluded.cost, time = excluded.time, asked = excluded.asked, model = excluded.model,"
        " server = excluded.server, answer = excluded.answer, request = excluded.request",
    [SQL_HOLDER] = "SELECT owner, until, host, boot, space, pid, started"
        " FROM claims LEFT JOIN owners ON owners.id = owner WHERE key = ?1",
    [SQL_CLAIM] = "INSERT INTO claims(key, owner) VALUES(?1, ?2)"
        " ON CONFLICT(key) DO UPDATE SET owner = excluded.owner",
    [SQL_UNCLAIM] = "DELETE FROM claims WHERE key = ?1 AND owner = ?2",
    [SQL_UNCLAIM_ALL] = "DELETE FROM claims WHERE owner = ?1",
    [SQL_OWNERS] = "SELECT id, until, host, boot, space, pid, started FROM owners",
    [SQL_OWNER_NEW] = "INSERT INTO owners(host, boot, space, pid, started, until) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    [SQL_OWNER_RENEW] = "UPDATE owners SET until = ?2 WHERE id = ?1",
    [SQL_OWNER_GONE] = "DELETE FROM owners WHERE id = ?1",
    [SQL_FLIGHT_MORE] = "INSERT INTO flights(owner, model, calls) VALUES(?1, ?2, ?3)"
        " ON CONFLICT DO UPDATE SET " SUM("calls"),
    [SQL_FLIGHT_LESS] = "UPDATE flights SET calls = max(0, calls - ?3) WHERE owner = ?1 AND model = ?2",
    [SQL_FLIGHTS_LOST] = "UPDATE ledger SET lost = min(lost + flights.calls, " MOST ") FROM flights"
        " WHERE flights.owner = ?1 AND flights.model = ledger.model",
    [SQL_FLIGHTS_GONE] = "DELETE FROM flights WHERE owner = ?1",
    [SQL_COUNT] = "INSERT INTO ledger(model, calls, answered, failed, lost, unreadable, hits, tokens_in, tokens_out,"
        " cost, seconds) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
        " ON CONFLICT DO UPDATE SET " SUM("calls") ", " SUM("answered") ", " SUM("failed") ", " SUM("lost") ", "
        SUM("unreadable") ", " SUM("hits") ", " SUM("tokens_in") ", " SUM("tokens_out") ", "
        SUM_REAL("cost") ", " SUM_REAL("seconds"),
    [SQL_TOTALS] = "SELECT CAST(min(total(calls), " MOST ") AS INTEGER),"
        " CAST(min(total(tokens_in) + total(tokens_out), " MOST ") AS INTEGER), total(cost) FROM ledger",
    [SQL_SUMS] = "SELECT model, " WITHIN("calls") ", " WITHIN("answered") ", " WITHIN("failed") ", "
        WITHIN("lost") ", " WITHIN("unreadable") ", " WITHIN("hits") ","
        " (SELECT count(*) FROM answers WHERE answers.model = both.model), "
        WITHIN("tokens_in") ", " WITHIN("tokens_out") ", coalesce(cost, 0.0), coalesce(seconds, 0.0),"
        " coalesce(" BROKEN ", 0)"
        " FROM (SELECT model FROM ledger UNION SELECT model FROM answers) AS both"
        " LEFT JOIN ledger USING(model) ORDER BY model",
    [SQL_BROKEN] = "SELECT count(*) FROM ledger WHERE " BROKEN,
    /* What an answer cost falls with its tokens. */
    [SQL_MEND_ANSWERS] = "UPDATE answers SET tokens_in = min(tokens_in, ?1),"
        " tokens_out = min(tokens_out, ?1), cost = coalesce(cost *"
        " (min(coalesce(tokens_in, 0), ?1) + min(coalesce(tokens_out, 0), ?1)) /"
        " (coalesce(tokens_in, 0) + 0.0 + coalesce(tokens_out, 0)), 0.0)"
        " WHERE max(coalesce(tokens_in, 0), coalesce(tokens_out, 0)) > ?1"
        " AND model IN (SELECT model FROM ledger WHERE " BROKEN ")",
    [SQL_MEND_LEDGER] = "UPDATE ledger SET calls = " WITHIN("calls") ", answered = " WITHIN("answered") ","
        " failed = " WITHIN("failed") ", lost = " WITHIN("lost") ", unreadable = " WITHIN("unreadable") ","
        " hits = " WITHIN("hits") ", tokens_in = " COUNTED("tokens_in") ", tokens_out = " COUNTED("tokens_out") ","
        " cost = " FROM_ANSWERS("min(total(cost), " MOST_COST ")") ","
        " seconds = " FROM_ANSWERS("min(total(seconds), " MOST_COST ")") " WHERE " BROKEN,
    [SQL_FACT] = "SELECT value FROM facts WHERE about = ?1 AND name = ?2",
    [SQL_REMEMBER] = "INSERT INTO facts(about, name, value) VALUES(?1, ?2, ?3)"
        " ON CONFLICT DO UPDATE SET value = excluded.value",
};
/* clang-format on */
