/* SPDX-License-Identifier: MIT
 *
 * What the files of the network share. A network is a list of layers in the order of the forward pass; each
 * is of a kind, an entry of functions. Every output of a layer is read by one later layer, but for the
 * states, which have no gradient; so the way back writes gradients and never adds.
 *
 *     states -> [encoder] -> dense or pair, [norm] ... -> dense -> [duel]      Q, or its A
 *     states -> dense ... -> dense --------------------------------^           V where it stands apart
 *     ... -> dense (A's units | V's), [norm] -> dense (A's) -> duel            V and A as streams: each reads
 *                                            -> dense (V's) ---^               its slice
 *     states -> tokens -> self_attention -> feed_forward ... -> last_token     a transformer as encoder
 */
#ifndef DQ_NET_NET_IMPL_H
#define DQ_NET_NET_IMPL_H

#include "math/product/product.h"
#include "math/vec.h"
#include "net/net.h"

enum {
    NET_LAYERS = 6 * DQ_NET_MAX_HIDDEN + 2 * DQ_NET_MAX_BLOCKS + 16,
    NET_TENSORS = 24 * DQ_NET_MAX_HIDDEN + 12 * DQ_NET_MAX_BLOCKS + 40,
    NET_COLUMNS = 128, /* units of a tile of a pass: few enough that threads share the work */
    NET_GRADIENT = 56, /* units of a tile of gradients: it, the weights and the moments are near for Adam */
    NET_PACKED = 512,  /* rows of a pass at most whose inputs are packed: of more a tile has enough to do */
    NET_TILE = 256,    /* columns of a scoring tile at most */
    NET_CHUNK = 512,   /* pairs that predict looks at together */
    NET_BLOCK = 256,   /* states that it looks at together */
    NET_FEW = 4,       /* rows under which dot products beat a product that packs the weights first */
    NET_STATES = -1,   /* the layer before the first: the states themselves */
    NET_INNER = 4,     /* numbers of a transformer's feed-forward, of one of its token */
};

/* Products under this many multiplications are one tile: waking a thread takes longer. */
#define NET_SMALL ((size_t)1 << 20)

typedef struct net_layer net_layer;

typedef struct net_kind {
    void (*forward)(dq_net *net, net_layer *layer);
    /* From dy to the gradient of what it reads, gated by that layer's activation. Not called where nobody
     * wants it. */
    void (*input)(dq_net *net, net_layer *layer);
    /* From dy to the gradients of units [u0, u0 + n): weight (n, unit_width), bias (n). NULL: no weights. */
    void (*gradient)(const dq_net *net, const net_layer *layer, size_t u0, size_t n, float *weight,
                     float *bias);
    /* Memory beside y and dy; false when there is none. NULL: it needs none. */
    bool (*allocate)(dq_net *net, net_layer *layer);
    /* Before the gradients: packs what all tiles of them read. NULL: nothing. */
    void (*prepare)(const dq_net *net, const net_layer *layer);
} net_kind;

/* Rows of numbers that weights are multiplied with: the input of a layer, or the actions of pairs. */
typedef struct net_operand {
    const float *x;
    size_t stride, rows, in; /* floats between rows, rows, numbers of each that count */
} net_operand;

/* What a layer keeps of them in a pass, for all tiles of its units (products.c). */
typedef struct net_side {
    size_t rows;   /* there is room for */
    float *panels; /* packed; NULL: not worth it */
    /* In bf16, else NULL: the rows (rows, in), packed, and the gradient of their products (rows, out). */
    uint16_t *x, *rounded_panels, *d;
} net_side;

struct net_layer {
    const net_kind *kind;
    int from, beside;          /* the layers whose outputs it takes; beside: dueling's V, features, or from */
    size_t from_at, beside_at; /* the first of their outputs that it reads */
    size_t in, out;
    size_t at;                /* where its weights begin in the flat block; biases stand behind them */
    size_t units, unit_width; /* weights (units, unit_width), biases (units) where it has some */
    bool has_bias;
    size_t statistics; /* its running statistics begin there: mean (out), variance (out) */
    bool activates;    /* the activation, then dropout where it drops */
    bool drops;
    uint32_t depth;  /* hidden layers up to it, it among them */
    bool wants;      /* something in it or before it has weights that learn */
    bool frozen;     /* its weights do not learn */
    bool pairs;      /* its rows are pairs, */
    bool of_actions; /* or distinct actions, not states */
    uint64_t number; /* among those that draw dropout */
    float *y, *dy;   /* (states or pairs, out) */
    float *slope;    /* (as dy) of an activation but ReLU, dropout in it; else NULL */
    net_side side;   /* its input, or the actions of pairs */
    void *own;       /* scratch of its kind */
};

/* A named part of the flat blocks. */
typedef struct net_tensor {
    char name[80];
    bool statistic;
    unsigned dims;
    uint64_t shape[2];
    size_t at;
} net_tensor;

/* The distinct numbers of a batch, in the order of their first appearance, and each row's place among them.
 * An open-addressing table of stamped entries, so that a new batch clears nothing. */
typedef struct net_slots {
    uint32_t *keys, *slots, *stamps; /* (mask + 1) */
    uint32_t mask, epoch;
    uint32_t *distinct; /* (distinct at most); count of them are set */
    uint32_t *of_row;   /* (rows at most) slot of each row's number */
    size_t count;
} net_slots;

/* Which numbers of the states are not zero, row by row: start[r] .. start[r + 1] of index. The numbers stay
 * where they are, so that sparse states take no more memory than others. */
typedef struct net_nonzero {
    const float *const *rows; /* the states, until the pass is over */
    size_t *start;            /* (states + 1) */
    uint32_t *index;          /* (states input) ascending in a row */
} net_nonzero;

/* A thread's memory for gradients, and for scoring (lib/net/columns.c). */
typedef struct net_scratch {
    float *gradient; /* (NET_GRADIENT, widest unit) and a bias each */
    float *x;        /* (NET_TILE, action_width) actions, gathered or padded */
    float *z;        /* (units of the pair layer, NET_TILE) the actions' part of it */
    float *a, *b;    /* (widest layer, NET_TILE) activations of one layer and the next */
    float *r;        /* (factored, NET_TILE) the actions' part of the factored head */
    float *features; /* (features, NET_TILE) of one state with the actions of a tile */
} net_scratch;

/* Moments of the first layer of pairs that are one outer product (outer.c). */
typedef struct net_outer {
    enum { NET_OUTER_NONE, NET_OUTER_NEW, NET_OUTER_KEPT } stage; /* new: the moments are zero */
    int layer;
    float *m, *v;   /* (units) M and V */
    float *x;       /* (input) the one state; NULL: such a layer there is none */
    double square;  /* of x with itself, in the step under way */
    float *product; /* (units) of x and the weights, where */
    bool known;     /* it is theirs as they are now */
    bool steps;     /* a step of outer moments is under way: no gradient of these weights is wanted */
} net_outer;

struct dq_net {
    dq_net_spec spec;
    dq_pool *pool;
    dq_arena arena;
    net_layer layers[NET_LAYERS];
    int layer_count;
    net_tensor tensors[NET_TENSORS];
    unsigned tensor_count;
    size_t count, statistic_count;
    size_t max_rows, max_trained;      /* rows of a pass, and distinct states in them */
    size_t max_states, max_actions;    /* distinct ones of a pass or a prediction */
    size_t max_acted;                  /* distinct actions of a pass */
    size_t max_pairs;                  /* rows of a pass or a prediction */
    int features;                      /* the layer that makes m, and */
    int project;                       /* that of P, that of R after it; -1: none */
    float *weights, *gradient, *m, *v; /* (count); but the weights none where max_rows is 0 */
    float *statistics;                 /* (statistic_count) */
    uint16_t *rounded;                 /* (count) the weights in bfloat16; NULL: not of this network */
    bool rounded_known;                /* they are those of now */
    net_outer outer;
    uint64_t steps;
    dq_dropout dropout, input_dropout;
    double *squares; /* (tiles of gradients) the sum of squares of each */

    /* the pass under way */
    dq_net_rows given;
    size_t states, rows;                      /* distinct states, and rows: pairs, or states again */
    float *x;                                 /* (max_states, input); none where they are sparse */
    float *x_actions;                         /* (max_acted, action_width) distinct vectors */
    net_nonzero nonzero;                      /* of sparse states */
    size_t *token_start;                      /* (max_states + 1) of a transformer: layers/sequence_impl.h */
    const float **state_at;                   /* (max_states) */
    net_slots state_slots, action_slots, met; /* of pairs */
    bool training;
    uint64_t seed; /* of this pass's dropout */

    net_scratch *scratch; /* one for each thread */
    float *values;        /* (max_states) V of the states, in a prediction of pairs */
    float *predicted;     /* (NET_CHUNK, outputs) of distinct pairs, likewise */
};

static inline size_t net_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t net_tiles(size_t n, size_t tile)
{
    return (n + tile - 1) / tile;
}

static inline size_t net_rows(const dq_net *net, const net_layer *layer)
{
    return layer->pairs ? net->rows : layer->of_actions ? net->action_slots.count : net->states;
}

/* The layer whose outputs are the network's. */
static inline net_layer *net_last(dq_net *net)
{
    return &net->layers[net->layer_count - 1];
}

/* Whether this is the last layer, and makes only the output that a row asks for. */
static inline bool net_picks(const dq_net *net, const net_layer *layer)
{
    return layer == &net->layers[net->layer_count - 1] && net->spec.head == DQ_HEAD_OUTPUTS &&
           net->given.action;
}

/* How many numbers the outputs of the pass are. */
static inline size_t net_outputs(dq_net *net)
{
    const net_layer *last = net_last(net);
    return net_rows(net, last) * (net_picks(net, last) ? 1 : last->out);
}

static inline bool net_on_pairs(const dq_net *net)
{
    return net->spec.head == DQ_HEAD_ACTIONS;
}

/* A layer's input and the floats between its rows. Not of sparse states. */
static inline const float *net_input(const dq_net *net, const net_layer *layer, size_t *stride)
{
    *stride = layer->from == NET_STATES ? net->spec.input : net->layers[layer->from].out;
    return layer->from == NET_STATES ? net->x : net->layers[layer->from].y + layer->from_at;
}

/* Where the gradient of a layer's input goes, rows as far apart; NULL when nobody wants it. */
static inline float *net_input_gradient(const dq_net *net, const net_layer *layer)
{
    bool wanted = layer->from != NET_STATES && net->layers[layer->from].wants;
    return wanted ? net->layers[layer->from].dy + layer->from_at : NULL;
}

/* An empty place of a history: all zeros. */
static inline bool net_empty(const float *item, size_t width)
{
    while (width > 0 && item[width - 1] == 0) width--;
    return width == 0;
}

/* Of the rows of a layer: a sum of two rows out of two tables, each (any, out). */
typedef struct net_parts {
    const float *a, *b; /* a NULL: y itself; b NULL: nothing */
    const uint32_t *a_row, *b_row;
} net_parts;

/* y = a + b + bias, then the activation and dropout where the layer has them: units [c0, c0 + width) of
 * every row; c0 is a multiple of NET_COLUMNS. parts NULL: y += bias. */
void net_activate(const dq_net *net, const net_layer *layer, const net_parts *parts, const float *bias,
                  size_t c0, size_t width);
/* The way back through the activation and dropout of what `layer` reads: units [c0, c0 + width) of that. */
void net_gate(const dq_net *net, const net_layer *layer, size_t c0, size_t width);
/* h[i] = the activation of h[i] alone. */
void net_apply(dq_activation activation, float *h, size_t n);
/* to (width) = the sum of rows, stride floats apart. */
void net_sum_rows(float *to, const float *rows, size_t stride, size_t n, size_t width);

/* Runs tiles over the pool; here where they have few multiplications. */
void net_run_tiles(const dq_net *net, void (*tile)(void *arg, size_t i, unsigned thread), void *arg,
                   size_t tiles, size_t multiplications);
/* A tile of a layer: n of its units, or of its rows, from `from` on. */
typedef void net_tile(const dq_net *net, const net_layer *layer, size_t from, size_t n);
/* Runs a layer's tiles of NET_COLUMNS over the pool; as one tile, when there are few multiplications. */
void net_run(const dq_net *net, const net_layer *layer, net_tile *tile, size_t n, size_t multiplications);

/* For at most `distinct` distinct numbers of `rows`. */
bool net_slots_init(net_slots *slots, size_t rows, size_t distinct, dq_arena *arena);
/* Sets distinct, count and of_row for n numbers. */
void net_slots_find(net_slots *slots, const uint32_t *numbers, size_t n);
/* The same for 0, 1, 2 ... n - 1. */
void net_slots_count(net_slots *slots, size_t n);
/* Those of a grid: row r is state r / grid of n with action r % grid of the given ones. */
void net_slots_grid(net_slots *states, net_slots *actions, const uint32_t *action, size_t n, size_t grid);

bool net_nonzero_init(net_nonzero *nonzero, size_t rows, size_t width, dq_arena *arena);
void net_nonzero_find(net_nonzero *nonzero, const float *const *rows, size_t n, size_t width);
/* y[r * stride + c] = the product of row r of the states, up to `in`, and row c of weights (n, w_stride). */
void net_nonzero_product(const net_nonzero *nonzero, size_t rows, size_t in, const float *weights,
                         size_t w_stride, size_t n, float *y, size_t stride);
/* The product of row r and one row of weights. */
float net_nonzero_dot(const net_nonzero *nonzero, size_t r, size_t in, const float *weights);
/* to[j] += scale x[r][j] */
void net_nonzero_add(const net_nonzero *nonzero, size_t r, size_t in, float scale, float *to);
/* The gradient of the product by its weights: to[c * to_stride + j] = the sum over rows of dy[r * stride + c]
 * x[r][j], j < in. */
void net_nonzero_gradient(const net_nonzero *nonzero, size_t rows, size_t in, const float *dy, size_t stride,
                          size_t n, float *to, size_t to_stride);

/* Takes up rows and their distinct states and actions; then the layers on states alone run. */
void net_begin(dq_net *net, const dq_net_rows *rows);
/* The same for states given one by one, without actions. */
void net_begin_states(dq_net *net, const float *const *states, size_t n);
void net_forward_states(dq_net *net);
/* The way back but for the gradients of weights. */
void net_backward_inputs(dq_net *net, const float *dy);
/* The two halves of dq_net_update, for tests that look between them: the gradient of the weights as a whole,
 * and a step on it. Where its norm is not finite the weights stay. */
void net_backward(dq_net *net, const float *dy);
double net_step(dq_net *net, const dq_adam *adam, double clip_norm, double clip_value);

/* Memory for outer moments where the network may have them; false when there is none. They are new. */
bool net_outer_allocate(dq_net *net);
void net_outer_reset(dq_net *net);
/* Before a step of Adam without weight decay in the gradient, after the pass: whether the moments are outer
 * ones in it. */
bool net_outer_begin(dq_net *net);
/* Before any other step: the moments are matrices from now on. */
void net_outer_end(dq_net *net);
/* The step of a unit's weights of the state, g being the gradient of the unit's product; returns the sum of
 * the gradient's squares. */
double net_outer_step(dq_net *net, const dq_adam_step *adam, size_t unit, float g);
/* The product of the pass's state and the weights as they are, (units), where it is known; NULL. Whoever
 * writes weights otherwise than by a step says net->outer.known = false. */
const float *net_outer_product(const dq_net *net);
/* In checkpoints, beside the moments. */
dq_status net_outer_save(dq_net *net, const char *prefix, dq_bundle *model, dq_error *error);
dq_status net_outer_restore(dq_net *net, const char *prefix, const dq_bundle *model, dq_error *error);

/* m of a state with n actions that lie stride floats apart, `given` those that the caller hands in (n,
 * given): to[f * to_stride + i]. */
void net_features_of(const dq_net *net, const float *state, const float *actions, size_t stride,
                     const float *given, size_t n, float *to, size_t to_stride);

/* The layers to predict pairs by columns: memory for it, a thread's. */
bool net_score_allocate(dq_net *net, net_scratch *scratch);
/* Computes a norm in evaluation, with the bias (out) of the layer before, as y = scale x + shift. */
void net_norm_fold(const dq_net *net, const net_layer *norm, const float *bias);
/* What net_norm_fold has computed: (out) each. */
void net_norm_folded(const net_layer *norm, const float **scale, const float **shift);

/* Memory for the side of a layer whose rows are `in` wide; false when there is none. */
bool net_side_allocate(dq_net *net, const net_layer *layer, net_side *side, size_t rows, size_t in);
/* Before products with the weights, or (gradient) before their gradients: packs the rows, rounded in bf16. */
void net_side_pack(const dq_net *net, const net_side *side, const net_operand *of, bool gradient);
/* c[r * layer->out + u] = the product of row r and the weights of unit u of n, whose first stands at `at` of
 * the flat block, layer->in from unit to unit. */
void net_side_product(const dq_net *net, const net_layer *layer, const net_side *side, const net_operand *of,
                      size_t at, size_t n, float *c);
/* Takes up the gradient of such products, dc (rows, layer->out), of units [u0, u0 + n), for the two below. */
void net_side_take(const dq_net *net, const net_layer *layer, const net_side *side, size_t rows,
                   const float *dc, size_t u0, size_t n);
/* The gradient of the weights of those units, into rows of layer->in. */
void net_side_gradient(const dq_net *net, const net_layer *layer, const net_side *side, const net_operand *of,
                       const float *dc, size_t u0, size_t n, float *weights);
/* Columns [c0, c0 + width) of the gradient of the rows, which are as far apart as those of dx. */
void net_side_input(const dq_net *net, const net_layer *layer, const net_side *side, size_t rows,
                    const float *dc, size_t c0, size_t width, float *dx, size_t stride);
/* Weights were set otherwise than by a step: what was found of them holds no more. */
void net_weights_were_set(dq_net *net);
/* Before a training pass: bfloat16 copies of weights that were set. A step rounds what it writes by
 * net_round. */
void net_round_weights(dq_net *net);
static inline void net_round(const dq_net *net, size_t at, size_t n)
{
    if (net->rounded) dq_bf16_round(net->rounded + at, net->weights + at, n);
}

/* The product of a layer's input, its first `in` numbers, and the weights of units [c0, c0 + width): to[r *
 * out + c] for c0 + c. side: what is kept of the input, packed before; NULL: nothing. */
void net_product(const dq_net *net, const net_layer *layer, const net_side *side, size_t rows, size_t in,
                 size_t c0, size_t width, float *to);
/* The gradient of the weights of units [u0, u0 + n) from that of the products, dy[r * out + u], into rows of
 * layer->in. */
void net_product_gradient(const dq_net *net, const net_layer *layer, const net_side *side, size_t rows,
                          size_t in, const float *dy, size_t u0, size_t n, float *weight);
/* Before either: packs the input. */
void net_product_pack(const dq_net *net, const net_layer *layer, const net_side *side, size_t rows, size_t in,
                      bool gradient);

/* The states' part of the pair layer (max_states, out), and room for the actions' (max_actions, out). */
float *net_pair_states(const net_layer *layer);
float *net_pair_actions(const net_layer *layer);

/* Tokens that a state has at most: 0 of a network whose encoder is no transformer. */
size_t net_most_tokens(const dq_net_spec *spec);

/* From a spec to layers and tensors (plan.c). */
dq_status net_check(const dq_net_spec *spec, dq_error *error);
void net_plan(dq_net *net);

/* How many features m has. */
static inline size_t net_feature_count(const dq_net_spec *spec)
{
    return (size_t)spec->feature_count + spec->given;
}

/* tau of the factored head. */
float net_factored_scale(const dq_net *net);

extern const net_kind net_dense, net_norm, net_mean, net_attention, net_pair, net_duel;
extern const net_kind net_features, net_direct, net_project_states, net_project_actions, net_factored,
    net_calibration;
extern const net_kind net_tokens, net_trajectory, net_self_attention, net_feed_forward, net_last_token;

#endif
