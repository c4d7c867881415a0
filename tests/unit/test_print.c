/* SPDX-License-Identifier: MIT */
#include "inspect/print.h"

#include "dq/schema.h"
#include "port/files/rows.h"
#include "tables.h"

#include <math.h>

/* Prints all rows of a bundle by one of the two; `head` NULL: as JSON. */
static const char *printed(dq_bundle *b, dq_tsv_head *head, bool with_kind, dq_status want)
{
    static char text[2048];
    dq_json_text out = DQ_JSON_TEXT_EMPTY;
    dq_selection s = {0};
    assert_int_equal(dq_select_rows(&s, b, 0, NULL), DQ_OK);
    dq_status status = head ? dq_print_tsv(&out, b, &s, head, NULL)
                            : dq_print_json(&out, b, &s, with_kind, NULL);
    assert_int_equal(status, want);
    assert_true(out.bytes < sizeof text);
    if (out.bytes) memcpy(text, out.data, out.bytes);
    text[out.bytes] = '\0';
    dq_json_text_free(&out);
    dq_select_free(&s);
    dq_bundle_free(b);
    return text;
}

static dq_bundle items(const char *const *titles, const char *const *json)
{
    static const float vectors[4] = {1, 0.5F, -2, 3};
    dq_bundle b = table("items", 2);
    add_texts(&b, "id", DQ_TEXT, TEXTS("x", "y"));
    add_texts(&b, "text.title", DQ_TEXT, titles);
    add_texts(&b, "attr.pay", DQ_JSON, json);
    add_vectors(&b, DQ_F4, 2, vectors);
    return b;
}

static void json_leaves_nulls_out_and_gathers_texts(void **state)
{
    (void)state;
    dq_bundle b = items(TEXTS("a\tb", NULL), TEXTS("{\"a\": 1}", "2.50"));
    assert_string_equal(printed(&b, NULL, false, DQ_OK),
                        "{\"id\":\"x\",\"text\":{\"title\":\"a\\tb\"},\"pay\":{\"a\":1},\"vector\":[1,0.5]}\n"
                        "{\"id\":\"y\",\"pay\":2.5,\"vector\":[-2,3]}\n");
}

static void json_that_is_none_is_refused(void **state)
{
    (void)state;
    dq_bundle b = items(TEXTS("a", "b"), TEXTS("{", "1"));
    (void)printed(&b, NULL, false, DQ_ERR_FORMAT);
}

static void vectors_of_fields_have_names(void **state)
{
    (void)state;
    dq_bundle b = items(TEXTS(NULL, NULL), TEXTS(NULL, NULL));
    const dq_field fields[] = {{.name = "cf", .offset = 0, .width = 1},
                               {.name = "hash", .offset = 1, .width = 1}};
    assert_int_equal(dq_fields_write(fields, 2, &b.arena, &b.meta, NULL), DQ_OK);
    assert_string_equal(printed(&b, NULL, true, DQ_OK),
                        "{\"kind\":\"items\",\"id\":\"x\",\"vector\":{\"cf\":[1],\"hash\":[0.5]}}\n"
                        "{\"kind\":\"items\",\"id\":\"y\",\"vector\":{\"cf\":[-2],\"hash\":[3]}}\n");
}

static void numbers_keep_their_value(void **state)
{
    (void)state;
    const uint64_t big[2] = {UINT64_MAX, 0};
    const double real[2] = {0.1, -0.0};
    const float odd[2] = {NAN, 0.1F};
    dq_bundle b = table("other", 2);
    add_numbers(&b, "big", DQ_U8, big, NULL, NULL);
    add_numbers(&b, "real", DQ_F8, real, NULL, NULL);
    add_numbers(&b, "odd", DQ_F4, odd, NULL, NULL);
    assert_string_equal(printed(&b, NULL, false, DQ_OK),
                        "{\"big\":18446744073709551615,\"real\":0.10000000000000001,\"odd\":null}\n"
                        "{\"big\":0,\"real\":-0.0,\"odd\":0.100000001}\n");
}

static void a_model_is_a_line_a_tensor(void **state)
{
    (void)state;
    static const float weights[4] = {1, 2, 3, 4};
    const uint64_t shape[2] = {2, 2};
    dq_bundle b = table("model", 0);
    assert_true(dq_map_set(&b.arena, &b.meta, "n", dq_int(3)));
    assert_int_equal(dq_bundle_add_tensor(&b, "w", DQ_F4, 2, shape, weights, NULL), DQ_OK);
    assert_string_equal(printed(&b, NULL, false, DQ_OK),
                        "{\"meta\":{\"n\":3}}\n"
                        "{\"name\":\"w\",\"type\":\"f4\",\"shape\":[2,2],\"data\":[1,2,3,4]}\n");
}

static void tsv_has_the_first_columns_and_one_kind(void **state)
{
    (void)state;
    dq_tsv_head head = {0};
    dq_bundle b = items(TEXTS("a\tb\\", NULL), TEXTS("1", "[2]"));
    assert_string_equal(printed(&b, &head, false, DQ_OK), "id\ttext.title\tattr.pay\tvector\n"
                                                          "x\ta\\tb\\\\\t1\t[1,0.5]\n"
                                                          "y\t\t[2]\t[-2,3]\n");
    b = table("items", 1);
    add_texts(&b, "id", DQ_TEXT, TEXTS("z"));
    assert_string_equal(printed(&b, &head, false, DQ_OK), "z\t\t\t\n");
    b = table("items", 1);
    add_texts(&b, "id", DQ_TEXT, TEXTS("z"));
    add_texts(&b, "text.more", DQ_TEXT, TEXTS("z"));
    (void)printed(&b, &head, false, DQ_ERR_UNSUPPORTED);
    b = table("users", 1);
    add_texts(&b, "id", DQ_TEXT, TEXTS("u"));
    (void)printed(&b, &head, false, DQ_ERR_UNSUPPORTED);
    dq_arena_free(&head.arena);
}

static void the_fewest_digits_that_read_back(void **state)
{
    (void)state;
    char text[32];
    dq_rows_number(0.1, text);
    assert_string_equal(text, "0.1");
    dq_rows_number(0.1 + 0.2, text);
    assert_string_equal(text, "0.30000000000000004");
    dq_rows_number(NAN, text);
    assert_non_null(strstr(text, "nan"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_leaves_nulls_out_and_gathers_texts),
        cmocka_unit_test(json_that_is_none_is_refused),
        cmocka_unit_test(vectors_of_fields_have_names),
        cmocka_unit_test(numbers_keep_their_value),
        cmocka_unit_test(a_model_is_a_line_a_tensor),
        cmocka_unit_test(tsv_has_the_first_columns_and_one_kind),
        cmocka_unit_test(the_fewest_digits_that_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
