/* SPDX-License-Identifier: MIT
 *
 * The seeds of episodes. Each episode has its own, so that one can be played again alone: which is how a
 * process that keeps nothing is brought back to where a checkpoint was made.
 */
#ifndef DQ_ROLLOUT_SEED_H
#define DQ_ROLLOUT_SEED_H

#include <stddef.h>
#include <stdint.h>

/* The seed of episode number `episode` of environment `env` of a run with this seed: 0 .. 2^31 - 1, which
 * every generator takes. */
uint64_t dq_episode_seed(uint64_t seed, size_t env, uint64_t episode);

#endif
