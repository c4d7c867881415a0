/* SPDX-License-Identifier: MIT
 *
 * Sums in 16 lanes: one vector register with AVX-512, two or four of narrower ones, always the same order of
 * additions.
 */
#ifndef DQ_MATH_LANES_H
#define DQ_MATH_LANES_H

#include <stddef.h>

enum { LANES = 16 };

typedef float lanes __attribute__((vector_size(64)));
typedef float unaligned_lanes __attribute__((vector_size(64), aligned(4), may_alias));

#define LOAD(at) (*(const unaligned_lanes *)(at))

/* Folds the lanes of `sum` pairwise into lane 0. */
#define FOLD(sum)                                                                                            \
    do {                                                                                                     \
        for (size_t half_ = LANES / 2; half_ > 0; half_ /= 2)                                                \
            for (size_t lane_ = 0; lane_ < half_; lane_++) (sum)[lane_] += (sum)[lane_ + half_];             \
    } while (0)

#endif
