/* SPDX-License-Identifier: MIT */
#include "serve/view/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Places by Q, of all models. */
typedef struct values {
    const dq_catalogue *catalogue;
    const dq_view_model *models;
    size_t count;
    uint32_t items, *rank; /* (count, items) from 1 */
    uint32_t *order;       /* (items) of a model: rows, the best first */
    uint32_t *popularity;  /* (items) */
    uint32_t *label;       /* (items) a row of the catalogue's labels, or DQ_ABSENT */
    bool *listed;          /* (items) */
} values;

/* ---- the order by Q ---- */

static int compare(const void *a, const void *b, void *q)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    const float *by = q;
    if (by[x] != by[y]) return by[x] > by[y] ? -1 : 1;
    return x < y ? -1 : x > y;
}

static void sort_model(values *v, size_t m)
{
    float *q; /* qsort_r hands it on as it is */
    memcpy(&q, &v->models[m].q, sizeof q);
    for (uint32_t i = 0; i < v->items; i++) v->order[i] = i;
    qsort_r(v->order, v->items, sizeof *v->order, compare, q);
    for (uint32_t i = 0; i < v->items; i++) v->rank[m * v->items + v->order[i]] = i + 1;
}

/* ---- an item ---- */

static bool add_value(const values *v, size_t m, uint32_t item, dq_arena *arena, dq_value *list)
{
    const dq_view_model *model = &v->models[m];
    dq_value entry = dq_map();
    if (!model->q) return true;
    return dq_map_set(arena, &entry, "model", dq_string(arena, model->name)) &&
           dq_map_set(arena, &entry, "q", dq_real_or_nil((double)model->q[item])) &&
           dq_map_set(arena, &entry, "world",
                      model->world ? dq_real_or_nil((double)model->world[item]) : dq_nil()) &&
           dq_map_set(arena, &entry, "rank", dq_int(v->rank[m * v->items + item])) &&
           dq_list_add(arena, list, entry);
}

static dq_value label_of(const values *v, uint32_t item, dq_arena *arena)
{
    size_t n;
    if (v->label[item] == DQ_ABSENT) return dq_nil();
    const char *label = dq_index_id(&v->catalogue->labels, v->label[item], &n);
    return dq_string_n(arena, label, n);
}

static bool add_item(values *v, uint32_t item, dq_arena *arena, dq_value *list)
{
    dq_value entry = dq_map(), each = dq_list();
    const dq_entities *items = &v->catalogue->items;
    bool ok = dq_map_set(arena, &entry, "item_id", dq_view_id(items, item)) &&
              dq_map_set(arena, &entry, "title", dq_view_title(items, item)) &&
              dq_map_set(arena, &entry, "popularity", dq_int(v->popularity[item])) &&
              dq_map_set(arena, &entry, "label", label_of(v, item, arena));
    for (size_t m = 0; ok && m < v->count; m++) ok = add_value(v, m, item, arena, &each);
    v->listed[item] = true;
    return ok && dq_map_set(arena, &entry, "values", each) && dq_list_add(arena, list, entry);
}

/* ---- all ---- */

static bool open_values(values *v, uint32_t user, dq_arena *arena)
{
    v->items = dq_entities_count(&v->catalogue->items);
    v->rank = dq_arena_zero(arena, v->count * v->items + 1, sizeof *v->rank);
    v->order = dq_arena_zero(arena, (size_t)v->items + 1, sizeof *v->order);
    v->label = dq_arena_zero(arena, (size_t)v->items + 1, sizeof *v->label);
    v->listed = dq_arena_zero(arena, (size_t)v->items + 1, sizeof *v->listed);
    v->popularity = dq_view_count(v->catalogue, DQ_VIEW_ITEMS, arena);
    if (arena->failed) return false;
    for (uint32_t i = 0; i < v->items; i++) v->label[i] = DQ_ABSENT;
    for (size_t i = 0; i < v->catalogue->interaction_count; i++) {
        const dq_interaction *x = &v->catalogue->interactions[i];
        if (x->user == user && x->item != DQ_ABSENT && x->label != DQ_ABSENT) v->label[x->item] = x->label;
    }
    return true;
}

static bool add_models(const values *v, dq_arena *arena, dq_value *out)
{
    dq_value list = dq_list();
    bool ok = true;
    for (size_t m = 0; ok && m < v->count; m++) {
        const dq_view_model *model = &v->models[m];
        dq_value entry = dq_map();
        ok = dq_map_set(arena, &entry, "name", dq_string(arena, model->name)) &&
             dq_map_set(arena, &entry, "kind", model->kind ? dq_string(arena, model->kind) : dq_nil()) &&
             dq_map_set(arena, &entry, "world", dq_bool(model->world != NULL)) &&
             dq_map_set(arena, &entry, "error", model->error ? dq_string(arena, model->error) : dq_nil()) &&
             dq_list_add(arena, &list, entry);
    }
    return ok && dq_map_set(arena, out, "models", list);
}

/* The n best of a model that are not listed yet. */
static bool add_best(values *v, size_t m, uint32_t n, dq_arena *arena, dq_value *list)
{
    bool ok = true;
    if (!v->models[m].q) return true;
    for (uint32_t i = 0; i < v->items; i++) v->order[v->rank[m * v->items + i] - 1] = i;
    for (uint32_t i = 0; ok && i < n && i < v->items; i++)
        if (!v->listed[v->order[i]]) ok = add_item(v, v->order[i], arena, list);
    return ok;
}

dq_status dq_view_values(const dq_catalogue *catalogue, uint32_t user, const dq_view_model *models,
                         size_t count, uint32_t n, dq_arena *arena, dq_value *out, dq_error *error)
{
    values v = {.catalogue = catalogue, .models = models, .count = count};
    dq_value list = dq_list();
    *out = dq_map();
    bool ok = open_values(&v, user, arena) &&
              dq_map_set(arena, out, "user_id", dq_view_id(&catalogue->users, user)) &&
              add_models(&v, arena, out);
    for (size_t m = 0; ok && m < count; m++)
        if (models[m].q) sort_model(&v, m);
    for (size_t m = 0; ok && m < count; m++) ok = add_best(&v, m, n, arena, &list);
    ok = ok && dq_map_set(arena, out, "items", list);
    return ok ? DQ_OK : dq_fail_memory(error, "values");
}
