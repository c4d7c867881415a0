/* SPDX-License-Identifier: MIT
 *
 * AVX512_BF16: tiles of 14 rows by 32 lanes. vdpbf16ps multiplies the pairs of 16 lanes and adds to each lane
 * its two products, the second first, rounding after each; a product of two bfloat16 is exact in float32.
 * Numbers below 1.2e-38 are zeros to it, before and after, whatever the thread's mode. So the result is that
 * of fused multiplications and additions in float32 over k = 1, 0, 3, 2, ..., to the bit. (Tried on Zen 4
 * with 200,000 random sums. Intel's manual says the same of its own.)
 *
 * Zen 4 begins one such instruction of 512 bits a cycle, as of float32: twice the peak.
 */
#include "math/product/kernel.h"

#ifdef __x86_64__
#include <immintrin.h>

#include <string.h>

#define BF16 __attribute__((target("avx512bf16,avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")))

enum { ROWS = 14, LANES = 32, HALF = 16 };

static bool has(void)
{
    __builtin_cpu_init();
    return product_avx512.has() && __builtin_cpu_supports("avx512bf16");
}

/* The first n of 16 lanes. */
static inline __mmask16 first_lanes(size_t n)
{
    return (__mmask16)(n < HALF ? (1U << n) - 1 : 0xffffU);
}

BF16 static inline __m512i pair_of(const uint16_t *a)
{
    int pair;
    memcpy(&pair, a, sizeof pair);
    return _mm512_set1_epi32(pair);
}

/* `rows` is a constant wherever this is inlined. */
BF16 static inline __attribute__((always_inline)) void tile_of(const size_t rows, size_t k, const uint16_t *a,
                                                               size_t lda, const uint16_t *panel, float *c,
                                                               size_t ldc, size_t lanes, bool more)
{
    __m512 sum[ROWS][2];
    const __mmask16 mask[2] = {first_lanes(lanes), first_lanes(lanes > HALF ? lanes - HALF : 0)};
#pragma GCC unroll 14
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (size_t v = 0; v < 2; v++)
            sum[r][v] = more ? _mm512_maskz_loadu_ps(mask[v], c + r * ldc + v * HALF) : _mm512_setzero_ps();
    for (size_t i = 0; i < k; i += 2, a += 2, panel += 2 * LANES) {
        __m512bh b[2] = {(__m512bh)_mm512_loadu_si512(panel), (__m512bh)_mm512_loadu_si512(panel + LANES)};
#pragma GCC unroll 14
        for (size_t r = 0; r < rows; r++) {
            __m512bh pair = (__m512bh)pair_of(a + r * lda);
#pragma GCC unroll 2
            for (size_t v = 0; v < 2; v++) sum[r][v] = _mm512_dpbf16_ps(sum[r][v], pair, b[v]);
        }
    }
#pragma GCC unroll 14
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (size_t v = 0; v < 2; v++)
            if (lanes == LANES)
                _mm512_storeu_ps(c + r * ldc + v * HALF, sum[r][v]);
            else
                _mm512_mask_storeu_ps(c + r * ldc + v * HALF, mask[v], sum[r][v]);
}

#define CASE(rows)                                                                                           \
    case rows: tile_of(rows, k, a, lda, panel, c, ldc, lanes, more); break

BF16 static void tile(size_t rows, size_t k, const uint16_t *a, size_t lda, const uint16_t *panel, float *c,
                      size_t ldc, size_t lanes, bool more)
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

const product_half_kernel product_half_avx512 = {.word = "avx512",
                                                 .name = "AVX512_BF16",
                                                 .has = has,
                                                 .rows = ROWS,
                                                 .lanes = LANES,
                                                 .tile = tile,
                                                 .transpose = product_transpose_avx2};
#endif
