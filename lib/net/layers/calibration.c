/* SPDX-License-Identifier: MIT
 *
 * The calibration of the output: y = scale x + shift. They are no weights: whoever fits them says so.
 */
#include "net/net_impl.h"

static const net_layer *find(const dq_net *net)
{
    const net_layer *last = net->layers + net->layer_count - 1;
    return last->kind == &net_calibration ? last : NULL;
}

static void calibration_forward(dq_net *net, net_layer *layer)
{
    size_t stride;
    const float *x = net_input(net, layer, &stride), *fit = net->statistics + layer->statistics;
    for (size_t r = 0; r < net->rows; r++) layer->y[r] = fit[0] * x[r * stride] + fit[1];
}

static void calibration_input(dq_net *net, net_layer *layer)
{
    float *dx = net_input_gradient(net, layer), scale = net->statistics[layer->statistics];
    for (size_t r = 0; r < net->rows; r++) dx[r] = scale * layer->dy[r];
}

void dq_net_calibrate(dq_net *net, double scale, double shift)
{
    const net_layer *layer = find(net);
    if (!layer) return;
    net->statistics[layer->statistics] = (float)scale;
    net->statistics[layer->statistics + 1] = (float)shift;
}

void dq_net_calibration(const dq_net *net, double *scale, double *shift)
{
    const net_layer *layer = find(net);
    *scale = layer ? (double)net->statistics[layer->statistics] : 1;
    *shift = layer ? (double)net->statistics[layer->statistics + 1] : 0;
}

const net_kind net_calibration = {calibration_forward, calibration_input, NULL, NULL, NULL};
