/* SPDX-License-Identifier: MIT
 *
 * A table of a page: what its cells are, not how they look. Numbers that are alike (a column's, or a row's
 * where rows are measures) have the decimals that four significant digits of the greatest need; all digits
 * stay in the page, as the value of a <data> element. The best of them is bold.
 *
 *     dq_page_table t = {.caption = "Measures", .rows = 2, .columns = 3, .headings = 1};
 *     if (!dq_page_table_make(&t, &arena)) ...                  memory is short; else all cells are empty
 *     t.heads[1] = dq_page_words("ndcg@10");  t.lines[1] = (dq_page_line){DQ_PAGE_NUMBER, DQ_PAGE_GREATEST};
 *     dq_page_table_cell(&t, 0, 1)->value = 0.5;
 *     dq_page_table_write(&t, &html);
 */
#ifndef DQ_PAGE_TABLE_H
#define DQ_PAGE_TABLE_H

#include "dq/arena.h"
#include "page/html.h"

typedef enum dq_page_kind {
    DQ_PAGE_TEXT,
    DQ_PAGE_NUMBER,
    DQ_PAGE_UNLIKE,     /* a number with decimals of its own: those of its line are of other measures */
    DQ_PAGE_DIFFERENCE, /* with its sign, else likewise */
    DQ_PAGE_PROBABILITY /* four decimals; less than 0.0001 is said so */
} dq_page_kind;

typedef enum dq_page_best { DQ_PAGE_NO_BEST, DQ_PAGE_GREATEST, DQ_PAGE_LEAST } dq_page_best;

/* Cells that are alike. */
typedef struct dq_page_line {
    dq_page_kind kind;
    dq_page_best best; /* marked where there are two values or more, and not all equal */
} dq_page_line;

/* Anybody's text, not owned; words NULL: none. */
typedef struct dq_page_text {
    const char *words;
    size_t bytes;
} dq_page_text;

typedef struct dq_page_cell {
    dq_page_text text;       /* of DQ_PAGE_TEXT, and of columns that name the row */
    double value, low, high; /* of the others, and its interval; NAN: none */
} dq_page_cell;

typedef struct dq_page_table {
    const char *caption;
    const char *note; /* in the caption, too; NULL: none */
    bool folded;      /* shown on request */
    bool by_row;      /* cells of a row are alike, else those of a column */
    size_t rows, columns;
    size_t headings;     /* so many first columns name the row */
    dq_page_text *heads; /* (columns) */
    dq_page_line *lines; /* (columns), by_row (rows) */
    dq_page_cell *cells; /* (rows, columns) */
} dq_page_table;

dq_page_text dq_page_words(const char *words);
bool dq_page_text_same(dq_page_text a, dq_page_text b);

/* Heads, lines and cells, all empty, in the arena; false when memory is short. */
bool dq_page_table_make(dq_page_table *table, dq_arena *arena);
dq_page_cell *dq_page_table_cell(const dq_page_table *table, size_t row, size_t column);

/* Appends it, to scroll within itself where it is too wide. A table without rows is not written. */
void dq_page_table_write(const dq_page_table *table, dq_html *out);

#endif
