/* SPDX-License-Identifier: MIT
 *
 * From a spec to layers: the plan of the network is read here, bottom to top, and in net_plan as a whole.
 */
#include "net/net_impl.h"

#include <math.h>
#include <stdio.h>

static size_t history_width(const dq_net_spec *s)
{
    return (size_t)s->history * s->item_width;
}

/* What V sees where it stands apart. */
static size_t value_width(const dq_net_spec *s)
{
    return s->user_width ? s->user_width : s->input;
}

/* ---- what fits together ---- */

static dq_status check_hidden(const uint32_t *hidden, uint32_t count, dq_error *error)
{
    if (count > DQ_NET_MAX_HIDDEN)
        return dq_fail(error, DQ_ERR_RANGE, "a network has at most %d hidden layers, not %u",
                       DQ_NET_MAX_HIDDEN, count);
    for (uint32_t l = 0; l < count; l++)
        if (hidden[l] == 0) return dq_fail(error, DQ_ERR_RANGE, "hidden layer %u has no units", l + 1);
    return DQ_OK;
}

static bool is_transformer(const dq_net_spec *s)
{
    return s->encoder == DQ_ENCODER_SASREC || s->encoder == DQ_ENCODER_TRAJECTORY;
}

static dq_status check_transformer(const dq_net_spec *s, dq_error *error)
{
    bool trajectory = s->encoder == DQ_ENCODER_TRAJECTORY;
    if (!is_transformer(s)) {
        if (!s->blocks && !s->heads && !s->encoder_width && !s->step_state) return DQ_OK;
        return dq_fail(error, DQ_ERR_RANGE, "blocks and heads are those of an encoder that is a transformer");
    }
    if (s->blocks == 0 || s->blocks > DQ_NET_MAX_BLOCKS || s->heads == 0 || s->heads > DQ_NET_MAX_HEADS)
        return dq_fail(error, DQ_ERR_RANGE, "%u blocks of %u heads: a transformer has at most %d of %d",
                       s->blocks, s->heads, DQ_NET_MAX_BLOCKS, DQ_NET_MAX_HEADS);
    if (s->encoder_width == 0 || s->encoder_width > DQ_NET_MAX_ENCODER_WIDTH || s->encoder_width % s->heads)
        return dq_fail(error, DQ_ERR_RANGE, "an encoder %u wide has no %u heads, or more than %d numbers",
                       s->encoder_width, s->heads, DQ_NET_MAX_ENCODER_WIDTH);
    uint64_t tokens = s->history <= DQ_NET_MAX_TOKENS ? net_most_tokens(s) : UINT32_MAX;
    if (tokens > DQ_NET_MAX_TOKENS || tokens * s->encoder_width > DQ_NET_MAX_SEQUENCE ||
        tokens * tokens * s->heads > DQ_NET_MAX_SHARES)
        return dq_fail(error, DQ_ERR_RANGE,
                       "a history of %u is too long for a transformer %u wide with %u heads", s->history,
                       s->encoder_width, s->heads);
    bool splits = s->step_state > 0 && s->item_width > 3 && s->step_state <= s->item_width - 3;
    if (trajectory ? !splits : s->step_state != 0)
        return dq_fail(error, DQ_ERR_RANGE, "a step of %u numbers, of which the state is %u", s->item_width,
                       s->step_state);
    return DQ_OK;
}

static dq_status check_state(const dq_net_spec *s, dq_error *error)
{
    if (s->user_width + history_width(s) > s->input)
        return dq_fail(error, DQ_ERR_RANGE, "a state of %u numbers has no room for its user and history",
                       s->input);
    if (s->encoder != DQ_ENCODER_NONE && history_width(s) == 0)
        return dq_fail(error, DQ_ERR_RANGE, "an encoder needs a history in the state");
    if (s->encoder == DQ_ENCODER_ATTENTION && s->input == history_width(s))
        return dq_fail(error, DQ_ERR_RANGE, "attention needs a user, or something else beside the history");
    if (s->encoder != DQ_ENCODER_NONE && s->sparse)
        return dq_fail(error, DQ_ERR_RANGE, "an encoder reads whole states, not sparse ones");
    return check_transformer(s, error);
}

static dq_status check_features(const dq_net_spec *s, dq_error *error)
{
    if (s->feature_count > DQ_NET_MAX_FEATURES)
        return dq_fail(error, DQ_ERR_RANGE, "a network has at most %d features of pairs, not %u",
                       DQ_NET_MAX_FEATURES, s->feature_count);
    if (s->feature_count && (s->head != DQ_HEAD_ACTIONS || s->one_hot))
        return dq_fail(error, DQ_ERR_RANGE,
                       "cross features compare a state with an action's vector: they need a head on actions");
    for (const dq_pairing *f = s->features; f < s->features + s->feature_count; f++)
        if (f->width == 0 || (uint64_t)f->user_offset + f->width > s->input ||
            (uint64_t)f->item_offset + f->width > s->action_width)
            return dq_fail(error, DQ_ERR_RANGE, "a feature of ranges outside the vectors");
    if (s->given > DQ_NET_MAX_GIVEN || (s->given && (s->head != DQ_HEAD_ACTIONS || s->one_hot)))
        return dq_fail(error, DQ_ERR_RANGE, "%u given features of pairs: a head on actions takes up to %d",
                       s->given, DQ_NET_MAX_GIVEN);
    if (!(fabs(s->feature_scale) <= 1e6) || !(fabs(s->start_weight) <= 1e6))
        return dq_fail(error, DQ_ERR_RANGE, "features times %g, and a first weight of %g", s->feature_scale,
                       s->start_weight);
    return DQ_OK;
}

/* What stands beside the hidden layers of a head on actions. */
static dq_status check_beside(const dq_net_spec *s, dq_error *error)
{
    bool one = s->head == DQ_HEAD_ACTIONS && !s->one_hot && s->outputs == 1;
    size_t features = net_feature_count(s);
    if ((s->direct || s->factored || s->calibrated) && !one)
        return dq_fail(
            error, DQ_ERR_RANGE,
            "a factored head, features added to the output and a calibration are of one output for "
            "a state and an action's vector");
    if (s->hidden_inputs > DQ_HIDDEN_OF_FEATURES)
        return dq_fail(error, DQ_ERR_RANGE, "no such hidden inputs");
    if ((s->direct || s->hidden_inputs == DQ_HIDDEN_OF_FEATURES) && features == 0)
        return dq_fail(error, DQ_ERR_RANGE, "a network of features, and there are none");
    if (s->hidden_inputs == DQ_HIDDEN_OF_FEATURES && (s->head != DQ_HEAD_ACTIONS || s->encoder))
        return dq_fail(error, DQ_ERR_RANGE, "hidden layers on features alone leave nothing to an encoder");
    if (s->start_weight != 0 && (!s->direct || s->start_feature >= features))
        return dq_fail(error, DQ_ERR_RANGE, "feature %u is none that is added to the output",
                       s->start_feature);
    if (s->factored > DQ_NET_MAX_WIDTH || (s->factored && s->encoder != DQ_ENCODER_NONE))
        return dq_fail(error, DQ_ERR_RANGE, "a factored head reads whole states: there is no encoder");
    if (!(s->input_dropout >= 0 && s->input_dropout < 1) || (s->input_dropout > 0 && s->sparse))
        return dq_fail(error, DQ_ERR_RANGE, "dropout of inputs is in [0, 1), and not of sparse states");
    return DQ_OK;
}

static dq_status check_head(const dq_net_spec *s, dq_error *error)
{
    if (s->outputs == 0) return dq_fail(error, DQ_ERR_RANGE, "a network without outputs");
    if (s->head == DQ_HEAD_ACTIONS && s->action_width == 0)
        return dq_fail(error, DQ_ERR_RANGE, "a head on actions needs vectors of them, and there are none");
    if (s->head != DQ_HEAD_ACTIONS && s->one_hot)
        return dq_fail(error, DQ_ERR_RANGE, "a head with one output an action reads no actions");
    if (s->head == DQ_HEAD_ACTIONS && s->dueling && s->outputs > 1)
        return dq_fail(error, DQ_ERR_RANGE, "dueling on pairs is of one output, not %u", s->outputs);
    if (s->value_hidden_count && !s->dueling)
        return dq_fail(error, DQ_ERR_RANGE, "hidden layers of V need dueling");
    dq_status status = check_features(s, error);
    return status ? status : check_beside(s, error);
}

dq_status net_check(const dq_net_spec *s, dq_error *error)
{
    if (s->input == 0) return dq_fail(error, DQ_ERR_RANGE, "a network without input");
    if (!(s->dropout >= 0 && s->dropout < 1))
        return dq_fail(error, DQ_ERR_RANGE, "dropout is in [0, 1), not %g", s->dropout);
    if (s->dropout_layers > 2 * DQ_NET_MAX_HIDDEN)
        return dq_fail(error, DQ_ERR_RANGE, "dropout behind the first %u hidden layers", s->dropout_layers);
    if (s->activation > DQ_TANH) return dq_fail(error, DQ_ERR_RANGE, "no such activation");
    dq_status status = check_hidden(s->hidden, s->hidden_count, error);
    if (!status) status = check_hidden(s->value_hidden, s->value_hidden_count, error);
    if (!status) status = check_state(s, error);
    return status ? status : check_head(s, error);
}

/* ---- layers and their names ---- */

/* Some units of a layer that another reads. */
typedef struct source {
    int layer;
    size_t at;
} source;

static source last(const dq_net *net)
{
    return (source){net->layer_count - 1, 0};
}

static net_layer *add(dq_net *net, const net_kind *kind, source from, size_t in, size_t out)
{
    net_layer *layer = &net->layers[net->layer_count++];
    bool before = from.layer != NET_STATES;
    *layer = (net_layer){.kind = kind,
                         .from = from.layer,
                         .from_at = from.at,
                         .beside = from.layer,
                         .in = in,
                         .out = out,
                         .at = net->count,
                         .number = (uint64_t)net->layer_count - (net->features >= 0),
                         .depth = before ? net->layers[from.layer].depth : 0,
                         .wants = before && net->layers[from.layer].wants,
                         .pairs = before && net->layers[from.layer].pairs};
    return layer;
}

/* Names `rows` rows (0: a vector) of width numbers in the flat block of weights or statistics. */
static void name(dq_net *net, bool statistic, const char *layer, const char *part, size_t rows, size_t width)
{
    net_tensor *t = &net->tensors[net->tensor_count++];
    size_t *end = statistic ? &net->statistic_count : &net->count;
    *t = (net_tensor){.statistic = statistic, .dims = rows ? 2 : 1, .at = *end};
    snprintf(t->name, sizeof t->name, "%s.%s", layer, part);
    t->shape[0] = rows ? rows : width;
    t->shape[1] = rows ? width : 0;
    *end += (rows ? rows : 1) * width;
}

/* A Linear whose units have one name, or some and then others. */
typedef struct units {
    const char *name, *others;
    size_t count, other_count;
} units;

static void name_units(dq_net *net, bool statistic, const units *u, const char *part, size_t width)
{
    name(net, statistic, u->name, part, width ? u->count : 0, width ? width : u->count);
    if (u->others)
        name(net, statistic, u->others, part, width ? u->other_count : 0, width ? width : u->other_count);
}

/* The first of a head on actions makes its rows pairs. */
static net_layer *add_linear(dq_net *net, source from, size_t in, const units *u, bool of_pairs)
{
    bool first = of_pairs && !(from.layer != NET_STATES && net->layers[from.layer].pairs);
    size_t out = u->count + u->other_count;
    net_layer *layer = add(net, first ? &net_pair : &net_dense, from, in, out);
    layer->units = out;
    layer->unit_width = in;
    layer->has_bias = layer->wants = true;
    layer->pairs = of_pairs;
    name_units(net, false, u, "weight", in);
    name_units(net, false, u, "bias", 0);
    return layer;
}

/* A hidden layer with its norm, called by `u`; the norm's names are `norms`. */
static void add_hidden(dq_net *net, source from, size_t in, const units *u, const units *norms, bool of_pairs)
{
    net_layer *linear = add_linear(net, from, in, u, of_pairs);
    size_t out = linear->out;
    bool drops = ++linear->depth <= net->spec.dropout_layers || !net->spec.dropout_layers;
    linear->activates = !norms;
    linear->drops = drops && !norms;
    if (!norms) return;
    net_layer *norm = add(net, &net_norm, last(net), out, out);
    norm->statistics = net->statistic_count;
    norm->activates = norm->wants = norm->has_bias = true;
    norm->drops = drops;
    norm->units = out;
    norm->unit_width = 1;
    name_units(net, false, norms, "weight", 0);
    name_units(net, false, norms, "bias", 0);
    name_units(net, true, norms, "running_mean", 0);
    name_units(net, true, norms, "running_var", 0);
}

/* Hidden layer i of one stream, or of both. */
static void add_level(dq_net *net, const char *stream, const char *other, uint32_t i, source from, size_t in,
                      size_t out, bool normed, bool of_pairs)
{
    char names[4][40];
    const char *streams[] = {stream, other ? other : ""};
    for (int s = 0; s < 2; s++) {
        snprintf(names[s], sizeof names[s], "%shidden.%u", streams[s], i);
        snprintf(names[2 + s], sizeof names[2 + s], "%snorm.%u", streams[s], i);
    }
    units u = {names[0], other ? names[1] : NULL, out, other ? out : 0}, norms = u;
    norms.name = names[2];
    norms.others = other ? names[3] : NULL;
    add_hidden(net, from, in, &u, normed ? &norms : NULL, of_pairs);
}

/* ---- encoders ---- */

/* A layer whose weights, of all names since it was added, are few, and made together. */
static void made_together(dq_net *net, net_layer *layer)
{
    layer->wants = true;
    layer->units = 1;
    layer->unit_width = net->count - layer->at;
}

static void name_linear(dq_net *net, const char *layer, size_t out, size_t in)
{
    name(net, false, layer, "weight", out, in);
    name(net, false, layer, "bias", 0, out);
}

static void name_layer_norm(dq_net *net, const char *layer, size_t width)
{
    name(net, false, layer, "weight", 0, width);
    name(net, false, layer, "bias", 0, width);
}

/* Tokens of the history, or of the steps that it is. */
static void add_tokens(dq_net *net)
{
    const dq_net_spec *s = &net->spec;
    const source states = {NET_STATES, 0};
    size_t width = s->encoder_width, action = s->item_width - 2 - s->step_state;
    bool trajectory = s->encoder == DQ_ENCODER_TRAJECTORY;
    const net_kind *kind = trajectory ? &net_trajectory : &net_tokens;
    net_layer *layer = add(net, kind, states, s->input, net_most_tokens(s) * width);
    if (trajectory) {
        name_linear(net, "encoder.return", width, 1);
        name_linear(net, "encoder.state", width, s->step_state);
        name_linear(net, "encoder.action", width, action);
    } else {
        name(net, false, "encoder.item", "weight", width, s->item_width);
    }
    name(net, false, "encoder.position", "weight", s->history, width);
    if (trajectory) name_layer_norm(net, "encoder.embed_norm", width);
    made_together(net, layer);
}

static void add_block(dq_net *net, uint32_t i)
{
    size_t width = net->spec.encoder_width, tokens = net->layers[net->layer_count - 1].out;
    char part[60];
    net_layer *layer = add(net, &net_self_attention, last(net), tokens, tokens);
    (void)snprintf(part, sizeof part, "encoder.layers.%u.norm1", i);
    name_layer_norm(net, part, width);
    (void)snprintf(part, sizeof part, "encoder.layers.%u.self_attn", i);
    name(net, false, part, "in_proj_weight", 3 * width, width);
    name(net, false, part, "in_proj_bias", 0, 3 * width);
    (void)snprintf(part, sizeof part, "encoder.layers.%u.self_attn.out_proj", i);
    name_linear(net, part, width, width);
    made_together(net, layer);
    layer = add(net, &net_feed_forward, last(net), tokens, tokens);
    (void)snprintf(part, sizeof part, "encoder.layers.%u.norm2", i);
    name_layer_norm(net, part, width);
    (void)snprintf(part, sizeof part, "encoder.layers.%u.linear1", i);
    name_linear(net, part, NET_INNER * width, width);
    (void)snprintf(part, sizeof part, "encoder.layers.%u.linear2", i);
    name_linear(net, part, width, NET_INNER * width);
    made_together(net, layer);
}

static size_t add_transformer(dq_net *net)
{
    const dq_net_spec *s = &net->spec;
    size_t rest = s->input - history_width(s), width = s->encoder_width;
    add_tokens(net);
    for (uint32_t i = 0; i < s->blocks; i++) add_block(net, i);
    net_layer *layer = add(net, &net_last_token, last(net), net->layers[net->layer_count - 1].out,
                           rest + width);
    name_layer_norm(net, "encoder.norm", width);
    made_together(net, layer);
    return rest + width;
}

static size_t add_encoder(dq_net *net, source *encoded)
{
    const dq_net_spec *s = &net->spec;
    size_t item = s->item_width, rest = s->input - history_width(s);
    const source states = {NET_STATES, 0};
    *encoded = states;
    if (s->encoder == DQ_ENCODER_NONE) return s->input;
    if (is_transformer(s)) {
        size_t width = add_transformer(net);
        *encoded = last(net);
        return width;
    }
    encoded->layer = net->layer_count;
    if (s->encoder == DQ_ENCODER_MEAN) {
        add(net, &net_mean, states, s->input, rest + item);
        return rest + item;
    }
    net_layer *layer = add(net, &net_attention, states, s->input, rest + item);
    name(net, false, "attention.query", "weight", item, rest);
    name(net, false, "attention.query", "bias", 0, item);
    name(net, false, "attention.key", "weight", item, item);
    name(net, false, "attention.value", "weight", item, item);
    name(net, false, "attention.value", "bias", 0, item);
    made_together(net, layer);
    return rest + item;
}

/* ---- dueling ---- */

/* The hidden layers of each stream: its own, or one as wide as the last. */
static uint32_t stream_layers(const dq_net_spec *s, const uint32_t **widths)
{
    *widths = s->value_hidden_count ? s->value_hidden
                                    : s->hidden + (s->hidden_count ? s->hidden_count - 1 : 0);
    return s->value_hidden_count ? s->value_hidden_count : s->hidden_count > 0;
}

static void add_duel(dq_net *net, source advantage, source value, size_t outputs)
{
    net_layer *duel = add(net, &net_duel, advantage, outputs, outputs);
    duel->beside = value.layer;
    duel->beside_at = value.at;
    duel->wants = true;
}

/* V apart: on the user, or the whole state. */
static void add_value_apart(dq_net *net, source advantage, size_t outputs)
{
    const uint32_t *widths;
    uint32_t count = stream_layers(&net->spec, &widths);
    source from = {NET_STATES, 0};
    size_t in = value_width(&net->spec);
    for (uint32_t i = 0; i < (count ? count : 1); in = net->layers[from.layer].out, i++) {
        add_level(net, "value.", NULL, i, from, in, count ? widths[i] : in, false, false);
        from = last(net);
    }
    add_linear(net, from, in, &(units){"value.output", NULL, 1, 0}, false);
    add_duel(net, advantage, last(net), outputs);
}

/* V and A on what the shared layers have made. The first layers of both are one, and so are the outputs where
 * there is no other: A's units come first. */
static void add_streams(dq_net *net, size_t in)
{
    const uint32_t *widths;
    uint32_t count = stream_layers(&net->spec, &widths);
    size_t outputs = net->spec.outputs;
    source advantage = last(net), value = advantage;
    for (uint32_t i = 0; i < count; in = widths[i++]) {
        bool normed = net->spec.batch_norm;
        if (i == 0) {
            add_level(net, "advantage.", "value.", 0, advantage, in, widths[0], normed, false);
            advantage = value = last(net);
            value.at = widths[0];
        } else {
            add_level(net, "advantage.", NULL, i, advantage, in, widths[i], normed, false);
            advantage = last(net);
            add_level(net, "value.", NULL, i, value, in, widths[i], normed, false);
            value = last(net);
        }
    }
    if (count == 0) {
        add_linear(net, advantage, in, &(units){"advantage.output", "value.output", outputs, 1}, false);
        add_duel(net, last(net), (source){net->layer_count - 1, outputs}, outputs);
        return;
    }
    add_linear(net, advantage, in, &(units){"advantage.output", NULL, outputs, 0}, false);
    advantage = last(net);
    add_linear(net, value, in, &(units){"value.output", NULL, 1, 0}, false);
    add_duel(net, advantage, last(net), outputs);
}

/* ---- beside the hidden layers of pairs ---- */

static void add_features(dq_net *net)
{
    int at = net->layer_count;
    if (net_feature_count(&net->spec) == 0) return;
    add(net, &net_features, (source){NET_STATES, 0}, net->spec.input, net_feature_count(&net->spec))->pairs =
        true;
    net->features = at;
}

/* Each of them adds to the output before it. */
static void add_direct(dq_net *net)
{
    net_layer *layer = add(net, &net_direct, last(net), 1, 1);
    layer->beside = net->features;
    layer->units = 1;
    layer->unit_width = net_feature_count(&net->spec);
    layer->wants = true;
    name(net, false, "direct", "weight", 1, layer->unit_width);
}

static void add_projection(dq_net *net, const net_kind *kind, const char *called, size_t in)
{
    net_layer *layer = add(net, kind, (source){NET_STATES, 0}, in, net->spec.factored);
    layer->of_actions = kind == &net_project_actions;
    layer->units = layer->out;
    layer->unit_width = in;
    layer->wants = true;
    name(net, false, called, "weight", layer->out, in);
}

static void add_factored(dq_net *net)
{
    source before = last(net);
    net->project = net->layer_count;
    add_projection(net, &net_project_states, "factored.state", net->spec.input);
    add_projection(net, &net_project_actions, "factored.action", net->spec.action_width);
    net_layer *layer = add(net, &net_factored, before, 1, 1);
    layer->units = layer->unit_width = 1;
    layer->wants = true;
    name(net, false, "factored", "log_scale", 0, 1);
}

static void add_calibration(dq_net *net)
{
    net_layer *layer = add(net, &net_calibration, last(net), 1, 1);
    layer->statistics = net->statistic_count;
    name(net, true, "calibration", "scale", 0, 1);
    name(net, true, "calibration", "shift", 0, 1);
}

/* ---- what learns ---- */

/* Whether layers are counted by it. A norm, and what is added to an output, are of their dense layer; an
 * encoder is one layer, whose parts make gradients together. */
static bool is_level(const net_layer *l)
{
    return l->kind == &net_dense || l->kind == &net_pair;
}

/* Freezes what has so many layers of weights above it; then nobody wants the gradients of what it reads. */
static void freeze(dq_net *net, uint32_t trained)
{
    uint32_t above[NET_LAYERS] = {0};
    for (int i = net->layer_count - 1; i >= 0; i--) {
        net_layer *l = &net->layers[i];
        const int reads[] = {l->from, l->beside};
        for (size_t r = 0; r < 2; r++) {
            uint32_t under = above[i] + is_level(l);
            if (reads[r] >= 0 && above[reads[r]] < under) above[reads[r]] = under;
        }
        l->frozen = l->units && above[i] >= trained;
    }
    for (net_layer *l = net->layers; l < net->layers + net->layer_count; l++)
        l->wants = (l->units && !l->frozen) || (l->from >= 0 && net->layers[l->from].wants) ||
                   (l->beside >= 0 && net->layers[l->beside].wants);
}

static void plan_layers(dq_net *net)
{
    const dq_net_spec *s = &net->spec;
    bool on_pairs = net_on_pairs(net), apart = on_pairs || s->encoder != DQ_ENCODER_NONE;
    bool streams = s->dueling && !apart;
    bool of_features = s->hidden_inputs == DQ_HIDDEN_OF_FEATURES;
    source from;
    net->features = net->project = -1;
    size_t in = add_encoder(net, &from);
    if (on_pairs) add_features(net);
    uint32_t shared = s->hidden_count - (streams && !s->value_hidden_count && s->hidden_count ? 1 : 0);
    if (on_pairs) in += s->action_width + net_feature_count(s);
    if (of_features) {
        from = last(net);
        in = net_feature_count(s);
    }
    for (uint32_t i = 0; i < shared; in = s->hidden[i++], from = last(net))
        add_level(net, "", NULL, i, from, in, s->hidden[i], s->batch_norm, on_pairs);
    if (streams) {
        add_streams(net, in);
        return;
    }
    add_linear(net, from, in, &(units){s->dueling ? "advantage.output" : "output", NULL, s->outputs, 0},
               on_pairs);
    if (s->direct) add_direct(net);
    if (s->factored) add_factored(net);
    if (s->dueling) add_value_apart(net, last(net), s->outputs);
    if (s->calibrated) add_calibration(net);
}

void net_plan(dq_net *net)
{
    plan_layers(net);
    if (net->spec.trained_layers) freeze(net, net->spec.trained_layers);
}
