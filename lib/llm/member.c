/* SPDX-License-Identifier: MIT */
#include "llm/member.h"

#include <stdio.h>
#include <string.h>

typedef struct llm_member llm_member;

static const char left_out[] = "none"; /* what the cache remembers of a member that is not sent */

/* ---- a member ---- */

/* The variant that means left out: behind the last. One that is fixed has none, and ends at its last. */
static uint8_t end_of(const dq_ask_member *of)
{
    uint8_t n = 0;
    while (of->variants[n].name) n++;
    return n;
}

static bool can_step(const llm_member *m)
{
    uint8_t end = end_of(m->of);
    return m->of->fixed ? m->variant + 1 < end : m->variant < end;
}

/* With the lock. */
static llm_member *find_member(llm_members *members, const char *name)
{
    for (size_t i = 0; i < members->count; i++)
        if (strcmp(members->at[i].of->name, name) == 0) return &members->at[i];
    return NULL;
}

static bool applies(const dq_ask_member *of, const llm_job *job)
{
    if (of->doubted && job->bare && !of->fixed) return false;
    return !of->within || memmem(job->request, job->sent_bytes, of->within, strlen(of->within));
}

llm_sent dq_llm_members_choose(llm_members *members, const llm_job *job, bool *trying)
{
    llm_sent sent;
    const dq_ask_member *extra = job->form->extra;
    memset(sent.variant, LLM_NOT_SENT, sizeof sent.variant);
    *trying = false;
    dq_llm_lock(members->queue);
    for (size_t i = 0; extra && extra[i].name; i++) {
        const llm_member *m = applies(&extra[i], job) ? find_member(members, extra[i].name) : NULL;
        if (!m) continue;
        sent.variant[i] = m->variant;
        *trying |= !m->known;
    }
    dq_llm_unlock(members->queue);
    return sent;
}

void dq_llm_members_taken(llm_members *members, const dq_ask_form *form, const llm_sent *sent)
{
    dq_llm_lock(members->queue);
    bool all = members->refusals && members->suspect == DQ_ASK_MEMBERS; /* which of them is not known */
    for (size_t i = 0; form->extra && form->extra[i].name; i++) {
        llm_member *m = sent->variant[i] != LLM_NOT_SENT ? find_member(members, form->extra[i].name) : NULL;
        if (!m || m->known || m->variant != sent->variant[i]) continue;
        m->known = true;
        m->unsaved = !m->of->fixed && !all;
        members->refusals = 0;
    }
    dq_llm_unlock(members->queue);
}

/* ---- a search, with the lock ---- */

typedef struct search {
    llm_members *members;
    const dq_ask_form *form;
    const llm_sent *sent;
} search;

/* The member of the form that the request was sent with, and that can be sent otherwise; or NULL. */
static llm_member *sent_member(const search *s, size_t i)
{
    if (s->sent->variant[i] == LLM_NOT_SENT) return NULL;
    return find_member(s->members, s->form->extra[i].name);
}

/* The member that the words name, among those that the request carried, or was written without; or NULL. */
static llm_member *named_member(const search *s, const char *words, bool carried)
{
    for (size_t i = 0; s->form->extra && s->form->extra[i].name; i++) {
        llm_member *m = sent_member(s, i);
        if (m && (s->sent->variant[i] < end_of(m->of)) == carried && dq_llm_words_hold(words, m->of->words))
            return m;
    }
    return NULL;
}

static void step(llm_members *members, llm_member *m, const char *words)
{
    bool same = strcmp(members->words, words) == 0;
    m->known = false;
    m->variant = same && !m->of->fixed ? end_of(m->of) : (uint8_t)(m->variant + 1);
    (void)snprintf(members->words, sizeof members->words, "%s", words);
}

static void begin_search(llm_members *members)
{
    members->suspect = 0;
    members->words[0] = '\1'; /* no refusal's words */
    members->words[1] = '\0';
    for (size_t i = 0; i < members->count; i++) members->at[i].before = members->at[i].variant;
}

/* All is as it was before the search. */
static bool end_search(llm_members *members)
{
    for (size_t i = 0; members->refusals && i < members->count; i++)
        if (!members->at[i].known) members->at[i].variant = members->at[i].before;
    members->refusals = 0;
    return false;
}

/* The next to suspect of those that are not known, by the order of the form; after the last all together.
 * False: there is none left. */
static bool suspect_next(const search *s, const char *words)
{
    llm_members *members = s->members;
    size_t sent = 0;
    for (size_t i = 0; s->form->extra && s->form->extra[i].name; i++) {
        llm_member *m = sent_member(s, i);
        if (!m || m->known) continue;
        sent++;
        if (i < members->suspect) continue;
        members->suspect = i;
        if (can_step(m)) {
            step(members, m, words);
            return true;
        }
        m->variant = m->before;
        members->suspect = i + 1;
        members->words[0] = '\1'; /* another member's words */
    }
    if (sent < 2 || members->suspect == DQ_ASK_MEMBERS) return false;
    members->suspect = DQ_ASK_MEMBERS;
    for (size_t i = 0; s->form->extra[i].name; i++) {
        llm_member *m = sent_member(s, i);
        if (m && !m->known && !m->of->fixed) m->variant = end_of(m->of);
    }
    return true;
}

/* Whether the server's mind has been learnt since the request was written. */
static bool outdated(const search *s)
{
    for (size_t i = 0; s->form->extra && s->form->extra[i].name; i++) {
        const llm_member *m = sent_member(s, i);
        if (m && m->variant != s->sent->variant[i]) return true;
    }
    return false;
}

static bool refused(const search *s, long code, const char *words)
{
    bool of_asker = code < 400 || code == 401 || code == 402 || code == 408 || code == 429;
    bool unnamed_code = code == 400 || code == 422 || code == 500 || code == 501;
    llm_members *members = s->members;
    if (of_asker) return end_search(members);
    if (outdated(s)) return true;
    if (!members->refusals) begin_search(members);
    if (++members->refusals > LLM_REFUSALS) return end_search(members);
    llm_member *named = named_member(s, words, true);
    if (named && !can_step(named)) return end_search(members);
    if (named) {
        step(members, named, words);
        named->before = named->variant;
        return true;
    }
    bool about_us = unnamed_code && !dq_llm_words_are_foreign(words) &&
                    !named_member(s, words, false); /* which is no longer there to be refused */
    return about_us && suspect_next(s, words) ? true : end_search(members);
}

bool dq_llm_members_refused(llm_members *members, const dq_ask_form *form, const llm_sent *sent, long code,
                            const char *body, size_t bytes)
{
    char words[LLM_WORDS];
    if (!form->extra) return false;
    dq_llm_refusal_words(body, bytes, words);
    dq_llm_lock(members->queue);
    bool again = refused(&(search){members, form, sent}, code, words);
    dq_llm_unlock(members->queue);
    return again;
}

bool dq_llm_members_missed(const llm_job *job, const llm_sent *sent, const char *body, size_t bytes)
{
    char words[LLM_WORDS];
    const dq_ask_member *extra = job->form->extra;
    bool doubted = false;
    for (size_t i = 0; extra && extra[i].name; i++)
        doubted |= extra[i].doubted && !extra[i].fixed && sent->variant[i] < end_of(&extra[i]);
    if (!doubted || job->bare) return false;
    dq_llm_refusal_words(body, bytes, words);
    return dq_llm_words_are_of_answer(words);
}

bool dq_llm_members_blamed(llm_members *members, const dq_ask_form *form, const llm_sent *sent, long code,
                           const char *body, size_t bytes, bool twice)
{
    char words[LLM_WORDS];
    if (!form->extra || (code < 500 && code != 409)) return false;
    dq_llm_refusal_words(body, bytes, words);
    dq_llm_lock(members->queue);
    bool blamed = twice && (code == 500 || code == 501) && !dq_llm_words_are_foreign(words);
    blamed |= named_member(&(search){members, form, sent}, words, true) != NULL;
    dq_llm_unlock(members->queue);
    return blamed;
}

/* ---- the cache ---- */

/* What is remembered counts, unless it is a variant that nobody knows. */
static void add_member(llm_members *members, const dq_ask_member *of, const char *remembered)
{
    llm_member m = {.of = of};
    uint8_t end = end_of(of);
    if (remembered && strcmp(remembered, left_out) == 0) {
        m.variant = end;
        m.known = true;
    }
    for (uint8_t i = 0; remembered && i < end; i++)
        if (strcmp(of->variants[i].name, remembered) == 0) {
            m.variant = i;
            m.known = true;
        }
    dq_llm_lock(members->queue);
    if (!find_member(members, of->name) && members->count < DQ_ASK_MEMBERS) members->at[members->count++] = m;
    dq_llm_unlock(members->queue);
}

dq_status dq_llm_members_learn(llm_members *members, const llm_setup *setup, const dq_ask_form *form,
                               dq_cache *cache, dq_arena *arena, dq_error *error)
{
    dq_status status = DQ_OK;
    for (const dq_ask_member *m = form->extra; !status && m && m->name; m++) {
        const char *value = NULL;
        if (!m->fixed) status = dq_cache_fact(cache, setup->subject, m->name, arena, &value, error);
        if (!status) add_member(members, m, value);
    }
    return status;
}

void dq_llm_members_read(llm_members *members, const llm_job *job)
{
    const dq_ask_member *extra = job->form->extra;
    dq_llm_lock(members->queue);
    for (size_t i = 0; extra && extra[i].name; i++) {
        llm_member *m = extra[i].doubted && !extra[i].fixed ? find_member(members, extra[i].name) : NULL;
        if (!m || !m->known || m->variant == end_of(m->of)) continue;
        m->missed = job->bare ? m->missed + 1 : 0;
        if (m->missed < LLM_MISSED) continue;
        m->variant = end_of(m->of);
        m->unsaved = true;
    }
    dq_llm_unlock(members->queue);
}

dq_status dq_llm_members_save(llm_members *members, const llm_setup *setup, dq_cache *cache, dq_error *error)
{
    const char *names[DQ_ASK_MEMBERS], *values[DQ_ASK_MEMBERS];
    size_t n = 0;
    dq_status status = DQ_OK;
    dq_llm_lock(members->queue);
    for (size_t i = 0; i < members->count; i++) {
        llm_member *m = &members->at[i];
        if (!m->unsaved) continue;
        const char *variant = m->of->variants[m->variant].name;
        names[n] = m->of->name;
        values[n++] = variant ? variant : left_out;
        m->unsaved = false;
    }
    dq_llm_unlock(members->queue);
    for (size_t i = 0; !status && i < n; i++)
        status = dq_cache_remember(cache, setup->subject, names[i], values[i], error);
    return status;
}
