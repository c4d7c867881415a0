/* SPDX-License-Identifier: MIT
 *
 * The first layer of a head on actions: dense, on [encoded state | action | features] (layers/features.c).
 * Mostly it has most of the weights. Its product is a sum of a state's and an action's part, and each is
 * computed once for all rows that share it, forward and back:
 *
 *     y[r] = e[state[r]] Ws' + a[action[r]] Wa' + f[r] Wf' + b          W = [Ws | Wa | Wf] (out, in)
 *     dWs  = (sum over the rows of a state of dy)' e                    dWa likewise
 *
 * One state, as online where one user is served: dot products, and a gradient of rank one. With one_hot an
 * action's part is a column of Wa.
 */
#include "net/net_impl.h"

#include "core/buffers.h"
#include "math/blas.h"

#include <string.h>

typedef struct pair {
    float *states, *actions;     /* (max_states, out), (max_actions, out): their parts */
    float *dstates, *dactions;   /* (max_trained, out), (max_acted, out): gradients of those */
    size_t encoded, width, more; /* the columns of Ws, Wa, Wf */
    net_side side;               /* that of the states; the layer's is that of the actions */
} pair;

static bool pair_allocate(dq_net *net, net_layer *layer)
{
    const dq_net_spec *s = &net->spec;
    pair *p = layer->own = dq_arena_zero(&net->arena, 1, sizeof *p);
    if (!p) return false;
    p->width = s->action_width;
    p->more = net_feature_count(s);
    p->encoded = layer->in - p->width - p->more;
    const dq_buffer buffers[] = {
        DQ_BUFFER(p->states, net->max_states * layer->out),
        DQ_BUFFER(p->actions, net->max_actions * layer->out),
        DQ_BUFFER(p->dstates, net->max_trained * layer->out),
        DQ_BUFFER(p->dactions, net->max_acted * layer->out),
    };
    return dq_buffers_take(&net->arena, buffers, DQ_BUFFERS(buffers)) &&
           (s->one_hot || net_side_allocate(net, layer, &layer->side, net->max_acted, p->width)) &&
           (net->max_trained == 1 || s->sparse ||
            net_side_allocate(net, layer, &p->side, net->max_trained, p->encoded));
}

float *net_pair_states(const net_layer *layer)
{
    return ((const pair *)layer->own)->states;
}

float *net_pair_actions(const net_layer *layer)
{
    return ((const pair *)layer->own)->actions;
}

/* ---- forward ---- */

/* The distinct actions of the pass. */
static net_operand distinct(const dq_net *net, const net_layer *l)
{
    const pair *p = l->own;
    return (net_operand){
        .x = net->x_actions, .stride = p->width, .rows = net->action_slots.count, .in = p->width};
}

static void action_part(const dq_net *net, const net_layer *l, size_t c0, size_t width)
{
    const pair *p = l->own;
    const net_slots *slots = &net->action_slots;
    const net_operand of = distinct(net, l);
    const float *weights = net->weights + l->at + c0 * l->in + p->encoded;
    if (net->spec.one_hot)
        for (size_t a = 0; a < slots->count; a++)
            for (size_t c = 0; c < width; c++)
                p->actions[a * l->out + c0 + c] = weights[c * l->in + slots->distinct[a]];
    else
        net_side_product(net, l, &l->side, &of, l->at + c0 * l->in + p->encoded, width, p->actions + c0);
}

static void forward_tile(const dq_net *net, const net_layer *l, size_t c0, size_t width)
{
    const pair *p = l->own;
    const uint32_t *action = net->action_slots.of_row;
    net_parts parts = {p->actions, p->states, action, net->state_slots.of_row};
    const float *known = net_outer_product(net);
    if (known)
        memcpy(p->states + c0, known + c0, width * sizeof *known);
    else
        net_product(net, l, &p->side, net->states, p->encoded, c0, width, p->states + c0);
    action_part(net, l, c0, width);
    if (p->more) {
        const float *weights = net->weights + l->at + c0 * l->in + p->encoded + p->width;
        dq_gemm_nt(net->rows, width, p->more, net->layers[net->features].y, p->more, weights, l->in,
                   l->y + c0, l->out);
        for (size_t r = 0; r < net->rows; r++)
            dq_vec_add(l->y + r * l->out + c0, p->actions + action[r] * l->out + c0, width);
        parts.a = NULL;
    }
    net_activate(net, l, &parts, net->weights + l->at + l->in * l->out, c0, width);
}

static void pair_forward(dq_net *net, net_layer *layer)
{
    const pair *p = layer->own;
    const net_slots *slots = &net->action_slots;
    const net_operand of = distinct(net, layer);
    if (!net->spec.one_hot) net_side_pack(net, &layer->side, &of, false);
    net_product_pack(net, layer, &p->side, net->states, p->encoded, false);
    net_run(net, layer, forward_tile, layer->out,
            (net->states * p->encoded + slots->count * p->width) * layer->out);
}

/* ---- back ---- */

/* Adds rows of dy to the distinct state or action that each row had: units [c0, c0 + width). Where every row
 * has its own, they are the rows. */
static const float *collect(float *to, const net_slots *slots, const net_layer *l, size_t rows, size_t c0,
                            size_t width)
{
    if (slots->count == rows) return l->dy;
    for (size_t i = 0; i < slots->count; i++) memset(to + i * l->out + c0, 0, width * sizeof *to);
    for (size_t r = 0; r < rows; r++)
        dq_vec_add(to + slots->of_row[r] * l->out + c0, l->dy + r * l->out + c0, width);
    return to;
}

static void action_gradient(const dq_net *net, const net_layer *l, const float *dactions, size_t u0, size_t n,
                            float *weight)
{
    const pair *p = l->own;
    const net_slots *slots = &net->action_slots;
    const net_operand of = distinct(net, l);
    if (!net->spec.one_hot) {
        net_side_take(net, l, &l->side, of.rows, dactions, u0, n);
        net_side_gradient(net, l, &l->side, &of, dactions, u0, n, weight);
        return;
    }
    for (size_t u = 0; u < n; u++) {
        memset(weight + u * l->in, 0, p->width * sizeof *weight);
        for (size_t a = 0; a < slots->count; a++)
            weight[u * l->in + slots->distinct[a]] = dactions[a * l->out + u0 + u];
    }
}

static void pair_gradient(const dq_net *net, const net_layer *l, size_t u0, size_t n, float *weight,
                          float *bias)
{
    const pair *p = l->own;
    const float *dstates = collect(p->dstates, &net->state_slots, l, net->rows, u0, n);
    const float *dactions = collect(p->dactions, &net->action_slots, l, net->rows, u0, n);
    if (!net->outer.steps) {
        net_side_take(net, l, &p->side, net->states, dstates, u0, n);
        net_product_gradient(net, l, &p->side, net->states, p->encoded, dstates, u0, n, weight);
    }
    action_gradient(net, l, dactions, u0, n, weight + p->encoded);
    if (p->more)
        dq_gemm_tn(n, p->more, net->rows, l->dy + u0, l->out, net->layers[net->features].y, p->more,
                   weight + p->encoded + p->width, l->in);
    net_sum_rows(bias, dstates + u0, l->out, net->states, n);
}

static void pair_prepare(const dq_net *net, const net_layer *l)
{
    const pair *p = l->own;
    const net_operand of = distinct(net, l);
    if (!net->spec.one_hot) net_side_pack(net, &l->side, &of, true);
    net_product_pack(net, l, &p->side, net->states, p->encoded, true);
}

/* de = (the states' sums of dy) Ws */
static void pair_input(dq_net *net, net_layer *layer)
{
    const pair *p = layer->own;
    const float *dstates = collect(p->dstates, &net->state_slots, layer, net->rows, 0, layer->out);
    net_side_take(net, layer, &p->side, net->states, dstates, 0, layer->out);
    net_side_input(net, layer, &p->side, net->states, dstates, 0, p->encoded, net_input_gradient(net, layer),
                   net->layers[layer->from].out);
}

const net_kind net_pair = {pair_forward, pair_input, pair_gradient, pair_allocate, pair_prepare};
