/* SPDX-License-Identifier: MIT
 *
 * Learning curves drawn by gnuplot: one panel a metric, one colour a group. A line is the mean of a group's
 * runs and a band its standard deviation; where only some of the runs are left the line is thinner and
 * dashed, and says of how many it is. Rewards are also a histogram. The data is in the script.
 */
#ifndef DQ_REPORT_PLOT_H
#define DQ_REPORT_PLOT_H

#include "report/curves.h"

#include <stdio.h>

typedef enum dq_plot_form { DQ_PLOT_DUMB, DQ_PLOT_SVG, DQ_PLOT_PNG } dq_plot_form;

/* Writes gnuplot's script for all metrics that there are; columns is the terminal's width for DQ_PLOT_DUMB.
 * Whether the file took it is for ferror(). DQ_ERR_MEMORY. */
dq_status dq_plot_script(FILE *script, const dq_curves *curves, dq_plot_form form, unsigned columns,
                         dq_error *error);

/* Writes what gnuplot draws of it; errors as dq_gnuplot_run's. */
dq_status dq_plot_curves(const dq_curves *curves, dq_plot_form form, unsigned columns, dq_sink *out,
                         dq_error *error);

#endif
