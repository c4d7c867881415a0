/* SPDX-License-Identifier: MIT */
#include "net/net.h"

#include "core/buffers.h"
#include "net/net_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FACTORED_SCALE 1.0F /* of a new factored head: at 9 its drawn cosines are louder than few labels */

/* ---- memory ---- */

static bool allocate_layer(dq_net *net, net_layer *layer)
{
    size_t rows = layer->pairs ? net->max_rows : layer->of_actions ? net->max_actions : net->max_states;
    size_t trained = layer->pairs ? net->max_rows : layer->of_actions ? net->max_acted : net->max_trained;
    bool slopes = layer->activates && net->spec.activation != DQ_RELU;
    const dq_buffer buffers[] = {
        DQ_BUFFER(layer->y, rows * layer->out),
        DQ_BUFFER(layer->dy, trained * layer->out),
        DQ_BUFFER(layer->slope, slopes ? trained * layer->out : 0),
    };
    if (!dq_buffers_take(&net->arena, buffers, DQ_BUFFERS(buffers))) return false;
    if (!slopes) layer->slope = NULL;
    return !layer->kind->allocate || layer->kind->allocate(net, layer);
}

static bool allocate_scratch(dq_net *net)
{
    size_t gradient = 0;
    for (const net_layer *l = net->layers; net->max_rows && l < net->layers + net->layer_count; l++) {
        size_t n = net_min(l->units, NET_GRADIENT) * (l->unit_width + 1);
        if (n > gradient) gradient = n;
    }
    for (unsigned t = 0; t < dq_pool_threads(net->pool); t++) {
        const dq_buffer buffer = DQ_BUFFER(net->scratch[t].gradient, gradient);
        if (!dq_buffers_take(&net->arena, &buffer, 1) ||
            (net_on_pairs(net) && !net_score_allocate(net, &net->scratch[t])))
            return false;
    }
    return true;
}

static bool allocate_slots(dq_net *net)
{
    return net_slots_init(&net->state_slots, net->max_pairs, net->max_states, &net->arena) &&
           net_slots_init(&net->action_slots, net->max_pairs, net->max_actions, &net->arena) &&
           net_slots_init(&net->met, NET_CHUNK, NET_CHUNK, &net->arena);
}

static bool allocate(dq_net *net)
{
    const dq_net_spec *s = &net->spec;
    size_t trained = net->max_rows ? net->count : 0, states = net->max_states, tiles = 0;
    bool pairs = net_on_pairs(net), bf16 = s->precision == DQ_PRECISION_BF16 && net->max_rows;
    for (const net_layer *l = net->layers; l < net->layers + net->layer_count; l++)
        tiles += net_tiles(l->units, NET_GRADIENT);
    const dq_buffer buffers[] = {
        DQ_BUFFER(net->weights, net->count),
        DQ_BUFFER(net->gradient, trained),
        DQ_BUFFER(net->m, trained),
        DQ_BUFFER(net->v, trained),
        DQ_BUFFER(net->statistics, net->statistic_count),
        DQ_BUFFER(net->rounded, bf16 ? net->count : 0),
        DQ_BUFFER(net->squares, tiles),
        DQ_BUFFER(net->state_at, states),
        DQ_BUFFER(net->x, s->sparse ? 0 : states * s->input),
        DQ_BUFFER(net->x_actions, pairs && !s->one_hot ? net->max_acted * s->action_width : 0),
        DQ_BUFFER(net->values, pairs ? states : 0),
        DQ_BUFFER(net->predicted, pairs ? (size_t)NET_CHUNK * s->outputs : 0),
        DQ_BUFFER(net->scratch, dq_pool_threads(net->pool)),
    };
    if (!dq_buffers_take(&net->arena, buffers, DQ_BUFFERS(buffers))) return false;
    if (!bf16) net->rounded = NULL;
    if (s->sparse && !net_nonzero_init(&net->nonzero, states, s->input, &net->arena)) return false;
    for (int l = 0; l < net->layer_count; l++)
        if (!allocate_layer(net, &net->layers[l])) return false;
    return (!pairs || allocate_slots(net)) && net_outer_allocate(net) && allocate_scratch(net);
}

/* What is not drawn. */
static bool starts_at(const net_tensor *t, float *start)
{
    bool norm = strstr(t->name, "norm"), factored = strstr(t->name, "log_scale");
    bool calibration = strncmp(t->name, "calibration.", 12) == 0;
    bool one = (norm && (strstr(t->name, ".weight") || strstr(t->name, "_var"))) ||
               strcmp(t->name, "calibration.scale") == 0;
    *start = factored ? logf(FACTORED_SCALE) : one ? 1 : 0;
    return norm || factored || calibration || strncmp(t->name, "direct.", 7) == 0;
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
        float start;
        bool constant = starts_at(t, &start);
        if (t->dims == 2) bound = 1 / sqrt((double)t->shape[1]);
        for (size_t j = 0; j < n; j++)
            to[j] = constant ? start : (float)(bound * (2 * dq_rng_uniform(rng) - 1));
    }
    if (net->spec.start_weight != 0) dq_net_start_at(net, net->spec.start_feature, net->spec.start_weight);
}

dq_status dq_net_new(dq_net **out, const dq_net_spec *spec, size_t max_rows, dq_pool *pool, dq_rng *rng,
                     dq_error *error)
{
    return dq_net_new_of_pairs(out, spec, max_rows, max_rows, max_rows, pool, rng, error);
}

dq_status dq_net_new_of_pairs(dq_net **out, const dq_net_spec *spec, size_t max_rows, size_t max_states,
                              size_t max_actions, dq_pool *pool, dq_rng *rng, dq_error *error)
{
    *out = NULL;
    dq_status status = net_check(spec, error);
    if (status) return status;
    dq_net *net = calloc(1, sizeof *net);
    if (!net) return dq_fail_memory(error, "a network");
    size_t min = spec->head == DQ_HEAD_ACTIONS ? NET_CHUNK : NET_BLOCK;
    net->spec = *spec;
    net->pool = pool;
    net->max_rows = max_rows;
    net->max_trained = max_states;
    net->max_states = max_states > min ? max_states : min;
    net->max_acted = max_actions;
    net->max_actions = max_actions > min ? max_actions : min;
    net->max_pairs = max_rows > min ? max_rows : min;
    net->dropout = dq_dropout_new(spec->dropout);
    net->input_dropout = dq_dropout_new(spec->input_dropout);
    net_plan(net);
    if (!allocate(net)) {
        size_t count = net->count;
        dq_net_free(net);
        return dq_fail_memory(error, "a network of %zu weights", count);
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

dq_status dq_net_clone(dq_net **clone, const dq_net *net, dq_error *error)
{
    dq_rng rng = dq_rng_new(0); /* of weights that are replaced at once */
    dq_status status = dq_net_new(clone, &net->spec, 0, net->pool, &rng, error);
    if (!status) dq_net_copy(*clone, net);
    return status;
}

/* ---- targets ---- */

void dq_net_copy(dq_net *to, const dq_net *from)
{
    net_weights_were_set(to);
    memcpy(to->weights, from->weights, to->count * sizeof *to->weights);
    memcpy(to->statistics, from->statistics, to->statistic_count * sizeof *to->statistics);
}

void dq_net_soft_update(dq_net *to, const dq_net *from, double tau)
{
    net_weights_were_set(to);
    dq_vec_soft_update(to->weights, from->weights, (float)tau, to->count);
    memcpy(to->statistics, from->statistics, to->statistic_count * sizeof *to->statistics);
}

void dq_net_reset_optimizer(dq_net *net)
{
    if (!net->max_rows || !net->steps) return; /* pages that no step has touched stay so */
    memset(net->m, 0, net->count * sizeof *net->m);
    memset(net->v, 0, net->count * sizeof *net->v);
    net->steps = 0;
    net_outer_reset(net);
}
