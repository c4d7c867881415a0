/* SPDX-License-Identifier: MIT
 *
 * Quantising, packing, and cutting a product into tiles: the same for all kernels.
 */
#include "math/int8/int8.h"

#include "math/clones.h"

#include <float.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

const dq_int8_kernel *const dq_int8_kernels[] = {&int8_vnni, &int8_avx2, &int8_plain, NULL};

/* ---- numbers ---- */

/* By the bits, which order floats that are not negative, since a maximum of integers is one that compilers
 * make vectors of. */
DQ_CLONES
static float greatest(const float *row, size_t k)
{
    uint32_t most = 0;
    for (size_t i = 0; i < k; i++) {
        uint32_t size;
        memcpy(&size, &row[i], sizeof size);
        size &= 0x7fffffffU;
        most = size > most ? size : most;
    }
    float size;
    memcpy(&size, &most, sizeof size);
    return size;
}

/* 2^23 + 2^22: added to a small number, it leaves that number rounded to the nearest in its last bits. */
#define ROUNDER 12582912.0F

DQ_CLONES
static void round_into(const float *row, size_t k, float scale, int zero, uint8_t *to)
{
    for (size_t i = 0; i < k; i++) {
        float shifted = row[i] * scale + ROUNDER;
        uint32_t bits;
        memcpy(&bits, &shifted, sizeof bits);
        to[i] = (uint8_t)((int32_t)(bits & 0x7fffffU) - 0x400000 + zero);
    }
}

float dq_int8_quantise(const float *row, size_t k, bool positive, uint8_t *to)
{
    int zero = positive ? 0 : DQ_INT8_ZERO, steps = DQ_INT8_INPUT - zero;
    float most = greatest(row, k), scale = most / (float)steps, inverse = (float)steps / most;
    memset(to + k, zero, dq_int8_width(k) - k);
    if (!(scale >= 1e-30F &&
          most <= FLT_MAX)) { /* nothing, or so small that its inverse is none; or no row */
        memset(to, zero, k);
        return most <= FLT_MAX ? 0 : NAN;
    }
    round_into(row, k, inverse, zero, to);
    return scale;
}

/* ---- weights ---- */

static size_t panels_of(size_t n)
{
    return (n + DQ_INT8_PANEL - 1) / DQ_INT8_PANEL;
}

size_t dq_int8_packed_bytes(size_t n, size_t k)
{
    return panels_of(n) * DQ_INT8_PANEL * dq_int8_width(k);
}

void dq_int8_pack(dq_int8_weights *weights, const float *rows, size_t stride)
{
    size_t width = dq_int8_width(weights->k);
    memset(weights->panels, 0, dq_int8_packed_bytes(weights->n, weights->k));
    for (size_t i = 0; i < weights->n; i++, rows += stride) {
        float most = greatest(rows, weights->k), scale = most / DQ_INT8_WEIGHT;
        int8_t *to = weights->panels + i / DQ_INT8_PANEL * DQ_INT8_PANEL * width + i % DQ_INT8_PANEL * 4;
        bool some = scale >= 1e-30F;
        weights->scale[i] = some ? scale : 0;
        weights->sum[i] = 0;
        for (size_t k = 0; some && k < weights->k; k++) {
            int8_t w = (int8_t)lrintf(rows[k] * (DQ_INT8_WEIGHT / most));
            to[k / 4 * 4 * DQ_INT8_PANEL + k % 4] = w;
            weights->sum[i] += w;
        }
    }
}

/* ---- products ---- */

void dq_int8_product_by(const dq_int8_kernel *kernel, size_t m, const uint8_t *rows,
                        const dq_int8_weights *weights, int32_t *c, size_t ldc)
{
    size_t width = dq_int8_width(weights->k), all = panels_of(weights->n);
    for (size_t p = 0, panels; p < all; p += panels) {
        panels = all - p < kernel->panels ? 1 : kernel->panels;
        const int8_t *at = weights->panels + p * DQ_INT8_PANEL * width;
        for (size_t r = 0, n; r < m; r += n) {
            n = m - r < kernel->rows ? 1 : kernel->rows;
            kernel->tile(n, panels, width / 4, rows + r * width, at, c + r * ldc + p * DQ_INT8_PANEL, ldc);
        }
    }
}

static const dq_int8_kernel *chosen;

static void choose(void)
{
    const dq_int8_kernel *const *k = dq_int8_kernels;
    while (k[1] && !(*k)->has()) k++; /* the last is the plain form, which every processor has */
    chosen = *k;
}

void dq_int8_product(size_t m, const uint8_t *rows, const dq_int8_weights *weights, int32_t *c, size_t ldc)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, choose);
    dq_int8_product_by(chosen, m, rows, weights, c, ldc);
}

DQ_CLONES
static void to_floats(const int32_t *c, const int32_t *sum, const float *scale, float x_scale, int32_t zero,
                      const float *bias, size_t n, float *y)
{
    for (size_t i = 0; i < n; i++) y[i] = (float)(c[i] - zero * sum[i]) * (scale[i] * x_scale) + bias[i];
}

DQ_CLONES
static void clip(float *y, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = y[i] < 0 ? 0 : y[i]; /* NaN stays */
}

void dq_int8_finish(const int32_t *c, const dq_int8_weights *weights, float x_scale, bool positive,
                    const float *bias, bool relu, float *y)
{
    to_floats(c, weights->sum, weights->scale, x_scale, positive ? 0 : DQ_INT8_ZERO, bias, weights->n, y);
    if (relu) clip(y, weights->n);
}
