/* SPDX-License-Identifier: MIT
 *
 * Small tables in the making, for tests of what takes a stream's bundles.
 */
#ifndef DQ_TEST_TABLES_H
#define DQ_TEST_TABLES_H

#include "dq/bundle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { TABLE_ROWS = 64 }; /* at most */

static inline dq_bundle table(const char *kind, uint64_t rows)
{
    dq_bundle b;
    assert_true(rows <= TABLE_ROWS);
    assert_int_equal(dq_bundle_init(&b, kind, rows, NULL), DQ_OK);
    return b;
}

/* texts (rows), copied; NULL is a null. */
static inline void add_texts(dq_bundle *b, const char *name, dq_dtype type, const char *const *texts)
{
    uint32_t *offsets = dq_arena_zero(&b->arena, TABLE_ROWS + 1, sizeof *offsets);
    uint8_t *nulls = dq_arena_zero(&b->arena, TABLE_ROWS, 1), any = 0;
    char *data = dq_arena_take(&b->arena, 4096);
    assert_true(offsets && nulls && data);
    for (uint64_t r = 0; r < b->rows; r++) {
        size_t n = texts[r] ? strlen(texts[r]) : 0;
        assert_true(offsets[r] + n <= 4096);
        if (n) memcpy(data + offsets[r], texts[r], n);
        offsets[r + 1] = offsets[r] + (uint32_t)n;
        any |= nulls[r] = !texts[r];
    }
    assert_int_equal(dq_bundle_add_text(b, name, type, offsets, data, any ? nulls : NULL, NULL), DQ_OK);
}

/* Numbers (rows), borrowed. ref and nulls may be NULL. */
static inline void add_numbers(dq_bundle *b, const char *name, dq_dtype type, const void *data,
                               const char *ref, const uint8_t *nulls)
{
    assert_int_equal(dq_bundle_add_numbers(b, name, type, data, ref, nulls, NULL), DQ_OK);
}

/* (rows, width), borrowed. */
static inline void add_vectors(dq_bundle *b, dq_dtype type, uint64_t width, const void *data)
{
    const uint64_t shape[2] = {b->rows, width};
    assert_int_equal(dq_bundle_add_tensor(b, "vector", type, 2, shape, data, NULL), DQ_OK);
}

#define TEXTS(...) ((const char *const[]){__VA_ARGS__})

#endif
