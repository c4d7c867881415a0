/* SPDX-License-Identifier: MIT
 *
 * The network of agents whose states are vectors (system A's, factored over rows of a catalogue, is
 * net/net.h): dense layers with ReLU, batch norm and dropout, an encoder for a history in the state, and
 * heads with one output an action or one for a pair (state, action vector).
 *
 *     states (n, input) -> encoder -> [a pair: (encoded | action)] -> hidden ... -> head (rows, outputs)
 *
 * Layers are PyTorch's in arithmetic, names and layout, so that a model loads there:
 *
 *     hidden.I.weight (out, in), .bias      Linear, then norm.I (batch norm), ReLU, dropout
 *     output.weight (outputs, in), .bias    Linear
 *     advantage, value                      instead of output, with dueling
 *     attention.query, .key, .value         Linear (user and rest | item | item; the key without a bias)
 *     values.hidden, values.output          dueling's V where it sees less than A: relu(hidden) -> output
 *
 * The weights are one flat block, the running statistics of batch norm another. Products are cut into fixed
 * tiles: results do not depend on the number of threads. Nothing is allocated after dq_mlp_new.
 */
#ifndef DQ_NET_MLP_H
#define DQ_NET_MLP_H

#include "core/rng.h"
#include "dq/bundle.h"
#include "math/adam.h"
#include "math/pool.h"

enum { DQ_MLP_MAX_HIDDEN = 8 };

typedef enum dq_head {
    DQ_HEAD_OUTPUTS, /* one output an action */
    DQ_HEAD_ACTIONS, /* Q(s, a) on the vectors that describe actions */
} dq_head;

typedef enum dq_encoder {
    DQ_ENCODER_NONE,      /* the state as it is */
    DQ_ENCODER_MEAN,      /* the mean of the history's items (rows of zeros are empty places) */
    DQ_ENCODER_ATTENTION, /* what the user and the rest of the state attend to in the history: one head of
                             scaled dot products (Vaswani et al., 2017) */
} dq_encoder;

/* A state is [user (user_width) | history (history, item_width) | rest], as env/env.h says; the three are 0
 * where all is rest. */
typedef struct dq_mlp_spec {
    uint32_t input; /* width of a state */
    uint32_t user_width, history, item_width;
    uint32_t outputs;      /* DQ_HEAD_OUTPUTS */
    uint32_t action_width; /* DQ_HEAD_ACTIONS; the output is one number */
    uint32_t hidden[DQ_MLP_MAX_HIDDEN], hidden_count;
    double dropout;  /* 0 <= p < 1, in training only */
    bool batch_norm; /* Ioffe and Szegedy, 2015; as PyTorch's: eps 1e-5, momentum 0.1 */
    /* Wang et al., "Dueling network architectures", 2016: Q = V + A - mean A. With an encoder or a head on
     * actions V has layers of its own and sees the user alone (the whole state of a task without users), as
     * in Zheng et al., "DRN", 2018; on actions no mean is taken away. */
    bool dueling;
    dq_head head;
    dq_encoder encoder;
} dq_mlp_spec;

/* What a head on actions scores: row r is state[r] of the states and vector action[r] of actions. */
typedef struct dq_mlp_pairs {
    size_t rows;
    const uint32_t *state, *action; /* (rows) */
    const float *actions;           /* (any, action_width) */
} dq_mlp_pairs;

typedef struct dq_mlp dq_mlp;

/* Weights by PyTorch's default, uniform in +-1/sqrt(fan in), drawn from rng. max_rows bounds the states, and
 * the pairs, of a forward pass. pool is kept and may be shared by networks that do not run at once.
 * DQ_ERR_RANGE for a shape that does not fit together. */
dq_status dq_mlp_new(dq_mlp **net, const dq_mlp_spec *spec, size_t max_rows, dq_pool *pool, dq_rng *rng,
                     dq_error *error);
void dq_mlp_free(dq_mlp *net);
const dq_mlp_spec *dq_mlp_get_spec(const dq_mlp *net);

/* Outputs (rows, outputs) of n states, which lie input floats apart; the net's, until the next pass. With rng
 * it is a training pass: dropout draws from it, batch norm takes the batch's statistics and moves its own.
 * pairs: for a head on actions, else NULL. x and pairs stay as they are until dq_mlp_backward. */
const float *dq_mlp_forward(dq_mlp *net, const float *x, size_t n, const dq_mlp_pairs *pairs, dq_rng *rng);
/* After a training pass: the gradient of the weights, given that of the outputs (rows, outputs). */
void dq_mlp_backward(dq_mlp *net, const float *dy);
/* Clips the gradient (each number to +-clip_value, then the whole to clip_norm; 0: neither) and takes one
 * step of Adam. Returns the norm that the gradient had. */
double dq_mlp_step(dq_mlp *net, const dq_adam *adam, double clip_norm, double clip_value);

/* Outputs for any number of states, without dropout, in blocks of max_rows. A head on actions scores each
 * state with each of `count` actions: out (n, count); else out (n, outputs) and actions is NULL. */
void dq_mlp_predict(dq_mlp *net, const float *x, size_t n, const float *actions, size_t count, float *out);

/* to = from, weights and statistics. The specs are equal. */
void dq_mlp_copy(dq_mlp *to, const dq_mlp *from);
/* to += tau (from - to): a target network that follows (Lillicrap et al., 2016); statistics are copied. */
void dq_mlp_follow(dq_mlp *to, const dq_mlp *from, double tau);

/* Adam's moments and steps become those of a new network; the weights stay. */
void dq_mlp_forget(dq_mlp *net);

/* Flat: the weights, the gradient, Adam's moments (dq_mlp_count each), running statistics. Writable. */
size_t dq_mlp_count(const dq_mlp *net);
float *dq_mlp_weights(dq_mlp *net);
float *dq_mlp_gradient(dq_mlp *net);
float *dq_mlp_moment1(dq_mlp *net);
float *dq_mlp_moment2(dq_mlp *net);
size_t dq_mlp_statistic_count(const dq_mlp *net);
float *dq_mlp_statistics(dq_mlp *net);
uint64_t *dq_mlp_steps(dq_mlp *net);

/* Adds columns PREFIX.NAME to a model bundle (borrowed from the net; with moments also PREFIX.adam.m, .v),
 * and the spec under meta[PREFIX]. */
dq_status dq_mlp_save(dq_mlp *net, const char *prefix, bool moments, dq_bundle *model, dq_error *error);
/* Spec of a saved network; DQ_ERR_UNKNOWN when the bundle has none under that prefix. */
dq_status dq_mlp_load_spec(const dq_bundle *model, const char *prefix, dq_mlp_spec *spec, dq_error *error);
/* Fills a network of the same spec (dropout may differ); moments too when the bundle has them. */
dq_status dq_mlp_load(dq_mlp *net, const char *prefix, const dq_bundle *model, dq_error *error);

#endif
