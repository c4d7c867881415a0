/* SPDX-License-Identifier: MIT
 *
 * Ranking by an agent that learnt where users meet items, from sessions (offline/sessions.h) or in an
 * environment: its scores are the values of its actions in the state where a user stands, which is what he
 * met. So everybody's interactions and all items are held, and a user's scores are computed together, once.
 * A network with an output for each item of a catalogue is ranked by so, too: there a user stands where his
 * vector says, and no interaction is needed.
 *
 * A bandit's lists may be by its upper bounds, or by samples of its posterior (learn/bandit/bandit.h), each
 * of which is a member of an ensemble then (rank/explore.h): what is drawn belongs to (seed, user).
 *
 *     dq_rank_sessions_load(&s, &model, &e);
 *     dq_session_log_add(&s.log, &interactions, &e);            for each bundle of them
 *     dq_rank_sessions_begin(&s, &lists, ..., &e);            when everything was read
 *     scorer.output_of = s.output_of;
 *     while ((n = dq_rank_sessions_next(&s, &lists)) > 0)     offer all blocks to the next n lists
 */
#ifndef DQ_RANK_SESSIONS_H
#define DQ_RANK_SESSIONS_H

#include "data/model_items.h"
#include "data/session_log.h"
#include "learn/trajectory.h"
#include "offline/sessions.h"
#include "rank/lists.h"

enum { DQ_RANK_SESSIONS_GROUP = 64 }; /* users whose values are computed together */

/* How a bandit explores; may be set before the lists begin. */
typedef struct dq_rank_bandit {
    bool upper;     /* by upper bounds; */
    uint32_t draws; /* or by so many samples; 0: by the mean */
    double spread;  /* NAN: the model's */
    uint64_t seed;
    dq_rng rng; /* of the samples, set anew for each user */
} dq_rank_bandit;

/* A model, and what its states need. Zero-initialise to start. */
typedef struct dq_rank_sessions {
    bool on;        /* a model was loaded */
    bool catalogue; /* its states are users, numbered by list */
    dq_bundle model;
    const char *kind;
    dq_agent_config config; /* its wish (learn/trajectory.h) may be set before the lists begin */
    dq_env_spec shape;
    dq_agent *agent;
    dq_model_items learnt;
    dq_session_log log;      /* everybody's interactions */
    dq_session_rows by_user; /* by list */
    const float **vectors;   /* (items) by number */
    const float **users;     /* (lists) of a catalogue */
    const float **actions;   /* (actions) of a catalogue: what the items here are to the agent */
    dq_vectors item_vectors; /* the same */
    uint32_t *output_of;     /* (items) which of the agent's actions each is */
    uint32_t *before;        /* (2 events) scratch */
    float *states,
        *values; /* (DQ_RANK_SESSIONS_GROUP, state width), and (.., actions) or (bandit.draws, actions) */
    dq_rank_bandit bandit;
    dq_trajectories *past; /* (a group of users) of an agent that reads them; else NULL */
    dq_sessions *sessions; /* likewise: everybody's events */
    size_t done;           /* lists whose values were computed */
} dq_rank_sessions;

/* Whether a model is of this kind. */
bool dq_rank_sessions_fits(const dq_bundle *model);
/* Takes the one model (*model is emptied). */
dq_status dq_rank_sessions_load(dq_rank_sessions *sessions, dq_bundle *model, dq_error *error);
/* Fits the catalogue to the model, and interactions to users and items. blocks: all items, as floats
 * (block.floats); kept. An item that the model has no output for, and a user or item of an interaction that
 * is not there, are DQ_ERR_UNKNOWN; one of another vector than the model learnt under its id is DQ_ERR_RANGE.
 */
dq_status dq_rank_sessions_begin(dq_rank_sessions *sessions, dq_rank_lists *lists, const dq_entities *users,
                                 const dq_rank_items *items, const dq_rank_block *blocks, size_t block_count,
                                 dq_pool *pool, dq_error *error);
/* Puts the values of the next users in the place of their vectors, until the next call; returns how many, 0
 * after the last. */
size_t dq_rank_sessions_next(dq_rank_sessions *sessions, dq_rank_lists *lists);

/* The same for whoever has users one by one (a server): `fit` once, where states are all vectors that a
 * catalogue's users may have; then, as often as he likes, he fills by_user with the events of some users
 * (first, item, reward, and what else its layout asks for; his own), lets `follow` take them, and has values
 * of the first n <= DQ_RANK_SESSIONS_GROUP of them from `first` on in s->values, (n, actions). A catalogue's
 * states need no events, and no `follow`. Values are those of the lists above, to the last bit. */
dq_status dq_rank_sessions_fit(dq_rank_sessions *sessions, const dq_entities *users, const dq_vectors *states,
                               const dq_rank_items *items, const dq_rank_block *blocks, size_t block_count,
                               dq_pool *pool, dq_error *error);
dq_status dq_rank_sessions_follow(dq_rank_sessions *sessions, const float *const *users, uint32_t count,
                                  dq_error *error);
void dq_rank_sessions_values(dq_rank_sessions *sessions, const float *const *users, size_t first, size_t n);
/* The rewards (items) that its world model predicts of all items where user i of those stands, by the items'
 * numbers. DQ_ERR_UNSUPPORTED where it has no network for its world (dq_rank_sessions_has_world). */
bool dq_rank_sessions_has_world(const dq_rank_sessions *sessions);
dq_status dq_rank_sessions_rewards(dq_rank_sessions *sessions, size_t i, float *rewards, dq_error *error);
void dq_rank_sessions_free(dq_rank_sessions *sessions);

#endif
