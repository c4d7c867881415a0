/* SPDX-License-Identifier: MIT
 *
 * One training step, with the savings that its structure allows; tests/unit/net_plain.c is the same
 * mathematics without.
 *
 * - The first layer has most of the weights. Its input is [user | item], so its product is a sum of a user's
 *   and an item's part, and each is computed once per distinct user and item of the batch. Online there is
 *   one user: a product with one vector, and a gradient of rank one.
 * - Bias, ReLU and dropout are one pass over a tile that is still in cache. No masks are stored: an
 *   activation is positive just where the unit was active and kept.
 * - A weight's gradient is made tile by tile, some rows of the matrix, and Adam follows at once while the
 *   tile is in cache. The gradient of the whole is never in memory.
 *
 * Tiles are the same whatever the threads. Between the phases all threads meet: forward a layer at a time,
 * back a layer at a time (with the old weights), then every gradient and update in one run.
 */
#include "net/net_impl.h"

#include "math/blas.h"

#include <math.h>
#include <string.h>

typedef struct fit {
    dq_net *net;
    const float *target, *weight;
    size_t rows, layer;
    uint64_t seed; /* of this step's dropout */
    dq_adam_step step;
} fit;

dq_rng net_draws(uint64_t seed, size_t layer, size_t column_tile)
{
    return dq_rng_stream(seed, (uint64_t)layer << 32 | column_tile);
}

static void gather(float *to, const dq_vectors *vectors, const net_slots *slots)
{
    for (size_t i = 0; i < slots->count; i++)
        memcpy(to + i * vectors->width, vectors->at[slots->distinct[i]], vectors->width * sizeof *to);
}

/* h = drop(relu(z + bias)) for the units of one tile, all rows. For the first layer z is a sum of two rows;
 * with matches h holds one of them already.
 */
static void activate_tile(const fit *f, size_t layer, size_t tile, size_t c0, size_t width)
{
    const dq_net *net = f->net;
    const float *bias = net->weights + net->bias_at[layer] + c0;
    size_t out = net->out[layer];
    uint16_t draws[NET_COLUMNS];
    bool drops = net->dropout.cut > 0;
    dq_rng rng = net_draws(f->seed, layer, tile);
    for (size_t r = 0; r < f->rows; r++) {
        float *h = net->h[layer] + r * out + c0;
        const float *a = layer == 0 && !net->spec.match_count ? net->z_items + net->items.of_row[r] * out + c0
                                                              : h;
        const float *b = layer == 0 ? net->z_users + net->users.of_row[r] * out + c0 : NULL;
        if (drops) dq_dropout_draw(draws, width, &rng);
        dq_vec_activate(h, a, b, bias, drops ? draws : NULL, net->dropout, width);
    }
}

static void first_forward(void *arg, size_t tile, unsigned thread)
{
    (void)thread;
    const fit *f = arg;
    const dq_net *net = f->net;
    size_t uw = net->spec.user_width, iw = net->spec.item_width, in = net->in[0], out = net->out[0];
    size_t c0 = tile * NET_COLUMNS, width = net_least(NET_COLUMNS, out - c0);
    const float *w = net->weights + net->weight_at[0] + c0 * in;
    dq_gemm_nt(net->items.count, width, iw, net->x_items, iw, w + uw, in, net->z_items + c0, out);
    if (net->users.count == 1)
        for (size_t c = 0; c < width; c++) net->z_users[c0 + c] = dq_vec_dot(w + c * in, net->x_users, uw);
    else
        dq_gemm_nt(net->users.count, width, uw, net->x_users, uw, w, in, net->z_users + c0, out);
    net_match_forward(net, f->rows, c0, width);
    activate_tile(f, 0, tile, c0, width);
}

static void hidden_forward(void *arg, size_t tile, unsigned thread)
{
    (void)thread;
    const fit *f = arg;
    const dq_net *net = f->net;
    size_t l = f->layer, in = net->in[l], out = net->out[l];
    size_t c0 = tile * NET_COLUMNS, width = net_least(NET_COLUMNS, out - c0);
    dq_gemm_nt(f->rows, width, in, net->h[l - 1], in, net->weights + net->weight_at[l] + c0 * in, in,
               net->h[l] + c0, out);
    activate_tile(f, l, tile, c0, width);
}

/* y, the loss, and the gradients of the loss by y and by the last hidden layer. */
static double output(const fit *f)
{
    dq_net *net = f->net;
    size_t l = net->layers - 1, in = net->in[l];
    const float *w = net->weights + net->weight_at[l], *h = net->h[l - 1];
    double loss = 0, bias_grad = 0;
    memset(net->bias_grad[l - 1], 0, in * sizeof(float));
    for (size_t r = 0; r < f->rows; r++) {
        double scale = (f->weight ? f->weight[r] : 1.0) / (double)f->rows;
        double miss = (double)(dq_vec_dot(h + r * in, w, in) + w[in]) - (double)f->target[r];
        loss += scale * miss * miss;
        net->dy[r] = (float)(2 * scale * miss);
        bias_grad += (double)net->dy[r];
        float *dz = net->dz[l - 1] + r * in;
        for (size_t j = 0; j < in; j++) dz[j] = net->dy[r] * w[j];
        dq_vec_gate(dz, h + r * in, net->dropout.scale, in);
        dq_vec_add(net->bias_grad[l - 1], dz, in);
    }
    net->bias_grad[l][0] = (float)bias_grad;
    return loss;
}

/* Adds rows of dz to the distinct user or item that each row had: units [c0, c0 + width). */
static void collect(float *to, const net_slots *slots, const float *dz, size_t rows, size_t out, size_t c0,
                    size_t width)
{
    for (size_t i = 0; i < slots->count; i++) memset(to + i * out + c0, 0, width * sizeof *to);
    for (size_t r = 0; r < rows; r++) dq_vec_add(to + slots->of_row[r] * out + c0, dz + r * out + c0, width);
}

/* From dz of layer l to dz of layer l - 1, units [c0, c0 + width) of the latter. */
static void backward(void *arg, size_t tile, unsigned thread)
{
    (void)thread;
    const fit *f = arg;
    dq_net *net = f->net;
    size_t l = f->layer, in = net->in[l], out = net->out[l];
    size_t c0 = tile * NET_COLUMNS, width = net_least(NET_COLUMNS, in - c0);
    float *dz = net->dz[l - 1], *bias_grad = net->bias_grad[l - 1] + c0;
    dq_gemm_nn(f->rows, width, out, net->dz[l], out, net->weights + net->weight_at[l] + c0, in, dz + c0, in);
    memset(bias_grad, 0, width * sizeof *bias_grad);
    for (size_t r = 0; r < f->rows; r++) {
        dq_vec_gate(dz + r * in + c0, net->h[l - 1] + r * in + c0, net->dropout.scale, width);
        dq_vec_add(bias_grad, dz + r * in + c0, width);
    }
    if (l > 1) return;
    collect(net->dz_items, &net->items, dz, f->rows, in, c0, width);
    collect(net->dz_users, &net->users, dz, f->rows, in, c0, width);
}

/* gradient (n, in[0]) of rows [o0, o0 + n) of the first weights. */
static void first_gradient(const dq_net *net, size_t rows, size_t o0, size_t n, float *gradient)
{
    size_t uw = net->spec.user_width, iw = net->spec.item_width, in = net->in[0], out = net->out[0];
    dq_gemm_tn(n, iw, net->items.count, net->dz_items + o0, out, net->x_items, iw, gradient + uw, in);
    net_match_gradient(net, rows, o0, n, gradient);
    if (net->users.count > 1) {
        dq_gemm_tn(n, uw, net->users.count, net->dz_users + o0, out, net->x_users, uw, gradient, in);
        return;
    }
    for (size_t o = 0; o < n; o++)
        for (size_t j = 0; j < uw; j++) gradient[o * in + j] = net->dz_users[o0 + o] * net->x_users[j];
}

static void adam(const fit *f, size_t at, const float *gradient, size_t n)
{
    dq_net *net = f->net;
    dq_adam_apply(&f->step, net->weights + at, net->m + at, net->v + at, gradient, n);
}

static void update_output(const fit *f, float *gradient)
{
    const dq_net *net = f->net;
    size_t l = net->layers - 1, in = net->in[l];
    memset(gradient, 0, in * sizeof *gradient);
    for (size_t r = 0; r < f->rows; r++) dq_vec_add_scaled(gradient, net->h[l - 1] + r * in, net->dy[r], in);
    adam(f, net->weight_at[l], gradient, in);
    adam(f, net->bias_at[l], net->bias_grad[l], 1);
}

/* Gradient and Adam for one tile of one layer; tiles are numbered through the layers. */
static void update(void *arg, size_t tile, unsigned thread)
{
    const fit *f = arg;
    const dq_net *net = f->net;
    float *gradient = net->scratch[thread].gradient;
    size_t l = 0;
    for (; tile >= net_tiles(net->out[l], NET_GRADIENT); l++) tile -= net_tiles(net->out[l], NET_GRADIENT);
    if (l == net->layers - 1) {
        update_output(f, gradient);
        return;
    }
    size_t o0 = tile * NET_GRADIENT, n = net_least(NET_GRADIENT, net->out[l] - o0), in = net->in[l];
    if (l == 0)
        first_gradient(net, f->rows, o0, n, gradient);
    else
        dq_gemm_tn(n, in, f->rows, net->dz[l] + o0, net->out[l], net->h[l - 1], in, gradient, in);
    adam(f, net->weight_at[l] + o0 * in, gradient, n * in);
    adam(f, net->bias_at[l] + o0, net->bias_grad[l] + o0, n);
}

static void forward_all(fit *f)
{
    const dq_net *net = f->net;
    dq_pool_run(net->pool, first_forward, f, net_tiles(net->out[0], NET_COLUMNS));
    for (f->layer = 1; f->layer < net->layers - 1; f->layer++)
        dq_pool_run(net->pool, hidden_forward, f, net_tiles(net->out[f->layer], NET_COLUMNS));
}

static void backward_all(fit *f)
{
    const dq_net *net = f->net;
    for (f->layer = net->layers - 2; f->layer > 0; f->layer--)
        dq_pool_run(net->pool, backward, f, net_tiles(net->in[f->layer], NET_COLUMNS));
    if (net->layers > 2) return; /* else no hidden layer stands above the first to pass its gradient down */
    collect(net->dz_items, &net->items, net->dz[0], f->rows, net->out[0], 0, net->out[0]);
    collect(net->dz_users, &net->users, net->dz[0], f->rows, net->out[0], 0, net->out[0]);
}

double dq_net_fit(dq_net *net, const dq_vectors *users, const dq_vectors *items, const uint32_t *user,
                  const uint32_t *item, const float *target, const float *weight, size_t rows,
                  const dq_adam *options, dq_rng *rng)
{
    fit f = {.net = net, .target = target, .weight = weight, .rows = rows};
    if (net->dropout.cut > 0) f.seed = dq_rng_u64(rng);
    net_slots_find(&net->users, user, rows);
    net_slots_find(&net->items, item, rows);
    gather(net->x_users, users, &net->users);
    gather(net->x_items, items, &net->items);
    net_match_batch(net, rows);
    forward_all(&f);
    double loss = output(&f);
    if (!isfinite(loss)) return loss; /* the weights stay as they were */
    backward_all(&f);
    f.step = dq_adam_begin(options, ++net->steps);
    size_t tiles = 0;
    for (size_t l = 0; l < net->layers; l++) tiles += net_tiles(net->out[l], NET_GRADIENT);
    dq_pool_run(net->pool, update, &f, tiles);
    return loss;
}
