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

/* ---- lists ---- */

static double offset_of(const float *offset, size_t j)
{
    return offset ? (double)offset[j] : 0;
}

/* The probabilities in scratch. Floats do for the exponentials: they are of numbers below 0. */
static double softmax_loss(double temperature, const float *y, const float *grade, const float *offset,
                           size_t n, double scale, float *z, float *dy)
{
    double grades = 0, of_grades = 0, sum = 0;
    float max = -INFINITY;
    for (size_t j = 0; j < n; j++) {
        z[j] = (float)((double)y[j] / temperature + offset_of(offset, j));
        if (!(z[j] <= max)) max = z[j];
        if (grade[j] > 0) {
            grades += (double)grade[j];
            of_grades += (double)grade[j] * (double)z[j];
        }
    }
    if (!(grades > 0)) {
        for (size_t j = 0; dy && j < n; j++) dy[j] = 0;
        return 0;
    }
    for (size_t j = 0; j < n; j++) sum += (double)(z[j] = expf(z[j] - max));
    for (size_t j = 0; dy && j < n; j++)
        dy[j] = (float)(scale / temperature * ((double)z[j] / sum - (double)grade[j] / grades));
    return (double)max + log(sum) - of_grades / grades;
}

/* One pair: the weight times the loss, and its slope by y_j - y_i. */
static double pair_loss(double temperature, const float *y, size_t i, size_t j, double weight, double *slope)
{
    double loss = dq_loss_logistic(((double)y[j] - (double)y[i]) / temperature, 0, slope);
    *slope *= weight / temperature;
    return weight * loss;
}

static double pairwise_loss(double temperature, const float *y, const float *grade, const float *offset,
                            size_t n, double scale, float *weight, float *dy)
{
    double weights = 0, sum = 0, slope;
    for (size_t j = 0; j < n; j++) weight[j] = (float)exp(offset_of(offset, j));
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; grade[i] > 0 && weight[i] > 0 && j < n; j++)
            if (grade[j] < grade[i]) weights += (double)weight[j];
    for (size_t j = 0; dy && j < n; j++) dy[j] = 0;
    if (!(weights > 0)) return 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; grade[i] > 0 && weight[i] > 0 && j < n; j++) {
            if (!(grade[j] < grade[i]) || !(weight[j] > 0)) continue;
            sum += pair_loss(temperature, y, i, j, (double)weight[j] / weights, &slope);
            if (!dy) continue;
            dy[j] += (float)(scale * slope);
            dy[i] -= (float)(scale * slope);
        }
    return sum;
}

double dq_loss_list(dq_loss loss, double temperature, const float *y, const float *grade, const float *offset,
                    size_t n, double scale, float *scratch, float *dy)
{
    return (loss == DQ_LOSS_SOFTMAX ? softmax_loss : pairwise_loss)(temperature, y, grade, offset, n, scale,
                                                                    scratch, dy);
}
