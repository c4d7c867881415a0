/* SPDX-License-Identifier: MIT
 *
 * Experience replay (Lin, "Self-improving reactive agents based on reinforcement learning, planning and
 * teaching", Machine Learning 8, 1992): a ring of the latest transitions, sampled uniformly and without
 * replacement within a batch, as Python's random.sample does.
 *
 * States and actions are numbers of users and items; the vectors stay in the catalogue.
 */
#ifndef DQ_LEARN_REPLAY_H
#define DQ_LEARN_REPLAY_H

#include "core/rng.h"
#include "core/transition.h"
#include "dq/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct dq_replay dq_replay;

/* Room for capacity >= 1 transitions; nothing is allocated afterwards. */
dq_status dq_replay_new(dq_replay **replay, size_t capacity, dq_error *error);
void dq_replay_free(dq_replay *replay);

/* Remembers one; the oldest gives way when the ring is full. */
void dq_replay_push(dq_replay *replay, const dq_transition *transition);

size_t dq_replay_count(const dq_replay *replay);
size_t dq_replay_capacity(const dq_replay *replay);

/* Transition i, 0 the oldest; i < count. */
dq_transition dq_replay_at(const dq_replay *replay, size_t i);

/* n distinct transitions, every set of n equally likely (Floyd's algorithm, n draws whatever the count). The
 * order within a batch carries no meaning. n <= count. */
void dq_replay_sample(dq_replay *replay, dq_rng *rng, dq_transition *out, size_t n);

#endif
