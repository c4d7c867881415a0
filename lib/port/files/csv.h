/* SPDX-License-Identifier: MIT
 *
 * Tables as text, cut at a separator: one line a row, the first one naming the columns or none. Empty lines
 * are passed over, "\r\n" ends a line too. What a quote means depends on who writes such files:
 *
 *     , ;        RFC 4180: a cell in double quotes may hold separators, newlines and doubled quotes;
 *                a quote elsewhere makes the row a bad one
 *     one byte   a cell in quotes is read so, too (pandas, Excel); any other quote is a quote
 *     several    the same, within a line
 *     escapes    TSV as dq-cat writes it: \t \n \r \\ \" \xNN in a cell that is not quoted stand for tab,
 *                newline, return, backslash and quote, and a cell's first quote is written \"
 */
#ifndef DQ_PORT_FILES_CSV_H
#define DQ_PORT_FILES_CSV_H

#include "dq/source.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct dq_csv_form {
    const char *separator; /* 1 .. DQ_CSV_SEPARATOR bytes, kept */
    bool escapes;
    bool headless; /* the first line is a row; columns are named by their numbers, from 1 */
} dq_csv_form;

enum { DQ_CSV_SEPARATOR = 8 };

#define DQ_CSV ((dq_csv_form){.separator = ","})
#define DQ_TSV ((dq_csv_form){.separator = "\t", .escapes = true})

typedef struct dq_csv_cell {
    const char *text; /* UTF-8, NUL-terminated */
    size_t bytes;
} dq_csv_cell;

typedef struct dq_csv dq_csv;

/* Reads the header from a source (kept, not owned). DQ_ERR_FORMAT for an empty input, two columns of one
 * name, an empty name, lines that end in a return alone; but the first column may have no name (pandas'
 * index), and the last (a separator behind each row). */
dq_status dq_csv_open(dq_csv **csv, dq_source *source, dq_csv_form form, dq_error *error);

/* The columns; they live as long as the reader. */
const dq_csv_cell *dq_csv_header(const dq_csv *csv, size_t *columns);

enum dq_csv_answer {
    DQ_CSV_BROKEN = -1, /* for good: *error says why */
    DQ_CSV_END = 0,
    DQ_CSV_ROW = 1, /* as many cells as the header has */
    DQ_CSV_BAD = 2, /* a wrong number of cells, a stray quote: *error says; the next call goes on behind it */
    DQ_CSV_NOT_UTF8 = 3
};

/* The next row, whose cells are valid until the next call; see dq_csv_answer. A last line that is no row and
 * has no newline was cut off: DQ_CSV_BROKEN, DQ_ERR_TRUNCATED. */
int dq_csv_next(dq_csv *csv, const dq_csv_cell **cells, dq_error *error) __attribute__((warn_unused_result));

/* The line (from 1) on which the last row began. */
uint64_t dq_csv_line(const dq_csv *csv);

/* Which other separator than its own the first line of a table looks cut at, NULL for none. */
const char *dq_csv_other_separator(const char *line, size_t bytes, const char *own);

void dq_csv_close(dq_csv *csv);

#endif
