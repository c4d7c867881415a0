/* SPDX-License-Identifier: MIT
 *
 * Pairs without dropout, by columns: what scoring a block (score.c) and predicting rows (predict.c) share.
 */
#ifndef DQ_NET_COLUMNS_IMPL_H
#define DQ_NET_COLUMNS_IMPL_H

#include "net/net_impl.h"

/* Actions to score with all states of the net: rows of a block, or vectors picked by number. */
typedef struct net_score {
    dq_net *net;
    const net_layer *pair;
    const float *block;
    size_t stride;
    const float *const *at;   /* or NULL */
    const uint32_t *numbers;  /* picked, else 0, 1, 2 ... */
    const float *given;       /* (states, n, given) features that were handed in; or of picked actions, row */
    const uint32_t *given_at; /* given_at[i] of each action i (n), or NULL */
    size_t n, states;
    size_t columns, margin; /* of a tile; columns - 2 margin actions are in it */
    float *out;             /* (states, n, outputs), out_stride between states */
    size_t out_stride;
} net_score;

/* What the units of a layer make of their products x: the activation of scale x + shift. */
typedef struct net_units {
    const float *scale, *shift; /* (out); scale NULL: 1 */
    bool activates;
} net_units;

/* Past the last layer, and the pair layer. */
static inline const net_layer *net_end(const dq_net *net)
{
    return net->layers + net->layer_count;
}

static inline const net_layer *net_pair_layer(const dq_net *net)
{
    const net_layer *l = net->layers;
    while (!l->pairs || l->kind == &net_features) l++;
    return l;
}

/* Whether it sees vectors, not features alone. */
static inline bool net_sees_vectors(const net_layer *pair)
{
    return pair->kind == &net_pair;
}

static inline size_t net_tile_actions(const net_score *s)
{
    return s->columns - 2 * s->margin;
}

/* The columns of the pair layer's weights that states take. */
static inline size_t net_encoded(const dq_net *net, const net_layer *pair)
{
    return net_sees_vectors(pair) ? pair->in - net->spec.action_width - net_feature_count(&net->spec) : 0;
}

/* The weights of the features into unit o of the pair layer: (features). */
static inline const float *net_feature_weights(const net_score *s, size_t o)
{
    const net_layer *l = s->pair;
    return s->net->weights + l->at + (o + 1) * l->in - net_feature_count(&s->net->spec);
}

/* Columns of tiles of equal size, as many for each thread; their size cannot be seen in a result. */
size_t net_tile_columns(const dq_net *net, size_t n);
/* Multiplications of one column in the layers after the first. */
size_t net_column_work(const net_score *s);

/* The actions' part of the first layer, of actions [i0, i0 + n), into scratch->z (units, columns), and of the
 * factored head into scratch->r (factored, columns). */
void net_action_part(const net_score *s, size_t i0, size_t n, const net_scratch *scratch);
/* Of all actions, at most NET_CHUNK: net_pair_actions is (units, NET_CHUNK), a column an action; of the
 * factored head a row an action, as in a pass. */
void net_run_actions(net_score *s);

/* Takes up the running statistics of norms; then the bias of a layer, with the norm that may follow. */
void net_fold_norms(const dq_net *net);
net_units net_units_of(const dq_net *net, const net_layer *layer);
/* What unit o makes of its products x and `part`, which is added to each. */
void net_finish(const dq_net *net, const net_units *u, size_t o, float part, float *to, const float *x,
                size_t columns);
/* From a, what the pair layer made of a tile, to the outputs (outputs, columns), which lie in a or b. */
float *net_deeper_layers(const net_score *s, float *a, float *b, size_t columns);
/* Columns [first, first + n) of y (outputs, columns) to out (n, outputs), with V of a state. */
void net_put(const net_score *s, const float *y, size_t first, size_t n, size_t columns, size_t state,
             float *out);

/* Adds to one output y of a tile what features weigh: (features, columns). */
void net_add_direct(const net_score *s, const float *features, size_t columns, float *y);
/* The same, the factored head's part of a state with the actions of a tile. */
void net_add_factored(const net_score *s, size_t state, const float *r, size_t columns, float *y);
/* And of one pair, after net_run_actions. */
float net_factored_pair(const net_score *s, size_t state, size_t action);

/* V of the states that have just been through their layers, to values[first ...]. */
void net_take_values(dq_net *net, size_t first);
/* What s->states states do alone, each as if it were alone: V, and their parts of the pair layer. */
void net_score_states(net_score *s, const float *const *states);

/* Whether a network's scores can be computed an action a row (scoring.c, quantised.c): dense layers on two
 * vectors, nothing beside them. */
bool net_scores_by_rows(const dq_net *net);
/* Whether a layer of such a network is a product of pairs; the others are done when scores are put. */
static inline bool net_is_product(const net_layer *l)
{
    return l->pairs && (l->kind == &net_dense || l->kind == &net_pair);
}
/* to (states, units) = the bias of the pair layer with what each state adds to it, after net_score_states. */
void net_state_biases(const net_score *s, const float *bias, float *to);
/* y (n, outputs) of a state, with V and the calibration, to out (n, outputs). */
void net_put_rows(const dq_net *net, const float *y, size_t n, size_t state, float *out);

/* Every state with every action, tile by tile (score.c). */
void net_run_scores(net_score *s);

#endif
