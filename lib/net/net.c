/* SPDX-License-Identifier: MIT */
#include "net/net.h"

#include "net/net_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory ---- */

static bool floats(dq_net *net, float **to, size_t n)
{
    return (*to = dq_arena_zero(&net->arena, n, sizeof **to)) != NULL;
}

static bool allocate_layer(dq_net *net, net_layer *layer)
{
    size_t rows = layer->pairs ? net->max_rows : net->max_states;
    size_t trained = layer->pairs ? net->max_rows : net->max_trained;
    bool ok = floats(net, &layer->y, rows * layer->out) && floats(net, &layer->dy, trained * layer->out);
    if (ok && layer->activates && net->spec.activation != DQ_RELU)
        ok = floats(net, &layer->slope, trained * layer->out);
    if (ok && layer->kind == &net_pair) ok = net_pair_allocate(net, layer);
    if (ok && layer->kind == &net_attention) ok = net_attention_allocate(net, layer);
    if (ok && layer->kind == &net_norm) ok = net_norm_allocate(net, layer);
    return ok;
}

static bool allocate_scratch(dq_net *net)
{
    unsigned threads = dq_pool_threads(net->pool);
    size_t gradient = 0;
    for (const net_layer *l = net->layers; l < net->layers + net->layer_count; l++) {
        size_t units = net_min(l->units, NET_GRADIENT), n = net->max_rows ? units * (l->unit_width + 1) : 0;
        if (n > gradient) gradient = n;
    }
    net->scratch = dq_arena_zero(&net->arena, threads, sizeof *net->scratch);
    for (unsigned t = 0; net->scratch && t < threads; t++)
        if (!floats(net, &net->scratch[t].gradient, gradient) ||
            (net_on_pairs(net) && !net_score_allocate(net, &net->scratch[t])))
            return false;
    return net->scratch;
}

static bool allocate_states(dq_net *net)
{
    size_t n = net->max_states, width = net->spec.input;
    net->state_at = dq_arena_zero(&net->arena, n, sizeof *net->state_at);
    if (!net->state_at) return false;
    if (net->spec.sparse) return net_nonzero_init(&net->nonzero, n, width, &net->arena);
    return floats(net, &net->x, n * width);
}

static bool allocate(dq_net *net)
{
    size_t tiles = 0;
    bool ok = floats(net, &net->weights, net->count) && floats(net, &net->statistics, net->statistic_count) &&
              allocate_states(net);
    if (ok && net->max_rows)
        ok = floats(net, &net->gradient, net->count) && floats(net, &net->m, net->count) &&
             floats(net, &net->v, net->count);
    for (int l = 0; ok && l < net->layer_count; l++) {
        ok = allocate_layer(net, &net->layers[l]);
        tiles += net_tiles(net->layers[l].units, NET_GRADIENT);
    }
    if (ok && net_on_pairs(net))
        ok = floats(net, &net->values, net->max_states) &&
             floats(net, &net->predicted, (size_t)NET_CHUNK * net->spec.outputs) &&
             net_slots_init(&net->state_slots, net->max_actions, net->max_states, &net->arena) &&
             net_slots_init(&net->action_slots, net->max_actions, net->max_actions, &net->arena) &&
             net_slots_init(&net->met, NET_CHUNK, NET_CHUNK, &net->arena);
    net->squares = ok ? dq_arena_zero(&net->arena, tiles, sizeof *net->squares) : NULL;
    return net->squares && allocate_scratch(net);
}

/* PyTorch's nn.Linear: weight and bias uniform in +-1/sqrt(fan in). A matrix says its fan in, and the biases
 * that follow have the same. nn.BatchNorm1d: 1 and 0; running variance 1. */
static void draw_weights(dq_net *net, dq_rng *rng)
{
    double bound = 0;
    for (unsigned i = 0; i < net->tensor_count; i++) {
        const net_tensor *t = &net->tensors[i];
        float *to = (t->statistic ? net->statistics : net->weights) + t->at;
        size_t n = t->shape[0] * (t->dims == 2 ? t->shape[1] : 1);
        bool norm = strstr(t->name, "norm.");
        if (t->dims == 2) bound = 1 / sqrt((double)t->shape[1]);
        for (size_t j = 0; j < n && !norm; j++) to[j] = (float)(bound * (2 * dq_rng_uniform(rng) - 1));
        bool one = norm && (strstr(t->name, ".weight") || strstr(t->name, "_var"));
        for (size_t j = 0; j < n && one; j++) to[j] = 1;
    }
}

dq_status dq_net_new(dq_net **out, const dq_net_spec *spec, size_t max_rows, dq_pool *pool, dq_rng *rng,
                     dq_error *error)
{
    return dq_net_new_of_states(out, spec, max_rows, max_rows, pool, rng, error);
}

static size_t at_least(size_t n, size_t min)
{
    return n > min ? n : min;
}

dq_status dq_net_new_of_states(dq_net **out, const dq_net_spec *spec, size_t max_rows, size_t max_states,
                               dq_pool *pool, dq_rng *rng, dq_error *error)
{
    *out = NULL;
    dq_status status = net_check(spec, error);
    if (status) return status;
    dq_net *net = calloc(1, sizeof *net);
    if (!net) return dq_fail(error, DQ_ERR_MEMORY, "no memory for a network");
    size_t min = spec->head == DQ_HEAD_ACTIONS ? NET_CHUNK : NET_BLOCK;
    net->spec = *spec;
    net->pool = pool;
    net->max_rows = max_rows;
    net->max_trained = max_states;
    net->max_states = at_least(max_states, min);
    net->max_actions = at_least(max_rows, min);
    net->dropout = dq_dropout_new(spec->dropout);
    net_plan(net);
    if (!allocate(net)) {
        size_t count = net->count;
        dq_net_free(net);
        return dq_fail(error, DQ_ERR_MEMORY, "no memory for a network of %zu weights", count);
    }
    draw_weights(net, rng);
    *out = net;
    return DQ_OK;
}

void dq_net_free(dq_net *net)
{
    if (!net) return;
    dq_arena_free(&net->arena);
    free(net);
}

/* ---- targets ---- */

void dq_net_copy(dq_net *to, const dq_net *from)
{
    memcpy(to->weights, from->weights, to->count * sizeof *to->weights);
    memcpy(to->statistics, from->statistics, to->statistic_count * sizeof *to->statistics);
}

void dq_net_soft_update(dq_net *to, const dq_net *from, double tau)
{
    dq_vec_soft_update(to->weights, from->weights, (float)tau, to->count);
    memcpy(to->statistics, from->statistics, to->statistic_count * sizeof *to->statistics);
}

void dq_net_reset_optimizer(dq_net *net)
{
    if (!net->m) return;
    memset(net->m, 0, net->count * sizeof *net->m);
    memset(net->v, 0, net->count * sizeof *net->v);
    net->steps = 0;
}

/* ---- what it holds ---- */

const dq_net_spec *dq_net_get_spec(const dq_net *net)
{
    return &net->spec;
}

size_t dq_net_count(const dq_net *net)
{
    return net->count;
}

float *dq_net_weights(dq_net *net)
{
    return net->weights;
}

float *dq_net_gradient(dq_net *net)
{
    return net->gradient;
}

float *dq_net_moment1(dq_net *net)
{
    return net->m;
}

float *dq_net_moment2(dq_net *net)
{
    return net->v;
}

size_t dq_net_statistic_count(const dq_net *net)
{
    return net->statistic_count;
}

float *dq_net_statistics(dq_net *net)
{
    return net->statistics;
}

uint64_t *dq_net_steps(dq_net *net)
{
    return &net->steps;
}
