/* SPDX-License-Identifier: MIT
 *
 * Evaluations as figures: measures of rankings, off-policy estimates, roll-outs.
 */
#ifndef DQ_REPORT_PICTURES_H
#define DQ_REPORT_PICTURES_H

#include "core/index.h"
#include "measure/run_table.h"
#include "measure/summary.h"
#include "ope/estimate.h"
#include "plot/figure.h"

/* Adds panels for a table that is summarised: measures between 0 and 1 side by side, a bar a run, those of
 * the whole run apart from means over queries; a panel for each measure of another kind; and two levels of
 * iprec_at_recall or more as precision by recall, a line a run. confidence: of the intervals, which are those
 * that the table has. Measures without a number are left out. DQ_ERR_MEMORY; DQ_ERR_SCHEMA where there is
 * none with a number. */
dq_status dq_runs_figure(const dq_run_table *table, double confidence, dq_figure *figure, dq_error *error);

/* Adds a panel of estimates with their bootstrap intervals, and a mark at the log's own value where the
 * estimator "log" is among them. Errors likewise. */
dq_status dq_ope_figure(const dq_ope_estimate *estimates, size_t count, double confidence, dq_figure *figure,
                        dq_error *error);

/* What agents came to who acted, from roll-outs of the same episodes. */
typedef struct dq_acted {
    const char *name;
    const dq_summary *score;
    const uint64_t *labels; /* (labels) steps that chose an item of the label; the last: of none of these */
    const double *by_step;  /* (steps) what a step brought, summed over episodes */
} dq_acted;

typedef struct dq_acted_form {
    const char *score; /* what it is: "return" */
    double confidence;
    size_t episodes, steps; /* steps 0: no panel by step */
    const dq_index *labels; /* names of all but the last */
    size_t label_count;     /* 0: no panel of labels */
    double steps_in_all;    /* that labels are shares of */
} dq_acted_form;

/* Adds panels: scores with their intervals; shares of labels; rewards by step. DQ_ERR_MEMORY. */
dq_status dq_acted_figure(const dq_acted *acted, size_t count, const dq_acted_form *form, dq_figure *figure,
                          dq_error *error);

/* "95 % interval", kept by the figure; NULL when memory is short. */
const char *dq_pictures_interval(dq_figure *figure, double confidence, const char *of);

#endif
