/* SPDX-License-Identifier: MIT
 *
 * Windows of a trajectory: what a decision transformer (Chen et al., "Decision transformer: reinforcement
 * learning via sequence modeling", NeurIPS 2021) reads in a state's place. A window is the last `context`
 * steps, the latest first, zeros where there are none yet:
 *
 *     step = [1 | return-to-go | state | action]        of the latest the action is to come: zeros
 *
 * In a log the return-to-go of a step is the sum of its reward and all that follow, undiscounted. Whoever
 * acts begins with a wish in its place, from which each reward is taken; what is asked for is never more than
 * the greatest return-to-go of the log, which is all that anybody has seen. What is shown of a return is the
 * log's standard score: less the mean of all returns-to-go, by their standard deviation. An imitator
 * (behaviour cloning) is shown zeros.
 */
#ifndef DQ_LEARN_TRAJECTORY_H
#define DQ_LEARN_TRAJECTORY_H

#include "learn/agent.h"

typedef struct dq_trajectory {
    uint32_t context;                   /* steps */
    uint32_t state_width, action_width; /* numbers of a step that are its state, and its action: */
    const float *const *actions;        /* vectors (action_width) by action; NULL: one-hot */
    bool imitates;
    double wish, greatest, mean, scale;
} dq_trajectory;

/* That of a configuration and shape, whose vectors of actions are borrowed. */
dq_trajectory dq_trajectory_of(const dq_agent_config *config, const dq_env_spec *shape);
/* Numbers of a step, and of a window. */
uint32_t dq_trajectory_step_width(const dq_trajectory *trajectory);
uint32_t dq_trajectory_width(const dq_trajectory *trajectory);

/* Writes a step without its action: all of it but the state, which is the caller's to write to what is
 * returned (state_width). */
float *dq_trajectory_show(const dq_trajectory *trajectory, float *step, double to_go);
/* The action of a step that was shown. */
void dq_trajectory_choose(const dq_trajectory *trajectory, float *step, uint32_t action);

/* --wish: "greatest" (of the log's), "none" (imitate), or a number; false: it is neither. */
bool dq_trajectory_read_wish(const char *text, dq_agent_config *config);

/* Windows of n episodes that are lived side by side by whoever acts. */
typedef struct dq_trajectories dq_trajectories;

dq_status dq_trajectories_new(dq_trajectories **trajectories, const dq_trajectory *trajectory, size_t n,
                              dq_error *error);
void dq_trajectories_free(dq_trajectories *trajectories);
/* The windows (n), as a store of states; contents change with the calls below. */
const dq_vectors *dq_trajectories_store(const dq_trajectories *trajectories);
/* Episode i begins in a state, and goes on; a reward of NAN is none. before: rewards that come before what is
 * wished for, in steps that are known already (0: the wish is of all). */
void dq_trajectories_begin(dq_trajectories *trajectories, size_t i, const float *state, double before);
void dq_trajectories_step(dq_trajectories *trajectories, size_t i, uint32_t action, float reward,
                          const float *next);

#endif
