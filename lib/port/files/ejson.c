/* SPDX-License-Identifier: MIT
 *
 * A value is walked from its leaves: what stands inside of a form is in the one form before the form is
 * looked at, so that {"$date": {"$numberLong": "0"}} is a $date with a number. Each form is one row of a
 * table.
 */
#include "port/files/ejson.h"

#include "port/files/json.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char hex_digits[] = "0123456789abcdefABCDEF";

static dq_status short_of_memory(dq_error *error)
{
    return dq_fail_memory(error, "a document");
}

/* ---- numbers ---- */

/* A text of these characters alone, for strtod and strtoll take more than numbers. */
static bool consists_of(const dq_value *v, const char *characters)
{
    return v->type == DQ_STRING && v->count && strspn(v->as.string, characters) == v->count;
}

static dq_status read_integer(const dq_value *inner, dq_arena *arena, dq_value *v, dq_error *error)
{
    (void)arena;
    (void)error;
    char *end;
    if (inner->type == DQ_INT) *v = *inner;
    if (!consists_of(inner, "+-0123456789")) return DQ_OK;
    errno = 0;
    long long integer = strtoll(inner->as.string, &end, 10);
    if (end == inner->as.string + inner->count && !errno) *v = dq_int(integer);
    return DQ_OK;
}

static dq_status read_double(const dq_value *inner, dq_arena *arena, dq_value *v, dq_error *error)
{
    static const char *const others[] = {"NaN", "Infinity", "-Infinity"};
    static const double numbers[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
    if (inner->type == DQ_INT || inner->type == DQ_REAL) *v = dq_real(dq_value_number(inner, 0));
    for (size_t i = 0; i < 3; i++)
        if (dq_value_is(inner, others[i])) return dq_ejson_real(numbers[i], arena, v, error);
    double number;
    bool is = inner->type == DQ_STRING && dq_json_read_number(inner->as.string, inner->count, &number);
    if (is && isfinite(number)) *v = dq_real(number);
    return DQ_OK;
}

/* ---- dates ---- */

static bool read_digits(const char **at, int n, int *number)
{
    *number = 0;
    for (; n > 0; n--, (*at)++) {
        if (!isdigit((unsigned char)**at)) return false;
        *number = 10 * *number + (**at - '0');
    }
    return true;
}

static bool read_char(const char **at, char c)
{
    if (**at != c) return false;
    (*at)++;
    return true;
}

/* Z, +hh, +hhmm or +hh:mm, in minutes. */
static bool read_zone(const char **at, int *minutes)
{
    int hours, rest = 0;
    *minutes = 0;
    if (read_char(at, 'Z')) return true;
    int sign = read_char(at, '+') ? 1 : read_char(at, '-') ? -1 : 0;
    if (!sign || !read_digits(at, 2, &hours)) return false;
    if (**at && (read_char(at, ':'), !read_digits(at, 2, &rest))) return false;
    *minutes = sign * (60 * hours + rest);
    return true;
}

/* YYYY-MM-DDThh:mm:ss[.fraction]ZONE in milliseconds since 1970, which a fraction is cut to. */
static bool read_iso_date(const char *at, int64_t *ms)
{
    struct tm t = {0}, copy;
    int fraction = 0, minutes, scale = 100;
    bool all = read_digits(&at, 4, &t.tm_year) && read_char(&at, '-') && read_digits(&at, 2, &t.tm_mon) &&
               read_char(&at, '-') && read_digits(&at, 2, &t.tm_mday) && read_char(&at, 'T') &&
               read_digits(&at, 2, &t.tm_hour) && read_char(&at, ':') && read_digits(&at, 2, &t.tm_min) &&
               read_char(&at, ':') && read_digits(&at, 2, &t.tm_sec);
    if (all && read_char(&at, '.'))
        for (; isdigit((unsigned char)*at); scale /= 10) fraction += scale * (*at++ - '0');
    if (!all || !read_zone(&at, &minutes) || *at) return false;
    t.tm_year -= 1900;
    t.tm_mon--;
    copy = t;
    time_t seconds = timegm(&copy); /* which brings the 31st of February into March */
    if (copy.tm_mon != t.tm_mon || copy.tm_mday != t.tm_mday || copy.tm_min != t.tm_min) return false;
    *ms = ((int64_t)seconds - 60 * minutes) * 1000 + fraction;
    return true;
}

static dq_status read_date(const dq_value *inner, dq_arena *arena, dq_value *v, dq_error *error)
{
    int64_t ms = dq_value_integer(inner, 0);
    double number = dq_value_number(inner, 0);
    if (inner->type == DQ_REAL && number == rint(number) && fabs(number) < 0x1p53)
        ms = (int64_t)number;
    else if (inner->type != DQ_INT && (inner->type != DQ_STRING || !read_iso_date(inner->as.string, &ms)))
        return DQ_OK;
    return dq_ejson_date(ms, arena, v, error);
}

/* ---- ids and bytes ---- */

static dq_status read_object_id(const dq_value *inner, dq_arena *arena, dq_value *v, dq_error *error)
{
    if (!consists_of(inner, hex_digits) || inner->count != 24) return DQ_OK;
    char *text = dq_arena_text(arena, inner->as.string, inner->count);
    if (!text) return short_of_memory(error);
    for (char *c = text; *c; c++) *c = (char)tolower((unsigned char)*c);
    return dq_ejson_wrap("$oid", dq_string(arena, text), arena, v, error);
}

/* 8-4-4-4-12 hex digits, or all 32 without a dash, as PyMongo wrote them. */
static dq_status read_uuid(const dq_value *inner, dq_arena *arena, dq_value *v, dq_error *error)
{
    unsigned char bytes[DQ_UUID_BYTES];
    bool dashes = inner->count == DQ_UUID_TEXT, known = dashes || inner->count == 2 * DQ_UUID_BYTES;
    const char *at = inner->type == DQ_STRING && known ? inner->as.string : "";
    for (size_t n = 0; n < DQ_UUID_BYTES; n++, at += 2) {
        bool dash = dashes && (n == 4 || n == 6 || n == 8 || n == 10);
        if (dash && !read_char(&at, '-')) return DQ_OK;
        if (!isxdigit((unsigned char)at[0]) || !isxdigit((unsigned char)at[1])) return DQ_OK;
        const char two[] = {at[0], at[1], '\0'};
        bytes[n] = (unsigned char)strtoul(two, NULL, 16);
    }
    return dq_ejson_binary(bytes, DQ_UUID_BYTES, DQ_UUID_SUBTYPE, arena, v, error);
}

/* A subtype as one or two hex digits, or a number. */
static bool read_subtype(const dq_value *v, unsigned *subtype)
{
    bool number = v && v->type == DQ_INT && v->as.integer >= 0 && v->as.integer < 256;
    if (number) *subtype = (unsigned)v->as.integer;
    if (number || !v || !consists_of(v, hex_digits) || v->count > 2) return number;
    *subtype = (unsigned)strtoul(v->as.string, NULL, 16);
    return true;
}

static dq_status keep_binary(const dq_value *base64, const dq_value *type, dq_arena *arena, dq_value *v,
                             dq_error *error)
{
    unsigned subtype;
    dq_value inner, hex;
    char text[3];
    if (!base64 || base64->type != DQ_STRING || !read_subtype(type, &subtype)) return DQ_OK;
    (void)snprintf(text, sizeof text, "%02x", subtype);
    hex = dq_string(arena, text);
    if (hex.type != DQ_STRING) return short_of_memory(error);
    dq_status status = dq_ejson_wrap_two("base64", *base64, "subType", hex, arena, &inner, error);
    return status ? status : dq_ejson_wrap("$binary", inner, arena, v, error);
}

static dq_status read_binary(const dq_value *inner, dq_arena *arena, dq_value *v, dq_error *error)
{
    if (inner->type != DQ_MAP || inner->count != 2) return DQ_OK;
    return keep_binary(dq_map_get(inner, "base64"), dq_map_get(inner, "subType"), arena, v, error);
}

static dq_status read_symbol(const dq_value *inner, dq_arena *arena, dq_value *v, dq_error *error)
{
    (void)arena;
    (void)error;
    if (inner->type == DQ_STRING) *v = *inner;
    return DQ_OK;
}

/* ---- the forms ---- */

/* What an object of one key holds, into *v, which stays as it is where that is not what the key says. */
static const struct {
    const char *key;
    dq_status (*read)(const dq_value *inner, dq_arena *arena, dq_value *v, dq_error *error);
} forms[] = {
    {"$numberInt", read_integer}, {"$numberLong", read_integer}, {"$numberDouble", read_double},
    {"$date", read_date},         {"$oid", read_object_id},      {"$uuid", read_uuid},
    {"$binary", read_binary},     {"$symbol", read_symbol},
};

/* Version 1: {"$binary": base64, "$type": subtype}, {"$regex": pattern, "$options": options}. */
static dq_status read_two(const dq_value *map, dq_arena *arena, dq_value *v, dq_error *error)
{
    const dq_value *binary = dq_map_get(map, "$binary"), *pattern = dq_map_get(map, "$regex");
    const dq_value *options = dq_map_get(map, "$options");
    dq_value inner;
    if (binary) return keep_binary(binary, dq_map_get(map, "$type"), arena, v, error);
    if (!pattern || pattern->type != DQ_STRING || !options || options->type != DQ_STRING) return DQ_OK;
    dq_status status = dq_ejson_wrap_two("pattern", *pattern, "options", *options, arena, &inner, error);
    return status ? status : dq_ejson_wrap("$regularExpression", inner, arena, v, error);
}

static dq_status unwrap(dq_value *v, dq_arena *arena, dq_error *error)
{
    const dq_value map = *v;
    if (map.count == 2) return read_two(&map, arena, v, error);
    for (size_t i = 0; i < sizeof forms / sizeof *forms && map.count == 1; i++)
        if (dq_value_is(&map.as.map[0].key, forms[i].key))
            return forms[i].read(&map.as.map[0].value, arena, v, error);
    return DQ_OK;
}

dq_status dq_ejson_normalise(dq_value *v, dq_arena *arena, dq_error *error)
{
    dq_status status = DQ_OK;
    for (uint32_t i = 0; v->type == DQ_LIST && i < v->count && !status; i++) {
        dq_value *element = &v->as.list[i]; /* a vector's many numbers are no forms */
        if (element->type == DQ_LIST || element->type == DQ_MAP)
            status = dq_ejson_normalise(element, arena, error);
    }
    for (uint32_t i = 0; v->type == DQ_MAP && i < v->count && !status; i++)
        status = dq_ejson_normalise(&v->as.map[i].value, arena, error);
    return status || !dq_ejson_key(v) ? status : unwrap(v, arena, error);
}

dq_status dq_ejson_parse(const char *text, size_t bytes, dq_arena *arena, dq_value *value, dq_error *error)
{
    dq_status status = dq_json_parse(text, bytes, arena, value, error);
    return status ? status : dq_ejson_normalise(value, arena, error);
}
