/* SPDX-License-Identifier: MIT
 *
 * The network without dropout: a thread takes a tile of items through all layers.
 *
 * A score's bits must not depend on the item's place, and a BLAS does not treat all of a product alike. So
 * items are columns here, (units, items), the direction in which its kernels take them as lanes of a vector;
 * tiles are padded to a multiple of NET_LANES columns; and where its kernels sum the columns at either end in
 * another order (dq_gemm_margin) a tile carries idle columns there. Products of fewer than 10^6
 * multiplications take another path in OpenBLAS, so a net with such layers has tiles of one size only.
 */
#include "net/net_impl.h"

#include "math/blas.h"

#include <string.h>

enum { NET_SMALL = 1 << 14 /* weights of a layer: NET_LEAST columns of more are never a small product */ };

/* Users and items to score: rows of a block, or vectors picked by number. */
typedef struct score {
    dq_net *net;
    const float *const *user_vectors;
    const float *block;
    size_t stride;
    const float *const *at; /* or NULL */
    const uint32_t *numbers;
    size_t n, users;
    size_t columns, margin; /* of a tile; columns - 2 margin items are in it */
    float *out;             /* (users, n), out_stride between users' rows */
    size_t out_stride;
} score;

/* Some pairs of several users. */
typedef struct pairs {
    score items;
    float *out;
    size_t n;
} pairs;

/* Tiles of equal size, as many for each thread; their size cannot be seen in a result. */
static size_t tile_columns(const dq_net *net, size_t n)
{
    size_t margin = dq_gemm_margin(), threads = dq_pool_threads(net->pool);
    for (size_t l = 0; l + 1 < net->layers; l++) {
        size_t in = l == 0 ? net->spec.item_width : net->in[l];
        if (net->out[l] * in < NET_SMALL) return NET_LEAST;
    }
    size_t tiles = net_tiles(net_tiles(n, NET_TILE - 2 * margin), threads) * threads;
    size_t columns = net_tiles(net_tiles(n, tiles ? tiles : 1) + 2 * margin, NET_LANES) * NET_LANES;
    return columns < NET_LEAST ? NET_LEAST : columns;
}

static size_t tile_items(const score *s)
{
    return s->columns - 2 * s->margin;
}

/* Items [i0, i0 + rows) with the margins before and after: in place where they fill the tile, else copied. */
static const float *gather(const score *s, size_t i0, size_t rows, float *x, size_t *stride)
{
    size_t width = s->net->spec.item_width;
    if (!s->at && rows == s->columns) {
        *stride = s->stride;
        return s->block + i0 * s->stride;
    }
    *stride = width;
    memset(x, 0, s->margin * width * sizeof *x);
    float *to = x + s->margin * width;
    for (size_t r = 0; r < rows; r++, to += width)
        memcpy(to, s->at ? s->at[s->numbers[i0 + r]] : s->block + (i0 + r) * s->stride, width * sizeof *x);
    memset(to, 0, (s->columns - s->margin - rows) * width * sizeof *x);
    return x;
}

/* z (hidden[0], columns): the items' part of the first layer. */
static void items_part(const score *s, size_t i0, size_t rows, float *x, float *z)
{
    const dq_net *net = s->net;
    size_t stride;
    const float *items = gather(s, i0, rows, x, &stride);
    dq_gemm_nt(net->out[0], s->columns, net->spec.item_width,
               net->weights + net->weight_at[0] + net->spec.user_width, net->in[0], items, stride, z,
               s->columns);
}

/* From a (hidden[0], columns) to y, one for each column; a and b are overwritten. */
static void deeper_layers(const dq_net *net, float *a, float *b, size_t columns, float *y)
{
    size_t last = net->layers - 1;
    for (size_t l = 1; l < last; l++) {
        const float *bias = net->weights + net->bias_at[l];
        dq_gemm_nn(net->out[l], columns, net->in[l], net->weights + net->weight_at[l], net->in[l], a, columns,
                   b, columns);
        for (size_t o = 0; o < net->out[l]; o++)
            dq_vec_shift_relu(b + o * columns, b + o * columns, bias[o], columns);
        float *swap = a;
        a = b;
        b = swap;
    }
    const float *w = net->weights + net->weight_at[last];
    for (size_t r = 0; r < columns; r++) y[r] = w[net->in[last]]; /* the bias */
    for (size_t i = 0; i < net->in[last]; i++) dq_vec_add_scaled(y, a + i * columns, w[i], columns);
}

/* matches (match_count, columns) of one user with the items of a tile; zeros in the margins stay unread. */
static void match_tile(const score *s, const float *user, size_t i0, size_t rows, float *matches)
{
    float *to = matches + s->margin;
    if (!s->at)
        net_match(s->net, user, s->block + i0 * s->stride, s->stride, rows, to, s->columns);
    else if (s->net->spec.match_count)
        for (size_t r = 0; r < rows; r++)
            net_match(s->net, user, s->at[s->numbers[i0 + r]], 0, 1, to + r, s->columns);
}

/* a (hidden[0], columns) = relu(z + the matches' part + shift), in this order of sums. */
static void first_layer(const score *s, const net_scratch *scratch, const float *shift)
{
    const dq_net *net = s->net;
    size_t columns = s->columns, count = net->spec.match_count;
    for (size_t o = 0; o < net->out[0]; o++) {
        float *a = scratch->a + o * columns;
        const float *z = scratch->z + o * columns, *w = net_match_weights(net, o);
        if (count) memcpy(a, z, columns * sizeof *a);
        for (size_t m = 0; m < count; m++)
            dq_vec_add_scaled(a, scratch->matches + m * columns, w[m], columns);
        dq_vec_shift_relu(a, count ? a : z, shift[o], columns);
    }
}

static void score_tile(void *arg, size_t tile, unsigned thread)
{
    const score *s = arg;
    const dq_net *net = s->net;
    const net_scratch *scratch = &net->scratch[thread];
    size_t i0 = tile * tile_items(s), rows = net_least(tile_items(s), s->n - i0), columns = s->columns;
    float y[NET_TILE];
    items_part(s, i0, rows, scratch->x, scratch->z);
    for (size_t u = 0; u < s->users; u++) {
        match_tile(s, s->user_vectors[u], i0, rows, scratch->matches);
        first_layer(s, scratch, net->z_users + u * net->out[0]);
        deeper_layers(net, scratch->a, scratch->b, columns, y);
        memcpy(s->out + u * s->out_stride + i0, y + s->margin, rows * sizeof *y);
    }
}

/* The users' part of the first layer, with the bias: z_users (users, hidden[0]). */
static void users_tile(void *arg, size_t tile, unsigned thread)
{
    (void)thread;
    const score *s = arg;
    const dq_net *net = s->net;
    const float *bias = net->weights + net->bias_at[0];
    size_t c0 = tile * NET_COLUMNS, end = net_least(c0 + NET_COLUMNS, net->out[0]);
    for (size_t c = c0; c < end; c++) {
        const float *w = net->weights + net->weight_at[0] + c * net->in[0];
        for (size_t u = 0; u < s->users; u++)
            net->z_users[u * net->out[0] + c] = dq_vec_dot(w, s->user_vectors[u], net->spec.user_width) +
                                                bias[c];
    }
}

static void run_users(score *s)
{
    dq_pool_run(s->net->pool, users_tile, s, net_tiles(s->net->out[0], NET_COLUMNS));
}

static void run_scores(score *s)
{
    s->columns = tile_columns(s->net, s->n);
    s->margin = dq_gemm_margin();
    dq_pool_run(s->net->pool, score_tile, s, net_tiles(s->n, tile_items(s)));
}

void dq_net_score_many(dq_net *net, const float *const *users, size_t n_users, const float *items,
                       size_t stride, size_t n, float *out, size_t out_stride)
{
    for (size_t u = 0; u < n_users; u += NET_CHUNK) {
        score s = {.net = net,
                   .user_vectors = users + u,
                   .users = net_least(NET_CHUNK, n_users - u),
                   .block = items,
                   .stride = stride,
                   .n = n,
                   .out = out + u * out_stride,
                   .out_stride = out_stride};
        run_users(&s);
        run_scores(&s);
    }
}

void dq_net_score(dq_net *net, const float *user, const float *items, size_t stride, size_t n, float *out)
{
    dq_net_score_many(net, &user, 1, items, stride, n, out, n);
}

/* z_items (hidden[0], NET_CHUNK): column i is distinct item i. */
static void items_tile(void *arg, size_t tile, unsigned thread)
{
    const pairs *p = arg;
    const score *s = &p->items;
    const dq_net *net = s->net;
    const net_scratch *scratch = &net->scratch[thread];
    size_t i0 = tile * tile_items(s), rows = net_least(tile_items(s), s->n - i0);
    items_part(s, i0, rows, scratch->x, scratch->z);
    for (size_t o = 0; o < net->out[0]; o++)
        memcpy(net->z_items + o * NET_CHUNK + i0, scratch->z + o * s->columns + s->margin,
               rows * sizeof *scratch->z);
}

static void pairs_tile(void *arg, size_t tile, unsigned thread)
{
    const pairs *p = arg;
    const score *s = &p->items;
    const dq_net *net = s->net;
    const net_scratch *scratch = &net->scratch[thread];
    size_t r0 = tile * tile_items(s), rows = net_least(tile_items(s), p->n - r0), units = net->out[0];
    const uint32_t *item = net->items.of_row + r0, *user = net->users.of_row + r0;
    size_t count = net->spec.match_count;
    float y[NET_TILE];
    for (size_t r = 0; count && r < rows; r++)
        net_match(net, s->user_vectors[user[r]], s->at[s->numbers[item[r]]], 0, 1, scratch->matches + r,
                  NET_TILE);
    for (size_t o = 0; o < units; o++) {
        const float *w = net_match_weights(net, o);
        float *h = scratch->a + o * s->columns + s->margin;
        const float *z = net->z_items + o * NET_CHUNK;
        for (size_t r = 0; r < rows; r++) {
            float sum = z[item[r]];
            for (size_t m = 0; m < count; m++) sum += scratch->matches[m * NET_TILE + r] * w[m];
            sum += net->z_users[user[r] * units + o];
            h[r] = sum > 0 ? sum : 0;
        }
    }
    deeper_layers(net, scratch->a, scratch->b, s->columns, y);
    memcpy(p->out + r0, y + s->margin, rows * sizeof *y);
}

/* At most NET_CHUNK pairs. With one user a pair is an item, and equal pairs are computed once. */
static void predict_chunk(dq_net *net, const dq_vectors *users, const dq_vectors *items, const uint32_t *user,
                          const uint32_t *item, float *out, size_t n)
{
    const float *vectors[NET_CHUNK];
    net_slots_find(&net->users, user, n);
    net_slots_find(&net->items, item, n);
    for (size_t u = 0; u < net->users.count; u++) vectors[u] = users->at[net->users.distinct[u]];
    score s = {.net = net,
               .user_vectors = vectors,
               .users = net->users.count,
               .at = items->at,
               .numbers = net->items.distinct,
               .n = net->items.count,
               .columns = NET_LEAST,
               .margin = dq_gemm_margin(),
               .out = net->y};
    run_users(&s);
    if (net->users.count == 1) {
        run_scores(&s);
        for (size_t r = 0; r < n; r++) out[r] = net->y[net->items.of_row[r]];
        return;
    }
    pairs p = {.items = s, .out = out, .n = n};
    dq_pool_run(net->pool, items_tile, &p, net_tiles(s.n, tile_items(&s)));
    dq_pool_run(net->pool, pairs_tile, &p, net_tiles(n, tile_items(&s)));
}

void dq_net_predict(dq_net *net, const dq_vectors *users, const dq_vectors *items, const uint32_t *user,
                    const uint32_t *item, float *out, size_t rows)
{
    for (size_t r = 0; r < rows; r += NET_CHUNK)
        predict_chunk(net, users, items, user + r, item + r, out + r, net_least(NET_CHUNK, rows - r));
}
