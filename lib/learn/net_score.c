/* SPDX-License-Identifier: MIT
 *
 * The network without dropout, in tiles of rows: a thread takes some items through all layers.
 *
 * A row's bits must not depend on its tile. A matrix product of OpenBLAS treats rows alike as long as it
 * takes the same path, and it takes another for products under 10^6 multiplications; so a net with small
 * layers has tiles of one height, and a large one tiles of any multiple of NET_PAD, the last one padded.
 */
#include "net_impl.h"

#include "dq/blas.h"

#include <string.h>

enum { NET_SMALL = 1 << 14 /* weights of a layer: NET_PAD rows of more are never a small product */ };

/* Items to score: rows of a block, or vectors picked by number. */
typedef struct score {
    dq_net *net;
    const float *block;
    size_t stride;
    const float *const *at; /* or NULL */
    const uint32_t *numbers;
    size_t n, height;
    const float *z_users; /* (users, hidden[0]) */
    size_t users;
    float *out; /* (users, n), stride between users' rows */
    size_t out_stride;
    const float *const *user_vectors;
    float *z; /* where users_tile writes */
} score;

static size_t tile_height(const dq_net *net, size_t n)
{
    for (size_t l = 0; l + 1 < net->layers; l++) {
        size_t in = l == 0 ? net->spec.item_width : net->in[l];
        if (net->out[l] * in < NET_SMALL) return NET_PAD;
    }
    return n >= 2 * NET_TILE ? NET_TILE : NET_PAD; /* few rows: small tiles, so that all threads have some */
}

static size_t padded(size_t rows)
{
    return net_tiles(rows, NET_PAD) * NET_PAD;
}

/* z (rows, hidden[0]) = the items' part of the first layer; rows is a multiple of NET_PAD. */
static void items_part(const dq_net *net, const float *x, size_t stride, size_t rows, float *z)
{
    dq_gemm_nt(rows, net->out[0], net->spec.item_width, x, stride,
               net->weights + net->weight_at[0] + net->spec.user_width, net->in[0], z, net->out[0]);
}

/* From h (padded rows, hidden[0]) in a to y (rows); a and b are overwritten. */
static void deeper_layers(const dq_net *net, float *a, float *b, size_t rows, float *y)
{
    size_t last = net->layers - 1;
    for (size_t l = 1; l < last; l++) {
        size_t in = net->in[l], out = net->out[l];
        dq_gemm_nt(padded(rows), out, in, a, in, net->weights + net->weight_at[l], in, b, out);
        for (size_t r = 0; r < rows; r++)
            dq_vec_activate(b + r * out, b + r * out, NULL, net->weights + net->bias_at[l], NULL,
                            net->dropout, out);
        float *swap = a;
        a = b;
        b = swap;
    }
    const float *w = net->weights + net->weight_at[last];
    for (size_t r = 0; r < rows; r++)
        y[r] = dq_vec_dot(a + r * net->in[last], w, net->in[last]) + w[net->in[last]];
}

/* Rows [i0, i0 + rows) of the items, padded with zeros to a multiple of NET_PAD: in place where they lie so,
 * else copied to x. */
static const float *tile_items(const score *s, size_t i0, size_t rows, float *x, size_t *stride)
{
    size_t width = s->net->spec.item_width;
    *stride = width;
    if (!s->at && rows == padded(rows)) {
        *stride = s->stride;
        return s->block + i0 * s->stride;
    }
    for (size_t r = 0; r < rows; r++)
        memcpy(x + r * width, s->at ? s->at[s->numbers[i0 + r]] : s->block + (i0 + r) * s->stride,
               width * sizeof *x);
    memset(x + rows * width, 0, (padded(rows) - rows) * width * sizeof *x);
    return x;
}

static void score_tile(void *arg, size_t tile, unsigned thread)
{
    const score *s = arg;
    const dq_net *net = s->net;
    const net_scratch *scratch = &net->scratch[thread];
    size_t i0 = tile * s->height, rows = net_least(s->height, s->n - i0), out = net->out[0], stride;
    const float *x = tile_items(s, i0, rows, scratch->x, &stride);
    items_part(net, x, stride, padded(rows), scratch->z);
    for (size_t u = 0; u < s->users; u++) {
        for (size_t r = 0; r < rows; r++)
            dq_vec_activate(scratch->a + r * out, scratch->z + r * out, s->z_users + u * out,
                            net->weights + net->bias_at[0], NULL, net->dropout, out);
        deeper_layers(net, scratch->a, scratch->b, rows, s->out + u * s->out_stride + i0);
    }
}

static void users_tile(void *arg, size_t tile, unsigned thread)
{
    (void)thread;
    const score *s = arg;
    const dq_net *net = s->net;
    size_t c0 = tile * NET_COLUMNS, end = net_least(c0 + NET_COLUMNS, net->out[0]);
    for (size_t c = c0; c < end; c++) {
        const float *w = net->weights + net->weight_at[0] + c * net->in[0];
        for (size_t u = 0; u < s->users; u++)
            s->z[u * net->out[0] + c] = dq_vec_dot(w, s->user_vectors[u], net->spec.user_width);
    }
}

void net_users_part(dq_net *net, const float *const *users, size_t n, float *z)
{
    score s = {.net = net, .users = n, .user_vectors = users, .z = z};
    dq_pool_run(net->pool, users_tile, &s, net_tiles(net->out[0], NET_COLUMNS));
}

static void run_score(score *s)
{
    s->height = tile_height(s->net, s->n);
    dq_pool_run(s->net->pool, score_tile, s, net_tiles(s->n, s->height));
}

void dq_net_score_many(dq_net *net, const float *const *users, size_t n_users, const float *items,
                       size_t stride, size_t n, float *out, size_t out_stride)
{
    for (size_t u = 0; u < n_users; u += NET_CHUNK) {
        size_t some = net_least(NET_CHUNK, n_users - u);
        net_users_part(net, users + u, some, net->z_users);
        score s = {.net = net,
                   .block = items,
                   .stride = stride,
                   .n = n,
                   .z_users = net->z_users,
                   .users = some,
                   .out = out + u * out_stride,
                   .out_stride = out_stride};
        run_score(&s);
    }
}

void dq_net_score(dq_net *net, const float *user, const float *items, size_t stride, size_t n, float *out)
{
    dq_net_score_many(net, &user, 1, items, stride, n, out, n);
}

/* Pairs of several users: parts of the first layer for the distinct items, then each pair on its own. */
typedef struct pairs {
    dq_net *net;
    score items;
    float *out;
    size_t n;
} pairs;

static void items_tile(void *arg, size_t tile, unsigned thread)
{
    const pairs *p = arg;
    const dq_net *net = p->net;
    const net_scratch *scratch = &net->scratch[thread];
    size_t i0 = tile * NET_PAD, rows = net_least(NET_PAD, p->items.n - i0), stride;
    const float *x = tile_items(&p->items, i0, rows, scratch->x, &stride);
    items_part(net, x, stride, NET_PAD, scratch->z);
    memcpy(net->z_items + i0 * net->out[0], scratch->z, rows * net->out[0] * sizeof *scratch->z);
}

static void pairs_tile(void *arg, size_t tile, unsigned thread)
{
    const pairs *p = arg;
    const dq_net *net = p->net;
    const net_scratch *scratch = &net->scratch[thread];
    size_t r0 = tile * NET_PAD, rows = net_least(NET_PAD, p->n - r0), out = net->out[0];
    for (size_t r = 0; r < rows; r++)
        dq_vec_activate(scratch->a + r * out, net->z_items + net->items.of_row[r0 + r] * out,
                        net->z_users + net->users.of_row[r0 + r] * out, net->weights + net->bias_at[0], NULL,
                        net->dropout, out);
    deeper_layers(net, scratch->a, scratch->b, rows, p->out + r0);
}

/* At most NET_CHUNK pairs. With one user a pair is an item, and equal pairs are computed once. */
static void predict_chunk(dq_net *net, const dq_vectors *users, const dq_vectors *items, const uint32_t *user,
                          const uint32_t *item, float *out, size_t n)
{
    const float *vectors[NET_CHUNK];
    net_slots_find(&net->users, user, n);
    net_slots_find(&net->items, item, n);
    for (size_t u = 0; u < net->users.count; u++) vectors[u] = users->at[net->users.distinct[u]];
    net_users_part(net, vectors, net->users.count, net->z_users);
    score s = {.net = net,
               .at = items->at,
               .numbers = net->items.distinct,
               .n = net->items.count,
               .z_users = net->z_users,
               .users = 1,
               .out = net->y};
    if (net->users.count == 1) {
        run_score(&s);
        for (size_t r = 0; r < n; r++) out[r] = net->y[net->items.of_row[r]];
        return;
    }
    pairs p = {.net = net, .items = s, .out = out, .n = n};
    dq_pool_run(net->pool, items_tile, &p, net_tiles(s.n, NET_PAD));
    dq_pool_run(net->pool, pairs_tile, &p, net_tiles(n, NET_PAD));
}

void dq_net_predict(dq_net *net, const dq_vectors *users, const dq_vectors *items, const uint32_t *user,
                    const uint32_t *item, float *out, size_t rows)
{
    for (size_t r = 0; r < rows; r += NET_CHUNK)
        predict_chunk(net, users, items, user + r, item + r, out + r, net_least(NET_CHUNK, rows - r));
}
