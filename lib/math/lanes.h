/* SPDX-License-Identifier: MIT
 *
 * Sums in 16 lanes: one vector register with AVX-512, two or four of narrower ones, always the same order of
 * additions.
 */
#ifndef DQ_MATH_LANES_H
#define DQ_MATH_LANES_H

#include <stddef.h>
#include <string.h>

enum { LANES = 16 };

typedef float lanes __attribute__((vector_size(64)));
typedef float unaligned_lanes __attribute__((vector_size(64), aligned(4), may_alias));

#define LOAD(at)         (*(const unaligned_lanes *)(at))
#define STORE(at, value) (*(unaligned_lanes *)(at) = (value))

typedef float half_lanes __attribute__((vector_size(32)));
typedef float quarter_lanes __attribute__((vector_size(16)));

/* Folds the lanes of `sum` pairwise into lane 0: 16 to 8, to 4, to 2, to 1. */
#define FOLD(sum)                                                                                            \
    do {                                                                                                     \
        half_lanes low_, high_;                                                                              \
        quarter_lanes lower_, higher_;                                                                       \
        memcpy(&low_, &(sum), sizeof low_);                                                                  \
        memcpy(&high_, (const char *)&(sum) + sizeof low_, sizeof high_);                                    \
        low_ += high_;                                                                                       \
        memcpy(&lower_, &low_, sizeof lower_);                                                               \
        memcpy(&higher_, (const char *)&low_ + sizeof lower_, sizeof higher_);                               \
        lower_ += higher_;                                                                                   \
        (sum)[0] = (lower_[0] + lower_[2]) + (lower_[1] + lower_[3]);                                        \
    } while (0)

/* The last numbers of a run of n, which whole vectors left: n % LANES of them, in the last lanes of what is
 * loaded at the run's end, n >= LANES. The others are 0. */
typedef int lane_mask __attribute__((vector_size(64)));
typedef int unaligned_mask __attribute__((vector_size(64), aligned(4), may_alias));

static const int LAST_LANES[2 * LANES] = {0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
                                          -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};

#define LOAD_LAST(at, n)                                                                                     \
    ((lanes)((lane_mask)LOAD((at) + (n)-LANES) & *(const unaligned_mask *)(LAST_LANES + (n) % LANES)))

#endif
