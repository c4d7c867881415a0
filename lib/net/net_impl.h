/* SPDX-License-Identifier: MIT
 *
 * What the files of the network share: its layout and its scratch memory.
 *
 *     layer l = 0 .. layers-1: weight (out[l], in[l]) at weight_at[l], bias (out[l]) at bias_at[l], in one
 *     flat block; the last layer has out = 1
 */
#ifndef DQ_NET_NET_IMPL_H
#define DQ_NET_NET_IMPL_H

#include "math/vec.h"
#include "net/net.h"

#include <stdbool.h>

enum {
    NET_LAYERS = DQ_NET_MAX_HIDDEN + 1,
    NET_COLUMNS = 128,  /* units of a tile, forward and back: few enough that threads share the work */
    NET_GRADIENT = 128, /* rows of a weight's tile: gradient, weights and moments are near for Adam */
    NET_TILE = 256,     /* columns of a scoring tile at most; with less, packing the weights weighs more */
    NET_LEAST = 64,     /* and at least, and for small nets */
    NET_LANES = 16,     /* floats of the widest vectors */
    NET_CHUNK = 512,    /* pairs that predict looks at together */
};

/* The distinct numbers of a batch, in the order of their first appearance, and each row's place among them.
 * An open-addressing table of stamped entries, so that a new batch clears nothing. */
typedef struct net_slots {
    uint32_t *keys, *slots, *stamps; /* (mask + 1) */
    uint32_t mask, epoch;
    uint32_t *distinct; /* (rows at most); count of them are set */
    uint32_t *of_row;   /* (rows at most) slot of each row's number */
    size_t count;
} net_slots;

/* A thread's memory for scoring and for gradients. */
typedef struct net_scratch {
    float *x;        /* (NET_TILE, item_width) items, gathered or padded */
    float *z;        /* (hidden[0], NET_TILE) the items' part of the first layer */
    float *a, *b;    /* (widest hidden, NET_TILE) activations of one layer and the next */
    float *matches;  /* (match_count, NET_TILE) cosines of one user with the items of a tile */
    float *gradient; /* (NET_GRADIENT, widest in) */
} net_scratch;

struct dq_net {
    dq_net_spec spec;
    dq_pool *pool;
    dq_arena arena;
    size_t layers, in[NET_LAYERS], out[NET_LAYERS];
    size_t weight_at[NET_LAYERS], bias_at[NET_LAYERS], count;
    float *weights, *m, *v; /* (count) */
    uint64_t steps;
    dq_dropout dropout;

    size_t max_rows; /* of a fit */
    net_slots users, items;
    float *x_users, *x_items;     /* (fit: max_rows, user_width | item_width) the distinct vectors */
    float *x_matches;             /* (fit: max_rows, match_count) cosines of each row */
    float *z_users, *z_items;     /* (max(max_rows, NET_CHUNK), hidden[0]) their parts of the first layer */
    float *dz_users, *dz_items;   /* (max_rows, hidden[0]) gradients of those */
    float *h[NET_LAYERS];         /* h[l]: (max_rows, out[l]) activations of layer l */
    float *dz[NET_LAYERS];        /* their gradients before the nonlinearity */
    float *bias_grad[NET_LAYERS]; /* (out[l]) */
    float *y, *dy;                /* (max(max_rows, NET_CHUNK)) */
    net_scratch *scratch;         /* one for each thread */
};

static inline size_t net_tiles(size_t n, size_t tile)
{
    return (n + tile - 1) / tile;
}

static inline size_t net_least(size_t a, size_t b)
{
    return a < b ? a : b;
}

bool net_slots_init(net_slots *slots, size_t rows, dq_arena *arena);
/* Sets distinct, count and of_row for n numbers. */
void net_slots_find(net_slots *slots, const uint32_t *numbers, size_t n);

/* to[m * to_stride + i]: match m of a user and the i-th of n items, which lie stride floats apart. */
void net_match(const dq_net *net, const float *user, const float *items, size_t stride, size_t n, float *to,
               size_t to_stride);
/* The weights of the matches into one unit of the first layer: (match_count). */
const float *net_match_weights(const dq_net *net, size_t unit);
/* The steps of a fit. x_matches of a batch whose distinct vectors are gathered; */
void net_match_batch(const dq_net *net, size_t rows);
/* h[0] = matches' part + z_items, units [c0, c0 + width), where there are matches; */
void net_match_forward(const dq_net *net, size_t rows, size_t c0, size_t width);
/* and their columns of gradient (n, in[0]) of rows [o0, o0 + n) of the first weights. */
void net_match_gradient(const dq_net *net, size_t rows, size_t o0, size_t n, float *gradient);

/* The dropout draws of units [c0, c0 + width) of one layer come from a generator of their own, one row after
 * the other, so that they depend on the step alone. */
dq_rng net_draws(uint64_t seed, size_t layer, size_t column_tile);

#endif
