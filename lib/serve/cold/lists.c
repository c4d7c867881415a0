/* SPDX-License-Identifier: MIT
 *
 * Lists of what was learnt.
 */
#include "serve/cold/cold_impl.h"

#include "core/topk.h"
#include "learn/bandit/bandit.h"
#include "rank/explore.h"

#include <math.h>
#include <stdlib.h>

/* The k best of the items on offer by these values, in order; DQ_ERR_NUMERIC where one is no number. */
static dq_status choose(const dq_serve_cold *c, const uint32_t *offer, size_t n, const float *values,
                        dq_topk *topk, dq_scored *best, size_t *count, dq_error *error)
{
    const dq_entities *items = &c->config.catalogue->items;
    const dq_scored *kept;
    size_t bytes;
    dq_topk_clear(topk);
    for (size_t i = 0; i < n; i++) {
        if (!isnan(values[i]) && !dq_topk_would_take(topk, values[i])) continue;
        const uint32_t row = offer ? offer[i] : (uint32_t)i;
        const char *id = dq_entities_id(items, row, &bytes);
        const dq_status status = dq_topk_push(topk, values[i], id, bytes, row, error);
        if (status) return status;
    }
    *count = dq_topk_sorted(topk, &kept);
    for (size_t i = 0; i < *count; i++) {
        best[i] = kept[i];
        best[i].id = dq_entities_id(items, (uint32_t)kept[i].tag, &bytes); /* the other goes with topk */
    }
    return DQ_OK;
}

static void place_all(const dq_scored *list, const double *propensity, size_t n, dq_serve_cold_place *places)
{
    for (size_t i = 0; i < n; i++)
        places[i] = (dq_serve_cold_place){(uint32_t)list[i].tag, list[i].score,
                                          propensity ? propensity[i] : 1};
}

/* Bounds of all items, which hold until something is learnt. */
static void find_bounds(dq_serve_cold *c)
{
    if (!c->agent || c->bounded) return;
    dq_agent_offer(c->agent, NULL, 0);
    dq_bandit_upper(c->agent, &cold_states, 0, NAN, c->scores);
    c->bounded = true;
}

/* What a list is made with. */
typedef struct making {
    dq_topk *topk;
    dq_scored *best;         /* (lists, k) */
    const dq_scored **lists; /* (lists) */
    double *propensity;      /* (k) */
} making;

static dq_status making_open(making *m, size_t lists, size_t k, dq_error *error)
{
    dq_status status = dq_topk_new(&m->topk, k, error);
    m->best = malloc(lists * k * sizeof *m->best);
    m->lists = malloc(lists * sizeof *m->lists);
    m->propensity = malloc(k * sizeof *m->propensity);
    if (!status && (!m->best || !m->lists || !m->propensity))
        status = dq_fail_memory(error, "%zu lists of %zu", lists, k);
    return status;
}

static void making_close(making *m)
{
    dq_topk_free(m->topk);
    free(m->best);
    free(m->lists);
    free(m->propensity);
}

/* What decides without chance. */
static dq_status rank_decided(dq_serve_cold *c, making *m, const uint32_t *offer, size_t n,
                              dq_serve_cold_place *places, size_t *count, dq_error *error)
{
    find_bounds(c);
    for (size_t i = 0; i < n; i++) c->values[i] = c->scores[offer ? offer[i] : i];
    dq_status status = choose(c, offer, n, c->values, m->topk, m->best, count, error);
    if (!status) place_all(m->best, NULL, *count, places);
    return status;
}

/* A list for each sample, of which one is drawn. */
static dq_status rank_drawn(dq_serve_cold *c, making *m, const char *request, size_t bytes,
                            const uint32_t *offer, size_t n, size_t k, dq_serve_cold_place *places,
                            size_t *count, dq_error *error)
{
    const uint32_t draws = c->config.draws;
    dq_rng samples = dq_explore_rng(c->config.seed, request, bytes, "posterior", 9);
    dq_rng chance = dq_explore_rng(c->config.seed, request, bytes, "", 0);
    size_t drawn = (size_t)dq_rng_below(&chance, draws);
    dq_status status = DQ_OK;
    dq_agent_offer(c->agent, offer, (uint32_t)n);
    dq_bandit_draw(c->agent, &cold_states, 0, NAN, draws, &samples, c->values);
    for (uint32_t d = 0; !status && d < draws; d++) {
        m->lists[d] = m->best + d * k;
        status = choose(c, offer, n, c->values + d * n, m->topk, m->best + d * k, count, error);
    }
    if (status) return status;
    dq_explore_member_propensities(m->lists, draws, drawn, *count, m->propensity);
    place_all(m->lists[drawn], m->propensity, *count, places);
    return DQ_OK;
}

dq_status dq_serve_cold_rank(dq_serve_cold *c, const char *request, size_t bytes, const uint32_t *candidates,
                             size_t n, size_t k, dq_serve_cold_place *places, size_t *count, dq_error *error)
{
    if (!candidates) n = dq_entities_count(&c->config.catalogue->items);
    if (k > n) k = n;
    *count = 0;
    if (k == 0) return DQ_OK;
    const bool draws = c->config.by == DQ_SERVE_COLD_THOMPSON;
    making m = {0};
    dq_status status = making_open(&m, draws ? c->config.draws : 1, k, error);
    pthread_mutex_lock(&c->lock);
    if (!status && draws)
        status = rank_drawn(c, &m, request, bytes, candidates, n, k, places, count, error);
    else if (!status)
        status = rank_decided(c, &m, candidates, n, places, count, error);
    if (c->agent) dq_agent_offer(c->agent, NULL, 0);
    pthread_mutex_unlock(&c->lock);
    making_close(&m);
    return status;
}
