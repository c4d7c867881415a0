/* SPDX-License-Identifier: MIT
 *
 * A network in a model bundle: one column a matrix, named as PyTorch names them, and its shape in the
 * metadata.
 *
 *     meta  PREFIX: {user_width, item_width, hidden: [..], dropout, steps,
 *                    matches: [[user offset, item offset, width] ..]}  absent: none
 *     PREFIX.0.weight (hidden[0], user_width + item_width + matches)   PREFIX.0.bias (hidden[0])
 * PREFIX.1.weight ... PREFIX.adam.m, PREFIX.adam.v (count): the moments, laid out as dq_net_weights
 */
#include "net/column.h"
#include "net/net_impl.h"

#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 128 };

static dq_status no_memory(dq_error *error)
{
    return dq_fail(error, DQ_ERR_MEMORY, "no memory for a model's columns");
}

static bool save_matches(const dq_net_spec *spec, dq_arena *arena, dq_value *map)
{
    dq_value all = dq_list();
    bool ok = true;
    for (uint32_t m = 0; ok && m < spec->match_count; m++) {
        const dq_pairing *p = &spec->matches[m];
        dq_value one = dq_list();
        ok = dq_list_add(arena, &one, dq_int(p->user_offset)) &&
             dq_list_add(arena, &one, dq_int(p->item_offset)) && dq_list_add(arena, &one, dq_int(p->width)) &&
             dq_list_add(arena, &all, one);
    }
    return ok && (spec->match_count == 0 || dq_map_set(arena, map, "matches", all));
}

static dq_status save_spec(const dq_net *net, const char *prefix, dq_bundle *model, dq_error *error)
{
    dq_arena *arena = &model->arena;
    dq_value map = dq_map(), hidden = dq_list();
    bool ok = true;
    for (uint32_t l = 0; l < net->spec.hidden_count; l++)
        ok = ok && dq_list_add(arena, &hidden, dq_int(net->spec.hidden[l]));
    ok = ok && dq_map_set(arena, &map, "user_width", dq_int(net->spec.user_width)) &&
         dq_map_set(arena, &map, "item_width", dq_int(net->spec.item_width)) &&
         dq_map_set(arena, &map, "hidden", hidden) &&
         dq_map_set(arena, &map, "dropout", dq_real(net->spec.dropout)) &&
         dq_map_set(arena, &map, "steps", dq_int((int64_t)net->steps)) &&
         save_matches(&net->spec, arena, &map) && dq_map_set(arena, &model->meta, prefix, map);
    return ok ? DQ_OK : no_memory(error);
}

static dq_status save_moments(const dq_net *net, const char *prefix, dq_bundle *model, dq_error *error)
{
    char name[NAME_BYTES];
    uint64_t shape[1] = {net->count};
    snprintf(name, sizeof name, "%s.adam.m", prefix);
    dq_status status = dq_bundle_add_tensor(model, name, DQ_F4, 1, shape, net->m, error);
    if (status != DQ_OK) return status;
    snprintf(name, sizeof name, "%s.adam.v", prefix);
    return dq_bundle_add_tensor(model, name, DQ_F4, 1, shape, net->v, error);
}

dq_status dq_net_save(dq_net *net, const char *prefix, bool moments, dq_bundle *model, dq_error *error)
{
    dq_status status = save_spec(net, prefix, model, error);
    for (size_t l = 0; status == DQ_OK && l < net->layers; l++) {
        char name[NAME_BYTES];
        uint64_t shape[2] = {net->out[l], net->in[l]};
        snprintf(name, sizeof name, "%s.%zu.weight", prefix, l);
        status = dq_bundle_add_tensor(model, name, DQ_F4, 2, shape, net->weights + net->weight_at[l], error);
        if (status != DQ_OK) break;
        snprintf(name, sizeof name, "%s.%zu.bias", prefix, l);
        status = dq_bundle_add_tensor(model, name, DQ_F4, 1, shape, net->weights + net->bias_at[l], error);
    }
    return status == DQ_OK && moments ? save_moments(net, prefix, model, error) : status;
}

/* A width out of a stream: 1 .. 2^24, else 0. */
static uint32_t read_width(const dq_value *v)
{
    int64_t n = dq_value_integer(v, 0);
    return n >= 1 && n <= 1 << 24 ? (uint32_t)n : 0;
}

/* Ranges inside the vectors, or false. */
static bool read_matches(const dq_value *all, dq_net_spec *spec)
{
    if (!all) return true;
    if (all->type != DQ_LIST || all->count > DQ_NET_MAX_MATCHES) return false;
    for (uint32_t m = 0; m < all->count; m++) {
        const dq_value *one = &all->as.list[m];
        if (one->type != DQ_LIST || one->count != 3) return false;
        int64_t user = dq_value_integer(&one->as.list[0], -1), item = dq_value_integer(&one->as.list[1], -1);
        uint32_t width = read_width(&one->as.list[2]);
        if (user < 0 || item < 0 || !width || width > spec->user_width || width > spec->item_width ||
            user > spec->user_width - width || item > spec->item_width - width)
            return false;
        spec->matches[spec->match_count++] = (dq_pairing){(uint32_t)user, (uint32_t)item, width};
    }
    return true;
}

dq_status dq_net_load_spec(const dq_bundle *model, const char *prefix, dq_net_spec *spec, dq_error *error)
{
    const dq_value *map = dq_map_get(&model->meta, prefix);
    if (!map || map->type != DQ_MAP)
        return dq_fail(error, DQ_ERR_UNKNOWN, "the model has no network '%s'", prefix);
    *spec = (dq_net_spec){.user_width = read_width(dq_map_get(map, "user_width")),
                          .item_width = read_width(dq_map_get(map, "item_width")),
                          .dropout = dq_value_number(dq_map_get(map, "dropout"), 0)};
    const dq_value *hidden = dq_map_get(map, "hidden");
    bool good = spec->user_width && spec->item_width && spec->dropout >= 0 && spec->dropout < 1 && hidden &&
                hidden->type == DQ_LIST && hidden->count >= 1 && hidden->count <= DQ_NET_MAX_HIDDEN;
    for (uint32_t l = 0; good && l < hidden->count; l++) {
        spec->hidden[spec->hidden_count++] = read_width(&hidden->as.list[l]);
        good = spec->hidden[l] > 0;
    }
    good = good && read_matches(dq_map_get(map, "matches"), spec);
    return good ? DQ_OK : dq_fail(error, DQ_ERR_SCHEMA, "network '%s' has no sound shape", prefix);
}

static bool same_shape(const dq_net_spec *a, const dq_net_spec *b)
{
    return a->user_width == b->user_width && a->item_width == b->item_width &&
           a->hidden_count == b->hidden_count && a->match_count == b->match_count &&
           memcmp(a->matches, b->matches, a->match_count * sizeof *a->matches) == 0 &&
           memcmp(a->hidden, b->hidden, a->hidden_count * sizeof *a->hidden) == 0;
}

static dq_status load_moments(dq_net *net, const char *prefix, const dq_bundle *model, dq_error *error)
{
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "%s.adam.m", prefix);
    if (!dq_bundle_column(model, name)) return DQ_OK;
    dq_status status = dq_net_load_column(model, name, net->count, net->m, error);
    if (status != DQ_OK) return status;
    snprintf(name, sizeof name, "%s.adam.v", prefix);
    status = dq_net_load_column(model, name, net->count, net->v, error);
    int64_t steps = dq_value_integer(dq_map_get(dq_map_get(&model->meta, prefix), "steps"), 0);
    net->steps = steps > 0 ? (uint64_t)steps : 0;
    return status;
}

dq_status dq_net_load(dq_net *net, const char *prefix, const dq_bundle *model, dq_error *error)
{
    dq_net_spec spec;
    dq_status status = dq_net_load_spec(model, prefix, &spec, error);
    if (status != DQ_OK) return status;
    if (!same_shape(&spec, &net->spec))
        return dq_fail(error, DQ_ERR_RANGE, "network '%s' of the model has another shape", prefix);
    for (size_t l = 0; status == DQ_OK && l < net->layers; l++) {
        char name[NAME_BYTES];
        snprintf(name, sizeof name, "%s.%zu.weight", prefix, l);
        status = dq_net_load_column(model, name, net->out[l] * net->in[l], net->weights + net->weight_at[l],
                                    error);
        if (status != DQ_OK) break;
        snprintf(name, sizeof name, "%s.%zu.bias", prefix, l);
        status = dq_net_load_column(model, name, net->out[l], net->weights + net->bias_at[l], error);
    }
    return status == DQ_OK ? load_moments(net, prefix, model, error) : status;
}
