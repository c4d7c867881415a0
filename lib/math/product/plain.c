/* SPDX-License-Identifier: MIT
 *
 * The plain form: what the other kernels compute, in a loop that can be read. Tests compare with it.
 */
#include "math/product/kernel.h"

#include <math.h>
#include <string.h>

enum { ROWS = 4, LANES = 16 };

static bool has(void)
{
    return true;
}

static void tile(size_t rows, size_t k, const float *a, size_t lda, const float *panel, size_t ldp, float *c,
                 size_t ldc, size_t lanes, bool more)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t l = 0; l < lanes; l++) {
            float sum = more ? c[r * ldc + l] : 0;
            for (size_t i = 0; i < k; i++) sum = fmaf(a[r * lda + i], panel[i * ldp + l], sum);
            c[r * ldc + l] = sum;
        }
}

static void transpose(size_t rows, size_t columns, const float *from, size_t ld, float *to, size_t ldto)
{
    for (size_t c = 0; c < columns; c++)
        for (size_t r = 0; r < rows; r++) to[c * ldto + r] = from[r * ld + c];
}

const product_kernel product_plain = {.word = "plain",
                                      .name = "plain",
                                      .has = has,
                                      .rows = ROWS,
                                      .lanes = LANES,
                                      .tile = tile,
                                      .transpose = transpose};

/* ---- bfloat16 ---- */

/* As the instructions take it: below 1.2e-38 nothing. */
static float widen(uint16_t half)
{
    uint32_t bits = (uint32_t)half << 16;
    float x;
    if ((bits & 0x7f800000) == 0) bits &= 0x80000000;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static float flushed(float x)
{
    return fabsf(x) < 0x1p-126F ? copysignf(0, x) : x;
}

static void half_tile(size_t rows, size_t k, const uint16_t *a, size_t lda, const uint16_t *panel, float *c,
                      size_t ldc, size_t lanes, bool more)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t l = 0; l < lanes; l++) {
            float sum = more ? c[r * ldc + l] : 0;
            for (size_t i = 0; i < k; i++) {
                size_t at = i ^ 1; /* of a pair the second first */
                uint16_t b = panel[at / 2 * 2 * LANES + 2 * l + at % 2];
                sum = flushed(fmaf(widen(a[r * lda + at]), widen(b), sum));
            }
            c[r * ldc + l] = sum;
        }
}

const product_half_kernel product_half_plain = {.word = "plain",
                                                .name = "plain",
                                                .has = has,
                                                .rows = ROWS,
                                                .lanes = LANES,
                                                .tile = half_tile,
                                                .transpose = transpose};
