/* SPDX-License-Identifier: MIT */
#include "llm/store_impl.h"

#include <string.h>

bool dq_llm_store_asks_again(const llm_store *s, llm_job *job)
{
    if (s->setup->reading) return false;
    job->bare = job->asked % 2 == 1; /* with and without, in turn */
    if (job->asked < 2) {
        job->again = 2;
        return true;
    }
    if (!s->setup->options.retry_unreadable || job->retried || !job->hit) return false;
    job->retried = true;
    job->again = job->asked + 1;
    return true;
}

dq_status dq_llm_store_take_entry(llm_store *s, llm_job *job, const dq_cache_entry *entry, dq_error *error)
{
    const char *label = entry->label;
    job->hit = true;
    job->asked = entry->asked;
    if (entry->reader != job->form->reader)
        label = job->form->read(job->form, entry->answer, entry->answer_bytes, &s->arena);
    if (!label && s->arena.failed) return dq_fail_memory(error, "answers");
    if (!label && dq_llm_store_asks_again(s, job)) {
        job->hit = false;
        dq_llm_list_push(&s->ready, job);
        return DQ_OK;
    }
    if ((label && !dq_llm_keep_text(&job->label, label, strlen(label))) ||
        (entry->answer && !dq_llm_keep_text(&job->answer, entry->answer, entry->answer_bytes)))
        return dq_fail_memory(error, "answers");
    job->answer_bytes = entry->answer ? entry->answer_bytes : 0;
    job->measured = entry->tokens_in > 0 ? (uint64_t)entry->tokens_in : 0;
    s->hits++;
    dq_llm_list_push(&s->done, job);
    return DQ_OK;
}

/* --refresh asks a question again, but only once, however many pairs share it. */
static bool is_fresh(const llm_job *job, const dq_index *refreshed)
{
    return job->again == DQ_CACHE_ALWAYS &&
           dq_index_find(refreshed, (const char *)job->key.digest, DQ_SHA256_BYTES) != DQ_ABSENT;
}

size_t dq_llm_store_take(llm_store *s, llm_list *from, size_t n)
{
    size_t count = 0;
    while (count < n && count < LLM_GROUP && from->count) {
        llm_job *job = dq_llm_list_pop(from);
        if (is_fresh(job, &s->refreshed)) job->again = 0;
        s->jobs[count] = job;
        s->again[count] = job->again;
        s->keys[count++] = job->key;
    }
    return count;
}

/* What the cache knows of the members of a form that is new. */
static dq_status know_form(llm_store *s, const dq_ask_form *form, dq_error *error)
{
    for (size_t i = 0; i < s->form_count; i++)
        if (s->forms[i] == form) return DQ_OK;
    if (s->form_count == LLM_FORMS) return DQ_OK;
    s->forms[s->form_count++] = form;
    if (s->setup->reading) return DQ_OK;
    return dq_llm_members_learn(s->members, s->setup, form, s->cache, &s->arena, error);
}

static void miss(llm_store *s, llm_job *job)
{
    if (!s->setup->reading) {
        dq_llm_list_push(&s->ready, job);
        return;
    }
    job->status = DQ_ERR_UNKNOWN;
    dq_llm_list_push(&s->done, job);
}

/* Entries that another reader judged are read once more, whole. */
static dq_status fetch_whole(llm_store *s, size_t n, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < n; i++)
        if (s->states[i] == DQ_CACHE_HAVE && !s->entries[i].answer &&
            s->entries[i].reader != s->jobs[i]->form->reader)
            status = dq_cache_find(s->cache, &s->keys[i], 1, true, &s->arena, &s->entries[i], &s->states[i],
                                   error);
    return status;
}

static dq_status look_up_group(llm_store *s, size_t n, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; i < n; i++) s->states[i] = DQ_CACHE_NONE;
    if (s->cache && !s->setup->options.refresh)
        status = dq_cache_find(s->cache, s->keys, n, s->setup->whole, &s->arena, s->entries, s->states,
                               error);
    if (!status) status = fetch_whole(s, n, error);
    for (size_t i = 0; !status && i < n; i++)
        if (s->states[i] == DQ_CACHE_HAVE)
            status = dq_llm_store_take_entry(s, s->jobs[i], &s->entries[i], error);
        else
            miss(s, s->jobs[i]);
    dq_arena_free(&s->arena);
    return status;
}

dq_status dq_llm_store_find(llm_store *s, dq_error *error)
{
    dq_status status = DQ_OK;
    while (!status && s->fresh.count && !s->queue->stopping) {
        size_t n = dq_llm_store_take(s, &s->fresh, LLM_GROUP);
        for (size_t i = 0; !status && i < n; i++) status = know_form(s, s->jobs[i]->form, error);
        if (!status) status = look_up_group(s, n, error);
    }
    return status;
}
