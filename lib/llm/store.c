/* SPDX-License-Identifier: MIT */
#include "llm/store_impl.h"

#include "llm/price.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- what was answered ---- */

/* -1: the server does not say. What no text has counts as the most, so that sums do not overflow. */
static int64_t tokens_in_usage(const dq_value *body, const char *name)
{
    int64_t tokens = dq_value_integer(dq_map_get(dq_map_get(body, "usage"), name), -1);
    if (tokens < 0) return -1;
    return tokens < DQ_CACHE_TOKENS_MOST ? tokens : DQ_CACHE_TOKENS_MOST;
}

/* What the server counted. An answer that is no JSON says nothing. */
static void count_tokens(llm_store *s, llm_job *job)
{
    dq_value body;
    dq_error e = DQ_ERROR_NONE;
    if (job->tokens_in >= 0 || dq_json_parse(job->answer, job->answer_bytes, &s->arena, &body, &e)) return;
    job->tokens_in = tokens_in_usage(&body, "prompt_tokens");
    job->tokens_out = tokens_in_usage(&body, "completion_tokens");
}

/* As priced; where the server did not count, by the estimate. */
static double cost_of(const llm_store *s, const llm_job *job)
{
    uint64_t in = job->tokens_in >= 0 ? (uint64_t)job->tokens_in : dq_llm_tokens(job->sent_bytes);
    uint64_t out = job->tokens_out >= 0 ? (uint64_t)job->tokens_out : job->form->tokens_out;
    return (double)in * s->setup->price_in + (double)out * s->setup->price_out;
}

/* What there was no memory to read is paid for all the same: it is kept for the next run to read. */
static dq_cache_entry entry_of(llm_store *s, llm_job *job)
{
    count_tokens(s, job);
    const char *label = job->form->read(job->form, job->answer, job->answer_bytes, &s->arena);
    bool anew = job->again == DQ_CACHE_ALWAYS;
    job->asked = anew ? 1 : job->asked + 1;
    return (dq_cache_entry){.key = job->key,
                            .model = s->setup->model,
                            .request = job->request,
                            .request_bytes = job->bytes,
                            .answer = job->answer,
                            .answer_bytes = job->answer_bytes,
                            .label = s->arena.failed ? NULL : label,
                            .reader = s->arena.failed ? DQ_CACHE_UNREAD : job->form->reader,
                            .tokens_in = job->tokens_in,
                            .tokens_out = job->tokens_out,
                            .seconds = job->seconds,
                            .cost = cost_of(s, job),
                            .server = s->setup->server,
                            .time = (int64_t)time(NULL),
                            .asked = job->asked,
                            .shared = job->form->join && !job->batch};
}

/* Asked again before all others: what comes of it may spare them a second call (dq_llm_members_read). */
static void ask_again_first(llm_store *s, llm_job *job)
{
    llm_list first = {0};
    dq_llm_list_push(&first, job);
    dq_llm_list_move(&first, &s->ready);
    s->ready = first;
}

/* A stored answer ends its job, or sends it round once more. */
static dq_status after_store(llm_store *s, llm_job *job, const char *label, dq_error *error)
{
    job->hit = false;
    if (!label && dq_llm_store_asks_again(s, job)) {
        ask_again_first(s, job);
        return DQ_OK;
    }
    if (label) dq_llm_members_read(s->members, job);
    if (label && !dq_llm_keep_text(&job->label, label, strlen(label)))
        return dq_fail_memory(error, "answers");
    dq_llm_list_push(&s->done, job);
    return DQ_OK;
}

/* Answers are stored, and claims without an answer released. */
static dq_status store_group(llm_store *s, size_t n, dq_error *error)
{
    size_t answers = 0, failures = 0;
    llm_job *failed[LLM_GROUP];
    for (size_t i = 0; i < n; i++) {
        if (s->jobs[i]->status) {
            s->keys[failures] = s->jobs[i]->key;
            failed[failures++] = s->jobs[i];
        } else {
            double seconds = s->jobs[i]->seconds;
            s->latency = s->latency > 0 ? 0.9 * s->latency + 0.1 * seconds : seconds;
            s->entries[answers] = entry_of(s, s->jobs[i]);
            s->jobs[answers++] = s->jobs[i];
        }
    }
    dq_status status = DQ_OK;
    if (answers) status = dq_cache_store(s->cache, s->entries, answers, error);
    if (!status && failures) status = dq_cache_release(s->cache, s->keys, failures, error);
    if (!status && s->arena.failed) status = dq_fail_memory(error, "answers");
    s->held -= n;
    dq_llm_lock(s->queue);
    s->queue->unstored -= n;
    dq_llm_unlock(s->queue);
    for (size_t i = 0; !status && i < answers; i++)
        status = after_store(s, s->jobs[i], s->entries[i].label, error);
    for (size_t i = 0; i < failures; i++) dq_llm_list_push(&s->done, failed[i]);
    dq_arena_free(&s->arena);
    return status;
}

static dq_status store(llm_store *s, dq_error *error)
{
    dq_status status = DQ_OK;
    while (!status && s->answered.count) {
        size_t n = dq_llm_store_take(s, &s->answered, LLM_GROUP);
        status = store_group(s, n, error);
    }
    return status;
}

/* ---- turns ---- */

/* Waits for work, under the lock. */
static void wait_for_work(llm_store *s)
{
    llm_queue *queue = s->queue;
    double at = dq_llm_store_deadline(s);
    queue->idle = true;
    (void)pthread_cond_signal(&queue->from_store);
    while (!queue->fresh.count && !queue->answered.count && !dq_llm_budget_waits(s->budget) &&
           !queue->closing)
        if (!dq_llm_queue_wait_for(queue, at - s->setup->client->now())) break;
    queue->idle = false;
}

/* False when it is time to go. */
static bool begin_turn(llm_store *s)
{
    llm_queue *queue = s->queue;
    dq_llm_lock(queue);
    wait_for_work(s);
    dq_llm_list_move(&s->fresh, &queue->fresh);
    dq_llm_list_move(&s->answered, &queue->answered);
    bool go_on = !queue->closing || s->answered.count;
    dq_llm_unlock(queue);
    return go_on;
}

static void end_turn(llm_store *s)
{
    llm_queue *queue = s->queue;
    dq_llm_lock(queue);
    dq_llm_list_move(&queue->granted, &s->granted);
    dq_llm_list_move(&queue->done, &s->done);
    (void)pthread_cond_signal(&queue->from_store);
    dq_llm_unlock(queue);
    dq_llm_sender_wake(s->sender);
}

/* A failure: what the turn still had in its hands is given back without an answer. */
static void give_up(llm_store *s, const dq_error *why)
{
    dq_llm_queue_stop(s->queue, why);
    dq_llm_list_move(&s->done, &s->fresh);
    dq_llm_list_move(&s->done, &s->answered);
}

/* What the cache does not know yet of requests, hits and members. */
static dq_status save_notes(llm_store *s, uint64_t hits, dq_error *error)
{
    if (s->setup->reading) return DQ_OK;
    dq_status status = dq_llm_budget_save(s->budget, s->cache, hits, error);
    return status ? status : dq_llm_members_save(s->members, s->setup, s->cache, error);
}

static void *work(void *arg)
{
    llm_store *s = arg;
    while (begin_turn(s)) {
        dq_error e = DQ_ERROR_NONE;
        dq_status status = save_notes(s, 0, &e);
        if (!status) status = store(s, &e);
        if (!status) status = dq_llm_store_find(s, &e);
        if (!status && !s->setup->reading) status = dq_llm_store_claim(s, &e);
        if (!status && !s->setup->reading) status = dq_llm_store_renew(s, &e);
        if (status) give_up(s, &e);
        end_turn(s);
    }
    return NULL;
}

/* ---- life ---- */

/* Signals are the caller's thread's. */
static dq_status start_thread(llm_store *s, dq_error *error)
{
    sigset_t signals, before;
    (void)sigfillset(&signals);
    (void)pthread_sigmask(SIG_SETMASK, &signals, &before);
    int failed = pthread_create(&s->thread, NULL, work, s);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    s->runs = failed == 0;
    return failed ? dq_fail_errno(error, failed, "cannot start a thread") : DQ_OK;
}

static dq_status open_cache(llm_store *s, dq_error *error)
{
    const char *path = s->setup->options.cache;
    bool dry = s->setup->options.dry_run, address = path && dq_cache_is_address(path);
    if (!path || (dry && !address && access(path, F_OK) != 0 && errno == ENOENT)) return DQ_OK;
    dq_error none = *error;
    dq_status status = dq_cache_open(&s->cache, path, s->setup->reading, error);
    if (!dry || status != DQ_ERR_UNKNOWN) return status;
    *error = none; /* a server's database to which nobody has written */
    return DQ_OK;
}

static void free_store(llm_store *s)
{
    dq_cache_close(s->cache);
    dq_index_free(&s->refreshed);
    dq_arena_free(&s->arena);
    free(s);
}

dq_status dq_llm_store_open(llm_store **out, const llm_setup *setup, llm_queue *queue, llm_budget *budget,
                            llm_members *members, llm_sender *sender, dq_error *error)
{
    llm_store *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s) return dq_fail_memory(error, "questions");
    s->setup = setup;
    s->queue = queue;
    s->budget = budget;
    s->members = members;
    s->sender = sender;
    s->renewed = setup->client->now();
    dq_status status = open_cache(s, error);
    if (!status) status = start_thread(s, error);
    if (status)
        free_store(s);
    else
        *out = s;
    return status;
}

uint64_t dq_llm_store_mended(const llm_store *s)
{
    return dq_cache_mended(s->cache);
}

void dq_llm_store_end(llm_store *s)
{
    if (!s || !s->runs) return;
    dq_llm_lock(s->queue);
    s->queue->closing = true;
    (void)pthread_cond_signal(&s->queue->to_store);
    dq_llm_unlock(s->queue);
    (void)pthread_join(s->thread, NULL);
    s->runs = false;
}

dq_status dq_llm_store_close(llm_store *s, dq_error *error)
{
    if (!s) return DQ_OK;
    dq_llm_store_end(s);
    dq_status status = save_notes(s, s->hits, error);
    free_store(s);
    return status;
}
