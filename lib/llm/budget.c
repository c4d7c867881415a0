/* SPDX-License-Identifier: MIT */
#include "llm/budget.h"

static bool limited(const dq_ask_options *o)
{
    return o->max_requests || o->max_tokens || o->max_cost > 0;
}

/* ---- the caller's thread ---- */

/* The store's word is waited for; the store itself waits for nobody. */
dq_status dq_llm_budget_attempt(llm_budget *b, dq_error *error)
{
    llm_queue *queue = b->queue;
    dq_llm_lock(queue);
    bool wait = limited(&b->setup->options), allowed = !wait || !queue->spent;
    b->further += allowed;
    if (wait && allowed) {
        b->permission = LLM_UNDECIDED;
        (void)pthread_cond_signal(&queue->to_store);
        while (b->permission == LLM_UNDECIDED) (void)pthread_cond_wait(&queue->from_store, &queue->lock);
        allowed = b->permission == LLM_GRANTED;
    }
    dq_llm_unlock(queue);
    return allowed ? DQ_OK : dq_fail(error, DQ_ERR_STOPPED, "not sent");
}

void dq_llm_budget_note_failure(llm_budget *b, bool answered)
{
    dq_llm_lock(b->queue);
    b->failed += answered;
    b->lost += !answered;
    dq_llm_unlock(b->queue);
}

void dq_llm_budget_note_unsent(llm_budget *b, uint64_t requests)
{
    dq_llm_lock(b->queue);
    b->unsent += requests;
    dq_llm_unlock(b->queue);
}

/* ---- the store's thread ---- */

bool dq_llm_budget_waits(const llm_budget *b)
{
    return b->further > 0;
}

dq_status dq_llm_budget_spend(llm_budget *b, dq_cache *cache, uint64_t n, uint64_t *granted, dq_error *error)
{
    const dq_ask_options *o = &b->setup->options;
    dq_cache_budget limits = {o->max_requests, o->max_tokens, o->max_cost};
    return dq_cache_spend(cache, b->setup->model, limited(o) ? &limits : NULL, n, granted, error);
}

/* Decides on the attempt that waits. */
static dq_status spend_further(llm_budget *b, dq_cache *cache, uint64_t n, dq_error *error)
{
    uint64_t granted = 0;
    dq_status status = dq_llm_budget_spend(b, cache, n, &granted, error);
    if (status == DQ_ERR_STOPPED) {
        dq_llm_queue_stop_claims(b->queue, error);
        *error = DQ_ERROR_NONE;
        status = DQ_OK;
    }
    dq_llm_lock(b->queue);
    b->permission = granted == n ? LLM_GRANTED : LLM_DENIED;
    (void)pthread_cond_signal(&b->queue->from_store);
    dq_llm_unlock(b->queue);
    return status;
}

dq_status dq_llm_budget_save(llm_budget *b, dq_cache *cache, uint64_t hits, dq_error *error)
{
    dq_status status = DQ_OK;
    dq_llm_lock(b->queue);
    llm_budget notes = *b;
    b->failed = b->lost = b->further = b->unsent = 0;
    dq_llm_unlock(b->queue);
    if (notes.further) status = spend_further(b, cache, notes.further, error);
    if (!status && notes.unsent) status = dq_cache_unspend(cache, b->setup->model, notes.unsent, error);
    if (!status && (notes.failed || notes.lost || hits))
        status = dq_cache_count(cache, b->setup->model, notes.failed, notes.lost, hits, error);
    return status;
}
