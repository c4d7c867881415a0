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
 *     ranks.c        several processes, which make one agent of such passes
 *     follow.c       on what a server logs, shot after shot
 *     each.c         one agent a user, forked workers, a file or a stream
 */
#ifndef DQ_TRAIN_TRAIN_H
#define DQ_TRAIN_TRAIN_H

#include "cli/checkpoint.h"
#include "cli/each.h"
#include "cli/stop.h"
#include "options.h"

#include "env/catalogue.h"
#include "reward/weight.h"
#include "training/training.h"

typedef struct train {
    train_options *o;
    dq_cli *cli;
    const dq_ranks *ranks; /* --mpi; NULL: one process */
    dq_maker maker;
    dq_reader *inputs[2]; /* the stream, and --init's */
    size_t input_count;
    dq_training base; /* what every way of training shares */
    dq_writer *output;
    bool weighted; /* a reward is a mixture of two parts, and this the cosine's weight */
    dq_reward_weight weight;
    bool refused;    /* by --accept */
    dq_error failed; /* some agents of --each-user, in words; status DQ_OK: none */
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
/* What the options ask of training, once its way is known. */
void train_ask(train *t);
/* The agent that the options describe, with what the model that this user (DQ_ABSENT: all) starts from has
 * learnt, where there is one. */
dq_status train_agent(train *t, const dq_env_spec *shape, uint32_t user, dq_agent **agent, dq_error *error);
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

/* ---- ranks.c ---- */

/* First of all: of several ranks the first one alone speaks, but for what it cannot know. */
void train_ranks_hush(char **argv);
/* With --mpi meets the other ranks, or becomes dq-train-mpi, which does. Options of what the first rank alone
 * does are dropped on the others. */
dq_status train_ranks_meet(train *t, char **argv, dq_error *error);
/* Whether this process writes: the first, or the only one. */
bool train_ranks_writes(const train *t);
/* Once all is read. */
dq_status train_ranks_settle(dq_error *error);
/* Before a failure is reported: the first rank to fail speaks, and ends the others. */
void train_ranks_fail(dq_status status);
/* Behind all else, with the exit code; returns it. */
int train_ranks_leave(int code);

/* ---- follow.c ---- */

/* Reads the catalogue and the model that stands, whose agent is the one that learns unless another is asked
 * for. */
dq_status train_follow_read(train *t, dq_error *error);
dq_status train_run_follow(train *t, dq_error *error);

/* ---- the other ways of training ---- */

/* Trains an agent online to the end: in the catalogue for the job's user, in the environment for DQ_ABSENT;
 * and writes the models that leave. bar may be NULL. DQ_ERR_STOPPED: what there is was kept, in the job's
 * stream where that leaves, else in --checkpoint. */
dq_status train_online(train *t, const dq_each_job *job, dq_progress *bar, dq_error *error);
/* Opens all that train_online opens for this user before the first step, and closes it. */
dq_status train_check_online(train *t, uint32_t user, dq_error *error);
dq_status train_run_online(train *t, dq_error *error);
dq_status train_run_each(train *t, dq_error *error);
dq_status train_run_offline(train *t, dq_error *error);

#endif
