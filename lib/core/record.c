/* SPDX-License-Identifier: MIT */
#include "core/record.h"

#include <math.h>
#include <string.h>

static dq_value value_of(const learn_number *number, const void *place)
{
    const char *at = (const char *)place + number->offset;
    double real;
    uint64_t count;
    uint32_t small;
    bool flag;
    switch (number->type) {
    case LEARN_REAL: memcpy(&real, at, sizeof real); return isfinite(real) ? dq_real(real) : dq_nil();
    case LEARN_COUNT: memcpy(&count, at, sizeof count); return dq_int((int64_t)count);
    case LEARN_SMALL: memcpy(&small, at, sizeof small); return dq_int(small);
    case LEARN_FLAG: memcpy(&flag, at, sizeof flag); return dq_bool(flag);
    }
    return dq_nil();
}

static void set_value(const learn_number *number, void *place, const dq_value *value)
{
    char *at = (char *)place + number->offset;
    double real = dq_value_number(value, NAN);
    uint64_t count = (uint64_t)dq_value_integer(value, 0);
    uint32_t small = count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
    bool flag = value && value->type == DQ_BOOL && value->as.boolean;
    switch (number->type) {
    case LEARN_REAL: memcpy(at, &real, sizeof real); break;
    case LEARN_COUNT: memcpy(at, &count, sizeof count); break;
    case LEARN_SMALL: memcpy(at, &small, sizeof small); break;
    case LEARN_FLAG: memcpy(at, &flag, sizeof flag); break;
    }
}

bool learn_place_save(const learn_number *numbers, size_t count, const void *place, const char *key,
                      dq_bundle *model)
{
    dq_value map = dq_map();
    for (size_t i = 0; i < count; i++)
        if (!dq_map_set(&model->arena, &map, numbers[i].name, value_of(&numbers[i], place))) return false;
    return dq_map_set(&model->arena, &model->meta, key, map);
}

dq_status learn_place_restore(const learn_number *numbers, size_t count, void *place, const char *key,
                              const dq_bundle *model, dq_error *error)
{
    const dq_value *map = dq_map_get(&model->meta, key);
    if (!map) return dq_fail(error, DQ_ERR_SCHEMA, "the checkpoint is not of such a run: no meta.%s", key);
    for (size_t i = 0; i < count; i++) set_value(&numbers[i], place, dq_map_get(map, numbers[i].name));
    return DQ_OK;
}

dq_status learn_column_take(const dq_bundle *model, const char *name, dq_dtype type, uint64_t n, void *to,
                            dq_error *error)
{
    const dq_column *c = dq_bundle_column(model, name);
    if (!c || c->type != type || c->shape[0] * dq_column_width(c) != n)
        return dq_fail(error, DQ_ERR_SCHEMA, "the checkpoint is not of this run: column %s", name);
    memcpy(to, c->data, n * dq_dtype_size(type));
    return DQ_OK;
}
