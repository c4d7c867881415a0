/* SPDX-License-Identifier: MIT
 *
 * Pairs without dropout, by columns: a thread takes a tile of actions through all layers.
 *
 * A score's bits must not depend on the action's place, and a BLAS does not treat all of a product alike. So
 * actions are columns here, (units, actions), the direction in which its kernels take them as lanes of a
 * vector; tiles are padded to a multiple of LANES columns; and where its kernels sum the columns at either
 * end in another order (dq_gemm_margin) a tile carries idle columns there. Products of fewer than 10^6
 * multiplications take another path in OpenBLAS, so a net with such layers has tiles of one size only.
 *
 * Batch norm is a scale and a shift of each unit, in the pass over the tile that activates it. What states do
 * alone, an encoder and dueling's V, runs before: for scores state by state, for the same bits in any
 * company.
 */
#include "net/columns_impl.h"

#include "core/buffers.h"
#include "math/blas.h"

#include <math.h>
#include <string.h>

enum {
    LANES = 16,       /* floats of the widest vectors */
    MIN_COLUMNS = 64, /* columns of a tile at least, and for small nets */
    SMALL = 1 << 14   /* weights of a layer: MIN_COLUMNS of more are never a small product */
};

bool net_score_allocate(dq_net *net, net_scratch *scratch)
{
    const dq_net_spec *s = &net->spec;
    size_t widest = 0;
    for (const net_layer *l = net->layers; l < net_end(net); l++)
        if (l->pairs && l->out > widest) widest = l->out;
    const dq_buffer buffers[] = {
        DQ_BUFFER(scratch->x, s->one_hot ? 0 : s->action_width * NET_TILE),
        DQ_BUFFER(scratch->z, net_pair_layer(net)->out * NET_TILE),
        DQ_BUFFER(scratch->a, widest * NET_TILE),
        DQ_BUFFER(scratch->b, widest * NET_TILE),
        DQ_BUFFER(scratch->r, (size_t)s->factored * NET_TILE),
        DQ_BUFFER(scratch->features, net_feature_count(s) * NET_TILE),
    };
    return dq_buffers_take(&net->arena, buffers, DQ_BUFFERS(buffers));
}

/* Weights of a layer's product with a tile; SMALL where it is none. */
static size_t product_weights(const dq_net *net, const net_layer *l)
{
    if (l->of_actions) return l->out * l->in;
    if (!l->pairs || l->units == 0 || l->unit_width == 1) return SMALL;
    if (l == net_pair_layer(net) && !net_sees_vectors(l)) return SMALL; /* sums of columns */
    if (l->kind == &net_pair) return net->spec.one_hot ? SMALL : l->out * net->spec.action_width;
    return l->out == 1 ? SMALL : l->out * l->in;
}

size_t net_tile_columns(const dq_net *net, size_t n)
{
    size_t margin = dq_gemm_margin(), threads = dq_pool_threads(net->pool);
    for (const net_layer *l = net->layers; l < net_end(net); l++)
        if (product_weights(net, l) < SMALL) return MIN_COLUMNS;
    size_t tiles = net_tiles(net_tiles(n, NET_TILE - 2 * margin), threads) * threads;
    size_t columns = net_tiles(net_tiles(n, tiles ? tiles : 1) + 2 * margin, LANES) * LANES;
    return columns < MIN_COLUMNS ? MIN_COLUMNS : columns;
}

size_t net_column_work(const net_score *s)
{
    size_t sum = s->pair->out;
    for (const net_layer *l = s->pair + 1; l < net_end(s->net) && l->pairs; l++) sum += l->in * l->out;
    return sum;
}

/* ---- the actions' part of the first layer ---- */

/* Actions [i0, i0 + n) with the margins before and after: in place where they fill the tile, else copied. */
static const float *gather(const net_score *s, size_t i0, size_t n, float *x, size_t *stride)
{
    size_t width = s->net->spec.action_width;
    if (!s->at && n == s->columns) {
        *stride = s->stride;
        return s->block + i0 * s->stride;
    }
    *stride = width;
    memset(x, 0, s->margin * width * sizeof *x);
    float *to = x + s->margin * width;
    for (size_t i = i0; i < i0 + n; i++, to += width)
        memcpy(to, s->at ? s->at[s->numbers[i]] : s->block + i * s->stride, width * sizeof *x);
    memset(to, 0, (s->columns - s->margin - n) * width * sizeof *x);
    return x;
}

/* With one_hot a column of weights an action. */
static void one_hot_part(const net_score *s, size_t i0, size_t n, float *z)
{
    const net_layer *l = s->pair;
    const float *weights = s->net->weights + l->at + net_encoded(s->net, l);
    for (size_t o = 0; o < l->out; o++)
        for (size_t i = 0; i < n; i++)
            z[o * s->columns + s->margin + i] =
                weights[o * l->in + (s->numbers ? s->numbers[i0 + i] : i0 + i)];
}

void net_action_part(const net_score *s, size_t i0, size_t n, const net_scratch *scratch)
{
    const dq_net *net = s->net;
    const net_layer *l = s->pair;
    size_t stride, width = net->spec.action_width, k = net->spec.factored;
    bool sees = net_sees_vectors(l);
    if (net->spec.one_hot) {
        if (sees) one_hot_part(s, i0, n, scratch->z);
        return;
    }
    if (!sees && !k) return;
    const float *actions = gather(s, i0, n, scratch->x, &stride);
    if (sees)
        dq_gemm_nt(l->out, s->columns, width, net->weights + l->at + net_encoded(net, l), l->in, actions,
                   stride, scratch->z, s->columns);
    if (k)
        dq_gemm_nt(k, s->columns, width, net->weights + net->layers[net->project + 1].at, width, actions,
                   stride, scratch->r, s->columns);
}

static void actions_tile(void *arg, size_t tile, unsigned thread)
{
    const net_score *s = arg;
    const net_scratch *scratch = &s->net->scratch[thread];
    size_t i0 = tile * net_tile_actions(s), n = net_min(net_tile_actions(s), s->n - i0);
    size_t k = s->net->spec.factored;
    net_action_part(s, i0, n, scratch);
    for (size_t o = 0; net_sees_vectors(s->pair) && o < s->pair->out; o++)
        memcpy(net_pair_actions(s->pair) + o * NET_CHUNK + i0, scratch->z + o * s->columns + s->margin,
               n * sizeof(float));
    float *rows = k ? s->net->layers[s->net->project + 1].y + i0 * k : NULL;
    for (size_t i = 0; rows && i < n; i++, rows += k)
        for (size_t o = 0; o < k; o++) rows[o] = scratch->r[o * s->columns + s->margin + i];
}

void net_run_actions(net_score *s)
{
    net_run_tiles(s->net, actions_tile, s, net_tiles(s->n, net_tile_actions(s)),
                  s->n * s->net->spec.action_width * (s->pair->out + s->net->spec.factored));
}

/* ---- units by columns ---- */

net_units net_units_of(const dq_net *net, const net_layer *l)
{
    net_units u = {.shift = net->weights + l->at + l->units * l->unit_width, .activates = l->activates};
    if (l + 1 == net_end(net) || l[1].kind != &net_norm) return u;
    net_norm_folded(l + 1, &u.scale, &u.shift);
    u.activates = l[1].activates;
    return u;
}

void net_fold_norms(const dq_net *net)
{
    for (const net_layer *l = net_pair_layer(net) + 1; l < net_end(net) && l->pairs; l++)
        if (l->kind == &net_norm)
            net_norm_fold(net, l, net->weights + l[-1].at + l[-1].units * l[-1].unit_width);
}

void net_finish(const dq_net *net, const net_units *u, size_t o, float part, float *to, const float *x,
                size_t columns)
{
    float scale = u->scale ? u->scale[o] : 1, shift = u->shift[o] + scale * part;
    if (!u->scale && u->activates && net->spec.activation == DQ_RELU) {
        dq_vec_shift_relu(to, x, shift, columns);
        return;
    }
    for (size_t i = 0; i < columns; i++) to[i] = x[i] * scale + shift;
    if (u->activates) net_apply(net->spec.activation, to, columns);
}

/* One output: y = bias + the sum of its weights times the rows of a. OpenBLAS has other sums for the columns
 * at the edges of one row. */
static void one_output(const float *weights, size_t in, const float *a, size_t columns, float *y)
{
    if (dq_gemm_chained()) {
        dq_gemm_nn(1, columns, in, weights, in, a, columns, y, columns);
        for (size_t r = 0; r < columns; r++) y[r] += weights[in];
        return;
    }
    for (size_t r = 0; r < columns; r++) y[r] = weights[in]; /* the bias */
    for (size_t i = 0; i < in; i++) dq_vec_add_scaled(y, a + i * columns, weights[i], columns);
}

float *net_deeper_layers(const net_score *s, float *a, float *b, size_t columns)
{
    const dq_net *net = s->net;
    for (const net_layer *l = s->pair + 1; l < net_end(net) && l->pairs; l++) {
        const float *weights = net->weights + l->at;
        if (l->kind != &net_dense) continue; /* a norm is in the layer before, V is added at the end */
        const net_units u = net_units_of(net, l);
        if (l->out == 1 && !u.activates) {
            one_output(weights, l->in, a, columns, b);
        } else {
            dq_gemm_nn(l->out, columns, l->in, weights, l->in, a, columns, b, columns);
            for (size_t o = 0; o < l->out; o++)
                net_finish(net, &u, o, 0, b + o * columns, b + o * columns, columns);
        }
        float *swap = a;
        a = b;
        b = swap;
    }
    return a;
}

/* ---- beside them ---- */

void net_add_direct(const net_score *s, const float *features, size_t columns, float *y)
{
    const dq_net *net = s->net;
    for (const net_layer *l = s->pair; l < net_end(net); l++)
        for (size_t f = 0; l->kind == &net_direct && f < l->unit_width; f++)
            dq_vec_add_scaled(y, features + f * columns, net->weights[l->at + f], columns);
}

/* tau / (|p| |r|); 0 where one is of no length. */
static float factor(const dq_net *net, float p, float r)
{
    float lengths = sqrtf(p) * sqrtf(r);
    return lengths > 0 ? net_factored_scale(net) / lengths : 0;
}

void net_add_factored(const net_score *s, size_t state, const float *r, size_t columns, float *y)
{
    const dq_net *net = s->net;
    size_t k = net->spec.factored;
    if (!k) return;
    float dot[NET_TILE] = {0}, square[NET_TILE] = {0};
    const float *p = net->layers[net->project].y + state * k;
    float own = dq_vec_dot(p, p, k);
    for (size_t i = 0; i < k; i++, r += columns) {
        dq_vec_add_scaled(dot, r, p[i], columns);
        for (size_t c = 0; c < columns; c++) square[c] += r[c] * r[c];
    }
    for (size_t c = 0; c < columns; c++) y[c] += dot[c] * factor(net, own, square[c]);
}

float net_factored_pair(const net_score *s, size_t state, size_t action)
{
    const dq_net *net = s->net;
    size_t k = net->spec.factored;
    if (!k) return 0;
    const float *p = net->layers[net->project].y + state * k,
                *r = net->layers[net->project + 1].y + action * k;
    return dq_vec_dot(p, r, k) * factor(net, dq_vec_dot(p, p, k), dq_vec_dot(r, r, k));
}

void net_put(const net_score *s, const float *y, size_t first, size_t n, size_t columns, size_t state,
             float *out)
{
    size_t outputs = s->net->spec.outputs;
    double scale, shift;
    for (size_t o = 0; o < outputs; o++)
        for (size_t i = 0; i < n; i++) out[i * outputs + o] = y[o * columns + first + i];
    for (size_t i = 0; i < n && s->net->spec.dueling; i++) out[i] += s->net->values[state];
    if (!s->net->spec.calibrated) return;
    dq_net_calibration(s->net, &scale, &shift);
    for (size_t i = 0; i < n; i++) out[i] = (float)scale * out[i] + (float)shift;
}

void net_take_values(dq_net *net, size_t first)
{
    const net_layer *duel = net_end(net) - 1;
    if (!net->spec.dueling) return;
    while (duel->kind != &net_duel) duel--;
    const net_layer *value = &net->layers[duel->beside];
    memcpy(net->values + first, value->y, net->states * sizeof *net->values);
}
