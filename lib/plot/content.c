/* SPDX-License-Identifier: MIT
 *
 * What is on a panel's axes: lines with their bands, points and bars with intervals, histograms.
 */
#include "plot/script_impl.h"

enum { WIDEST = 64, INTERVALS = 4 }; /* pixels of a bar; intervals that stand for a band */

static const char *next_element(bool *first)
{
    const char *before = *first ? "plot " : ", ";
    *first = false;
    return before;
}

/* ---- lines ---- */

/* What of a line goes into which block of data. */
typedef enum line_part {
    ALL,   /* points of all runs */
    FEWER, /* of some of them */
    LONE,  /* points without a neighbour, which no line shows */
    PARTS
} line_part;
static const char block_names[PARTS] = {'d', 'e', 'p'};

static bool is_of(const dq_plot_panel *panel, const dq_plot_series *s, size_t i, line_part part)
{
    if (!plot_shows(panel, &s->points[i])) return false;
    if (part == LONE) return !plot_joined(panel, s, i) && !plot_joined(panel, s, i + 1);
    return (s->points[i].runs == 0) == (part == ALL);
}

static bool has_part(const dq_plot_panel *panel, const dq_plot_series *s, line_part part, bool *banded)
{
    bool any = false;
    *banded = false;
    for (size_t i = 0; i < s->count; i++) {
        if (!is_of(panel, s, i, part)) continue;
        any = true;
        *banded = *banded || plot_has_interval(&s->points[i]);
    }
    return any;
}

/* An empty line, where points are not joined, keeps gnuplot from drawing across. */
static void write_line(FILE *f, const dq_plot_panel *panel, const dq_plot_series *series, size_t number,
                       line_part part)
{
    bool first = true, banded;
    if (!has_part(panel, series, part, &banded)) return;
    (void)fprintf(f, "$%c%zu << END\n", block_names[part], number);
    for (size_t i = 0; i < series->count; i++) {
        const dq_plot_point *p = &series->points[i];
        if (!is_of(panel, series, i, part)) continue;
        if (!first && !plot_joined(panel, series, i)) (void)fputc('\n', f);
        first = false;
        bool interval = plot_has_interval(p);
        (void)fprintf(f, "%.9g %.9g %.9g %.9g\n", p->x, p->y,
                      interval ? plot_clamp(&panel->y, p->lower) : p->y,
                      interval ? plot_clamp(&panel->y, p->upper) : p->y);
    }
    (void)fputs("END\n", f);
}

/* In a terminal the plot's own legend names the line. */
static void title_line(plot_script *s, const char *name, line_part part)
{
    const char *text = s->legend.entries[plot_legend_number(&s->legend, name)].text;
    if (!s->text || part != ALL || !*text) {
        (void)fputs(" notitle", s->f);
        return;
    }
    (void)fputs(" title ", s->f);
    plot_quote(s->f, text, s->columns > 50 ? s->columns - 20 : 30, false);
}

/* A line of all runs, or, thinner and dotted, of fewer. */
static void draw_line(plot_script *s, size_t block, const char *name, line_part part, bool *first)
{
    size_t look = plot_look(s, name);
    (void)fprintf(s->f, "%s$%c%zu using 1:2 with ", next_element(first), block_names[part], block);
    if (part == LONE)
        (void)fprintf(s->f, "points pt 7 ps 0.5 lc rgb '#%06X'", plot_hue(s, name));
    else if (s->text && look >= DQ_PLOT_HUES) /* a letter, since characters come again, as hues do */
        (void)fprintf(s->f, "linespoints pt %zu lc rgb '#%06X'", look - DQ_PLOT_HUES + 1, plot_hue(s, name));
    else
        (void)fprintf(s->f, "lines lw %s dt %s lc rgb '#%06X'", part == ALL ? "2" : "1.2",
                      part == ALL ? dq_plot_dash(look) : "'.'", plot_hue(s, name));
    title_line(s, name, part);
}

/* On a straight line across the picture. */
static double mix(const dq_plot_axis *axis, double from, double to, double share)
{
    bool log = axis->log && from > 0 && to > 0;
    return log ? from * pow(to / from, share) : from + share * (to - from);
}

/* Where x is between points i - 1 and i, what the line and its band are there; false: no band leads across.
 */
static bool between(const dq_plot_panel *panel, const dq_plot_series *series, size_t i, double x,
                    dq_plot_point *at)
{
    const dq_plot_point *p = &series->points[i - 1], *q = &series->points[i];
    if (!plot_joined(panel, series, i) || !(p->x <= x && x <= q->x && p->x < q->x)) return false;
    if (!plot_has_interval(p) || !plot_has_interval(q)) return false;
    double share = (x - p->x) / (q->x - p->x);
    at->x = x;
    at->lower = plot_clamp(&panel->y, mix(&panel->y, p->lower, q->lower, share));
    at->upper = plot_clamp(&panel->y, mix(&panel->y, p->upper, q->upper, share));
    return true;
}

/* A few intervals of each line instead of bands, those of one line between those of the others: where its
 * band would be, between points too. */
static void write_intervals(plot_script *s, const dq_plot_panel *panel, const dq_plot_series *series,
                            size_t block)
{
    dq_plot_range range = DQ_PLOT_NOTHING;
    dq_plot_point at;
    for (const dq_plot_series *one = panel->series; one; one = one->next)
        for (size_t i = 0; i < one->count; i++) dq_plot_include(&range, one->points[i].x);
    (void)fprintf(s->f, "$i%zu << END\n", block);
    for (size_t k = 0; k < INTERVALS; k++) {
        double place = ((double)block + 0.5) / (double)panel->series_count;
        double x = range.low + (range.high - range.low) * ((double)k + place) / INTERVALS;
        for (size_t i = 1; i < series->count; i++) {
            if (!between(panel, series, i, x, &at)) continue;
            (void)fprintf(s->f, "%.9g %.9g %.9g\n", at.x, at.lower, at.upper);
            break;
        }
    }
    (void)fputs("END\n", s->f);
}

static void draw_bands(plot_script *s, const dq_plot_panel *panel, bool *first)
{
    bool banded;
    size_t block = 0;
    for (const dq_plot_series *series = panel->series; series; series = series->next, block++)
        for (line_part part = ALL; part < LONE; part++)
            if (has_part(panel, series, part, &banded) && banded)
                (void)fprintf(s->f,
                              "%s$%c%zu using 1:3:4 with filledcurves fs transparent solid 0.2 noborder lc "
                              "rgb '#%06X' notitle",
                              next_element(first), block_names[part], block, plot_hue(s, series->name));
}

static void draw_intervals(plot_script *s, const dq_plot_panel *panel, bool *first)
{
    size_t block = 0;
    for (const dq_plot_series *p = panel->series; p; p = p->next) write_intervals(s, panel, p, block++);
    block = 0;
    for (const dq_plot_series *p = panel->series; p; p = p->next, block++)
        (void)fprintf(s->f,
                      "%s$i%zu using 1:2:(0):($3-$2) with vectors heads size screen %.6f,90 lw 1 lc rgb "
                      "'#%06X' notitle",
                      next_element(first), block, 3 / s->width, plot_hue(s, p->name));
}

/* All bands lie below all lines. */
static void draw_lines(plot_script *s, const dq_plot_panel *panel)
{
    bool first = true, banded;
    size_t block = 0;
    for (const dq_plot_series *series = panel->series; series; series = series->next, block++)
        for (line_part part = ALL; part < PARTS; part++) write_line(s->f, panel, series, block, part);
    if (!s->text && plot_crowded(panel))
        draw_intervals(s, panel, &first);
    else if (!s->text)
        draw_bands(s, panel, &first);
    block = 0;
    for (const dq_plot_series *series = panel->series; series; series = series->next, block++)
        for (line_part part = ALL; part < PARTS; part++)
            if (has_part(panel, series, part, &banded)) draw_line(s, block, series->name, part, &first);
    (void)fputc('\n', s->f);
}

/* ---- points and bars ---- */

/* Where a series stands within a category: side by side around the middle. */
static double offset_of(const dq_plot_panel *panel, size_t at, double width)
{
    if (!panel->category_count) return 0;
    return ((double)at + 0.5) * width - 0.5 * width * (double)panel->series_count;
}

/* x y lower upper, and a bar's corners, xlow xhigh ylow yhigh. */
static void write_points(plot_script *s, const dq_plot_panel *panel, const dq_plot_series *series, size_t at,
                         double width)
{
    double base = panel->y.log ? 1e-300 : 0, x0 = offset_of(panel, at, width);
    double gap = panel->kind != DQ_PLOT_HISTOGRAM ? 0.9 : panel->series_count > 1 ? 1 : 0.94;
    (void)fprintf(s->f, "$d%zu << END\n", at);
    for (size_t i = 0; i < series->count; i++) {
        const dq_plot_point *p = &series->points[i];
        double x = p->x + x0, half = gap * width / 2;
        if (!plot_shows(panel, p)) continue;
        (void)fprintf(s->f, "%.9g %.9g ", x, p->y);
        if (plot_has_interval(p))
            (void)fprintf(s->f, "%.9g %.9g", plot_clamp(&panel->y, p->lower),
                          plot_clamp(&panel->y, p->upper));
        else if (panel->kind == DQ_PLOT_POINTS) /* a point is drawn with its interval */
            (void)fprintf(s->f, "%.9g %.9g", p->y, p->y);
        else
            (void)fputs("NaN NaN", s->f);
        (void)fprintf(s->f, " %.9g %.9g %.9g %.9g\n", x - half, x + half, fmin(base, p->y), fmax(base, p->y));
    }
    (void)fputs("END\n", s->f);
}

static bool any_shown(const dq_plot_panel *panel, const dq_plot_series *series, bool with_interval)
{
    for (size_t i = 0; i < series->count; i++)
        if (plot_shows(panel, &series->points[i]) &&
            (!with_interval || plot_has_interval(&series->points[i])))
            return true;
    return false;
}

/* A stretch with a stroke at each end; gnuplot's error bars would blot a dot of paper out of the bar. */
static void draw_interval(plot_script *s, size_t block, bool side)
{
    (void)fprintf(
        s->f, ", $d%zu using %s with vectors heads size screen %.6f,90 lw 1.2 lc rgb '#%06X' notitle", block,
        side ? "3:1:($4-$3):(0)" : "1:3:(0):($4-$3)", s->width > 0 ? 4 / s->width : 0.01, s->theme->ink);
}

/* From the eighth name on hues come again: then a bar is pale, with a dashed edge. */
static void draw_boxes(plot_script *s, size_t block, const char *name, const char *fill, bool side,
                       bool *first)
{
    uint32_t hue = plot_hue(s, name);
    size_t look = plot_look(s, name);
    (void)fprintf(s->f, "%s$d%zu using %s with boxxyerror fs ", next_element(first), block,
                  side ? "2:1:7:8:5:6" : "1:2:5:6:7:8");
    if (look < DQ_PLOT_HUES)
        (void)fprintf(s->f, "%s noborder lc rgb '#%06X'", fill, hue);
    else
        (void)fprintf(s->f, "transparent solid 0.3 border lc rgb '#%06X' lw 1.5 dt %s lc rgb '#%06X'", hue,
                      dq_plot_dash(look), hue);
}

/* The number of each bar beyond its end and its interval's. */
static void write_numbers(plot_script *s, const dq_plot_panel *panel, const dq_plot_series *series, size_t at,
                          double width)
{
    int decimals = plot_panel_decimals(panel, PLOT_NUMBER);
    bool side = plot_on_side(panel);
    char text[40], font[40];
    plot_font(s, "", DQ_PLOT_FONT_SMALL, font);
    for (size_t i = 0; i < series->count; i++) {
        const dq_plot_point *p = &series->points[i];
        if (!plot_shows(panel, p)) continue;
        bool below = p->y < 0;
        double place = p->x + offset_of(panel, at, width), end = p->y;
        if (plot_has_interval(p))
            end = plot_clamp(&panel->y, below ? fmin(p->lower, end) : fmax(p->upper, end));
        dq_plot_number_text(p->y, decimals, text);
        (void)fprintf(
            s->f, "set label '%s' at first %.9g,first %.9g %s offset %s front font '%s' tc rgb '#%06X'\n",
            text, side ? end : place, side ? place : end, side ? below ? "right" : "left" : "center",
            side    ? below ? "-0.6,0" : "0.6,0"
            : below ? "0,-0.6"
                    : "0,0.6",
            font, s->theme->ink);
    }
}

static void draw_bars(plot_script *s, const dq_plot_panel *panel)
{
    bool histogram = panel->kind == DQ_PLOT_HISTOGRAM, side = plot_on_side(panel), first = true;
    double share = 0.8 / (double)panel->series_count;
    double width = histogram ? 2 * plot_half_bin(panel) : side ? share : fmin(share, WIDEST / s->slot);
    const char *fill = histogram && panel->series_count > 1 ? "transparent solid 0.2" : "solid 1.0";
    size_t at = 0;
    for (const dq_plot_series *p = panel->series; p; p = p->next) {
        if (!s->text && plot_numbered(panel, s->slot)) write_numbers(s, panel, p, at, width);
        write_points(s, panel, p, at++, width);
    }
    at = 0;
    for (const dq_plot_series *p = panel->series; p; p = p->next, at++) {
        if (!any_shown(panel, p, false)) continue;
        if (s->text)
            (void)fprintf(s->f, "%s$d%zu using 1:2 with histeps lc rgb '#%06X'", next_element(&first), at,
                          plot_hue(s, p->name));
        else
            draw_boxes(s, at, p->name, fill, side, &first);
        title_line(s, p->name, ALL);
        if (histogram && panel->series_count > 1 &&
            !s->text) /* outlines, since colours one on another are mud */
            (void)fprintf(s->f, ", $d%zu using 1:2 with histeps lw 1.5 lc rgb '#%06X' notitle", at,
                          plot_hue(s, p->name));
        if (any_shown(panel, p, true)) draw_interval(s, at, side);
    }
    (void)fputc('\n', s->f);
}

/* Values go upwards or, beside their categories, to the right. */
static void draw_points(plot_script *s, const dq_plot_panel *panel)
{
    bool first = true, side = plot_on_side(panel);
    size_t at = 0;
    double width = 0.7 / (double)panel->series_count;
    for (const dq_plot_series *p = panel->series; p; p = p->next) write_points(s, panel, p, at++, width);
    at = 0;
    for (const dq_plot_series *p = panel->series; p; p = p->next, at++) {
        if (!any_shown(panel, p, false)) continue;
        const char *how = !any_shown(panel, p, true) ? "points" : side ? "xerrorbars" : "yerrorbars";
        (void)fprintf(s->f, "%s$d%zu using %s with %s pt %d ps 0.9 lw 1.5 lc rgb '#%06X'",
                      next_element(&first), at, side ? "2:1:3:4" : "1:2:3:4", how,
                      plot_look(s, p->name) / DQ_PLOT_HUES % 2 ? 6 : 7, plot_hue(s, p->name));
        title_line(s, p->name, ALL);
    }
    (void)fputc('\n', s->f);
}

void plot_content_draw(plot_script *s, const dq_plot_panel *panel)
{
    if (panel->kind == DQ_PLOT_LINES) draw_lines(s, panel);
    if (panel->kind == DQ_PLOT_BARS || panel->kind == DQ_PLOT_HISTOGRAM) draw_bars(s, panel);
    if (panel->kind == DQ_PLOT_POINTS) draw_points(s, panel);
    if (panel->kind == DQ_PLOT_GRID) plot_cells_draw(s, panel);
}
