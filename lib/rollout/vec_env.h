/* SPDX-License-Identifier: MIT
 *
 * Environments side by side: tasks of this process (env/env.h), or those of another process that speaks the
 * protocol of docs/environments.md. Whoever uses them cannot tell which.
 *
 *     dq_vec_env_open(&envs, &config, &e);
 *     dq_vec_env_begin(envs, &e);              episodes begin wherever none runs: envs->states
 *     dq_vec_env_step(envs, actions, &e);      one step of each: envs->next, envs->steps
 *     dq_vec_env_advance(envs);                next becomes states; what ended is done until it begins
 *     dq_vec_env_close(envs, status, &e);
 *
 * Each episode has a seed that is made of the configuration's, the number of its environment, and its number
 * there (rollout/seed.h).
 */
#ifndef DQ_ROLLOUT_VEC_ENV_H
#define DQ_ROLLOUT_VEC_ENV_H

#include "wire/coprocess.h"

#include "core/index.h"
#include "env/env.h"

typedef struct dq_vec_env_config {
    const char *name;    /* KIND or KIND:name=value,... */
    const char *command; /* of a process instead; NULL: none */
    const dq_session_layout
        *like; /* lay states out so where the name's options do not say otherwise; NULL: no */
    size_t count;
    uint64_t seed;
    const dq_maker *maker;    /* of our stream to a process */
    bool (*stop_asked)(void); /* may be NULL; see dq_coprocess_stop_when */
} dq_vec_env_config;

typedef struct dq_vec_env {
    dq_vec_env_config config;
    dq_env_spec shape;
    const char *counters[DQ_ENV_COUNTERS + 1]; /* names; NULL-ended */
    dq_index items;                            /* ids of the items that actions are; empty: they are none */
    float *states, *next;                      /* (count, state_width) */
    dq_step *steps;                            /* (count) */
    double (*counted)[DQ_ENV_COUNTERS];        /* (count) of the episode so far */
    uint64_t *episode;                         /* (count) begun */
    uint8_t *done;                             /* (count) no episode runs */
    dq_env **tasks;                            /* (count), or NULL */
    struct dq_env_client *process;             /* or NULL */
} dq_vec_env;

dq_status dq_vec_env_open(dq_vec_env **envs, const dq_vec_env_config *config, dq_error *error);
/* Ends a process as dq_coprocess_end does, and frees. Returns status, or what came of ending. Accepts NULL.
 */
dq_status dq_vec_env_close(dq_vec_env *envs, dq_status status, dq_error *error);

/* Begins an episode in every environment that is done. */
dq_status dq_vec_env_begin(dq_vec_env *envs, dq_error *error);
/* One step of every environment that is not done; actions (count). */
dq_status dq_vec_env_step(dq_vec_env *envs, const uint32_t *actions, dq_error *error);
/* The next states become the present ones; episodes that ended are done. */
void dq_vec_env_advance(dq_vec_env *envs);
/* Breaks all episodes off and counts them from 0 again: what follows is what followed dq_vec_env_open. */
void dq_vec_env_rewind(dq_vec_env *envs);
/* Lets tasks remember what the first of others does (nothing, for processes). */
void dq_vec_env_copy(dq_vec_env *to, const dq_vec_env *from);

/* The vectors of the items that actions are; at, which is to be freed, is NULL where they are none. */
dq_status dq_vec_env_items(const dq_vec_env *envs, dq_vectors *items, dq_error *error);

/* Adds env.* to a checkpoint, and takes it up again. A process plays its running episodes again;
 * DQ_ERR_IO when it comes to other states. */
dq_status dq_vec_env_save(dq_vec_env *envs, dq_bundle *model, dq_error *error);
dq_status dq_vec_env_restore(dq_vec_env *envs, const dq_bundle *model, dq_error *error);

/* The environment of a name KIND or KIND:options, its states laid out as `like` (dq_env_new_like). */
dq_status dq_vec_env_make(dq_env **task, const char *name, const dq_session_layout *like, dq_error *error);

#endif
