/* SPDX-License-Identifier: MIT
 *
 * As scoring.c, with integers: a tile of actions goes through all layers, an action a row of bytes. The first
 * layer's sums of integers are kept for all states; what a state adds is part of the bias, in float32, and so
 * as exact as ever. Behind a ReLU no number is below 0, which doubles the steps that are left for it.
 */
#include "net/quantised.h"

#include "core/buffers.h"
#include "math/int8/int8.h"
#include "net/columns_impl.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS = 96 };

typedef struct layer {
    dq_int8_weights weights; /* panels NULL: the last, in float32 */
    const net_layer *of;
    const float *bias;
} layer;

typedef struct scratch {
    uint8_t *x;     /* (ROWS, widest) a layer's inputs */
    float *x_scale; /* (ROWS) */
    int32_t *first; /* (ROWS, units) the first layer's sums, of all states */
    float *scale;   /* (ROWS) of its inputs */
    int32_t *sums;  /* (ROWS, units) a later layer's */
    float *y;       /* (ROWS, widest) */
    float *outputs; /* (ROWS, outputs) */
} scratch;

struct dq_net_quantised {
    dq_net *net;
    dq_arena arena;
    layer layers[NET_LAYERS];
    size_t count;
    size_t units;      /* of the widest layer, rounded up to a panel */
    float *state_bias; /* (NET_CHUNK, units of the first layer) */
    scratch *threads;
};

/* ---- quantising ---- */

static void *take_aligned(dq_arena *arena, size_t bytes)
{
    char *memory = dq_arena_take(arena, bytes + 64);
    return memory ? memory + (64 - (uintptr_t)memory % 64) % 64 : NULL;
}

static bool add_layer(dq_net_quantised *q, const net_layer *l)
{
    const dq_net *net = q->net;
    size_t encoded = q->count ? 0 : net_encoded(net, l), in = l->in - encoded;
    layer *to = &q->layers[q->count++];
    *to = (layer){.of = l, .bias = net->weights + l->at + l->units * l->unit_width};
    if (!l->activates) return true;
    dq_int8_weights *w = &to->weights;
    *w = (dq_int8_weights){.n = l->out, .k = in};
    const dq_buffer rows[] = {DQ_BUFFER(w->scale, l->out), DQ_BUFFER(w->sum, l->out)};
    w->panels = take_aligned(&q->arena, dq_int8_packed_bytes(l->out, in));
    if (!w->panels || !dq_buffers_take(&q->arena, rows, DQ_BUFFERS(rows))) return false;
    dq_int8_pack(w, net->weights + l->at + encoded, l->in);
    size_t units = net_tiles(l->out, DQ_INT8_PANEL) * DQ_INT8_PANEL;
    if (units > q->units) q->units = units;
    return true;
}

static bool add_scratch(dq_net_quantised *q)
{
    size_t threads = dq_pool_threads(q->net->pool), outputs = q->net->spec.outputs;
    size_t widest = dq_int8_width(q->layers[0].weights.k);
    if (q->units > widest) widest = q->units;
    const dq_buffer shared[] = {DQ_BUFFER(q->state_bias, NET_CHUNK * q->units),
                                DQ_BUFFER(q->threads, threads)};
    if (!dq_buffers_take(&q->arena, shared, DQ_BUFFERS(shared))) return false;
    for (size_t t = 0; t < threads; t++) {
        scratch *of = &q->threads[t];
        const dq_buffer own[] = {DQ_BUFFER(of->x, ROWS * widest),       DQ_BUFFER(of->x_scale, ROWS),
                                 DQ_BUFFER(of->first, ROWS * q->units), DQ_BUFFER(of->scale, ROWS),
                                 DQ_BUFFER(of->sums, ROWS * q->units),  DQ_BUFFER(of->y, ROWS * q->units),
                                 DQ_BUFFER(of->outputs, ROWS * outputs)};
        if (!dq_buffers_take(&q->arena, own, DQ_BUFFERS(own))) return false;
    }
    return true;
}

/* Hidden layers activate, and the last, alone, does not; none is too wide for sums of 32 bits. */
static dq_status check(const dq_net *net, dq_error *error)
{
    bool ok = net_scores_by_rows(net);
    for (const net_layer *l = net->layers; ok && l < net_end(net); l++)
        if (net_is_product(l))
            ok = l->in <= DQ_INT8_MOST && (l->activates ? true : l->out == net->spec.outputs);
    if (ok && net_pair_layer(net)->activates) return DQ_OK;
    return dq_fail(error, DQ_ERR_UNSUPPORTED,
                   "8 bits are for a network of dense layers on the vectors of a user and an item, without "
                   "features of both, norms or a factored head");
}

dq_status dq_net_quantised_new(dq_net_quantised **quantised, dq_net *net, dq_error *error)
{
    *quantised = NULL;
    dq_status status = check(net, error);
    if (status) return status;
    dq_net_quantised *q = calloc(1, sizeof *q);
    if (!q) return dq_fail_memory(error, "a model");
    q->net = net;
    bool ok = true;
    for (const net_layer *l = net_pair_layer(net); ok && l < net_end(net); l++)
        if (net_is_product(l)) ok = add_layer(q, l);
    if (ok) ok = add_scratch(q);
    if (!ok) {
        dq_net_quantised_free(q);
        return dq_fail_memory(error, "a model in 8 bits");
    }
    *quantised = q;
    return DQ_OK;
}

void dq_net_quantised_free(dq_net_quantised *quantised)
{
    if (!quantised) return;
    dq_arena_free(&quantised->arena);
    free(quantised);
}

/* ---- scoring ---- */

typedef struct work {
    const dq_net_quantised *q;
    net_score of;
} work;

/* What a layer's units make of the sums of n rows: y (n, out). */
static void finish_layer(const dq_net_quantised *q, const layer *l, const int32_t *sums, const float *scale,
                         bool positive, const float *bias, size_t n, float *y)
{
    dq_activation activation = q->net->spec.activation;
    for (size_t r = 0; r < n; r++, y += l->weights.n) {
        dq_int8_finish(sums + r * q->units, &l->weights, scale[r], positive, bias, activation == DQ_RELU, y);
        if (activation != DQ_RELU) net_apply(activation, y, l->weights.n);
    }
}

static void quantise_rows(const float *rows, size_t stride, size_t k, bool positive, size_t n, uint8_t *x,
                          float *scale)
{
    for (size_t r = 0; r < n; r++)
        scale[r] = dq_int8_quantise(rows + r * stride, k, positive, x + r * dq_int8_width(k));
}

/* The outputs of a state with n rows, from the first layer's sums. */
static void run_state(const dq_net_quantised *q, size_t state, size_t n, const scratch *own)
{
    const dq_net *net = q->net;
    bool positive = net->spec.activation == DQ_RELU;
    const layer *l = &q->layers[0];
    finish_layer(q, l, own->first, own->scale, false, q->state_bias + state * l->weights.n, n, own->y);
    for (size_t in = l->weights.n; (++l)->weights.panels; in = l->weights.n) {
        quantise_rows(own->y, in, in, positive, n, own->x, own->x_scale);
        dq_int8_product(n, own->x, &l->weights, own->sums, q->units);
        finish_layer(q, l, own->sums, own->x_scale, positive, l->bias, n, own->y);
    }
    size_t in = l->of->in, outputs = net->spec.outputs;
    for (size_t r = 0; r < n; r++)
        for (size_t o = 0; o < outputs; o++)
            own->outputs[r * outputs + o] = l->bias[o] + dq_vec_dot(net->weights + l->of->at + o * in,
                                                                    own->y + r * in, in);
}

static void score_tile(void *arg, size_t tile, unsigned thread)
{
    const work *w = arg;
    const dq_net_quantised *q = w->q;
    const scratch *own = &q->threads[thread];
    const dq_int8_weights *first = &q->layers[0].weights;
    size_t i0 = tile * ROWS, n = net_min(ROWS, w->of.n - i0);
    quantise_rows(w->of.block + i0 * w->of.stride, w->of.stride, first->k, false, n, own->x, own->scale);
    dq_int8_product(n, own->x, first, own->first, q->units);
    for (size_t u = 0; u < w->of.states; u++) {
        run_state(q, u, n, own);
        net_put_rows(q->net, own->outputs, n, u,
                     w->of.out + u * w->of.out_stride + i0 * q->net->spec.outputs);
    }
}

void dq_net_quantised_run(dq_net_quantised *quantised, const float *const *states, size_t n_states,
                          const float *actions, size_t stride, size_t n, float *out, size_t out_stride)
{
    dq_net_quantised *q = quantised;
    for (size_t u = 0; u < n_states; u += NET_CHUNK) {
        work w = {.q = q,
                  .of = {.net = q->net,
                         .pair = q->layers[0].of,
                         .states = net_min(NET_CHUNK, n_states - u),
                         .block = actions,
                         .stride = stride,
                         .n = n,
                         .out = out + u * out_stride,
                         .out_stride = out_stride}};
        net_score_states(&w.of, states + u);
        net_state_biases(&w.of, q->layers[0].bias, q->state_bias);
        net_run_tiles(
            q->net, score_tile, &w, net_tiles(n, ROWS),
            n * (q->layers[0].weights.k * q->layers[0].weights.n + w.of.states * net_column_work(&w.of)));
    }
}
