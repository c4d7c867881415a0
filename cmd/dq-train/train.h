/* SPDX-License-Identifier: MIT
 *
 * What the parts of dq-train share:
 *
 *     main.c         the program
 *     options.c      the command line, and which options belong to which way of training
 *     presets.c      defaults by way of training, preset and agent
 *     setup.c        the input, the agent, the model that leaves
 *     online.c       in the catalogue for one user, or in an environment
 *     offline.c      passes over what was logged
 *     offline_input.c  which is one of three things
 *     follow.c       on what a server logs, shot after shot
 *     each.c         one agent a user, forked workers
 */
#ifndef DQ_TRAIN_TRAIN_H
#define DQ_TRAIN_TRAIN_H

#include "cli/checkpoint.h"
#include "cli/stop.h"
#include "options.h"

#include "data/load.h"
#include "data/model_items.h"
#include "env/catalogue.h"
#include "feature/catalogue.h"
#include "learn/agent.h"
#include "offline/input.h"
#include "reward/weight.h"

typedef struct train {
    train_options *o;
    dq_cli *cli;
    dq_maker maker;
    dq_reader *inputs[2]; /* the stream, and --init's */
    size_t input_count;
    dq_dataset dataset;
    dq_models init; /* --init's */
    dq_writer *output;
    dq_model_items items; /* that the actions of an environment are */
    dq_label_map map;
    float ignore;  /* the reward of what nobody labelled */
    bool weighted; /* a reward is a mixture of two parts, and this the cosine's weight */
    dq_reward_weight weight;
    dq_dataset_logged from;     /* what offline training reads, */
    dq_offline_input logged;    /* and what it makes of it */
    dq_history seen;            /* --history seen: what the features are told of */
    dq_feature_users *features; /* given to the agent beside the network's own; NULL: none */
    dq_pool *pool;
    bool refused; /* by --accept */
} train;

/* ---- setup.c ---- */

/* Reads the input and --init, checks vectors, opens the output. */
dq_status train_open(train *t, dq_error *error);
void train_close(train *t);
/* Its parts. */
dq_status train_read_all(train *t, dq_error *error);
dq_status train_read_init(train *t, dq_error *error);
dq_status train_open_output(train *t, dq_error *error);
/* --map, and what IGNORE is in it. */
dq_status train_read_map(train *t, dq_error *error);
/* The model of --init or of the stream that a user's training starts from (DQ_ABSENT: all's); NULL: none. */
dq_bundle *train_init_model(const train *t, uint32_t user);
/* The agent that the options describe, with the catalogue's cross features, and with what --init's model for
 * this user (DQ_ABSENT: for all) has learnt, where it has one. */
dq_status train_agent(train *t, const dq_env_spec *shape, uint32_t user, dq_agent **agent, dq_error *error);
/* Names --init's file in an error of what it holds; returns status. */
dq_status train_blame_init(const train *t, dq_status status, dq_error *error);
/* Completes a model bundle that dq_agent_save has filled: which fields, items and sessions it knows;
 * meta.user unless DQ_ABSENT. */
dq_status train_finish_model(train *t, dq_bundle *model, uint32_t user, dq_error *error);
/* map.user: whom a model or a line of the log is about; nothing for DQ_ABSENT. */
bool train_name_user(const train *t, uint32_t user, dq_arena *arena, dq_value *map);
/* Unless status is a failure, writes a model to out. Frees it; returns status, or its own. */
dq_status train_write_model(const train *t, dq_status status, dq_bundle *model, dq_writer *out,
                            dq_error *error);

/* --checkpoint of this run. */
dq_checkpoint train_checkpoint(const train *t);

/* ---- offline_input.c ---- */

/* Reads the whole input, and says which way of training it is for. */
dq_status train_offline_read(train *t, unsigned *mode, dq_error *error);
/* Makes rows and shape of what was read, once the options are settled; a model to start from may know more
 * of the states than a log of them. */
dq_status train_offline_rows(train *t, dq_error *error);

/* ---- follow.c ---- */

/* Reads the catalogue and the model that stands, whose agent is the one that learns unless another is asked
 * for. */
dq_status train_follow_read(train *t, dq_error *error);
dq_status train_run_follow(train *t, dq_error *error);

/* ---- the other ways of training ---- */

/* Trains an agent online to the end: in the catalogue for this user, in the environment for DQ_ABSENT; and
 * writes the models that leave. bar may be NULL. */
dq_status train_online(train *t, uint32_t user, dq_log *log, dq_progress *bar, dq_writer *out,
                       dq_error *error);
dq_status train_run_online(train *t, dq_error *error);
dq_status train_run_each(train *t, dq_error *error);
dq_status train_run_offline(train *t, dq_error *error);

#endif
