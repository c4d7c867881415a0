/* SPDX-License-Identifier: MIT */
#include "page/table.h"

#include "port/files/rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 4, MOST_DECIMALS = 9 };

dq_page_text dq_page_words(const char *words)
{
    return (dq_page_text){words, words ? strlen(words) : 0};
}

bool dq_page_text_same(dq_page_text a, dq_page_text b)
{
    return a.bytes == b.bytes && (a.bytes == 0 || memcmp(a.words, b.words, a.bytes) == 0);
}

bool dq_page_table_make(dq_page_table *t, dq_arena *arena)
{
    size_t lines = t->by_row ? t->rows : t->columns;
    t->heads = dq_arena_zero(arena, t->columns + 1, sizeof *t->heads);
    t->lines = dq_arena_zero(arena, lines + 1, sizeof *t->lines);
    t->cells = dq_arena_zero(arena, t->rows * t->columns + 1, sizeof *t->cells);
    if (!t->heads || !t->lines || !t->cells) return false;
    for (size_t i = 0; i < t->rows * t->columns; i++)
        t->cells[i] = (dq_page_cell){.value = (double)NAN, .low = (double)NAN, .high = (double)NAN};
    return true;
}

dq_page_cell *dq_page_table_cell(const dq_page_table *t, size_t row, size_t column)
{
    return &t->cells[row * t->columns + column];
}

/* ---- lines of alike numbers ---- */

/* What holds for all numbers of a line. */
typedef struct scale {
    int decimals;
    double best; /* NAN: none is marked */
} scale;

static const dq_page_line *line_of(const dq_page_table *t, size_t row, size_t column)
{
    return &t->lines[t->by_row ? row : column];
}

/* Decimals that show DIGITS significant digits of the greatest number, none where all are whole. */
static int decimals_for(double greatest, bool whole)
{
    if (whole) return 0;
    if (!(greatest > 0)) return DIGITS;
    int places = greatest <= 1 && greatest >= 0.1 ? DIGITS : DIGITS - 1 - (int)floor(log10(greatest));
    return places < 0 ? 0 : places > MOST_DECIMALS ? MOST_DECIMALS : places;
}

static bool is_whole(const dq_page_cell *c)
{
    return c->value == floor(c->value) && isnan(c->low);
}

static double greatest_of(const dq_page_cell *c)
{
    return fmax(fabs(c->value), fmax(fabs(c->low), fabs(c->high))); /* of a NAN and a number the number */
}

static scale scale_of(const dq_page_table *t, size_t line)
{
    double greatest = 0, low = INFINITY, high = -INFINITY;
    bool whole = true;
    size_t n = 0, first = t->by_row ? t->headings : 0, end = t->by_row ? t->columns : t->rows;
    for (size_t i = first; i < end; i++) {
        const dq_page_cell *c = t->by_row ? dq_page_table_cell(t, line, i) : dq_page_table_cell(t, i, line);
        if (!isfinite(c->value)) continue;
        n++;
        whole = whole && is_whole(c);
        greatest = fmax(greatest, greatest_of(c));
        low = fmin(low, c->value);
        high = fmax(high, c->value);
    }
    dq_page_best best = t->lines[line].best;
    bool marked = best != DQ_PAGE_NO_BEST && n > 1 && low < high;
    return (scale){decimals_for(greatest, whole), !marked                    ? (double)NAN
                                                  : best == DQ_PAGE_GREATEST ? high
                                                                             : low};
}

/* ---- numbers ---- */

/* A number for people: a true minus sign, U+2212, and a plus where the sign is the point. */
static void show_number(double value, int decimals, bool sign, char text[64])
{
    char digits[48];
    (void)snprintf(digits, sizeof digits, fabs(value) < 1e15 ? "%.*f" : "%.*g", decimals, fabs(value));
    bool zero = digits[strspn(digits, "0.")] == '\0';
    (void)snprintf(text, 64, "%s%s", zero ? "" : signbit(value) ? "\xe2\x88\x92" : sign ? "+" : "", digits);
}

static void write_number(dq_html *out, dq_page_kind kind, double value, int decimals)
{
    char exact[32], shown[64];
    dq_rows_number(value, exact);
    if (!isfinite(value))
        (void)snprintf(shown, sizeof shown, "%s", value > 0 ? "\xe2\x88\x9e" : "\xe2\x88\x92\xe2\x88\x9e");
    else if (kind == DQ_PAGE_PROBABILITY && value < 0.0001)
        (void)snprintf(shown, sizeof shown,
                       "&lt;\xc2\xa0"
                       "0.0001");
    else
        show_number(value, kind == DQ_PAGE_PROBABILITY ? DIGITS : decimals, kind == DQ_PAGE_DIFFERENCE,
                    shown);
    dq_html_printf(out, "<data value=\"%s\">%s</data>", exact, shown);
}

static void write_interval(dq_html *out, const dq_page_cell *c, dq_page_kind kind, int decimals)
{
    char low[64], high[64];
    if (isnan(c->low) || isnan(c->high)) return;
    show_number(c->low, decimals, kind == DQ_PAGE_DIFFERENCE, low);
    show_number(c->high, decimals, kind == DQ_PAGE_DIFFERENCE, high);
    dq_html_printf(out, " <small>[%s, %s]</small>", low, high);
}

/* ---- markup ---- */

static bool holds_text(const dq_page_table *t, size_t row, size_t column)
{
    return column < t->headings || line_of(t, row, column)->kind == DQ_PAGE_TEXT;
}

/* Rows that follow each other and have one name in the first of several columns of names are a group: it is
 * said once. */
static bool group_above(const dq_page_table *t, size_t row, size_t column)
{
    return column == 0 && t->headings > 1 && row > 0 &&
           dq_page_text_same(dq_page_table_cell(t, row, 0)->text, dq_page_table_cell(t, row - 1, 0)->text);
}

static size_t group_rows(const dq_page_table *t, size_t row, size_t column)
{
    size_t n = 1;
    while (row + n < t->rows && group_above(t, row + n, column)) n++;
    return n;
}

static void write_cell(const dq_page_table *t, size_t row, size_t column, const scale *scales, dq_html *out)
{
    const dq_page_cell *c = dq_page_table_cell(t, row, column);
    const dq_page_line *line = line_of(t, row, column);
    const scale *s = &scales[t->by_row ? row : column];
    bool best = c->value == s->best, heading = column < t->headings;
    if (heading && group_above(t, row, column)) return;
    if (holds_text(t, row, column)) {
        size_t span = heading ? group_rows(t, row, column) : 1;
        dq_html_raw(out, heading ? span > 1 ? "<th scope=\"rowgroup\"" : "<th scope=\"row\"" : "<td");
        if (span > 1) dq_html_printf(out, " rowspan=\"%zu\"", span);
        dq_html_raw(out, ">");
        dq_html_text(out, c->text.words, c->text.words ? c->text.bytes : 0);
        dq_html_raw(out, heading ? "</th>" : "</td>");
        return;
    }
    dq_html_raw(out, "<td class=\"n\">");
    if (best) dq_html_raw(out, "<strong>");
    bool unlike = line->kind == DQ_PAGE_UNLIKE || line->kind == DQ_PAGE_DIFFERENCE;
    int decimals = unlike ? decimals_for(greatest_of(c), is_whole(c)) : s->decimals;
    if (isnan(c->value))
        dq_html_raw(out, "\xe2\x80\x93");
    else
        write_number(out, line->kind, c->value, decimals);
    if (best) dq_html_raw(out, "</strong>");
    write_interval(out, c, line->kind, decimals);
    dq_html_raw(out, "</td>");
}

/* Above numbers a heading stands on their side. */
static bool heads_numbers(const dq_page_table *t, size_t column)
{
    return column >= t->headings && (t->by_row || t->lines[column].kind != DQ_PAGE_TEXT);
}

/* Names break where they must, which is not before they fill so many characters. */
static size_t width_of_names(const dq_page_table *t, size_t column)
{
    enum { MOST = 18 };
    size_t most = 0;
    for (size_t r = 0; r < t->rows; r++) {
        dq_page_text text = dq_page_table_cell(t, r, column)->text;
        if (text.words && text.bytes > most) most = text.bytes;
    }
    return most < MOST ? most : MOST;
}

static void write_head(const dq_page_table *t, dq_html *out)
{
    dq_html_raw(out, "<thead><tr>");
    for (size_t i = 0; i < t->columns; i++) {
        dq_html_raw(out, heads_numbers(t, i) ? "<th scope=\"col\" class=\"n\"" : "<th scope=\"col\"");
        if (i < t->headings)
            dq_html_printf(out, " style=\"min-width:calc(%zuch + 1.25rem)\"", width_of_names(t, i) + 1);
        dq_html_raw(out, ">");
        dq_html_text(out, t->heads[i].words, t->heads[i].words ? t->heads[i].bytes : 0);
        dq_html_raw(out, "</th>");
    }
    dq_html_raw(out, "</tr></thead>\n<tbody>\n");
}

static void write_caption(const dq_page_table *t, bool marked, dq_html *out)
{
    dq_html_raw(out, "<caption><div>");
    dq_html_words(out, t->caption);
    if (t->note || marked) dq_html_raw(out, " <span>");
    dq_html_words(out, t->note);
    if (t->note && marked) dq_html_raw(out, " ");
    if (marked) dq_html_printf(out, "Bold: the best of its %s.", t->by_row ? "row" : "column");
    if (t->note || marked) dq_html_raw(out, "</span>");
    dq_html_raw(out, "</div></caption>\n");
}

static void write_rows(const dq_page_table *t, const scale *scales, dq_html *out)
{
    for (size_t r = 0; r < t->rows; r++) {
        dq_html_raw(out, "<tr>");
        for (size_t c = 0; c < t->columns; c++) write_cell(t, r, c, scales, out);
        dq_html_raw(out, "</tr>\n");
    }
}

void dq_page_table_write(const dq_page_table *t, dq_html *out)
{
    size_t lines = t->by_row ? t->rows : t->columns;
    bool marked = false;
    if (t->rows == 0) return;
    scale *scales = calloc(lines + 1, sizeof *scales);
    if (!scales && !out->status) out->status = dq_fail_memory(out->error, "a table");
    if (!scales) return;
    for (size_t i = 0; i < lines; i++) {
        scales[i] = scale_of(t, i);
        marked = marked || !isnan(scales[i].best);
    }
    if (t->folded) {
        dq_html_raw(out, "<details><summary>");
        dq_html_words(out, t->caption);
        dq_html_printf(out, " (%zu rows)</summary>\n", t->rows);
    }
    /* A region that scrolls is reached by the keyboard, and so has a name. */
    dq_html_raw(out, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"");
    dq_html_words(out, t->caption);
    dq_html_raw(out, "\">\n<table>");
    write_caption(t, marked, out);
    write_head(t, out);
    write_rows(t, scales, out);
    dq_html_raw(out, "</tbody></table>\n</div>\n");
    if (t->folded) dq_html_raw(out, "</details>\n");
    free(scales);
}
