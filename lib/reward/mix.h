/* SPDX-License-Identifier: MIT
 *
 * From what is known about a (user, item) pair to its reward: labels through a map (data/label_map.h),
 * cosines by a scale, and a mixture of the two.
 *
 *     logged:  r as dq_label_map_reward has it (data/label_map.h), or none
 *     cosine:  r = (c + 1) / 2, or c
 *     hybrid:  r = w cosine + (1 - w) label
 */
#ifndef DQ_REWARD_MIX_H
#define DQ_REWARD_MIX_H

/* A raw cosine of [-1, 1] on the scale [0, 1]. */
static inline double dq_reward_of_cosine(double cosine)
{
    return (cosine + 1) / 2;
}

/* weight * cosine + (1 - weight) * label, for weight in [0, 1]. */
double dq_reward_mix(double weight, double cosine, double label);

#endif
