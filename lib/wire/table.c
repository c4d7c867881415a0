/* SPDX-License-Identifier: MIT
 *
 * From the value of a bundle's body to a dq_bundle whose columns point into that body. Every type, shape,
 * size and offset is checked here, before anybody sees the bundle.
 */
#include "wire/wire.h"

#include "core/utf8.h"
#include "wire/bytes/shuffle.h"

#include <stdlib.h>
#include <string.h>

static dq_status bad(const char *name, const char *what, dq_error *error)
{
    return dq_fail(error, DQ_ERR_FORMAT, "column %s: %s", name, what);
}

/* A string without NUL bytes, copied. */
static const char *word(const dq_value *v, dq_arena *arena)
{
    if (!v || v->type != DQ_STRING || v->count == 0 || memchr(v->as.string, 0, v->count)) return NULL;
    return dq_value_text(arena, v);
}

static dq_status read_shape(dq_column *column, const dq_value *shape, dq_error *error)
{
    if (!shape || shape->type != DQ_LIST || shape->count < 1 || shape->count > DQ_MAX_DIMS)
        return bad(column->name, "its shape is not a list of 1 to 4 numbers", error);
    column->dims = shape->count;
    for (unsigned i = 0; i < column->dims; i++) {
        int64_t n = dq_value_integer(&shape->as.list[i], -1);
        if (n < 0 || (uint64_t)n > DQ_MAX_RECORD)
            return bad(column->name, "its shape is out of range", error);
        column->shape[i] = (uint64_t)n;
    }
    return DQ_OK;
}

/* The bytes under key, which begin at a multiple of 64 from the body's start. */
static dq_status read_aligned(const dq_bundle *bundle, const dq_column *column, const dq_value *map,
                              const char *key, const dq_value **v, dq_error *error)
{
    *v = dq_map_get(map, key);
    if (!*v || (*v)->type != DQ_BINARY)
        return dq_fail(error, DQ_ERR_FORMAT, "column %s: no %s", column->name, key);
    if ((*v)->count && ((const unsigned char *)(*v)->as.binary - bundle->body) % 64)
        return dq_fail(error, DQ_ERR_FORMAT, "column %s: its %s is not aligned to 64 bytes", column->name,
                       key);
    return DQ_OK;
}

static dq_status read_nulls(dq_column *column, const dq_value *nulls, dq_error *error)
{
    if (!nulls) return DQ_OK;
    if (nulls->type != DQ_BINARY || nulls->count != column->shape[0])
        return bad(column->name, "its nulls are not one flag a row", error);
    if (nulls->count) column->nulls = nulls->as.binary;
    return DQ_OK;
}

/* Numbers whose bytes are shuffled are put in order beside the body, which stays as it came. */
static dq_status read_shuffled(dq_column *column, dq_arena *arena, const dq_value *shuffle, dq_error *error)
{
    size_t size = dq_dtype_size(column->type);
    if (!shuffle) return DQ_OK;
    if (shuffle->type != DQ_BOOL || !shuffle->as.boolean || size < 2)
        return bad(column->name, "its shuffle is not true, or its type has no bytes to shuffle", error);
    if (column->bytes == 0) return DQ_OK;
    void *numbers = dq_arena_take(arena, column->bytes);
    if (!numbers) return dq_fail_memory(error, "column %s", column->name);
    dq_unshuffle(numbers, column->data, column->bytes, size);
    column->data = numbers;
    return DQ_OK;
}

static dq_status read_column(const dq_bundle *bundle, dq_arena *arena, dq_column *column, const dq_value *map,
                             dq_error *error)
{
    column->name = word(dq_map_get(map, "name"), arena);
    if (!column->name) return dq_fail(error, DQ_ERR_FORMAT, "a column without a name");
    const dq_value *type = dq_map_get(map, "type"), *ref = dq_map_get(map, "ref"), *data, *offsets;
    if (!type || type->type != DQ_STRING || !dq_dtype_parse(type->as.string, type->count, &column->type))
        return bad(column->name, "a type that is not known", error);
    if (ref && !(column->ref = word(ref, arena))) return bad(column->name, "its ref is no kind", error);
    dq_status status = read_shape(column, dq_map_get(map, "shape"), error);
    if (!status) status = read_nulls(column, dq_map_get(map, "nulls"), error);
    if (!status) status = read_aligned(bundle, column, map, "data", &data, error);
    if (status) return status;
    column->data = data->as.binary;
    column->bytes = data->count;
    if (dq_dtype_size(column->type)) {
        status = dq_column_check(column, error);
        return status ? status : read_shuffled(column, arena, dq_map_get(map, "shuffle"), error);
    }
    if (dq_map_get(map, "shuffle")) return bad(column->name, "texts that are shuffled", error);
    if ((status = read_aligned(bundle, column, map, "offsets", &offsets, error))) return status;
    if (offsets->count / sizeof(uint32_t) != column->shape[0] + 1 || offsets->count % sizeof(uint32_t))
        return bad(column->name, "its offsets are not one a row and one more", error);
    column->offsets = offsets->as.binary;
    return dq_column_check(column, error);
}

/* All are looked at, several at once; hardly ever would the first be enough. */
static bool descend(const uint32_t *offsets, uint64_t rows)
{
    unsigned any = 0;
    for (uint64_t i = 0; i < rows; i++) any |= offsets[i] > offsets[i + 1];
    return any;
}

static dq_status check_text(const dq_column *column, dq_error *error)
{
    const unsigned char *data = column->data;
    uint64_t rows = column->shape[0];
    if (column->dims != 1) return bad(column->name, "texts of more than one dimension", error);
    if (column->offsets[0] != 0 || column->offsets[rows] != column->bytes)
        return bad(column->name, "its offsets do not span its data", error);
    if (descend(column->offsets, rows)) return bad(column->name, "its offsets descend", error);
    if (dq_utf8_ascii(data, column->bytes)) return DQ_OK;
    if (!dq_utf8_valid(data, column->bytes)) return bad(column->name, "text that is not UTF-8", error);
    for (uint64_t i = 1; i < rows; i++)
        if (column->offsets[i] < column->bytes && (data[column->offsets[i]] & 0xc0) == 0x80)
            return bad(column->name, "an offset inside a character", error);
    return DQ_OK;
}

static dq_status check_tensor(const dq_column *column, dq_error *error)
{
    uint64_t bytes = dq_dtype_size(column->type);
    for (unsigned i = 0; i < column->dims; i++)
        if (__builtin_mul_overflow(bytes, column->shape[i], &bytes))
            return bad(column->name, "its shape overflows", error);
    return bytes == column->bytes ? DQ_OK : bad(column->name, "its shape does not match its bytes", error);
}

dq_status dq_column_check(const dq_column *column, dq_error *error)
{
    if (column->nulls && column->dims != 1)
        return bad(column->name, "nulls in more than one dimension", error);
    if (column->nulls)
        for (uint64_t i = 0; i < column->shape[0]; i++)
            if (column->nulls[i] > 1) return bad(column->name, "a null flag that is neither 0 nor 1", error);
    return dq_dtype_size(column->type) ? check_tensor(column, error) : check_text(column, error);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static dq_status check_names(dq_bundle *bundle, dq_error *error)
{
    const char **names = dq_arena_take(&bundle->arena, bundle->column_count * sizeof *names);
    if (!names) return dq_fail_memory(error, "a bundle");
    for (size_t i = 0; i < bundle->column_count; i++) names[i] = bundle->columns[i].name;
    if (bundle->column_count) qsort(names, bundle->column_count, sizeof *names, by_name);
    for (size_t i = 1; i < bundle->column_count; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            return dq_fail(error, DQ_ERR_DUPLICATE, "two columns named %s", names[i]);
    return DQ_OK;
}

dq_status dq_bundle_read(dq_bundle *bundle, const dq_value *value, dq_error *error)
{
    const dq_value *meta = dq_map_get(value, "meta"), *columns = dq_map_get(value, "columns");
    int64_t rows = dq_value_integer(dq_map_get(value, "rows"), -1);
    bundle->kind = word(dq_map_get(value, "kind"), &bundle->arena);
    if (!bundle->kind) return dq_fail(error, DQ_ERR_FORMAT, "a bundle without a kind");
    if (rows < 0 || (uint64_t)rows > bundle->body_bytes) /* a row takes at least a byte */
        return dq_fail(error, DQ_ERR_FORMAT, "%s: its number of rows is out of range", bundle->kind);
    if (!meta || meta->type != DQ_MAP) return dq_fail(error, DQ_ERR_FORMAT, "%s: no meta", bundle->kind);
    if (!columns || columns->type != DQ_LIST || columns->count > DQ_MAX_COLUMNS)
        return dq_fail(error, DQ_ERR_FORMAT, "%s: no list of up to %d columns", bundle->kind, DQ_MAX_COLUMNS);
    bundle->rows = (uint64_t)rows;
    bundle->meta = *meta;
    bundle->columns = dq_arena_zero(&bundle->arena, columns->count, sizeof(dq_column));
    if (!bundle->columns) return dq_fail_memory(error, "a bundle");
    for (uint32_t i = 0; i < columns->count; i++) {
        dq_status status = read_column(bundle, &bundle->arena, &bundle->columns[i], &columns->as.list[i],
                                       error);
        if (status) return status;
        bundle->column_count++;
    }
    return check_names(bundle, error);
}
