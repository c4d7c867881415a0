/* SPDX-License-Identifier: MIT
 *
 * What follows a product: bias, activation and dropout, in one pass over a tile that is still in cache, and
 * the way back. ReLU stores no mask: an output is positive just where the unit was active and kept. The other
 * activations store their slope, dropout in it.
 */
#include "net/net_impl.h"

#include "math/smooth.h"

#include <string.h>

void net_sum_rows(float *to, const float *rows, size_t stride, size_t n, size_t width)
{
    memset(to, 0, width * sizeof *to);
    for (size_t r = 0; r < n; r++) dq_vec_add(to, rows + r * stride, width);
}

void net_apply(dq_activation activation, float *h, size_t n)
{
    if (activation == DQ_GELU)
        dq_smooth_gelu(h, NULL, h, n);
    else if (activation == DQ_TANH)
        dq_smooth_tanh(h, NULL, h, n);
    else
        dq_vec_shift_relu(h, h, 0, n);
}

/* The smooth activations of one row's units; slope only where it is a training pass. */
static void activate_smooth(const dq_net *net, float *y, float *slope, const uint16_t *draws, size_t n)
{
    float *to = net->training ? slope : NULL;
    if (net->spec.activation == DQ_GELU)
        dq_smooth_gelu(y, to, y, n);
    else
        dq_smooth_tanh(y, to, y, n);
    for (size_t i = 0; draws && i < n; i++) {
        float kept = draws[i] >= net->dropout.cut ? net->dropout.scale : 0;
        y[i] *= kept;
        slope[i] *= kept;
    }
}

/* y = a + b + bias; b may be NULL */
static void sum(float *y, const float *a, const float *b, const float *bias, size_t n)
{
    if (y != a) memcpy(y, a, n * sizeof *y);
    if (b) dq_vec_add(y, b, n);
    dq_vec_add(y, bias, n);
}

/* Units are dropped in groups of NET_COLUMNS, each by a generator of its own, so that the draws depend on
 * neither tiles nor threads. */
static void activate_group(const dq_net *net, const net_layer *layer, const net_parts *parts,
                           const float *bias, size_t c0, size_t width)
{
    uint16_t drawn[NET_COLUMNS], *draws = NULL;
    size_t out = layer->out;
    dq_rng rng = dq_rng_stream(net->seed, layer->number << 32 | c0 / NET_COLUMNS);
    if (net->training && layer->drops && net->dropout.cut > 0) draws = drawn;
    for (size_t r = 0; r < net_rows(net, layer); r++) {
        float *y = layer->y + r * out + c0;
        const float *a = parts && parts->a ? parts->a + parts->a_row[r] * out + c0 : y;
        const float *b = parts && parts->b ? parts->b + parts->b_row[r] * out + c0 : NULL;
        if (draws) dq_dropout_draw(draws, width, &rng);
        if (layer->activates && net->spec.activation == DQ_RELU) {
            dq_vec_activate(y, a, b, bias + c0, draws, net->dropout, width);
            continue;
        }
        sum(y, a, b, bias + c0, width);
        if (layer->activates) activate_smooth(net, y, layer->slope + r * out + c0, draws, width);
    }
}

void net_activate(const dq_net *net, const net_layer *layer, const net_parts *parts, const float *bias,
                  size_t c0, size_t width)
{
    for (size_t end = c0 + width; c0 < end; c0 += NET_COLUMNS)
        activate_group(net, layer, parts, bias, c0, net_min(NET_COLUMNS, end - c0));
}

static void gate_row(const dq_net *net, const net_layer *from, size_t at, size_t n)
{
    if (from->slope)
        dq_vec_multiply(from->dy + at, from->slope + at, n);
    else
        dq_vec_gate(from->dy + at, from->y + at, from->drops ? net->dropout.scale : 1, n);
}

void net_gate(const dq_net *net, const net_layer *layer, size_t c0, size_t width)
{
    const net_layer *from = &net->layers[layer->from];
    size_t rows = net_rows(net, from), out = from->out;
    if (!from->activates) return;
    if (width == out)
        gate_row(net, from, 0, rows * out);
    else
        for (size_t r = 0; r < rows; r++) gate_row(net, from, r * out + layer->from_at + c0, width);
}

void net_run_tiles(const dq_net *net, void (*tile)(void *arg, size_t i, unsigned thread), void *arg,
                   size_t tiles, size_t multiplications)
{
    if (multiplications <= NET_SMALL)
        for (size_t i = 0; i < tiles; i++) tile(arg, i, 0);
    else
        dq_pool_run(net->pool, tile, arg, tiles);
}

typedef struct run {
    const dq_net *net;
    const net_layer *layer;
    net_tile *tile;
    size_t n;
} run;

static void run_tile(void *arg, size_t i, unsigned thread)
{
    (void)thread;
    const run *r = arg;
    r->tile(r->net, r->layer, i * NET_COLUMNS, net_min(NET_COLUMNS, r->n - i * NET_COLUMNS));
}

void net_run(const dq_net *net, const net_layer *layer, net_tile *tile, size_t n, size_t multiplications)
{
    run r = {net, layer, tile, n};
    if (multiplications <= NET_SMALL)
        tile(net, layer, 0, n);
    else
        dq_pool_run(net->pool, run_tile, &r, net_tiles(n, NET_COLUMNS));
}
