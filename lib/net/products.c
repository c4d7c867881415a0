/* SPDX-License-Identifier: MIT
 *
 * The products of a training step. Its rows are few and its weights many, and these change after every step:
 * so it is the rows that are packed, once for all tiles of units, and weights are read where they lie.
 *
 * In bf16 both are rounded, the rows here, the weights as they are written: after a step of Adam, tile by
 * tile, while the tile is near. Gradients are rounded where they are an operand, too. Sums, weights and
 * moments are float32.
 */
#include "net/net_impl.h"

#include "math/blas.h"

enum { WORTH = 1 << 16 }; /* weights of a layer at least whose rows are packed */

static bool takes_bf16(const dq_net *net)
{
    return net->spec.precision == DQ_PRECISION_BF16 && net->max_rows > 0;
}

static uint16_t *take_rounded(dq_net *net, size_t n)
{
    return dq_arena_zero(&net->arena, n, sizeof(uint16_t));
}

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

bool net_side_allocate(dq_net *net, const net_layer *layer, net_side *side, size_t rows, size_t in)
{
    side->rows = rows;
    if (rows == 0) return true;
    if (rows <= NET_PACKED && layer->out > NET_COLUMNS && layer->out * in >= WORTH) {
        size_t n = most(dq_packed_floats(rows, in), dq_packed_floats(in, rows));
        side->panels = dq_arena_zero(&net->arena, n, sizeof *side->panels);
        if (!side->panels) return false;
    }
    if (!takes_bf16(net)) return true;
    side->x = take_rounded(net, rows * in);
    side->rounded_panels = take_rounded(net, most(dq_packed_bf16(rows, in), dq_packed_bf16(in, rows)));
    side->d = take_rounded(net, rows * layer->out);
    return side->x && side->rounded_panels && side->d;
}

/* Whether products of so many rows are of rounded operands in this pass. */
static bool rounds(const dq_net *net, const net_side *side, size_t rows)
{
    return side && net->training && side->x && rows >= NET_FEW && rows <= side->rows;
}

static bool packs(const net_side *side, size_t rows)
{
    return side && side->panels && rows >= NET_FEW && rows <= side->rows;
}

void net_side_pack(const dq_net *net, const net_side *side, const net_operand *of, bool gradient)
{
    if (rounds(net, side, of->rows)) {
        for (size_t r = 0; !gradient && r < of->rows; r++)
            dq_bf16_round(side->x + r * of->in, of->x + r * of->stride, of->in);
        if (gradient)
            dq_pack_columns_bf16(of->in, of->rows, side->x, of->in, side->rounded_panels);
        else
            dq_pack_rows_bf16(of->rows, of->in, side->x, of->in, side->rounded_panels);
    } else if (packs(side, of->rows)) {
        if (gradient)
            dq_pack_columns(of->in, of->rows, of->x, of->stride, side->panels);
        else
            dq_pack_rows(of->rows, of->in, of->x, of->stride, side->panels);
    }
}

void net_side_product(const dq_net *net, const net_layer *l, const net_side *side, const net_operand *of,
                      size_t at, size_t n, float *c)
{
    const float *weights = net->weights + at;
    if (rounds(net, side, of->rows))
        dq_gemm_packed_batch_bf16(of->rows, n, of->in, side->rounded_panels, net->rounded + at, l->in, c,
                                  l->out, NULL);
    else if (packs(side, of->rows))
        dq_gemm_packed_batch(of->rows, n, of->in, side->panels, weights, l->in, c, l->out, NULL);
    else if (of->rows >= NET_FEW)
        dq_gemm_nt(of->rows, n, of->in, of->x, of->stride, weights, l->in, c, l->out);
    else
        for (size_t r = 0; r < of->rows; r++)
            for (size_t u = 0; u < n; u++)
                c[r * l->out + u] = dq_vec_dot(of->x + r * of->stride, weights + u * l->in, of->in);
}

void net_side_take(const dq_net *net, const net_layer *l, const net_side *side, size_t rows, const float *dc,
                   size_t u0, size_t n)
{
    if (!rounds(net, side, rows)) return;
    for (size_t r = 0; r < rows; r++) dq_bf16_round(side->d + r * l->out + u0, dc + r * l->out + u0, n);
}

void net_side_gradient(const dq_net *net, const net_layer *l, const net_side *side, const net_operand *of,
                       const float *dc, size_t u0, size_t n, float *weights)
{
    if (rounds(net, side, of->rows))
        dq_gemm_packed_tn_bf16(n, of->in, of->rows, side->d + u0, l->out, side->rounded_panels, weights,
                               l->in, NULL);
    else if (packs(side, of->rows))
        dq_gemm_packed_tn(n, of->in, of->rows, dc + u0, l->out, side->panels, weights, l->in, NULL);
    else if (of->rows > 1)
        dq_gemm_tn(n, of->in, of->rows, dc + u0, l->out, of->x, of->stride, weights, l->in);
    else
        for (size_t u = 0; u < n; u++)
            for (size_t j = 0; j < of->in; j++) weights[u * l->in + j] = dc[u0 + u] * of->x[j];
}

void net_side_input(const dq_net *net, const net_layer *l, const net_side *side, size_t rows, const float *dc,
                    size_t c0, size_t width, float *dx, size_t stride)
{
    if (rounds(net, side, rows))
        dq_gemm_nn_bf16(rows, width, l->out, side->d, l->out, net->rounded + l->at + c0, l->in, dx, stride,
                        NULL);
    else
        dq_gemm_nn(rows, width, l->out, dc, l->out, net->weights + l->at + c0, l->in, dx, stride);
}

/* ---- weights ---- */

void net_weights_were_set(dq_net *net)
{
    net->outer.known = net->rounded_known = false;
}

void net_round_weights(dq_net *net)
{
    if (!net->rounded_known) net_round(net, 0, net->count);
    net->rounded_known = true;
}
