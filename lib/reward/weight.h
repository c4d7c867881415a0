/* SPDX-License-Identifier: MIT
 *
 * Annealing: how much of a reward is the cosine and how much the language model's, as training goes on. Both
 * parts are kept beside each other, so another weight asks nobody.
 *
 *     w(e) = to                                  e >= over
 *          = from                                before, in one jump
 *          = from + (to - from) e / over         before, in a line
 *     r    = w cosine + (1 - w) llm
 */
#ifndef DQ_REWARD_WEIGHT_H
#define DQ_REWARD_WEIGHT_H

#include "dq/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct dq_reward_weight {
    double from, to; /* of the cosine, 0 .. 1 */
    uint64_t over;   /* episodes; 0: it is `to` from the first */
    bool jump;
} dq_reward_weight;

/* "A", "A:B" or "A:B@N", over N in 1 .. 1e9 (0 where none is named), in a line; false for anything else. */
bool dq_reward_weight_parse(const char *text, dq_reward_weight *weight);

/* From a share as above (NULL: 1:0), and the episode where it jumps (NULL: it falls in a line). Returns NULL,
 * or in words what is wrong with the share. */
const char *dq_reward_weight_choose(const char *share, const uint64_t *jump_at, dq_reward_weight *weight);

/* The weight in an episode (from 0). */
double dq_reward_weight_at(const dq_reward_weight *weight, uint64_t episode);

/* The reward of its parts; a part of no weight may be NAN, as where it was never asked for. */
float dq_reward_weigh(double weight, float cosine, float llm);

/* DQ_ERR_RANGE where one of n rewards (NAN: none) has not both parts beside it. */
dq_status dq_reward_check_parts(const float *reward, const float *cosine, const float *llm, size_t n,
                                dq_error *error);

#endif
