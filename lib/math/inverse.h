/* SPDX-License-Identifier: MIT
 *
 * The inverse of a positive definite matrix, by elimination block by block (Gauss and Jordan; Golub and Van
 * Loan, "Matrix computations", section 3.4), which needs no pivots there. All but the blocks on the diagonal
 * are products of matrices (math/blas.h).
 */
#ifndef DQ_MATH_INVERSE_H
#define DQ_MATH_INVERSE_H

#include <stdbool.h>
#include <stddef.h>

/* Numbers of work that a matrix of n rows needs. */
size_t dq_inverse_work(size_t n);
/* Overwrites A (n, n), symmetric, by its inverse, to about 1e-7 times its condition number. work:
 * (dq_inverse_work(n)). False where A is not positive definite, or holds what is no finite number; A is
 * destroyed then. */
bool dq_inverse_definite(float *a, size_t n, float *work);

#endif
