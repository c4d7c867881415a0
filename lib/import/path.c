/* SPDX-License-Identifier: MIT */
#include "import/path.h"

#include <stdlib.h>
#include <string.h>

/* The element of a list that a part of a path counts, from 0; NULL where it counts none. */
static const dq_value *element(const dq_value *list, const char *part, size_t n)
{
    char *end;
    if (*part < '0' || *part > '9') return NULL;
    unsigned long at = strtoul(part, &end, 10);
    return end == part + n && at < list->count ? &list->as.list[at] : NULL;
}

static bool is_number(const char *part, size_t n)
{
    return n && strspn(part, "0123456789") >= n;
}

static const dq_value *entry(const dq_value *map, const char *part, size_t n)
{
    for (uint32_t i = 0; i < map->count; i++) {
        const dq_value *key = &map->as.map[i].key;
        if (key->count == n && memcmp(key->as.string, part, n) == 0) return &map->as.map[i].value;
    }
    return NULL;
}

static dq_import_fault fail_list(const char *path, size_t n, const char *rest, dq_error *error)
{
    dq_fail(error, DQ_ERR_SCHEMA,
            "%.*s is a list: %.*s.0.%s takes it of the first element, %.*s is all of it", (int)n, path,
            (int)n, path, rest, (int)n, path);
    return DQ_IMPORT_MISTYPED;
}

/* What stands under a path; NULL where nothing does. */
static dq_import_fault find(const dq_value *document, const char *path, const dq_value **found,
                            dq_error *error)
{
    const dq_value *v = document;
    const char *part = path;
    *found = NULL;
    for (;;) {
        size_t n = strcspn(part, ".");
        if (v->type == DQ_LIST && !is_number(part, n))
            return fail_list(path, (size_t)(part - path) - 1, part, error);
        if (v->type != DQ_MAP && v->type != DQ_LIST) return DQ_IMPORT_FINE;
        v = v->type == DQ_MAP ? entry(v, part, n) : element(v, part, n);
        if (!v) return DQ_IMPORT_FINE;
        if (!part[n]) break;
        part += n + 1;
    }
    *found = v;
    return DQ_IMPORT_FINE;
}

/* The map without what stands under the path, if that leads through maps alone. False: memory is short. */
static bool take_out(const dq_value *map, const char *path, dq_arena *arena, dq_value *left)
{
    size_t n = strcspn(path, ".");
    *left = dq_map();
    for (uint32_t i = 0; i < map->count; i++) {
        const dq_entry *e = &map->as.map[i];
        bool here = e->key.count == n && memcmp(e->key.as.string, path, n) == 0;
        dq_value value = e->value;
        if (here && !path[n]) continue;
        if (here && value.type == DQ_MAP && value.count) {
            if (!take_out(&e->value, path + n + 1, arena, &value)) return false;
            if (!value.count) continue;
        }
        if (!dq_map_add(arena, left, e->key, value)) return false;
    }
    return true;
}

dq_import_fault dq_import_flatten(dq_value *document, const char *const *names, size_t count, dq_arena *arena,
                                  dq_error *error)
{
    const dq_value whole = *document;
    for (size_t i = 0; i < count; i++) {
        const dq_value *found;
        dq_value left;
        if (!strchr(names[i], '.') || dq_map_get(document, names[i])) continue;
        dq_import_fault fault = find(&whole, names[i], &found, error);
        if (fault) return fault;
        if (!found) continue;
        if (!take_out(document, names[i], arena, &left) ||
            !dq_map_add(arena, &left, dq_string(arena, names[i]), *found))
            return dq_import_out_of_memory("a document", error);
        *document = left;
    }
    return DQ_IMPORT_FINE;
}
