/* SPDX-License-Identifier: MIT
 *
 * Rows that name their states and actions, as many as there are: distinct ones are computed once.
 */
#include "net/columns_impl.h"

#include "math/blas.h"

#include <string.h>

/* Some pairs of several states and distinct actions. */
typedef struct pairs {
    net_score actions;
    const uint32_t *state, *action; /* (n) slots */
    const uint32_t *row;            /* (n) where each pair came first */
    float *out;                     /* (n, outputs) */
    size_t n;
} pairs;

static void state_parts_tile(const dq_net *net, const net_layer *l, size_t c0, size_t width)
{
    net_product(net, l, NULL, net->states, net_encoded(net, l), c0, width, net_pair_states(l) + c0);
}

/* The sums of first_layer, of pairs. */
static void first_layer_of_pairs(const pairs *p, const net_scratch *scratch, const uint32_t *state,
                                 const uint32_t *action, size_t n)
{
    const net_score *s = &p->actions;
    bool sees = net_sees_vectors(s->pair);
    const float *states = sees ? net_pair_states(s->pair) : NULL;
    const float *actions = sees ? net_pair_actions(s->pair) : NULL;
    size_t out = s->pair->out, count = net_feature_count(&s->net->spec);
    const net_units u = net_units_of(s->net, s->pair);
    for (size_t o = 0; o < out; o++) {
        const float *w = net_feature_weights(s, o), *z = sees ? actions + o * NET_CHUNK : NULL;
        float *a = scratch->a + o * s->columns + s->margin;
        float scale = u.scale ? u.scale[o] : 1, shift = u.shift[o];
        for (size_t i = 0; i < n; i++) {
            float sum = sees ? z[action[i]] : 0;
            for (size_t f = 0; f < count; f++) sum += scratch->features[f * NET_TILE + i] * w[f];
            a[i] = sum * scale + (sees ? shift + scale * states[state[i] * out + o] : shift);
        }
        if (u.activates) net_apply(s->net->spec.activation, a, n);
    }
}

/* What stands beside the hidden layers: y has margins, features have none. */
static void add_beside(const net_score *s, const float *features, const uint32_t *state,
                       const uint32_t *action, size_t n, float *y)
{
    float direct[NET_TILE] = {0};
    net_add_direct(s, features, NET_TILE, direct);
    for (size_t i = 0; (s->net->spec.direct || s->net->spec.factored) && i < n; i++)
        y[s->margin + i] += direct[i] + net_factored_pair(s, state[i], action[i]);
}

static void pairs_tile(void *arg, size_t tile, unsigned thread)
{
    const pairs *p = arg;
    const net_score *s = &p->actions;
    const dq_net *net = s->net;
    const net_scratch *scratch = &net->scratch[thread];
    size_t r0 = tile * net_tile_actions(s), n = net_min(net_tile_actions(s), p->n - r0);
    const uint32_t *state = p->state + r0, *action = p->action + r0;
    for (size_t i = 0; net_feature_count(&net->spec) && i < n; i++)
        net_features_of(net, net->state_at[state[i]], s->at[s->numbers[action[i]]], 0,
                        s->given ? s->given + p->row[r0 + i] * net->spec.given : NULL, 1,
                        scratch->features + i, NET_TILE);
    first_layer_of_pairs(p, scratch, state, action, n);
    float *y = net_deeper_layers(s, scratch->a, scratch->b, s->columns);
    add_beside(s, scratch->features, state, action, n, y);
    for (size_t i = 0; i < n; i++)
        net_put(s, y, s->margin + i, 1, s->columns, state[i], p->out + (r0 + i) * net->spec.outputs);
}

/* The row where each distinct number came first. */
static void find_first(const net_slots *slots, size_t n, uint32_t *row)
{
    for (size_t r = n; r-- > 0;) row[slots->of_row[r]] = (uint32_t)r;
}

/* The distinct pairs of a chunk as slots of states and of actions. */
static void find_pairs(dq_net *net, size_t n, uint32_t *state, uint32_t *action, uint32_t *row)
{
    const uint32_t *of_state = net->state_slots.of_row, *of_action = net->action_slots.of_row;
    uint32_t key[NET_CHUNK];
    for (size_t r = 0; r < n; r++) key[r] = of_state[r] << 16 | of_action[r];
    net_slots_find(&net->met, key, n);
    for (size_t i = 0; i < net->met.count; i++) {
        state[i] = net->met.distinct[i] >> 16;
        action[i] = net->met.distinct[i] & 0xffff;
    }
    find_first(&net->met, n, row);
}

/* At most NET_CHUNK pairs. With one state a pair is an action. */
static void predict_pairs(dq_net *net, const dq_net_rows *rows, float *out)
{
    size_t outputs = net->spec.outputs;
    const uint32_t *slot = net->action_slots.of_row;
    uint32_t first[NET_CHUNK];
    net_begin(net, rows);
    net_forward_states(net);
    net_fold_norms(net);
    net_score s = {.net = net,
                   .pair = net_pair_layer(net),
                   .at = rows->actions.at,
                   .numbers = net->action_slots.distinct,
                   .given = rows->features,
                   .given_at = first,
                   .n = net->action_slots.count,
                   .states = net->states,
                   .columns = net_tile_columns(net, net->action_slots.count),
                   .margin = dq_gemm_margin(),
                   .out = net->predicted};
    net_take_values(net, 0);
    if (net_sees_vectors(s.pair))
        net_run(net, s.pair, state_parts_tile, s.pair->out, s.states * net->spec.input * s.pair->out);
    if (net->states == 1) {
        find_first(&net->action_slots, rows->rows, first);
        net_run_scores(&s);
    } else {
        uint32_t state[NET_CHUNK], action[NET_CHUNK];
        find_pairs(net, rows->rows, state, action, first);
        pairs p = {s, state, action, first, net->predicted, net->met.count};
        net_run_actions(&s);
        p.actions.columns = net_tile_columns(net, p.n);
        net_run_tiles(net, pairs_tile, &p, net_tiles(p.n, net_tile_actions(&p.actions)),
                      p.n * net_column_work(&s));
        slot = net->met.of_row;
    }
    for (size_t r = 0; r < rows->rows; r++)
        memcpy(out + r * outputs, net->predicted + slot[r] * outputs, outputs * sizeof *out);
}

static void predict_states(dq_net *net, const dq_net_rows *rows, float *out)
{
    const float *y = dq_net_forward(net, rows, NULL);
    memcpy(out, y, net_outputs(net) * sizeof *out);
}

void dq_net_predict(dq_net *net, const dq_net_rows *rows, float *out)
{
    size_t block = net_on_pairs(net) ? NET_CHUNK : NET_BLOCK;
    size_t outputs = net_on_pairs(net) || !rows->action ? net->spec.outputs : 1;
    dq_net_rows some = *rows;
    for (size_t r = 0; r < rows->rows; r += block) {
        some.rows = net_min(block, rows->rows - r);
        if (rows->state)
            some.state = rows->state + r;
        else
            some.states.at = rows->states.at + r;
        some.action = rows->action ? rows->action + r : NULL;
        some.features = rows->features ? rows->features + r * net->spec.given : NULL;
        (net_on_pairs(net) ? predict_pairs : predict_states)(net, &some, out + r * outputs);
    }
}
