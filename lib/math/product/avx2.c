/* SPDX-License-Identifier: MIT
 *
 * AVX2 and FMA: tiles of 6 rows by 16 lanes. 12 of the 16 registers hold sums, 2 a row of the panel, 1 a
 * number of `a` in all its lanes. A core that begins two multiplications and additions a cycle and ends each
 * after 4 or 5 needs 8 to 10 sums that do not wait for each other; 12 are enough, and let 8 loads do for 12
 * multiplications, so that the loads (2 or 3 a cycle) are never what is waited for. In the first cache a tile
 * with k = 256 runs at 99 % of the peak of the core (measured on Zen 4), with k = 64 at 97 %.
 *
 * What else the loop does is counted too. Zen 3 begins 6 operations a cycle, and half of them where the other
 * thread of the core is at work: then the 6 cycles that 12 multiplications take have room for 18 operations,
 * and each of more than that costs time. So a turn of the loop has TURN numbers of k, with two pointers for
 * six rows (each row is a pointer and none, one or two times `lda`) and the panel's end for a counter: 21
 * operations a number of k in place of 25 (docs/performance.md has what that gains). Eight numbers a turn are
 * too many for gcc 12, which runs out of registers.
 *
 * A tile with fewer rows has a loop of its own, made by the compiler from one text: the number of rows is a
 * constant in each. Lanes beyond the last are computed with the zeros of the panel, and masked when stored.
 *
 * AHEAD: rows of a panel from what is multiplied to what is asked for, where lanes are read where they lie:
 * the processor asks for packed ones by itself. A whole line is a row here, and of more than a few that lie
 * 4096 bytes apart the first would be gone before it is used.
 */
#include "math/product/kernel.h"

#ifdef __x86_64__
#include <immintrin.h>

#include <stdint.h>
#include <string.h>

#define AVX2 __attribute__((target("avx2,fma")))

enum { ROWS = 6, LANES = 16, HALF = 8, TURN = 4, AHEAD = 2 };

static bool has(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static const int32_t masks[2 * HALF] = {-1, -1, -1, -1, -1, -1, -1, -1};

/* The first n of 8 lanes. */
AVX2 static inline __m256i first_lanes(size_t n)
{
    return _mm256_loadu_si256((const __m256i *)(masks + HALF - (n < HALF ? n : HALF)));
}

/* sum + a b in the one form whose result is where the sum was. Of the intrinsic gcc 12 also makes those that
 * take the place of a factor, and then moves sums from register to register and to the stack. */
AVX2 static inline __attribute__((always_inline)) __m256 plus_product(__m256 sum, __m256 a, __m256 b)
{
    __asm__("vfmadd231ps %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b));
    return sum;
}

/* Adds the products of `turn` numbers of each row and as many rows of the panel to the sums. Three rows are
 * reached from `low`, the others from `high`. What is `const` is a constant wherever this is inlined. */
AVX2 static inline __attribute__((always_inline)) void
multiply(const size_t rows, const size_t vectors, const size_t turn, const float *low, const float *high,
         size_t lda, const float *panel, size_t ldp, __m256 sum[ROWS][2])
{
#pragma GCC unroll 4
    for (size_t i = 0; i < turn; i++, panel += ldp) {
        __m256 b[2];
#pragma GCC unroll 2
        for (size_t v = 0; v < vectors; v++) b[v] = _mm256_loadu_ps(panel + v * HALF);
        if (ldp != LANES) _mm_prefetch(panel + AHEAD * ldp, _MM_HINT_T0);
#pragma GCC unroll 6
        for (size_t r = 0; r < rows; r++) {
            const __m256 all = _mm256_broadcast_ss((r < 3 ? low : high) + r % 3 * lda + i);
#pragma GCC unroll 2
            for (size_t v = 0; v < vectors; v++) sum[r][v] = plus_product(sum[r][v], all, b[v]);
        }
    }
}

/* `ldp` too is a constant where the panel is packed and all of its lanes are read. */
AVX2 static inline __attribute__((always_inline)) void tile_of(const size_t rows, const size_t vectors,
                                                               size_t k, const float *a, size_t lda,
                                                               const float *panel, size_t ldp, float *c,
                                                               size_t ldc, size_t lanes, bool more)
{
    __m256 sum[ROWS][2];
    const __m256i mask[2] = {first_lanes(lanes), first_lanes(lanes > HALF ? lanes - HALF : 0)};
#pragma GCC unroll 6
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (size_t v = 0; v < vectors; v++)
            sum[r][v] = more ? _mm256_maskload_ps(c + r * ldc + v * HALF, mask[v]) : _mm256_setzero_ps();
    const float *low = a, *high = rows > 3 ? a + 3 * lda : a;
    const float *end = panel + k * ldp, *turns_end = panel + k / TURN * TURN * ldp;
    for (; panel != turns_end; panel += TURN * ldp, low += TURN, high += TURN)
        multiply(rows, vectors, TURN, low, high, lda, panel, ldp, sum);
    for (; panel != end; panel += ldp, low++, high++)
        multiply(rows, vectors, 1, low, high, lda, panel, ldp, sum);
#pragma GCC unroll 6
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (size_t v = 0; v < vectors; v++)
            if (lanes == LANES) /* a masked store takes AMD's cores ten times as long */
                _mm256_storeu_ps(c + r * ldc + v * HALF, sum[r][v]);
            else
                _mm256_maskstore_ps(c + r * ldc + v * HALF, mask[v], sum[r][v]);
}

#define CASE(rows, vectors, ldp)                                                                             \
    case rows:                                                                                               \
        tile_of(rows, vectors, k, a, lda, panel, ldp, c, ldc, lanes, more);                                  \
        break

#define CASES(vectors, ldp)                                                                                  \
    switch (rows) {                                                                                          \
        CASE(1, vectors, ldp);                                                                               \
        CASE(2, vectors, ldp);                                                                               \
        CASE(3, vectors, ldp);                                                                               \
        CASE(4, vectors, ldp);                                                                               \
        CASE(5, vectors, ldp);                                                                               \
        CASE(6, vectors, ldp);                                                                               \
    }

AVX2 static void tile(size_t rows, size_t k, const float *a, size_t lda, const float *panel, size_t ldp,
                      float *c, size_t ldc, size_t lanes, bool more)
{
    if (lanes <= HALF)
        CASES(1, ldp)
    else if (ldp != LANES)
        CASES(2, ldp)
    else
        CASES(2, LANES)
}

/* ---- transposing ---- */

/* 4 floats of a row, and below them 4 of the row 4 further on. */
AVX2 static inline __m256 two_rows(const float *from, size_t ld)
{
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(from)), _mm_loadu_ps(from + 4 * ld), 1);
}

/* 8 rows of 4 columns become 4 rows of 8. */
AVX2 static inline void transpose_8_by_4(const float *from, size_t ld, float *to, size_t ldto)
{
    __m256 a = two_rows(from, ld), b = two_rows(from + ld, ld), c = two_rows(from + 2 * ld, ld),
           d = two_rows(from + 3 * ld, ld);
    __m256 ab = _mm256_unpacklo_ps(a, b), AB = _mm256_unpackhi_ps(a, b), cd = _mm256_unpacklo_ps(c, d),
           CD = _mm256_unpackhi_ps(c, d);
    _mm256_storeu_ps(to, _mm256_shuffle_ps(ab, cd, 0x44));
    _mm256_storeu_ps(to + ldto, _mm256_shuffle_ps(ab, cd, 0xee));
    _mm256_storeu_ps(to + 2 * ldto, _mm256_shuffle_ps(AB, CD, 0x44));
    _mm256_storeu_ps(to + 3 * ldto, _mm256_shuffle_ps(AB, CD, 0xee));
}

/* 16 rows at a time, whose columns are whole lines of what is written. */
AVX2 void product_transpose_avx2(size_t rows, size_t columns, const float *from, size_t ld, float *to,
                                 size_t ldto)
{
    for (size_t r = 0; r < rows; r += 16) {
        size_t c = 0, n = rows - r < 16 ? rows - r : 16;
        for (; c + 4 <= columns && n >= 8; c += 4) {
            transpose_8_by_4(from + r * ld + c, ld, to + c * ldto + r, ldto);
            if (n == 16) transpose_8_by_4(from + (r + 8) * ld + c, ld, to + c * ldto + r + 8, ldto);
        }
        for (size_t j = 0; j < c && n < 16; j++)
            for (size_t i = r + 8; i < r + n; i++) to[j * ldto + i] = from[i * ld + j];
        for (; c < columns; c++)
            for (size_t i = r; i < r + n; i++) to[c * ldto + i] = from[i * ld + c];
    }
}

const product_kernel product_avx2 = {.word = "avx2",
                                     .name = "AVX2",
                                     .has = has,
                                     .rows = ROWS,
                                     .lanes = LANES,
                                     .tile = tile,
                                     .transpose = product_transpose_avx2};

/* ---- bfloat16 ---- */

/* A vector of pairs: its second numbers, and its first, as float32. */
#define SECOND(pairs) _mm256_castsi256_ps(_mm256_and_si256(pairs, _mm256_set1_epi32((int)0xffff0000U)))
#define FIRST(pairs)  _mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16))

AVX2 static inline __m256i pair_of(const uint16_t *a)
{
    int pair;
    memcpy(&pair, a, sizeof pair);
    return _mm256_set1_epi32(pair);
}

/* 4 rows by 16 lanes, each pair widened as it is multiplied. */
AVX2 static inline __attribute__((always_inline)) void half_tile_of(const size_t rows, size_t k,
                                                                    const uint16_t *a, size_t lda,
                                                                    const uint16_t *panel, float *c,
                                                                    size_t ldc, size_t lanes, bool more)
{
    __m256 sum[4][2];
    const __m256i mask[2] = {first_lanes(lanes), first_lanes(lanes > HALF ? lanes - HALF : 0)};
#pragma GCC unroll 4
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (size_t v = 0; v < 2; v++)
            sum[r][v] = more ? _mm256_maskload_ps(c + r * ldc + v * HALF, mask[v]) : _mm256_setzero_ps();
    for (size_t i = 0; i < k; i += 2, a += 2, panel += 2 * LANES) {
        __m256i b0 = _mm256_loadu_si256((const __m256i *)panel),
                b1 = _mm256_loadu_si256((const __m256i *)(panel + LANES));
        __m256 second[2] = {SECOND(b0), SECOND(b1)}, first[2] = {FIRST(b0), FIRST(b1)};
#pragma GCC unroll 4
        for (size_t r = 0; r < rows; r++) {
            __m256i pair = pair_of(a + r * lda);
#pragma GCC unroll 2
            for (size_t v = 0; v < 2; v++)
                sum[r][v] = plus_product(plus_product(sum[r][v], SECOND(pair), second[v]), FIRST(pair),
                                         first[v]);
        }
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (size_t v = 0; v < 2; v++)
            if (lanes == LANES)
                _mm256_storeu_ps(c + r * ldc + v * HALF, sum[r][v]);
            else
                _mm256_maskstore_ps(c + r * ldc + v * HALF, mask[v], sum[r][v]);
}

#define HALF_CASE(rows)                                                                                      \
    case rows: half_tile_of(rows, k, a, lda, panel, c, ldc, lanes, more); break

AVX2 static void half_tile(size_t rows, size_t k, const uint16_t *a, size_t lda, const uint16_t *panel,
                           float *c, size_t ldc, size_t lanes, bool more)
{
    switch (rows) {
        HALF_CASE(1);
        HALF_CASE(2);
        HALF_CASE(3);
        HALF_CASE(4);
    }
}

const product_half_kernel product_half_avx2 = {.word = "avx2",
                                               .name = "AVX2, widened",
                                               .has = has,
                                               .rows = 4,
                                               .lanes = LANES,
                                               .tile = half_tile,
                                               .transpose = product_transpose_avx2};
#endif
