/* SPDX-License-Identifier: MIT
 *
 * Ranking measures: a table in lib/measure/table.c, where a new measure is one entry. The definitions, names,
 * order and roundings are those of NIST's trec_eval 10, so that its users find their numbers.
 *
 *     dq_judge *judge;  dq_judged query;
 *     dq_judge_new(&judge, &qrels, &run, 1, &error);
 *     for (uint32_t q = 0; q < queries; q++) {
 *         dq_judge_query(judge, q, &query, &error);
 *         value = pick.measure->compute(&query, pick.parameter);
 *     }
 *
 * A run is sorted by its scores, greatest first, equal scores by the greater id first; ranks written in a
 * file have no say. What is not judged is not relevant.
 */
#ifndef DQ_MEASURE_MEASURE_H
#define DQ_MEASURE_MEASURE_H

#include "measure/qrels.h"

enum { DQ_LEVEL_UNPOOLED = -1, DQ_LEVEL_UNJUDGED = -2 };

/* One query as the measures see it. */
typedef struct dq_judged {
    bool in_run;
    const int32_t *level; /* (retrieved) judged relevance, best rank first; or a DQ_LEVEL_UN... */
    const uint32_t *hits; /* (retrieved + 1) hits[i]: relevant ones among the first i */
    size_t retrieved;
    const int32_t *ideal; /* (judged) the judged levels >= 0, greatest first: the ideal ranking */
    size_t judged, relevant;
    int32_t threshold; /* relevant: level >= threshold */
} dq_judged;

typedef struct dq_judge dq_judge;

/* Both lists are finished and kept (borrowed) by the judge. threshold: the least relevance that counts as
 * relevant, 1 in trec_eval. */
dq_status dq_judge_new(dq_judge **judge, const dq_qrels *qrels, const dq_run *run, int32_t threshold,
                       dq_error *error);
/* Query number `query` of the qrels, valid until the next call. A query that the run lacks is an empty
 * ranking with in_run false. */
dq_status dq_judge_query(dq_judge *judge, uint32_t query, dq_judged *judged, dq_error *error);
void dq_judge_free(dq_judge *judge);

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
    double (*compute)(const dq_judged *query, double parameter);
    dq_measure_parameter parameter;
    dq_measure_over over;
    unsigned groups;      /* DQ_IN_... */
    const char *defaults; /* parameters when none is given, "5,10,15"; NULL when it takes none */
    bool summary_only;    /* no value for a single query (num_q, gm_map) */
} dq_measure;

extern const dq_measure dq_measures[];
extern const size_t dq_measure_count;

/* One measure with its parameter, as it is computed and printed. */
typedef struct dq_measure_pick {
    const dq_measure *measure;
    double parameter;
    char name[40]; /* "P_10" */
} dq_measure_pick;

enum { DQ_MAX_PICKS = 256 };

typedef struct dq_measure_picks {
    dq_measure_pick at[DQ_MAX_PICKS];
    size_t count;
} dq_measure_picks;

/* Adds what a text names: a measure with or without parameters ("map", "P_10", "P.5,10", "ndcg@10" which is
 * ndcg_cut_10, "mrr" which is recip_rank), or a group ("official", "all_trec", "set", "ranking"). cutoffs
 * ("5,10"; may be NULL) stand in for the default ranks of a measure named without any. What is there already
 * is not added again. DQ_ERR_UNKNOWN, DQ_ERR_RANGE. */
dq_status dq_measure_pick_add(dq_measure_picks *picks, const char *text, const char *cutoffs,
                              dq_error *error);
/* Into the table's order, trec_eval's; parameters ascending. */
void dq_measure_pick_sort(dq_measure_picks *picks);

/* The summary over n values of queries. */
double dq_measure_summary(const dq_measure *measure, const double *values, size_t n);

#endif
