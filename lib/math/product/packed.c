/* SPDX-License-Identifier: MIT */
#include "math/product/kernel.h"

static void run(product_operand a, product_operand b, size_t m, size_t n, size_t k, float *c, size_t ldc,
                const dq_epilogue *epilogue)
{
    const product p = {.kernel = product_chosen(),
                       .m = m,
                       .n = n,
                       .k = k,
                       .a = a,
                       .b = b,
                       .c = c,
                       .ldc = ldc,
                       .epilogue = epilogue};
    product_run(&p);
}

static product_operand rows(const float *at, size_t ld)
{
    return (product_operand){.at = at, .ld = ld};
}

static product_operand columns(const float *at, size_t ld)
{
    return (product_operand){.at = at, .ld = ld, .columns = true};
}

static product_operand packed(const float *panels)
{
    return (product_operand){.panels = panels};
}

void dq_gemm_nn_then(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
                     float *c, size_t ldc, const dq_epilogue *epilogue)
{
    run(rows(a, lda), columns(b, ldb), m, n, k, c, ldc, epilogue);
}

void dq_gemm_nt_then(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
                     float *c, size_t ldc, const dq_epilogue *epilogue)
{
    run(rows(a, lda), rows(b, ldb), m, n, k, c, ldc, epilogue);
}

void dq_gemm_tn_then(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
                     float *c, size_t ldc, const dq_epilogue *epilogue)
{
    run(columns(a, lda), columns(b, ldb), m, n, k, c, ldc, epilogue);
}

/* ---- an operand packed once ---- */

size_t dq_packed_floats(size_t n, size_t k)
{
    return product_packed_floats(product_chosen(), n, k);
}

void dq_pack_rows(size_t n, size_t k, const float *b, size_t ldb, float *to)
{
    product_pack(product_chosen(), rows(b, ldb), n, k, to);
}

void dq_pack_columns(size_t n, size_t k, const float *b, size_t ldb, float *to)
{
    product_pack(product_chosen(), columns(b, ldb), n, k, to);
}

void dq_gemm_packed(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *panels, float *c,
                    size_t ldc, const dq_epilogue *epilogue)
{
    run(rows(a, lda), packed(panels), m, n, k, c, ldc, epilogue);
}

void dq_gemm_packed_batch(size_t m, size_t n, size_t k, const float *panels, const float *b, size_t ldb,
                          float *c, size_t ldc, const dq_epilogue *epilogue)
{
    run(packed(panels), rows(b, ldb), m, n, k, c, ldc, epilogue);
}

void dq_gemm_packed_tn(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *panels,
                       float *c, size_t ldc, const dq_epilogue *epilogue)
{
    run(columns(a, lda), packed(panels), m, n, k, c, ldc, epilogue);
}
