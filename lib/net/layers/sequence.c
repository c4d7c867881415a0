/* SPDX-License-Identifier: MIT
 *
 * What the layers of a transformer share, and its last one: the last token, normed, in the place of what was
 * made into tokens.
 *
 *     [user | norm(x of the last token) | rest]        zeros where there is no token
 */
#include "net/layers/sequence_impl.h"

#include "core/buffers.h"

#include <math.h>
#include <string.h>

static const float NORM_EPS = 1e-5F;

size_t net_most_tokens(const dq_net_spec *s)
{
    if (s->encoder == DQ_ENCODER_TRAJECTORY) return 3 * (size_t)s->history - 1;
    return s->encoder == DQ_ENCODER_SASREC ? s->history : 0;
}

size_t net_max_tokens(const dq_net *net)
{
    return net->max_states * net_most_tokens(&net->spec);
}

size_t net_max_trained_tokens(const dq_net *net)
{
    return net->max_trained * net_most_tokens(&net->spec);
}

/* ---- tiles ---- */

typedef struct run {
    const dq_net *net;
    const net_layer *layer;
    net_state_tile *tile;
} run;

static void run_state(void *arg, size_t state, unsigned thread)
{
    const run *r = arg;
    (void)thread;
    r->tile(r->net, r->layer, state);
}

void net_run_states(const dq_net *net, const net_layer *layer, net_state_tile *tile, size_t multiplications)
{
    run r = {net, layer, tile};
    net_run_tiles(net, run_state, &r, net->states, net->token_start[net->states] * multiplications);
}

void net_add_bias(float *rows, const float *bias, size_t n, size_t width)
{
    for (size_t i = 0; i < n; i++) dq_vec_add(rows + i * width, bias, width);
}

/* Each token has a generator of its own, so that the draws depend on neither tiles nor threads. */
void net_drop_tokens(const dq_net *net, const net_layer *layer, size_t row, size_t n, float *tokens)
{
    uint16_t draws[DQ_NET_MAX_ENCODER_WIDTH];
    size_t width = net->spec.encoder_width;
    if (!net->training || net->dropout.cut == 0) return;
    for (size_t i = 0; i < n; i++) {
        dq_rng rng = dq_rng_stream(net->seed, layer->number << 32 | (row + i));
        dq_dropout_draw(draws, width, &rng);
        for (size_t j = 0; j < width; j++)
            tokens[i * width + j] *= draws[j] >= net->dropout.cut ? net->dropout.scale : 0;
    }
}

/* ---- layer norm ---- */

bool net_layer_norm_init(net_layer_norm *norm, size_t rows, size_t trained, size_t width, dq_arena *arena)
{
    const dq_buffer buffers[] = {
        DQ_BUFFER(norm->standard, rows * width),
        DQ_BUFFER(norm->scale, rows),
        DQ_BUFFER(norm->z, rows * width),
        DQ_BUFFER(norm->dz, trained * width),
    };
    return dq_buffers_take(arena, buffers, DQ_BUFFERS(buffers));
}

static void norm_row(const float *weight, const float *x, size_t width, float *standard, float *scale,
                     float *z)
{
    float mean = 0, variance = 0;
    for (size_t j = 0; j < width; j++) mean += x[j];
    mean /= (float)width;
    for (size_t j = 0; j < width; j++) variance += (x[j] - mean) * (x[j] - mean);
    *scale = 1 / sqrtf(variance / (float)width + NORM_EPS);
    for (size_t j = 0; j < width; j++) {
        standard[j] = (x[j] - mean) * *scale;
        z[j] = weight[j] * standard[j] + weight[width + j];
    }
}

void net_layer_norm_forward(const net_layer_norm *norm, const float *weights, const float *x, size_t row,
                            size_t n, size_t width)
{
    for (size_t r = row; r < row + n; r++, x += width)
        norm_row(weights, x, width, norm->standard + r * width, norm->scale + r, norm->z + r * width);
}

/* dx = scale (g - mean(g) - standard mean(g standard)), g = weight dz */
void net_layer_norm_back(const net_layer_norm *norm, const float *weights, size_t row, size_t n, size_t width,
                         float *dx)
{
    for (size_t r = row; r < row + n; r++, dx += width) {
        const float *dz = norm->dz + r * width, *standard = norm->standard + r * width;
        float mean = 0, along = 0;
        for (size_t j = 0; j < width; j++) {
            mean += weights[j] * dz[j];
            along += weights[j] * dz[j] * standard[j];
        }
        mean /= (float)width;
        along /= (float)width;
        for (size_t j = 0; j < width; j++)
            dx[j] += norm->scale[r] * (weights[j] * dz[j] - mean - standard[j] * along);
    }
}

void net_layer_norm_gradient(const net_layer_norm *norm, size_t n, size_t width, float *gradient)
{
    memset(gradient, 0, width * sizeof *gradient);
    net_sum_rows(gradient + width, norm->dz, width, n, width);
    for (size_t i = 0; i < n * width; i += width)
        for (size_t j = 0; j < width; j++) gradient[j] += norm->dz[i + j] * norm->standard[i + j];
}

/* ---- the last token ---- */

typedef struct last_token {
    net_layer_norm norm; /* of states */
} last_token;

static bool last_allocate(dq_net *net, net_layer *layer)
{
    last_token *l = layer->own = dq_arena_zero(&net->arena, 1, sizeof *l);
    return l && net_layer_norm_init(&l->norm, net->max_states, net->max_trained, net->spec.encoder_width,
                                    &net->arena);
}

/* How many numbers of a state stand before what became tokens, and how many those are. */
static size_t made(const dq_net_spec *s, size_t *before)
{
    *before = s->user_width;
    return (size_t)s->history * s->item_width;
}

static void last_forward(dq_net *net, net_layer *layer)
{
    const last_token *l = layer->own;
    size_t user, past = made(&net->spec, &user), width = net->spec.encoder_width;
    size_t rest = net->spec.input - user - past;
    const float *from = net->layers[layer->from].y;
    for (size_t s = 0; s < net->states; s++) {
        size_t end = net->token_start[s + 1];
        const float *x = net->x + s * net->spec.input;
        float *y = layer->y + s * layer->out, *encoded = y + user;
        memcpy(y, x, user * sizeof *y);
        memcpy(encoded + width, x + user + past, rest * sizeof *y);
        memset(encoded, 0, width * sizeof *y);
        if (end == net->token_start[s]) continue;
        net_layer_norm_forward(&l->norm, net->weights + layer->at, from + (end - 1) * width, s, 1, width);
        memcpy(encoded, l->norm.z + s * width, width * sizeof *y);
    }
}

static void last_input(dq_net *net, net_layer *layer)
{
    const last_token *l = layer->own;
    size_t user, width = net->spec.encoder_width;
    float *dx = net_input_gradient(net, layer);
    (void)made(&net->spec, &user);
    memset(dx, 0, net->token_start[net->states] * width * sizeof *dx);
    memset(l->norm.dz, 0, net->states * width * sizeof *dx);
    for (size_t s = 0; s < net->states; s++) {
        size_t end = net->token_start[s + 1];
        if (end == net->token_start[s]) continue;
        memcpy(l->norm.dz + s * width, layer->dy + s * layer->out + user, width * sizeof *dx);
        net_layer_norm_back(&l->norm, net->weights + layer->at, s, 1, width, dx + (end - 1) * width);
    }
}

static void last_gradient(const dq_net *net, const net_layer *layer, size_t u0, size_t n, float *weight,
                          float *bias)
{
    const last_token *l = layer->own;
    (void)u0;
    (void)n;
    (void)bias;
    net_layer_norm_gradient(&l->norm, net->states, net->spec.encoder_width, weight);
}

const net_kind net_last_token = {last_forward, last_input, last_gradient, last_allocate, NULL};
