/* SPDX-License-Identifier: MIT
 *
 * Keeps which optional members of a request (dq_ask_member, such as response_format) the server takes. It is
 * not known before one was sent; a refusal counts from then on, and the cache remembers both, by server and
 * model.
 */
#ifndef DQ_LLM_MEMBER_H
#define DQ_LLM_MEMBER_H

#include "llm/queue.h"
#include "llm/setup.h"
#include "port/http/http.h"

enum { LLM_MEMBERS = 4 };

typedef enum llm_support { LLM_UNKNOWN, LLM_TAKEN, LLM_REFUSED } llm_support;

/* Under the queue's lock, which the functions take. */
typedef struct llm_members {
    llm_queue *queue;
    struct llm_member {
        char name[48];
        llm_support support;
        bool unsaved; /* the cache is to remember it */
    } at[LLM_MEMBERS];
    size_t count;
} llm_members;

/* ---- the caller's thread; `sent` has a bit for each member of the form ---- */

/* The members that are worth sending; *trying: with one of them it is not known whether it is taken. */
unsigned dq_llm_members_to_send(llm_members *members, const dq_ask_form *form, bool *trying);
/* An answer came to a request with these members. */
void dq_llm_members_taken(llm_members *members, const dq_ask_form *form, unsigned sent);
/* Whether the answer is a refusal that names one of them: it is not worth sending any more. */
bool dq_llm_members_refused(llm_members *members, const dq_ask_form *form, unsigned sent,
                            const dq_http_answer *answer);

/* ---- the store's thread ---- */

/* Adds the members of a form, with what the cache remembers of them. */
dq_status dq_llm_members_learn(llm_members *members, const llm_setup *setup, const dq_ask_form *form,
                               dq_cache *cache, dq_arena *arena, dq_error *error);
/* What was found out since, into the cache. */
dq_status dq_llm_members_save(llm_members *members, const llm_setup *setup, dq_cache *cache, dq_error *error);

#endif
