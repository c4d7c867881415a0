/* SPDX-License-Identifier: MIT */
#ifndef DQ_OPE_CHOLESKY_H
#define DQ_OPE_CHOLESKY_H

#include <stdbool.h>
#include <stddef.h>

/* Positive definite systems (Golub and Van Loan, "Matrix computations", algorithm 4.2.2). The lower triangle
 * of A (n, n) is packed row by row, n (n + 1) / 2 numbers. */

/* Overwrites A by its factor. False where A is not positive definite, or holds what is no finite number. */
bool dq_cholesky_factor(double *a, size_t n);
/* Solves A x = b in place of b, with the factor of A. */
void dq_cholesky_solve_factored(const double *a, size_t n, double *b);
/* Both. */
bool dq_cholesky_solve(double *a, size_t n, double *b);

#endif
