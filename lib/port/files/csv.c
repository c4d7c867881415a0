/* SPDX-License-Identifier: MIT
 *
 * Our own code and no foreign library: Debian's libcsv calls back per character and knows neither lines nor
 * TSV; the glue would be longer than this.
 *
 * Most rows are plain: without a quote or an escape their cells are in the line itself, cut where they stand
 * (port/text/cut.h). Another is unescaped into one buffer, cells one after the other with a NUL each, and
 * their places are noted as offsets, because the buffer moves as it grows.
 */
#include "port/files/csv.h"

#include "core/array.h"
#include "core/hex.h"
#include "core/index.h"
#include "core/utf8.h"
#include "port/text/cut.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW_LIMIT ((size_t)256 << 20)

struct dq_csv {
    dq_source *source;
    dq_csv_form form;
    size_t separator_bytes;
    bool strict; /* RFC 4180 */
    uint64_t line, row_line;
    char *buffer; /* the row's cells */
    size_t bytes, capacity;
    size_t *starts; /* (count + 1) where each cell begins; the last is where the next one would */
    size_t count, slots;
    dq_csv_cell *cells;
    char *header_buffer;
    dq_csv_cell *header;
    size_t columns;
    dq_cut_form plain;        /* how a plain row is cut */
    uint32_t *cuts;           /* (columns) where; NULL: no row is cut in place */
    dq_csv_cell *plain_cells; /* (columns) what comes of it */
    int held;                 /* without a header: what the first line was, until it is asked for */
    dq_error held_error;
};

/* What is left of the line that is being read. */
typedef struct rest {
    char *at, *end;
    bool stray;    /* a quote stood where none may: the row is bad, the next may be good */
    unsigned more; /* lines that a quoted cell went on to */
} rest;

static dq_status put_run(dq_csv *csv, const char *bytes, size_t n, dq_error *error)
{
    if (csv->bytes + n > 2 * ROW_LIMIT || !dq_array_reserve(&csv->buffer, &csv->capacity, csv->bytes + n, 1))
        return dq_fail_memory(error, "a row");
    memcpy(csv->buffer + csv->bytes, bytes, n);
    csv->bytes += n;
    return DQ_OK;
}

static dq_status put(dq_csv *csv, char c, dq_error *error)
{
    return put_run(csv, &c, 1, error);
}

/* Ends a cell, and begins the next. */
static dq_status end_cell(dq_csv *csv, dq_error *error)
{
    size_t slots = dq_array_capacity(csv->slots, csv->count + 2);
    if (slots > csv->slots && (!dq_array_resize(&csv->starts, slots, sizeof *csv->starts) ||
                               !dq_array_resize(&csv->cells, slots, sizeof *csv->cells)))
        return dq_fail_memory(error, "a row");
    csv->slots = slots;
    csv->starts[0] = 0; /* NOLINT(*.NullDereference): slots are more than none */
    dq_status status = put(csv, '\0', error);
    if (!status) csv->starts[++csv->count] = csv->bytes;
    return status;
}

static bool at_separator(const dq_csv *csv, const rest *r)
{
    size_t n = csv->separator_bytes;
    return (size_t)(r->end - r->at) >= n && *r->at == *csv->form.separator &&
           memcmp(r->at, csv->form.separator, n) == 0;
}

/* The byte of the \xNN that stands `at` bytes on; -1: something else. */
static int byte_at(const rest *r, size_t at)
{
    if ((size_t)(r->end - r->at) < at + 4) return -1;
    const char *p = r->at + at;
    return p[0] == '\\' && p[1] == 'x' ? dq_hex_byte(p + 2) : -1;
}

/* The bytes of a control character as rows are written, \xNN, or \xc2\xNN of C1; how many, 0: something else.
 */
static size_t control_of(const rest *r, char bytes[2])
{
    int first = byte_at(r, 0), second = first == 0xc2 ? byte_at(r, 4) : -1;
    bool two = second >= 0x80 && second < 0xa0;
    if (!two && first != 0x7f && !(first >= 0 && first < ' ')) return 0;
    bytes[0] = (char)first;
    bytes[1] = (char)second;
    return two ? 2 : 1;
}

/* How many bytes from r->at on are themselves, whatever they stand in. */
static size_t plain_run(const dq_csv *csv, const rest *r)
{
    const char *at = r->at;
    while (at < r->end && *at != *csv->form.separator && *at != '"' && *at != '\\') at++;
    return (size_t)(at - r->at);
}

/* A cell that is not quoted; r->at stands behind it afterwards. */
static dq_status plain_cell(dq_csv *csv, rest *r, dq_error *error)
{
    static const char letters[] = "tnr\\\"", meanings[] = "\t\n\r\\\"";
    dq_status status = DQ_OK;
    for (; r->at < r->end && !at_separator(csv, r) && !status; r->at++) {
        size_t run = plain_run(csv, r);
        if (run) {
            status = put_run(csv, r->at, run, error);
            r->at += run - 1;
            continue;
        }
        bool escape = csv->form.escapes && *r->at == '\\' && r->at + 1 < r->end && r->at[1];
        const char *letter = escape ? strchr(letters, r->at[1]) : NULL;
        char bytes[2] = {0};
        size_t control = escape && !letter ? control_of(r, bytes) : 0;
        r->stray |= csv->strict && *r->at == '"';
        status = put(csv, letter ? meanings[letter - letters] : control ? bytes[0] : *r->at, error);
        if (!status && control == 2) status = put(csv, bytes[1], error);
        r->at += letter ? 1 : control ? 4 * control - 1 : 0;
    }
    return status;
}

/* The next line of the row, inside a quoted cell. */
static dq_status continue_cell(dq_csv *csv, rest *r, dq_error *error)
{
    size_t n;
    dq_status status = put(csv, '\n', error);
    if (!status) status = dq_source_line(csv->source, &r->at, &n, error);
    if (status) return status;
    csv->line++;
    r->more++;
    if (!r->at) return dq_fail(error, DQ_ERR_TRUNCATED, "a quoted cell begins here and never ends");
    if (csv->bytes > ROW_LIMIT)
        return dq_fail(error, DQ_ERR_FORMAT, "a row of more than %zu MiB", ROW_LIMIT >> 20);
    r->end = r->at + n;
    return DQ_OK;
}

/* A quoted cell; r->at stands behind its first quote, and afterwards behind its last. *whole is false where a
 * line ended before, which only several bytes of separator do not go beyond. */
static dq_status quoted_cell(dq_csv *csv, rest *r, bool *whole, dq_error *error)
{
    dq_status status = DQ_OK;
    *whole = true;
    while (!status) {
        if (r->at == r->end) {
            *whole = csv->separator_bytes == 1;
            if (!*whole) break;
            status = continue_cell(csv, r, error);
        } else if (*r->at != '"') {
            const char *quote = memchr(r->at, '"', (size_t)(r->end - r->at));
            const size_t run = (size_t)((quote ? quote : r->end) - r->at);
            status = put_run(csv, r->at, run, error);
            r->at += run;
        } else if (r->at + 1 < r->end && r->at[1] == '"') {
            status = put(csv, '"', error);
            r->at += 2;
        } else {
            r->at++;
            break;
        }
    }
    return status;
}

/* A cell that begins with a quote. Where its fellow does not end the cell, both are quotes and nothing more;
 * but not where rows are strict, nor where lines have been passed over. */
static dq_status quote_cell(dq_csv *csv, rest *r, dq_error *error)
{
    char *first = r->at++;
    size_t begun = csv->bytes;
    unsigned lines = r->more;
    bool whole;
    dq_status status = quoted_cell(csv, r, &whole, error);
    if (status || (whole && (r->at == r->end || at_separator(csv, r)))) return status;
    if (csv->strict || r->more > lines) {
        r->stray = true;
    } else {
        csv->bytes = begun;
        r->at = first;
    }
    return plain_cell(csv, r, error);
}

static dq_status read_cells(dq_csv *csv, rest *r, dq_error *error)
{
    for (;;) {
        bool quote = r->at < r->end && *r->at == '"';
        dq_status status = quote ? quote_cell(csv, r, error) : plain_cell(csv, r, error);
        if (!status) status = end_cell(csv, error);
        if (status || r->at == r->end) return status;
        r->at += csv->separator_bytes;
    }
}

/* The next line that is not empty, NULL at the end. */
static dq_status next_line(dq_csv *csv, rest *r, dq_error *error)
{
    size_t n = 0;
    do {
        dq_status status = dq_source_line(csv->source, &r->at, &n, error);
        if (status || !r->at) return status;
        csv->line++;
    } while (n == 0);
    r->end = r->at + n;
    return DQ_OK;
}

static int fail_utf8(dq_error *error)
{
    dq_fail(error, DQ_ERR_FORMAT, "not UTF-8");
    return DQ_CSV_NOT_UTF8;
}

/* Cuts a plain row of as many cells as there are columns; false: it is another, and untouched. */
static bool cut_row(dq_csv *csv, const rest *r, bool *ascii)
{
    const size_t last = csv->columns - 1;
    if (!csv->cuts || !dq_cut_line(r->at, (size_t)(r->end - r->at), csv->plain, csv->cuts, last, ascii))
        return false;
    char *from = r->at;
    for (size_t i = 0; i <= last; i++) {
        char *to = i < last ? r->at + csv->cuts[i] : r->end;
        csv->plain_cells[i] = (dq_csv_cell){.text = from, .bytes = (size_t)(to - from)};
        *to = '\0';
        from = to + 1;
    }
    return true;
}

/* Reads a row's cells, however many. */
static int read_row(dq_csv *csv, const dq_csv_cell **cells, dq_error *error)
{
    rest r = {0};
    bool ascii;
    if (next_line(csv, &r, error)) return DQ_CSV_BROKEN;
    if (!r.at) return DQ_CSV_END;
    csv->row_line = csv->line;
    csv->bytes = csv->count = 0;
    if (cut_row(csv, &r, &ascii)) {
        csv->count = csv->columns;
        *cells = csv->plain_cells;
        const bool valid = ascii || dq_utf8_valid(r.at, (size_t)(r.end - r.at));
        return valid ? DQ_CSV_ROW : fail_utf8(error);
    }
    if (csv->starts) csv->starts[0] = 0;
    if (read_cells(csv, &r, error)) return DQ_CSV_BROKEN;
    for (size_t i = 0; i < csv->count; i++) {
        size_t from = csv->starts[i];
        csv->cells[i] = (dq_csv_cell){.text = csv->buffer + from, .bytes = csv->starts[i + 1] - from - 1};
    }
    *cells = csv->cells;
    if (r.stray) {
        dq_fail(error, DQ_ERR_FORMAT, "a quote inside a cell that is not quoted whole");
        return DQ_CSV_BAD;
    }
    return dq_utf8_valid(csv->buffer, csv->bytes) ? DQ_CSV_ROW : fail_utf8(error);
}

/* The first column may be an index that nobody named, the last one nothing but what stands behind a
 * separator.
 */
static bool may_be_nameless(const dq_csv *csv, size_t i)
{
    return csv->columns > 1 && (i == 0 || i + 1 == csv->columns);
}

/* Lines that end in a return alone are one line to every reader, and so one row. */
static dq_status check_lines(const dq_csv_cell *cells, size_t count, dq_error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (memchr(cells[i].text, '\r', cells[i].bytes))
            return dq_fail(error, DQ_ERR_FORMAT,
                           "a return that ends no line; tr '\\r' '\\n' makes lines of these");
        if (memchr(cells[i].text, '\0', cells[i].bytes))
            return dq_fail(error, DQ_ERR_FORMAT, "a NUL in its first line: this is no text");
    }
    return DQ_OK;
}

/* Every column has a name of its own. */
static dq_status check_names(const dq_csv *csv, dq_index *names, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; i < csv->columns && !status; i++) {
        const dq_csv_cell *name = &csv->header[i];
        bool added = true;
        if (!name->bytes && !may_be_nameless(csv, i))
            return dq_fail(error, DQ_ERR_FORMAT, "column %zu of the header has no name", i + 1);
        if (name->bytes) status = dq_index_add(names, name->text, name->bytes, NULL, &added, error);
        if (!added) return dq_fail(error, DQ_ERR_FORMAT, "two columns named %s", name->text);
    }
    return status;
}

static dq_status check_header(const dq_csv *csv, dq_error *error)
{
    dq_index names = DQ_INDEX_EMPTY;
    dq_status status = check_lines(csv->header, csv->columns, error);
    if (!status) status = check_names(csv, &names, error);
    dq_index_free(&names);
    return status;
}

/* "sep=;", which Excel reads before a header. */
static bool is_separator_line(const dq_csv *csv)
{
    return csv->line == 1 && csv->count == 2 && strcmp(csv->cells[0].text, "sep=") == 0 &&
           !csv->cells[1].bytes;
}

/* The first row becomes the header: it keeps the buffer, and the rows get a new one. */
static dq_status read_header(dq_csv *csv, dq_error *error)
{
    const dq_csv_cell *cells;
    int got = read_row(csv, &cells, error);
    if (got == DQ_CSV_ROW && is_separator_line(csv)) got = read_row(csv, &cells, error);
    if (got == DQ_CSV_END) return dq_fail(error, DQ_ERR_FORMAT, "empty: no header");
    if (got == DQ_CSV_NOT_UTF8) return dq_fail(error, DQ_ERR_FORMAT, "not UTF-8; " DQ_UTF8_ADVICE);
    if (got != DQ_CSV_ROW) return error ? error->status : DQ_ERR_FORMAT;
    csv->columns = csv->count;
    csv->header = csv->cells;
    csv->header_buffer = csv->buffer;
    csv->cells = NULL;
    csv->buffer = NULL;
    csv->capacity = csv->slots = 0;
    return check_header(csv, error);
}

/* No header: as many columns as the first row has, named 1, 2, ...; the row is held. */
static dq_status number_columns(dq_csv *csv, dq_error *error)
{
    enum { NAME = 24 };
    const dq_csv_cell *cells;
    csv->held = read_row(csv, &cells, &csv->held_error);
    if (csv->held == DQ_CSV_BROKEN) {
        if (error) *error = csv->held_error;
        return csv->held_error.status;
    }
    if (csv->held == DQ_CSV_END) return dq_fail(error, DQ_ERR_FORMAT, "empty: no rows");
    dq_status status = check_lines(csv->cells, csv->count, error);
    if (status) return status;
    csv->columns = csv->count;
    csv->header = calloc(csv->columns, sizeof *csv->header);
    csv->header_buffer = malloc(csv->columns * NAME);
    if (!csv->header || !csv->header_buffer) return dq_fail_memory(error, "a row");
    for (size_t i = 0; i < csv->columns; i++) {
        char *name = csv->header_buffer + i * NAME;
        int n = snprintf(name, NAME, "%zu", i + 1);
        csv->header[i] = (dq_csv_cell){.text = name, .bytes = (size_t)n};
    }
    return DQ_OK;
}

/* Rows that are cut in place are those of one byte of separator, in which nothing is to be replaced. */
static dq_status prepare_cutting(dq_csv *csv, dq_error *error)
{
    if (csv->separator_bytes != 1) return DQ_OK;
    csv->plain = (dq_cut_form){*csv->form.separator, {'"', csv->form.escapes ? '\\' : '"'}};
    csv->cuts = malloc(csv->columns * sizeof *csv->cuts);
    csv->plain_cells = malloc(csv->columns * sizeof *csv->plain_cells);
    return csv->cuts && csv->plain_cells ? DQ_OK : dq_fail_memory(error, "a row");
}

dq_status dq_csv_open(dq_csv **out, dq_source *source, dq_csv_form form, dq_error *error)
{
    *out = NULL;
    dq_csv *csv = calloc(1, sizeof *csv);
    if (!csv) return dq_fail_memory(error, "a row");
    csv->source = source;
    csv->form = form;
    csv->separator_bytes = strlen(form.separator);
    csv->strict = strcmp(form.separator, ",") == 0 || strcmp(form.separator, ";") == 0;
    csv->held_error = DQ_ERROR_NONE;
    dq_status status = form.headless ? number_columns(csv, error) : read_header(csv, error);
    if (!status) status = prepare_cutting(csv, error);
    if (status)
        dq_csv_close(csv);
    else
        *out = csv;
    return status;
}

const dq_csv_cell *dq_csv_header(const dq_csv *csv, size_t *columns)
{
    *columns = csv->columns;
    return csv->header;
}

/* Behind the last column's separator there is nothing, where it has no name. */
static int check_row(const dq_csv *csv, const dq_csv_cell *cells, dq_error *error)
{
    size_t last = csv->columns - 1;
    if (csv->count != csv->columns) {
        dq_fail(error, DQ_ERR_FORMAT, "%zu cells where the %s has %zu", csv->count,
                csv->form.headless ? "first row" : "header", csv->columns);
        return DQ_CSV_BAD;
    }
    if (last == 0 || csv->header[last].bytes || !cells[last].bytes) return DQ_CSV_ROW;
    dq_fail(error, DQ_ERR_FORMAT, "a cell under column %zu, which has no name", last + 1);
    return DQ_CSV_BAD;
}

int dq_csv_next(dq_csv *csv, const dq_csv_cell **cells, dq_error *error)
{
    *cells = csv->cells;
    int got = csv->held ? csv->held : read_row(csv, cells, error);
    if (csv->held && got != DQ_CSV_ROW && error) *error = csv->held_error;
    csv->held = DQ_CSV_END;
    if (got == DQ_CSV_ROW) got = check_row(csv, *cells, error);
    bool cut = got > DQ_CSV_ROW && csv->count < csv->columns && !dq_source_line_ended(csv->source);
    if (!cut) return got;
    dq_fail(error, DQ_ERR_TRUNCATED, "the last line is cut off: %zu cells where the %s has %zu", csv->count,
            csv->form.headless ? "first row" : "header", csv->columns);
    return DQ_CSV_BROKEN;
}

uint64_t dq_csv_line(const dq_csv *csv)
{
    return csv->row_line;
}

/* How often a separator stands in a line outside of quotes. */
static size_t count_in(const char *line, size_t bytes, const char *separator)
{
    size_t n = strlen(separator), count = 0;
    bool quoted = false;
    for (size_t i = 0; i + n <= bytes; i++) {
        quoted ^= line[i] == '"';
        if (!quoted && memcmp(line + i, separator, n) == 0) {
            count++;
            i += n - 1;
        }
    }
    return count;
}

const char *dq_csv_other_separator(const char *line, size_t bytes, const char *own)
{
    static const char *const separators[] = {"\t", "::", ";", "|", ","};
    const char *likely = NULL, *newline = memchr(line, '\n', bytes);
    size_t most = 0;
    if (newline) bytes = (size_t)(newline - line);
    if (count_in(line, bytes, own)) return NULL;
    for (size_t i = 0; i < sizeof separators / sizeof *separators; i++) {
        size_t count = count_in(line, bytes, separators[i]);
        if (count > most) likely = separators[i];
        if (count > most) most = count;
    }
    return likely;
}

void dq_csv_close(dq_csv *csv)
{
    if (!csv) return;
    free(csv->buffer);
    free(csv->starts);
    free(csv->cells);
    free(csv->cuts);
    free(csv->plain_cells);
    free(csv->header_buffer);
    free(csv->header);
    free(csv);
}
