/* SPDX-License-Identifier: MIT */
#include "llm/ask_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- lists ---- */

void ask_list_push(ask_list *list, ask_job *job)
{
    job->next = NULL;
    if (list->last)
        list->last->next = job;
    else
        list->first = job;
    list->last = job;
    list->count++;
}

ask_job *ask_list_pop(ask_list *list)
{
    ask_job *job = list->first;
    if (!job) return NULL;
    list->first = job->next;
    if (!list->first) list->last = NULL;
    list->count--;
    return job;
}

void ask_list_move(ask_list *to, ask_list *from)
{
    if (!from->count) return;
    if (to->last)
        to->last->next = from->first;
    else
        to->first = from->first;
    to->last = from->last;
    to->count += from->count;
    *from = (ask_list){0};
}

double ask_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- stopping ---- */

void ask_stop(dq_ask *ask, const dq_error *why)
{
    (void)pthread_mutex_lock(&ask->lock);
    if (!ask->stopping) ask->trouble = *why;
    ask->stopping = true;
    (void)pthread_mutex_unlock(&ask->lock);
}

/* Where nobody is asked nothing can be lost, and no stop is watched for. */
static void tell_open(dq_ask *ask, bool open)
{
    if (ask->watched == open || ask->reading) return;
    ask->watched = open;
    if (ask->options.stop.watch) ask->options.stop.watch(open);
}

static void heed_stop(dq_ask *ask)
{
    if (ask->stopping || ask->reading || !ask->options.stop.asked || !ask->options.stop.asked()) return;
    dq_error why = DQ_ERROR_NONE;
    (void)dq_fail(&why, DQ_ERR_STOPPED, "interrupted");
    ask_stop(ask, &why);
}

/* Nothing is in flight, and the desk has stored what came. */
static bool settled(dq_ask *ask)
{
    (void)pthread_mutex_lock(&ask->lock);
    bool idle = ask->desk_idle && !ask->answered.count;
    (void)pthread_mutex_unlock(&ask->lock);
    return idle && (ask->in_flight == 0 || ask->broken);
}

/* The budget is spent and all that it allowed has been answered, stored and given. */
static bool used_up(dq_ask *ask)
{
    if (!ask->spent || ask->done_here.count || ask->in_flight || ask->waiting.count) return false;
    (void)pthread_mutex_lock(&ask->lock);
    bool nothing = ask->desk_idle && !ask->answered.count && !ask->fresh.count && !ask->granted.count &&
                   !ask->done.count;
    (void)pthread_mutex_unlock(&ask->lock);
    return nothing;
}

static int end_of_asking(dq_ask *ask, dq_error *error)
{
    const dq_error *why = &ask->trouble;
    tell_open(ask, false);
    if (why->status == DQ_ERR_STOPPED)
        (void)dq_fail(error, DQ_ERR_STOPPED,
                      "%s; the answers so far are kept in %s: the same command%s goes on", why->reason,
                      ask->options.cache, ask->spent && !ask->stopping ? " with a greater budget" : "");
    else
        *error = *why;
    return -1;
}

/* ---- questions ---- */

size_t dq_ask_room(const dq_ask *ask)
{
    return ask->window > ask->open ? ask->window - ask->open : 0;
}

static ask_job *new_job(dq_ask *ask, size_t bytes)
{
    ask_job *job = ask_list_pop(&ask->spare);
    if (!job) {
        job = calloc(1, sizeof *job);
        if (!job) return NULL;
        job->made = ask->all;
        ask->all = job;
    }
    if (job->capacity < bytes) {
        char *grown = realloc(job->request, 2 * bytes);
        if (!grown) return NULL;
        job->request = grown;
        job->capacity = 2 * bytes;
    }
    return job;
}

/* A job that has been used, but for the memory that it keeps. */
static void clear_job(ask_job *job)
{
    free(job->label);
    free(job->answer);
    *job = (ask_job){.made = job->made, .request = job->request, .capacity = job->capacity};
}

static void flush_questions(dq_ask *ask)
{
    if (!ask->fresh_here.count) return;
    (void)pthread_mutex_lock(&ask->lock);
    ask_list_move(&ask->fresh, &ask->fresh_here);
    (void)pthread_cond_signal(&ask->to_desk);
    (void)pthread_mutex_unlock(&ask->lock);
}

dq_status dq_ask_put(dq_ask *ask, const dq_question *q, dq_error *error)
{
    char sample[32];
    int n = snprintf(sample, sizeof sample, ",\"sample\":%u}", q->sample);
    ask_job *job = new_job(ask, q->bytes + (size_t)n);
    if (!job) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for questions");
    memcpy(job->request, q->request, q->bytes);
    job->sent_bytes = q->bytes - 1; /* the brace goes behind the sample */
    memcpy(job->request + job->sent_bytes, sample, (size_t)n);
    job->bytes = job->sent_bytes + (size_t)n;
    dq_sha256(job->request, job->bytes, job->key.digest);
    job->form = q->form;
    job->tag = q->tag;
    job->maybe = q->maybe;
    job->again = ask->options.refresh ? DQ_CACHE_ALWAYS : 0;
    job->tokens_in = job->tokens_out = -1;
    if (ask->open++ == 0) tell_open(ask, true);
    ask->tally.questions++;
    ask_list_push(&ask->fresh_here, job);
    if (ask->fresh_here.count == ASK_GROUP / 4) flush_questions(ask);
    return DQ_OK;
}

/* ---- replies ---- */

static void foresee(dq_ask *ask, const ask_job *job)
{
    dq_ask_tally *t = &ask->tally;
    uint64_t in = ask_tokens_of(job->sent_bytes), out = job->form->tokens_out;
    t->dry_requests += !job->maybe;
    t->dry_maybe += job->maybe;
    t->dry_tokens_in += job->maybe ? 0 : in;
    t->dry_tokens_out += job->maybe ? 0 : out;
    t->dry_maybe_in += job->maybe ? in : 0;
    t->dry_maybe_out += job->maybe ? out : 0;
}

static void give(dq_ask *ask, ask_job *job, dq_reply *reply)
{
    *reply = (dq_reply){.tag = job->tag,
                        .status = job->status,
                        .label = job->label,
                        .answer = job->answer,
                        .bytes = job->answer_bytes,
                        .hit = job->hit};
    ask->given = job;
    ask->open--;
    ask->tally.hits += job->hit;
    ask->tally.missing += job->status == DQ_ERR_UNKNOWN;
    ask->tally.unreadable += !job->status && !job->label;
    if (job->status == DQ_ERR_UNKNOWN) foresee(ask, job);
    if (job->hit && job->measured) {
        ask->measured_bytes += job->bytes;
        ask->measured_tokens += job->measured;
        ask->tally.tokens_per_byte = (double)ask->measured_tokens / (double)ask->measured_bytes;
    }
}

/* Waits until the desk has something for us, or a tenth of a second, so that a stop is heeded. */
static void wait_for_desk(dq_ask *ask)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += 100000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    (void)pthread_mutex_lock(&ask->lock);
    if (!ask->done.count && !ask->granted.count && !ask->stopping)
        (void)pthread_cond_timedwait(&ask->from_desk, &ask->lock, &until);
    else if (ask->stopping && !ask->desk_idle)
        (void)pthread_cond_timedwait(&ask->from_desk, &ask->lock, &until);
    (void)pthread_mutex_unlock(&ask->lock);
}

static bool take_done(dq_ask *ask)
{
    (void)pthread_mutex_lock(&ask->lock);
    ask_list_move(&ask->done_here, &ask->done);
    bool granted = ask->granted.count > 0;
    (void)pthread_mutex_unlock(&ask->lock);
    return granted;
}

/* One turn of waiting: by the connections while some are open, else by the desk. */
static dq_status wait_a_turn(dq_ask *ask, dq_error *error)
{
    bool granted = take_done(ask);
    if (ask->done_here.count && !ask->http) return DQ_OK;
    bool sends = granted || ask->in_flight || (ask->waiting.count && !ask_waits_for_desk(ask));
    if (ask->http && !ask->broken && sends) return ask_send(ask, ask->done_here.count ? 0 : 1, error);
    if (!ask->done_here.count) wait_for_desk(ask);
    return DQ_OK;
}

int dq_ask_next(dq_ask *ask, dq_reply *reply, dq_error *error)
{
    if (ask->given) {
        clear_job(ask->given);
        ask_list_push(&ask->spare, ask->given);
        ask->given = NULL;
    }
    flush_questions(ask);
    while (ask->open) {
        dq_error e = DQ_ERROR_NONE;
        heed_stop(ask);
        if ((ask->stopping && settled(ask)) || used_up(ask)) return end_of_asking(ask, error);
        if (!ask->stopping && ask->done_here.count) {
            give(ask, ask_list_pop(&ask->done_here), reply);
            return 1;
        }
        if (wait_a_turn(ask, &e)) {
            ask_stop(ask, &e);
            ask->broken = true;
        }
    }
    tell_open(ask, false);
    return 0;
}

/* ---- life ---- */

const dq_ask_tally *dq_ask_told(const dq_ask *ask)
{
    return &ask->tally;
}

/* cache_only reads a cache that must be there; a dry run reads what there is. */
static dq_status open_cache(dq_ask *ask, dq_error *error)
{
    const char *path = ask->options.cache;
    if (!path || (ask->options.dry_run && access(path, F_OK) != 0)) return DQ_OK;
    return dq_cache_open(&ask->cache, path, ask->reading, error);
}

static dq_status open_parts(dq_ask *ask, dq_error *error)
{
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&ask->lock, NULL);
    (void)pthread_cond_init(&ask->to_desk, &attributes);
    (void)pthread_cond_init(&ask->from_desk, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    dq_status status = ask->reading ? DQ_OK : ask_sender_open(ask, error);
    if (!status) status = open_cache(ask, error);
    return status ? status : ask_desk_start(ask, error);
}

dq_status dq_ask_open(dq_ask **out, const dq_ask_config *config, dq_error *error)
{
    dq_ask *ask = calloc(1, sizeof *ask);
    *out = NULL;
    if (!ask) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for questions");
    ask->options = *config->options;
    ask->model = config->model;
    ask->go_on = config->go_on;
    ask->window = config->window ? config->window : ASK_WINDOW;
    ask->whole = config->whole || ask->options.dry_run; /* which measures tokens by the bytes of questions */
    ask->reading = ask->options.cache_only || ask->options.dry_run;
    ask->trouble = DQ_ERROR_NONE;
    if (ask->options.price) (void)dq_ask_parse_price(ask->options.price, &ask->price_in, &ask->price_out);
    dq_status status = open_parts(ask, error);
    if (status) {
        (void)dq_ask_close(ask, status, NULL);
        return status;
    }
    *out = ask;
    return DQ_OK;
}

/* Requests that were granted and never went out. */
static void count_unsent(dq_ask *ask)
{
    (void)pthread_mutex_lock(&ask->lock);
    ask_list_move(&ask->waiting, &ask->granted);
    for (const ask_job *job = ask->waiting.first; job; job = job->next) ask->unsent += job->carry > 0;
    (void)pthread_mutex_unlock(&ask->lock);
}

dq_status dq_ask_close(dq_ask *ask, dq_status status, dq_error *error)
{
    if (!ask) return status;
    tell_open(ask, false);
    ask->stopping = true;
    dq_status ended = DQ_OK;
    if (ask_desk_end(ask)) {
        count_unsent(ask); /* now that nothing more is granted */
        ended = ask_keep_notes(ask, ask->hits, status ? NULL : error);
    }
    ask_sender_close(ask);
    if (!status) status = ended;
    dq_cache_close(ask->cache);
    (void)pthread_mutex_destroy(&ask->lock);
    (void)pthread_cond_destroy(&ask->to_desk);
    (void)pthread_cond_destroy(&ask->from_desk);
    for (ask_job *job = ask->all, *next; job; job = next) {
        next = job->made;
        clear_job(job);
        free(job->request);
        free(job);
    }
    dq_index_free(&ask->refreshed);
    dq_arena_free(&ask->arena);
    free(ask);
    return status;
}
