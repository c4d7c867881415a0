/* SPDX-License-Identifier: MIT
 *
 * Ranking measures: a table, where a new measure is one entry and one function. The definitions, names, order
 * and roundings are those of NIST's trec_eval 10, so that its users find their numbers.
 */
#ifndef DQ_MEASURE_TABLE_H
#define DQ_MEASURE_TABLE_H

#include "measure/ranking_eval.h"

/* How values of queries become one. */
typedef enum dq_measure_over {
    DQ_OVER_MEAN,      /* arithmetic mean */
    DQ_OVER_SUM,       /* a count: summed, printed as an integer */
    DQ_OVER_GEOMETRIC, /* geometric mean, values under 0.00001 counted as that */
    DQ_OVER_NAME,      /* no number at all: the run's own name (runid); compute is NULL */
} dq_measure_over;

typedef enum dq_measure_parameter {
    DQ_TAKES_NOTHING,
    DQ_TAKES_CUTOFF,   /* a rank k >= 1: P_10 */
    DQ_TAKES_FRACTION, /* a fraction >= 0: iprec_at_recall_0.10 */
} dq_measure_parameter;

enum {
    DQ_IN_OFFICIAL = 1, /* trec_eval's defaults */
    DQ_IN_ALL = 2,      /* its all_trec, so far as it is here */
    DQ_IN_SET = 4,      /* its set measures */
    DQ_IN_RANKING = 8,  /* what dq-eval shows of a recommender by default, at its -k */
};

typedef struct dq_measure {
    const char *name, *help; /* help: one line */
    double (*compute)(const dq_judged_ranking *query, double parameter);
    dq_measure_parameter parameter;
    dq_measure_over over;
    unsigned groups;      /* DQ_IN_... */
    const char *defaults; /* parameters when none is given, "5,10,15"; NULL when it takes none */
    bool summary_only;    /* no value for a single query (num_q, gm_map) */
} dq_measure;

extern const dq_measure dq_measures[];
extern const size_t dq_measure_count;

/* The summary over n values of queries. */
double dq_measure_summary(const dq_measure *measure, const double *values, size_t n);

#endif
