/* SPDX-License-Identifier: MIT
 *
 * A catalogue in memory, written down in a test as tables.
 */
#ifndef DQ_TEST_SMALL_CATALOGUE_H
#define DQ_TEST_SMALL_CATALOGUE_H

#include "data/catalogue.h"

#include <math.h>
#include <string.h>

enum { SMALL_WIDTH = 8, SMALL_TEXTS = 4 };

typedef struct small_row {
    const char *id;
    float vector[SMALL_WIDTH];
    const char *texts[SMALL_TEXTS]; /* as the side's columns; NULL: null */
} small_row;

typedef struct small_side {
    const char *kind;
    uint32_t width;                   /* 0: no vectors */
    const char *columns[SMALL_TEXTS]; /* "text.title", "attr.pay" (JSON); NULL: no more */
    const dq_field *fields;
    size_t field_count;
    const dq_pair_names *pairs;
    size_t pair_count;
} small_side;

typedef struct small_interaction {
    const char *user, *item, *label; /* label NULL: none */
    float reward;                    /* NAN: none */
} small_interaction;

static inline void small_texts(dq_bundle *b, const char *name, const char *const *texts, size_t n)
{
    dq_error e = DQ_ERROR_NONE;
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) bytes += texts[i] ? strlen(texts[i]) : 0;
    uint32_t *offsets = dq_arena_zero(&b->arena, n + 1, sizeof *offsets);
    char *data = dq_arena_zero(&b->arena, bytes + 1, 1);
    uint8_t *nulls = dq_arena_zero(&b->arena, n + 1, 1);
    assert_true(offsets && data && nulls);
    for (size_t i = 0; i < n; i++) {
        size_t length = texts[i] ? strlen(texts[i]) : 0;
        nulls[i] = !texts[i];
        if (length) memcpy(data + offsets[i], texts[i], length);
        offsets[i + 1] = offsets[i] + (uint32_t)length;
    }
    dq_dtype type = strncmp(name, "attr.", 5) == 0 ? DQ_JSON : DQ_TEXT;
    const uint8_t *some = memchr(nulls, 1, n);
    assert_int_equal(dq_bundle_add_text(b, name, type, offsets, data, some ? nulls : NULL, &e), DQ_OK);
}

static inline void small_add_bundle(dq_catalogue *catalogue, dq_bundle *b)
{
    dq_error e = DQ_ERROR_NONE;
    bool taken;
    if (dq_schema_check(b, &e)) fail_msg("%s", e.reason);
    if (dq_catalogue_add(catalogue, b, 0, &taken, &e)) fail_msg("%s", e.reason);
    assert_true(taken);
}

/* Adds n rows of users or items. */
static inline void small_add(dq_catalogue *catalogue, const small_side *side, const small_row *rows, size_t n)
{
    dq_error e = DQ_ERROR_NONE;
    dq_bundle b;
    const char *texts[64];
    assert_true(n <= 64);
    assert_int_equal(dq_bundle_init(&b, side->kind, n, &e), DQ_OK);
    for (size_t i = 0; i < n; i++) texts[i] = rows[i].id;
    small_texts(&b, "id", texts, n);
    for (size_t c = 0; c < SMALL_TEXTS && side->columns[c]; c++) {
        for (size_t i = 0; i < n; i++) texts[i] = rows[i].texts[c];
        small_texts(&b, side->columns[c], texts, n);
    }
    if (side->width) {
        float *vectors = dq_arena_zero(&b.arena, n * side->width, sizeof *vectors);
        assert_non_null(vectors);
        for (size_t i = 0; i < n; i++)
            memcpy(vectors + i * side->width, rows[i].vector, side->width * sizeof *vectors);
        uint64_t shape[] = {n, side->width};
        assert_int_equal(dq_bundle_add_tensor(&b, "vector", DQ_F4, 2, shape, vectors, &e), DQ_OK);
    }
    if (side->fields)
        assert_int_equal(dq_fields_write(side->fields, side->field_count, &b.arena, &b.meta, &e), DQ_OK);
    if (side->pairs)
        assert_int_equal(dq_pairs_write(side->pairs, side->pair_count, &b.arena, &b.meta, &e), DQ_OK);
    small_add_bundle(catalogue, &b);
}

static inline void small_add_interactions(dq_catalogue *catalogue, const small_interaction *rows, size_t n)
{
    dq_error e = DQ_ERROR_NONE;
    dq_bundle b;
    const char *texts[64];
    assert_true(n <= 64);
    assert_int_equal(dq_bundle_init(&b, DQ_KIND_INTERACTIONS, n, &e), DQ_OK);
    for (size_t i = 0; i < n; i++) texts[i] = rows[i].user;
    small_texts(&b, "user", texts, n);
    for (size_t i = 0; i < n; i++) texts[i] = rows[i].item;
    small_texts(&b, "item", texts, n);
    for (size_t i = 0; i < n; i++) texts[i] = rows[i].label;
    small_texts(&b, "label", texts, n);
    float *rewards = dq_arena_zero(&b.arena, n, sizeof *rewards);
    uint8_t *nulls = dq_arena_zero(&b.arena, n, 1);
    assert_true(rewards && nulls);
    for (size_t i = 0; i < n; i++) {
        nulls[i] = (uint8_t)(isnan(rows[i].reward) != 0);
        rewards[i] = nulls[i] ? 0 : rows[i].reward;
    }
    assert_int_equal(dq_bundle_add_numbers(&b, "reward", DQ_F4, rewards, NULL, nulls, &e), DQ_OK);
    small_add_bundle(catalogue, &b);
}

static inline void small_finish(dq_catalogue *catalogue)
{
    dq_error e = DQ_ERROR_NONE;
    if (dq_catalogue_finish(catalogue, false, &e)) fail_msg("%s", e.reason);
}

#endif
