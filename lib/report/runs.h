/* SPDX-License-Identifier: MIT
 *
 * Measured runs as a table to look at, TSV, JSON lines, or in trec_eval's layout.
 */
#ifndef DQ_REPORT_RUNS_H
#define DQ_REPORT_RUNS_H

#include "dq/sink.h"
#include "measure/run_table.h"

typedef enum dq_runs_format { DQ_RUNS_TABLE, DQ_RUNS_TSV, DQ_RUNS_JSON, DQ_RUNS_TREC } dq_runs_format;

typedef struct dq_runs_form {
    dq_runs_format format;
    bool by_query;     /* the values of each query, too */
    bool interval;     /* the table has a column of intervals even for one run */
    double confidence; /* of the intervals, for the table's head */
} dq_runs_form;

/* Prints a table that is summarised. TSV has the columns run, measure, query ("all": the summary), value,
 * low, high, difference, difference_low, difference_high, p, p_t, empty where a run has none; with groups of
 * users also group, and lines of the groups' values and of the gap between the greatest and the least (query
 * "gap"). */
dq_status dq_runs_print(const dq_run_table *table, const dq_runs_form *form, dq_sink *out, dq_error *error);
/* The names of all measures, with what they take and mean. */
dq_status dq_runs_print_measures(dq_sink *out, dq_error *error);

#endif
