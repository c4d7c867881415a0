/* SPDX-License-Identifier: MIT
 *
 * Positive definite systems by Cholesky's method (Golub and Van Loan, "Matrix computations",
 * algorithm 4.2.2). Of a symmetric A (n, n) the lower triangle is kept, row by row: A[i][j], j <= i, is
 * a[dq_triangle(i) + j].
 */
#ifndef DQ_MATH_CHOLESKY_H
#define DQ_MATH_CHOLESKY_H

#include <stdbool.h>
#include <stddef.h>

/* Where row n begins, and so how many numbers a triangle of n rows has. */
static inline size_t dq_triangle(size_t n)
{
    return n * (n + 1) / 2;
}

/* A += scale x x', x (n). */
void dq_triangle_add_outer(double *a, const float *x, double scale, size_t n);

/* Overwrites A by its factor. False where A is not positive definite, or holds what is no finite number. */
bool dq_cholesky_factor(double *a, size_t n);
/* Solves A x = b in place of b (n), with the factor of A. */
void dq_cholesky_solve_factored(const double *a, size_t n, double *b);
/* Its two halves, with the factor L of A = L L': L x = b, and L' x = b. */
void dq_cholesky_solve_lower(const double *l, size_t n, double *b);
void dq_cholesky_solve_upper(const double *l, size_t n, double *b);
/* Both; b is as it was where A has no factor. */
bool dq_cholesky_solve(double *a, size_t n, double *b);

/* The factor of A becomes that of A + x x', by n rotations (Golub and Van Loan, 6.5.4), which never lose that
 * A is positive definite, however many updates there are. turns (2 n) is scratch. Of a right-hand side that
 * is kept as y = L^-1 b (n) the same rotations make that of b + value x; y NULL: there is none. x (n) and
 * value must be finite. */
void dq_cholesky_update(double *l, size_t n, const double *x, double *y, double value, double *turns);

#endif
