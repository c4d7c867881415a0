/* SPDX-License-Identifier: MIT
 *
 * Runs in 16 lanes; their sums are two vectors of 8, always in the same order of additions.
 */
#ifndef DQ_MATH_LANES_H
#define DQ_MATH_LANES_H

#include <stddef.h>
#include <string.h>

enum { LANES = 16 };

typedef float lanes __attribute__((vector_size(64)));
typedef float unaligned_lanes __attribute__((vector_size(64), aligned(4), may_alias));

#define LOAD(at) (*(const unaligned_lanes *)(at))

typedef float half_lanes __attribute__((vector_size(32)));
typedef float unaligned_half_lanes __attribute__((vector_size(32), aligned(4), may_alias));
typedef float quarter_lanes __attribute__((vector_size(16)));

/* The 16 lanes of a sum through a loop, as two vectors: gcc 12 keeps one of 64 bytes in memory from turn to
 * turn where registers are narrower, four times slower in a dot product with AVX2. With AVX-512 these are two
 * registers where one would do: what that costs has not been measured. */
typedef struct lane_sums {
    half_lanes low, high;
} lane_sums;

#define NO_SUMS ((lane_sums){{0}, {0}})

#define LOAD_8(at) (*(const unaligned_half_lanes *)(at))

#define LANES_INLINE static inline __attribute__((always_inline))

/* sums += a b, of 16 numbers each */
LANES_INLINE void sums_add_products(lane_sums *sums, const float *a, const float *b)
{
    sums->low += LOAD_8(a) * LOAD_8(b);
    sums->high += LOAD_8(a + LANES / 2) * LOAD_8(b + LANES / 2);
}

/* sums += scale a */
LANES_INLINE void sums_add_scaled(lane_sums *sums, const float *a, float scale)
{
    sums->low += scale * LOAD_8(a);
    sums->high += scale * LOAD_8(a + LANES / 2);
}

LANES_INLINE lane_sums sums_load(const float *at)
{
    return (lane_sums){LOAD_8(at), LOAD_8(at + LANES / 2)};
}

LANES_INLINE void sums_store(float *at, lane_sums sums)
{
    *(unaligned_half_lanes *)at = sums.low;
    *(unaligned_half_lanes *)(at + LANES / 2) = sums.high;
}

LANES_INLINE void sums_join(lane_sums *sums, lane_sums more)
{
    sums->low += more.low;
    sums->high += more.high;
}

/* The sum of the lanes, folded pairwise: 16 to 8, to 4, to 2, to 1. */
LANES_INLINE float sums_fold(lane_sums sums)
{
    quarter_lanes low, high;
    half_lanes half = sums.low + sums.high;
    memcpy(&low, &half, sizeof low);
    memcpy(&high, (const char *)&half + sizeof low, sizeof high);
    low += high;
    return (low[0] + low[2]) + (low[1] + low[3]);
}

typedef int half_mask __attribute__((vector_size(32)));
typedef int unaligned_half_mask __attribute__((vector_size(32), aligned(4), may_alias));

static const int LAST_LANES[2 * LANES] = {0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
                                          -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};

/* 8 of the last 16 numbers of a run that ends there, those behind the first `at`; numbers that whole vectors
 * of the run's n hold are 0. */
#define LAST_8(end, n, at)                                                                                   \
    ((half_lanes)((half_mask)LOAD_8((end)-LANES + (at)) &                                                    \
                  *(const unaligned_half_mask *)(LAST_LANES + (n) % LANES + (at))))

/* sums += a b of the last n % LANES numbers of runs of n >= LANES. */
LANES_INLINE void sums_add_last_products(lane_sums *sums, const float *a, const float *b, size_t n)
{
    sums->low += LAST_8(a + n, n, 0) * LAST_8(b + n, n, 0);
    sums->high += LAST_8(a + n, n, LANES / 2) * LAST_8(b + n, n, LANES / 2);
}

#endif
