/* SPDX-License-Identifier: MIT
 *
 * Attention over the history: one head of scaled dot products whose query is the rest of the state.
 *
 *     q = Wq [user | rest] + bq      k_i = Wk h_i      v_i = Wv h_i + bv      (item_width each)
 *     p = softmax over i of q . k_i / sqrt(item_width), the empty places left out
 *     y = [user | sum p_i v_i | rest]
 *
 * A key needs no bias: it would move all scores alike. Without a history the sum is zero.
 */
#include "net/net_impl.h"

#include "core/buffers.h"
#include "math/blas.h"

#include <math.h>
#include <string.h>

typedef struct attention {
    float *rest, *items; /* (max_states, rest), (max_states history, item): the state's parts, side by side */
    float *query, *key, *value;    /* (max_states, item), (max_states history, item) twice */
    float *dquery, *dkey, *dvalue; /* (max_trained ...) their gradients */
    float *weight;                 /* (max_states, history): p */
} attention;

static size_t rest_width(const dq_net_spec *s)
{
    return s->input - (size_t)s->history * s->item_width;
}

static bool attention_allocate(dq_net *net, net_layer *layer)
{
    const dq_net_spec *s = &net->spec;
    size_t rows = net->max_states, past = rows * s->history, item = s->item_width;
    size_t trained = net->max_trained, trained_past = trained * s->history;
    attention *a = layer->own = dq_arena_zero(&net->arena, 1, sizeof *a);
    if (!a) return false;
    const dq_buffer buffers[] = {DQ_BUFFER(a->rest, rows * rest_width(s)),
                                 DQ_BUFFER(a->items, past * item),
                                 DQ_BUFFER(a->query, rows * item),
                                 DQ_BUFFER(a->key, past * item),
                                 DQ_BUFFER(a->value, past * item),
                                 DQ_BUFFER(a->dquery, trained * item),
                                 DQ_BUFFER(a->dkey, trained_past * item),
                                 DQ_BUFFER(a->dvalue, trained_past * item),
                                 DQ_BUFFER(a->weight, past)};
    return dq_buffers_take(&net->arena, buffers, DQ_BUFFERS(buffers));
}

/* Where the weights stand: Wq, bq, Wk, Wv, bv. */
typedef struct places {
    size_t wq, bq, wk, wv, bv;
} places;

static places find(const dq_net_spec *s, size_t at)
{
    size_t item = s->item_width, bq = at + item * rest_width(s), wk = bq + item, wv = wk + item * item;
    return (places){at, bq, wk, wv, wv + item * item};
}

static void gather(const dq_net *net, attention *a)
{
    const dq_net_spec *s = &net->spec;
    size_t user = s->user_width, past = (size_t)s->history * s->item_width, rest = rest_width(s);
    for (size_t r = 0; r < net->states; r++) {
        const float *x = net->x + r * s->input;
        memcpy(a->rest + r * rest, x, user * sizeof *x);
        memcpy(a->rest + r * rest + user, x + user + past, (rest - user) * sizeof *x);
        memcpy(a->items + r * past, x + user, past * sizeof *x);
    }
}

static void project(const dq_net *net, attention *a, size_t at)
{
    const dq_net_spec *s = &net->spec;
    const float *w = net->weights;
    size_t item = s->item_width, rest = rest_width(s), past = net->states * s->history;
    places p = find(s, at);
    dq_gemm_nt(net->states, item, rest, a->rest, rest, w + p.wq, rest, a->query, item);
    for (size_t r = 0; r < net->states; r++) dq_vec_add(a->query + r * item, w + p.bq, item);
    dq_gemm_nt(past, item, item, a->items, item, w + p.wk, item, a->key, item);
    dq_gemm_nt(past, item, item, a->items, item, w + p.wv, item, a->value, item);
    for (size_t i = 0; i < past; i++) dq_vec_add(a->value + i * item, w + p.bv, item);
}

/* p of one state; zeros where there is no history. */
static void attend(const attention *a, size_t row, size_t history, size_t item)
{
    float *p = a->weight + row * history, max = -INFINITY, sum = 0;
    for (size_t i = 0; i < history; i++) {
        const float *h = a->items + (row * history + i) * item;
        float score = dq_vec_dot(a->query + row * item, a->key + (row * history + i) * item, item);
        p[i] = net_empty(h, item) ? -INFINITY : score / sqrtf((float)item);
        if (p[i] > max) max = p[i];
    }
    for (size_t i = 0; i < history; i++) {
        p[i] = max == -INFINITY ? 0 : expf(p[i] - max);
        sum += p[i];
    }
    for (size_t i = 0; i < history && sum > 0; i++) p[i] /= sum;
}

static void attention_forward(dq_net *net, net_layer *layer)
{
    const dq_net_spec *s = &net->spec;
    attention *a = layer->own;
    size_t user = s->user_width, item = s->item_width, history = s->history, rest = rest_width(s);
    gather(net, a);
    project(net, a, layer->at);
    for (size_t r = 0; r < net->states; r++) {
        float *y = layer->y + r * layer->out;
        attend(a, r, history, item);
        memcpy(y, a->rest + r * rest, user * sizeof *y);
        memcpy(y + user + item, a->rest + r * rest + user, (rest - user) * sizeof *y);
        memset(y + user, 0, item * sizeof *y);
        for (size_t i = 0; i < history; i++)
            dq_vec_add_scaled(y + user, a->value + (r * history + i) * item, a->weight[r * history + i],
                              item);
    }
}

/* From the gradient of one state's sum to those of its query, keys and values:
 *
 *     dv_i = p_i dy     dp_i = dy . v_i     dscore_i = p_i (dp_i - sum p dp)
 *     dq = sum dscore_i k_i / sqrt(d)       dk_i = dscore_i q / sqrt(d)
 */
static void attend_back(const attention *a, size_t row, size_t history, size_t item, const float *dy)
{
    const float *p = a->weight + row * history;
    float mean = 0, *dq = a->dquery + row * item;
    for (size_t i = 0; i < history; i++)
        mean += p[i] * dq_vec_dot(dy, a->value + (row * history + i) * item, item);
    memset(dq, 0, item * sizeof *dq);
    for (size_t i = 0; i < history; i++) {
        size_t at = (row * history + i) * item;
        float score = p[i] * (dq_vec_dot(dy, a->value + at, item) - mean) / sqrtf((float)item);
        dq_vec_add_scaled(dq, a->key + at, score, item);
        for (size_t j = 0; j < item; j++) {
            a->dkey[at + j] = score * a->query[row * item + j];
            a->dvalue[at + j] = p[i] * dy[j];
        }
    }
}

/* Its weights are few, and made together. */
static void attention_gradient(const dq_net *net, const net_layer *layer, size_t u0, size_t n, float *weight,
                               float *bias)
{
    const dq_net_spec *s = &net->spec;
    const attention *a = layer->own;
    size_t item = s->item_width, rest = rest_width(s), past = net->states * s->history;
    places p = find(s, 0);
    (void)u0;
    (void)n;
    (void)bias;
    for (size_t r = 0; r < net->states; r++)
        attend_back(a, r, s->history, item, layer->dy + r * layer->out + s->user_width);
    dq_gemm_tn(item, rest, net->states, a->dquery, item, a->rest, rest, weight + p.wq, rest);
    dq_gemm_tn(item, item, past, a->dkey, item, a->items, item, weight + p.wk, item);
    dq_gemm_tn(item, item, past, a->dvalue, item, a->items, item, weight + p.wv, item);
    net_sum_rows(weight + p.bq, a->dquery, item, net->states, item);
    net_sum_rows(weight + p.bv, a->dvalue, item, past, item);
}

const net_kind net_attention = {attention_forward, NULL, attention_gradient, attention_allocate, NULL};
