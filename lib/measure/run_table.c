/* SPDX-License-Identifier: MIT */
#include "measure/run_table.h"

#include "core/array.h"

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

struct dq_run_meter {
    dq_ranking_eval *eval;
    uint32_t *items; /* numbers in the facts of the places of the list at hand as they came, */
    uint32_t *item;  /* and best first */
    size_t capacity; /* of both */
    bool numbered;   /* a measure asks for them */
};

static void free_meter(dq_run_table *t)
{
    if (!t->meter) return;
    dq_ranking_eval_free(t->meter->eval);
    free(t->meter->items);
    free(t->meter->item);
    free(t->meter);
    t->meter = NULL;
}

static void forget_run(dq_measured_run *run)
{
    free(run->values);
    free(run->in_run);
    free(run->lengths);
    dq_shown_lists_free(&run->shown);
    dq_index_free(&run->strange);
    dq_strings_free(&run->texts);
    run->values = run->lengths = NULL;
    run->in_run = NULL;
    run->query_count = run->unjudged = 0;
}

static dq_status expect_lists(const dq_run_table *t, dq_shown_lists *shown, dq_error *error)
{
    dq_status status = DQ_OK;
    shown->keep = t->intervals || dq_index_count(&t->facts.by.values);
    for (size_t p = 0; p < t->picks.count && !status; p++)
        if (t->picks.at[p].measure->of_run)
            status = dq_shown_lists_expect(shown, dq_run_table_depth(&t->picks.at[p]), error);
    return status;
}

dq_status dq_run_table_begin(dq_run_table *t, size_t number, int32_t relevance, dq_error *error)
{
    size_t queries = dq_index_count(&t->qrels.queries);
    dq_measured_run *run = &t->runs[number];
    forget_run(run);
    free_meter(t);
    run->values = calloc(queries * t->picks.count + 1, sizeof *run->values);
    run->in_run = calloc(queries + 1, sizeof *run->in_run);
    run->lengths = calloc(queries + 1, sizeof *run->lengths);
    t->meter = calloc(1, sizeof *t->meter);
    if (!run->values || !run->in_run || !run->lengths || !t->meter)
        return dq_fail_memory(error, "the values");
    t->meter->numbered = dq_run_table_needs(t) != 0;
    dq_status status = expect_lists(t, &run->shown, error);
    if (!status) status = dq_ranking_eval_new(&t->meter->eval, &t->qrels, relevance, error);
    if (!status) dq_ranking_eval_limit(t->meter->eval, t->max_documents, t->judged_only);
    if (!status) dq_ranking_eval_documents(t->meter->eval, t->documents);
    return status;
}

/* The numbers of a list's items. */
static dq_status number_items(dq_run_table *t, dq_measured_run *run, const dq_ranking *list, dq_error *error)
{
    struct dq_run_meter *m = t->meter;
    size_t capacity = dq_array_capacity(m->capacity, list->count + 1);
    if (capacity != m->capacity && (!dq_array_resize(&m->items, capacity, sizeof *m->items) ||
                                    !dq_array_resize(&m->item, capacity, sizeof *m->item)))
        return dq_fail_memory(error, "%zu items", list->count);
    m->capacity = capacity;
    dq_status status = DQ_OK;
    for (size_t i = 0; i < list->count && !status; i++) {
        const char *id = list->ids + list->places[i].at;
        status = dq_facts_item(&t->facts, id, list->places[i].bytes, &m->items[i], error);
        if (!status && m->items[i] == DQ_ABSENT)
            status = dq_index_add(&run->strange, id, list->places[i].bytes, NULL, NULL, error);
    }
    return status;
}

static dq_status keep_text(dq_measured_run *run, const dq_measure_pick *pick, const dq_judged_ranking *judged,
                           double *value, dq_error *error)
{
    char text[DQ_MAX_TEXT + 1];
    pick->measure->of_text(judged, pick->parameter, text);
    *value = (double)run->texts.count;
    return dq_strings_add(&run->texts, text, strlen(text), error);
}

static dq_status measure_query(dq_run_table *t, dq_measured_run *run, uint32_t q, dq_recommended *list,
                               dq_error *error)
{
    dq_status status = DQ_OK;
    size_t queries = dq_index_count(&t->qrels.queries);
    run->in_run[q] = list->judged->in_run;
    run->lengths[q] = (double)list->judged->retrieved;
    for (size_t p = 0; p < t->picks.count && !status; p++) {
        const dq_measure_pick *pick = &t->picks.at[p];
        double *value = &run->values[p * queries + q];
        list->about = pick->about;
        if (pick->measure->compute)
            *value = pick->measure->compute(list->judged, pick->parameter);
        else if (pick->measure->of_weights)
            *value = pick->measure->of_weights(list->judged, pick->weights);
        else if (pick->measure->of_list)
            *value = pick->measure->of_list(list, pick->parameter);
        else if (pick->measure->of_text)
            status = keep_text(run, pick, list->judged, value, error);
    }
    return status;
}

/* A list that nobody judged shows items, too. */
static dq_status show_list(const dq_run_table *t, dq_measured_run *run, const dq_recommended *list,
                           bool judged, dq_error *error)
{
    const dq_catalogue *c = t->facts.catalogue;
    bool users = c && dq_entities_count(&c->users);
    const dq_shown_to to = {list->user, users ? list->user != DQ_ABSENT : judged, judged};
    return dq_shown_lists_add(&run->shown, &to, list->judged, list->item, error);
}

/* The judgements know no name of a query that they lack. */
static void name_query(const char *query, size_t bytes, dq_error *error)
{
    dq_error said = *error;
    (void)dq_fail(error, said.status, "query %.*s: %s", (int)bytes, query, said.reason);
}

dq_status dq_run_table_list(dq_run_table *t, size_t number, const char *query, size_t bytes,
                            const dq_ranking *ranking, dq_error *error)
{
    struct dq_run_meter *m = t->meter;
    dq_measured_run *run = &t->runs[number];
    uint32_t q = dq_index_find(&t->qrels.queries, query, bytes);
    dq_judged_ranking judged;
    dq_status status = dq_ranking_eval_list(m->eval, ranking, q, &judged, error);
    if (status == DQ_ERR_DUPLICATE && q == DQ_ABSENT && error) name_query(query, bytes, error);
    if (!status && m->numbered) status = number_items(t, run, ranking, error);
    if (status) return status;
    for (size_t i = 0; m->numbered && i < judged.retrieved; i++) m->item[i] = m->items[judged.doc[i]];
    dq_recommended list = {&judged, m->item, dq_facts_user(&t->facts, query, bytes), &t->facts,
                           DQ_WHOLE_VECTOR};
    run->query_count++;
    run->unjudged += q == DQ_ABSENT;
    if (q != DQ_ABSENT) status = measure_query(t, run, q, &list, error);
    if (status) return status;
    bool whole = run->shown.depth > 0 || run->shown.scores;
    return whole ? show_list(t, run, &list, q != DQ_ABSENT, error) : DQ_OK;
}

dq_status dq_run_table_end(dq_run_table *t, size_t number, dq_error *error)
{
    uint32_t queries = (uint32_t)dq_index_count(&t->qrels.queries);
    dq_measured_run *run = &t->runs[number];
    dq_status status = DQ_OK;
    for (uint32_t q = 0; q < queries && !status; q++) {
        size_t n;
        const char *id = dq_index_id(&t->qrels.queries, q, &n);
        dq_judged_ranking judged;
        if (run->in_run[q]) continue;
        status = dq_ranking_eval_list(t->meter->eval, NULL, q, &judged, error);
        dq_recommended list = {&judged, NULL, dq_facts_user(&t->facts, id, n), &t->facts, DQ_WHOLE_VECTOR};
        if (!status) status = measure_query(t, run, q, &list, error);
    }
    if (!status) status = dq_shown_lists_finish(&run->shown, error);
    free_meter(t);
    return status;
}

dq_status dq_run_table_measure(dq_run_table *t, size_t number, const dq_run *ranked, int32_t relevance,
                               dq_error *error)
{
    dq_ranking list = DQ_RANKING_EMPTY;
    dq_status status = dq_run_table_begin(t, number, relevance, error);
    for (uint32_t row = 0; row < dq_index_count(&ranked->queries) && !status; row++) {
        size_t n;
        const char *id = dq_index_id(&ranked->queries, row, &n);
        status = dq_ranking_take(&list, ranked, row, error);
        if (!status) status = dq_run_table_list(t, number, id, n, &list, error);
    }
    dq_ranking_free(&list);
    return status ? status : dq_run_table_end(t, number, error);
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

const char *dq_run_table_text(const dq_run_table *table, size_t run, size_t pick, uint32_t query,
                              size_t *bytes)
{
    return dq_strings_get(&table->runs[run].texts, (size_t)dq_run_table_value(table, run, pick, query),
                          bytes);
}

void dq_run_table_free(dq_run_table *table)
{
    for (size_t r = 0; table->runs && r < table->run_count; r++) forget_run(&table->runs[r]);
    free_meter(table);
    free(table->runs);
    free(table->order);
    free(table->ordered);
    free(table->cells);
    free(table->by_group);
    free(table->group_intervals);
    dq_facts_free(&table->facts);
    dq_lists_free(&table->qrels);
}
