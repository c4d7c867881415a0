/* SPDX-License-Identifier: MIT */
#include "dq/value.h"

#include "core/capacity.h"

#include <math.h>
#include <string.h>

dq_value dq_nil(void)
{
    return (dq_value){.type = DQ_NIL};
}

dq_value dq_bool(bool b)
{
    return (dq_value){.type = DQ_BOOL, .as.boolean = b};
}

dq_value dq_int(int64_t i)
{
    return (dq_value){.type = DQ_INT, .as.integer = i};
}

dq_value dq_real(double d)
{
    return (dq_value){.type = DQ_REAL, .as.real = d};
}

dq_value dq_real_or_nil(double d)
{
    return isfinite(d) ? dq_real(d) : dq_nil();
}

dq_value dq_string_n(dq_arena *arena, const char *text, size_t n)
{
    if (!text || n > UINT32_MAX) return dq_nil();
    char *copy = dq_arena_text(arena, text, n);
    if (!copy) return dq_nil();
    return (dq_value){.type = DQ_STRING, .count = (uint32_t)n, .as.string = copy};
}

dq_value dq_string(dq_arena *arena, const char *text)
{
    return text ? dq_string_n(arena, text, strlen(text)) : dq_nil();
}

dq_value dq_list(void)
{
    return (dq_value){.type = DQ_LIST};
}

dq_value dq_map(void)
{
    return (dq_value){.type = DQ_MAP};
}

/* Room for one more of `count` elements: the count tells when to grow (core/capacity.h). */
static void *room(dq_arena *arena, void *old, uint32_t count, size_t size)
{
    bool full = count == 0 || (count >= 4 && (count & (count - 1)) == 0);
    if (!full) return old;
    if (count > UINT32_MAX / 2) return NULL;
    void *grown = dq_arena_take(arena, (count < 4 ? 4 : 2 * (size_t)count) * size);
    if (grown && count) memcpy(grown, old, count * size);
    return grown;
}

bool dq_list_add(dq_arena *arena, dq_value *list, dq_value element)
{
    dq_value *grown = room(arena, list->as.list, list->count, sizeof element);
    if (!grown || arena->failed) return false;
    list->as.list = grown;
    grown[list->count++] = element;
    return true;
}

bool dq_map_add(dq_arena *arena, dq_value *map, dq_value key, dq_value value)
{
    dq_entry *grown = room(arena, map->as.map, map->count, sizeof(dq_entry));
    if (!grown || arena->failed || key.type != DQ_STRING) return false;
    map->as.map = grown;
    grown[map->count++] = (dq_entry){.key = key, .value = value};
    return true;
}

bool dq_map_set(dq_arena *arena, dq_value *map, const char *key, dq_value value)
{
    for (uint32_t i = 0; i < map->count; i++)
        if (dq_value_is(&map->as.map[i].key, key)) {
            map->as.map[i].value = value;
            return !arena->failed;
        }
    return dq_map_add(arena, map, dq_string(arena, key), value);
}

const dq_value *dq_map_get(const dq_value *map, const char *key)
{
    if (!map || map->type != DQ_MAP) return NULL;
    for (uint32_t i = 0; i < map->count; i++)
        if (dq_value_is(&map->as.map[i].key, key)) return &map->as.map[i].value;
    return NULL;
}

bool dq_value_is(const dq_value *v, const char *text)
{
    if (!v || v->type != DQ_STRING) return false;
    if (v->count && *v->as.string != *text) return false; /* as it mostly is */
    return strlen(text) == v->count && memcmp(v->as.string, text, v->count) == 0;
}

static bool lists_equal(const dq_value *a, const dq_value *b)
{
    for (uint32_t i = 0; i < a->count; i++)
        if (!dq_value_equal(&a->as.list[i], &b->as.list[i])) return false;
    return true;
}

static bool maps_equal(const dq_value *a, const dq_value *b)
{
    for (uint32_t i = 0; i < a->count; i++)
        if (!dq_value_equal(&a->as.map[i].key, &b->as.map[i].key) ||
            !dq_value_equal(&a->as.map[i].value, &b->as.map[i].value))
            return false;
    return true;
}

bool dq_value_equal(const dq_value *a, const dq_value *b)
{
    if (a->type != b->type || a->count != b->count) return false;
    switch (a->type) {
    case DQ_NIL: return true;
    case DQ_BOOL: return a->as.boolean == b->as.boolean;
    case DQ_INT: return a->as.integer == b->as.integer;
    case DQ_REAL: return memcmp(&a->as.real, &b->as.real, sizeof a->as.real) == 0;
    case DQ_STRING: return memcmp(a->as.string, b->as.string, a->count) == 0;
    case DQ_BINARY: return memcmp(a->as.binary, b->as.binary, a->count) == 0;
    case DQ_LIST: return lists_equal(a, b);
    case DQ_MAP: return maps_equal(a, b);
    case DQ_FLOATS: return memcmp(a->as.floats, b->as.floats, a->count * sizeof(float)) == 0;
    }
    return false;
}

double dq_value_number(const dq_value *v, double fallback)
{
    if (v && v->type == DQ_INT) return (double)v->as.integer;
    if (v && v->type == DQ_REAL) return v->as.real;
    return fallback;
}

int64_t dq_value_integer(const dq_value *v, int64_t fallback)
{
    return v && v->type == DQ_INT ? v->as.integer : fallback;
}

const char *dq_value_text(dq_arena *arena, const dq_value *v)
{
    return v && v->type == DQ_STRING ? dq_arena_text(arena, v->as.string, v->count) : NULL;
}

static bool copy_list(dq_arena *arena, const dq_value *from, dq_value *to)
{
    if (!from->count) return true;
    to->as.list = dq_arena_take(arena, dq_value_capacity(from->count) * sizeof(dq_value));
    if (!to->as.list) return false;
    for (uint32_t i = 0; i < from->count; i++)
        if (!dq_value_copy(arena, &from->as.list[i], &to->as.list[i])) return false;
    to->count = from->count;
    return true;
}

static bool copy_map(dq_arena *arena, const dq_value *from, dq_value *to)
{
    to->as.map = dq_arena_take(arena, dq_value_capacity(from->count) * sizeof(dq_entry));
    if (!to->as.map) return false;
    for (uint32_t i = 0; i < from->count; i++)
        if (!dq_value_copy(arena, &from->as.map[i].key, &to->as.map[i].key) ||
            !dq_value_copy(arena, &from->as.map[i].value, &to->as.map[i].value))
            return false;
    to->count = from->count;
    return true;
}

static const float *copy_floats(dq_arena *arena, const dq_value *from)
{
    float *copy = dq_arena_take(arena, from->count * sizeof *copy);
    if (copy && from->count) memcpy(copy, from->as.floats, from->count * sizeof *copy);
    return copy;
}

bool dq_value_copy(dq_arena *arena, const dq_value *from, dq_value *to)
{
    dq_value copy = *from;
    *to = dq_nil();
    switch (from->type) {
    case DQ_STRING:
        copy.as.string = dq_arena_text(arena, from->as.string, from->count);
        if (!copy.as.string) return false;
        break;
    case DQ_BINARY:
        copy.as.binary = dq_arena_text(arena, from->as.binary, from->count);
        if (!copy.as.binary) return false;
        break;
    case DQ_FLOATS:
        copy.as.floats = copy_floats(arena, from);
        if (!copy.as.floats) return false;
        break;
    case DQ_LIST:
        copy = dq_list();
        if (!copy_list(arena, from, &copy)) return false;
        break;
    case DQ_MAP:
        copy = dq_map();
        if (!copy_map(arena, from, &copy)) return false;
        break;
    default: break;
    }
    *to = copy;
    return true;
}
