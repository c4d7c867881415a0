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

void net_product(const dq_net *net, const net_layer *l, size_t rows, size_t in, size_t c0, size_t width,
                 float *to)
{
    const net_operand of = input(net, l, rows, in);
    const float *weights = net->weights + l->at + c0 * l->in;
    if (on_sparse(net, l))
        net_nonzero_product(&net->nonzero, rows, in, weights, l->in, width, to, l->out);
    else if (rows < NET_FEW)
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < width; c++)
                to[r * l->out + c] = dq_vec_dot(of.x + r * of.stride, weights + c * l->in, in);
    else
        net_nt(net, rows, width, in, of.x, of.stride, weights, l->in, to, l->out);
}

void net_product_gradient(const dq_net *net, const net_layer *l, size_t rows, size_t in, const float *dy,
                          size_t n, float *weight)
{
    const net_operand of = input(net, l, rows, in);
    if (on_sparse(net, l))
        net_nonzero_gradient(&net->nonzero, rows, in, dy, l->out, n, weight, l->in);
    else if (rows > 1)
        net_tn(net, n, in, rows, dy, l->out, of.x, of.stride, weight, l->in);
    else
        for (size_t u = 0; u < n; u++)
            for (size_t j = 0; j < in; j++) weight[u * l->in + j] = dy[u] * of.x[j];
}

/* Whether the input was packed for this pass. */
static bool packs(const dq_net *net, const net_layer *l)
{
    return !on_sparse(net, l) && net_rows(net, l) >= NET_FEW;
}

static void pack(const dq_net *net, const net_layer *l, bool gradient)
{
    const net_operand of = input(net, l, net_rows(net, l), l->in);
    if (packs(net, l) && !net_picks(net, l)) net_pack(net, l, &of, gradient);
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
    const net_operand of = input(net, l, net_rows(net, l), l->in);
    if (packs(net, l))
        net_times_weights(net, l, &of, net->weights + l->at + c0 * l->in, width, l->y + c0);
    else
        net_product(net, l, of.rows, l->in, c0, width, l->y + c0);
    net_activate(net, l, NULL, net->weights + l->at + l->in * l->out, c0, width);
}

static void dense_forward(dq_net *net, net_layer *layer)
{
    pack(net, layer, false);
    if (net_picks(net, layer))
        pick_forward(net, layer);
    else
        net_run(net, layer, forward_tile, layer->out, multiplications(net, layer));
}

static void dense_prepare(const dq_net *net, const net_layer *layer)
{
    pack(net, layer, true);
}

static bool dense_allocate(dq_net *net, net_layer *layer)
{
    size_t rows = layer->pairs ? net->max_rows : net->max_trained;
    return on_sparse(net, layer) || net_packed_allocate(net, layer, rows, layer->in);
}

/* dx = dy W, some columns of it. */
static void input_tile(const dq_net *net, const net_layer *l, size_t c0, size_t width)
{
    net_nn(net, net_rows(net, l), width, l->out, l->dy, l->out, net->weights + l->at + c0, l->in,
           net_input_gradient(net, l) + c0, net->layers[l->from].out);
    net_gate(net, l, c0, width);
}

static void dense_input(dq_net *net, net_layer *layer)
{
    if (net_picks(net, layer))
        pick_input(net, layer);
    else
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
    const net_operand of = input(net, l, rows, l->in);
    if (packs(net, l))
        net_weights_gradient(net, l, &of, l->dy + u0, n, weight);
    else
        net_product_gradient(net, l, rows, l->in, l->dy + u0, n, weight);
    net_sum_rows(bias, l->dy + u0, l->out, rows, n);
}

const net_kind net_dense = {dense_forward, dense_input, dense_gradient, dense_allocate, dense_prepare};
