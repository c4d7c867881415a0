/* SPDX-License-Identifier: MIT
 *
 * Exploration in rankings. An item's random number belongs to (seed, user, item), not to its place in the
 * stream, so blocks, shards and threads cannot change what is drawn.
 *
 * Softmax: sampling k items without replacement with probabilities proportional to exp(score / T) is taking
 * the k greatest score / T + G, G standard Gumbel (Kool, van Hoof and Welling, "Stochastic beams and where to
 * find them", ICML 2019), which streams.
 *
 * Epsilon: each place of the list is given, with probability epsilon, to an item drawn uniformly from the
 * rest of the catalogue instead of the best one left.
 */
#ifndef DQ_RANK_EXPLORE_H
#define DQ_RANK_EXPLORE_H

#include "core/rng.h"
#include "core/topk.h"

/* The generator of one pair. */
dq_rng dq_explore_rng(uint64_t seed, const char *user, size_t user_bytes, const char *item,
                      size_t item_bytes);

/* The key whose k greatest are a softmax sample: score / temperature + Gumbel noise. temperature > 0. */
float dq_explore_softmax(float score, double temperature, dq_rng *rng);

/* The key whose k greatest are a uniform sample in random order. */
float dq_explore_uniform(dq_rng *rng);

/* Mixes one user's k best with his k greatest by dq_explore_uniform (both at least min(k, candidates) long,
 * items told apart by their ids): out gets pointers into them. Returns their number, min(k, candidates). One
 * number is drawn from rng for each place. */
size_t dq_explore_epsilon(const dq_scored *best, size_t best_count, const dq_scored *random,
                          size_t random_count, double epsilon, dq_rng *rng, size_t k, const dq_scored **out);

#endif
