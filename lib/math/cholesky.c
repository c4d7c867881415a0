/* SPDX-License-Identifier: MIT */
#include "math/cholesky.h"

#include <math.h>

/* start - x . y, product by product. */
static double less_dot(double start, const double *x, const double *y, size_t n)
{
    for (size_t i = 0; i < n; i++) start -= x[i] * y[i];
    return start;
}

bool dq_cholesky_factor(double *a, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double *at = a + dq_triangle(i);
        for (size_t j = 0; j < i; j++) {
            const double *above = a + dq_triangle(j);
            at[j] = less_dot(at[j], at, above, j) / above[j];
        }
        double rest = less_dot(at[i], at, at, i);
        if (!(rest > 0) || !isfinite(rest)) return false;
        at[i] = sqrt(rest);
    }
    return true;
}

void dq_cholesky_solve_factored(const double *a, size_t n, double *b)
{
    for (size_t i = 0; i < n; i++) {
        const double *at = a + dq_triangle(i);
        b[i] = less_dot(b[i], at, b, i) / at[i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t m = i + 1; m < n; m++) b[i] -= a[dq_triangle(m) + i] * b[m];
        b[i] /= a[dq_triangle(i) + i];
    }
}

bool dq_cholesky_solve(double *a, size_t n, double *b)
{
    if (!dq_cholesky_factor(a, n)) return false;
    dq_cholesky_solve_factored(a, n, b);
    return true;
}
