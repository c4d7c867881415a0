/* SPDX-License-Identifier: MIT */
#include "import/array.h"

#include "core/layout.h"
#include "core/utf8.h"
#include "port/files/npy.h"
#include "port/files/safetensors.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct dq_import_array {
    const char *path;
    dq_source *source, *names;
    dq_npy npy;
    dq_npy ids; /* where the names are such a list, too */
    bool ids_are_npy;
    dq_bundle tensors; /* of safetensors; its kind is NULL for .npy */
    uint64_t rows, row;
};

static dq_status add_field(dq_import_layout *layout, const char *name, uint64_t width, dq_error *error)
{
    if (width == 0 || width > DQ_IMPORT_MAX_WIDTH - layout->width)
        return dq_fail(error, DQ_ERR_SCHEMA, "vectors of width %" PRIu64, width);
    dq_field *field = &layout->fields[layout->count++];
    *field = (dq_field){.name = dq_arena_text(&layout->arena, name, strlen(name)),
                        .offset = layout->width,
                        .width = (uint32_t)width};
    layout->width += (uint32_t)width;
    return field->name ? DQ_OK : dq_fail_memory(error, "a field");
}

static dq_status check_tensor(const dq_import_array *array, const dq_column *tensor, dq_error *error)
{
    if (tensor->dims > 2)
        return dq_fail(error, DQ_ERR_SCHEMA, "tensor %s has more than two dimensions", tensor->name);
    if (tensor->shape[0] != array->rows)
        return dq_fail(error, DQ_ERR_SCHEMA, "tensor %s has %" PRIu64 " rows and %s has %" PRIu64,
                       tensor->name, tensor->shape[0], array->tensors.columns[0].name, array->rows);
    return DQ_OK;
}

static dq_status lay_out_tensors(dq_import_array *array, dq_import_layout *layout, dq_error *error)
{
    size_t count = array->tensors.column_count;
    if (!count) return dq_fail(error, DQ_ERR_SCHEMA, "no tensors");
    if (count > DQ_FIELDS_MAX)
        return dq_fail(error, DQ_ERR_SCHEMA, "%zu tensors, and at most %d fields are named", count,
                       DQ_FIELDS_MAX);
    layout->fields = dq_arena_zero(&layout->arena, count, sizeof *layout->fields);
    if (!layout->fields) return dq_fail_memory(error, "fields");
    array->rows = array->tensors.columns[0].shape[0];
    for (size_t i = 0; i < count; i++) {
        const dq_column *tensor = &array->tensors.columns[i];
        dq_status status = check_tensor(array, tensor, error);
        if (!status)
            status = add_field(layout, count > 1 ? tensor->name : "vector", dq_column_width(tensor), error);
        if (status) return status;
    }
    return DQ_OK;
}

static dq_status lay_out_npy(dq_import_array *array, dq_import_layout *layout, dq_error *error)
{
    array->rows = array->npy.shape[0];
    layout->fields = dq_arena_zero(&layout->arena, 1, sizeof *layout->fields);
    if (!layout->fields) return dq_fail_memory(error, "fields");
    return add_field(layout, "vector", array->npy.shape[1], error);
}

static dq_status open_vectors(dq_import_array *array, dq_import_form form, dq_import_layout *layout,
                              dq_error *error)
{
    dq_status status = dq_source_open(&array->source, array->path, error);
    if (!status) status = dq_import_check_bytes(array->source, form, error);
    if (status) return status;
    if (form == DQ_IMPORT_SAFETENSORS) {
        status = dq_safetensors_read(array->source, &array->tensors, error);
        return status ? status : lay_out_tensors(array, layout, error);
    }
    status = dq_npy_read_header(&array->npy, array->source, error);
    return status ? status : lay_out_npy(array, layout, error);
}

/* Ids: lines of text, or a .npy file, which is told by its first byte, as no text begins. */
static dq_status open_names(dq_import_array *array, const char *path, dq_error *error)
{
    enum { NPY = 0x93 };
    int first = -1;
    dq_status status = dq_source_open(&array->names, path, error);
    if (!status) status = dq_source_peek(array->names, &first, error);
    array->ids_are_npy = first == NPY || (first >= 0 && dq_import_form_of(path) == DQ_IMPORT_NPY);
    if (!status && array->ids_are_npy) status = dq_npy_read_ids_header(&array->ids, array->names, error);
    return status ? dq_error_at(error, path, DQ_NO_RECORD) : DQ_OK;
}

dq_status dq_import_array_open(dq_import_array **out, const char *path, dq_import_form form, const char *ids,
                               dq_import_layout *layout, dq_error *error)
{
    dq_import_array *array = *out = calloc(1, sizeof *array);
    if (!array) return dq_fail_memory(error, "an array");
    array->path = path;
    dq_status status = open_vectors(array, form, layout, error);
    if (status) dq_error_at(error, path, DQ_NO_RECORD);
    layout->known = !status;
    return status || !ids ? status : open_names(array, ids, error);
}

void dq_import_array_close(dq_import_array *array)
{
    if (!array) return;
    dq_source_close(array->source);
    dq_source_close(array->names);
    dq_bundle_free(&array->tensors);
    free(array);
}

uint64_t dq_import_array_row(const dq_import_array *array)
{
    return array->row;
}

uint64_t dq_import_array_rows(const dq_import_array *array)
{
    return array->rows;
}

/* Rows and ids run out together. 0 or -1. */
static int both_end(dq_import_array *array, bool id_left, dq_error *error)
{
    dq_status status = DQ_OK;
    if (id_left)
        status = dq_fail(error, DQ_ERR_SCHEMA, "more ids than the %" PRIu64 " rows of %s", array->rows,
                         array->path);
    else if (array->row < array->rows)
        status = dq_fail(error, DQ_ERR_SCHEMA, "%" PRIu64 " ids for the %" PRIu64 " rows of %s", array->row,
                         array->rows, array->path);
    if (status) dq_error_at(error, dq_source_name(array->names), DQ_NO_RECORD);
    if (!status) status = dq_import_array_end(array, error);
    return status ? -1 : 0;
}

/* An id that is there: 1, with *fault where it is none; 0 at the end; -1. */
static int next_line(dq_import_array *array, dq_import_id *id, dq_import_fault *fault, dq_error *error)
{
    char *line;
    size_t bytes;
    if (dq_source_line(array->names, &line, &bytes, error)) return -1;
    if (!line) return 0;
    *id = (dq_import_id){.kind = DQ_ID_STRING, .text = line, .bytes = bytes};
    *fault = bytes && dq_utf8_valid(line, bytes) ? DQ_IMPORT_FINE : DQ_IMPORT_NO_ID;
    if (*fault) dq_fail(error, DQ_ERR_FORMAT, bytes ? "the id is not UTF-8" : "the id is empty");
    return 1;
}

static int next_element(dq_import_array *array, dq_arena *arena, dq_import_id *id, dq_import_fault *fault,
                        dq_error *error)
{
    dq_value v = dq_nil();
    bool left = array->ids.rows_left > 0;
    dq_status status = left ? dq_npy_read_id(&array->ids, array->names, arena, &v, error)
                            : dq_npy_read_end(&array->ids, array->names, error);
    if (status) {
        dq_error_at(error, dq_source_name(array->names), DQ_NO_RECORD);
        return -1;
    }
    if (!left) return 0;
    *fault = v.type == DQ_NIL ? DQ_IMPORT_NO_ID : dq_import_read_id(&v, arena, id, error);
    if (v.type == DQ_NIL) dq_fail(error, DQ_ERR_FORMAT, "the id is no Unicode text");
    return 1;
}

static dq_status take_vector(const dq_import_layout *layout, dq_arena *arena, float **vector, dq_error *error)
{
    *vector = dq_arena_take(arena, layout->width * sizeof **vector);
    return *vector ? DQ_OK : dq_fail_memory(error, "a row");
}

/* The vector is as wide as the header says, and so is made when the row has come. */
static dq_status read_npy_row(dq_import_array *array, const dq_import_layout *layout, dq_arena *arena,
                              float **vector, dq_error *error)
{
    void *raw;
    dq_status status = dq_npy_read_row(&array->npy, array->source, arena, &raw, error);
    if (!status) status = take_vector(layout, arena, vector, error);
    if (!status) dq_convert_f4(*vector, raw, array->npy.type, array->npy.shape[1]);
    return status;
}

static dq_status copy_tensor_row(const dq_import_array *array, const dq_import_layout *layout,
                                 dq_arena *arena, float **vector, dq_error *error)
{
    dq_status status = take_vector(layout, arena, vector, error);
    if (status) return status;
    float *to = *vector;
    for (size_t i = 0; i < array->tensors.column_count; i++) {
        const dq_column *tensor = &array->tensors.columns[i];
        size_t width = dq_column_width(tensor), size = dq_dtype_size(tensor->type);
        dq_convert_f4(to, (const char *)tensor->data + array->row * width * size, tensor->type, width);
        to += width;
    }
    return DQ_OK;
}

static dq_import_fault check_finite(const float *vector, uint32_t width, dq_error *error)
{
    for (uint32_t i = 0; i < width; i++)
        if (!isfinite(vector[i])) {
            dq_fail(error, DQ_ERR_NUMERIC, "element %u is not finite as a float32", i);
            return DQ_IMPORT_NOT_FINITE;
        }
    return DQ_IMPORT_FINE;
}

int dq_import_array_id(dq_import_array *array, dq_arena *arena, dq_import_id *id, dq_import_fault *fault,
                       dq_error *error)
{
    return array->ids_are_npy ? next_element(array, arena, id, fault, error)
                              : next_line(array, id, fault, error);
}

dq_status dq_import_array_vector(dq_import_array *array, const dq_import_layout *layout, dq_arena *arena,
                                 const float **vector, dq_import_fault *fault, dq_error *error)
{
    float *to = NULL;
    dq_status status = array->tensors.kind ? copy_tensor_row(array, layout, arena, &to, error)
                                           : read_npy_row(array, layout, arena, &to, error);
    *vector = to;
    if (status) return dq_error_at(error, array->path, DQ_NO_RECORD);
    array->row++;
    *fault = check_finite(to, layout->width, error);
    return DQ_OK;
}

dq_status dq_import_array_end(dq_import_array *array, dq_error *error)
{
    dq_status status = array->tensors.kind ? DQ_OK : dq_npy_read_end(&array->npy, array->source, error);
    return status ? dq_error_at(error, array->path, DQ_NO_RECORD) : DQ_OK;
}

int dq_import_array_next(dq_import_array *array, const dq_import_layout *layout, dq_arena *arena,
                         dq_import_entity *entity, dq_import_fault *fault, dq_error *error)
{
    dq_import_id id;
    const float *vector;
    dq_import_fault of_vector = DQ_IMPORT_FINE;
    dq_error why = DQ_ERROR_NONE;
    int got = dq_import_array_id(array, arena, &id, fault, error);
    if (got < 0) return got;
    if (!got || array->row == array->rows) return both_end(array, got, error);
    if (dq_import_array_vector(array, layout, arena, &vector, &of_vector, &why)) {
        *error = why;
        return -1;
    }
    *entity = (dq_import_entity){.texts = dq_map(), .attributes = dq_map(), .vector = vector};
    if (!*fault) entity->id = id;
    if (!*fault && (*fault = of_vector)) *error = why;
    return 1;
}
