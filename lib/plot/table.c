/* SPDX-License-Identifier: MIT */
#include "plot/table.h"

#include "core/array.h"
#include "core/index.h"
#include "core/words/nearest.h"
#include "core/words/number.h"
#include "port/files/csv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILTERS = 8, MARKS = 8, BINS = 2000, USUAL_BINS = 24 };

/* Columns that a text may name. */
typedef enum column { X, Y, LOWER, UPPER, SD, SERIES, PANEL, RUNS, COLUMNS } column;
static const char *const column_keys[COLUMNS] = {"x", "y", "lower", "upper", "sd", "series", "panel", "runs"};

typedef struct filter {
    const char *column, *value;
    size_t at;
} filter;

/* What the text says. */
typedef struct wish {
    dq_plot_kind kind;
    const char *columns[COLUMNS]; /* names; NULL: none */
    size_t at[COLUMNS];           /* their numbers */
    filter filters[FILTERS];
    dq_plot_mark marks[MARKS];
    size_t filter_count, mark_count;
    const char *title, *note, *order, *band;
    dq_plot_axis x, y;
    double bin; /* 0: chosen */
    bool share;
    dq_arena arena; /* of the texts */
} wish;

/* A row that counts. */
typedef struct row {
    uint32_t panel, series, category;
    dq_plot_point point;
} row;

typedef struct table {
    wish w;
    row *rows;
    size_t count, capacity;
    dq_index panels, series, categories;
    bool numbers; /* all x so far are */
    bool whole;   /* all of them whole numbers */
} table;

/* ---- the text ---- */

static dq_status strange(dq_error *error, const char *key, const char *value)
{
    return dq_fail(error, DQ_ERR_RANGE, "%s=%s means nothing here", key, value);
}

static bool set_number(wish *w, const char *key, const char *value)
{
    double *const numbers[] = {&w->x.min, &w->x.max, &w->y.min, &w->y.max};
    static const char *const keys[] = {"xmin", "xmax", "ymin", "ymax"};
    if (strcmp(key, "bin") == 0) return dq_number_is(value, &w->bin) && w->bin > 0;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(key, keys[i]) == 0) return dq_number_is(value, numbers[i]);
    return false;
}

static bool set_text(wish *w, const char *key, const char *value)
{
    const char **const texts[] = {&w->title,   &w->note,    &w->order,  &w->band,
                                  &w->x.label, &w->y.label, &w->x.unit, &w->y.unit};
    static const char *const keys[] = {"title",  "note",   "order", "band",
                                       "xlabel", "ylabel", "xunit", "yunit"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(key, keys[i]) == 0) {
            *texts[i] = value;
            return true;
        }
    for (column c = X; c < COLUMNS; c++)
        if (strcmp(key, column_keys[c]) == 0) {
            w->columns[c] = value;
            return *value != '\0';
        }
    return false;
}

/* COLUMN=VALUE; N or N=LABEL. */
static bool set_pair(wish *w, const char *key, char *value)
{
    char *equals = strchr(value, '=');
    if (equals) *equals++ = '\0';
    if (strcmp(key, "where") == 0) {
        if (!equals || w->filter_count == FILTERS) return false;
        w->filters[w->filter_count++] = (filter){value, equals, 0};
        return true;
    }
    bool horizontal = strcmp(key, "ymark") == 0;
    double at;
    if ((!horizontal && strcmp(key, "xmark") != 0) || !dq_number_is(value, &at) || w->mark_count == MARKS)
        return false;
    w->marks[w->mark_count++] = (dq_plot_mark){.horizontal = horizontal, .at = at, .label = equals};
    return true;
}

static dq_status set(wish *w, const char *key, char *value, dq_error *error)
{
    bool log = strcmp(key, "log") == 0, share = strcmp(key, "share") == 0;
    if (log && strspn(value, "xy") == strlen(value) && *value) {
        w->x.log = strchr(value, 'x');
        w->y.log = strchr(value, 'y');
        return DQ_OK;
    }
    if (share && strcmp(value, "yes") == 0) {
        w->share = true;
        return DQ_OK;
    }
    if (set_text(w, key, value) || set_number(w, key, value)) return DQ_OK;
    char *copy = dq_arena_text(&w->arena, value, strlen(value));
    if (!copy) return dq_fail_memory(error, "a picture");
    return set_pair(w, key, copy) ? DQ_OK : strange(error, key, value);
}

/* The text up to the next comma, without blanks before it and backslashes before commas; *text goes behind
 * it. */
static char *next_part(wish *w, const char **text)
{
    *text += strspn(*text, " \t\n");
    size_t n = strlen(*text), used = 0;
    char *part = dq_arena_text(&w->arena, *text, n);
    const char *at = *text;
    for (; part && *at && *at != ','; at++) {
        if (at[0] == '\\' && at[1] == ',') at++;
        part[used++] = *at;
    }
    if (part) part[used] = '\0';
    *text = *at ? at + 1 : at;
    return part;
}

static dq_status read_kind(wish *w, const char **text, dq_error *error)
{
    static const char *const kinds[] = {"lines", "points", "bars", "histogram", "grid", NULL};
    size_t n = strcspn(*text, ":");
    for (size_t k = 0; kinds[k]; k++) {
        if (strlen(kinds[k]) != n || strncmp(*text, kinds[k], n) != 0) continue;
        w->kind = (dq_plot_kind)k;
        *text += (*text)[n] ? n + 1 : n;
        return DQ_OK;
    }
    return dq_fail(error, DQ_ERR_RANGE,
                   "'%s' begins with none of lines:, points:, bars:, histogram: and grid:%s", *text,
                   dq_hint_of(*text, n, dq_word_in, kinds).words);
}

static dq_status check_wish(const wish *w, dq_error *error)
{
    if (!w->columns[X]) return dq_fail(error, DQ_ERR_RANGE, "x=COLUMN is needed");
    if (!w->columns[Y] && w->kind != DQ_PLOT_HISTOGRAM)
        return dq_fail(error, DQ_ERR_RANGE, "y=COLUMN is needed");
    if (w->kind == DQ_PLOT_GRID && !w->columns[SERIES])
        return dq_fail(error, DQ_ERR_RANGE, "series=COLUMN is needed: the rows of the grid");
    if (!w->columns[LOWER] != !w->columns[UPPER])
        return dq_fail(error, DQ_ERR_RANGE, "lower and upper need each other");
    if (w->columns[SD] && w->columns[LOWER])
        return dq_fail(error, DQ_ERR_RANGE, "sd and lower exclude each other");
    bool counted = w->kind == DQ_PLOT_HISTOGRAM, grid = w->kind == DQ_PLOT_GRID;
    for (column c = X; c < COLUMNS; c++)
        if (w->columns[c] && (counted || grid) && (c == LOWER || c == UPPER || c == SD || c == RUNS))
            return dq_fail(error, DQ_ERR_RANGE, "%s means nothing in a %s", column_keys[c],
                           grid ? "grid" : "histogram");
    if (grid && (w->mark_count || w->y.log))
        return dq_fail(error, DQ_ERR_RANGE, "marks and log mean nothing in a grid");
    if (w->x.min >= w->x.max || w->y.min >= w->y.max)
        return dq_fail(error, DQ_ERR_RANGE, "a least value that is not less than the greatest");
    if ((w->bin > 0 || w->share) && w->kind != DQ_PLOT_HISTOGRAM)
        return dq_fail(error, DQ_ERR_RANGE, "bin and share are for histograms");
    return DQ_OK;
}

static dq_status read_wish(wish *w, const char *text, dq_error *error)
{
    *w = (wish){.x = DQ_PLOT_AXIS, .y = DQ_PLOT_AXIS};
    dq_status status = read_kind(w, &text, error);
    while (!status && *text) {
        char *part = next_part(w, &text), *equals = part ? strchr(part, '=') : NULL;
        if (!part) return dq_fail_memory(error, "a picture");
        if (!equals) return dq_fail(error, DQ_ERR_RANGE, "'%s' is not KEY=VALUE", part);
        *equals = '\0';
        status = set(w, part, equals + 1, error);
    }
    return status ? status : check_wish(w, error);
}

dq_status dq_plot_table_check(const char *text, dq_error *error)
{
    wish w;
    dq_status status = read_wish(&w, text, error);
    dq_arena_free(&w.arena);
    return status;
}

/* ---- the table ---- */

static dq_status find_column(const dq_csv *csv, const char *name, size_t *at, dq_error *error)
{
    size_t columns;
    const dq_csv_cell *head = dq_csv_header(csv, &columns);
    for (*at = 0; *at < columns; ++*at)
        if (strcmp(head[*at].text, name) == 0) return DQ_OK;
    return dq_fail(error, DQ_ERR_UNKNOWN, "there is no column '%s'", name);
}

static dq_status find_columns(wish *w, const dq_csv *csv, dq_error *error)
{
    dq_status status = DQ_OK;
    for (column c = X; c < COLUMNS && !status; c++)
        if (w->columns[c]) status = find_column(csv, w->columns[c], &w->at[c], error);
    for (size_t i = 0; i < w->filter_count && !status; i++)
        status = find_column(csv, w->filters[i].column, &w->filters[i].at, error);
    return status;
}

/* An empty cell is no number, and no error. */
static dq_status number_of(const wish *w, column c, const dq_csv_cell *cells, double *value, dq_error *error)
{
    const char *text = w->columns[c] ? cells[w->at[c]].text : "";
    *value = (double)NAN;
    if (!*text || dq_number_is(text, value) || strcmp(text, "nan") == 0) return DQ_OK;
    return dq_fail(error, DQ_ERR_FORMAT, "%s: '%s' is no number", w->columns[c], text);
}

static dq_status name_of(const wish *w, column c, const dq_csv_cell *cells, dq_index *names, uint32_t *number,
                         dq_error *error)
{
    const dq_csv_cell none = {"", 0}, *cell = w->columns[c] ? &cells[w->at[c]] : &none;
    return dq_index_add(names, cell->text, cell->bytes, number, NULL, error);
}

static dq_status take_row(table *t, const dq_csv_cell *cells, dq_error *error)
{
    const wish *w = &t->w;
    double sd, runs;
    for (size_t i = 0; i < w->filter_count; i++)
        if (strcmp(cells[w->filters[i].at].text, w->filters[i].value) != 0) return DQ_OK;
    if (!dq_array_reserve(&t->rows, &t->capacity, t->count + 1, sizeof *t->rows))
        return dq_fail_memory(error, "a table");
    row *r = &t->rows[t->count++];
    *r = (row){0};
    dq_status status = name_of(w, PANEL, cells, &t->panels, &r->panel, error);
    if (!status) status = name_of(w, SERIES, cells, &t->series, &r->series, error);
    if (!status) status = name_of(w, X, cells, &t->categories, &r->category, error);
    if (!status) status = number_of(w, Y, cells, &r->point.y, error);
    if (!status) status = number_of(w, LOWER, cells, &r->point.lower, error);
    if (!status) status = number_of(w, UPPER, cells, &r->point.upper, error);
    if (!status) status = number_of(w, SD, cells, &sd, error);
    if (!status) status = number_of(w, RUNS, cells, &runs, error);
    if (status) return status;
    t->numbers = dq_number_is(cells[w->at[X]].text, &r->point.x) && t->numbers;
    t->whole = t->whole && r->point.x == floor(r->point.x);
    if (w->columns[SD] && !(runs <= 1)) { /* one run has no spread; runs may be NAN */
        r->point.lower = r->point.y - sd;
        r->point.upper = r->point.y + sd;
    }
    r->point.runs = runs > 0 && runs < 1e9 ? (uint32_t)runs : 0;
    return DQ_OK;
}

static dq_status read_rows(table *t, const char *path, dq_error *error)
{
    dq_source *source;
    dq_csv *csv = NULL;
    const dq_csv_cell *cells;
    size_t n = strlen(path);
    dq_status status = dq_source_open(&source, path, error);
    if (status) return status;
    status = dq_csv_open(&csv, source, n > 4 && strcmp(path + n - 4, ".csv") == 0 ? DQ_CSV : DQ_TSV, error);
    if (!status) status = find_columns(&t->w, csv, error);
    while (!status) {
        int answer = dq_csv_next(csv, &cells, error);
        if (answer == DQ_CSV_END) break;
        status = answer == DQ_CSV_ROW ? take_row(t, cells, error) : error->status;
        if (status) (void)dq_error_at(error, dq_source_name(source), dq_csv_line(csv));
    }
    if (!status && !t->count) status = dq_fail(error, DQ_ERR_SCHEMA, "no row counts");
    if (status) (void)dq_error_at(error, dq_source_name(source), DQ_NO_RECORD);
    dq_csv_close(csv);
    dq_source_close(source);
    return status;
}

static uint32_t *number_in(row *r, bool series)
{
    return series ? &r->series : &r->category;
}

/* Puts the names that are asked for first, in their order. */
static dq_status reorder(table *t, dq_index *names, bool series, dq_error *error)
{
    dq_index ordered = DQ_INDEX_EMPTY;
    dq_status status = DQ_OK;
    for (const char *at = t->w.order; at && *at && !status;) {
        size_t n = strcspn(at, "|");
        if (dq_index_find(names, at, n) != DQ_ABSENT)
            status = dq_index_add(&ordered, at, n, &(uint32_t){0}, NULL, error);
        at += at[n] ? n + 1 : n;
    }
    for (size_t i = 0; i < t->count && !status; i++) {
        uint32_t *number = number_in(&t->rows[i], series);
        size_t n;
        const char *name = dq_index_id(names, *number, &n);
        status = dq_index_add(&ordered, name, n, number, NULL, error);
    }
    dq_index_free(names);
    *names = ordered;
    return status;
}

/* ---- panels ---- */

static bool is_in(const row *r, uint32_t panel, uint32_t series)
{
    return r->panel == panel && r->series == series;
}

static size_t rows_in(const table *t, uint32_t panel, uint32_t series)
{
    size_t n = 0;
    for (size_t i = 0; i < t->count; i++) n += is_in(&t->rows[i], panel, series);
    return n;
}

/* Whether all series are called by numbers, which say nothing without their column's name. */
static bool named_by_numbers(const table *t)
{
    size_t count = dq_index_count(&t->series);
    double value;
    for (uint32_t s = 0; s < count; s++) {
        size_t n;
        char text[64];
        const char *name = dq_index_id(&t->series, s, &n);
        (void)snprintf(text, sizeof text, "%.*s", (int)(n < sizeof text ? n : sizeof text - 1), name);
        if (n >= sizeof text || !dq_number_is(text, &value)) return false;
    }
    return count > 0 && t->w.columns[SERIES];
}

static dq_plot_series *add_named(const table *t, uint32_t series, size_t points, dq_figure *figure,
                                 dq_plot_panel *panel)
{
    size_t n;
    char text[300];
    const char *name = dq_index_id(&t->series, series, &n);
    if (panel->kind != DQ_PLOT_GRID && n < 100 && named_by_numbers(t)) {
        int length = snprintf(text, sizeof text, "%.120s %.*s", t->w.columns[SERIES], (int)n, name);
        name = text;
        n = (size_t)length;
    }
    return dq_figure_add_series(figure, panel, name, n, points);
}

static void add_points(const table *t, uint32_t number, uint32_t series, dq_figure *figure,
                       dq_plot_panel *panel)
{
    dq_plot_series *s = add_named(t, series, rows_in(t, number, series), figure, panel);
    size_t at = 0;
    for (size_t i = 0; s && i < t->count; i++) {
        if (!is_in(&t->rows[i], number, series)) continue;
        s->points[at] = t->rows[i].point;
        if (panel->category_count) s->points[at].x = (double)t->rows[i].category;
        if (s->points[at].runs > s->runs) s->runs = s->points[at].runs;
        at++;
    }
    for (size_t i = 0; s && i < at; i++)
        if (s->points[i].runs == s->runs) s->points[i].runs = 0; /* of all */
}

/* Bins of round width from a multiple of it, for all series of a panel. */
typedef struct bins {
    double from, width;
    size_t count;
} bins;

static dq_status choose_bins(const table *t, uint32_t panel, bins *b, dq_error *error)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < t->count; i++) {
        if (t->rows[i].panel != panel) continue;
        low = fmin(low, t->rows[i].point.x);
        high = fmax(high, t->rows[i].point.x);
    }
    b->width = t->w.bin > 0 ? t->w.bin : (high - low) / USUAL_BINS;
    if (!(b->width > 0) || (t->whole && !(t->w.bin > 0) && b->width < 1)) b->width = 1;
    if (!(t->w.bin > 0)) { /* 1, 2 or 5 */
        double power = pow(10, floor(log10(b->width))), part = b->width / power;
        b->width = power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
    }
    b->from = b->width * floor(low / b->width + 1e-9);
    if (t->whole && b->width == 1) b->from -= 0.5; /* each number in the middle of its bin */
    double count = floor((high - b->from) / b->width + 1e-9) + 1;
    if (!(count <= BINS)) return dq_fail(error, DQ_ERR_RANGE, "more than %d bins: a greater bin=", BINS);
    b->count = (size_t)count;
    return DQ_OK;
}

/* How much stands in each bin, or of each category. */
static void count_into(const table *t, uint32_t number, uint32_t series, const bins *b, dq_plot_series *s)
{
    double all = 0;
    for (size_t i = 0; i < s->count; i++) {
        s->points[i].x = b ? b->from + ((double)i + 0.5) * b->width : (double)i;
        s->points[i].y = 0;
    }
    for (size_t i = 0; i < t->count; i++) {
        const row *r = &t->rows[i];
        double weight = isnan(r->point.y) ? t->w.columns[Y] ? 0 : 1 : r->point.y;
        if (!is_in(r, number, series)) continue;
        size_t at = b ? (size_t)((r->point.x - b->from) / b->width + 1e-9) : r->category;
        s->points[at < s->count ? at : s->count - 1].y += weight;
        all += weight;
    }
    for (size_t i = 0; t->w.share && i < s->count && all > 0; i++) s->points[i].y /= all;
}

static dq_status add_counts(const table *t, uint32_t number, dq_figure *figure, dq_plot_panel *panel,
                            dq_error *error)
{
    bins b = {0};
    bool names = panel->category_count > 0;
    dq_status status = names ? DQ_OK : choose_bins(t, number, &b, error);
    for (uint32_t s = 0; s < dq_index_count(&t->series) && !status; s++) {
        if (!rows_in(t, number, s)) continue;
        dq_plot_series *series = add_named(t, s, names ? panel->category_count : b.count, figure, panel);
        if (series) count_into(t, number, s, names ? NULL : &b, series);
    }
    panel->y.min = isnan(panel->y.min) ? 0 : panel->y.min;
    panel->y.whole = !t->w.share && !t->w.columns[Y]; /* counts */
    panel->x.whole = !names && t->whole;
    if (t->w.share && isnan(panel->y.max)) panel->y.max = 1;
    return status;
}

static void dress(const table *t, dq_figure *figure, dq_plot_panel *panel)
{
    const wish *w = &t->w;
    const char **const texts[] = {&panel->x.label, &panel->x.unit, &panel->y.label, &panel->y.unit,
                                  &panel->interval};
    panel->x = w->x;
    panel->y = w->y;
    panel->x.full = panel->y.full = true; /* whoever names both ends wants to see them */
    panel->interval = w->band;
    if (w->kind == DQ_PLOT_GRID) panel->rows = w->columns[SERIES];
    if (!panel->x.label) panel->x.label = w->columns[X];
    if (!panel->y.label) panel->y.label = w->columns[Y] ? w->columns[Y] : w->share ? "share" : "rows";
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (*texts[i]) *texts[i] = dq_figure_text(figure, *texts[i], strlen(*texts[i]));
    if (panel->rows) panel->rows = dq_figure_text(figure, panel->rows, strlen(panel->rows));
    for (size_t i = 0; i < w->mark_count; i++)
        dq_figure_add_mark(figure, panel, w->marks[i].horizontal, w->marks[i].at, w->marks[i].label);
}

/* What is said of x as a number, where it is none; and of an order of nothing. */
static dq_status check_x(const table *t, bool categories, dq_error *error)
{
    const wish *w = &t->w;
    bool vertical = false;
    for (size_t i = 0; i < w->mark_count; i++) vertical = vertical || !w->marks[i].horizontal;
    if (categories && (vertical || w->x.log || !isnan(w->x.min) || !isnan(w->x.max) || w->bin > 0))
        return dq_fail(error, DQ_ERR_RANGE,
                       "xmark, xmin, xmax, log=x and bin mean nothing where x is no number");
    if (!categories && w->order && !w->columns[SERIES])
        return dq_fail(error, DQ_ERR_RANGE,
                       "order means nothing where x is a number and there are no series");
    return DQ_OK;
}

static dq_status add_panel(const table *t, uint32_t number, dq_figure *figure, dq_error *error)
{
    size_t n, names = dq_index_count(&t->categories);
    const char *value = dq_index_id(&t->panels, number, &n);
    char title[300];
    bool both = n && t->w.title && *t->w.title;
    bool categories = t->w.kind == DQ_PLOT_BARS || t->w.kind == DQ_PLOT_GRID || !t->numbers;
    dq_status status = check_x(t, categories, error);
    if (status) return status;
    (void)snprintf(title, sizeof title, "%.120s%s%.*s", t->w.title ? t->w.title : "", both ? ": " : "",
                   n < 120 ? (int)n : 120, value);
    dq_plot_kind kind = t->w.kind == DQ_PLOT_HISTOGRAM && categories ? DQ_PLOT_BARS : t->w.kind;
    dq_plot_panel *panel = dq_figure_add_panel(figure, kind, title);
    if (!panel) return dq_fail_memory(error, "a picture");
    dress(t, figure, panel);
    if (categories) dq_figure_set_categories(figure, panel, names);
    for (size_t i = 0; categories && i < names; i++) {
        size_t bytes;
        const char *name = dq_index_id(&t->categories, (uint32_t)i, &bytes);
        dq_figure_name_category(figure, panel, i, name, bytes);
    }
    if (t->w.kind == DQ_PLOT_HISTOGRAM) return add_counts(t, number, figure, panel, error);
    for (uint32_t s = 0; s < dq_index_count(&t->series); s++)
        if (rows_in(t, number, s)) add_points(t, number, s, figure, panel);
    return DQ_OK;
}

dq_status dq_plot_table_add(dq_figure *figure, const char *text, const char *path, dq_error *error)
{
    table t = {.numbers = true, .whole = true};
    dq_status status = read_wish(&t.w, text, error);
    if (!status) status = read_rows(&t, path, error);
    if (!status) status = reorder(&t, &t.categories, false, error);
    if (!status) status = reorder(&t, &t.series, true, error);
    for (uint32_t p = 0; p < dq_index_count(&t.panels) && !status; p++)
        status = add_panel(&t, p, figure, error);
    if (!status && t.w.note) figure->note = dq_figure_text(figure, t.w.note, strlen(t.w.note));
    if (!status && figure->arena.failed) status = dq_fail_memory(error, "a picture");
    free(t.rows);
    dq_index_free(&t.panels);
    dq_index_free(&t.series);
    dq_index_free(&t.categories);
    dq_arena_free(&t.w.arena);
    return status;
}
