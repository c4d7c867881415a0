/* SPDX-License-Identifier: MIT
 *
 * The inside of a cache. Each file stands on those below it:
 *
 *     cache.c  move.c                  opened and closed; answers out of one cache and into another
 *     entry.c  claim.c  ledger.c       questions and answers; who asks; what was spent, and facts
 *     transaction.c                    one at a time
 *     owner.c  count.c                 who lives; adding to the ledger; both inside a transaction
 *     statement.c  sql.c               statements run and their rows read; their texts
 *     sqlite.c  postgres.c             what a database does in its own way: a table of functions each
 *     address.c  libpq.c               addresses of servers, and their secrets; the library
 *
 * All but the last two lines know no database: one table of statements is for both.
 */
#ifndef DQ_PORT_CACHE_IMPL_H
#define DQ_PORT_CACHE_IMPL_H

#include "port/cache/cache.h"

#include <sys/types.h>

/* Every statement, prepared when first needed; their texts are in sql.c. */
typedef enum cache_sql {
    SQL_FIND,
    SQL_FIND_WHOLE,
    SQL_NEXT,
    SQL_STORE,
    SQL_MERGE,
    SQL_HOLDER,
    SQL_CLAIM,
    SQL_UNCLAIM,
    SQL_UNCLAIM_ALL,
    SQL_OWNERS,
    SQL_OWNER_NEW,
    SQL_OWNER_RENEW,
    SQL_OWNER_GONE,
    SQL_FLIGHT_MORE,
    SQL_FLIGHT_LESS,
    SQL_FLIGHTS_LOST,
    SQL_FLIGHTS_GONE,
    SQL_COUNT,
    SQL_TOTALS,
    SQL_SUMS,
    SQL_BROKEN,
    SQL_MEND_ANSWERS,
    SQL_MEND_LEDGER,
    SQL_FACT,
    SQL_FACTS,
    SQL_REMEMBER,
    SQL_LEARN,
    SQL_STATEMENTS,
} cache_sql;

extern const char *const dq_cache_sql_text[SQL_STATEMENTS];
/* The tables, each database's types in place. */
extern const char dq_cache_sqlite_schema[], dq_cache_postgres_schema[];

/* A process, as another one can tell it: pids come back, and so do start times after a boot. */
typedef struct cache_process {
    char host[256], boot[64];
    int64_t space; /* the pid namespace, in which alone the pid means something */
    int64_t pid;
    int64_t started; /* clock ticks since the boot; 0: unknown */
} cache_process;

/* A value that a statement is given. letter says which: i a number, n a number that is NULL when negative, r
 * a real, t a text up to its NUL (or NULL), b a text of so many bytes, whatever they are, k a digest. */
typedef struct cache_value {
    char letter;
    int64_t integer;
    double real;
    const char *text;
    size_t bytes;
} cache_value;

enum { CACHE_VALUES_MOST = 16 };

/* A statement at one of its rows. */
typedef struct cache_row {
    dq_cache *cache;
    cache_sql sql;
    void *at;      /* sqlite.c's statement, postgres.c's result */
    int place;     /* postgres.c's: of the row in the result */
    bool prepared; /* postgres.c's: by this connection */
} cache_row;

/* What a database does in its own way. Failures are told by dq_cache_named. */
typedef struct cache_database {
    bool one_machine;                                    /* all its processes are on one */
    dq_status (*open)(dq_cache *cache, dq_error *error); /* and its tables are there, and are a cache's */
    void (*close)(dq_cache *cache);
    /* A transaction. One that writes has the lock of writers from its beginning: a reader who becomes a
     * writer could meet another, and neither could go on. One that reads sees one state of the whole. */
    dq_status (*begin)(dq_cache *cache, bool writes, dq_error *error);
    dq_status (*commit)(dq_cache *cache, dq_error *error);
    void (*undo)(dq_cache *cache); /* where one is open */
    int64_t (*now)(const dq_cache *cache);
    /* Runs a statement up to its first row, and on to the next: 1 a row, 0 none, -1 failed. */
    int (*step)(cache_row *row, const cache_value *values, size_t n, dq_error *error);
    int (*more)(cache_row *row, dq_error *error);
    void (*done)(cache_row *row);
    void (*forget)(cache_row *row); /* before close */
    bool (*is_null)(const cache_row *row, int column);
    int64_t (*integer)(const cache_row *row, int column);
    double (*real)(const cache_row *row, int column);
    const char *(*text)(const cache_row *row, int column, size_t *bytes); /* NULL: no memory */
} cache_database;

extern const cache_database dq_cache_sqlite, dq_cache_postgres;

struct dq_cache {
    const cache_database *database;
    struct sqlite3 *file;   /* sqlite.c's */
    struct pg_conn *server; /* postgres.c's */
    int64_t ahead;          /* postgres.c's: seconds that the server's clock is ahead of ours */
    cache_row rows[SQL_STATEMENTS];
    char *path; /* as the database gets it */
    const char *name;
    dq_status failed; /* the latest complaint's */
    bool read_only;
    pid_t pid; /* of the process that opened it */
    cache_process self;
    int64_t owner;        /* our row of owners; 0: none yet */
    int64_t owner_before; /* the running transaction */
    bool writing;         /* the running transaction */
    char *hits_model;     /* whose hits wait to be written; NULL: none do */
    uint64_t hits;
    uint64_t mended; /* models whose sums were taken anew when it was opened */
    dq_cache_tuning tuning;
    double waiting;  /* since when, for another's transaction: monotonic seconds */
    uint64_t jitter; /* the state of the waits' random numbers */
};

/* ---- statement.c ---- */

/* DQ_OK when this process may use the handle, and write if it will. */
dq_status dq_cache_usable(const dq_cache *cache, bool writes, dq_error *error);
/* An error that is there, with the cache as the source. */
dq_status dq_cache_named(dq_cache *cache, dq_error *error, dq_status status);
/* A piece of memory that was not to be had. */
dq_status dq_cache_no_memory(dq_cache *cache, dq_error *error);
/* Another process's lock that was not to be had. */
dq_status dq_cache_locked(dq_cache *cache, dq_error *error);

/* Gives a statement a value a letter (i, n: int64_t; r: double; t: const char *, which may be NULL; b: const
 * char *, size_t; k: const dq_cache_key *) and runs it to its first row: 1 a row, whose columns stay until
 * the statement runs again, 0 none, -1 failed. */
int dq_cache_step(dq_cache *cache, cache_sql sql, cache_row **row, dq_error *error, const char *letters, ...);
/* The next row of it. */
int dq_cache_more(cache_row *row, dq_error *error);
/* Lets go of a statement whose rows were not read to their end. */
void dq_cache_done(cache_row *row);
/* The same for statements without rows. */
dq_status dq_cache_run(dq_cache *cache, cache_sql sql, dq_error *error, const char *letters, ...);

bool dq_cache_is_null(const cache_row *row, int column);
int64_t dq_cache_integer(const cache_row *row, int column); /* 0 for NULL */
double dq_cache_real(const cache_row *row, int column);
/* A text of *bytes bytes and a NUL behind them, while the row stays; NULL for NULL, or without memory. */
const char *dq_cache_text(const cache_row *row, int column, size_t *bytes);
/* Its copy in the arena. *lacks is set when there is no memory for it; NULL for NULL. */
const char *dq_cache_copy(const cache_row *row, int column, size_t *bytes, dq_arena *arena, bool *lacks);

/* Unix seconds. */
int64_t dq_cache_now(const dq_cache *cache);

/* ---- transaction.c ---- */

/* One transaction; the end commits when status is DQ_OK, else undoes, and returns what failed first. */
dq_status dq_cache_begin(dq_cache *cache, bool writes, dq_error *error);
dq_status dq_cache_end(dq_cache *cache, dq_status status, dq_error *error);

/* ---- entry.c ---- */

/* Puts an entry by SQL_STORE or SQL_MERGE: 1 a row (SQL_MERGE: it was taken), 0 none, -1. */
int dq_cache_put(dq_cache *cache, cache_sql sql, const dq_cache_entry *entry, dq_error *error);
/* The entry in a row of SQL_FIND, SQL_FIND_WHOLE or SQL_NEXT, but for its key: false without memory. */
bool dq_cache_read_entry(const cache_row *row, bool whole, dq_arena *arena, dq_cache_entry *entry);
/* 1 with the entry, 0 when there is none, -1. */
int dq_cache_look(dq_cache *cache, const dq_cache_key *key, bool whole, dq_arena *arena,
                  dq_cache_entry *entry, dq_error *error);

/* ---- ledger.c ---- */

/* Takes the sums anew from the answers for every model whose row no counting can have made; their number goes
 * to cache->mended. No transaction is open. */
dq_status dq_cache_mend_ledger(dq_cache *cache, dq_error *error);

/* ---- owner.c ---- */

void dq_cache_process_self(cache_process *self);
/* Whether an owner is beyond doubt no more: his machine is this one, and it or he has begun anew since. Among
 * many machines a name may stand twice, and only a boot that goes on tells that it is ours. */
bool dq_cache_process_dead(const cache_process *self, const cache_process *other, bool one_machine);

typedef enum dq_cache_holder {
    HOLDER_WE,
    HOLDER_ALIVE,
    HOLDER_LATE, /* his lease is over; he may yet come back */
    HOLDER_DEAD,
} dq_cache_holder;

/* The owner of a row of SQL_HOLDER or SQL_OWNERS. */
dq_cache_holder dq_cache_read_owner(const cache_row *row, int64_t *owner);

/* Makes sure that we have a row of owners with a fresh lease; inside a writing transaction. A new one first
 * clears away the dead. */
dq_status dq_cache_owner_ready(dq_cache *cache, dq_error *error);
/* Clears away every owner that is dead; inside a writing transaction. */
dq_status dq_cache_clear_dead(dq_cache *cache, dq_error *error);
/* Clears an owner away: his claims are free, his requests in flight are lost. */
dq_status dq_cache_owner_clear(dq_cache *cache, int64_t owner, dq_error *error);

/* ---- count.c ---- */

/* What is added to a model's row. */
typedef struct cache_count {
    int64_t calls, answered, failed, lost, unreadable, hits, tokens_in, tokens_out;
    double cost, seconds;
} cache_count;

/* A server's count of tokens as it is kept: at most DQ_CACHE_TOKENS_MOST (-1: it gave none). */
int64_t dq_cache_tokens(int64_t tokens);
/* A price, or seconds, as it is kept: 0 for what is none or negative, at most 1e300. */
double dq_cache_amount(double amount);

/* Hits that waited, inside a writing transaction. */
dq_status dq_cache_add_hits(dq_cache *cache, dq_error *error);
/* Inside a writing transaction. Outcomes (answered, failed, lost) are also taken off our flights. */
dq_status dq_cache_add(dq_cache *cache, const char *model, const cache_count *count, dq_error *error);

#endif
