/* SPDX-License-Identifier: MIT */
#include "feature/catalogue.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "small_catalogue.h"

enum { USERS = 40, ITEMS = 9, WIDTH = 4, LABELS = 80, MAX = 8 };

/* More users than are computed at a time; two of them hold each group. */
typedef struct world {
    dq_catalogue catalogue;
    uint32_t group[USERS], user[LABELS], item[LABELS];
    float reward[LABELS];
    dq_pool *pool;
} world;

static float number(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return (float)(*state >> 8) / (1 << 23) - 1;
}

static void add(world *w, const char *kind, const char *letter, size_t n, uint32_t seed)
{
    static char ids[USERS][24];
    static small_row rows[USERS];
    const small_entities entities = {.kind = kind, .width = WIDTH};
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "%s%zu", letter, i);
        rows[i] = (small_row){.id = ids[i]};
        for (size_t k = 0; k < WIDTH; k++) rows[i].vector[k] = number(&seed);
    }
    small_add(&w->catalogue, &entities, rows, n);
}

static void start(world *w)
{
    uint32_t seed = 9;
    memset(w, 0, sizeof *w);
    add(w, DQ_KIND_USERS, "u", USERS, 1);
    add(w, DQ_KIND_ITEMS, "i", ITEMS, 2);
    small_finish(&w->catalogue);
    for (uint32_t u = 0; u < USERS; u++) w->group[u] = u / 2;
    for (uint32_t l = 0; l < LABELS; l++) {
        w->user[l] = l / 2;
        w->item[l] = (l * 5 + l / 7) % ITEMS;
        w->reward[l] = number(&seed) > 0 ? 1 : 0.5F;
    }
    assert_int_equal(dq_pool_new(&w->pool, 2, NULL), DQ_OK);
}

static void stop(world *w)
{
    dq_catalogue_free(&w->catalogue);
    dq_pool_free(w->pool);
}

static dq_feature_source source_of(const world *w, const char *names)
{
    return (dq_feature_source){.catalogue = &w->catalogue,
                               .names = names,
                               .learn = true,
                               .rows = {LABELS, w->user, w->item, w->reward, 0},
                               .group = w->group,
                               .pool = w->pool};
}

static dq_feature_users *make(const dq_feature_source *source, uint32_t expected)
{
    dq_feature_users *users;
    dq_pairing cosines[MAX];
    uint32_t count;
    dq_error e = DQ_ERROR_NONE;
    if (dq_feature_users_new(&users, source, cosines, MAX, &count, &e)) fail_msg("%s", e.reason);
    assert_int_equal(count, expected);
    return users;
}

static uint32_t columns_of(const dq_feature_users *users)
{
    return dq_feature_columns(dq_feature_users_set(users));
}

/* Some items in any order are rows of the whole list, whichever user was asked about before. */
static void some_are_of_all(void **state)
{
    static const uint32_t some[] = {8, 0, 3, 3};
    world w;
    (void)state;
    start(&w);
    const dq_feature_source source = source_of(&w, "all,cosine-z,neighbours");
    dq_feature_users *users = make(&source, 1);
    float all[ITEMS * 3], few[4 * 3];
    assert_int_equal(columns_of(users), 3);
    for (uint32_t u = USERS; u-- > 0;) {
        dq_feature_users_fill(users, u, NULL, ITEMS, all);
        dq_feature_users_fill(users, (u + 33) % USERS, NULL, 1, few);
        dq_feature_users_fill(users, u, some, 4, few);
        for (size_t i = 0; i < 4; i++) assert_memory_equal(few + i * 3, all + some[i] * 3, 3 * sizeof *all);
    }
    dq_feature_users_free(users);
    stop(&w);
}

/* A model's set leaves out the groups of those who go on with it, as the one that learnt did. */
static void a_model_goes_on(void **state)
{
    world w;
    dq_bundle model;
    float learnt[ITEMS * MAX], loaded[ITEMS * MAX], alone[ITEMS * MAX];
    bool differs = false;
    (void)state;
    start(&w);
    dq_feature_source source = source_of(&w, "neighbours,reciprocity");
    dq_feature_users *first = make(&source, 0), *second, *third;
    assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
    assert_int_equal(dq_feature_save(dq_feature_users_set(first), &model, NULL), DQ_OK);
    source.names = "none";
    source.model = &model;
    second = make(&source, 0);
    source.group = NULL;
    third = make(&source, 0);
    for (uint32_t u = 0; u < USERS; u++) {
        dq_feature_users_fill(first, u, NULL, ITEMS, learnt);
        dq_feature_users_fill(second, u, NULL, ITEMS, loaded);
        dq_feature_users_fill(third, u, NULL, ITEMS, alone);
        assert_memory_equal(learnt, loaded, ITEMS * 3 * sizeof *learnt);
        differs = differs || memcmp(learnt, alone, ITEMS * 3 * sizeof *learnt) != 0;
    }
    assert_true(differs); /* the other of a group counts there */
    dq_feature_users_free(first);
    dq_feature_users_free(second);
    dq_feature_users_free(third);
    dq_bundle_free(&model);
    stop(&w);
}

static void nothing_to_give(void **state)
{
    world w;
    dq_bundle model;
    (void)state;
    start(&w);
    dq_feature_source source = source_of(&w, "all");
    assert_null(make(&source, 1));
    source.names = "none";
    assert_null(make(&source, 0));
    source.names = "auto";
    source.learn = false;
    assert_null(make(&source, 1));
    assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
    source.model = &model;
    assert_null(make(&source, 1));
    dq_bundle_free(&model);
    stop(&w);
}

static dq_status refused(const world *w, const char *names, bool learn)
{
    dq_feature_users *users = (dq_feature_users *)&names;
    dq_feature_source source = source_of(w, names);
    dq_pairing cosines[MAX];
    uint32_t count;
    source.learn = learn;
    dq_status status = dq_feature_users_new(&users, &source, cosines, MAX, &count, NULL);
    assert_null(users);
    return status;
}

static void names_are_checked(void **state)
{
    char many[2048] = "cosine-z";
    world w;
    (void)state;
    start(&w);
    assert_int_equal(refused(&w, "nonsense", true), DQ_ERR_UNKNOWN);
    assert_int_equal(refused(&w, "", true), DQ_ERR_UNKNOWN);
    assert_int_equal(refused(&w, "none,all", true), DQ_ERR_UNKNOWN);
    assert_int_equal(refused(&w, "all,pairs", true), DQ_ERR_RANGE);
    assert_int_equal(refused(&w, "hubness", false), DQ_ERR_RANGE);
    for (size_t i = 0; i < 100; i++) strcat(many, ",cosine-z");
    assert_int_equal(refused(&w, many, true), DQ_ERR_RANGE);
    stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(some_are_of_all),
        cmocka_unit_test(a_model_goes_on),
        cmocka_unit_test(nothing_to_give),
        cmocka_unit_test(names_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
