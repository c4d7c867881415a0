/* SPDX-License-Identifier: MIT
 *
 * A catalogue as an environment (env/env.h), system A's: states are its users, by number; actions are its
 * items, some of which an episode offers, drawn anew without replacement. The user is served to the end: the
 * state never changes (s' = s), no step is terminal, and the limit truncates. What a user makes of an item is
 * the caller's to say, so that an environment knows neither labels nor language models.
 *
 *     dq_catalogue_env_new(&env, &config, seed, &e);      then as any other: reset, step, save, restore
 */
#ifndef DQ_ENV_CATALOGUE_H
#define DQ_ENV_CATALOGUE_H

#include "env/env.h"

/* The reward of an item for a user: finite, else the step fails with DQ_ERR_NUMERIC. Whoever says it may have
 * to ask, and wait; a failure, such as DQ_ERR_STOPPED, means that the step was not taken, and can be taken
 * again. */
typedef dq_status (*dq_reward_fn)(void *arg, uint32_t user, uint32_t item, float *reward, dq_error *error);

/* What an agent must know of users and items, which are borrowed. */
dq_env_spec dq_catalogue_env_spec(const dq_vectors *users, const dq_vectors *items);

typedef struct dq_catalogue_env_config {
    dq_vectors users, items; /* borrowed */
    uint32_t user;           /* who is served, until dq_catalogue_env_serve says another */
    uint32_t candidates;     /* items on offer in an episode; more than there are means all */
    uint32_t step_limit;     /* steps of an episode; 0: no end */
    dq_reward_fn reward;
    void *reward_arg; /* kept */
} dq_catalogue_env_config;

/* DQ_ERR_RANGE without users, items or candidates, and for a user that there is not. */
dq_status dq_catalogue_env_new(dq_env **env, const dq_catalogue_env_config *config, uint64_t seed,
                               dq_error *error);

/* Serves this user, who must be one of the catalogue, from the next episode on. */
void dq_catalogue_env_serve(dq_env *env, uint32_t user);

#endif
