/* SPDX-License-Identifier: MIT
 *
 * The products of a training step. Its rows are few and its weights many, and these change after every step:
 * so it is the rows that are packed, once for all tiles of units, and weights are read where they lie.
 */
#include "net/net_impl.h"

#include "math/blas.h"
#include "math/product/product.h"

void net_nn(const dq_net *net, size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
            size_t ldb, float *c, size_t ldc)
{
    (void)net;
    dq_gemm_nn(m, n, k, a, lda, b, ldb, c, ldc);
}

void net_nt(const dq_net *net, size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
            size_t ldb, float *c, size_t ldc)
{
    (void)net;
    dq_gemm_nt(m, n, k, a, lda, b, ldb, c, ldc);
}

void net_tn(const dq_net *net, size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
            size_t ldb, float *c, size_t ldc)
{
    (void)net;
    dq_gemm_tn(m, n, k, a, lda, b, ldb, c, ldc);
}

/* ---- packed once for all tiles of a layer ---- */

enum { WORTH = 1 << 16 }; /* weights of a layer at least */

bool net_packed_allocate(dq_net *net, net_layer *layer, size_t rows, size_t in)
{
    if (rows == 0 || rows > NET_PACKED || layer->out <= NET_COLUMNS || layer->out * in < WORTH) return true;
    size_t forward = dq_packed_floats(rows, in), gradient = dq_packed_floats(in, rows);
    layer->packed_rows = rows;
    layer->packed = dq_arena_zero(&net->arena, forward > gradient ? forward : gradient,
                                  sizeof *layer->packed);
    return layer->packed != NULL;
}

void net_pack(const dq_net *net, const net_layer *layer, const net_operand *of, bool gradient)
{
    (void)net;
    if (of->rows > layer->packed_rows) return;
    if (gradient)
        dq_pack_columns(of->in, of->rows, of->x, of->stride, layer->packed);
    else
        dq_pack_rows(of->rows, of->in, of->x, of->stride, layer->packed);
}

void net_times_weights(const dq_net *net, const net_layer *layer, const net_operand *of, const float *weights,
                       size_t n, float *c)
{
    if (of->rows <= layer->packed_rows)
        dq_gemm_packed_batch(of->rows, n, of->in, layer->packed, weights, layer->in, c, layer->out, NULL);
    else
        net_nt(net, of->rows, n, of->in, of->x, of->stride, weights, layer->in, c, layer->out);
}

void net_weights_gradient(const dq_net *net, const net_layer *layer, const net_operand *of, const float *dc,
                          size_t n, float *weights)
{
    if (of->rows <= layer->packed_rows)
        dq_gemm_packed_tn(n, of->in, of->rows, dc, layer->out, layer->packed, weights, layer->in, NULL);
    else
        net_tn(net, n, of->in, of->rows, dc, layer->out, of->x, of->stride, weights, layer->in);
}
