/* SPDX-License-Identifier: MIT */
#include "report/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *written(dq_place_form form, const char *user, const char *item)
{
    static char text[200];
    dq_json_text line = DQ_JSON_TEXT_EMPTY;
    const dq_place place = {.user = user,
                            .user_bytes = strlen(user),
                            .item = item,
                            .item_bytes = strlen(item),
                            .rank = 2,
                            .score = 0.1};
    assert_int_equal(dq_place_write(&line, form, &place, "dq", NULL), DQ_OK);
    assert_true(line.bytes < sizeof text);
    memcpy(text, line.data, line.bytes);
    text[line.bytes] = '\0';
    dq_json_text_free(&line);
    return text;
}

static void a_place_has_three_forms(void **state)
{
    (void)state;
    assert_string_equal(written(DQ_PLACE_TREC, "u", "x"), "u Q0 x 2 0.1 dq\n");
    assert_string_equal(written(DQ_PLACE_TSV, "u\t", "x\\"), "u\\t\t2\tx\\\\\t0.1\n");
    assert_string_equal(written(DQ_PLACE_JSON, "u\"", "x"),
                        "{\"user\":\"u\\\"\",\"item\":\"x\",\"rank\":2,\"score\":0.1}\n");
}

static void trec_has_no_room_for_white_space(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_place_check("item", "a-b", 3, &e), DQ_OK);
    assert_int_equal(dq_place_check("item", "a b", 3, &e), DQ_ERR_UNSUPPORTED);
    assert_string_equal(e.reason,
                        "item a b has white space or a control character, which a TREC run cannot hold");
    for (int c = 0; c < 0x80; c++) { /* what dq's reader cuts at, and DEL */
        const char id[] = {'a', (char)c, 'b'};
        dq_status expected = c <= ' ' || c == 0x7f ? DQ_ERR_UNSUPPORTED : DQ_OK;
        if (dq_place_check("item", id, 3, NULL) != expected) fail_msg("byte %d", c);
    }
    static const char *const spaces[] = {"\u00a0",
                                         "\u1680",
                                         "a\u2003",
                                         "\u2028b",
                                         "\u3000",
                                         ("\ufeff"
                                          "a")};
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
        assert_int_equal(dq_place_check("user", spaces[i], strlen(spaces[i]), NULL), DQ_ERR_UNSUPPORTED);
    static const char *const fine[] = {"#1", "\u00e9", "\u03c0", "a\u2010b", "\U0001f600", "'\"\\"};
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        assert_int_equal(dq_place_check("user", fine[i], strlen(fine[i]), NULL), DQ_OK);
    assert_int_equal(dq_place_check("user", "a\xff", 2, NULL), DQ_ERR_FORMAT);
    assert_int_equal(dq_place_check("user", "", 0, &e), DQ_ERR_UNSUPPORTED);
}

/* A list that was drawn says how likely its places were, of which request they are and who drew. */
static void test_drawn(void **state)
{
    (void)state;
    dq_json_text line = DQ_JSON_TEXT_EMPTY;
    const dq_place place = {.user = "u",
                            .user_bytes = 1,
                            .item = "i",
                            .item_bytes = 1,
                            .rank = 2,
                            .score = 0.5,
                            .propensity = 0.1,
                            .request = "00ff",
                            .model = "a\tb"};
    assert_int_equal(dq_place_write(&line, DQ_PLACE_TSV, &place, "dq", NULL), DQ_OK);
    assert_int_equal(dq_place_write(&line, DQ_PLACE_JSON, &place, "dq", NULL), DQ_OK);
    assert_int_equal(dq_place_write(&line, DQ_PLACE_TREC, &place, "dq", NULL), DQ_OK);
    assert_int_equal(dq_json_write_raw(&line, "", 1, NULL), DQ_OK);
    assert_string_equal(line.data, "u\t2\ti\t0.5\t0.10000000000000001\t00ff\ta\\tb\n"
                                   "{\"user\":\"u\",\"item\":\"i\",\"rank\":2,\"score\":0.5,\"propensity\":"
                                   "0.10000000000000001,\"request\":\"00ff\",\"model\":\"a\\tb\"}\n"
                                   "u Q0 i 2 0.5 dq\n");
    dq_json_text_free(&line);
}

/* Texts of the item stand behind the rest: a text as it is, JSON as JSON, in a cell without quotes. */
static void test_texts(void **state)
{
    (void)state;
    static const dq_place_text texts[] = {{"title", "A \"b\"\tc", 7, false},
                                          {"city", "\"K\\u00f6ln\"", 11, true},
                                          {"none", NULL, 0, false},
                                          {"tags", "[1,\"x\"]", 7, true},
                                          {"null", "null", 4, true}};
    static const dq_place_text broken[] = {{"x", "[1", 2, true}};
    dq_json_text line = DQ_JSON_TEXT_EMPTY;
    dq_error e = DQ_ERROR_NONE;
    dq_place place = {"u", 1, "i", 1, 1, 0.5, 0, NULL, NULL, NULL, texts, 5};
    assert_int_equal(dq_place_write_header(&line, false, false, texts, 5, NULL), DQ_OK);
    assert_int_equal(dq_place_write(&line, DQ_PLACE_TSV, &place, "dq", NULL), DQ_OK);
    assert_int_equal(dq_place_write(&line, DQ_PLACE_JSON, &place, "dq", NULL), DQ_OK);
    assert_int_equal(dq_place_write_header(&line, true, true, NULL, 0, NULL), DQ_OK);
    assert_int_equal(dq_json_write_raw(&line, "", 1, NULL), DQ_OK);
    assert_string_equal(line.data,
                        "user\trank\titem\tscore\ttitle\tcity\tnone\ttags\tnull\n"
                        "u\t1\ti\t0.5\tA \"b\"\\tc\tK\u00f6ln\t\t[1,\"x\"]\t\n"
                        "{\"user\":\"u\",\"item\":\"i\",\"rank\":1,\"score\":0.5,\"title\":\"A "
                        "\\\"b\\\"\\tc\",\"city\":\"K\u00f6ln\",\"tags\":[1,\"x\"],\"null\":null}\n"
                        "user\trank\titem\tscore\tpropensity\trequest\tmodel\tdisagreement\n");
    place.texts = broken;
    place.text_count = 1;
    assert_int_equal(dq_place_write(&line, DQ_PLACE_JSON, &place, "dq", &e), DQ_ERR_FORMAT);
    dq_json_text_free(&line);
    assert_true(dq_place_has_column("rank"));
    assert_true(dq_place_has_column("model"));
    assert_false(dq_place_has_column("title"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_has_three_forms),
        cmocka_unit_test(test_drawn),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(trec_has_no_room_for_white_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
