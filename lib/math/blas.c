/* SPDX-License-Identifier: MIT */
#include "math/blas.h"

#include "math/product/kernel.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static pthread_once_t tried = PTHREAD_ONCE_INIT;

dq_status dq_blas_reserve(unsigned threads, dq_error *error)
{
    const product_kernel *kernel = product_chosen();
    dq_status status = product_check_choice(error);
    if (!status) status = product_reserve_scratch(threads, error);
    if (!status && kernel->reserve) status = kernel->reserve(threads, error);
    return status;
}

const char *dq_blas_core(void)
{
    static char name[512];
    dq_error error = {0};
    const product_kernel *kernel = product_chosen();
    if (kernel == &product_openblas)
        snprintf(name, sizeof name, "%s", product_openblas_core());
    else
        snprintf(name, sizeof name, "dq %s", kernel->name);
    if (!product_named() && dq_blas_slow()) {
        size_t n = strlen(name);
        snprintf(name + n, sizeof name - n, "; %s", dq_blas_slow());
    }
    if (product_check_choice(&error)) {
        size_t n = strlen(name);
        snprintf(name + n, sizeof name - n, ", not as it should be: %s", error.reason);
    }
    return name;
}

const char *dq_blas_slow(void)
{
    static char words[600];
    dq_error error = DQ_ERROR_NONE;
    if (product_chosen() != &product_plain) return NULL;
    int n = snprintf(words, sizeof words, "products of matrices take many times as long as they could: ");
    if (product_named())
        snprintf(words + n, sizeof words - (size_t)n, "DQ_KERNELS asks for the plain form");
    else if (product_load_openblas(&error))
        snprintf(words + n, sizeof words - (size_t)n, "this CPU has no AVX2 with FMA, and %s", error.reason);
    return words;
}

/* ---- products ---- */

void dq_gemm_nn(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
                float *c, size_t ldc)
{
    dq_gemm_nn_then(m, n, k, a, lda, b, ldb, c, ldc, NULL);
}

void dq_gemm_nt(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
                float *c, size_t ldc)
{
    dq_gemm_nt_then(m, n, k, a, lda, b, ldb, c, ldc, NULL);
}

void dq_gemm_tn(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
                float *c, size_t ldc)
{
    dq_gemm_tn_then(m, n, k, a, lda, b, ldb, c, ldc, NULL);
}

bool dq_gemm_chained(void)
{
    return product_chosen() != &product_openblas;
}

/* ---- what OpenBLAS's kernels treat unlike ---- */

static size_t margin; /* set by find_margin */

/* Multiplies equal rows and compares the results. OpenBLAS's AVX2 kernels take the first and last 8 rows of a
 * product through another loop than the rest. */
static void find_margin(void)
{
    enum { UNITS = 40, ROWS = 64, WIDTH = 40, MARGIN = 8 };
    static float w[UNITS * WIDTH], x[ROWS * WIDTH], z[UNITS * ROWS];
    for (size_t i = 0; i < UNITS * WIDTH; i++) w[i] = (float)((i * 7919) % 1009) / 1009;
    for (size_t i = 0; i < ROWS * WIDTH; i++) x[i] = (float)((i % WIDTH * 6151) % 499) / 499;
    dq_gemm_nt(UNITS, ROWS, WIDTH, w, WIDTH, x, WIDTH, z, ROWS);
    for (size_t u = 0; u < UNITS; u++)
        for (size_t r = 0; r < ROWS; r++)
            if (memcmp(&z[u * ROWS + r], &z[u * ROWS], sizeof *z) != 0) margin = MARGIN;
}

size_t dq_gemm_margin(void)
{
    if (product_chosen() == &product_openblas) pthread_once(&tried, find_margin);
    return margin;
}

static bool alike; /* set by find_alike */

/* Whether equal rows, times B or its transpose, give equal rows. */
static bool are_alike(size_t n, size_t k, bool transposed)
{
    enum { ROWS = DQ_GEMM_ROWS, WIDTH = 200, COLUMNS = 300 };
    static float a[ROWS * WIDTH], b[WIDTH * COLUMNS], c[ROWS * COLUMNS];
    for (size_t i = 0; i < ROWS * k; i++) a[i] = (float)((i % k * 7919) % 1009) / 1009;
    for (size_t i = 0; i < k * n; i++) b[i] = (float)((i * 6151) % 499) / 499;
    if (transposed)
        dq_gemm_nt(ROWS, n, k, a, k, b, k, c, n);
    else
        dq_gemm_nn(ROWS, n, k, a, k, b, n, c, n);
    for (size_t r = 1; r < ROWS; r++)
        if (memcmp(c + r * n, c, n * sizeof *c) != 0) return false;
    return true;
}

static void find_alike(void)
{
    static const size_t shapes[][2] = {{300, 200}, {299, 199}, {24, 8}, {1, 3}, {17, 64}};
    alike = true;
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        alike = alike && are_alike(shapes[s][0], shapes[s][1], true) &&
                are_alike(shapes[s][0], shapes[s][1], false);
}

bool dq_gemm_alike(void)
{
    static pthread_once_t asked = PTHREAD_ONCE_INIT;
    if (product_chosen() != &product_openblas) return true;
    pthread_once(&asked, find_alike);
    return alike;
}
