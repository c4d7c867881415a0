/* SPDX-License-Identifier: MIT
 *
 * Matrix products, row-major, float32, on one thread: dq cuts work into tiles itself (math/pool.h) because a
 * BLAS's own threads spin, and lose badly beside a busy neighbour in a pipeline. The kernels are dq's own, or
 * OpenBLAS's; math/product/product.h says what a number of C is to the bit, and has packed operands. The
 * first call of any of these chooses them: the CPU's best, or what the environment names (DQ_KERNELS,
 * OPENBLAS_CORETYPE; dq(7)).
 */
#ifndef DQ_MATH_BLAS_H
#define DQ_MATH_BLAS_H

#include "dq/status.h"

#include <stdbool.h>
#include <stddef.h>

/* Takes the memory that products need which so many threads have under way at a time; from then on they
 * cannot fail. DQ_ERR_MEMORY says how much it is: address space, of which little is ever
 * touched. Without it products wait for each other, and OpenBLAS's for ever where memory is short.
 * DQ_ERR_RANGE: the environment names kernels that this CPU does not have. */
dq_status dq_blas_reserve(unsigned threads, dq_error *error);

/* The kernels, for --version: "dq AVX-512", "OpenBLAS Haswell"; and why they are slow ones, where nobody
 * asked for those. */
const char *dq_blas_core(void);
/* NULL, or in words, for whoever waits, that products are done by the plain form, and why: DQ_KERNELS asks
 * for it, or the CPU has none of dq's kernels and OpenBLAS cannot be loaded. */
const char *dq_blas_slow(void);

/* C (m, n) = A (m, k) B (k, n). lda, ldb, ldc: floats between rows. */
void dq_gemm_nn(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
                float *c, size_t ldc);
/* C (m, n) = A (m, k) B' with B (n, k): a dense layer forward, weights as PyTorch keeps them. */
void dq_gemm_nt(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
                float *c, size_t ldc);
/* C (m, n) = A' B with A (k, m), B (k, n): a layer's weight gradient. */
void dq_gemm_tn(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
                float *c, size_t ldc);

/* Whether the kernels are dq's own: each number of C is one chain over k (math/product/product.h). */
bool dq_gemm_chained(void);

/* Rows at either end of B in dq_gemm_nt (of C's columns) that some kernels of OpenBLAS sum in another order
 * than those between, so that equal rows of B give columns of C that differ in the last bit. 0: all rows are
 * treated alike, as dq's kernels do. Found by trying, once: call dq_blas_reserve before. */
size_t dq_gemm_margin(void);

/* Whether products of DQ_GEMM_ROWS rows of A sum each of them in the same order, so that equal rows of A give
 * equal rows of C wherever they stand. Found by trying, once: call dq_blas_reserve before. */
enum { DQ_GEMM_ROWS = 32 };
bool dq_gemm_alike(void);

#endif
