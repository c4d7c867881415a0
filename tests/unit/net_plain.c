/* SPDX-License-Identifier: MIT
 *
 * The gradient as the textbook has it: every row goes through every layer on its own, in double precision,
 * with no product shared. It is slow, and it is what tests hold lib/net/net_fit.c to.
 */
#include "net_plain.h"

#include "net/net_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct plain {
    const dq_net *net;
    size_t rows;
    double *h[NET_LAYERS + 1];  /* h[l]: (rows, in[l]) what goes into layer l; the last one is y */
    double *dh[NET_LAYERS + 1]; /* gradients of those, after the nonlinearity */
    double *kept[NET_LAYERS];   /* (rows, out[l]) 0 where dropped, else the scale */
} plain;

static size_t width(const dq_net *net, size_t l)
{
    return l < net->layers ? net->in[l] : 1;
}

static bool allocate(plain *p)
{
    bool ok = true;
    for (size_t l = 0; l <= p->net->layers; l++) {
        p->h[l] = calloc(p->rows * width(p->net, l), sizeof(double));
        p->dh[l] = calloc(p->rows * width(p->net, l), sizeof(double));
        ok = ok && p->h[l] && p->dh[l];
    }
    for (size_t l = 0; l + 1 < p->net->layers; l++) {
        p->kept[l] = calloc(p->rows * p->net->out[l], sizeof(double));
        ok = ok && p->kept[l];
    }
    return ok;
}

static void release(plain *p)
{
    for (size_t l = 0; l <= p->net->layers; l++) {
        free(p->h[l]);
        free(p->dh[l]);
    }
    for (size_t l = 0; l + 1 < p->net->layers; l++) free(p->kept[l]);
}

static void join(plain *p, const dq_vectors *users, const dq_vectors *items, const uint32_t *user,
                 const uint32_t *item)
{
    size_t uw = p->net->spec.user_width, iw = p->net->spec.item_width;
    for (size_t r = 0; r < p->rows; r++) {
        double *x = p->h[0] + r * p->net->in[0];
        for (size_t j = 0; j < uw; j++) x[j] = (double)users->at[user[r]][j];
        for (size_t j = 0; j < iw; j++) x[uw + j] = (double)items->at[item[r]][j];
        for (uint32_t m = 0; m < p->net->spec.match_count; m++)
            x[uw + iw + m] = dq_cosine(users->at[user[r]], items->at[item[r]], &p->net->spec.matches[m], 1);
    }
}

/* The same draws as a fit with this seed. */
static void draw_masks(plain *p, uint64_t seed)
{
    const dq_net *net = p->net;
    uint16_t draws[NET_COLUMNS];
    for (size_t l = 0; l + 1 < net->layers; l++)
        for (size_t c0 = 0; c0 < net->out[l]; c0 += NET_COLUMNS) {
            size_t n = net_least(NET_COLUMNS, net->out[l] - c0);
            dq_rng rng = net_draws(seed, l, c0 / NET_COLUMNS);
            for (size_t r = 0; r < p->rows; r++) {
                if (net->dropout.cut > 0) dq_dropout_draw(draws, n, &rng);
                for (size_t j = 0; j < n; j++)
                    p->kept[l][r * net->out[l] + c0 + j] = net->dropout.cut == 0 ? 1
                                                           : draws[j] >= net->dropout.cut
                                                               ? (double)net->dropout.scale
                                                               : 0;
            }
        }
}

static void forward(plain *p, size_t l)
{
    const dq_net *net = p->net;
    size_t in = net->in[l], out = net->out[l];
    const float *w = net->weights + net->weight_at[l], *b = net->weights + net->bias_at[l];
    for (size_t r = 0; r < p->rows; r++)
        for (size_t o = 0; o < out; o++) {
            double z = (double)b[o];
            for (size_t i = 0; i < in; i++) z += (double)w[o * in + i] * p->h[l][r * in + i];
            if (l + 1 < net->layers) z = z > 0 ? z * p->kept[l][r * out + o] : 0;
            p->h[l + 1][r * out + o] = z;
        }
}

/* Adds to the sums of one layer's gradient, and makes dh of the layer below. */
static void backward(plain *p, size_t l, double *gradient)
{
    const dq_net *net = p->net;
    size_t in = net->in[l], out = net->out[l];
    const float *w = net->weights + net->weight_at[l];
    double *dw = gradient + net->weight_at[l], *db = gradient + net->bias_at[l];
    for (size_t r = 0; r < p->rows; r++)
        for (size_t o = 0; o < out; o++) {
            double dz = p->dh[l + 1][r * out + o];
            if (l + 1 < net->layers) dz = p->h[l + 1][r * out + o] > 0 ? dz * p->kept[l][r * out + o] : 0;
            db[o] += dz;
            for (size_t i = 0; i < in; i++) {
                dw[o * in + i] += dz * p->h[l][r * in + i];
                p->dh[l][r * in + i] += dz * (double)w[o * in + i];
            }
        }
}

static double square_error(plain *p, const float *target, const float *weight)
{
    double loss = 0, *y = p->h[p->net->layers], *dy = p->dh[p->net->layers];
    for (size_t r = 0; r < p->rows; r++) {
        double scale = (weight ? (double)weight[r] : 1) / (double)p->rows, miss = y[r] - (double)target[r];
        loss += scale * miss * miss;
        dy[r] = 2 * scale * miss;
    }
    return loss;
}

double net_plain_gradient(dq_net *net, const dq_vectors *users, const dq_vectors *items, const uint32_t *user,
                          const uint32_t *item, const float *target, const float *weight, size_t rows,
                          dq_rng *rng, float *gradient)
{
    plain p = {.net = net, .rows = rows};
    double loss = NAN, *sums = calloc(net->count, sizeof *sums);
    if (allocate(&p) && sums) {
        join(&p, users, items, user, item);
        draw_masks(&p, net->dropout.cut > 0 ? dq_rng_u64(rng) : 0);
        for (size_t l = 0; l < net->layers; l++) forward(&p, l);
        loss = square_error(&p, target, weight);
        for (size_t l = net->layers; l-- > 0;) backward(&p, l, sums);
        for (size_t i = 0; i < net->count; i++) gradient[i] = (float)sums[i];
    }
    release(&p);
    free(sums);
    return loss;
}
