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

/* Overwrites A by its factor. False where A is not positive definite, or holds what is no finite number. */
bool dq_cholesky_factor(double *a, size_t n);
/* Solves A x = b in place of b (n), with the factor of A. */
void dq_cholesky_solve_factored(const double *a, size_t n, double *b);
/* Both; b is as it was where A has no factor. */
bool dq_cholesky_solve(double *a, size_t n, double *b);

#endif
