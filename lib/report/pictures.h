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
#include "verdict/acted.h"

/* Adds panels for a table that is summarised: measures between 0 and 1 side by side, a bar a run; a panel for
 * each measure of another kind; and two levels of iprec_at_recall or more as precision by recall, a line a
 * run. confidence: of the intervals, which are those that the table has. Measures without a number are left
 * out. DQ_ERR_MEMORY; DQ_ERR_SCHEMA where there is none with a number. */
dq_status dq_runs_figure(const dq_run_table *table, double confidence, dq_figure *figure, dq_error *error);

/* Adds a panel of estimates with their bootstrap intervals, and a mark at the log's own value where the
 * estimator "log" is among them. Errors likewise. */
dq_status dq_ope_figure(const dq_ope_estimate *estimates, size_t count, double confidence, dq_figure *figure,
                        dq_error *error);

/* Adds panels: scores with their intervals; shares of labels; rewards by step. DQ_ERR_MEMORY. */
dq_status dq_acted_figure(const dq_acted *acted, size_t count, const dq_acted_form *form, dq_figure *figure,
                          dq_error *error);

/* "95 % interval", kept by the figure; NULL when memory is short. */
const char *dq_pictures_interval(dq_figure *figure, double confidence, const char *of);

#endif
