/* SPDX-License-Identifier: MIT
 *
 * The inside of a cache. Each file stands on those below it:
 *
 *     cache.c                          the file: opened and closed
 *     entry.c  claim.c  ledger.c       questions and answers; who asks; what was spent, and facts
 *     transaction.c                    one at a time
 *     owner.c  count.c                 who lives; adding to the ledger; both inside a transaction
 *     statement.c  sql.c               statements prepared once, and their texts
 */
#ifndef DQ_PORT_CACHE_IMPL_H
#define DQ_PORT_CACHE_IMPL_H

#include "port/cache/cache.h"

#include <sqlite3.h>
#include <sys/types.h>

/* Every statement, prepared when first needed; their texts are in sql.c. */
typedef enum cache_sql {
    SQL_BEGIN_READ,
    SQL_BEGIN_WRITE,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_FIND,
    SQL_FIND_WHOLE,
    SQL_STORE,
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
    SQL_REMEMBER,
    SQL_STATEMENTS,
} cache_sql;

extern const char *const dq_cache_sql_text[SQL_STATEMENTS];
extern const char dq_cache_sql_schema[];

/* A process, as another one can tell it: pids come back, and so do start times after a boot. */
typedef struct cache_process {
    char host[256], boot[64];
    int64_t space; /* the pid namespace, in which alone the pid means something */
    int64_t pid;
    int64_t started; /* clock ticks since the boot; 0: unknown */
} cache_process;

struct dq_cache {
    sqlite3 *db;
    sqlite3_stmt *statements[SQL_STATEMENTS];
    char *path; /* as SQLite gets it */
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
/* What SQLite last complained of, in words, with the file as the source. */
dq_status dq_cache_fail(dq_cache *cache, dq_error *error);
/* An error that is there, with the file as the source. */
dq_status dq_cache_named(dq_cache *cache, dq_error *error, dq_status status);
/* A piece of memory that was not to be had. */
dq_status dq_cache_no_memory(dq_cache *cache, dq_error *error);

/* Binds a letter an argument (i: int64_t; r: double; t: const char *, which may be NULL; b: const char *,
 * size_t, a text of that many bytes; k: const dq_cache_key *; the rest stays NULL) and steps once: 1 a row,
 * whose columns stay until the statement runs again, 0 none, -1 failed. */
int dq_cache_step(dq_cache *cache, cache_sql sql, sqlite3_stmt **row, dq_error *error, const char *letters,
                  ...);
/* The next row of it. */
int dq_cache_more(dq_cache *cache, sqlite3_stmt *row, dq_error *error);
/* Lets go of a statement whose rows were not read to their end. */
void dq_cache_done(sqlite3_stmt *row);
/* The same for statements without rows. */
dq_status dq_cache_run(dq_cache *cache, cache_sql sql, dq_error *error, const char *letters, ...);

/* Unix seconds. */
int64_t dq_cache_now(const dq_cache *cache);

/* ---- transaction.c ---- */

/* One transaction; the end commits when status is DQ_OK, else undoes, and returns what failed first. */
dq_status dq_cache_begin(dq_cache *cache, bool writes, dq_error *error);
dq_status dq_cache_end(dq_cache *cache, dq_status status, dq_error *error);

/* ---- entry.c ---- */

/* 1 with the entry, 0 when there is none, -1. */
int dq_cache_look(dq_cache *cache, const dq_cache_key *key, bool whole, dq_arena *arena,
                  dq_cache_entry *entry, dq_error *error);

/* ---- ledger.c ---- */

/* Takes the sums anew from the answers for every model whose row no counting can have made; their number goes
 * to cache->mended. No transaction is open. */
dq_status dq_cache_mend_ledger(dq_cache *cache, dq_error *error);

/* ---- owner.c ---- */

void dq_cache_process_self(cache_process *self);
/* Whether an owner is beyond doubt no more: his machine is this one, and it or he has begun anew since. */
bool dq_cache_process_dead(const cache_process *self, const cache_process *other);

typedef enum dq_cache_holder {
    HOLDER_WE,
    HOLDER_ALIVE,
    HOLDER_LATE, /* his lease is over; he may yet come back */
    HOLDER_DEAD,
} dq_cache_holder;

/* The owner of a row of SQL_HOLDER or SQL_OWNERS. */
dq_cache_holder dq_cache_read_owner(const dq_cache *cache, sqlite3_stmt *row, int64_t *owner);

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
