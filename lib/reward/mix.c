/* SPDX-License-Identifier: MIT */
#include "reward/mix.h"

double dq_reward_mix(double weight, double cosine, double label)
{
    return weight * cosine + (1 - weight) * label;
}
