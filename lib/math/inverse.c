/* SPDX-License-Identifier: MIT */
#include "math/inverse.h"

#include "math/blas.h"
#include "math/cholesky.h"
#include "math/vec.h"

#include <string.h>

enum { BLOCK = 64 }; /* rows that are eliminated at a time */

size_t dq_inverse_work(size_t n)
{
    return 3 * BLOCK * n + BLOCK * BLOCK;
}

/* to (b, b) = the inverse of the block of A (stride n) on the diagonal. */
static bool invert_block(const float *a, size_t n, size_t b, float *to)
{
    double factor[BLOCK * (BLOCK + 1) / 2], column[BLOCK];
    for (size_t i = 0; i < b; i++)
        for (size_t j = 0; j <= i; j++) factor[dq_triangle(i) + j] = (double)a[i * n + j];
    if (!dq_cholesky_factor(factor, b)) return false;
    for (size_t j = 0; j < b; j++) {
        memset(column, 0, sizeof column);
        column[j] = 1;
        dq_cholesky_solve_factored(factor, b, column);
        for (size_t i = 0; i < b; i++) to[i * b + j] = (float)column[i];
    }
    return true;
}

/* Takes the columns [k, k + b) of A out into to (n, b), and leaves those of the identity. */
static void take_columns(float *a, size_t n, size_t k, size_t b, float *to)
{
    for (size_t i = 0; i < n; i++) {
        memcpy(to + i * b, a + i * n + k, b * sizeof *to);
        memset(a + i * n + k, 0, b * sizeof *a);
        if (i >= k && i < k + b) a[i * n + i] = 1;
    }
}

/* Rows [from, from + m) of A less the product of their columns with the rows of the block. */
static void eliminate(float *a, size_t n, size_t from, size_t m, const float *columns, const float *rows,
                      size_t b, float *product)
{
    dq_gemm_nn(m, n, b, columns + from * b, b, rows, n, product, n);
    dq_vec_add_scaled(a + from * n, product, -1, m * n);
}

bool dq_inverse_definite(float *a, size_t n, float *work)
{
    float *columns = work, *product = columns + BLOCK * n, *rows = product + BLOCK * n,
          *block = rows + BLOCK * n;
    for (size_t k = 0; k < n; k += BLOCK) {
        size_t b = n - k < BLOCK ? n - k : BLOCK;
        if (!invert_block(a + k * n + k, n, b, block)) return false;
        take_columns(a, n, k, b, columns);
        dq_gemm_nn(b, n, b, block, b, a + k * n, n, rows, n);
        memcpy(a + k * n, rows, b * n * sizeof *a);
        for (size_t i = 0; i < n; i += BLOCK)
            if (i != k) eliminate(a, n, i, n - i < BLOCK ? n - i : BLOCK, columns, rows, b, product);
    }
    return true;
}
