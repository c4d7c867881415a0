/* SPDX-License-Identifier: MIT
 *
 * Runs by measures: the value of every query of every run, their summaries, and how runs differ from the
 * first.
 *
 *     dq_run_table t = {0};                        picks and qrels are the caller's to fill
 *     dq_run_table_init(&t, names, count, &e);
 *     for each run: dq_run_table_measure(&t, r, &ranked, 1, &e);
 *     dq_run_table_choose(&t, false, &e);          which queries count
 *     dq_run_table_summarise(&t, &config, &e);
 */
#ifndef DQ_MEASURE_RUN_TABLE_H
#define DQ_MEASURE_RUN_TABLE_H

#include "measure/compare.h"
#include "measure/pick.h"

/* What one run got. */
typedef struct dq_measured_run {
    const char *name;  /* borrowed */
    const char *label; /* the same without its folders, when that is enough to tell runs apart */
    char tag[128];     /* what the run calls itself: the caller's to fill */
    double *values;    /* (picks, queries of the qrels) */
    bool *in_run;      /* (queries of the qrels) */
} dq_measured_run;

/* A run's summary by one measure, and how it differs from the first run's. */
typedef struct dq_run_cell {
    double value;
    bool has_interval, has_difference; /* what of `against` counts */
    dq_comparison against;
} dq_run_cell;

typedef struct dq_run_table {
    dq_measure_picks picks;
    dq_qrels qrels;  /* finished; freed with the table */
    uint32_t *order; /* (query_count) queries that count, by their ids' bytes */
    size_t query_count;
    dq_measured_run *runs;
    size_t run_count;
    double *ordered;    /* (query_count) scratch */
    dq_run_cell *cells; /* (run_count, picks) */
} dq_run_table;

/* Makes room for count >= 1 runs of these names. DQ_ERR_MEMORY. */
dq_status dq_run_table_init(dq_run_table *table, const char *const *names, size_t count, dq_error *error);
/* Measures one run, which is finished and not needed afterwards. relevance: the least that is relevant. */
dq_status dq_run_table_measure(dq_run_table *table, size_t run, const dq_run *ranked, int32_t relevance,
                               dq_error *error);
/* Chooses the queries that count, perhaps none: with `complete` all of the qrels, else those in every run. */
dq_status dq_run_table_choose(dq_run_table *table, bool complete, dq_error *error);
/* Fills the cells: summaries, and with compare not NULL also the intervals and tests of means. */
dq_status dq_run_table_summarise(dq_run_table *table, const dq_compare_config *compare, dq_error *error);
void dq_run_table_free(dq_run_table *table);

/* Value of one query of the qrels. */
double dq_run_table_value(const dq_run_table *table, size_t run, size_t pick, uint32_t query);

#endif
