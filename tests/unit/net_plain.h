/* SPDX-License-Identifier: MIT
 *
 * The gradient of a network on pairs in its plain form, which tests hold net/net.h to: dense layers with ReLU
 * and dropout, cosines as further inputs, vectors of actions or units.
 */
#ifndef DQ_TEST_NET_PLAIN_H
#define DQ_TEST_NET_PLAIN_H

#include "net/net.h"

/* The gradient, flat (as the weights), of the mean over rows and outputs of weight (output - target)^2;
 * weight (rows) may be NULL. Dropout is drawn from rng as a training pass draws it: a copy of it repeats the
 * masks. Returns the loss; NAN when memory is short. */
double net_plain_gradient(dq_net *net, const dq_net_rows *rows, const float *target, const float *weight,
                          dq_rng *rng, float *gradient);

#endif
