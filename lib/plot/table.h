/* SPDX-License-Identifier: MIT
 *
 * A table of somebody's, with a head, as panels of a figure. What is drawn is said in one text:
 *
 *     KIND:KEY=VALUE,KEY=VALUE...      lines:x=episode,y=mean,sd=sd,series=group,ylabel=return
 *
 * KIND is lines, points, bars, histogram or grid; a comma in a value is written \, and blanks behind a comma
 * say nothing. Keys that name columns:
 *
 *     x, y          what is drawn over what; a histogram counts rows by x, y being their weight
 *     lower, upper  of the interval; or sd, y less and plus it
 *     series        a line (row of a grid) each of its values, in the order in which they come
 *     panel         a panel each of its values, likewise
 *     runs          how many runs a point is of; the greatest is the series'
 *
 * and others:
 *
 *     where=COLUMN=VALUE       the rows that count; repeated: all must hold
 *     order=A|B|C              the order of categories and series; others come behind, as they come
 *     title, note, xlabel, ylabel, xunit, yunit, band (what the interval is)
 *     xmin, xmax, ymin, ymax   what a value can be: values beyond them are an error
 *     log=x|y|xy               logarithmic axes
 *     bin=WIDTH                of a histogram
 *     share=yes                a histogram of shares of its series rather than of counts
 *     xmark, ymark=N[=LABEL]   a line there; repeated
 *
 * x is a number where all cells of the column are, but of bars and grids; else a category.
 */
#ifndef DQ_PLOT_TABLE_H
#define DQ_PLOT_TABLE_H

#include "plot/figure.h"

/* Reads the table at a path ("-": stdin; one that ends in .csv is cut at commas, others at tabs) and adds its
 * panels. DQ_ERR_RANGE for a text that says nothing of the above; DQ_ERR_UNKNOWN for a column that is not
 * there; DQ_ERR_FORMAT for a cell that is no number, with its line; DQ_ERR_SCHEMA where no row counts. error
 * may not be NULL. */
dq_status dq_plot_table_add(dq_figure *figure, const char *text, const char *path, dq_error *error);
/* Whether the text can be understood, before anything is read. */
dq_status dq_plot_table_check(const char *text, dq_error *error);

#endif
