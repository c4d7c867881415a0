/* SPDX-License-Identifier: MIT
 *
 * Dueling: Q = V + A - mean A; on pairs Q = V(state) + A. Of all actions or of the one asked for.
 */
#include "net/net_impl.h"

#include <string.h>

/* V of row r, and the gradient of it. */
static size_t value_at(const dq_net *net, const net_layer *duel, size_t r)
{
    size_t state = duel->pairs ? net->state_slots.of_row[r] : r;
    return state * net->layers[duel->beside].out + duel->beside_at;
}

static void duel_forward(dq_net *net, net_layer *layer)
{
    size_t actions = layer->out, stride;
    const float *from = net_input(net, layer, &stride), *value = net->layers[layer->beside].y;
    for (size_t r = 0; r < net_rows(net, layer); r++) {
        const float *a = from + r * stride;
        float v = value[value_at(net, layer, r)], mean = 0;
        for (size_t j = 0; j < actions && !layer->pairs; j++) mean += a[j];
        mean /= (float)actions;
        if (net_picks(net, layer)) {
            layer->y[r] = v + a[net->given.action[r]] - mean;
            continue;
        }
        for (size_t j = 0; j < actions; j++) layer->y[r * actions + j] = v + a[j] - mean;
    }
}

static void duel_input(dq_net *net, net_layer *layer)
{
    size_t actions = layer->out, stride = net->layers[layer->from].out;
    float *from = net_input_gradient(net, layer), *dvalue = net->layers[layer->beside].dy;
    bool picks = net_picks(net, layer);
    if (layer->pairs) memset(dvalue, 0, net->states * sizeof *dvalue);
    for (size_t r = 0; r < net_rows(net, layer); r++) {
        const float *dy = layer->dy + r * (picks ? 1 : actions);
        float *da = from + r * stride, *dv = &dvalue[value_at(net, layer, r)], sum = 0, mean;
        for (size_t j = 0; j < (picks ? 1 : actions); j++) sum += dy[j];
        mean = layer->pairs ? 0 : sum / (float)actions;
        for (size_t j = 0; j < actions; j++) da[j] = picks ? -mean : dy[j] - mean;
        if (picks) da[net->given.action[r]] += dy[0];
        *dv = layer->pairs ? *dv + sum : sum;
    }
}

const net_kind net_duel = {duel_forward, duel_input, NULL, NULL, NULL};
