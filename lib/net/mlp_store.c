/* SPDX-License-Identifier: MIT
 *
 * A network in a model bundle: one column a tensor, named as PyTorch names it, and the spec in the metadata.
 *
 *     meta  PREFIX: {input, user_width, history, item_width, outputs, action_width, hidden: [..], dropout,
 *                    batch_norm, dueling, head, encoder, steps}
 *     PREFIX.hidden.0.weight ...               as net/mlp.h lists them
 *     PREFIX.adam.m, PREFIX.adam.v (count)     the moments, laid out as dq_mlp_weights
 */
#include "net/column.h"
#include "net/mlp_impl.h"

#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 160 };

static dq_status no_memory(dq_error *error)
{
    return dq_fail(error, DQ_ERR_MEMORY, "no memory for a model's columns");
}

/* ---- the spec ---- */

/* A number of the spec in the metadata. */
#define SPEC_WIDTHS(X)                                                                                       \
    X(input)                                                                                                 \
    X(user_width)                                                                                            \
    X(history) X(item_width) X(outputs) X(action_width) X(head) X(encoder) X(batch_norm) X(dueling)

static dq_status save_spec(const dq_mlp *net, const char *prefix, dq_bundle *model, dq_error *error)
{
    const dq_mlp_spec *s = &net->spec;
    dq_arena *arena = &model->arena;
    dq_value map = dq_map(), hidden = dq_list();
    bool ok = true;
    for (uint32_t l = 0; l < s->hidden_count; l++)
        ok = ok && dq_list_add(arena, &hidden, dq_int(s->hidden[l]));
#define SAVE(field) ok = ok && dq_map_set(arena, &map, #field, dq_int((int64_t)s->field));
    SPEC_WIDTHS(SAVE)
#undef SAVE
    ok = ok && dq_map_set(arena, &map, "hidden", hidden) &&
         dq_map_set(arena, &map, "dropout", dq_real(s->dropout)) &&
         dq_map_set(arena, &map, "steps", dq_int((int64_t)net->steps)) &&
         dq_map_set(arena, &model->meta, prefix, map);
    return ok ? DQ_OK : no_memory(error);
}

/* A number out of a stream, 0 .. 2^24. */
static bool read_width(const dq_value *map, const char *key, uint32_t *to)
{
    int64_t n = dq_value_integer(dq_map_get(map, key), -1);
    if (n < 0 || n > 1 << 24) return false;
    *to = (uint32_t)n;
    return true;
}

static bool read_hidden(const dq_value *list, dq_mlp_spec *spec)
{
    if (!list || list->type != DQ_LIST || list->count > DQ_MLP_MAX_HIDDEN) return false;
    for (uint32_t l = 0; l < list->count; l++) {
        int64_t n = dq_value_integer(&list->as.list[l], 0);
        if (n < 1 || n > 1 << 24) return false;
        spec->hidden[spec->hidden_count++] = (uint32_t)n;
    }
    return true;
}

dq_status dq_mlp_load_spec(const dq_bundle *model, const char *prefix, dq_mlp_spec *spec, dq_error *error)
{
    const dq_value *map = dq_map_get(&model->meta, prefix);
    if (!map || map->type != DQ_MAP)
        return dq_fail(error, DQ_ERR_UNKNOWN, "the model has no network '%s'", prefix);
    *spec = (dq_mlp_spec){.dropout = dq_value_number(dq_map_get(map, "dropout"), -1)};
    uint32_t head = 2, encoder = 3, batch_norm = 2, dueling = 2;
    bool good = read_width(map, "input", &spec->input) && read_width(map, "user_width", &spec->user_width) &&
                read_width(map, "history", &spec->history) &&
                read_width(map, "item_width", &spec->item_width) &&
                read_width(map, "outputs", &spec->outputs) &&
                read_width(map, "action_width", &spec->action_width) && read_width(map, "head", &head) &&
                read_width(map, "encoder", &encoder) && read_width(map, "batch_norm", &batch_norm) &&
                read_width(map, "dueling", &dueling) && read_hidden(dq_map_get(map, "hidden"), spec);
    if (!good || head > DQ_HEAD_ACTIONS || encoder > DQ_ENCODER_ATTENTION || batch_norm > 1 || dueling > 1 ||
        !(spec->dropout >= 0 && spec->dropout < 1))
        return dq_fail(error, DQ_ERR_SCHEMA, "network '%s' has no sound shape", prefix);
    spec->head = (dq_head)head;
    spec->encoder = (dq_encoder)encoder;
    spec->batch_norm = batch_norm;
    spec->dueling = dueling;
    return DQ_OK;
}

static bool same_shape(const dq_mlp_spec *a, const dq_mlp_spec *b)
{
#define SAME(field)                                                                                          \
    if (a->field != b->field) return false;
    SPEC_WIDTHS(SAME)
#undef SAME
    return a->hidden_count == b->hidden_count &&
           memcmp(a->hidden, b->hidden, a->hidden_count * sizeof *a->hidden) == 0;
}

/* ---- tensors ---- */

static float *place(const dq_mlp *net, const mlp_tensor *t)
{
    return (t->statistic ? net->statistics : net->weights) + t->at;
}

static dq_status save_moments(const dq_mlp *net, const char *prefix, dq_bundle *model, dq_error *error)
{
    char name[NAME_BYTES];
    uint64_t shape[1] = {net->count};
    snprintf(name, sizeof name, "%s.adam.m", prefix);
    dq_status status = dq_bundle_add_tensor(model, name, DQ_F4, 1, shape, net->m, error);
    if (status) return status;
    snprintf(name, sizeof name, "%s.adam.v", prefix);
    return dq_bundle_add_tensor(model, name, DQ_F4, 1, shape, net->v, error);
}

dq_status dq_mlp_save(dq_mlp *net, const char *prefix, bool moments, dq_bundle *model, dq_error *error)
{
    dq_status status = save_spec(net, prefix, model, error);
    for (unsigned i = 0; !status && i < net->tensor_count; i++) {
        const mlp_tensor *t = &net->tensors[i];
        char name[NAME_BYTES];
        snprintf(name, sizeof name, "%s.%s", prefix, t->name);
        status = dq_bundle_add_tensor(model, name, DQ_F4, t->dims, t->shape, place(net, t), error);
    }
    return !status && moments ? save_moments(net, prefix, model, error) : status;
}

/* Copies column PREFIX.PART of count numbers to `to`. */
static dq_status load_column(const dq_bundle *model, const char *prefix, const char *part, size_t count,
                             float *to, dq_error *error)
{
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "%s.%s", prefix, part);
    return dq_net_load_column(model, name, count, to, error);
}

static dq_status load_moments(dq_mlp *net, const char *prefix, const dq_bundle *model, dq_error *error)
{
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "%s.adam.m", prefix);
    if (!dq_bundle_column(model, name)) return DQ_OK;
    dq_status status = load_column(model, prefix, "adam.m", net->count, net->m, error);
    if (!status) status = load_column(model, prefix, "adam.v", net->count, net->v, error);
    int64_t steps = dq_value_integer(dq_map_get(dq_map_get(&model->meta, prefix), "steps"), 0);
    net->steps = steps > 0 ? (uint64_t)steps : 0;
    return status;
}

dq_status dq_mlp_load(dq_mlp *net, const char *prefix, const dq_bundle *model, dq_error *error)
{
    dq_mlp_spec spec;
    dq_status status = dq_mlp_load_spec(model, prefix, &spec, error);
    if (status) return status;
    if (!same_shape(&spec, &net->spec))
        return dq_fail(error, DQ_ERR_RANGE, "network '%s' of the model has another shape", prefix);
    for (unsigned i = 0; !status && i < net->tensor_count; i++) {
        const mlp_tensor *t = &net->tensors[i];
        size_t count = t->shape[0] * (t->dims == 2 ? t->shape[1] : 1);
        status = load_column(model, prefix, t->name, count, place(net, t), error);
    }
    return status ? status : load_moments(net, prefix, model, error);
}
