/* SPDX-License-Identifier: MIT
 *
 * The layers but attention, each its way forward and back. A new one is two functions and an entry of a
 * mlp_kind, and its place in the plan (mlp.c, build).
 */
#include "net/mlp_impl.h"

#include "math/blas.h"

#include <math.h>
#include <string.h>

enum { MLP_FEW = 4 }; /* rows under which dot products beat a product that packs the weights first */

void mlp_sum_rows(float *to, const float *rows, size_t stride, size_t n, size_t width)
{
    memset(to, 0, width * sizeof *to);
    for (size_t r = 0; r < n; r++) dq_vec_add(to, rows + r * stride, width);
}

/* Units are dropped in groups of MLP_COLUMNS, each by a generator of its own, so that the draws depend on
 * neither tiles nor threads. */
static void activate_group(const dq_mlp *net, const mlp_layer *layer, const float *bias, size_t c0,
                           size_t width)
{
    uint16_t draws[MLP_COLUMNS];
    bool drops = net->training && net->dropout.cut > 0;
    dq_rng rng = dq_rng_stream(net->seed, layer->number << 32 | c0 / MLP_COLUMNS);
    for (size_t r = 0; r < mlp_rows(net, layer); r++) {
        float *y = layer->y + r * layer->out + c0;
        if (drops) dq_dropout_draw(draws, width, &rng);
        dq_vec_activate(y, y, NULL, bias + c0, drops ? draws : NULL, net->dropout, width);
    }
}

void mlp_activate(const dq_mlp *net, const mlp_layer *layer, const float *bias, size_t c0, size_t width)
{
    size_t end = c0 + width;
    if (layer->activates)
        for (; c0 < end; c0 += MLP_COLUMNS)
            activate_group(net, layer, bias, c0, mlp_least(MLP_COLUMNS, end - c0));
    else
        for (size_t r = 0; r < mlp_rows(net, layer); r++)
            dq_vec_add(layer->y + r * layer->out + c0, bias + c0, width);
}

void mlp_gate(const dq_mlp *net, int from, size_t c0, size_t width)
{
    const mlp_layer *layer = &net->layers[from];
    size_t rows = mlp_rows(net, layer), out = layer->out;
    if (!layer->activates) return;
    if (width == out)
        dq_vec_gate(layer->dy, layer->y, net->dropout.scale, rows * out);
    else
        for (size_t r = 0; r < rows; r++)
            dq_vec_gate(layer->dy + r * out + c0, layer->y + r * out + c0, net->dropout.scale, width);
}

/* ---- dense: y = x W' + b ---- */

typedef struct work {
    dq_mlp *net;
    mlp_layer *layer;
    size_t columns;        /* of a tile */
    size_t gradient_tiles; /* backward: these tiles first, then those of the input's gradient */
} work;

static size_t tiles(size_t n, size_t tile)
{
    return (n + tile - 1) / tile;
}

void mlp_run(const dq_mlp *net, void (*tile)(void *arg, size_t i, unsigned thread), void *arg,
             size_t *columns, size_t width, size_t multiplications)
{
    if (multiplications <= MLP_SMALL) {
        *columns = width;
        tile(arg, 0, 0);
    } else {
        dq_pool_run(net->pool, tile, arg, tiles(width, *columns));
    }
}

static void dense_forward_tile(void *arg, size_t tile, unsigned thread)
{
    (void)thread;
    const work *w = arg;
    const mlp_layer *l = w->layer;
    size_t stride, rows = mlp_rows(w->net, l), c0 = tile * w->columns,
                   width = mlp_least(w->columns, l->out - c0);
    const float *x = mlp_input(w->net, l->from, &stride), *weights = w->net->weights + l->at;
    if (rows < MLP_FEW)
        for (size_t r = 0; r < rows; r++)
            for (size_t c = c0; c < c0 + width; c++)
                l->y[r * l->out + c] = dq_vec_dot(x + r * stride, weights + c * l->in, l->in);
    else
        dq_gemm_nt(rows, width, l->in, x, stride, weights + c0 * l->in, l->in, l->y + c0, l->out);
    mlp_activate(w->net, l, weights + l->in * l->out, c0, width);
}

static void dense_forward(dq_mlp *net, mlp_layer *layer)
{
    work w = {.net = net, .layer = layer, .columns = MLP_COLUMNS};
    mlp_run(net, dense_forward_tile, &w, &w.columns, layer->out,
            mlp_rows(net, layer) * layer->in * layer->out);
}

/* dW = dy' x and db, some rows of them. */
static void dense_gradient_tile(const work *w, size_t tile)
{
    const mlp_layer *l = w->layer;
    size_t stride, rows = mlp_rows(w->net, l), o0 = tile * w->columns, n = mlp_least(w->columns, l->out - o0);
    const float *x = mlp_input(w->net, l->from, &stride);
    float *gradient = w->net->gradient + l->at;
    dq_gemm_tn(n, l->in, rows, l->dy + o0, l->out, x, stride, gradient + o0 * l->in, l->in);
    mlp_sum_rows(gradient + l->in * l->out + o0, l->dy + o0, l->out, rows, n);
}

/* dx = dy W, some columns of it. */
static void dense_input_tile(const work *w, size_t tile)
{
    const mlp_layer *l = w->layer;
    size_t c0 = tile * w->columns, width = mlp_least(w->columns, l->in - c0);
    dq_gemm_nn(mlp_rows(w->net, l), width, l->out, l->dy, l->out, w->net->weights + l->at + c0, l->in,
               mlp_input_gradient(w->net, l->from) + c0, l->in);
    mlp_gate(w->net, l->from, c0, width);
}

static void dense_backward_tile(void *arg, size_t tile, unsigned thread)
{
    (void)thread;
    const work *w = arg;
    if (tile < w->gradient_tiles)
        dense_gradient_tile(w, tile);
    else
        dense_input_tile(w, tile - w->gradient_tiles);
}

static void dense_backward(dq_mlp *net, mlp_layer *layer)
{
    bool wanted = mlp_input_gradient(net, layer->from) != NULL;
    work w = {net, layer, MLP_COLUMNS, tiles(layer->out, MLP_COLUMNS)};
    if (mlp_rows(net, layer) * layer->in * layer->out <= MLP_SMALL) {
        w.columns = layer->in > layer->out ? layer->in : layer->out;
        dense_gradient_tile(&w, 0);
        if (wanted) dense_input_tile(&w, 0);
    } else {
        size_t input_tiles = wanted ? tiles(layer->in, MLP_COLUMNS) : 0;
        dq_pool_run(net->pool, dense_backward_tile, &w, w.gradient_tiles + input_tiles);
    }
}

const mlp_kind mlp_dense = {dense_forward, dense_backward};

/* ---- batch norm: y = weight (x - mean) / sqrt(variance + eps) + bias, over the rows of a batch ---- */

static const float NORM_EPS = 1e-5F, NORM_MOMENTUM = 0.1F;

typedef struct norm {
    float *standard;                /* (max_rows, out) (x - mean) / sqrt(variance + eps) */
    float *mean, *variance, *scale; /* (out); scale: 1 / sqrt(variance + eps) */
} norm;

bool mlp_norm_allocate(dq_mlp *net, mlp_layer *layer)
{
    norm *n = layer->own = dq_arena_zero(&net->arena, 1, sizeof *n);
    if (!n) return false;
    n->standard = dq_arena_zero(&net->arena, net->max_rows * layer->out, sizeof(float));
    n->mean = dq_arena_zero(&net->arena, layer->out, sizeof(float));
    n->variance = dq_arena_zero(&net->arena, layer->out, sizeof(float));
    n->scale = dq_arena_zero(&net->arena, layer->out, sizeof(float));
    return n->standard && n->mean && n->variance && n->scale;
}

/* The batch's mean and (biased) variance; the running ones move, the variance by the unbiased. */
static void batch_statistics(const dq_mlp *net, const mlp_layer *layer, const float *x, size_t rows)
{
    norm *n = layer->own;
    size_t out = layer->out;
    float *running = net->statistics + layer->statistics, unbias = (float)rows / (float)(rows - 1);
    mlp_sum_rows(n->mean, x, out, rows, out);
    for (size_t j = 0; j < out; j++) n->mean[j] /= (float)rows;
    memset(n->variance, 0, out * sizeof(float));
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < out; j++) {
            float away = x[r * out + j] - n->mean[j];
            n->variance[j] += away * away;
        }
    for (size_t j = 0; j < out; j++) {
        n->variance[j] /= (float)rows;
        running[j] += NORM_MOMENTUM * (n->mean[j] - running[j]);
        running[out + j] += NORM_MOMENTUM * (n->variance[j] * unbias - running[out + j]);
    }
}

static void norm_forward(dq_mlp *net, mlp_layer *layer)
{
    norm *n = layer->own;
    size_t out, rows = mlp_rows(net, layer);
    const float *x = mlp_input(net, layer->from, &out), *weight = net->weights + layer->at;
    if (net->training) {
        batch_statistics(net, layer, x, rows);
    } else {
        memcpy(n->mean, net->statistics + layer->statistics, out * sizeof(float));
        memcpy(n->variance, net->statistics + layer->statistics + out, out * sizeof(float));
    }
    for (size_t j = 0; j < out; j++) n->scale[j] = 1 / sqrtf(n->variance[j] + NORM_EPS);
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < out; j++) {
            float standard = (x[r * out + j] - n->mean[j]) * n->scale[j];
            n->standard[r * out + j] = standard;
            layer->y[r * out + j] = weight[j] * standard;
        }
    mlp_activate(net, layer, weight + out, 0, out);
}

/* dx = weight scale (dy - mean(dy) - standard mean(dy standard)) */
static void norm_backward(dq_mlp *net, mlp_layer *layer)
{
    const norm *n = layer->own;
    size_t out = layer->out, rows = mlp_rows(net, layer);
    const float *weight = net->weights + layer->at;
    float *dw = net->gradient + layer->at, *db = dw + out, *dx = mlp_input_gradient(net, layer->from);
    memset(dw, 0, out * sizeof *dw);
    mlp_sum_rows(db, layer->dy, out, rows, out);
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < out; j++) dw[j] += layer->dy[r * out + j] * n->standard[r * out + j];
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < out; j++) {
            size_t at = r * out + j;
            dx[at] = weight[j] * n->scale[j] *
                     (layer->dy[at] - (db[j] + n->standard[at] * dw[j]) / (float)rows);
        }
}

const mlp_kind mlp_norm = {norm_forward, norm_backward};

/* ---- the mean of the history's items: [user | mean | rest] ---- */

static void mean_forward(dq_mlp *net, mlp_layer *layer)
{
    const dq_mlp_spec *s = &net->spec;
    size_t user = s->user_width, item = s->item_width, past = s->history * item;
    for (size_t r = 0; r < net->states; r++) {
        const float *x = net->x + r * s->input;
        float *y = layer->y + r * layer->out, *mean = y + user;
        size_t count = 0;
        memcpy(y, x, user * sizeof *y);
        memcpy(mean + item, x + user + past, (s->input - user - past) * sizeof *y);
        memset(mean, 0, item * sizeof *mean);
        for (const float *h = x + user; h < x + user + past; h += item) {
            if (mlp_empty(h, item)) continue;
            dq_vec_add(mean, h, item);
            count++;
        }
        for (size_t j = 0; j < item && count > 1; j++) mean[j] /= (float)count;
    }
}

static void no_backward(dq_mlp *net, mlp_layer *layer)
{
    (void)net; /* it has no weights, and stands on the states */
    (void)layer;
}

const mlp_kind mlp_mean = {mean_forward, no_backward};

/* ---- dueling: Q = V + A - mean A; V is the last output of the layer before, or that of a chain beside; on
 * pairs Q = V(state) + A ---- */

static bool beside(const mlp_layer *layer)
{
    return layer->beside != layer->from;
}

static void duel_forward(dq_mlp *net, mlp_layer *layer)
{
    size_t actions = layer->out;
    for (size_t r = 0; r < mlp_rows(net, layer); r++) {
        const float *a = net->layers[layer->from].y + r * layer->in;
        size_t state = layer->pairs ? net->pairs.state[r] : r;
        float v = beside(layer) ? net->layers[layer->beside].y[state] : a[actions], mean = 0;
        for (size_t j = 0; j < actions && !layer->pairs; j++) mean += a[j];
        mean /= (float)actions;
        for (size_t j = 0; j < actions; j++) layer->y[r * actions + j] = v + a[j] - mean;
    }
}

static void duel_backward(dq_mlp *net, mlp_layer *layer)
{
    size_t actions = layer->out;
    if (layer->pairs) memset(net->layers[layer->beside].dy, 0, net->states * sizeof(float));
    for (size_t r = 0; r < mlp_rows(net, layer); r++) {
        const float *dy = layer->dy + r * actions;
        float *da = net->layers[layer->from].dy + r * layer->in, sum = 0, mean;
        for (size_t j = 0; j < actions; j++) sum += dy[j];
        mean = layer->pairs ? 0 : sum / (float)actions;
        for (size_t j = 0; j < actions; j++) da[j] = dy[j] - mean;
        if (layer->pairs)
            net->layers[layer->beside].dy[net->pairs.state[r]] += sum;
        else
            *(beside(layer) ? &net->layers[layer->beside].dy[r] : &da[actions]) = sum;
    }
}

const mlp_kind mlp_duel = {duel_forward, duel_backward};
