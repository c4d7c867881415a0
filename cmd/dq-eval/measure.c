/* SPDX-License-Identifier: MIT
 *
 * Rankings against judgements: which measures, read from where, what is said of queries that do not count.
 */
#include "eval.h"

#include "report/facts_file.h"
#include "report/rankings.h"
#include "report/run_file.h"

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

/* What can be said before anything is read. */
static void check_options(dq_run_table *table, const eval_options *o, const dq_cli *cli)
{
    dq_error error = DQ_ERROR_NONE;
    dq_label_map gains = {0};
    if (pick_measures(&table->picks, o, &error)) dq_cli_refuse(cli, NULL, &error);
    if (dq_rankings_gains(o->gains, &gains, &error)) dq_cli_refuse(cli, "--gains", &error);
    dq_label_map_free(&gains);
    for (size_t p = 0; !o->ope.catalogue && p < table->picks.count; p++)
        if (table->picks.at[p].measure->needs & DQ_NEEDS_CATALOGUE)
            dq_cli_usage(cli, "%s needs --catalogue", table->picks.at[p].name);
    if (o->ope.catalogue && !o->by && !dq_run_table_needs(table))
        dq_cli_usage(cli, "--catalogue has no effect: no measure asks for it, and no --by");
    table->max_documents = (size_t)o->max_documents;
    table->documents = (size_t)o->documents;
    bool counts = false, numbers = false, intervals = false;
    for (size_t p = 0; p < table->picks.count; p++) {
        const dq_measure_pick *pick = &table->picks.at[p];
        counts |= pick->weights[3] != 0; /* utility's, of what is neither relevant nor retrieved */
        numbers |= !pick->measure->of_text;
        intervals |= dq_measure_has_interval(pick->measure);
    }
    if (o->interval && (!intervals || o->format == EVAL_TREC))
        dq_cli_usage(cli, intervals ? "--interval: the trec format has none"
                                    : "--interval has no effect: counts have none");
    if (counts != (o->documents > 0))
        dq_cli_usage(cli, counts ? "utility's fourth weight needs --documents: how many there are"
                                 : "--documents has no effect: only utility's fourth weight asks for it");
    if (!numbers && !o->by_query) dq_cli_usage(cli, "relstring is of each query: it needs --by-query (-q)");
    table->judged_only = o->judged_only;
}

/* What measures know of the items, and where they know it from. */
static dq_status find_facts(dq_run_table *t, dq_catalogue *catalogue, const eval_options *o,
                            const dq_cli *cli, dq_error *error)
{
    dq_status status = DQ_OK;
    unsigned needs = dq_run_table_needs(t);
    if (o->ope.catalogue)
        status = dq_facts_read(&t->facts, catalogue, o->ope.catalogue, &t->picks, o->by, error);
    if (!status && needs) status = dq_facts_use_qrels(&t->facts, &t->qrels, (int32_t)o->relevance, error);
    if (!status && needs & DQ_NEEDS_POPULARITY && !t->facts.by_interactions)
        dq_cli_say(cli, &o->common,
                   "how popular an item is, is counted in the qrels: there are no interactions");
    return status;
}

/* Says which items and values do not count. */
static void say_facts(const dq_run_table *t, const eval_options *o, const dq_cli *cli)
{
    if (dq_run_table_needs(t) && !o->ope.catalogue)
        dq_cli_say(cli, &o->common, "the %zu items are those of the qrels and the runs (--catalogue: others)",
                   dq_facts_items(&t->facts));
    for (size_t r = 0; r < t->run_count; r++)
        if (dq_index_count(&t->runs[r].strange))
            dq_cli_say(cli, &o->common, "%zu items of the run %s are not in the catalogue and do not count",
                       dq_index_count(&t->runs[r].strange), t->runs[r].name);
    size_t ungrouped = o->by ? dq_run_table_ungrouped(t) : 0;
    if (ungrouped)
        dq_cli_say(cli, &o->common, "%zu of %zu queries have no %s and are in no group", ungrouped,
                   t->query_count, o->by);
    for (size_t p = 0; p < t->picks.count; p++) {
        size_t without = dq_run_table_without(t, p);
        if (without)
            dq_cli_say(cli, &o->common, "%zu of %zu queries have no %s and do not count there", without,
                       t->query_count, t->picks.at[p].name);
    }
}

/* Reads a run and measures it; says how, and how many of its queries nobody judged. */
static dq_status measure_run(dq_run_table *t, size_t r, const eval_options *o, const dq_cli *cli,
                             dq_error *error)
{
    const dq_measured_run *run = &t->runs[r];
    bool several = t->run_count > 1, gathered, ahead = dq_cli_threads(&o->common, 0) > 1;
    dq_status status = dq_run_file_measure(t, r, (int32_t)o->relevance, ahead, &gathered, error);
    if (status) return status;
    if (gathered)
        dq_cli_say(cli, &o->common,
                   "the lines of a query do not stand together in the run%s%s: all of it is held in memory",
                   several ? " " : "", several ? run->name : "");
    bool some = run->unjudged < run->query_count || o->complete; /* else that none is judged is the error */
    if (run->unjudged && some)
        dq_cli_say(cli, &o->common,
                   "%zu of %zu queries of the run%s%s are not in the qrels and do not count%s", run->unjudged,
                   run->query_count, several ? " " : "", several ? run->name : "",
                   run->shown.list_count ? ", but in measures of the whole run" : "");
    return DQ_OK;
}

/* The queries that count: with --complete all of the qrels, else those in every run. */
static dq_status choose_queries(dq_run_table *t, const eval_options *o, const dq_cli *cli, dq_error *error)
{
    size_t queries = dq_index_count(&t->qrels.queries);
    const char *where = t->run_count > 1 ? "every run" : "the run";
    dq_status status = dq_run_table_choose(t, o->complete, error);
    if (status) return status;
    if (!t->query_count) return dq_fail(error, DQ_ERR_UNKNOWN, "no query of the qrels is in %s", where);
    if (t->query_count < queries)
        dq_cli_say(cli, &o->common,
                   "%zu of %zu queries of the qrels are not in %s and do not count (--complete: as 0)",
                   queries - t->query_count, queries, where);
    return DQ_OK;
}

dq_status eval_measure(dq_run_table *table, const eval_options *o, const dq_cli *cli, dq_error *error)
{
    static const char *const standard[] = {"-"};
    dq_catalogue catalogue = DQ_CATALOGUE_EMPTY;
    const dq_compare_config compare = {(size_t)o->resamples, o->confidence, o->common.seed};
    check_options(table, o, cli);
    dq_status status = o->runs.count ? dq_run_table_init(table, o->runs.at, o->runs.count, error)
                                     : dq_run_table_init(table, standard, 1, error);
    bool wanted = o->format != EVAL_TREC && (o->interval || o->plot || table->run_count > 1) &&
                  !o->compare.against;
    table->intervals = wanted;
    if (!status) status = dq_rankings_read_qrels(o->qrels, o->gains, &table->qrels, error);
    if (!status) status = find_facts(table, &catalogue, o, cli, error);
    for (size_t r = 0; r < table->run_count && !status; r++) status = measure_run(table, r, o, cli, error);
    if (!status) status = choose_queries(table, o, cli, error);
    if (!status) say_facts(table, o, cli);
    if (!status) status = dq_run_table_summarise(table, wanted ? &compare : NULL, error);
    table->facts.catalogue = NULL;
    dq_catalogue_free(&catalogue);
    return status;
}
