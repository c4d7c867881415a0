/* SPDX-License-Identifier: MIT
 *
 * Rankings against judgements, query by query, as the measures of table.h see them:
 *
 *     dq_ranking_eval *eval;  dq_judged_ranking ranking;
 *     dq_ranking_eval_new(&eval, &qrels, &run, 1, &error);
 *     for (uint32_t q = 0; q < queries; q++) {
 *         dq_ranking_eval_query(eval, q, &ranking, &error);
 *         value = pick.measure->compute(&ranking, pick.parameter);
 *     }
 *
 * A run is sorted by its scores, greatest first, equal scores by the greater id first; ranks written in a
 * file have no say. What is not judged is not relevant.
 */
#ifndef DQ_MEASURE_RANKING_EVAL_H
#define DQ_MEASURE_RANKING_EVAL_H

#include "measure/qrels.h"

enum { DQ_LEVEL_UNPOOLED = -1, DQ_LEVEL_UNJUDGED = -2 };

/* One query as the measures see it. */
typedef struct dq_judged_ranking {
    bool in_run;
    const int32_t *level; /* (retrieved) judged relevance, best rank first; or a DQ_LEVEL_UN... */
    const uint32_t *doc;  /* (retrieved) rows in the run's documents */
    const double *score;  /* (retrieved) */
    const uint32_t *hits; /* (retrieved + 1) hits[i]: relevant ones among the first i */
    size_t retrieved;
    const int32_t *ideal; /* (judged) the judged levels >= 0, greatest first: the ideal ranking */
    size_t judged, relevant;
    int32_t threshold; /* relevant: level >= threshold */
    int32_t greatest;  /* level that any document has for any query; at least 0 */
} dq_judged_ranking;

typedef struct dq_ranking_eval dq_ranking_eval;

/* Both lists are finished and kept (borrowed). threshold: the least relevance that counts as
 * relevant, 1 in trec_eval. */
dq_status dq_ranking_eval_new(dq_ranking_eval **eval, const dq_qrels *qrels, const dq_run *run,
                              int32_t threshold, dq_error *error);
/* What of a ranking counts, in this order, as trec_eval's -M and -J have it: its first `depth` documents (0:
 * all, as at the start), and of these the judged ones alone. */
void dq_ranking_eval_limit(dq_ranking_eval *eval, size_t depth, bool judged_only);
/* Query number `query` of the qrels, valid until the next call. A query that the run lacks is an empty
 * ranking with in_run false. */
dq_status dq_ranking_eval_query(dq_ranking_eval *eval, uint32_t query, dq_judged_ranking *judged,
                                dq_error *error);
/* Query number `row` of the run as if nobody had judged it. DQ_ERR_RANGE. */
dq_status dq_ranking_eval_unjudged(dq_ranking_eval *eval, uint32_t row, dq_judged_ranking *ranking,
                                   dq_error *error);
void dq_ranking_eval_free(dq_ranking_eval *eval);

#endif
