/* SPDX-License-Identifier: MIT
 *
 * Random numbers with explicit state: xoshiro256** seeded by splitmix64 (Blackman and Vigna, "Scrambled
 * linear pseudorandom number generators", ACM TOMS 47, 2021). The same seed gives the same numbers on every
 * machine.
 *
 * A component that draws independently of the others takes a stream of its own (dq_rng_stream), so that a
 * change in how often one component draws does not move the others. The state is 32 bytes and is saved in
 * checkpoints.
 */
#ifndef DQ_CORE_RNG_H
#define DQ_CORE_RNG_H

#include <stddef.h>
#include <stdint.h>

typedef struct dq_rng {
    uint64_t s[4];
} dq_rng;

/* The generator for a seed. */
dq_rng dq_rng_new(uint64_t seed);

/* An independent generator for (seed, stream): streams are numbered by their users, e.g. by tile or by
 * purpose. */
dq_rng dq_rng_stream(uint64_t seed, uint64_t stream);

uint64_t dq_rng_u64(dq_rng *rng);

/* Uniform in [0, 1), 53 bits. */
double dq_rng_uniform(dq_rng *rng);

/* Uniform in {0 .. n-1}, unbiased (Lemire 2019); n > 0. */
uint64_t dq_rng_below(dq_rng *rng, uint64_t n);

/* Standard normal (Marsaglia's polar method; no value is kept between calls). */
double dq_rng_normal(dq_rng *rng);

/* Fisher-Yates over n 32-bit numbers. */
void dq_rng_shuffle(dq_rng *rng, uint32_t *values, size_t n);

/* k distinct numbers of {0 .. n-1} into out, in random order; k <= n. scratch holds n numbers and is
 * overwritten. */
void dq_rng_sample(dq_rng *rng, uint32_t *out, size_t k, uint32_t *scratch, size_t n);

#endif
