/* SPDX-License-Identifier: MIT */
#include "import/document.h"

#include "data/time.h"

#include <math.h>
#include <string.h>

static dq_import_fault mistyped(dq_error *error, const char *why)
{
    dq_fail(error, DQ_ERR_SCHEMA, "%s", why);
    return DQ_IMPORT_MISTYPED;
}

static dq_import_fault read_texts(const dq_value *v, dq_arena *arena, dq_value *texts, dq_error *error)
{
    *texts = dq_map();
    if (!v || v->type == DQ_NIL) return DQ_IMPORT_FINE;
    if (v->type != DQ_MAP) return mistyped(error, "text is no object of texts");
    for (uint32_t i = 0; i < v->count; i++) {
        dq_value text;
        if (dq_import_read_text(&v->as.map[i].value, arena, &text, error)) return DQ_IMPORT_MISTYPED;
        if (text.type == DQ_STRING && !dq_map_set(arena, texts, v->as.map[i].key.as.string, text))
            return dq_import_out_of_memory("texts", error);
    }
    return DQ_IMPORT_FINE;
}

/* ---- vectors ---- */

/* The layout that the first good row has: one field, or those of the object in its order. */
static dq_import_fault take_layout(const dq_value *v, dq_import_layout *layout, dq_error *error)
{
    bool whole = v && v->type == DQ_LIST;
    size_t count = !v ? 0 : whole ? 1 : v->count;
    uint64_t width = 0;
    *layout = (dq_import_layout){.arena = layout->arena};
    layout->fields = dq_arena_zero(&layout->arena, count + 1, sizeof *layout->fields);
    for (size_t i = 0; layout->fields && i < count; i++) {
        const dq_value *list = whole ? v : &v->as.map[i].value;
        if (list->type != DQ_LIST) return mistyped(error, "vector: a field is no list of numbers");
        if (!list->count) {
            dq_fail(error, DQ_ERR_SCHEMA, "vector: no numbers");
            return DQ_IMPORT_WIDTH;
        }
        const char *name = whole ? "vector" : v->as.map[i].key.as.string;
        layout->fields[i] = (dq_field){.name = dq_arena_text(&layout->arena, name, strlen(name)),
                                       .offset = (uint32_t)width,
                                       .width = list->count};
        if (!layout->fields[i].name) return dq_import_out_of_memory("fields", error);
        width += list->count;
    }
    if (!layout->fields) return dq_import_out_of_memory("fields", error);
    layout->count = count;
    layout->width = (uint32_t)width;
    return DQ_IMPORT_FINE;
}

/* The value of a field: the list itself when there is one nameless field, else the object's. */
static const dq_value *field_value(const dq_value *v, const dq_import_layout *layout, size_t i)
{
    bool nameless = layout->count == 1 && strcmp(layout->fields[0].name, "vector") == 0;
    if (v->type == DQ_LIST) return nameless ? v : NULL;
    return dq_map_get(v, layout->fields[i].name);
}

static dq_import_fault read_fields(const dq_value *v, const dq_import_layout *layout, dq_arena *arena,
                                   float *to, dq_error *error)
{
    if (v->type == DQ_MAP && v->count != layout->count) {
        dq_fail(error, DQ_ERR_SCHEMA, "vector has %u fields where the first has %zu", v->count,
                layout->count);
        return DQ_IMPORT_WIDTH;
    }
    for (size_t i = 0; i < layout->count; i++) {
        const dq_field *field = &layout->fields[i];
        const dq_value *list = field_value(v, layout, i);
        if (!list) {
            dq_fail(error, DQ_ERR_SCHEMA, "vector has no field '%s', which the first has", field->name);
            return DQ_IMPORT_MISSING;
        }
        dq_import_fault fault = dq_import_read_vector(list, field->name, field->width, arena,
                                                      to + field->offset, error);
        if (fault) return fault;
    }
    return DQ_IMPORT_FINE;
}

static dq_import_fault read_vector(const dq_value *v, dq_import_layout *layout, dq_arena *arena,
                                   const float **vector, dq_error *error)
{
    *vector = NULL;
    if (v && v->type == DQ_NIL) v = NULL;
    if (v && v->type != DQ_LIST && v->type != DQ_MAP)
        return mistyped(error, "vector is neither a list nor an object of lists");
    dq_import_fault fault = layout->known ? DQ_IMPORT_FINE : take_layout(v, layout, error);
    if (fault) return fault;
    if (!v != !layout->width) {
        dq_fail(error, DQ_ERR_SCHEMA, v ? "a vector, where the first has none" : "no vector");
        return v ? DQ_IMPORT_WIDTH : DQ_IMPORT_MISSING;
    }
    if (v) {
        float *to = dq_arena_take(arena, layout->width * sizeof *to);
        if (!to) return dq_import_out_of_memory("a vector", error);
        fault = read_fields(v, layout, arena, to, error);
        *vector = to;
    }
    layout->known |= !fault;
    return fault;
}

/* ---- the whole ---- */

/* All keys but these, in their order. */
static bool other_keys(const dq_value *document, const char *const *but, size_t count, dq_arena *arena,
                       dq_value *others)
{
    *others = dq_map();
    others->as.map = dq_arena_take(arena, document->count * sizeof(dq_entry));
    if (!others->as.map) return false;
    for (uint32_t i = 0; i < document->count; i++) {
        const dq_entry *entry = &document->as.map[i];
        bool known = false;
        for (size_t k = 0; k < count && !known; k++) known = but[k] && dq_value_is(&entry->key, but[k]);
        if (!known) others->as.map[others->count++] = *entry;
    }
    return true;
}

bool dq_import_is_for(const dq_value *document, const char *kind)
{
    const dq_value *v = dq_map_get(document, "kind");
    char text[16] = "";
    if (v && v->type == DQ_STRING && v->count < sizeof text) memcpy(text, v->as.string, v->count);
    return dq_schema_order(text) < 0 || strcmp(text, kind) == 0;
}

dq_import_fault dq_import_read_entity(const dq_value *document, const char *kind, dq_import_layout *layout,
                                      dq_arena *arena, dq_import_entity *entity, dq_error *error)
{
    bool says_kind = dq_value_is(dq_map_get(document, "kind"), kind);
    const char *const known[] = {"id", "text", "vector", says_kind ? "kind" : NULL};
    dq_import_fault fault = dq_import_read_id(dq_map_get(document, "id"), arena, &entity->id, error);
    if (!fault) fault = read_texts(dq_map_get(document, "text"), arena, &entity->texts, error);
    if (!fault && !other_keys(document, known, 4, arena, &entity->attributes))
        return dq_import_out_of_memory("attributes", error);
    if (!fault) fault = read_vector(dq_map_get(document, "vector"), layout, arena, &entity->vector, error);
    return fault;
}

static dq_import_fault read_label(const dq_value *v, dq_arena *arena, dq_value *label, dq_error *error)
{
    *label = dq_nil();
    if (!v || v->type == DQ_NIL) return DQ_IMPORT_FINE;
    if (v->type != DQ_STRING && v->type != DQ_INT) return mistyped(error, "the label is no string");
    return dq_import_read_text(v, arena, label, error) ? DQ_IMPORT_MISTYPED : DQ_IMPORT_FINE;
}

static dq_import_fault read_reward(const dq_value *v, float *reward, dq_error *error)
{
    *reward = NAN;
    if (!v || v->type == DQ_NIL) return DQ_IMPORT_FINE;
    if (v->type != DQ_INT && v->type != DQ_REAL) return mistyped(error, "the reward is no number");
    *reward = (float)dq_value_number(v, NAN);
    if (isfinite(*reward)) return DQ_IMPORT_FINE;
    dq_fail(error, DQ_ERR_NUMERIC, "the reward is not finite as a float32");
    return DQ_IMPORT_NOT_FINITE;
}

/* Gives the attribute `key` the name `time`. */
static dq_import_fault name_time(const char *key, dq_value *attributes, dq_error *error)
{
    if (!dq_map_get(attributes, key) || strcmp(key, "time") == 0) return DQ_IMPORT_FINE;
    if (dq_map_get(attributes, "time")) {
        dq_fail(error, DQ_ERR_DUPLICATE, "both '%s' and 'time' are there", key);
        return DQ_IMPORT_DUPLICATE;
    }
    for (uint32_t i = 0; i < attributes->count; i++) /* their list is our own */
        if (dq_value_is(&attributes->as.map[i].key, key))
            attributes->as.map[i].key = (dq_value){.type = DQ_STRING, .count = 4, .as.string = "time"};
    return DQ_IMPORT_FINE;
}

/* The attribute `time`, by a format, as ISO 8601. */
static dq_import_fault read_time(dq_import_times *times, dq_value *attributes, dq_arena *arena,
                                 dq_error *error)
{
    char words[DQ_TIME_WORDS];
    const dq_value *v = dq_map_get(attributes, "time");
    dq_value text;
    bool none = !v || v->type == DQ_NIL;
    times->without += none;
    if (none || dq_map_get(v, "$date")) return DQ_IMPORT_FINE;
    if (dq_import_read_text(v, arena, &text, error)) return DQ_IMPORT_NO_TIME; /* a number's digits, too */
    dq_time time = dq_time_parse_format(times->format, text.as.string, text.count);
    if (time.form == DQ_TIME_UNREADABLE) {
        dq_fail(error, DQ_ERR_FORMAT, "the time '%.*s' is not of the form '%s'",
                text.count < 64 ? (int)text.count : 64, text.as.string, times->format);
        return DQ_IMPORT_NO_TIME;
    }
    dq_time_print(&time, words);
    times->fitted++;
    if (dq_map_set(arena, attributes, "time", dq_string(arena, words))) return DQ_IMPORT_FINE;
    return dq_import_out_of_memory("a time", error);
}

dq_import_fault dq_import_read_interaction(const dq_value *document, const dq_import_interaction_keys *keys,
                                           dq_arena *arena, dq_import_interaction *x, dq_error *error)
{
    const char *known[] = {keys->user, keys->item, keys->label, keys->reward, keys->ignored};
    *x = (dq_import_interaction){.reward = NAN};
    dq_import_fault fault = dq_import_read_id(dq_map_get(document, keys->user), arena, &x->user, error);
    if (!fault) fault = dq_import_read_id(dq_map_get(document, keys->item), arena, &x->item, error);
    if (!fault && keys->label) fault = read_label(dq_map_get(document, keys->label), arena, &x->label, error);
    if (!fault && keys->reward) fault = read_reward(dq_map_get(document, keys->reward), &x->reward, error);
    if (!fault && !other_keys(document, known, 5, arena, &x->attributes))
        return dq_import_out_of_memory("attributes", error);
    if (!fault && keys->time) fault = name_time(keys->time, &x->attributes, error);
    if (!fault && keys->times && keys->times->format)
        fault = read_time(keys->times, &x->attributes, arena, error);
    return fault;
}
