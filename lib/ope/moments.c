/* SPDX-License-Identifier: MIT */
#include "ope/moments.h"

static double mean_of(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    return sum / (double)n;
}

static double product_of(const double *x, double mean_x, const double *y, double mean_y, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (x[i] - mean_x) * (y[i] - mean_y);
    return sum;
}

static void take_range(dq_ope_moments *m, size_t j, const double *x, size_t n)
{
    if (m->rows == 0) m->min[j] = m->max[j] = x[0];
    for (size_t i = 0; i < n; i++) {
        m->min[j] = x[i] < m->min[j] ? x[i] : m->min[j];
        m->max[j] = x[i] > m->max[j] ? x[i] : m->max[j];
    }
}

void dq_ope_moments_add(dq_ope_moments *moments, const double *const *columns, size_t count, size_t n)
{
    double mean[DQ_OPE_MOMENTS], apart[DQ_OPE_MOMENTS];
    if (n == 0) return;
    double before = (double)moments->rows, all = before + (double)n, weight = before * (double)n / all;
    for (size_t j = 0; j < count; j++) {
        take_range(moments, j, columns[j], n);
        mean[j] = mean_of(columns[j], n);
        apart[j] = mean[j] - moments->mean[j];
    }
    for (size_t j = 0; j < count; j++)
        for (size_t k = j; k < count; k++)
            moments->products[j][k] += product_of(columns[j], mean[j], columns[k], mean[k], n) +
                                       weight * apart[j] * apart[k];
    for (size_t j = 0; j < count; j++) moments->mean[j] += apart[j] * (double)n / all;
    moments->rows += n;
}

double dq_ope_moments_covariance(const dq_ope_moments *moments, size_t j, size_t k)
{
    return moments->rows < 2 ? 0 : moments->products[j][k] / (double)(moments->rows - 1);
}
