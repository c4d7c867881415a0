/* SPDX-License-Identifier: MIT
 *
 * States against a block of actions. With many actions a tile has some of them, for one state after the
 * other; with few it has several states. What states do alone, an encoder and dueling's V, runs before, state
 * by state: for the same bits in any company.
 */
#include "net/columns_impl.h"

#include "math/blas.h"

#include <string.h>

/* ---- all states with a tile of actions ---- */

/* The features given of state u and action i. */
static const float *given_of(const net_score *s, size_t u, size_t i)
{
    size_t width = s->net->spec.given;
    if (!width) return NULL;
    return s->given + (s->given_at ? s->given_at[i] : u * s->n + i) * width;
}

static void tile_features(const net_score *s, size_t u, size_t i0, size_t n, float *features)
{
    float *to = features + s->margin;
    const float *state = s->net->state_at[u];
    if (net_feature_count(&s->net->spec) == 0) return;
    if (!s->at)
        net_features_of(s->net, state, s->block + i0 * s->stride, s->stride, given_of(s, u, i0), n, to,
                        s->columns);
    for (size_t i = 0; s->at && i < n; i++)
        net_features_of(s->net, state, s->at[s->numbers[i0 + i]], 0, given_of(s, u, i0 + i), 1, to + i,
                        s->columns);
}

/* a (units, columns) = what the units make of z + the features' part + the state's, in this order of sums. */
static void first_layer(const net_score *s, const net_scratch *scratch, const float *state_part)
{
    const dq_net *net = s->net;
    size_t columns = s->columns, count = net_feature_count(&net->spec);
    const net_units u = net_units_of(net, s->pair);
    for (size_t o = 0; o < s->pair->out; o++) {
        float *a = scratch->a + o * columns;
        const float *z = scratch->z + o * columns, *w = net_feature_weights(s, o);
        if (!state_part)
            memset(a, 0, columns * sizeof *a);
        else if (count)
            memcpy(a, z, columns * sizeof *a);
        for (size_t f = 0; f < count; f++)
            dq_vec_add_scaled(a, scratch->features + f * columns, w[f], columns);
        net_finish(net, &u, o, state_part ? state_part[o] : 0, a, count ? a : z, columns);
    }
}

static void score_tile(void *arg, size_t tile, unsigned thread)
{
    const net_score *s = arg;
    const dq_net *net = s->net;
    const net_scratch *scratch = &net->scratch[thread];
    const float *parts = net_sees_vectors(s->pair) ? net_pair_states(s->pair) : NULL;
    size_t i0 = tile * net_tile_actions(s), n = net_min(net_tile_actions(s), s->n - i0);
    net_action_part(s, i0, n, scratch);
    for (size_t u = 0; u < s->states; u++) {
        tile_features(s, u, i0, n, scratch->features);
        first_layer(s, scratch, parts ? parts + u * s->pair->out : NULL);
        float *y = net_deeper_layers(s, scratch->a, scratch->b, s->columns);
        net_add_direct(s, scratch->features, s->columns, y);
        net_add_factored(s, u, scratch->r, s->columns, y);
        net_put(s, y, s->margin, n, s->columns, u, s->out + u * s->out_stride + i0 * net->spec.outputs);
    }
}

void net_run_scores(net_score *s)
{
    size_t k = s->net->spec.factored;
    size_t work = s->net->spec.action_width * (s->pair->out + k) + s->states * (net_column_work(s) + 2 * k);
    net_run_tiles(s->net, score_tile, s, net_tiles(s->n, net_tile_actions(s)), s->n * work);
}

/* ---- few actions: a tile holds them with one state after the other ---- */

/* The next columns of a tile: actions [action, action + n) with one state. */
typedef struct run {
    size_t state, action, n;
} run;

static run next_run(const net_score *s, size_t r, size_t end)
{
    return (run){r / s->n, r % s->n, net_min(s->n - r % s->n, end - r)};
}

/* first_layer of pairs [r0, end) of (state, action). */
static void packed_first_layer(const net_score *s, const net_scratch *scratch, size_t r0, size_t end)
{
    const dq_net *net = s->net;
    const float *z = net_pair_actions(s->pair), *parts = net_pair_states(s->pair);
    size_t out = s->pair->out, count = net->spec.feature_count;
    const net_units u = net_units_of(net, s->pair);
    for (size_t o = 0; o < out; o++, z += NET_CHUNK) {
        const float *w = net_feature_weights(s, o);
        float *a = scratch->a + o * s->columns + s->margin;
        for (size_t r = r0; r < end;) {
            run now = next_run(s, r, end);
            const float *from = z + now.action, *features = scratch->features + r - r0;
            if (count) memcpy(a, from, now.n * sizeof *a);
            for (size_t f = 0; f < count; f++) dq_vec_add_scaled(a, features + f * NET_TILE, w[f], now.n);
            net_finish(net, &u, o, parts[now.state * out + o], a, count ? a : from, now.n);
            a += now.n;
            r += now.n;
        }
    }
}

/* Tiles of the pairs (state, action), the actions of a state side by side. */
static void packed_tile(void *arg, size_t tile, unsigned thread)
{
    const net_score *s = arg;
    const net_scratch *scratch = &s->net->scratch[thread];
    size_t r0 = tile * net_tile_actions(s), end = net_min(r0 + net_tile_actions(s), s->states * s->n);
    run now;
    for (size_t r = r0; r < end && s->net->spec.feature_count; r += now.n) {
        now = next_run(s, r, end);
        net_features_of(s->net, s->net->state_at[now.state], s->block + now.action * s->stride, s->stride,
                        NULL, now.n, scratch->features + r - r0, NET_TILE);
    }
    packed_first_layer(s, scratch, r0, end);
    const float *y = net_deeper_layers(s, scratch->a, scratch->b, s->columns);
    for (size_t r = r0; r < end; r += now.n) {
        now = next_run(s, r, end);
        net_put(s, y, s->margin + r - r0, now.n, s->columns, now.state,
                s->out + now.state * s->out_stride + now.action);
    }
}

static void run_packed(net_score *s)
{
    size_t all = s->states * s->n;
    net_run_actions(s);
    s->columns = net_tile_columns(s->net, all);
    net_run_tiles(s->net, packed_tile, s, net_tiles(all, net_tile_actions(s)), all * net_column_work(s));
}

/* ---- what states do alone ---- */

static void dots_tile(const dq_net *net, const net_layer *l, size_t c0, size_t width)
{
    float *to = net_sees_vectors(l) ? net_pair_states(l) : l->y;
    for (size_t c = c0; c < c0 + width; c++)
        dq_vec_dots(net->weights + l->at + c * l->in, net->state_at, net->states, net->spec.input, to + c,
                    l->out);
}

void net_score_states(net_score *s, const float *const *states)
{
    dq_net *net = s->net;
    bool encodes = net->spec.encoder != DQ_ENCODER_NONE, gathers = encodes || net->spec.sparse;
    for (size_t u = 0; u < s->states && (gathers || net->spec.dueling); u++) {
        net_begin_states(net, states + u, 1);
        net_forward_states(net);
        net_take_values(net, u);
        if (gathers && net_sees_vectors(s->pair))
            net_product(net, s->pair, NULL, 1, net_encoded(net, s->pair), 0, s->pair->out,
                        net_pair_states(s->pair) + u * s->pair->out);
    }
    net->states = s->states;
    for (size_t u = 0; u < s->states; u++) net->state_at[u] = states[u];
    if (!gathers && net_sees_vectors(s->pair))
        net_run(net, s->pair, dots_tile, s->pair->out, s->states * net->spec.input * s->pair->out);
    if (net->spec.factored) {
        const net_layer *p = &net->layers[net->project];
        net_run(net, p, dots_tile, p->out, s->states * net->spec.input * p->out);
    }
}

/* Whether several states in a tile leave fewer columns idle, by a tenth at least. What stands beside the
 * hidden layers is not packed. */
static bool packing_saves(const net_score *s)
{
    const dq_net_spec *spec = &s->net->spec;
    if (spec->factored || spec->given || spec->direct || !net_sees_vectors(s->pair)) return false;
    size_t all = s->states * s->n, packed = net_tile_columns(s->net, all);
    size_t tiles = s->states * net_tiles(s->n, net_tile_actions(s));
    return s->n <= NET_CHUNK &&
           net_tiles(all, packed - 2 * s->margin) * packed * 11 < tiles * s->columns * 10;
}

void dq_net_score(dq_net *net, const float *const *states, size_t n_states, const float *actions,
                  size_t stride, size_t n, const float *given, float *out, size_t out_stride)
{
    for (size_t u = 0; u < n_states; u += NET_CHUNK) {
        net_score s = {.net = net,
                       .pair = net_pair_layer(net),
                       .states = net_min(NET_CHUNK, n_states - u),
                       .block = actions,
                       .stride = stride,
                       .given = given ? given + u * n * net->spec.given : NULL,
                       .n = n,
                       .columns = net_tile_columns(net, n),
                       .margin = dq_gemm_margin(),
                       .out = out + u * out_stride,
                       .out_stride = out_stride};
        net_fold_norms(net);
        net_score_states(&s, states + u);
        if (packing_saves(&s))
            run_packed(&s);
        else
            net_run_scores(&s);
    }
}
