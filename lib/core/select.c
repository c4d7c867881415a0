/* SPDX-License-Identifier: MIT */
#include "dq/bundle.h"

#include <string.h>

static bool select_nulls(dq_bundle *to, const dq_column *c, const uint32_t *rows, const uint8_t **nulls)
{
    *nulls = NULL;
    if (!c->nulls) return true;
    uint8_t *kept = dq_arena_take(&to->arena, to->rows);
    for (uint64_t i = 0; kept && i < to->rows; i++) kept[i] = c->nulls[rows[i]];
    *nulls = kept;
    return kept;
}

static dq_status select_text(dq_bundle *to, const dq_column *c, const uint32_t *rows, const uint8_t *nulls,
                             dq_error *error)
{
    uint64_t bytes = 0;
    for (uint64_t i = 0; i < to->rows; i++) bytes += c->offsets[rows[i] + 1] - c->offsets[rows[i]];
    if (bytes > UINT32_MAX)
        return dq_fail(error, DQ_ERR_RANGE, "column %s: more than 4 GiB of text", c->name);
    uint32_t *offsets = dq_arena_take(&to->arena, (to->rows + 1) * sizeof *offsets);
    char *data = dq_arena_take(&to->arena, bytes);
    if (!offsets || !data) return dq_fail_memory(error, "column %s", c->name);
    offsets[0] = 0;
    for (uint64_t i = 0; i < to->rows; i++) {
        uint32_t from = c->offsets[rows[i]], n = c->offsets[rows[i] + 1] - from;
        if (n) memcpy(data + offsets[i], (const char *)c->data + from, n);
        offsets[i + 1] = offsets[i] + n;
    }
    return dq_bundle_add_text(to, c->name, c->type, offsets, data, nulls, error);
}

static dq_status select_numbers(dq_bundle *to, const dq_column *c, const uint32_t *rows, const uint8_t *nulls,
                                dq_error *error)
{
    size_t one = (size_t)dq_column_width(c) * dq_dtype_size(c->type);
    unsigned char *data = dq_arena_take(&to->arena, to->rows * one);
    if (!data) return dq_fail_memory(error, "column %s", c->name);
    for (uint64_t i = 0; one && i < to->rows; i++)
        memcpy(data + i * one, (const unsigned char *)c->data + rows[i] * one, one);
    if (c->dims == 1) return dq_bundle_add_numbers(to, c->name, c->type, data, c->ref, nulls, error);
    uint64_t shape[DQ_MAX_DIMS];
    memcpy(shape, c->shape, sizeof shape);
    shape[0] = to->rows;
    dq_status status = dq_bundle_add_tensor(to, c->name, c->type, c->dims, shape, data, error);
    if (status || !c->ref) return status;
    to->columns[to->column_count - 1].ref = dq_arena_text(&to->arena, c->ref, strlen(c->ref));
    return to->columns[to->column_count - 1].ref ? DQ_OK : dq_fail(error, DQ_ERR_MEMORY, "out of memory");
}

dq_status dq_bundle_select(dq_bundle *to, const dq_bundle *from, const uint32_t *rows, size_t count,
                           dq_error *error)
{
    dq_status status = dq_bundle_init(to, from->kind, count, error);
    if (!status && !dq_value_copy(&to->arena, &from->meta, &to->meta))
        status = dq_fail_memory(error, "a bundle");
    for (size_t i = 0; !status && i < from->column_count; i++) {
        const dq_column *c = &from->columns[i];
        const uint8_t *nulls;
        if (!select_nulls(to, c, rows, &nulls))
            status = dq_fail_memory(error, "column %s", c->name);
        else if (dq_dtype_size(c->type) == 0)
            status = select_text(to, c, rows, nulls, error);
        else
            status = select_numbers(to, c, rows, nulls, error);
    }
    if (status) dq_bundle_free(to);
    return status;
}

static bool is_among(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0) return true;
    return false;
}

static dq_status borrow_column(dq_bundle *to, const dq_column *c, dq_error *error)
{
    if (dq_dtype_size(c->type) == 0)
        return dq_bundle_add_text(to, c->name, c->type, c->offsets, c->data, c->nulls, error);
    dq_status status = dq_bundle_add_tensor(to, c->name, c->type, c->dims, c->shape, c->data, error);
    if (status) return status;
    to->columns[to->column_count - 1].ref = c->ref;
    to->columns[to->column_count - 1].nulls = c->nulls;
    return DQ_OK;
}

dq_status dq_bundle_borrow(dq_bundle *to, const dq_bundle *from, const char *const *without, dq_error *error)
{
    dq_status status = dq_bundle_init(to, from->kind, from->rows, error);
    if (!status) to->meta = from->meta;
    for (size_t i = 0; !status && i < from->column_count; i++)
        if (!is_among(from->columns[i].name, without)) status = borrow_column(to, &from->columns[i], error);
    if (status) dq_bundle_free(to);
    return status;
}
