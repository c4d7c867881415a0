/* SPDX-License-Identifier: MIT */
#include "data/model_items.h"
#include "dq/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { COUNT = 3, WIDTH = 2 };

static float numbers[COUNT][WIDTH] = {{1, 2}, {3, 4}, {5, 6}};
static const float *rows[COUNT] = {numbers[0], numbers[1], numbers[2]};
static const dq_vectors vectors = {.at = rows, .count = COUNT, .width = WIDTH};

static dq_index named(const char *const *names, uint32_t count)
{
    dq_index ids = DQ_INDEX_EMPTY;
    uint32_t row;
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(dq_index_add(&ids, names[i], strlen(names[i]), &row, NULL, NULL), DQ_OK);
    return ids;
}

static const char *const names[] = {"a", "b", "c"};

static dq_bundle a_model(void)
{
    dq_bundle model;
    dq_index ids = named(names, COUNT);
    dq_model_items items;
    assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
    assert_int_equal(dq_model_items_take(&items, &ids, &vectors, NULL), DQ_OK);
    assert_int_equal(dq_model_items_save(&items, &model, NULL), DQ_OK);
    dq_model_items_free(&items);
    dq_index_free(&ids);
    return model;
}

static void a_model_knows_its_items(void **state)
{
    (void)state;
    dq_bundle model = a_model();
    dq_model_items items;
    dq_error e = DQ_ERROR_NONE;
    uint32_t action;
    assert_int_equal(dq_model_items_load(&items, &model, COUNT, &e), DQ_OK);
    assert_int_equal(dq_model_items_find(&items, "b", 1, numbers[1], WIDTH, &action, &e), DQ_OK);
    assert_int_equal(action, 1);
    assert_int_equal(dq_model_items_find(&items, "z", 1, numbers[1], WIDTH, &action, &e), DQ_OK);
    assert_int_equal(action, DQ_ABSENT);
    assert_int_equal(dq_model_items_find(&items, "b", 1, numbers[0], WIDTH, &action, &e), DQ_ERR_RANGE);
    assert_string_equal(e.reason, "item b has another vector here than the one that the model learnt");
    dq_model_items_free(&items);
    assert_int_equal(dq_model_items_load(&items, &model, COUNT + 1, &e), DQ_ERR_SCHEMA);
    dq_bundle_free(&model);
}

static void the_same_in_the_same_order(void **state)
{
    (void)state;
    static const struct {
        const char *names[COUNT];
        uint32_t count;
        dq_status status;
        const char *says;
        bool actions;
    } cases[] = {
        {{"a", "b", "c"}, 3, DQ_OK, NULL, false},
        {{"a", "b"}, 2, DQ_ERR_RANGE, "the model learnt 3 items, and here are 2", false},
        {{"a", "b", "d"}, 3, DQ_ERR_RANGE, "the model's action 2 is item c, and here it is item d", false},
        {{"a", "c", "b"},
         3,
         DQ_ERR_RANGE,
         "item c has another vector here than the one that the model learnt",
         false},
        {{NULL}, 0, DQ_OK, NULL, false},
        /* A head on actions knows vectors: new items are fine, and fewer, not others under the same ids. */
        {{"a", "b", "d"}, 3, DQ_OK, NULL, true},
        {{"a", "b"}, 2, DQ_OK, NULL, true},
        {{"d", "b"}, 2, DQ_OK, NULL, true},
        {{"b"}, 1, DQ_ERR_RANGE, "item b has another vector here than the one that the model learnt", true},
    };
    dq_bundle model = a_model();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dq_error e = DQ_ERROR_NONE;
        dq_index ids = named(cases[i].names, cases[i].count);
        assert_int_equal(dq_model_items_check(&model, !cases[i].actions, &ids, &vectors, &e),
                         cases[i].status);
        if (cases[i].says) assert_string_equal(e.reason, cases[i].says);
        dq_index_free(&ids);
    }
    dq_bundle_free(&model);
}

static void a_model_that_names_none_may_be_anything(void **state)
{
    (void)state;
    dq_bundle model;
    dq_model_items items;
    dq_index ids = named(names, COUNT);
    uint32_t action;
    assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
    assert_int_equal(dq_model_items_load(&items, &model, COUNT, NULL), DQ_OK);
    assert_null(items.digest);
    assert_int_equal(dq_model_items_find(&items, "a", 1, numbers[0], WIDTH, &action, NULL), DQ_OK);
    assert_int_equal(action, DQ_ABSENT);
    assert_int_equal(dq_model_items_check(&model, true, &ids, &vectors, NULL), DQ_OK);
    dq_index_free(&ids);
    dq_bundle_free(&model);
}

static void names_that_cannot_be(void **state)
{
    (void)state;
    static const char *const twice[] = {"a", "b", "a"};
    dq_bundle model = a_model();
    dq_model_items items;
    dq_value list = dq_list();
    for (int i = 0; i < COUNT; i++)
        assert_true(dq_list_add(&model.arena, &list, dq_string(&model.arena, twice[i])));
    assert_true(dq_map_set(&model.arena, &model.meta, "items", list));
    assert_int_equal(dq_model_items_load(&items, &model, COUNT, NULL), DQ_ERR_SCHEMA);
    dq_bundle_free(&model);
    assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
    list = dq_list();
    for (int i = 0; i < COUNT; i++)
        assert_true(dq_list_add(&model.arena, &list, dq_string(&model.arena, names[i])));
    assert_true(dq_map_set(&model.arena, &model.meta, "items", list));
    assert_int_equal(dq_model_items_load(&items, &model, COUNT, NULL), DQ_ERR_SCHEMA); /* no digests */
    dq_bundle_free(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_knows_its_items),
        cmocka_unit_test(the_same_in_the_same_order),
        cmocka_unit_test(a_model_that_names_none_may_be_anything),
        cmocka_unit_test(names_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
