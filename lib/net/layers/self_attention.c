/* SPDX-License-Identifier: MIT
 *
 * Causal self-attention with a layer norm before it and a residual around it (pre-norm, as SASRec has it):
 *
 *     z = norm(x)      [q | k | v] = z Win' + bin      of each head its slice of each
 *     p_ij = softmax over j <= i of q_i . k_j / sqrt(width / heads)
 *     y = x + dropout([sum_j p_ij v_j of each head] Wout' + bout)
 *
 * Weights stand as norm, Win (3 width, width), bin, Wout (width, width), bout, as those of PyTorch's
 * MultiheadAttention.
 */
#include "net/layers/sequence_impl.h"

#include "core/buffers.h"
#include "math/blas.h"

#include <math.h>
#include <string.h>

typedef struct attention {
    net_layer_norm norm;
    float *qkv, *mixed;          /* (tokens, 3 width), (tokens, width): the heads' sums */
    float *share;                /* (states, heads, tokens of one, tokens of one): p */
    float *dout, *dmixed, *dqkv; /* (trained tokens ...) */
} attention;

static bool attention_allocate(dq_net *net, net_layer *layer)
{
    attention *a = layer->own = dq_arena_zero(&net->arena, 1, sizeof *a);
    size_t width = net->spec.encoder_width, most = net_most_tokens(&net->spec);
    size_t rows = net_max_tokens(net), trained = net_max_trained_tokens(net);
    if (!a || !net_layer_norm_init(&a->norm, rows, trained, width, &net->arena)) return false;
    const dq_buffer buffers[] = {
        DQ_BUFFER(a->qkv, rows * 3 * width),
        DQ_BUFFER(a->mixed, rows * width),
        DQ_BUFFER(a->share, net->max_states * net->spec.heads * most * most),
        DQ_BUFFER(a->dout, trained * width),
        DQ_BUFFER(a->dmixed, trained * width),
        DQ_BUFFER(a->dqkv, trained * 3 * width),
    };
    return dq_buffers_take(&net->arena, buffers, DQ_BUFFERS(buffers));
}

/* Where the weights stand. */
typedef struct places {
    size_t norm, in, in_bias, out, out_bias;
} places;

static places find(size_t width, size_t at)
{
    size_t in = at + 2 * width, in_bias = in + 3 * width * width, out = in_bias + 3 * width;
    return (places){at, in, in_bias, out, out + width * width};
}

/* p of one token and head. */
static float *share_of(const dq_net *net, const attention *a, size_t state, size_t head, size_t i)
{
    size_t most = net_most_tokens(&net->spec);
    return a->share + ((state * net->spec.heads + head) * most + i) * most;
}

/* p over the tokens up to i: q is token i's, k the first one's, rows `stride` floats apart. */
static void attend(const float *q, const float *k, size_t stride, size_t i, size_t width, float *p)
{
    float max = -INFINITY, sum = 0, root = sqrtf((float)width);
    for (size_t j = 0; j <= i; j++) {
        p[j] = dq_vec_dot(q, k + j * stride, width) / root;
        if (p[j] > max) max = p[j];
    }
    for (size_t j = 0; j <= i; j++) {
        p[j] = expf(p[j] - max);
        sum += p[j];
    }
    for (size_t j = 0; j <= i; j++) p[j] /= sum;
}

static void mix_head(const dq_net *net, const attention *a, size_t state, size_t head)
{
    size_t width = net->spec.encoder_width, own = width / net->spec.heads, stride = 3 * width;
    size_t row = net->token_start[state], n = net->token_start[state + 1] - row;
    const float *q = a->qkv + row * stride + head * own, *k = q + width, *v = k + width;
    for (size_t i = 0; i < n; i++) {
        float *p = share_of(net, a, state, head, i), *to = a->mixed + (row + i) * width + head * own;
        attend(q + i * stride, k, stride, i, own, p);
        memset(to, 0, own * sizeof *to);
        for (size_t j = 0; j <= i; j++) dq_vec_add_scaled(to, v + j * stride, p[j], own);
    }
}

static void forward_state(const dq_net *net, const net_layer *layer, size_t state)
{
    const attention *a = layer->own;
    size_t width = net->spec.encoder_width, row = net->token_start[state];
    size_t n = net->token_start[state + 1] - row;
    const places p = find(width, layer->at);
    const float *w = net->weights, *x = net->layers[layer->from].y + row * width;
    float *qkv = a->qkv + row * 3 * width, *y = layer->y + row * width;
    if (n == 0) return;
    net_layer_norm_forward(&a->norm, w + p.norm, x, row, n, width);
    dq_gemm_nt(n, 3 * width, width, a->norm.z + row * width, width, w + p.in, width, qkv, 3 * width);
    net_add_bias(qkv, w + p.in_bias, n, 3 * width);
    for (size_t head = 0; head < net->spec.heads; head++) mix_head(net, a, state, head);
    dq_gemm_nt(n, width, width, a->mixed + row * width, width, w + p.out, width, y, width);
    net_add_bias(y, w + p.out_bias, n, width);
    net_drop_tokens(net, layer, row, n, y);
    dq_vec_add(y, x, n * width);
}

/* What a token takes, its share of the attention among it. */
static size_t multiplications(const dq_net *net)
{
    return (size_t)net->spec.encoder_width *
           (4 * (size_t)net->spec.encoder_width + net_most_tokens(&net->spec));
}

static void attention_forward(dq_net *net, net_layer *layer)
{
    net_run_states(net, layer, forward_state, multiplications(net));
}

/* ---- back ---- */

/* From the gradient of a head's sums to those of its q, k and v:
 *
 *     dv_j += p_ij dmixed_i     dscore_ij = p_ij (dmixed_i . v_j - sum over j of p dmixed_i . v_j) / sqrt(d)
 *     dq_i += dscore_ij k_j     dk_j += dscore_ij q_i
 */
static void head_back(const dq_net *net, const attention *a, size_t state, size_t head)
{
    size_t width = net->spec.encoder_width, own = width / net->spec.heads, stride = 3 * width;
    size_t row = net->token_start[state], n = net->token_start[state + 1] - row,
           at = row * stride + head * own;
    const float *q = a->qkv + at, *k = q + width, *v = k + width;
    float *dq = a->dqkv + at, *dk = dq + width, *dv = dk + width, root = sqrtf((float)own);
    for (size_t i = 0; i < n; i++) {
        const float *p = share_of(net, a, state, head, i), *dy = a->dmixed + (row + i) * width + head * own;
        float mean = 0;
        for (size_t j = 0; j <= i; j++) mean += p[j] * dq_vec_dot(dy, v + j * stride, own);
        for (size_t j = 0; j <= i; j++) {
            float score = p[j] * (dq_vec_dot(dy, v + j * stride, own) - mean) / root;
            dq_vec_add_scaled(dq + i * stride, k + j * stride, score, own);
            dq_vec_add_scaled(dk + j * stride, q + i * stride, score, own);
            dq_vec_add_scaled(dv + j * stride, dy, p[j], own);
        }
    }
}

static void back_state(const dq_net *net, const net_layer *layer, size_t state)
{
    const attention *a = layer->own;
    size_t width = net->spec.encoder_width, row = net->token_start[state];
    size_t n = net->token_start[state + 1] - row, at = row * width;
    const places p = find(width, layer->at);
    const float *w = net->weights;
    float *dx = net_input_gradient(net, layer) + at, *dqkv = a->dqkv + 3 * at;
    if (n == 0) return;
    memcpy(a->dout + at, layer->dy + at, n * width * sizeof *dx);
    net_drop_tokens(net, layer, row, n, a->dout + at);
    dq_gemm_nn(n, width, width, a->dout + at, width, w + p.out, width, a->dmixed + at, width);
    memset(dqkv, 0, n * 3 * width * sizeof *dqkv);
    for (size_t head = 0; head < net->spec.heads; head++) head_back(net, a, state, head);
    dq_gemm_nn(n, width, 3 * width, dqkv, 3 * width, w + p.in, width, a->norm.dz + at, width);
    memcpy(dx, layer->dy + at, n * width * sizeof *dx);
    net_layer_norm_back(&a->norm, w + p.norm, row, n, width, dx);
}

static void attention_input(dq_net *net, net_layer *layer)
{
    net_run_states(net, layer, back_state, 2 * multiplications(net));
}

static void attention_gradient(const dq_net *net, const net_layer *layer, size_t u0, size_t n, float *weight,
                               float *bias)
{
    const attention *a = layer->own;
    size_t width = net->spec.encoder_width, rows = net->token_start[net->states];
    const places p = find(width, 0);
    (void)u0;
    (void)n;
    (void)bias;
    memset(weight, 0, layer->unit_width * sizeof *weight);
    if (rows == 0) return;
    net_layer_norm_gradient(&a->norm, rows, width, weight + p.norm);
    dq_gemm_tn(3 * width, width, rows, a->dqkv, 3 * width, a->norm.z, width, weight + p.in, width);
    net_sum_rows(weight + p.in_bias, a->dqkv, 3 * width, rows, 3 * width);
    dq_gemm_tn(width, width, rows, a->dout, width, a->mixed, width, weight + p.out, width);
    net_sum_rows(weight + p.out_bias, a->dout, width, rows, width);
}

const net_kind net_self_attention = {attention_forward, attention_input, attention_gradient,
                                     attention_allocate, NULL};
