/* SPDX-License-Identifier: MIT */
#include "measure/run_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void label_runs(dq_run_table *t)
{
    bool distinct = true;
    for (size_t r = 0; r < t->run_count; r++) {
        const char *slash = strrchr(t->runs[r].name, '/');
        t->runs[r].label = slash && slash[1] ? slash + 1 : t->runs[r].name;
        for (size_t i = 0; i < r; i++) distinct = distinct && strcmp(t->runs[i].label, t->runs[r].label) != 0;
    }
    for (size_t r = 0; !distinct && r < t->run_count; r++) t->runs[r].label = t->runs[r].name;
}

dq_status dq_run_table_init(dq_run_table *table, const char *const *names, size_t count, dq_error *error)
{
    table->runs = calloc(count, sizeof *table->runs);
    if (!table->runs) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for the runs");
    table->run_count = count;
    for (size_t r = 0; r < count; r++) table->runs[r].name = names[r];
    label_runs(table);
    return DQ_OK;
}

/* ---- one run ---- */

/* A run while it is measured. */
typedef struct measuring {
    dq_run_table *table;
    dq_measured_run *run;
    const dq_run *ranked;
    dq_ranking_eval *eval;
    uint32_t *items; /* (ranked's documents) their numbers in the facts, */
    uint32_t *item;  /* and those of the list at hand; NULL: no measure asks */
    double depth;    /* of the lists that are kept for measures of the whole run; 0: none */
} measuring;

/* The numbers of the run's documents: one look-up a document. */
static dq_status number_items(measuring *m, dq_error *error)
{
    size_t docs = dq_index_count(&m->ranked->docs);
    dq_status status = DQ_OK;
    m->items = malloc((docs + 1) * sizeof *m->items);
    m->item = malloc((docs + 1) * sizeof *m->item);
    if (!m->items || !m->item) return dq_fail_memory(error, "%zu items", docs);
    for (uint32_t d = 0; d < docs && !status; d++) {
        size_t n;
        const char *id = dq_index_id(&m->ranked->docs, d, &n);
        status = dq_facts_item(&m->table->facts, id, n, &m->items[d], error);
        m->run->strange_items += !status && m->items[d] == DQ_ABSENT;
    }
    return status;
}

static dq_status start_measuring(measuring *m, int32_t relevance, dq_error *error)
{
    const dq_run_table *t = m->table;
    size_t queries = dq_index_count(&t->qrels.queries);
    dq_measured_run *run = m->run;
    for (size_t p = 0; p < t->picks.count; p++) {
        const dq_measure_pick *pick = &t->picks.at[p];
        if (pick->measure->of_run) m->depth = fmax(m->depth, dq_run_table_depth(pick));
    }
    run->values = calloc(queries * t->picks.count + 1, sizeof *run->values);
    run->in_run = calloc(queries + 1, sizeof *run->in_run);
    run->lengths = calloc(queries + 1, sizeof *run->lengths);
    if (!run->values || !run->in_run || !run->lengths) return dq_fail_memory(error, "the values");
    dq_status status = dq_ranking_eval_new(&m->eval, &t->qrels, m->ranked, relevance, error);
    if (status) return status;
    dq_ranking_eval_limit(m->eval, t->max_documents, t->judged_only);
    return dq_run_table_needs(t) ? number_items(m, error) : DQ_OK;
}

/* Numbers of the items of the list at hand, and whose it is. */
static dq_recommended list_of(const measuring *m, const dq_judged_ranking *judged, const char *id, size_t n)
{
    const dq_facts *facts = &m->table->facts;
    for (size_t i = 0; m->item && i < judged->retrieved; i++) m->item[i] = m->items[judged->doc[i]];
    return (dq_recommended){judged, m->item, dq_facts_user(facts, id, n), facts, DQ_WHOLE_VECTOR};
}

/* Keeps a list of the run for the measures of the whole run. */
static dq_status keep_list(measuring *m, const dq_recommended *list, bool judged, dq_error *error)
{
    const dq_catalogue *c = m->table->facts.catalogue;
    bool users = c && dq_entities_count(&c->users);
    const dq_shown_list of = {
        .user = list->user, .known = users ? list->user != DQ_ABSENT : judged, .judged = judged};
    if (m->depth == 0 || !list->judged->in_run) return DQ_OK;
    return dq_shown_lists_add(&m->run->shown, &of, list->judged, list->item, m->depth, error);
}

static dq_status measure_query(measuring *m, uint32_t q, dq_error *error)
{
    const dq_run_table *t = m->table;
    dq_judged_ranking judged;
    size_t queries = dq_index_count(&t->qrels.queries), n;
    const char *id = dq_index_id(&t->qrels.queries, q, &n);
    dq_status status = dq_ranking_eval_query(m->eval, q, &judged, error);
    if (status) return status;
    m->run->in_run[q] = judged.in_run;
    m->run->lengths[q] = (double)judged.retrieved;
    dq_recommended list = list_of(m, &judged, id, n);
    for (size_t p = 0; p < t->picks.count; p++) {
        const dq_measure_pick *pick = &t->picks.at[p];
        list.about = pick->about;
        if (pick->measure->compute)
            m->run->values[p * queries + q] = pick->measure->compute(&judged, pick->parameter);
        else if (pick->measure->of_list)
            m->run->values[p * queries + q] = pick->measure->of_list(&list, pick->parameter);
    }
    return keep_list(m, &list, true, error);
}

/* A list that nobody judged shows items, too. */
static dq_status keep_unjudged(measuring *m, uint32_t row, dq_error *error)
{
    dq_judged_ranking ranking;
    size_t n;
    const char *id = dq_index_id(&m->ranked->queries, row, &n);
    if (dq_index_find(&m->table->qrels.queries, id, n) != DQ_ABSENT) return DQ_OK;
    dq_status status = dq_ranking_eval_unjudged(m->eval, row, &ranking, error);
    if (status) return status;
    const dq_recommended list = list_of(m, &ranking, id, n);
    return keep_list(m, &list, false, error);
}

dq_status dq_run_table_measure(dq_run_table *t, size_t number, const dq_run *ranked, int32_t relevance,
                               dq_error *error)
{
    measuring m = {.table = t, .run = &t->runs[number], .ranked = ranked};
    uint32_t queries = (uint32_t)dq_index_count(&t->qrels.queries),
             rows = (uint32_t)dq_index_count(&ranked->queries);
    dq_status status = start_measuring(&m, relevance, error);
    for (uint32_t q = 0; q < queries && !status; q++) status = measure_query(&m, q, error);
    for (uint32_t r = 0; m.depth > 0 && r < rows && !status; r++) status = keep_unjudged(&m, r, error);
    dq_ranking_eval_free(m.eval);
    free(m.items);
    free(m.item);
    return status;
}

unsigned dq_run_table_needs(const dq_run_table *t)
{
    unsigned needs = 0;
    for (size_t p = 0; p < t->picks.count; p++) needs |= t->picks.at[p].measure->needs;
    return needs;
}

double dq_run_table_depth(const dq_measure_pick *pick)
{
    return pick->measure->parameter == DQ_TAKES_CUTOFF ? pick->parameter : INFINITY;
}

/* ---- the queries that count ---- */

static int compare_ids(const void *a, const void *b, void *index)
{
    size_t an, bn;
    const char *ai = dq_index_id(index, *(const uint32_t *)a, &an);
    const char *bi = dq_index_id(index, *(const uint32_t *)b, &bn);
    int order = memcmp(ai, bi, an < bn ? an : bn);
    return order ? order : (an > bn) - (an < bn);
}

static bool in_all_runs(const dq_run_table *t, uint32_t q)
{
    for (size_t r = 0; r < t->run_count; r++)
        if (!t->runs[r].in_run[q]) return false;
    return true;
}

dq_status dq_run_table_choose(dq_run_table *t, bool complete, dq_error *error)
{
    uint32_t queries = (uint32_t)dq_index_count(&t->qrels.queries);
    t->order = malloc((queries + 1U) * sizeof *t->order);
    t->ordered = malloc((queries + 1U) * sizeof *t->ordered);
    if (!t->order || !t->ordered) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for the queries");
    for (uint32_t q = 0; q < queries; q++)
        if (complete || in_all_runs(t, q)) t->order[t->query_count++] = q;
    qsort_r(t->order, t->query_count, sizeof *t->order, compare_ids, &t->qrels.queries);
    return DQ_OK;
}

double dq_run_table_value(const dq_run_table *table, size_t run, size_t pick, uint32_t query)
{
    return table->runs[run].values[pick * dq_index_count(&table->qrels.queries) + query];
}

void dq_run_table_free(dq_run_table *table)
{
    for (size_t r = 0; table->runs && r < table->run_count; r++) {
        free(table->runs[r].values);
        free(table->runs[r].in_run);
        free(table->runs[r].lengths);
        dq_shown_lists_free(&table->runs[r].shown);
    }
    free(table->runs);
    free(table->order);
    free(table->ordered);
    free(table->cells);
    free(table->by_group);
    dq_facts_free(&table->facts);
    dq_lists_free(&table->qrels);
}
