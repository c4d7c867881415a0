/* SPDX-License-Identifier: MIT
 *
 * What the files of the network share. A network is a list of layers in the order of the forward pass; each
 * is of a kind, an entry of one of two functions. Every layer's output is read by one later layer, but for
 * the states, which have no gradient; so backward writes gradients and never adds.
 *
 *     states -> [encoder] -> dense or pair, [norm] ... -> dense -> [duel]      the chain of A, or Q
 *     states -> dense -> dense -----------------------------------^            the chain of V, where apart
 */
#ifndef DQ_NET_MLP_IMPL_H
#define DQ_NET_MLP_IMPL_H

#include "math/vec.h"
#include "net/mlp.h"

#include <stdbool.h>

enum {
    MLP_LAYERS = 2 * DQ_MLP_MAX_HIDDEN + 8,
    MLP_TENSORS = 4 * DQ_MLP_MAX_HIDDEN + 16,
    MLP_COLUMNS = 128, /* units of a tile */
    MLP_BLOCK = 256,   /* states or pairs that predict looks at together, at least */
    MLP_STATES = -1,   /* the layer before the first: the states themselves */
};

/* Products under this many multiplications are one tile: waking a thread takes longer. */
#define MLP_SMALL ((size_t)1 << 20)

typedef struct mlp_layer mlp_layer;

typedef struct mlp_kind {
    void (*forward)(dq_mlp *net, mlp_layer *layer);
    void (*backward)(dq_mlp *net, mlp_layer *layer); /* dy to the gradients of weights and input */
} mlp_kind;

struct mlp_layer {
    const mlp_kind *kind;
    int from, beside; /* the layers whose outputs it takes; beside: dueling's V, or from */
    size_t in, out;
    size_t at;         /* its weights begin here in the flat block: (out, in), then (out) */
    size_t statistics; /* and its running statistics there: mean (out), variance (out) */
    bool activates;    /* ReLU, then dropout */
    bool wants;        /* something in it or before it has weights */
    bool pairs;        /* its rows are pairs, not states */
    uint64_t number;   /* among those that draw dropout */
    float *y, *dy;     /* (max_rows, out) */
    void *own;         /* scratch of its kind */
};

/* A named part of the flat blocks. */
typedef struct mlp_tensor {
    char name[48];
    bool statistic;
    unsigned dims;
    uint64_t shape[2];
    size_t at;
} mlp_tensor;

struct dq_mlp {
    dq_mlp_spec spec;
    dq_pool *pool;
    dq_arena arena;
    mlp_layer layers[MLP_LAYERS];
    int layer_count;
    mlp_tensor tensors[MLP_TENSORS];
    unsigned tensor_count;
    size_t count, statistic_count, max_rows;
    float *weights, *gradient, *m, *v; /* (count) */
    float *statistics;                 /* (statistic_count) */
    uint64_t steps;
    dq_dropout dropout;

    /* the pass under way */
    const float *x; /* (states, input) */
    size_t states, rows;
    dq_mlp_pairs pairs;
    bool training;
    uint64_t seed; /* of this pass's dropout */

    uint32_t *pair_state, *pair_action; /* (max_rows) predict's */
};

static inline size_t mlp_rows(const dq_mlp *net, const mlp_layer *layer)
{
    return layer->pairs ? net->rows : net->states;
}

/* A layer's input and the floats between its rows. */
static inline const float *mlp_input(const dq_mlp *net, int from, size_t *stride)
{
    *stride = from == MLP_STATES ? net->spec.input : net->layers[from].out;
    return from == MLP_STATES ? net->x : net->layers[from].y;
}

/* Where the gradient of a layer's input goes; NULL when nobody wants it. */
static inline float *mlp_input_gradient(const dq_mlp *net, int from)
{
    return from == MLP_STATES || !net->layers[from].wants ? NULL : net->layers[from].dy;
}

/* y += bias, and drop(relu(y)) where the layer activates: units [c0, c0 + width) of every row; */
void mlp_activate(const dq_mlp *net, const mlp_layer *layer, const float *bias, size_t c0, size_t width);
/* and the way back, for the gradient of the layer before. */
void mlp_gate(const dq_mlp *net, int from, size_t c0, size_t width);
/* to (width) = the sum of rows, stride floats apart. */
void mlp_sum_rows(float *to, const float *rows, size_t stride, size_t n, size_t width);

/* An empty place of a history: all zeros. */
static inline bool mlp_empty(const float *item, size_t width)
{
    while (width > 0 && item[width - 1] == 0) width--;
    return width == 0;
}

static inline size_t mlp_least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Runs the tiles of a layer, *columns of `width` units each, over the pool; as one tile, with *columns set
 * so, when there are few multiplications. */
void mlp_run(const dq_mlp *net, void (*tile)(void *arg, size_t i, unsigned thread), void *arg,
             size_t *columns, size_t width, size_t multiplications);

/* Memory beside y and dy; false when there is none. */
bool mlp_pair_allocate(dq_mlp *net, mlp_layer *layer);
bool mlp_attention_allocate(dq_mlp *net, mlp_layer *layer);
bool mlp_norm_allocate(dq_mlp *net, mlp_layer *layer);

extern const mlp_kind mlp_dense, mlp_norm, mlp_mean, mlp_attention, mlp_pair, mlp_duel;

#endif
