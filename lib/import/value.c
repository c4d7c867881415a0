/* SPDX-License-Identifier: MIT */
#include "import/value.h"

#include "core/hex.h"
#include "port/files/ejson.h"
#include "port/files/json.h"
#include "port/files/vector_text.h"
#include "port/mongo/mongo.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXACT 9007199254740992.0 /* 2^53 */

/* ---- ids ---- */

static dq_import_fault no_id(dq_error *error, const char *why)
{
    dq_fail(error, DQ_ERR_SCHEMA, "%s", why);
    return DQ_IMPORT_NO_ID;
}

static dq_import_fault integer_id(int64_t integer, dq_arena *arena, dq_import_id *id, dq_error *error)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%" PRId64, integer);
    *id = (dq_import_id){.kind = DQ_ID_INTEGER, .integer = integer, .bytes = (size_t)n};
    id->text = dq_arena_text(arena, text, (size_t)n);
    return id->text ? DQ_IMPORT_FINE : dq_import_out_of_memory("an id", error);
}

/* A whole number whose digits are all known. */
static dq_import_fault real_id(double number, dq_arena *arena, dq_import_id *id, dq_error *error)
{
    if (!isfinite(number)) return no_id(error, isnan(number) ? "the id is NaN" : "the id is infinite");
    if (number != rint(number)) {
        dq_fail(error, DQ_ERR_SCHEMA, "the id %.9g is no whole number", number);
        return DQ_IMPORT_NO_ID;
    }
    if (fabs(number) >= EXACT) /* 2^53 + 1 is read as 2^53 */
        return no_id(error, "the id is a number over 53 bits that is no integer of 64: its digits may be "
                            "lost; write it as a string");
    return integer_id((int64_t)number, arena, id, error);
}

/* ObjectId("24 hex digits"), as shells and mongoexport's CSV write one: its digits, or NULL. */
static const char *shown_object_id(const dq_value *v)
{
    enum { HEX = 24 };
    static const char head[] = "ObjectId(";
    size_t n = sizeof head - 1, quote;
    if (v->count < n + HEX + 1 || memcmp(v->as.string, head, n) != 0) return NULL;
    quote = v->as.string[n] == '"' || v->as.string[n] == '\'' ? 1 : 0;
    const char *hex = v->as.string + n + quote, *end = hex + HEX;
    bool whole = v->count == n + 2 * quote + HEX + 1 && strspn(hex, "0123456789abcdefABCDEF") == HEX;
    return whole && (!quote || *end == hex[-1]) && end[quote] == ')' ? hex : NULL;
}

static dq_import_fault object_id(const char *hex, dq_arena *arena, dq_import_id *id, dq_error *error)
{
    char *text = dq_arena_text(arena, hex, 24);
    if (!text) return dq_import_out_of_memory("an id", error);
    for (char *c = text; *c; c++)
        if (*c >= 'A' && *c <= 'F') *c = (char)(*c - 'A' + 'a');
    *id = (dq_import_id){.kind = DQ_ID_OBJECT, .text = text, .bytes = 24};
    return DQ_IMPORT_FINE;
}

static dq_import_fault string_id(const dq_value *v, dq_arena *arena, dq_import_id *id, dq_error *error)
{
    if (!v->count) return no_id(error, "the id is empty");
    const char *hex = shown_object_id(v);
    if (hex) return object_id(hex, arena, id, error);
    *id = (dq_import_id){.kind = DQ_ID_STRING, .text = v->as.string, .bytes = v->count};
    return DQ_IMPORT_FINE;
}

/* A UUID in its digits and dashes, other bytes in hex. */
static dq_import_fault binary_text(const dq_ejson_bytes *b, dq_arena *arena, dq_import_id *id,
                                   dq_error *error)
{
    bool uuid = b->subtype == DQ_UUID_SUBTYPE;
    size_t n = uuid ? DQ_UUID_TEXT : 2 * b->count;
    char *text = dq_arena_take(arena, n + 1);
    if (!text) return dq_import_out_of_memory("an id", error);
    if (uuid)
        dq_ejson_uuid(b->at, text);
    else
        dq_hex_write(text, b->at, b->count);
    *id = (dq_import_id){.kind = DQ_ID_BINARY, .text = text, .bytes = n};
    id->integer = (int64_t)b->count << 8 | b->subtype;
    return DQ_IMPORT_FINE;
}

static dq_import_fault binary_id(const dq_value *v, dq_arena *arena, dq_import_id *id, dq_error *error)
{
    enum { GENERIC = 0, MD5 = 5, CUSTOM = 0x80, OBJECT_ID = 12 };
    dq_ejson_bytes b;
    dq_error none = DQ_ERROR_NONE;
    dq_status status = dq_ejson_bytes_of(v, arena, &b, &none);
    if (status == DQ_ERR_MEMORY) return dq_import_out_of_memory("an id", error);
    if (status) return no_id(error, "an id of the form $binary that cannot be read");
    if (b.subtype == DQ_OLD_UUID_SUBTYPE)
        return no_id(error, "an id of the form $binary, subtype 3: a UUID whose order of bytes only its "
                            "writer knows (Java, C# and Python differ); store it as subtype 4, or its text");
    bool uuid = b.subtype == DQ_UUID_SUBTYPE && b.count == DQ_UUID_BYTES;
    bool plain = b.subtype == GENERIC || b.subtype == MD5 || b.subtype == CUSTOM;
    if (uuid || (plain && b.count && b.count != OBJECT_ID)) return binary_text(&b, arena, id, error);
    dq_fail(error, DQ_ERR_SCHEMA,
            "an id of the form $binary, subtype %u, %zu bytes: UUIDs (4) are read, and bytes (0, 5, 128) but "
            "for 12, which would be taken for an ObjectId",
            b.subtype, b.count);
    return DQ_IMPORT_NO_ID;
}

static dq_import_fault map_id(const dq_value *v, dq_arena *arena, dq_import_id *id, dq_error *error)
{
    const dq_value *oid = dq_map_get(v, "$oid"), *referred = dq_map_get(v, "$id");
    double number;
    if (referred && dq_map_get(v, "$ref")) return dq_import_read_id(referred, arena, id, error);
    if (oid && v->count == 1 && oid->type == DQ_STRING && oid->count == 24 &&
        strspn(oid->as.string, "0123456789abcdefABCDEF") == 24)
        return object_id(oid->as.string, arena, id, error);
    if (dq_map_get(v, "$binary") && v->count == 1) return binary_id(v, arena, id, error);
    if (dq_ejson_number(v, &number)) return real_id(number, arena, id, error);
    const char *key = dq_ejson_key(v);
    if (!key) return no_id(error, "the id is an object");
    dq_fail(error, DQ_ERR_SCHEMA,
            "an id of the form %.40s that is none: strings, whole numbers, ObjectIds, UUIDs and binaries are "
            "read",
            key);
    return DQ_IMPORT_NO_ID;
}

dq_import_fault dq_import_read_id(const dq_value *v, dq_arena *arena, dq_import_id *id, dq_error *error)
{
    if (!v) return no_id(error, "no id");
    switch (v->type) {
    case DQ_NIL: return no_id(error, "the id is null");
    case DQ_BOOL: return no_id(error, v->as.boolean ? "the id is true" : "the id is false");
    case DQ_INT: return integer_id(v->as.integer, arena, id, error);
    case DQ_REAL: return real_id(v->as.real, arena, id, error);
    case DQ_STRING: return string_id(v, arena, id, error);
    case DQ_MAP: return map_id(v, arena, id, error);
    case DQ_BINARY:
    case DQ_LIST:
    case DQ_FLOATS: break;
    }
    return no_id(error, "the id is a list");
}

int dq_import_id_compare(const dq_import_id *a, const dq_import_id *b)
{
    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    bool counted = a->kind == DQ_ID_INTEGER || a->kind == DQ_ID_BINARY;
    if (counted && a->integer != b->integer) return a->integer < b->integer ? -1 : 1;
    if (a->kind == DQ_ID_INTEGER) return 0;
    int order = memcmp(a->text, b->text, a->bytes < b->bytes ? a->bytes : b->bytes);
    return order ? order : (a->bytes > b->bytes) - (a->bytes < b->bytes);
}

/* ---- texts ---- */

static dq_status append(dq_json_text *out, const dq_value *v, dq_arena *arena, dq_error *error);

static dq_status append_list(dq_json_text *out, const dq_value *list, dq_arena *arena, dq_error *error)
{
    dq_status status = DQ_OK;
    for (uint32_t i = 0; i < list->count && !status; i++) {
        const dq_value *v = &list->as.list[i];
        const char *between = v->type == DQ_MAP && !dq_ejson_key(v) ? "; " : ", ";
        if (i) status = dq_json_write_raw(out, between, 2, error);
        if (!status) status = append(out, v, arena, error);
    }
    return status;
}

static dq_status append_map(dq_json_text *out, const dq_value *map, dq_arena *arena, dq_error *error)
{
    dq_value text;
    dq_status status = dq_ejson_text(map, arena, &text, error);
    if (status || text.type == DQ_STRING)
        return status ? status : dq_json_write_raw(out, text.as.string, text.count, error);
    for (uint32_t i = 0; i < map->count && !status; i++) {
        const dq_entry *entry = &map->as.map[i];
        if (i) status = dq_json_write_raw(out, ", ", 2, error);
        if (!status) status = dq_json_write_raw(out, entry->key.as.string, entry->key.count, error);
        if (!status) status = dq_json_write_raw(out, ": ", 2, error);
        if (!status) status = append(out, &entry->value, arena, error);
    }
    return status;
}

static dq_status append(dq_json_text *out, const dq_value *v, dq_arena *arena, dq_error *error)
{
    switch (v->type) { /* NOLINT(*.NullDereference): what has a count has its elements */
    case DQ_STRING: return dq_json_write_raw(out, v->as.string, v->count, error);
    case DQ_LIST: return append_list(out, v, arena, error);
    case DQ_MAP: return append_map(out, v, arena, error);
    default: return dq_json_write(out, v, error);
    }
}

dq_status dq_import_read_text(const dq_value *v, dq_arena *arena, dq_value *text, dq_error *error)
{
    *text = v ? *v : dq_nil();
    if (text->type == DQ_NIL || text->type == DQ_STRING) return DQ_OK;
    dq_json_text joined = DQ_JSON_TEXT_EMPTY;
    dq_status status = append(&joined, v, arena, error);
    if (!status) *text = dq_string_n(arena, joined.data ? joined.data : "", joined.bytes);
    if (!status && text->type != DQ_STRING) status = dq_fail_memory(error, "a text");
    dq_json_text_free(&joined);
    return status;
}

/* ---- numbers ---- */

dq_import_fault dq_import_read_number(const dq_value *v, const char *name, double *number, dq_error *error)
{
    bool quoted = v->type == DQ_STRING && dq_json_read_number(v->as.string, v->count, number);
    if (!quoted && !dq_ejson_number(v, number)) {
        dq_fail(error, DQ_ERR_SCHEMA, "%s is no number", name);
        return DQ_IMPORT_MISTYPED;
    }
    if (isfinite(*number)) return DQ_IMPORT_FINE;
    dq_fail(error, DQ_ERR_NUMERIC, "%s is not finite", name);
    return DQ_IMPORT_NOT_FINITE;
}

/* ---- vectors ---- */

static dq_import_fault mistyped(dq_error *error, const char *name)
{
    dq_fail(error, DQ_ERR_SCHEMA, "%s is no list of numbers", name);
    return DQ_IMPORT_MISTYPED;
}

static dq_import_fault unpack_binary(const dq_value *v, const char *name, uint32_t width, dq_arena *arena,
                                     dq_value *floats, dq_error *error)
{
    dq_ejson_bytes b;
    dq_error why = DQ_ERROR_NONE;
    dq_status status = dq_ejson_bytes_of(v, arena, &b, &why);
    if (status == DQ_ERR_MEMORY) return dq_import_out_of_memory("a vector", error);
    if (status) return mistyped(error, name);
    if (!width)
        width = (uint32_t)(b.count / sizeof(float)); /* not known yet: plain float32 say it themselves */
    status = dq_bson_vector(b.at, b.count, b.subtype, width, arena, floats, &why);
    if (!status) return DQ_IMPORT_FINE;
    if (status == DQ_ERR_MEMORY) return dq_import_out_of_memory("a vector", error);
    dq_fail(error, DQ_ERR_SCHEMA, "%s is a binary of subtype %u that is no vector of %u float32", name,
            b.subtype, width);
    return DQ_IMPORT_MISTYPED;
}

static dq_import_fault unpack_text(const dq_value *v, const char *name, dq_arena *arena, dq_value *floats,
                                   dq_error *error)
{
    dq_error why = DQ_ERROR_NONE;
    dq_status status = dq_vector_text_read(v->as.string, v->count, arena, floats, &why);
    if (!status) return DQ_IMPORT_FINE;
    if (status == DQ_ERR_MEMORY) return dq_import_out_of_memory("a vector", error);
    dq_fail(error, DQ_ERR_SCHEMA, "%s is a text: %s", name, why.reason);
    return DQ_IMPORT_MISTYPED;
}

dq_import_fault dq_import_unpack_vector(const dq_value *v, const char *name, uint32_t width, dq_arena *arena,
                                        dq_value *numbers, dq_error *error)
{
    while (v->type == DQ_LIST && v->count == 1 && v->as.list[0].type == DQ_LIST) v = &v->as.list[0];
    *numbers = *v;
    if (v->type == DQ_STRING) return unpack_text(v, name, arena, numbers, error);
    if (dq_map_get(v, "$binary")) return unpack_binary(v, name, width, arena, numbers, error);
    return v->type == DQ_LIST || v->type == DQ_FLOATS ? DQ_IMPORT_FINE : mistyped(error, name);
}

static dq_import_fault check_finite(const float *to, uint32_t i, const char *name, dq_error *error)
{
    if (isfinite(to[i])) return DQ_IMPORT_FINE;
    dq_fail(error, DQ_ERR_NUMERIC, "%s: element %u is not finite as a float32", name, i);
    return DQ_IMPORT_NOT_FINITE;
}

static dq_import_fault copy_floats(const dq_value *v, const char *name, float *to, dq_error *error)
{
    dq_import_fault fault = DQ_IMPORT_FINE;
    for (uint32_t i = 0; i < v->count && !fault; i++) {
        to[i] = v->as.floats[i];
        fault = check_finite(to, i, name, error);
    }
    return fault;
}

static dq_import_fault copy_numbers(const dq_value *v, const char *name, float *to, dq_error *error)
{
    dq_import_fault fault = DQ_IMPORT_FINE;
    for (uint32_t i = 0; i < v->count && !fault; i++) {
        const dq_value *element = &v->as.list[i];
        double number = element->as.real; /* as it mostly is */
        if (element->type != DQ_REAL && !dq_ejson_number(element, &number)) {
            dq_fail(error, DQ_ERR_SCHEMA, "%s: element %u is no number", name, i);
            return DQ_IMPORT_MISTYPED;
        }
        to[i] = (float)number;
        fault = check_finite(to, i, name, error);
    }
    return fault;
}

dq_import_fault dq_import_read_vector(const dq_value *v, const char *name, uint32_t width, dq_arena *arena,
                                      float *to, dq_error *error)
{
    dq_value numbers;
    dq_import_fault fault = dq_import_unpack_vector(v, name, width, arena, &numbers, error);
    if (fault) return fault;
    if (numbers.count != width) {
        dq_fail(error, DQ_ERR_SCHEMA, "%s has %u numbers where %u are expected", name, numbers.count, width);
        return DQ_IMPORT_WIDTH;
    }
    return numbers.type == DQ_FLOATS ? copy_floats(&numbers, name, to, error)
                                     : copy_numbers(&numbers, name, to, error);
}
