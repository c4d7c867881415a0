/* SPDX-License-Identifier: MIT
 *
 * Axes of a panel: their place, range, ticks, rules and titles.
 */
#include "plot/script_impl.h"

#include <string.h>

/* Bold letters are so much wider. */
static const double BOLD = 0.88;

static void set_margins(plot_script *s, const plot_box *axes)
{
    (void)fprintf(s->f,
                  "set lmargin at screen %.6f\nset rmargin at screen %.6f\n"
                  "set bmargin at screen %.6f\nset tmargin at screen %.6f\n",
                  axes->left / s->width, axes->right / s->width, 1 - axes->bottom / s->height,
                  1 - axes->top / s->height);
}

/* name: of gnuplot's axis. */
static void set_scale(plot_script *s, const char *name, const dq_plot_scale *scale)
{
    (void)fprintf(s->f, "%sset logscale %s\nset %srange [%.9g:%.9g]\nset %stics (", scale->log ? "" : "un",
                  name, name, scale->low, scale->high, name);
    for (size_t i = 0; i < scale->count; i++) {
        char text[40];
        dq_plot_tick_text(scale, scale->ticks[i], text);
        (void)fputs(i ? ", " : "", s->f);
        plot_quote(s->f, text, sizeof text, true);
        (void)fprintf(s->f, " %.9g", scale->ticks[i]);
    }
    (void)fprintf(s->f, ") norotate autojustify\n");
}

static void set_names(plot_script *s, const char *name, const char *const *texts, size_t count,
                      const plot_place *p, bool down)
{
    (void)fprintf(s->f,
                  down ? "unset logscale %s\nset %srange [%.1f:-0.5]\nset %stics ("
                       : "unset logscale %s\nset %srange [-0.5:%.1f]\nset %stics (",
                  name, name, (double)count - 0.5, name);
    for (size_t i = 0; i < count; i += p->every) {
        (void)fputs(i ? ", " : "", s->f);
        plot_quote(s->f, texts[i], p->letters, true);
        (void)fprintf(s->f, " %zu", i);
    }
    (void)fprintf(s->f, ") %s\n", p->slanted && !down ? "rotate by 35 right" : "norotate autojustify");
}

/* Rows of a grid, the first on top. */
static void set_rows(plot_script *s, const dq_plot_panel *panel, const plot_place *p)
{
    size_t i = 0;
    (void)fprintf(s->f, "unset logscale y\nset yrange [%.1f:-0.5]\nset ytics (",
                  (double)panel->series_count - 0.5);
    for (const dq_plot_series *row = panel->series; row; row = row->next, i++) {
        (void)fputs(i ? ", " : "", s->f);
        plot_quote(s->f, row->name, p->letters, true);
        (void)fprintf(s->f, " %zu", i);
    }
    (void)fputs(") norotate autojustify\n", s->f);
}

static void put_text(plot_script *s, const char *text, double x, double y, double width, const char *how,
                     const char *weight)
{
    char font[40];
    plot_font(s, weight, DQ_PLOT_FONT, font);
    if (!text || !*text) return;
    (void)fputs("set label ", s->f);
    plot_quote(s->f, text, (size_t)(width / DQ_PLOT_LETTER), false);
    (void)fprintf(s->f, " at screen %.6f,screen %.6f %s font '%s' tc rgb '#%06X'\n", x / s->width,
                  1 - y / s->height, how, font, s->theme->ink);
}

static void set_titles(plot_script *s, const dq_plot_panel *panel, const plot_place *p)
{
    const plot_box *a = &p->axes, *around = &p->panel;
    bool side = plot_on_side(panel), grid = panel->kind == DQ_PLOT_GRID;
    char text[240], title[300];
    const char *head = panel->title;
    plot_axis_title(side ? &panel->y : &panel->x, text, sizeof text);
    put_text(s, text, (a->left + a->right) / 2, around->bottom - PLOT_EDGE, around->right - around->left,
             "center", "");
    plot_axis_title(&panel->y, text, sizeof text);
    if (grid && *text) {
        (void)snprintf(title, sizeof title, "%s%s%s", panel->title, *panel->title ? ": " : "", text);
        head = title;
    }
    put_text(s,
             grid   ? panel->rows
             : side ? NULL
                    : text,
             around->left + PLOT_EDGE + 4, (a->top + a->bottom) / 2, a->bottom - a->top + 40,
             "center rotate by 90", "");
    double left = side ? around->left + PLOT_EDGE : a->left; /* names leave room above them */
    put_text(s, head, left, around->top + 16, (around->right - left) * BOLD, "left", ":Bold");
}

void plot_axes_draw(plot_script *s, const dq_plot_panel *panel, const plot_place *p)
{
    bool side = plot_on_side(panel), grid = panel->kind == DQ_PLOT_GRID;
    set_margins(s, &p->axes);
    (void)fprintf(s->f, "unset grid\n");
    if (!grid)
        (void)fprintf(s->f, "set grid %s back lt 1 lw 0.8 lc rgb '#%06X'\n", side ? "xtics" : "ytics",
                      s->theme->rules);
    (void)fprintf(s->f,
                  "set border %d lw 1 lc rgb '#%06X'\nset tics nomirror out scale %s textcolor rgb '#%06X'\n",
                  grid ? 0 : 3, s->theme->frame, grid ? "0" : "0.5", s->theme->ink);
    plot_ranges_draw(s, panel, p);
    set_titles(s, panel, p);
}

void plot_ranges_draw(plot_script *s, const dq_plot_panel *panel, const plot_place *p)
{
    bool side = plot_on_side(panel), grid = panel->kind == DQ_PLOT_GRID;
    if (side) {
        set_scale(s, "x", &p->y);
        set_names(s, "y", panel->categories, panel->category_count, p, true);
    } else {
        if (panel->category_count || grid)
            set_names(s, "x", panel->categories, panel->category_count, p, false);
        else
            set_scale(s, "x", &p->x);
        if (grid)
            set_rows(s, panel, p);
        else
            set_scale(s, "y", &p->y);
    }
}
