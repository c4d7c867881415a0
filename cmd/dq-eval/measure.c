/* SPDX-License-Identifier: MIT
 *
 * Every measure of every query of every run of dq-eval, their summaries, and how the runs differ.
 */
#include "eval.h"

#include <stdlib.h>
#include <string.h>

static dq_status pick_measures(dq_measure_picks *picks, const eval_options *o, dq_error *error)
{
    bool trec = o->format == EVAL_TREC;
    const char *cutoffs = o->cutoffs || trec ? o->cutoffs : "10";
    const char *standard = trec ? "official" : "ranking";
    dq_status status = DQ_OK;
    if (!o->measures.count) status = dq_measure_pick_add(picks, standard, cutoffs, error);
    for (size_t i = 0; i < o->measures.count && !status; i++)
        status = dq_measure_pick_add(picks, o->measures.at[i], cutoffs, error);
    if (trec) dq_measure_pick_sort(picks);
    return status;
}

static dq_status measure_query(eval_table *t, eval_run *run, dq_ranking_eval *eval, uint32_t q,
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

/* Reads a run, measures it, and forgets it. */
static dq_status measure_run(eval_table *t, eval_run *run, const eval_options *o, dq_error *error)
{
    size_t queries = dq_index_count(&t->qrels.queries);
    dq_run ranked = DQ_LISTS_EMPTY;
    dq_ranking_eval *eval = NULL;
    run->values = calloc(queries * t->picks.count + 1, sizeof *run->values);
    run->in_run = calloc(queries + 1, sizeof *run->in_run);
    if (!run->values || !run->in_run) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for the values");
    dq_status status = eval_read_run(run->name, &ranked, run->tag, sizeof run->tag, error);
    if (!status) status = dq_ranking_eval_new(&eval, &t->qrels, &ranked, (int32_t)o->relevance, error);
    for (uint32_t q = 0; q < queries && !status; q++) status = measure_query(t, run, eval, q, error);
    dq_ranking_eval_free(eval);
    dq_lists_free(&ranked);
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

static bool in_all_runs(const eval_table *t, uint32_t q)
{
    for (size_t r = 0; r < t->run_count; r++)
        if (!t->runs[r].in_run[q]) return false;
    return true;
}

/* The queries that count: with --complete all of the qrels, else those in every run. */
static dq_status choose_queries(eval_table *t, const eval_options *o, const dq_cli *cli, dq_error *error)
{
    uint32_t queries = (uint32_t)dq_index_count(&t->qrels.queries);
    t->order = malloc((queries + 1U) * sizeof *t->order);
    t->ordered = malloc((queries + 1U) * sizeof *t->ordered);
    if (!t->order || !t->ordered) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for the queries");
    for (uint32_t q = 0; q < queries; q++)
        if (o->complete || in_all_runs(t, q)) t->order[t->query_count++] = q;
    qsort_r(t->order, t->query_count, sizeof *t->order, compare_ids, &t->qrels.queries);
    const char *where = t->run_count > 1 ? "every run" : "the run";
    if (!t->query_count) return dq_fail(error, DQ_ERR_UNKNOWN, "no query of the qrels is in %s", where);
    if (t->query_count < queries)
        dq_cli_say(cli, &o->common,
                   "%zu of %u queries of the qrels are not in %s and do not count (--complete: as 0)",
                   queries - t->query_count, queries, where);
    return DQ_OK;
}

static void label_runs(eval_table *t)
{
    bool distinct = true;
    for (size_t r = 0; r < t->run_count; r++) {
        const char *slash = strrchr(t->runs[r].name, '/');
        t->runs[r].label = slash && slash[1] ? slash + 1 : t->runs[r].name;
        for (size_t i = 0; i < r; i++) distinct = distinct && strcmp(t->runs[i].label, t->runs[r].label) != 0;
    }
    for (size_t r = 0; !distinct && r < t->run_count; r++) t->runs[r].label = t->runs[r].name;
}

/* What can be said before anything is read. */
static void check_options(eval_table *table, const eval_options *o, const dq_cli *cli)
{
    dq_error error = DQ_ERROR_NONE;
    dq_label_map gains = {0};
    if (pick_measures(&table->picks, o, &error)) dq_cli_usage(cli, "%s", error.reason);
    if (eval_parse_gains(o->gains, &gains, &error)) dq_cli_usage(cli, "--gains: %s", error.reason);
    dq_label_map_free(&gains);
}

dq_status eval_measure(eval_table *table, const eval_options *o, const dq_cli *cli, dq_error *error)
{
    static const char *const standard[] = {"-"};
    const char *const *names = o->runs.count ? o->runs.at : standard;
    table->run_count = o->runs.count ? o->runs.count : 1;
    check_options(table, o, cli);
    table->runs = calloc(table->run_count, sizeof *table->runs);
    if (!table->runs) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for the runs");
    dq_status status = eval_read_qrels(o->qrels, o->gains, &table->qrels, error);
    for (size_t r = 0; r < table->run_count; r++) table->runs[r].name = names[r];
    label_runs(table);
    for (size_t r = 0; r < table->run_count && !status; r++)
        status = measure_run(table, &table->runs[r], o, error);
    return status ? status : choose_queries(table, o, cli, error);
}

double eval_value(const eval_table *table, size_t run, size_t pick, uint32_t query)
{
    return table->runs[run].values[pick * dq_index_count(&table->qrels.queries) + query];
}

/* Values of a run by a measure, in the order of `order`; valid until the next call. */
static const double *values_of(eval_table *table, size_t run, size_t pick)
{
    for (size_t i = 0; i < table->query_count; i++)
        table->ordered[i] = eval_value(table, run, pick, table->order[i]);
    return table->ordered;
}

/* ---- intervals and tests ---- */

/* What is compared: the measures that are means. */
typedef struct means {
    const eval_table *table;
    size_t *picks, count;
} means;

static double value_of_mean(const void *self, size_t measure, size_t run, size_t query)
{
    const means *m = self;
    return eval_value(m->table, run, m->picks[measure], m->table->order[query]);
}

static eval_cell *cell_of(const eval_table *t, size_t run, size_t pick)
{
    return &t->cells[run * t->picks.count + pick];
}

static dq_status compare_means(eval_table *t, const eval_options *o, dq_error *error)
{
    means m = {.table = t, .picks = malloc((t->picks.count + 1) * sizeof *m.picks)};
    dq_comparison *results = calloc(t->picks.count * t->run_count + 1, sizeof *results);
    dq_status status = m.picks && results ? DQ_OK
                                          : dq_fail(error, DQ_ERR_MEMORY, "out of memory to compare runs");
    for (size_t p = 0; !status && p < t->picks.count; p++)
        if (t->picks.at[p].measure->over == DQ_OVER_MEAN) m.picks[m.count++] = p;
    const dq_run_values values = {m.count, t->run_count, t->query_count, value_of_mean, &m};
    const dq_compare_config config = {(size_t)o->resamples, o->confidence, o->common.seed};
    if (!status) status = dq_compare_runs(&values, &config, results, error);
    for (size_t k = 0; !status && k < m.count; k++)
        for (size_t r = 0; r < t->run_count; r++) {
            eval_cell *c = cell_of(t, r, m.picks[k]);
            c->has_interval = true;
            c->has_difference = r > 0;
            c->against = results[k * t->run_count + r];
        }
    free(m.picks);
    free(results);
    return status;
}

dq_status eval_compare(eval_table *t, const eval_options *o, dq_error *error)
{
    t->cells = calloc(t->run_count * t->picks.count + 1, sizeof *t->cells);
    if (!t->cells) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for the results");
    for (size_t r = 0; r < t->run_count; r++)
        for (size_t p = 0; p < t->picks.count; p++)
            cell_of(t, r, p)->value = dq_measure_summary(t->picks.at[p].measure, values_of(t, r, p),
                                                         t->query_count);
    bool wanted = o->format != EVAL_TREC && (o->interval || t->run_count > 1);
    return wanted ? compare_means(t, o, error) : DQ_OK;
}

void eval_table_free(eval_table *table)
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
