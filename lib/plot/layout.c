/* SPDX-License-Identifier: MIT
 *
 * Where panels stand and how far their axes go. A letter's width is an estimate, since gnuplot draws in the
 * fonts of whoever looks; it is generous.
 */
#include "plot/script_impl.h"

#include <string.h>

enum {
    NUMBER = 20,
    TITLE = 32,
    TICKS = 22,
    SIDE = 20,
    RIGHT = 22,
    ROW = 22,
    SLANT = 35,
    LONGEST = 44,
    FEW = 4
};
/* Of a slanted text: how much of its length goes down, and how much to the left. */
static const double down = 0.574, aside = 0.819;

/* ---- scales ---- */

static dq_plot_range value_range(const dq_plot_panel *panel)
{
    dq_plot_range range = DQ_PLOT_NOTHING;
    for (const dq_plot_series *s = panel->series; s; s = s->next)
        for (size_t i = 0; i < s->count; i++) {
            if (isnan(s->points[i].y) || (panel->y.log && s->points[i].y <= 0)) continue;
            dq_plot_include(&range, s->points[i].y);
            if (panel->y.log && !(s->points[i].lower > 0)) continue;
            dq_plot_include(&range, s->points[i].lower);
            dq_plot_include(&range, s->points[i].upper);
        }
    if ((panel->kind == DQ_PLOT_BARS || panel->kind == DQ_PLOT_HISTOGRAM) && !panel->y.log)
        dq_plot_include(&range, 0);
    for (const dq_plot_mark *m = panel->marks; m; m = m->next)
        if (m->horizontal) dq_plot_include(&range, m->at);
    return range;
}

static size_t longest_tick(const dq_plot_scale *scale)
{
    size_t longest = 0;
    for (size_t i = 0; i < scale->count; i++) {
        char text[40];
        dq_plot_tick_text(scale, scale->ticks[i], text);
        if (plot_letters(text, LONGEST) > longest) longest = plot_letters(text, LONGEST);
    }
    return longest;
}

static dq_plot_scale x_scale(const dq_plot_panel *panel, double width)
{
    dq_plot_range range = DQ_PLOT_NOTHING;
    dq_plot_axis axis = panel->x;
    double half = panel->kind == DQ_PLOT_HISTOGRAM ? plot_half_bin(panel) : 0;
    bool whole = panel->kind != DQ_PLOT_HISTOGRAM;
    for (const dq_plot_series *s = panel->series; s; s = s->next)
        for (size_t i = 0; i < s->count; i++) {
            if (isnan(s->points[i].y)) continue;
            dq_plot_include(&range, s->points[i].x - half);
            dq_plot_include(&range, s->points[i].x + half);
            whole = whole && s->points[i].x == floor(s->points[i].x);
        }
    for (const dq_plot_mark *m = panel->marks; m; m = m->next)
        if (!m->horizontal) dq_plot_include(&range, m->at);
    axis.whole = axis.whole || whole;
    bool snug = panel->kind != DQ_PLOT_POINTS;
    dq_plot_scale scale = dq_plot_scale_for(&axis, range, (unsigned)(width / 75), snug);
    if (scale.count >= FEW || scale.log) return scale;
    dq_plot_scale finer = dq_plot_scale_for(&axis, range, (unsigned)(width / 42), snug);
    double taken = (double)(finer.count * (longest_tick(&finer) + 2) * DQ_PLOT_LETTER);
    return taken <= width ? finer : scale;
}

/* ---- labels ---- */

static size_t longest_row(const dq_plot_panel *panel)
{
    size_t longest = 0;
    for (const dq_plot_series *s = panel->series; s; s = s->next) {
        size_t n = plot_letters(s->name, LONGEST);
        if (n > longest) longest = n;
    }
    return longest;
}

static bool has_text(const char *text)
{
    return text && *text;
}

/* ---- margins ---- */

static void place_left(const dq_plot_panel *panel, plot_place *p)
{
    double width = p->panel.right - p->panel.left;
    size_t letters = plot_on_side(panel)           ? plot_longest_category(panel, LONGEST)
                     : panel->kind == DQ_PLOT_GRID ? longest_row(panel)
                                                   : longest_tick(&p->y);
    bool said = panel->kind == DQ_PLOT_GRID
                    ? has_text(panel->rows)
                    : !plot_on_side(panel) && (has_text(panel->y.label) || has_text(panel->y.unit));
    double most = 0.5 * width / DQ_PLOT_LETTER;
    p->letters = (double)letters > most ? (size_t)most : letters;
    p->axes.left = p->panel.left + PLOT_EDGE + (said ? SIDE : 0) + (double)(p->letters * DQ_PLOT_LETTER) + 8;
    p->axes.right = p->panel.right - RIGHT - 6.2 * (double)plot_mark_letters(panel);
    if (plot_on_side(panel) && plot_numbered(panel, 0)) p->axes.right -= NUMBER;
}

/* Names of categories below the axes: side by side, slanted where they need more room than there is, or, of
 * very many, not each. */
static double place_categories(const dq_plot_panel *panel, plot_place *p)
{
    size_t letters = plot_longest_category(panel, LONGEST), count = panel->category_count;
    double slot = (p->axes.right - p->axes.left) / (double)(count ? count : 1);
    p->every = 1;
    p->letters = letters;
    p->slanted = ((double)letters + 1) * DQ_PLOT_LETTER > slot;
    if (!p->slanted) return TICKS;
    if (slot < DQ_PLOT_LINE) { /* too many for a name each */
        p->slanted = letters > 8;
        double need = p->slanted ? DQ_PLOT_LINE : ((double)letters + 2) * DQ_PLOT_LETTER;
        p->every = (size_t)ceil(need / slot);
        if (!p->slanted) return TICKS;
    }
    if (p->letters > 26) p->letters = 26;
    double length = (double)(p->letters * DQ_PLOT_LETTER);
    double free = p->axes.left + slot / 2 - p->panel.left;
    if (length * aside > free) p->axes.left += fmin(length * aside - free, 80);
    return length * down + 14;
}

void plot_scales(const dq_plot_panel *panel, double width, double height, plot_place *p)
{
    unsigned ticks = plot_on_side(panel) ? (unsigned)(width / 60) : (unsigned)(height / 45);
    p->y = dq_plot_scale_for(&panel->y, value_range(panel), ticks, false);
    if (!panel->category_count && panel->kind != DQ_PLOT_GRID) p->x = x_scale(panel, width);
}

static void place_axes(const dq_plot_panel *panel, plot_place *p)
{
    double height = p->panel.bottom - p->panel.top, below;
    bool side = plot_on_side(panel);
    p->every = 1;
    plot_scales(panel, 0.8 * (p->panel.right - p->panel.left), height, p); /* ticks, for their width */
    place_left(panel, p);
    double width = p->axes.right - p->axes.left;
    if (side || panel->kind == DQ_PLOT_GRID || panel->category_count) {
        size_t letters = p->letters;
        below = side ? TICKS : place_categories(panel, p);
        if (side) p->letters = letters;
    } else {
        plot_scales(panel, width, height, p);
        below = TICKS;
    }
    const dq_plot_axis *under = side ? &panel->y : &panel->x;
    if (has_text(under->label) || has_text(under->unit)) below += DQ_PLOT_LINE;
    size_t rows = plot_mark_rows(panel, &p->x, width);
    p->axes.top = p->panel.top + (has_text(panel->title) ? TITLE : PLOT_EDGE) + (double)(rows * 14);
    p->axes.bottom = p->panel.bottom - below - PLOT_EDGE;
}

/* ---- panels ---- */

double plot_title_height(const dq_figure *figure)
{
    return has_text(figure->title) ? 28 : 0;
}

/* Rows of a grid and of points over categories have a height of their own. */
static double panel_height(const dq_plot_panel *panel)
{
    size_t rows = panel->kind == DQ_PLOT_GRID ? panel->series_count : 0;
    if (plot_on_side(panel))
        rows = panel->category_count * (panel->series_count > 1 ? panel->series_count : 1);
    if (!rows) return DQ_PLOT_HEIGHT;
    return fmax((double)(rows * ROW) + 110, panel->kind == DQ_PLOT_GRID ? DQ_PLOT_HEIGHT : 0);
}

void plot_layout(plot_script *s, plot_place *places)
{
    size_t count = s->figure->panel_count, across = count > 4 || count == 3 ? 3 : count > 1 ? 2 : 1;
    size_t rows = (count + across - 1) / across, at = 0;
    const dq_plot_panel *panel = s->figure->panels;
    s->width = (double)across * DQ_PLOT_WIDTH + (across == 1 ? 140 : 0);
    if (s->figure->width > 0) s->width = s->figure->width;
    plot_legend_arrange(&s->legend, s->width - 2 * PLOT_EDGE);
    double top = plot_title_height(s->figure) + (double)s->legend.down * DQ_PLOT_LINE + PLOT_EDGE;
    for (size_t r = 0; r < rows; r++) { /* a row that has fewer is as wide: no place stays empty */
        size_t here = count / rows + (r < count % rows);
        double height = 0;
        const dq_plot_panel *p = panel;
        for (size_t i = 0; i < here; i++, p = p->next) height = fmax(height, panel_height(p));
        for (size_t i = 0; i < here; i++, at++, panel = panel->next) {
            double width = s->width / (double)here;
            places[at].panel = (plot_box){(double)i * width, (double)(i + 1) * width, top, top + height};
            place_axes(panel, &places[at]);
        }
        top += height;
    }
    char note[PLOT_NOTE];
    plot_note(s, note);
    s->height = top + (*note ? DQ_PLOT_LINE : 0) + 4;
}
