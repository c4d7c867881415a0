/* SPDX-License-Identifier: MIT */
#include "page/data.h"

#include "core/array.h"
#include "core/index.h"
#include "port/files/csv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static dq_status no_memory(dq_error *error)
{
    return dq_fail_memory(error, "the tables of a page");
}

/* ---- reading ---- */

/* A text in memory as a source. */
typedef struct memory {
    const char *at;
    size_t left;
} memory;

static dq_status read_memory(void *arg, void *to, size_t n, size_t *got, dq_error *error)
{
    memory *m = arg;
    (void)error;
    *got = n < m->left ? n : m->left;
    memcpy(to, m->at, *got);
    m->at += *got;
    m->left -= *got;
    return DQ_OK;
}

/* Cells as they come, row by row. */
typedef struct cells {
    dq_page_text *at;
    size_t count, capacity;
} cells;

static dq_status take(cells *c, const dq_csv_cell *row, size_t columns, dq_arena *arena, dq_error *error)
{
    if (!dq_array_reserve(&c->at, &c->capacity, c->count + columns, sizeof *c->at)) return no_memory(error);
    for (size_t i = 0; i < columns; i++) {
        const char *copy = row[i].bytes ? dq_arena_text(arena, row[i].text, row[i].bytes) : "";
        if (!copy) return no_memory(error);
        c->at[c->count++] = (dq_page_text){row[i].bytes ? copy : NULL, row[i].bytes};
    }
    return DQ_OK;
}

static dq_status take_all(dq_csv *csv, cells *c, dq_arena *arena, dq_error *error)
{
    size_t columns;
    const dq_csv_cell *row = dq_csv_header(csv, &columns);
    dq_status status = take(c, row, columns, arena, error);
    int got = DQ_CSV_ROW;
    while (!status && (got = dq_csv_next(csv, &row, error)) == DQ_CSV_ROW)
        status = take(c, row, columns, arena, error);
    return status || got == DQ_CSV_END ? status : error->status;
}

/* Room for `columns` of `rows` cells, none of which has a text. */
static dq_status make(dq_page_data *data, dq_arena *arena, size_t columns, size_t rows, dq_error *error)
{
    *data = (dq_page_data){.arena = arena, .column_count = columns, .rows = rows};
    data->columns = dq_arena_zero(arena, columns + 1, sizeof *data->columns);
    dq_page_text *all = dq_arena_zero(arena, columns * rows + 1, sizeof *all);
    if (!data->columns || !all) return no_memory(error);
    for (size_t i = 0; i < columns; i++) data->columns[i].cells = all + i * rows;
    return DQ_OK;
}

static void put(const dq_page_data *data, size_t row, size_t column, dq_page_text text)
{
    data->columns[column].cells[row] = text;
}

dq_status dq_page_data_read(dq_page_data *data, dq_arena *arena, const char *tsv, size_t bytes,
                            dq_error *error)
{
    memory m = {tsv, bytes};
    dq_source *source = NULL;
    dq_csv *csv = NULL;
    cells c = {0};
    size_t columns = 0;
    dq_status status = dq_source_open_fn(&source, "a table", read_memory, &m, error);
    if (!status) status = dq_csv_open(&csv, source, DQ_TSV, error);
    if (!status) status = take_all(csv, &c, arena, error);
    if (!status) (void)dq_csv_header(csv, &columns);
    if (!status) status = make(data, arena, columns, c.count / columns - 1, error);
    for (size_t i = 0; i < columns && !status; i++) {
        data->columns[i].name = c.at[i];
        for (size_t r = 0; r < data->rows; r++) put(data, r, i, c.at[(r + 1) * columns + i]);
    }
    free(c.at);
    dq_csv_close(csv);
    dq_source_close(source);
    return status;
}

/* ---- looking ---- */

bool dq_page_text_is(dq_page_text text, const char *words)
{
    size_t n = strlen(words);
    return text.bytes == n && (n == 0 || memcmp(text.words, words, n) == 0);
}

dq_page_column *dq_page_data_find(const dq_page_data *data, const char *name)
{
    for (size_t i = 0; i < data->column_count; i++)
        if (dq_page_text_is(data->columns[i].name, name)) return &data->columns[i];
    return NULL;
}

double dq_page_number(dq_page_text text)
{
    double number;
    return text.words && dq_json_read_number(text.words, text.bytes, &number) ? number : (double)NAN;
}

/* ---- fewer rows ---- */

/* Copies what a column is, and makes its interval the same of `to`. */
static void copy_columns(const dq_page_data *from, dq_page_data *to)
{
    for (size_t i = 0; i < from->column_count; i++) {
        const dq_page_column *c = &from->columns[i];
        dq_page_text *own = to->columns[i].cells;
        to->columns[i] = *c;
        to->columns[i].cells = own;
        if (c->low) to->columns[i].low = &to->columns[c->low - from->columns];
        if (c->high) to->columns[i].high = &to->columns[c->high - from->columns];
    }
}

dq_status dq_page_data_filter(const dq_page_data *from, bool (*keep)(const void *arg, size_t row),
                              const void *arg, dq_page_data *to, dq_error *error)
{
    size_t rows = 0;
    for (size_t r = 0; r < from->rows; r++) rows += keep(arg, r);
    dq_status status = make(to, from->arena, from->column_count, rows, error);
    if (status) return status;
    copy_columns(from, to);
    for (size_t r = 0, n = 0; r < from->rows; r++) {
        if (!keep(arg, r)) continue;
        for (size_t i = 0; i < from->column_count; i++) put(to, n, i, from->columns[i].cells[r]);
        n++;
    }
    return DQ_OK;
}

/* ---- long to wide ---- */

/* The rows and columns that a wide table is to have. */
typedef struct wide {
    dq_index rows, across;
    uint32_t *first; /* (rows) a row of the long one that has its keys */
    size_t room;
} wide;

static size_t key_count(const dq_page_pivot *by)
{
    size_t n = 0;
    while (n < 3 && by->keys[n]) n++;
    return n;
}

/* All keys of a row as one id; no text of a table has a NUL. */
static dq_status row_of(const dq_page_pivot *by, size_t r, wide *w, uint32_t *row, bool *added,
                        dq_error *error)
{
    dq_json_text id = DQ_JSON_TEXT_EMPTY;
    dq_status status = DQ_OK;
    for (size_t k = 0; k < key_count(by) && !status; k++) {
        dq_page_text t = by->keys[k]->cells[r];
        if (t.words) status = dq_json_write_raw(&id, t.words, t.bytes, error);
        if (!status) status = dq_json_write_raw(&id, "", 1, error);
    }
    if (!status) status = dq_index_add(&w->rows, id.data, id.bytes, row, added, error);
    dq_json_text_free(&id);
    return status;
}

static dq_status across_of(const dq_page_pivot *by, size_t r, wide *w, uint32_t *column, dq_error *error)
{
    dq_page_text t = by->across->cells[r];
    return dq_index_add(&w->across, t.words ? t.words : "", t.bytes, column, NULL, error);
}

static dq_status find_shape(const dq_page_data *from, const dq_page_pivot *by, wide *w, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t r = 0; r < from->rows && !status; r++) {
        uint32_t row, column;
        bool added;
        status = row_of(by, r, w, &row, &added, error);
        if (!status) status = across_of(by, r, w, &column, error);
        if (status || !added) continue;
        if (!dq_array_reserve(&w->first, &w->room, (size_t)row + 1, sizeof *w->first))
            return no_memory(error);
        w->first[row] = (uint32_t)r;
    }
    return status;
}

enum { PARTS = 3 }; /* value, low, high */

static dq_status name_columns(const dq_page_pivot *by, const wide *w, dq_page_data *to, dq_error *error)
{
    const size_t keys = key_count(by);
    for (size_t k = 0; k < keys; k++) {
        to->columns[k].name = by->keys[k]->name;
        to->columns[k].line = by->keys[k]->line;
        to->columns[k].heading = true;
        for (size_t r = 0; r < to->rows; r++) /* each has its first: NOLINTNEXTLINE(*.NullDereference) */
            put(to, r, k, by->keys[k]->cells[w->first[r]]);
    }
    for (uint32_t a = 0; a < dq_index_count(&w->across); a++) {
        size_t bytes;
        const char *id = dq_index_id(&w->across, a, &bytes), *copy = dq_arena_text(to->arena, id, bytes);
        dq_page_column *c = &to->columns[keys + PARTS * a];
        if (!copy) return no_memory(error);
        c->name = (dq_page_text){copy, bytes};
        c->line = by->value->line;
        c->low = by->value->low ? c + 1 : NULL;
        c->high = by->value->high ? c + 2 : NULL;
    }
    return DQ_OK;
}

dq_status dq_page_data_pivot(const dq_page_data *from, const dq_page_pivot *by, dq_page_data *to,
                             dq_error *error)
{
    wide w = {0};
    const size_t keys = key_count(by);
    dq_status status = find_shape(from, by, &w, error);
    if (!status)
        status = make(to, from->arena, keys + PARTS * dq_index_count(&w.across), dq_index_count(&w.rows),
                      error);
    if (!status) status = name_columns(by, &w, to, error);
    for (size_t r = 0; r < from->rows && !status; r++) {
        uint32_t row, column;
        const dq_page_column *const parts[PARTS] = {by->value, by->value->low, by->value->high};
        status = row_of(by, r, &w, &row, &(bool){false}, error);
        if (!status) status = across_of(by, r, &w, &column, error);
        for (size_t p = 0; p < PARTS && !status; p++)
            if (parts[p]) put(to, row, keys + PARTS * column + p, parts[p]->cells[r]);
    }
    free(w.first);
    dq_index_free(&w.rows);
    dq_index_free(&w.across);
    return status;
}

/* ---- to a table ---- */

static bool is_shown(const dq_page_data *data, const dq_page_column *c)
{
    bool any = c->heading;
    for (size_t r = 0; r < data->rows && !any; r++) any = c->cells[r].words != NULL;
    for (size_t i = 0; i < data->column_count && any; i++)
        any = data->columns[i].low != c && data->columns[i].high != c;
    return any;
}

static double bound_of(const dq_page_column *bound, size_t row)
{
    return bound ? dq_page_number(bound->cells[row]) : (double)NAN;
}

static void fill(const dq_page_data *data, const dq_page_column *c, dq_page_table *t, size_t column)
{
    t->heads[column] = c->name;
    if (!t->by_row) t->lines[column] = c->line;
    for (size_t r = 0; r < data->rows; r++)
        *dq_page_table_cell(t, r, column) = (dq_page_cell){c->cells[r], dq_page_number(c->cells[r]),
                                                           bound_of(c->low, r), bound_of(c->high, r)};
}

dq_status dq_page_data_table(const dq_page_data *data, dq_page_table *t, const dq_page_line *lines,
                             dq_error *error)
{
    t->rows = data->rows;
    t->columns = t->headings = 0;
    for (size_t i = 0; i < data->column_count; i++) {
        t->columns += is_shown(data, &data->columns[i]);
        t->headings += data->columns[i].heading;
    }
    t->by_row = lines != NULL;
    if (!dq_page_table_make(t, data->arena)) return no_memory(error);
    for (size_t r = 0; lines && r < t->rows; r++) t->lines[r] = lines[r];
    size_t column = 0; /* headings first */
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < data->column_count; i++)
            if (data->columns[i].heading == (pass == 0) && is_shown(data, &data->columns[i]))
                fill(data, &data->columns[i], t, column++);
    return DQ_OK;
}
