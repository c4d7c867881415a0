/* SPDX-License-Identifier: MIT
 *
 * Adding to the ledger, inside a transaction of whoever adds. Book-keeping never refuses an answer: what a
 * server says is brought into range here, and sums stop at their greatest value (sql.c).
 */
#include "port/cache/impl.h"

#include <math.h>

int64_t dq_cache_tokens(int64_t tokens)
{
    return tokens < DQ_CACHE_TOKENS_MOST ? tokens : DQ_CACHE_TOKENS_MOST;
}

double dq_cache_amount(double amount)
{
    return amount > 0 ? fmin(amount, 1e300) : 0;
}

dq_status dq_cache_add(dq_cache *cache, const char *model, const cache_count *n, dq_error *error)
{
    int64_t outcomes = n->answered + n->failed + n->lost;
    dq_status status = dq_cache_run(cache, SQL_COUNT, error, "tiiiiiiiirr", model, n->calls, n->answered,
                                    n->failed, n->lost, n->unreadable, n->hits, n->tokens_in, n->tokens_out,
                                    n->cost, n->seconds);
    if (!status && outcomes && cache->owner)
        status = dq_cache_run(cache, SQL_FLIGHT_LESS, error, "iti", cache->owner, model, outcomes);
    return status;
}

dq_status dq_cache_add_hits(dq_cache *cache, dq_error *error)
{
    if (!cache->hits) return DQ_OK;
    return dq_cache_add(cache, cache->hits_model, &(cache_count){.hits = (int64_t)cache->hits}, error);
}
