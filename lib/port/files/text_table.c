/* SPDX-License-Identifier: MIT
 *
 * The rows are read back as any TSV is, and all are held: a table that somebody looks at is small.
 */
#include "port/files/text_table.h"

#include "core/array.h"
#include "dq/arena.h"
#include "port/files/csv.h"
#include "port/files/rows.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AS_IT_IS = -1 };

typedef struct column {
    bool number, empty;
    int decimals; /* AS_IT_IS: whole numbers, and texts */
    size_t width; /* of the table to look at */
} column;

typedef struct grid {
    dq_arena arena;
    const char **cells; /* (rows, columns), of which row 0 is the header; in the arena */
    size_t rows, columns, capacity;
    column *of; /* (columns) */
} grid;

/* ---- the text ---- */

static dq_status keep(void *arg, const void *data, size_t n, dq_error *error)
{
    dq_text_table *t = arg;
    if (!dq_array_reserve(&t->data, &t->capacity, t->bytes + n + 1, 1))
        return dq_fail_memory(error, "a table");
    memcpy(t->data + t->bytes, data, n);
    t->bytes += n;
    t->data[t->bytes] = '\0';
    return DQ_OK;
}

dq_status dq_text_table_open(dq_text_table *table, dq_sink **sink, dq_error *error)
{
    return dq_sink_open_fn(sink, "table", DQ_SINK_TEXT, keep, table, error);
}

void dq_text_table_free(dq_text_table *table)
{
    free(table->data);
    table->data = NULL;
    table->bytes = table->capacity = 0;
}

typedef struct reading {
    const dq_text_table *table;
    size_t at;
} reading;

static dq_status give(void *arg, void *to, size_t n, size_t *got, dq_error *error)
{
    reading *r = arg;
    size_t left = r->table->bytes - r->at;
    (void)error;
    *got = left < n ? left : n;
    if (*got) memcpy(to, r->table->data + r->at, *got);
    r->at += *got;
    return DQ_OK;
}

/* ---- cells ---- */

static dq_status add_row(grid *g, const dq_csv_cell *cells, dq_error *error)
{
    size_t need = (g->rows + 1) * g->columns;
    if (!dq_array_reserve(&g->cells, &g->capacity, need, sizeof *g->cells))
        return dq_fail_memory(error, "a table");
    for (size_t i = 0; i < g->columns; i++) {
        const char *kept = dq_arena_text(&g->arena, cells[i].text, cells[i].bytes);
        if (!kept) return dq_fail_memory(error, "a table");
        g->cells[g->rows * g->columns + i] = kept;
    }
    g->rows++;
    return DQ_OK;
}

static const char *cell(const grid *g, size_t row, size_t at)
{
    return g->cells[row * g->columns + at];
}

static dq_status read_rows(dq_csv *csv, grid *g, dq_error *error)
{
    const dq_csv_cell *cells;
    int got = DQ_CSV_ROW;
    dq_status status = add_row(g, dq_csv_header(csv, &g->columns), error);
    while (!status && (got = dq_csv_next(csv, &cells, error)) == DQ_CSV_ROW)
        status = add_row(g, cells, error);
    return status || got == DQ_CSV_END ? status : error->status;
}

static bool number_of(const char *text, double *value)
{
    return dq_json_read_number(text, strlen(text), value);
}

/* Four digits of the largest number that is not whole. */
static int decimals_of(const grid *g, size_t at)
{
    double most = 0, value;
    for (size_t r = 1; r < g->rows; r++)
        if (number_of(cell(g, r, at), &value) && value != floor(value)) most = fmax(most, fabs(value));
    if (most == 0) return AS_IT_IS;
    int digits = 3 - (int)floor(log10(most));
    return digits < 0 ? 0 : digits > 12 ? 12 : digits;
}

static bool is_p(const char *name)
{
    return name[0] == 'p' && (!name[1] || name[1] == '_');
}

static void describe(const dq_text_table *t, grid *g, size_t at)
{
    column *c = &g->of[at];
    const char *name = cell(g, 0, at);
    double value;
    *c = (column){.number = at >= t->texts && strcmp(name, "group") != 0, .empty = true};
    for (size_t r = 1; r < g->rows; r++) {
        if (!*cell(g, r, at)) continue;
        c->empty = false;
        c->number &= number_of(cell(g, r, at), &value);
    }
    c->empty &= g->rows > 1;
    c->decimals = !c->number ? AS_IT_IS : is_p(name) ? 4 : decimals_of(g, at);
}

static dq_status read_grid(const dq_text_table *t, grid *g, dq_error *error)
{
    reading r = {.table = t};
    dq_source *source;
    dq_csv *csv = NULL;
    dq_status status = dq_source_open_fn(&source, "table", give, &r, error);
    if (status) return status;
    status = dq_csv_open(&csv, source, DQ_TSV, error);
    if (!status) (void)dq_csv_header(csv, &g->columns);
    if (!status) status = read_rows(csv, g, error);
    if (!status && !(g->of = calloc(g->columns + 1, sizeof *g->of)))
        status = dq_fail_memory(error, "a table");
    for (size_t i = 0; !status && i < g->columns; i++) describe(t, g, i);
    dq_csv_close(csv);
    dq_source_close(source);
    return status;
}

/* The cell as it is shown: rounded, where it is a number. */
static const char *shown(const grid *g, size_t row, size_t at, char text[64])
{
    const column *c = &g->of[at];
    double value;
    if (row == 0 || !c->number || !number_of(cell(g, row, at), &value)) return cell(g, row, at);
    bool small = is_p(cell(g, 0, at)) && value > 0 && value < 0.0001;
    if (small) return "<0.0001";
    if (c->decimals == AS_IT_IS) return cell(g, row, at);
    (void)snprintf(text, 64, "%.*f", c->decimals, value);
    return text;
}

/* ---- forms ---- */

static dq_status put(dq_sink *out, const char *text, dq_error *error)
{
    return dq_sink_write(out, text, strlen(text), error);
}

/* Characters on the terminal, one a code point. */
static size_t width_of(const char *text)
{
    size_t n = 0;
    for (; *text; text++) n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static dq_status put_aligned(const char *text, size_t width, bool right, bool last, dq_sink *out,
                             dq_error *error)
{
    size_t own = width_of(text);
    int blanks = own < width ? (int)(width - own) : 0;
    dq_status status = right ? dq_sink_printf(out, error, "%*s", blanks, "") : DQ_OK;
    if (!status) status = dq_rows_write_text(out, text, strlen(text), error);
    return status || right || last ? status : dq_sink_printf(out, error, "%*s", blanks, "");
}

static dq_status write_table(grid *g, dq_sink *out, dq_error *error)
{
    dq_status status = DQ_OK;
    char text[64];
    size_t last = 0;
    for (size_t i = 0; i < g->columns; i++) {
        if (!g->of[i].empty) last = i;
        for (size_t r = 0; r < g->rows; r++) {
            size_t width = width_of(shown(g, r, i, text));
            if (width > g->of[i].width) g->of[i].width = width;
        }
    }
    for (size_t r = 0; r < g->rows && !status; r++) {
        bool first = true;
        for (size_t i = 0; i < g->columns && !status; i++) {
            const column *c = &g->of[i];
            const char *is = shown(g, r, i, text);
            if (c->empty) continue;
            if (!first) status = put(out, "  ", error);
            if (!status) status = put_aligned(*is ? is : "-", c->width, c->number, i == last, out, error);
            first = false;
        }
        if (!status) status = put(out, "\n", error);
    }
    return status;
}

static dq_status put_csv(const char *text, dq_sink *out, dq_error *error)
{
    if (!text[strcspn(text, "\",\r\n")]) return put(out, text, error);
    dq_status status = put(out, "\"", error);
    for (; *text && !status; text++) status = put(out, *text == '"' ? "\"\"" : (char[]){*text, 0}, error);
    return status ? status : put(out, "\"", error);
}

static dq_status write_csv(const grid *g, dq_sink *out, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t r = 0; r < g->rows && !status; r++)
        for (size_t i = 0; i < g->columns && !status; i++) {
            status = put_csv(cell(g, r, i), out, error);
            if (!status) status = put(out, i + 1 < g->columns ? "," : "\n", error);
        }
    return status;
}

static dq_value json_of(const grid *g, size_t row, size_t at, dq_arena *arena)
{
    const char *text = cell(g, row, at);
    double value;
    if (!*text) return dq_nil();
    if (!g->of[at].number || !number_of(text, &value)) return dq_string(arena, text);
    bool whole = !text[strspn(text, "-0123456789")] && fabs(value) < 9e15;
    return whole ? dq_int((int64_t)value) : dq_real_or_nil(value);
}

static dq_status write_json(const grid *g, dq_sink *out, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t r = 1; r < g->rows && !status; r++) {
        dq_arena arena = DQ_ARENA_EMPTY;
        dq_value map = dq_map();
        bool made = true;
        for (size_t i = 0; i < g->columns; i++)
            made = made && dq_map_set(&arena, &map, cell(g, 0, i), json_of(g, r, i, &arena));
        status = made ? dq_rows_write_json(out, &map, error) : dq_fail_memory(error, "a row");
        dq_arena_free(&arena);
    }
    return status;
}

/* What stands for a byte in a text of LaTeX; NULL: itself. */
static const char *latex_of(char c)
{
    switch (c) {
    case '&': return "\\&";
    case '%': return "\\%";
    case '$': return "\\$";
    case '#': return "\\#";
    case '_': return "\\_";
    case '{': return "\\{";
    case '}': return "\\}";
    case '~': return "\\textasciitilde{}";
    case '^': return "\\textasciicircum{}";
    case '\\': return "\\textbackslash{}";
    case '<': return "\\textless{}";
    case '>': return "\\textgreater{}";
    case '|': return "\\textbar{}";
    default: return iscntrl((unsigned char)c) ? " " : NULL;
    }
}

static const char *markdown_of(char c)
{
    switch (c) {
    case '|': return "\\|";
    case '\\': return "\\\\";
    case '`': return "\\`";
    case '*': return "\\*";
    case '_': return "\\_";
    case '[': return "\\[";
    case '<': return "&lt;";
    case '&': return "&amp;";
    default: return iscntrl((unsigned char)c) ? " " : NULL;
    }
}

typedef struct markup {
    const char *(*of)(char c);
    const char *begin, *between, *end, *none, *minus;
} markup;

static dq_status put_marked(const markup *m, const char *text, bool number, dq_sink *out, dq_error *error)
{
    dq_status status = DQ_OK;
    if (!*text) return put(out, m->none, error);
    if (number && *text == '-') {
        status = put(out, m->minus, error);
        text++;
    }
    for (; *text && !status; text++) {
        const char *instead = m->of(*text);
        status = put(out, instead ? instead : (char[]){*text, 0}, error);
    }
    return status;
}

static dq_status write_marked_row(const grid *g, size_t row, const markup *m, dq_sink *out, dq_error *error)
{
    char text[64];
    bool first = true;
    dq_status status = put(out, m->begin, error);
    for (size_t i = 0; i < g->columns && !status; i++) {
        if (g->of[i].empty) continue;
        if (!first) status = put(out, m->between, error);
        if (!status) status = put_marked(m, shown(g, row, i, text), row && g->of[i].number, out, error);
        first = false;
    }
    return status ? status : put(out, m->end, error);
}

/* Columns' sides: "lr", "| --- | ---: |". */
static dq_status write_sides(const grid *g, const char *left, const char *right, dq_sink *out,
                             dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; i < g->columns && !status; i++)
        if (!g->of[i].empty) status = put(out, g->of[i].number ? right : left, error);
    return status;
}

static dq_status write_latex(const grid *g, dq_sink *out, dq_error *error)
{
    static const markup m = {latex_of, "", " & ", " \\\\\n", "--", "$-$"};
    dq_status status = put(out, "% \\usepackage{booktabs}\n\\begin{tabular}{", error);
    if (!status) status = write_sides(g, "l", "r", out, error);
    if (!status) status = put(out, "}\n\\toprule\n", error);
    for (size_t r = 0; r < g->rows && !status; r++) {
        status = write_marked_row(g, r, &m, out, error);
        if (!status && r == 0) status = put(out, "\\midrule\n", error);
    }
    return status ? status : put(out, "\\bottomrule\n\\end{tabular}\n", error);
}

static dq_status write_markdown(const grid *g, dq_sink *out, dq_error *error)
{
    static const markup m = {markdown_of, "| ", " | ", " |\n", "", "-"};
    dq_status status = write_marked_row(g, 0, &m, out, error);
    if (!status) status = put(out, "|", error);
    if (!status) status = write_sides(g, " --- |", " ---: |", out, error);
    if (!status) status = put(out, "\n", error);
    for (size_t r = 1; r < g->rows && !status; r++) status = write_marked_row(g, r, &m, out, error);
    return status;
}

dq_status dq_text_table_write(const dq_text_table *table, dq_text_form form, dq_sink *out, dq_error *error)
{
    grid g = {.arena = DQ_ARENA_EMPTY};
    if (form == DQ_TEXT_TSV) return dq_sink_write(out, table->data, table->bytes, error);
    dq_status status = read_grid(table, &g, error);
    if (!status) {
        switch (form) {
        case DQ_TEXT_CSV: status = write_csv(&g, out, error); break;
        case DQ_TEXT_JSON: status = write_json(&g, out, error); break;
        case DQ_TEXT_LATEX: status = write_latex(&g, out, error); break;
        case DQ_TEXT_MARKDOWN: status = write_markdown(&g, out, error); break;
        default: status = write_table(&g, out, error);
        }
    }
    free(g.cells);
    free(g.of);
    dq_arena_free(&g.arena);
    return status;
}
