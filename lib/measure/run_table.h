/* SPDX-License-Identifier: MIT
 *
 * Runs by measures: the value of every query of every run, their summaries, and how runs differ from the
 * first.
 *
 *     dq_run_table t = {0};                        picks, qrels and facts are the caller's to fill
 *     dq_run_table_init(&t, names, count, &e);
 *     for each run r:
 *         dq_run_table_begin(&t, r, 1, &e);
 *         for each list of it: dq_run_table_list(&t, r, query, bytes, &list, &e);
 *         dq_run_table_end(&t, r, &e);
 *     dq_run_table_choose(&t, false, &e);          which queries count
 *     dq_run_table_summarise(&t, &config, &e);
 */
#ifndef DQ_MEASURE_RUN_TABLE_H
#define DQ_MEASURE_RUN_TABLE_H

#include "compare/runs.h"
#include "measure/pick.h"

/* What one run got. */
typedef struct dq_measured_run {
    const char *name;             /* borrowed */
    const char *label;            /* the same without its folders, when that is enough to tell runs apart */
    char tag[128];                /* what the run calls itself: the caller's to fill */
    double *values;               /* (picks, queries of the qrels); NAN: the query has none by this measure */
    dq_strings texts;             /* of measures that are texts, whose values are their numbers here */
    bool *in_run;                 /* (queries of the qrels) */
    double *lengths;              /* (queries of the qrels) of their lists */
    dq_shown_lists shown;         /* what measures of the whole run need of its lists */
    dq_index strange;             /* items of the run that the catalogue lacks */
    size_t query_count, unjudged; /* queries of the run, and those of them that the qrels lack */
} dq_measured_run;

struct dq_run_meter; /* what a run is measured with */

/* A run's summary by one measure, and how it differs from the first run's. */
typedef struct dq_run_cell {
    double value;
    bool has_interval, has_difference; /* what of `against` counts */
    dq_comparison against;
} dq_run_cell;

typedef struct dq_run_table {
    dq_measure_picks picks;
    dq_qrels qrels;       /* finished; freed with the table */
    dq_facts facts;       /* where a measure needs them; freed with the table */
    size_t max_documents; /* of a list, and */
    size_t documents;     /* that there are: dq_ranking_eval_documents */
    bool judged_only;     /* what of it counts: dq_ranking_eval_limit */
    bool intervals;       /* will be asked of dq_run_table_summarise: a run's lists are kept for that */
    uint32_t *order;      /* (query_count) queries that count, by their ids' bytes */
    size_t query_count;
    dq_measured_run *runs;
    size_t run_count;
    struct dq_run_meter *meter; /* between begin and end */
    double *ordered;            /* (query_count) scratch */
    dq_run_cell *cells;         /* (run_count, picks) */
    double *by_group;           /* (run_count, picks, groups) */
} dq_run_table;

/* Makes room for count >= 1 runs of these names. DQ_ERR_MEMORY. */
dq_status dq_run_table_init(dq_run_table *table, const char *const *names, size_t count, dq_error *error);
/* One run at a time, list by list: its memory is that of one list and of a value a query and measure, beside
 * what measures of the whole run need (exposure.h). A second begin forgets what came so far. relevance: the
 * least that is relevant. Each query comes once. Errors as dq_ranking_eval_list. */
dq_status dq_run_table_begin(dq_run_table *table, size_t run, int32_t relevance, dq_error *error);
dq_status dq_run_table_list(dq_run_table *table, size_t run, const char *query, size_t bytes,
                            const dq_ranking *list, dq_error *error);
dq_status dq_run_table_end(dq_run_table *table, size_t run, dq_error *error);
/* All three, of a run in memory, which is not needed afterwards. */
dq_status dq_run_table_measure(dq_run_table *table, size_t run, const dq_run *ranked, int32_t relevance,
                               dq_error *error);
/* Chooses the queries that count, perhaps none: with `complete` all of the qrels, else those in every run. */
dq_status dq_run_table_choose(dq_run_table *table, bool complete, dq_error *error);
/* Fills the cells: summaries, and with compare not NULL also the intervals and tests of means; and the values
 * of the groups that the facts make (facts.by). A query without a value in any run does not count for that
 * measure. A value is NAN where no query has one. */
dq_status dq_run_table_summarise(dq_run_table *table, const dq_compare_config *compare, dq_error *error);
/* What can be compared, once the queries are chosen: the values of the picks that are means over queries.
 * picks (picks of the table) gets their numbers: measure k of the values is picks[k]. It lives as long as the
 * table and picks. */
typedef struct dq_run_means {
    const dq_run_table *table;
    size_t *picks;
} dq_run_means;
dq_run_values dq_run_table_means(dq_run_means *of);
void dq_run_table_free(dq_run_table *table);

/* What its measures need, DQ_NEEDS_..., and how far down the lists a measure of a whole run looks. */
unsigned dq_run_table_needs(const dq_run_table *table);
double dq_run_table_depth(const dq_measure_pick *pick);
/* Queries that count, but have no value by a measure. */
size_t dq_run_table_without(const dq_run_table *table, size_t pick);
/* Queries that count, but are in no group. */
size_t dq_run_table_ungrouped(const dq_run_table *table);
/* Groups of users, the value of one (a value of facts.by), and the greatest less the least of a run's. */
size_t dq_run_table_groups(const dq_run_table *table);
double dq_run_table_group_value(const dq_run_table *table, size_t run, size_t pick, size_t group);
double dq_run_table_gap(const dq_run_table *table, size_t run, size_t pick);
/* Value of one query of the qrels; of a measure that is a text, the text. */
double dq_run_table_value(const dq_run_table *table, size_t run, size_t pick, uint32_t query);
const char *dq_run_table_text(const dq_run_table *table, size_t run, size_t pick, uint32_t query,
                              size_t *bytes);

#endif
