/* SPDX-License-Identifier: MIT
 *
 * AVX2: vpmaddubsw multiplies 32 unsigned bytes by 32 signed ones and adds pairs into 16 bits; the ranges of
 * int8.h leave room to add two such results there (vpaddw), before vpmaddwd with ones adds pairs again, into
 * 32 bits. So 64 products take three multiplying instructions, not four. A tile is 4 rows by 16 units; its
 * eight sums stay in registers, and weights are read from the panel where no register is left for them.
 */
#include "math/int8/int8.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#include <string.h>

#define AVX2 __attribute__((target("avx2")))

enum { ROWS = 4 };

static bool has(void)
{
    return __builtin_cpu_supports("avx2");
}

AVX2 static inline __m256i four(const uint8_t *at)
{
    int32_t bytes;
    memcpy(&bytes, at, sizeof bytes);
    return _mm256_set1_epi32(bytes);
}

AVX2 static inline __m256i load(const int8_t *at)
{
    return _mm256_load_si256((const __m256i *)(const void *)at);
}

/* In place: gcc 12 else moves sums from register to register and to the stack. */
AVX2 static inline __attribute__((always_inline)) __m256i plus(__m256i sum, __m256i x)
{
    __asm__("vpaddd %1, %0, %0" : "+x"(sum) : "x"(x));
    return sum;
}

AVX2 static inline __attribute__((always_inline)) void run(const size_t rows, size_t k4, const uint8_t *a,
                                                           const int8_t *panel, int32_t *c, size_t ldc)
{
    size_t lda = 4 * k4;
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i low[ROWS], high[ROWS];
    for (size_t r = 0; r < rows; r++) low[r] = high[r] = _mm256_setzero_si256();
    for (const int8_t *end = panel + 64 * k4; panel != end; a += 8, panel += 128) {
#pragma GCC unroll 4
        for (size_t r = 0; r < rows; r++) {
            __m256i x = four(a + r * lda), x2 = four(a + r * lda + 4);
            __m256i l = _mm256_add_epi16(_mm256_maddubs_epi16(x, load(panel)),
                                         _mm256_maddubs_epi16(x2, load(panel + 64)));
            __m256i h = _mm256_add_epi16(_mm256_maddubs_epi16(x, load(panel + 32)),
                                         _mm256_maddubs_epi16(x2, load(panel + 96)));
            low[r] = plus(low[r], _mm256_madd_epi16(l, ones));
            high[r] = plus(high[r], _mm256_madd_epi16(h, ones));
        }
    }
    for (size_t r = 0; r < rows; r++) {
        _mm256_storeu_si256((__m256i *)(void *)(c + r * ldc), low[r]);
        _mm256_storeu_si256((__m256i *)(void *)(c + r * ldc + 8), high[r]);
    }
}

AVX2 static void tile(size_t rows, size_t panels, size_t k4, const uint8_t *a, const int8_t *panel,
                      int32_t *c, size_t ldc)
{
    (void)panels; /* 1 */
    if (rows == ROWS)
        run(ROWS, k4, a, panel, c, ldc);
    else
        run(1, k4, a, panel, c, ldc);
}

const dq_int8_kernel int8_avx2 = {"AVX2", has, ROWS, 1, tile};
#else
static bool has(void)
{
    return false;
}

const dq_int8_kernel int8_avx2 = {"AVX2", has, 1, 1, NULL};
#endif
