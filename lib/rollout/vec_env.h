/* SPDX-License-Identifier: MIT
 *
 * Environments side by side: those of this process (env/env.h), one that the caller made (such as a
 * catalogue), or those of another process that speaks the protocol of docs/environments.md. Whoever uses them
 * cannot tell which.
 *
 *     dq_vec_env_open(&envs, &config, &e);
 *     dq_vec_env_begin(envs, &e);              episodes begin wherever none runs
 *     dq_vec_env_step(envs, actions, &e);      one step of each: envs->steps
 *     dq_vec_env_advance(envs);                the next states become the present ones; what ended is done
 *     dq_vec_env_close(envs, status, &e);
 *
 * States are looked up in a store (core/vectors.h): environment i is in state number[i] of it, and after a
 * step goes to next_number[i]. Numbered states (env/env.h) have their numbers; others are rows of the
 * vec_env's own memory, whose numbers stay as their contents change.
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
    dq_env *env;         /* one that the caller made instead, and frees after this; NULL: none */
    const dq_session_layout
        *like;    /* lay states out so where the name's options do not say otherwise; NULL: no */
    size_t count; /* with env: 1 */
    uint64_t seed;
    const dq_maker *maker;    /* of our stream to a process */
    bool (*stop_asked)(void); /* may be NULL; see dq_coprocess_stop_when */
} dq_vec_env_config;

typedef struct dq_vec_env {
    dq_vec_env_config config;
    dq_env_spec shape;
    const char *counters[DQ_ENV_COUNTERS + 1]; /* names; NULL-ended */
    dq_index items;                            /* ids of the items that actions are; empty: they are none */
    dq_vectors store;                          /* the states: shape.states, or (2 count) rows of ours */
    uint32_t *number, *next_number; /* (count) in the store: the present states, and the next ones */
    const uint32_t *offered;        /* (offered_count) actions on offer since the last
                                       dq_vec_env_begin or restore; NULL: all */
    uint32_t offered_count;
    dq_step *steps;                     /* (count) */
    double (*counted)[DQ_ENV_COUNTERS]; /* (count) of the episode so far */
    uint64_t *episode;                  /* (count) begun */
    uint8_t *done;                      /* (count) no episode runs */
    float *states, *next;               /* (count, state_width) rows of the store; NULL: numbered */
    const float **row_at;               /* (2 count) the store's, or NULL */
    uint32_t *which;                    /* (count) those that a call is about */
    dq_env **envs;                      /* (count), or NULL */
    struct dq_env_client *process;      /* or NULL */
    dq_arena arena;                     /* of all these */
} dq_vec_env;

/* DQ_ERR_RANGE for several environments whose actions on offer change: an agent chooses from one list. */
dq_status dq_vec_env_open(dq_vec_env **envs, const dq_vec_env_config *config, dq_error *error);
/* Ends a process as dq_coprocess_end does, and frees. Returns status, or what came of ending. Accepts NULL.
 */
dq_status dq_vec_env_close(dq_vec_env *envs, dq_status status, dq_error *error);

/* Begins an episode in every environment that is done. */
dq_status dq_vec_env_begin(dq_vec_env *envs, dq_error *error);
/* One step of every environment that is not done; actions (count). */
dq_status dq_vec_env_step(dq_vec_env *envs, const uint32_t *actions, dq_error *error);
/* The step that was just taken is the last one of environment i's episode, which is cut off. For environments
 * whose episodes may never end. */
void dq_vec_env_truncate(dq_vec_env *envs, size_t i);
/* The next states become the present ones; episodes that ended are done. */
void dq_vec_env_advance(dq_vec_env *envs);
/* Breaks all episodes off and counts them from 0 again: what follows is what followed dq_vec_env_open. */
void dq_vec_env_rewind(dq_vec_env *envs);
/* Lets environments remember what the first of others does (nothing, for processes). */
void dq_vec_env_copy(dq_vec_env *to, const dq_vec_env *from);

/* The vectors of the items that actions are, borrowed; at is NULL where they are none. */
dq_vectors dq_vec_env_items(const dq_vec_env *envs);

/* Adds env.* to a checkpoint, and takes it up again. A process plays its running episodes again;
 * DQ_ERR_IO when it comes to other states. */
dq_status dq_vec_env_save(dq_vec_env *envs, dq_bundle *model, dq_error *error);
dq_status dq_vec_env_restore(dq_vec_env *envs, const dq_bundle *model, dq_error *error);

/* The environment of a name KIND or KIND:options, its states laid out as `like` (dq_env_new_like). */
dq_status dq_vec_env_make(dq_env **env, const char *name, const dq_session_layout *like, dq_error *error);

#endif
