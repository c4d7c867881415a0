/* SPDX-License-Identifier: MIT
 *
 * A run of dq-train in an environment: what train_env.c and train_env_log.c share.
 */
#ifndef DQ_TRAIN_ENV_RUN_H
#define DQ_TRAIN_ENV_RUN_H

#include "rollout/episodes.h"
#include "train.h"

enum { EVAL_SEED = 0x7472 };

/* Where the run stands. The sums of losses are of the learning steps since the last line of the log. */
typedef struct env_place {
    uint64_t episode, step, evaluated;
    uint64_t learnt, planned;
    double q, world, planning, gradient;
    bool pending; /* actions were chosen, and not answered */
} env_place;

typedef struct env_run {
    train *t;
    dq_maker speaker; /* of our streams to environments: nothing in them depends on options */
    dq_vec_env *envs, *eval_envs;
    dq_agent *agent;
    uint32_t *actions; /* (envs) */
    double *returns;   /* (envs) of the running episodes */
    uint64_t *lengths; /* (envs) */
    train_log log;
    dq_progress bar;
    env_place at;
    bool due; /* a checkpoint */
    char note[48];
} env_run;

/* One line: an episode of environment i, or an evaluation. */
dq_status env_run_log_episode(env_run *run, size_t i, dq_error *error);
dq_status env_run_log_evaluation(env_run *run, const dq_played *played, size_t n, dq_error *error);

#endif
