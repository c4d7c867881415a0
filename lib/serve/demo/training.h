/* SPDX-License-Identifier: MIT
 *
 * What a demo server's jobs run: dq-sim for a made-up catalogue, and dq-train for a model of what is served.
 *
 * With a catalogue of dq-sim's, sessions are simulated (dq-train --preset session) that have its users and
 * items, and an episode is a session. With any other, what users did is learnt, for all of them at once
 * (dq-train --offline): the labels in the catalogue and the server's log. An "episode" is a pass then.
 *
 * Each program writes its output aside and renames it when it is complete: one that fails, is told to end or
 * is killed leaves what was there.
 */
#ifndef DQ_SERVE_DEMO_TRAINING_H
#define DQ_SERVE_DEMO_TRAINING_H

#include "serve/demo/job.h"
#include "serve/served.h"

/* What dq-sim made, or is to make, a catalogue of. */
typedef struct dq_demo_world {
    bool simulated; /* it did: the rest says what */
    uint64_t users, items, interactions, seed;
} dq_demo_world;

/* What a catalogue is made of. */
dq_demo_world dq_demo_world_of(const dq_served *served);

/* A training. Texts are borrowed. */
typedef struct dq_demo_training {
    const char *programs;  /* the folder of dq-sim, dq-reward and dq-train; NULL: they are in PATH */
    const char *catalogue; /* files */
    const char *model;
    const char *log;     /* the server's; NULL: none */
    const char *map;     /* rewards of labels */
    const char *version; /* of the server */
    const char *agent;   /* "dqn", "dyna-q" */
    uint64_t episodes, seed;
} dq_demo_training;

/* Makes a catalogue of a world, in the catalogue's place. */
dq_status dq_demo_make_world(dq_demo_job *job, const dq_demo_training *training, const dq_demo_world *world,
                             dq_error *error);
/* Trains on the catalogue that was made of the world, or on any (world->simulated false). */
dq_status dq_demo_train(dq_demo_job *job, const dq_demo_training *training, const dq_demo_world *world,
                        dq_error *error);

#endif
