/* SPDX-License-Identifier: MIT */
#include "math/cholesky.h"

#include "math/clones.h"

#include <math.h>

DQ_CLONES
void dq_triangle_add_outer(double *restrict a, const float *restrict x, double scale, size_t n)
{
    for (size_t i = 0; i < n; i++, a += i) {
        double scaled = scale * (double)x[i];
        for (size_t j = 0; j <= i; j++) a[j] += scaled * (double)x[j];
    }
}

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

void dq_cholesky_solve_lower(const double *l, size_t n, double *b)
{
    for (size_t i = 0; i < n; i++) {
        const double *at = l + dq_triangle(i);
        b[i] = less_dot(b[i], at, b, i) / at[i];
    }
}

/* Row by row of L, as it is kept. */
void dq_cholesky_solve_upper(const double *l, size_t n, double *b)
{
    for (size_t i = n; i-- > 0;) {
        const double *at = l + dq_triangle(i);
        b[i] /= at[i];
        for (size_t j = 0; j < i; j++) b[j] -= at[j] * b[i];
    }
}

void dq_cholesky_solve_factored(const double *a, size_t n, double *b)
{
    dq_cholesky_solve_lower(a, n, b);
    dq_cholesky_solve_upper(a, n, b);
}

/* Turns a row of L and the number beside it by the first n rotations; returns what the number became. */
static double turn(double *row, double number, const double *turns, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        double c = turns[2 * k], s = turns[2 * k + 1], old = row[k];
        row[k] = c * old + s * number;
        number = c * number - s * old;
    }
    return number;
}

/* Rotation i turns column i of L and x so that x[i] is gone. Rows come one after the other, each turned by
 * those before it. */
void dq_cholesky_update(double *l, size_t n, const double *x, double *y, double value, double *turns)
{
    for (size_t i = 0; i < n; i++) {
        double *at = l + dq_triangle(i), rest = turn(at, x[i], turns, i), r = hypot(at[i], rest);
        turns[2 * i] = at[i] / r;
        turns[2 * i + 1] = rest / r;
        at[i] = r;
    }
    if (y) (void)turn(y, value, turns, n);
}

bool dq_cholesky_solve(double *a, size_t n, double *b)
{
    if (!dq_cholesky_factor(a, n)) return false;
    dq_cholesky_solve_factored(a, n, b);
    return true;
}
