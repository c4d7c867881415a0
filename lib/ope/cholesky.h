/* SPDX-License-Identifier: MIT */
#ifndef DQ_OPE_CHOLESKY_H
#define DQ_OPE_CHOLESKY_H

#include <stdbool.h>
#include <stddef.h>

/* Solves A x = b in place of b, for a positive definite A (n, n) whose lower triangle is packed row by row,
 * and is overwritten by its factor (Golub and Van Loan, "Matrix computations", algorithm 4.2.2). False where
 * A is not, or holds what is no finite number. */
bool dq_cholesky_solve(double *a, size_t n, double *b);

#endif
