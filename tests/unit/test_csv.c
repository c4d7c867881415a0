/* SPDX-License-Identifier: MIT
 *
 * CSV by RFC 4180 and TSV with its escapes; what is refused, and that reading goes on behind it.
 */
#include "port/files/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static dq_source *open_bytes(const char *text, size_t n)
{
    dq_error e = DQ_ERROR_NONE;
    dq_source *source;
    char path[] = "/tmp/dq-test-csv-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, n), n);
    assert_int_equal(close(fd), 0);
    assert_int_equal(dq_source_open(&source, path, &e), DQ_OK);
    assert_int_equal(remove(path), 0);
    return source;
}

/* Rows are printed as [cell|cell]..., bad ones as {reason}. */
static void reads(dq_csv_form form, const char *text, const char *expected)
{
    char got[1024] = "";
    size_t used = 0, columns;
    dq_error e = DQ_ERROR_NONE;
    dq_csv *csv;
    dq_source *source = open_bytes(text, strlen(text));
    assert_int_equal(dq_csv_open(&csv, source, form, &e), DQ_OK);
    const dq_csv_cell *cells = dq_csv_header(csv, &columns);
    int answer = 1;
    while (answer > 0) {
        for (size_t i = 0; answer == 1 && i < columns; i++) {
            assert_int_equal(strlen(cells[i].text), cells[i].bytes);
            used += (size_t)snprintf(got + used, sizeof got - used, "%c%s", i ? '|' : '[', cells[i].text);
        }
        used += (size_t)(answer == 1 ? snprintf(got + used, sizeof got - used, "]")
                                     : snprintf(got + used, sizeof got - used, "{%s}", e.reason));
        answer = dq_csv_next(csv, &cells, &e);
    }
    if (answer < 0) (void)snprintf(got + used, sizeof got - used, "!%s", e.reason);
    assert_string_equal(got, expected);
    dq_csv_close(csv);
    dq_source_close(source);
}

static void refused(dq_csv_form form, const char *text, dq_status status, const char *words)
{
    dq_error e = DQ_ERROR_NONE;
    dq_csv *csv;
    dq_source *source = open_bytes(text, strlen(text));
    assert_int_equal(dq_csv_open(&csv, source, form, &e), status);
    assert_null(csv);
    assert_string_equal(e.reason, words);
    dq_source_close(source);
}

static void test_csv(void **state)
{
    (void)state;
    reads(DQ_CSV, "a,b\n1,2\n3,4\n", "[a|b][1|2][3|4]");
    reads(DQ_CSV, "a,b\r\n1,2\r\n", "[a|b][1|2]");
    reads(DQ_CSV,
          "\xef\xbb\xbf"
          "a,b\n1,2",
          "[a|b][1|2]");
    reads(DQ_CSV, "a,b\n\n\"x, y\",\"say \"\"hi\"\"\"\n", "[a|b][x, y|say \"hi\"]");
    reads(DQ_CSV, "a,b\n\"two\nlines\",\n,\n", "[a|b][two\nlines|][|]");
    reads(DQ_CSV, "a,b\n\"\",\"\"\n", "[a|b][|]");
    reads(DQ_CSV, "a,b\n\"\n\n\",x\n", "[a|b][\n\n|x]");
    reads(DQ_CSV, "a\n \n", "[a][ ]");
    reads(DQ_CSV, "a,b\nt\\t,x\ty\n", "[a|b][t\\t|x\ty]");
}

static void test_tsv(void **state)
{
    (void)state;
    reads(DQ_TSV, "a\tb\n1\t2\n", "[a|b][1|2]");
    reads(DQ_TSV, "a\tb\nx\\ty\\n\\\\z\\r\t\\\"q\"\n", "[a|b][x\ty\n\\z\r|\"q\"]");
    reads(DQ_TSV, "a\tb\nx\\q\t\\\n", "[a|b][x\\q|\\]");
    reads(DQ_TSV, "a\tb\n\t\n", "[a|b][|]");
}

/* Control characters, as rows are written; what is no such escape is as it stands. */
static void test_control_characters(void **state)
{
    (void)state;
    reads(DQ_TSV, "a\tb\n\\x1b[2J\t\\xc2\\x9b5m\n",
          "[a|b][\x1b[2J|\xc2\x9b"
          "5m]");
    reads(DQ_TSV, "a\tb\n\\\\x1b\t\\xZZ\\x1\n", "[a|b][\\x1b|\\xZZ\\x1]");
    reads(DQ_TSV, "a\tb\n\\x41\\xff\\x85\t\\x1B\n", "[a|b][\\x41\\xff\\x85|\\x1B]");
    reads(DQ_TSV, "a\tb\n\\xc2\\xa9\t\\xc2\n", "[a|b][\\xc2\\xa9|\\xc2]");
}

/* As pandas and Excel write them; a quote that nobody who quotes would write is a quote. */
static void test_quotes_in_tsv(void **state)
{
    (void)state;
    reads(DQ_TSV, "a\tb\n\"say \"\"hi\"\"\"\t\"x\ty\"\n", "[a|b][say \"hi\"|x\ty]");
    reads(DQ_TSV, "a\tb\n1\t\"two\nlines\"\n", "[a|b][1|two\nlines]");
    reads(DQ_TSV, "a\tb\n\"Cats\" live\tthe \"b\"\n", "[a|b][\"Cats\" live|the \"b\"]");
    reads(DQ_TSV, "a\tb\n\"a\\tb\"\t\"\"\n", "[a|b][a\\tb|]"); /* no escapes where it is quoted */
    reads(DQ_TSV, "a\tb\n1\t\"two\nlines\" and\n3\t4\n",
          "[a|b]{a quote inside a cell that is not quoted whole}[3|4]");
    reads(DQ_TSV, "a\tb\n1\t\"two\n", "[a|b]!a quoted cell begins here and never ends");
}

static void test_separators(void **state)
{
    (void)state;
    const dq_csv_form bars = {.separator = "|"}, colons = {.separator = "::"}, semi = {.separator = ";"};
    const dq_csv_form tab = {.separator = "\t"}, wide = {.separator = ", "};
    reads(bars, "a|b\n1|\"x|y\"\n", "[a|b][1|x|y]");
    reads(semi, "\"a\";\"b\"\n\"1;2\";3,5\n", "[a|b][1;2|3,5]");
    reads(semi, "sep=;\r\na;b\r\n1;2\r\n", "[a|b][1|2]");
    reads(semi, "a;b\n1\";2\n", "[a|b]{a quote inside a cell that is not quoted whole}");
    reads(tab, "a\tb\nC:\\new\t\\t\n", "[a|b][C:\\new|\\t]");
    reads(wide, "a, b\n1, \"2, 3\"\n", "[a|b][1|2, 3]");
    reads(colons, "a::b::c\n1::\"Great\" Cats (1998)::Musical\n2:::::3\n3::\"open::x\n",
          "[a|b|c][1|\"Great\" Cats (1998)|Musical][2||:3][3|\"open|x]");
}

static void test_no_header(void **state)
{
    (void)state;
    const dq_csv_form plain = {.separator = "\t", .headless = true};
    reads(plain, "196\t242\t3\n186\t302\t4\n1\n",
          "[1|2|3][196|242|3][186|302|4]{1 cells where the first row has 3}");
    reads(plain, "\xff\tx\n1\t2\n", "[1|2]{not UTF-8}[1|2]");
    refused(plain, "", DQ_ERR_FORMAT, "empty: no rows");
}

/* An index that pandas wrote, and a separator behind each row. */
static void test_columns_without_a_name(void **state)
{
    (void)state;
    reads(DQ_CSV, ",a\n0,1\n", "[|a][0|1]");
    reads(DQ_CSV, "a,b,\n1,2,\n3,4,5\n", "[a|b|][1|2|]{a cell under column 3, which has no name}");
    refused(DQ_CSV, "\"\"\n", DQ_ERR_FORMAT, "column 1 of the header has no name");
}

static void test_a_last_line_that_is_cut_off(void **state)
{
    (void)state;
    reads(DQ_CSV, "a,b\n1,2\n3", "[a|b][1|2]!the last line is cut off: 1 cells where the header has 2");
    reads(DQ_CSV, "a,b\n1,2\n3\n", "[a|b][1|2]{1 cells where the header has 2}");
    reads(DQ_CSV, "a,b\n1,2\n3,4", "[a|b][1|2][3|4]");
    reads(DQ_TSV, "a\tb\n1\t2\n\xc3", "[a|b][1|2]!the last line is cut off: 1 cells where the header has 2");
}

static void test_separators_are_guessed_for_messages(void **state)
{
    (void)state;
    assert_string_equal(dq_csv_other_separator("a;b;c\nx,y", 9, ","), ";");
    assert_string_equal(dq_csv_other_separator("\"a,b\"\tc", 7, ";"), "\t");
    assert_string_equal(dq_csv_other_separator("1::2::3", 7, ","), "::");
    assert_null(dq_csv_other_separator("a,b;c", 5, ","));
    assert_null(dq_csv_other_separator("abc\n,", 5, ";"));
}

static void test_bad_rows_are_passed_over(void **state)
{
    (void)state;
    reads(DQ_CSV, "a,b\n1\n1,2\n1,2,3\n3,4\n",
          "[a|b]{1 cells where the header has 2}[1|2]{3 cells where the header has 2}[3|4]");
    reads(DQ_CSV, "a,b\n1\",2\n3,4\n", "[a|b]{a quote inside a cell that is not quoted whole}[3|4]");
    reads(DQ_CSV, "a,b\n\"1\"x,2\n3,4\n", "[a|b]{a quote inside a cell that is not quoted whole}[3|4]");
    reads(DQ_CSV, "a,b\n\xff,2\n3,4\n", "[a|b]{not UTF-8}[3|4]");
    reads(DQ_TSV, "a\tb\n1\n3\t4\n", "[a|b]{1 cells where the header has 2}[3|4]");
}

/* The first cell of the first row, where there was no cell before. */
static void test_a_quote_in_the_first_cell(void **state)
{
    (void)state;
    reads(DQ_TSV, "\"a\"x\tb\n1\t2\n", "[\"a\"x|b][1|2]");
    refused(DQ_CSV, "\"a\"x,b\n1,2\n", DQ_ERR_FORMAT, "a quote inside a cell that is not quoted whole");
}

static void test_a_quote_that_never_ends(void **state)
{
    (void)state;
    reads(DQ_CSV, "a,b\n1,2\n\"3,4\n5,6\n", "[a|b][1|2]!a quoted cell begins here and never ends");
}

static void test_headers(void **state)
{
    (void)state;
    refused(DQ_CSV, "", DQ_ERR_FORMAT, "empty: no header");
    refused(DQ_TSV, "\n\n", DQ_ERR_FORMAT, "empty: no header");
    refused(DQ_CSV, "a,,c\n", DQ_ERR_FORMAT, "column 2 of the header has no name");
    refused(DQ_CSV, "a,b,a\n", DQ_ERR_FORMAT, "two columns named a");
    refused(DQ_CSV, "a,\"b\n", DQ_ERR_TRUNCATED, "a quoted cell begins here and never ends");
    refused(DQ_CSV, "a,\xff\n", DQ_ERR_FORMAT,
            "not UTF-8; iconv -f latin1 -t utf8, or --encoding latin1, if it is Latin-1");
    refused(DQ_CSV, "a,b\r1,2\r", DQ_ERR_FORMAT,
            "a return that ends no line; tr '\\r' '\\n' makes lines of these");
    refused((dq_csv_form){.separator = ",", .headless = true}, "1,2\r3,4\r", DQ_ERR_FORMAT,
            "a return that ends no line; tr '\\r' '\\n' makes lines of these");
}

static void test_many_cells(void **state)
{
    (void)state;
    enum { CELLS = 200000 }; /* minutes, if each name were compared with all before it */
    char *text = malloc(2 * 8 * CELLS), *at = text;
    clock_t began = clock();
    assert_non_null(text);
    for (int i = 0; i < CELLS; i++) at += sprintf(at, i ? ",c%d" : "c%d", i);
    *at++ = '\n';
    for (int i = 0; i < CELLS; i++) at += sprintf(at, i ? ",%d" : "%d", i);
    dq_error e = DQ_ERROR_NONE;
    dq_csv *csv;
    const dq_csv_cell *cells;
    dq_source *source = open_bytes(text, (size_t)(at - text));
    assert_int_equal(dq_csv_open(&csv, source, DQ_CSV, &e), DQ_OK);
    assert_int_equal(dq_csv_next(csv, &cells, &e), 1);
    assert_int_equal(dq_csv_line(csv), 2);
    for (int i = 0; i < CELLS; i++) assert_int_equal(atoi(cells[i].text), i);
    assert_true(clock() - began < 8 * CLOCKS_PER_SEC);
    dq_csv_close(csv);
    dq_source_close(source);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_tsv),
        cmocka_unit_test(test_control_characters),
        cmocka_unit_test(test_quotes_in_tsv),
        cmocka_unit_test(test_separators),
        cmocka_unit_test(test_no_header),
        cmocka_unit_test(test_columns_without_a_name),
        cmocka_unit_test(test_a_last_line_that_is_cut_off),
        cmocka_unit_test(test_separators_are_guessed_for_messages),
        cmocka_unit_test(test_bad_rows_are_passed_over),
        cmocka_unit_test(test_a_quote_in_the_first_cell),
        cmocka_unit_test(test_a_quote_that_never_ends),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_many_cells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
