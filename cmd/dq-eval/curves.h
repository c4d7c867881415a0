/* SPDX-License-Identifier: MIT
 *
 * Learning curves: logs of dq-train to means and bands, and these to a picture by gnuplot.
 */
#ifndef DQ_EVAL_CURVES_H
#define DQ_EVAL_CURVES_H

#include "core/index.h"
#include "dq/sink.h"
#include "measure/curve.h"

#include <stdio.h>

enum { CURVES_MOST = 32, CURVES_MARKS = 16 };

/* A number of a log's lines that is drawn. */
typedef struct curve_metric {
    const char *key, *title;
    bool rising; /* learning makes it greater */
} curve_metric;

/* One run: a log, or one user's lines of a log. Points are numbered by episode or epoch. */
typedef struct curve_run {
    uint32_t group;
    double *y[CURVES_MOST]; /* (points) by metric; NAN where there is none */
    size_t points, capacity;
} curve_run;

typedef struct curves {
    dq_index groups, keys; /* keys: file and user of each run */
    curve_run *runs;
    size_t run_count;
    curve_metric metrics[CURVES_MOST];
    size_t metric_count, reward, cumulative; /* these two made of each other; metric_count where not drawn */
    uint64_t marks[CURVES_MARKS];            /* points where something changed: a line is drawn there */
    size_t mark_count;
    size_t points;    /* of the longest run */
    const char *unit; /* "episode" or "epoch" */
} curves;

/* The numbers to draw: `count` keys of the logs' lines; with 0 those that dq-train's agents learn by, as far
 * as a log has them, and cumulative reward, made here of reward and steps. DQ_ERR_RANGE for too many. */
dq_status curves_open(curves *curves, const char *const *keys, size_t count, dq_error *error);

/* Reads a log. operand: FILE, or NAME=FILE to draw it with the others of that name. */
dq_status curves_read(curves *curves, const char *operand, dq_error *error);
/* After the last log: cumulative rewards; moving averages over `smooth` points. */
dq_status curves_finish(curves *curves, size_t smooth, dq_error *error);
void curves_free(curves *curves);

/* The mean of a group's runs, to be freed (dq_curve_mean_free). DQ_ERR_MEMORY. */
dq_status curves_average(const curves *curves, uint32_t group, size_t metric, dq_curve_mean *mean,
                         dq_error *error);
/* Whether any run of the group (DQ_ABSENT: of all) has the metric. */
bool curves_have(const curves *curves, uint32_t group, size_t metric);

/* group, metric, unit, x, mean, sd, runs: one line a point of a mean. */
dq_status curves_print_tsv(const curves *curves, dq_sink *out, dq_error *error);

typedef enum plot_form { PLOT_DUMB, PLOT_SVG, PLOT_PNG } plot_form;
/* Draws all metrics that there are; columns is the terminal's width for PLOT_DUMB. */
dq_status curves_plot(const curves *curves, plot_form form, unsigned columns, dq_sink *out, dq_error *error);

#endif
