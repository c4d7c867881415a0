/* SPDX-License-Identifier: MIT
 *
 * Sends the requests that the store has granted, by the client, with the members of the answer's form that
 * the server is known or hoped to take, and what comes back is handed to the store. While it is not known
 * whether a server takes a member, one request alone finds out, so that a refusal costs one call and not
 * `parallel` of them.
 *
 * All of it is the caller's thread's, but for dq_llm_sender_wake.
 */
#ifndef DQ_LLM_SEND_H
#define DQ_LLM_SEND_H

#include "llm/budget.h"
#include "llm/member.h"
#include "llm/queue.h"
#include "llm/setup.h"

typedef struct llm_sender llm_sender;

/* Opens the client; setup->server and subject are filled. The rest is kept; *stats counts asked and failed.
 */
dq_status dq_llm_sender_open(llm_sender **sender, llm_setup *setup, llm_queue *queue, llm_budget *budget,
                             llm_members *members, dq_ask_stats *stats, dq_error *error);
/* Accepts NULL, as the others do where there is nothing to send. */
void dq_llm_sender_close(llm_sender *sender);

/* Sends what was granted, and takes in answers, waiting for at most `seconds`. */
dq_status dq_llm_sender_run(llm_sender *sender, double seconds, dq_error *error);
/* Ends the wait of dq_llm_sender_run. From any thread. */
void dq_llm_sender_wake(llm_sender *sender);

size_t dq_llm_sender_in_flight(const llm_sender *sender);
/* Whether nothing is in flight, nor waits for its turn. */
bool dq_llm_sender_idle(const llm_sender *sender);
/* Whether running it is of use: something is in flight, or waits for more than for the store to store. */
bool dq_llm_sender_busy(llm_sender *sender);
/* Counts what was granted and never went out as unsent; at the end. */
void dq_llm_sender_give_up(llm_sender *sender);

#endif
