/* SPDX-License-Identifier: MIT
 *
 * A network's weights as they stand, made ready to score many actions by: packed once as the products of
 * math/product/product.h read them, for all blocks that are to come. Scores are those of dq_net_score, to the
 * last bit.
 *
 *     dq_net_scoring *s;
 *     dq_net_scoring_new(&s, net, &e);
 *     for each block: dq_net_scoring_run(s, states, count, block, stride, n, out, n);
 *     dq_net_scoring_free(s);
 */
#ifndef DQ_NET_SCORING_H
#define DQ_NET_SCORING_H

#include "net/net.h"

typedef struct dq_net_scoring dq_net_scoring;

/* Packs the weights of a network, which is borrowed, as they are now: as many bytes again. When they change,
 * pack them anew. *scoring is NULL, and the status DQ_OK, for one that dq_net_score alone scores: of other
 * than dense layers on two vectors, or where products are OpenBLAS's, which do not treat all rows alike. */
dq_status dq_net_scoring_new(dq_net_scoring **scoring, dq_net *net, dq_error *error);
/* As dq_net_score, on the network's pool. */
void dq_net_scoring_run(dq_net_scoring *scoring, const float *const *states, size_t n_states,
                        const float *actions, size_t stride, size_t n, float *out, size_t out_stride);
void dq_net_scoring_free(dq_net_scoring *scoring);

#endif
