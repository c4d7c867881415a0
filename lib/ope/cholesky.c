/* SPDX-License-Identifier: MIT */
#include "ope/cholesky.h"

#include <math.h>

static size_t start(size_t i)
{
    return i * (i + 1) / 2;
}

static double dot(const double *x, const double *y, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i] * y[i];
    return sum;
}

bool dq_cholesky_factor(double *a, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double *at = a + start(i);
        for (size_t j = 0; j < i; j++) at[j] = (at[j] - dot(at, a + start(j), j)) / a[start(j) + j];
        double rest = at[i] - dot(at, at, i);
        if (!(rest > 0) || !isfinite(rest)) return false;
        at[i] = sqrt(rest);
    }
    return true;
}

void dq_cholesky_solve_factored(const double *a, size_t n, double *b)
{
    for (size_t i = 0; i < n; i++) b[i] = (b[i] - dot(a + start(i), b, i)) / a[start(i) + i];
    for (size_t i = n; i-- > 0;) {
        b[i] /= a[start(i) + i];
        for (size_t j = 0; j < i; j++) b[j] -= a[start(i) + j] * b[i];
    }
}

bool dq_cholesky_solve(double *a, size_t n, double *b)
{
    if (!dq_cholesky_factor(a, n)) return false;
    dq_cholesky_solve_factored(a, n, b);
    return true;
}
