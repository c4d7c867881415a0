/* SPDX-License-Identifier: MIT
 *
 * dq-eval: how good are rankings, and how good are agents?
 */
#include "eval.h"

#include <stdio.h>

static const dq_program program = {
    .name = "dq-eval",
    .summary = "measure rankings against judgements, agents by roll-outs, and draw learning curves",
    .operands = "",
    .examples = {"dq-eval --qrels test.qrels --run cosine.run --run dyna-q.run",
                 "dq-rank --model m.dq catalogue.dq | dq-eval --qrels held-out.qrels -m ndcg@10 --interval"},
};

static const char *const formats[] = {"table", "tsv", "json", "trec", NULL};

/* Opens the output, lets `print` write it, and completes it or leaves nothing. */
static dq_status measure_rankings(const eval_options *o, const dq_cli *cli, dq_error *error)
{
    static eval_table table; /* its list of measures is large for a stack */
    dq_sink *out = NULL;
    dq_status status = eval_measure(&table, o, cli, error);
    if (!status) status = dq_sink_open(&out, o->common.output, DQ_SINK_TEXT, error);
    if (!status) status = eval_print(&table, o, out, error);
    eval_table_free(&table);
    if (!status) return dq_sink_close(out, error);
    dq_sink_abort(out);
    return status;
}

static dq_status list_measures(const eval_options *o, dq_error *error)
{
    dq_sink *out;
    dq_status status = dq_sink_open(&out, o->common.output, DQ_SINK_TEXT, error);
    if (status) return status;
    status = eval_print_measures(out, error);
    if (!status) return dq_sink_close(out, error);
    dq_sink_abort(out);
    return status;
}

static void check_usage(const dq_cli *cli, const eval_options *o)
{
    if (o->list) return;
    if (!o->qrels) dq_cli_usage(cli, "--qrels FILE is needed: the judgements");
    size_t from_stdin = o->runs.count == 0 || (o->qrels[0] == '-' && !o->qrels[1]);
    for (size_t i = 0; i < o->runs.count; i++) from_stdin += o->runs.at[i][0] == '-' && !o->runs.at[i][1];
    if (o->runs.count == 0 && o->qrels[0] == '-' && !o->qrels[1]) from_stdin = 2;
    if (from_stdin > 1) dq_cli_usage(cli, "stdin can be read only once");
}

static dq_status run(const eval_options *o, const dq_cli *cli, dq_error *error)
{
    if (o->list) return list_measures(o, error);
    return measure_rankings(o, cli, error);
}

int main(int argc, char **argv)
{
    eval_options o = {.common = DQ_COMMON_DEFAULTS,
                      .relevance = 1,
                      .gains = "APPLY=3,SAVE=2,CLICK=1,IGNORE=0",
                      .confidence = 0.95,
                      .resamples = 10000};
    /* clang-format off */
    const dq_option table[] = {
        {"qrels", 0, DQ_OPT_TEXT, &o.qrels, "FILE", "judgements: TREC qrels, or a stream with labelled interactions", .flags = 0},
        {"run", 'r', DQ_OPT_LIST, &o.runs, "FILE", "rankings: a TREC run or a stream; repeated: compared with the first (stdin)", .flags = 0},
        {"measure", 'm', DQ_OPT_LIST, &o.measures, "NAME", "a measure (ndcg@10, map, P_5,10 ...) or group (official, all_trec, set, ranking); repeatable", .flags = 0},
        {"cutoff", 'k', DQ_OPT_TEXT, &o.cutoffs, "K[,K...]", "ranks for measures named without (10; trec: trec_eval's)", .flags = 0},
        {"format", 'f', DQ_OPT_CHOICE, &o.format, "FORM", "table, tsv, json (one object a run), trec (trec_eval's lines)", .choices = formats},
        {"by-query", 'q', DQ_OPT_FLAG, &o.by_query, NULL, "the values of each query too", .flags = 0},
        {"complete", 'c', DQ_OPT_FLAG, &o.complete, NULL, "a query that a run lacks counts as 0 instead of not at all", .flags = 0},
        {"relevance", 'l', DQ_OPT_COUNT, &o.relevance, "N", "least relevance that counts as relevant", .least = 0, .most = 1000},
        {"gains", 0, DQ_OPT_TEXT, &o.gains, "MAP", "relevance of the labels in a stream; other labels are no judgements", .flags = 0},
        {"interval", 'i', DQ_OPT_FLAG, &o.interval, NULL, "bootstrap intervals of the means (always with several runs)", .flags = 0},
        {"confidence", 0, DQ_OPT_REAL, &o.confidence, "X", "of the intervals", .least = 0.5, .most = 0.9999},
        {"resamples", 0, DQ_OPT_COUNT, &o.resamples, "N", "of the bootstrap and the randomisation test", .least = 100, .most = 1e7},
        {"list-measures", 0, DQ_OPT_FLAG, &o.list, NULL, "print the names of all measures and stop", .flags = 0},
        DQ_OPTION_SEED(o.common),
        {"output", 'o', DQ_OPT_TEXT, &o.common.output, "FILE", "write to FILE, complete or not at all (default stdout)", .flags = 0},
        {"quiet", 0, DQ_OPT_FLAG, &o.common.quiet, NULL, "no notes on stderr", .flags = 0}, /* -q is trec_eval's */
        {0}};
    /* clang-format on */
    dq_cli cli = dq_cli_parse(&program, table, argc, argv);
    check_usage(&cli, &o);
    dq_error error = DQ_ERROR_NONE;
    dq_status status = run(&o, &cli, &error);
    return dq_cli_finish(&cli, status, &error);
}
