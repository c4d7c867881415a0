/* SPDX-License-Identifier: MIT
 *
 * The inside of ask.h: a question on its way, the lists it stands in, and who may touch what.
 *
 *     put -> fresh -> [desk: find] -> done                                   a hit
 *                                  -> ready -> [claim] -> granted            ours to ask
 *                                       ^        `-> parked -'               another process asks: look again
 *                                       |
 *     granted -> [sender: http] -> answered -> [desk: read, store] -> done
 *                                       `----------- unreadable, once -> ready
 *
 * The desk's thread alone has the cache, `ready` and `parked`; the caller's thread alone has the client and
 * `waiting`; all else under the lock is what they hand each other.
 */
#ifndef DQ_LLM_ASK_IMPL_H
#define DQ_LLM_ASK_IMPL_H

#include "llm/ask.h"

#include "core/index.h"
#include "port/http/http.h"

#include <pthread.h>
#include <stdatomic.h>

enum { ASK_MEMBERS = 4, ASK_FORMS = 8, ASK_GROUP = 1024, ASK_WINDOW = 2048, ASK_BATCH = 256 };

typedef struct ask_job {
    struct ask_job *next, *made; /* in its list; in the list of all jobs */
    const dq_ask_form *form;
    char *request; /* canonical, with its sample (bytes); the job's, kept when it is used again */
    size_t bytes, capacity;
    size_t sent_bytes; /* of request that stand before its sample */
    dq_cache_key key;
    uint64_t tag;
    bool maybe, retried, hit;
    uint64_t measured; /* a hit's tokens, as the server counted; 0: it did not */
    size_t carry;      /* granted: it leads a request of so many jobs; 0: it follows another */
    int again, asked;  /* as dq_cache_claim takes it; how often it was asked before */
    double parked;     /* until when, by the monotonic clock */
    dq_status status;
    char *label, *answer; /* malloc's */
    size_t answer_bytes;
    double seconds;
    int64_t tokens_in, tokens_out; /* -1: to be read from the answer */
} ask_job;

typedef struct ask_list {
    ask_job *first, *last;
    size_t count;
} ask_list;

void ask_list_push(ask_list *list, ask_job *job);
ask_job *ask_list_pop(ask_list *list);
/* All of `from` behind `to`. */
void ask_list_move(ask_list *to, ask_list *from);

/* Whether the server takes a member of the answer's form. */
typedef enum ask_taken { ASK_UNKNOWN, ASK_TAKEN, ASK_REFUSED } ask_taken;

typedef struct ask_member {
    char name[48];
    ask_taken taken;
    bool news; /* to be remembered by the cache */
} ask_member;

/* Whether the budget allows a further attempt. */
typedef enum ask_word { ASK_NO_WORD, ASK_GRANTED, ASK_DENIED } ask_word;

/* A request in flight: the jobs that it carries. */
typedef struct ask_request {
    ask_job *jobs[ASK_BATCH];
    size_t count;
    unsigned carried;        /* bits of the members that it carries */
    bool used, probe, again; /* again: asked once more without a member that was refused */
} ask_request;

struct dq_ask {
    dq_ask_options options;
    const char *model;
    bool whole, go_on, reading; /* reading: cache_only or dry_run, nothing is asked */
    size_t window, open;        /* questions that may be open, and are */
    double price_in, price_out; /* a token */

    dq_cache *cache; /* NULL: a dry run without one */
    dq_http *http;   /* NULL when reading */
    char about[300]; /* "host:port model", for the cache's facts */
    char server[160];

    /* the caller's thread */
    ask_list fresh_here, done_here, waiting, spare;
    ask_job *all, *given; /* all that were made; whose texts the last reply points at */
    ask_request *requests;
    size_t request_count, in_flight;
    bool probing, watched,
        broken; /* watched: the caller knows of open questions; broken: the client failed */
    dq_ask_tally tally;
    uint64_t measured_bytes, measured_tokens; /* over hits, for a dry run */

    /* shared, under the lock */
    pthread_mutex_t lock;
    pthread_cond_t to_desk, from_desk;
    ask_list fresh, answered, granted, done;
    size_t unstored; /* answers (and failures) handed to the desk and not yet in the cache */
    ask_member members[ASK_MEMBERS];
    size_t member_count;
    uint64_t failed, lost, further, unsent; /* attempts that the ledger does not know yet */
    ask_word word;                          /* on the further attempt that waits for the budget */
    bool closing, desk_runs, desk_idle;
    dq_error trouble;             /* why nothing more is sent: a stop or a failure */
    _Atomic bool stopping, spent; /* nothing more is sent; nothing more is claimed */
    pthread_t desk;

    /* the desk's thread */
    ask_list ready, parked;
    size_t held;    /* jobs claimed and not stored */
    double latency; /* of answers, a running mean of seconds */
    double renewed;
    uint64_t hits;
    dq_index refreshed; /* keys that --refresh has asked again */
    dq_arena arena;
    const dq_ask_form *known_forms[ASK_FORMS];
    size_t known_form_count;
};

double ask_now(void);
/* Nothing more is sent: the first reason counts. Takes the lock. */
void ask_stop(dq_ask *ask, const dq_error *why);

/* The desk: starts and ends its thread; false: it did not run. */
dq_status ask_desk_start(dq_ask *ask, dq_error *error);
bool ask_desk_end(dq_ask *ask);

/* Asks the budget for up to n requests, as dq_cache_spend does; on the desk's thread. */
dq_status ask_spend(dq_ask *ask, uint64_t n, uint64_t *granted, dq_error *error);
/* The budget is spent (*error, which is cleared): what was granted still goes out, nothing more is claimed.
 */
dq_status ask_spend_no_more(dq_ask *ask, dq_error *error);
/* A request is about to go out once more; on the sender's thread. DQ_ERR_STOPPED: the budget is spent. */
dq_status ask_further(dq_ask *ask, dq_error *error);
/* Writes what became of requests, hits and facts to the cache; on the desk's thread, or after its end. */
dq_status ask_keep_notes(dq_ask *ask, uint64_t hits, dq_error *error);
/* Reads what the cache knows of the members of a form that is new; on the desk's thread. */
dq_status ask_know_form(dq_ask *ask, const dq_ask_form *form, dq_error *error);

/* The sender. */
dq_status ask_sender_open(dq_ask *ask, dq_error *error);
void ask_sender_close(dq_ask *ask);
/* Hands what was granted to the client, and takes in answers, waiting for at most `seconds`. */
dq_status ask_send(dq_ask *ask, double seconds, dq_error *error);
/* Whether there is something to send, and only the desk's storing of answers can make room for it. */
bool ask_waits_for_desk(dq_ask *ask);

/* Tokens of so many bytes, for estimates. */
uint64_t ask_tokens_of(size_t bytes);

#endif
