/* SPDX-License-Identifier: MIT
 *
 * The dense layer: y = x W' + b. On sparse states it gathers the numbers that are not zero.
 */
#include "net/net_impl.h"

#include <string.h>

static bool on_sparse(const dq_net *net, const net_layer *layer)
{
    return layer->from == NET_STATES && net->spec.sparse;
}

static size_t multiplications(const dq_net *net, const net_layer *layer)
{
    return net_rows(net, layer) * layer->in * layer->out;
}

static net_operand input(const dq_net *net, const net_layer *l, size_t rows, size_t in)
{
    net_operand of = {.rows = rows, .in = in};
    of.x = net_input(net, l, &of.stride);
    return of;
}

void net_product(const dq_net *net, const net_layer *l, const net_side *side, size_t rows, size_t in,
                 size_t c0, size_t width, float *to)
{
    const net_operand of = input(net, l, rows, in);
    size_t at = l->at + c0 * l->in;
    if (on_sparse(net, l))
        net_nonzero_product(&net->nonzero, rows, in, net->weights + at, l->in, width, to, l->out);
    else
        net_side_product(net, l, side, &of, at, width, to);
}

void net_product_gradient(const dq_net *net, const net_layer *l, const net_side *side, size_t rows, size_t in,
                          const float *dy, size_t u0, size_t n, float *weight)
{
    const net_operand of = input(net, l, rows, in);
    if (on_sparse(net, l))
        net_nonzero_gradient(&net->nonzero, rows, in, dy + u0, l->out, n, weight, l->in);
    else
        net_side_gradient(net, l, side, &of, dy, u0, n, weight);
}

void net_product_pack(const dq_net *net, const net_layer *l, const net_side *side, size_t rows, size_t in,
                      bool gradient)
{
    const net_operand of = input(net, l, rows, in);
    if (!on_sparse(net, l)) net_side_pack(net, side, &of, gradient);
}

/* ---- one output a row: its unit alone ---- */

static void pick_forward(dq_net *net, net_layer *l)
{
    size_t stride;
    const float *x = net_input(net, l, &stride), *weights = net->weights + l->at;
    for (size_t r = 0; r < net->rows; r++) {
        uint32_t unit = net->given.action[r];
        const float *w = weights + unit * l->in;
        float product = on_sparse(net, l) ? net_nonzero_dot(&net->nonzero, r, l->in, w)
                                          : dq_vec_dot(x + r * stride, w, l->in);
        l->y[r] = product + weights[l->units * l->in + unit];
    }
}

static void pick_input(dq_net *net, net_layer *l)
{
    float *dx = net_input_gradient(net, l);
    size_t stride = net->layers[l->from].out;
    for (size_t r = 0; r < net->rows; r++, dx += stride) {
        memset(dx, 0, l->in * sizeof *dx);
        dq_vec_add_scaled(dx, net->weights + l->at + net->given.action[r] * l->in, l->dy[r], l->in);
    }
    net_gate(net, l, 0, l->in);
}

static void pick_gradient(const dq_net *net, const net_layer *l, size_t u0, size_t n, float *weight,
                          float *bias)
{
    size_t stride;
    const float *x = net_input(net, l, &stride);
    memset(weight, 0, n * l->in * sizeof *weight);
    memset(bias, 0, n * sizeof *bias);
    for (size_t r = 0; r < net->rows; r++) {
        size_t unit = net->given.action[r] - u0; /* a number before u0 is larger than n, too */
        if (unit >= n) continue;
        if (on_sparse(net, l))
            net_nonzero_add(&net->nonzero, r, l->in, l->dy[r], weight + unit * l->in);
        else
            dq_vec_add_scaled(weight + unit * l->in, x + r * stride, l->dy[r], l->in);
        bias[unit] += l->dy[r];
    }
}

/* ---- all outputs ---- */

static void forward_tile(const dq_net *net, const net_layer *l, size_t c0, size_t width)
{
    net_product(net, l, &l->side, net_rows(net, l), l->in, c0, width, l->y + c0);
    net_activate(net, l, NULL, net->weights + l->at + l->in * l->out, c0, width);
}

static void dense_forward(dq_net *net, net_layer *layer)
{
    if (net_picks(net, layer)) {
        pick_forward(net, layer);
        return;
    }
    net_product_pack(net, layer, &layer->side, net_rows(net, layer), layer->in, false);
    net_run(net, layer, forward_tile, layer->out, multiplications(net, layer));
}

static void dense_prepare(const dq_net *net, const net_layer *l)
{
    size_t rows = net_rows(net, l);
    if (net_picks(net, l)) return;
    net_product_pack(net, l, &l->side, rows, l->in, true);
    if (!net_input_gradient(net, l)) /* else dense_input has taken it up */
        net_side_take(net, l, &l->side, rows, l->dy, 0, l->out);
}

static bool dense_allocate(dq_net *net, net_layer *layer)
{
    size_t rows = layer->pairs ? net->max_rows : net->max_trained;
    return on_sparse(net, layer) || net_side_allocate(net, layer, &layer->side, rows, layer->in);
}

/* dx = dy W, some columns of it. */
static void input_tile(const dq_net *net, const net_layer *l, size_t c0, size_t width)
{
    net_side_input(net, l, &l->side, net_rows(net, l), l->dy, c0, width, net_input_gradient(net, l) + c0,
                   net->layers[l->from].out);
    net_gate(net, l, c0, width);
}

static void dense_input(dq_net *net, net_layer *layer)
{
    if (net_picks(net, layer)) {
        pick_input(net, layer);
        return;
    }
    net_side_take(net, layer, &layer->side, net_rows(net, layer), layer->dy, 0, layer->out);
    net_run(net, layer, input_tile, layer->in, multiplications(net, layer));
}

/* dW = dy' x and db, some rows of them. */
static void dense_gradient(const dq_net *net, const net_layer *l, size_t u0, size_t n, float *weight,
                           float *bias)
{
    size_t rows = net_rows(net, l);
    if (net_picks(net, l)) {
        pick_gradient(net, l, u0, n, weight, bias);
        return;
    }
    net_product_gradient(net, l, &l->side, rows, l->in, l->dy, u0, n, weight);
    net_sum_rows(bias, l->dy + u0, l->out, rows, n);
}

const net_kind net_dense = {dense_forward, dense_input, dense_gradient, dense_allocate, dense_prepare};
