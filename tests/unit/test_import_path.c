/* SPDX-License-Identifier: MIT
 *
 * Paths into documents: what is found, what is left, and what is refused.
 */
#include "import/path.h"

#include "port/files/ejson.h"
#include "port/files/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The document after flattening two names (or one, with NULL), or "!" and why it is refused. */
static void flattens(const char *json, const char *first, const char *second, const char *want)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_json_text out = DQ_JSON_TEXT_EMPTY;
    dq_error e = DQ_ERROR_NONE;
    const char *const names[] = {first, second};
    dq_value v;
    char got[512];
    assert_int_equal(dq_ejson_parse(json, strlen(json), &arena, &v, &e), DQ_OK);
    dq_import_fault fault = dq_import_flatten(&v, names, second ? 2 : 1, &arena, &e);
    if (!fault) assert_int_equal(dq_json_write(&out, &v, &e), DQ_OK);
    (void)snprintf(got, sizeof got, "%s%.*s", fault ? "!" : "", fault ? 400 : (int)out.bytes,
                   fault ? e.reason : out.data);
    assert_string_equal(got, want);
    dq_json_text_free(&out);
    dq_arena_free(&arena);
}

static void test_paths(void **state)
{
    (void)state;
    flattens("{\"a\":{\"b\":1,\"c\":2}}", "a.b", NULL, "{\"a\":{\"c\":2},\"a.b\":1}");
    flattens("{\"a\":{\"b\":1}}", "a.b", NULL, "{\"a.b\":1}");
    flattens("{\"a\":{\"b\":{\"c\":[1]}},\"x\":0}", "a.b.c", "x", "{\"x\":0,\"a.b.c\":[1]}");
    flattens("{\"a\":{\"b\":1,\"c\":2}}", "a.b", "a.c", "{\"a.b\":1,\"a.c\":2}");
    flattens("{\"a\":{\"b\":{\"c\":1}}}", "a.b", "a.b.c", "{\"a.b\":{\"c\":1},\"a.b.c\":1}");
    flattens("{\"a\":[{\"b\":1},{\"b\":2}]}", "a.1.b", NULL, "{\"a\":[{\"b\":1},{\"b\":2}],\"a.1.b\":2}");
    flattens("{\"a\":{\"0\":7}}", "a.0", NULL, "{\"a.0\":7}");
}

static void test_nothing_there(void **state)
{
    (void)state;
    flattens("{\"a\":{\"b\":1}}", "a.x", NULL, "{\"a\":{\"b\":1}}");
    flattens("{\"a\":5}", "a.x", NULL, "{\"a\":5}");
    flattens("{\"a\":null}", "a.x", NULL, "{\"a\":null}");
    flattens("{\"a\":[1]}", "a.1", NULL, "{\"a\":[1]}");
    flattens("{\"a\":[1]}", "a.99999999999999999999", NULL, "{\"a\":[1]}");
    flattens("{\"b\":1}", "a.b", "b", "{\"b\":1}");
}

static void test_a_key_with_points(void **state)
{
    (void)state;
    flattens("{\"a.b\":1,\"a\":{\"b\":2}}", "a.b", NULL, "{\"a.b\":1,\"a\":{\"b\":2}}");
}

static void test_lists(void **state)
{
    (void)state;
    flattens("{\"a\":[{\"b\":1}]}", "a.b", NULL,
             "!a is a list: a.0.b takes it of the first element, a is all of it");
    flattens("{\"a\":{\"b\":[1]}}", "a.b.c.d", NULL,
             "!a.b is a list: a.b.0.c.d takes it of the first element, a.b is all of it");
    flattens("{\"a\":[1,2]}", "a.1x", NULL,
             "!a is a list: a.0.1x takes it of the first element, a is all of it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_paths), cmocka_unit_test(test_nothing_there),
                                       cmocka_unit_test(test_a_key_with_points),
                                       cmocka_unit_test(test_lists)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
