/* SPDX-License-Identifier: MIT */
#include "dq/bundle.h"

#include <stdlib.h>
#include <string.h>

dq_status dq_bundle_init(dq_bundle *bundle, const char *kind, uint64_t rows, dq_error *error)
{
    *bundle = DQ_BUNDLE_EMPTY;
    bundle->kind = dq_arena_text(&bundle->arena, kind, strlen(kind));
    bundle->rows = rows;
    bundle->meta = dq_map();
    if (!bundle->kind) return dq_fail_memory(error, "a bundle");
    return DQ_OK;
}

/* The new last column, named and zeroed; columns grow by doubling in the arena. */
static dq_status new_column(dq_bundle *bundle, const char *name, dq_column **column, dq_error *error)
{
    size_t n = bundle->column_count;
    if (dq_bundle_column(bundle, name)) return dq_fail(error, DQ_ERR_DUPLICATE, "two columns named %s", name);
    if (n == DQ_MAX_COLUMNS) return dq_fail(error, DQ_ERR_RANGE, "more than %d columns", DQ_MAX_COLUMNS);
    if (n == 0 || (n >= 8 && (n & (n - 1)) == 0)) {
        dq_column *grown = dq_arena_zero(&bundle->arena, n ? 2 * n : 8, sizeof *grown);
        if (!grown) return dq_fail_memory(error, "a column");
        if (n) memcpy(grown, bundle->columns, n * sizeof *grown);
        bundle->columns = grown;
    }
    const char *copy = dq_arena_text(&bundle->arena, name, strlen(name));
    if (!copy) return dq_fail_memory(error, "a column");
    *column = &bundle->columns[n];
    **column = (dq_column){.name = copy};
    bundle->column_count++;
    return DQ_OK;
}

dq_status dq_bundle_add_tensor(dq_bundle *bundle, const char *name, dq_dtype type, unsigned dims,
                               const uint64_t *shape, const void *data, dq_error *error)
{
    if (dims < 1 || dims > DQ_MAX_DIMS || dq_dtype_size(type) == 0)
        return dq_fail(error, DQ_ERR_RANGE, "column %s: not a tensor of 1 to %d dimensions", name,
                       DQ_MAX_DIMS);
    uint64_t bytes = dq_dtype_size(type);
    for (unsigned i = 0; i < dims; i++)
        if (__builtin_mul_overflow(bytes, shape[i], &bytes))
            return dq_fail(error, DQ_ERR_RANGE, "column %s: shape overflows", name);
    if (bytes && !data) return dq_fail(error, DQ_ERR_RANGE, "column %s: a shape without data", name);
    dq_column *column;
    dq_status status = new_column(bundle, name, &column, error);
    if (status) return status;
    column->type = type;
    column->dims = dims;
    memcpy(column->shape, shape, dims * sizeof *shape);
    column->data = data;
    column->bytes = bytes;
    return DQ_OK;
}

dq_status dq_bundle_add_numbers(dq_bundle *bundle, const char *name, dq_dtype type, const void *data,
                                const char *ref, const uint8_t *nulls, dq_error *error)
{
    dq_status status = dq_bundle_add_tensor(bundle, name, type, 1, &bundle->rows, data, error);
    if (status) return status;
    dq_column *column = &bundle->columns[bundle->column_count - 1];
    column->nulls = nulls;
    if (ref) {
        column->ref = dq_arena_text(&bundle->arena, ref, strlen(ref));
        if (!column->ref) return dq_fail_memory(error, "a column");
    }
    return DQ_OK;
}

dq_status dq_bundle_add_text(dq_bundle *bundle, const char *name, dq_dtype type, const uint32_t *offsets,
                             const char *data, const uint8_t *nulls, dq_error *error)
{
    if (dq_dtype_size(type)) return dq_fail(error, DQ_ERR_RANGE, "column %s: not a text type", name);
    static const uint32_t none[1] = {0};
    if (!offsets && bundle->rows == 0) offsets = none;
    if (!offsets || (offsets[bundle->rows] && !data))
        return dq_fail(error, DQ_ERR_RANGE, "column %s: rows without texts", name);
    dq_column *column;
    dq_status status = new_column(bundle, name, &column, error);
    if (status) return status;
    *column = (dq_column){.name = column->name,
                          .type = type,
                          .dims = 1,
                          .shape = {bundle->rows},
                          .data = data,
                          .bytes = offsets[bundle->rows],
                          .offsets = offsets,
                          .nulls = nulls};
    return DQ_OK;
}

const dq_column *dq_bundle_column(const dq_bundle *bundle, const char *name)
{
    for (size_t i = 0; i < bundle->column_count; i++)
        if (strcmp(bundle->columns[i].name, name) == 0) return &bundle->columns[i];
    return NULL;
}

bool dq_column_is_null(const dq_column *column, uint64_t row)
{
    return column->nulls && column->nulls[row];
}

const char *dq_column_text(const dq_column *column, uint64_t row, size_t *bytes)
{
    uint32_t from = column->offsets[row];
    *bytes = column->offsets[row + 1] - from;
    return dq_column_is_null(column, row) ? NULL : (const char *)column->data + from;
}

uint64_t dq_column_width(const dq_column *column)
{
    uint64_t width = 1;
    for (unsigned i = 1; i < column->dims; i++) width *= column->shape[i];
    return width;
}

void dq_bundle_free(dq_bundle *bundle)
{
    dq_arena_free(&bundle->arena);
    free(bundle->body);
    *bundle = DQ_BUNDLE_EMPTY;
}
