/* SPDX-License-Identifier: MIT
 *
 * Training online against the catalogue environment: Dyna-Q for one user, whom an episode offers candidates.
 *
 *     reset (where an episode begins) -> choose -> ask for the reward -> step -> observe, learn, plan -> ...
 *
 * Whoever knows rewards may have to ask for them, and wait. A run may stop after any step, and while it
 * waits: its place in the episode, and the choice that was made, are then part of the checkpoint, so that
 * going on equals never having stopped.
 */
#ifndef DQ_ROLLOUT_ONLINE_CATALOGUE_H
#define DQ_ROLLOUT_ONLINE_CATALOGUE_H

#include "env/catalogue.h"
#include "learn/dynaq.h"

typedef struct dq_online_catalogue dq_online_catalogue;

/* How long the run is, and whom it asks and tells. Functions may be NULL; a failure of theirs ends the run.
 */
typedef struct dq_online_catalogue_config {
    uint64_t episodes, steps; /* steps: of an episode, each >= 1 */
    void *arg;
    /* Before each step: the step is of this episode, from 0. */
    void (*episode)(void *arg, uint64_t episode);
    /* Sees to it that the environment's reward function knows the reward of offered[choice]. */
    dq_status (*reward_needed)(void *arg, const dq_online_catalogue *run, uint32_t choice, dq_error *error);
    /* An episode has ended: run->at has its sums, and counts it. */
    dq_status (*episode_ended)(void *arg, const dq_online_catalogue *run, dq_error *error);
    /* After each step (and after episode_ended): here a checkpoint can be made. */
    dq_status (*stepped)(void *arg, dq_online_catalogue *run, dq_error *error);
} dq_online_catalogue_config;

/* Where the run stands; the sums are of the running episode. */
typedef struct dq_online_catalogue_place {
    uint64_t episode, step,
        learnt;     /* episodes done; of the running one: steps, and those of them that taught */
    int64_t choice; /* of this step, made and not yet rewarded; -1: none */
    double reward, q, world, planning;
} dq_online_catalogue_place;

struct dq_online_catalogue {
    dq_online_catalogue_config config;
    dq_dynaq *agent;              /* borrowed */
    dq_env *env;                  /* of env/catalogue.h, without a limit; borrowed */
    dq_online_catalogue_place at; /* begins with choice -1 */
};

/* Trains to the end. */
dq_status dq_online_catalogue_run(dq_online_catalogue *run, dq_error *error);

/* Adds agent, environment and place to a model bundle that is a checkpoint, and takes them up again.
 * DQ_ERR_SCHEMA for a model that is no such checkpoint. */
dq_status dq_online_catalogue_save(const dq_online_catalogue *run, dq_bundle *model, dq_error *error);
dq_status dq_online_catalogue_restore(dq_online_catalogue *run, const dq_bundle *model, dq_error *error);

#endif
