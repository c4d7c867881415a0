/* SPDX-License-Identifier: MIT
 *
 * The store: the one thread that touches the cache. Each turn it stores what was answered, looks up what is
 * new, claims as much of the rest as the connections can use soon, and keeps its claims alive; everything in
 * groups, a transaction each, since with synchronous=FULL a transaction costs the disk a wait or two.
 */
#ifndef DQ_LLM_STORE_H
#define DQ_LLM_STORE_H

#include "llm/budget.h"
#include "llm/member.h"
#include "llm/queue.h"
#include "llm/send.h"
#include "llm/setup.h"

typedef struct llm_store llm_store;

/* Opens the cache (cache_only reads one that must be there, a dry run what there is) and starts the thread.
 * All is kept; the sender, which may be NULL, is woken when something is granted or done. */
dq_status dq_llm_store_open(llm_store **store, const llm_setup *setup, llm_queue *queue, llm_budget *budget,
                            llm_members *members, llm_sender *sender, dq_error *error);
/* What dq_cache_mended says of its cache. */
uint64_t dq_llm_store_mended(const llm_store *store);
/* Ends the thread, which stores first what was answered. Accepts NULL. */
void dq_llm_store_end(llm_store *store);
/* After the end: writes the last notes, and closes the cache. Accepts NULL. */
dq_status dq_llm_store_close(llm_store *store, dq_error *error);

#endif
