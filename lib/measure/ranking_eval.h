/* SPDX-License-Identifier: MIT
 *
 * Rankings against judgements, a list at a time, as the measures of table.h see them:
 *
 *     dq_ranking_eval *eval;  dq_ranking list = DQ_RANKING_EMPTY;  dq_judged_ranking judged;
 *     dq_ranking_eval_new(&eval, &qrels, 1, &error);
 *     for each list of the run:
 *         dq_ranking_clear(&list);
 *         for each line of it: dq_ranking_add(&list, doc, bytes, score, &error);
 *         dq_ranking_eval_list(eval, &list, query, &judged, &error);
 *         value = pick.measure->compute(&judged, pick.parameter);
 *
 * A list is sorted by its scores, greatest first, equal scores by the greater id first; ranks written in a
 * file have no say. What is not judged is not relevant. Nothing is kept of a list once the next one comes.
 */
#ifndef DQ_MEASURE_RANKING_EVAL_H
#define DQ_MEASURE_RANKING_EVAL_H

#include "measure/qrels.h"

enum { DQ_LEVEL_UNPOOLED = -1, DQ_LEVEL_UNJUDGED = -2 };

/* A place of a list: its score, and where its id stands. */
typedef struct dq_ranked {
    double score;
    uint32_t at, bytes;
} dq_ranked;

/* The list of one query, its documents in the order in which they came. */
typedef struct dq_ranking {
    dq_ranked *places; /* (count) */
    char *ids;         /* (id_bytes) one after another */
    size_t count, capacity, id_bytes, id_capacity;
} dq_ranking;

#define DQ_RANKING_EMPTY ((dq_ranking){0})

/* Adds a document. DQ_ERR_NUMERIC for NaN and infinity, DQ_ERR_RANGE for a list whose ids pass 4 GiB. */
dq_status dq_ranking_add(dq_ranking *ranking, const char *doc, size_t bytes, double score, dq_error *error);
/* Forgets the documents and keeps the memory. */
void dq_ranking_clear(dq_ranking *ranking);
/* Makes the list that of query number `row` of a run in memory. */
dq_status dq_ranking_take(dq_ranking *ranking, const dq_run *run, uint32_t row, dq_error *error);
void dq_ranking_free(dq_ranking *ranking);

/* One query as the measures see it. */
typedef struct dq_judged_ranking {
    bool in_run;
    const int32_t *level; /* (retrieved) judged relevance, best rank first; or a DQ_LEVEL_UN... */
    const uint32_t *doc;  /* (retrieved) numbers of the list's places, as they came */
    const double *score;  /* (retrieved) */
    const uint32_t *hits; /* (retrieved + 1) hits[i]: relevant ones among the first i */
    size_t retrieved;
    const int32_t *ideal; /* (judged) the judged levels >= 0, greatest first: the ideal ranking */
    size_t judged, relevant;
    size_t documents;  /* that there are, retrieved or not; 0: nobody said */
    int32_t threshold; /* relevant: level >= threshold */
    int32_t greatest;  /* level that any document has for any query; at least 0 */
} dq_judged_ranking;

typedef struct dq_ranking_eval dq_ranking_eval;

/* The judgements are finished and kept (borrowed). threshold: the least relevance that counts as relevant, 1
 * in trec_eval. DQ_ERR_RANGE for a relevance that is no integer of 32 bits. */
dq_status dq_ranking_eval_new(dq_ranking_eval **eval, const dq_qrels *qrels, int32_t threshold,
                              dq_error *error);
/* What of a ranking counts, in this order, as trec_eval's -M and -J have it: its first `depth` documents (0:
 * all, as at the start), and of these the judged ones alone. */
void dq_ranking_eval_limit(dq_ranking_eval *eval, size_t depth, bool judged_only);
/* How many documents there are, for measures of what is not retrieved. */
void dq_ranking_eval_documents(dq_ranking_eval *eval, size_t documents);
/* The list of query number `query` of the qrels, or of one that nobody judged (DQ_ABSENT), valid until the
 * next call. ranking NULL: the run lacks the query, which is an empty ranking with in_run false.
 * DQ_ERR_DUPLICATE for a document that stands twice, DQ_ERR_RANGE for another number. */
dq_status dq_ranking_eval_list(dq_ranking_eval *eval, const dq_ranking *ranking, uint32_t query,
                               dq_judged_ranking *judged, dq_error *error);
void dq_ranking_eval_free(dq_ranking_eval *eval);

#endif
