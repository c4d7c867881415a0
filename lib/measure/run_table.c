/* SPDX-License-Identifier: MIT */
#include "measure/run_table.h"

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

static dq_status measure_query(dq_run_table *t, dq_measured_run *run, dq_ranking_eval *eval, uint32_t q,
                               dq_error *error)
{
    dq_judged_ranking judged;
    size_t queries = dq_index_count(&t->qrels.queries);
    dq_status status = dq_ranking_eval_query(eval, q, &judged, error);
    if (status) return status;
    run->in_run[q] = judged.in_run;
    for (size_t p = 0; p < t->picks.count; p++) {
        const dq_measure_pick *pick = &t->picks.at[p];
        if (pick->measure->compute)
            run->values[p * queries + q] = pick->measure->compute(&judged, pick->parameter);
    }
    return DQ_OK;
}

dq_status dq_run_table_measure(dq_run_table *t, size_t number, const dq_run *ranked, int32_t relevance,
                               dq_error *error)
{
    size_t queries = dq_index_count(&t->qrels.queries);
    dq_measured_run *run = &t->runs[number];
    dq_ranking_eval *eval = NULL;
    run->values = calloc(queries * t->picks.count + 1, sizeof *run->values);
    run->in_run = calloc(queries + 1, sizeof *run->in_run);
    if (!run->values || !run->in_run) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for the values");
    dq_status status = dq_ranking_eval_new(&eval, &t->qrels, ranked, relevance, error);
    for (uint32_t q = 0; q < queries && !status; q++) status = measure_query(t, run, eval, q, error);
    dq_ranking_eval_free(eval);
    return status;
}

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

/* Values of a run by a measure, in the order of `order`; valid until the next call. */
static const double *values_of(dq_run_table *table, size_t run, size_t pick)
{
    for (size_t i = 0; i < table->query_count; i++)
        table->ordered[i] = dq_run_table_value(table, run, pick, table->order[i]);
    return table->ordered;
}

/* What is compared: the measures that are means. */
typedef struct means {
    const dq_run_table *table;
    size_t *picks, count;
} means;

static double value_of_mean(const void *self, size_t measure, size_t run, size_t query)
{
    const means *m = self;
    return dq_run_table_value(m->table, run, m->picks[measure], m->table->order[query]);
}

static dq_run_cell *cell_of(dq_run_table *t, size_t run, size_t pick)
{
    return &t->cells[run * t->picks.count + pick];
}

static dq_status compare_means(dq_run_table *t, const dq_compare_config *config, dq_error *error)
{
    means m = {.table = t, .picks = malloc((t->picks.count + 1) * sizeof *m.picks)};
    dq_comparison *results = calloc(t->picks.count * t->run_count + 1, sizeof *results);
    dq_status status = m.picks && results ? DQ_OK
                                          : dq_fail(error, DQ_ERR_MEMORY, "out of memory to compare runs");
    for (size_t p = 0; !status && p < t->picks.count; p++)
        if (t->picks.at[p].measure->over == DQ_OVER_MEAN) m.picks[m.count++] = p;
    const dq_run_values values = {m.count, t->run_count, t->query_count, value_of_mean, &m};
    if (!status) status = dq_compare_runs(&values, config, results, error);
    for (size_t k = 0; !status && k < m.count; k++)
        for (size_t r = 0; r < t->run_count; r++) {
            dq_run_cell *c = cell_of(t, r, m.picks[k]);
            c->has_interval = true;
            c->has_difference = r > 0;
            c->against = results[k * t->run_count + r];
        }
    free(m.picks);
    free(results);
    return status;
}

dq_status dq_run_table_summarise(dq_run_table *t, const dq_compare_config *compare, dq_error *error)
{
    t->cells = calloc(t->run_count * t->picks.count + 1, sizeof *t->cells);
    if (!t->cells) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for the results");
    for (size_t r = 0; r < t->run_count; r++)
        for (size_t p = 0; p < t->picks.count; p++)
            cell_of(t, r, p)->value = dq_measure_summary(t->picks.at[p].measure, values_of(t, r, p),
                                                         t->query_count);
    return compare ? compare_means(t, compare, error) : DQ_OK;
}

void dq_run_table_free(dq_run_table *table)
{
    for (size_t r = 0; table->runs && r < table->run_count; r++) {
        free(table->runs[r].values);
        free(table->runs[r].in_run);
    }
    free(table->runs);
    free(table->order);
    free(table->ordered);
    free(table->cells);
    dq_lists_free(&table->qrels);
}
