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
 *
 * Ensemble: each user's list is that of one member, drawn uniformly: Thompson sampling, where members stand
 * for draws from what is believed of Q (Osband et al., "Deep exploration via bootstrapped DQN", NeurIPS 2016;
 * Russo et al., "A tutorial on Thompson sampling", 2018). What no member would list is never shown, so its
 * value cannot be told from the log.
 *
 * Propensities: how likely each item of a list was to get its place, given those above it. The product is the
 * probability of the list.
 */
#ifndef DQ_RANK_EXPLORE_H
#define DQ_RANK_EXPLORE_H

#include "core/rng.h"
#include "core/topk.h"

#include <stdbool.h>

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

/* The propensities of such a list, out[0 .. n), of so many candidates: epsilon / (candidates left), and
 * 1 - epsilon more where it is the best one left. */
void dq_explore_epsilon_propensities(const dq_scored *best, size_t best_count, uint64_t candidates,
                                     double epsilon, const dq_scored *const *out, size_t n,
                                     double *propensity);

/* The propensities of the list of one member that was drawn uniformly of `members`: lists (members) of n
 * items each, best first. At each place the share, of the members whose lists are the same above it, that
 * have the same item there: exact, and at least 1 / members. */
void dq_explore_member_propensities(const dq_scored *const *lists, size_t members, size_t drawn, size_t n,
                                    double *propensity);

/* The sum of exp(x) over items that stream by, the same bits in whatever order they come: a number of whole
 * limbs of 32 bits each, of which those are kept that reach 2^-96 of the greatest x. Zero-initialise. */
enum { DQ_EXPLORE_LIMBS = 6 };
typedef struct dq_explore_sum {
    bool any;
    int64_t top;                     /* the limb at limbs[0] stands for 2^(32 top), and so down */
    int64_t limbs[DQ_EXPLORE_LIMBS]; /* sums of 32 bits each, not carried */
} dq_explore_sum;

void dq_explore_sum_add(dq_explore_sum *sum, double x);
/* Takes one away that was added. */
void dq_explore_sum_remove(dq_explore_sum *sum, double x);
/* The logarithm of the sum; -INFINITY when nothing is left of it. */
double dq_explore_sum_log(const dq_explore_sum *sum);

/* The propensities of a softmax list, in its order: chosen[0 .. n) with their scores, of the candidates that
 * are `best` (by score, best first, at least min(n, candidates) of them) and the rest, whose exp(score /
 * temperature) are summed in `rest`. A list's propensities are above 0 and at most 1. */
void dq_explore_softmax_propensities(const dq_scored *chosen, size_t n, const dq_scored *best,
                                     size_t best_count, const dq_explore_sum *rest, double temperature,
                                     double *propensity);

#endif
