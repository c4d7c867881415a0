/* SPDX-License-Identifier: MIT
 *
 * An agent that learnt from sessions.
 */
#ifndef DQ_RANK_SESSIONS_H
#define DQ_RANK_SESSIONS_H

#include "data/session_log.h"
#include "learn/agent.h"
#include "learn/sessions.h"
#include "rank/lists.h"

/* A model of dq-train --offline --agent, and what its states need: everybody's interactions, all items. */
typedef struct dq_rank_sessions {
    bool on; /* such a model came */
    dq_bundle model;
    const char *kind;
    dq_agent_config config;
    dq_task_shape shape;
    dq_agent *agent;
    dq_reward_map map;
    dq_events events;
    dq_sessions_log log;     /* by list */
    const float **vectors;   /* (items) by number */
    dq_vectors item_vectors; /* the same */
    uint32_t *output_of;     /* (items) which of the agent's actions each is */
    float *actions;          /* (items, width) of a head on actions */
    uint32_t *before;        /* (events) scratch */
    float *states, *values;  /* of a group of users */
    size_t done;             /* lists whose values were computed */
    dq_arena arena;
} dq_rank_sessions;

/* Whether a model is of this kind. */
bool dq_rank_sessions_fits(const dq_bundle *model);
/* Takes the model (*model is emptied). */
dq_status dq_rank_sessions_load(dq_rank_sessions *sessions, dq_bundle *model, dq_error *error);
/* When everything was read: fits the catalogue to the model, and interactions to users and items. */
dq_status dq_rank_sessions_begin(dq_rank_sessions *sessions, dq_rank_lists *lists, const dq_side *users,
                                 const dq_rank_items *items, const dq_rank_block *blocks, size_t block_count,
                                 dq_pool *pool, dq_error *error);
/* Puts the values of the next users in the place of their vectors, until the next call; returns how many. */
size_t dq_rank_sessions_next(dq_rank_sessions *sessions, dq_rank_lists *lists);
void dq_rank_sessions_free(dq_rank_sessions *sessions);

#endif
