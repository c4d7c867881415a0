/* SPDX-License-Identifier: MIT
 *
 * The catalogue as an environment: states are users, actions are items. Each kind is one entry of a table
 * (dq_catalogue_env_kinds) with its functions; rewards come by a function that the caller gives, so that an
 * environment knows neither labels nor language models.
 *
 *     dq_catalogue_env_reset(env, &user);                     an episode: the state, and env->candidates
 *     dq_catalogue_env_step(env, choice, &transition);        choose candidates[choice]
 *
 * An environment draws from its own random numbers, and its whole state is public: a checkpoint keeps
 * rng, candidates and user.
 */
#ifndef DQ_ENV_CATALOGUE_H
#define DQ_ENV_CATALOGUE_H

#include "core/rng.h"
#include "core/transition.h"
#include "dq/status.h"

/* Reward of an item for a user: finite. */
typedef float (*dq_reward_fn)(void *arg, uint32_t user, uint32_t item);

typedef struct dq_catalogue_env_config {
    uint32_t user;       /* the state: the user that is served */
    uint32_t item_count; /* items 0 .. item_count - 1 */
    uint32_t candidates; /* items on offer in an episode; more than item_count means all */
    dq_reward_fn reward;
    void *reward_arg; /* kept */
    uint64_t seed;
} dq_catalogue_env_config;

typedef struct dq_catalogue_env dq_catalogue_env;

typedef struct dq_catalogue_env_kind {
    const char *name, *help;
    void (*reset)(dq_catalogue_env *env);
    void (*step)(dq_catalogue_env *env, uint32_t choice, dq_transition *transition);
} dq_catalogue_env_kind;

struct dq_catalogue_env {
    const dq_catalogue_env_kind *kind;
    dq_catalogue_env_config config;
    uint32_t user;        /* the current state */
    uint32_t *candidates; /* (candidate_count) items */
    uint32_t candidate_count;
    uint32_t *scratch; /* (item_count) */
    dq_rng rng;
};

/* catalogue: system A's. Candidates are drawn anew each episode, without replacement; the state never changes
 * (s' = s) and no step is terminal: an episode's end only cuts it off. Ended by an entry without a name. */
extern const dq_catalogue_env_kind dq_catalogue_env_kinds[];

/* DQ_ERR_UNKNOWN for a kind that is not in the table, DQ_ERR_RANGE without items or candidates. */
dq_status dq_catalogue_env_new(dq_catalogue_env **env, const char *kind,
                               const dq_catalogue_env_config *config, dq_error *error);
void dq_catalogue_env_free(dq_catalogue_env *env);

/* Begins an episode: draws candidates, sets user. */
void dq_catalogue_env_reset(dq_catalogue_env *env);
/* Takes candidates[choice]; fills the transition. */
void dq_catalogue_env_step(dq_catalogue_env *env, uint32_t choice, dq_transition *transition);

#endif
