/* SPDX-License-Identifier: MIT
 *
 * Experience replay (Lin, "Self-improving reactive agents based on reinforcement learning, planning and
 * teaching", Machine Learning 8, 1992): a ring of the latest transitions, sampled uniformly without
 * replacement within a batch, or by priority (Schaul et al., "Prioritized experience replay", ICLR 2016).
 *
 *     P(i) = p_i^alpha / sum p^alpha       p_i = |TD error| + 1e-6; a new one has the greatest so far
 *     w_i = (N P(i))^-beta / max w         what makes up for the bias, in the loss
 *
 * A batch by priority takes one from each of n equal shares of the sum, so one may come twice.
 *
 * States are numbers of a store elsewhere (a catalogue's users) and are kept as numbers; or each slot owns
 * two vectors, its state and the next one, which are numbers 2 slot and 2 slot + 1 of the replay's own store.
 */
#ifndef DQ_LEARN_REPLAY_H
#define DQ_LEARN_REPLAY_H

#include "core/rng.h"
#include "core/transition.h"
#include "core/vectors.h"
#include "dq/bundle.h"

typedef struct dq_replay dq_replay;

/* Room for 1 <= capacity < 2^31 transitions; nothing is allocated afterwards. width: of a state that is kept;
 * 0: states are numbers of a store elsewhere. alpha 0: uniform. */
dq_status dq_replay_new(dq_replay **replay, size_t capacity, uint32_t width, double alpha, dq_error *error);
void dq_replay_free(dq_replay *replay);

/* Remembers one; the oldest gives way when the ring is full. Its states are copied out of `states` (not
 * looked at with width 0). */
void dq_replay_push(dq_replay *replay, const dq_vectors *states, const dq_transition *transition);
size_t dq_replay_count(const dq_replay *replay);
size_t dq_replay_capacity(const dq_replay *replay);
/* How many were pushed; number k, from 0, went to slot k mod capacity. After a restore it counts on from a
 * number that is right by that rule. */
uint64_t dq_replay_pushed(const dq_replay *replay);
/* What stands in a slot below count. */
dq_transition dq_replay_at(const dq_replay *replay, uint32_t slot);
/* The store that its states are numbers of: its own; NULL with width 0. */
const dq_vectors *dq_replay_states(const dq_replay *replay);

/* n slots, n <= count, and with priorities their weights (all 1 without). */
void dq_replay_sample(dq_replay *replay, dq_rng *rng, double beta, size_t n, uint32_t *slots, float *weights);
/* New priorities of sampled slots, from their TD errors. */
void dq_replay_prioritise(dq_replay *replay, const uint32_t *slots, const float *errors, size_t n);

/* Adds PREFIX.state, .next (vectors f4, or numbers u4), .action, .reward, .discount, .done, .priority to a
 * checkpoint (borrowed) and takes them up again, into a replay of the same capacity, width and alpha: it then
 * samples as the one that was saved. Numbers of states and actions are as they stand in the file: whoever
 * knows how many there are checks them. */
dq_status dq_replay_save(const dq_replay *replay, const char *prefix, dq_bundle *model, dq_error *error);
dq_status dq_replay_restore(dq_replay *replay, const char *prefix, const dq_bundle *model, dq_error *error);

#endif
