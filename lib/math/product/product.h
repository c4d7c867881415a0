/* SPDX-License-Identifier: MIT
 *
 * Matrix products beyond those of math/blas.h: operands packed once for many products, and what follows a
 * product done while its numbers are still in the nearest cache. Row-major, float32, on the calling thread.
 *
 * With dq's own kernels (dq_blas_core says which) a number of C is one chain of fused multiplications and
 * additions over k in order, from 0: c = fma(a[i][0], b[0][j], 0), c = fma(a[i][1], b[1][j], c), ... So it
 * has the same bits in every kernel, on every CPU, wherever it stands in C, and whether an operand is packed
 * or not. What is not a number comes out as not a number; which of them is not defined. With OpenBLAS none of
 * this holds: numbers agree to about 1e-5 of the sum of |a b|.
 *
 * No product allocates memory or fails. Each needs scratch memory while it is under way, which
 * dq_blas_reserve, and so dq_pool_new, makes for as many threads as will call at a time.
 */
#ifndef DQ_MATH_PRODUCT_PRODUCT_H
#define DQ_MATH_PRODUCT_PRODUCT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Called once for each block of C when its numbers are final: c points at C[row][column], ldc floats between
 * rows. Blocks are the same for the same m, n, k whatever the kernel, at most 128 rows by 128 columns, and
 * come in no promised order. It may change the numbers, and must not multiply matrices: the product's scratch
 * memory is still taken. */
typedef struct dq_epilogue {
    void (*finish)(void *arg, float *c, size_t ldc, size_t row, size_t rows, size_t column, size_t columns);
    void *arg;
} dq_epilogue;

/* ---- an operand packed once ---- */

/* Floats that n rows (or columns) of k numbers take as panels. Their layout is the kernel's own. */
size_t dq_packed_floats(size_t n, size_t k);
/* Packs B (n, k): weights as PyTorch keeps them, or a batch of n rows. `to`: dq_packed_floats(n, k), aligned
 * to 64 bytes. */
void dq_pack_rows(size_t n, size_t k, const float *b, size_t ldb, float *to);
/* Packs the columns of B (k, n). */
void dq_pack_columns(size_t n, size_t k, const float *b, size_t ldb, float *to);

/* C (m, n) = A (m, k) B' with B (n, k) packed. c may be NULL where an epilogue takes the blocks: they are
 * then in scratch memory and nowhere else. epilogue may be NULL. */
void dq_gemm_packed(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *packed, float *c,
                    size_t ldc, const dq_epilogue *epilogue);
/* C (m, n) = A B' with A (m, k) packed and B (n, k) as it lies: a layer forward where the batch is packed
 * once for all tiles of weights, which are read once. */
void dq_gemm_packed_batch(size_t m, size_t n, size_t k, const float *packed, const float *b, size_t ldb,
                          float *c, size_t ldc, const dq_epilogue *epilogue);
/* C (m, n) = A' B with A (k, m) as it lies and B (k, n) packed: the gradient of weights, dW = dy' x, for some
 * of the units, with x packed once for all of them. With c NULL the epilogue gets dW block by block: the step
 * of Adam on numbers that no memory has seen. */
void dq_gemm_packed_tn(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *packed,
                       float *c, size_t ldc, const dq_epilogue *epilogue);

/* The same of operands that are not packed: those of math/blas.h with an epilogue. */
void dq_gemm_nt_then(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
                     float *c, size_t ldc, const dq_epilogue *epilogue);
void dq_gemm_nn_then(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
                     float *c, size_t ldc, const dq_epilogue *epilogue);
void dq_gemm_tn_then(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
                     float *c, size_t ldc, const dq_epilogue *epilogue);

/* ---- bfloat16 ----
 *
 * A training step's products of operands that are bfloat16 (the upper half of a float32), with sums in
 * float32: faster where the CPU multiplies such numbers, slower where it does not. A number of C is one chain
 * of fused multiplications and additions over k = 1, 0, 3, 2, 5, 4, ..., numbers below 1.2e-38 being zeros
 * before and after each, as AVX512_BF16 has it; so it has the same bits in every kernel, on a thread that
 * flushes such numbers (math/pool.h), but for AMX, whose order is its own: its numbers agree within k
 * roundings of the sum of |a b|. k is padded by zeros, so that what is not finite stays in its row and
 * column.
 *
 * OpenBLAS has no such products. */

/* The kernels that they take, for --version: "AVX512_BF16", "AMX", "AVX2, widened", "plain". */
const char *dq_bf16_core(void);
/* to[i] = from[i] rounded to the nearest, of two that are as near to the even one. */
void dq_bf16_round(uint16_t *to, const float *from, size_t n);

/* The uint16_t that n rows (or columns) of k numbers take as panels. */
size_t dq_packed_bf16(size_t n, size_t k);
void dq_pack_rows_bf16(size_t n, size_t k, const uint16_t *b, size_t ldb, uint16_t *to);
void dq_pack_columns_bf16(size_t n, size_t k, const uint16_t *b, size_t ldb, uint16_t *to);

void dq_gemm_nn_bf16(size_t m, size_t n, size_t k, const uint16_t *a, size_t lda, const uint16_t *b,
                     size_t ldb, float *c, size_t ldc, const dq_epilogue *epilogue);
/* Rows of b are read where they lie where k is a multiple of 32, and copied else. */
void dq_gemm_packed_batch_bf16(size_t m, size_t n, size_t k, const uint16_t *packed, const uint16_t *b,
                               size_t ldb, float *c, size_t ldc, const dq_epilogue *epilogue);
void dq_gemm_packed_tn_bf16(size_t m, size_t n, size_t k, const uint16_t *a, size_t lda,
                            const uint16_t *packed, float *c, size_t ldc, const dq_epilogue *epilogue);

#endif
