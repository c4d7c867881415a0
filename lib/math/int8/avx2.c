/* SPDX-License-Identifier: MIT
 *
 * AVX2: vpmaddubsw multiplies 32 unsigned bytes by 32 signed ones and adds pairs into 16 bits; the ranges of
 * int8.h leave room to add two such results there (vpaddw), before vpmaddwd with ones adds pairs again, into
 * 32 bits. So 64 products take three multiplying instructions, not four. A tile is 4 rows by 16 units.
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

AVX2 static inline __attribute__((always_inline)) void run(size_t rows, size_t k4, const uint8_t *a,
                                                           const int8_t *panel, int32_t *c, size_t ldc)
{
    size_t lda = 4 * k4;
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i low[ROWS], high[ROWS];
    for (size_t r = 0; r < rows; r++) low[r] = high[r] = _mm256_setzero_si256();
    for (size_t k = 0; k < k4; k += 2, a += 8, panel += 128) {
        __m256i w = load(panel), w2 = load(panel + 64), v = load(panel + 32), v2 = load(panel + 96);
        for (size_t r = 0; r < rows; r++) {
            __m256i x = four(a + r * lda), x2 = four(a + r * lda + 4);
            __m256i l = _mm256_add_epi16(_mm256_maddubs_epi16(x, w), _mm256_maddubs_epi16(x2, w2));
            __m256i h = _mm256_add_epi16(_mm256_maddubs_epi16(x, v), _mm256_maddubs_epi16(x2, v2));
            low[r] = _mm256_add_epi32(low[r], _mm256_madd_epi16(l, ones));
            high[r] = _mm256_add_epi32(high[r], _mm256_madd_epi16(h, ones));
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
