/* SPDX-License-Identifier: MIT */
#include "math/adam.h"

#include "math/clones.h"
#include "math/lanes.h"

#include <math.h>

dq_adam_step dq_adam_begin(const dq_adam *adam, uint64_t t)
{
    double bias1 = 1 - pow(adam->beta1, (double)t), bias2 = 1 - pow(adam->beta2, (double)t);
    return (dq_adam_step){.beta1 = (float)adam->beta1,
                          .rest1 = (float)(1 - adam->beta1),
                          .beta2 = (float)adam->beta2,
                          .rest2 = (float)(1 - adam->beta2),
                          .step = (float)(adam->rate / bias1),
                          .unbias = (float)(1 / sqrt(bias2)),
                          .eps = (float)adam->eps,
                          .decay = adam->decoupled ? 0 : (float)adam->decay,
                          .shrink = adam->decoupled ? (float)(adam->rate * adam->decay) : 0};
}

enum { BLOCK = 1024 }; /* numbers whose squares are summed in float */

static inline void apply_one(dq_adam_step s, float *w, float *m, float *v, float g)
{
    float gi = g + s.decay * *w;
    float mi = s.beta1 * *m + s.rest1 * gi;
    float vi = s.beta2 * *v + s.rest2 * gi * gi;
    *m = mi;
    *v = vi;
    *w -= s.shrink * *w + s.step * mi / (sqrtf(vi) * s.unbias + s.eps);
}

DQ_CLONES
static float apply_block(const dq_adam_step *step, float *restrict w, float *restrict m, float *restrict v,
                         const float *restrict g, size_t n)
{
    const dq_adam_step s = *step;
    lane_sums squares = NO_SUMS;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        sums_add_products(&squares, g + i, g + i);
        for (size_t j = i; j < i + LANES; j++) apply_one(s, w + j, m + j, v + j, g[j]);
    }
    for (; i < n; i++) {
        squares.low[0] += g[i] * g[i];
        apply_one(s, w + i, m + i, v + i, g[i]);
    }
    return sums_fold(squares);
}

DQ_CLONES
static void apply_outer(const dq_adam_step *step, float *restrict w, const float *restrict x, size_t n,
                        float m, float root)
{
    const dq_adam_step s = *step;
    for (size_t i = 0; i < n; i++) w[i] -= s.shrink * w[i] + m * x[i] / (fabsf(x[i]) * root + s.eps);
}

void dq_adam_apply_outer(const dq_adam_step *step, float *w, const float *x, size_t n, float *m, float *v,
                         float g)
{
    *m = step->beta1 * *m + step->rest1 * g;
    *v = step->beta2 * *v + step->rest2 * g * g;
    apply_outer(step, w, x, n, step->step * *m, sqrtf(*v) * step->unbias);
}

double dq_adam_apply(const dq_adam_step *step, float *w, float *m, float *v, const float *g, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i += BLOCK)
        sum += (double)apply_block(step, w + i, m + i, v + i, g + i, n - i < BLOCK ? n - i : BLOCK);
    return sum;
}
