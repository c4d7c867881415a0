/* SPDX-License-Identifier: MIT
 *
 * Tables as text. CSV: RFC 4180 (cells in double quotes may hold commas, newlines and doubled quotes). TSV:
 * one line a row, and \t \n \r \\ inside a cell stand for tab, newline, return and backslash. The first line
 * names the columns. A byte order mark is dropped, empty lines are passed over, "\r\n" ends a line too.
 */
#ifndef DQ_PORT_FILES_CSV_H
#define DQ_PORT_FILES_CSV_H

#include "dq/source.h"

#include <stdint.h>

typedef enum dq_csv_form { DQ_CSV, DQ_TSV } dq_csv_form;

typedef struct dq_csv_cell {
    const char *text; /* UTF-8, NUL-terminated */
    size_t bytes;
} dq_csv_cell;

typedef struct dq_csv dq_csv;

/* Reads the header from a source (kept, not owned). DQ_ERR_FORMAT for an empty input, two columns of one
 * name, an empty name. */
dq_status dq_csv_open(dq_csv **csv, dq_source *source, dq_csv_form form, dq_error *error);

/* The columns; they live as long as the reader. */
const dq_csv_cell *dq_csv_header(const dq_csv *csv, size_t *columns);

/* 1: a row, with as many cells as the header, valid until the next call; 0: the end; 2: a row that cannot be
 * read (a wrong number of cells, a stray quote, bad UTF-8: *error says), behind which the next call goes on;
 * -1: broken for good, *error says why. */
int dq_csv_next(dq_csv *csv, const dq_csv_cell **cells, dq_error *error) __attribute__((warn_unused_result));

/* The line (from 1) on which the last row began. */
uint64_t dq_csv_line(const dq_csv *csv);

void dq_csv_close(dq_csv *csv);

#endif
