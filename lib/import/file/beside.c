/* SPDX-License-Identifier: MIT */
#include "import/file/beside.h"

#include "core/array.h"
#include "core/index.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is known of the vector of a listed id. */
enum { AHEAD, HELD, NOT_FINITE, CLAIMED };

struct dq_import_beside {
    const char *path, *id_path;
    dq_import_array *array;
    dq_import_layout layout;
    dq_index ids;     /* by order: empty */
    uint8_t *states;  /* (ids) */
    uint32_t *places; /* (ids) of those that are held */
    float *held;      /* (slots, width) */
    uint32_t *free;   /* (free_count) places that are free again; as many as there are slots fit in */
    size_t slots, used, free_count;
};

/* ---- opening ---- */

static dq_status read_ids(dq_import_beside *b, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_import_id id;
    dq_status status = DQ_OK;
    int got = 0;
    while (!status) {
        dq_import_fault fault = DQ_IMPORT_FINE;
        bool added = true;
        dq_arena_free(&arena);
        got = dq_import_array_id(b->array, &arena, &id, &fault, error);
        if (got <= 0) break;
        if (!fault) status = dq_index_add(&b->ids, id.text, id.bytes, NULL, &added, error);
        if (!added)
            dq_fail(error, DQ_ERR_DUPLICATE, "the id '%.*s' stands there twice", (int)id.bytes, id.text);
        if (fault || !added) status = error->status;
        if (status) dq_error_at(error, b->id_path, dq_index_count(&b->ids) + 1);
    }
    dq_arena_free(&arena);
    return !status && got < 0 ? error->status : status;
}

static dq_status open_ids(dq_import_beside *b, dq_error *error)
{
    dq_status status = read_ids(b, error);
    size_t count = dq_index_count(&b->ids);
    if (status) return status;
    if (count != dq_import_array_rows(b->array)) {
        dq_fail(error, DQ_ERR_SCHEMA, "%zu ids for the %" PRIu64 " rows of %s", count,
                dq_import_array_rows(b->array), b->path);
        return dq_error_at(error, b->id_path, DQ_NO_RECORD);
    }
    b->states = calloc(count + 1, sizeof *b->states);
    b->places = calloc(count + 1, sizeof *b->places);
    return b->states && b->places ? DQ_OK : dq_fail_memory(error, "vectors");
}

dq_status dq_import_beside_open(dq_import_beside **out, const char *vectors, const char *ids,
                                const dq_import_layout **layout, dq_error *error)
{
    dq_import_beside *b = *out = calloc(1, sizeof *b);
    if (!b) return dq_fail_memory(error, "vectors");
    b->path = vectors;
    b->id_path = ids;
    *layout = &b->layout;
    dq_status status = dq_import_array_open(&b->array, vectors, dq_import_form_of(vectors), ids, &b->layout,
                                            error);
    return status || !ids ? status : open_ids(b, error);
}

void dq_import_beside_close(dq_import_beside *b)
{
    if (!b) return;
    dq_import_array_close(b->array);
    dq_arena_free(&b->layout.arena);
    dq_index_free(&b->ids);
    free(b->states);
    free(b->places);
    free(b->held);
    free(b->free);
    free(b);
}

bool dq_import_beside_is_ordered(const dq_import_beside *b)
{
    return !b->id_path;
}

/* ---- by order ---- */

bool dq_import_beside_has_next(const dq_import_beside *b)
{
    return dq_import_array_row(b->array) < dq_import_array_rows(b->array);
}

dq_status dq_import_beside_next(dq_import_beside *b, dq_arena *arena, const float **vector,
                                dq_import_fault *fault, dq_error *error)
{
    return dq_import_array_vector(b->array, &b->layout, arena, vector, fault, error);
}

/* ---- by id ---- */

/* A place for one more vector. */
static dq_status take_place(dq_import_beside *b, uint32_t *place, dq_error *error)
{
    size_t width = b->layout.width, slots = dq_array_capacity(b->slots, b->used + 1);
    if (b->free_count) {
        *place = b->free[--b->free_count];
        return DQ_OK;
    }
    if (slots > b->slots && (!dq_array_resize(&b->held, slots, width * sizeof *b->held) ||
                             !dq_array_resize(&b->free, slots, sizeof *b->free)))
        return dq_fail_memory(error, "vectors");
    b->slots = slots;
    *place = (uint32_t)b->used++;
    return DQ_OK;
}

/* Reads the array's next row, which is nobody's who was asked for yet. */
static dq_status hold_next(dq_import_beside *b, dq_error *error)
{
    size_t width = b->layout.width, row = (size_t)dq_import_array_row(b->array);
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_error why = DQ_ERROR_NONE;
    dq_import_fault fault;
    const float *vector;
    dq_status status = dq_import_array_vector(b->array, &b->layout, &arena, &vector, &fault, &why);
    if (status) *error = why;
    b->states[row] = fault ? NOT_FINITE : HELD;
    if (!status && !fault) status = take_place(b, &b->places[row], error);
    if (!status && !fault) memcpy(b->held + b->places[row] * width, vector, width * sizeof *vector);
    dq_arena_free(&arena);
    return status;
}

/* A vector that was held, into the arena. */
static dq_status release(dq_import_beside *b, uint32_t row, dq_arena *arena, const float **vector,
                         dq_error *error)
{
    size_t width = b->layout.width;
    float *to = dq_arena_take(arena, width * sizeof *to);
    if (!to) return dq_fail_memory(error, "vectors");
    memcpy(to, b->held + b->places[row] * width, width * sizeof *to);
    b->free[b->free_count++] = b->places[row];
    *vector = to;
    return DQ_OK;
}

static dq_import_fault say(dq_import_fault fault, dq_status status, const char *format, const char *path,
                           const dq_import_id *id, dq_error *error)
{
    char name[80];
    (void)snprintf(name, sizeof name, "%.*s", (int)(id->bytes < 64 ? id->bytes : 64), id->text);
    dq_fail(error, status, format, path, name);
    return fault;
}

dq_status dq_import_beside_find(dq_import_beside *b, const dq_import_id *id, dq_arena *arena,
                                const float **vector, dq_import_fault *fault, dq_error *error)
{
    uint32_t row = dq_index_find(&b->ids, id->text, id->bytes);
    dq_status status = DQ_OK;
    *fault = DQ_IMPORT_FINE;
    if (row == DQ_ABSENT) {
        *fault = say(DQ_IMPORT_MISSING, DQ_ERR_UNKNOWN, "%s has no '%s', so there is no vector", b->id_path,
                     id, error);
        return DQ_OK;
    }
    while (!status && dq_import_array_row(b->array) < row) status = hold_next(b, error);
    if (status) return status;
    uint8_t state = b->states[row];
    b->states[row] = CLAIMED;
    if (state == AHEAD) return dq_import_beside_next(b, arena, vector, fault, error);
    if (state == HELD) return release(b, row, arena, vector, error);
    if (state == NOT_FINITE)
        *fault = say(DQ_IMPORT_NOT_FINITE, DQ_ERR_NUMERIC, "%s: the vector of '%s' is not finite as float32",
                     b->path, id, error);
    else
        *fault = say(DQ_IMPORT_DUPLICATE, DQ_ERR_DUPLICATE, "%s: the vector of '%s' has been given already",
                     b->path, id, error);
    return DQ_OK;
}

/* ---- the end ---- */

static dq_status end_of_order(const dq_import_beside *b, const char *file, uint64_t rows, dq_error *error)
{
    uint64_t vectors = dq_import_array_rows(b->array);
    if (rows == vectors) return DQ_OK;
    dq_fail(error, DQ_ERR_SCHEMA,
            "%" PRIu64 " rows, and %s has %" PRIu64 ": which vector is whose cannot be told by their order",
            rows, b->path, vectors);
    return dq_error_at(error, file, DQ_NO_RECORD);
}

dq_status dq_import_beside_end(dq_import_beside *b, const char *file, uint64_t rows, uint64_t *unclaimed,
                               char *first, size_t size, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_error why = DQ_ERROR_NONE;
    dq_status status = b->id_path ? DQ_OK : end_of_order(b, file, rows, error);
    *unclaimed = 0;
    while (!status && dq_import_beside_has_next(b)) { /* what is cut off shows here */
        const float *vector;
        dq_import_fault fault;
        dq_arena_free(&arena);
        status = dq_import_beside_next(b, &arena, &vector, &fault, &why);
        if (status) *error = why;
    }
    dq_arena_free(&arena);
    if (!status) status = dq_import_array_end(b->array, error);
    for (uint32_t i = 0; !status && i < dq_index_count(&b->ids); i++) {
        size_t n;
        const char *id = dq_index_id(&b->ids, i, &n);
        if (b->states[i] == CLAIMED) continue;
        if (!(*unclaimed)++) (void)snprintf(first, size, "%.*s", (int)n, id);
    }
    return status;
}
