/* SPDX-License-Identifier: MIT
 *
 * Tables cut at a separator. The first byte chooses the separator, the second an encoding; the rest is the
 * file. Its rows are written as TSV and in quotes, and read again they are the same cells. Of a table without
 * quotes every line that is not empty is a row, or a bad one.
 */
#include "fuzz.h"
#include "pieces.h"

#include "core/utf8.h"
#include "port/files/csv.h"
#include "port/files/rows.h"

#include <string.h>

static const dq_csv_form forms[] = {
    {.separator = ","},  {.separator = ";"},       {.separator = "\t", .escapes = true},
    {.separator = "\t"}, {.separator = "::"},      {.separator = "|"},
    {.separator = ", "}, {.separator = "\xc2\xa7"}};
enum { FORMS = sizeof forms / sizeof *forms };

/* The rows, written in another form. */
typedef struct rows {
    dq_json_text tsv, quoted; /* with a header */
    size_t columns;
    uint64_t good, answers;
    const char *separator;
    bool writable; /* as TSV: no row is an empty line */
} rows;

static void need(dq_status status, const dq_error *e)
{
    if (status) fuzz_fail("a row cannot be written: %s", e->reason);
}

static void write_quoted(dq_json_text *out, const dq_csv_cell *cell, dq_error *e)
{
    need(dq_json_write_raw(out, "\"", 1, e), e);
    for (size_t i = 0; i < cell->bytes; i++) {
        if (cell->text[i] == '"') need(dq_json_write_raw(out, "\"", 1, e), e);
        need(dq_json_write_raw(out, cell->text + i, 1, e), e);
    }
    need(dq_json_write_raw(out, "\"", 1, e), e);
}

static void write_row(rows *r, const dq_csv_cell *cells)
{
    dq_error e = DQ_ERROR_NONE;
    for (size_t i = 0; i < r->columns; i++) {
        if (cells[i].text[cells[i].bytes]) fuzz_fail("a cell without a NUL");
        if (!dq_utf8_valid(cells[i].text, cells[i].bytes)) fuzz_fail("a cell that is not UTF-8");
        if (i) need(dq_json_write_raw(&r->tsv, "\t", 1, &e), &e);
        if (i) need(dq_json_write_raw(&r->quoted, r->separator, 1, &e), &e);
        need(dq_rows_add_text(&r->tsv, cells[i].text, cells[i].bytes, &e), &e);
        write_quoted(&r->quoted, &cells[i], &e);
    }
    if (r->columns == 1 && !cells[0].bytes) r->writable = false;
    need(dq_json_write_raw(&r->tsv, "\n", 1, &e), &e);
    need(dq_json_write_raw(&r->quoted, "\n", 1, &e), &e);
    r->good++;
}

static dq_status open_table(dq_csv **csv, dq_source **source, fuzz_pieces *pieces, const char *encoding,
                            dq_csv_form form, dq_error *error)
{
    *source = fuzz_source(pieces, "table");
    dq_status status = encoding ? dq_source_encoding(*source, encoding, error) : DQ_OK;
    if (!status) status = dq_csv_open(csv, *source, form, error);
    if (!status) return status;
    fuzz_refused(error);
    dq_source_close(*source);
    return status;
}

/* Reads to the end; false where it breaks off. */
static bool read_rows(dq_csv *csv, rows *r)
{
    const dq_csv_cell *cells;
    uint64_t line = 0;
    for (;;) {
        dq_error e = DQ_ERROR_NONE;
        int got = dq_csv_next(csv, &cells, &e);
        if (got != DQ_CSV_ROW && got != DQ_CSV_END) fuzz_refused(&e);
        if (got <= 0) return got == 0;
        if (dq_csv_line(csv) <= line) fuzz_fail("line %llu twice", (unsigned long long)line);
        line = dq_csv_line(csv);
        r->answers++;
        if (got == DQ_CSV_ROW) write_row(r, cells);
    }
}

/* The same rows come out of what was written. */
static void check_again(const rows *r, const dq_json_text *text, dq_csv_form form)
{
    dq_error e = DQ_ERROR_NONE;
    fuzz_pieces pieces = {{(const uint8_t *)text->data, text->bytes}, 7};
    rows again = {.columns = r->columns, .separator = r->separator};
    dq_csv *csv;
    size_t columns;
    dq_source *source = fuzz_source(&pieces, "again");
    form.headless = true;
    if (dq_csv_open(&csv, source, form, &e)) fuzz_fail("again: %s", e.reason);
    (void)dq_csv_header(csv, &columns);
    if (columns != r->columns) fuzz_fail("%zu columns, again %zu", r->columns, columns);
    if (!read_rows(csv, &again)) fuzz_fail("again it breaks off");
    if (again.good != r->good + 1 || again.answers != again.good)
        fuzz_fail("%llu rows, again %llu", (unsigned long long)r->good + 1, (unsigned long long)again.good);
    if (again.tsv.bytes != r->tsv.bytes || memcmp(again.tsv.data, r->tsv.data, r->tsv.bytes) != 0)
        fuzz_fail("other cells: %.*s", (int)r->tsv.bytes, r->tsv.data);
    dq_csv_close(csv);
    dq_source_close(source);
    dq_json_text_free(&again.tsv);
    dq_json_text_free(&again.quoted);
}

/* A first row of x's: a first row may hold no return. */
static void begin_rows(rows *r)
{
    dq_error e = DQ_ERROR_NONE;
    for (size_t i = 0; i < r->columns; i++) {
        need(dq_json_write_raw(&r->tsv, i ? "\tx" : "x", i ? 2 : 1, &e), &e);
        need(dq_json_write_raw(&r->quoted, i ? ",x" : "x", i ? 2 : 1, &e), &e);
    }
    need(dq_json_write_raw(&r->tsv, "\n", 1, &e), &e);
    need(dq_json_write_raw(&r->quoted, "\n", 1, &e), &e);
}

/* Lines that are not empty, of a file without a return. */
static uint64_t count_lines(fuzz_bytes file)
{
    uint64_t count = 0;
    for (size_t i = 0, from = 0; i <= file.n; i++) {
        if (i < file.n && file.data[i] != '\n') continue;
        count += i > from;
        from = i + 1;
    }
    return count;
}

static void read_table(const uint8_t *data, size_t n)
{
    fuzz_bytes rest = {data, n};
    unsigned choice = fuzz_byte(&rest);
    dq_csv_form form = forms[choice % FORMS];
    const char *encoding = fuzz_encoding(fuzz_byte(&rest));
    fuzz_pieces pieces = {rest, choice / FORMS % 16 + 1};
    rows r = {.separator = ",", .writable = true};
    dq_error e = DQ_ERROR_NONE;
    dq_csv *csv;
    dq_source *source;
    form.headless = choice & 0x80;
    if (fuzz_is_compressed(rest)) return;
    if (open_table(&csv, &source, &pieces, encoding, form, &e)) return;
    (void)dq_csv_header(csv, &r.columns);
    begin_rows(&r);
    bool whole = read_rows(csv, &r);
    bool plain = !encoding && !memchr(rest.data, '"', rest.n) && !memchr(rest.data, '\r', rest.n) &&
                 (rest.n < 3 || memcmp(rest.data, "sep", 3) != 0);
    if (whole && plain && r.answers + !form.headless != count_lines(rest) &&
        (rest.n < 3 || memcmp(rest.data, "\xef\xbb\xbf", 3) != 0))
        fuzz_fail("%llu answers of %llu lines", (unsigned long long)r.answers,
                  (unsigned long long)count_lines(rest));
    if (r.writable) check_again(&r, &r.tsv, DQ_TSV);
    /* in quotes a return before a newline is the line's */
    if (!memchr(r.quoted.data, '\r', r.quoted.bytes)) check_again(&r, &r.quoted, DQ_CSV);
    dq_csv_close(csv);
    dq_source_close(source);
    dq_json_text_free(&r.tsv);
    dq_json_text_free(&r.quoted);
}

const fuzz_target fuzz_it = {.read = read_table, .memory = 4 << 20, .per_byte = 400};
