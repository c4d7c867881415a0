/* SPDX-License-Identifier: MIT
 *
 * The gradient as the textbook has it: every row goes through every layer on its own, in double precision,
 * with no product shared. It is slow, and it is what tests hold the pair layer's savings to.
 */
#include "net_plain.h"

#include "net/net_impl.h"

#include <math.h>
#include <stdlib.h>

enum { LAYERS = DQ_NET_MAX_HIDDEN + 1 };

typedef struct plain {
    const dq_net_spec *spec;
    const float *weights; /* of layer l at at[l]: (out[l], in[l]), then (out[l]) biases */
    size_t rows, layers, count, in[LAYERS], out[LAYERS], at[LAYERS];
    double *h[LAYERS + 1];  /* h[l]: (rows, in[l]) what goes into layer l; the last one is y */
    double *dh[LAYERS + 1]; /* gradients of those, after the nonlinearity */
    double *kept[LAYERS];   /* (rows, out[l]) 0 where dropped, else the scale */
} plain;

static void lay_out(plain *p)
{
    const dq_net_spec *s = p->spec;
    size_t in = (size_t)s->input + s->action_width + s->feature_count;
    for (size_t l = 0; l <= s->hidden_count; l++) {
        p->in[l] = in;
        p->out[l] = l < s->hidden_count ? s->hidden[l] : s->outputs;
        p->at[l] = p->count;
        p->count += p->out[l] * (in + 1);
        in = p->out[l];
    }
    p->layers = s->hidden_count + 1;
}

static bool allocate(plain *p)
{
    bool ok = true;
    for (size_t l = 0; l <= p->layers; l++) {
        size_t width = l < p->layers ? p->in[l] : p->spec->outputs;
        p->h[l] = calloc(p->rows * width, sizeof(double));
        p->dh[l] = calloc(p->rows * width, sizeof(double));
        ok = ok && p->h[l] && p->dh[l];
    }
    for (size_t l = 0; l < p->layers; l++) {
        p->kept[l] = calloc(p->rows * p->out[l], sizeof(double));
        ok = ok && p->kept[l];
    }
    return ok;
}

static void release(plain *p)
{
    for (size_t l = 0; l <= p->layers; l++) {
        free(p->h[l]);
        free(p->dh[l]);
    }
    for (size_t l = 0; l < p->layers; l++) free(p->kept[l]);
}

/* [state | action | features], row by row. */
static void join(plain *p, const dq_net_rows *rows)
{
    const dq_net_spec *s = p->spec;
    for (size_t r = 0; r < p->rows; r++) {
        double *x = p->h[0] + r * p->in[0], *action = x + s->input;
        const float *state = rows->states.at[rows->state ? rows->state[r] : r];
        for (size_t j = 0; j < s->input; j++) x[j] = (double)state[j];
        if (s->one_hot) action[rows->action[r]] = 1;
        if (s->one_hot) continue;
        const float *vector = rows->actions.at[rows->action[r]];
        for (size_t j = 0; j < s->action_width; j++) action[j] = (double)vector[j];
        for (uint32_t f = 0; f < s->feature_count; f++)
            action[s->action_width + f] = dq_cosine(state, vector, &s->features[f], 1);
    }
}

/* The same draws as a pass with this seed: each group of units has a generator, by its layer's number. */
static void draw_masks(plain *p, const dq_net *net, uint64_t seed)
{
    uint16_t draws[NET_COLUMNS];
    for (size_t l = 0; l + 1 < p->layers; l++)
        for (size_t c0 = 0; c0 < p->out[l]; c0 += NET_COLUMNS) {
            size_t n = net_min(NET_COLUMNS, p->out[l] - c0);
            dq_rng rng = dq_rng_stream(seed, (uint64_t)(l + 1) << 32 | c0 / NET_COLUMNS);
            for (size_t r = 0; r < p->rows; r++) {
                double *kept = p->kept[l] + r * p->out[l] + c0;
                if (net->dropout.cut > 0) dq_dropout_draw(draws, n, &rng);
                for (size_t j = 0; j < n; j++)
                    kept[j] = net->dropout.cut == 0          ? 1
                              : draws[j] >= net->dropout.cut ? (double)net->dropout.scale
                                                             : 0;
            }
        }
}

static void forward(plain *p, size_t l)
{
    size_t in = p->in[l], out = p->out[l];
    const float *w = p->weights + p->at[l], *b = w + out * in;
    for (size_t r = 0; r < p->rows; r++)
        for (size_t o = 0; o < out; o++) {
            double z = (double)b[o];
            for (size_t i = 0; i < in; i++) z += (double)w[o * in + i] * p->h[l][r * in + i];
            if (l + 1 < p->layers) z = z > 0 ? z * p->kept[l][r * out + o] : 0;
            p->h[l + 1][r * out + o] = z;
        }
}

/* Adds to the sums of one layer's gradient, and makes dh of the layer below. */
static void backward(plain *p, size_t l, double *gradient)
{
    size_t in = p->in[l], out = p->out[l];
    const float *w = p->weights + p->at[l];
    double *dw = gradient + p->at[l], *db = dw + out * in;
    for (size_t r = 0; r < p->rows; r++)
        for (size_t o = 0; o < out; o++) {
            double dz = p->dh[l + 1][r * out + o];
            if (l + 1 < p->layers) dz = p->h[l + 1][r * out + o] > 0 ? dz * p->kept[l][r * out + o] : 0;
            db[o] += dz;
            for (size_t i = 0; i < in; i++) {
                dw[o * in + i] += dz * p->h[l][r * in + i];
                p->dh[l][r * in + i] += dz * (double)w[o * in + i];
            }
        }
}

static double square_error(plain *p, const float *target, const float *weight)
{
    size_t outputs = p->spec->outputs, n = p->rows * outputs;
    double loss = 0, *y = p->h[p->layers], *dy = p->dh[p->layers];
    for (size_t i = 0; i < n; i++) {
        double scale = (weight ? (double)weight[i / outputs] : 1) / (double)n,
               miss = y[i] - (double)target[i];
        loss += scale * miss * miss;
        dy[i] = 2 * scale * miss;
    }
    return loss;
}

double net_plain_gradient(dq_net *net, const dq_net_rows *rows, const float *target, const float *weight,
                          dq_rng *rng, float *gradient)
{
    plain p = {.spec = &net->spec, .weights = net->weights, .rows = rows->rows};
    lay_out(&p);
    double loss = NAN, *sums = calloc(p.count, sizeof *sums);
    if (allocate(&p) && sums) {
        join(&p, rows);
        draw_masks(&p, net, net->dropout.cut > 0 ? dq_rng_u64(rng) : 0);
        for (size_t l = 0; l < p.layers; l++) forward(&p, l);
        loss = square_error(&p, target, weight);
        for (size_t l = p.layers; l-- > 0;) backward(&p, l, sums);
        for (size_t i = 0; i < p.count; i++) gradient[i] = (float)sums[i];
    }
    release(&p);
    free(sums);
    return loss;
}
