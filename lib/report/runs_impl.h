/* SPDX-License-Identifier: MIT
 *
 * What the files that print runs share: runs.c, runs_groups.c for groups of users, runs_cells.c for the cells
 * of both.
 */
#ifndef DQ_REPORT_RUNS_IMPL_H
#define DQ_REPORT_RUNS_IMPL_H

#include "report/runs.h"

/* A value as trec_eval prints it: counts as integers, all else to four places; "-" where there is none. */
void dq_runs_short_number(const dq_measure_pick *pick, double value, char text[32]);
/* An id, or a group's name, in a table, where control characters are shown. */
dq_status dq_runs_id_cell(dq_sink *out, const char *id, int bytes, dq_error *error);
/* The four columns that every line of TSV has; the seven that only a mean may have, with a twelfth where
 * group is not NULL. */
dq_status dq_runs_tsv_start(const dq_run_table *t, size_t run, size_t pick, const char *query, size_t bytes,
                            double value, dq_sink *out, dq_error *error);
dq_status dq_runs_tsv_rest(const dq_run_cell *c, const char *group, size_t bytes, dq_sink *out,
                           dq_error *error);

/* The values of groups, and the gap: nothing where there are no groups. */
dq_status dq_runs_table_groups(const dq_run_table *t, int width, int names, dq_sink *out, dq_error *error);
dq_status dq_runs_tsv_groups(const dq_run_table *t, size_t run, size_t pick, dq_sink *out, dq_error *error);
bool dq_runs_put_groups(const dq_run_table *t, size_t run, dq_arena *arena, dq_value *map);

/* Whether a measure has a number for all queries together: else it is the run's name or a text a query. */
bool dq_runs_is_number(const dq_measure_pick *pick);

#endif
