/* SPDX-License-Identifier: MIT
 *
 * Finds a measure in the table by the name that people give it, with its parameters.
 */
#ifndef DQ_MEASURE_PICK_H
#define DQ_MEASURE_PICK_H

#include "measure/table.h"

/* One measure with its parameter, as it is computed and printed. */
typedef struct dq_measure_pick {
    const dq_measure *measure;
    double parameter;
    double weights[DQ_MEASURE_WEIGHTS]; /* of a measure that takes them */
    char name[112];                     /* "P_10", "diversity:title_10" */
    char argument[64];                  /* what a measure is about: "title"; empty: nothing */
    size_t about; /* its number in the facts, for whoever has them to fill (report/facts_file.h); at the start
                     DQ_WHOLE_VECTOR */
} dq_measure_pick;

enum { DQ_MAX_PICKS = 256 };

typedef struct dq_measure_picks {
    dq_measure_pick at[DQ_MAX_PICKS];
    size_t count;
} dq_measure_picks;

/* Adds what a text names: a measure with or without parameters ("map", "P_10", "P.5,10", "ndcg@10" which is
 * ndcg_cut_10, "mrr" which is recip_rank, "diversity:title@10"), or a group ("official", "all_trec", "set",
 * "ranking"), or several of these, separated by commas that a letter follows ("P.5,10,map"). cutoffs ("5,10";
 * may be NULL) stand in for the default ranks of a measure named without any. What is there already is not
 * added again. DQ_ERR_UNKNOWN, DQ_ERR_RANGE, DQ_ERR_MEMORY. */
dq_status dq_measure_pick_add(dq_measure_picks *picks, const char *text, const char *cutoffs,
                              dq_error *error);
/* Into the table's order, trec_eval's; parameters ascending. */
void dq_measure_pick_sort(dq_measure_picks *picks);

#endif
