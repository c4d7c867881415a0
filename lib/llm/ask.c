/* SPDX-License-Identifier: MIT */
#include "llm/ask.h"

#include "core/array.h"
#include "core/index.h"
#include "llm/price.h"
#include "llm/send.h"
#include "llm/store.h"
#include "port/http/reason.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WINDOW = 2048, /* questions that may be open, unless the caller says otherwise */
    REASON = 250   /* bytes of why it stopped */
};

/* All but the first four is the caller's thread's alone. */
struct dq_ask {
    llm_setup setup;
    llm_queue queue;
    llm_budget budget;
    llm_members members;
    llm_store *store;
    llm_sender *sender;          /* NULL when reading */
    size_t window, open;         /* questions that may be open, and are */
    llm_list fresh, done, spare; /* not yet put; not yet given; to be used again */
    llm_job *all, *given;        /* all that were made; whose texts the last reply points at */
    bool watched;                /* the caller knows that questions are open */
    bool broken;                 /* the client failed */
    dq_ask_stats stats;
    uint64_t measured_bytes, measured_tokens; /* over hits, for a dry run */
    dq_index counted;                         /* keys that a dry run has counted */
    size_t joined;                            /* questions in its last request so far, below the batch */
};

/* ---- stopping ---- */

/* Where nobody is asked nothing can be lost, and no stop is watched for. */
static void tell_open(dq_ask *ask, bool open)
{
    if (ask->watched == open || ask->setup.reading) return;
    ask->watched = open;
    if (ask->setup.options.stop.watch) ask->setup.options.stop.watch(open);
}

static void heed_stop(dq_ask *ask)
{
    if (ask->queue.stopping || ask->setup.reading || !ask->setup.options.stop.asked ||
        !ask->setup.options.stop.asked())
        return;
    dq_error why = DQ_ERROR_NONE;
    (void)dq_fail(&why, DQ_ERR_STOPPED, "interrupted");
    dq_llm_queue_stop(&ask->queue, &why);
}

/* Nothing is in flight, and the store has stored what came. */
static bool all_stored(dq_ask *ask)
{
    return dq_llm_queue_idle(&ask->queue, false) && (!dq_llm_sender_in_flight(ask->sender) || ask->broken);
}

/* The budget is spent, and all that it allowed has been answered, stored and given. */
static bool budget_used(dq_ask *ask)
{
    return ask->queue.spent && !ask->done.count && dq_llm_sender_idle(ask->sender) &&
           dq_llm_queue_idle(&ask->queue, true);
}

static int end_of_asking(dq_ask *ask, dq_error *error)
{
    dq_error *why = &ask->queue.reason;
    tell_open(ask, false);
    if (why->status == DQ_ERR_STOPPED)
        dq_http_shorten(why->reason, REASON); /* how to go on stands behind it */
    if (why->status == DQ_ERR_STOPPED)
        (void)dq_fail(error, DQ_ERR_STOPPED,
                      "%s; the answers so far are kept in %s: the same command%s goes on", why->reason,
                      ask->setup.options.cache,
                      ask->queue.spent && !ask->queue.stopping ? " with a greater budget" : "");
    else
        *error = *why;
    return -1;
}

/* ---- questions ---- */

size_t dq_ask_room(const dq_ask *ask)
{
    return ask->window > ask->open ? ask->window - ask->open : 0;
}

static llm_job *new_job(dq_ask *ask, size_t bytes)
{
    llm_job *job = dq_llm_list_pop(&ask->spare);
    if (!job) {
        job = calloc(1, sizeof *job);
        if (!job) return NULL;
        job->made = ask->all;
        ask->all = job;
    }
    return dq_array_reserve(&job->request, &job->capacity, bytes, 1) ? job : NULL;
}

/* A job that has been used, but for the memory that it keeps. */
static void clear_job(llm_job *job)
{
    free(job->label);
    free(job->answer);
    free(job->reason);
    *job = (llm_job){.made = job->made, .request = job->request, .capacity = job->capacity};
}

dq_status dq_ask_put(dq_ask *ask, const dq_question *q, dq_error *error)
{
    char sample[32];
    int n = snprintf(sample, sizeof sample, ",\"sample\":%u}", q->sample);
    llm_job *job = new_job(ask, q->bytes + (size_t)n);
    if (!job) return dq_fail_memory(error, "questions");
    memcpy(job->request, q->request, q->bytes);
    job->sent_bytes = q->bytes - 1; /* the brace goes behind the sample */
    memcpy(job->request + job->sent_bytes, sample, (size_t)n);
    job->bytes = job->sent_bytes + (size_t)n;
    dq_sha256(job->request, job->bytes, job->key.digest);
    job->form = q->form;
    job->tag = q->tag;
    job->sample = q->sample;
    job->maybe = q->maybe;
    job->again = ask->setup.options.refresh ? DQ_CACHE_ALWAYS : 0;
    job->tokens_in = job->tokens_out = -1;
    if (ask->open++ == 0) tell_open(ask, true);
    ask->stats.questions++;
    dq_llm_list_push(&ask->fresh, job);
    if (ask->fresh.count == LLM_GROUP / 4) dq_llm_queue_put(&ask->queue, &ask->fresh);
    return DQ_OK;
}

/* ---- replies ---- */

/* Whether this question was counted before: equal ones are asked once. */
static bool is_counted(dq_ask *ask, const llm_job *job)
{
    bool added = true;
    dq_error none = DQ_ERROR_NONE;
    (void)dq_index_add(&ask->counted, (const char *)job->key.digest, DQ_SHA256_BYTES, NULL, &added, &none);
    return !added;
}

/* Requests that one more question makes: none where it joins others, as neighbours of one form do. */
static uint64_t further_requests(dq_ask *ask, const dq_ask_form *form)
{
    if (!form->batch) return 1;
    uint64_t further = ask->joined == 0;
    ask->joined = (ask->joined + 1) % form->batch;
    return further;
}

/* What a question that the cache lacks would take. */
static void estimate(dq_ask *ask, const llm_job *job)
{
    dq_ask_stats *t = &ask->stats;
    uint64_t in = dq_llm_tokens(job->sent_bytes), out = job->form->tokens_out;
    if (is_counted(ask, job)) return;
    uint64_t requests = further_requests(ask, job->form);
    t->dry_questions++;
    t->dry_requests += job->maybe ? 0 : requests;
    t->dry_maybe += job->maybe ? requests : 0;
    t->dry_tokens_in += job->maybe ? 0 : in;
    t->dry_tokens_out += job->maybe ? 0 : out;
    t->dry_maybe_in += job->maybe ? in : 0;
    t->dry_maybe_out += job->maybe ? out : 0;
}

static void give(dq_ask *ask, llm_job *job, dq_reply *reply)
{
    *reply = (dq_reply){.tag = job->tag,
                        .status = job->status,
                        .reason = job->reason,
                        .label = job->label,
                        .answer = job->answer,
                        .bytes = job->answer_bytes,
                        .hit = job->hit};
    ask->given = job;
    ask->open--;
    ask->stats.hits += job->hit;
    ask->stats.missing += job->status == DQ_ERR_UNKNOWN;
    ask->stats.unreadable += !job->status && !job->label;
    if (job->status == DQ_ERR_UNKNOWN && ask->setup.options.dry_run) estimate(ask, job);
    if (job->hit && job->measured) {
        ask->measured_bytes += job->bytes;
        ask->measured_tokens += job->measured;
        ask->stats.tokens_per_byte = (double)ask->measured_tokens / (double)ask->measured_bytes;
    }
}

/* One turn of waiting: by the connections while some are open, else by the store. */
static dq_status wait_a_turn(dq_ask *ask, dq_error *error)
{
    bool granted = dq_llm_queue_take(&ask->queue, &ask->done);
    bool ready = ask->done.count && !ask->queue.stopping; /* after a stop no reply is given any more */
    if (ready && !ask->sender) return DQ_OK;
    if (!ask->broken && ask->sender && (granted || dq_llm_sender_busy(ask->sender)))
        return dq_llm_sender_run(ask->sender, ready ? 0 : 1, error);
    if (!ready) dq_llm_queue_wait(&ask->queue);
    return DQ_OK;
}

int dq_ask_next(dq_ask *ask, dq_reply *reply, dq_error *error)
{
    if (ask->given) {
        clear_job(ask->given);
        dq_llm_list_push(&ask->spare, ask->given);
        ask->given = NULL;
    }
    dq_llm_queue_put(&ask->queue, &ask->fresh);
    while (ask->open) {
        dq_error e = DQ_ERROR_NONE;
        heed_stop(ask);
        if ((ask->queue.stopping && all_stored(ask)) || budget_used(ask)) return end_of_asking(ask, error);
        if (!ask->queue.stopping && ask->done.count) {
            give(ask, dq_llm_list_pop(&ask->done), reply);
            return 1;
        }
        if (wait_a_turn(ask, &e)) {
            dq_llm_queue_stop(&ask->queue, &e);
            ask->broken = true;
        }
    }
    tell_open(ask, false);
    ask->joined = 0;
    return 0;
}

/* ---- life ---- */

const dq_ask_stats *dq_ask_stats_of(const dq_ask *ask)
{
    return &ask->stats;
}

static dq_status open_parts(dq_ask *ask, dq_error *error)
{
    dq_status status = DQ_OK;
    ask->budget = (llm_budget){.setup = &ask->setup, .queue = &ask->queue};
    ask->members = (llm_members){.queue = &ask->queue};
    dq_llm_queue_init(&ask->queue);
    if (!ask->setup.reading)
        status = dq_llm_sender_open(&ask->sender, &ask->setup, &ask->queue, &ask->budget, &ask->members,
                                    &ask->stats, error);
    if (status) return status;
    status = dq_llm_store_open(&ask->store, &ask->setup, &ask->queue, &ask->budget, &ask->members,
                               ask->sender, error);
    if (!status) ask->stats.mended = dq_llm_store_mended(ask->store);
    return status;
}

dq_status dq_ask_open(dq_ask **out, const dq_ask_config *config, dq_error *error)
{
    dq_ask *ask = calloc(1, sizeof *ask);
    *out = NULL;
    if (!ask) return dq_fail_memory(error, "questions");
    const dq_ask_options *o = config->options;
    ask->setup = (llm_setup){.options = *o,
                             .model = config->model,
                             .client = config->client ? config->client : &dq_ask_http,
                             .whole = config->whole || o->dry_run, /* it measures tokens by bytes */
                             .go_on = config->go_on,
                             .reading = o->cache_only || o->dry_run};
    if (o->price) (void)dq_ask_parse_price(o->price, &ask->setup.price_in, &ask->setup.price_out);
    ask->window = config->window ? config->window : WINDOW;
    dq_status status = open_parts(ask, error);
    if (status) {
        (void)dq_ask_close(ask, status, NULL);
        return status;
    }
    *out = ask;
    return DQ_OK;
}

static void free_jobs(llm_job *all)
{
    for (llm_job *job = all, *next; job; job = next) {
        next = job->made;
        clear_job(job);
        free(job->request);
        free(job);
    }
}

dq_status dq_ask_close(dq_ask *ask, dq_status status, dq_error *error)
{
    dq_error e = DQ_ERROR_NONE;
    if (!ask) return status;
    tell_open(ask, false);
    ask->queue.stopping = true;
    dq_llm_store_end(ask->store);
    dq_llm_sender_give_up(ask->sender); /* now that nothing more is granted */
    dq_status ended = dq_llm_store_close(ask->store, &e);
    dq_llm_sender_close(ask->sender);
    dq_llm_queue_destroy(&ask->queue);
    free_jobs(ask->all);
    dq_index_free(&ask->counted);
    free(ask);
    if (!status && ended && error) *error = e;
    return status ? status : ended;
}
