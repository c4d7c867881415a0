/* SPDX-License-Identifier: MIT */
#include "import/value.h"

#include "port/files/json.h"
#include "port/mongo/mongo.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char hex_digits[] = "0123456789abcdefABCDEF";

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

static dq_import_fault long_id(const dq_value *v, dq_arena *arena, dq_import_id *id, dq_error *error)
{
    const char *text = v->type == DQ_STRING ? dq_value_text(arena, v) : "";
    if (!text) return dq_import_out_of_memory("an id", error);
    char *end = NULL;
    errno = 0;
    long long integer = strtoll(text, &end, 10);
    if (end == text || *end || errno) return no_id(error, "the id is no 64-bit $numberLong");
    return integer_id(integer, arena, id, error);
}

static dq_import_fault object_id(const dq_value *v, dq_arena *arena, dq_import_id *id, dq_error *error)
{
    bool right = v->type == DQ_STRING && v->count == 24;
    char *text = dq_arena_text(arena, right ? v->as.string : "", right ? 24 : 0);
    if (!text) return dq_import_out_of_memory("an id", error);
    if (strspn(text, hex_digits) != 24) return no_id(error, "the id is no $oid of 24 hex digits");
    for (char *c = text; *c; c++)
        if (*c >= 'A' && *c <= 'F') *c = (char)(*c - 'A' + 'a');
    *id = (dq_import_id){.kind = DQ_ID_OBJECT, .text = text, .bytes = 24};
    return DQ_IMPORT_FINE;
}

dq_import_fault dq_import_read_id(const dq_value *v, dq_arena *arena, dq_import_id *id, dq_error *error)
{
    if (!v || v->type == DQ_NIL) return no_id(error, "no id");
    if (v->type == DQ_INT) return integer_id(v->as.integer, arena, id, error);
    if (v->type == DQ_STRING) {
        if (!v->count) return no_id(error, "the id is empty");
        *id = (dq_import_id){.kind = DQ_ID_STRING, .text = v->as.string, .bytes = v->count};
        return DQ_IMPORT_FINE;
    }
    const dq_value *inner;
    if ((inner = dq_map_get(v, "$oid"))) return object_id(inner, arena, id, error);
    if ((inner = dq_map_get(v, "$numberLong"))) return long_id(inner, arena, id, error);
    if ((inner = dq_map_get(v, "$numberInt"))) return long_id(inner, arena, id, error);
    return no_id(error, "the id is neither a string nor an integer");
}

int dq_import_id_compare(const dq_import_id *a, const dq_import_id *b)
{
    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    if (a->kind == DQ_ID_INTEGER) return (a->integer > b->integer) - (a->integer < b->integer);
    int order = memcmp(a->text, b->text, a->bytes < b->bytes ? a->bytes : b->bytes);
    return order ? order : (a->bytes > b->bytes) - (a->bytes < b->bytes);
}

/* ---- texts ---- */

static dq_status append(dq_json_text *out, const dq_value *v, dq_error *error);

static dq_status append_list(dq_json_text *out, const dq_value *list, dq_error *error)
{
    dq_status status = DQ_OK;
    for (uint32_t i = 0; i < list->count && !status; i++) {
        const char *between = list->as.list[i].type == DQ_MAP ? "; " : ", ";
        if (i) status = dq_json_write_raw(out, between, 2, error);
        if (!status) status = append(out, &list->as.list[i], error);
    }
    return status;
}

static dq_status append_map(dq_json_text *out, const dq_value *map, dq_error *error)
{
    dq_status status = DQ_OK;
    for (uint32_t i = 0; i < map->count && !status; i++) {
        const dq_entry *entry = &map->as.map[i];
        if (i) status = dq_json_write_raw(out, ", ", 2, error);
        if (!status) status = dq_json_write_raw(out, entry->key.as.string, entry->key.count, error);
        if (!status) status = dq_json_write_raw(out, ": ", 2, error);
        if (!status) status = append(out, &entry->value, error);
    }
    return status;
}

static dq_status append(dq_json_text *out, const dq_value *v, dq_error *error)
{
    switch (v->type) {
    case DQ_STRING: return dq_json_write_raw(out, v->as.string, v->count, error);
    case DQ_LIST: return append_list(out, v, error);
    case DQ_MAP: return append_map(out, v, error);
    default: return dq_json_write(out, v, error);
    }
}

dq_status dq_import_read_text(const dq_value *v, dq_arena *arena, dq_value *text, dq_error *error)
{
    *text = v ? *v : dq_nil();
    if (text->type == DQ_NIL || text->type == DQ_STRING) return DQ_OK;
    dq_json_text joined = DQ_JSON_TEXT_EMPTY;
    dq_status status = append(&joined, v, error);
    if (!status) *text = dq_string_n(arena, joined.data ? joined.data : "", joined.bytes);
    if (!status && text->type != DQ_STRING) status = dq_fail_memory(error, "a text");
    dq_json_text_free(&joined);
    return status;
}

/* ---- vectors ---- */

static dq_import_fault mistyped(dq_error *error, const char *name)
{
    dq_fail(error, DQ_ERR_SCHEMA, "%s is no list of numbers", name);
    return DQ_IMPORT_MISTYPED;
}

static int digit64(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* The bytes of a base64 text with its padding into `bytes`, which has room for them; false where it is none.
 */
static bool unbase64(const dq_value *text, uint8_t *bytes, size_t *n)
{
    size_t padding = 0;
    *n = 0;
    if (text->count % 4) return false;
    for (uint32_t i = 0; i < text->count; i += 4) {
        const char *c = text->as.string + i;
        bool last = i + 4 == text->count;
        if (last) padding = c[3] == '=' ? c[2] == '=' ? 2 : 1 : 0;
        int a = digit64(c[0]), b = digit64(c[1]);
        int d = padding == 2 ? 0 : digit64(c[2]), e = padding ? 0 : digit64(c[3]);
        if (a < 0 || b < 0 || d < 0 || e < 0) return false;
        bytes[(*n)++] = (uint8_t)(a << 2 | b >> 4);
        bytes[(*n)++] = (uint8_t)(b << 4 | d >> 2);
        bytes[(*n)++] = (uint8_t)(d << 6 | e);
    }
    *n -= padding;
    return true;
}

/* {"$binary": {"base64": "...", "subType": "09"}} as DQ_FLOATS. */
static dq_import_fault unpack_binary(const dq_value *v, const char *name, uint32_t width, dq_arena *arena,
                                     dq_value *floats, dq_error *error)
{
    const dq_value *binary = dq_map_get(v, "$binary"), *base64 = dq_map_get(binary, "base64");
    const dq_value *type = dq_map_get(binary, "subType");
    if (!base64 || base64->type != DQ_STRING || !type || type->type != DQ_STRING)
        return mistyped(error, name);
    const char *hex = dq_value_text(arena, type);
    uint8_t *bytes = dq_arena_take(arena, (size_t)base64->count / 4 * 3 + 1);
    if (!hex || !bytes) return dq_import_out_of_memory("a vector", error);
    size_t n;
    if (!unbase64(base64, bytes, &n) || strspn(hex, hex_digits) != strlen(hex)) return mistyped(error, name);
    unsigned subtype = (unsigned)strtoul(hex, NULL, 16);
    if (!dq_bson_vector(bytes, n, subtype, width, arena, floats, error)) return DQ_IMPORT_FINE;
    dq_fail(error, error->status, "%s is a binary of subtype %u that is no vector of %u float32", name,
            subtype, width);
    return DQ_IMPORT_MISTYPED;
}

/* A number, also {"$numberDouble": "NaN"} and its like; false for anything else. */
static bool read_number(const dq_value *v, double *number)
{
    static const char *const forms[] = {"$numberDouble", "$numberInt", "$numberLong"};
    *number = dq_value_number(v, 0);
    if (v->type == DQ_INT || v->type == DQ_REAL) return true;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const dq_value *text = dq_map_get(v, forms[i]);
        char *end;
        if (!text || text->type != DQ_STRING || !text->count) continue;
        *number = strtod(text->as.string, &end); /* parsed JSON is NUL-terminated */
        return end == text->as.string + text->count;
    }
    return false;
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
        double number;
        if (!read_number(&v->as.list[i], &number)) {
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
    dq_value floats;
    if (dq_map_get(v, "$binary")) {
        dq_import_fault fault = unpack_binary(v, name, width, arena, &floats, error);
        if (fault) return fault;
        v = &floats;
    }
    if (v->type != DQ_LIST && v->type != DQ_FLOATS) return mistyped(error, name);
    if (v->count != width) {
        dq_fail(error, DQ_ERR_SCHEMA, "%s has %u numbers where %u are expected", name, v->count, width);
        return DQ_IMPORT_WIDTH;
    }
    return v->type == DQ_FLOATS ? copy_floats(v, name, to, error) : copy_numbers(v, name, to, error);
}
