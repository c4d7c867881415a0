/* SPDX-License-Identifier: MIT
 *
 * The desk: the one thread that touches the cache. Each turn it stores what was answered, looks up what is
 * new, claims as much of the rest as the connections can use soon, and keeps its claims alive; everything in
 * groups, a transaction each, since with synchronous=FULL a transaction costs the disk a wait or two.
 */
#include "llm/ask_impl.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RENEW = DQ_CACHE_LEASE / 3 };
#define LOOK_AGAIN 0.05 /* seconds before another process's question is looked at again */

/* A turn's work, and what it came to. */
typedef struct turn {
    dq_ask *ask;
    ask_list fresh, answered, granted, done;
    dq_cache_key keys[ASK_GROUP];
    int again[ASK_GROUP];
    dq_cache_entry entries[ASK_GROUP];
    dq_cache_state states[ASK_GROUP];
    ask_job *jobs[ASK_GROUP];
} turn;

/* ---- what is there ---- */

/* Whether an unreadable answer is worth another call: once, and once more with --retry-unreadable. */
static bool to_be_repeated(const dq_ask *ask, ask_job *job)
{
    if (ask->reading) return false;
    if (job->asked < 2) {
        job->again = 2;
        return true;
    }
    if (!ask->options.retry_unreadable || job->retried || !job->hit) return false;
    job->retried = true;
    job->again = job->asked + 1;
    return true;
}

static bool keep_text(char **to, const char *text, size_t bytes)
{
    free(*to);
    *to = malloc(bytes + 1);
    if (!*to) return false;
    memcpy(*to, text, bytes);
    (*to)[bytes] = '\0';
    return true;
}

/* What is kept ends a job, or sends it on to be asked again. */
static dq_status take_entry(turn *t, ask_job *job, const dq_cache_entry *entry, dq_error *error)
{
    dq_ask *ask = t->ask;
    const char *label = entry->label;
    job->hit = true;
    job->asked = entry->asked;
    if (entry->reader != job->form->reader)
        label = job->form->read(job->form, entry->answer, entry->answer_bytes, &ask->arena);
    if (!label && to_be_repeated(ask, job)) {
        job->hit = false;
        ask_list_push(&ask->ready, job);
        return DQ_OK;
    }
    if ((label && !keep_text(&job->label, label, strlen(label))) ||
        (entry->answer && !keep_text(&job->answer, entry->answer, entry->answer_bytes)))
        return dq_fail(error, DQ_ERR_MEMORY, "out of memory for answers");
    job->answer_bytes = entry->answer ? entry->answer_bytes : 0;
    job->measured = entry->tokens_in > 0 ? (uint64_t)entry->tokens_in : 0;
    ask->hits++;
    ask_list_push(&t->done, job);
    return DQ_OK;
}

/* --refresh asks a question again, but only once, however many pairs share it. */
static bool is_fresh(const ask_job *job, const dq_index *refreshed)
{
    return job->again == DQ_CACHE_ALWAYS &&
           dq_index_find(refreshed, (const char *)job->key.digest, DQ_SHA256_BYTES) != DQ_ABSENT;
}

/* Takes up to n jobs of a list into the turn's arrays; how many. */
static size_t take_group(turn *t, ask_list *from, size_t n)
{
    size_t count = 0;
    while (count < n && count < ASK_GROUP && from->count) {
        ask_job *job = ask_list_pop(from);
        if (is_fresh(job, &t->ask->refreshed)) job->again = 0;
        t->jobs[count] = job;
        t->again[count] = job->again;
        t->keys[count++] = job->key;
    }
    return count;
}

static void miss(turn *t, ask_job *job)
{
    if (!t->ask->reading) {
        ask_list_push(&t->ask->ready, job);
        return;
    }
    job->status = DQ_ERR_UNKNOWN;
    ask_list_push(&t->done, job);
}

/* Entries that another reader judged are read once more, whole. */
static dq_status fetch_whole(turn *t, size_t n, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < n; i++)
        if (t->states[i] == DQ_CACHE_HAVE && !t->entries[i].answer &&
            t->entries[i].reader != t->jobs[i]->form->reader)
            status = dq_cache_find(t->ask->cache, &t->keys[i], 1, true, &t->ask->arena, &t->entries[i],
                                   &t->states[i], error);
    return status;
}

static dq_status look_up_group(turn *t, size_t n, dq_error *error)
{
    dq_ask *ask = t->ask;
    dq_status status = DQ_OK;
    for (size_t i = 0; i < n; i++) t->states[i] = DQ_CACHE_NONE;
    if (ask->cache && !ask->options.refresh)
        status = dq_cache_find(ask->cache, t->keys, n, ask->whole, &ask->arena, t->entries, t->states, error);
    if (!status) status = fetch_whole(t, n, error);
    for (size_t i = 0; !status && i < n; i++)
        if (t->states[i] == DQ_CACHE_HAVE)
            status = take_entry(t, t->jobs[i], &t->entries[i], error);
        else
            miss(t, t->jobs[i]);
    dq_arena_free(&ask->arena);
    return status;
}

static dq_status look_up(turn *t, dq_error *error)
{
    dq_status status = DQ_OK;
    while (!status && t->fresh.count && !t->ask->stopping) {
        size_t n = take_group(t, &t->fresh, ASK_GROUP);
        for (size_t i = 0; !status && i < n; i++) status = ask_know_form(t->ask, t->jobs[i]->form, error);
        if (!status) status = look_up_group(t, n, error);
    }
    return status;
}

/* ---- what is ours to ask ---- */

/* What an answer costs shows only when it is there: with such a budget nothing is claimed ahead. */
static bool pays_by_answer(const dq_ask *ask)
{
    return ask->options.max_tokens || ask->options.max_cost > 0;
}

static size_t batch_of(const dq_ask *ask)
{
    return ask->known_form_count && ask->known_forms[0]->batch ? ask->known_forms[0]->batch : 1;
}

/* How many jobs are worth holding, claimed and not yet stored: what is in flight, and a stock for half a
 * second, since a claim costs the disk a few waits and the lock that all processes share. From a slow model
 * that is hardly any, so that others find questions to ask; a killed process leaves its stock behind. */
static size_t stock(const dq_ask *ask)
{
    double turns = ask->latency > 0 ? 0.5 / ask->latency : 1;
    turns = turns < 1 ? 1 : turns > 16 ? 16 : turns;
    return pays_by_answer(ask) ? 0 : (size_t)((double)ask->options.parallel * turns) * batch_of(ask);
}

static size_t most_held(const dq_ask *ask)
{
    size_t slots = (pays_by_answer(ask) ? 1 : 2) * (size_t)ask->options.parallel;
    return slots * batch_of(ask) + stock(ask);
}

/* Claims come in groups: not before half of the stock is used. */
static bool may_claim(const dq_ask *ask)
{
    return !ask->stopping && !ask->spent && ask->held + stock(ask) / 2 < most_held(ask);
}

/* Marks where requests begin: neighbours of one form share one, up to its batch. How many requests. */
static uint64_t make_batches(ask_job **jobs, size_t n)
{
    uint64_t requests = 0;
    ask_job *leader = NULL;
    for (size_t i = 0; i < n; i++) {
        bool joins = leader && leader->form == jobs[i]->form && leader->carry < leader->form->batch &&
                     leader->carry < ASK_BATCH;
        jobs[i]->carry = 0;
        if (joins) {
            leader->carry++;
        } else {
            leader = jobs[i];
            leader->carry = 1;
            requests++;
        }
    }
    return requests;
}

static dq_status note_refreshed(dq_ask *ask, const ask_job *job, dq_error *error)
{
    if (job->again != DQ_CACHE_ALWAYS) return DQ_OK;
    return dq_index_add(&ask->refreshed, (const char *)job->key.digest, DQ_SHA256_BYTES, NULL, NULL, error);
}

/* The budget's word on the n jobs in `jobs`: those that it allows are granted, the claims of the rest end. */
static dq_status grant(turn *t, ask_job **jobs, size_t n, dq_error *error)
{
    dq_ask *ask = t->ask;
    uint64_t allowed = 0, wanted = make_batches(jobs, n), requests = 0;
    if (n == 0) return DQ_OK;
    dq_status spent = ask_spend(ask, wanted, &allowed, error);
    if (spent && spent != DQ_ERR_STOPPED) return spent;
    for (size_t i = 0; i < n; i++) {
        requests += jobs[i]->carry > 0;
        if (requests > allowed) {
            dq_error none = DQ_ERROR_NONE;
            dq_status status = dq_cache_release(ask->cache, &jobs[i]->key, 1, &none);
            if (status) return dq_fail(error, status, "%s", none.reason);
            ask_list_push(&ask->ready, jobs[i]);
        } else {
            ask->held++;
            ask_list_push(&t->granted, jobs[i]);
            dq_status status = note_refreshed(ask, jobs[i], error);
            if (status) return status;
        }
    }
    return spent;
}

/* Claims a group of n jobs. */
static dq_status claim_group(turn *t, size_t n, dq_error *error)
{
    dq_ask *ask = t->ask;
    size_t mine = 0;
    dq_status status = dq_cache_claim(ask->cache, t->keys, t->again, n, &ask->arena, t->entries, t->states,
                                      error);
    for (size_t i = 0; !status && i < n; i++) {
        ask_job *job = t->jobs[i];
        if (t->states[i] == DQ_CACHE_HAVE) {
            status = take_entry(t, job, &t->entries[i], error);
        } else if (t->states[i] == DQ_CACHE_MINE) {
            t->jobs[mine++] = job;
        } else {
            job->parked = ask_now() + LOOK_AGAIN;
            ask_list_push(&ask->parked, job);
        }
    }
    if (!status) status = grant(t, t->jobs, mine, error);
    dq_arena_free(&ask->arena);
    return status;
}

static dq_status claim(turn *t, dq_error *error)
{
    dq_ask *ask = t->ask;
    dq_status status = DQ_OK;
    double now = ask_now();
    while (ask->parked.count && ask->parked.first->parked <= now)
        ask_list_push(&ask->ready, ask_list_pop(&ask->parked));
    while (!status && ask->ready.count && may_claim(ask)) {
        size_t n = take_group(t, &ask->ready, most_held(ask) - ask->held);
        status = claim_group(t, n, error);
    }
    return status == DQ_ERR_STOPPED ? ask_spend_no_more(ask, error) : status;
}

/* ---- what was answered ---- */

static int64_t tokens_in_usage(const dq_value *body, const char *name)
{
    return dq_value_integer(dq_map_get(dq_map_get(body, "usage"), name), -1);
}

/* What the server counted. An answer that is no JSON says nothing. */
static void count_tokens(dq_ask *ask, ask_job *job)
{
    dq_value body;
    dq_error e = DQ_ERROR_NONE;
    if (job->tokens_in >= 0 || dq_json_parse(job->answer, job->answer_bytes, &ask->arena, &body, &e)) return;
    job->tokens_in = tokens_in_usage(&body, "prompt_tokens");
    job->tokens_out = tokens_in_usage(&body, "completion_tokens");
}

/* As priced; where the server did not count, by the estimate. */
static double cost_of(const dq_ask *ask, const ask_job *job)
{
    uint64_t in = job->tokens_in >= 0 ? (uint64_t)job->tokens_in : ask_tokens_of(job->sent_bytes);
    uint64_t out = job->tokens_out >= 0 ? (uint64_t)job->tokens_out : job->form->tokens_out;
    return (double)in * ask->price_in + (double)out * ask->price_out;
}

static dq_cache_entry entry_of(dq_ask *ask, ask_job *job)
{
    count_tokens(ask, job);
    const char *label = job->form->read(job->form, job->answer, job->answer_bytes, &ask->arena);
    bool anew = job->again == DQ_CACHE_ALWAYS;
    job->asked = anew ? 1 : job->asked + 1;
    return (dq_cache_entry){.key = job->key,
                            .model = ask->model,
                            .request = job->request,
                            .request_bytes = job->bytes,
                            .answer = job->answer,
                            .answer_bytes = job->answer_bytes,
                            .label = label,
                            .reader = job->form->reader,
                            .tokens_in = job->tokens_in,
                            .tokens_out = job->tokens_out,
                            .seconds = job->seconds,
                            .cost = cost_of(ask, job),
                            .server = ask->server,
                            .time = (int64_t)time(NULL),
                            .asked = job->asked,
                            .shared = job->form->join && !job->carry};
}

/* A stored answer ends its job, or sends it round once more. */
static dq_status after_store(turn *t, ask_job *job, const char *label, dq_error *error)
{
    job->hit = false;
    if (!label && to_be_repeated(t->ask, job)) {
        ask_list_push(&t->ask->ready, job);
        return DQ_OK;
    }
    if (label && !keep_text(&job->label, label, strlen(label)))
        return dq_fail(error, DQ_ERR_MEMORY, "out of memory for answers");
    ask_list_push(&t->done, job);
    return DQ_OK;
}

/* Answers are stored, and claims without an answer released. */
static dq_status store_group(turn *t, size_t n, dq_error *error)
{
    dq_ask *ask = t->ask;
    size_t answers = 0, failures = 0;
    ask_job *failed[ASK_GROUP];
    for (size_t i = 0; i < n; i++) {
        if (t->jobs[i]->status) {
            t->keys[failures] = t->jobs[i]->key;
            failed[failures++] = t->jobs[i];
        } else {
            double seconds = t->jobs[i]->seconds;
            ask->latency = ask->latency > 0 ? 0.9 * ask->latency + 0.1 * seconds : seconds;
            t->entries[answers] = entry_of(ask, t->jobs[i]);
            t->jobs[answers++] = t->jobs[i];
        }
    }
    dq_status status = DQ_OK;
    if (answers) status = dq_cache_store(ask->cache, t->entries, answers, error);
    if (!status && failures) status = dq_cache_release(ask->cache, t->keys, failures, error);
    ask->held -= n;
    (void)pthread_mutex_lock(&ask->lock);
    ask->unstored -= n;
    (void)pthread_mutex_unlock(&ask->lock);
    for (size_t i = 0; !status && i < answers; i++)
        status = after_store(t, t->jobs[i], t->entries[i].label, error);
    for (size_t i = 0; i < failures; i++) ask_list_push(&t->done, failed[i]);
    dq_arena_free(&ask->arena);
    return status;
}

static dq_status store(turn *t, dq_error *error)
{
    dq_status status = DQ_OK;
    while (!status && t->answered.count) {
        size_t n = take_group(t, &t->answered, ASK_GROUP);
        status = store_group(t, n, error);
    }
    return status;
}

/* ---- leases ---- */

static dq_status keep_claims(dq_ask *ask, dq_error *error)
{
    double now = ask_now();
    if (ask->held == 0 || now < ask->renewed + RENEW) {
        if (ask->held == 0) ask->renewed = now;
        return DQ_OK;
    }
    ask->renewed = now;
    return dq_cache_renew(ask->cache, error);
}

/* ---- turns ---- */

/* When the desk must look up by itself, by the monotonic clock; -1: never. */
static double next_deadline(const dq_ask *ask)
{
    double at = -1;
    if (ask->held) at = ask->renewed + RENEW;
    if (ask->parked.count && may_claim(ask) && (at < 0 || ask->parked.first->parked < at))
        at = ask->parked.first->parked;
    return at;
}

static struct timespec timespec_of(double seconds)
{
    struct timespec at = {.tv_sec = (time_t)seconds};
    at.tv_nsec = (long)((seconds - (double)at.tv_sec) * 1e9);
    return at;
}

/* Waits for work, under the lock. */
static void wait_for_work(dq_ask *ask)
{
    double at = next_deadline(ask);
    struct timespec until = timespec_of(at);
    ask->desk_idle = true;
    (void)pthread_cond_signal(&ask->from_desk);
    while (!ask->fresh.count && !ask->answered.count && !ask->further && !ask->closing) {
        if (at < 0)
            (void)pthread_cond_wait(&ask->to_desk, &ask->lock);
        else if (pthread_cond_timedwait(&ask->to_desk, &ask->lock, &until) != 0)
            break;
    }
    ask->desk_idle = false;
}

/* False when it is time to go. */
static bool begin_turn(turn *t)
{
    dq_ask *ask = t->ask;
    (void)pthread_mutex_lock(&ask->lock);
    wait_for_work(ask);
    ask_list_move(&t->fresh, &ask->fresh);
    ask_list_move(&t->answered, &ask->answered);
    bool go_on = !ask->closing || t->answered.count;
    (void)pthread_mutex_unlock(&ask->lock);
    return go_on;
}

static void end_turn(turn *t)
{
    dq_ask *ask = t->ask;
    (void)pthread_mutex_lock(&ask->lock);
    ask_list_move(&ask->granted, &t->granted);
    ask_list_move(&ask->done, &t->done);
    (void)pthread_cond_signal(&ask->from_desk);
    (void)pthread_mutex_unlock(&ask->lock);
    if (ask->http) dq_http_wake(ask->http);
}

/* A failure: what the turn still had in its hands is given back without an answer. */
static void give_up(turn *t, const dq_error *why)
{
    ask_stop(t->ask, why);
    ask_list_move(&t->done, &t->fresh);
    ask_list_move(&t->done, &t->answered);
}

static void *work(void *arg)
{
    turn *t = arg;
    dq_ask *ask = t->ask;
    while (begin_turn(t)) {
        dq_error e = DQ_ERROR_NONE;
        dq_status status = ask_keep_notes(ask, 0, &e);
        if (!status) status = store(t, &e);
        if (!status) status = look_up(t, &e);
        if (!status && !ask->reading) status = claim(t, &e);
        if (!status && !ask->reading) status = keep_claims(ask, &e);
        if (status) give_up(t, &e);
        end_turn(t);
    }
    ask_list_move(&ask->ready, &t->fresh);
    free(t);
    return NULL;
}

dq_status ask_desk_start(dq_ask *ask, dq_error *error)
{
    turn *t = calloc(1, sizeof *t);
    sigset_t signals, before;
    if (!t) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for questions");
    t->ask = ask;
    (void)sigfillset(&signals); /* signals are the caller's thread's */
    (void)pthread_sigmask(SIG_SETMASK, &signals, &before);
    ask->renewed = ask_now();
    int failed = pthread_create(&ask->desk, NULL, work, t);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    ask->desk_runs = failed == 0;
    if (!failed) return DQ_OK;
    free(t);
    return dq_fail_errno(error, failed, "cannot start a thread");
}

bool ask_desk_end(dq_ask *ask)
{
    if (!ask->desk_runs) return false;
    (void)pthread_mutex_lock(&ask->lock);
    ask->closing = true;
    (void)pthread_cond_signal(&ask->to_desk);
    (void)pthread_mutex_unlock(&ask->lock);
    (void)pthread_join(ask->desk, NULL);
    ask->desk_runs = false;
    return true;
}
