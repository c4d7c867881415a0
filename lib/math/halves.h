/* SPDX-License-Identifier: MIT
 *
 * 8 halves as floats, exactly, in code that DQ_CLONES compiles for each width of vectors. A bfloat16 is the
 * upper half of a float. An IEEE half has 5 bits of exponent where a float has 8, and the same order of
 * fields: moved by 13 places it has its fraction where a float has it, and 112 more on the exponent make its
 * value; infinity takes 112 once more. Subnormals are whole numbers of 2^-24, which a float holds as usual
 * numbers: no thread that flushes denormals (math/pool.h) loses one. That is a dozen instructions, and for
 * IEEE halves CPUs with F16C have one that does the same.
 */
#ifndef DQ_MATH_HALVES_H
#define DQ_MATH_HALVES_H

#include "math/lanes.h"

#include <stdint.h>

typedef uint16_t unaligned_halves __attribute__((vector_size(16), aligned(2), may_alias));
typedef uint32_t half_bits __attribute__((vector_size(32)));
typedef int32_t half_counts __attribute__((vector_size(32)));

#define WIDE_BITS(at) __builtin_convertvector(*(const unaligned_halves *)(at), half_bits)

/* x (half_lanes) = 8 bfloat16 */
#define LOAD_BF16(x, at) (x = (half_lanes)(WIDE_BITS(at) << 16))

/* x (half_lanes) = 8 IEEE halves */
#define LOAD_F2(x, at)                                                                                       \
    do {                                                                                                     \
        half_bits bits_ = WIDE_BITS(at), sign_ = (bits_ & 0x8000U) << 16, size_ = bits_ & 0x7fffU;           \
        half_bits small_ = (half_bits)(size_ < 0x400U), last_ = (half_bits)(size_ >= 0x7c00U);               \
        half_bits usual_ = (size_ << 13) + (112U << 23) + (last_ & (112U << 23));                            \
        half_lanes tiny_ = __builtin_convertvector((half_counts)size_, half_lanes) * 0x1p-24F;               \
        x = (half_lanes)(((usual_ & ~small_) | ((half_bits)tiny_ & small_)) | sign_);                        \
    } while (0)

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define DQ_HAS_F16C
#define DQ_F16C __attribute__((target("avx2,f16c")))

#define LOAD_F2_F16C(x, at)                                                                                  \
    (x = (half_lanes)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(at))))
#endif

#endif
