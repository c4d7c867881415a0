/* SPDX-License-Identifier: MIT */
#include "data/identity.h"

#include "tables.h"

#include <stdio.h>

/* Users with an age each; NULL: none. */
static dq_bundle people(uint64_t count, const char *const *ids, const char *const *ages)
{
    dq_bundle b = table("users", count);
    add_texts(&b, "id", DQ_TEXT, ids);
    add_texts(&b, "attr.age", DQ_JSON, ages);
    return b;
}

static dq_status add(dq_identity *known, uint64_t count, const char *const *ids, const char *const *ages,
                     uint64_t section, dq_error *e)
{
    dq_bundle b = people(count, ids, ages);
    dq_status status = dq_identity_add(known, &b, section, NULL, e);
    dq_bundle_free(&b);
    return status;
}

static void new_and_repeated_rows(void **state)
{
    (void)state;
    dq_identity known = DQ_IDENTITY_EMPTY;
    assert_int_equal(add(&known, 2, TEXTS("a", "b"), TEXTS("1", "2"), 0, NULL), DQ_OK);
    assert_int_equal(known.fresh_count, 2);
    assert_int_equal(known.fresh[0], 0);
    assert_int_equal(known.fresh[1], 1);
    /* The next section says b again, between two new ones. */
    assert_int_equal(add(&known, 3, TEXTS("c", "b", "d"), TEXTS("3", "2", "4"), 1, NULL), DQ_OK);
    assert_int_equal(known.fresh_count, 2);
    assert_int_equal(known.fresh[0], 0);
    assert_int_equal(known.fresh[1], 2);
    assert_int_equal(known.numbers[0], 2);
    assert_int_equal(known.numbers[1], 1);
    assert_int_equal(known.numbers[2], 3);
    assert_int_equal(dq_index_count(&known.ids), 4);
    /* A bundle without rows, and one that is all repetition. */
    assert_int_equal(add(&known, 0, TEXTS(NULL), TEXTS(NULL), 2, NULL), DQ_OK);
    assert_int_equal(known.fresh_count, 0);
    assert_int_equal(add(&known, 1, TEXTS("d"), TEXTS("4"), 2, NULL), DQ_OK);
    assert_int_equal(known.fresh_count, 0);
    assert_int_equal(known.numbers[0], 3);
    dq_identity_free(&known);
    assert_int_equal(dq_index_count(&known.ids), 0);
}

static void an_id_twice_in_a_section(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_identity known = DQ_IDENTITY_EMPTY;
    assert_int_equal(add(&known, 2, TEXTS("a", "a"), TEXTS("1", "1"), 0, &e), DQ_ERR_DUPLICATE);
    assert_string_equal(e.reason, "users: id a stands twice");
    dq_identity_free(&known);
    /* In another bundle of the section, and in a section that repeated it. */
    assert_int_equal(add(&known, 1, TEXTS("a"), TEXTS("1"), 0, NULL), DQ_OK);
    assert_int_equal(add(&known, 1, TEXTS("a"), TEXTS("1"), 0, NULL), DQ_ERR_DUPLICATE);
    dq_identity_free(&known);
    assert_int_equal(add(&known, 1, TEXTS("a"), TEXTS("1"), 0, NULL), DQ_OK);
    assert_int_equal(add(&known, 1, TEXTS("a"), TEXTS("1"), 1, NULL), DQ_OK);
    e = DQ_ERROR_NONE;
    assert_int_equal(add(&known, 1, TEXTS("a"), TEXTS("2"), 1, &e), DQ_ERR_DUPLICATE);
    assert_string_equal(e.reason, "users: id a stands twice");
    dq_identity_free(&known);
}

static void unequal_rows_in_two_sections(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_identity known = DQ_IDENTITY_EMPTY;
    assert_int_equal(add(&known, 2, TEXTS("a", "b"), TEXTS("1", NULL), 0, NULL), DQ_OK);
    assert_int_equal(add(&known, 1, TEXTS("b"), TEXTS("7"), 3, &e), DQ_ERR_DUPLICATE);
    assert_string_equal(e.reason, "users: id b stands in two sections with unequal rows");
    dq_identity_free(&known);
}

static void digests_of_the_caller(void **state)
{
    (void)state;
    const uint64_t one = 1, two = 2;
    dq_identity known = DQ_IDENTITY_EMPTY;
    dq_bundle a = people(1, TEXTS("a"), TEXTS("1")), other = people(1, TEXTS("a"), TEXTS("9"));
    assert_int_equal(dq_identity_add(&known, &a, 0, &one, NULL), DQ_OK);
    assert_int_equal(known.digests[0], 1);
    assert_int_equal(dq_identity_add(&known, &other, 1, &one, NULL), DQ_OK); /* they alone count */
    assert_int_equal(dq_identity_add(&known, &a, 2, &two, NULL), DQ_ERR_DUPLICATE);
    dq_identity_free(&known);
    uint64_t digest = dq_identity_digest(&a, 0);
    assert_int_equal(dq_identity_add(&known, &a, 0, &digest, NULL), DQ_OK);
    assert_int_equal(dq_identity_add(&known, &a, 1, NULL, NULL), DQ_OK);
    dq_identity_free(&known);
    dq_bundle_free(&a);
    dq_bundle_free(&other);
}

static void what_a_digest_sees(void **state)
{
    (void)state;
    const float v[2] = {1, 2}, w[2] = {1, 3};
    dq_bundle a = table("users", 1), b = table("users", 2), c = table("users", 1), d = table("users", 1);
    add_texts(&a, "id", DQ_TEXT, TEXTS("a"));
    add_texts(&a, "attr.age", DQ_JSON, TEXTS("1"));
    add_vectors(&a, DQ_F4, 2, v);
    /* The second row of another block, columns in another order, and a column that is null there. */
    add_vectors(&b, DQ_F4, 2, (const float[]){7, 8, 1, 2});
    add_texts(&b, "attr.age", DQ_JSON, TEXTS("5", "1"));
    add_texts(&b, "text.name", DQ_TEXT, TEXTS("Ann", NULL));
    add_texts(&b, "id", DQ_TEXT, TEXTS("b", "a"));
    assert_int_equal(dq_identity_digest(&a, 0), dq_identity_digest(&b, 1));
    assert_int_not_equal(dq_identity_digest(&a, 0), dq_identity_digest(&b, 0));
    /* Another vector; the same bytes as another type, and under another name. */
    add_texts(&c, "id", DQ_TEXT, TEXTS("a"));
    add_texts(&c, "attr.age", DQ_JSON, TEXTS("1"));
    add_vectors(&c, DQ_F4, 2, w);
    assert_int_not_equal(dq_identity_digest(&a, 0), dq_identity_digest(&c, 0));
    add_texts(&d, "id", DQ_TEXT, TEXTS("a"));
    add_texts(&d, "attr.age", DQ_TEXT, TEXTS("1"));
    add_vectors(&d, DQ_F4, 2, v);
    assert_int_not_equal(dq_identity_digest(&a, 0), dq_identity_digest(&d, 0));
    d.columns[1].type = DQ_JSON;
    assert_int_equal(dq_identity_digest(&a, 0), dq_identity_digest(&d, 0));
    d.columns[1].name = "attr.size";
    assert_int_not_equal(dq_identity_digest(&a, 0), dq_identity_digest(&d, 0));
    dq_bundle_free(&a);
    dq_bundle_free(&b);
    dq_bundle_free(&c);
    dq_bundle_free(&d);
}

/* More rows than any array starts with, each told from the others. */
static void many_rows(void **state)
{
    (void)state;
    dq_identity known = DQ_IDENTITY_EMPTY;
    char id[16];
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(id, sizeof id, "u%d", i);
        assert_int_equal(add(&known, 1, TEXTS(id), TEXTS("1"), 0, NULL), DQ_OK);
        assert_int_equal(known.numbers[0], i);
    }
    assert_int_equal(add(&known, 2, TEXTS("u4999", "u0"), TEXTS("1", "1"), 1, NULL), DQ_OK);
    assert_int_equal(known.numbers[0], 4999);
    assert_int_equal(known.numbers[1], 0);
    assert_int_equal(known.fresh_count, 0);
    assert_int_equal(add(&known, 1, TEXTS("u2500"), TEXTS("2"), 1, NULL), DQ_ERR_DUPLICATE);
    dq_identity_free(&known);
}

static void too_many_sections(void **state)
{
    (void)state;
    dq_identity known = DQ_IDENTITY_EMPTY;
    assert_int_equal(add(&known, 1, TEXTS("a"), TEXTS("1"), UINT32_MAX, NULL), DQ_ERR_RANGE);
    assert_int_equal(add(&known, 1, TEXTS("a"), TEXTS("1"), UINT32_MAX - 1, NULL), DQ_OK);
    dq_identity_free(&known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_and_repeated_rows),
        cmocka_unit_test(an_id_twice_in_a_section),
        cmocka_unit_test(unequal_rows_in_two_sections),
        cmocka_unit_test(digests_of_the_caller),
        cmocka_unit_test(what_a_digest_sees),
        cmocka_unit_test(many_rows),
        cmocka_unit_test(too_many_sections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
