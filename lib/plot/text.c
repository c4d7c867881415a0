/* SPDX-License-Identifier: MIT
 *
 * Panels over categories in a terminal: a line a bar, with its number, which no picture of characters could
 * show so well.
 *
 *     NDCG@10
 *     bm25   0.312  ███████████████─┤        0.29 to 0.34
 *     dqn    0.411  ████████████████████─┤   0.39 to 0.43
 */
#include "plot/script_impl.h"

#include <string.h>

enum { LONGEST = 30, DIGITS = 4 };

bool plot_is_table(const dq_plot_panel *panel)
{
    return panel->category_count > 0 || panel->kind == DQ_PLOT_GRID;
}

/* ---- colours ---- */

/* Of the 6 x 6 x 6 colours that terminals have the nearest. */
static unsigned code_of(uint32_t colour)
{
    unsigned code = 16, weight = 36;
    for (int shift = 16; shift >= 0; shift -= 8, weight /= 6)
        code += weight * (((colour >> shift & 0xFF) * 5 + 127) / 255);
    return code;
}

static void paint(const plot_script *s, uint32_t colour)
{
    if (s->form == DQ_PLOT_COLOUR) (void)fprintf(s->f, "\033[38;5;%um", code_of(colour));
}

static void paint_cell(const plot_script *s, uint32_t colour)
{
    if (s->form == DQ_PLOT_COLOUR)
        (void)fprintf(s->f, "\033[48;5;%um\033[38;5;%um", code_of(colour), code_of(dq_plot_ink_on(colour)));
}

static void wash(const plot_script *s)
{
    if (s->form == DQ_PLOT_COLOUR) (void)fputs("\033[0m", s->f);
}

/* ---- cells ---- */

static void put_padded(FILE *f, const char *text, size_t width, bool right)
{
    size_t letters = plot_letters(text, SIZE_MAX);
    size_t blanks = letters < width ? width - letters : 0;
    for (size_t i = 0; right && i < blanks; i++) (void)fputc(' ', f);
    (void)plot_put(f, text, width, PLOT_PLAIN);
    for (size_t i = 0; !right && i < blanks; i++) (void)fputc(' ', f);
}

static size_t widen(size_t width, const char *text)
{
    size_t letters = plot_letters(text, LONGEST);
    return letters > width ? letters : width;
}

static void put_title(const plot_script *s, const dq_plot_panel *panel)
{
    char text[240];
    plot_axis_title(&panel->y, text, sizeof text);
    (void)fputc('\n', s->f);
    (void)plot_put(s->f, panel->title, s->columns, PLOT_PLAIN);
    if (*panel->title && *text) (void)fputs(": ", s->f);
    (void)plot_put(s->f, text, s->columns, PLOT_PLAIN);
    if (panel->interval) (void)fputs(", ", s->f);
    (void)plot_put(s->f, panel->interval ? panel->interval : "", s->columns, PLOT_PLAIN);
    (void)fputc('\n', s->f);
}

/* ---- bars ---- */

typedef struct bar_table {
    size_t category, series, number, interval, bar; /* widths of columns */
    int decimals;
    dq_plot_scale scale;
} bar_table;

static void interval_text(const dq_plot_point *p, int decimals, char text[100])
{
    char low[40], high[40];
    text[0] = '\0';
    if (!plot_has_interval(p)) return;
    dq_plot_number_text(p->lower, decimals, low);
    dq_plot_number_text(p->upper, decimals, high);
    (void)snprintf(text, 100, "%s to %s", low, high);
}

static bar_table measure(const plot_script *s, const dq_plot_panel *panel)
{
    bar_table t = {.decimals = plot_panel_decimals(panel, DIGITS)};
    plot_place place = {.every = 1};
    char text[100];
    for (size_t c = 0; c < panel->category_count; c++) t.category = widen(t.category, panel->categories[c]);
    for (const dq_plot_series *p = panel->series; p; p = p->next) {
        t.series = widen(t.series, p->name);
        for (size_t i = 0; i < p->count; i++) {
            dq_plot_number_text(p->points[i].y, t.decimals, text);
            t.number = widen(t.number, text);
            interval_text(&p->points[i], t.decimals, text);
            t.interval = widen(t.interval, text);
        }
    }
    size_t taken = t.category + t.series + t.number + t.interval + 8;
    t.bar = s->columns > taken + 10 ? s->columns - taken : 10;
    plot_scales(panel, 400, 400, &place);
    t.scale = place.y;
    return t;
}

static size_t place_of(const bar_table *t, double value)
{
    double share = plot_share_of(&t->scale, value);
    if (!(share > 0)) return 0;
    return share < 1 ? (size_t)(share * (double)t->bar) : t->bar - 1;
}

/* A bar from 0, or a point, over its interval. */
static void put_bar(const plot_script *s, const dq_plot_panel *panel, const bar_table *t,
                    const dq_plot_point *p)
{
    size_t value = place_of(t, p->y),
           zero = panel->kind == DQ_PLOT_BARS ? place_of(t, panel->y.log ? t->scale.low : 0) : value;
    size_t low = plot_has_interval(p) ? place_of(t, p->lower) : value;
    size_t high = plot_has_interval(p) ? place_of(t, p->upper) : value;
    size_t from = value < zero ? value : zero, to = value < zero ? zero : value;
    for (size_t i = 0; i < t->bar; i++) {
        const char *mark = " ";
        if (i >= low && i <= high) mark = i == low ? "├" : i == high ? "┤" : "─";
        if (panel->kind == DQ_PLOT_BARS && i >= from && i <= to) mark = "█";
        if (panel->kind != DQ_PLOT_BARS && i == value) mark = "●";
        if (panel->kind == DQ_PLOT_BARS && i == value && p->y == 0) mark = "▏";
        (void)fputs(mark, s->f);
    }
}

static void put_row(const plot_script *s, const dq_plot_panel *panel, const bar_table *t,
                    const dq_plot_series *series, const dq_plot_point *p, bool first)
{
    char text[100];
    size_t category = p->x >= 0 ? (size_t)p->x : panel->category_count;
    const char *name = category < panel->category_count ? panel->categories[category] : "";
    put_padded(s->f, first ? name : "", t->category, false);
    if (t->series) (void)fputs("  ", s->f);
    put_padded(s->f, series->name, t->series, false);
    (void)fputs("  ", s->f);
    dq_plot_number_text(p->y, t->decimals, text);
    put_padded(s->f, text, t->number, true);
    (void)fputs("  ", s->f);
    paint(s, plot_hue(s, series->name));
    put_bar(s, panel, t, p);
    wash(s);
    interval_text(p, t->decimals, text);
    (void)fprintf(s->f, "%s%s\n", *text ? "  " : "", text);
}

static void draw_bars(const plot_script *s, const dq_plot_panel *panel)
{
    const bar_table t = measure(s, panel);
    for (size_t c = 0; c < panel->category_count; c++) {
        bool first = true;
        for (const dq_plot_series *p = panel->series; p; p = p->next)
            for (size_t i = 0; i < p->count; i++) {
                if (!plot_shows(panel, &p->points[i]) || p->points[i].x != (double)c) continue;
                put_row(s, panel, &t, p, &p->points[i], first);
                first = false;
            }
    }
}

/* ---- grids ---- */

static void draw_grid(const plot_script *s, const dq_plot_panel *panel)
{
    size_t name = 0, cell = 4;
    double most = plot_greatest(panel);
    int decimals = plot_panel_decimals(panel, DIGITS);
    char text[40];
    for (const dq_plot_series *row = panel->series; row; row = row->next) {
        name = widen(name, row->name);
        for (size_t i = 0; i < row->count; i++) {
            dq_plot_number_text(row->points[i].y, decimals, text);
            cell = widen(cell, text);
        }
    }
    for (size_t c = 0; c < panel->category_count; c++)
        if (plot_letters(panel->categories[c], 12) > cell) cell = plot_letters(panel->categories[c], 12);
    put_padded(s->f, "", name, false);
    for (size_t c = 0; c < panel->category_count; c++) {
        (void)fputs("  ", s->f);
        put_padded(s->f, panel->categories[c], cell, true);
    }
    for (const dq_plot_series *row = panel->series; row; row = row->next) {
        (void)fputc('\n', s->f);
        put_padded(s->f, row->name, name, false);
        for (size_t c = 0; c < panel->category_count; c++) {
            double y = (double)NAN;
            for (size_t i = 0; i < row->count; i++)
                if (row->points[i].x == (double)c) y = row->points[i].y;
            dq_plot_number_text(y, decimals, text);
            (void)fputc(' ', s->f);
            if (!isnan(y)) paint_cell(s, dq_plot_shade(s->theme, y / most));
            (void)fputc(' ', s->f);
            put_padded(s->f, isnan(y) ? "" : text, cell, true);
            wash(s);
        }
    }
    (void)fputc('\n', s->f);
}

void plot_table_draw(plot_script *s, const dq_plot_panel *panel)
{
    put_title(s, panel);
    if (panel->kind == DQ_PLOT_GRID)
        draw_grid(s, panel);
    else
        draw_bars(s, panel);
}
