/* SPDX-License-Identifier: MIT
 *
 * A float as it is, also where a pool's threads take what is below 1.2e-38 for nothing (math/pool.h).
 */
#ifndef DQ_MATH_EXACT_H
#define DQ_MATH_EXACT_H

#include <stdint.h>
#include <string.h>

static inline double dq_exact(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if (bits << 1 >= 1U << 24) return (double)x;
    double size = (double)(bits & 0x7fffff) * 0x1p-149;
    return bits >> 31 ? -size : size;
}

#endif
