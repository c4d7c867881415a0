/* SPDX-License-Identifier: MIT
 *
 * Batch norm: y = weight (x - mean) / sqrt(variance + eps) + bias, over the rows of a batch.
 */
#include "net/net_impl.h"

#include "core/buffers.h"

#include <math.h>
#include <string.h>

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
    n->of_batch = net->training && rows > 1 && !layer->frozen;
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

const net_kind net_norm = {norm_forward, norm_input, norm_gradient, norm_allocate, NULL};
