/* SPDX-License-Identifier: MIT
 *
 * Named sub-ranges of a vector, as they stand in a catalogue's metadata: meta.fields = [[name, offset, width]
 * ...], and which of them are compared: meta.pairs = [[user field, item field] ...].
 */
#include "core/layout.h"

#include "core/index.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

dq_status dq_fail_no_vectors(dq_error *error, const char *who)
{
    return dq_fail(error, DQ_ERR_SCHEMA, "%s have no vectors: " DQ_VECTORS_ADVICE, who);
}

static dq_status whole(uint32_t width, dq_arena *arena, dq_field **fields, size_t *count, dq_error *error)
{
    *fields = dq_arena_take(arena, sizeof **fields);
    if (!*fields) return dq_fail_memory(error, "fields");
    **fields = (dq_field){.name = "vector", .offset = 0, .width = width};
    *count = 1;
    return DQ_OK;
}

static dq_status read_one(const dq_value *v, uint32_t width, dq_arena *arena, dq_field *field,
                          dq_error *error)
{
    if (v->type != DQ_LIST || v->count != 3)
        return dq_fail(error, DQ_ERR_SCHEMA, "meta.fields: not [name, offset, width]");
    int64_t offset = dq_value_integer(&v->as.list[1], -1), span = dq_value_integer(&v->as.list[2], -1);
    field->name = dq_value_text(arena, &v->as.list[0]);
    if (!field->name) return dq_fail(error, DQ_ERR_SCHEMA, "meta.fields: a field without a name");
    if (offset < 0 || span < 1 || offset > width || span > (int64_t)width - offset)
        return dq_fail(error, DQ_ERR_SCHEMA, "meta.fields: field %s is not inside a vector of %u",
                       field->name, width);
    field->offset = (uint32_t)offset;
    field->width = (uint32_t)span;
    return DQ_OK;
}

/* ---- how numbers were scaled ---- */

/* Of the same value always the same, on any machine. */
static uint64_t digest(const dq_value *v, uint64_t seed)
{
    const uint64_t head[2] = {(uint64_t)v->type, v->count};
    seed = dq_hash(head, sizeof head, seed);
    switch (v->type) {
    case DQ_STRING: return dq_hash(v->as.string, v->count, seed);
    case DQ_INT: return dq_hash(&v->as.integer, sizeof v->as.integer, seed);
    case DQ_REAL: return dq_hash(&v->as.real, sizeof v->as.real, seed);
    case DQ_LIST:
        for (uint32_t i = 0; i < v->count; i++) seed = digest(&v->as.list[i], seed);
        return seed;
    case DQ_MAP:
        for (uint32_t i = 0; i < v->count; i++)
            seed = digest(&v->as.map[i].value, digest(&v->as.map[i].key, seed));
        return seed;
    default: return seed;
    }
}

static void note_scales(const dq_value *meta, dq_field *fields, size_t count)
{
    const dq_value *scale = dq_map_get(meta, "scale");
    for (size_t i = 0; i < count && scale; i++) {
        const dq_value *steps = dq_map_get(scale, fields[i].name);
        if (steps) fields[i].scale = digest(steps, 1) | 1;
    }
}

static dq_status read_fields(const dq_value *list, uint32_t width, dq_arena *arena, dq_field **fields,
                             size_t *count, dq_error *error)
{
    if (list->type != DQ_LIST) return dq_fail(error, DQ_ERR_SCHEMA, "meta.fields: not a list");
    if (list->count > DQ_FIELDS_MAX)
        return dq_fail(error, DQ_ERR_SCHEMA, "meta.fields: %u fields, and at most %d are named", list->count,
                       DQ_FIELDS_MAX);
    *fields = dq_arena_zero(arena, list->count + 1U, sizeof **fields);
    if (!*fields) return dq_fail_memory(error, "fields");
    for (uint32_t i = 0; i < list->count; i++) {
        dq_status status = read_one(&list->as.list[i], width, arena, &(*fields)[i], error);
        if (status) return status;
    }
    *count = list->count;
    return DQ_OK;
}

dq_status dq_fields_read(const dq_value *meta, uint32_t width, dq_arena *arena, dq_field **fields,
                         size_t *count, dq_error *error)
{
    const dq_value *list = dq_map_get(meta, "fields");
    dq_status status = list ? read_fields(list, width, arena, fields, count, error)
                            : whole(width, arena, fields, count, error);
    if (!status) note_scales(meta, *fields, *count);
    return status;
}

dq_status dq_fields_write(const dq_field *fields, size_t count, dq_arena *arena, dq_value *meta,
                          dq_error *error)
{
    dq_value list = dq_list();
    bool ok = true;
    if (count > DQ_FIELDS_MAX)
        return dq_fail(error, DQ_ERR_SCHEMA, "%zu fields, and at most %d are named", count, DQ_FIELDS_MAX);
    for (size_t i = 0; ok && i < count; i++) {
        dq_value field = dq_list();
        ok = dq_list_add(arena, &field, dq_string(arena, fields[i].name)) &&
             dq_list_add(arena, &field, dq_int(fields[i].offset)) &&
             dq_list_add(arena, &field, dq_int(fields[i].width)) && dq_list_add(arena, &list, field);
    }
    if (!ok || !dq_map_set(arena, meta, "fields", list)) return dq_fail_memory(error, "fields");
    return DQ_OK;
}

/* The digest behind a field that was scaled. */
static bool add_scales(const dq_field *fields, size_t count, dq_arena *arena, dq_value *list)
{
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        char text[17];
        (void)snprintf(text, sizeof text, "%016" PRIx64, fields[i].scale);
        if (fields[i].scale) ok = dq_list_add(arena, &list->as.list[i], dq_string(arena, text));
    }
    return ok;
}

dq_status dq_layout_value(const dq_field *users, size_t user_fields, const dq_field *items,
                          size_t item_fields, dq_arena *arena, dq_value *value, dq_error *error)
{
    dq_value sides[2] = {dq_map(), dq_map()};
    *value = dq_map();
    dq_status status = dq_fields_write(users, user_fields, arena, &sides[0], error);
    if (!status) status = dq_fields_write(items, item_fields, arena, &sides[1], error);
    if (status) return status;
    dq_value lists[2] = {*dq_map_get(&sides[0], "fields"), *dq_map_get(&sides[1], "fields")};
    if (!add_scales(users, user_fields, arena, &lists[0]) ||
        !add_scales(items, item_fields, arena, &lists[1]))
        return dq_fail_memory(error, "fields");
    if (!dq_map_set(arena, value, "users", lists[0]) || !dq_map_set(arena, value, "items", lists[1]))
        return dq_fail_memory(error, "fields");
    return DQ_OK;
}

/* Whether two layouts name the same fields, in one side of them, whatever was done to the numbers. */
static bool same_names(const dq_value *a, const dq_value *b)
{
    enum { PLACE = 3 }; /* name, offset, width */
    bool same = a && b && a->type == DQ_LIST && b->type == DQ_LIST && a->count == b->count;
    for (uint32_t i = 0; same && i < a->count; i++) {
        const dq_value *x = &a->as.list[i], *y = &b->as.list[i];
        same = x->type == DQ_LIST && y->type == DQ_LIST && x->count >= PLACE && y->count >= PLACE;
        for (uint32_t k = 0; same && k < PLACE; k++) same = dq_value_equal(&x->as.list[k], &y->as.list[k]);
    }
    return same;
}

/* Why a catalogue's layout is not the one that a model was trained on. */
static dq_status fail_layout(const dq_value *here, const dq_value *trained, dq_error *error)
{
    bool scaled = same_names(dq_map_get(here, "users"), dq_map_get(trained, "users")) &&
                  same_names(dq_map_get(here, "items"), dq_map_get(trained, "items"));
    if (scaled)
        return dq_fail(error, DQ_ERR_RANGE,
                       "the model was trained on vectors that are scaled otherwise; dq-embed scale --factors "
                       "FILE scales as another stream was");
    return dq_fail(error, DQ_ERR_RANGE,
                   "the model was trained on other fields, or on the same in another order");
}

dq_status dq_layout_fits(dq_layout users, dq_layout items, uint32_t user_width, uint32_t item_width,
                         const dq_value *trained, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value here;
    if (user_width != users.width || item_width != items.width)
        return dq_fail(error, DQ_ERR_RANGE,
                       "the model was trained on users %u and items %u wide; the catalogue has users %u and "
                       "items %u wide",
                       user_width, item_width, users.width, items.width);
    if (!trained || trained->type == DQ_NIL) return DQ_OK;
    dq_status status = dq_layout_value(users.fields, users.count, items.fields, items.count, &arena, &here,
                                       error);
    if (!status && !dq_value_equal(&here, trained)) status = fail_layout(&here, trained, error);
    dq_arena_free(&arena);
    return status;
}

const dq_field *dq_field_find(const dq_field *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(fields[i].name, name) == 0) return &fields[i];
    return NULL;
}

dq_status dq_pair_parse(const char *text, dq_arena *arena, dq_pair_names *pair, dq_error *error)
{
    const char *colon = strchr(text, ':');
    if (!colon || colon == text || !colon[1] || strchr(colon + 1, ':'))
        return dq_fail(error, DQ_ERR_RANGE, "'%s' is not USER_FIELD:ITEM_FIELD", text);
    pair->user_field = dq_arena_text(arena, text, (size_t)(colon - text));
    pair->item_field = dq_arena_text(arena, colon + 1, strlen(colon + 1));
    if (!pair->user_field || !pair->item_field) return dq_fail_memory(error, "a pair of fields");
    return DQ_OK;
}

dq_status dq_pairs_read(const dq_value *meta, dq_arena *arena, dq_pair_names **pairs, size_t *count,
                        dq_error *error)
{
    const dq_value *list = dq_map_get(meta, "pairs");
    *pairs = NULL;
    *count = 0;
    if (!list) return DQ_OK;
    if (list->type != DQ_LIST) return dq_fail(error, DQ_ERR_SCHEMA, "meta.pairs: not a list");
    if (list->count > DQ_PAIRS_MAX)
        return dq_fail(error, DQ_ERR_SCHEMA, "meta.pairs: %u pairs, and at most %d are compared", list->count,
                       DQ_PAIRS_MAX);
    *pairs = dq_arena_zero(arena, list->count + 1U, sizeof **pairs);
    if (!*pairs) return dq_fail_memory(error, "pairs of fields");
    for (uint32_t i = 0; i < list->count; i++) {
        const dq_value *pair = &list->as.list[i];
        bool two = pair->type == DQ_LIST && pair->count == 2;
        (*pairs)[i].user_field = two ? dq_value_text(arena, &pair->as.list[0]) : NULL;
        (*pairs)[i].item_field = two ? dq_value_text(arena, &pair->as.list[1]) : NULL;
        if (!(*pairs)[i].user_field || !(*pairs)[i].item_field)
            return dq_fail(error, DQ_ERR_SCHEMA, "meta.pairs: not [user field, item field]");
    }
    *count = list->count;
    return DQ_OK;
}

dq_status dq_pairs_write(const dq_pair_names *pairs, size_t count, dq_arena *arena, dq_value *meta,
                         dq_error *error)
{
    dq_value list = dq_list();
    bool ok = true;
    if (count > DQ_PAIRS_MAX)
        return dq_fail(error, DQ_ERR_SCHEMA, "%zu pairs of fields, and at most %d are named", count,
                       DQ_PAIRS_MAX);
    for (size_t i = 0; ok && i < count; i++) {
        dq_value pair = dq_list();
        ok = dq_list_add(arena, &pair, dq_string(arena, pairs[i].user_field)) &&
             dq_list_add(arena, &pair, dq_string(arena, pairs[i].item_field)) &&
             dq_list_add(arena, &list, pair);
    }
    if (!ok || !dq_map_set(arena, meta, "pairs", list)) return dq_fail_memory(error, "pairs of fields");
    return DQ_OK;
}
