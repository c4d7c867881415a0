/* SPDX-License-Identifier: MIT
 *
 * What the parts of dq-train share:
 *
 *     main.c         the program
 *     options.c      the command line, and which options belong to which way of training
 *     presets.c      defaults by way of training, preset and agent
 *     setup.c        the input, the networks' shape, one user's rewards, the model that leaves
 *     rewards.c      where online rewards come from
 *     weight.c       --cosine-weight and --switch-episode
 *     online.c       Dyna-Q against the catalogue environment, one user
 *     offline.c      mini-batches over logged transitions
 *     each.c         one agent a user, forked workers
 *     env.c          agents in environments that are not catalogues
 *     logged.c       the same agents from what was logged
 *     checkpoint.c   the checkpoint file, and stopping with progress kept
 *     log.c          metrics as JSON lines
 */
#ifndef DQ_TRAIN_TRAIN_H
#define DQ_TRAIN_TRAIN_H

#include "cli/stop.h"
#include "data/dataset.h"
#include "logged.h"
#include "options.h"

#include "data/label_map.h"
#include "data/model_items.h"
#include "env/catalogue.h"
#include "learn/dynaq.h"
#include "math/cosine.h"
#include "reward/weight.h"

#include <stdio.h>

typedef struct train {
    train_options *o;
    dq_cli *cli;
    dq_maker maker;
    dq_reader *inputs[2]; /* the stream, and --init's */
    size_t input_count;
    dq_dataset dataset;
    dq_models init; /* --init's */
    dq_writer *output;
    dq_label_map map;
    float ignore;  /* the reward of what nobody labelled */
    bool weighted; /* a reward is a mixture of two parts, and this the cosine's weight */
    dq_reward_weight weight;
    uint64_t logged_digest, logged_bundles; /* of logged_input.c */
    dq_pool *pool;
} train;

/* ---- setup.c ---- */

/* Reads the input and --init, checks vectors, opens the output. */
dq_status train_open(train *t, dq_error *error);
void train_close(train *t);
/* --map, and what IGNORE is in it. */
dq_status train_read_map(train *t, dq_error *error);
/* --validate-by: each user's group, (users), to be freed. */
dq_status train_groups(train *t, uint32_t **group, dq_error *error);
/* The row of a user's id. */
dq_status train_find_user(const train *t, const char *id, uint32_t *user, dq_error *error);
/* The agent for one user (DQ_ABSENT: for all, offline), with the weights of --init's model for this user,
 * where it has one. */
dq_status train_agent(train *t, uint32_t user, size_t max_rows, dq_dynaq **agent, dq_error *error);
/* Widths such as "1024,512,256", at most `most` of them. */
dq_status train_parse_widths(const char *text, const char *option, uint32_t *widths, uint32_t most,
                             uint32_t *count, dq_error *error);
/* Writes the agent as a model bundle, with meta.user unless DQ_ABSENT, and who labelled in meta.labeller
 * where it is not NULL. */
dq_status train_write_model(train *t, dq_dynaq *agent, uint32_t user, const dq_value *labeller,
                            dq_error *error);

/* ---- weight.c ---- */

/* What --cosine-weight and --switch-episode say, into t->weight; or a usage error. */
void train_weight_choose(train *t);
/* The error of transitions without parts. */
dq_status train_no_parts(dq_error *error);

/* ---- rewards.c ---- */

typedef struct train_rewards train_rewards;

/* One user's rewards. On failure *rewards can still be ended. */
dq_status train_rewards_new(train_rewards **rewards, train *t, uint32_t user, dq_error *error);
/* Parts with the labeller, which may have to say how it ended. Frees; returns status, or the labeller's
 * failure. */
dq_status train_rewards_end(train_rewards *rewards, dq_status status, dq_error *error);
/* An episode begins: its weight of the cosine. */
void train_rewards_episode(train_rewards *rewards, uint64_t episode);
/* The weight, NAN without --cosine-weight. */
double train_rewards_weight(const train_rewards *rewards);
/* Sees to it that the reward of offered[choice] is known: may ask, and wait. */
dq_status train_rewards_need(train_rewards *rewards, dq_dynaq *agent, const dq_env *env, uint32_t choice,
                             dq_error *error);
/* Whether a failure of `need` is a stop with progress, rather than a labeller that never worked. */
bool train_rewards_resumable(const train_rewards *rewards);
/* {program, options} of who labelled, the rewards'; NULL when nobody was asked. */
const dq_value *train_rewards_labeller(const train_rewards *rewards);
/* A dq_reward_fn; arg is the rewards. */
dq_status train_reward_of(void *arg, uint32_t user, uint32_t item, float *reward, dq_error *error);
/* What was asked and answered, in a checkpoint. */
dq_status train_rewards_save(const train_rewards *rewards, dq_bundle *model, dq_error *error);
dq_status train_rewards_restore(train_rewards *rewards, const dq_bundle *model, dq_error *error);

/* ---- log.c ---- */

typedef struct train_log {
    FILE *file; /* NULL: no log */
    const char *name;
} train_log;

/* Opens PATH (NULL: no log) for writing; keep bytes of what is there stay (a resumed run). */
dq_status train_log_open(train_log *log, const char *path, uint64_t keep, dq_error *error);
/* Writes one line. A NAN inside must have been left out or made nil (dq_real_or_nil). */
dq_status train_log_line(train_log *log, const dq_value *line, dq_error *error);
/* Bytes written so far. */
uint64_t train_log_bytes(train_log *log);
dq_status train_log_close(train_log *log, dq_error *error);

/* ---- checkpoint.c ---- */

/* Takes up --checkpoint when the file exists and is of this run, by `restore`; and opens --log (unless *log
 * is open) where the checkpoint left it. */
typedef dq_status (*train_restore)(void *arg, const dq_bundle *model, dq_error *error);
dq_status train_resume(train *t, train_log *log, train_restore restore, void *arg, dq_error *error);
/* Completes a bundle that the run filled (with the run's identity and the log's length) and writes it. */
dq_status train_checkpoint_write(train *t, dq_bundle *model, train_log *log, dq_error *error);
/* SIGINT and SIGTERM from now on ask for a stop (cli/stop.h), when there is a checkpoint to leave. */
void train_catch_stop(const train *t);

/* ---- the ways of training ---- */

/* Trains one user's agent to the end. The caller frees *agent. bar may be NULL. *labeller is who labelled, or
 * nil. */
dq_status train_online(train *t, uint32_t user, train_log *log, dq_progress *bar, dq_dynaq **agent,
                       dq_value *labeller, dq_error *error);
dq_status train_run_online(train *t, dq_error *error);
dq_status train_run_offline(train *t, dq_error *error);
dq_status train_run_each(train *t, dq_error *error);
dq_status train_run_logged(train *t, dq_error *error);
dq_status train_run_env(train *t, dq_error *error);

#endif
