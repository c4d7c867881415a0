/* SPDX-License-Identifier: MIT
 *
 * The gradients of weights and the step of Adam. First the gradients of all layers' inputs are made, layer by
 * layer from the last to the first; then every tile of every weight's gradient in one run of the pool. Where
 * nothing clips the gradient, Adam follows at once while the tile is in cache, and the gradient of the whole
 * is never in memory.
 */
#include "net/net_impl.h"

#include <math.h>
#include <string.h>

enum {
    STEP_TILE = 16384,
    NORM_BLOCK = 4096,
};

typedef struct work {
    dq_net *net;
    bool steps;   /* Adam follows at once */
    bool squares; /* the sums of squares are wanted */
    dq_adam_step adam;
    float scale; /* of the gradient before a step */
    size_t tiles;
} work;

static double squares_of(const float *g, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i += NORM_BLOCK)
        sum += (double)dq_vec_dot(g + i, g + i, net_min(NORM_BLOCK, n - i));
    return sum;
}

/* Where the tensor that has weight `at` ends. */
static size_t end_of_tensor(const dq_net *net, size_t at, bool *matrix)
{
    for (const net_tensor *t = net->tensors; t < net->tensors + net->tensor_count; t++) {
        size_t n = t->shape[0] * (t->dims == 2 ? t->shape[1] : 1);
        *matrix = t->dims == 2;
        if (!t->statistic && at >= t->at && at < t->at + n) return t->at + n;
    }
    return net->count;
}

/* Adam on n numbers from `at` on with their gradient g; returns the sum of g's squares. Decoupled decay is of
 * matrices alone. */
static double step(const work *w, size_t at, const float *g, size_t n)
{
    const dq_net *net = w->net;
    double sum = 0;
    if (w->adam.shrink == 0) {
        sum = dq_adam_apply(&w->adam, net->weights + at, net->m + at, net->v + at, g, n);
        net_round(net, at, n);
        return sum;
    }
    for (size_t end = at + n, to; at < end; g += to - at, at = to) {
        dq_adam_step adam = w->adam;
        bool matrix = false;
        to = net_min(end_of_tensor(net, at, &matrix), end);
        if (!matrix) adam.shrink = 0;
        sum += dq_adam_apply(&adam, net->weights + at, net->m + at, net->v + at, g, to - at);
        net_round(net, at, to - at);
    }
    return sum;
}

/* Of its gradients: none of what does not learn. */
static size_t tiles_of(const net_layer *l)
{
    return l->frozen ? 0 : net_tiles(l->units, NET_GRADIENT);
}

/* The same of n units of the layer whose moments of states are outer products: `bias` is the gradient of
 * their products, rows of `weight` behind the states' part that of the rest. */
static double step_units(const work *w, const net_layer *l, size_t u0, size_t n, const float *weight,
                         const float *bias)
{
    size_t states = w->net->spec.input;
    double sum = 0;
    for (size_t u = 0; u < n; u++) {
        size_t at = u * l->in + states;
        sum += net_outer_step(w->net, &w->adam, u0 + u, bias[u]);
        sum += step(w, l->at + u0 * l->in + at, weight + at, l->in - states);
    }
    return sum;
}

/* Tiles are numbered through the layers. */
static void gradient_tile(void *arg, size_t tile, unsigned thread)
{
    const work *w = arg;
    dq_net *net = w->net;
    const net_layer *l = net->layers;
    size_t u0 = tile;
    for (; u0 >= tiles_of(l); l++) u0 -= tiles_of(l);
    u0 *= NET_GRADIENT;
    size_t n = net_min(NET_GRADIENT, l->units - u0), at = l->at + u0 * l->unit_width;
    size_t numbers = n * l->unit_width, bias_at = l->at + l->units * l->unit_width + u0;
    size_t biases = l->has_bias ? n : 0;
    float *own = net->scratch[thread].gradient;
    float *weight = w->steps ? own : net->gradient + at;
    float *bias = w->steps ? own + numbers : net->gradient + bias_at;
    l->kind->gradient(net, l, u0, n, weight, bias);
    if (net->outer.steps && l == &net->layers[net->outer.layer])
        net->squares[tile] = step_units(w, l, u0, n, weight, bias) + step(w, bias_at, bias, biases);
    else if (w->steps)
        net->squares[tile] = step(w, at, weight, numbers) + step(w, bias_at, bias, biases);
    else if (w->squares)
        net->squares[tile] = squares_of(weight, numbers) + squares_of(bias, biases);
}

static void prepare_layer(void *arg, size_t i, unsigned thread)
{
    (void)thread;
    const work *w = arg;
    const net_layer *l = &w->net->layers[i];
    if (l->kind->prepare && !l->frozen) l->kind->prepare(w->net, l);
}

/* All gradients; returns their norm where the sums of squares are wanted. */
static double run_gradients(work *w)
{
    dq_net *net = w->net;
    size_t multiplications = 0;
    double sum = 0;
    for (const net_layer *l = net->layers; l < net->layers + net->layer_count; l++) {
        w->tiles += tiles_of(l);
        multiplications += l->frozen ? 0 : l->units * l->unit_width * net_rows(net, l);
    }
    net_run_tiles(net, prepare_layer, w, (size_t)net->layer_count, multiplications);
    net_run_tiles(net, gradient_tile, w, w->tiles, multiplications);
    for (size_t i = 0; i < w->tiles && w->squares; i++) sum += net->squares[i];
    return sqrt(sum);
}

void net_backward(dq_net *net, const float *dy)
{
    work w = {.net = net};
    net_backward_inputs(net, dy);
    run_gradients(&w);
}

/* ---- the step on a whole gradient ---- */

static void clip_values(float *g, size_t n, float max)
{
    for (size_t i = 0; i < n; i++) g[i] = fminf(fmaxf(g[i], -max), max);
}

/* The same of what learns among n numbers from `at` on, which may be of several layers. */
static void step_trained(const work *w, size_t at, const float *g, size_t n)
{
    const dq_net *net = w->net;
    if (!net->spec.trained_layers) {
        step(w, at, g, n);
        return;
    }
    for (const net_layer *l = net->layers; l < net->layers + net->layer_count; l++) {
        size_t end = net_min(at + n, l->at + l->units * (l->unit_width + l->has_bias));
        size_t from = at > l->at ? at : l->at;
        if (!l->frozen && from < end) step(w, from, g + (from - at), end - from);
    }
}

static void step_tile(void *arg, size_t tile, unsigned thread)
{
    (void)thread;
    const work *w = arg;
    dq_net *net = w->net;
    size_t at = tile * STEP_TILE, n = net_min(STEP_TILE, net->count - at);
    if (w->scale != 1) dq_vec_scale(net->gradient + at, w->scale, n);
    step_trained(w, at, net->gradient + at, n);
}

/* A step on the gradient, whose norm is known. */
static void step_clipped(dq_net *net, const dq_adam *adam, double norm, double clip_norm, double clip_value)
{
    work w = {.net = net, .scale = 1, .tiles = net_tiles(net->count, STEP_TILE)};
    net_outer_end(net);
    if (clip_value > 0) {
        clip_values(net->gradient, net->count, (float)clip_value);
        norm = sqrt(squares_of(net->gradient, net->count));
    }
    if (clip_norm > 0 && norm > clip_norm)
        w.scale = (float)(clip_norm / (norm + 1e-6)); /* as PyTorch's clip_grad_norm_ */
    w.adam = dq_adam_begin(adam, ++net->steps);
    net_run_tiles(net, step_tile, &w, w.tiles, 32 * net->count); /* a root and a division take as long */
}

double net_step(dq_net *net, const dq_adam *adam, double clip_norm, double clip_value)
{
    double norm = sqrt(squares_of(net->gradient, net->count));
    if (isfinite(norm)) step_clipped(net, adam, norm, clip_norm, clip_value);
    return norm; /* not finite: the weights stay as they were */
}

/* ---- both ---- */

double dq_net_update(dq_net *net, const float *dy, const dq_adam *adam, double clip_norm, double clip_value)
{
    work w = {.net = net, .squares = true, .steps = !(clip_norm > 0) && !(clip_value > 0)};
    if (!dq_vec_finite(dy, net_outputs(net))) return INFINITY;
    net_backward_inputs(net, dy);
    if (w.steps) w.adam = dq_adam_begin(adam, ++net->steps);
    net->outer.steps = w.steps && w.adam.decay == 0 && net_outer_begin(net);
    if (!net->outer.steps) net_outer_end(net);
    double norm = run_gradients(&w);
    net->outer.known = net->outer.steps;
    net->outer.steps = false;
    if (!w.steps && isfinite(norm)) step_clipped(net, adam, norm, clip_norm, clip_value);
    return norm;
}

/* ---- in two halves ---- */

float *dq_net_gradient(dq_net *net, const float *dy)
{
    if (dy && !dq_vec_finite(dy, net_outputs(net))) return NULL;
    if (dy)
        net_backward(net, dy);
    else
        memset(net->gradient, 0, net->count * sizeof *net->gradient);
    return net->gradient;
}

double dq_net_step(dq_net *net, const dq_adam *adam, double clip_norm, double clip_value)
{
    return net_step(net, adam, clip_norm, clip_value);
}

size_t dq_net_weights(const dq_net *net)
{
    return net->count;
}
