/* SPDX-License-Identifier: MIT
 *
 * Features added to the output: y = x + w . m. What features tell by themselves, the hidden layers need not
 * make (He et al., "Deep residual learning for image recognition", 2016, of a head alone).
 */
#include "net/net_impl.h"

#include "math/blas.h"

#include <string.h>

static void direct_forward(dq_net *net, net_layer *layer)
{
    size_t stride, width = layer->unit_width;
    const float *x = net_input(net, layer, &stride), *m = net->layers[layer->beside].y;
    const float *w = net->weights + layer->at;
    for (size_t r = 0; r < net->rows; r++) {
        float sum = x[r * stride];
        for (size_t f = 0; f < width; f++) sum += w[f] * m[r * width + f];
        layer->y[r] = sum;
    }
}

static void direct_input(dq_net *net, net_layer *layer)
{
    memcpy(net_input_gradient(net, layer), layer->dy, net->rows * sizeof *layer->dy);
}

static void direct_gradient(const dq_net *net, const net_layer *l, size_t u0, size_t n, float *weight,
                            float *bias)
{
    (void)u0, (void)bias;
    dq_gemm_tn(n, l->unit_width, net->rows, l->dy, 1, net->layers[l->beside].y, l->unit_width, weight,
               l->unit_width);
}

void dq_net_start_at(dq_net *net, uint32_t feature, double weight)
{
    net_weights_were_set(net);
    for (const net_layer *l = net->layers; l < net->layers + net->layer_count; l++)
        if (l->kind == &net_direct) net->weights[l->at + feature] = (float)weight;
}

const net_kind net_direct = {direct_forward, direct_input, direct_gradient, NULL, NULL};
