/* SPDX-License-Identifier: MIT
 *
 * A network in a model bundle: one column a tensor, named as PyTorch names it, and the spec in the metadata.
 *
 *     meta  PREFIX: {input, user_width, history, item_width, outputs, head, action_width, one_hot, sparse,
 *                    features: [[state offset, action offset, width] ..], hidden: [..], dueling,
 *                    value_hidden: [..], dropout, dropout_layers, activation, batch_norm, encoder, blocks,
 *                    heads, encoder_width, step_state, given, feature_scale, hidden_inputs, direct,
 *                    start_feature, start_weight, factored, input_dropout, calibrated, precision, steps}
 *     PREFIX.hidden.0.weight ...               as net/net.h lists them
 *     PREFIX.adam.m, PREFIX.adam.v (count)     the moments, laid out as the flat block of weights
 *     PREFIX.adam.outer.m, .v, .x              what some of them are products of (outer.c)
 */
#include "net/net_impl.h"

#include "core/record.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 160 };

static dq_status no_memory(dq_error *error)
{
    return dq_fail_memory(error, "a model's columns");
}

/* ---- the spec ---- */

/* A number of the spec in the metadata, its bound, and what it is where it is left out (-1: it may not be).
 * Where dropout is, the precision of training, and whether states are sparse, make no other network. */
/* clang-format off */
#define SHAPE_NUMBERS(X)                                                                                     \
    X(input, DQ_NET_MAX_WIDTH, -1) X(user_width, DQ_NET_MAX_WIDTH, -1) X(history, DQ_NET_MAX_WIDTH, -1)      \
    X(item_width, DQ_NET_MAX_WIDTH, -1) X(outputs, DQ_NET_MAX_WIDTH, -1) X(action_width, DQ_NET_MAX_WIDTH, -1) \
    X(head, DQ_HEAD_ACTIONS, -1) X(encoder, DQ_ENCODER_TRAJECTORY, -1) X(activation, DQ_TANH, -1)             \
    X(one_hot, 1, -1) X(batch_norm, 1, -1) X(dueling, 1, -1)                                                 \
    X(given, DQ_NET_MAX_GIVEN, 0) X(hidden_inputs, DQ_HIDDEN_OF_FEATURES, 0) X(direct, 1, 0)                 \
    X(factored, DQ_NET_MAX_WIDTH, 0)                                                      \
    X(blocks, DQ_NET_MAX_BLOCKS, 0) X(heads, DQ_NET_MAX_HEADS, 0) X(encoder_width, DQ_NET_MAX_ENCODER_WIDTH, 0) \
    X(step_state, DQ_NET_MAX_WIDTH, 0)
#define SPEC_NUMBERS(X)                                                                                      \
    SHAPE_NUMBERS(X) X(sparse, 1, -1) X(dropout_layers, 2 * DQ_NET_MAX_HIDDEN, -1)                           \
    X(calibrated, 1, 0) X(precision, DQ_PRECISION_BF16, 0) X(start_feature, DQ_NET_MAX_FEATURES + DQ_NET_MAX_GIVEN, 0)
#define SPEC_REALS(X) X(dropout, NAN) X(input_dropout, 0) X(feature_scale, 0) X(start_weight, 0)
/* clang-format on */

static dq_status save_spec(const dq_net *net, const char *prefix, dq_bundle *model, dq_error *error)
{
    const dq_net_spec *s = &net->spec;
    dq_arena *arena = &model->arena;
    dq_value map = dq_map();
    bool ok = dq_record_save_list(s->hidden, s->hidden_count, "hidden", &map, arena) &&
              dq_record_save_list(s->value_hidden, s->value_hidden_count, "value_hidden", &map, arena) &&
              dq_pairing_save(s->features, s->feature_count, "features", &map, arena);
#define SAVE(field, max, absent) ok = ok && dq_map_set(arena, &map, #field, dq_int((int64_t)s->field));
    SPEC_NUMBERS(SAVE)
#undef SAVE
#define SAVE_REAL(field, absent) ok = ok && dq_map_set(arena, &map, #field, dq_real(s->field));
    SPEC_REALS(SAVE_REAL)
#undef SAVE_REAL
    ok = ok && dq_map_set(arena, &map, "steps", dq_int((int64_t)net->steps)) &&
         dq_map_set(arena, &model->meta, prefix, map);
    return ok ? DQ_OK : no_memory(error);
}

bool dq_net_read_hidden(const dq_value *map, const char *name, uint32_t *widths, uint32_t *count)
{
    return dq_record_read_list(dq_map_get(map, name), 1, DQ_NET_MAX_WIDTH, widths, DQ_NET_MAX_HIDDEN, count);
}

static bool read_spec(const dq_value *map, dq_net_spec *s)
{
    bool ok = true;
    memset(s, 0, sizeof *s); /* padding too: tests compare specs whole */
#define READ_REAL(field, absent) s->field = dq_value_number(dq_map_get(map, #field), (double)absent);
    SPEC_REALS(READ_REAL)
#undef READ_REAL
#define READ(field, max, absent)                                                                             \
    const int64_t field = dq_value_integer(dq_map_get(map, #field), absent);                                 \
    ok = ok && field >= 0 && field <= (max);                                                                 \
    s->field = ok ? (uint32_t)field : 0;
    SPEC_NUMBERS(READ)
#undef READ
    return ok && dq_net_read_hidden(map, "hidden", s->hidden, &s->hidden_count) &&
           dq_net_read_hidden(map, "value_hidden", s->value_hidden, &s->value_hidden_count) &&
           dq_pairing_read(dq_map_get(map, "features"), s->features, DQ_NET_MAX_FEATURES,
                           &s->feature_count) &&
           net_check(s, NULL) == DQ_OK;
}

dq_status dq_net_load_spec(const dq_bundle *model, const char *prefix, dq_net_spec *spec, dq_error *error)
{
    const dq_value *map = dq_map_get(&model->meta, prefix);
    if (!map || map->type != DQ_MAP)
        return dq_fail(error, DQ_ERR_UNKNOWN, "the model has no network '%s'", prefix);
    if (!read_spec(map, spec))
        return dq_fail(error, DQ_ERR_SCHEMA, "network '%s' has no sound shape", prefix);
    return DQ_OK;
}

/* Of a saved network and a wanted one: one that is not calibrated yet may become so. */
static bool same_shape(const dq_net_spec *a, const dq_net_spec *b)
{
#define SAME(field, max, absent)                                                                             \
    if (a->field != b->field) return false;
    SHAPE_NUMBERS(SAME)
#undef SAME
    if (a->calibrated && !b->calibrated) return false;
    return a->hidden_count == b->hidden_count && a->value_hidden_count == b->value_hidden_count &&
           a->feature_count == b->feature_count && a->feature_scale == b->feature_scale &&
           memcmp(a->hidden, b->hidden, a->hidden_count * sizeof *a->hidden) == 0 &&
           memcmp(a->value_hidden, b->value_hidden, a->value_hidden_count * sizeof *a->hidden) == 0 &&
           memcmp(a->features, b->features, a->feature_count * sizeof *a->features) == 0;
}

/* ---- tensors ---- */

static float *place(const dq_net *net, const net_tensor *t)
{
    return (t->statistic ? net->statistics : net->weights) + t->at;
}

dq_status dq_net_save(dq_net *net, const char *prefix, bool moments, dq_bundle *model, dq_error *error)
{
    dq_status status = save_spec(net, prefix, model, error);
    for (unsigned i = 0; !status && i < net->tensor_count; i++) {
        const net_tensor *t = &net->tensors[i];
        char name[NAME_BYTES];
        snprintf(name, sizeof name, "%s.%s", prefix, t->name);
        status = dq_bundle_add_tensor(model, name, DQ_F4, t->dims, t->shape, place(net, t), error);
    }
    const dq_record_part parts[] = {{"adam.m", DQ_F4, net->count, 0, net->m},
                                    {"adam.v", DQ_F4, net->count, 0, net->v}};
    if (status || !moments || !net->max_rows) return status;
    status = net_outer_save(net, prefix, model, error);
    return status ? status : dq_record_save_parts(parts, 2, prefix, model, error);
}

/* Column PREFIX.PART of count numbers, of any type of number. */
static dq_status find_column(const dq_bundle *model, const char *prefix, const char *part, size_t count,
                             const dq_column **column, dq_error *error)
{
    char name[NAME_BYTES];
    bool whole = snprintf(name, sizeof name, "%s.%s", prefix, part) < NAME_BYTES;
    const dq_column *c = *column = whole ? dq_bundle_column(model, name) : NULL;
    if (!c) return dq_fail(error, DQ_ERR_SCHEMA, "the model lacks column '%s'", name);
    if (c->type == DQ_TEXT || c->type == DQ_JSON || dq_column_width(c) * c->shape[0] != count)
        return dq_fail(error, DQ_ERR_SCHEMA, "column '%s' does not have %zu numbers", name, count);
    return DQ_OK;
}

static dq_status load_column(const dq_bundle *model, const char *prefix, const char *part, size_t count,
                             float *to, dq_error *error)
{
    const dq_column *column;
    dq_status status = find_column(model, prefix, part, count, &column, error);
    if (status) return status;
    dq_convert_f4(to, column->data, column->type, count);
    if (!dq_vec_finite(to, count))
        return dq_fail(error, DQ_ERR_NUMERIC, "column '%s' has a number that is not finite", column->name);
    return DQ_OK;
}

static dq_status load_moments(dq_net *net, const char *prefix, const dq_bundle *model, dq_error *error)
{
    dq_status status = load_column(model, prefix, "adam.m", net->count, net->m, error);
    if (!status) status = load_column(model, prefix, "adam.v", net->count, net->v, error);
    if (status) return status;
    int64_t steps = dq_value_integer(dq_map_get(dq_map_get(&model->meta, prefix), "steps"), 0);
    net->steps = steps > 0 ? (uint64_t)steps : 0;
    return net_outer_restore(net, prefix, model, error);
}

static dq_status check_spec(const dq_bundle *model, const char *prefix, const dq_net_spec *wanted,
                            dq_error *error)
{
    dq_net_spec spec;
    dq_status status = dq_net_load_spec(model, prefix, &spec, error);
    if (status || same_shape(&spec, wanted)) return status;
    return dq_fail(error, DQ_ERR_RANGE, "network '%s' of the model has another shape", prefix);
}

/* Whether a saved network may lack a tensor: it is calibrated by 1 and 0 then. */
static bool may_lack(const dq_bundle *model, const char *prefix, const net_tensor *t)
{
    const dq_value *map = dq_map_get(&model->meta, prefix);
    bool calibrated = dq_value_integer(dq_map_get(map, "calibrated"), 0) == 1;
    return !calibrated && strncmp(t->name, "calibration.", 12) == 0;
}

static size_t numbers_of(const net_tensor *t)
{
    return t->shape[0] * (t->dims == 2 ? t->shape[1] : 1);
}

dq_status dq_net_saved_as(const dq_bundle *model, const char *prefix, const dq_net_spec *spec,
                          dq_error *error)
{
    const dq_column *column;
    dq_status status = net_check(spec, error);
    if (!status) status = check_spec(model, prefix, spec, error);
    if (status) return status;
    dq_net *plan = calloc(1, sizeof *plan); /* only to know its tensors */
    if (!plan) return no_memory(error);
    plan->spec = *spec;
    net_plan(plan);
    for (const net_tensor *t = plan->tensors; !status && t < plan->tensors + plan->tensor_count; t++)
        if (!may_lack(model, prefix, t))
            status = find_column(model, prefix, t->name, numbers_of(t), &column, error);
    free(plan);
    return status;
}

dq_status dq_net_load(dq_net *net, const char *prefix, bool moments, const dq_bundle *model, dq_error *error)
{
    dq_status status = check_spec(model, prefix, &net->spec, error);
    net_weights_were_set(net);
    for (const net_tensor *t = net->tensors; !status && t < net->tensors + net->tensor_count; t++)
        if (!may_lack(model, prefix, t))
            status = load_column(model, prefix, t->name, numbers_of(t), place(net, t), error);
    if (!dq_value_integer(dq_map_get(dq_map_get(&model->meta, prefix), "calibrated"), 0))
        dq_net_calibrate(net, 1, 0);
    return status || !moments || !net->max_rows ? status : load_moments(net, prefix, model, error);
}
