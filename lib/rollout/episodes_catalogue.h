/* SPDX-License-Identifier: MIT
 *
 * Episodes in the catalogue environment, of a policy that does not learn: who is served, what is offered, and
 * how often are the caller's. Policies whose environments have one seed are offered the same candidates, so
 * that their episodes can be compared in pairs.
 */
#ifndef DQ_ROLLOUT_EPISODES_CATALOGUE_H
#define DQ_ROLLOUT_EPISODES_CATALOGUE_H

#include "core/vectors.h"
#include "env/catalogue.h"
#include "net/net.h"

typedef enum dq_policy_by {
    DQ_POLICY_NET,    /* greedy on the network's Q */
    DQ_POLICY_COSINE, /* greedy on the mean cosine of pairs of fields */
    DQ_POLICY_RANDOM, /* any candidate */
} dq_policy_by;

/* Set all but the scratch, which is zero to start. Everything is borrowed. */
typedef struct dq_catalogue_policy {
    dq_policy_by by;
    dq_vectors users, items;
    dq_net *net;             /* of DQ_POLICY_NET; may change between episodes */
    const dq_pairing *pairs; /* (pair_count) of DQ_POLICY_COSINE */
    size_t pair_count;
    double epsilon; /* with this probability any candidate, 0 .. 1 */
    bool distinct;  /* no candidate twice in an episode, which then has no more steps than candidates */
    dq_rng rng;     /* of what is chosen at random */
    dq_env *env;    /* of env/catalogue.h */
    /* scratch, (candidates) */
    uint32_t *user;
    float *value;
    bool *taken;
} dq_catalogue_policy;

/* DQ_ERR_MEMORY; the policy can be closed then, too. */
dq_status dq_catalogue_policy_open(dq_catalogue_policy *policy, dq_error *error);
void dq_catalogue_policy_close(dq_catalogue_policy *policy);

/* One episode that serves this user: the items chosen and their rewards, both (steps). */
dq_status dq_catalogue_policy_play(dq_catalogue_policy *policy, uint32_t user, size_t steps, uint32_t *item,
                                   float *reward, dq_error *error);

#endif
