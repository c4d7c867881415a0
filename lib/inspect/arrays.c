/* SPDX-License-Identifier: MIT */
#include "inspect/arrays.h"

#include "core/array.h"
#include "core/index.h"
#include "core/layout.h"
#include "data/identity.h"
#include "dq/source.h"
#include "port/files/npy.h"
#include "port/files/safetensors.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 2 << 20 }; /* bytes of vectors a bundle */

/* ---- to .npy ---- */

static dq_status check_joins(dq_arrays *a, const dq_bundle *bundle, const dq_column *c, dq_error *error)
{
    dq_dtype type = c->type == DQ_BF16 ? DQ_F4 : c->type; /* NumPy has no bfloat16 */
    if (a->count == 0) {
        a->type = type;
        a->width = dq_column_width(c);
        (void)snprintf(a->kind, sizeof a->kind, "%s", bundle->kind);
    }
    if (strcmp(a->kind, bundle->kind) != 0)
        return dq_fail(error, DQ_ERR_UNSUPPORTED, "vectors of both %s and %s; choose with --kind", a->kind,
                       bundle->kind);
    if (type != a->type || dq_column_width(c) != a->width)
        return dq_fail(error, DQ_ERR_SCHEMA, "%s: vectors of %s x %" PRIu64 " after %s x %" PRIu64,
                       bundle->kind, dq_dtype_name(type), dq_column_width(c), dq_dtype_name(a->type),
                       a->width);
    return DQ_OK;
}

dq_status dq_arrays_add(dq_arrays *a, dq_bundle *bundle, dq_error *error)
{
    const dq_column *c = dq_bundle_column(bundle, "vector");
    if (dq_entity_kind(bundle->kind) < 0 || !c)
        return dq_fail(error, DQ_ERR_UNSUPPORTED, "%s: no vectors; choose with --kind users or --kind items",
                       bundle->kind);
    dq_status status = check_joins(a, bundle, c, error);
    if (status) return status;
    if (!dq_array_reserve(&a->bundles, &a->room, a->count + 1, sizeof *a->bundles))
        return dq_fail(error, DQ_ERR_MEMORY, "out of memory for an array");
    a->rows += bundle->rows;
    a->bundles[a->count++] = *bundle;
    *bundle = DQ_BUNDLE_EMPTY;
    return DQ_OK;
}

static dq_status write_vectors(const dq_arrays *a, const dq_column *c, dq_sink *out, dq_error *error)
{
    if (c->type == a->type) return dq_sink_write(out, c->data, c->bytes, error);
    size_t n = (size_t)(c->shape[0] * a->width);
    float *wide = malloc(n * sizeof *wide + 1);
    if (!wide) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for an array");
    dq_convert_f4(wide, c->data, c->type, n);
    dq_status status = dq_sink_write(out, wide, n * sizeof *wide, error);
    free(wide);
    return status;
}

static dq_status write_ids(const dq_arrays *a, const char *path, dq_error *error)
{
    dq_sink *out;
    dq_status status = dq_sink_open(&out, path, DQ_SINK_TEXT, error);
    if (status) return status;
    for (size_t b = 0; !status && b < a->count; b++) {
        const dq_column *ids = dq_bundle_column(&a->bundles[b], "id");
        for (uint64_t r = 0; !status && r < a->bundles[b].rows; r++) {
            size_t n;
            const char *id = dq_column_text(ids, r, &n);
            if (n && memchr(id, '\n', n))
                status = dq_fail(error, DQ_ERR_UNSUPPORTED, "row %" PRIu64 ": a line break in its id", r);
            if (!status) status = dq_sink_write(out, id, n, error);
            if (!status) status = dq_sink_write(out, "\n", 1, error);
        }
    }
    if (!status) return dq_sink_close(out, error);
    dq_sink_abort(out);
    return status;
}

dq_status dq_arrays_write(const dq_arrays *array, dq_sink *out, const char *ids, dq_error *error)
{
    if (array->count == 0) return dq_fail_no_vectors(error, "users and items");
    const uint64_t shape[2] = {array->rows, array->width};
    dq_status status = dq_npy_write_header(out, array->type, 2, shape, error);
    for (size_t b = 0; !status && b < array->count; b++)
        status = write_vectors(array, dq_bundle_column(&array->bundles[b], "vector"), out, error);
    return status || !ids ? status : write_ids(array, ids, error);
}

void dq_arrays_free(dq_arrays *array)
{
    for (size_t b = 0; b < array->count; b++) dq_bundle_free(&array->bundles[b]);
    free(array->bundles);
    *array = (dq_arrays){0};
}

/* ---- from .npy ---- */

typedef struct reading {
    dq_source *array, *ids; /* ids may be NULL */
    dq_npy npy;
    dq_index seen;
    uint64_t row;
    const char *kind;
} reading;

static dq_status next_id(reading *in, dq_strings *ids, dq_error *error)
{
    char text[24], *line = text;
    size_t n;
    bool fresh;
    dq_status status = DQ_OK;
    if (in->ids)
        status = dq_source_line(in->ids, &line, &n, error);
    else
        n = (size_t)snprintf(text, sizeof text, "%" PRIu64, in->row);
    if (status) return status;
    if (!line)
        return dq_fail(error, DQ_ERR_RANGE, "%" PRIu64 " ids for %" PRIu64 " vectors", in->row,
                       in->npy.shape[0]);
    status = dq_index_add(&in->seen, line, n, NULL, &fresh, error);
    if (!status && !fresh) status = dq_fail(error, DQ_ERR_DUPLICATE, "id %s stands twice", line);
    in->row++;
    return status ? status : dq_strings_add(ids, line, n, error);
}

/* One block of rows as a bundle. Integers become float32; floats stay what they are. */
static dq_status read_block(reading *in, uint64_t rows, dq_strings *ids, dq_bundle *bundle, dq_error *error)
{
    dq_npy *npy = &in->npy;
    const uint64_t shape[2] = {rows, npy->shape[1]};
    bool floats = npy->type == DQ_F2 || npy->type == DQ_F4 || npy->type == DQ_F8;
    dq_status status = dq_bundle_init(bundle, in->kind, rows, error);
    void *data = status ? NULL : dq_arena_take(&bundle->arena, rows * npy->row_bytes);
    float *converted = status || floats ? NULL
                                        : dq_arena_take(&bundle->arena, rows * shape[1] * sizeof *converted);
    if (!status && (!data || (!floats && !converted)))
        status = dq_fail(error, DQ_ERR_MEMORY, "out of memory for rows");
    if (!status) status = dq_npy_read_rows(npy, in->array, data, rows, error);
    if (!status && !floats) dq_convert_f4(converted, data, npy->type, rows * shape[1]);
    for (uint64_t r = 0; !status && r < rows; r++) status = next_id(in, ids, error);
    if (!status) status = dq_bundle_add_text(bundle, "id", DQ_TEXT, ids->offsets, ids->data, NULL, error);
    if (status) return status;
    return dq_bundle_add_tensor(bundle, "vector", floats ? npy->type : DQ_F4, 2, shape,
                                floats ? data : converted, error);
}

static dq_status read_rows(reading *in, dq_arrays_put put, void *arg, dq_error *error)
{
    uint64_t block = in->npy.row_bytes ? BLOCK / in->npy.row_bytes + 1 : BLOCK;
    dq_strings ids = {0};
    dq_status status = DQ_OK;
    while (!status && in->npy.rows_left) {
        uint64_t rows = in->npy.rows_left < block ? in->npy.rows_left : block;
        dq_bundle bundle = DQ_BUNDLE_EMPTY;
        dq_strings_clear(&ids);
        status = read_block(in, rows, &ids, &bundle, error);
        if (!status) status = put(arg, &bundle, error);
        dq_bundle_free(&bundle);
    }
    dq_strings_free(&ids);
    if (!status) status = dq_npy_read_end(&in->npy, in->array, error);
    return status;
}

static dq_status check_no_more_ids(reading *in, dq_error *error)
{
    char *line = NULL;
    size_t n;
    dq_status status = in->ids ? dq_source_line(in->ids, &line, &n, error) : DQ_OK;
    if (!status && line)
        status = dq_fail(error, DQ_ERR_RANGE, "more ids than the %" PRIu64 " vectors", in->row);
    return status;
}

dq_status dq_arrays_read_npy(const char *path, const char *ids, const char *kind, dq_arrays_put put,
                             void *arg, dq_error *error)
{
    reading in = {.kind = kind};
    dq_status status = dq_source_open(&in.array, path, error);
    if (!status && ids) status = dq_source_open(&in.ids, ids, error);
    if (!status) status = dq_npy_read_header(&in.npy, in.array, error);
    if (!status) status = read_rows(&in, put, arg, error);
    if (!status) status = check_no_more_ids(&in, error);
    if (status) (void)dq_error_at(error, path, DQ_NO_RECORD);
    dq_source_close(in.array);
    dq_source_close(in.ids);
    dq_index_free(&in.seen);
    return status;
}

dq_status dq_arrays_read_safetensors(const char *path, dq_arrays_put put, void *arg, dq_error *error)
{
    dq_source *source;
    dq_bundle bundle;
    dq_status status = dq_source_open(&source, path, error);
    if (status) return status;
    status = dq_safetensors_read(source, &bundle, error);
    if (!status) {
        status = put(arg, &bundle, error);
        dq_bundle_free(&bundle);
    }
    if (status) (void)dq_error_at(error, path, DQ_NO_RECORD);
    dq_source_close(source);
    return status;
}
