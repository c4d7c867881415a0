/* SPDX-License-Identifier: MIT */
#include "rollout/seed.h"

#include "core/rng.h"

enum { EPISODE_STREAM = 0x65706973, SEED_BITS = 31 };

uint64_t dq_episode_seed(uint64_t seed, size_t env, uint64_t episode)
{
    dq_rng of_env = dq_rng_stream(seed, EPISODE_STREAM + (uint64_t)env);
    dq_rng of_episode = dq_rng_stream(dq_rng_u64(&of_env), episode);
    return dq_rng_u64(&of_episode) >> (64 - SEED_BITS);
}
