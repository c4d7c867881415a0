/* SPDX-License-Identifier: MIT
 *
 * Draws a figure by gnuplot, in the look of plot/theme.h. The same figure gives the same bytes: no picture
 * has a date in it.
 *
 * Panels stand in rows of equal width, the last row as wide as the others. One legend serves all, above the
 * panels; in a terminal it stands above each. Ticks are round numbers, their minus sign is U+2212, and an
 * axis goes no further than its bounds.
 */
#ifndef DQ_PLOT_PLOT_H
#define DQ_PLOT_PLOT_H

#include "dq/sink.h"
#include "plot/figure.h"

#include <stdio.h>

typedef enum dq_plot_form {
    DQ_PLOT_TERMINAL, /* characters */
    DQ_PLOT_COLOUR,   /* characters in colours */
    DQ_PLOT_SVG,      /* light or dark, as its reader prefers; light with a grid */
    DQ_PLOT_SVG_DARK, /* dark for all */
    DQ_PLOT_PNG,
    DQ_PLOT_PDF
} dq_plot_form;

/* columns: the terminal's width, at least 40, for the first two forms. DQ_ERR_MEMORY (also when it was short
 * while the figure was filled); DQ_ERR_SCHEMA for a figure without a number; errors as dq_gnuplot_run's. */
dq_status dq_plot_write(const dq_figure *figure, dq_plot_form form, unsigned columns, dq_sink *out,
                        dq_error *error);

/* The script for gnuplot alone. Whether the file took it is for ferror(). */
dq_status dq_plot_script(FILE *script, const dq_figure *figure, dq_plot_form form, unsigned columns,
                         dq_error *error);

/* The form that a file's name asks for by its end (.svg, .png, .pdf); false for another. */
bool dq_plot_form_of(const char *path, dq_plot_form *form);

#endif
