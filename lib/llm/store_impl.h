/* SPDX-License-Identifier: MIT
 *
 * The inside of the store, all of it its thread's: store.c has the turns, what was answered and the life;
 * store_find.c what is there; store_claim.c what is ours to ask.
 */
#ifndef DQ_LLM_STORE_IMPL_H
#define DQ_LLM_STORE_IMPL_H

#include "core/index.h"
#include "llm/store.h"

enum { LLM_FORMS = 8 };

struct llm_store {
    const llm_setup *setup;
    llm_queue *queue;
    llm_budget *budget;
    llm_members *members;
    llm_sender *sender;
    dq_cache *cache; /* NULL: a dry run without one */
    pthread_t thread;
    bool runs;

    llm_list ready, parked;
    size_t held;    /* jobs claimed and not stored */
    double latency; /* of answers, a running mean of seconds */
    double renewed; /* when the claims were, by the client's clock */
    uint64_t hits;
    dq_index refreshed;                  /* keys that --refresh has asked again */
    const dq_ask_form *forms[LLM_FORMS]; /* that came so far */
    size_t form_count;
    dq_arena arena;

    /* a turn's work, and what it came to */
    llm_list fresh, answered, granted, done;
    dq_cache_key keys[LLM_GROUP];
    int again[LLM_GROUP];
    dq_cache_entry entries[LLM_GROUP];
    dq_cache_state states[LLM_GROUP];
    llm_job *jobs[LLM_GROUP];
};

/* ---- store_find.c ---- */

/* Looks up what is fresh: it is done, or ready to be claimed. */
dq_status dq_llm_store_find(llm_store *store, dq_error *error);
/* Takes up to n jobs of a list into the turn's arrays; how many. */
size_t dq_llm_store_take(llm_store *store, llm_list *from, size_t n);
/* What is kept ends a job, or sends it on to be asked again. */
dq_status dq_llm_store_take_entry(llm_store *store, llm_job *job, const dq_cache_entry *entry,
                                  dq_error *error);
/* Whether an unreadable answer is worth another call: once, and once more with retry_unreadable. The job is
 * marked for it. */
bool dq_llm_store_asks_again(const llm_store *store, llm_job *job);

/* ---- store_claim.c ---- */

/* Claims what is ready, as much as the connections can use soon; it is granted, as the budget allows. */
dq_status dq_llm_store_claim(llm_store *store, dq_error *error);
/* Keeps what is claimed. */
dq_status dq_llm_store_renew(llm_store *store, dq_error *error);
/* When one of the two has work again, by the client's clock; INFINITY: never. */
double dq_llm_store_deadline(const llm_store *store);

#endif
