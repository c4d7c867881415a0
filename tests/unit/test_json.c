/* SPDX-License-Identifier: MIT
 *
 * JSON in and out: what is read, what is refused and with which words, and that numbers come back.
 */
#include "port/files/json.h"

#include "core/rng.h"
#include "core/utf8.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static dq_arena arena;

static dq_value parse(const char *text)
{
    dq_error e = DQ_ERROR_NONE;
    dq_value v = dq_nil();
    dq_status status = dq_json_parse(text, strlen(text), &arena, &v, &e);
    if (status) fail_msg("%s: %s", text, e.reason);
    return v;
}

static void written_as(const dq_value *v, const char *expected)
{
    dq_error e = DQ_ERROR_NONE;
    dq_json_text out = DQ_JSON_TEXT_EMPTY;
    assert_int_equal(dq_json_write(&out, v, &e), DQ_OK);
    assert_int_equal(out.bytes, strlen(expected));
    assert_memory_equal(out.data, expected, out.bytes);
    dq_json_text_free(&out);
}

/* Read and written once, a text is canonical: it stays so. */
static void becomes(const char *text, const char *expected)
{
    dq_value v = parse(text);
    written_as(&v, expected);
    v = parse(expected);
    written_as(&v, expected);
    dq_arena_free(&arena);
}

static void refused(const char *text, size_t bytes, const char *words)
{
    dq_error e = DQ_ERROR_NONE;
    dq_value v;
    assert_int_equal(dq_json_parse(text, bytes, &arena, &v, &e), DQ_ERR_FORMAT);
    if (!strstr(e.reason, words)) fail_msg("'%s' lacks '%s'", e.reason, words);
    dq_arena_free(&arena);
}

static void test_values(void **state)
{
    (void)state;
    becomes(" { \"b\" : [ 1 , 2.50, null, true, false ], \"a\": {} } ",
            "{\"b\":[1,2.5,null,true,false],\"a\":{}}");
    becomes("\"\\u00e9\\ud83d\\ude00\\n\\t\\\"\\\\\\/\\u0001\\u0000\"",
            "\"\xc3\xa9\xf0\x9f\x98\x80\\n\\t\\\"\\\\/\\u0001\\u0000\"");
    becomes("[]", "[]");
    becomes("7", "7");
}

static void test_types(void **state)
{
    (void)state;
    dq_value v = parse("[9223372036854775807, -9223372036854775808, 1.0, 1e2, 0.1]");
    assert_int_equal(v.as.list[0].type, DQ_INT);
    assert_true(v.as.list[0].as.integer == INT64_MAX);
    assert_true(v.as.list[1].as.integer == INT64_MIN);
    for (int i = 2; i < 5; i++) assert_int_equal(v.as.list[i].type, DQ_REAL);
    written_as(&v, "[9223372036854775807,-9223372036854775808,1.0,100.0,0.1]");
    dq_arena_free(&arena);
}

static void test_integers_over_64_bits_are_reals(void **state)
{
    (void)state;
    dq_value v = parse("{\"big\":18446744073709551616,\"id\":42,\"x\":0.5}");
    assert_int_equal(dq_map_get(&v, "big")->type, DQ_REAL);
    assert_true(dq_map_get(&v, "big")->as.real == 0x1p64);
    assert_int_equal(dq_map_get(&v, "id")->type, DQ_INT);
    assert_int_equal(dq_map_get(&v, "id")->as.integer, 42);
    dq_arena_free(&arena);
    const char lossy[] = "[18446744073709551616,9007199254740995]";
    refused(lossy, strlen(lossy), "an integer over 64 bits stands beside one over 53 bits");
}

static void test_lists_and_maps_can_grow(void **state)
{
    (void)state;
    dq_value v = parse("[1,2,3,4,5]"), m = parse("{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5}");
    for (int i = 6; i <= 40; i++) {
        char key[8];
        (void)snprintf(key, sizeof key, "k%d", i);
        assert_true(dq_list_add(&arena, &v, dq_int(i)));
        assert_true(dq_map_set(&arena, &m, key, dq_int(i)));
    }
    for (int i = 0; i < 40; i++) assert_int_equal(v.as.list[i].as.integer, i + 1);
    assert_int_equal(m.count, 40);
    dq_arena_free(&arena);
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } bad[] = {
        {"", "JSON: "},
        {"{", "JSON: "},
        {"[1,]", "JSON: "},
        {"[1 2]", "JSON: "},
        {"{\"a\":1}}", "JSON: end of file expected near '}' at byte 8"},
        {"NaN", "JSON: invalid token near 'NaN' at byte 3"},
        {"[Infinity]", "JSON: "},
        {"[-Infinity]", "JSON: "},
        {"1e999", "JSON: "},
        {"{\"a\":1,\"a\":2}", "JSON: duplicate object key"},
        {"'a'", "JSON: "},
        {"\"\xff\"", "JSON: "},
        {"\"\xc0\x80\"", "JSON: "},
        {"\"\xed\xa0\x80\"", "JSON: "},
        {"\"\\ud800\"", "JSON: "},
        {"\"a", "JSON: "},
        {"01", "JSON: "},
        {"// 1\n1", "JSON: "},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refused(bad[i].text, strlen(bad[i].text), bad[i].words);
}

static void nested(size_t depth, bool good)
{
    char *text = malloc(2 * depth);
    assert_non_null(text);
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    dq_error e = DQ_ERROR_NONE;
    dq_value v;
    if (good)
        assert_int_equal(dq_json_parse(text, 2 * depth, &arena, &v, &e), DQ_OK);
    else
        refused(text, 2 * depth, "JSON: nested deeper than 32");
    dq_arena_free(&arena);
    free(text);
}

static void test_depth(void **state)
{
    (void)state;
    nested(DQ_JSON_DEPTH, true);
    nested(DQ_JSON_DEPTH + 1, false);
    nested(10000, false);
    nested(1000000, false);
}

static void test_every_kind_of_float_comes_back(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    for (uint32_t i = 0; i < 100000; i++) {
        uint32_t bits = i * 2654435761U;
        float number;
        memcpy(&number, &bits, sizeof bits);
        if (!isfinite(number)) continue;
        dq_json_text out = DQ_JSON_TEXT_EMPTY;
        assert_int_equal(dq_json_write_floats(&out, &number, 1, &e), DQ_OK);
        dq_value v;
        assert_int_equal(dq_json_parse(out.data, out.bytes, &arena, &v, &e), DQ_OK);
        float back = (float)dq_value_number(&v.as.list[0], NAN);
        assert_memory_equal(&back, &number, sizeof back);
        dq_json_text_free(&out);
        dq_arena_free(&arena);
    }
}

/* As printf writes them: all exponents, and the numbers about powers of ten. */
static void test_floats_are_written_as_printf_does(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_json_text out = DQ_JSON_TEXT_EMPTY;
    for (uint32_t i = 0; i < 1000000; i++) {
        char expected[40];
        uint32_t bits = i * 2654435761U;
        float number;
        memcpy(&number, &bits, sizeof bits);
        if (i % 4 == 1)
            number = powf(10, (float)((int)(i / 4 % 20) - 7)) * (1 + (float)(i % 9 - 4.0) * 0x1p-23F);
        if (i % 4 == 2) number = (float)(i % 4001) / 1000 - 2;
        if (!isfinite(number) || number == 0) continue;
        out.bytes = 0;
        assert_int_equal(dq_json_write_floats(&out, &number, 1, &e), DQ_OK);
        int n = snprintf(expected, sizeof expected, "[%.9g]", (double)number);
        if (out.bytes != (size_t)n || memcmp(out.data, expected, out.bytes) != 0)
            fail_msg("%.*s for %s", (int)out.bytes, out.data, expected);
    }
    dq_json_text_free(&out);
}

static void test_negative_zero(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    const float zeros[] = {-0.0F, 0.0F, 1.0F, 0.1F};
    dq_json_text out = DQ_JSON_TEXT_EMPTY;
    assert_int_equal(dq_json_write_floats(&out, zeros, 4, &e), DQ_OK);
    assert_int_equal(out.bytes, strlen("[-0.0,0,1,0.100000001]"));
    assert_memory_equal(out.data, "[-0.0,0,1,0.100000001]", out.bytes);
    dq_json_text_free(&out);
    becomes("-0.0", "-0.0");
}

static void test_doubles_come_back(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    uint64_t bits = 88172645463325252U;
    for (int i = 0; i < 100000; i++) {
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        double number, back;
        memcpy(&number, &bits, sizeof bits);
        if (!isfinite(number)) continue;
        dq_json_text out = DQ_JSON_TEXT_EMPTY;
        assert_int_equal(dq_json_write_real(&out, number, &e), DQ_OK);
        dq_value v;
        assert_int_equal(dq_json_parse(out.data, out.bytes, &arena, &v, &e), DQ_OK);
        back = v.as.real;
        assert_int_equal(v.type, DQ_REAL);
        assert_memory_equal(&back, &number, sizeof back);
        dq_json_text_free(&out);
        dq_arena_free(&arena);
    }
}

static void test_floats_are_a_list(void **state)
{
    (void)state;
    const float numbers[] = {1, -0.0F, 0.1F, 1e-40F};
    dq_value v = {.type = DQ_FLOATS, .count = 4, .as.floats = numbers};
    written_as(&v, "[1,-0.0,0.100000001,9.9999461e-41]");
    v.count = 0;
    written_as(&v, "[]");
}

static void test_what_has_no_json(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_json_text out = DQ_JSON_TEXT_EMPTY;
    dq_value nan = dq_real(NAN), binary = {.type = DQ_BINARY};
    const float infinite = INFINITY;
    assert_int_equal(dq_json_write(&out, &nan, &e), DQ_ERR_NUMERIC);
    assert_int_equal(dq_json_write(&out, &binary, &e), DQ_ERR_UNSUPPORTED);
    assert_int_equal(dq_json_write_floats(&out, &infinite, 1, &e), DQ_ERR_NUMERIC);
    dq_json_text_free(&out);
}

/* Written as an escape is what core/utf8.h calls a control character, and JSON's own two; everything comes
 * back. */
static void test_no_control_character_leaves_raw(void **state)
{
    (void)state;
    for (unsigned code = 0; code < 0x800; code++) {
        char text[2] = {(char)(code < 0x80 ? code : 0xc0 | code >> 6), (char)(0x80 | (code & 63))};
        size_t n = code < 0x80 ? 1 : 2;
        bool control;
        dq_error e = DQ_ERROR_NONE;
        dq_json_text out = DQ_JSON_TEXT_EMPTY;
        dq_value v;
        (void)dq_utf8_next(text, n, &control);
        assert_int_equal(dq_json_write_string(&out, text, n, &e), DQ_OK);
        bool escaped = out.bytes != n + 2;
        assert_int_equal(escaped, control || code == '"' || code == '\\');
        if (code >= 0x7f && code < 0xa0) {
            char want[16];
            (void)snprintf(want, sizeof want, "\"\\u%04x\"", code);
            assert_int_equal(out.bytes, strlen(want));
            assert_memory_equal(out.data, want, out.bytes);
        }
        assert_int_equal(dq_json_parse(out.data, out.bytes, &arena, &v, &e), DQ_OK);
        assert_int_equal(v.count, n);
        assert_memory_equal(v.as.string, text, n);
        dq_json_text_free(&out);
        dq_arena_free(&arena);
    }
}

/* No byte of a text that is no UTF-8 is lost: whoever reads it refuses it. */
static void test_half_a_character(void **state)
{
    (void)state;
    static const char *const texts[] = {("\xc2"
                                         "A"),
                                        "\xc2\xc2", "\xc2", "\xc2\xe9"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        dq_error e = DQ_ERROR_NONE;
        dq_json_text out = DQ_JSON_TEXT_EMPTY;
        size_t n = strlen(texts[i]);
        assert_int_equal(dq_json_write_string(&out, texts[i], n, &e), DQ_OK);
        assert_int_equal(out.bytes, n + 2);
        assert_memory_equal(out.data + 1, texts[i], n);
        dq_json_text_free(&out);
    }
}

static void test_files(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    char path[] = "/tmp/dq-test-json-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    assert_non_null(file);
    assert_true(fputs("{\"a\": [1,\n 2]}\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    dq_value v;
    assert_int_equal(dq_json_read_file(path, &arena, &v, &e), DQ_OK);
    written_as(&v, "{\"a\":[1,2]}");
    dq_arena_free(&arena);
    (void)remove(path);
    assert_int_equal(dq_json_read_file(path, &arena, &v, &e), DQ_ERR_IO);
    assert_string_equal(e.source, path);
}

static void test_numbers_in_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double number;
    } numbers[] = {{"0", 0},  {"-12.50", -12.5}, {"+3", 3},     {".5", 0.5},
                   {"5.", 5}, {"1e3", 1000},     {"1E-1", 0.1}, {"1e999", INFINITY}};
    static const char *const others[] = {"",    " 1",  "1 ",  "0x10", "nan", "inf", "1e", "e1",
                                         "1e+", "1,5", "--1", "1-2",  ".",   "+",   "1_0"};
    double number;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        assert_true(dq_json_read_number(numbers[i].text, strlen(numbers[i].text), &number));
        assert_true(number == numbers[i].number);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (dq_json_read_number(others[i], strlen(others[i]), &number)) fail_msg("'%s'", others[i]);
    assert_false(dq_json_read_number("1\0002", 3, &number));
    assert_true(dq_json_read_number("12 3", 2, &number) && number == 12);
}

/* What is written without printf is what printf writes. */
static void same_as_printf(double number)
{
    static const int digits[] = {9, 15, 16, 17};
    char wanted[48] = "";
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(wanted, sizeof wanted - 2, "%.*g", digits[i], number);
        if (strtod(wanted, NULL) == number) break;
    }
    if (!strpbrk(wanted, ".e")) memcpy(wanted + strlen(wanted), ".0", 3);
    const dq_value value = dq_real(number);
    written_as(&value, wanted);
}

static void test_digits_are_those_of_printf(void **state)
{
    (void)state;
    static const double edges[] = {0.0001,
                                   0.00099999999,
                                   0.000999999999,
                                   1e8,
                                   999999999,
                                   1e9,
                                   99999999.5,
                                   999999999.5,
                                   0.1,
                                   0.3,
                                   1,
                                   10,
                                   100,
                                   123456789,
                                   12345678.9,
                                   0.999999999,
                                   0.9999999995,
                                   9.99999999,
                                   0};
    dq_rng rng = dq_rng_new(7);
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        const double around[] = {edges[i], -edges[i], nextafter(edges[i], 0), nextafter(edges[i], INFINITY),
                                 (double)nextafterf((float)edges[i], INFINITY)};
        for (size_t k = 0; k < sizeof around / sizeof *around; k++) same_as_printf(around[k]);
    }
    for (int i = 0; i < 20000; i++) {
        const double x = (dq_rng_uniform(&rng) - 0.5) * pow(10, (double)dq_rng_below(&rng, 24) - 12);
        char digits[32];
        same_as_printf(x);
        same_as_printf(rint(x * 1e5) / 1e5);
        same_as_printf((double)(float)x);
        (void)snprintf(digits, sizeof digits, "%.9g", (double)(float)x);
        if (dq_json_real_of((float)x) != strtod(digits, NULL)) fail_msg("%s", digits);
        same_as_printf(dq_json_real_of((float)x));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_integers_over_64_bits_are_reals),
        cmocka_unit_test(test_lists_and_maps_can_grow),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_every_kind_of_float_comes_back),
        cmocka_unit_test(test_floats_are_written_as_printf_does),
        cmocka_unit_test(test_negative_zero),
        cmocka_unit_test(test_doubles_come_back),
        cmocka_unit_test(test_digits_are_those_of_printf),
        cmocka_unit_test(test_floats_are_a_list),
        cmocka_unit_test(test_what_has_no_json),
        cmocka_unit_test(test_numbers_in_texts),
        cmocka_unit_test(test_no_control_character_leaves_raw),
        cmocka_unit_test(test_half_a_character),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
