/* SPDX-License-Identifier: MIT
 *
 * A catalogue in memory, written down in a test as tables.
 */
#ifndef DQ_TEST_SMALL_CATALOGUE_H
#define DQ_TEST_SMALL_CATALOGUE_H

#include "data/catalogue.h"

#include "tables.h"

#include <math.h>

enum { SMALL_WIDTH = 8, SMALL_TEXTS = 4 };

typedef struct small_row {
    const char *id;
    float vector[SMALL_WIDTH];
    const char *texts[SMALL_TEXTS]; /* as the entities' columns; NULL: null */
} small_row;

typedef struct small_entities {
    const char *kind;
    uint32_t width;                   /* 0: no vectors */
    const char *columns[SMALL_TEXTS]; /* "text.title", "attr.pay" (JSON); NULL: no more */
    const dq_field *fields;
    size_t field_count;
    const dq_pair_names *pairs;
    size_t pair_count;
} small_entities;

typedef struct small_interaction {
    const char *user, *item, *label; /* label NULL: none */
    float reward;                    /* NAN: none */
} small_interaction;

static inline void small_add_bundle(dq_catalogue *catalogue, dq_bundle *b)
{
    dq_error e = DQ_ERROR_NONE;
    bool taken;
    if (dq_schema_check(b, &e)) fail_msg("%s", e.reason);
    if (dq_catalogue_add(catalogue, b, 0, &taken, &e)) fail_msg("%s", e.reason);
    assert_true(taken);
}

/* Adds n rows of users or items. */
static inline void small_add(dq_catalogue *catalogue, const small_entities *entities, const small_row *rows,
                             size_t n)
{
    dq_bundle b = table(entities->kind, n);
    const char *texts[TABLE_ROWS];
    for (size_t i = 0; i < n; i++) texts[i] = rows[i].id;
    add_texts(&b, "id", DQ_TEXT, texts);
    for (size_t c = 0; c < SMALL_TEXTS && entities->columns[c]; c++) {
        bool json = strncmp(entities->columns[c], "attr.", 5) == 0;
        for (size_t i = 0; i < n; i++) texts[i] = rows[i].texts[c];
        add_texts(&b, entities->columns[c], json ? DQ_JSON : DQ_TEXT, texts);
    }
    if (entities->width) {
        float *vectors = dq_arena_zero(&b.arena, n * entities->width, sizeof *vectors);
        assert_non_null(vectors);
        for (size_t i = 0; i < n; i++)
            memcpy(vectors + i * entities->width, rows[i].vector, entities->width * sizeof *vectors);
        add_vectors(&b, DQ_F4, entities->width, vectors);
    }
    if (entities->fields)
        assert_int_equal(dq_fields_write(entities->fields, entities->field_count, &b.arena, &b.meta, NULL),
                         DQ_OK);
    if (entities->pairs)
        assert_int_equal(dq_pairs_write(entities->pairs, entities->pair_count, &b.arena, &b.meta, NULL),
                         DQ_OK);
    small_add_bundle(catalogue, &b);
}

static inline void small_add_interactions(dq_catalogue *catalogue, const small_interaction *rows, size_t n)
{
    dq_bundle b = table(DQ_KIND_INTERACTIONS, n);
    const char *texts[3][TABLE_ROWS];
    float *rewards = dq_arena_zero(&b.arena, n, sizeof *rewards);
    uint8_t *nulls = dq_arena_zero(&b.arena, n, 1);
    assert_true(rewards && nulls);
    for (size_t i = 0; i < n; i++) {
        texts[0][i] = rows[i].user;
        texts[1][i] = rows[i].item;
        texts[2][i] = rows[i].label;
        nulls[i] = (uint8_t)(isnan(rows[i].reward) != 0);
        rewards[i] = nulls[i] ? 0 : rows[i].reward;
    }
    add_texts(&b, "user", DQ_TEXT, texts[0]);
    add_texts(&b, "item", DQ_TEXT, texts[1]);
    add_texts(&b, "label", DQ_TEXT, texts[2]);
    add_numbers(&b, "reward", DQ_F4, rewards, NULL, nulls);
    small_add_bundle(catalogue, &b);
}

static inline void small_finish(dq_catalogue *catalogue)
{
    dq_error e = DQ_ERROR_NONE;
    if (dq_catalogue_finish(catalogue, false, &e)) fail_msg("%s", e.reason);
}

#endif
