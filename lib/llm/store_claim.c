/* SPDX-License-Identifier: MIT */
#include "llm/store_impl.h"

#include <math.h>

enum { RENEW = DQ_CACHE_LEASE / 3 };

static const double look_again = 0.05; /* seconds before another process's question is looked at again */

static double now(const llm_store *s)
{
    return s->setup->client->now();
}

/* What an answer costs shows only when it is there: with such a budget nothing is claimed ahead. */
static bool pays_by_answer(const llm_store *s)
{
    return s->setup->options.max_tokens || s->setup->options.max_cost > 0;
}

static size_t batch_of(const llm_store *s)
{
    return s->form_count && s->forms[0]->batch ? s->forms[0]->batch : 1;
}

/* How many jobs are worth holding, claimed and not yet stored: what is in flight, and a stock for half a
 * second, since a claim costs the disk a few waits and the lock that all processes share. From a slow model
 * that is hardly any, so that others find questions to ask; a killed process leaves its stock behind. */
static size_t stock(const llm_store *s)
{
    double turns = s->latency > 0 ? 0.5 / s->latency : 1;
    turns = turns < 1 ? 1 : turns > 16 ? 16 : turns;
    return pays_by_answer(s) ? 0 : (size_t)((double)s->setup->options.parallel * turns) * batch_of(s);
}

static size_t max_held(const llm_store *s)
{
    size_t slots = (pays_by_answer(s) ? 1 : 2) * (size_t)s->setup->options.parallel;
    return slots * batch_of(s) + stock(s);
}

/* Claims come in groups: not before half of the stock is used. */
static bool may_claim(const llm_store *s)
{
    return !s->queue->stopping && !s->queue->spent && s->held + stock(s) / 2 < max_held(s);
}

/* Marks where requests begin: neighbours of one form share one, up to its batch. How many requests. */
static uint64_t make_batches(llm_job **jobs, size_t n)
{
    uint64_t requests = 0;
    llm_job *leader = NULL;
    for (size_t i = 0; i < n; i++) {
        bool joins = leader && leader->form == jobs[i]->form && leader->batch < leader->form->batch &&
                     leader->batch < LLM_BATCH;
        jobs[i]->batch = 0;
        if (joins) {
            leader->batch++;
        } else {
            leader = jobs[i];
            leader->batch = 1;
            requests++;
        }
    }
    return requests;
}

static dq_status note_refreshed(llm_store *s, const llm_job *job, dq_error *error)
{
    if (job->again != DQ_CACHE_ALWAYS) return DQ_OK;
    return dq_index_add(&s->refreshed, (const char *)job->key.digest, DQ_SHA256_BYTES, NULL, NULL, error);
}

/* The budget's word on the n jobs in `jobs`: those that it allows are granted, the claims of the rest end. */
static dq_status grant(llm_store *s, llm_job **jobs, size_t n, dq_error *error)
{
    uint64_t allowed = 0, wanted = make_batches(jobs, n), requests = 0;
    if (n == 0) return DQ_OK;
    dq_status spent = dq_llm_budget_spend(s->budget, s->cache, wanted, &allowed, error);
    if (spent && spent != DQ_ERR_STOPPED) return spent;
    for (size_t i = 0; i < n; i++) {
        requests += jobs[i]->batch > 0;
        if (requests > allowed) {
            dq_error none = DQ_ERROR_NONE;
            dq_status status = dq_cache_release(s->cache, &jobs[i]->key, 1, &none);
            if (status) return dq_fail(error, status, "%s", none.reason);
            dq_llm_list_push(&s->ready, jobs[i]);
        } else {
            s->held++;
            dq_llm_list_push(&s->granted, jobs[i]);
            dq_status status = note_refreshed(s, jobs[i], error);
            if (status) return status;
        }
    }
    return spent;
}

/* Claims a group of n jobs. */
static dq_status claim_group(llm_store *s, size_t n, dq_error *error)
{
    size_t mine = 0;
    dq_status status = dq_cache_claim(s->cache, s->keys, s->again, n, &s->arena, s->entries, s->states,
                                      error);
    for (size_t i = 0; !status && i < n; i++) {
        llm_job *job = s->jobs[i];
        if (s->states[i] == DQ_CACHE_HAVE) {
            status = dq_llm_store_take_entry(s, job, &s->entries[i], error);
        } else if (s->states[i] == DQ_CACHE_MINE) {
            s->jobs[mine++] = job;
        } else {
            job->parked = now(s) + look_again;
            dq_llm_list_push(&s->parked, job);
        }
    }
    if (!status) status = grant(s, s->jobs, mine, error);
    dq_arena_free(&s->arena);
    return status;
}

dq_status dq_llm_store_claim(llm_store *s, dq_error *error)
{
    dq_status status = DQ_OK;
    double at = now(s);
    while (s->parked.count && s->parked.first->parked <= at)
        dq_llm_list_push(&s->ready, dq_llm_list_pop(&s->parked));
    while (!status && s->ready.count && may_claim(s)) {
        size_t n = dq_llm_store_take(s, &s->ready, max_held(s) - s->held);
        status = claim_group(s, n, error);
    }
    if (status != DQ_ERR_STOPPED) return status;
    dq_llm_queue_stop_claims(s->queue, error);
    *error = DQ_ERROR_NONE;
    return DQ_OK;
}

dq_status dq_llm_store_renew(llm_store *s, dq_error *error)
{
    double at = now(s);
    if (s->held == 0 || at < s->renewed + RENEW) {
        if (s->held == 0) s->renewed = at;
        return DQ_OK;
    }
    s->renewed = at;
    return dq_cache_renew(s->cache, error);
}

double dq_llm_store_deadline(const llm_store *s)
{
    double at = s->held ? s->renewed + RENEW : (double)INFINITY;
    if (s->parked.count && may_claim(s)) at = fmin(at, s->parked.first->parked);
    return at;
}
