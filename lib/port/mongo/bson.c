/* SPDX-License-Identifier: MIT
 *
 * BSON by a walk over its bytes: every length is checked against the bytes that are there before it is
 * believed.
 *
 *     document   int32 size, element ..., 0x00         (size counts itself and the final 0x00)
 *     element    type, name, 0x00, value
 */
#include "port/mongo/bytes.h"

#include "core/hex.h"
#include "core/index.h"
#include "core/utf8.h"
#include "port/files/ejson.h"

#include <bson/bson.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

typedef struct walk {
    const uint8_t *at, *end; /* of the elements of the innermost document, without its final 0x00 */
    dq_arena *arena;
    const dq_vector_key *vectors; /* of the outermost document */
    size_t vector_count;
    unsigned depth;
    dq_error *error;
} walk;

static dq_status broken(const walk *w, const char *what)
{
    return dq_fail(w->error, DQ_ERR_FORMAT, "BSON: %s", what);
}

static size_t left(const walk *w)
{
    return (size_t)(w->end - w->at);
}

/* n bytes at *at, stepped over. */
static dq_status take(walk *w, size_t n, const uint8_t **at)
{
    if (n > left(w)) return broken(w, "a value passes the end of its document");
    *at = w->at;
    w->at += n;
    return DQ_OK;
}

static const dq_vector_key *vector_named(const walk *w, const dq_value *name)
{
    for (size_t i = 0; w->depth == 1 && i < w->vector_count; i++)
        if (dq_value_is(name, w->vectors[i].key)) return &w->vectors[i];
    return NULL;
}

/* ---- texts ---- */

static dq_status text_value(const walk *w, const uint8_t *text, size_t n, dq_value *v)
{
    if (!dq_utf8_valid((const char *)text, n)) return broken(w, "text that is not UTF-8");
    *v = dq_string_n(w->arena, (const char *)text, n);
    return v->type == DQ_STRING ? DQ_OK : dq_fail_memory(w->error, "a document");
}

/* A name or a pattern: up to a 0x00. */
static dq_status read_name(walk *w, dq_value *v)
{
    const uint8_t *text = w->at, *zero = memchr(text, 0, left(w));
    if (!zero) return broken(w, "a name without an end");
    w->at = zero + 1;
    return text_value(w, text, (size_t)(zero - text), v);
}

/* int32 size that counts the final 0x00, bytes, 0x00. */
static dq_status read_string(walk *w, dq_value *v)
{
    const uint8_t *p = NULL;
    dq_status status = take(w, 4, &p);
    if (status) return status;
    int32_t size = dq_int32_at(p);
    if (size < 1) return broken(w, "a text of no length");
    status = take(w, (size_t)size, &p);
    if (status) return status;
    if (p[size - 1]) return broken(w, "a text without an end");
    return text_value(w, p, (size_t)size - 1, v);
}

/* {"key": inner} */
static dq_status wrap(const walk *w, const char *key, dq_value inner, dq_value *v)
{
    return dq_ejson_wrap(key, inner, w->arena, v, w->error);
}

static dq_status wrap_two(const walk *w, const char *a, dq_value x, const char *b, dq_value y, dq_value *v)
{
    return dq_ejson_wrap_two(a, x, b, y, w->arena, v, w->error);
}

static dq_status wrap_text(const walk *w, const char *key, const char *text, dq_value *v)
{
    dq_value inner = dq_string(w->arena, text);
    return inner.type == DQ_STRING ? wrap(w, key, inner, v) : dq_fail_memory(w->error, "a document");
}

/* int32 size, subtype, bytes; in subtype 2 the bytes begin with their number once more. */
static dq_status read_binary(walk *w, const dq_vector_key *vector, dq_value *v)
{
    const uint8_t *p = NULL;
    dq_status status = take(w, 5, &p);
    if (status) return status;
    int32_t size = dq_int32_at(p);
    uint8_t subtype = p[4];
    if (size < 0) return broken(w, "a binary of negative length");
    size_t n = (size_t)size;
    status = take(w, n, &p);
    if (status) return status;
    if (subtype == 2) {
        if (n < 4 || dq_int32_at(p) != size - 4) return broken(w, "an old binary with a length that lies");
        p += 4;
        n -= 4;
    }
    dq_error none = DQ_ERROR_NONE; /* one that is no vector comes as it is */
    if (vector && !dq_bson_vector(p, n, subtype, vector->width, w->arena, v, &none)) return DQ_OK;
    return none.status == DQ_ERR_MEMORY ? dq_fail_memory(w->error, "a document")
                                        : dq_ejson_binary(p, n, subtype, w->arena, v, w->error);
}

/* ---- the rarer types ---- */

static dq_status read_object_id(walk *w, dq_value *v)
{
    const uint8_t *p = NULL;
    char hex[25];
    dq_status status = take(w, 12, &p);
    if (status) return status;
    dq_hex_write(hex, p, 12);
    return wrap_text(w, "$oid", hex, v);
}

static dq_status read_date(walk *w, dq_value *v)
{
    const uint8_t *p = NULL;
    dq_status status = take(w, 8, &p);
    return status ? status : dq_ejson_date(dq_int64_at(p), w->arena, v, w->error);
}

static dq_status read_regex(walk *w, dq_value *v)
{
    dq_value pattern, options, inner;
    dq_status status = read_name(w, &pattern);
    if (!status) status = read_name(w, &options);
    if (!status) status = wrap_two(w, "pattern", pattern, "options", options, &inner);
    return status ? status : wrap(w, "$regularExpression", inner, v);
}

static dq_status read_pointer(walk *w, dq_value *v)
{
    dq_value name, id, inner;
    dq_status status = read_string(w, &name);
    if (!status) status = read_object_id(w, &id);
    if (!status) status = wrap_two(w, "$ref", name, "$id", id, &inner);
    return status ? status : wrap(w, "$dbPointer", inner, v);
}

static dq_status read_timestamp(walk *w, dq_value *v)
{
    const uint8_t *p = NULL;
    dq_value inner;
    dq_status status = take(w, 8, &p);
    if (status) return status;
    status = wrap_two(w, "t", dq_int((uint32_t)dq_int32_at(p + 4)), "i", dq_int((uint32_t)dq_int32_at(p)),
                      &inner);
    return status ? status : wrap(w, "$timestamp", inner, v);
}

static dq_status read_decimal(walk *w, dq_value *v)
{
    const uint8_t *p = NULL;
    dq_status status = take(w, 16, &p);
    if (status) return status;
    bson_decimal128_t decimal = {.low = (uint64_t)dq_int64_at(p), .high = (uint64_t)dq_int64_at(p + 8)};
    char text[BSON_DECIMAL128_STRING];
    bson_decimal128_to_string(&decimal, text);
    return wrap_text(w, "$numberDecimal", text, v);
}

static dq_status read_double(walk *w, dq_value *v)
{
    const uint8_t *p = NULL;
    dq_status status = take(w, 8, &p);
    if (status) return status;
    return dq_ejson_real(dq_double_at(p), w->arena, v, w->error);
}

static dq_status read_integer(walk *w, size_t size, dq_value *v)
{
    const uint8_t *p = NULL;
    dq_status status = take(w, size, &p);
    if (!status) *v = dq_int(size == 4 ? dq_int32_at(p) : dq_int64_at(p));
    return status;
}

static dq_status read_bool(walk *w, dq_value *v)
{
    const uint8_t *p = NULL;
    dq_status status = take(w, 1, &p);
    if (!status && *p > 1) return broken(w, "a boolean that is neither");
    if (!status) *v = dq_bool(*p);
    return status;
}

static dq_status read_code(walk *w, dq_value *v)
{
    dq_value text;
    dq_status status = read_string(w, &text);
    return status ? status : wrap(w, "$code", text, v);
}

/* ---- documents ---- */

static dq_status read_document(walk *w, bool list, const dq_vector_key *vector, dq_value *v);

/* int32 size, code, scope. */
static dq_status read_scoped_code(walk *w, dq_value *v)
{
    const uint8_t *start = w->at, *p = NULL;
    dq_value code, scope;
    dq_status status = take(w, 4, &p);
    if (status) return status;
    int32_t size = dq_int32_at(p);
    status = read_string(w, &code);
    if (!status) status = read_document(w, false, NULL, &scope);
    if (!status && w->at - start != size) return broken(w, "code with a length that lies");
    return status ? status : wrap_two(w, "$code", code, "$scope", scope, v);
}

static dq_status read_value(walk *w, uint8_t type, const dq_vector_key *vector, dq_value *v)
{
    *v = dq_nil();
    switch (type) {
    case DQ_BSON_DOUBLE: return read_double(w, v);
    case 0x02: return read_string(w, v);
    case 0x03: return read_document(w, false, NULL, v);
    case 0x04: return read_document(w, true, vector, v);
    case 0x05: return read_binary(w, vector, v);
    case 0x06: return wrap(w, "$undefined", dq_bool(true), v);
    case 0x07: return read_object_id(w, v);
    case 0x08: return read_bool(w, v);
    case 0x09: return read_date(w, v);
    case 0x0a: return DQ_OK;
    case 0x0b: return read_regex(w, v);
    case 0x0c: return read_pointer(w, v);
    case 0x0d: return read_code(w, v);
    case 0x0e: return read_string(w, v); /* a symbol, which is a string by an old name */
    case 0x0f: return read_scoped_code(w, v);
    case DQ_BSON_INT32: return read_integer(w, 4, v);
    case 0x11: return read_timestamp(w, v);
    case DQ_BSON_INT64: return read_integer(w, 8, v);
    case 0x13: return read_decimal(w, v);
    case 0x7f: return wrap(w, "$maxKey", dq_int(1), v);
    case 0xff: return wrap(w, "$minKey", dq_int(1), v);
    default: return dq_fail(w->error, DQ_ERR_FORMAT, "BSON: a value of unknown type 0x%02x", type);
    }
}

/* Appends an entry; capacities as dq_map_set counts on. */
static dq_status push(const walk *w, dq_value *map, const dq_value *key, const dq_value *value)
{
    uint32_t n = map->count;
    if (n == 0 || (n >= 4 && (n & (n - 1)) == 0)) {
        dq_entry *grown = dq_arena_take(w->arena, (n < 4 ? 4 : 2 * (size_t)n) * sizeof *grown);
        if (!grown) return dq_fail_memory(w->error, "a document");
        if (n) memcpy(grown, map->as.map, n * sizeof *grown);
        map->as.map = grown;
    }
    map->as.map[map->count++] = (dq_entry){.key = *key, .value = *value};
    return DQ_OK;
}

static dq_status stands_twice(const walk *w, const dq_value *key)
{
    return dq_fail(w->error, DQ_ERR_FORMAT, "BSON: the key '%s' stands twice", key->as.string);
}

static dq_status check_many_keys(const walk *w, const dq_value *map)
{
    dq_index seen = DQ_INDEX_EMPTY;
    dq_status status = DQ_OK;
    for (uint32_t i = 0; i < map->count && !status; i++) {
        const dq_value *key = &map->as.map[i].key;
        bool added;
        status = dq_index_add(&seen, key->as.string, key->count, NULL, &added, w->error);
        if (!status && !added) status = stands_twice(w, key);
    }
    dq_index_free(&seen);
    return status;
}

/* Keys of a map are unique; few are compared each with each, many are looked up. */
static dq_status check_keys(const walk *w, const dq_value *map)
{
    enum { FEW = 16 };
    if (map->count > FEW) return check_many_keys(w, map);
    for (uint32_t i = 1; i < map->count; i++)
        for (uint32_t j = 0; j < i; j++)
            if (dq_value_equal(&map->as.map[i].key, &map->as.map[j].key))
                return stands_twice(w, &map->as.map[i].key);
    return DQ_OK;
}

static dq_status read_elements(walk *w, bool list, dq_value *v)
{
    dq_status status = DQ_OK;
    *v = list ? dq_list() : dq_map();
    while (w->at < w->end && !status) {
        uint8_t type = *w->at++;
        dq_value name, value;
        status = read_name(w, &name);
        if (!status) status = read_value(w, type, list ? NULL : vector_named(w, &name), &value);
        if (!status && !list) status = push(w, v, &name, &value);
        if (!status && list && !dq_list_add(w->arena, v, value))
            status = dq_fail_memory(w->error, "a document");
    }
    return status || list ? status : check_keys(w, v);
}

/* The document that begins here, stepped over whole. */
static dq_status read_document(walk *w, bool list, const dq_vector_key *vector, dq_value *v)
{
    enum { LEAST = 5 };
    if (left(w) < LEAST) return broken(w, "a document passes the end of its own");
    int32_t size = dq_int32_at(w->at);
    if (size < LEAST || (size_t)size > left(w)) return broken(w, "a document with a length that lies");
    const uint8_t *end = w->at + size - 1;
    if (*end) return broken(w, "a document without an end");
    if (w->depth == DQ_BSON_DEPTH)
        return dq_fail(w->error, DQ_ERR_FORMAT, "BSON: nested deeper than %d", DQ_BSON_DEPTH);
    walk inner = *w;
    inner.at = w->at + 4;
    inner.end = end;
    inner.depth++;
    w->at = end + 1;
    bool is = false;
    dq_status status = vector ? dq_bson_numbers(inner.at, end, w->arena, &is, v, w->error) : DQ_OK;
    return status || is ? status : read_elements(&inner, list, v);
}

dq_status dq_bson_read(const void *bytes, size_t size, const dq_vector_key *vectors, size_t vector_count,
                       dq_arena *arena, dq_value *document, dq_error *error)
{
    walk w = {.at = bytes, .end = (const uint8_t *)bytes + size, .arena = arena, .error = error};
    w.vectors = vectors;
    w.vector_count = vector_count;
    dq_status status = read_document(&w, false, NULL, document);
    if (!status && left(&w)) return broken(&w, "bytes after the document");
    if (!status) status = dq_ejson_normalise(document, arena, error); /* what was kept as extended JSON */
    if (!status && document->type != DQ_MAP)
        return dq_fail(error, DQ_ERR_FORMAT, "BSON: a document that is but a value of extended JSON");
    return status;
}
