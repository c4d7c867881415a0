/* SPDX-License-Identifier: MIT
 *
 * A network at work: passes through its layers, and the step of its weights.
 */
#include "net/mlp_impl.h"

#include <math.h>
#include <string.h>

enum { STEP_TILE = 16384, NORM_BLOCK = 4096 };

const float *dq_mlp_forward(dq_mlp *net, const float *x, size_t n, const dq_mlp_pairs *pairs, dq_rng *rng)
{
    net->x = x;
    net->states = n;
    net->rows = pairs ? pairs->rows : n;
    if (pairs) net->pairs = *pairs;
    net->training = rng != NULL;
    if (rng && net->dropout.cut > 0) net->seed = dq_rng_u64(rng);
    for (int l = 0; l < net->layer_count; l++) net->layers[l].kind->forward(net, &net->layers[l]);
    return net->layers[net->layer_count - 1].y;
}

void dq_mlp_backward(dq_mlp *net, const float *dy)
{
    mlp_layer *last = &net->layers[net->layer_count - 1];
    memcpy(last->dy, dy, mlp_rows(net, last) * last->out * sizeof *dy);
    for (int l = net->layer_count - 1; l >= 0; l--)
        if (net->layers[l].wants) net->layers[l].kind->backward(net, &net->layers[l]);
}

static void clip_values(float *g, size_t n, float most)
{
    for (size_t i = 0; i < n; i++) g[i] = fminf(fmaxf(g[i], -most), most);
}

static double norm_of(const float *g, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i += NORM_BLOCK) {
        size_t some = n - i < NORM_BLOCK ? n - i : NORM_BLOCK;
        sum += (double)dq_vec_dot(g + i, g + i, some);
    }
    return sqrt(sum);
}

typedef struct step {
    dq_mlp *net;
    dq_adam_step adam;
} step;

static void step_tile(void *arg, size_t tile, unsigned thread)
{
    (void)thread;
    const step *s = arg;
    dq_mlp *net = s->net;
    size_t at = tile * STEP_TILE, n = net->count - at < STEP_TILE ? net->count - at : STEP_TILE;
    dq_adam_apply(&s->adam, net->weights + at, net->m + at, net->v + at, net->gradient + at, n);
}

double dq_mlp_step(dq_mlp *net, const dq_adam *adam, double clip_norm, double clip_value)
{
    double norm = norm_of(net->gradient, net->count);
    if (!isfinite(norm)) return norm; /* the weights stay as they were */
    if (clip_value > 0) clip_values(net->gradient, net->count, (float)clip_value);
    double left = clip_value > 0 && clip_norm > 0 ? norm_of(net->gradient, net->count) : norm;
    if (clip_norm > 0 && left > clip_norm) {
        float scale = (float)(clip_norm / (left + 1e-6)); /* as PyTorch's clip_grad_norm_ */
        dq_vec_scale(net->gradient, scale, net->count);
    }
    step s = {net, dq_adam_begin(adam, ++net->steps)};
    size_t tiles = (net->count + STEP_TILE - 1) / STEP_TILE;
    if (tiles <= 2)
        for (size_t i = 0; i < tiles; i++) step_tile(&s, i, 0);
    else
        dq_pool_run(net->pool, step_tile, &s, tiles);
    return norm;
}

/* ---- any number of states ---- */

static void predict_outputs(dq_mlp *net, const float *x, size_t n, float *out)
{
    size_t width = net->spec.outputs, input = net->spec.input;
    for (size_t i = 0; i < n; i += net->max_rows) {
        size_t some = n - i < net->max_rows ? n - i : net->max_rows;
        const float *y = dq_mlp_forward(net, x + i * input, some, NULL, NULL);
        memcpy(out + i * width, y, some * width * sizeof *y);
    }
}

void dq_mlp_predict(dq_mlp *net, const float *x, size_t n, const float *actions, size_t count, float *out)
{
    if (net->spec.head == DQ_HEAD_OUTPUTS) {
        predict_outputs(net, x, n, out);
        return;
    }
    dq_mlp_pairs pairs = {.state = net->pair_state, .action = net->pair_action, .actions = actions};
    for (size_t from = 0; from < n * count; from += pairs.rows) {
        size_t left = n * count - from, first = from / count;
        pairs.rows = left < net->max_rows ? left : net->max_rows;
        for (size_t r = 0; r < pairs.rows; r++) {
            net->pair_state[r] = (uint32_t)((from + r) / count - first);
            net->pair_action[r] = (uint32_t)((from + r) % count);
        }
        size_t states = net->pair_state[pairs.rows - 1] + 1;
        const float *y = dq_mlp_forward(net, x + first * net->spec.input, states, &pairs, NULL);
        memcpy(out + from, y, pairs.rows * sizeof *y);
    }
}

/* ---- targets ---- */

void dq_mlp_copy(dq_mlp *to, const dq_mlp *from)
{
    memcpy(to->weights, from->weights, to->count * sizeof *to->weights);
    memcpy(to->statistics, from->statistics, to->statistic_count * sizeof *to->statistics);
}

void dq_mlp_follow(dq_mlp *to, const dq_mlp *from, double tau)
{
    dq_vec_follow(to->weights, from->weights, (float)tau, to->count);
    memcpy(to->statistics, from->statistics, to->statistic_count * sizeof *to->statistics);
}

void dq_mlp_forget(dq_mlp *net)
{
    memset(net->m, 0, net->count * sizeof *net->m);
    memset(net->v, 0, net->count * sizeof *net->v);
    net->steps = 0;
}
