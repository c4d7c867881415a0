/* SPDX-License-Identifier: MIT
 *
 * A figure as data: panels of series over axes, which plot/plot.h draws in one look. Whoever has numbers
 * fills it and never thinks of colours, sizes, ticks or legends.
 *
 *     dq_figure figure = DQ_FIGURE_EMPTY;
 *     dq_plot_panel *panel = dq_figure_add_panel(&figure, DQ_PLOT_LINES, "Success rate");
 *     if (panel) panel->y = dq_plot_share("episodes that succeed");
 *     dq_plot_series *series = dq_figure_add_series(&figure, panel, "dqn", 3, points);
 *     for (i = 0; series && i < points; i++) series->points[i] = (dq_plot_point){x, y, y - sd, y + sd, runs};
 *     status = dq_plot_write(&figure, DQ_PLOT_SVG, 79, out, &error);        fails when memory was short above
 *     dq_figure_free(&figure);
 *
 * All of it lives in the figure's arena, texts are copied, and every text may be anything: what it would mean
 * to the renderer is not obeyed. Series of one name have one colour in all panels.
 */
#ifndef DQ_PLOT_FIGURE_H
#define DQ_PLOT_FIGURE_H

#include "dq/arena.h"
#include "dq/status.h"

#include <math.h>
#include <stdint.h>

typedef enum dq_plot_kind {
    DQ_PLOT_LINES,     /* a line a series, in the order of x, and a band from lower to upper */
    DQ_PLOT_POINTS,    /* a point a value and its interval; over categories these stand on the left, for long
                          names */
    DQ_PLOT_BARS,      /* over categories, a bar a series side by side, and its interval; categories with long
                          names stand on the left */
    DQ_PLOT_HISTOGRAM, /* x is the middle of a bin, the bins as wide as their distance; bars touch */
    DQ_PLOT_GRID,      /* a row a series, a column a category, a cell coloured by y with the number on it */
} dq_plot_kind;

typedef struct dq_plot_point {
    double x;            /* a number, or that of a category, from 0 */
    double y;            /* NAN: nothing there, and no line leads across */
    double lower, upper; /* of the band or interval; NAN: none */
    uint32_t runs;       /* that this is of, where these are fewer than the series'; else 0 */
} dq_plot_point;

typedef struct dq_plot_series {
    const char *name; /* "": no name; alone it needs no legend */
    uint32_t runs;    /* that it is the mean of, for the legend; 0 or 1: says nothing */
    size_t count;
    dq_plot_point *points; /* (count) */
    struct dq_plot_series *next;
} dq_plot_series;

/* What a value can be: the axis stays within, whatever a band does. */
typedef struct dq_plot_axis {
    const char *label, *unit; /* NULL: none; shown as "label (unit)" */
    double min, max;          /* NAN: no bound */
    bool zero;                /* begins at 0, though no value does (bars and histograms always) */
    bool full;                /* goes from min to max, where it has both, wherever the values are */
    bool log;                 /* logarithmic; values <= 0 are not shown */
    bool whole;               /* whole numbers: no tick between them (x: seen by itself) */
} dq_plot_axis;

#define DQ_PLOT_AXIS ((dq_plot_axis){.min = (double)NAN, .max = (double)NAN})

/* A line across the panel where something happened, or that something should reach. */
typedef struct dq_plot_mark {
    bool horizontal; /* at y, else at x */
    double at;
    const char *label; /* NULL when memory was short */
    struct dq_plot_mark *next;
} dq_plot_mark;

typedef struct dq_plot_panel {
    dq_plot_kind kind;
    const char *title; /* "": none */
    dq_plot_axis x, y; /* of a grid y is the scale of colours */
    const char *rows;  /* of a grid: what its rows are; NULL: not said */
    const char **categories;
    size_t category_count; /* 0: x is a number */
    const char *interval;  /* what bands and intervals are ("± sd"); NULL: not said */
    dq_plot_series *series;
    size_t series_count;
    dq_plot_mark *marks;
    struct dq_plot_panel *next;
} dq_plot_panel;

typedef struct dq_figure {
    dq_arena arena;
    const char *title, *note; /* above and below all; NULL: none */
    double width;             /* of the picture, in pixels; 0: as the number of panels asks for */
    dq_plot_panel *panels;
    size_t panel_count;
} dq_figure;

#define DQ_FIGURE_EMPTY ((dq_figure){0})

/* Each adds at the end and returns what it made, to be filled further, or NULL when memory is short or what
 * it belongs to is NULL: then the figure is refused when it is written. title may be NULL. */
dq_plot_panel *dq_figure_add_panel(dq_figure *figure, dq_plot_kind kind, const char *title);
/* points: all NAN at first. */
dq_plot_series *dq_figure_add_series(dq_figure *figure, dq_plot_panel *panel, const char *name, size_t bytes,
                                     size_t points);
/* Makes room for the names of x, in their order, all "" until dq_figure_name_category. */
void dq_figure_set_categories(dq_figure *figure, dq_plot_panel *panel, size_t count);
void dq_figure_name_category(dq_figure *figure, dq_plot_panel *panel, size_t category, const char *name,
                             size_t bytes);
/* label: NULL or "" for its number. */
void dq_figure_add_mark(dq_figure *figure, dq_plot_panel *panel, bool horizontal, double at,
                        const char *label);
/* A copy that lives as long as the figure, for labels that the caller made; NULL when memory is short. */
const char *dq_figure_text(dq_figure *figure, const char *text, size_t bytes);
void dq_figure_free(dq_figure *figure);

/* An axis of shares or probabilities, from 0 to 1; and one of values without bounds. */
dq_plot_axis dq_plot_share(const char *label);
dq_plot_axis dq_plot_values(const char *label);

/* Takes those bounds of y back that a number breaks, for who draws numbers of others: a count of that name
 * may be something else there. */
void dq_plot_widen(dq_plot_panel *panel);

/* Whether a point of the panel has an interval. */
bool dq_plot_has_intervals(const dq_plot_panel *panel);
/* Whether lines, bars (a histogram's values) are one number throughout, which no picture is needed to say:
 * *value.
 */
bool dq_plot_constant(const dq_plot_panel *panel, double *value);
/* Takes such panels out, as long as others are left, and tells `say` (NULL: nobody) of each. */
void dq_figure_drop_constant(dq_figure *figure, void (*say)(void *arg, const char *title, double value),
                             void *arg);

#endif
