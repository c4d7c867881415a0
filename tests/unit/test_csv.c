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
    reads(DQ_TSV, "a\tb\nx\\ty\\n\\\\z\\r\t\"q\"\n", "[a|b][x\ty\n\\z\r|\"q\"]");
    reads(DQ_TSV, "a\tb\nx\\q\t\\\n", "[a|b][x\\q|\\]");
    reads(DQ_TSV, "a\tb\n\t\n", "[a|b][|]");
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
    refused(DQ_CSV, "a,\xff\n", DQ_ERR_FORMAT, "not UTF-8");
}

static void test_many_cells(void **state)
{
    (void)state;
    enum { CELLS = 5000 };
    char *text = malloc(2 * 8 * CELLS), *at = text;
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
    dq_csv_close(csv);
    dq_source_close(source);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_tsv),
        cmocka_unit_test(test_bad_rows_are_passed_over),
        cmocka_unit_test(test_a_quote_that_never_ends),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_many_cells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
