/* SPDX-License-Identifier: MIT
 *
 * A body to values: msgpack-c's parser (its C template, with the fixed stack of 32 levels) over callbacks of
 * our own. msgpack-c's ready-made unpacker would reserve memory for as many elements as a header claims, 400
 * MB for five bytes; here a container is only begun when the body still has a byte for each of its elements.
 */
#include "wire/wire.h"

#include "core/utf8.h"

#include <msgpack/sysdep.h>
#include <msgpack/unpack_define.h>
#include <stdlib.h>
#include <string.h>

typedef struct parse {
    dq_arena *arena;
    dq_error *error;
    dq_status status;
    uint64_t budget; /* elements that the body can still hold */
} parse;

/* The template needs these names; it calls them for out of stack and for a byte that begins nothing. */
enum { MSGPACK_UNPACK_NOMEM_ERROR = -2, MSGPACK_UNPACK_PARSE_ERROR = -1 };

static int refuse(parse *p, dq_status status, const char *reason)
{
    p->status = dq_fail(p->error, status, "%s", reason);
    return MSGPACK_UNPACK_PARSE_ERROR;
}

static dq_value body_root(parse *p)
{
    (void)p;
    return dq_nil();
}

static int body_nil(parse *p, dq_value *v)
{
    (void)p;
    *v = dq_nil();
    return 0;
}

static int body_true(parse *p, dq_value *v)
{
    (void)p;
    *v = dq_bool(true);
    return 0;
}

static int body_false(parse *p, dq_value *v)
{
    (void)p;
    *v = dq_bool(false);
    return 0;
}

static int body_int64(parse *p, int64_t i, dq_value *v)
{
    (void)p;
    *v = dq_int(i);
    return 0;
}

static int body_uint64(parse *p, uint64_t u, dq_value *v)
{
    if (u > INT64_MAX) return refuse(p, DQ_ERR_FORMAT, "an integer over 2^63 - 1");
    return body_int64(p, (int64_t)u, v);
}

static int body_double(parse *p, double d, dq_value *v)
{
    (void)p;
    *v = dq_real(d);
    return 0;
}

#define body_uint8  body_int64
#define body_uint16 body_int64
#define body_uint32 body_int64
#define body_int8   body_int64
#define body_int16  body_int64
#define body_int32  body_int64
#define body_float  body_double

static int body_str(parse *p, const char *base, const char *at, unsigned n, dq_value *v)
{
    (void)p;
    *v = (dq_value){.type = DQ_STRING, .count = n, .as.string = n ? at : base};
    return 0;
}

static int body_bin(parse *p, const char *base, const char *at, unsigned n, dq_value *v)
{
    (void)p;
    *v = (dq_value){.type = DQ_BINARY, .count = n, .as.binary = n ? at : base};
    return 0;
}

static int body_ext(parse *p, const char *base, const char *at, unsigned n, dq_value *v)
{
    (void)base, (void)at, (void)n, (void)v;
    return refuse(p, DQ_ERR_FORMAT, "a MessagePack extension type");
}

/* Takes elements from the budget: the sum over all containers is at most the body's bytes. */
static bool afford(parse *p, uint64_t elements)
{
    if (elements > p->budget) return false;
    p->budget -= elements;
    return true;
}

static int body_array(parse *p, unsigned n, dq_value *v)
{
    if (!afford(p, n))
        return refuse(p, DQ_ERR_FORMAT, "an array claims more elements than its record can hold");
    *v = dq_list();
    v->as.list = dq_arena_take(p->arena, n * sizeof(dq_value));
    return v->as.list ? 0 : refuse(p, DQ_ERR_MEMORY, "out of memory for a record");
}

static int body_array_item(parse *p, dq_value *list, dq_value element)
{
    (void)p;
    list->as.list[list->count++] = element;
    return 0;
}

static int body_map(parse *p, unsigned n, dq_value *v)
{
    if (!afford(p, 2 * (uint64_t)n))
        return refuse(p, DQ_ERR_FORMAT, "a map claims more elements than its record can hold");
    *v = dq_map();
    v->as.map = dq_arena_take(p->arena, n * sizeof(dq_entry));
    return v->as.map ? 0 : refuse(p, DQ_ERR_MEMORY, "out of memory for a record");
}

static int body_map_item(parse *p, dq_value *map, dq_value key, dq_value value)
{
    if (key.type != DQ_STRING) return refuse(p, DQ_ERR_FORMAT, "a map's key that is no string");
    map->as.map[map->count++] = (dq_entry){.key = key, .value = value};
    return 0;
}

#define msgpack_unpack_struct(name)    struct body##name
#define msgpack_unpack_func(ret, name) static ret body##name
#define msgpack_unpack_callback(name)  body##name
#define msgpack_unpack_object          dq_value
#define msgpack_unpack_user            parse
#include <msgpack/unpack_template.h>

static int compare_keys(const void *a, const void *b)
{
    const dq_value *x = a, *y = b;
    uint32_t n = x->count < y->count ? x->count : y->count;
    int order = memcmp(x->as.string, y->as.string, n);
    return order ? order : (x->count > y->count) - (x->count < y->count);
}

static dq_status check_keys(const dq_value *map, dq_arena *arena, dq_error *error)
{
    dq_value *keys = dq_arena_take(arena, map->count * sizeof *keys);
    if (!keys) return dq_fail_memory(error, "a record");
    for (uint32_t i = 0; i < map->count; i++) keys[i] = map->as.map[i].key;
    if (map->count > 1) qsort(keys, map->count, sizeof *keys, compare_keys);
    for (uint32_t i = 1; i < map->count; i++)
        if (compare_keys(&keys[i - 1], &keys[i]) == 0)
            return dq_fail(error, DQ_ERR_FORMAT, "a map has the key %.*s twice", (int)(keys[i].count & 63),
                           keys[i].as.string);
    return DQ_OK;
}

/* Keys are unique, strings are UTF-8. As deep as the parser's stack, no deeper. */
static dq_status check(const dq_value *v, dq_arena *arena, dq_error *error)
{
    dq_status status = DQ_OK;
    if (v->type == DQ_STRING && !dq_utf8_valid(v->as.string, v->count))
        return dq_fail(error, DQ_ERR_FORMAT, "a string that is not UTF-8");
    if (v->type == DQ_LIST)
        for (uint32_t i = 0; !status && i < v->count; i++) status = check(&v->as.list[i], arena, error);
    if (v->type == DQ_MAP) {
        for (uint32_t i = 0; !status && i < v->count; i++) {
            status = check(&v->as.map[i].key, arena, error);
            if (!status) status = check(&v->as.map[i].value, arena, error);
        }
        if (!status) status = check_keys(v, arena, error);
    }
    return status;
}

dq_status dq_unpack(const unsigned char *body, size_t n, dq_arena *arena, dq_value *value, dq_error *error)
{
    struct body_context context;
    memset(&context, 0, sizeof context);
    context.user = (parse){.arena = arena, .error = error, .budget = n < DQ_MAX_VALUES ? n : DQ_MAX_VALUES};
    body_init(&context);
    size_t at = 0;
    int result = body_execute(&context, (const char *)body, n, &at);
    if (context.user.status) return context.user.status;
    if (result == MSGPACK_UNPACK_NOMEM_ERROR)
        return dq_fail(error, DQ_ERR_FORMAT, "a record nested more than %d deep", DQ_MAX_DEPTH);
    if (result < 0) return dq_fail(error, DQ_ERR_FORMAT, "a record that is not MessagePack");
    if (result == 0)
        return dq_fail(error, DQ_ERR_FORMAT, "a record whose MessagePack is longer than its body");
    if (at != n) return dq_fail(error, DQ_ERR_FORMAT, "a record with bytes behind its MessagePack");
    *value = body_data(&context);
    return check(value, arena, error);
}
