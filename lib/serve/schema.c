/* SPDX-License-Identifier: MIT */
#include "serve/schema.h"

#include "port/files/json.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LENGTH = 4096, MAX_ITEMS = 10000, PLACE = 200 };

/* ---- checking ---- */

/* Where a value stands, as a JSON Pointer that grows and shrinks; a name that does not fit is cut. */
typedef struct place {
    char text[PLACE];
    size_t length;
} place;

static size_t place_enter(place *p, const char *name, size_t n)
{
    const size_t before = p->length;
    const size_t room = sizeof p->text - 1 - before;
    if (n + 1 > room) n = room ? room - 1 : 0;
    if (room) {
        p->text[before] = '/';
        memcpy(p->text + before + 1, name, n);
        p->length = before + 1 + n;
    }
    p->text[p->length] = '\0';
    return before;
}

static void place_leave(place *p, size_t before)
{
    p->length = before;
    p->text[before] = '\0';
}

static unsigned type_of(const dq_value *v)
{
    switch (v->type) {
    case DQ_NIL: return DQ_SERVE_NULL;
    case DQ_BOOL: return DQ_SERVE_BOOLEAN;
    case DQ_INT: return DQ_SERVE_INTEGER | DQ_SERVE_NUMBER;
    case DQ_REAL: return DQ_SERVE_NUMBER;
    case DQ_STRING: return DQ_SERVE_STRING;
    case DQ_LIST:
    case DQ_FLOATS: return DQ_SERVE_LIST;
    case DQ_MAP: return DQ_SERVE_OBJECT;
    default: return 0;
    }
}

/* In the order in which they are named, too. */
static const struct {
    unsigned bit;
    const char *name, *words;
} types[] = {{DQ_SERVE_STRING, "string", "a string"}, {DQ_SERVE_INTEGER, "integer", "an integer"},
             {DQ_SERVE_NUMBER, "number", "a number"}, {DQ_SERVE_BOOLEAN, "boolean", "true or false"},
             {DQ_SERVE_LIST, "array", "a list"},      {DQ_SERVE_OBJECT, "object", "an object"},
             {DQ_SERVE_NULL, "null", "null"}};
enum { TYPES = sizeof types / sizeof *types };

static dq_status wrong_type(const place *p, unsigned wanted, dq_error *error)
{
    char words[120] = "";
    size_t n = 0;
    for (size_t i = 0; i < TYPES; i++)
        if (wanted & types[i].bit)
            n += (size_t)snprintf(words + n, sizeof words - n, "%s%s", n ? " or " : "", types[i].words);
    return dq_fail(error, DQ_ERR_SCHEMA, "%s: not %s", p->length ? p->text : "the whole", words);
}

static dq_status check_number(const dq_serve_field *f, double x, const place *p, dq_error *error)
{
    if (!(f->min < f->max) || (x >= f->min && x <= f->max)) return DQ_OK;
    return dq_fail(error, DQ_ERR_SCHEMA, "%s: not within %.9g to %.9g", p->text, f->min, f->max);
}

static dq_status check_string(const dq_serve_field *f, const dq_value *v, const place *p, dq_error *error)
{
    const uint32_t max = f->max_length ? f->max_length : MAX_LENGTH;
    if (v->count > max) return dq_fail(error, DQ_ERR_SCHEMA, "%s: longer than %u bytes", p->text, max);
    if (memchr(v->as.string, '\0', v->count))
        return dq_fail(error, DQ_ERR_SCHEMA, "%s: holds a NUL", p->text);
    if (!f->choices) return DQ_OK;
    for (const char *const *c = f->choices; *c; c++)
        if (dq_value_is(v, *c)) return DQ_OK;
    return dq_fail(error, DQ_ERR_SCHEMA, "%s: not one of its choices, of which the first is \"%s\"", p->text,
                   f->choices[0]);
}

static dq_status check_fields(const dq_serve_schema *schema, const dq_value *v, place *p, dq_error *error);

/* A value of a type that was allowed. */
static dq_status check_value(const dq_serve_field *f, const dq_value *v, place *p, dq_error *error)
{
    if (v->type == DQ_STRING) return check_string(f, v, p, error);
    if (v->type == DQ_INT || v->type == DQ_REAL) return check_number(f, dq_value_number(v, 0), p, error);
    if (v->type == DQ_MAP && f->of) return check_fields(f->of, v, p, error);
    return DQ_OK;
}

static dq_status check_list(const dq_serve_field *f, const dq_value *v, place *p, dq_error *error)
{
    const uint32_t max = f->max_items ? f->max_items : MAX_ITEMS;
    if (v->count > max) return dq_fail(error, DQ_ERR_SCHEMA, "%s: more than %u elements", p->text, max);
    dq_status status = DQ_OK;
    for (uint32_t i = 0; i < v->count && v->type == DQ_LIST && !status; i++) {
        char number[16];
        const size_t before = place_enter(p, number, (size_t)snprintf(number, sizeof number, "%u", i));
        const dq_value *element = &v->as.list[i];
        status = type_of(element) & f->of_type ? check_value(f, element, p, error)
                                               : wrong_type(p, f->of_type, error);
        place_leave(p, before);
    }
    return status;
}

static dq_status check_field(const dq_serve_field *f, const dq_value *v, place *p, dq_error *error)
{
    if (!(type_of(v) & f->type)) return wrong_type(p, f->type, error);
    return type_of(v) == DQ_SERVE_LIST ? check_list(f, v, p, error) : check_value(f, v, p, error);
}

static const dq_serve_field *find_field(const dq_serve_schema *schema, const dq_value *key)
{
    for (const dq_serve_field *f = schema->fields; f->type; f++)
        if (dq_value_is(key, f->name)) return f;
    return NULL;
}

static dq_status check_known(const dq_serve_schema *schema, const dq_value *v, place *p, dq_error *error)
{
    dq_status status = DQ_OK;
    const dq_serve_field open = {.type = schema->any, .of_type = ~0u};
    for (uint32_t i = 0; i < v->count && !status; i++) {
        const dq_value *key = &v->as.map[i].key;
        const dq_serve_field *f = schema->fields ? find_field(schema, key) : &open;
        const size_t before = place_enter(p, key->as.string, key->count);
        status = f ? check_field(f, &v->as.map[i].value, p, error)
                   : dq_fail(error, DQ_ERR_SCHEMA, "%s: there is no such field", p->text);
        place_leave(p, before);
    }
    return status;
}

static dq_status check_fields(const dq_serve_schema *schema, const dq_value *v, place *p, dq_error *error)
{
    if (v->type != DQ_MAP) return wrong_type(p, DQ_SERVE_OBJECT, error);
    const dq_status status = check_known(schema, v, p, error);
    for (const dq_serve_field *f = schema->fields; !status && f && f->type; f++)
        if (f->required && !dq_map_get(v, f->name))
            return dq_fail(error, DQ_ERR_SCHEMA, "%s/%s: is missing", p->text, f->name);
    return status;
}

dq_status dq_serve_schema_check(const dq_serve_schema *schema, const dq_value *value, dq_error *error)
{
    place p = {0};
    return check_fields(schema, value, &p, error);
}

/* ---- a query ---- */

static bool parse_words(unsigned type, const char *words, dq_arena *arena, dq_value *value)
{
    double number;
    char *end = NULL;
    errno = 0;
    if ((type & DQ_SERVE_BOOLEAN) && (strcmp(words, "true") == 0 || strcmp(words, "false") == 0)) {
        *value = dq_bool(*words == 't');
    } else if ((type & DQ_SERVE_INTEGER) && dq_json_read_number(words, strlen(words), &number) &&
               (*value = dq_int(strtoll(words, &end, 10)), !*end && !errno)) {
        return true;
    } else if ((type & DQ_SERVE_NUMBER) && dq_json_read_number(words, strlen(words), &number) &&
               isfinite(number)) {
        *value = dq_real(number);
    } else if (type & DQ_SERVE_STRING) {
        *value = dq_string(arena, words);
    } else {
        return false;
    }
    return true;
}

dq_status dq_serve_field_parse(const dq_serve_field *field, const char *words, dq_arena *arena,
                               dq_value *value, dq_error *error)
{
    place p = {0};
    place_enter(&p, field->name, strlen(field->name));
    /* what may be a string is one: "007" is no number */
    const unsigned type = field->type & DQ_SERVE_STRING ? DQ_SERVE_STRING : field->type;
    if (!parse_words(type, words, arena, value)) return wrong_type(&p, field->type, error);
    return check_field(field, value, &p, error);
}

/* ---- describing ---- */

static bool set(dq_arena *arena, dq_value *map, const char *key, dq_value value)
{
    return dq_map_set(arena, map, key, value);
}

static dq_value type_names(dq_arena *arena, unsigned type)
{
    dq_value list = dq_list();
    if (type & DQ_SERVE_NUMBER) type &= ~(unsigned)DQ_SERVE_INTEGER; /* which a number is */
    for (size_t i = 0; i < TYPES; i++)
        if (type & types[i].bit) dq_list_add(arena, &list, dq_string(arena, types[i].name));
    return list.count == 1 ? list.as.list[0] : list;
}

/* Of what is taken there is a most, whether the table has one or not. */
static bool describe_most(const char *key, uint32_t most, uint32_t otherwise, bool taken, dq_arena *arena,
                          dq_value *out)
{
    if (!most && taken) most = otherwise;
    return !most || set(arena, out, key, dq_int(most));
}

static bool describe_string(const dq_serve_field *f, bool taken, dq_arena *arena, dq_value *out)
{
    bool ok = describe_most("maxLength", f->max_length, MAX_LENGTH, taken, arena, out);
    dq_value choices = dq_list();
    for (const char *const *c = f->choices; c && *c; c++)
        ok &= dq_list_add(arena, &choices, dq_string(arena, *c));
    return ok && (!choices.count || set(arena, out, "enum", choices));
}

static bool describe_ref(const dq_serve_schema *schema, dq_arena *arena, dq_value *out)
{
    char text[160];
    snprintf(text, sizeof text, "#/components/schemas/%s", schema->name);
    return set(arena, out, "$ref", dq_string(arena, text));
}

/* What a value of these types is: a field's, or an element's of its list. */
static bool describe_types(const dq_serve_field *f, unsigned type, bool taken, dq_arena *arena, dq_value *out)
{
    if (type == DQ_SERVE_OBJECT && f->of) return describe_ref(f->of, arena, out);
    if ((type & DQ_SERVE_OBJECT) && f->of) {
        dq_value either = dq_list(), object = dq_map(), rest = dq_map();
        return describe_ref(f->of, arena, &object) &&
               describe_types(f, type & ~(unsigned)DQ_SERVE_OBJECT, taken, arena, &rest) &&
               dq_list_add(arena, &either, object) && dq_list_add(arena, &either, rest) &&
               set(arena, out, "anyOf", either);
    }
    bool ok = set(arena, out, "type", type_names(arena, type));
    if (type & DQ_SERVE_STRING) ok &= describe_string(f, taken, arena, out);
    if ((type & (DQ_SERVE_INTEGER | DQ_SERVE_NUMBER)) && f->min < f->max)
        ok &= set(arena, out, "minimum", dq_real(f->min)) && set(arena, out, "maximum", dq_real(f->max));
    return ok;
}

bool dq_serve_field_describe(const dq_serve_field *f, bool taken, dq_arena *arena, dq_value *out)
{
    *out = dq_map();
    bool ok = describe_types(f, f->type, taken, arena, out);
    if (f->type & DQ_SERVE_LIST) {
        dq_value element = dq_map();
        ok &= describe_types(f, f->of_type, taken, arena, &element) && set(arena, out, "items", element);
        ok &= describe_most("maxItems", f->max_items, MAX_ITEMS, taken, arena, out);
    }
    return ok && (!f->help || set(arena, out, "description", dq_string(arena, f->help)));
}

bool dq_serve_schema_describe(const dq_serve_schema *schema, bool taken, dq_arena *arena, dq_value *out)
{
    dq_value properties = dq_map(), required = dq_list(), field;
    bool ok = true;
    *out = dq_map();
    for (const dq_serve_field *f = schema->fields; f && f->type; f++) {
        ok &= dq_serve_field_describe(f, taken, arena, &field) && set(arena, &properties, f->name, field);
        if (f->required) ok &= dq_list_add(arena, &required, dq_string(arena, f->name));
    }
    dq_value others = dq_bool(false);
    if (!schema->fields) {
        others = dq_map();
        ok &= set(arena, &others, "type", type_names(arena, schema->any));
    }
    ok &= set(arena, out, "type", dq_string(arena, "object")) && set(arena, out, "properties", properties);
    if (required.count) ok &= set(arena, out, "required", required);
    return ok && set(arena, out, "additionalProperties", others);
}
