/* SPDX-License-Identifier: MIT
 *
 * Learning curves: logs of dq-train, JSON lines, to means and bands. dq_curves_figure makes panels of them.
 */
#ifndef DQ_REPORT_CURVES_H
#define DQ_REPORT_CURVES_H

#include "core/index.h"
#include "dq/sink.h"
#include "measure/curve.h"
#include "plot/figure.h"

enum { DQ_CURVES_MAX = 32, DQ_CURVES_MARKS = 16 };

/* A number of a log's lines that is drawn. */
typedef struct dq_curves_metric {
    const char *key, *title;
    const char *label; /* of its axis, "": none */
    double min, max;   /* that it can be; infinite: no bound */
} dq_curves_metric;

/* A point where something changed: a line is drawn there. */
typedef struct dq_curves_mark {
    uint64_t at;
    const char *label; /* borrowed; NULL: none */
} dq_curves_mark;

/* One run: a log, or one user's lines of a log. Points are numbered by episode or epoch. */
typedef struct dq_curves_run {
    uint32_t group;
    double *y[DQ_CURVES_MAX]; /* (points) by metric; NAN where there is none */
    size_t points, capacity;
} dq_curves_run;

typedef struct dq_curves {
    dq_index groups, keys; /* keys: file and user of each run */
    dq_curves_run *runs;
    size_t run_count;
    dq_curves_metric metrics[DQ_CURVES_MAX];
    size_t metric_count, reward, cumulative; /* these two made of each other; metric_count where not drawn */
    dq_curves_mark marks[DQ_CURVES_MARKS];
    size_t mark_count;
    size_t points;    /* of the longest run */
    const char *unit; /* "episode" or "epoch" */
} dq_curves;

/* The numbers to draw: `count` keys of the logs' lines; with 0 those that dq-train's agents learn by, as far
 * as a log has them, and cumulative reward, made here of reward and steps. DQ_ERR_RANGE for too many. */
dq_status dq_curves_open(dq_curves *curves, const char *const *keys, size_t count, dq_error *error);

/* The file of an operand FILE, or NAME=FILE to draw it with the others of that name, whose bytes are *name.
 */
const char *dq_curves_file(const char *operand, size_t *name);
/* Reads a log by its operand. */
dq_status dq_curves_read(dq_curves *curves, const char *operand, dq_error *error);
/* After the last log: cumulative rewards; moving averages over `smooth` points. */
dq_status dq_curves_finish(dq_curves *curves, size_t smooth, dq_error *error);
void dq_curves_free(dq_curves *curves);

/* The mean of a group's runs, to be freed (dq_curve_mean_free). DQ_ERR_MEMORY. */
dq_status dq_curves_mean(const dq_curves *curves, uint32_t group, size_t metric, dq_curve_mean *mean,
                         dq_error *error);
/* Whether any run of the group (DQ_ABSENT: of all) has the metric. */
bool dq_curves_have(const dq_curves *curves, uint32_t group, size_t metric);

/* group, metric, unit, x, mean, sd, runs: one line a point of a mean. */
dq_status dq_curves_print_tsv(const dq_curves *curves, dq_sink *out, dq_error *error);

/* Adds a panel a metric that there is: a line a group, the mean of its runs, and a band of their standard
 * deviation; behind the rewards their histogram, by group. DQ_ERR_MEMORY. */
dq_status dq_curves_figure(const dq_curves *curves, dq_figure *figure, dq_error *error);

#endif
