/* SPDX-License-Identifier: MIT
 *
 * AVX-512 VNNI: vpdpbusd multiplies 64 unsigned bytes by 64 signed ones and adds fours of products to 16 sums
 * of 32 bits. A tile is 6 rows by 4 panels of 16 units: 24 sums in registers, for which a step loads 4
 * vectors of weights and broadcasts 4 numbers of each of 6 rows, so that loads keep up with the
 * multiplications.
 */
#include "math/int8/int8.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#include <string.h>

#define VNNI __attribute__((target("avx512f,avx512vnni")))

enum { ROWS = 6, PANELS = 4 };

static bool has(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vnni");
}

VNNI static inline __m512i four(const uint8_t *at)
{
    int32_t bytes;
    memcpy(&bytes, at, sizeof bytes);
    return _mm512_set1_epi32(bytes);
}

VNNI static inline __attribute__((always_inline)) void
run(size_t rows, size_t panels, size_t k4, const uint8_t *a, const int8_t *panel, int32_t *c, size_t ldc)
{
    size_t lda = 4 * k4, next = DQ_INT8_PANEL * lda;
    __m512i sum[ROWS][PANELS];
#pragma GCC unroll 8
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (size_t p = 0; p < panels; p++) sum[r][p] = _mm512_setzero_si512();
    for (size_t k = 0; k < k4; k++, a += 4, panel += 64) {
        __m512i w[PANELS];
#pragma GCC unroll 8
        for (size_t p = 0; p < panels; p++) w[p] = _mm512_load_si512((const void *)(panel + p * next));
#pragma GCC unroll 8
        for (size_t r = 0; r < rows; r++) {
            __m512i x = four(a + r * lda);
#pragma GCC unroll 8
            for (size_t p = 0; p < panels; p++) sum[r][p] = _mm512_dpbusd_epi32(sum[r][p], x, w[p]);
        }
    }
#pragma GCC unroll 8
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (size_t p = 0; p < panels; p++)
            _mm512_storeu_si512((void *)(c + r * ldc + p * DQ_INT8_PANEL), sum[r][p]);
}

/* Whole tiles have the number of rows and panels in their code. */
VNNI static void tile(size_t rows, size_t panels, size_t k4, const uint8_t *a, const int8_t *panel,
                      int32_t *c, size_t ldc)
{
    if (rows == ROWS && panels == PANELS)
        run(ROWS, PANELS, k4, a, panel, c, ldc);
    else if (rows == ROWS)
        run(ROWS, 1, k4, a, panel, c, ldc);
    else if (panels == PANELS)
        run(1, PANELS, k4, a, panel, c, ldc);
    else
        run(1, 1, k4, a, panel, c, ldc);
}

const dq_int8_kernel int8_vnni = {"VNNI", has, ROWS, PANELS, tile};
#else
static bool has(void)
{
    return false;
}

const dq_int8_kernel int8_vnni = {"VNNI", has, 1, 1, NULL};
#endif
