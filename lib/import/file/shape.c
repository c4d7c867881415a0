/* SPDX-License-Identifier: MIT */
#include "import/file/shape.h"

#include "core/array.h"
#include "core/bytes.h"

#include <stdlib.h>
#include <string.h>

bool dq_import_shape_is(const dq_import_shape *shape, const dq_value *document, uint64_t number)
{
    if (!shape->known || shape->count != document->count) return false;
    if (number && shape->number) return number == shape->number;
    const char *name = shape->names;
    for (uint32_t i = 0; i < document->count; i++) {
        const dq_value *key = &document->as.map[i].key;
        if (key->count != shape->bytes[i] || !dq_bytes_equal(name, key->as.string, key->count)) return false;
        name += key->count;
    }
    return true;
}

void dq_import_shape_set(dq_import_shape *shape, const dq_value *document, uint64_t number)
{
    shape->known = false;
    shape->count = shape->used = 0;
    if (!dq_array_reserve(&shape->bytes, &shape->slots, document->count + (size_t)1, sizeof *shape->bytes))
        return;
    for (uint32_t i = 0; i < document->count; i++) {
        const dq_value *key = &document->as.map[i].key;
        if (!dq_array_reserve(&shape->names, &shape->capacity, shape->used + key->count + 1, 1)) return;
        memcpy(shape->names + shape->used, key->as.string, key->count);
        shape->used += key->count;
        shape->bytes[shape->count++] = key->count;
    }
    shape->number = number;
    shape->known = true;
}

void dq_import_shape_free(dq_import_shape *shape)
{
    free(shape->names);
    free(shape->bytes);
    *shape = (dq_import_shape){0};
}
