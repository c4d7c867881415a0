/* SPDX-License-Identifier: MIT
 *
 * The feed-forward half of a block, each token by itself:
 *
 *     z = norm(x)      h = activation(z W1' + b1)      y = x + dropout(h W2' + b2)
 *
 * h is NET_INNER times as wide as a token, as in Vaswani et al.; SASRec has it as wide. Weights stand as
 * norm, W1, b1, W2, b2.
 */
#include "net/layers/sequence_impl.h"

#include "core/buffers.h"
#include "math/blas.h"
#include "math/smooth.h"

#include <string.h>

typedef struct feed_forward {
    net_layer_norm norm;
    float *h;         /* (tokens, inner) */
    float *slope;     /* (trained tokens, inner) of an activation but ReLU, whose outputs tell it */
    float *dout, *dh; /* (trained tokens, width), (trained tokens, inner) */
} feed_forward;

static bool forward_allocate(dq_net *net, net_layer *layer)
{
    feed_forward *f = layer->own = dq_arena_zero(&net->arena, 1, sizeof *f);
    size_t width = net->spec.encoder_width, inner = NET_INNER * width;
    size_t rows = net_max_tokens(net), trained = net_max_trained_tokens(net);
    if (!f || !net_layer_norm_init(&f->norm, rows, trained, width, &net->arena)) return false;
    const dq_buffer buffers[] = {
        DQ_BUFFER(f->h, rows * inner),
        DQ_BUFFER(f->slope, net->spec.activation == DQ_RELU ? 0 : trained * inner),
        DQ_BUFFER(f->dout, trained * width),
        DQ_BUFFER(f->dh, trained * inner),
    };
    return dq_buffers_take(&net->arena, buffers, DQ_BUFFERS(buffers));
}

/* Where the weights stand. */
typedef struct places {
    size_t norm, in, in_bias, out, out_bias;
} places;

static places find(size_t width, size_t at)
{
    size_t inner = NET_INNER * width, in = at + 2 * width, in_bias = in + inner * width;
    size_t out = in_bias + inner;
    return (places){at, in, in_bias, out, out + width * inner};
}

static void activate(const dq_net *net, const feed_forward *f, size_t at, size_t n)
{
    float *h = f->h + at, *slope = net->training && net->max_trained ? f->slope + at : NULL;
    if (net->spec.activation == DQ_GELU)
        dq_smooth_gelu(h, slope, h, n);
    else if (net->spec.activation == DQ_TANH)
        dq_smooth_tanh(h, slope, h, n);
    else
        dq_vec_shift_relu(h, h, 0, n);
}

static void forward_state(const dq_net *net, const net_layer *layer, size_t state)
{
    const feed_forward *f = layer->own;
    size_t width = net->spec.encoder_width, inner = NET_INNER * width, row = net->token_start[state];
    size_t n = net->token_start[state + 1] - row;
    const places p = find(width, layer->at);
    const float *w = net->weights, *x = net->layers[layer->from].y + row * width;
    float *h = f->h + row * inner, *y = layer->y + row * width;
    if (n == 0) return;
    net_layer_norm_forward(&f->norm, w + p.norm, x, row, n, width);
    dq_gemm_nt(n, inner, width, f->norm.z + row * width, width, w + p.in, width, h, inner);
    net_add_bias(h, w + p.in_bias, n, inner);
    activate(net, f, row * inner, n * inner);
    dq_gemm_nt(n, width, inner, h, inner, w + p.out, inner, y, width);
    net_add_bias(y, w + p.out_bias, n, width);
    net_drop_tokens(net, layer, row, n, y);
    dq_vec_add(y, x, n * width);
}

static size_t multiplications(const dq_net *net)
{
    return 2 * NET_INNER * (size_t)net->spec.encoder_width * net->spec.encoder_width;
}

static void forward_forward(dq_net *net, net_layer *layer)
{
    net_run_states(net, layer, forward_state, multiplications(net));
}

/* ---- back ---- */

static void back_state(const dq_net *net, const net_layer *layer, size_t state)
{
    const feed_forward *f = layer->own;
    size_t width = net->spec.encoder_width, inner = NET_INNER * width, row = net->token_start[state];
    size_t n = net->token_start[state + 1] - row, at = row * width;
    const places p = find(width, layer->at);
    const float *w = net->weights;
    float *dx = net_input_gradient(net, layer) + at, *dh = f->dh + row * inner;
    if (n == 0) return;
    memcpy(f->dout + at, layer->dy + at, n * width * sizeof *dx);
    net_drop_tokens(net, layer, row, n, f->dout + at);
    dq_gemm_nn(n, inner, width, f->dout + at, width, w + p.out, inner, dh, inner);
    if (net->spec.activation == DQ_RELU)
        dq_vec_gate(dh, f->h + row * inner, 1, n * inner);
    else
        dq_vec_multiply(dh, f->slope + row * inner, n * inner);
    dq_gemm_nn(n, width, inner, dh, inner, w + p.in, width, f->norm.dz + at, width);
    memcpy(dx, layer->dy + at, n * width * sizeof *dx);
    net_layer_norm_back(&f->norm, w + p.norm, row, n, width, dx);
}

static void forward_input(dq_net *net, net_layer *layer)
{
    net_run_states(net, layer, back_state, multiplications(net));
}

static void forward_gradient(const dq_net *net, const net_layer *layer, size_t u0, size_t n, float *weight,
                             float *bias)
{
    const feed_forward *f = layer->own;
    size_t width = net->spec.encoder_width, inner = NET_INNER * width, rows = net->token_start[net->states];
    const places p = find(width, 0);
    (void)u0;
    (void)n;
    (void)bias;
    memset(weight, 0, layer->unit_width * sizeof *weight);
    if (rows == 0) return;
    net_layer_norm_gradient(&f->norm, rows, width, weight + p.norm);
    dq_gemm_tn(inner, width, rows, f->dh, inner, f->norm.z, width, weight + p.in, width);
    net_sum_rows(weight + p.in_bias, f->dh, inner, rows, inner);
    dq_gemm_tn(width, inner, rows, f->dout, width, f->h, inner, weight + p.out, inner);
    net_sum_rows(weight + p.out_bias, f->dout, width, rows, width);
}

const net_kind net_feed_forward = {forward_forward, forward_input, forward_gradient, forward_allocate, NULL};
