/* SPDX-License-Identifier: MIT */
#include "reward/mix.h"

double dq_reward_of_cosine(double cosine)
{
    return (cosine + 1) / 2;
}

double dq_reward_mix(double weight, double cosine, double label)
{
    return weight * cosine + (1 - weight) * label;
}
