/* SPDX-License-Identifier: MIT
 *
 * Our own code and no foreign library: Debian's libcsv calls back per character and knows neither lines nor
 * TSV; the glue would be longer than this.
 *
 * A row is unescaped into one buffer, cells one after the other with a NUL each, and their places are noted
 * as offsets, because the buffer moves as it grows.
 */
#include "port/files/csv.h"

#include "core/array.h"
#include "core/utf8.h"

#include <stdlib.h>
#include <string.h>

#define ROW_LIMIT ((size_t)256 << 20)

enum { ROW_BROKEN = -1, ROW_END = 0, ROW = 1, ROW_BAD = 2 };

struct dq_csv {
    dq_source *source;
    dq_csv_form form;
    uint64_t line, row_line;
    char *buffer; /* the row's cells */
    size_t bytes, capacity;
    size_t *starts; /* (count + 1) where each cell begins; the last is where the next one would */
    size_t count, slots;
    dq_csv_cell *cells;
    char *header_buffer;
    dq_csv_cell *header;
    size_t columns;
};

static dq_status put(dq_csv *csv, char c, dq_error *error)
{
    if (csv->bytes >= 2 * ROW_LIMIT || !dq_array_reserve(&csv->buffer, &csv->capacity, csv->bytes + 1, 1))
        return dq_fail_memory(error, "a row");
    csv->buffer[csv->bytes++] = c;
    return DQ_OK;
}

/* Ends a cell, and begins the next. */
static dq_status end_cell(dq_csv *csv, dq_error *error)
{
    size_t slots = dq_array_capacity(csv->slots, csv->count + 2);
    if (slots > csv->slots && (!dq_array_resize(&csv->starts, slots, sizeof *csv->starts) ||
                               !dq_array_resize(&csv->cells, slots, sizeof *csv->cells)))
        return dq_fail_memory(error, "a row");
    csv->slots = slots;
    csv->starts[0] = 0;
    dq_status status = put(csv, '\0', error);
    if (!status) csv->starts[++csv->count] = csv->bytes;
    return status;
}

static dq_status tsv_row(dq_csv *csv, const char *at, const char *end, dq_error *error)
{
    static const char letters[] = "tnr\\", meanings[] = "\t\n\r\\";
    dq_status status = DQ_OK;
    for (; at < end && !status; at++) {
        const char *letter = *at == '\\' && at + 1 < end ? strchr(letters, at[1]) : NULL;
        if (*at == '\t') {
            status = end_cell(csv, error);
        } else if (letter && *letter) {
            status = put(csv, meanings[letter - letters], error);
            at++;
        } else {
            status = put(csv, *at, error);
        }
    }
    return status ? status : end_cell(csv, error);
}

/* The next line of the row, inside a quoted cell. */
static dq_status continue_cell(dq_csv *csv, char **at, char **end, dq_error *error)
{
    size_t n;
    dq_status status = put(csv, '\n', error);
    if (!status) status = dq_source_line(csv->source, at, &n, error);
    if (status) return status;
    csv->line++;
    if (!*at) return dq_fail(error, DQ_ERR_TRUNCATED, "a quoted cell begins here and never ends");
    if (csv->bytes > ROW_LIMIT)
        return dq_fail(error, DQ_ERR_FORMAT, "a row of more than %zu MiB", ROW_LIMIT >> 20);
    *end = *at + n;
    return DQ_OK;
}

/* A quoted cell; *at stands behind its first quote, and afterwards behind its last. */
static dq_status quoted_cell(dq_csv *csv, char **at, char **end, dq_error *error)
{
    dq_status status = DQ_OK;
    while (!status) {
        if (*at == *end) {
            status = continue_cell(csv, at, end, error);
        } else if (**at != '"') {
            status = put(csv, *(*at)++, error);
        } else if (*at + 1 < *end && (*at)[1] == '"') {
            status = put(csv, '"', error);
            *at += 2;
        } else {
            (*at)++;
            break;
        }
    }
    return status;
}

/* *stray is set when a quote stands where none may: the row is bad, the next may be good. */
static dq_status csv_row(dq_csv *csv, char *at, char *end, bool *stray, dq_error *error)
{
    for (;;) {
        dq_status status = DQ_OK;
        if (at < end && *at == '"') {
            at++;
            status = quoted_cell(csv, &at, &end, error);
            if (status) return status;
            if (at < end && *at != ',') *stray = true;
        }
        for (; at < end && *at != ',' && !status; at++) {
            *stray |= *at == '"';
            status = put(csv, *at, error);
        }
        if (!status) status = end_cell(csv, error);
        if (status || at == end) return status;
        at++;
    }
}

/* Reads a row's cells; ROW, ROW_END, ROW_BAD or ROW_BROKEN. */
static int read_row(dq_csv *csv, dq_error *error)
{
    char *line;
    size_t n = 0;
    do {
        if (dq_source_line(csv->source, &line, &n, error)) return ROW_BROKEN;
        if (!line) return ROW_END;
        if (csv->line++ == 0 && n >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
            line += 3;
            n -= 3;
        }
    } while (n == 0);
    csv->row_line = csv->line;
    csv->bytes = csv->count = 0;
    bool stray = false;
    dq_status status = csv->form == DQ_TSV ? tsv_row(csv, line, line + n, error)
                                           : csv_row(csv, line, line + n, &stray, error);
    if (status) return ROW_BROKEN;
    for (size_t i = 0; i < csv->count; i++) {
        size_t from = csv->starts[i];
        csv->cells[i] = (dq_csv_cell){.text = csv->buffer + from, .bytes = csv->starts[i + 1] - from - 1};
    }
    if (stray)
        dq_fail(error, DQ_ERR_FORMAT, "a quote inside a cell that is not quoted whole");
    else if (!dq_utf8_valid(csv->buffer, csv->bytes))
        dq_fail(error, DQ_ERR_FORMAT, "not UTF-8");
    else
        return ROW;
    return ROW_BAD;
}

static dq_status check_header(const dq_csv *csv, dq_error *error)
{
    for (size_t i = 0; i < csv->columns; i++) {
        if (!csv->header[i].bytes)
            return dq_fail(error, DQ_ERR_FORMAT, "column %zu of the header has no name", i + 1);
        for (size_t j = 0; j < i; j++)
            if (strcmp(csv->header[i].text, csv->header[j].text) == 0)
                return dq_fail(error, DQ_ERR_FORMAT, "two columns named %s", csv->header[i].text);
    }
    return DQ_OK;
}

/* The first row becomes the header: it keeps the buffer, and the rows get a new one. */
static dq_status read_header(dq_csv *csv, dq_error *error)
{
    int got = read_row(csv, error);
    if (got == ROW_END) return dq_fail(error, DQ_ERR_FORMAT, "empty: no header");
    if (got != ROW) return error ? error->status : DQ_ERR_FORMAT;
    csv->columns = csv->count;
    csv->header = csv->cells;
    csv->header_buffer = csv->buffer;
    csv->cells = NULL;
    csv->buffer = NULL;
    csv->capacity = csv->slots = 0;
    return check_header(csv, error);
}

dq_status dq_csv_open(dq_csv **out, dq_source *source, dq_csv_form form, dq_error *error)
{
    *out = NULL;
    dq_csv *csv = calloc(1, sizeof *csv);
    if (!csv) return dq_fail_memory(error, "a row");
    csv->source = source;
    csv->form = form;
    dq_status status = read_header(csv, error);
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

int dq_csv_next(dq_csv *csv, const dq_csv_cell **cells, dq_error *error)
{
    int got = read_row(csv, error);
    *cells = csv->cells;
    if (got != ROW || csv->count == csv->columns) return got;
    dq_fail(error, DQ_ERR_FORMAT, "%zu cells where the header has %zu", csv->count, csv->columns);
    return ROW_BAD;
}

uint64_t dq_csv_line(const dq_csv *csv)
{
    return csv->row_line;
}

void dq_csv_close(dq_csv *csv)
{
    if (!csv) return;
    free(csv->buffer);
    free(csv->starts);
    free(csv->cells);
    free(csv->header_buffer);
    free(csv->header);
    free(csv);
}
