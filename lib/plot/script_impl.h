/* SPDX-License-Identifier: MIT
 *
 * The parts of gnuplot's script: places (layout.c), legend (legend.c), axes (axes.c), marks (marks.c), what
 * is on them (content.c, cells.c), all of it (script.c); tables for a terminal (text.c). Places are in pixels
 * from the upper left corner.
 */
#ifndef DQ_PLOT_SCRIPT_IMPL_H
#define DQ_PLOT_SCRIPT_IMPL_H

#include "plot/axis.h"
#include "plot/theme.h"

/* What all series of one name have in common. */
typedef struct plot_entry {
    const dq_plot_series *series; /* the first of the name */
    dq_plot_kind kind;            /* of its panel, and */
    const char *interval;
    bool banded;    /* its sample lies on a band */
    size_t look;    /* number of its hue and dash */
    char text[200]; /* in the legend; "": needs none */
} plot_entry;

typedef struct plot_legend {
    plot_entry *entries; /* (count) */
    size_t count, shown; /* shown: those with a text */
    size_t across, down; /* columns and rows */
    /* Of how many runs all are the mean, which is then said once, below, and not in each entry; 0: they
     * differ, or there is one name. What their bands are; NULL: they have none. */
    uint32_t runs;
    const char *interval;
    double column; /* a column's width */
} plot_legend;

typedef struct plot_script {
    FILE *f;
    const dq_figure *figure;
    dq_plot_form form;
    bool text; /* characters: panels below one another, each with its legend */
    const dq_plot_theme *theme;
    unsigned columns;
    plot_legend legend;
    double width, height; /* of the picture */
    double slot;          /* pixels of a category in the panel at hand */
} plot_script;

/* Where a panel stands, and within it its axes. */
typedef struct plot_box {
    double left, right, top, bottom;
} plot_box;

typedef struct plot_place {
    plot_box panel, axes;
    dq_plot_scale x, y; /* x: none over categories */
    size_t letters;     /* a category's name is cut to so many */
    bool slanted;       /* names of categories are */
    size_t every;       /* so many categories have one name between them */
} plot_place;

/* The names in the figure's order, with what the legend says; brief: for a terminal, which has no bands and
 * little room. DQ_ERR_MEMORY; free entries. */
dq_status plot_legend_make(plot_legend *legend, const dq_figure *figure, bool brief, dq_error *error);
/* The entry of a name, and its look. */
size_t plot_legend_number(const plot_legend *legend, const char *name);
size_t plot_look(const plot_script *s, const char *name);
uint32_t plot_hue(const plot_script *s, const char *name);
/* Cuts it into columns of a picture so wide, and draws it from `top` on. */
void plot_legend_arrange(plot_legend *legend, double width);
void plot_legend_draw(plot_script *s, double top);

/* Places of all panels (panel_count), by their order; sets the picture's size, and what is above the panels:
 * the places of title and legend. */
void plot_layout(plot_script *s, plot_place *places);
enum { PLOT_EDGE = 10 }; /* pixels that stay free around all */
/* What stands below all: the figure's note, of how many runs all is the mean, what mixed colours mean. No
 * picture is wide enough for so many bytes. */
enum { PLOT_NOTE = 1024 };
void plot_note(const plot_script *s, char note[PLOT_NOTE]);
/* Whether a panel has more bands than can be told apart: then some intervals of each line stand for its band.
 */
bool plot_crowded(const dq_plot_panel *panel);
/* The height of the figure's title. */
double plot_title_height(const dq_figure *figure);

/* The scales of a panel whose axes have about this size in pixels. */
void plot_scales(const dq_plot_panel *panel, double width, double height, plot_place *place);
/* Axes of a panel of a picture; their ranges and ticks alone. */
void plot_axes_draw(plot_script *s, const dq_plot_panel *panel, const plot_place *place);
void plot_ranges_draw(plot_script *s, const dq_plot_panel *panel, const plot_place *place);
/* In a terminal: whether a panel is a table of numbers with bars (text.c), which gnuplot cannot draw well
 * there; and that table. */
bool plot_is_table(const dq_plot_panel *panel);
void plot_table_draw(plot_script *s, const dq_plot_panel *panel);
dq_status plot_table_write(FILE *f, const dq_figure *of_one, dq_plot_form form, unsigned columns,
                           dq_error *error);
/* Writes what fills a panel: its data and gnuplot's command. */
void plot_content_draw(plot_script *s, const dq_plot_panel *panel);
/* The decimals of a panel's numbers, where these are written. */
int plot_panel_decimals(const dq_plot_panel *panel, int digits);
/* What the end of a grid's scale of colours stands for, on both sides of 0. */
double plot_greatest(const dq_plot_panel *panel);
void plot_cells_draw(plot_script *s, const dq_plot_panel *panel);
/* A value within what the axis can show; whether a point can be shown on the panel's axes, and its interval.
 */
/* Whether a line leads from point i - 1 to point i. */
bool plot_joined(const dq_plot_panel *panel, const dq_plot_series *series, size_t i);
double plot_clamp(const dq_plot_axis *axis, double value);
bool plot_shows(const dq_plot_panel *panel, const dq_plot_point *point);
bool plot_has_interval(const dq_plot_point *point);
void plot_marks_draw(plot_script *s, const dq_plot_panel *panel, const plot_place *place);
/* The same in a terminal, where labels stand in the plot. */
void plot_text_marks_draw(plot_script *s, const dq_plot_panel *panel);
/* Labels of vertical marks, and of stretches of fewer runs, stand in lines above the axes, as many as it
 * takes that none covers another: how many, for axes of this width. */
/* The letters of the longest label of a horizontal mark, which stands beside the axes. */
size_t plot_mark_letters(const dq_plot_panel *panel);
size_t plot_mark_rows(const dq_plot_panel *panel, const dq_plot_scale *x, double width);

/* ---- words ---- */

typedef enum plot_words {
    PLOT_LABEL, /* in single quotes, where gnuplot looks at nothing; a quote is written twice */
    PLOT_TICK,  /* the same where it looks for %, which is written twice, too */
    PLOT_PLAIN  /* for a terminal */
} plot_words;

/* Writes a text, a control character as a blank, and U+FFFD for what is no UTF-8 or no character of XML; of
 * one that is longer than so many letters the middle is left out. Returns its letters. */
size_t plot_put(FILE *f, const char *text, size_t longest, plot_words how);
/* PLOT_LABEL, or with format PLOT_TICK. */
void plot_quote(FILE *f, const char *text, size_t longest, bool format);
/* The characters of a text, at most `longest`. */
size_t plot_letters(const char *text, size_t longest);
/* The font for words of a panel: its weight, "" or ":Bold", and its size in pixels. */
void plot_font(const plot_script *s, const char *weight, double size, char font[40]);
/* "label (unit)". */
void plot_axis_title(const dq_plot_axis *axis, char *to, size_t room);

/* Whether categories stand on the left and values go to the right: points, and bars with long names. */
bool plot_on_side(const dq_plot_panel *panel);
/* The letters of the longest name of a category, at most `longest`. */
size_t plot_longest_category(const dq_plot_panel *panel, size_t longest);
/* Whether bars have their numbers at their ends: in pictures, where there is room for all. slot: pixels of a
 * category. */
bool plot_numbered(const dq_plot_panel *panel, double slot);
enum { PLOT_NUMBER = 3 }; /* digits of such numbers */

/* Half the distance of a histogram's bins, which all series share. */
double plot_half_bin(const dq_plot_panel *panel);
/* Across a scale, from 0 to 1. */
double plot_share_of(const dq_plot_scale *scale, double value);

#endif
