/* SPDX-License-Identifier: MIT */
#include "net/loss.h"

#include <math.h>

/* One term and its slope. */
static double term(dq_loss loss, double delta, double miss, double *slope)
{
    if (loss == DQ_LOSS_MSE) {
        *slope = 2 * miss;
        return miss * miss;
    }
    if (fabs(miss) < delta) {
        *slope = miss;
        return miss * miss / 2;
    }
    *slope = miss < 0 ? -delta : delta;
    return isnan(miss) ? miss : delta * (fabs(miss) - delta / 2);
}

double dq_loss_mean(dq_loss loss, double delta, const float *y, const float *target, const float *weight,
                    size_t n, float *dy)
{
    double sum = 0, slope;
    for (size_t i = 0; i < n; i++) {
        double scale = (weight ? (double)weight[i] : 1) / (double)n;
        sum += scale * term(loss, delta, (double)y[i] - (double)target[i], &slope);
        if (dy) dy[i] = (float)(scale * slope);
    }
    return sum;
}

double dq_loss_logistic(double logit, double target, double *slope)
{
    double e = exp(-fabs(logit)), sigmoid = (logit >= 0 ? 1 : e) / (1 + e);
    if (slope) *slope = sigmoid - target;
    return fmax(logit, 0) + log1p(e) - logit * target;
}

double dq_loss_logsumexp(const float *z, size_t n, float *probability)
{
    double max = -INFINITY, sum = 0;
    for (size_t i = 0; i < n; i++) max = fmax(max, (double)z[i]);
    for (size_t i = 0; i < n; i++) sum += exp((double)z[i] - max);
    for (size_t i = 0; probability && i < n; i++) probability[i] = (float)(exp((double)z[i] - max) / sum);
    return max + log(sum);
}
