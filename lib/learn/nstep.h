/* SPDX-License-Identifier: MIT
 *
 * Returns over n steps (Sutton, "Learning to predict by the methods of temporal differences", 1988): what is
 * lived through in each of several environments side by side becomes
 *
 *     r_t + gamma r_t+1 + ... + gamma^(n-1) r_t+n-1      then gamma^n V(s_t+n)
 *
 * in a replay. At an episode's end the sums that are under way end there.
 */
#ifndef DQ_LEARN_NSTEP_H
#define DQ_LEARN_NSTEP_H

#include "learn/replay.h"

typedef struct dq_nstep dq_nstep;

/* n, envs >= 1. width: of a state, as the replay has it; 0: states are numbers of a store elsewhere. */
dq_status dq_nstep_new(dq_nstep **nstep, uint32_t n, uint32_t envs, uint32_t width, double gamma,
                       dq_error *error);
void dq_nstep_free(dq_nstep *nstep);
/* One step of an environment, of states in `states` (copied; not looked at with width 0); its discount is not
 * looked at. over: its episode has ended, or was truncated. What is complete goes to replay, with discount
 * gamma to the number of its steps less one. */
void dq_nstep_push(dq_nstep *nstep, uint32_t env, const dq_vectors *states, const dq_transition *transition,
                   bool over, dq_replay *replay);
/* Adds PREFIX.state, .action, .reward, .first, .count to a checkpoint (borrowed) and takes them up again. */
dq_status dq_nstep_save(const dq_nstep *nstep, const char *prefix, dq_bundle *model, dq_error *error);
dq_status dq_nstep_restore(dq_nstep *nstep, const char *prefix, const dq_bundle *model, dq_error *error);
/* Whether all steps under way are of numbered states (with width 0) and actions below these. */
bool dq_nstep_below(const dq_nstep *nstep, uint32_t states, uint32_t actions);

#endif
