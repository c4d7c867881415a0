/* SPDX-License-Identifier: MIT */
#include "measure/ranking_eval.h"

#include <stdlib.h>
#include <string.h>

typedef struct ranked {
    double score;
    uint32_t doc; /* row in the run's documents */
} ranked;

struct dq_ranking_eval {
    const dq_qrels *qrels;
    const dq_run *run;
    int32_t threshold, greatest;
    size_t depth; /* 0: all */
    bool judged_only;
    uint32_t *qrels_doc; /* (the run's documents) row in the qrels' documents, or DQ_ABSENT */
    int32_t *level;      /* (the qrels' documents) level in the query at hand, DQ_LEVEL_UNPOOLED elsewhere */
    ranked *order;       /* (longest list of the run) */
    int32_t *levels;     /* likewise */
    uint32_t *doc;       /* likewise */
    double *score;       /* likewise */
    uint32_t *hits;      /* that + 1 */
    int32_t *ideal;      /* (longest list of the qrels) */
};

static size_t longest(const dq_lists *lists)
{
    size_t most = 0, queries = dq_index_count(&lists->queries);
    for (size_t q = 0; q < queries; q++) {
        size_t n = lists->start[q + 1] - lists->start[q];
        if (n > most) most = n;
    }
    return most;
}

/* Where the run's documents are in the qrels: one look-up a document, not one a line. */
static void match_documents(dq_ranking_eval *eval)
{
    size_t docs = dq_index_count(&eval->run->docs);
    for (uint32_t d = 0; d < docs; d++) {
        size_t n;
        const char *id = dq_index_id(&eval->run->docs, d, &n);
        eval->qrels_doc[d] = dq_index_find(&eval->qrels->docs, id, n);
    }
}

static dq_status check_levels(const dq_qrels *qrels, int32_t *greatest, dq_error *error)
{
    *greatest = 0;
    for (size_t i = 0; i < qrels->count; i++) {
        double v = qrels->value[i];
        if (v < INT32_MIN || v > INT32_MAX || v != (double)(int32_t)v)
            return dq_fail(error, DQ_ERR_RANGE, "a relevance of %.9g: an integer of 32 bits is needed", v);
        if (v > *greatest) *greatest = (int32_t)v;
    }
    return DQ_OK;
}

dq_status dq_ranking_eval_new(dq_ranking_eval **eval, const dq_qrels *qrels, const dq_run *run,
                              int32_t threshold, dq_error *error)
{
    *eval = NULL;
    int32_t greatest;
    dq_status status = check_levels(qrels, &greatest, error);
    if (status) return status;
    dq_ranking_eval *e = calloc(1, sizeof *e);
    if (!e) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for judging");
    *e = (dq_ranking_eval){.qrels = qrels, .run = run, .threshold = threshold, .greatest = greatest};
    size_t judged_docs = dq_index_count(&qrels->docs), most = longest(run);
    e->qrels_doc = malloc((dq_index_count(&run->docs) + 1) * sizeof *e->qrels_doc);
    e->level = malloc((judged_docs + 1) * sizeof *e->level);
    e->order = malloc((most + 1) * sizeof *e->order);
    e->levels = malloc((most + 1) * sizeof *e->levels);
    e->doc = malloc((most + 1) * sizeof *e->doc);
    e->score = malloc((most + 1) * sizeof *e->score);
    e->hits = malloc((most + 1) * sizeof *e->hits);
    e->ideal = malloc((longest(qrels) + 1) * sizeof *e->ideal);
    if (!e->qrels_doc || !e->level || !e->order || !e->levels || !e->doc || !e->score || !e->hits ||
        !e->ideal) {
        dq_ranking_eval_free(e);
        return dq_fail(error, DQ_ERR_MEMORY, "out of memory for judging %zu documents", judged_docs);
    }
    for (size_t d = 0; d < judged_docs; d++) e->level[d] = DQ_LEVEL_UNPOOLED;
    match_documents(e);
    *eval = e;
    return DQ_OK;
}

/* trec_eval's order: the greater score first, of equal scores the greater id, bytewise. */
static int compare(const void *first, const void *second, void *docs)
{
    const ranked *a = first, *b = second;
    if (a->score != b->score) return a->score > b->score ? -1 : 1;
    size_t an, bn;
    const char *ai = dq_index_id(docs, a->doc, &an), *bi = dq_index_id(docs, b->doc, &bn);
    int order = memcmp(bi, ai, an < bn ? an : bn);
    return order ? order : (an > bn ? -1 : an < bn);
}

/* Fills order with a query's entries of the run, sorted (they mostly are already). */
static size_t rank_query(dq_ranking_eval *eval, uint32_t query)
{
    const dq_run *run = eval->run;
    size_t from = run->start[query], n = run->start[query + 1] - from;
    void *docs = (void *)(uintptr_t)&run->docs; /* qsort_r's argument is not const */
    bool sorted = true;
    for (size_t i = 0; i < n; i++) {
        eval->order[i] = (ranked){run->value[from + i], run->doc[from + i]};
        if (i && sorted) sorted = compare(&eval->order[i - 1], &eval->order[i], docs) < 0;
    }
    if (!sorted) qsort_r(eval->order, n, sizeof *eval->order, compare, docs);
    return n;
}

static int descending(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x < y) - (x > y);
}

/* Marks the query's judgements in level and fills the ideal ranking. */
static void mark_levels(dq_ranking_eval *eval, uint32_t query, dq_judged_ranking *out)
{
    const dq_qrels *qrels = eval->qrels;
    size_t n = 0;
    out->relevant = 0;
    for (size_t i = qrels->start[query]; i < qrels->start[query + 1]; i++) {
        int32_t level = (int32_t)qrels->value[i];
        eval->level[qrels->doc[i]] = level < 0 ? DQ_LEVEL_UNJUDGED : level;
        if (level >= 0) eval->ideal[n++] = level;
        if (level >= 0 && level >= eval->threshold) out->relevant++;
    }
    qsort(eval->ideal, n, sizeof *eval->ideal, descending);
    out->ideal = eval->ideal;
    out->judged = n;
}

static void unmark_levels(dq_ranking_eval *eval, uint32_t query)
{
    const dq_qrels *qrels = eval->qrels;
    for (size_t i = qrels->start[query]; i < qrels->start[query + 1]; i++)
        eval->level[qrels->doc[i]] = DQ_LEVEL_UNPOOLED;
}

/* Fills a query's ranking, its judgements being marked. */
static void fill_ranking(dq_ranking_eval *eval, uint32_t row, dq_judged_ranking *out)
{
    size_t n = row == DQ_ABSENT ? 0 : rank_query(eval, row), kept = 0;
    if (eval->depth && n > eval->depth) n = eval->depth;
    eval->hits[0] = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t doc = eval->qrels_doc[eval->order[i].doc];
        int32_t level = doc == DQ_ABSENT ? DQ_LEVEL_UNPOOLED : eval->level[doc];
        if (eval->judged_only && level < 0) continue;
        eval->levels[kept] = level;
        eval->doc[kept] = eval->order[i].doc;
        eval->score[kept] = eval->order[i].score;
        eval->hits[kept + 1] = eval->hits[kept] + (level >= 0 && level >= eval->threshold);
        kept++;
    }
    out->in_run = row != DQ_ABSENT;
    out->retrieved = kept;
}

static dq_judged_ranking no_ranking(const dq_ranking_eval *eval)
{
    return (dq_judged_ranking){.level = eval->levels,
                               .doc = eval->doc,
                               .score = eval->score,
                               .hits = eval->hits,
                               .ideal = eval->ideal,
                               .threshold = eval->threshold,
                               .greatest = eval->greatest};
}

void dq_ranking_eval_limit(dq_ranking_eval *eval, size_t depth, bool judged_only)
{
    eval->depth = depth;
    eval->judged_only = judged_only;
}

dq_status dq_ranking_eval_query(dq_ranking_eval *eval, uint32_t query, dq_judged_ranking *judged,
                                dq_error *error)
{
    if (query >= dq_index_count(&eval->qrels->queries))
        return dq_fail(error, DQ_ERR_RANGE, "the qrels have no query number %u", query);
    size_t bytes;
    const char *id = dq_index_id(&eval->qrels->queries, query, &bytes);
    *judged = no_ranking(eval);
    mark_levels(eval, query, judged);
    fill_ranking(eval, dq_index_find(&eval->run->queries, id, bytes), judged);
    unmark_levels(eval, query);
    return DQ_OK;
}

dq_status dq_ranking_eval_unjudged(dq_ranking_eval *eval, uint32_t row, dq_judged_ranking *ranking,
                                   dq_error *error)
{
    if (row >= dq_index_count(&eval->run->queries))
        return dq_fail(error, DQ_ERR_RANGE, "the run has no query number %u", row);
    *ranking = no_ranking(eval);
    fill_ranking(eval, row, ranking);
    return DQ_OK;
}

void dq_ranking_eval_free(dq_ranking_eval *eval)
{
    if (!eval) return;
    free(eval->qrels_doc);
    free(eval->level);
    free(eval->order);
    free(eval->levels);
    free(eval->doc);
    free(eval->score);
    free(eval->hits);
    free(eval->ideal);
    free(eval);
}
