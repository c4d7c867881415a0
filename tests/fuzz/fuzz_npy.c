/* SPDX-License-Identifier: MIT
 *
 * NumPy's .npy: numbers, lists of ids, and vectors with their ids as users and items are read from them.
 * Every row that the header counts is given, or the reader fails. The first byte says what the rest is:
 *
 *     0  an array of numbers
 *     1  a list of ids
 *     2  a part that is the array, and its ids: .npy or lines
 */
#include "fuzz.h"
#include "import/array.h"
#include "port/files/npy.h"

#include <math.h>
#include <stdlib.h>

static void read_numbers(const char *path)
{
    dq_error e = DQ_ERROR_NONE;
    dq_source *source;
    dq_npy npy;
    if (dq_source_open(&source, path, &e)) fuzz_fail("%s", e.reason);
    dq_status status = dq_npy_read_header(&npy, source, &e);
    uint64_t rows = status ? 0 : npy.rows_left, got = 0;
    void *row = !status && npy.row_bytes <= 1 << 20 ? malloc(npy.row_bytes + !npy.row_bytes) : NULL;
    for (; !status && row && npy.rows_left && got < 1 << 16; got += !status)
        status = dq_npy_read_rows(&npy, source, row, 1, &e);
    if (!status && row && !npy.rows_left) {
        if (got != rows) fuzz_fail("%llu rows of %llu", (unsigned long long)got, (unsigned long long)rows);
        status = dq_npy_read_end(&npy, source, &e);
    }
    if (status) fuzz_refused(&e);
    free(row);
    dq_source_close(source);
}

static void read_ids(const char *path)
{
    dq_error e = DQ_ERROR_NONE;
    dq_source *source;
    dq_npy npy;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value id;
    if (dq_source_open(&source, path, &e)) fuzz_fail("%s", e.reason);
    dq_status status = dq_npy_read_ids_header(&npy, source, &e);
    for (uint64_t i = 0; !status && npy.rows_left && i < 1 << 16; i++) {
        status = dq_npy_read_id(&npy, source, &arena, &id, &e);
        if (!status && id.type != DQ_STRING && id.type != DQ_INT && id.type != DQ_NIL)
            fuzz_fail("an id of type %d", (int)id.type);
        dq_arena_free(&arena);
    }
    if (!status && !npy.rows_left) status = dq_npy_read_end(&npy, source, &e);
    if (status) fuzz_refused(&e);
    dq_source_close(source);
}

static void read_vectors(const char *path, const char *ids)
{
    dq_error e = DQ_ERROR_NONE;
    dq_import_array *array = NULL;
    dq_import_layout layout = {0};
    dq_import_entity entity;
    uint64_t rows = 0;
    int got = dq_import_array_open(&array, path, DQ_IMPORT_NPY, ids, &layout, &e) ? -1 : 1;
    while (got > 0 && rows < 1 << 16) {
        dq_arena arena = DQ_ARENA_EMPTY;
        dq_import_fault fault = DQ_IMPORT_FINE;
        got = dq_import_array_next(array, &layout, &arena, &entity, &fault, &e);
        rows += got > 0;
        if (got > 0 && fault) fuzz_refused(&e);
        for (uint32_t i = 0; got > 0 && !fault && i < layout.width; i++) fuzz_finite(entity.vector[i]);
        dq_arena_free(&arena);
    }
    if (got < 0) fuzz_failed(&e);
    if (got == 0 && rows != dq_import_array_row(array)) fuzz_fail("a row was left out");
    dq_import_array_close(array);
    dq_arena_free(&layout.arena);
}

static void read_npy(const uint8_t *data, size_t n)
{
    fuzz_bytes rest = {data, n}, vectors;
    switch (fuzz_byte(&rest) % 3) {
    case 0: read_numbers(fuzz_file(rest.data, rest.n)); break;
    case 1: read_ids(fuzz_file(rest.data, rest.n)); break;
    default:
        vectors = fuzz_part(&rest);
        read_vectors(fuzz_file(vectors.data, vectors.n), fuzz_file(rest.data, rest.n));
    }
}

const fuzz_target fuzz_it = {.read = read_npy, .memory = 4 << 20, .per_byte = 512};
