/* SPDX-License-Identifier: MIT */
#include "ope/cholesky.h"

#include <math.h>

/* Row i of the packed triangle. */
static double *row(double *a, size_t i)
{
    return a + i * (i + 1) / 2;
}

static double dot(const double *x, const double *y, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i] * y[i];
    return sum;
}

bool dq_cholesky_solve(double *a, size_t n, double *b)
{
    for (size_t i = 0; i < n; i++) {
        double *at = row(a, i);
        for (size_t j = 0; j < i; j++) at[j] = (at[j] - dot(at, row(a, j), j)) / row(a, j)[j];
        double rest = at[i] - dot(at, at, i);
        if (!(rest > 0) || !isfinite(rest)) return false;
        at[i] = sqrt(rest);
    }
    for (size_t i = 0; i < n; i++) b[i] = (b[i] - dot(row(a, i), b, i)) / row(a, i)[i];
    for (size_t i = n; i-- > 0;) {
        b[i] /= row(a, i)[i];
        for (size_t j = 0; j < i; j++) b[j] -= row(a, i)[j] * b[i];
    }
    return true;
}
