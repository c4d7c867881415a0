/* SPDX-License-Identifier: MIT
 *
 * The parts of dq-plan: pairs.c predicts the rewards of pairs, for agents whose states are the users of a
 * catalogue; states.c reads states for the others, or makes them where users stand (standing.c), rollout.c
 * and lists.c write what these predict from there.
 */
#ifndef DQ_PLAN_PLAN_H
#define DQ_PLAN_PLAN_H

#include "cli/cli.h"
#include "data/dataset.h"
#include "data/model_items.h"
#include "data/session_log.h"
#include "learn/agent.h"
#include "math/pool.h"

typedef struct plan_options {
    dq_common common;
    const char *model;
    dq_texts users;
    int pairs;
    uint64_t per_user;
    int actions;
    uint64_t rollout, lists, beam;
    double epsilon, max_disagreement; /* INFINITY: any */
    bool replay;
} plan_options;

/* What dq-plan writes. */
enum { PLAN_PAIRS = 1, PLAN_ROLLOUTS = 2, PLAN_LISTS = 4 };

/* What is done in a state. */
enum { PLAN_AGENT, PLAN_RANDOM, PLAN_ALL, PLAN_REMEMBERED };

extern const char *const plan_pair_names[], *const plan_action_names[];

/* What the main program opened. */
typedef struct plan {
    const plan_options *o;
    const dq_cli *cli;
    dq_reader *inputs[2];
    size_t input_count;
    dq_dataset dataset; /* .models: those that stood first in the stream */
    dq_models models;   /* of --model, or of the stream */
    dq_bundle pending;  /* read already; of no kind: none */
    dq_pool *pool;
    dq_writer *output;
} plan;

/* ---- pairs.c ---- */

dq_status plan_pairs_run(plan *p, const dq_maker *maker, dq_error *error);

/* ---- states.c ---- */

/* Whether a model is of an agent whose states are vectors, rather than a catalogue's users. */
bool plan_states_wanted(const dq_bundle *model);
dq_status plan_states_run(plan *p, const dq_maker *maker, dq_error *error);

/* States that were lived through, as many as are looked ahead from at once. */
typedef struct plan_starts {
    size_t count, room, width;
    float *state;             /* (room, width) */
    const float **state_at;   /* (room) rows of it */
    uint32_t *action;         /* (room) what was done, where --actions asks for it */
    uint64_t *episode, *step; /* (room) */
    bool *placed;             /* (room) episode and step are known */
    uint64_t first;           /* number of the first one */
    dq_arena arena;           /* of these arrays */
    const dq_index *users; /* states are where these users stand, by number; NULL: they were lived through */
} plan_starts;

/* ---- standing.c ---- */

/* Users, items and interactions, for a model that knows where users stand. Zero-initialise to start. */
typedef struct plan_standing {
    dq_session_layout layout; /* item_width 0: it does not, and nothing is taken */
    dq_model_items learnt;
    dq_catalogue catalogue;
    dq_session_log log;
    dq_session_rows rows;
} plan_standing;

dq_status plan_standing_begin(plan_standing *standing, const dq_bundle *model, const dq_env_spec *shape,
                              dq_error *error);
/* Takes a bundle over, where it is of a catalogue. */
dq_status plan_standing_take(plan_standing *standing, dq_bundle *bundle, uint64_t section, dq_error *error);
/* When the stream has ended: the states of all users, by `put` whenever starts are full. */
dq_status plan_standing_put(plan_standing *standing, plan_starts *starts,
                            dq_status (*put)(void *arg, dq_error *error), void *arg, dq_error *error);
void plan_standing_free(plan_standing *standing);

/* How what is predicted is written: roll-outs, or lists. */
typedef struct plan_writer {
    size_t room; /* starts at once */
    void *self;
    dq_status (*put)(void *self, const plan_starts *starts, dq_error *error);
    dq_status (*finish)(void *self, dq_error *error); /* what is still held */
    void (*say)(const void *self, uint64_t starts);
    void (*free)(void *self);
} plan_writer;

/* ---- rollout.c, lists.c ---- */

dq_status plan_rollout_open(plan_writer *writer, plan *p, dq_agent *agent, dq_error *error);
dq_status plan_lists_open(plan_writer *writer, plan *p, dq_agent *agent, const dq_bundle *model,
                          dq_error *error);

#endif
