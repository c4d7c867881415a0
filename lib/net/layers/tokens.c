/* SPDX-License-Identifier: MIT
 *
 * The history's items as tokens (Kang and McAuley, "Self-attentive sequential recommendation", ICDM 2018):
 *
 *     x_i = E h_i + P_i        h_i: the item i places before the latest, empty places left out
 *
 * E (width, item_width) is the embedding of whatever vectors items have, P (history, width) that of places,
 * counted from the latest on.
 */
#include "net/layers/sequence_impl.h"

#include "core/buffers.h"
#include "math/blas.h"

#include <string.h>

typedef struct tokens {
    float *items;    /* (tokens, item_width) side by side */
    uint32_t *place; /* (tokens) */
    float *dx;       /* (trained tokens, width) */
} tokens;

static bool tokens_allocate(dq_net *net, net_layer *layer)
{
    tokens *t = layer->own = dq_arena_zero(&net->arena, 1, sizeof *t);
    if (!t) return false;
    const dq_buffer buffers[] = {
        DQ_BUFFER(net->token_start, net->max_states + 1),
        DQ_BUFFER(t->items, net_max_tokens(net) * net->spec.item_width),
        DQ_BUFFER(t->place, net_max_tokens(net)),
        DQ_BUFFER(t->dx, net_max_trained_tokens(net) * net->spec.encoder_width),
    };
    return dq_buffers_take(&net->arena, buffers, DQ_BUFFERS(buffers));
}

/* The items that are there, the oldest first. */
static void gather(dq_net *net, const tokens *t)
{
    const dq_net_spec *s = &net->spec;
    size_t row = 0, item = s->item_width;
    for (size_t r = 0; r < net->states; r++) {
        const float *history = net->x + r * s->input + s->user_width;
        net->token_start[r] = row;
        for (uint32_t i = s->history; i-- > 0;) {
            if (net_empty(history + i * item, item)) continue;
            memcpy(t->items + row * item, history + i * item, item * sizeof *history);
            t->place[row++] = i;
        }
    }
    net->token_start[net->states] = row;
}

static void forward_state(const dq_net *net, const net_layer *layer, size_t state)
{
    const tokens *t = layer->own;
    size_t item = net->spec.item_width, width = net->spec.encoder_width;
    size_t row = net->token_start[state], n = net->token_start[state + 1] - row;
    const float *embedding = net->weights + layer->at, *places = embedding + width * item;
    float *y = layer->y + row * width;
    dq_gemm_nt(n, width, item, t->items + row * item, item, embedding, item, y, width);
    for (size_t i = 0; i < n; i++) dq_vec_add(y + i * width, places + t->place[row + i] * width, width);
    net_drop_tokens(net, layer, row, n, y);
}

static void tokens_forward(dq_net *net, net_layer *layer)
{
    gather(net, layer->own);
    net_run_states(net, layer, forward_state, (size_t)net->spec.item_width * net->spec.encoder_width);
}

static void tokens_gradient(const dq_net *net, const net_layer *layer, size_t u0, size_t n, float *weight,
                            float *bias)
{
    const tokens *t = layer->own;
    const dq_net_spec *s = &net->spec;
    size_t rows = net->token_start[net->states], item = s->item_width, width = s->encoder_width;
    float *places = weight + width * item;
    (void)u0;
    (void)n;
    (void)bias;
    memset(weight, 0, layer->unit_width * sizeof *weight);
    if (rows == 0) return;
    memcpy(t->dx, layer->dy, rows * width * sizeof *t->dx);
    net_drop_tokens(net, layer, 0, rows, t->dx);
    dq_gemm_tn(width, item, rows, t->dx, width, t->items, item, weight, item);
    for (size_t r = 0; r < rows; r++) dq_vec_add(places + t->place[r] * width, t->dx + r * width, width);
}

const net_kind net_tokens = {tokens_forward, NULL, tokens_gradient, tokens_allocate, NULL};
