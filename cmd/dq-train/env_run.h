/* SPDX-License-Identifier: MIT
 *
 * A run of dq-train in an environment: what env.c and env_log.c share.
 */
#ifndef DQ_TRAIN_ENV_RUN_H
#define DQ_TRAIN_ENV_RUN_H

#include "rollout/online.h"
#include "train.h"

enum { EVAL_SEED = 0x7472 };

typedef struct env_run {
    train *t;
    dq_maker speaker;       /* of our streams to environments: nothing in them depends on options */
    dq_session_layout like; /* how --init's model knows states */
    dq_model_items items;   /* that actions are */
    dq_online online;
    train_log log;
    dq_progress bar;
    bool due; /* a checkpoint */
    char note[48];
} env_run;

/* One line: an episode of environment i, or an evaluation. */
dq_status env_run_log_episode(env_run *run, size_t i, dq_error *error);
dq_status env_run_log_evaluation(env_run *run, const dq_played *played, size_t n, dq_error *error);

#endif
