/* SPDX-License-Identifier: MIT
 *
 * The first layer of a head on actions: dense, on [encoded state | action vector]. Its product is the sum of
 * a state's and an action's part, and the state's is computed once for all of its pairs:
 *
 *     y[r] = e[state[r]] Ws' + a[action[r]] Wa' + b           W = [Ws | Wa] (out, encoded + action_width)
 */
#include "net/mlp_impl.h"

#include "math/blas.h"

#include <string.h>

typedef struct pair {
    float *actions;      /* (max_rows, action_width) those of the rows */
    float *part, *dpart; /* (max_rows, out) the states' part, and its gradient */
} pair;

typedef struct work {
    dq_mlp *net;
    mlp_layer *layer;
    size_t columns; /* of a tile */
} work;

bool mlp_pair_allocate(dq_mlp *net, mlp_layer *layer)
{
    size_t rows = net->max_rows;
    pair *p = layer->own = dq_arena_zero(&net->arena, 1, sizeof *p);
    if (!p) return false;
    p->actions = dq_arena_zero(&net->arena, rows * net->spec.action_width, sizeof(float));
    p->part = dq_arena_zero(&net->arena, rows * layer->out, sizeof(float));
    p->dpart = dq_arena_zero(&net->arena, rows * layer->out, sizeof(float));
    return p->actions && p->part && p->dpart;
}

static void forward_tile(void *arg, size_t tile, unsigned thread)
{
    (void)thread;
    const work *w = arg;
    const dq_mlp *net = w->net;
    const mlp_layer *l = w->layer;
    const pair *p = l->own;
    size_t stride, action = net->spec.action_width, encoded = l->in - action;
    size_t c0 = tile * w->columns, width = mlp_least(w->columns, l->out - c0);
    const float *e = mlp_input(net, l->from, &stride), *weights = net->weights + l->at + c0 * l->in;
    dq_gemm_nt(net->states, width, encoded, e, stride, weights, l->in, p->part + c0, l->out);
    dq_gemm_nt(net->rows, width, action, p->actions, action, weights + encoded, l->in, l->y + c0, l->out);
    for (size_t r = 0; r < net->rows; r++)
        dq_vec_add(l->y + r * l->out + c0, p->part + net->pairs.state[r] * l->out + c0, width);
    mlp_activate(net, l, net->weights + l->at + l->in * l->out, c0, width);
}

static void pair_forward(dq_mlp *net, mlp_layer *layer)
{
    const pair *p = layer->own;
    size_t width = net->spec.action_width;
    work w = {net, layer, MLP_COLUMNS};
    for (size_t r = 0; r < net->rows; r++)
        memcpy(p->actions + r * width, net->pairs.actions + net->pairs.action[r] * width,
               width * sizeof(float));
    mlp_run(net, forward_tile, &w, &w.columns, layer->out, net->rows * layer->in * layer->out);
}

/* Gradients of some rows of W and b, and the same units of the states' part. */
static void gradient_tile(void *arg, size_t tile, unsigned thread)
{
    (void)thread;
    const work *w = arg;
    dq_mlp *net = w->net;
    const mlp_layer *l = w->layer;
    const pair *p = l->own;
    size_t stride, action = net->spec.action_width, encoded = l->in - action, out = l->out;
    size_t o0 = tile * w->columns, n = mlp_least(w->columns, out - o0);
    const float *e = mlp_input(net, l->from, &stride);
    float *gradient = net->gradient + l->at + o0 * l->in;
    for (size_t s = 0; s < net->states; s++) memset(p->dpart + s * out + o0, 0, n * sizeof(float));
    for (size_t r = 0; r < net->rows; r++)
        dq_vec_add(p->dpart + net->pairs.state[r] * out + o0, l->dy + r * out + o0, n);
    dq_gemm_tn(n, encoded, net->states, p->dpart + o0, out, e, stride, gradient, l->in);
    dq_gemm_tn(n, action, net->rows, l->dy + o0, out, p->actions, action, gradient + encoded, l->in);
    mlp_sum_rows(net->gradient + l->at + l->in * out + o0, l->dy + o0, out, net->rows, n);
}

static void pair_backward(dq_mlp *net, mlp_layer *layer)
{
    const pair *p = layer->own;
    size_t encoded = layer->in - net->spec.action_width;
    float *de = mlp_input_gradient(net, layer->from);
    work w = {net, layer, MLP_COLUMNS};
    mlp_run(net, gradient_tile, &w, &w.columns, layer->out, net->rows * layer->in * layer->out);
    if (de)
        dq_gemm_nn(net->states, encoded, layer->out, p->dpart, layer->out, net->weights + layer->at,
                   layer->in, de, encoded);
}

const mlp_kind mlp_pair = {pair_forward, pair_backward};
