/* SPDX-License-Identifier: MIT
 *
 * What is sent is counted, and the budget asked before: first attempts in groups, as they are claimed, each
 * further one (a retry, the repeat without a member that was refused) before it goes out. Where there is no
 * limit a further attempt goes out at once, and is noted for the desk's next turn, which writes the notes
 * before it stores: an outcome that came before its request would find nothing in flight to end.
 */
#include "llm/ask_impl.h"

#include <stdio.h>
#include <string.h>

/* ---- the budget ---- */

static bool limited(const dq_ask_options *o)
{
    return o->max_requests || o->max_tokens || o->max_cost > 0;
}

dq_status ask_spend(dq_ask *ask, uint64_t n, uint64_t *granted, dq_error *error)
{
    const dq_ask_options *o = &ask->options;
    dq_cache_budget budget = {o->max_requests, o->max_tokens, o->max_cost};
    return dq_cache_spend(ask->cache, ask->model, limited(o) ? &budget : NULL, n, granted, error);
}

dq_status ask_spend_no_more(dq_ask *ask, dq_error *error)
{
    (void)pthread_mutex_lock(&ask->lock);
    if (!ask->stopping && !ask->spent) ask->trouble = *error;
    ask->spent = true;
    (void)pthread_mutex_unlock(&ask->lock);
    *error = DQ_ERROR_NONE;
    return DQ_OK;
}

/* The desk's word is waited for; the desk itself waits for nobody. */
dq_status ask_further(dq_ask *ask, dq_error *error)
{
    (void)pthread_mutex_lock(&ask->lock);
    bool wait = limited(&ask->options), allowed = !wait || !ask->spent;
    ask->further += allowed;
    if (wait && allowed) {
        ask->word = ASK_NO_WORD;
        (void)pthread_cond_signal(&ask->to_desk);
        while (ask->word == ASK_NO_WORD) (void)pthread_cond_wait(&ask->from_desk, &ask->lock);
        allowed = ask->word == ASK_GRANTED;
    }
    (void)pthread_mutex_unlock(&ask->lock);
    return allowed ? DQ_OK : dq_fail(error, DQ_ERR_STOPPED, "not sent");
}

static dq_status spend_further(dq_ask *ask, uint64_t n, dq_error *error)
{
    uint64_t granted = 0;
    dq_status status = ask_spend(ask, n, &granted, error);
    if (status == DQ_ERR_STOPPED) status = ask_spend_no_more(ask, error);
    (void)pthread_mutex_lock(&ask->lock);
    ask->word = granted == n ? ASK_GRANTED : ASK_DENIED;
    (void)pthread_cond_signal(&ask->from_desk);
    (void)pthread_mutex_unlock(&ask->lock);
    return status;
}

/* ---- notes: what the ledger does not know yet ---- */

typedef struct notes {
    uint64_t failed, lost, further, unsent;
    ask_member members[ASK_MEMBERS];
    size_t member_count;
} notes;

static void take_notes(dq_ask *ask, notes *n)
{
    (void)pthread_mutex_lock(&ask->lock);
    *n = (notes){ask->failed, ask->lost, ask->further, ask->unsent, {{{0}, ASK_UNKNOWN, false}}, 0};
    ask->failed = ask->lost = ask->further = ask->unsent = 0;
    for (size_t i = 0; i < ask->member_count; i++) {
        if (ask->members[i].news) n->members[n->member_count++] = ask->members[i];
        ask->members[i].news = false;
    }
    (void)pthread_mutex_unlock(&ask->lock);
}

dq_status ask_keep_notes(dq_ask *ask, uint64_t hits, dq_error *error)
{
    notes n;
    dq_status status = DQ_OK;
    take_notes(ask, &n);
    if (ask->reading) return DQ_OK;
    if (n.further) status = spend_further(ask, n.further, error);
    if (!status && n.unsent) status = dq_cache_unspend(ask->cache, ask->model, n.unsent, error);
    if (!status && (n.failed || n.lost || hits))
        status = dq_cache_count(ask->cache, ask->model, n.failed, n.lost, hits, error);
    for (size_t i = 0; !status && i < n.member_count; i++)
        status = dq_cache_remember(ask->cache, ask->about, n.members[i].name,
                                   n.members[i].taken == ASK_REFUSED ? "no" : "yes", error);
    return status;
}

/* ---- facts ---- */

/* What the cache remembers of a server that has the members of this form. */
static dq_status learn_members(dq_ask *ask, const dq_ask_form *form, dq_error *error)
{
    for (const dq_ask_member *m = form->extra; m && m->name; m++) {
        const char *value = NULL;
        dq_status status = dq_cache_fact(ask->cache, ask->about, m->name, &ask->arena, &value, error);
        if (status) return status;
        ask_member member = {.taken = ASK_UNKNOWN};
        if (value) member.taken = strcmp(value, "no") == 0 ? ASK_REFUSED : ASK_TAKEN;
        (void)snprintf(member.name, sizeof member.name, "%s", m->name);
        bool there = false;
        (void)pthread_mutex_lock(&ask->lock);
        for (size_t i = 0; i < ask->member_count; i++)
            there |= strcmp(ask->members[i].name, member.name) == 0;
        if (!there && ask->member_count < ASK_MEMBERS) ask->members[ask->member_count++] = member;
        (void)pthread_mutex_unlock(&ask->lock);
    }
    return DQ_OK;
}

dq_status ask_know_form(dq_ask *ask, const dq_ask_form *form, dq_error *error)
{
    for (size_t i = 0; i < ask->known_form_count; i++)
        if (ask->known_forms[i] == form) return DQ_OK;
    if (ask->known_form_count == ASK_FORMS) return DQ_OK;
    ask->known_forms[ask->known_form_count++] = form;
    return ask->reading ? DQ_OK : learn_members(ask, form, error);
}
