/* SPDX-License-Identifier: MIT
 *
 * Reptile: first-order meta-learning (Nichol, Achiam and Schulman, "On first-order meta-learning algorithms",
 * 2018). What is learnt is a start from which a few updates on a new user's rows lead far, rather than the
 * weights that are best for all users as they are.
 *
 *     for each user of a batch of n:  w_i = w after k updates on rows of user i, from w
 *     w += step (mean of w_i - w)
 *
 * The updates are the agent's own, by its loss and optimiser. As in the paper (section 6.1) these have Adam
 * with beta1 = 0 (dq_offline_learn_only sets it), whose moments are neither reset nor averaged: they go on
 * from user to user. The step falls in a line over the run, from step to step_end.
 *
 * Every network of the agent moves so: Q, a target that is bootstrapped from, models of the world, a policy.
 *
 *     dq_meta_new(&meta, agent, &e);
 *     dq_meta_begin(meta);
 *     for each user: { dq_agent_fit(...), k times; dq_meta_adapted(meta); }
 *     dq_meta_update(meta, step);
 */
#ifndef DQ_OFFLINE_META_H
#define DQ_OFFLINE_META_H

#include "learn/agent.h"

/* users 0: none, which is ordinary training. */
typedef struct dq_meta_config {
    uint32_t users, steps; /* of a batch; updates on each, >= 1 */
    double step, step_end; /* >= 0; 1 goes to the mean of the adapted weights */
} dq_meta_config;

/* The paper's for images; its steps of a user were 5 and 8. */
#define DQ_META_DEFAULTS                                                                                     \
    {                                                                                                        \
        .users = 5, .steps = 5, .step = 1, .step_end = 0                                                     \
    }

typedef struct dq_meta dq_meta;

/* The agent is borrowed. DQ_ERR_UNSUPPORTED for one without networks, and for batch norm, whose statistics
 * would be of one user at a time. */
dq_status dq_meta_new(dq_meta **meta, dq_agent *agent, dq_error *error);
void dq_meta_free(dq_meta *meta); /* accepts NULL */

/* Notes the weights, from which each user of a batch starts. */
void dq_meta_begin(dq_meta *meta);
/* The agent has adapted to a user: its weights are averaged with those of the users before, and it is back
 * at the start. */
void dq_meta_adapted(dq_meta *meta);
/* Moves the start towards the mean, and the agent with it; at least one user has adapted. */
void dq_meta_update(dq_meta *meta, double step);

#endif
