/* SPDX-License-Identifier: MIT
 *
 * Roll-outs in an environment (dq-eval --rollout --env, --env-cmd): agents of dq-train --env, greedy, all on
 * the same episodes.
 */
#ifndef DQ_EVAL_ENV_H
#define DQ_EVAL_ENV_H

#include "eval.h"
#include "measure/summary.h"
#include "rollout/episodes.h"

typedef struct env_policy {
    const char *name;  /* --model's: a file, or random */
    dq_played *played; /* (episodes) */
    dq_summary total;  /* of the episodes' returns; all but the first are compared with it */
    double steps, value, discounted, counted[DQ_ENV_COUNTERS]; /* means */
} env_policy;

typedef struct env_rollout {
    const eval_options *o;
    dq_maker speaker;
    dq_pool *pool;
    size_t episodes, policy_count;
    env_policy *policies;
    char counters[DQ_ENV_COUNTERS][64];
    size_t counter_count;
} env_rollout;

dq_status env_rollout_run(env_rollout *run, const eval_options *o, dq_error *error);
dq_status env_rollout_print(const env_rollout *run, dq_sink *out, dq_error *error);
void env_rollout_free(env_rollout *run);

#endif
