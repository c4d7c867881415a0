/* SPDX-License-Identifier: MIT
 *
 * AVX-512: tiles of 14 rows by 32 lanes. 28 of the 32 registers hold sums, 2 a row of the panel.
 */
#include "math/product/kernel.h"

#ifdef __x86_64__
#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")))

enum { ROWS = 14, LANES = 32, HALF = 16, AHEAD = 8 /* lines copied in 16 turns */ };

#define LINE(to, from) _mm512_store_ps(to, _mm512_loadu_ps(from))

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

AVX512 static inline __attribute__((always_inline)) void tile_of(const size_t rows, size_t k, const float *a,
                                                                 const float *panel, float *c, size_t ldc,
                                                                 size_t lanes, bool more,
                                                                 product_ahead *ahead)
{
    __m512 sum[ROWS][2];
    __mmask16 low = first_lanes(lanes), high = first_lanes(lanes > HALF ? lanes - HALF : 0);
#pragma GCC unroll 14
    for (size_t r = 0; r < rows; r++) {
        sum[r][0] = more ? _mm512_maskz_loadu_ps(low, c + r * ldc) : _mm512_setzero_ps();
        sum[r][1] = more ? _mm512_maskz_loadu_ps(high, c + r * ldc + HALF) : _mm512_setzero_ps();
    }
    for (size_t i = 0; i < k; i++, panel += LANES) {
        if (i % PRODUCT_LINE == 0) PRODUCT_COPY_LINES(ahead, AHEAD, LINE)
        __m512 b0 = _mm512_load_ps(panel), b1 = _mm512_load_ps(panel + HALF);
#pragma GCC unroll 14
        for (size_t r = 0; r < rows; r++) {
            __m512 all = _mm512_set1_ps(a[r * PRODUCT_STRIDE + i]);
            sum[r][0] = _mm512_fmadd_ps(all, b0, sum[r][0]);
            sum[r][1] = _mm512_fmadd_ps(all, b1, sum[r][1]);
        }
    }
#pragma GCC unroll 14
    for (size_t r = 0; r < rows; r++) {
        if (lanes == LANES) { /* AMD's masked stores take ten times as long */
            _mm512_storeu_ps(c + r * ldc, sum[r][0]);
            _mm512_storeu_ps(c + r * ldc + HALF, sum[r][1]);
        } else {
            _mm512_mask_storeu_ps(c + r * ldc, low, sum[r][0]);
            _mm512_mask_storeu_ps(c + r * ldc + HALF, high, sum[r][1]);
        }
    }
}

#define CASE(n)                                                                                              \
    case n: tile_of(n, k, a, panel, c, ldc, lanes, more, ahead); break

AVX512 static void tile(size_t rows, size_t k, const float *a, const float *panel, float *c, size_t ldc,
                        size_t lanes, bool more, product_ahead *ahead)
{
    switch (rows) {
        CASE(1);
        CASE(2);
        CASE(3);
        CASE(4);
        CASE(5);
        CASE(6);
        CASE(7);
        CASE(8);
        CASE(9);
        CASE(10);
        CASE(11);
        CASE(12);
        CASE(13);
        CASE(14);
    }
}

const product_kernel product_avx512 = {.word = "avx512",
                                       .name = "AVX-512",
                                       .has = has,
                                       .rows = ROWS,
                                       .lanes = LANES,
                                       .tile = tile,
                                       .transpose = product_transpose_avx2};
#endif
