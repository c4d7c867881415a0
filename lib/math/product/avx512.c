/* SPDX-License-Identifier: MIT
 *
 * AVX-512: tiles of 14 rows by 32 lanes. 28 of the 32 registers hold sums, 2 a row of the panel, 1 a number
 * of `a` in all its lanes.
 *
 * A core that begins two multiplications and additions a cycle (Intel's; Zen 4 begins one of this width) and
 * ends each four cycles later needs 8 sums that do not wait for each other; what more there are make each
 * load do for more: 2 + 14 loads, of 64 and of 4 bytes, for 28 multiplications of 16 lanes. The rows' numbers
 * are read where they lie, a line of each row for 16 turns; the panel passes from the second cache through
 * the first at 4.6 bytes a cycle, of the 32 and more that the second gives. So nothing but the
 * multiplications is waited for: in the first cache a tile with k = 256 runs at 99 % of the peak of the core
 * (measured on Zen 4), with k = 64 at 97 %.
 *
 * Where a panel is columns of a wide matrix each of its rows is on another page, where no prefetcher of the
 * CPU follows: each row asks for the one AHEAD rows further on. Beyond a panel's end that is a hint for
 * nothing, never a fault.
 */
#include "math/product/kernel.h"

#ifdef __x86_64__
#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")))

enum { ROWS = 14, LANES = 32, HALF = 16, AHEAD = 8 };

static bool has(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

/* The first n of 16 lanes. */
static inline __mmask16 first_lanes(size_t n)
{
    return (__mmask16)(n < HALF ? (1U << n) - 1 : 0xffffU);
}

/* `rows` and `vectors` are constants wherever this is inlined. */
AVX512 static inline __attribute__((always_inline)) void tile_of(const size_t rows, const size_t vectors,
                                                                 size_t k, const float *a, size_t lda,
                                                                 const float *panel, size_t ldp, float *c,
                                                                 size_t ldc, size_t lanes, bool more)
{
    __m512 sum[ROWS][2];
    const __mmask16 mask[2] = {first_lanes(lanes), first_lanes(lanes > HALF ? lanes - HALF : 0)};
#pragma GCC unroll 14
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (size_t v = 0; v < vectors; v++)
            sum[r][v] = more ? _mm512_maskz_loadu_ps(mask[v], c + r * ldc + v * HALF) : _mm512_setzero_ps();
    for (size_t i = 0; i < k; i++, a++, panel += ldp) {
        __m512 b[2];
#pragma GCC unroll 2
        for (size_t v = 0; v < vectors; v++) {
            b[v] = _mm512_loadu_ps(panel + v * HALF);
            _mm_prefetch(panel + AHEAD * ldp + v * HALF, _MM_HINT_T0);
        }
#pragma GCC unroll 14
        for (size_t r = 0; r < rows; r++) {
            __m512 all = _mm512_set1_ps(a[r * lda]);
#pragma GCC unroll 2
            for (size_t v = 0; v < vectors; v++) sum[r][v] = _mm512_fmadd_ps(all, b[v], sum[r][v]);
        }
    }
#pragma GCC unroll 14
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (size_t v = 0; v < vectors; v++)
            if (lanes == LANES) /* a masked store takes AMD's cores ten times as long */
                _mm512_storeu_ps(c + r * ldc + v * HALF, sum[r][v]);
            else
                _mm512_mask_storeu_ps(c + r * ldc + v * HALF, mask[v], sum[r][v]);
}

#define CASE(rows, vectors)                                                                                  \
    case rows:                                                                                               \
        tile_of(rows, vectors, k, a, lda, panel, ldp, c, ldc, lanes, more);                                  \
        break

#define CASES(vectors)                                                                                       \
    switch (rows) {                                                                                          \
        CASE(1, vectors);                                                                                    \
        CASE(2, vectors);                                                                                    \
        CASE(3, vectors);                                                                                    \
        CASE(4, vectors);                                                                                    \
        CASE(5, vectors);                                                                                    \
        CASE(6, vectors);                                                                                    \
        CASE(7, vectors);                                                                                    \
        CASE(8, vectors);                                                                                    \
        CASE(9, vectors);                                                                                    \
        CASE(10, vectors);                                                                                   \
        CASE(11, vectors);                                                                                   \
        CASE(12, vectors);                                                                                   \
        CASE(13, vectors);                                                                                   \
        CASE(14, vectors);                                                                                   \
    }

AVX512 static void tile(size_t rows, size_t k, const float *a, size_t lda, const float *panel, size_t ldp,
                        float *c, size_t ldc, size_t lanes, bool more)
{
    if (lanes > HALF)
        CASES(2)
    else
        CASES(1)
}

const product_kernel product_avx512 = {.word = "avx512",
                                       .name = "AVX-512",
                                       .has = has,
                                       .rows = ROWS,
                                       .lanes = LANES,
                                       .tile = tile,
                                       .transpose = product_transpose_avx2};
#endif
