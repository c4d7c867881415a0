/* SPDX-License-Identifier: MIT */
#include "port/files/ejson.h"

#include "core/hex.h"
#include "port/files/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static dq_status short_of_memory(dq_error *error)
{
    return dq_fail_memory(error, "a document");
}

/* ---- base64 ---- */

static const char digits64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char *base64(dq_arena *arena, const unsigned char *from, size_t n)
{
    char *text = dq_arena_take(arena, (n + 2) / 3 * 4 + 1), *to = text;
    if (!text) return NULL;
    for (size_t i = 0; i < n; i += 3) {
        uint32_t three = (uint32_t)from[i] << 16;
        if (i + 1 < n) three |= (uint32_t)from[i + 1] << 8;
        if (i + 2 < n) three |= from[i + 2];
        *to++ = digits64[three >> 18];
        *to++ = digits64[three >> 12 & 63];
        *to++ = i + 1 < n ? digits64[three >> 6 & 63] : '=';
        *to++ = i + 2 < n ? digits64[three & 63] : '=';
    }
    *to = '\0';
    return text;
}

static int digit64(char c)
{
    const char *at = c ? strchr(digits64, c) : NULL;
    return at ? (int)(at - digits64) : -1;
}

/* The bytes of a text with its padding into `bytes`, which has room for them; false where it is none. */
static bool unbase64(const dq_value *text, unsigned char *bytes, size_t *n)
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
        bytes[(*n)++] = (unsigned char)(a << 2 | b >> 4);
        bytes[(*n)++] = (unsigned char)(b << 4 | d >> 2);
        bytes[(*n)++] = (unsigned char)(d << 6 | e);
    }
    *n -= padding;
    return true;
}

/* ---- made ---- */

dq_status dq_ejson_wrap(const char *key, dq_value inner, dq_arena *arena, dq_value *v, dq_error *error)
{
    *v = dq_map();
    return dq_map_set(arena, v, key, inner) ? DQ_OK : short_of_memory(error);
}

dq_status dq_ejson_wrap_two(const char *a, dq_value x, const char *b, dq_value y, dq_arena *arena,
                            dq_value *v, dq_error *error)
{
    dq_status status = dq_ejson_wrap(a, x, arena, v, error);
    return status || dq_map_set(arena, v, b, y) ? status : short_of_memory(error);
}

static dq_status wrap_text(const char *key, const char *text, dq_arena *arena, dq_value *v, dq_error *error)
{
    dq_value inner = dq_string(arena, text);
    if (inner.type != DQ_STRING) return short_of_memory(error);
    return dq_ejson_wrap(key, inner, arena, v, error);
}

dq_status dq_ejson_real(double number, dq_arena *arena, dq_value *v, dq_error *error)
{
    *v = dq_real(number);
    if (isfinite(number)) return DQ_OK;
    const char *text = isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity";
    return wrap_text("$numberDouble", text, arena, v, error);
}

dq_status dq_ejson_date(int64_t ms, dq_arena *arena, dq_value *v, dq_error *error)
{
    enum { LONGEST = 64 };
    const int64_t last = INT64_C(253402300799999); /* of the year 9999 */
    char text[LONGEST];
    time_t seconds = (time_t)(ms / 1000);
    struct tm t;
    dq_value inner;
    if (ms < 0 || ms > last || !gmtime_r(&seconds, &t)) {
        (void)snprintf(text, sizeof text, "%" PRId64, ms);
        dq_status status = wrap_text("$numberLong", text, arena, &inner, error);
        return status ? status : dq_ejson_wrap("$date", inner, arena, v, error);
    }
    size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &t);
    if (ms % 1000) n += (size_t)snprintf(text + n, sizeof text - n, ".%03d", (int)(ms % 1000));
    (void)snprintf(text + n, sizeof text - n, "Z");
    return wrap_text("$date", text, arena, v, error);
}

dq_status dq_ejson_binary(const void *bytes, size_t n, unsigned subtype, dq_arena *arena, dq_value *v,
                          dq_error *error)
{
    char hex[3];
    (void)snprintf(hex, sizeof hex, "%02x", subtype & 0xff);
    dq_value data = dq_string(arena, base64(arena, bytes, n)), type = dq_string(arena, hex), inner;
    if (data.type != DQ_STRING || type.type != DQ_STRING) return short_of_memory(error);
    dq_status status = dq_ejson_wrap_two("base64", data, "subType", type, arena, &inner, error);
    return status ? status : dq_ejson_wrap("$binary", inner, arena, v, error);
}

/* ---- read ---- */

const char *dq_ejson_key(const dq_value *v)
{
    bool first = v && v->type == DQ_MAP && v->count > 0 && *v->as.map[0].key.as.string == '$';
    return first ? v->as.map[0].key.as.string : NULL;
}

bool dq_ejson_number(const dq_value *v, double *number)
{
    static const char *const forms[] = {"$numberDouble", "$numberDecimal"};
    static const char *const others[] = {"NaN", "Infinity", "-Infinity"};
    *number = dq_value_number(v, 0);
    if (v->type == DQ_INT || v->type == DQ_REAL) return true;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const dq_value *text = dq_map_get(v, forms[i]);
        bool other = false;
        if (!text || text->type != DQ_STRING) continue;
        for (size_t k = 0; k < 3; k++) other |= dq_value_is(text, others[k]);
        if (other) *number = strtod(text->as.string, NULL);
        return other || dq_json_read_number(text->as.string, text->count, number);
    }
    return false;
}

dq_status dq_ejson_bytes_of(const dq_value *v, dq_arena *arena, dq_ejson_bytes *bytes, dq_error *error)
{
    const dq_value *binary = dq_map_get(v, "$binary"), *text = dq_map_get(binary, "base64");
    const dq_value *type = dq_map_get(binary, "subType");
    if (!text || text->type != DQ_STRING || !type || type->type != DQ_STRING || type->count != 2)
        return dq_fail(error, DQ_ERR_FORMAT, "no $binary");
    unsigned char *to = dq_arena_take(arena, (size_t)text->count / 4 * 3 + 1);
    if (!to) return short_of_memory(error);
    *bytes = (dq_ejson_bytes){.at = to, .subtype = (unsigned)strtoul(type->as.string, NULL, 16)};
    if (unbase64(text, to, &bytes->count)) return DQ_OK;
    return dq_fail(error, DQ_ERR_FORMAT, "a $binary that is no base64");
}

void dq_ejson_uuid(const unsigned char bytes[DQ_UUID_BYTES], char text[DQ_UUID_TEXT + 1])
{
    for (size_t i = 0; i < DQ_UUID_BYTES; i++, text += 2) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *text++ = '-';
        dq_hex_write(text, bytes + i, 1);
    }
}

static dq_status text_of_binary(const dq_value *v, dq_arena *arena, dq_value *text, dq_error *error)
{
    dq_error none = DQ_ERROR_NONE;
    dq_ejson_bytes bytes;
    dq_status status = dq_ejson_bytes_of(v, arena, &bytes, &none);
    if (status) return status == DQ_ERR_MEMORY ? short_of_memory(error) : DQ_OK;
    if (bytes.subtype != DQ_UUID_SUBTYPE || bytes.count != DQ_UUID_BYTES) {
        *text = *dq_map_get(dq_map_get(v, "$binary"), "base64");
        return DQ_OK;
    }
    char uuid[DQ_UUID_TEXT + 1];
    dq_ejson_uuid(bytes.at, uuid);
    *text = dq_string(arena, uuid);
    return text->type == DQ_STRING ? DQ_OK : short_of_memory(error);
}

dq_status dq_ejson_text(const dq_value *v, dq_arena *arena, dq_value *text, dq_error *error)
{
    static const char *const plain[] = {"$oid", "$date", "$numberDecimal", "$numberDouble", "$code"};
    *text = dq_nil();
    if (!dq_ejson_key(v)) return DQ_OK;
    if (dq_map_get(v, "$binary")) return text_of_binary(v, arena, text, error);
    const dq_value *inner = dq_map_get(dq_map_get(v, "$regularExpression"), "pattern");
    for (size_t i = 0; i < sizeof plain / sizeof *plain && !inner; i++) inner = dq_map_get(v, plain[i]);
    if (inner && inner->type == DQ_STRING) *text = *inner;
    return DQ_OK;
}
