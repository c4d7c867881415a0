/* SPDX-License-Identifier: MIT
 *
 * dq-eval: how good are rankings, and how good are agents?
 */
#include "eval.h"

#include "curves.h"
#include "env.h"
#include "math/blas.h"
#include "rollout.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const dq_program program = {
    .name = "dq-eval",
    .summary = "measure rankings against judgements, agents by roll-outs, and draw learning curves",
    .operands = "[LOG... | STREAM...]",
    .examples = {"dq-eval --qrels test.qrels --run cosine.run --run dyna-q.run",
                 "dq-rank --model m.dq catalogue.dq | dq-eval --qrels held-out.qrels -m ndcg@10 --interval"},
    .version_note_fn = dq_blas_core,
};

static const char *const rewards[] = {"auto", "cosine", "logged", NULL};
static const char *const formats[] = {"table", "tsv", "json", "trec", NULL};

/* Opens the output, lets `print` write it, and completes it or leaves nothing. */
static dq_status measure_rankings(const eval_options *o, const dq_cli *cli, dq_error *error)
{
    static eval_table table; /* its list of measures is large for a stack */
    dq_sink *out = NULL;
    dq_status status = eval_measure(&table, o, cli, error);
    if (!status) status = eval_compare(&table, o, error);
    if (!status) status = dq_sink_open(&out, o->common.output, DQ_SINK_TEXT, error);
    if (!status) status = eval_print(&table, o, out, error);
    eval_table_free(&table);
    if (!status) return dq_sink_close(out, error);
    dq_sink_abort(out);
    return status;
}

static dq_status roll_out(const eval_options *o, dq_cli *cli, dq_error *error)
{
    rollout played = {0};
    dq_sink *out = NULL;
    dq_status status = rollout_run(&played, o, cli, error);
    if (!status) status = dq_sink_open(&out, o->common.output, DQ_SINK_TEXT, error);
    if (!status) status = rollout_print(&played, out, error);
    rollout_free(&played);
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
    curves c;
    dq_sink *out = NULL;
    plot_form form = !o->plot ? PLOT_DUMB : ends_with(o->plot, ".svg") ? PLOT_SVG : PLOT_PNG;
    dq_status status = curves_open(&c, o->metrics.at, o->metrics.count, error);
    for (size_t i = 0; i < o->marks.count && i < CURVES_MARKS; i++)
        c.marks[c.mark_count++] = strtoull(o->marks.at[i], NULL, 10);
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
    if (o->marks.count > CURVES_MARKS) dq_cli_usage(cli, "--mark: at most %d", CURVES_MARKS);
    for (size_t i = 0; i < o->marks.count; i++)
        if (!*o->marks.at[i] || o->marks.at[i][strspn(o->marks.at[i], "0123456789")])
            dq_cli_usage(cli, "--mark %s: the number of an episode or epoch is wanted", o->marks.at[i]);
    if (o->plot && (o->format == EVAL_TSV || o->common.output))
        dq_cli_usage(cli, "--plot names the output: no --output or --format with it");
}

static dq_status roll_out_env(const eval_options *o, dq_error *error)
{
    env_rollout played;
    dq_sink *out = NULL;
    dq_status status = env_rollout_run(&played, o, error);
    if (!status) status = dq_sink_open(&out, o->common.output, DQ_SINK_TEXT, error);
    if (!status) status = env_rollout_print(&played, out, error);
    env_rollout_free(&played);
    if (!status) return dq_sink_close(out, error);
    dq_sink_abort(out);
    return status;
}

/* Options of a catalogue have no meaning in another environment. */
static void check_env(const dq_cli *cli, const eval_options *o)
{
    static const char *const others[] = {"cold-start", "user",       "reward", "map",
                                         "pair",       "raw-cosine", "steps",  "candidates",
                                         "epsilon",    "distinct",   NULL};
    if (!o->rollout) dq_cli_usage(cli, "--env and --env-cmd are for --rollout");
    if (o->env && o->env_cmd) dq_cli_usage(cli, "--env and --env-cmd exclude each other");
    if (cli->operand_count) dq_cli_usage(cli, "an environment takes no input '%s'", cli->operands[0]);
    if (!o->models.count)
        dq_cli_usage(cli, "--rollout needs --model FILE (or random), the first to compare with");
    if (o->format == EVAL_TREC) dq_cli_usage(cli, "--rollout has no trec format");
    for (const char *const *name = others; *name; name++)
        if (dq_cli_given(cli, *name)) dq_cli_usage(cli, "--%s has no meaning with an environment", *name);
}

/* --cold-start: the first 10 steps of 10 episodes, unless told otherwise. */
static void check_rollout(const dq_cli *cli, eval_options *o)
{
    dq_error error = DQ_ERROR_NONE;
    dq_label_map map = {0};
    if (!o->models.count)
        dq_cli_usage(
            cli, "--rollout needs --model FILE (or random, cosine, untrained), the first to compare with");
    if (o->format == EVAL_TREC) dq_cli_usage(cli, "--rollout has no trec format");
    if (dq_label_map_parse(&map, o->map, &error)) dq_cli_usage(cli, "--map: %s", error.reason);
    dq_label_map_free(&map);
    if (o->cold_start && !o->given_episodes) o->episodes = 10;
    if (o->cold_start && !o->given_steps) o->steps = 10;
}

static void check_usage(const dq_cli *cli, eval_options *o)
{
    if (o->list) return;
    if (o->curves) {
        check_curves(cli, o);
        return;
    }
    if (o->env || o->env_cmd) {
        check_env(cli, o);
        return;
    }
    if (o->rollout) {
        check_rollout(cli, o);
        return;
    }
    if (o->models.count) dq_cli_usage(cli, "--model is for --rollout and --cold-start");
    if (cli->operand_count) dq_cli_usage(cli, "unexpected operand '%s'", cli->operands[0]);
    if (o->plot) dq_cli_usage(cli, "--plot draws --curves");
    if (o->metrics.count || o->marks.count) dq_cli_usage(cli, "--metric and --mark go with --curves");
    if (!o->qrels) dq_cli_usage(cli, "--qrels FILE is needed: the judgements");
    size_t from_stdin = o->runs.count == 0 || (o->qrels[0] == '-' && !o->qrels[1]);
    for (size_t i = 0; i < o->runs.count; i++) from_stdin += o->runs.at[i][0] == '-' && !o->runs.at[i][1];
    if (o->runs.count == 0 && o->qrels[0] == '-' && !o->qrels[1]) from_stdin = 2;
    if (from_stdin > 1) dq_cli_usage(cli, "stdin can be read only once");
}

static dq_status run(const eval_options *o, dq_cli *cli, dq_error *error)
{
    if (o->list) return list_measures(o, error);
    if (o->rollout && (o->env || o->env_cmd)) return roll_out_env(o, error);
    if (o->rollout) return roll_out(o, cli, error);
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
                      .map = DQ_LABEL_MAP_DEFAULT,
                      .episodes = 100,
                      .steps = 100,
                      .candidates = 100,
                      .smooth = 1};
    /* clang-format off */
    const dq_option table[] = {
        {"qrels", 0, DQ_OPT_TEXT, &o.qrels, "FILE", "judgements: TREC qrels, or a stream with labelled interactions", .flags = 0},
        {"run", 'r', DQ_OPT_LIST, &o.runs, "FILE", "rankings: a TREC run or a stream; repeated: compared with the first; default stdin", .flags = 0},
        {"measure", 'm', DQ_OPT_LIST, &o.measures, "NAME", "a measure (ndcg@10, map, P_5,10 ...) or group (official, all_trec, set, ranking); repeatable", .flags = 0},
        {"cutoff", 'k', DQ_OPT_TEXT, &o.cutoffs, "K[,K...]", "ranks for measures named without (10; trec: trec_eval's)", .flags = 0},
        {"format", 'f', DQ_OPT_CHOICE, &o.format, "FORM", "json: one object a run; trec: trec_eval's lines", .choices = formats},
        {"by-query", 'q', DQ_OPT_FLAG, &o.by_query, NULL, "the values of each query (of --rollout: each episode) too", .flags = 0},
        {"complete", 'c', DQ_OPT_FLAG, &o.complete, NULL, "a query that a run lacks counts as 0 instead of not at all", .flags = 0},
        {"relevance", 'l', DQ_OPT_COUNT, &o.relevance, "N", "least relevance that counts as relevant", .min = 0, .max = 1000},
        {"gains", 0, DQ_OPT_TEXT, &o.gains, "MAP", "relevance of the labels in a stream; other labels are no judgements", .flags = 0},
        {"interval", 'i', DQ_OPT_FLAG, &o.interval, NULL, "bootstrap intervals of the means (always with several runs)", .flags = 0},
        {"confidence", 0, DQ_OPT_REAL, &o.confidence, "X", "of the intervals", .min = 0.5, .max = 0.9999},
        {"resamples", 0, DQ_OPT_COUNT, &o.resamples, "N", "of the bootstrap and the randomisation test", .min = 100, .max = 1e7},
        {"list-measures", 0, DQ_OPT_FLAG, &o.list, NULL, "print the names of all measures and stop", .flags = 0},
        {"rollout", 0, DQ_OPT_FLAG, &o.rollout, NULL, "let models act on a catalogue (STREAM, else stdin), and compare their rewards", .flags = 0},
        {"cold-start", 0, DQ_OPT_FLAG, &o.cold_start, NULL, "--rollout by step: the first 10 steps of 10 episodes", .flags = 0},
        {"model", 0, DQ_OPT_LIST, &o.models, "FILE", "who acts: a model, or random, cosine, untrained; the first is compared with", .flags = 0},
        {"env", 0, DQ_OPT_TEXT, &o.env, "NAME[:X=N,...]", "--rollout of agents of dq-train --env (dq-sim(1) lists environments)", .flags = 0},
        {"env-cmd", 0, DQ_OPT_TEXT, &o.env_cmd, "COMMAND", "--rollout in the environment that a process offers", .flags = 0},
        {"user", 0, DQ_OPT_TEXT, &o.user, "ID", "whom they serve (default: all users, in turn)", .flags = 0},
        {"reward", 0, DQ_OPT_CHOICE, &o.reward, "HOW", "auto: logged where the stream has labels, else cosine", .choices = rewards},
        {"map", 0, DQ_OPT_TEXT, &o.map, "MAP", "rewards of labels; an unlabelled item is IGNORE", .flags = 0},
        {"pair", 0, DQ_OPT_LIST, &o.pairs, "USER:ITEM", "fields whose cosine counts; repeated: the mean (default: the catalogue's)", .flags = 0},
        {"raw-cosine", 0, DQ_OPT_FLAG, &o.raw_cosine, NULL, "cosines in [-1, 1] rather than [0, 1]", .flags = 0},
        {"episodes", 0, DQ_OPT_COUNT, &o.episodes, "N", "episodes", .min = 1, .max = 1e6, .given = &o.given_episodes},
        {"steps", 0, DQ_OPT_COUNT, &o.steps, "N", "steps of an episode", .min = 1, .max = 1e6, .given = &o.given_steps},
        {"candidates", 0, DQ_OPT_COUNT, &o.candidates, "N", "items drawn for an episode", .min = 1, .max = 4e9},
        {"epsilon", 0, DQ_OPT_REAL, &o.epsilon, "X", "share of steps that take any candidate", .min = 0, .max = 1},
        {"distinct", 0, DQ_OPT_FLAG, &o.distinct, NULL, "an item at most once an episode", .flags = 0},
        {"curves", 0, DQ_OPT_FLAG, &o.curves, NULL, "draw the logs of dq-train: mean and sd of several; NAME=LOG groups", .flags = 0},
        {"metric", 0, DQ_OPT_LIST, &o.metrics, "KEY", "--curves of this number of the logs' lines; repeated (default: rewards, returns, losses and validation)", .flags = 0},
        {"mark", 0, DQ_OPT_LIST, &o.marks, "N", "--curves: a grey line at episode or epoch N; repeated", .flags = 0},
        {"plot", 0, DQ_OPT_TEXT, &o.plot, "FILE", "draw into FILE.svg or FILE.png (default: in the terminal)", .flags = 0},
        {"smooth", 0, DQ_OPT_COUNT, &o.smooth, "N", "moving average over N points of a curve", .min = 1, .max = 1e6},
        {"threads", 't', DQ_OPT_COUNT, &o.common.threads, "N", "threads; or DQ_THREADS=N", .min = 0, .max = 1024},
        {"progress", 0, DQ_OPT_FLAG, &o.common.progress, NULL, "a progress bar though stderr is no terminal", .flags = 0},
        DQ_OPTION_SEED(o.common),
        {"output", 'o', DQ_OPT_TEXT, &o.common.output, "FILE", "write to FILE, complete or not at all (default stdout)", .flags = 0},
        {"quiet", 0, DQ_OPT_FLAG, &o.common.quiet, NULL, "no notes on stderr", .flags = 0}, /* -q is trec_eval's */
        {0}};
    /* clang-format on */
    dq_cli cli = dq_cli_parse(&program, table, argc, argv);
    o.rollout = o.rollout || o.cold_start;
    check_usage(&cli, &o);
    dq_error error = DQ_ERROR_NONE;
    dq_status status = run(&o, &cli, &error);
    return dq_cli_finish(&cli, status, &error);
}
