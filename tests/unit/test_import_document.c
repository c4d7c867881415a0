/* SPDX-License-Identifier: MIT
 *
 * Documents of the generic form: what a user or an item of a file is, and how the first good one says how all
 * vectors are cut.
 */
#include "import/document.h"

#include "port/files/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static dq_arena arena;
static dq_import_layout layout;

static int forget(void **state)
{
    (void)state;
    dq_arena_free(&arena);
    dq_arena_free(&layout.arena);
    layout = (dq_import_layout){0};
    return 0;
}

static dq_value parse(const char *json)
{
    dq_value v;
    dq_error e = DQ_ERROR_NONE;
    if (dq_json_parse(json, strlen(json), &arena, &v, &e)) fail_msg("%s: %s", json, e.reason);
    return v;
}

static void same(const dq_value *got, const char *json)
{
    dq_value expected = parse(json);
    assert_true(dq_value_equal(got, &expected));
}

static dq_import_entity read_entity(const char *json)
{
    dq_value v = parse(json);
    dq_import_entity entity;
    dq_error e = DQ_ERROR_NONE;
    if (dq_import_read_entity(&v, DQ_KIND_USERS, &layout, &arena, &entity, &e))
        fail_msg("%s: %s", json, e.reason);
    return entity;
}

static void refused(const char *json, dq_import_fault fault, dq_status status, const char *words)
{
    dq_value v = parse(json);
    dq_import_entity entity;
    dq_error e = DQ_ERROR_NONE;
    if (dq_import_read_entity(&v, DQ_KIND_USERS, &layout, &arena, &entity, &e) != fault)
        fail_msg("%s: %s", json, e.reason);
    assert_int_equal(e.status, status);
    assert_string_equal(e.reason, words);
}

static void test_entity(void **state)
{
    (void)state;
    dq_import_entity x = read_entity(
        "{\"id\":\"u1\",\"text\":{\"bio\":\"likes tea\",\"skills\":[\"a\",\"b\"],"
        "\"none\":null},\"vector\":[1,-0.5],\"age\":30,\"tags\":[\"x\"],\"nil\":null}");
    assert_int_equal(x.id.kind, DQ_ID_STRING);
    same(&x.texts, "{\"bio\":\"likes tea\",\"skills\":\"a, b\"}");
    same(&x.attributes, "{\"age\":30,\"tags\":[\"x\"],\"nil\":null}");
    assert_true(x.vector[0] == 1 && x.vector[1] == -0.5F);
    x = read_entity("{\"vector\":[2,3],\"id\":7,\"text\":null}");
    assert_int_equal(x.id.integer, 7);
    same(&x.texts, "{}");
    same(&x.attributes, "{}");
    refused("{\"vector\":[2,3]}", DQ_IMPORT_NO_ID, DQ_ERR_SCHEMA, "no id");
    refused("{\"id\":1,\"text\":\"x\",\"vector\":[2,3]}", DQ_IMPORT_MISTYPED, DQ_ERR_SCHEMA,
            "text is no object of texts");
}

/* The key "kind" is the stream's where it names one of its kinds, else an attribute. */
static void test_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        bool users, items;
    } cases[] = {{"{\"id\":1}", true, true},
                 {"{\"id\":1,\"kind\":\"users\"}", true, false},
                 {"{\"id\":1,\"kind\":\"items\"}", false, true},
                 {"{\"id\":1,\"kind\":\"rankings\"}", false, false},
                 {"{\"id\":1,\"kind\":\"novel\"}", true, true},
                 {"{\"id\":1,\"kind\":\"a kind of a long name\"}", true, true},
                 {"{\"id\":1,\"kind\":7}", true, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dq_value v = parse(cases[i].json);
        assert_int_equal(dq_import_is_for(&v, DQ_KIND_USERS), cases[i].users);
        assert_int_equal(dq_import_is_for(&v, DQ_KIND_ITEMS), cases[i].items);
    }
    dq_import_entity x = read_entity("{\"id\":1,\"kind\":\"users\"}");
    same(&x.attributes, "{}");
    x = read_entity("{\"id\":1,\"kind\":\"novel\"}");
    same(&x.attributes, "{\"kind\":\"novel\"}");
}

/* ---- vectors ---- */

static void test_one_field(void **state)
{
    (void)state;
    read_entity("{\"id\":1,\"vector\":[1,2,3]}");
    assert_true(layout.known);
    assert_int_equal(layout.count, 1);
    assert_string_equal(layout.fields[0].name, "vector");
    assert_int_equal(layout.width, 3);
    read_entity("{\"id\":2,\"vector\":{\"vector\":[1,2,3]}}");
    refused("{\"id\":3,\"vector\":[1,2]}", DQ_IMPORT_WIDTH, DQ_ERR_SCHEMA,
            "vector has 2 numbers where 3 are expected");
    refused("{\"id\":3,\"vector\":{\"vector\":[1,2,3],\"b\":[1]}}", DQ_IMPORT_WIDTH, DQ_ERR_SCHEMA,
            "vector has 2 fields where the first has 1");
    refused("{\"id\":3,\"vector\":{\"other\":[1,2,3]}}", DQ_IMPORT_MISSING, DQ_ERR_SCHEMA,
            "vector has no field 'vector', which the first has");
    refused("{\"id\":3,\"vector\":\"1,2,3\"}", DQ_IMPORT_MISTYPED, DQ_ERR_SCHEMA,
            "vector is neither a list nor an object of lists");
    refused("{\"id\":3}", DQ_IMPORT_MISSING, DQ_ERR_SCHEMA, "no vector");
    refused("{\"id\":3,\"vector\":null}", DQ_IMPORT_MISSING, DQ_ERR_SCHEMA, "no vector");
    refused("{\"id\":3,\"vector\":[1,2,1e39]}", DQ_IMPORT_NOT_FINITE, DQ_ERR_NUMERIC,
            "vector: element 2 is not finite as a float32");
}

static void test_several_fields(void **state)
{
    (void)state;
    dq_import_entity x = read_entity("{\"id\":1,\"vector\":{\"hard\":[1,2],\"soft\":[3]}}");
    assert_int_equal(layout.count, 2);
    assert_string_equal(layout.fields[1].name, "soft");
    assert_int_equal(layout.fields[1].offset, 2);
    assert_int_equal(layout.fields[1].width, 1);
    assert_int_equal(layout.width, 3);
    x = read_entity("{\"id\":2,\"vector\":{\"soft\":[6],\"hard\":[4,5]}}");
    assert_true(x.vector[0] == 4 && x.vector[1] == 5 && x.vector[2] == 6);
    refused("{\"id\":3,\"vector\":[1,2,3]}", DQ_IMPORT_MISSING, DQ_ERR_SCHEMA,
            "vector has no field 'hard', which the first has");
    refused("{\"id\":3,\"vector\":{\"hard\":[1,2]}}", DQ_IMPORT_WIDTH, DQ_ERR_SCHEMA,
            "vector has 1 fields where the first has 2");
    refused("{\"id\":3,\"vector\":{\"hard\":[1,2],\"soft\":7}}", DQ_IMPORT_MISTYPED, DQ_ERR_SCHEMA,
            "soft is no list of numbers");
}

static void test_no_vectors(void **state)
{
    (void)state;
    assert_null(read_entity("{\"id\":1}").vector);
    assert_true(layout.known);
    assert_int_equal(layout.width, 0);
    assert_null(read_entity("{\"id\":2,\"vector\":null}").vector);
    refused("{\"id\":3,\"vector\":[1]}", DQ_IMPORT_WIDTH, DQ_ERR_SCHEMA,
            "a vector, where the first has none");
}

/* A faulty document says nothing about the others. */
static void test_the_first_good_one_decides(void **state)
{
    (void)state;
    refused("{\"id\":1,\"vector\":[]}", DQ_IMPORT_WIDTH, DQ_ERR_SCHEMA, "vector: no numbers");
    refused("{\"id\":1,\"vector\":{\"a\":[1],\"b\":[]}}", DQ_IMPORT_WIDTH, DQ_ERR_SCHEMA,
            "vector: no numbers");
    refused("{\"id\":1,\"vector\":{\"a\":1}}", DQ_IMPORT_MISTYPED, DQ_ERR_SCHEMA,
            "vector: a field is no list of numbers");
    refused("{\"id\":1,\"vector\":[1,2,\"3\"]}", DQ_IMPORT_MISTYPED, DQ_ERR_SCHEMA,
            "vector: element 2 is no number");
    assert_false(layout.known);
    read_entity("{\"id\":1,\"vector\":{\"b\":[1,2]}}");
    assert_int_equal(layout.count, 1);
    assert_string_equal(layout.fields[0].name, "b");
    assert_int_equal(layout.width, 2);
}

/* ---- interactions ---- */

static void test_interaction(void **state)
{
    (void)state;
    dq_value v = parse("{\"who\":\"u1\",\"what\":7,\"label\":\"a\",\"score\":0.5,\"_id\":3}");
    dq_import_interaction x;
    dq_error e = DQ_ERROR_NONE;
    const dq_import_interaction_keys all = {"who", "what", "label", "score", "_id", NULL, NULL};
    assert_int_equal(dq_import_read_interaction(&v, &all, &arena, &x, &e), DQ_IMPORT_FINE);
    assert_int_equal(x.item.integer, 7);
    assert_true(dq_value_is(&x.label, "a"));
    assert_true(x.reward == 0.5F);
    same(&x.attributes, "{}");
    const dq_import_interaction_keys few = {.user = "who", .item = "what"};
    assert_int_equal(dq_import_read_interaction(&v, &few, &arena, &x, &e), DQ_IMPORT_FINE);
    assert_int_equal(x.label.type, DQ_NIL);
    assert_true(isnan(x.reward));
    same(&x.attributes, "{\"label\":\"a\",\"score\":0.5,\"_id\":3}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_entity, forget),
        cmocka_unit_test_teardown(test_kinds, forget),
        cmocka_unit_test_teardown(test_one_field, forget),
        cmocka_unit_test_teardown(test_several_fields, forget),
        cmocka_unit_test_teardown(test_no_vectors, forget),
        cmocka_unit_test_teardown(test_the_first_good_one_decides, forget),
        cmocka_unit_test_teardown(test_interaction, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
