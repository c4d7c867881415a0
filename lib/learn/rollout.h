/* SPDX-License-Identifier: MIT
 *
 * Roll-outs through the dynamics that an agent has learned (learn/agent.h): from states that were lived
 * through, a few steps of what its world model predicts (Janner et al., "When to trust your model:
 * model-based policy optimization", 2019). A branch ends where the model predicts an end, and is cut where
 * the models of its ensemble disagree by more than is allowed.
 *
 *     dq_rollout_new(&r, agent, &config, 1024, &e);
 *     dq_rollout_begin(r, &states, NULL, actions, n, first, &e);          n <= 1024 starts
 *     while (!dq_rollout_next(r, &rows, &e) && rows.count) ...;           the next step of all branches
 *
 * Each branch draws from random numbers of its own, by the number of its start.
 */
#ifndef DQ_LEARN_ROLLOUT_H
#define DQ_LEARN_ROLLOUT_H

#include "learn/agent.h"

/* Actions: the agent's (epsilon-greedy) or any on offer at each step; or first all on offer, or what was done
 * then, and the agent's from there on. */
typedef enum dq_rollout_by {
    DQ_ROLLOUT_AGENT,
    DQ_ROLLOUT_RANDOM,
    DQ_ROLLOUT_ALL,
    DQ_ROLLOUT_REMEMBERED,
} dq_rollout_by;

typedef struct dq_rollout_config {
    dq_rollout_by by;
    uint32_t steps; /* >= 1 */
    double epsilon;
    double max; /* disagreement; INFINITY: any. Finite, it needs an ensemble */
    uint64_t seed;
} dq_rollout_config;

/* Transitions in the order of their starts; valid until the next call. */
typedef struct dq_rollout_rows {
    size_t count;
    const float *state, *next; /* (count, state_width) */
    const uint32_t *action;
    const float *reward, *disagreement;
    const uint8_t *done;
    const uint32_t *start; /* number of the state that the branch began in */
    uint32_t step;         /* of all rows, from 0 */
} dq_rollout_rows;

typedef struct dq_rollout dq_rollout;

/* Room for that many starts at a time; agent is borrowed. DQ_ERR_UNSUPPORTED for an agent without a world
 * model, DQ_ERR_RANGE for limits to a disagreement that one model alone cannot have, and for numbered states,
 * which a step leaves as they are: what follows on a pair there dq_agent_predict says. */
dq_status dq_rollout_new(dq_rollout **rollout, dq_agent *agent, const dq_rollout_config *config,
                         size_t starts, dq_error *error);
void dq_rollout_free(dq_rollout *rollout);

/* Begins in n states, number[i] of a store (number NULL: 0, 1, 2 ...), which are copied; actions (n) what was
 * done there, needed for REMEMBERED alone. The first is start number `first`. What is on offer must stay
 * until the last step. DQ_ERR_RANGE for an action that there is not. */
dq_status dq_rollout_begin(dq_rollout *rollout, const dq_vectors *states, const uint32_t *number,
                           const uint32_t *actions, size_t n, uint32_t first, dq_error *error);
/* One step of every branch that goes on; rows->count 0: there is none. DQ_ERR_NUMERIC when what is predicted
 * is not finite. */
dq_status dq_rollout_next(dq_rollout *rollout, dq_rollout_rows *rows, dq_error *error);
/* Branches that were cut for disagreement, since dq_rollout_new. */
uint64_t dq_rollout_dropped(const dq_rollout *rollout);

#endif
