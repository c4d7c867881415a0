/* SPDX-License-Identifier: MIT
 *
 * Reading is jansson's work: it checks UTF-8, duplicate keys and numbers, and we copy its tree into an arena.
 * It reads an integer over 64 bits as an error or, on request, all integers as doubles; a text with such a
 * number is therefore read a second time, and refused where that would cost an ordinary integer its digits.
 *
 * Writing is our own, because numbers shall have the fewest digits that read back.
 */
#include "port/files/json.h"

#include "core/array.h"
#include "core/bytes.h"
#include "core/digits.h"
#include "dq/source.h"

#include <float.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_LIMIT ((size_t)16 << 20)
#define EXACT      9007199254740992.0 /* 2^53 */

typedef struct copying {
    dq_arena *arena;
    bool integers_are_real; /* the second reading: whole reals were integers */
    dq_error *error;
} copying;

/* ---- jansson's memory ---- */

/* Of a piece that it cannot have jansson says that the text is invalid, leaves the piece out, or asserts. So
 * its memory is an arena for one text, and a piece that is not to be had ends the reading on the spot. */
typedef struct reading {
    dq_arena *pieces; /* of a short text the arena of its value, which costs less than one more */
    jmp_buf out;
} reading;

enum { SHORT = 4096 };

static _Thread_local reading *current; /* this thread's, while jansson is at work */

static void *take(size_t bytes)
{
    void *piece = dq_arena_take(current->pieces, bytes);
    if (!piece) longjmp(current->out, 1);
    return piece;
}

static void leave(void *piece)
{
    (void)piece; /* all go together */
}

static void set_allocator(void)
{
    json_set_alloc_funcs(take, leave);
}

/* ---- reading ---- */

static dq_status copy(copying *c, const json_t *from, unsigned depth, dq_value *to);

static dq_status copy_string(copying *c, const char *text, size_t n, dq_value *to)
{
    *to = dq_string_n(c->arena, text, n);
    return to->type == DQ_STRING ? DQ_OK : dq_fail_memory(c->error, "a JSON text");
}

static dq_status copy_real(copying *c, double number, dq_value *to)
{
    *to = dq_real(number);
    if (!c->integers_are_real || number != rint(number) || fabs(number) >= 0x1p63) return DQ_OK;
    if (fabs(number) > EXACT)
        return dq_fail(c->error, DQ_ERR_FORMAT,
                       "JSON: an integer over 64 bits stands beside one over 53 bits");
    *to = dq_int((int64_t)number);
    return DQ_OK;
}

/* Capacities are powers of two from 4, as dq_list_add and dq_map_set count on. */
static size_t capacity_for(size_t count)
{
    size_t capacity = 4;
    while (capacity < count) capacity *= 2;
    return capacity;
}

static dq_status copy_list(copying *c, const json_t *from, unsigned depth, dq_value *to)
{
    size_t n = json_array_size(from);
    *to = dq_list();
    to->as.list = dq_arena_take(c->arena, capacity_for(n) * sizeof(dq_value));
    if (!to->as.list) return dq_fail_memory(c->error, "a JSON text");
    dq_status status = DQ_OK;
    for (size_t i = 0; i < n && !status; i++)
        status = copy(c, json_array_get(from, i), depth, &to->as.list[i]);
    to->count = (uint32_t)n;
    return status;
}

static dq_status copy_map(copying *c, json_t *from, unsigned depth, dq_value *to)
{
    size_t n = json_object_size(from);
    *to = dq_map();
    to->as.map = dq_arena_take(c->arena, capacity_for(n) * sizeof(dq_entry));
    if (!to->as.map) return dq_fail_memory(c->error, "a JSON text");
    for (void *at = json_object_iter(from); at; at = json_object_iter_next(from, at)) {
        dq_entry *entry = &to->as.map[to->count++];
        const char *key = json_object_iter_key(at);
        dq_status status = copy_string(c, key, strlen(key), &entry->key);
        if (!status) status = copy(c, json_object_iter_value(at), depth, &entry->value);
        if (status) return status;
    }
    return DQ_OK;
}

static dq_status copy(copying *c, const json_t *from, unsigned depth, dq_value *to)
{
    switch (json_typeof(from)) {
    case JSON_NULL: *to = dq_nil(); return DQ_OK;
    case JSON_TRUE: *to = dq_bool(true); return DQ_OK;
    case JSON_FALSE: *to = dq_bool(false); return DQ_OK;
    case JSON_INTEGER: *to = dq_int(json_integer_value(from)); return DQ_OK;
    case JSON_REAL: return copy_real(c, json_real_value(from), to);
    case JSON_STRING: return copy_string(c, json_string_value(from), json_string_length(from), to);
    case JSON_ARRAY:
    case JSON_OBJECT: break;
    }
    if (depth == DQ_JSON_DEPTH)
        return dq_fail(c->error, DQ_ERR_FORMAT, "JSON: nested deeper than %d", DQ_JSON_DEPTH);
    return json_is_array(from) ? copy_list(c, from, depth + 1, to)
                               : copy_map(c, (json_t *)(uintptr_t)from, depth + 1, to);
}

static dq_status refuse(const json_error_t *why, dq_error *error)
{
    if (json_error_code(why) == json_error_stack_overflow)
        return dq_fail(error, DQ_ERR_FORMAT, "JSON: nested deeper than %d", DQ_JSON_DEPTH);
    return dq_fail(error, DQ_ERR_FORMAT, "JSON: %.*s at byte %d", (int)strcspn(why->text, "\n"), why->text,
                   why->position);
}

static dq_status parse(const char *text, size_t bytes, dq_arena *arena, dq_value *value, dq_error *error)
{
    size_t flags = JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL;
    json_error_t why;
    copying c = {.arena = arena, .error = error};
    const json_t *root = json_loadb(text, bytes, flags, &why);
    if (!root && json_error_code(&why) == json_error_numeric_overflow) {
        c.integers_are_real = true;
        root = json_loadb(text, bytes, flags | JSON_DECODE_INT_AS_REAL, &why);
    }
    return root ? copy(&c, root, 0, value) : refuse(&why, error);
}

static dq_status parse_within(reading *r, const char *text, size_t bytes, dq_arena *arena, dq_value *value,
                              dq_error *error)
{
    current = r;
    if (setjmp(r->out) == 0) return parse(text, bytes, arena, value, error);
    arena->failed = true;
    return dq_fail_memory(error, "a JSON text");
}

dq_status dq_json_parse(const char *text, size_t bytes, dq_arena *arena, dq_value *value, dq_error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    dq_arena apart = DQ_ARENA_EMPTY;
    reading r = {.pieces = bytes <= SHORT ? arena : &apart};
    (void)pthread_once(&once, set_allocator);
    dq_status status = parse_within(&r, text, bytes, arena, value, error);
    current = NULL;
    dq_arena_free(&apart);
    return status;
}

bool dq_json_read_number(const char *text, size_t bytes, double *number)
{
    char *end;
    if (!bytes || strspn(text, "+-.0123456789eE") != bytes) return false;
    *number = strtod(text, &end);
    return end == text + bytes;
}

static dq_status read_all(dq_source *source, dq_json_text *text, dq_error *error)
{
    char piece[1 << 14];
    size_t got;
    for (;;) {
        dq_status status = dq_source_read(source, piece, sizeof piece, &got, error);
        if (status || !got) return status;
        if (text->bytes + got > FILE_LIMIT)
            return dq_fail(error, DQ_ERR_FORMAT, "JSON: more than %zu MiB", FILE_LIMIT >> 20);
        status = dq_json_write_raw(text, piece, got, error);
        if (status) return status;
    }
}

dq_status dq_json_read_file(const char *path, dq_arena *arena, dq_value *value, dq_error *error)
{
    dq_source *source = NULL;
    dq_json_text text = DQ_JSON_TEXT_EMPTY;
    dq_status status = dq_source_open(&source, path, error);
    if (!status) status = dq_source_text(source, error);
    if (!status) status = read_all(source, &text, error);
    if (!status) status = dq_json_parse(text.data ? text.data : "", text.bytes, arena, value, error);
    if (status) dq_error_at(error, path, DQ_NO_RECORD);
    dq_json_text_free(&text);
    dq_source_close(source);
    return status;
}

/* ---- writing ---- */

static dq_status reserve(dq_json_text *out, size_t more, dq_error *error)
{
    if (more > SIZE_MAX - out->bytes) return dq_fail(error, DQ_ERR_MEMORY, "a JSON text too long");
    bool room = dq_array_reserve(&out->data, &out->capacity, out->bytes + more, 1);
    return room ? DQ_OK : dq_fail_memory(error, "a JSON text");
}

dq_status dq_json_write_raw(dq_json_text *out, const char *text, size_t bytes, dq_error *error)
{
    dq_status status = reserve(out, bytes, error);
    if (status || !bytes) return status;
    memcpy(out->data + out->bytes, text, bytes);
    out->bytes += bytes;
    return DQ_OK;
}

void dq_json_text_free(dq_json_text *out)
{
    free(out->data);
    *out = DQ_JSON_TEXT_EMPTY;
}

/* The escape of a character below U+00A0 into room for 6 characters; its length, 0 when it stands for itself.
 * DEL and C1, which a terminal may obey (core/utf8.h), are escaped as JSON's own control characters are. */
static size_t escape(char *to, unsigned char c)
{
    static const char plain[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";
    if (c >= ' ' && c < 0x7f && c != '"' && c != '\\') return 0;
    const char *at = c ? strchr(plain, c) : NULL;
    if (at) {
        to[0] = '\\';
        to[1] = letter[at - plain];
        return 2;
    }
    static const char hex[] = "0123456789abcdef";
    memcpy(to, "\\u00", 4); /* NOLINT(*-not-null-terminated-result): 6 bytes are written */
    to[4] = hex[c >> 4];
    to[5] = hex[c & 15];
    return 6;
}

dq_status dq_json_write_string(dq_json_text *out, const char *text, size_t bytes, dq_error *error)
{
    if (bytes > (SIZE_MAX - 2) / 6) return dq_fail(error, DQ_ERR_MEMORY, "a JSON text too long");
    dq_status status = reserve(out, 2 + 6 * bytes, error);
    if (status) return status;
    char *to = out->data + out->bytes;
    *to++ = '"';
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        bool c1 = c == 0xc2 && i + 1 < bytes && ((unsigned char)text[i + 1] & 0xe0) == 0x80;
        if (c1) c = (unsigned char)text[++i]; /* U+0080 to U+009F: the second byte is the code */
        size_t n = c <= 0x7f || c1 ? escape(to, c) : 0;
        if (!n) *to = (char)c;
        to += n ? n : 1;
    }
    *to++ = '"';
    out->bytes = (size_t)(to - out->data);
    return DQ_OK;
}

/* The decimal form of an integer, its length: eight digits at once, from behind. at_least: 1 to 16. */
static int put_digits(char *to, uint64_t integer, int at_least)
{
    enum { ALL = 3 * DQ_DIGITS };
    char all[ALL];
    int from = ALL;
    unsigned zeros;
    do {
        from -= DQ_DIGITS;
        zeros = dq_digits_write(all + from, (uint32_t)(integer % DQ_DIGITS_UNIT));
        integer /= DQ_DIGITS_UNIT;
    } while (integer || ALL - from < at_least);
    const int own = ALL - from - (int)zeros, n = own > at_least ? own : at_least;
    dq_bytes_copy(to, all + ALL - n, (size_t)n);
    to[n] = '\0';
    return n;
}

static const double power[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12};

/* The nine digits of a number between 1e-4 and 1e9 as an integer, k of them behind the point; 0: it is no
 * such number. */
static double find_nine(double number, int *k)
{
    const double a = fabs(number);
    *k = 8;
    if (!(a >= 1e-4 && a < 1e9)) return 0;
    while (*k > 0 && a >= power[9 - *k]) --*k;
    while (*k < 12 && a * power[*k] < 1e8) ++*k;
    const double n = rint(a * power[*k]);
    return n >= 1e8 && n < 1e9 ? n : 0;
}

/* A float32's 24 bits times 10^12, whose odd part has 28, is exact in a double, and so is the rounding to
 * nine digits that of the number; n / 10^k of integers that a double holds is what strtod makes of them. */
double dq_json_real_of(float number)
{
    char digits[32];
    int k;
    const double n = find_nine((double)number, &k);
    if (n > 0) return copysign(n / power[k], (double)number);
    (void)snprintf(digits, sizeof digits, "%.9g", (double)number);
    return strtod(digits, NULL);
}

/* n / 10^k, of nine digits, as "%.9g" writes it: without zeros at its end. */
static int put_nine(char *to, double n, int k, bool negative)
{
    int length = 0;
    uint64_t integer = (uint64_t)n;
    for (; k > 0 && integer % 10 == 0; k--) integer /= 10;
    const uint64_t unit = (uint64_t)power[k];
    if (negative) to[length++] = '-';
    length += put_digits(to + length, integer / unit, 1);
    if (k == 0) return length;
    to[length++] = '.';
    return length + put_digits(to + length, integer % unit, k);
}

/* "%.9g" of a number between 1e-4 and 1e9 that these digits give back; 0: it is another, or needs more.
 * Where n / 10^k is the number, n is the only integer of nine digits that near to it. */
static int nine_digits(char *to, double number)
{
    int k;
    const double n = find_nine(number, &k);
    if (!(n > 0) || n / power[k] != fabs(number)) return 0;
    return put_nine(to, n, k, number < 0);
}

/* "%.9g" of a float32, whose nine digits are exact (dq_json_real_of). */
static int float_digits(char *to, size_t room, float number)
{
    int k;
    const double n = find_nine((double)number, &k);
    if (n > 0) return put_nine(to, n, k, number < 0);
    return snprintf(to, room, "%.*g", FLT_DECIMAL_DIG, (double)number);
}

/* The fewest digits of 9, 15, 16, 17 that read back as the same double. */
static int shortest(char *to, size_t room, double number)
{
    static const int digits[] = {9, 15, 16, DBL_DECIMAL_DIG};
    int n = nine_digits(to, number);
    if (n) return n;
    for (size_t i = 0; i < sizeof digits / sizeof *digits; i++) {
        n = snprintf(to, room, "%.*g", digits[i], number);
        if (strtod(to, NULL) == number) break;
    }
    return n;
}

dq_status dq_json_write_real(dq_json_text *out, double number, dq_error *error)
{
    if (!isfinite(number)) return dq_fail(error, DQ_ERR_NUMERIC, "a NaN or infinity has no JSON form");
    char text[40];
    int n = shortest(text, sizeof text - 2, number);
    if (!strpbrk(text, ".e")) n += snprintf(text + n, sizeof text - (size_t)n, ".0");
    return dq_json_write_raw(out, text, (size_t)n, error);
}

dq_status dq_json_write_floats(dq_json_text *out, const float *numbers, size_t count, dq_error *error)
{
    enum { LONGEST = 24 }; /* "-1.17549435e-38," and some air */
    if (count > SIZE_MAX / LONGEST - 1) return dq_fail(error, DQ_ERR_MEMORY, "a JSON text too long");
    dq_status status = reserve(out, (count + 1) * LONGEST, error);
    if (status) return status;
    char *to = out->data + out->bytes;
    *to++ = '[';
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(numbers[i]))
            return dq_fail(error, DQ_ERR_NUMERIC, "a NaN or infinity has no JSON form");
        if (i) *to++ = ',';
        bool negative_zero = numbers[i] == 0 && signbit(numbers[i]); /* JSON's -0 is an integer, 0 */
        int n = negative_zero ? snprintf(to, LONGEST, "-0.0") : float_digits(to, LONGEST, numbers[i]);
        to += n;
    }
    *to++ = ']';
    out->bytes = (size_t)(to - out->data);
    return DQ_OK;
}

static dq_status write_integer(dq_json_text *out, int64_t integer, dq_error *error)
{
    enum { LONGEST = 24 };
    const bool negative = integer < 0;
    const uint64_t size = negative ? 0 - (uint64_t)integer : (uint64_t)integer;
    dq_status status = reserve(out, LONGEST, error);
    if (status) return status;
    char *to = out->data + out->bytes;
    *to = '-';
    out->bytes += (size_t)(negative + put_digits(to + negative, size, 1));
    return DQ_OK;
}

static dq_status write_list(dq_json_text *out, const dq_value *list, dq_error *error)
{
    dq_status status = dq_json_write_raw(out, "[", 1, error);
    for (uint32_t i = 0; i < list->count && !status; i++) {
        if (i) status = dq_json_write_raw(out, ",", 1, error);
        if (!status) status = dq_json_write(out, &list->as.list[i], error);
    }
    return status ? status : dq_json_write_raw(out, "]", 1, error);
}

static dq_status write_map(dq_json_text *out, const dq_value *map, dq_error *error)
{
    dq_status status = dq_json_write_raw(out, "{", 1, error);
    for (uint32_t i = 0; i < map->count && !status; i++) {
        const dq_entry *entry = &map->as.map[i];
        if (i) status = dq_json_write_raw(out, ",", 1, error);
        if (!status) status = dq_json_write_string(out, entry->key.as.string, entry->key.count, error);
        if (!status) status = dq_json_write_raw(out, ":", 1, error);
        if (!status) status = dq_json_write(out, &entry->value, error);
    }
    return status ? status : dq_json_write_raw(out, "}", 1, error);
}

dq_status dq_json_write(dq_json_text *out, const dq_value *value, dq_error *error)
{
    switch (value->type) {
    case DQ_NIL: return dq_json_write_raw(out, "null", 4, error);
    case DQ_BOOL:
        return value->as.boolean ? dq_json_write_raw(out, "true", 4, error)
                                 : dq_json_write_raw(out, "false", 5, error);
    case DQ_INT: return write_integer(out, value->as.integer, error);
    case DQ_REAL: return dq_json_write_real(out, value->as.real, error);
    case DQ_STRING: return dq_json_write_string(out, value->as.string, value->count, error);
    case DQ_BINARY: return dq_fail(error, DQ_ERR_UNSUPPORTED, "binary data have no JSON form");
    case DQ_LIST: return write_list(out, value, error);
    case DQ_MAP: return write_map(out, value, error);
    case DQ_FLOATS: return dq_json_write_floats(out, value->as.floats, value->count, error);
    }
    return dq_fail(error, DQ_ERR_UNSUPPORTED, "a value of unknown type");
}
