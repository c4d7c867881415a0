/* SPDX-License-Identifier: MIT
 *
 * A set in a model bundle. meta.features says which kinds, of which fields, and which pair of these goes
 * together best:
 *
 *     {"kinds": ["cosine-z", ...], "layout": {"users": ..., "items": ...}, "width": [768, 1536], "pair": 0}
 *
 * and the columns what was learnt; docs/stream-format.md has the table.
 */
#include "feature/feature_impl.h"

#include "core/buffers.h"
#include "core/record.h"

#include <math.h>
#include <string.h>

/* ---- saving ---- */

static dq_status write_layout(const dq_feature_set *set, dq_bundle *model, dq_value *map, dq_error *error)
{
    dq_field users[FEATURE_FIELDS], items[FEATURE_FIELDS];
    dq_value layout;
    const feature_fields *from[] = {&set->user_fields, &set->item_fields};
    dq_field *to[] = {users, items};
    for (size_t s = 0; s < 2; s++)
        for (uint32_t f = 0; f < from[s]->count; f++)
            to[s][f] = (dq_field){
                .name = from[s]->at[f].name, .offset = from[s]->at[f].offset, .width = from[s]->at[f].width};
    dq_status status = dq_layout_value(users, from[0]->count, items, from[1]->count, &model->arena, &layout,
                                       error);
    if (!status && !dq_map_set(&model->arena, map, "layout", layout))
        status = dq_fail_memory(error, "a model");
    return status;
}

static dq_status write_meta(const dq_feature_set *set, dq_bundle *model, dq_error *error)
{
    dq_value map = dq_map(), kinds = dq_list();
    const uint32_t width[] = {set->user_width, set->item_width};
    dq_status status = write_layout(set, model, &map, error);
    bool ok = true;
    for (size_t k = 0; ok && k < set->kind_count; k++)
        ok = dq_list_add(&model->arena, &kinds, dq_string(&model->arena, set->kinds[k]->name));
    ok = ok && dq_map_set(&model->arena, &map, "kinds", kinds) &&
         dq_record_save_list(width, 2, "width", &map, &model->arena) &&
         dq_map_set(&model->arena, &map, "pair", dq_int(set->best)) &&
         dq_map_set(&model->arena, &model->meta, "features", map);
    return status || ok ? status : dq_fail_memory(error, "a model");
}

dq_status dq_feature_save(const dq_feature_set *set, dq_bundle *model, dq_error *error)
{
    uint64_t labels = set->users ? set->labels.start[set->users] : 0;
    const dq_record_part parts[] = {
        {"user", DQ_F4, set->users, set->best_pairing.width, set->vectors},
        {"user_id", DQ_U8, set->users, 0, set->id},
        {"item_id", DQ_U8, set->items, 0, set->item_id},
        {"label_start", DQ_U4, set->users + (uint64_t)1, 0, set->labels.start},
        {"label_item", DQ_U4, labels, 0, set->labels.item},
        {"label_gain", DQ_F4, labels, 0, set->labels.gain},
    };
    dq_status status = write_meta(set, model, error);
    if (!status) status = dq_record_save_parts(parts, sizeof parts / sizeof *parts, "features", model, error);
    return status ? status : feature_history_save(set, model, error);
}

/* ---- loading ---- */

static dq_status broken(const char *what, dq_error *error)
{
    return dq_fail(error, DQ_ERR_SCHEMA, "the model's features are broken: %s", what);
}

static dq_status read_fields(const dq_value *layout, const char *whose, uint32_t width, dq_arena *arena,
                             dq_layout *to, dq_error *error)
{
    const dq_value *list = dq_map_get(layout, whose);
    dq_value meta = dq_map();
    dq_field *fields;
    if (!list) return broken("layout", error);
    if (!dq_map_set(arena, &meta, "fields", *list)) return dq_fail_memory(error, "a model");
    dq_status status = dq_fields_read(&meta, width, arena, &fields, &to->count, error);
    to->fields = fields;
    to->width = width;
    return status;
}

static dq_status read_kinds(dq_feature_set *set, const dq_value *list, dq_error *error)
{
    if (!list || list->type != DQ_LIST || list->count == 0 || list->count > DQ_FEATURE_KINDS_MAX)
        return broken("kinds", error);
    for (uint32_t k = 0; k < list->count; k++) {
        const dq_value *name = &list->as.list[k];
        const dq_feature_kind *kind = name->type == DQ_STRING ? dq_feature_find(name->as.string, name->count)
                                                              : NULL;
        if (!kind) return dq_fail(error, DQ_ERR_UNKNOWN, "the model has features that this dq does not know");
        if (feature_has(set, kind)) return broken("kinds", error);
        set->kinds[set->kind_count++] = kind;
    }
    return DQ_OK;
}

static dq_status read_meta(dq_feature_set *set, const dq_value *map, dq_error *error)
{
    enum { WIDTH_MAX = 1 << 24 };
    uint32_t width[2], count;
    dq_layout users, items;
    const dq_value *layout = dq_map_get(map, "layout");
    if (!dq_record_read_list(dq_map_get(map, "width"), 1, WIDTH_MAX, width, 2, &count) || count != 2)
        return broken("width", error);
    dq_status status = read_kinds(set, dq_map_get(map, "kinds"), error);
    if (!status) status = read_fields(layout, "users", width[0], &set->arena, &users, error);
    if (!status) status = read_fields(layout, "items", width[1], &set->arena, &items, error);
    if (!status) status = feature_read_layout(set, users, items, error);
    if (status) return status;
    int64_t pair = dq_value_integer(dq_map_get(map, "pair"), -1);
    if (pair < 0 || pair >= set->pair_count) return broken("pair", error);
    feature_use_pair(set, (uint32_t)pair);
    return feature_count_columns(set, error);
}

/* Columns as they are in the bundle; what they say of each other decides how many there are. */
typedef struct columns {
    const dq_column *vectors, *id, *item_id, *start, *item, *gain;
} columns;

static dq_status find_columns(dq_feature_set *set, const dq_bundle *model, columns *c, dq_error *error)
{
    uint64_t users = DQ_RECORD_ANY, items = DQ_RECORD_ANY, labels = DQ_RECORD_ANY;
    dq_status status = dq_record_find(model, "features.user_id", DQ_U8, &users, &c->id, error);
    if (!status) status = dq_record_find(model, "features.item_id", DQ_U8, &items, &c->item_id, error);
    if (!status) status = dq_record_find(model, "features.label_item", DQ_U4, &labels, &c->item, error);
    if (!status && (users >= UINT32_MAX || items >= UINT32_MAX || labels >= UINT32_MAX))
        status = broken("too many labels", error);
    uint64_t numbers = users * set->best_pairing.width, starts = users + 1;
    if (!status) status = dq_record_find(model, "features.user", DQ_F4, &numbers, &c->vectors, error);
    if (!status) status = dq_record_find(model, "features.label_start", DQ_U4, &starts, &c->start, error);
    if (!status) status = dq_record_find(model, "features.label_gain", DQ_F4, &labels, &c->gain, error);
    set->users = (uint32_t)users;
    set->items = (uint32_t)items;
    return status;
}

static dq_status check_labels(const dq_feature_set *set, size_t count, dq_error *error)
{
    const feature_labels *labels = &set->labels;
    if (labels->start[0] != 0 || labels->start[set->users] != count) return broken("label_start", error);
    for (uint32_t v = 0; v < set->users; v++)
        if (labels->start[v] > labels->start[v + 1]) return broken("label_start", error);
    for (size_t l = 0; l < count; l++) {
        if (labels->item[l] >= set->items) return broken("label_item", error);
        if (!(labels->gain[l] > 0 && labels->gain[l] <= 1)) return broken("label_gain", error);
    }
    for (uint32_t i = 1; i < set->items; i++)
        if (set->item_id[i - 1] >= set->item_id[i]) return broken("item_id", error);
    for (size_t i = 0; i < (size_t)set->users * set->best_pairing.width; i++)
        if (!(fabsf(set->vectors[i]) <= 1.001F)) return broken("user", error);
    return DQ_OK;
}

static void copy_column(void *to, const dq_column *from)
{
    if (from->bytes) memcpy(to, from->data, from->bytes);
}

static dq_status read_columns(dq_feature_set *set, const dq_bundle *model, dq_error *error)
{
    columns c;
    dq_status status = find_columns(set, model, &c, error);
    if (status) return status;
    size_t labels = c.item->bytes / sizeof(uint32_t);
    const dq_buffer buffers[] = {
        DQ_BUFFER(set->vectors, (size_t)set->users * set->best_pairing.width),
        DQ_BUFFER(set->id, set->users),
        DQ_BUFFER(set->item_id, set->items),
        DQ_BUFFER(set->labels.start, set->users + (size_t)1),
        DQ_BUFFER(set->labels.item, labels),
        DQ_BUFFER(set->labels.gain, labels),
    };
    if (!dq_buffers_take(&set->arena, buffers, DQ_BUFFERS(buffers))) return dq_fail_memory(error, "features");
    copy_column(set->vectors, c.vectors);
    copy_column(set->id, c.id);
    copy_column(set->item_id, c.item_id);
    copy_column(set->labels.start, c.start);
    copy_column(set->labels.item, c.item);
    copy_column(set->labels.gain, c.gain);
    return check_labels(set, labels, error);
}

/* Kinds of what was seen need it. */
static dq_status check_kinds(const dq_feature_set *set, dq_error *error)
{
    return dq_feature_asks_seen(set) && !set->history.start ? broken("kinds", error) : DQ_OK;
}

dq_status dq_feature_load(dq_feature_set **set, const dq_bundle *model, dq_pool *pool, dq_error *error)
{
    const dq_value *map = dq_map_get(&model->meta, "features");
    *set = NULL;
    if (!map) return DQ_OK;
    dq_status status = feature_set_new(set, pool, error);
    if (!status) status = read_meta(*set, map, error);
    if (!status) status = read_columns(*set, model, error);
    if (!status) status = feature_history_load(*set, model, error);
    if (!status) status = check_kinds(*set, error);
    if (status) dq_feature_free(*set);
    if (status) *set = NULL;
    return status;
}
