/* SPDX-License-Identifier: MIT
 *
 * A network's weights as they stand, in 8 bits, for a first pass over many actions: near the scores of
 * dq_net_score, several times as fast, and for finding out which actions are worth those alone. Each layer's
 * inputs are quantised by the row and its weights by the unit (math/int8/int8.h); states' parts, biases,
 * activations and the last layer are float32. Results have the same bits on every CPU on which products of
 * float32 have (math/product/product.h), and depend neither on the block, nor on other states, nor on the
 * number of threads.
 */
#ifndef DQ_NET_QUANTISED_H
#define DQ_NET_QUANTISED_H

#include "net/net.h"

typedef struct dq_net_quantised dq_net_quantised;

/* Quantises the weights of a network, which is borrowed, as they are now: a quarter of the bytes again.
 * DQ_ERR_UNSUPPORTED for one of other than dense layers on two vectors. */
dq_status dq_net_quantised_new(dq_net_quantised **quantised, dq_net *net, dq_error *error);
/* As dq_net_score, on the network's pool, but near. */
void dq_net_quantised_run(dq_net_quantised *quantised, const float *const *states, size_t n_states,
                          const float *actions, size_t stride, size_t n, float *out, size_t out_stride);
void dq_net_quantised_free(dq_net_quantised *quantised);

#endif
