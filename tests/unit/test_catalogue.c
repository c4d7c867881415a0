/* SPDX-License-Identifier: MIT */
#include "data/catalogue.h"
#include "data/transitions.h"

#include "tables.h"

#include <math.h>
#include <stdlib.h>

/* Adds a bundle, which must be one of a catalogue's, and is the catalogue's then. */
static dq_status add(dq_catalogue *c, dq_bundle b, uint64_t section, dq_error *e)
{
    bool taken;
    dq_status status = dq_catalogue_add(c, &b, section, &taken, e);
    assert_true(taken);
    assert_null(b.columns); /* emptied, also on failure */
    return status;
}

static dq_bundle entities(const char *kind, uint64_t count, const char *const *ids)
{
    dq_bundle b = table(kind, count);
    add_texts(&b, "id", DQ_TEXT, ids);
    return b;
}

static const char *id_of(const dq_entities *entities, uint32_t row)
{
    static char text[64];
    size_t n;
    const char *id = dq_entities_id(entities, row, &n);
    memcpy(text, id, n);
    text[n] = '\0';
    return text;
}

static void sections_are_joined(void **state)
{
    (void)state;
    static const float one[4] = {1, 2, 3, 4}, two[6] = {5, 6, 3, 4, 7, 8};
    dq_catalogue c = DQ_CATALOGUE_EMPTY;
    dq_bundle b = entities("users", 2, TEXTS("a", "b"));
    add_texts(&b, "text.name", DQ_TEXT, TEXTS("Ann", NULL));
    add_vectors(&b, DQ_F4, 2, one);
    assert_int_equal(add(&c, b, 0, NULL), DQ_OK);
    b = entities("users", 3, TEXTS("c", "b", "d"));
    add_vectors(&b, DQ_F4, 2, two);
    assert_int_equal(add(&c, b, 1, NULL), DQ_OK);
    assert_int_equal(dq_entities_count(&c.users), 4);
    assert_string_equal(id_of(&c.users, 2), "c");
    assert_string_equal(id_of(&c.users, 3), "d");
    assert_true(c.users.vectors[1] == one + 2); /* not copied */
    assert_true(c.users.vectors[2][1] == 6 && c.users.vectors[3][0] == 7);
    /* The bundle that is kept has lost the repetition. */
    assert_int_equal(c.users.bundle_count, 2);
    assert_int_equal(c.users.bundles[1].rows, 2);
    assert_int_equal(c.users.rows[3].row, 1);
    size_t n;
    assert_memory_equal(dq_entities_text(&c.users, 0, "text.name", &n), "Ann", 3);
    assert_null(dq_entities_text(&c.users, 1, "text.name", &n)); /* null */
    assert_null(dq_entities_text(&c.users, 3, "text.name", &n)); /* no such column */
    assert_null(dq_entities_text(&c.users, 0, "vector", &n));    /* no text */
    dq_catalogue_free(&c);
}

static void a_bundle_of_repetitions_is_not_kept(void **state)
{
    (void)state;
    dq_catalogue c = DQ_CATALOGUE_EMPTY;
    assert_int_equal(add(&c, entities("items", 2, TEXTS("x", "y")), 0, NULL), DQ_OK);
    assert_int_equal(add(&c, entities("items", 2, TEXTS("y", "x")), 1, NULL), DQ_OK);
    assert_int_equal(c.items.bundle_count, 1);
    uint32_t row;
    assert_int_equal(dq_entities_resolve(&c.items, 0, &row, NULL), DQ_OK);
    assert_int_equal(row, 1);
    dq_catalogue_free(&c);
}

static void doubles_and_unequal_rows_are_refused(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_catalogue c = DQ_CATALOGUE_EMPTY;
    assert_int_equal(add(&c, entities("items", 2, TEXTS("x", "x")), 0, &e), DQ_ERR_DUPLICATE);
    assert_string_equal(e.reason, "items: id x stands twice");
    dq_catalogue_free(&c);
    assert_int_equal(add(&c, entities("items", 1, TEXTS("x")), 0, NULL), DQ_OK);
    assert_int_equal(add(&c, entities("users", 1, TEXTS("x")), 0, NULL), DQ_OK); /* not an item */
    dq_bundle b = entities("items", 1, TEXTS("x"));
    add_texts(&b, "text.title", DQ_TEXT, TEXTS("cook"));
    e = DQ_ERROR_NONE;
    assert_int_equal(add(&c, b, 1, &e), DQ_ERR_DUPLICATE);
    assert_string_equal(e.reason, "items: id x stands in two sections with unequal rows");
    dq_catalogue_free(&c);
}

static void references_are_of_their_section(void **state)
{
    (void)state;
    uint32_t row;
    bool taken;
    dq_catalogue c = DQ_CATALOGUE_EMPTY;
    assert_int_equal(add(&c, entities("users", 1, TEXTS("a")), 0, NULL), DQ_OK);
    assert_int_equal(add(&c, entities("users", 1, TEXTS("b")), 0, NULL), DQ_OK);
    assert_int_equal(dq_entities_resolve(&c.users, 1, &row, NULL), DQ_OK);
    assert_int_equal(row, 1);
    assert_int_equal(dq_entities_resolve(&c.users, 2, &row, NULL), DQ_ERR_RANGE);
    /* A bundle of another kind begins a section, too; it stays the caller's. */
    dq_bundle b = table("strange", 0);
    assert_int_equal(dq_catalogue_add(&c, &b, 1, &taken, NULL), DQ_OK);
    assert_false(taken);
    assert_non_null(b.kind);
    dq_bundle_free(&b);
    assert_int_equal(dq_entities_resolve(&c.users, 0, &row, NULL), DQ_ERR_RANGE);
    assert_int_equal(add(&c, entities("users", 2, TEXTS("c", "a")), 1, NULL), DQ_OK);
    assert_int_equal(dq_entities_resolve(&c.users, 0, &row, NULL), DQ_OK);
    assert_int_equal(row, 2);
    assert_int_equal(dq_entities_resolve(&c.users, 1, &row, NULL), DQ_OK);
    assert_int_equal(row, 0);
    dq_catalogue_free(&c);
}

static void transitions_are_carried_into_the_catalogue(void **state)
{
    (void)state;
    static const uint32_t user[3] = {0, 1, 0}, item[3] = {1, 0, 0};
    static const uint64_t wide[3] = {1, 1, 0};
    dq_catalogue c = DQ_CATALOGUE_EMPTY;
    assert_int_equal(add(&c, entities("users", 1, TEXTS("a")), 0, NULL), DQ_OK);
    assert_int_equal(add(&c, entities("items", 1, TEXTS("x")), 0, NULL), DQ_OK);
    assert_int_equal(add(&c, entities("users", 2, TEXTS("b", "a")), 1, NULL), DQ_OK);
    assert_int_equal(add(&c, entities("items", 2, TEXTS("x", "y")), 1, NULL), DQ_OK);
    dq_bundle b = table("transitions", 3), carried, one;
    add_numbers(&b, "user", DQ_U4, user, "users", NULL);
    assert_int_equal(dq_transitions_carry(&carried, &b, &c, NULL), DQ_ERR_UNSUPPORTED); /* no items */
    add_numbers(&b, "item", DQ_U4, item, "items", NULL);
    add_numbers(&b, "next_user", DQ_U8, wide, "users", NULL);
    assert_int_equal(dq_transitions_carry(&carried, &b, &c, NULL), DQ_OK);
    const uint32_t *users = carried.columns[0].data, *items = carried.columns[1].data;
    const uint64_t *next = carried.columns[2].data;
    assert_true(users[0] == 1 && users[1] == 0 && users[2] == 1);
    assert_true(items[0] == 1 && items[1] == 0 && items[2] == 0);
    assert_true(next[0] == 0 && next[1] == 0 && next[2] == 1);
    assert_true(user[0] == 0 && wide[0] == 1); /* those of the caller stay */
    static const char *const ids[] = {"b", "a", "b"};
    bool *marks;
    assert_int_equal(dq_entities_mark(&c.users, "user", ids, 1, &marks, NULL), DQ_OK);
    assert_true(!marks[0] && marks[1]);
    assert_int_equal(dq_transitions_of(&one, &carried, marks, NULL), DQ_OK);
    assert_int_equal(one.rows, 2);
    dq_bundle_free(&one);
    free(marks);
    assert_int_equal(dq_entities_mark(&c.users, "user", ids, 3, &marks, NULL), DQ_OK);
    assert_true(marks[0] && marks[1]);
    free(marks);
    assert_int_equal(dq_entities_mark(&c.users, "user", NULL, 0, &marks, NULL), DQ_OK);
    assert_null(marks);
    static const char *const unknown[] = {"a", "nobody"};
    assert_int_equal(dq_entities_mark(&c.users, "user", unknown, 2, &marks, NULL), DQ_ERR_UNKNOWN);
    assert_null(marks);
    dq_bundle_free(&carried);
    /* What stands under a null refers to nothing, and stays. */
    static const uint64_t far[3] = {9, 1, 0};
    static const uint8_t none[3] = {1, 0, 0};
    dq_bundle nulls = table("transitions", 3);
    add_numbers(&nulls, "user", DQ_U4, user, "users", NULL);
    add_numbers(&nulls, "item", DQ_U4, item, "items", NULL);
    add_numbers(&nulls, "next_user", DQ_U8, far, "users", none);
    assert_int_equal(dq_transitions_carry(&carried, &nulls, &c, NULL), DQ_OK);
    next = carried.columns[2].data;
    assert_true(dq_column_is_null(&carried.columns[2], 0) && next[1] == 0 && next[2] == 1);
    dq_bundle_free(&carried);
    nulls.columns[2].nulls = NULL;
    assert_int_equal(dq_transitions_carry(&carried, &nulls, &c, NULL), DQ_ERR_RANGE);
    dq_bundle_free(&nulls);
    b.columns[2].ref = "strange"; /* whose rows nobody counts */
    assert_int_equal(dq_transitions_carry(&carried, &b, &c, NULL), DQ_ERR_UNSUPPORTED);
    dq_bundle_free(&b);
    dq_catalogue_free(&c);
}

static void vectors_become_float32(void **state)
{
    (void)state;
    static const float want[4] = {1.5F, -2, 0.25F, 1024};
    static const dq_dtype types[] = {DQ_F2, DQ_BF16, DQ_F4};
    for (size_t t = 0; t < 3; t++) {
        unsigned char data[sizeof want];
        dq_catalogue c = DQ_CATALOGUE_EMPTY;
        dq_convert_from_f4(data, types[t], want, 4);
        dq_bundle b = entities("items", 2, TEXTS("x", "y"));
        add_vectors(&b, types[t], 2, data);
        assert_int_equal(add(&c, b, 0, NULL), DQ_OK);
        assert_int_equal(c.items.width, 2);
        for (int i = 0; i < 4; i++) assert_true(c.items.vectors[i / 2][i % 2] == want[i]);
        dq_catalogue_free(&c);
    }
    static const double wide[2] = {1.0 / 3, -1e-3};
    dq_catalogue c = DQ_CATALOGUE_EMPTY;
    dq_bundle b = entities("items", 1, TEXTS("x"));
    add_vectors(&b, DQ_F8, 2, wide);
    assert_int_equal(add(&c, b, 0, NULL), DQ_OK);
    assert_true(c.items.vectors[0][0] == (float)wide[0] && c.items.vectors[0][1] == (float)wide[1]);
    dq_catalogue_free(&c);
}

/* An item of a width, whose vector has two fields that meet at `at` (0: no fields), and with a default pair.
 */
static dq_bundle item(const char *id, uint64_t width, uint32_t at, const char *pair)
{
    static const float zeros[8];
    dq_bundle b = entities("items", 1, TEXTS(id));
    const dq_field fields[2] = {{"title", 0, at, 0}, {"tech", at, (uint32_t)width - at, 0}};
    const dq_pair_names pairs[1] = {{"skills", pair}};
    if (width) add_vectors(&b, DQ_F4, width, zeros);
    if (at) assert_int_equal(dq_fields_write(fields, 2, &b.arena, &b.meta, NULL), DQ_OK);
    if (pair) assert_int_equal(dq_pairs_write(pairs, 1, &b.arena, &b.meta, NULL), DQ_OK);
    return b;
}

static void all_rows_have_one_layout(void **state)
{
    (void)state;
    static const struct {
        uint64_t width;
        uint32_t at;
        const char *pair;
        dq_status status;
    } second[] = {{5, 2, "tech", DQ_OK},         {5, 2, NULL, DQ_OK}, /* no pairs: no word against them */
                  {6, 2, "tech", DQ_ERR_SCHEMA}, {0, 0, "tech", DQ_ERR_SCHEMA}, {5, 3, "tech", DQ_ERR_SCHEMA},
                  {5, 0, "tech", DQ_ERR_SCHEMA}, {5, 2, "title", DQ_ERR_SCHEMA}};
    for (size_t i = 0; i < sizeof second / sizeof *second; i++) {
        dq_catalogue c = DQ_CATALOGUE_EMPTY;
        assert_int_equal(add(&c, item("x", 5, 2, "tech"), 0, NULL), DQ_OK);
        assert_int_equal(add(&c, item("y", second[i].width, second[i].at, second[i].pair), 0, NULL),
                         second[i].status);
        assert_int_equal(c.items.field_count, 2);
        assert_int_equal(c.pair_count, 1);
        assert_string_equal(c.pairs[0].item_field, "tech");
        dq_catalogue_free(&c);
    }
    /* A bundle without rows says nothing, and without fields all is one. */
    dq_catalogue c = DQ_CATALOGUE_EMPTY;
    assert_int_equal(add(&c, entities("items", 0, TEXTS(NULL)), 0, NULL), DQ_OK);
    assert_int_equal(add(&c, item("x", 5, 0, NULL), 0, NULL), DQ_OK);
    assert_int_equal(c.items.field_count, 1);
    assert_string_equal(c.items.fields[0].name, "vector");
    dq_catalogue_free(&c);
}

static dq_bundle interactions(void)
{
    static const float reward[3] = {0, 0.5F, 0};
    static const uint8_t none[3] = {1, 0, 1};
    dq_bundle b = table("interactions", 3);
    add_texts(&b, "user", DQ_TEXT, TEXTS("a", "b", "a"));
    add_texts(&b, "item", DQ_TEXT, TEXTS("y", "x", "z"));
    add_texts(&b, "label", DQ_TEXT, TEXTS("APPLY", NULL, "APPLY"));
    add_numbers(&b, "reward", DQ_F4, reward, NULL, none);
    return b;
}

static void interactions_find_their_rows(void **state)
{
    (void)state;
    size_t n;
    dq_error e = DQ_ERROR_NONE;
    dq_catalogue c = DQ_CATALOGUE_EMPTY;
    assert_int_equal(add(&c, entities("users", 2, TEXTS("a", "b")), 0, NULL), DQ_OK);
    assert_int_equal(add(&c, interactions(), 0, NULL), DQ_OK);
    assert_int_equal(add(&c, entities("items", 2, TEXTS("x", "y")), 0, NULL), DQ_OK);
    assert_int_equal(dq_catalogue_finish(&c, true, NULL), DQ_OK);
    assert_int_equal(c.interaction_count, 3);
    const dq_interaction *x = c.interactions;
    assert_true(x[0].user == 0 && x[0].item == 1 && isnan(x[0].reward));
    assert_true(x[1].user == 1 && x[1].item == 0 && x[1].reward == 0.5F);
    assert_true(x[2].user == 0 && x[2].item == DQ_ABSENT);
    assert_true(x[0].label == x[2].label && x[1].label == DQ_ABSENT);
    assert_memory_equal(dq_catalogue_label(&c, &x[2], &n), "APPLY", 5);
    assert_int_equal(n, 5);
    assert_null(dq_catalogue_label(&c, &x[1], &n));
    dq_catalogue_free(&c);
    /* Inside a stream what is absent is an error. */
    assert_int_equal(add(&c, entities("users", 2, TEXTS("a", "b")), 0, NULL), DQ_OK);
    assert_int_equal(add(&c, interactions(), 0, NULL), DQ_OK);
    assert_int_equal(add(&c, entities("items", 2, TEXTS("x", "y")), 0, NULL), DQ_OK);
    assert_int_equal(dq_catalogue_finish(&c, false, &e), DQ_ERR_UNKNOWN);
    assert_string_equal(e.reason, "interactions: item z is not in the catalogue");
    dq_catalogue_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_are_joined),
        cmocka_unit_test(a_bundle_of_repetitions_is_not_kept),
        cmocka_unit_test(doubles_and_unequal_rows_are_refused),
        cmocka_unit_test(references_are_of_their_section),
        cmocka_unit_test(transitions_are_carried_into_the_catalogue),
        cmocka_unit_test(vectors_become_float32),
        cmocka_unit_test(all_rows_have_one_layout),
        cmocka_unit_test(interactions_find_their_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
