/* SPDX-License-Identifier: MIT
 *
 * A tile of actions goes through all layers, an action a row. The vectors of a block are the rows of the
 * first product as they lie: nothing is gathered, transposed or padded, and the weights were packed before.
 * What a state adds to the first layer is one number a unit, so with its bias it is the bias of all actions;
 * bias and activation are done to a block of the product while it is near (an epilogue). Tiles are of ROWS
 * rows, two blocks of the product: the weights pass through the caches once for each.
 *
 * It needs products that give equal rows equal bits, wherever they stand and however many there are, which
 * dq's own kernels promise. Elsewhere, and for layers that look at a state and an action together (features,
 * norms, a factored head), there is the form by columns (columns.c, score.c), which sums alike.
 */
#include "net/scoring.h"

#include "core/buffers.h"
#include "math/blas.h"
#include "math/product/product.h"
#include "net/columns_impl.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS = 168, MIN_ROWS = 16 };

/* One layer: its weights packed, and its bias. */
typedef struct layer {
    const net_layer *of;
    size_t in, out; /* of the pair layer: `in` of actions alone */
    float *packed;
    const float *bias;
    bool activates;
} layer;

typedef struct scratch {
    float *a, *b; /* (ROWS, widest) what one layer made, and the next */
    float *z;     /* (ROWS, units) the first product, without what states add */
} scratch;

struct dq_net_scoring {
    dq_net *net;
    dq_arena arena;
    layer layers[NET_LAYERS];
    size_t count;
    float *state_bias; /* (NET_CHUNK, units of the first layer) */
    scratch *threads;
};

/* ---- packing ---- */

bool net_scores_by_rows(const dq_net *net)
{
    const dq_net_spec *s = &net->spec;
    if (!net_on_pairs(net) || s->one_hot || s->given || s->factored || s->direct || net_feature_count(s))
        return false;
    const net_layer *pair = net_pair_layer(net);
    if (!net_sees_vectors(pair)) return false;
    for (const net_layer *l = pair + 1; l < net_end(net); l++)
        if (l->pairs && !net_is_product(l) && l->kind != &net_duel && l->kind != &net_calibration)
            return false;
    return true;
}

static bool add_layer(dq_net_scoring *s, const net_layer *l)
{
    const dq_net *net = s->net;
    bool first = s->count == 0;
    size_t encoded = first ? net_encoded(net, l) : 0;
    layer *to = &s->layers[s->count++];
    *to = (layer){.of = l, .in = l->in - encoded, .out = l->out, .activates = l->activates};
    to->bias = net->weights + l->at + l->units * l->unit_width;
    to->packed = dq_arena_take(&s->arena, dq_packed_floats(to->out, to->in) * sizeof(float));
    if (!to->packed) return false;
    dq_pack_rows(to->out, to->in, net->weights + l->at + encoded, l->in, to->packed);
    return true;
}

static bool add_scratch(dq_net_scoring *s)
{
    size_t threads = dq_pool_threads(s->net->pool), widest = 0, units = s->layers[0].out;
    for (size_t i = 0; i < s->count; i++)
        if (s->layers[i].out > widest) widest = s->layers[i].out;
    const dq_buffer shared[] = {DQ_BUFFER(s->state_bias, NET_CHUNK * units), DQ_BUFFER(s->threads, threads)};
    if (!dq_buffers_take(&s->arena, shared, DQ_BUFFERS(shared))) return false;
    for (size_t t = 0; t < threads; t++) {
        scratch *of = &s->threads[t];
        const dq_buffer own[] = {DQ_BUFFER(of->a, ROWS * widest), DQ_BUFFER(of->b, ROWS * widest),
                                 DQ_BUFFER(of->z, ROWS * units)};
        if (!dq_buffers_take(&s->arena, own, DQ_BUFFERS(own))) return false;
    }
    return true;
}

dq_status dq_net_scoring_new(dq_net_scoring **scoring, dq_net *net, dq_error *error)
{
    *scoring = NULL;
    if (!dq_gemm_chained() || !net_scores_by_rows(net)) return DQ_OK;
    dq_net_scoring *s = calloc(1, sizeof *s);
    if (!s) return dq_fail_memory(error, "a model");
    s->net = net;
    bool ok = true;
    for (const net_layer *l = net_pair_layer(net); ok && l < net_end(net); l++)
        if (net_is_product(l)) ok = add_layer(s, l);
    if (ok) ok = add_scratch(s);
    if (!ok) {
        dq_net_scoring_free(s);
        return dq_fail_memory(error, "a model's packed weights");
    }
    *scoring = s;
    return DQ_OK;
}

void dq_net_scoring_free(dq_net_scoring *scoring)
{
    if (!scoring) return;
    dq_arena_free(&scoring->arena);
    free(scoring);
}

/* ---- scoring ---- */

/* What the units of a layer make of a block of their products. */
typedef struct finishing {
    const float *bias; /* (out) */
    bool activates;
    dq_activation activation;
} finishing;

static void finish_units(void *arg, float *c, size_t ldc, size_t row, size_t rows, size_t column,
                         size_t columns)
{
    const finishing *u = arg;
    (void)row;
    for (size_t r = 0; r < rows; r++, c += ldc) {
        if (u->activates && u->activation == DQ_RELU) {
            dq_vec_activate(c, c, NULL, u->bias + column, NULL, (dq_dropout){0}, columns);
            continue;
        }
        for (size_t i = 0; i < columns; i++) c[i] += u->bias[column + i];
        if (u->activates) net_apply(u->activation, c, columns);
    }
}

typedef struct work {
    const dq_net_scoring *s;
    net_score of;
    size_t rows; /* of a tile */
} work;

static finishing finishing_of(const dq_net_scoring *s, size_t l, size_t state)
{
    const float *bias = l ? s->layers[l].bias : s->state_bias + state * s->layers[0].out;
    return (finishing){bias, s->layers[l].activates, s->net->spec.activation};
}

/* Layers [from, count) on n rows of x: the outputs, in one of the thread's buffers. */
static float *run_layers(const dq_net_scoring *s, size_t from, size_t state, const float *x, size_t stride,
                         size_t n, const scratch *own)
{
    float *to = x == own->a ? own->b : own->a;
    for (size_t l = from; l < s->count; l++) {
        const layer *now = &s->layers[l];
        finishing u = finishing_of(s, l, state);
        const dq_epilogue epilogue = {finish_units, &u};
        dq_gemm_packed(n, now->out, now->in, x, stride, now->packed, to, now->out, &epilogue);
        x = to;
        stride = now->out;
        to = to == own->a ? own->b : own->a;
    }
    return to == own->a ? own->b : own->a;
}

void net_put_rows(const dq_net *net, const float *y, size_t n, size_t state, float *out)
{
    size_t all = n * net->spec.outputs;
    double scale, shift;
    memcpy(out, y, all * sizeof *out);
    for (size_t i = 0; i < n && net->spec.dueling; i++) out[i] += net->values[state];
    if (!net->spec.calibrated) return;
    dq_net_calibration(net, &scale, &shift);
    for (size_t i = 0; i < n; i++) out[i] = (float)scale * out[i] + (float)shift;
}

static void score_tile(void *arg, size_t tile, unsigned thread)
{
    const work *w = arg;
    const dq_net_scoring *s = w->s;
    const scratch *own = &s->threads[thread];
    const layer *first = &s->layers[0];
    size_t i0 = tile * w->rows, n = net_min(w->rows, w->of.n - i0);
    const float *x = w->of.block + i0 * w->of.stride;
    float *out = w->of.out + i0 * s->net->spec.outputs;
    if (w->of.states == 1) {
        net_put_rows(s->net, run_layers(s, 0, 0, x, w->of.stride, n, own), n, 0, out);
        return;
    }
    dq_gemm_packed(n, first->out, first->in, x, w->of.stride, first->packed, own->z, first->out, NULL);
    for (size_t u = 0; u < w->of.states; u++) {
        finishing of = finishing_of(s, 0, u);
        memcpy(own->a, own->z, n * first->out * sizeof *own->a);
        finish_units(&of, own->a, first->out, 0, n, 0, first->out);
        net_put_rows(s->net, run_layers(s, 1, u, own->a, first->out, n, own), n, u,
                     out + u * w->of.out_stride);
    }
}

void net_state_biases(const net_score *s, const float *bias, float *to)
{
    size_t units = s->pair->out;
    const float *parts = net_pair_states(s->pair);
    for (size_t u = 0; u < s->states; u++)
        for (size_t o = 0; o < units; o++) to[u * units + o] = bias[o] + parts[u * units + o];
}

void dq_net_scoring_run(dq_net_scoring *scoring, const float *const *states, size_t n_states,
                        const float *actions, size_t stride, size_t n, float *out, size_t out_stride)
{
    dq_net_scoring *s = scoring;
    size_t threads = dq_pool_threads(s->net->pool), most = net_tiles(net_tiles(n, ROWS), threads) * threads;
    if (n < MIN_ROWS) { /* the form by columns packs few actions of several states into a tile */
        dq_net_score(s->net, states, n_states, actions, stride, n, NULL, out, out_stride);
        return;
    }
    for (size_t u = 0; u < n_states; u += NET_CHUNK) {
        work w = {.s = s,
                  .rows = net_tiles(n, most),
                  .of = {.net = s->net,
                         .pair = s->layers[0].of,
                         .states = net_min(NET_CHUNK, n_states - u),
                         .block = actions,
                         .stride = stride,
                         .n = n,
                         .out = out + u * out_stride,
                         .out_stride = out_stride}};
        net_score_states(&w.of, states + u);
        net_state_biases(&w.of, s->layers[0].bias, s->state_bias);
        net_run_tiles(s->net, score_tile, &w, net_tiles(n, w.rows),
                      n * (s->layers[0].in * s->layers[0].out + w.of.states * net_column_work(&w.of)));
    }
}
