/* SPDX-License-Identifier: MIT */
#include "math/adam.h"

#include "math/clones.h"

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
                          .decay = (float)adam->decay};
}

DQ_CLONES
void dq_adam_apply(const dq_adam_step *step, float *restrict w, float *restrict m, float *restrict v,
                   const float *restrict g, size_t n)
{
    const dq_adam_step s = *step;
    for (size_t i = 0; i < n; i++) {
        float gi = g[i] + s.decay * w[i];
        float mi = s.beta1 * m[i] + s.rest1 * gi;
        float vi = s.beta2 * v[i] + s.rest2 * gi * gi;
        m[i] = mi;
        v[i] = vi;
        w[i] -= s.step * mi / (sqrtf(vi) * s.unbias + s.eps);
    }
}
