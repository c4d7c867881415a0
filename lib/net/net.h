/* SPDX-License-Identifier: MIT
 *
 * The network of system A: a multilayer perceptron on (user, item) pairs with one output, Q(s, a) or a world
 * model's reward r(s, a). ReLU and inverted dropout between layers, mean squared error, Adam.
 *
 *     x = [user | item | matches]      (rows, user_width + item_width + match_count)
 *     h1 = drop(relu(x W1' + b1))      W1 (hidden[0], columns of x), as PyTorch's nn.Linear
 *     ...
 *     y = hn Wo' + bo                  (rows, 1)
 *
 * Rows name users and items by number, so that what is shared is computed once: the user's part of the first
 * layer once per distinct user of a batch, the item's once per distinct item, and their gradients likewise.
 * Products are cut into fixed tiles over the pool: results do not depend on the number of threads.
 *
 * Nothing is allocated after dq_net_new.
 */
#ifndef DQ_NET_NET_H
#define DQ_NET_NET_H

#include "core/rng.h"
#include "core/vectors.h"
#include "dq/bundle.h"
#include "math/adam.h"
#include "math/cosine.h"
#include "math/pool.h"

enum { DQ_NET_MAX_HIDDEN = 8, DQ_NET_MAX_MATCHES = 64 };

typedef struct dq_net_spec {
    uint32_t user_width, item_width;
    uint32_t hidden[DQ_NET_MAX_HIDDEN]; /* 1024, 512, 256 */
    uint32_t hidden_count;
    double dropout; /* 0 <= p < 1, in training only */
    /* Further inputs: the cosine of a range of the user's vector and one of the item's, each. What such a
     * product of embeddings saves the network from finding out by itself, few labels need not teach (Naumov
     * et al., "Deep learning recommendation model for personalization and recommendation systems", 2019). 0:
     * as published. */
    dq_pairing matches[DQ_NET_MAX_MATCHES];
    uint32_t match_count;
} dq_net_spec;

typedef struct dq_net dq_net;

/* Weights by PyTorch's default, uniform in +-1/sqrt(fan in), drawn from rng. max_rows bounds the rows of a
 * batch given to dq_net_fit. pool is kept and may be shared by several nets that do not run at once. */
dq_status dq_net_new(dq_net **net, const dq_net_spec *spec, size_t max_rows, dq_pool *pool, dq_rng *rng,
                     dq_error *error);
void dq_net_free(dq_net *net);
const dq_net_spec *dq_net_get_spec(const dq_net *net);

/* One Adam step on the mean squared error of `rows` pairs: user[i], item[i] index users and items; target[i]
 * is the wanted output. weight (may be NULL: all 1) scales each row's squared error; the mean is over rows.
 * Dropout masks are drawn from rng. Returns the loss before the step (with dropout). Divergence shows as a
 * loss that is not finite. */
double dq_net_fit(dq_net *net, const dq_vectors *users, const dq_vectors *items, const uint32_t *user,
                  const uint32_t *item, const float *target, const float *weight, size_t rows,
                  const dq_adam *adam, dq_rng *rng);

/* Outputs for any number of pairs, without dropout. */
void dq_net_predict(dq_net *net, const dq_vectors *users, const dq_vectors *items, const uint32_t *user,
                    const uint32_t *item, float *out, size_t rows);

/* The mean of count >= 1 nets' outputs for each pair, and their standard deviation: what an ensemble expects,
 * and how far it disagrees. One net's are as dq_net_predict has them. */
void dq_net_predict_ensemble(dq_net *const *nets, size_t count, const dq_vectors *users,
                             const dq_vectors *items, const uint32_t *user, const uint32_t *item, float *mean,
                             float *sd, size_t rows);

/* Outputs for one user against n items that lie in rows of `stride` floats: ranking. An output depends
 * neither on its place in the block nor on the number of threads (tiles of fixed height, the last one
 * padded). */
void dq_net_score(dq_net *net, const float *user, const float *items, size_t stride, size_t n, float *out);

/* The same for many users against one block: out (n_users, n), out_stride floats between users' rows. The
 * items' part of the first layer is computed once for all users. Results equal dq_net_score's bit for bit. */
void dq_net_score_many(dq_net *net, const float *const *users, size_t n_users, const float *items,
                       size_t stride, size_t n, float *out, size_t out_stride);

/* Copies weights (a target network; not the moments). The specs are equal. */
void dq_net_copy(dq_net *to, const dq_net *from);

/* The parameters as one flat block of count floats: W1 row-major, b1, W2, b2, ..., Wo, bo. Adam's moments
 * likewise, and the number of steps taken. Writable: a checkpoint restores them. */
size_t dq_net_count(const dq_net *net);
float *dq_net_weights(dq_net *net);
float *dq_net_moment1(dq_net *net);
float *dq_net_moment2(dq_net *net);
uint64_t *dq_net_steps(dq_net *net);

/* Adds columns PREFIX.0.weight (hidden[0], in), PREFIX.0.bias ... to a model bundle (borrowed from the net;
 * with moments also PREFIX.adam.m, .v flat), and the spec under meta[PREFIX]. */
dq_status dq_net_save(dq_net *net, const char *prefix, bool moments, dq_bundle *model, dq_error *error);
/* Spec of a saved net; DQ_ERR_UNKNOWN when the bundle has none under that prefix. */
dq_status dq_net_load_spec(const dq_bundle *model, const char *prefix, dq_net_spec *spec, dq_error *error);
/* Fills a net of the same spec from a model bundle; moments are restored when the bundle has them. */
dq_status dq_net_load(dq_net *net, const char *prefix, const dq_bundle *model, dq_error *error);

#endif
