/* SPDX-License-Identifier: MIT
 *
 * Judgements (qrels) and runs in memory: for each query a list of documents, each with a number, which is the
 * judged relevance in the one and the score in the other. For a recommender a query is a user and a document
 * an item.
 *
 * Both are filled entry by entry in any order, then finished, which groups the entries by query:
 *
 *     dq_qrels qrels = DQ_LISTS_EMPTY;
 *     while (...) dq_lists_add(&qrels, query, query_bytes, doc, doc_bytes, relevance, &error);
 *     dq_lists_finish(&qrels, &error);
 *     for (size_t i = qrels.start[q]; i < qrels.start[q + 1]; i++) ... qrels.doc[i], qrels.value[i] ...
 *
 * An entry takes 12 bytes (16 while filling); an id is kept once.
 */
#ifndef DQ_MEASURE_QRELS_H
#define DQ_MEASURE_QRELS_H

#include "core/index.h"

typedef struct dq_lists {
    dq_index queries, docs; /* ids in the order of their first coming */
    uint32_t *query;        /* (count) row in queries; NULL once finished */
    uint32_t *doc;          /* (count) row in docs */
    double *value;          /* (count) relevance or score */
    size_t *start; /* (queries + 1) once finished: entries start[q] .. start[q + 1] - 1 are query q's */
    size_t count, capacity;
    uint32_t last; /* query of the entry added last, a shortcut for grouped input */
} dq_lists;

typedef dq_lists dq_qrels; /* value: an integer of 32 bits; negative: in the pool, but not judged */
typedef dq_lists dq_run;   /* value: the score, as trec_eval compares it, in double precision */

#define DQ_LISTS_EMPTY ((dq_lists){0})

/* Adds one entry. NaN and infinity are DQ_ERR_NUMERIC. */
dq_status dq_lists_add(dq_lists *lists, const char *query, size_t query_bytes, const char *doc,
                       size_t doc_bytes, double value, dq_error *error);

/* What a document that a query has twice is. */
typedef enum dq_twice {
    DQ_TWICE_REFUSED,  /* DQ_ERR_DUPLICATE, as in trec_eval */
    DQ_TWICE_GREATEST, /* one entry with the greatest value: a user who saved and then applied */
} dq_twice;

/* Groups by query, the order of a query's entries kept. Nothing may be added afterwards. */
dq_status dq_lists_finish(dq_lists *lists, dq_twice twice, dq_error *error);

void dq_lists_free(dq_lists *lists);

#endif
