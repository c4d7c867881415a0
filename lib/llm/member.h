/* SPDX-License-Identifier: MIT
 *
 * Finds out which members (dq_ask_member: response_format, logprobs, seed, system messages) a server takes,
 * and in which variant. That is not known before one was answered. A refusal steps down:
 *
 *     response_format   json_schema -> json_object+schema -> json_object -> left out
 *
 * A refusal that names a member (in whatever words, see dq_ask_member.words; by any code but 401, 402, 408,
 * 429) is about that one. One that names none (400, 422, or a 500 that came twice) is about one of those that
 * are not known to be taken; they are suspected in turn, each down to its end and then restored, at last all
 * together. Two refusals in the same words say that the variant makes no difference: the member is left out.
 * A refusal about something else (a question too long, an unknown model) finds nothing, LLM_REFUSALS requests
 * at most, and leaves everything as it was. Only an answer makes a variant known, and only then the cache
 * remembers it, by server and model. A doubted member under which no answer is readable, LLM_MISSED times in
 * a row where all were without it, is left out from then on: else each question would cost two calls.
 */
#ifndef DQ_LLM_MEMBER_H
#define DQ_LLM_MEMBER_H

#include "llm/queue.h"
#include "llm/refusal.h"
#include "llm/setup.h"
#include "port/http/http.h"

enum { LLM_NOT_SENT = 255, LLM_REFUSALS = 8, LLM_MISSED = 16 };

/* Which variant of each member of its form a request was written with: a number, that behind the last where
 * it was left out; LLM_NOT_SENT where the member is none of the request's. */
typedef struct llm_sent {
    uint8_t variant[DQ_ASK_MEMBERS];
} llm_sent;

/* Under the queue's lock, which the functions take. */
typedef struct llm_members {
    llm_queue *queue;
    struct llm_member {
        const dq_ask_member *of;
        uint8_t variant, before; /* to be sent; as it was when the search began */
        bool known;              /* the server takes it so */
        bool unsaved;            /* the cache is to remember it */
        unsigned missed;         /* answers in a row that were readable only without it */
    } at[DQ_ASK_MEMBERS];
    size_t count;
    /* a search: refusals so far; the member that is suspected, `count`: all; the last refusal's words */
    unsigned refusals;
    size_t suspect;
    char words[LLM_WORDS];
} llm_members;

/* ---- the caller's thread ---- */

/* How a job's request is to be written; *trying: it is not known whether all of it is taken. */
llm_sent dq_llm_members_choose(llm_members *members, const llm_job *job, bool *trying);
/* An answer came to a request with these members. */
void dq_llm_members_taken(llm_members *members, const dq_ask_form *form, const llm_sent *sent);
/* A request was refused: whether it is worth being written anew, with what the members now are. */
bool dq_llm_members_refused(llm_members *members, const dq_ask_form *form, const llm_sent *sent, long code,
                            const char *body, size_t bytes);
/* Whether a refusal says that the model missed the form that a member asked for: the question is to be asked
 * without it, and nothing is learnt. */
bool dq_llm_members_missed(const llm_job *job, const llm_sent *sent, const char *body, size_t bytes);
/* Whether a 409 or 5xx, which could pass, is a refusal: it names a member, or (500, 501) came twice to one
 * that tries. */
bool dq_llm_members_blamed(llm_members *members, const dq_ask_form *form, const llm_sent *sent, long code,
                           const char *body, size_t bytes, bool twice);

/* ---- the store's thread ---- */

/* Adds the members of a form, with what the cache remembers of them. */
dq_status dq_llm_members_learn(llm_members *members, const llm_setup *setup, const dq_ask_form *form,
                               dq_cache *cache, dq_arena *arena, dq_error *error);
/* A job's answer was readable: with what it was sent with, or only bare. */
void dq_llm_members_read(llm_members *members, const llm_job *job);
/* What was found out since, into the cache. */
dq_status dq_llm_members_save(llm_members *members, const llm_setup *setup, dq_cache *cache, dq_error *error);

#endif
