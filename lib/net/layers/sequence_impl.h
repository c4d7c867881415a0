/* SPDX-License-Identifier: MIT
 *
 * What the layers of a transformer share (Vaswani et al., "Attention is all you need", 2017): tokens are made
 * of a state, blocks of causal self-attention and feed-forward follow, each with a layer norm before it and a
 * residual around it, and the last token, normed, is what is encoded:
 *
 *     x = tokens(state)                                    tokens.c, or trajectory.c
 *     x = x + dropout(attention(norm(x)))                  self_attention.c
 *     x = x + dropout(W2 activation(W1 norm(x)))           feed_forward.c
 *     encoded = norm(x of the last token)                  sequence.c
 *
 * Only tokens that are there are computed: those of state s are rows start[s] .. start[s + 1] of a layer's
 * (rows, width), the oldest first. A tile is one state, so that its bits depend on nothing else.
 */
#ifndef DQ_NET_LAYERS_SEQUENCE_IMPL_H
#define DQ_NET_LAYERS_SEQUENCE_IMPL_H

#include "net/net_impl.h"

/* Tokens of a pass, and of a training pass, at most. */
size_t net_max_tokens(const dq_net *net);
size_t net_max_trained_tokens(const dq_net *net);

/* A tile: the tokens of a state. */
typedef void net_state_tile(const dq_net *net, const net_layer *layer, size_t state);
/* Every state's tile, over the pool where a token takes so many multiplications. */
void net_run_states(const dq_net *net, const net_layer *layer, net_state_tile *tile, size_t multiplications);

/* rows[i] += bias, of n rows of `width`. */
void net_add_bias(float *rows, const float *bias, size_t n, size_t width);
/* Dropout of n tokens from row `row` on, in a training pass: the same draws forward and back. */
void net_drop_tokens(const dq_net *net, const net_layer *layer, size_t row, size_t n, float *tokens);

/* Layer norm (Ba et al., 2016), as PyTorch's: z = weight (x - mean) / sqrt(variance + 1e-5) + bias over the
 * numbers of a row. Weights are (width), biases (width), side by side. */
typedef struct net_layer_norm {
    float *standard, *scale; /* (rows, width) before weight and bias; (rows) 1 / sqrt(variance + eps) */
    float *z, *dz;           /* (rows, width), (trained rows, width) its gradient */
} net_layer_norm;

bool net_layer_norm_init(net_layer_norm *norm, size_t rows, size_t trained, size_t width, dq_arena *arena);
/* Rows [row, row + n) of x, which begins with row `row`. */
void net_layer_norm_forward(const net_layer_norm *norm, const float *weights, const float *x, size_t row,
                            size_t n, size_t width);
/* dx (n, width) += the gradient of x from that of z. */
void net_layer_norm_back(const net_layer_norm *norm, const float *weights, size_t row, size_t n, size_t width,
                         float *dx);
/* The gradients of weights and biases over the first n rows. */
void net_layer_norm_gradient(const net_layer_norm *norm, size_t n, size_t width, float *gradient);

#endif
