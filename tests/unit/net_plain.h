/* SPDX-License-Identifier: MIT
 *
 * The gradient of net/net.h's loss in its plain form, which tests hold dq_net_fit to.
 */
#ifndef DQ_TEST_NET_PLAIN_H
#define DQ_TEST_NET_PLAIN_H

#include "net/net.h"

/* The gradient, flat (dq_net_count), without taking a step; dropout is drawn from rng: a copy of it repeats
 * the masks. Returns the loss; NAN when memory is short. */
double net_plain_gradient(dq_net *net, const dq_vectors *users, const dq_vectors *items, const uint32_t *user,
                          const uint32_t *item, const float *target, const float *weight, size_t rows,
                          dq_rng *rng, float *gradient);

#endif
