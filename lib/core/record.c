/* SPDX-License-Identifier: MIT */
#include "core/record.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static dq_value value_of(const dq_record_field *field, const void *record)
{
    const char *at = (const char *)record + field->offset;
    double real;
    uint64_t count;
    uint32_t small;
    bool flag;
    switch (field->type) {
    case DQ_RECORD_REAL: memcpy(&real, at, sizeof real); return dq_real_or_nil(real);
    case DQ_RECORD_COUNT: memcpy(&count, at, sizeof count); return dq_int((int64_t)count);
    case DQ_RECORD_SMALL: memcpy(&small, at, sizeof small); return dq_int(small);
    case DQ_RECORD_FLAG: memcpy(&flag, at, sizeof flag); return dq_bool(flag);
    }
    return dq_nil();
}

static void set_value(const dq_record_field *field, void *record, const dq_value *value)
{
    char *at = (char *)record + field->offset;
    double real = dq_value_number(value, NAN);
    uint64_t count = (uint64_t)dq_value_integer(value, 0);
    uint32_t small = count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
    bool flag = value && value->type == DQ_BOOL && value->as.boolean;
    switch (field->type) {
    case DQ_RECORD_REAL: memcpy(at, &real, sizeof real); break;
    case DQ_RECORD_COUNT: memcpy(at, &count, sizeof count); break;
    case DQ_RECORD_SMALL: memcpy(at, &small, sizeof small); break;
    case DQ_RECORD_FLAG: memcpy(at, &flag, sizeof flag); break;
    }
}

dq_status dq_record_save(const dq_record_field *fields, size_t count, const void *record, const char *key,
                         dq_bundle *model, dq_error *error)
{
    dq_value map = dq_map();
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++)
        ok = dq_map_set(&model->arena, &map, fields[i].name, value_of(&fields[i], record));
    ok = ok && dq_map_set(&model->arena, &model->meta, key, map);
    return ok ? DQ_OK : dq_fail_memory(error, "meta.%s of a model", key);
}

dq_status dq_record_restore(const dq_record_field *fields, size_t count, void *record, const char *key,
                            const dq_bundle *model, dq_error *error)
{
    const dq_value *map = dq_map_get(&model->meta, key);
    if (!map) return dq_fail(error, DQ_ERR_SCHEMA, "the checkpoint is not of such a run: no meta.%s", key);
    for (size_t i = 0; i < count; i++) set_value(&fields[i], record, dq_map_get(map, fields[i].name));
    return DQ_OK;
}

bool dq_record_save_list(const uint32_t *numbers, size_t count, const char *name, dq_value *map,
                         dq_arena *arena)
{
    dq_value list = dq_list();
    for (size_t i = 0; i < count; i++)
        if (!dq_list_add(arena, &list, dq_int(numbers[i]))) return false;
    return dq_map_set(arena, map, name, list);
}

bool dq_record_read_list(const dq_value *list, uint32_t min, uint32_t max, uint32_t *numbers, uint32_t room,
                         uint32_t *count)
{
    if (!list || list->type != DQ_LIST || list->count > room) return false;
    for (uint32_t i = 0; i < list->count; i++) {
        int64_t n = dq_value_integer(&list->as.list[i], -1);
        if (n < min || n > max) return false;
        numbers[i] = (uint32_t)n;
    }
    *count = (uint32_t)list->count;
    return true;
}

dq_status dq_record_find(const dq_bundle *model, const char *name, dq_dtype type, uint64_t *n,
                         const dq_column **column, dq_error *error)
{
    const dq_column *c = dq_bundle_column(model, name);
    uint64_t elements = c ? c->shape[0] * dq_column_width(c) : 0;
    if (!c || c->type != type || (*n != DQ_RECORD_ANY && elements != *n))
        return dq_fail(error, DQ_ERR_SCHEMA, "the checkpoint is not of this run: column %s", name);
    *n = elements;
    *column = c;
    return DQ_OK;
}

dq_status dq_record_column(const dq_bundle *model, const char *name, dq_dtype type, uint64_t n, void *to,
                           dq_error *error)
{
    const dq_column *column = NULL;
    dq_status status = dq_record_find(model, name, type, &n, &column, error);
    if (!status && n) memcpy(to, column->data, n * dq_dtype_size(type));
    return status;
}

enum { NAME_BYTES = 256 };

dq_status dq_record_save_parts(const dq_record_part *parts, size_t count, const char *prefix,
                               dq_bundle *model, dq_error *error)
{
    char name[NAME_BYTES];
    dq_status status = DQ_OK;
    for (const dq_record_part *p = parts; !status && p < parts + count; p++) {
        const uint64_t shape[2] = {p->rows, p->width};
        (void)snprintf(name, sizeof name, "%s.%s", prefix, p->name);
        status = dq_bundle_add_tensor(model, name, p->type, p->width ? 2 : 1, shape, p->data, error);
    }
    return status;
}

dq_status dq_record_restore_parts(const dq_record_part *parts, size_t count, const char *prefix,
                                  const dq_bundle *model, dq_error *error)
{
    char name[NAME_BYTES];
    dq_status status = DQ_OK;
    for (const dq_record_part *p = parts; !status && p < parts + count; p++) {
        (void)snprintf(name, sizeof name, "%s.%s", prefix, p->name);
        status = dq_record_column(model, name, p->type, p->rows * (p->width ? p->width : 1), p->data, error);
    }
    return status;
}

dq_status dq_record_save_rng(const dq_rng *rng, uint64_t n, const char *name, dq_bundle *model,
                             dq_error *error)
{
    const uint64_t shape[2] = {n, sizeof rng->s / sizeof *rng->s};
    return dq_bundle_add_tensor(model, name, DQ_U8, 2, shape, rng, error);
}

dq_status dq_record_rng(const dq_bundle *model, const char *name, uint64_t n, dq_rng *rng, dq_error *error)
{
    const uint64_t words = sizeof rng->s / sizeof *rng->s;
    dq_status status = dq_record_column(model, name, DQ_U8, n * words, rng, error);
    for (uint64_t i = 0; !status && i < n; i++)
        if (!(rng[i].s[0] | rng[i].s[1] | rng[i].s[2] | rng[i].s[3]))
            status = dq_fail(error, DQ_ERR_SCHEMA, "column '%s' has a generator that only draws zeros", name);
    return status;
}
