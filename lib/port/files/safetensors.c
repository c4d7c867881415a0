/* SPDX-License-Identifier: MIT */
#include "port/files/safetensors.h"

#include "core/array.h"
#include "port/files/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_LIMIT ((uint64_t)16 << 20)
#define METADATA     "__metadata__"

static const struct {
    const char *name;
    dq_dtype type;
} types[] = {
    {"F16", DQ_F2}, {"BF16", DQ_BF16}, {"F32", DQ_F4},  {"F64", DQ_F8}, {"I8", DQ_I1},
    {"I16", DQ_I2}, {"I32", DQ_I4},    {"I64", DQ_I8},  {"U8", DQ_U1},  {"U16", DQ_U2},
    {"U32", DQ_U4}, {"U64", DQ_U8},    {"BOOL", DQ_U1}, /* read only: U8 comes first */
};

/* One entry of the header. */
typedef struct tensor {
    const char *name;
    dq_dtype type;
    unsigned dims;
    uint64_t shape[DQ_MAX_DIMS];
    uint64_t from, to;
} tensor;

/* Reads n bytes, 1 MiB at a time, so that memory grows with what comes and not with what is claimed. */
static dq_status read_growing(dq_source *source, uint64_t n, char **data, dq_error *error)
{
    enum { PIECE = 1 << 20 };
    size_t have = 0, capacity = 0, got;
    *data = NULL;
    while (have < n) {
        size_t piece = n - have < PIECE ? (size_t)(n - have) : PIECE;
        if (!dq_array_reserve(data, &capacity, have + piece, 1))
            return dq_fail_memory(error, "%" PRIu64 " bytes", n);
        dq_status status = dq_source_read_full(source, *data + have, piece, &got, error);
        if (status) return status;
        have += got;
        if (got < piece)
            return dq_fail(error, DQ_ERR_TRUNCATED, "ends after %zu of %" PRIu64 " bytes", have, n);
    }
    return DQ_OK;
}

static bool natural(const dq_value *v, uint64_t *n)
{
    if (v->type != DQ_INT || v->as.integer < 0) return false;
    *n = (uint64_t)v->as.integer;
    return true;
}

static dq_status read_type(const dq_value *v, tensor *t, dq_error *error)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (dq_value_is(v, types[i].name)) {
            t->type = types[i].type;
            return DQ_OK;
        }
    if (!v || v->type != DQ_STRING) return dq_fail(error, DQ_ERR_FORMAT, "tensor %s has no dtype", t->name);
    return dq_fail(error, DQ_ERR_UNSUPPORTED, "tensor %s: dtype %.*s", t->name, (int)v->count, v->as.string);
}

static dq_status read_shape(const dq_value *v, tensor *t, dq_error *error)
{
    if (!v || v->type != DQ_LIST) return dq_fail(error, DQ_ERR_FORMAT, "tensor %s has no shape", t->name);
    if (v->count > DQ_MAX_DIMS)
        return dq_fail(error, DQ_ERR_UNSUPPORTED, "tensor %s: more than %d dimensions", t->name, DQ_MAX_DIMS);
    t->dims = v->count ? v->count : 1;
    t->shape[0] = 1;
    for (uint32_t i = 0; i < v->count; i++)
        if (!natural(&v->as.list[i], &t->shape[i]))
            return dq_fail(error, DQ_ERR_FORMAT, "tensor %s: a bad shape", t->name);
    return DQ_OK;
}

static dq_status read_range(const dq_value *v, tensor *t, dq_error *error)
{
    uint64_t bytes = dq_dtype_size(t->type);
    for (unsigned i = 0; i < t->dims; i++)
        if (__builtin_mul_overflow(bytes, t->shape[i], &bytes))
            return dq_fail(error, DQ_ERR_RANGE, "tensor %s: shape overflows", t->name);
    if (!v || v->type != DQ_LIST || v->count != 2 || !natural(&v->as.list[0], &t->from) ||
        !natural(&v->as.list[1], &t->to) || t->to < t->from)
        return dq_fail(error, DQ_ERR_FORMAT, "tensor %s: bad data_offsets", t->name);
    if (t->to - t->from != bytes)
        return dq_fail(error, DQ_ERR_FORMAT,
                       "tensor %s: %" PRIu64 " bytes of data where the shape needs %" PRIu64, t->name,
                       t->to - t->from, bytes);
    return DQ_OK;
}

static dq_status read_tensor(const dq_entry *entry, tensor *t, dq_error *error)
{
    t->name = entry->key.as.string;
    dq_status status = read_type(dq_map_get(&entry->value, "dtype"), t, error);
    if (!status) status = read_shape(dq_map_get(&entry->value, "shape"), t, error);
    return status ? status : read_range(dq_map_get(&entry->value, "data_offsets"), t, error);
}

static int by_offset(const void *a, const void *b)
{
    const tensor *x = a, *y = b;
    if (x->from != y->from) return x->from < y->from ? -1 : 1;
    if (x->to != y->to) return x->to < y->to ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* The tensors of the header, sorted, one behind the other without a gap; *bytes is where the last one ends.
 */
static dq_status read_tensors(const dq_value *head, tensor *tensors, size_t *count, uint64_t *bytes,
                              dq_error *error)
{
    *count = 0;
    for (uint32_t i = 0; i < head->count; i++) {
        const dq_entry *entry = &head->as.map[i];
        if (dq_value_is(&entry->key, METADATA)) continue;
        dq_status status = read_tensor(entry, &tensors[(*count)++], error);
        if (status) return status;
    }
    qsort(tensors, *count, sizeof *tensors, by_offset);
    *bytes = 0;
    for (size_t i = 0; i < *count; i++) {
        if (tensors[i].from != *bytes)
            return dq_fail(error, DQ_ERR_FORMAT, "tensor %s: its data leave a gap or overlap",
                           tensors[i].name);
        *bytes = tensors[i].to;
    }
    return DQ_OK;
}

static dq_status read_meta(const dq_value *head, dq_bundle *bundle, dq_error *error)
{
    const dq_value *metadata = dq_map_get(head, METADATA), *ours = dq_map_get(metadata, "dq");
    if (!metadata) return DQ_OK;
    if (metadata->type != DQ_MAP) return dq_fail(error, DQ_ERR_FORMAT, METADATA " is no map");
    if (ours && ours->type == DQ_STRING) {
        dq_status status = dq_json_parse(ours->as.string, ours->count, &bundle->arena, &bundle->meta, error);
        if (!status && bundle->meta.type != DQ_MAP)
            return dq_fail(error, DQ_ERR_FORMAT, METADATA ": dq is no map");
        return status;
    }
    if (!dq_value_copy(&bundle->arena, metadata, &bundle->meta)) return dq_fail_memory(error, "metadata");
    return DQ_OK;
}

/* Tensors begin anywhere in the file; columns are copied to where they are aligned. */
static dq_status add_columns(dq_bundle *bundle, const tensor *tensors, size_t count, const char *data,
                             dq_error *error)
{
    for (size_t i = 0; i < count; i++) {
        const tensor *t = &tensors[i];
        size_t bytes = (size_t)(t->to - t->from);
        void *to = dq_arena_take(&bundle->arena, bytes);
        if (!to) return dq_fail_memory(error, "tensor %s", t->name);
        /* where there are bytes there is data: NOLINTNEXTLINE(*.NonNullParamChecker) */
        if (bytes) memcpy(to, data + t->from, bytes);
        dq_status status = dq_bundle_add_tensor(bundle, t->name, t->type, t->dims, t->shape, to, error);
        if (status) return status;
    }
    return DQ_OK;
}

static dq_status at_end(dq_source *source, dq_error *error)
{
    char more;
    size_t got;
    dq_status status = dq_source_read(source, &more, 1, &got, error);
    if (!status && got) return dq_fail(error, DQ_ERR_FORMAT, "bytes follow the last tensor");
    return status;
}

/* Everything behind the header, which is parsed. */
static dq_status read_data(dq_source *source, const dq_value *head, dq_bundle *bundle, dq_error *error)
{
    if (head->type != DQ_MAP || head->count > DQ_MAX_COLUMNS)
        return dq_fail(error, DQ_ERR_FORMAT, "not safetensors: its header is no map of at most %d tensors",
                       DQ_MAX_COLUMNS);
    size_t count;
    uint64_t bytes = 0;
    char *data = NULL;
    tensor *tensors = calloc(head->count + (size_t)1, sizeof *tensors);
    if (!tensors) return dq_fail_memory(error, "a header");
    dq_status status = read_tensors(head, tensors, &count, &bytes, error);
    if (!status) status = read_growing(source, bytes, &data, error);
    if (!status) status = at_end(source, error);
    if (!status) status = read_meta(head, bundle, error);
    if (!status) status = add_columns(bundle, tensors, count, data, error);
    free(tensors);
    free(data);
    return status;
}

static dq_status read_header(dq_source *source, char **text, uint64_t *length, dq_error *error)
{
    unsigned char n[8];
    size_t got;
    dq_status status = dq_source_read_full(source, n, sizeof n, &got, error);
    if (status) return status;
    if (got < sizeof n) return dq_fail(error, DQ_ERR_FORMAT, "too short to be safetensors");
    *length = 0;
    for (int i = 8; i-- > 0;) *length = *length << 8 | n[i];
    if (*length < 2 || *length > HEADER_LIMIT)
        return dq_fail(error, DQ_ERR_FORMAT, "not safetensors: a header of %" PRIu64 " bytes", *length);
    return read_growing(source, *length, text, error);
}

dq_status dq_safetensors_read(dq_source *source, dq_bundle *bundle, dq_error *error)
{
    char *text = NULL;
    uint64_t length = 0;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value head;
    dq_status status = dq_bundle_init(bundle, "model", 0, error);
    if (!status) status = read_header(source, &text, &length, error);
    if (!status) status = dq_json_parse(text, (size_t)length, &arena, &head, error);
    if (!status) status = read_data(source, &head, bundle, error);
    if (status) dq_bundle_free(bundle);
    dq_arena_free(&arena);
    free(text);
    return status;
}

static const char *name_of(dq_dtype type)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].type == type) return types[i].name;
    return NULL;
}

static bool list_of(dq_arena *arena, dq_value *list, const uint64_t *numbers, size_t count)
{
    *list = dq_list();
    for (size_t i = 0; i < count; i++)
        if (!dq_list_add(arena, list, dq_int((int64_t)numbers[i]))) return false;
    return true;
}

static dq_status describe(const dq_column *column, uint64_t from, dq_arena *arena, dq_value *head,
                          dq_error *error)
{
    const char *type = name_of(column->type);
    if (!type || column->nulls)
        return dq_fail(error, DQ_ERR_UNSUPPORTED, "column %s: safetensors has no %s", column->name,
                       type ? "nulls" : "texts");
    const uint64_t range[2] = {from, from + column->bytes};
    dq_value entry = dq_map(), shape, offsets;
    if (!list_of(arena, &shape, column->shape, column->dims) || !list_of(arena, &offsets, range, 2) ||
        !dq_map_set(arena, &entry, "dtype", dq_string(arena, type)) ||
        !dq_map_set(arena, &entry, "shape", shape) || !dq_map_set(arena, &entry, "data_offsets", offsets) ||
        !dq_map_set(arena, head, column->name, entry))
        return dq_fail_memory(error, "a header");
    return DQ_OK;
}

/* The header's text, padded with spaces to a multiple of 8, as the format's own writer does. */
static dq_status header_text(const dq_bundle *bundle, dq_arena *arena, dq_json_text *text, dq_error *error)
{
    dq_value head = dq_map(), metadata = dq_map();
    dq_status status = dq_json_write(text, &bundle->meta, error);
    if (status) return status;
    if (!dq_map_set(arena, &metadata, "dq", dq_string_n(arena, text->data, text->bytes)) ||
        !dq_map_set(arena, &head, METADATA, metadata))
        return dq_fail_memory(error, "a header");
    uint64_t from = 0;
    for (size_t i = 0; i < bundle->column_count && !status; i++) {
        status = describe(&bundle->columns[i], from, arena, &head, error);
        from += bundle->columns[i].bytes;
    }
    text->bytes = 0;
    if (!status) status = dq_json_write(text, &head, error);
    while (!status && text->bytes % 8) status = dq_json_write_raw(text, " ", 1, error);
    return status;
}

dq_status dq_safetensors_write(dq_sink *sink, const dq_bundle *bundle, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_json_text text = DQ_JSON_TEXT_EMPTY;
    unsigned char length[8];
    dq_status status = header_text(bundle, &arena, &text, error);
    for (int i = 0; i < 8; i++) length[i] = (unsigned char)((uint64_t)text.bytes >> 8 * i);
    if (!status) status = dq_sink_write(sink, length, sizeof length, error);
    if (!status) status = dq_sink_write(sink, text.data, text.bytes, error);
    for (size_t i = 0; i < bundle->column_count && !status; i++)
        status = dq_sink_write(sink, bundle->columns[i].data, bundle->columns[i].bytes, error);
    dq_json_text_free(&text);
    dq_arena_free(&arena);
    return status;
}
