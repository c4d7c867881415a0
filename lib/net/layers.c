/* SPDX-License-Identifier: MIT
 *
 * The small layers: batch norm, the mean of a history, dueling. A new kind is its functions and an entry of a
 * net_kind, and its place in the plan (plan.c).
 */
#include "net/net_impl.h"

#include "core/buffers.h"

#include <math.h>
#include <string.h>

/* ---- batch norm: y = weight (x - mean) / sqrt(variance + eps) + bias, over the rows of a batch ---- */

static const float NORM_EPS = 1e-5F, NORM_MOMENTUM = 0.1F;

typedef struct norm {
    float *standard;                /* (rows, out) (x - mean) / sqrt(variance + eps) */
    float *mean, *variance, *scale; /* (out); scale: 1 / sqrt(variance + eps) */
    float *dw, *db;                 /* (out) gradients of weight and bias */
    float *fold_scale, *fold_shift; /* (out) of net_norm_fold */
    bool of_batch;                  /* the statistics are those of the rows, and follow them */
} norm;

static bool norm_allocate(dq_net *net, net_layer *layer)
{
    norm *n = layer->own = dq_arena_zero(&net->arena, 1, sizeof *n);
    size_t rows = layer->pairs ? net->max_rows : net->max_states, out = layer->out;
    if (!n) return false;
    const dq_buffer buffers[] = {
        DQ_BUFFER(n->standard, rows * out), DQ_BUFFER(n->mean, out),       DQ_BUFFER(n->variance, out),
        DQ_BUFFER(n->scale, out),           DQ_BUFFER(n->dw, out),         DQ_BUFFER(n->db, out),
        DQ_BUFFER(n->fold_scale, out),      DQ_BUFFER(n->fold_shift, out),
    };
    return dq_buffers_take(&net->arena, buffers, DQ_BUFFERS(buffers));
}

/* The batch's mean and (biased) variance; the running ones move, the variance by the unbiased. */
static void batch_statistics(const dq_net *net, const net_layer *layer, const float *x, size_t rows)
{
    norm *n = layer->own;
    size_t out = layer->out;
    float *running = net->statistics + layer->statistics, unbias = (float)rows / (float)(rows - 1);
    net_sum_rows(n->mean, x, out, rows, out);
    for (size_t j = 0; j < out; j++) n->mean[j] /= (float)rows;
    memset(n->variance, 0, out * sizeof(float));
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < out; j++) {
            float away = x[r * out + j] - n->mean[j];
            n->variance[j] += away * away;
        }
    for (size_t j = 0; j < out; j++) {
        n->variance[j] /= (float)rows;
        running[j] += NORM_MOMENTUM * (n->mean[j] - running[j]);
        running[out + j] += NORM_MOMENTUM * (n->variance[j] * unbias - running[out + j]);
    }
}

static void norm_forward(dq_net *net, net_layer *layer)
{
    norm *n = layer->own;
    size_t out, rows = net_rows(net, layer);
    const float *x = net_input(net, layer, &out), *weight = net->weights + layer->at;
    n->of_batch = net->training && rows > 1;
    if (n->of_batch) {
        batch_statistics(net, layer, x, rows);
    } else {
        memcpy(n->mean, net->statistics + layer->statistics, out * sizeof(float));
        memcpy(n->variance, net->statistics + layer->statistics + out, out * sizeof(float));
    }
    for (size_t j = 0; j < out; j++) n->scale[j] = 1 / sqrtf(n->variance[j] + NORM_EPS);
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < out; j++) {
            float standard = (x[r * out + j] - n->mean[j]) * n->scale[j];
            n->standard[r * out + j] = standard;
            layer->y[r * out + j] = weight[j] * standard;
        }
    net_activate(net, layer, NULL, weight + out, 0, out);
}

/* dx = weight scale (dy - mean(dy) - standard mean(dy standard)); without the means where the statistics are
 * the running ones. */
static void norm_input(dq_net *net, net_layer *layer)
{
    norm *n = layer->own;
    size_t out = layer->out, rows = net_rows(net, layer);
    const float *weight = net->weights + layer->at;
    float *dx = net_input_gradient(net, layer), share = n->of_batch ? 1 / (float)rows : 0;
    memset(n->dw, 0, out * sizeof *n->dw);
    net_sum_rows(n->db, layer->dy, out, rows, out);
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < out; j++) n->dw[j] += layer->dy[r * out + j] * n->standard[r * out + j];
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < out; j++) {
            size_t at = r * out + j;
            dx[at] = weight[j] * n->scale[j] *
                     (layer->dy[at] - (n->db[j] + n->standard[at] * n->dw[j]) * share);
        }
}

static void norm_gradient(const dq_net *net, const net_layer *layer, size_t u0, size_t n, float *weight,
                          float *bias)
{
    const norm *own = layer->own;
    (void)net;
    memcpy(weight, own->dw + u0, n * sizeof *weight);
    memcpy(bias, own->db + u0, n * sizeof *bias);
}

void net_norm_fold(const dq_net *net, const net_layer *layer, const float *bias)
{
    const norm *n = layer->own;
    const float *weight = net->weights + layer->at, *running = net->statistics + layer->statistics;
    size_t out = layer->out;
    for (size_t j = 0; j < out; j++) {
        n->fold_scale[j] = weight[j] / sqrtf(running[out + j] + NORM_EPS);
        n->fold_shift[j] = weight[out + j] + (bias[j] - running[j]) * n->fold_scale[j];
    }
}

void net_norm_folded(const net_layer *layer, const float **scale, const float **shift)
{
    const norm *n = layer->own;
    *scale = n->fold_scale;
    *shift = n->fold_shift;
}

const net_kind net_norm = {norm_forward, norm_input, norm_gradient, norm_allocate};

/* ---- the mean of the history's items: [user | mean | rest] ---- */

static void mean_forward(dq_net *net, net_layer *layer)
{
    const dq_net_spec *s = &net->spec;
    size_t user = s->user_width, item = s->item_width, past = s->history * item;
    for (size_t r = 0; r < net->states; r++) {
        const float *x = net->x + r * s->input;
        float *y = layer->y + r * layer->out, *mean = y + user;
        size_t count = 0;
        memcpy(y, x, user * sizeof *y);
        memcpy(mean + item, x + user + past, (s->input - user - past) * sizeof *y);
        memset(mean, 0, item * sizeof *mean);
        for (const float *h = x + user; h < x + user + past; h += item) {
            if (net_empty(h, item)) continue;
            dq_vec_add(mean, h, item);
            count++;
        }
        for (size_t j = 0; j < item && count > 1; j++) mean[j] /= (float)count;
    }
}

const net_kind net_mean = {mean_forward, NULL, NULL, NULL}; /* it has no weights, and stands on the states */

/* ---- dueling: Q = V + A - mean A; on pairs Q = V(state) + A. Of all actions or of the one asked for ---- */

/* V of row r, and the gradient of it. */
static size_t value_at(const dq_net *net, const net_layer *duel, size_t r)
{
    size_t state = duel->pairs ? net->state_slots.of_row[r] : r;
    return state * net->layers[duel->beside].out + duel->beside_at;
}

static void duel_forward(dq_net *net, net_layer *layer)
{
    size_t actions = layer->out, stride;
    const float *from = net_input(net, layer, &stride), *value = net->layers[layer->beside].y;
    for (size_t r = 0; r < net_rows(net, layer); r++) {
        const float *a = from + r * stride;
        float v = value[value_at(net, layer, r)], mean = 0;
        for (size_t j = 0; j < actions && !layer->pairs; j++) mean += a[j];
        mean /= (float)actions;
        if (net_picks(net, layer)) {
            layer->y[r] = v + a[net->given.action[r]] - mean;
            continue;
        }
        for (size_t j = 0; j < actions; j++) layer->y[r * actions + j] = v + a[j] - mean;
    }
}

static void duel_input(dq_net *net, net_layer *layer)
{
    size_t actions = layer->out, stride = net->layers[layer->from].out;
    float *from = net_input_gradient(net, layer), *dvalue = net->layers[layer->beside].dy;
    bool picks = net_picks(net, layer);
    if (layer->pairs) memset(dvalue, 0, net->states * sizeof *dvalue);
    for (size_t r = 0; r < net_rows(net, layer); r++) {
        const float *dy = layer->dy + r * (picks ? 1 : actions);
        float *da = from + r * stride, *dv = &dvalue[value_at(net, layer, r)], sum = 0, mean;
        for (size_t j = 0; j < (picks ? 1 : actions); j++) sum += dy[j];
        mean = layer->pairs ? 0 : sum / (float)actions;
        for (size_t j = 0; j < actions; j++) da[j] = picks ? -mean : dy[j] - mean;
        if (picks) da[net->given.action[r]] += dy[0];
        *dv = layer->pairs ? *dv + sum : sum;
    }
}

const net_kind net_duel = {duel_forward, duel_input, NULL, NULL};
