/* SPDX-License-Identifier: MIT
 *
 * What a run of training online tells, as records for a log: one form for every environment and every agent.
 *
 *     an episode      episode, env, steps, total_steps, learnt, updates, return, reward (the mean of a
 *                     step), what the environment counts, rate, epsilon (nil where softmax explores), beta,
 *                     and q_loss, world_loss, planning_loss, gradient: means since an episode last ended,
 *                     nil where there was none
 *     an evaluation   evaluation, episode, total_steps, best (whether it is, so far), and
 *                     evaluation_episodes, return, sd, min, max, steps, value, discounted, and each count:
 *                     means over its episodes; cut: how many of these were cut off
 */
#ifndef DQ_ROLLOUT_REPORT_H
#define DQ_ROLLOUT_REPORT_H

#include "rollout/online.h"

/* Sets the entries in a map; false when memory is short. */
bool dq_online_report_episode(const dq_online *run, size_t env, dq_arena *arena, dq_value *record);
bool dq_online_report_evaluation(const dq_online *run, const dq_played *played, bool best, dq_arena *arena,
                                 dq_value *record);

#endif
