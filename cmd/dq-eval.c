/* SPDX-License-Identifier: MIT
 *
 * dq-eval: how good are rankings, and how good are agents?
 */
#include "eval.h"
#include "eval_curves.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const dq_program program = {
    .name = "dq-eval",
    .summary = "measure rankings against judgements, agents by roll-outs, and draw learning curves",
    .operands = "[LOG...]",
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

/* The width to draw in: the terminal's, else 79. */
static unsigned terminal_columns(void)
{
    struct winsize size;
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40;
    return known ? size.ws_col - 1U : 79;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n > m && strcmp(text + n - m, end) == 0;
}

static dq_status draw_curves(const eval_options *o, const dq_cli *cli, dq_error *error)
{
    curves c = CURVES_EMPTY;
    dq_sink *out = NULL;
    plot_form form = !o->plot ? PLOT_DUMB : ends_with(o->plot, ".svg") ? PLOT_SVG : PLOT_PNG;
    dq_status status = DQ_OK;
    for (size_t i = 0; i < cli->operand_count && !status; i++)
        status = curves_read(&c, cli->operands[i], error);
    if (!status) status = curves_finish(&c, (size_t)o->smooth, error);
    if (!status) status = dq_sink_open(&out, o->plot ? o->plot : o->common.output, DQ_SINK_TEXT, error);
    if (!status)
        status = o->format == EVAL_TSV ? curves_print_tsv(&c, out, error)
                                       : curves_plot(&c, form, terminal_columns(), out, error);
    curves_free(&c);
    if (!status) return dq_sink_close(out, error);
    dq_sink_abort(out);
    return status;
}

static void check_curves(const dq_cli *cli, const eval_options *o)
{
    if (!cli->operand_count) dq_cli_usage(cli, "--curves needs the logs of dq-train (dq-train --log FILE)");
    if (o->plot && !ends_with(o->plot, ".svg") && !ends_with(o->plot, ".png"))
        dq_cli_usage(cli, "--plot FILE: '%s' ends in neither .svg nor .png", o->plot);
    if (o->format != EVAL_TABLE && o->format != EVAL_TSV)
        dq_cli_usage(cli, "--curves prints --format tsv, or draws");
    if (o->plot && (o->format == EVAL_TSV || o->common.output))
        dq_cli_usage(cli, "--plot names the output: no --output or --format with it");
}

static void check_usage(const dq_cli *cli, const eval_options *o)
{
    if (o->list) return;
    if (o->curves) {
        check_curves(cli, o);
        return;
    }
    if (cli->operand_count) dq_cli_usage(cli, "unexpected operand '%s'", cli->operands[0]);
    if (o->plot) dq_cli_usage(cli, "--plot draws --curves");
    if (!o->qrels) dq_cli_usage(cli, "--qrels FILE is needed: the judgements");
    size_t from_stdin = o->runs.count == 0 || (o->qrels[0] == '-' && !o->qrels[1]);
    for (size_t i = 0; i < o->runs.count; i++) from_stdin += o->runs.at[i][0] == '-' && !o->runs.at[i][1];
    if (o->runs.count == 0 && o->qrels[0] == '-' && !o->qrels[1]) from_stdin = 2;
    if (from_stdin > 1) dq_cli_usage(cli, "stdin can be read only once");
}

static dq_status run(const eval_options *o, const dq_cli *cli, dq_error *error)
{
    if (o->list) return list_measures(o, error);
    if (o->curves) return draw_curves(o, cli, error);
    return measure_rankings(o, cli, error);
}

int main(int argc, char **argv)
{
    eval_options o = {.common = DQ_COMMON_DEFAULTS,
                      .relevance = 1,
                      .gains = "APPLY=3,SAVE=2,CLICK=1,IGNORE=0",
                      .confidence = 0.95,
                      .resamples = 10000,
                      .smooth = 1};
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
        {"curves", 0, DQ_OPT_FLAG, &o.curves, NULL, "draw the logs of dq-train: mean and sd of several; NAME=LOG groups", .flags = 0},
        {"plot", 0, DQ_OPT_TEXT, &o.plot, "FILE", "draw into FILE.svg or FILE.png (default: in the terminal)", .flags = 0},
        {"smooth", 0, DQ_OPT_COUNT, &o.smooth, "N", "moving average over N points of a curve", .least = 1, .most = 1e6},
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
