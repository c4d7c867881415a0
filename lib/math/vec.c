/* SPDX-License-Identifier: MIT */
#include "math/vec.h"

#include "math/clones.h"
#include "math/lanes.h"

#include <math.h>

/* Of fewer numbers than lanes. */
static float short_dot(const float *a, const float *b, size_t n)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

DQ_CLONES
float dq_vec_dot(const float *a, const float *b, size_t n)
{
    lane_sums sum = NO_SUMS, more = NO_SUMS;
    size_t i = 0;
    if (n < LANES) return short_dot(a, b, n);
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
        sums_add_products(&sum, a + i, b + i);
        sums_add_products(&more, a + i + LANES, b + i + LANES);
    }
    if (i + LANES <= n) sums_add_products(&sum, a + i, b + i);
    sums_add_last_products(&more, a, b, n);
    sums_join(&sum, more);
    return sums_fold(sum);
}

/* Four rows share what is loaded of a, and the processor has four times as many sums to work on. n >= LANES.
 */
DQ_CLONES
static void four_dots(const float *a, const float *const *rows, size_t n, float *out, size_t stride)
{
    lane_sums sums[4] = {{{0}, {0}}}, more[4] = {{{0}, {0}}};
    size_t i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
#pragma GCC unroll 4
        for (size_t r = 0; r < 4; r++) {
            sums_add_products(&sums[r], a + i, rows[r] + i);
            sums_add_products(&more[r], a + i + LANES, rows[r] + i + LANES);
        }
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < 4; r++) {
        if (i + LANES <= n) sums_add_products(&sums[r], a + i, rows[r] + i);
        sums_add_last_products(&more[r], a, rows[r], n);
        sums_join(&sums[r], more[r]);
        out[r * stride] = sums_fold(sums[r]);
    }
}

void dq_vec_dots(const float *a, const float *const *rows, size_t count, size_t n, float *out, size_t stride)
{
    size_t i = 0;
    for (; n >= LANES && i + 4 <= count; i += 4) four_dots(a, rows + i, n, out + i * stride, stride);
    for (; i < count; i++) out[i * stride] = dq_vec_dot(a, rows[i], n);
}

DQ_CLONES
void dq_vec_add(float *restrict to, const float *restrict from, size_t n)
{
    for (size_t i = 0; i < n; i++) to[i] += from[i];
}

DQ_CLONES
void dq_vec_add_scaled(float *restrict to, const float *restrict from, float scale, size_t n)
{
    for (size_t i = 0; i < n; i++) to[i] += scale * from[i];
}

/* 64 numbers of `to`, which wait in registers while all rows pass. */
DQ_CLONES
static void add_rows_wide(float *to, const float *const *rows, const float *scales, size_t count, size_t from)
{
    lane_sums s0 = sums_load(to), s1 = sums_load(to + LANES), s2 = sums_load(to + 2 * LANES),
              s3 = sums_load(to + 3 * LANES);
    for (size_t r = 0; r < count; r++) {
        const float *row = rows[r] + from, scale = scales[r];
        sums_add_scaled(&s0, row, scale);
        sums_add_scaled(&s1, row + LANES, scale);
        sums_add_scaled(&s2, row + 2 * LANES, scale);
        sums_add_scaled(&s3, row + 3 * LANES, scale);
    }
    sums_store(to, s0);
    sums_store(to + LANES, s1);
    sums_store(to + 2 * LANES, s2);
    sums_store(to + 3 * LANES, s3);
}

DQ_CLONES
static void add_rows_lanes(float *to, const float *const *rows, const float *scales, size_t count,
                           size_t from)
{
    lane_sums sum = sums_load(to);
    for (size_t r = 0; r < count; r++) sums_add_scaled(&sum, rows[r] + from, scales[r]);
    sums_store(to, sum);
}

void dq_vec_add_rows(float *to, const float *const *rows, const float *scales, size_t count, size_t n)
{
    size_t i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES) add_rows_wide(to + i, rows, scales, count, i);
    for (; i + LANES <= n; i += LANES) add_rows_lanes(to + i, rows, scales, count, i);
    for (; i < n; i++)
        for (size_t r = 0; r < count; r++) to[i] += scales[r] * rows[r][i];
}

DQ_CLONES
void dq_vec_scale(float *to, float scale, size_t n)
{
    for (size_t i = 0; i < n; i++) to[i] *= scale;
}

void dq_vec_unit(float *to, const float *from, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)from[i] * (double)from[i];
    double scale = sum > 0 ? 1 / sqrt(sum) : 0;
    for (size_t i = 0; i < n; i++) to[i] = (float)((double)from[i] * scale);
}

DQ_CLONES
void dq_vec_soft_update(float *restrict to, const float *restrict from, float tau, size_t n)
{
    for (size_t i = 0; i < n; i++) to[i] += tau * (from[i] - to[i]);
}

DQ_CLONES
int dq_vec_finite(const float *a, size_t n)
{
    int bad = 0;
    for (size_t i = 0; i < n; i++) bad |= !(fabsf(a[i]) <= 3.40282347e38F);
    return !bad;
}

dq_dropout dq_dropout_new(double p)
{
    uint16_t cut = (uint16_t)lrint(fmin(p * 65536, 65535));
    return (dq_dropout){.cut = cut, .scale = (float)(65536.0 / (65536 - cut))};
}

void dq_dropout_draw(uint16_t *draws, size_t n, dq_rng *rng)
{
    for (size_t i = 0; i < n; i += 4) {
        uint64_t bits = dq_rng_u64(rng);
        for (size_t j = i; j < i + 4 && j < n; j++, bits >>= 16) draws[j] = (uint16_t)bits;
    }
}

/* What is chosen is multiplied: a product that is made only where it is asked for is a branch to gcc, and of
 * numbers without a pattern it is guessed wrong every other time. */
DQ_CLONES
static void relu_dropping(float *h, const uint16_t *restrict draws, dq_dropout dropout, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float kept = draws[i] >= dropout.cut ? dropout.scale : 0, active = h[i] > 0 ? h[i] : 0;
        h[i] = active * kept;
    }
}

DQ_CLONES
static void sum2(float *h, const float *a, const float *bias, size_t n)
{
    for (size_t i = 0; i < n; i++) h[i] = a[i] + bias[i];
}

DQ_CLONES
static void sum3(float *h, const float *a, const float *b, const float *bias, size_t n)
{
    for (size_t i = 0; i < n; i++) h[i] = a[i] + b[i] + bias[i];
}

DQ_CLONES
static void relu(float *h, size_t n)
{
    for (size_t i = 0; i < n; i++) h[i] = h[i] > 0 ? h[i] : 0;
}

void dq_vec_activate(float *h, const float *a, const float *b, const float *bias, const uint16_t *draws,
                     dq_dropout dropout, size_t n)
{
    if (b)
        sum3(h, a, b, bias, n);
    else
        sum2(h, a, bias, n);
    if (draws)
        relu_dropping(h, draws, dropout, n);
    else
        relu(h, n);
}

DQ_CLONES
void dq_vec_shift_relu(float *h, const float *a, float shift, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float z = a[i] + shift;
        h[i] = z > 0 ? z : 0;
    }
}

DQ_CLONES
void dq_vec_gate(float *restrict dh, const float *restrict h, float scale, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float d = dh[i], open = h[i] > 0 ? d : 0;
        dh[i] = open * scale;
    }
}

DQ_CLONES
void dq_vec_multiply(float *restrict to, const float *restrict from, size_t n)
{
    for (size_t i = 0; i < n; i++) to[i] *= from[i];
}
