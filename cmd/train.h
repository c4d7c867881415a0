/* SPDX-License-Identifier: MIT
 *
 * What the parts of dq-train share:
 *
 *     dq-train.c           options, main
 *     train_setup.c        the input, the networks' shape, one user's rewards, the model that leaves
 *     train_online.c       Dyna-Q against the catalogue environment, one user
 *     train_offline.c      mini-batches over logged transitions
 *     train_each.c         one agent a user, forked workers
 *     train_checkpoint.c   the checkpoint file, and stopping with progress kept
 *     train_log.c          metrics as JSON lines
 *     train_env.h          agents in environments that are not catalogues
 */
#ifndef DQ_CMD_TRAIN_H
#define DQ_CMD_TRAIN_H

#include "cli.h"
#include "corpus.h"
#include "train_env.h"

#include "dq/cosine.h"
#include "dq/dynaq.h"
#include "dq/reward.h"

#include <stdio.h>

enum { REWARD_AUTO, REWARD_COSINE, REWARD_LOGGED };
enum {
    PRESET_TUNED,
    PRESET_PUBLISHED,
    PRESET_SESSION,
    PRESET_SEQUENCE,
    PRESET_SEQUENCE_DQN,
    PRESET_FILMS,
    PRESET_MAZE
};
enum { MATCHES_NONE, MATCHES_PAIRS, MATCHES_ALL };

typedef struct train_options {
    dq_common common;
    bool offline, each_user, pass, world, raw_cosine;
    const char *user, *init, *checkpoint, *log, *hidden, *world_hidden, *map, *validate_by, *fold;
    dq_texts pairs;
    int preset, schedule, best_by, bootstrap, reward, matches;
    uint64_t checkpoint_every, batch, target_every, candidates, planning, replay, warmup, episodes, steps;
    uint64_t epochs, negatives, patience;
    unsigned fold_number, folds; /* of fold; 0 without */
    double dropout, rate, decay, gamma, epsilon, epsilon_min, epsilon_decay, validation;
    struct { /* which options were given */
        bool batch, dropout, gamma, schedule, decay, candidates, hidden, world_hidden, checkpoint_every,
            matches, rate;
        bool epochs, negatives, patience, validation, validate_by, best_by;
        bool planning, replay, warmup, episodes, steps, epsilon, epsilon_min, epsilon_decay;
        bool reward, pairs, raw_cosine;
    } given;
    train_env_options env;
} train_options;

typedef struct train {
    train_options *o;
    dq_cli *cli;
    dq_maker maker;
    dq_reader *inputs[2]; /* the stream, and --init's */
    size_t input_count;
    dq_corpus corpus;
    dq_models init; /* --init's */
    dq_writer *output;
    dq_reward_map map;
    float ignore; /* the reward of what nobody labelled */
    dq_pool *pool;
} train;

/* ---- train_setup.c ---- */

/* Reads the input and --init, checks vectors, opens the output. */
dq_status train_open(train *t, dq_error *error);
void train_close(train *t);
/* The row of a user's id. */
dq_status train_find_user(const train *t, const char *id, uint32_t *user, dq_error *error);
/* The model that a user's training starts from, or NULL. user may be DQ_ABSENT. */
const dq_bundle *train_init_model(const train *t, uint32_t user);
/* The agent for one user (DQ_ABSENT: for all, offline), with the weights of train_init_model. */
dq_status train_agent(train *t, uint32_t user, size_t max_rows, dq_dynaq **agent, dq_error *error);
/* Widths such as "1024,512,256", at most `most` of them. */
dq_status train_parse_widths(const char *text, const char *option, uint32_t *widths, uint32_t most,
                             uint32_t *count, dq_error *error);
/* Every item's reward for a user, (items), to be freed. */
dq_status train_rewards(train *t, uint32_t user, float **rewards, dq_error *error);
/* Writes the agent as a model bundle, with meta.user unless DQ_ABSENT. */
dq_status train_write_model(train *t, dq_dynaq *agent, uint32_t user, dq_error *error);

/* ---- train_log.c ---- */

typedef struct train_log {
    FILE *file; /* NULL: no log */
    const char *name;
} train_log;

/* Opens PATH (NULL: no log) for writing; keep bytes of what is there stay (a resumed run). */
dq_status train_log_open(train_log *log, const char *path, uint64_t keep, dq_error *error);
/* Writes one line. A NAN inside must have been left out or made nil (train_number). */
dq_status train_log_line(train_log *log, const dq_value *line, dq_error *error);
/* Bytes written so far. */
uint64_t train_log_bytes(train_log *log);
dq_status train_log_close(train_log *log, dq_error *error);
/* A real, or nil when it is not finite. */
dq_value train_number(double x);

/* ---- train_checkpoint.c ---- */

/* Reads --checkpoint when the file exists, and checks that it is of this run. *found says whether. */
dq_status train_checkpoint_load(train *t, dq_bundle *model, bool *found, dq_error *error);
/* Completes a bundle that the run filled (with the run's identity and the log's length) and writes it. */
dq_status train_checkpoint_write(train *t, dq_bundle *model, train_log *log, dq_error *error);
/* Bytes of the log that belong to a checkpoint. */
uint64_t train_checkpoint_log(const dq_bundle *model);
/* SIGINT and SIGTERM from now on ask for a stop, when there is a checkpoint to leave; and no longer. */
void train_catch_stop(const train *t);
void train_release_stop(void);
bool train_stop_asked(void);

/* ---- the ways of training ---- */

/* Trains one user's agent to the end. The caller frees *agent. bar may be NULL. */
dq_status train_online(train *t, uint32_t user, train_log *log, dq_progress *bar, dq_dynaq **agent,
                       dq_error *error);
dq_status train_run_online(train *t, dq_error *error);
dq_status train_run_offline(train *t, dq_error *error);
dq_status train_run_each(train *t, dq_error *error);

#endif
