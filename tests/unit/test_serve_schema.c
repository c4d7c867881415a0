/* SPDX-License-Identifier: MIT
 *
 * Tables of fields: what they take, what they refuse and how they say it, and the JSON Schema that they are.
 */
#include "port/files/json.h"
#include "serve/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const colours[] = {"red", "blue", NULL};

static const dq_serve_field part_fields[] = {{"x", DQ_SERVE_NUMBER, .required = true, .min = 0, .max = 1},
                                             {0}};
static const dq_serve_schema part = {.name = "Part", .fields = part_fields};
static const dq_serve_schema scores = {.name = "Scores", .any = DQ_SERVE_NUMBER};

static const dq_serve_field fields[] = {
    {"id", DQ_SERVE_STRING | DQ_SERVE_INTEGER, .required = true, .max_length = 8, .help = "who"},
    {"n", DQ_SERVE_INTEGER, .min = 1, .max = 10},
    {"share", DQ_SERVE_NUMBER | DQ_SERVE_NULL, .min = 0, .max = 1},
    {"on", DQ_SERVE_BOOLEAN, .required = false},
    {"colour", DQ_SERVE_STRING, .choices = colours},
    {"ids", DQ_SERVE_LIST, .of_type = DQ_SERVE_STRING | DQ_SERVE_INTEGER, .max_length = 4, .max_items = 3},
    {"parts", DQ_SERVE_LIST, .of_type = DQ_SERVE_OBJECT, .of = &part},
    {"part", DQ_SERVE_OBJECT | DQ_SERVE_NULL, .of = &part},
    {"scores", DQ_SERVE_OBJECT, .of = &scores},
    {0}};
static const dq_serve_schema schema = {.name = "Whole", .fields = fields};

/* NULL: it is taken. */
static void check(const char *text, const char *reason)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value value;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_json_parse(text, strlen(text), &arena, &value, NULL), DQ_OK);
    const dq_status status = dq_serve_schema_check(&schema, &value, &e);
    assert_int_equal(status, reason ? DQ_ERR_SCHEMA : DQ_OK);
    if (reason) assert_string_equal(e.reason, reason);
    dq_arena_free(&arena);
}

static void test_what_is_taken(void **state)
{
    (void)state;
    check("{\"id\":\"a\"}", NULL);
    check("{\"id\":-7}", NULL);
    check("{\"id\":\"12345678\",\"n\":10,\"share\":0,\"on\":false,\"colour\":\"blue\",\"ids\":[\"a\",1,"
          "\"abcd\"],"
          "\"parts\":[{\"x\":0},{\"x\":1}],\"part\":{\"x\":0.5},\"scores\":{\"any\":1,\"name\":2.5}}",
          NULL);
    check("{\"id\":\"a\",\"share\":null,\"part\":null,\"ids\":[],\"parts\":[]}", NULL);
    check("{\"id\":\"\xc3\xa9\"}", NULL);
}

static void test_what_is_refused(void **state)
{
    (void)state;
    check("[]", "the whole: not an object");
    check("null", "the whole: not an object");
    check("{}", "/id: is missing");
    check("{\"id\":null}", "/id: not a string or an integer");
    check("{\"id\":1.5}", "/id: not a string or an integer");
    check("{\"id\":\"123456789\"}", "/id: longer than 8 bytes");
    check("{\"id\":\"a\\u0000b\"}", "/id: holds a NUL");
    check("{\"id\":1,\"other\":1}", "/other: there is no such field");
    check("{\"id\":1,\"n\":0}", "/n: not within 1 to 10");
    check("{\"id\":1,\"n\":11}", "/n: not within 1 to 10");
    check("{\"id\":1,\"n\":1.0}", "/n: not an integer");
    check("{\"id\":1,\"n\":\"1\"}", "/n: not an integer");
    check("{\"id\":1,\"share\":1.5}", "/share: not within 0 to 1");
    check("{\"id\":1,\"share\":true}", "/share: not a number or null");
    check("{\"id\":1,\"on\":0}", "/on: not true or false");
    check("{\"id\":1,\"colour\":\"green\"}",
          "/colour: not one of its choices, of which the first is \"red\"");
    check("{\"id\":1,\"ids\":\"a\"}", "/ids: not a list");
    check("{\"id\":1,\"ids\":[\"a\",[]]}", "/ids/1: not a string or an integer");
    check("{\"id\":1,\"ids\":[\"abcde\"]}", "/ids/0: longer than 4 bytes");
    check("{\"id\":1,\"ids\":[1,2,3,4]}", "/ids: more than 3 elements");
    check("{\"id\":1,\"parts\":[{\"x\":0},{}]}", "/parts/1/x: is missing");
    check("{\"id\":1,\"parts\":[{\"x\":0,\"y\":0}]}", "/parts/0/y: there is no such field");
    check("{\"id\":1,\"part\":{\"x\":2}}", "/part/x: not within 0 to 1");
    check("{\"id\":1,\"scores\":{\"a\":\"b\"}}", "/scores/a: not a number");
}

/* A name as long as a body: the place is cut, and nothing is written beyond it. */
static void test_long_names(void **state)
{
    (void)state;
    enum { LONG = 100000 };
    char *text = malloc(LONG + 20);
    assert_non_null(text);
    memcpy(text, "{\"", 2);
    memset(text + 2, 'k', LONG);
    memcpy(text + 2 + LONG, "\":1}", 5);
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value value;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_json_parse(text, strlen(text), &arena, &value, NULL), DQ_OK);
    assert_int_equal(dq_serve_schema_check(&schema, &value, &e), DQ_ERR_SCHEMA);
    assert_non_null(strstr(e.reason, "there is no such field"));
    dq_arena_free(&arena);
    free(text);
}

static void parse(const dq_serve_field *field, const char *words, const char *expected)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_json_text text = DQ_JSON_TEXT_EMPTY;
    dq_value value;
    dq_error e = DQ_ERROR_NONE;
    if (dq_serve_field_parse(field, words, &arena, &value, &e)) {
        assert_string_equal(e.reason, expected);
    } else {
        assert_int_equal(dq_json_write(&text, &value, NULL), DQ_OK);
        assert_int_equal(text.bytes, strlen(expected));
        assert_memory_equal(text.data, expected, text.bytes);
    }
    dq_json_text_free(&text);
    dq_arena_free(&arena);
}

static void test_parameters(void **state)
{
    (void)state;
    parse(&fields[0], "007", "\"007\"");
    parse(&fields[0], "", "\"\"");
    parse(&fields[0], "123456789", "/id: longer than 8 bytes");
    parse(&fields[1], "7", "7");
    parse(&fields[1], "0", "/n: not within 1 to 10");
    parse(&fields[1], "", "/n: not an integer");
    parse(&fields[1], "7x", "/n: not an integer");
    parse(&fields[1], " 7", "/n: not an integer");
    parse(&fields[1], "1.5", "/n: not an integer");
    parse(&fields[1], "99999999999999999999", "/n: not an integer");
    parse(&fields[2], "0.25", "0.25");
    parse(&fields[2], "1", "1.0");
    parse(&fields[2], "inf", "/share: not a number or null");
    parse(&fields[2], "1e999", "/share: not a number or null");
    parse(&fields[3], "true", "true");
    parse(&fields[3], "yes", "/on: not true or false");
    parse(&fields[4], "blue", "\"blue\"");
    parse(&fields[4], "green", "/colour: not one of its choices, of which the first is \"red\"");
}

static void test_the_description(void **state)
{
    (void)state;
    static const char expected[] =
        "{\"type\":\"object\",\"properties\":{"
        "\"id\":{\"type\":[\"string\",\"integer\"],\"maxLength\":8,\"description\":\"who\"},"
        "\"n\":{\"type\":\"integer\",\"minimum\":1.0,\"maximum\":10.0},"
        "\"share\":{\"type\":[\"number\",\"null\"],\"minimum\":0.0,\"maximum\":1.0},"
        "\"on\":{\"type\":\"boolean\"},"
        "\"colour\":{\"type\":\"string\",\"maxLength\":4096,\"enum\":[\"red\",\"blue\"]},"
        "\"ids\":{\"type\":\"array\",\"items\":{\"type\":[\"string\",\"integer\"],\"maxLength\":4},"
        "\"maxItems\":3},"
        "\"parts\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/"
        "Part\"},\"maxItems\":10000},"
        "\"part\":{\"anyOf\":[{\"$ref\":\"#/components/schemas/Part\"},{\"type\":\"null\"}]},"
        "\"scores\":{\"$ref\":\"#/components/schemas/Scores\"}},"
        "\"required\":[\"id\"],\"additionalProperties\":false}";
    static const char open[] =
        "{\"type\":\"object\",\"properties\":{},\"additionalProperties\":{\"type\":\"number\"}}";
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_json_text text = DQ_JSON_TEXT_EMPTY;
    dq_value value;
    assert_true(dq_serve_schema_describe(&schema, true, &arena, &value));
    assert_int_equal(dq_json_write(&text, &value, NULL), DQ_OK);
    assert_int_equal(dq_json_write_raw(&text, "", 1, NULL), DQ_OK);
    assert_string_equal(text.data, expected);
    text.bytes = 0;
    assert_true(dq_serve_schema_describe(&scores, true, &arena, &value));
    assert_int_equal(dq_json_write(&text, &value, NULL), DQ_OK);
    assert_int_equal(dq_json_write_raw(&text, "", 1, NULL), DQ_OK);
    assert_string_equal(text.data, open);
    text.bytes = 0; /* of an answer: the limits that the table has, and no other */
    assert_true(dq_serve_schema_describe(&schema, false, &arena, &value));
    assert_int_equal(dq_json_write(&text, &value, NULL), DQ_OK);
    assert_int_equal(dq_json_write_raw(&text, "", 1, NULL), DQ_OK);
    assert_non_null(strstr(text.data, "\"maxLength\":8"));
    assert_non_null(strstr(text.data, "\"maxItems\":3"));
    assert_null(strstr(text.data, "4096"));
    assert_null(strstr(text.data, "10000"));
    dq_json_text_free(&text);
    dq_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_taken),   cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_long_names),      cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_the_description),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
