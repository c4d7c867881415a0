/* SPDX-License-Identifier: MIT
 *
 * What a way of working printed as TSV, taken apart to become the tables of a page: rows are kept or left
 * out, and a long table (a line a value) becomes a wide one. All of it lives in the data's arena.
 */
#ifndef DQ_PAGE_DATA_H
#define DQ_PAGE_DATA_H

#include "page/table.h"

typedef struct dq_page_column {
    dq_page_text name;
    dq_page_text *cells;                     /* (rows) */
    const struct dq_page_column *low, *high; /* of its interval; NULL: it has none */
    dq_page_line line;
    bool heading; /* names its row */
} dq_page_column;

typedef struct dq_page_data {
    dq_arena *arena;
    dq_page_column *columns;
    size_t column_count, rows;
} dq_page_data;

/* Reads TSV with a head, as the programs write it (port/files/rows.h). Errors are those of the table. */
dq_status dq_page_data_read(dq_page_data *data, dq_arena *arena, const char *tsv, size_t bytes,
                            dq_error *error);

/* NULL: there is none of that name. */
dq_page_column *dq_page_data_find(const dq_page_data *data, const char *name);
bool dq_page_text_is(dq_page_text text, const char *words);
/* The number that a cell says; NAN for none. */
double dq_page_number(dq_page_text text);

/* Rows of which keep(arg, row) holds. */
dq_status dq_page_data_filter(const dq_page_data *from, bool (*keep)(const void *arg, size_t row),
                              const void *arg, dq_page_data *to, dq_error *error);

/* How a long table becomes a wide one: its columns of the keys, then one for each text of `across`, in the
 * order in which they come. Columns that a row has nothing of are empty there. */
typedef struct dq_page_pivot {
    const dq_page_column *keys[3]; /* ended by NULL */
    const dq_page_column *across;
    const dq_page_column *value; /* with its interval */
} dq_page_pivot;

dq_status dq_page_data_pivot(const dq_page_data *from, const dq_page_pivot *by, dq_page_data *to,
                             dq_error *error);

/* The data as a table: columns that are empty throughout, and those that are another's interval, are left
 * out. by_row: `lines` (rows) say what is alike, else the columns do. */
dq_status dq_page_data_table(const dq_page_data *data, dq_page_table *table, const dq_page_line *lines,
                             dq_error *error);

#endif
