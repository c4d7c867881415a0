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
    lanes sum = {0}, more = {0};
    size_t i = 0;
    if (n < LANES) return short_dot(a, b, n);
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
        sum += LOAD(a + i) * LOAD(b + i);
        more += LOAD(a + i + LANES) * LOAD(b + i + LANES);
    }
    if (i + LANES <= n) sum += LOAD(a + i) * LOAD(b + i);
    more += LOAD_LAST(a, n) * LOAD_LAST(b, n);
    sum += more;
    FOLD(sum);
    return sum[0];
}

/* Four rows share what is loaded of a, and the processor has four times as many sums to work on. n >= LANES.
 */
DQ_CLONES
static void four_dots(const float *a, const float *const *rows, size_t n, float *out, size_t stride)
{
    const float *r0 = rows[0], *r1 = rows[1], *r2 = rows[2], *r3 = rows[3];
    lanes sums[4] = {{0}}, more[4] = {{0}};
    size_t i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
        lanes x = LOAD(a + i), y = LOAD(a + i + LANES);
        sums[0] += x * LOAD(r0 + i);
        more[0] += y * LOAD(r0 + i + LANES);
        sums[1] += x * LOAD(r1 + i);
        more[1] += y * LOAD(r1 + i + LANES);
        sums[2] += x * LOAD(r2 + i);
        more[2] += y * LOAD(r2 + i + LANES);
        sums[3] += x * LOAD(r3 + i);
        more[3] += y * LOAD(r3 + i + LANES);
    }
    for (size_t r = 0; r < 4; r++) {
        if (i + LANES <= n) sums[r] += LOAD(a + i) * LOAD(rows[r] + i);
        more[r] += LOAD_LAST(a, n) * LOAD_LAST(rows[r], n);
        sums[r] += more[r];
        FOLD(sums[r]);
        out[r * stride] = sums[r][0];
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
    lanes s0 = LOAD(to), s1 = LOAD(to + LANES), s2 = LOAD(to + 2 * LANES), s3 = LOAD(to + 3 * LANES);
    for (size_t r = 0; r < count; r++) {
        const float *row = rows[r] + from, scale = scales[r];
        s0 += scale * LOAD(row);
        s1 += scale * LOAD(row + LANES);
        s2 += scale * LOAD(row + 2 * LANES);
        s3 += scale * LOAD(row + 3 * LANES);
    }
    STORE(to, s0);
    STORE(to + LANES, s1);
    STORE(to + 2 * LANES, s2);
    STORE(to + 3 * LANES, s3);
}

DQ_CLONES
static void add_rows_lanes(float *to, const float *const *rows, const float *scales, size_t count,
                           size_t from)
{
    lanes sum = LOAD(to);
    for (size_t r = 0; r < count; r++) sum += scales[r] * LOAD(rows[r] + from);
    STORE(to, sum);
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

DQ_CLONES
static void activate_dropping(float *h, const float *z, const uint16_t *draws, dq_dropout dropout, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float kept = draws[i] >= dropout.cut ? dropout.scale : 0;
        h[i] = z[i] > 0 ? z[i] * kept : 0;
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
        activate_dropping(h, h, draws, dropout, n);
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
    for (size_t i = 0; i < n; i++) dh[i] = h[i] > 0 ? dh[i] * scale : 0;
}

DQ_CLONES
void dq_vec_multiply(float *restrict to, const float *restrict from, size_t n)
{
    for (size_t i = 0; i < n; i++) to[i] *= from[i];
}
