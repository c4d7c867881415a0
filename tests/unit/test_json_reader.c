/* SPDX-License-Identifier: MIT
 *
 * The fast readers of texts against the slow ones: simdjson's reader against jansson's (value, status and
 * words, of good, odd and damaged texts), numbers against strtod bit by bit, cells against JSON, lines cut
 * against a walk over their bytes.
 */
#include "port/text/json_reader.h"

#include "core/rng.h"
#include "port/files/json.h"
#include "port/text/cell.h"
#include "port/text/cut.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static dq_json_reader *reader;

static int make_reader(void **state)
{
    (void)state;
    reader = dq_json_reader_new();
    return reader ? 0 : -1;
}

static int free_reader(void **state)
{
    (void)state;
    dq_json_reader_free(reader);
    return 0;
}

/* ---- JSON ---- */

/* Both say the same. */
static void agree(const char *text, size_t n)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_error slow = DQ_ERROR_NONE, fast = DQ_ERROR_NONE;
    dq_value a = dq_nil(), b = dq_nil();
    const dq_status expected = dq_json_parse(text, n, &arena, &a, &slow);
    const dq_status got = dq_json_reader_parse(reader, text, n, &arena, &b, &fast);
    if (got != expected || strcmp(slow.reason, fast.reason) != 0)
        fail_msg("%.*s: '%s' and not '%s'", (int)n, text, fast.reason, slow.reason);
    if (!got && !dq_value_equal(&a, &b)) fail_msg("%.*s: another value", (int)n, text);
    dq_arena_free(&arena);
}

static const char *const texts[] = {
    ("{\"id\":\"i1\",\"text\":{\"title\":\"a\\u00e9\\n\"},\"vector\":[0.1,-2.5e-3,3,0,-0,-0.0,1e22,"
     "123456789012]}"),
    "{\"a\":[[1,[2,{\"b\":null}]],true,false],\"\":\"\",\"c\":\"\\ud83d\\ude00\"}",
    "[9223372036854775807,-9223372036854775808,1.0,0.30000000000000004,5e-324,1.7976931348623157e308]",
    "[9223372036854775808]",
    "[18446744073709551615,1]",
    "[18446744073709551616,0.5]",
    "[18446744073709551616,9007199254740995]",
    "[-9223372036854775809]",
    "[1e309]",
    "[-1e309]",
    "[1e-400,-1e-400]",
    "{\"a\":1,\"a\":2}",
    "{\"a\":{\"b\":1,\"c\":2,\"b\":3}}",
    "{\"a\\u0000\":1}",
    "\"a\\u0000b\"",
    "\"\\ud800\"",
    "\"\\udc00\"",
    "\"\\ud800\\u0041\"",
    "\"\\udc00\\ud800\"",
    "\"\xed\xa0\x80\"",
    "\"\xc0\x80\"",
    "\"\xf4\x90\x80\x80\"",
    "\"\xef\xbf\xbf\xef\xb7\x90\"",
    "\"\x7f\xc2\x80\"",
    "\"a\tb\"",
    "\"\\x41\"",
    "\xef\xbb\xbf{}",
    "{}",
    " [ ] ",
    "\v[]",
    "\f1",
    "1 2",
    "{} {}",
    "[1,]",
    "[,1]",
    "{\"a\":1,}",
    "{\"a\" 1}",
    "{a:1}",
    "NaN",
    "[-Infinity]",
    "tru",
    "truex",
    "nul",
    "01",
    "-01",
    "-",
    "+1",
    ".5",
    "5.",
    "1.e5",
    "1e",
    "1e+",
    "0x10",
    "1_000",
    "// a\n1",
    "'a'",
    "\"",
    "[\"a",
    "",
    " ",
    "[1]]",
    "[}",
    "{\"a\":}",
    "\"\\\"",
    "\"\\u12\"",
};
enum { TEXTS = sizeof texts / sizeof *texts };

static void test_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEXTS; i++) agree(texts[i], strlen(texts[i]));
    agree("1\0", 2);
    agree("\"a\0b\"", 5);
    agree("\0", 1);
}

/* Whatever is done to them: a byte changed, taken out, put in. */
static void test_damaged_texts(void **state)
{
    (void)state;
    static const char often[] = "{}[]\",:\\0123456789eE+-.utrfalsn \n\xc3\xa9\xf0\x9f";
    dq_rng rng = dq_rng_new(1);
    for (size_t round = 0; round < 60000; round++) {
        char text[160];
        const char *from = texts[round % TEXTS];
        size_t n = strlen(from);
        memcpy(text, from, n);
        for (size_t changes = 1 + dq_rng_below(&rng, 3); changes > 0 && n > 0; changes--) {
            const size_t at = dq_rng_below(&rng, n), way = dq_rng_below(&rng, 3);
            const char byte = often[dq_rng_below(&rng, sizeof often - 1)];
            if (way == 0) text[at] = byte;
            if (way == 1) memmove(text + at, text + at + 1, --n - at);
            if (way != 2) continue;
            memmove(text + at + 1, text + at, n++ - at);
            text[at] = byte;
        }
        agree(text, n);
    }
}

static void nested(size_t depth, char open, char close)
{
    char *text = malloc(8 * depth);
    size_t n = 0;
    assert_non_null(text);
    for (size_t i = 0; i < depth; i++) {
        text[n++] = open;
        if (open == '{') n += (size_t)sprintf(text + n, "\"a\":");
    }
    text[n++] = '1';
    for (size_t i = 0; i < depth; i++) text[n++] = close;
    agree(text, n);
    free(text);
}

static void test_depth(void **state)
{
    (void)state;
    for (size_t depth = DQ_JSON_DEPTH - 1; depth < DQ_JSON_DEPTH + 3; depth++) {
        nested(depth, '[', ']');
        nested(depth, '{', '}');
    }
    nested(5000, '[', ']');
}

/* Few keys are compared each with each, many by jansson. */
static void test_many_keys(void **state)
{
    (void)state;
    for (size_t count = 250; count < 262; count++) {
        char text[8192], twice[8192];
        size_t n = 0;
        for (size_t i = 0; i < count; i++)
            n += (size_t)sprintf(text + n, "%c\"k%zu\":%zu", i ? ',' : '{', i, i);
        memcpy(twice, text, n);
        const size_t m = n + (size_t)sprintf(twice + n, ",\"k%zu\":1}", count / 2);
        text[n++] = '}';
        agree(text, n);
        agree(twice, m);
    }
}

static void test_a_short_text_after_a_long_one(void **state)
{
    (void)state;
    char *text = malloc(3 << 20);
    size_t n = 0;
    assert_non_null(text);
    for (int i = 0; i < 200000; i++) n += (size_t)sprintf(text + n, "%c%d.%d", i ? ',' : '[', i, i);
    text[n++] = ']';
    agree(text, n);
    agree("[1,2]", 5);
    agree(text, n - 1);
    agree("{\"a\":\"b\"}", 9);
    free(text);
}

/* ---- numbers ---- */

static void same_number(const char *text)
{
    double number = -1;
    char *end;
    const double expected = strtod(text, &end);
    const size_t n = dq_json_reader_number(text, strlen(text), &number);
    if (!n && (!isfinite(expected) || fabs(expected) < 0x1p-1022)) return; /* strtod has to say */
    if (n != (size_t)(end - text)) fail_msg("%s: %zu bytes and not %zu", text, n, (size_t)(end - text));
    if (memcmp(&number, &expected, sizeof number) != 0)
        fail_msg("%s: %.17g and not %.17g", text, number, expected);
}

/* Halves between two doubles, the ends of the range, more digits than a double has. */
static void test_hard_numbers(void **state)
{
    (void)state;
    static const char *const hard[] = {
        "9007199254740993",
        "9007199254740992.5",
        "9007199254740993.0000000000000000000000000000001",
        "9007199254740991.4999999999999999999999999999999995",
        "2.2250738585072011e-308",
        "2.2250738585072014e-308",
        "4.9406564584124654e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "8.98846567431158e307",
        "1e23",
        "8.5e22",
        "3.7e22",
        "1e22",
        "1e-22",
        "6.9294956446009195e15",
        "0.000000000000000000000000000000000000000000000000000000000000123456789",
        "123456789012345678901234567890",
        "0.1",
        "0.10000000149011612",
        "-0",
        "-0.0",
        "0e999",
        "1.8e-305",
        "7.2057594037927933e16",
        "1.00000000000000011102230246251565404236316680908203125",
        "1.00000000000000011102230246251565404236316680908203124",
        "1.00000000000000011102230246251565404236316680908203126",
        "5e-324",
        "1e-323",
        "65536.000000000000007"};
    for (size_t i = 0; i < sizeof hard / sizeof *hard; i++) same_number(hard[i]);
}

static void test_numbers_are_strtod_s(void **state)
{
    (void)state;
    static const char *const forms[] = {"%.17g", "%.9g", "%.16e", "%.20f", "%.15g", "%.3f"};
    dq_rng rng = dq_rng_new(2);
    for (size_t i = 0; i < 600000; i++) {
        char text[400];
        uint64_t bits = dq_rng_u64(&rng);
        double number;
        memcpy(&number, &bits, sizeof bits);
        if (i % 2) number = dq_rng_normal(&rng);
        if (i % 8 == 5) number = (double)(float)number;
        if (!isfinite(number)) continue;
        (void)snprintf(text, sizeof text, forms[i % 6], number);
        same_number(text);
        if (i % 16 == 0) { /* the half between this and the next, and next to that */
            const size_t n = (size_t)snprintf(text, sizeof text, "%.60e", number);
            text[dq_rng_below(&rng, n - 6) + 3] = (char)('0' + i % 10);
            same_number(text);
        }
    }
}

static void test_what_is_no_number(void **state)
{
    (void)state;
    static const char *const none[] = {"", "-", "+1", "nan", "inf", "-inf", "x", " 1", "--1", ".", "-."};
    double number;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(dq_json_reader_number(none[i], strlen(none[i]), &number), 0);
    assert_int_equal(dq_json_reader_number("1.5,2", 5, &number), 3);
    assert_int_equal(dq_json_reader_number("0x10", 4, &number), 1);
    assert_int_equal(dq_json_reader_number("12", 1, &number), 1);
}

/* ---- cells ---- */

/* What the cell is where jansson is asked; a text where it refuses. */
static void same_cell(const char *text, size_t n)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_error none = DQ_ERROR_NONE;
    dq_value expected, got;
    if (dq_json_parse(text, n, &arena, &expected, &none)) expected = dq_string_n(&arena, text, n);
    if (dq_cell_read(text, n, &got) && !dq_value_equal(&got, &expected))
        fail_msg("'%.*s' is another value", (int)n, text);
    dq_arena_free(&arena);
}

static void test_cells(void **state)
{
    (void)state;
    static const char bytes[] = "0123456789-+.eE truefalsn\"[{,x\t\xc3";
    static const char *const known[] = {"0",
                                        "-0",
                                        "-1",
                                        "007",
                                        "1.50",
                                        "1e5",
                                        "1E-3",
                                        "true",
                                        "false",
                                        "null",
                                        "nul",
                                        "truex",
                                        "true ",
                                        " 1",
                                        "1 ",
                                        "1\t2",
                                        "2004-01-01T00:00:00Z",
                                        "978300760",
                                        "999999999999999999",
                                        "9223372036854775808",
                                        "-9223372036854775808",
                                        "1e999",
                                        "1e-999",
                                        "0.1.2",
                                        "12abc",
                                        "\xc3\xa9",
                                        "[1,2]",
                                        "{\"a\":1}",
                                        "\"a\""};
    dq_rng rng = dq_rng_new(3);
    dq_value v;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) same_cell(known[i], strlen(known[i]));
    same_cell("1\0", 2);
    same_cell("\0", 1);
    assert_true(dq_cell_read("978300760", 9, &v) && v.type == DQ_INT); /* these are not left to JSON */
    assert_true(dq_cell_read("3.5", 3, &v) && v.type == DQ_REAL && v.as.real == 3.5);
    assert_true(dq_cell_read("2004-01-01", 10, &v) && v.type == DQ_STRING);
    for (size_t i = 0; i < 300000; i++) {
        char text[16];
        const size_t n = 1 + dq_rng_below(&rng, 8);
        for (size_t k = 0; k < n; k++) text[k] = bytes[dq_rng_below(&rng, sizeof bytes - 1)];
        text[n] = '\0';
        same_cell(text, n);
    }
}

/* ---- lines ---- */

static void same_cut(const char *line, size_t n, dq_cut_form form)
{
    uint32_t expected[80], got[80];
    size_t count = 0;
    bool special = false, high = false, ascii;
    for (size_t i = 0; i < n; i++) {
        special |= line[i] == form.special[0] || line[i] == form.special[1];
        high |= (unsigned char)line[i] >= 0x80;
        if (line[i] == form.separator) expected[count++] = (uint32_t)i;
    }
    const bool whole = dq_cut_line(line, n, form, got, count, &ascii);
    assert_int_equal(whole, !special);
    if (whole) assert_memory_equal(got, expected, count * sizeof *got);
    if (whole) assert_int_equal(ascii, !high);
    assert_false(dq_cut_line(line, n, form, got, count + 1, &ascii));
    if (count) assert_false(dq_cut_line(line, n, form, got, count - 1, &ascii));
}

/* Of every length, in memory of exactly that length, for nothing behind a line may be read. */
static void test_lines(void **state)
{
    (void)state;
    static const char bytes[] = "abcdefgh0123,,,,", odd[] = "\"\\\xc3\t,";
    dq_rng rng = dq_rng_new(4);
    for (size_t i = 0; i < 20000; i++) {
        const size_t n = i % 75;
        char *line = malloc(n + 1);
        assert_non_null(line);
        for (size_t k = 0; k < n; k++) line[k] = bytes[dq_rng_below(&rng, sizeof bytes - 1)];
        if (n && i % 3 == 0) line[dq_rng_below(&rng, n)] = odd[i % 5];
        char *exact = n ? realloc(line, n) : line;
        same_cut(exact, n, (dq_cut_form){',', {'"', '"'}});
        same_cut(exact, n, (dq_cut_form){'\t', {'"', '\\'}});
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_damaged_texts),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_many_keys),
        cmocka_unit_test(test_a_short_text_after_a_long_one),
        cmocka_unit_test(test_hard_numbers),
        cmocka_unit_test(test_numbers_are_strtod_s),
        cmocka_unit_test(test_what_is_no_number),
        cmocka_unit_test(test_cells),
        cmocka_unit_test(test_lines),
    };
    return cmocka_run_group_tests(tests, make_reader, free_reader);
}
