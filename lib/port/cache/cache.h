/* SPDX-License-Identifier: MIT
 *
 * Answers that were paid for, on disk: one SQLite file that any number of processes of this machine use at
 * once, or a PostgreSQL database for those of many. Both keep the same promises by the same statements;
 * lib/port/cache/ is the only home of either. docs/cache.md describes the tables for sqlite3 and psql.
 *
 * A question is known by the SHA-256 of its canonical request. Of one question there is at most one call in
 * flight, across processes: whoever wants to ask claims it first. A claim is a lease of DQ_CACHE_LEASE
 * seconds, renewed while the request is open; the claims of a process of this machine that is dead (its pid,
 * and its start time; or the machine has booted since) are free at once. Claims belong to a handle.
 *
 *     dq_cache_find        what is there                          (reads; no claim)
 *     dq_cache_claim       what is there, or the right to ask     HAVE, MINE, THEIRS
 *     dq_cache_renew       keeps claims                           before half of the lease is over
 *     dq_cache_store       answers, and the claims are gone       durable when it returns
 *     dq_cache_release     claims without an answer
 *     dq_cache_spend       the budget's word before requests go out
 *
 * The file: mode 0600, a rollback journal, synchronous=FULL, a busy time-out; each call above is one
 * transaction (claims and answers go in groups: hand many to one call). A file of another application or of a
 * newer schema is refused. Never written to it: keys of a server, and the reasons of failed calls.
 * The server: a schema dq_cache in the database that an address names, libpq loaded when the first is opened;
 * leases by the server's clock; only the lease tells of processes of other machines. A connection that was
 * lost is made anew by the next call; the call in which it is lost fails, and what it wrote is there all the
 * same if it was lost while the server committed: hits may then count twice, and claims stay until their
 * lease is over.
 *
 * A handle belongs to one thread at a time, and to the process that opened it: after a fork it only closes,
 * which then touches nothing. Two threads open two. Errors name the file as their source; after one the
 * transaction is undone and the handle stays good.
 */
#ifndef DQ_PORT_CACHE_CACHE_H
#define DQ_PORT_CACHE_CACHE_H

#include "dq/arena.h"
#include "dq/status.h"
#include "port/files/sha256.h"

#include <stdbool.h>

enum {
    DQ_CACHE_SCHEMA = 1,
    DQ_CACHE_LEASE = 30, /* seconds */
    DQ_CACHE_BUSY = 60,  /* seconds to wait for others' transactions before giving up */
    DQ_CACHE_ALWAYS = 1 << 30,
    DQ_CACHE_TOKENS_MOST = 1000000000, /* of one answer: a server that counts more counts as this */
};

typedef struct dq_cache dq_cache;

typedef struct dq_cache_key {
    uint8_t digest[DQ_SHA256_BYTES];
} dq_cache_key;

#define DQ_CACHE_UNREAD UINT32_MAX /* no reader's number */

/* One question and its answer. Texts are not NUL-terminated when their length is given. */
typedef struct dq_cache_entry {
    dq_cache_key key;
    const char *model;
    const char *request; /* the canonical request (request_bytes): what the key digests */
    size_t request_bytes;
    const char *answer; /* the raw body (answer_bytes) */
    size_t answer_bytes;
    const char *label; /* what was read of it when it came, or NULL: unreadable */
    uint32_t reader; /* who read it: a label is good for this reader alone, others read anew; DQ_CACHE_UNREAD:
                        nobody did */
    int64_t tokens_in, tokens_out; /* as the server counted; -1 when it did not say */
    double seconds;                /* latency */
    double cost;                   /* as priced when asked; 0 without a price */
    const char *server;            /* "host:port" */
    int64_t time;                  /* Unix seconds, of the answer */
    int asked;                     /* how often this question was asked: 1, or 2 after an unreadable answer */
    bool shared; /* store: it came in one request with the entry before it, which counts for both */
} dq_cache_entry;

typedef enum dq_cache_state {
    DQ_CACHE_NONE,   /* find: not there */
    DQ_CACHE_HAVE,   /* the entry is filled */
    DQ_CACHE_MINE,   /* claim: the caller asks */
    DQ_CACHE_THEIRS, /* claim: it is being asked, by another process or this handle; look again later */
} dq_cache_state;

/* Whether the name of a cache is an address, postgresql://[USER@]HOST[:PORT]/DATABASE?PARAMETER=VALUE as
 * libpq reads it (postgres:// too), and not a file. */
bool dq_cache_is_address(const char *path);
/* DQ_ERR_RANGE for an address that holds a password, or that no cache has ("mysql://...", "host=h
 * password=p"): libpq finds a password in PGPASSWORD, a service file or ~/.pgpass. Opening checks this, too;
 * the words quote nothing of the address. */
dq_status dq_cache_check_address(const char *path, dq_error *error);

/* Opens PATH, making it (a file with mode 0600, a server's tables) unless read_only. DQ_ERR_FORMAT for what
 * is not a cache, DQ_ERR_VERSION for a newer schema, DQ_ERR_IO, DQ_ERR_UNSUPPORTED without libpq,
 * DQ_ERR_UNKNOWN for a server's database, read_only, in which no tables were made yet. read_only works on a
 * file and folder without write access; such a handle claims nothing (NONE where it would be MINE), and
 * whatever writes is DQ_ERR_UNSUPPORTED. */
dq_status dq_cache_open(dq_cache **cache, const char *path, bool read_only, dq_error *error);
/* The models whose sums of the ledger were such as no counting makes (beyond 2^53, negative), and were taken
 * anew from the answers when the cache was opened to be written. NULL: 0. */
uint64_t dq_cache_mended(const dq_cache *cache);
/* Releases this handle's claims; its requests without an outcome count as lost. */
void dq_cache_close(dq_cache *cache);

/* Of each of n keys the entry (texts in the arena) and HAVE, or NONE: one read transaction. whole: also
 * model, request, answer and server; else these are NULL (and their bytes 0), which spares a replay most of
 * its reading. */
dq_status dq_cache_find(dq_cache *cache, const dq_cache_key *keys, size_t n, bool whole, dq_arena *arena,
                        dq_cache_entry *entries, dq_cache_state *states, dq_error *error);

/* For each of n keys: HAVE with its entry (whole), MINE, or THEIRS. again[i] (again may be NULL: all 0)
 * claims even what is there, if it was asked fewer than again[i] times: 2 repeats an unreadable answer once,
 * however many processes want that; DQ_CACHE_ALWAYS is --refresh. A key that this handle holds already is
 * THEIRS, so that a key that stands twice is asked once. Writes only when there is something to claim. */
dq_status dq_cache_claim(dq_cache *cache, const dq_cache_key *keys, const int *again, size_t n,
                         dq_arena *arena, dq_cache_entry *entries, dq_cache_state *states, dq_error *error);
/* Renews all claims of this handle. */
dq_status dq_cache_renew(dq_cache *cache, dq_error *error);
dq_status dq_cache_release(dq_cache *cache, const dq_cache_key *keys, size_t n, dq_error *error);

/* Stores n answers (an entry that is there is replaced), counts them in the ledger, ends their claims. Every
 * answer that came is stored, an unreadable one too before it is asked again: it was paid for. No number of
 * an entry refuses it: tokens count at most DQ_CACHE_TOKENS_MOST, cost and seconds that are negative or NaN
 * are 0, and sums stop at 2^53. model, request, answer and server are needed. */
dq_status dq_cache_store(dq_cache *cache, const dq_cache_entry *entries, size_t n, dq_error *error);

/* What may be spent by all processes together, from the cache's beginning; 0: no limit. */
typedef struct dq_cache_budget {
    uint64_t requests, tokens;
    double cost;
} dq_cache_budget;

/* Counts up to n requests to a model as about to be sent, as many as the budget still allows: *granted of
 * them. When that is none: DQ_ERR_STOPPED, which says which limit is spent. A process that passes no limit
 * (NULL) only counts. A further attempt of a request is one more. tokens and cost are counted by store. */
dq_status dq_cache_spend(dq_cache *cache, const char *model, const dq_cache_budget *budget, uint64_t n,
                         uint64_t *granted, dq_error *error);
/* Takes n back that were granted and never sent. */
dq_status dq_cache_unspend(dq_cache *cache, const char *model, uint64_t n, dq_error *error);
/* Counts attempts that failed (an error of the server), or whose answer was lost on the way; and hits, which
 * are written with the next transaction that writes, or by close. What was granted ends as one of: unspent,
 * stored, failed, lost; what a killed process leaves open is counted as lost by the next that claims. */
dq_status dq_cache_count(dq_cache *cache, const char *model, uint64_t failed, uint64_t lost, uint64_t hits,
                         dq_error *error);

/* Small facts about a server and model that spare requests ("response_format" of "host:port model": "none").
 */
dq_status dq_cache_fact(dq_cache *cache, const char *about, const char *name, dq_arena *arena,
                        const char **value, dq_error *error);
dq_status dq_cache_remember(dq_cache *cache, const char *about, const char *name, const char *value,
                            dq_error *error);

/* Answers out of a cache and into another: in the order of their keys, a page at a time, those behind `after`
 * (NULL: from the first). *n of at most DQ_CACHE_PAGE entries; fewer: there are no more. What comes in
 * between two calls with a smaller key is not among them. */
enum { DQ_CACHE_PAGE = 64 };
dq_status dq_cache_next(dq_cache *cache, const dq_cache_key *after, dq_arena *arena, dq_cache_entry *entries,
                        size_t *n, dq_error *error);
/* Takes entries in, one transaction: those that are not there, and those that are there unreadable and come
 * with a label. The rest stays as it is, so that the same answers taken again change nothing. *taken grows by
 * how many were. The ledger counts what this cache's processes spent, and so none of them. */
dq_status dq_cache_merge(dq_cache *cache, const dq_cache_entry *entries, size_t n, uint64_t *taken,
                         dq_error *error);
/* All facts, in order, until told says no; and one from elsewhere, which a fact that is there outweighs. */
typedef dq_status dq_cache_told(void *arg, const char *about, const char *name, const char *value,
                                dq_error *error);
dq_status dq_cache_facts(dq_cache *cache, dq_arena *arena, dq_cache_told *told, void *arg, dq_error *error);
dq_status dq_cache_learn(dq_cache *cache, const char *about, const char *name, const char *value,
                         dq_error *error);

/* The ledger: sums by model, in the order of names. calls = answered + failed + lost + those in flight. */
typedef struct dq_cache_ledger {
    const char *model;
    uint64_t calls, answered, failed, lost, unreadable, hits, entries;
    uint64_t tokens_in, tokens_out;
    double cost, seconds;
    bool broken; /* sums that no counting makes, here at most 2^53: opening it to be written mends them */
} dq_cache_ledger;

dq_status dq_cache_sums(dq_cache *cache, dq_arena *arena, dq_cache_ledger **rows, size_t *count,
                        dq_error *error);

/* For tests: another clock (NULL: the system's), and another patience with others' transactions. */
typedef struct dq_cache_tuning {
    int64_t (*now)(void *arg); /* Unix seconds */
    void *arg;
    double busy; /* seconds */
} dq_cache_tuning;

void dq_cache_tune(dq_cache *cache, const dq_cache_tuning *tuning);

#endif
