/* SPDX-License-Identifier: MIT
 *
 * From a spec to layers: the plan of the network is read here, top to bottom, in `build`.
 */
#include "net/mlp_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t history_width(const dq_mlp_spec *s)
{
    return (size_t)s->history * s->item_width;
}

/* What V sees where it has layers of its own. */
static size_t value_width(const dq_mlp_spec *s)
{
    return s->user_width ? s->user_width : s->input;
}

static dq_status check(const dq_mlp_spec *s, size_t max_rows, dq_error *error)
{
    if (s->input == 0 || max_rows == 0) return dq_fail(error, DQ_ERR_RANGE, "a network without input");
    if (s->hidden_count > DQ_MLP_MAX_HIDDEN)
        return dq_fail(error, DQ_ERR_RANGE, "a network has at most %d hidden layers, not %u",
                       DQ_MLP_MAX_HIDDEN, s->hidden_count);
    for (uint32_t l = 0; l < s->hidden_count; l++)
        if (s->hidden[l] == 0) return dq_fail(error, DQ_ERR_RANGE, "hidden layer %u has no units", l + 1);
    if (!(s->dropout >= 0 && s->dropout < 1))
        return dq_fail(error, DQ_ERR_RANGE, "dropout is in [0, 1), not %g", s->dropout);
    if (s->user_width + history_width(s) > s->input)
        return dq_fail(error, DQ_ERR_RANGE, "a state of %u numbers has no room for its user and history",
                       s->input);
    if (s->encoder != DQ_ENCODER_NONE && history_width(s) == 0)
        return dq_fail(error, DQ_ERR_RANGE, "an encoder needs a history in the state");
    if (s->encoder == DQ_ENCODER_ATTENTION && s->input == history_width(s))
        return dq_fail(error, DQ_ERR_RANGE, "attention needs a user, or something else beside the history");
    if (s->head == DQ_HEAD_OUTPUTS && s->outputs == 0)
        return dq_fail(error, DQ_ERR_RANGE, "a network without outputs");
    if (s->head == DQ_HEAD_ACTIONS && s->action_width == 0)
        return dq_fail(error, DQ_ERR_RANGE, "a head on actions needs vectors of actions");
    return DQ_OK;
}

/* ---- the plan ---- */

static mlp_layer *add(dq_mlp *net, const mlp_kind *kind, int from, size_t in, size_t out)
{
    mlp_layer *layer = &net->layers[net->layer_count++];
    bool before = from != MLP_STATES;
    *layer = (mlp_layer){.kind = kind,
                         .from = from,
                         .beside = from,
                         .in = in,
                         .out = out,
                         .at = net->count,
                         .number = (uint64_t)net->layer_count,
                         .wants = before && net->layers[from].wants,
                         .pairs = before && net->layers[from].pairs};
    return layer;
}

/* Names `rows` rows (0: a vector) of width numbers in the flat block of weights or statistics. */
static void name(dq_mlp *net, bool statistic, const char *layer, const char *part, size_t rows, size_t width)
{
    mlp_tensor *t = &net->tensors[net->tensor_count++];
    size_t *end = statistic ? &net->statistic_count : &net->count;
    *t = (mlp_tensor){.statistic = statistic, .dims = rows ? 2 : 1, .at = *end};
    snprintf(t->name, sizeof t->name, "%s.%s", layer, part);
    t->shape[0] = rows ? rows : width;
    t->shape[1] = rows ? width : 0;
    *end += (rows ? rows : 1) * width;
}

static int last(const dq_mlp *net)
{
    return net->layer_count - 1;
}

static mlp_layer *add_linear(dq_mlp *net, const mlp_kind *kind, const char *called, int from, size_t in,
                             size_t out)
{
    mlp_layer *layer = add(net, kind, from, in, out);
    name(net, false, called, "weight", out, in);
    name(net, false, called, "bias", 0, out);
    layer->wants = true;
    if (kind == &mlp_pair) layer->pairs = true;
    return layer;
}

/* A dense layer after the last; the first of a head on actions makes its rows pairs. */
static mlp_layer *add_dense(dq_mlp *net, const char *called, size_t in, size_t out)
{
    bool first = net->layer_count == 0 || !net->layers[last(net)].pairs;
    const mlp_kind *kind = first && net->spec.head == DQ_HEAD_ACTIONS ? &mlp_pair : &mlp_dense;
    return add_linear(net, kind, called, last(net), in, out);
}

/* V and A of one layer: its first outputs are A's, its last is V's, and so are its rows of weights. */
static void add_duelling_output(dq_mlp *net, size_t in)
{
    size_t actions = net->spec.outputs;
    add(net, &mlp_dense, last(net), in, actions + 1)->wants = true;
    name(net, false, "advantage", "weight", actions, in);
    name(net, false, "value", "weight", 1, in);
    name(net, false, "advantage", "bias", 0, actions);
    name(net, false, "value", "bias", 0, 1);
    add(net, &mlp_duel, last(net), actions + 1, actions);
}

static void add_hidden(dq_mlp *net, uint32_t i, size_t in)
{
    char called[32];
    size_t out = net->spec.hidden[i];
    snprintf(called, sizeof called, "hidden.%u", i);
    add_dense(net, called, in, out)->activates = !net->spec.batch_norm;
    if (!net->spec.batch_norm) return;
    mlp_layer *norm = add(net, &mlp_norm, last(net), out, out);
    snprintf(called, sizeof called, "norm.%u", i);
    norm->statistics = net->statistic_count;
    norm->activates = norm->wants = true;
    name(net, false, called, "weight", 0, out);
    name(net, false, called, "bias", 0, out);
    name(net, true, called, "running_mean", 0, out);
    name(net, true, called, "running_var", 0, out);
}

static size_t add_encoder(dq_mlp *net)
{
    const dq_mlp_spec *s = &net->spec;
    size_t item = s->item_width, rest = s->input - history_width(s);
    if (s->encoder == DQ_ENCODER_NONE) return s->input;
    if (s->encoder == DQ_ENCODER_MEAN) {
        add(net, &mlp_mean, MLP_STATES, s->input, rest + item);
        return rest + item;
    }
    add(net, &mlp_attention, MLP_STATES, s->input, rest + item)->wants = true;
    name(net, false, "attention.query", "weight", item, rest);
    name(net, false, "attention.query", "bias", 0, item);
    name(net, false, "attention.key", "weight", item, item);
    name(net, false, "attention.value", "weight", item, item);
    name(net, false, "attention.value", "bias", 0, item);
    return rest + item;
}

/* V with layers of its own, beside the chain that ends at `from`. */
static void add_value(dq_mlp *net, int from, size_t outputs)
{
    const dq_mlp_spec *s = &net->spec;
    size_t units = s->hidden_count ? s->hidden[s->hidden_count - 1] : value_width(s);
    add_linear(net, &mlp_dense, "values.hidden", MLP_STATES, value_width(s), units)->activates = true;
    add_linear(net, &mlp_dense, "values.output", last(net), units, 1);
    int value = last(net);
    add(net, &mlp_duel, from, outputs, outputs)->beside = value;
}

static void build(dq_mlp *net)
{
    const dq_mlp_spec *s = &net->spec;
    bool on_actions = s->head == DQ_HEAD_ACTIONS, apart = on_actions || s->encoder != DQ_ENCODER_NONE;
    size_t outputs = on_actions ? 1 : s->outputs, in = add_encoder(net);
    if (on_actions) in += s->action_width;
    for (uint32_t i = 0; i < s->hidden_count; in = s->hidden[i++]) add_hidden(net, i, in);
    if (s->dueling && !apart) {
        add_duelling_output(net, in);
        return;
    }
    add_dense(net, s->dueling ? "advantage" : "output", in, outputs);
    if (s->dueling) add_value(net, last(net), outputs);
}

/* ---- memory ---- */

static bool floats(dq_mlp *net, float **to, size_t n)
{
    return (*to = dq_arena_zero(&net->arena, n, sizeof **to)) != NULL;
}

static bool allocate(dq_mlp *net)
{
    size_t rows = net->max_rows;
    bool ok = floats(net, &net->weights, net->count) && floats(net, &net->gradient, net->count) &&
              floats(net, &net->m, net->count) && floats(net, &net->v, net->count) &&
              floats(net, &net->statistics, net->statistic_count);
    for (int l = 0; ok && l < net->layer_count; l++) {
        mlp_layer *layer = &net->layers[l];
        ok = floats(net, &layer->y, rows * layer->out) && floats(net, &layer->dy, rows * layer->out);
        if (ok && layer->kind == &mlp_pair) ok = mlp_pair_allocate(net, layer);
        if (ok && layer->kind == &mlp_attention) ok = mlp_attention_allocate(net, layer);
        if (ok && layer->kind == &mlp_norm) ok = mlp_norm_allocate(net, layer);
    }
    net->pair_state = ok ? dq_arena_zero(&net->arena, rows, sizeof *net->pair_state) : NULL;
    net->pair_action = ok ? dq_arena_zero(&net->arena, rows, sizeof *net->pair_action) : NULL;
    return net->pair_state && net->pair_action;
}

/* PyTorch's nn.Linear: weight and bias uniform in +-1/sqrt(fan in). A matrix says its fan in, and the bias
 * that follows has the same. nn.BatchNorm1d: 1 and 0; running variance 1. */
static void draw_weights(dq_mlp *net, dq_rng *rng)
{
    double bound = 0;
    for (unsigned i = 0; i < net->tensor_count; i++) {
        const mlp_tensor *t = &net->tensors[i];
        float *to = (t->statistic ? net->statistics : net->weights) + t->at;
        size_t n = t->shape[0] * (t->dims == 2 ? t->shape[1] : 1);
        bool norm = strncmp(t->name, "norm.", 5) == 0;
        if (t->dims == 2) bound = 1 / sqrt((double)t->shape[1]);
        for (size_t j = 0; j < n && !norm; j++) to[j] = (float)(bound * (2 * dq_rng_uniform(rng) - 1));
        bool one = norm && (strstr(t->name, ".weight") || strstr(t->name, "_var"));
        for (size_t j = 0; j < n && one; j++) to[j] = 1;
    }
}

dq_status dq_mlp_new(dq_mlp **out, const dq_mlp_spec *spec, size_t max_rows, dq_pool *pool, dq_rng *rng,
                     dq_error *error)
{
    *out = NULL;
    dq_status status = check(spec, max_rows, error);
    if (status) return status;
    dq_mlp *net = calloc(1, sizeof *net);
    if (!net) return dq_fail(error, DQ_ERR_MEMORY, "no memory for a network");
    net->spec = *spec;
    net->pool = pool;
    net->max_rows = max_rows > MLP_BLOCK ? max_rows : MLP_BLOCK;
    net->dropout = dq_dropout_new(spec->dropout);
    build(net);
    if (!allocate(net)) {
        size_t count = net->count;
        dq_mlp_free(net);
        return dq_fail(error, DQ_ERR_MEMORY, "no memory for a network of %zu weights", count);
    }
    draw_weights(net, rng);
    *out = net;
    return DQ_OK;
}

void dq_mlp_free(dq_mlp *net)
{
    if (!net) return;
    dq_arena_free(&net->arena);
    free(net);
}

const dq_mlp_spec *dq_mlp_get_spec(const dq_mlp *net)
{
    return &net->spec;
}

size_t dq_mlp_count(const dq_mlp *net)
{
    return net->count;
}

float *dq_mlp_weights(dq_mlp *net)
{
    return net->weights;
}

float *dq_mlp_gradient(dq_mlp *net)
{
    return net->gradient;
}

float *dq_mlp_moment1(dq_mlp *net)
{
    return net->m;
}

float *dq_mlp_moment2(dq_mlp *net)
{
    return net->v;
}

size_t dq_mlp_statistic_count(const dq_mlp *net)
{
    return net->statistic_count;
}

float *dq_mlp_statistics(dq_mlp *net)
{
    return net->statistics;
}

uint64_t *dq_mlp_steps(dq_mlp *net)
{
    return &net->steps;
}
