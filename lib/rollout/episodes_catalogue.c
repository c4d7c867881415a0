/* SPDX-License-Identifier: MIT */
#include "rollout/episodes_catalogue.h"

#include "math/cosine.h"

#include <stdlib.h>
#include <string.h>

dq_status dq_catalogue_policy_open(dq_catalogue_policy *p, dq_error *error)
{
    size_t n = p->env->offered_count;
    p->user = malloc(n * sizeof *p->user);
    p->value = calloc(n, sizeof *p->value);
    p->taken = malloc(n * sizeof *p->taken);
    if (p->user && p->value && p->taken) return DQ_OK;
    return dq_fail(error, DQ_ERR_MEMORY, "out of memory for candidates");
}

void dq_catalogue_policy_close(dq_catalogue_policy *p)
{
    free(p->user);
    free(p->value);
    free(p->taken);
    p->user = NULL;
    p->value = NULL;
    p->taken = NULL;
}

/* What each candidate is worth to the policy: of an episode, since neither user nor candidates change in it.
 */
static void value_candidates(dq_catalogue_policy *p, uint32_t user)
{
    uint32_t n = p->env->offered_count;
    const uint32_t *candidates = p->env->offered;
    if (p->by == DQ_POLICY_COSINE)
        for (uint32_t i = 0; i < n; i++)
            p->value[i] = (float)dq_cosine(p->users.at[user], p->items.at[candidates[i]], p->pairs,
                                           p->pair_count);
    if (p->by != DQ_POLICY_NET) return;
    for (uint32_t i = 0; i < n; i++) p->user[i] = user;
    dq_net_predict(p->net, &p->users, &p->items, p->user, candidates, p->value, n);
}

/* Number `which` of the candidates not taken. */
static uint32_t nth_free(const dq_catalogue_policy *p, uint64_t which)
{
    uint32_t i = 0;
    for (;; i++)
        if (!p->taken[i] && which-- == 0) return i;
}

/* The best candidate not taken, the first of equals. */
static uint32_t best_free(const dq_catalogue_policy *p)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t i = 0; i < p->env->offered_count; i++)
        if (!p->taken[i] && (best == UINT32_MAX || p->value[i] > p->value[best])) best = i;
    return best;
}

dq_status dq_catalogue_policy_play(dq_catalogue_policy *p, uint32_t user, size_t steps, uint32_t *item,
                                   float *reward, dq_error *error)
{
    dq_catalogue_env_serve(p->env, user);
    dq_status status = dq_env_reset(p->env, error);
    uint32_t free_count = p->env->offered_count;
    memset(p->taken, 0, free_count * sizeof *p->taken);
    value_candidates(p, user);
    for (size_t s = 0; s < steps && !status; s++) {
        bool any = p->by == DQ_POLICY_RANDOM || dq_rng_uniform(&p->rng) < p->epsilon;
        uint32_t choice = any ? nth_free(p, dq_rng_below(&p->rng, free_count)) : best_free(p);
        dq_step step;
        item[s] = p->env->offered[choice];
        status = dq_env_step(p->env, item[s], &step, error);
        reward[s] = step.reward;
        if (!p->distinct) continue;
        p->taken[choice] = true;
        free_count--;
    }
    return status;
}
