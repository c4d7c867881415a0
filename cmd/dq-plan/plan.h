/* SPDX-License-Identifier: MIT
 *
 * The parts of dq-plan: pairs.c predicts the rewards of pairs of a catalogue (system A's agents), states.c
 * reads states for the agents of environments, rollout.c and lists.c write what these predict from there.
 */
#ifndef DQ_PLAN_PLAN_H
#define DQ_PLAN_PLAN_H

#include "cli/cli.h"
#include "data/dataset.h"
#include "net/net.h"

#include "learn/agent.h"
#include "math/pool.h"

typedef struct plan_options {
    dq_common common;
    const char *model, *user;
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

/* Whether a model is of an agent for tasks. */
bool plan_states_wanted(const dq_bundle *model);
dq_status plan_states_run(plan *p, const dq_maker *maker, dq_error *error);

/* States that were lived through, as many as are looked ahead from at once. */
typedef struct plan_starts {
    size_t count, room, width;
    float *state;             /* (room, width) */
    uint32_t *action;         /* (room) what was done, where --actions asks for it */
    uint64_t *episode, *step; /* (room) */
    bool *placed;             /* (room) episode and step are known */
    uint64_t first;           /* number of the first one */
} plan_starts;

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
