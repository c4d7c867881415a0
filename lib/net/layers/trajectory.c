/* SPDX-License-Identifier: MIT
 *
 * The steps of a trajectory as tokens (Chen et al., "Decision transformer: reinforcement learning via
 * sequence modeling", NeurIPS 2021): return-to-go, state and action of each, the last step without its
 * action, which is to come:
 *
 *     R_1 s_1 a_1  R_2 s_2 a_2  ...  R_t s_t          x = norm(embedding + P_place)
 *
 * The history is of steps, [there (1 or 0) | return-to-go | state | action], the latest first. P (history,
 * width) is that of places, counted from the latest on, where the paper counts steps of the episode: what the
 * clock says is the state's to say.
 */
#include "net/layers/sequence_impl.h"

#include "core/buffers.h"
#include "math/blas.h"

#include <string.h>

enum { RETURN, STATE, ACTION, KINDS };

typedef struct trajectory {
    net_layer_norm norm; /* of tokens */
    float *embedded;     /* (tokens, width) before it */
    size_t *step_start;  /* (max_states + 1) */
    float *steps;        /* (steps, item_width) side by side, each state's oldest first */
    float *dx;           /* (trained tokens, width) */
    float *dkind[KINDS]; /* (trained steps, width) of tokens of a kind */
} trajectory;

static bool trajectory_allocate(dq_net *net, net_layer *layer)
{
    trajectory *t = layer->own = dq_arena_zero(&net->arena, 1, sizeof *t);
    const dq_net_spec *s = &net->spec;
    size_t rows = net_max_tokens(net), trained = net_max_trained_tokens(net), width = s->encoder_width;
    size_t steps = net->max_trained * s->history * width;
    if (!t || !net_layer_norm_init(&t->norm, rows, trained, width, &net->arena)) return false;
    const dq_buffer buffers[] = {
        DQ_BUFFER(net->token_start, net->max_states + 1),
        DQ_BUFFER(t->step_start, net->max_states + 1),
        DQ_BUFFER(t->embedded, rows * width),
        DQ_BUFFER(t->steps, net->max_states * s->history * s->item_width),
        DQ_BUFFER(t->dx, trained * width),
        DQ_BUFFER(t->dkind[RETURN], steps),
        DQ_BUFFER(t->dkind[STATE], steps),
        DQ_BUFFER(t->dkind[ACTION], steps),
    };
    return dq_buffers_take(&net->arena, buffers, DQ_BUFFERS(buffers));
}

/* A kind's numbers in a step, and where its weights, biases and the rest stand. */
typedef struct places {
    size_t from[KINDS], in[KINDS], weight[KINDS], bias[KINDS];
    size_t position, norm;
} places;

static places find(const dq_net_spec *s, size_t at)
{
    size_t width = s->encoder_width, action = s->item_width - 2 - s->step_state;
    places p = {.from = {1, 2, 2 + s->step_state}, .in = {1, s->step_state, action}};
    for (int k = 0; k < KINDS; k++) {
        p.weight[k] = at;
        p.bias[k] = at + width * p.in[k];
        at = p.bias[k] + width;
    }
    p.position = at;
    p.norm = at + s->history * width;
    return p;
}

/* The steps that are there, from the latest back to the first that is not. */
static void gather(dq_net *net, const trajectory *t)
{
    const dq_net_spec *s = &net->spec;
    size_t step = 0, item = s->item_width;
    net->token_start[0] = t->step_start[0] = 0;
    for (size_t r = 0; r < net->states; r++) {
        const float *history = net->x + r * s->input + s->user_width;
        uint32_t n = 0;
        while (n < s->history && history[n * item] != 0) n++;
        for (uint32_t i = n; i-- > 0; step++)
            memcpy(t->steps + step * item, history + i * item, item * sizeof *history);
        t->step_start[r + 1] = step;
        net->token_start[r + 1] = net->token_start[r] + (n ? KINDS * n - 1 : 0);
    }
}

/* Tokens of a kind of a state with n steps. */
static size_t count_kind(size_t n, int kind)
{
    return kind == ACTION ? n - 1 : n;
}

static void forward_state(const dq_net *net, const net_layer *layer, size_t state)
{
    const trajectory *t = layer->own;
    const dq_net_spec *s = &net->spec;
    const places p = find(s, layer->at);
    const float *w = net->weights, *steps = t->steps + t->step_start[state] * s->item_width;
    size_t width = s->encoder_width, row = net->token_start[state], item = s->item_width;
    size_t n = t->step_start[state + 1] - t->step_start[state], tokens = net->token_start[state + 1] - row;
    float *x = t->embedded + row * width, *y = layer->y + row * width;
    if (n == 0) return;
    for (int k = 0; k < KINDS; k++) {
        size_t count = count_kind(n, k);
        if (count)
            dq_gemm_nt(count, width, p.in[k], steps + p.from[k], item, w + p.weight[k], p.in[k],
                       x + (size_t)k * width, KINDS * width);
        for (size_t i = 0; i < count; i++) {
            dq_vec_add(x + (KINDS * i + (size_t)k) * width, w + p.bias[k], width);
            dq_vec_add(x + (KINDS * i + (size_t)k) * width, w + p.position + (n - 1 - i) * width, width);
        }
    }
    net_layer_norm_forward(&t->norm, w + p.norm, x, row, tokens, width);
    memcpy(y, t->norm.z + row * width, tokens * width * sizeof *y);
    net_drop_tokens(net, layer, row, tokens, y);
}

static void trajectory_forward(dq_net *net, net_layer *layer)
{
    gather(net, layer->own);
    net_run_states(net, layer, forward_state, (size_t)net->spec.item_width * net->spec.encoder_width / 3);
}

/* ---- back ---- */

/* dx by kind and step, zeros for the action that is to come; adds those of places to dposition. */
static void split_kinds(const dq_net *net, const trajectory *t, float *dposition)
{
    size_t width = net->spec.encoder_width;
    for (size_t s = 0; s < net->states; s++) {
        size_t first = t->step_start[s], n = t->step_start[s + 1] - first;
        const float *dx = t->dx + net->token_start[s] * width;
        for (int k = 0; k < KINDS; k++)
            for (size_t i = 0; i < n; i++) {
                float *to = t->dkind[k] + (first + i) * width;
                const float *from = dx + (KINDS * i + (size_t)k) * width;
                if (i >= count_kind(n, k)) {
                    memset(to, 0, width * sizeof *to);
                    continue;
                }
                memcpy(to, from, width * sizeof *to);
                dq_vec_add(dposition + (n - 1 - i) * width, from, width);
            }
    }
}

static void trajectory_gradient(const dq_net *net, const net_layer *layer, size_t u0, size_t n, float *weight,
                                float *bias)
{
    const trajectory *t = layer->own;
    const dq_net_spec *s = &net->spec;
    const places p = find(s, 0);
    size_t rows = net->token_start[net->states], steps = t->step_start[net->states], width = s->encoder_width;
    (void)u0;
    (void)n;
    (void)bias;
    memset(weight, 0, layer->unit_width * sizeof *weight);
    if (rows == 0) return;
    memcpy(t->norm.dz, layer->dy, rows * width * sizeof *t->dx);
    net_drop_tokens(net, layer, 0, rows, t->norm.dz);
    memset(t->dx, 0, rows * width * sizeof *t->dx);
    net_layer_norm_back(&t->norm, net->weights + layer->at + p.norm, 0, rows, width, t->dx);
    net_layer_norm_gradient(&t->norm, rows, width, weight + p.norm);
    split_kinds(net, t, weight + p.position);
    for (int k = 0; k < KINDS; k++) {
        dq_gemm_tn(width, p.in[k], steps, t->dkind[k], width, t->steps + p.from[k], s->item_width,
                   weight + p.weight[k], p.in[k]);
        net_sum_rows(weight + p.bias[k], t->dkind[k], width, steps, width);
    }
}

const net_kind net_trajectory = {trajectory_forward, NULL, trajectory_gradient, trajectory_allocate, NULL};
