/* SPDX-License-Identifier: MIT
 *
 * dq-eval: how good are rankings, and how good are agents?
 */
#include "eval.h"

#include "math/blas.h"
#include "ope/estimator.h"
#include "plot/table.h"
#include "report/curves.h"
#include "report/ope_log.h"
#include "report/pictures.h"
#include "report/rankings.h"
#include "report/traffic.h"
#include "rollout.h"

#include <stdlib.h>
#include <string.h>

enum {
    RANKINGS = 1,
    ROLLOUT = 2,
    COLD_START = 4,
    ENV = 8,
    CURVES = 16,
    LIST = 32,
    OPE = 64,
    TRAFFIC = 128,
    AGREEMENT = 256,
    DRAW = 512,
    PAIRED = 1024,
    AB = 2048,
    SIZES = 4096,
    PAGES = 8192
};
enum {
    CATALOGUE = ROLLOUT | COLD_START,
    ACTING = CATALOGUE | ENV,
    JUDGED = RANKINGS | ACTING,
    COMPARED = JUDGED | OPE | PAIRED,
    PICTURED = JUDGED | OPE | CURVES | AGREEMENT | DRAW,
    RESULTS = PICTURED | TRAFFIC | PAIRED | AB | SIZES
};

static const dq_mode modes[] = {
    {RANKINGS, "rankings", "rankings", .help = "rankings against judgements (--qrels)", .no_operands = true},
    {ROLLOUT, "rollout", "--rollout", .help = "agents that act on a catalogue (--rollout)"},
    {COLD_START, "cold-start", "--cold-start",
     .help = "the first steps of agents on a catalogue (--cold-start)"},
    {ENV, "env", "--rollout --env", .help = "agents in an environment (--rollout --env, --env-cmd)",
     .no_operands = true},
    {OPE, "ope", "--ope", .help = "a policy from the log of another (--ope)"},
    {TRAFFIC, "traffic", "--traffic", .help = "what interactions come to (--traffic)"},
    {CURVES, "curves", "--curves", .help = "the logs of dq-train, drawn (--curves)"},
    {AGREEMENT, "agreement", "--agreement", .help = "labels of several streams, pair by pair (--agreement)"},
    {DRAW, "draw", "--draw", .help = "tables, drawn (--draw)"},
    {PAIRED, "paired", "--paired", .help = "systems by a table of their values (--paired)"},
    {AB, "ab", "--ab", .help = "models that shared the traffic of a log (--ab)"},
    {SIZES, "sample-size", "--sample-size", .help = "units that a comparison needs (--sample-size)",
     .no_operands = true},
    {LIST, "measures", "--list-measures", .help = "the names of the measures (--list-measures)",
     .no_operands = true},
    {PAGES, "pages", "pages to join (--report)",
     .help = "reports joined in one (--report ALL.html A.html B.html)"},
    {0}};

static const dq_setting cold_start[] = {{"episodes", "10"}, {"steps", "10"}, {0}};
static const dq_setting off_policy[] = {{"resamples", "2000"}, {0}};
static const dq_defaults defaults[] = {
    {COLD_START, NULL, NULL, cold_start}, {OPE, NULL, NULL, off_policy}, {0}};

static const char *measure_at(size_t i)
{
    return i < dq_measure_count ? dq_measures[i].name : NULL;
}

static const char *estimator_at(size_t i)
{
    return i < DQ_OPE_ESTIMATORS ? dq_ope_estimators[i].name : NULL;
}

static const char *policy_at(size_t i)
{
    return ope_policies[i];
}

static const dq_program program = {
    .name = "dq-eval",
    .guide = "evaluation.md",
    .summary = "measure rankings, agents and the agreement of labellers, and draw what comes of it",
    .operands = "[LOG... | STREAM... | TABLE...]",
    .examples = {"dq-eval --qrels test.qrels --run cosine.run --run dyna-q.run",
                 "dq-rank --model m.dq catalogue.dq | dq-eval --qrels held-out.qrels -m ndcg@10 --interval"},
    .version_note_fn = dq_blas_core,
    .modes = modes,
    .defaults = defaults,
};

static const char *const rewards[] = {"auto", "cosine", "logged", NULL};
static const char *const propensities[] = {"logged", "estimated", NULL};
static const char *const propensity_models[] = {"counts", "logistic", NULL};
static const char *const formats[] = {"table", "tsv", "json", "trec", "csv", "latex", "markdown", NULL};

static dq_status print_runs(const void *table, const eval_options *o, int format, dq_sink *out,
                            dq_error *error)
{
    const dq_runs_form form = {(dq_runs_format)format, o->by_query, o->interval, o->confidence};
    return dq_runs_print(table, &form, out, error);
}

static dq_status figure_runs(const void *table, const eval_options *o, dq_figure *figure, dq_error *error)
{
    return dq_runs_figure(table, o->confidence, figure, error);
}

static dq_status measure_rankings(const eval_options *o, const dq_cli *cli, dq_error *error)
{
    static dq_run_table table; /* its list of measures is large for a stack */
    dq_status status = eval_measure(&table, o, cli, error);
    if (!status && o->compare.against) {
        dq_compared found = {0};
        const dq_compare_options how = eval_compare_options(o);
        status = dq_compared_runs(&table, &how, &found, error);
        status = eval_write_compared(&found, status, o, cli, error);
    } else if (!status) {
        status = eval_write(&(eval_result){.of = &table,
                                           .print = print_runs,
                                           .texts = 3,
                                           .title = "Rankings",
                                           .caption = "Measures",
                                           .view = DQ_PAGE_RANKINGS,
                                           .figure = figure_runs},
                            o, cli, error);
    }
    dq_run_table_free(&table);
    return status;
}

static dq_status print_rollout(const void *played, const eval_options *o, int format, dq_sink *out,
                               dq_error *error)
{
    (void)o;
    return dq_outcomes_print(&((const rollout *)played)->outcomes, (dq_outcomes_form)format, out, error);
}

static dq_status roll_out(const eval_options *o, dq_cli *cli, dq_error *error)
{
    static rollout played;
    dq_status status = rollout_run(&played, o, cli, error);
    dq_compared found = {0};
    eval_result result = {.of = &played,
                          .print = print_rollout,
                          .close = rollout_close,
                          .texts = 3,
                          .title = "Roll-outs",
                          .caption = "Models",
                          .view = DQ_PAGE_ROLLOUTS,
                          .figure = rollout_figure};
    if (!status && o->compare.against) {
        status = rollout_compare(&played, &found, error);
        result.table = &found.table;
        if (!status) eval_say_compared(&found, o, cli);
    }
    status = status ? rollout_close(&played, status, error) : eval_write(&result, o, cli, error);
    dq_compared_free(&found);
    return status;
}

static dq_status print_measures(const void *none, const eval_options *o, int format, dq_sink *out,
                                dq_error *error)
{
    (void)none, (void)o, (void)format;
    return dq_runs_print_measures(out, error);
}

static dq_status print_traffic(const void *traffic, const eval_options *o, int format, dq_sink *out,
                               dq_error *error)
{
    (void)o;
    return dq_traffic_print(traffic, (dq_traffic_format)format, out, error);
}

/* What interactions come to. */
static dq_status sum_up_traffic(const eval_options *o, const dq_cli *cli, dq_error *error)
{
    const dq_compare_config compare = {(size_t)o->resamples, o->confidence, o->common.seed};
    dq_traffic t = {.intervals = o->interval ? &compare : NULL,
                    .clicked = (double)o->relevance,
                    .time = o->time,
                    .gap = o->session_gap * 60,
                    .window = o->return_within * 86400};
    dq_status status = dq_rankings_gains(o->gains, &t.gains, error);
    if (!status) status = dq_traffic_read(&t, cli->operands, cli->operand_count, error);
    char words[256];
    for (size_t i = 0; i < DQ_TRAFFIC_NOTES && !status; i++)
        if (dq_traffic_note(&t, i, words, sizeof words)) dq_cli_say(cli, &o->common, "%s", words);
    if (!status)
        status = eval_write(&(eval_result){.of = &t,
                                           .print = print_traffic,
                                           .texts = 1,
                                           .title = "Interactions",
                                           .caption = "What they come to",
                                           .view = DQ_PAGE_MEASURES},
                            o, cli, error);
    dq_traffic_free(&t);
    dq_label_map_free(&t.gains);
    return status;
}

static dq_status print_curves(const void *curves, const eval_options *o, int format, dq_sink *out,
                              dq_error *error)
{
    (void)o, (void)format; /* TSV alone */
    return dq_curves_print_tsv(curves, out, error);
}

static dq_status figure_curves(const void *curves, const eval_options *o, dq_figure *figure, dq_error *error)
{
    (void)o;
    return dq_curves_figure(curves, figure, error);
}

static dq_status draw_curves(const eval_options *o, const dq_cli *cli, dq_error *error)
{
    dq_curves c;
    dq_status status = dq_curves_open(&c, o->metrics.at, o->metrics.count, error);
    for (size_t i = 0; i < o->marks.count; i++, c.mark_count++)
        c.marks[i].at = dq_cli_mark(cli, o->marks.at[i], &c.marks[i].label);
    for (size_t i = 0; i < cli->operand_count && !status; i++)
        status = dq_curves_read(&c, cli->operands[i], error);
    if (!status) status = dq_curves_finish(&c, (size_t)o->smooth, error);
    const eval_result result = {.of = &c,
                                .print = print_curves,
                                .texts = 2,
                                .no_json = true,
                                .figure = figure_curves,
                                .drawn = o->format == EVAL_TABLE,
                                .title = "Learning curves",
                                .caption = "Where the curves end",
                                .view = DQ_PAGE_CURVES};
    if (!status) status = eval_write(&result, o, cli, error);
    dq_curves_free(&c);
    return status;
}

static void check_curves(const dq_cli *cli, const eval_options *o)
{
    const char *label;
    if (!cli->operand_count) dq_cli_usage(cli, "--curves needs the logs of dq-train (dq-train --log FILE)");
    if (o->format == EVAL_TREC) dq_cli_usage(cli, "--curves has no trec format");
    if (o->marks.count > DQ_CURVES_MARKS) dq_cli_usage(cli, "--mark: at most %d", DQ_CURVES_MARKS);
    for (size_t i = 0; i < o->marks.count; i++) (void)dq_cli_mark(cli, o->marks.at[i], &label);
    if (o->plot && o->format != EVAL_TABLE) dq_cli_usage(cli, "--plot draws: no --format");
}

/* Each --draw draws one operand, or all of them the only one. */
static dq_status figure_tables(const void *operands, const eval_options *o, dq_figure *figure,
                               dq_error *error)
{
    const dq_cli *cli = operands;
    dq_status status = DQ_OK;
    for (size_t i = 0; i < o->draw.count && !status; i++) {
        const char *path = cli->operand_count ? cli->operands[cli->operand_count > 1 ? i : 0] : "-";
        status = dq_plot_table_add(figure, o->draw.at[i], path, error);
    }
    return status;
}

static void check_draw(const dq_cli *cli, const eval_options *o)
{
    dq_error error = DQ_ERROR_NONE;
    if (cli->operand_count > 1 && cli->operand_count != o->draw.count)
        dq_cli_usage(cli, "--draw: %zu tables for %zu of them", cli->operand_count, o->draw.count);
    if (o->draw.count > 1 && (!cli->operand_count || strcmp(cli->operands[0], "-") == 0))
        dq_cli_usage(cli, "stdin can be read only once");
    for (size_t i = 0; i < o->draw.count; i++)
        if (dq_plot_table_check(o->draw.at[i], &error)) dq_cli_refuse(cli, "--draw", &error);
}

static void check_acting(const dq_cli *cli, const eval_options *o)
{
    dq_error error = DQ_ERROR_NONE;
    dq_label_map map = {0};
    if (o->format == EVAL_TREC) dq_cli_usage(cli, "--rollout has no trec format");
    if (dq_label_map_parse(&map, o->map, &error)) dq_cli_refuse(cli, "--map", &error);
    dq_label_map_free(&map);
    if (o->env && dq_env_check(o->env, &error)) dq_cli_refuse(cli, "--env", &error);
}

static void check_rankings(const dq_cli *cli, const eval_options *o)
{
    if (!o->qrels) dq_cli_usage(cli, "--qrels FILE is needed: the judgements");
    size_t from_stdin = o->runs.count == 0 || (o->qrels[0] == '-' && !o->qrels[1]);
    from_stdin += o->ope.catalogue && strcmp(o->ope.catalogue, "-") == 0;
    if (o->by && o->format == EVAL_TREC) dq_cli_usage(cli, "--by has no trec format");
    for (size_t i = 0; i < o->runs.count; i++) from_stdin += o->runs.at[i][0] == '-' && !o->runs.at[i][1];
    if (o->runs.count == 0 && o->qrels[0] == '-' && !o->qrels[1]) from_stdin = 2;
    if (from_stdin > 1) dq_cli_usage(cli, "stdin can be read only once");
}

static void check_traffic(const dq_cli *cli, const eval_options *o)
{
    dq_error error = DQ_ERROR_NONE;
    dq_label_map gains = {0};
    if (o->format == EVAL_TREC) dq_cli_usage(cli, "--traffic has no trec format");
    if (!o->interval && (dq_cli_given(cli, "confidence") || dq_cli_given(cli, "resamples")))
        dq_cli_usage(cli, "--confidence and --resamples are for --interval");
    if (dq_rankings_gains(o->gains, &gains, &error)) dq_cli_refuse(cli, "--gains", &error);
    dq_label_map_free(&gains);
}

static unsigned choose_mode(const eval_options *o, size_t operands)
{
    if (o->list) return LIST;
    if (o->ope.estimators) return OPE;
    if (o->curves) return CURVES;
    if (o->draw.count) return DRAW;
    if (o->agreement) return AGREEMENT;
    if (o->traffic) return TRAFFIC;
    if (o->paired) return PAIRED;
    if (o->ab) return AB;
    if (o->sample_size) return SIZES;
    if (o->env || o->env_cmd) return ENV;
    if (o->cold_start) return COLD_START;
    if (o->rollout) return ROLLOUT;
    return o->report && !o->qrels && operands ? PAGES : RANKINGS;
}

static void check_usage(dq_cli *cli, const eval_options *o)
{
    dq_cli_enter(cli, choose_mode(o, cli->operand_count));
    if (o->report && strcmp(o->report, "-") == 0) dq_cli_usage(cli, "--report: a file is wanted");
    dq_cli_check_picture(cli, o->plot);
    if (cli->mode & (CURVES | DRAW) && o->plot && o->common.output)
        dq_cli_usage(cli, "--plot and --output exclude each other");
    if (cli->mode == CURVES) check_curves(cli, o);
    if (cli->mode == DRAW) check_draw(cli, o);
    if (o->compare.against || cli->mode & (PAIRED | AB | SIZES)) eval_check_compared(cli, o);
    if (cli->mode & ACTING) check_acting(cli, o);
    if (cli->mode == RANKINGS) check_rankings(cli, o);
    if (cli->mode == AGREEMENT) eval_check_agreement(cli, o);
    if (cli->mode == TRAFFIC) check_traffic(cli, o);
}

/* The file that a word of the command line names. */
static const char *file_of(const dq_cli *cli, const char *option, const char *value)
{
    size_t n;
    bool stdin_unread = cli->mode & (ENV | SIZES) || (cli->mode == RANKINGS && dq_cli_given(cli, "run"));
    if (!option) return cli->mode == CURVES ? dq_curves_file(value, &n) : stdin_unread ? NULL : value;
    if (strcmp(option, "target") == 0) return ope_target_file(value);
    return strcmp(option, "model") == 0 && rollout_kind(value) != POLICY_MODEL ? NULL : value;
}

static dq_status run(const eval_options *o, dq_cli *cli, dq_error *error)
{
    if (cli->mode == PAGES) return eval_join_pages(o, cli, error);
    if (cli->mode == LIST) return eval_write(&(eval_result){.print = print_measures}, o, cli, error);
    if (cli->mode == OPE) return eval_off_policy(o, cli, error);
    if (cli->mode & (PAIRED | AB | SIZES)) return eval_compare(o, cli, error);
    if (cli->mode == CURVES) return draw_curves(o, cli, error);
    if (cli->mode == DRAW)
        return eval_write(
            &(eval_result){.of = cli, .figure = figure_tables, .drawn = true, .title = "Tables"}, o, cli,
            error);
    if (cli->mode == AGREEMENT) return eval_agreement(o, cli, error);
    if (cli->mode == TRAFFIC) return sum_up_traffic(o, cli, error);
    return cli->mode == RANKINGS ? measure_rankings(o, cli, error) : roll_out(o, cli, error);
}

/* clang-format off */
static eval_options o = {.common = DQ_COMMON_DEFAULTS,
                      .relevance = 1,
                      .gains = "APPLY=3,SAVE=2,CLICK=1,IGNORE=0",
                      .confidence = 0.95,
                      .resamples = 10000,
                      .map = DQ_LABEL_MAP_DEFAULT,
                      .episodes = 100,
                      .steps = 100,
                      .candidates = 100,
                      .max_steps = DQ_EPISODES_MAX_STEPS,
                      .ope = OPE_DEFAULTS,
                      .time = "time",
                      .session_gap = 30,
                      .return_within = 7,
                      .compare = DQ_COMPARE_DEFAULTS,
                      .smooth = 1};
static const dq_option table[] = {
        {"qrels", 0, DQ_OPT_TEXT, &o.qrels, "FILE", "judgements: TREC qrels, or a stream with labelled interactions", .flags = DQ_OPT_READS, .modes = RANKINGS},
        {"run", 'r', DQ_OPT_LIST, &o.runs, "FILE", "rankings: a TREC run or a stream; repeated: compared with the first; else stdin", .flags = DQ_OPT_READS, .modes = RANKINGS},
        {"measure", 'm', DQ_OPT_LIST, &o.measures, "NAME,...", "measures (ndcg@10, map, P_5,10 ...) or groups (official, all_trec, set, ranking, recommender); repeatable", .modes = RANKINGS, .values = measure_at},
        {"cutoff", 'k', DQ_OPT_TEXT, &o.cutoffs, "K[,K...]", "ranks for measures named without (else 10; --format trec: trec_eval's)", .modes = RANKINGS},
        {"format", 'f', DQ_OPT_CHOICE, &o.format, "FORM", "json: one object a run; trec: trec_eval's lines", .choices = formats, .modes = COMPARED | CURVES | TRAFFIC | AGREEMENT | AB | SIZES},
        {"by-query", 'q', DQ_OPT_FLAG, &o.by_query, NULL, "the values of each query (or episode) too", .modes = JUDGED},
        {"complete", 'c', DQ_OPT_FLAG, &o.complete, NULL, "a query that a run lacks counts as 0 instead of not at all", .modes = RANKINGS},
        {"relevance", 'l', DQ_OPT_COUNT, &o.relevance, "N", "least relevance that counts as relevant", .min = 0, .max = 1000, .modes = RANKINGS | TRAFFIC},
        {"max-documents", 'M', DQ_OPT_COUNT, &o.max_documents, "N", "the first N of a ranking alone count (0: all)", .min = 0, .max = 1e9, .modes = RANKINGS},
        {"documents", 'N', DQ_OPT_COUNT, &o.documents, "N", "documents that there are: for utility's fourth weight", .min = 0, .max = 1e15, .modes = RANKINGS},
        {"judged-only", 'J', DQ_OPT_FLAG, &o.judged_only, NULL, "what nobody judged is taken out of the rankings", .modes = RANKINGS},
        {"catalogue", 0, DQ_OPT_TEXT, &o.ope.catalogue, "FILE", "a stream of the items that can be shown (else those of qrels and runs, or the log's)", .flags = DQ_OPT_READS, .modes = RANKINGS | OPE},
        {"by", 0, DQ_OPT_TEXT, &o.by, "FIELD", "the measures by group of users, too, and the gap: an attribute of the catalogue's users", .modes = RANKINGS, .needs = "catalogue"},
        {"gains", 0, DQ_OPT_TEXT, &o.gains, "MAP", "relevance of the labels in a stream; other labels are no judgements", .modes = RANKINGS | TRAFFIC | AGREEMENT, .excludes = "map"},
        {"interval", 'i', DQ_OPT_FLAG, &o.interval, NULL, "bootstrap intervals of means and rates (always with several runs)", .modes = RANKINGS | TRAFFIC},
        {"confidence", 0, DQ_OPT_REAL, &o.confidence, "X", "of the intervals", .min = 0.5, .max = 0.9999, .modes = COMPARED | AGREEMENT | AB | SIZES | TRAFFIC},
        {"resamples", 0, DQ_OPT_COUNT, &o.resamples, "N", "of the bootstrap and the randomisation test", .min = 100, .max = 1e7, .modes = COMPARED | AGREEMENT | TRAFFIC},
        {"list-measures", 0, DQ_OPT_FLAG, &o.list, NULL, "print the names of all measures and stop", .modes = LIST},
        {"rollout", 0, DQ_OPT_FLAG, &o.rollout, NULL, "let models act on a catalogue (STREAM, else stdin), and compare their rewards", .modes = ACTING, .needs = "model", .section = "Roll-outs"},
        {"cold-start", 0, DQ_OPT_FLAG, &o.cold_start, NULL, "--rollout of the first steps of few episodes, by step", .modes = COLD_START, .needs = "model"},
        {"model", 0, DQ_OPT_LIST, &o.models, "FILE", "who acts: a model, or random, cosine, untrained; the first is compared with", .flags = DQ_OPT_READS, .modes = ACTING},
        {"env", 0, DQ_OPT_TEXT, &o.env, "NAME[:X=N,...]", "act in an environment (dq-sim(1) lists them): agents of dq-train --env", .values = dq_env_name, .modes = ENV, .needs = "rollout", .excludes = "env-cmd"},
        {"env-cmd", 0, DQ_OPT_TEXT, &o.env_cmd, "COMMAND", "act in the environment that a process offers", .modes = ENV, .needs = "rollout"},
        {"user", 0, DQ_OPT_LIST, &o.users, "ID", "whom they serve; may be repeated (else all users, in turn)", .modes = CATALOGUE},
        {"reward", 0, DQ_OPT_CHOICE, &o.reward, "HOW", "auto: logged where the stream has labels, else cosine", .choices = rewards, .modes = CATALOGUE},
        {"reward-cmd", 0, DQ_OPT_TEXT, &o.reward_cmd, "COMMAND", "rewards of pairs that were never labelled, from a labeller such as 'dq-reward -s llm ...'", .modes = CATALOGUE, .excludes = "reward"},
        {"map", 0, DQ_OPT_TEXT, &o.map, "MAP", "rewards of labels; an unlabelled item is IGNORE", .modes = CATALOGUE | OPE | AGREEMENT | AB},
        {"unanswered", 0, DQ_OPT_TEXT, &o.unanswered, "LABEL", "the label of what a server showed and nobody answered (else it has no reward)", .modes = OPE | AB},
        {"compare", 0, DQ_OPT_LIST, &o.pairs, "USER:ITEM", "fields whose cosine counts; repeated: the mean (else the catalogue's)", .modes = CATALOGUE},
        {"raw-cosine", 0, DQ_OPT_FLAG, &o.raw_cosine, NULL, "cosines in [-1, 1] rather than [0, 1]", .modes = CATALOGUE},
        {"episodes", 0, DQ_OPT_COUNT, &o.episodes, "N", "episodes", .min = 1, .max = 1e6, .modes = ACTING},
        {"steps", 0, DQ_OPT_COUNT, &o.steps, "N", "steps of an episode", .min = 1, .max = 1e6, .modes = CATALOGUE},
        {"candidates", 0, DQ_OPT_COUNT, &o.candidates, "N", "items drawn for an episode", .min = 1, .max = 4e9, .modes = CATALOGUE},
        {"max-steps", 0, DQ_OPT_COUNT, &o.max_steps, "N", "steps after which an episode is cut off, should it not end (0: never)", .min = 0, .max = 1e12, .modes = ENV},
        {"epsilon", 0, DQ_OPT_REAL, &o.epsilon, "X", "share of steps that take anything on offer", .min = 0, .max = 1, .modes = ACTING | OPE},
        {"distinct", 0, DQ_OPT_FLAG, &o.distinct, NULL, "an item (an action) at most once an episode", .modes = ACTING},
        {"ope", 0, DQ_OPT_TEXT, &o.ope.estimators, "NAME,...", "judge a policy from the log of another: log, ips, snips, dm, dr, sndr, switch-dr, dr-os, slope:NAME; pdis, wpdis, wis", .modes = OPE, .values = estimator_at, .section = "Off-policy evaluation"},
        {"target", 0, DQ_OPT_LIST, &o.ope.targets, "POLICY", "the policy: uniform, ranking:FILE, model:FILE, or column:NAME of the log; repeatable", .flags = DQ_OPT_READS, .modes = OPE, .values = policy_at},
        {"softmax", 0, DQ_OPT_REAL, &o.ope.softmax, "T", "the target draws from its list by exp(score / T) (0: the best)", .min = 0, .max = 1e9, .modes = OPE},
        {"reward-model", 0, DQ_OPT_TEXT, &o.ope.rewards, "MODEL", "of rewards: ridge or logistic (on vectors), table, or column:NAME of the log", .modes = OPE},
        {"propensity", 0, DQ_OPT_CHOICE, &o.ope.estimated, "WHENCE", "propensities: the log's, or estimated from it", .choices = propensities, .modes = OPE},
        {"propensity-model", 0, DQ_OPT_CHOICE, &o.ope.propensities, "MODEL", "of estimated ones: shares of the place, or logistic regression on users' vectors", .choices = propensity_models, .modes = OPE, .where = "propensity=estimated"},
        {"session", 0, DQ_OPT_CHOICE, &o.ope.session, "HOW", "rows of pdis, wpdis and wis that are one session: those of one request, user or episode", .choices = dq_ope_session_names, .modes = OPE},
        {"gamma", 0, DQ_OPT_REAL, &o.ope.gamma, "X", "discount within a session", .min = 0, .max = 1, .modes = OPE},
        {"clip", 0, DQ_OPT_REAL, &o.ope.clip, "X", "the greatest weight of ips, snips, dr and sndr", .flags = DQ_OPT_UNSET, .min = 1e-9, .max = 1e18, .modes = OPE},
        {"switch-tau", 0, DQ_OPT_REAL, &o.ope.tau, "X", "switch-dr believes the model alone above this weight", .min = 0, .max = 1e18, .modes = OPE},
        {"shrinkage", 0, DQ_OPT_REAL, &o.ope.shrinkage, "X", "lambda of dr-os: weights become lambda w / (w^2 + lambda)", .min = 0, .max = 1e36, .modes = OPE},
        {"slope-grid", 0, DQ_OPT_TEXT, &o.ope.grid, "X[,X...]", "bounds that slope chooses from", .modes = OPE},
        {"min-ess", 0, DQ_OPT_REAL, &o.ope.min_ess, "N", "fail where the effective sample size is less", .min = 0, .max = 1e18, .modes = OPE},
        {"require-support", 0, DQ_OPT_FLAG, &o.ope.require_support, NULL, "fail where the target takes what the log never shows", .modes = OPE},
        {"require-better", 0, DQ_OPT_FLAG, &o.ope.require_better, NULL, "fail unless the first of two targets is better: its lower bound above the other's value, by the first estimator", .modes = OPE},
        {"agreement", 0, DQ_OPT_FLAG, &o.agreement, NULL, "how far the labels of two streams or more agree: kappas, alphas, confusion", .modes = AGREEMENT, .section = "Agreement"},
        {"traffic", 0, DQ_OPT_FLAG, &o.traffic, NULL, "what the interactions of streams come to: click and apply rates, shares of labels, sessions, returns", .modes = TRAFFIC, .section = "Interactions"},
        {"time", 0, DQ_OPT_TEXT, &o.time, "NAME", "their attribute that says when", .modes = TRAFFIC | AB},
        {"session-gap", 0, DQ_OPT_REAL, &o.session_gap, "MINUTES", "a session ends where its user does nothing for so long", .min = 0, .max = 1e9, .modes = TRAFFIC},
        {"return-within", 0, DQ_OPT_REAL, &o.return_within, "DAYS", "who comes back so soon after a session has returned", .min = 0, .max = 1e6, .modes = TRAFFIC},
        {"against", 0, DQ_OPT_TEXT, &o.compare.against, "WHOM", "print how systems differ, in pairs: from the first, all from each other, or from the one of this name", .modes = COMPARED | AB, .section = "Comparisons"},
        {"test", 0, DQ_OPT_CHOICE, &o.compare.test, "TEST", "whose p is adjusted", .choices = dq_paired_test_names, .modes = COMPARED, .where = "against|paired"},
        {"adjust", 0, DQ_OPT_CHOICE, &o.compare.adjust, "HOW", "p for the many comparisons printed: holm (no false one), bh (their share), none", .choices = dq_adjustment_names, .modes = COMPARED | AB, .where = "against|paired|ab"},
        {"paired", 0, DQ_OPT_FLAG, &o.paired, NULL, "compare systems by tables of values: TSV with the columns system, unit (query, user, seed), measure, value", .modes = PAIRED},
        {"ab", 0, DQ_OPT_FLAG, &o.ab, NULL, "compare the models that chose the rows of a log, by intervals that allow looking early", .modes = AB},
        {"unit", 0, DQ_OPT_CHOICE, &o.compare.unit, "WHAT", "what counts once, with its mean reward", .choices = dq_ab_unit_names, .modes = AB},
        {"look", 0, DQ_OPT_COUNT, &o.compare.look, "N", "look after every N rows, too (0: at the end alone)", .min = 0, .max = 1e12, .modes = AB},
        {"burn-in", 0, DQ_OPT_COUNT, &o.compare.burn_in, "N", "units of a model before anything is said of it", .min = 2, .max = 1e9, .modes = AB},
        {"sample-size", 0, DQ_OPT_FLAG, &o.sample_size, NULL, "how many units a comparison needs to find an effect", .modes = SIZES},
        {"effect", 0, DQ_OPT_REAL, &o.compare.effect, "X", "the difference of means to find, or that is expected (0: a tenth of the sd)", .min = 0, .max = 1e18, .modes = AB | SIZES},
        {"units", 0, DQ_OPT_COUNT, &o.compare.units, "N", "find the effect that N units find, instead", .min = 2, .max = 1e12, .flags = DQ_OPT_UNSET, .modes = SIZES, .excludes = "effect"},
        {"sd", 0, DQ_OPT_REAL, &o.compare.sd, "X", "standard deviation of a system's values", .min = 1e-18, .max = 1e18, .modes = SIZES},
        {"correlation", 0, DQ_OPT_REAL, &o.compare.correlation, "X", "of two systems' values of one unit", .min = -1, .max = 0.999999, .modes = SIZES},
        {"power", 0, DQ_OPT_REAL, &o.compare.power, "X", "chance to find the effect", .min = 0.01, .max = 0.999999, .modes = SIZES},
        {"curves", 0, DQ_OPT_FLAG, &o.curves, NULL, "draw the logs of dq-train: mean and sd of several; NAME=LOG groups", .modes = CURVES, .section = "Learning curves"},
        {"metric", 0, DQ_OPT_LIST, &o.metrics, "KEY", "draw this number of the logs' lines; repeated (else rewards, returns, losses and validation)", .modes = CURVES},
        {"mark", 0, DQ_OPT_LIST, &o.marks, "N[=LABEL]", "a line at episode or epoch N; repeated", .modes = CURVES},
        {"smooth", 0, DQ_OPT_COUNT, &o.smooth, "N", "moving average over N points of a curve", .min = 1, .max = 1e6, .modes = CURVES},
        {"plot", 0, DQ_OPT_TEXT, &o.plot, "FILE", "draw into FILE.svg, FILE.png or FILE.pdf, or - in the terminal", .flags = DQ_OPT_WRITES, .modes = PICTURED, .excludes = "against", .section = "Pictures"},
        {"draw", 0, DQ_OPT_LIST, &o.draw, "KIND:KEY=COLUMN,...", "draw a table: lines, points, bars, histogram or grid; repeated: further panels", .modes = DRAW},
        {"report", 0, DQ_OPT_TEXT, &o.report, "FILE.html", "tables, pictures and lineage as a page, too; alone: pages joined in one", .flags = DQ_OPT_WRITES, .modes = RESULTS | PAGES, .section = "Reports"},
        {"title", 0, DQ_OPT_TEXT, &o.title, "WORDS", "what the page, and what the picture, is called", .modes = RESULTS | PAGES, .needs = "report plot curves draw"},
        {"threads", 't', DQ_OPT_COUNT, &o.common.threads, "N", "threads; or DQ_THREADS=N", .min = 0, .max = 1024, .section = "Running"},
        {"progress", 0, DQ_OPT_FLAG, &o.common.progress, NULL, "show the progress of roll-outs at once; in a log a line a minute", .flags = 0},
        DQ_OPTION_SEED(o.common),
        {"output", 'o', DQ_OPT_TEXT, &o.common.output, "FILE", "write to FILE, complete or not at all (else stdout)", .flags = DQ_OPT_WRITES, .modes = RESULTS | LIST},
        {"quiet", 0, DQ_OPT_FLAG, &o.common.quiet, NULL, "no notes on stderr", .flags = 0}, /* -q is trec_eval's */
        {0}};
/* clang-format on */

int main(int argc, char **argv)
{
    dq_cli cli = dq_cli_parse(&program, table, argc, argv);
    check_usage(&cli, &o);
    dq_error error = DQ_ERROR_NONE;
    dq_page_run how;
    dq_json_text said = DQ_JSON_TEXT_EMPTY;
    dq_status status = DQ_OK;
    if (o.report && cli.mode != PAGES) status = eval_begin_report(&o, &cli, file_of, &how, &said, &error);
    if (!status) status = run(&o, &cli, &error);
    dq_json_text_free(&said);
    return dq_cli_finish(&cli, status, &error);
}
