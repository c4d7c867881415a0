/* SPDX-License-Identifier: MIT
 *
 * Questions on their way between the two threads of an ask: what a job is, the lists that it stands in, and
 * who may touch what.
 *
 *     put -> fresh -> [store: find] -> done                                   a hit
 *                                   -> ready -> [claim] -> granted            ours to ask
 *                                        ^        `-> parked -'               another asks: look again
 *                                        |
 *     granted -> [sender: http] -> answered -> [store: read, keep] -> done
 *                                       `----------- unreadable, once -> ready
 *
 * The caller's thread (ask.c, send.c) puts, sends and gives; the store's thread (store.c) alone has the
 * cache, `ready` and `parked`. They hand each other jobs through the four lists of a queue, which are touched
 * under its lock, as is everything else that both write: what budget.h and member.h hold. A job that stands
 * in none of the four belongs to the thread that took it. What both only read is in setup.h.
 */
#ifndef DQ_LLM_QUEUE_H
#define DQ_LLM_QUEUE_H

#include "llm/ask.h"

#include <pthread.h>
#include <stdatomic.h>

enum { LLM_GROUP = 1024, LLM_BATCH = 256 }; /* jobs in a transaction of the cache; in a request: at most */

typedef struct llm_job {
    struct llm_job *next; /* in its list */
    struct llm_job *made; /* in the list of all jobs, which is the caller's */
    const dq_ask_form *form;
    char *request; /* canonical, with its sample (bytes); the job's, kept when it is used again */
    size_t bytes, capacity;
    size_t sent_bytes; /* of request that stand before its sample */
    dq_cache_key key;
    uint64_t tag;
    uint32_t sample;
    bool maybe, retried, hit;
    bool bare;         /* to be asked without the members that are doubted */
    uint64_t measured; /* a hit's tokens, as the server counted; 0: it did not */
    size_t batch;      /* granted: it leads a request of so many jobs; 0: it follows another */
    bool halved;       /* that request is a part of one that was refused: the budget has not counted it */
    int again, asked;  /* as dq_cache_claim takes it; how often it was asked before */
    double parked;     /* until when, by the client's clock */
    dq_status status;
    char *label, *answer, *reason; /* malloc's */
    size_t answer_bytes;
    double seconds;
    int64_t tokens_in, tokens_out; /* -1: to be read from the answer */
} llm_job;

typedef struct llm_list {
    llm_job *first, *last;
    size_t count;
} llm_list;

void dq_llm_list_push(llm_list *list, llm_job *job);
/* The first, or NULL. */
llm_job *dq_llm_list_pop(llm_list *list);
/* All of `from` behind `to`. */
void dq_llm_list_move(llm_list *to, llm_list *from);

/* Replaces a text of a job, which ends with a NUL that bytes do not count; false: out of memory. */
bool dq_llm_keep_text(char **to, const char *text, size_t bytes);

typedef struct llm_queue {
    pthread_mutex_t lock;
    pthread_cond_t to_store, from_store;
    llm_list fresh, answered, granted, done;
    size_t unstored; /* answers (and failures) handed to the store and not yet in the cache */
    bool closing;    /* the store's thread shall end, once it has stored what was answered */
    bool idle;       /* it waits for work */
    dq_error reason; /* why nothing more is sent or claimed */
    /* Nothing more is sent; nothing more is claimed, since the budget is spent. Read without the lock. */
    _Atomic bool stopping, spent;
} llm_queue;

void dq_llm_queue_init(llm_queue *queue);
void dq_llm_queue_destroy(llm_queue *queue);
void dq_llm_lock(llm_queue *queue);
void dq_llm_unlock(llm_queue *queue);

/* Nothing more is sent; the first reason counts. From either thread, without the lock. */
void dq_llm_queue_stop(llm_queue *queue, const dq_error *why);
/* What was granted still goes out, nothing more is claimed. */
void dq_llm_queue_stop_claims(llm_queue *queue, const dq_error *why);

/* ---- the caller's thread ---- */

/* Questions to the store. */
void dq_llm_queue_put(llm_queue *queue, llm_list *fresh);
/* n jobs to the store: DQ_OK, they have answers; else they have none, and never will. */
void dq_llm_queue_answer(llm_queue *queue, llm_job *const *jobs, size_t n, dq_status status);
/* Takes what is done; whether something is granted. */
bool dq_llm_queue_take(llm_queue *queue, llm_list *done);
/* Waits until the store has something for us, or a tenth of a second, so that a stop is noticed. */
void dq_llm_queue_wait(llm_queue *queue);
/* Whether the store waits, and has nothing of ours to store; `empty`: nor stands a job in a list. */
bool dq_llm_queue_idle(llm_queue *queue, bool empty);

/* ---- the store's thread ---- */

/* With the lock: waits for to_store, at most `seconds` (INFINITY: as long as it takes); false when they are
 * over. */
bool dq_llm_queue_wait_for(llm_queue *queue, double seconds);

#endif
