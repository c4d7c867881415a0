/* SPDX-License-Identifier: MIT */
#include "math/clones.h"
#include "math/product/kernel.h"

#include <string.h>

static void run(product_half_operand a, product_half_operand b, size_t m, size_t n, size_t k, float *c,
                size_t ldc, const dq_epilogue *epilogue)
{
    const product_half p = {.kernel = product_half_chosen(),
                            .m = m,
                            .n = n,
                            .k = k,
                            .a = a,
                            .b = b,
                            .c = c,
                            .ldc = ldc,
                            .epilogue = epilogue};
    product_half_run(&p);
}

static product_half_operand rows(const uint16_t *at, size_t ld)
{
    return (product_half_operand){.at = at, .ld = ld};
}

static product_half_operand columns(const uint16_t *at, size_t ld)
{
    return (product_half_operand){.at = at, .ld = ld, .columns = true};
}

static product_half_operand packed(const uint16_t *panels)
{
    return (product_half_operand){.panels = panels};
}

const char *dq_bf16_core(void)
{
    return product_half_chosen()->name;
}

DQ_CLONES
void dq_bf16_round(uint16_t *to, const float *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &from[i], sizeof bits);
        uint32_t rounded = bits + 0x7fff + (bits >> 16 & 1), quiet = bits | 0x400000;
        to[i] = (uint16_t)(((bits & 0x7fffffff) > 0x7f800000 ? quiet : rounded) >> 16);
    }
}

size_t dq_packed_bf16(size_t n, size_t k)
{
    return product_half_packed(product_half_chosen(), n, k);
}

void dq_pack_rows_bf16(size_t n, size_t k, const uint16_t *b, size_t ldb, uint16_t *to)
{
    product_half_pack(product_half_chosen(), rows(b, ldb), n, k, to);
}

void dq_pack_columns_bf16(size_t n, size_t k, const uint16_t *b, size_t ldb, uint16_t *to)
{
    product_half_pack(product_half_chosen(), columns(b, ldb), n, k, to);
}

void dq_gemm_nn_bf16(size_t m, size_t n, size_t k, const uint16_t *a, size_t lda, const uint16_t *b,
                     size_t ldb, float *c, size_t ldc, const dq_epilogue *epilogue)
{
    run(rows(a, lda), columns(b, ldb), m, n, k, c, ldc, epilogue);
}

void dq_gemm_packed_batch_bf16(size_t m, size_t n, size_t k, const uint16_t *panels, const uint16_t *b,
                               size_t ldb, float *c, size_t ldc, const dq_epilogue *epilogue)
{
    run(packed(panels), rows(b, ldb), m, n, k, c, ldc, epilogue);
}

void dq_gemm_packed_tn_bf16(size_t m, size_t n, size_t k, const uint16_t *a, size_t lda,
                            const uint16_t *panels, float *c, size_t ldc, const dq_epilogue *epilogue)
{
    run(columns(a, lda), packed(panels), m, n, k, c, ldc, epilogue);
}
