/* SPDX-License-Identifier: MIT
 *
 * Counts the requests that are sent, and asks the budget before: first attempts in groups, as they are
 * claimed, each further one (a retry, the repeat without a member that was refused) before it goes out. Where
 * there is no limit a further attempt goes out at once, and is noted for the store's next turn, which writes
 * the notes before it stores: an outcome that came before its request would find nothing in flight to end.
 */
#ifndef DQ_LLM_BUDGET_H
#define DQ_LLM_BUDGET_H

#include "llm/queue.h"
#include "llm/setup.h"

/* Whether the further attempt that waits may go out. */
typedef enum llm_permission { LLM_UNDECIDED, LLM_GRANTED, LLM_DENIED } llm_permission;

/* Under the queue's lock, which the functions take: what the cache's ledger does not know yet. */
typedef struct llm_budget {
    const llm_setup *setup;
    llm_queue *queue;
    uint64_t failed;  /* attempts with an error of the server */
    uint64_t lost;    /* attempts without an answer */
    uint64_t further; /* attempts beyond a request's first */
    uint64_t unsent;  /* first attempts that were granted and never went out */
    llm_permission permission;
} llm_budget;

/* ---- the caller's thread ---- */

/* A request is about to go out once more. Waits for the store where there is a limit. DQ_ERR_STOPPED: the
 * budget is spent. */
dq_status dq_llm_budget_attempt(llm_budget *budget, dq_error *error);
void dq_llm_budget_note_failure(llm_budget *budget, bool answered);
void dq_llm_budget_note_unsent(llm_budget *budget, uint64_t requests);

/* ---- the store's thread, or after its end ---- */

/* With the lock: whether a further attempt waits to be counted. */
bool dq_llm_budget_waits(const llm_budget *budget);
/* Asks the budget for up to n requests, as dq_cache_spend does. */
dq_status dq_llm_budget_spend(llm_budget *budget, dq_cache *cache, uint64_t n, uint64_t *granted,
                              dq_error *error);
/* Writes the notes, and hits, to the cache. */
dq_status dq_llm_budget_save(llm_budget *budget, dq_cache *cache, uint64_t hits, dq_error *error);

#endif
