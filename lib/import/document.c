/* SPDX-License-Identifier: MIT */
#include "import/document.h"

#include "core/array.h"
#include "core/index.h"
#include "core/layout.h"
#include "data/time.h"
#include "port/files/ejson.h"
#include "port/files/rows.h"

#include <math.h>
#include <stdlib.h>
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
    if (v->type != DQ_MAP)
        return mistyped(error, "text is no object of texts; --columns text.NAME=text makes one of it");
    if (v->count > DQ_MAX_COLUMNS - 2) return mistyped(error, "text has more than 4094 names");
    for (uint32_t i = 0; i < v->count; i++) {
        dq_value text;
        if (dq_import_read_text(&v->as.map[i].value, arena, &text, error)) return DQ_IMPORT_MISTYPED;
        if (text.type == DQ_STRING && !dq_map_add(arena, texts, v->as.map[i].key, text)) /* keys are unique */
            return dq_import_out_of_memory("texts", error);
    }
    return DQ_IMPORT_FINE;
}

/* ---- layouts ---- */

/* A layout that rows have, and how many. */
typedef struct candidate {
    dq_field *fields; /* (count) */
    size_t count;
    uint64_t width, rows;
    uint64_t sum; /* of hashes of the fields: that of equal layouts is equal, in any order */
} candidate;

typedef struct ballot {
    const char *kind;
    candidate *candidates; /* (count), as they were first seen */
    size_t count, slots;
    uint64_t without; /* rows without a vector */
    dq_arena arena;
} ballot;

/* One vector without a name, rather than an object of them. */
static bool is_single(const dq_value *v)
{
    return v->type == DQ_LIST || v->type == DQ_FLOATS || v->type == DQ_STRING || dq_map_get(v, "$binary");
}

static dq_import_fault too_many_fields(const dq_value *v, dq_error *error)
{
    dq_fail(error, DQ_ERR_SCHEMA,
            "vector has %u fields, and at most %d are named; one list holds as many numbers", v->count,
            DQ_FIELDS_MAX);
    return DQ_IMPORT_WIDTH;
}

/* The layout that a row's vector has by itself: one field, or those of the object in its order. False, and
 * perhaps an error, where it has none. */
static dq_import_fault lay_out(const dq_value *v, dq_arena *arena, candidate *c, dq_error *error)
{
    bool single = is_single(v);
    size_t count = single ? 1 : v->count;
    if (count > DQ_FIELDS_MAX) return too_many_fields(v, error);
    *c = (candidate){.fields = dq_arena_zero(arena, count + 1, sizeof *c->fields), .rows = 1};
    if (!c->fields) return dq_import_out_of_memory("fields", error);
    for (; c->count < count; c->count++) {
        const char *name = single ? "vector" : v->as.map[c->count].key.as.string;
        const dq_value *value = single ? v : &v->as.map[c->count].value;
        dq_value numbers;
        dq_import_fault fault = dq_import_unpack_vector(value, name, 0, arena, &numbers, error);
        if (fault) return fault;
        dq_field *field = &c->fields[c->count];
        *field = (dq_field){.name = dq_arena_text(arena, name, strlen(name)), .width = numbers.count};
        if (!field->name) return dq_import_out_of_memory("fields", error);
        field->offset = (uint32_t)c->width;
        c->width += numbers.count;
        c->sum += dq_hash(name, strlen(name), numbers.count);
        if (!numbers.count || c->width > DQ_IMPORT_MAX_WIDTH) return DQ_IMPORT_WIDTH;
    }
    return c->count ? DQ_IMPORT_FINE : DQ_IMPORT_WIDTH;
}

/* The same fields of the same widths, in any order. */
static bool same_layout(const candidate *a, const candidate *b)
{
    bool same = a->count == b->count && a->sum == b->sum;
    for (size_t i = 0; i < a->count && same; i++) {
        const dq_field *field = dq_field_find(b->fields + i, 1, a->fields[i].name); /* mostly there */
        if (!field) field = dq_field_find(b->fields, b->count, a->fields[i].name);
        same = field && field->width == a->fields[i].width;
    }
    return same;
}

/* Of a row of another kind that it is one is all that its reader wants to know. */
static dq_status keep_kind(dq_value *document, dq_error *error)
{
    for (uint32_t i = 0; i < document->count; i++)
        if (dq_value_is(&document->as.map[i].key, "kind")) {
            document->as.map += i;
            document->count = 1;
            return DQ_OK;
        }
    return dq_fail(error, DQ_ERR_SCHEMA, "a row of no kind");
}

/* A row has one vote, for the layout of its vector or for none; one with a vector that cannot be read has no
 * vote. */
static dq_status take_vote(void *arg, dq_value *document, bool *counts, dq_error *error)
{
    ballot *b = arg;
    dq_error why = DQ_ERROR_NONE;
    candidate c;
    *counts = dq_import_is_for(document, b->kind);
    const dq_value *v = dq_map_get(document, "vector");
    if (!*counts) return keep_kind(document, error);
    if (!v || v->type == DQ_NIL) return b->without++, DQ_OK;
    if (v->type != DQ_MAP && !is_single(v)) return DQ_OK;
    if (lay_out(v, &b->arena, &c, &why))
        return why.status == DQ_ERR_MEMORY ? dq_fail_memory(error, "fields") : DQ_OK;
    for (size_t i = 0; i < b->count; i++)
        if (same_layout(&c, &b->candidates[i])) return b->candidates[i].rows++, DQ_OK;
    if (!dq_array_reserve(&b->candidates, &b->slots, b->count + 1, sizeof *b->candidates))
        return dq_fail_memory(error, "fields");
    b->candidates[b->count++] = c;
    return DQ_OK;
}

static dq_status elect(const ballot *b, dq_import_layout *layout, dq_error *error)
{
    const candidate *most = NULL;
    for (size_t i = 0; i < b->count; i++)
        if (!most || b->candidates[i].rows > most->rows) most = &b->candidates[i];
    *layout = (dq_import_layout){.arena = layout->arena, .known = true};
    if (!most || most->rows < b->without) return DQ_OK;
    layout->fields = dq_arena_zero(&layout->arena, most->count, sizeof *layout->fields);
    if (!layout->fields) return dq_fail_memory(error, "fields");
    for (size_t i = 0; i < most->count; i++) {
        const dq_field *field = &most->fields[i];
        layout->fields[i] = *field;
        layout->fields[i].name = dq_arena_text(&layout->arena, field->name, strlen(field->name));
        if (!layout->fields[i].name) return dq_fail_memory(error, "fields");
    }
    layout->count = most->count;
    layout->width = (uint32_t)most->width;
    return DQ_OK;
}

dq_status dq_import_find_layout(dq_documents *documents, const char *kind, dq_import_layout *layout,
                                dq_error *error)
{
    enum { ROWS = 1000, BYTES = 32 << 20 };
    ballot b = {.kind = kind};
    dq_status status = dq_documents_look_ahead(documents, ROWS, BYTES, take_vote, &b, error);
    if (!status) status = elect(&b, layout, error);
    free(b.candidates);
    dq_arena_free(&b.arena);
    return status;
}

/* ---- vectors ---- */

/* The value of a field: the list itself when there is one nameless field, else the object's. */
static const dq_value *field_value(const dq_value *v, const dq_import_layout *layout, size_t i)
{
    bool nameless = layout->count == 1 && strcmp(layout->fields[0].name, "vector") == 0;
    if (is_single(v)) return nameless ? v : NULL;
    const char *name = layout->fields[i].name;
    bool there = i < v->count && dq_value_is(&v->as.map[i].key, name); /* as it mostly is */
    return there ? &v->as.map[i].value : dq_map_get(v, name);
}

static dq_import_fault read_fields(const dq_value *v, const dq_import_layout *layout, dq_arena *arena,
                                   float *to, dq_error *error)
{
    if (!is_single(v) && v->count > DQ_FIELDS_MAX) return too_many_fields(v, error);
    if (!is_single(v) && v->count != layout->count) {
        dq_fail(error, DQ_ERR_SCHEMA, "vector has %u fields where most rows have %zu", v->count,
                layout->count);
        return DQ_IMPORT_WIDTH;
    }
    for (size_t i = 0; i < layout->count; i++) {
        const dq_field *field = &layout->fields[i];
        const dq_value *list = field_value(v, layout, i);
        if (!list) {
            dq_fail(error, DQ_ERR_SCHEMA, "vector has no field '%s', which most rows have", field->name);
            return DQ_IMPORT_MISSING;
        }
        dq_import_fault fault = dq_import_read_vector(list, field->name, field->width, arena,
                                                      to + field->offset, error);
        if (fault) return fault;
    }
    return DQ_IMPORT_FINE;
}

/* Of a layout without vectors: why a vector that is there cannot be used. */
static dq_import_fault refuse_vector(const dq_value *v, dq_arena *arena, dq_error *error)
{
    candidate c;
    dq_import_fault fault = lay_out(v, arena, &c, error);
    if (fault && error->status) return fault;
    dq_fail(error, DQ_ERR_SCHEMA, fault ? "vector: no numbers" : "a vector, where most rows have none");
    return DQ_IMPORT_WIDTH;
}

static dq_import_fault read_vector(const dq_value *v, const dq_import_layout *layout, dq_arena *arena,
                                   const float **vector, dq_error *error)
{
    *vector = NULL;
    if (v && v->type == DQ_NIL) v = NULL;
    if (v && v->type != DQ_MAP && !is_single(v))
        return mistyped(error, "vector is neither a list nor an object of lists");
    if (v && !layout->width) return refuse_vector(v, arena, error);
    if (!v && !layout->width) return DQ_IMPORT_FINE;
    if (!v) {
        dq_fail(error, DQ_ERR_SCHEMA, "no vector");
        return DQ_IMPORT_MISSING;
    }
    float *to = dq_arena_take(arena, layout->width * sizeof *to);
    if (!to) return dq_import_out_of_memory("a vector", error);
    *vector = to;
    return read_fields(v, layout, arena, to, error);
}

/* ---- the whole ---- */

/* Of a row that says its kind: an attribute that is named so, too, stands under attr.kind. */
static dq_value name_of_attribute(dq_value key)
{
    bool kind = key.as.string[0] == 'a' && dq_rows_names_kind(key.as.string, key.count);
    if (kind) key.as.string += 5, key.count -= 5;
    return key;
}

/* All keys but these, in their order. own: the row says its kind. */
static bool other_keys(const dq_value *document, const char *const *but, size_t count, bool own,
                       dq_arena *arena, dq_value *others)
{
    *others = dq_map();
    others->as.map = dq_arena_take(arena, document->count * sizeof(dq_entry));
    if (!others->as.map) return false;
    for (uint32_t i = 0; i < document->count; i++) {
        const dq_entry *entry = &document->as.map[i];
        bool known = false;
        for (size_t k = 0; k < count && !known; k++) known = but[k] && dq_value_is(&entry->key, but[k]);
        if (known) continue;
        others->as.map[others->count] = *entry;
        if (own) others->as.map[others->count].key = name_of_attribute(entry->key);
        others->count++;
    }
    return true;
}

dq_import_says dq_import_says_kind(const dq_value *document, const char *kind)
{
    const dq_value *v = dq_map_get(document, "kind");
    char text[16] = "";
    if (!v) return DQ_IMPORT_SAYS_NOTHING;
    if (v->type == DQ_STRING && v->count < sizeof text) memcpy(text, v->as.string, v->count);
    if (dq_schema_order(text) < 0 || !dq_value_is(v, text)) return DQ_IMPORT_SAYS_NOTHING; /* a NUL in it */
    return strcmp(text, kind) == 0 ? DQ_IMPORT_SAYS_THIS : DQ_IMPORT_SAYS_ANOTHER;
}

bool dq_import_is_for(const dq_value *document, const char *kind)
{
    return dq_import_says_kind(document, kind) != DQ_IMPORT_SAYS_ANOTHER;
}

dq_import_fault dq_import_read_entity(const dq_value *document, const char *kind,
                                      const dq_import_layout *layout, dq_arena *arena,
                                      dq_import_entity *entity, dq_error *error)
{
    bool says_kind = dq_value_is(dq_map_get(document, "kind"), kind);
    const char *const known[] = {"id", "text", "vector", says_kind ? "kind" : NULL};
    dq_import_fault fault = dq_import_read_id(dq_map_get(document, "id"), arena, &entity->id, error);
    if (!fault) fault = read_texts(dq_map_get(document, "text"), arena, &entity->texts, error);
    if (!fault && !other_keys(document, known, 4, says_kind, arena, &entity->attributes))
        return dq_import_out_of_memory("attributes", error);
    if (!fault) fault = read_vector(dq_map_get(document, "vector"), layout, arena, &entity->vector, error);
    return fault;
}

/* A string, a number ("4" for 4.0), a truth value, or what has a text in extended JSON. */
static dq_import_fault read_word(const dq_value *v, const char *what, dq_arena *arena, dq_value *word,
                                 dq_error *error)
{
    dq_value read = v ? *v : dq_nil(), text;
    double number;
    *word = dq_nil();
    if (read.type == DQ_NIL) return DQ_IMPORT_FINE;
    if (dq_ejson_number(&read, &number)) {
        if (!isfinite(number)) {
            dq_fail(error, DQ_ERR_SCHEMA, "the %s is a number that is not finite", what);
            return DQ_IMPORT_MISTYPED;
        }
        if (number == rint(number) && fabs(number) < 0x1p53) read = dq_int((int64_t)number);
    }
    if (read.type == DQ_MAP) {
        if (dq_ejson_text(&read, arena, &text, error)) return DQ_IMPORT_MISTYPED;
        read = text;
    }
    if (read.type == DQ_NIL || read.type == DQ_LIST || read.type == DQ_FLOATS) {
        dq_fail(error, DQ_ERR_SCHEMA, "the %s is neither a string nor a number", what);
        return DQ_IMPORT_MISTYPED;
    }
    return dq_import_read_text(&read, arena, word, error) ? DQ_IMPORT_MISTYPED : DQ_IMPORT_FINE;
}

static dq_import_fault apply_scale(dq_import_scale *scale, double *reward, dq_error *error)
{
    if (*reward < scale->low || *reward > scale->high) {
        dq_fail(error, DQ_ERR_NUMERIC, "the reward %.9g is not from %.9g to %.9g", *reward, scale->low,
                scale->high);
        scale->outside++;
        return DQ_IMPORT_REWARD;
    }
    *reward = (*reward - scale->low) / (scale->high - scale->low);
    scale->scaled++;
    return DQ_IMPORT_FINE;
}

static dq_import_fault read_reward(const dq_value *v, dq_import_scale *scale, float *reward, dq_error *error)
{
    double number = NAN;
    *reward = NAN;
    if (!v || v->type == DQ_NIL) return DQ_IMPORT_FINE;
    dq_import_fault fault = dq_import_read_number(v, "the reward", &number, error);
    if (!fault && scale && scale->given) fault = apply_scale(scale, &number, error);
    *reward = (float)number;
    if (fault || isfinite(*reward)) return fault;
    dq_fail(error, DQ_ERR_NUMERIC, "the reward is not finite as a float32");
    return DQ_IMPORT_NOT_FINITE;
}

/* ---- interactions ---- */

/* What stands under the keys of an interaction, each by its number. */
enum { USER, ITEM, LABEL, REWARD, PROPENSITY, POSITION, REQUEST, MODEL, KNOWN };

/* A bit for each of the known keys that a key is. */
static uint16_t bits_of(const dq_value *key, const dq_import_interaction_keys *keys)
{
    const char *const known[KNOWN] = {[USER] = keys->user,
                                      [ITEM] = keys->item,
                                      [LABEL] = keys->label,
                                      [REWARD] = keys->reward,
                                      [PROPENSITY] = keys->propensity,
                                      [POSITION] = keys->position,
                                      [REQUEST] = keys->request,
                                      [MODEL] = keys->model};
    unsigned bits = 0;
    for (int k = 0; k < KNOWN; k++) bits |= (unsigned)(known[k] && dq_value_is(key, known[k])) << k;
    return (uint16_t)bits;
}

/* The bits of all keys of a document, where they are kept; NULL: they are not. */
static const uint16_t *all_bits(const dq_value *document, const dq_import_interaction_keys *keys)
{
    dq_import_parts *parts = keys->parts;
    if (!parts) return NULL;
    if (dq_import_shape_is(&parts->shape, document, keys->shape)) return parts->are;
    if (!dq_array_reserve(&parts->are, &parts->slots, document->count + (size_t)1, sizeof *parts->are))
        return NULL;
    for (uint32_t i = 0; i < document->count; i++) parts->are[i] = bits_of(&document->as.map[i].key, keys);
    dq_import_shape_set(&parts->shape, document, keys->shape);
    return parts->are;
}

void dq_import_parts_free(dq_import_parts *parts)
{
    dq_import_shape_free(&parts->shape);
    free(parts->are);
    *parts = (dq_import_parts){.slots = 0};
}

/* Parts the keys of a document: those that are known into `found`, the others but one that is ignored into
 * the attributes, in their order. False: memory is short. */
static bool part_keys(const dq_value *document, const dq_import_interaction_keys *keys, dq_arena *arena,
                      const dq_value *found[KNOWN], dq_value *attributes)
{
    const uint16_t *bits = all_bits(document, keys);
    const bool own = keys->ignored && strcmp(keys->ignored, "kind") == 0; /* the row says its kind */
    *attributes = dq_map();
    attributes->as.map = dq_arena_take(arena, document->count * sizeof(dq_entry));
    if (!attributes->as.map) return false;
    for (uint32_t i = 0; i < document->count; i++) {
        const dq_entry *entry = &document->as.map[i];
        unsigned is = bits ? bits[i] : bits_of(&entry->key, keys);
        bool taken = is || (keys->ignored && dq_value_is(&entry->key, keys->ignored));
        for (; is; is &= is - 1) found[__builtin_ctz(is)] = &entry->value; /* one key may be two */
        if (taken) continue;
        dq_entry *attribute = &attributes->as.map[attributes->count++];
        *attribute = *entry;
        if (own) attribute->key = name_of_attribute(entry->key);
    }
    return true;
}

static dq_import_fault read_propensity(const dq_value *v, double *propensity, dq_error *error)
{
    double number;
    if (!v || v->type == DQ_NIL) return DQ_IMPORT_FINE;
    dq_import_fault fault = dq_import_read_number(v, "the propensity", &number, error);
    if (fault) return fault;
    *propensity = number;
    if (number > 0 && number <= 1) return DQ_IMPORT_FINE;
    dq_fail(error, DQ_ERR_NUMERIC, "the propensity %.9g is not above 0 and at most 1", number);
    return DQ_IMPORT_PROPENSITY;
}

static dq_import_fault read_position(const dq_value *v, uint32_t *position, dq_error *error)
{
    double number;
    if (!v || v->type == DQ_NIL) return DQ_IMPORT_FINE;
    if (dq_import_read_number(v, "the position", &number, error)) {
        dq_fail(error, DQ_ERR_SCHEMA,
                "the position is no number; --columns attr.OTHER=position makes an attribute of it");
        return DQ_IMPORT_MISTYPED;
    }
    bool fits = number >= 1 && number <= UINT32_MAX && number == rint(number);
    if (fits) *position = (uint32_t)number;
    if (fits) return DQ_IMPORT_FINE;
    dq_fail(error, DQ_ERR_NUMERIC, "the position %.9g is no whole number from 1", number);
    return DQ_IMPORT_POSITION;
}

static dq_import_fault read_logged(const dq_value *const found[], dq_arena *arena, dq_import_interaction *x,
                                   dq_error *error)
{
    dq_import_fault fault = read_propensity(found[PROPENSITY], &x->propensity, error);
    if (!fault) fault = read_position(found[POSITION], &x->position, error);
    if (!fault && found[REQUEST]) fault = read_word(found[REQUEST], "request", arena, &x->request, error);
    if (!fault && found[MODEL]) fault = read_word(found[MODEL], "model", arena, &x->model, error);
    return fault;
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

/* The user or the item, which are the name of the key that they stand under, too, in words. */
static dq_import_fault read_end(const dq_value *value, const char *key, dq_arena *arena, dq_import_id *id,
                                dq_error *error)
{
    dq_error why;
    why.status = DQ_OK; /* what else it has is read where there is a fault */
    dq_import_fault fault = dq_import_read_id(value, arena, id, &why);
    if (fault) dq_fail(error, why.status, "%.60s: %s", key, why.reason);
    return fault;
}

dq_import_fault dq_import_read_interaction(const dq_value *document, const dq_import_interaction_keys *keys,
                                           dq_arena *arena, dq_import_interaction *x, dq_error *error)
{
    const dq_value *found[KNOWN] = {NULL};
    x->label = x->request = x->model = dq_nil();
    x->written = NULL;
    x->reward = NAN;
    x->propensity = (double)NAN;
    x->position = 0;
    if (!part_keys(document, keys, arena, found, &x->attributes))
        return dq_import_out_of_memory("attributes", error);
    dq_import_fault fault = read_end(found[USER], keys->user, arena, &x->user, error);
    if (!fault) fault = read_end(found[ITEM], keys->item, arena, &x->item, error);
    if (!fault && found[LABEL]) fault = read_word(found[LABEL], "label", arena, &x->label, error);
    if (!fault) fault = read_reward(found[REWARD], keys->scale, &x->reward, error);
    if (!fault) fault = read_logged(found, arena, x, error);
    if (!fault && keys->time) fault = name_time(keys->time, &x->attributes, error);
    if (!fault && keys->times && keys->times->format)
        fault = read_time(keys->times, &x->attributes, arena, error);
    return fault;
}

dq_import_fault dq_import_read_feedback(const dq_value *document, dq_import_scale *scale, dq_arena *arena,
                                        dq_import_interaction *x, dq_error *error)
{
    *x = (dq_import_interaction){.reward = NAN, .propensity = NAN};
    dq_import_fault fault = read_word(dq_map_get(document, "request"), "request", arena, &x->request, error);
    if (!fault && x->request.type == DQ_NIL)
        fault = dq_import_read_id(dq_map_get(document, "user"), arena, &x->user, error);
    if (!fault) fault = dq_import_read_id(dq_map_get(document, "item"), arena, &x->item, error);
    if (!fault) fault = read_word(dq_map_get(document, "label"), "label", arena, &x->label, error);
    if (!fault) fault = read_reward(dq_map_get(document, "reward"), scale, &x->reward, error);
    if (!fault && isnan(x->reward)) x->reward = 1;
    return fault;
}
