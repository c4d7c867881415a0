/* SPDX-License-Identifier: MIT */
#include "ope/estimate.h"

#include <math.h>
#include <stdio.h>

dq_interval dq_ope_bernstein(double value, double variance, double range, uint64_t rows, double confidence)
{
    double n = (double)rows, log_term = log(2 / ((1 - confidence) / 2));
    if (rows < 2) return (dq_interval){NAN, NAN};
    double half = sqrt(2 * variance * log_term / n) + 7 * range * log_term / (3 * (n - 1));
    return (dq_interval){value - half, value + half};
}

double dq_ope_effective_size(const dq_ope_moments *moments, size_t j)
{
    double n = (double)moments->rows, sum = n * moments->mean[j];
    double squares = moments->products[j][j] + sum * moments->mean[j];
    return squares > 0 ? sum * sum / squares : 0;
}

double dq_ope_ratio_variance(const dq_ope_moments *moments, size_t over, size_t weight)
{
    double mean = moments->mean[weight], ratio = moments->mean[over] / mean;
    double variance = dq_ope_moments_covariance(moments, over, over) +
                      ratio * ratio * dq_ope_moments_covariance(moments, weight, weight) -
                      2 * ratio * dq_ope_moments_covariance(moments, over, weight);
    return variance > 0 ? variance / (mean * mean) : 0;
}

double dq_ope_range(const dq_ope_moments *moments, size_t j)
{
    return fmax(moments->max[j], 0) - fmin(moments->min[j], 0);
}

bool dq_ope_is_better(const dq_ope_estimate *policy, const dq_ope_estimate *other, char *words, size_t size)
{
    bool better = policy->bootstrap.low > other->value; /* false beside a NAN */
    (void)snprintf(words, size, "%s %.6g [%.6g, %.6g] is %sabove %.6g", policy->name, policy->value,
                   policy->bootstrap.low, policy->bootstrap.high, better ? "" : "not ", other->value);
    return better;
}
