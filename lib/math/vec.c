/* SPDX-License-Identifier: MIT */
#include "math/vec.h"

#include "math/clones.h"
#include "math/lanes.h"

#include <math.h>

DQ_CLONES
float dq_vec_dot(const float *a, const float *b, size_t n)
{
    lanes sum = {0}, more = {0};
    size_t i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
        sum += LOAD(a + i) * LOAD(b + i);
        more += LOAD(a + i + LANES) * LOAD(b + i + LANES);
    }
    sum += more;
    for (size_t lane = 0; i < n; i++, lane = (lane + 1) % LANES) sum[lane] += a[i] * b[i];
    FOLD(sum);
    return sum[0];
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

DQ_CLONES
void dq_vec_scale(float *to, float scale, size_t n)
{
    for (size_t i = 0; i < n; i++) to[i] *= scale;
}

DQ_CLONES
void dq_vec_follow(float *restrict to, const float *restrict from, float share, size_t n)
{
    for (size_t i = 0; i < n; i++) to[i] += share * (from[i] - to[i]);
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
    return (dq_dropout){.cut = (uint16_t)lrint(fmin(p * 65536, 65535)), .scale = (float)(1 / (1 - p))};
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
