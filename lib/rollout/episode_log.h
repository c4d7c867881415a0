/* SPDX-License-Identifier: MIT
 *
 * Episodes as transitions with dense states: a log to learn from offline. Rows stand in the order of episodes
 * and steps, in bundles of at most 8192:
 *
 *     state, next_state  (rows, state_width)
 *     choice, reward     the action's number and what came of it
 *     done, truncated    an end of the environment's own, and one by the number of steps
 *     propensity         f8, how likely this action was, for off-policy evaluation
 *     episode, step      from 0
 *
 * Actions are an agent's, epsilon-greedy: the best one has 1 - epsilon + epsilon / n, each other epsilon / n.
 */
#ifndef DQ_ROLLOUT_EPISODE_LOG_H
#define DQ_ROLLOUT_EPISODE_LOG_H

#include "env/bundles.h"
#include "learn/agent.h"
#include "rollout/vec_env.h"

typedef struct dq_episode_log {
    uint64_t episodes;
    dq_agent *agent;    /* NULL: any action */
    double epsilon;     /* the share of steps at which the agent takes any */
    uint64_t max_steps; /* after which an episode is cut off (truncated); 0: never */
    uint64_t seed;      /* of the actions; the episodes' is the environment's */
    dq_bundle_taker taker;
    void (*ended)(void *arg, uint64_t episodes); /* so many have ended; NULL: nobody wants to know */
    void *arg;
} dq_episode_log;

/* Plays in one environment whose states are not numbered; *cut: so many episodes were cut off. DQ_ERR_MEMORY,
 * the environment's or the taker's. */
dq_status dq_episode_log_write(dq_vec_env *envs, const dq_episode_log *log, uint64_t *cut, dq_error *error);

#endif
