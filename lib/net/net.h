/* SPDX-License-Identifier: MIT
 *
 * The network of every agent: dense layers, batch norm and dropout, an encoder for a history in the state,
 * and heads with one output an action or for a pair (state, action).
 *
 *     states -> encoder -> [a pair: encoded | action | features] -> hidden ... -> output
 *
 * Layers are PyTorch's in arithmetic, names and layout, so that a model loads there:
 *
 *     hidden.I.weight (out, in), .bias      Linear, then norm.I (batch norm), the activation, dropout
 *     output.weight (outputs, in), .bias    Linear
 *     value.hidden.I, value.output          dueling's V, and
 *     advantage.hidden.I, advantage.output  its A: Linear, the hidden ones activated; norm.I as above
 *     attention.query, .key, .value         Linear (user and rest | item | item; the key without a bias)
 *     direct.weight (1, features)           Linear without a bias: the features' share of the output
 *     factored.state.weight (k, in),        P and R, Linear without a bias,
 *     factored.action.weight (k, in),       and
 *     factored.log_scale (1)                log tau
 *     calibration.scale (1), .shift (1)     buffers
 *     encoder.item, .position               the tokens of DQ_ENCODER_SASREC: Linear without a bias, and a row
 *                                           a place of the history
 *     encoder.return, .state, .action       those of DQ_ENCODER_TRAJECTORY: Linear; .position as above,
 *                                           .embed_norm LayerNorm
 *     encoder.layers.I, encoder.norm        TransformerEncoder of TransformerEncoderLayers with norm_first,
 *                                           causal: .self_attn, .linear1, .linear2, .norm1, .norm2
 *
 * On pairs with one output, f being what the hidden layers make, m the features of the pair, P s and R a two
 * vectors of k numbers, and what is not in the spec left out:
 *
 *     Q(s, a) = scale (f + direct . m + tau cos(P s, R a) + V(s)) + shift
 *
 * A pass is over rows that name states and actions by number. On pairs what is shared is computed once: the
 * state's part of the first layer once a distinct state, the action's part once a distinct action, and their
 * gradients likewise; dropout of what V sees is drawn once a distinct state.
 *
 * The weights are one flat block, the running statistics of batch norm another. Work is cut into fixed tiles:
 * results do not depend on the number of threads. Nothing is allocated after dq_net_new.
 */
#ifndef DQ_NET_NET_H
#define DQ_NET_NET_H

#include "core/rng.h"
#include "core/vectors.h"
#include "dq/bundle.h"
#include "math/adam.h"
#include "math/cosine.h"
#include "math/pool.h"

#include <stdbool.h>

enum {
    DQ_NET_MAX_HIDDEN = 8,
    DQ_NET_MAX_FEATURES = 64, /* cosines */
    DQ_NET_MAX_GIVEN = 256,
    DQ_NET_MAX_WIDTH = 1 << 24, /* of a layer in a model */
    DQ_NET_MAX_BLOCKS = 8,
    DQ_NET_MAX_HEADS = 64,
    DQ_NET_MAX_ENCODER_WIDTH = 1024,
    DQ_NET_MAX_TOKENS = 512,       /* of a state, */
    DQ_NET_MAX_SEQUENCE = 1 << 15, /* those times their width, */
    DQ_NET_MAX_SHARES = 1 << 18,   /* and what their heads attend to, tokens times tokens each */
};

typedef enum dq_head {
    DQ_HEAD_OUTPUTS, /* one output an action */
    DQ_HEAD_ACTIONS, /* f(s, a) of a pair */
} dq_head;
extern const char *const dq_head_names[]; /* "outputs", "actions", NULL */

typedef enum dq_encoder {
    DQ_ENCODER_NONE,       /* the state as it is */
    DQ_ENCODER_MEAN,       /* the mean of the history's items (rows of zeros are empty places) */
    DQ_ENCODER_ATTENTION,  /* what the user and the rest of the state attend to in the history: one head of
                              scaled dot products (Vaswani et al., 2017) */
    DQ_ENCODER_SASREC,     /* the latest item's token behind blocks of causal self-attention over the history
                              (Kang and McAuley, "Self-attentive sequential recommendation", 2018), whose
                              dropout is behind tokens and halves of blocks; what is feed-forward is 4 times
                              as wide as a token, and activated as the hidden layers are */
    DQ_ENCODER_TRAJECTORY, /* the same of a trajectory's steps, which the history then is (Chen et al.,
                              "Decision transformer", 2021): each is [there (1 or 0) | return-to-go |
                              state | action], the latest first, whose action is to come; see
                              learn/trajectory.h */
} dq_encoder;
extern const char *const dq_encoder_names[]; /* "none", "mean", "attention", "sasrec", NULL */

/* What the hidden layers of a head on actions see. */
typedef enum dq_hidden_inputs {
    DQ_HIDDEN_OF_ALL,      /* encoded state, action and features */
    DQ_HIDDEN_OF_FEATURES, /* the features alone */
} dq_hidden_inputs;
extern const char *const dq_hidden_inputs_names[]; /* "all", "features", NULL */

/* GELU is x Phi(x) with the exact normal distribution (Hendrycks and Gimpel, 2016), as PyTorch's default. */
typedef enum dq_activation { DQ_RELU, DQ_GELU, DQ_TANH } dq_activation;
extern const char *const dq_activation_names[]; /* "relu", "gelu", "tanh", NULL */

/* What the products of dense layers, and of the first layer of pairs, compute with in training passes and
 * updates: float32; or operands rounded to bfloat16 (8 bits of mantissa), sums in float32 (Kalamkar et al.,
 * "A study of BFLOAT16 for deep learning training", 2019). float32 in either: weights, moments, predictions
 * and scores, products of fewer than 4 rows or of sparse states, a single output that is asked for, encoders,
 * and what stands beside the hidden layers. */
typedef enum dq_precision { DQ_PRECISION_F32, DQ_PRECISION_BF16 } dq_precision;
extern const char *const dq_precision_names[]; /* "f32", "bf16", NULL */

/* A state is [user (user_width) | history (history, item_width) | rest], as env/env.h says; the three are 0
 * where all is rest. */
typedef struct dq_net_spec {
    uint32_t input; /* width of a state */
    uint32_t user_width, history, item_width;
    uint32_t outputs; /* one an action; on a pair 1 for Q, more for what a world model predicts */
    dq_head head;
    uint32_t action_width; /* DQ_HEAD_ACTIONS */
    bool one_hot;          /* DQ_HEAD_ACTIONS: action a is unit a of action_width; there are no vectors */
    bool sparse; /* most numbers of a state are 0, as of one-hot histories: the first layer gathers the
                    others. Without an encoder */
    /* DQ_HEAD_ACTIONS with vectors: further inputs, each the cosine of a range of the state (user_offset) and
     * one of the action (item_offset). What such a product of embeddings saves the network from finding out
     * by itself, few labels need not teach (Naumov et al., "Deep learning recommendation model for
     * personalization and recommendation systems", 2019). */
    dq_pairing features[DQ_NET_MAX_FEATURES];
    uint32_t feature_count;
    /* Features of a pair that the caller hands in with each pass (dq_net_rows.features), for what the two
     * vectors alone do not tell. All features are m = [cosines, each times feature_scale | given]. */
    uint32_t given;
    double feature_scale;           /* 0: 1 */
    dq_hidden_inputs hidden_inputs; /* of a head on actions */
    /* One output: m is added to it with learnt weights. They start at 0, and the output learns what the
     * features leave over; but that of feature start_feature starts at start_weight. */
    bool direct;
    uint32_t start_feature;
    double start_weight;
    /* One output, vectors of actions, no encoder: tau cos(P s, R a) is added to it, P (factored, input) and
     * R (factored, action_width), tau from 1 on. A batch's rows that are a grid of states and actions are one
     * product. 0: none. */
    uint32_t factored;
    double input_dropout; /* 0 <= p < 1, in training only: of the numbers of states and of actions' vectors,
                             once a distinct one; features are of the whole vectors. Not of sparse states */
    bool calibrated;      /* one output, on pairs: scale and shift, 1 and 0 at first (dq_net_calibrate) */
    /* The last so many layers of weights learn, and those before them keep every bit: 1 is the output with
     * what is added to it (direct, factored, V's output), 2 the hidden layer before it, too, with its norm,
     * whose statistics stay as well where it does not learn; an encoder is one layer. 0: all. A part of the
     * run, not saved. */
    uint32_t trained_layers;
    uint32_t hidden[DQ_NET_MAX_HIDDEN], hidden_count;
    /* Wang et al., "Dueling network architectures", 2016: V and A are streams with hidden layers of their own
     * (value_hidden, each) above the shared ones, and Q = V + A - mean A. Without value_hidden the last
     * hidden layer is not shared: each stream has one of that width. With an encoder or a head on actions V
     * stands apart and sees the user alone (the whole state of an environment without users), through
     * value_hidden (else one layer as wide as the last hidden one, or as what V sees where there is none),
     * and A is the rest, as in Zheng et al., "DRN", 2018; on actions no mean is taken away. */
    bool dueling;
    uint32_t value_hidden[DQ_NET_MAX_HIDDEN], value_hidden_count;
    double dropout;          /* 0 <= p < 1, in training only, behind hidden layers: */
    uint32_t dropout_layers; /* the first so many of each way to the outputs; 0: all */
    dq_activation activation;
    bool batch_norm; /* Ioffe and Szegedy, 2015; as PyTorch's: eps 1e-5, momentum 0.1; not in a V that stands
                        apart. A batch of one row has no variance: it is normalised by the running statistics,
                        which stay as they are */
    dq_encoder encoder;
    /* Of DQ_ENCODER_SASREC and _TRAJECTORY, else 0: width is what is encoded, a multiple of heads. */
    uint32_t blocks, heads, encoder_width;
    uint32_t step_state; /* DQ_ENCODER_TRAJECTORY: numbers of a step that are its state */
    dq_precision precision;
} dq_net_spec;

/* What a pass is over: row r is vector state[r] of the states and, on pairs, vector action[r] of the actions.
 * Without pairs action may say which output of each row is asked for: the outputs are then (rows), as those
 * of pairs, and nothing is spent on the others. Borrowed until the pass is over, dq_net_update included. */
typedef struct dq_net_rows {
    dq_vectors states;      /* width: input */
    const uint32_t *state;  /* (rows); NULL: 0, 1, 2 ... */
    dq_vectors actions;     /* on pairs; none with one_hot */
    const uint32_t *action; /* (rows); NULL: all outputs */
    size_t rows;
    /* On pairs: a grid of states (rows / grid, all distinct) and actions (grid, all distinct), row r being
     * state[r / grid] with action[r % grid]; 0: each row names its own. */
    size_t grid;
    const float *features; /* (rows, given) of each row's pair; NULL where nothing is given */
} dq_net_rows;

typedef struct dq_net dq_net;

/* Weights by PyTorch's default, uniform in +-1/sqrt(fan in), drawn from rng. max_rows bounds the rows of a
 * forward pass; 0: the network only predicts and scores, and has neither gradient nor moments. pool is kept
 * and may be shared by networks that do not run at once. DQ_ERR_RANGE for a shape that does not fit together.
 */
dq_status dq_net_new(dq_net **net, const dq_net_spec *spec, size_t max_rows, dq_pool *pool, dq_rng *rng,
                     dq_error *error);
/* The same, with less memory where the rows of a forward pass name at most max_states distinct states and
 * max_actions distinct actions, both <= max_rows, as pairs of few states with many actions. */
dq_status dq_net_new_of_pairs(dq_net **net, const dq_net_spec *spec, size_t max_rows, size_t max_states,
                              size_t max_actions, dq_pool *pool, dq_rng *rng, dq_error *error);
void dq_net_free(dq_net *net);

/* Outputs (rows, outputs), or (rows) where one is asked for; the net's, until the next pass. With rng it is a
 * training pass: dropout draws from it, batch norm takes the batch's statistics and moves its own. */
const float *dq_net_forward(dq_net *net, const dq_net_rows *rows, dq_rng *rng);
/* After a training pass, given the gradient of the outputs: clips that of the weights (each number to
 * +-clip_value, then the whole to clip_norm; 0: neither) and takes one step of Adam. Where nothing clips, a
 * tile of the gradient is made and Adam follows while it is in cache, and the whole of it is never in memory.
 * Returns the norm that the gradient had; not finite: training has diverged (the weights stay where dy is not
 * finite, and are of no use where an overflow came later). */
double dq_net_update(dq_net *net, const float *dy, const dq_adam *adam, double clip_norm, double clip_value);
/* The same in two calls, for whoever sums the gradients of several passes before a step: the gradient of the
 * weights (of no rows, with dy NULL, zeros), dq_net_weights numbers of the net's; NULL where dy is not
 * finite. And a step on what stands there by then; where its norm is not finite the weights stay. */
float *dq_net_gradient(dq_net *net, const float *dy);
double dq_net_step(dq_net *net, const dq_adam *adam, double clip_norm, double clip_value);
size_t dq_net_weights(const dq_net *net);

/* Outputs as of a pass, of any number of rows and without dropout. Equal pairs are computed once (with the
 * features of the first), and rows are no grid. */
void dq_net_predict(dq_net *net, const dq_net_rows *rows, float *out);

/* On pairs with one output: n_states states against n actions that lie in rows of `stride` floats; out
 * (n_states, n), out_stride floats between states. With one_hot the actions are 0 .. n-1 and `actions` is
 * NULL. given (n_states, n, spec.given): features of the pairs, NULL where nothing is given. The actions'
 * part of the first layer is computed once for all states. An output's bits depend neither on its place in
 * the block, nor on the other states, nor on the number of threads. */
void dq_net_score(dq_net *net, const float *const *states, size_t n_states, const float *actions,
                  size_t stride, size_t n, const float *given, float *out, size_t out_stride);

/* Features of pairs of numbered states, as whoever knows more than vectors hands them in: of state `state`
 * against n actions (NULL: 0 .. n - 1), out (n, width). */
typedef struct dq_pair_features {
    void *self;
    uint32_t width; /* given of the network that they go to; 0: none, fill is NULL */
    void (*fill)(void *self, uint32_t state, const uint32_t *actions, size_t n, float *out);
} dq_pair_features;

/* Of a calibrated network: outputs become scale y + shift of what they are without. A loss of lists leaves
 * the outputs' unit open, and this is what brings them back to rewards. */
void dq_net_calibrate(dq_net *net, double scale, double shift);
void dq_net_calibration(const dq_net *net, double *scale, double *shift);
/* The weight by which a feature is added to the output, of a direct network: dq_net_start_at sets it. */
void dq_net_start_at(dq_net *net, uint32_t feature, double weight);

/* to = from, weights and statistics. The specs are equal. */
void dq_net_copy(dq_net *to, const dq_net *from);
/* Another network of this one's shape and weights, which only predicts and scores, on the same pool. */
dq_status dq_net_clone(dq_net **clone, const dq_net *net, dq_error *error);
/* to += tau (from - to): a target network that follows (Lillicrap et al., 2016); statistics are copied. */
void dq_net_soft_update(dq_net *to, const dq_net *from, double tau);

/* Adam's moments and steps become those of a new network; the weights stay. */
void dq_net_reset_optimizer(dq_net *net);

/* Adds columns PREFIX.NAME to a model bundle (borrowed from the net; with moments also PREFIX.adam.m, .v, and
 * PREFIX.adam.outer.m, .v, .x of a single state), and the spec under meta[PREFIX]. */
dq_status dq_net_save(dq_net *net, const char *prefix, bool moments, dq_bundle *model, dq_error *error);
/* Hidden widths out of a list under a name of a map; false where it is none. */
bool dq_net_read_hidden(const dq_value *map, const char *name, uint32_t *widths, uint32_t *count);
/* Spec of a saved network; DQ_ERR_UNKNOWN when the bundle has none under that prefix. */
dq_status dq_net_load_spec(const dq_bundle *model, const char *prefix, dq_net_spec *spec, dq_error *error);
/* Whether the bundle has a network of this spec (dropout, where it is, precision and sparse may differ; and
 * one that is not calibrated is as good as one by 1 and 0) with all its columns, to know it before anything
 * is made. DQ_ERR_UNKNOWN as above, DQ_ERR_RANGE for another shape, DQ_ERR_SCHEMA for a column that is
 * missing or has another size. */
dq_status dq_net_saved_as(const dq_bundle *model, const char *prefix, const dq_net_spec *spec,
                          dq_error *error);
/* Fills a network from one that is saved so, with the same errors, and DQ_ERR_NUMERIC for a number that is
 * not finite. moments: with those of Adam, which are then required; else they stay as they are. */
dq_status dq_net_load(dq_net *net, const char *prefix, bool moments, const dq_bundle *model, dq_error *error);

#endif
