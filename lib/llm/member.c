/* SPDX-License-Identifier: MIT */
#include "llm/member.h"

#include <stdio.h>
#include <string.h>

/* With the lock. */
static struct llm_member *find_member(llm_members *members, const char *name)
{
    for (size_t i = 0; i < members->count; i++)
        if (strcmp(members->at[i].name, name) == 0) return &members->at[i];
    return NULL;
}

unsigned dq_llm_members_to_send(llm_members *members, const dq_ask_form *form, bool *trying)
{
    unsigned send = 0;
    *trying = false;
    dq_llm_lock(members->queue);
    for (size_t i = 0; form->extra && form->extra[i].name; i++) {
        const struct llm_member *m = find_member(members, form->extra[i].name);
        if (m && m->support == LLM_REFUSED) continue;
        send |= 1u << i;
        *trying |= m && m->support == LLM_UNKNOWN;
    }
    dq_llm_unlock(members->queue);
    return send;
}

void dq_llm_members_taken(llm_members *members, const dq_ask_form *form, unsigned sent)
{
    dq_llm_lock(members->queue);
    for (size_t i = 0; form->extra && form->extra[i].name; i++) {
        struct llm_member *m = sent & 1u << i ? find_member(members, form->extra[i].name) : NULL;
        if (!m || m->support != LLM_UNKNOWN) continue;
        m->support = LLM_TAKEN;
        m->unsaved = true;
    }
    dq_llm_unlock(members->queue);
}

bool dq_llm_members_refused(llm_members *members, const dq_ask_form *form, unsigned sent,
                            const dq_http_answer *answer)
{
    bool refused = false;
    if ((answer->code != 400 && answer->code != 422) || !answer->body) return false;
    dq_llm_lock(members->queue);
    for (size_t i = 0; form->extra && form->extra[i].name; i++) {
        if (!(sent & 1u << i) || !strstr(answer->body, form->extra[i].name)) continue;
        struct llm_member *m = find_member(members, form->extra[i].name);
        if (!m) continue;
        m->support = LLM_REFUSED;
        m->unsaved = refused = true;
    }
    dq_llm_unlock(members->queue);
    return refused;
}

static void add_member(llm_members *members, const char *name, const char *remembered)
{
    struct llm_member member = {.support = LLM_UNKNOWN};
    if (remembered) member.support = strcmp(remembered, "no") == 0 ? LLM_REFUSED : LLM_TAKEN;
    (void)snprintf(member.name, sizeof member.name, "%s", name);
    dq_llm_lock(members->queue);
    if (!find_member(members, member.name) && members->count < LLM_MEMBERS)
        members->at[members->count++] = member;
    dq_llm_unlock(members->queue);
}

dq_status dq_llm_members_learn(llm_members *members, const llm_setup *setup, const dq_ask_form *form,
                               dq_cache *cache, dq_arena *arena, dq_error *error)
{
    dq_status status = DQ_OK;
    for (const dq_ask_member *m = form->extra; !status && m && m->name; m++) {
        const char *value = NULL;
        status = dq_cache_fact(cache, setup->subject, m->name, arena, &value, error);
        if (!status) add_member(members, m->name, value);
    }
    return status;
}

dq_status dq_llm_members_save(llm_members *members, const llm_setup *setup, dq_cache *cache, dq_error *error)
{
    struct llm_member found[LLM_MEMBERS];
    size_t n = 0;
    dq_status status = DQ_OK;
    dq_llm_lock(members->queue);
    for (size_t i = 0; i < members->count; i++) {
        if (members->at[i].unsaved) found[n++] = members->at[i];
        members->at[i].unsaved = false;
    }
    dq_llm_unlock(members->queue);
    for (size_t i = 0; !status && i < n; i++)
        status = dq_cache_remember(cache, setup->subject, found[i].name,
                                   found[i].support == LLM_REFUSED ? "no" : "yes", error);
    return status;
}
