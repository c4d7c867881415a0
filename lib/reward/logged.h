/* SPDX-License-Identifier: MIT
 *
 * Collects the rewards that a data set has of one user, by items: from the labels of interactions, and from
 * transitions. The last that has a reward counts. (dq_labeller looks a pair up instead: there its last
 * interaction counts, also where that has no reward.)
 */
#ifndef DQ_REWARD_LOGGED_H
#define DQ_REWARD_LOGGED_H

#include "data/dataset.h"
#include "data/label_map.h"

/* Into reward (items): interactions through the map or by their explicit number, then transitions over them;
 * NAN where neither has one. label (items; may be NULL): the label of what gave the reward, or where
 * nothing did the last one that was met, a row of the catalogue's labels; DQ_ABSENT: there is none. */
void dq_logged_rewards(const dq_dataset *dataset, const dq_label_map *map, uint32_t user, float *reward,
                       uint32_t *label);

/* The rewards of the user's transitions and their two parts, into reward, cosine and llm (items) each, which
 * keep what they hold for other items. False when one has a reward without both parts, or none has any. */
bool dq_logged_parts(const dq_dataset *dataset, uint32_t user, float *reward, float *cosine, float *llm);

#endif
