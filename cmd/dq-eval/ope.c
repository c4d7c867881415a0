/* SPDX-License-Identifier: MIT
 *
 * Off-policy evaluation (lib/report/ope_study.h): what the options name, what is said, and what is refused.
 */
#include "eval.h"

#include "core/words/nearest.h"
#include "ope/paired.h"
#include "ope/slope.h"
#include "report/ope_print.h"
#include "report/ope_study.h"
#include "report/pictures.h"
#include "report/rankings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct ope_run {
    const eval_options *o;
    dq_cli *cli;
    const char *target;
    dq_ope_picks picks;
    dq_label_map map;
    double grid[DQ_SLOPE_MAX];
    dq_ope_study study;
    dq_ope_estimate estimates[DQ_OPE_MAX_PICKS];
} ope_run;

/* What stands behind "PREFIX:"; NULL: another form. */
static const char *behind(const char *text, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(text, prefix, n) == 0 && text[n] == ':' && text[n + 1] ? text + n + 1 : NULL;
}

const char *ope_target_file(const char *target)
{
    const char *ranking = behind(target, "ranking"), *model = behind(target, "model");
    return ranking ? ranking : model && strcmp(model, "cosine") != 0 ? model : NULL;
}

/* ---- the target ---- */

static dq_status read_lists(void *arg, const dq_ope_log *log, dq_run *run, dq_error *error)
{
    const ope_run *r = arg;
    const char *model = behind(r->target, "model");
    char tag[64];
    if (model)
        return ope_model_lists(model, &log->entities, r->o->ope.softmax > 0, dq_cli_threads(&r->o->common, 1),
                               run, error);
    return dq_rankings_read_run(behind(r->target, "ranking"), run, tag, sizeof tag, error);
}

const char *const ope_policies[] = {"uniform", "ranking:", "model:", "column:", NULL};

static void set_target(ope_run *r)
{
    const char *target = r->target;
    dq_ope_study *s = &r->study;
    s->log.target_column = behind(target, "column");
    if (s->log.target_column)
        s->target = DQ_OPE_COLUMN;
    else if (behind(target, "ranking") || behind(target, "model"))
        s->target = DQ_OPE_LISTS;
    else if (strcmp(target, "uniform") == 0)
        s->target = DQ_OPE_UNIFORM;
    else
        dq_cli_usage(r->cli, "--target %s: uniform, ranking:FILE, model:FILE or column:NAME is wanted%s",
                     target, dq_hint_of_first(target, ':', dq_word_in, ope_policies).words);
    s->lists = read_lists;
    s->log.wants_users = behind(target, "model") != NULL;
    s->arg = r;
    s->temperature = r->o->ope.softmax;
    s->epsilon = r->o->epsilon;
    bool chosen = dq_cli_given(r->cli, "epsilon") || dq_cli_given(r->cli, "softmax");
    if (chosen && s->target != DQ_OPE_LISTS)
        dq_cli_usage(r->cli, "--epsilon and --softmax belong to the target ranking:FILE or model:FILE");
}

static void set_rewards(ope_run *r)
{
    const char *rewards = r->o->ope.rewards;
    dq_ope_study *s = &r->study;
    if (!r->picks.needs_model) {
        if (dq_cli_given(r->cli, "reward-model"))
            dq_cli_usage(r->cli, "--reward-model belongs to dm, dr, sndr, switch-dr and dr-os");
        return;
    }
    static const char *const names[] = {
        [DQ_OPE_BY_TABLE] = "table", [DQ_OPE_BY_RIDGE] = "ridge", [DQ_OPE_BY_LOGISTIC] = "logistic"};
    s->log.model_column = behind(rewards, "column");
    if (s->log.model_column) s->rewards = DQ_OPE_BY_COLUMN;
    for (size_t i = DQ_OPE_BY_TABLE; i <= DQ_OPE_BY_LOGISTIC; i++)
        if (strcmp(rewards, names[i]) == 0) s->rewards = (dq_ope_rewards)i;
    if (s->rewards == DQ_OPE_NO_MODEL)
        dq_cli_usage(r->cli, "--reward-model %s: ridge, logistic, table or column:NAME is wanted", rewards);
}

/* ---- the rest ---- */

static void set_grid(ope_run *r)
{
    dq_error error = DQ_ERROR_NONE;
    r->study.config.grid = r->grid;
    if (dq_slope_grid(r->o->ope.grid, r->grid, &r->study.config.grid_count, &error))
        dq_cli_usage(r->cli, "--slope-grid: %s", error.reason);
}

/* A bound counts for some of the estimators; given, one of them must be asked for. */
static void check_bound(const ope_run *r, const char *option, dq_ope_bound bound, const char *whose)
{
    bool counts = !dq_cli_given(r->cli, option);
    for (size_t i = 0; i < r->picks.count; i++)
        counts |= !r->picks.at[i].slope && r->picks.at[i].estimator->bound == bound;
    if (!counts) dq_cli_usage(r->cli, "--%s belongs to %s", option, whose);
}

static bool is_stdin(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

static void check_inputs(const ope_run *r)
{
    const ope_options *o = &r->o->ope;
    const dq_cli *cli = r->cli;
    const char *const named[] = {o->catalogue, behind(r->target, "ranking"), behind(r->target, "model")};
    size_t from_stdin = cli->operand_count == 0;
    for (size_t i = 0; i < cli->operand_count; i++) from_stdin += is_stdin(cli->operands[i]);
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) from_stdin += is_stdin(named[i]);
    if (from_stdin > 1) dq_cli_usage(cli, "stdin can be read only once");
    if (o->catalogue && !dq_ope_study_wants_items(&r->study))
        dq_cli_usage(cli, "--catalogue: nothing here asks for items, the target's column says it all");
}

static void check_options(ope_run *r)
{
    const ope_options *o = &r->o->ope;
    bool slope = false;
    for (size_t i = 0; i < r->picks.count; i++) slope |= r->picks.at[i].slope;
    check_bound(r, "clip", DQ_OPE_CLIP, "ips, snips, dr and sndr");
    check_bound(r, "switch-tau", DQ_OPE_SWITCH, "switch-dr");
    check_bound(r, "shrinkage", DQ_OPE_SHRINKAGE, "dr-os");
    if (r->picks.sessions != (o->session != DQ_OPE_SESSION_ROW))
        dq_cli_usage(
            r->cli, "--session request|user|episode and the estimators pdis, wpdis and wis need one another");
    if (dq_cli_given(r->cli, "gamma") && !r->picks.sessions)
        dq_cli_usage(r->cli, "--gamma belongs to pdis, wpdis and wis");
    if (dq_cli_given(r->cli, "slope-grid") && !slope) dq_cli_usage(r->cli, "--slope-grid belongs to slope");
    if (o->require_support && !dq_ope_study_knows_all(&r->study))
        dq_cli_usage(r->cli, "--require-support needs the target's probabilities of all items: a column says "
                             "those of the logged ones");
    bool weighs = false;
    for (size_t i = 0; i < r->picks.count; i++) weighs |= !r->picks.at[i].estimator->unweighted;
    if (o->min_ess > 0 && !weighs)
        dq_cli_usage(r->cli, "--min-ess has no effect: no weight enters %s", o->estimators);
    if (r->o->format == EVAL_TREC) dq_cli_usage(r->cli, "--ope has no trec format");
    if ((dq_ope_study_reads_again(&r->study) || o->targets.count > 1) && !dq_ope_log_again(&r->study.log))
        dq_cli_usage(r->cli, "this reads the log more than once: it has to be a file%s",
                     r->study.rewards >= DQ_OPE_BY_TABLE || r->o->ope.estimated
                         ? ""
                         : ", or --catalogue has to name the items");
}

static void set_study(ope_run *r)
{
    const eval_options *o = r->o;
    dq_error error = DQ_ERROR_NONE;
    if (dq_ope_picks_add(&r->picks, o->ope.estimators, &error)) dq_cli_refuse(r->cli, "--ope", &error);
    if (dq_label_map_parse(&r->map, o->map, &error)) dq_cli_refuse(r->cli, "--map", &error);
    r->study.log = (dq_ope_log){
        .paths = r->cli->operands,
        .path_count = r->cli->operand_count,
        .catalogue = o->ope.catalogue,
        .map = &r->map,
        .unanswered = o->unanswered,
        .session = (dq_ope_session)o->ope.session,
    };
    if (o->ope.estimated) r->study.propensities = DQ_OPE_BY_COUNTS + (dq_ope_propensities)o->ope.propensities;
    r->study.config = (dq_ope_config){.picks = &r->picks,
                                      .clip = dq_cli_given(r->cli, "clip") ? o->ope.clip : INFINITY,
                                      .tau = o->ope.tau,
                                      .shrinkage = o->ope.shrinkage,
                                      .gamma = o->ope.gamma,
                                      .confidence = o->confidence,
                                      .resamples = (size_t)o->resamples,
                                      .seed = o->common.seed};
    set_target(r);
    set_rewards(r);
    set_grid(r);
    check_inputs(r);
    check_options(r);
}

static void say_left_out(const ope_run *r, uint64_t rows, const char *what)
{
    if (rows) dq_cli_say(r->cli, &r->o->common, "%llu rows %s are left out", (unsigned long long)rows, what);
}

static void say_rest(const ope_run *r)
{
    const dq_ope_study *s = &r->study;
    const dq_common *c = &r->o->common;
    char words[200];
    if (dq_log_join_describe(&s->log.join, words, sizeof words)) dq_cli_say(r->cli, c, "%s", words);
    dq_cli_say(r->cli, c,
               "%llu rows, whose weights have the mean %.4g (1: the log shows whatever the target takes)",
               (unsigned long long)s->weights.rows, s->weights.mean);
    say_left_out(r, s->log.unrewarded, "without a reward");
    say_left_out(r, s->log.unweighed, "without a propensity");
    say_left_out(r, s->log.strangers, "of users whom the catalogue does not have");
    say_left_out(r, s->unlisted, "of users for whom the target has no list");
    if (s->log.items_of_log)
        dq_cli_say(r->cli, c, "there is no catalogue: the %zu items are those of the log (--catalogue)",
                   dq_index_count(&s->log.logged_items));
    if (s->linear.features && !s->features.vectors)
        dq_cli_say(r->cli, c, "vectors are wide: the model of rewards sees their cosines alone");
    if (s->linear.unsettled) dq_cli_say(r->cli, c, "the model of rewards still changed in its last reading");
    if (s->propensity.unsettled)
        dq_cli_say(r->cli, c, "the propensities still changed in their last reading");
}

/* What makes an estimate untrustworthy, where the caller wants that to be an error. */
static dq_status check_trust(const ope_run *r, dq_error *error)
{
    const dq_ope_study *s = &r->study;
    for (size_t i = 0; i < r->picks.count; i++)
        if (!r->picks.at[i].estimator->unweighted && r->estimates[i].ess < r->o->ope.min_ess)
            return dq_fail(error, DQ_ERR_RANGE,
                           "%s has an effective sample size of %.6g, less than the %.9g of --min-ess",
                           r->estimates[i].name, r->estimates[i].ess, r->o->ope.min_ess);
    if (r->o->ope.require_support && s->unsupported > 0)
        return dq_fail(error, DQ_ERR_RANGE,
                       "%.4g %% of the target's choices are never in the log (--require-support)",
                       100 * s->unsupported);
    return DQ_OK;
}

static dq_status print(const void *run, const eval_options *o, int format, dq_sink *out, dq_error *error)
{
    const ope_run *r = run;
    (void)o;
    return dq_ope_print(r->estimates, r->picks.count, r->study.unsupported, (dq_ope_format)format, out,
                        error);
}

static dq_status figure(const void *run, const eval_options *o, dq_figure *figure, dq_error *error)
{
    const ope_run *r = run;
    return dq_ope_figure(r->estimates, r->picks.count, o->confidence, figure, error);
}

static dq_status run_target(ope_run *r, dq_error *error)
{
    dq_status status = dq_ope_study_run(&r->study, r->estimates, error);
    if (status) return status;
    if (r->o->ope.targets.count > 1) dq_cli_say(r->cli, &r->o->common, "%s:", r->target);
    say_rest(r);
    return check_trust(r, error);
}

/* Whether the first target is better than the second. */
static dq_status check_better(const ope_run *runs, dq_error *error)
{
    char words[160];
    if (!runs->o->ope.require_better) return DQ_OK;
    if (!dq_ope_is_better(runs[0].estimates, runs[1].estimates, words, sizeof words))
        return dq_fail(error, DQ_ERR_RANGE, "%s of %s (--require-better)", words, runs[1].target);
    dq_cli_say(runs->cli, &runs->o->common, "%s of %s", words, runs[1].target);
    return DQ_OK;
}

/* Several targets, or how they differ. */
static dq_status write_targets(const ope_run *runs, size_t count, dq_error *error)
{
    const eval_options *o = runs->o;
    const dq_compare_options how = eval_compare_options(o);
    dq_ope_judged judged[DQ_OPE_MAX_TARGETS];
    dq_compared found = {0};
    for (size_t i = 0; i < count; i++)
        judged[i] = (dq_ope_judged){runs[i].target, &runs[i].study, runs[i].estimates};
    dq_status status = o->compare.against ? dq_ope_compare_targets(judged, count, &how, &found, error)
                                          : dq_ope_list_targets(judged, count, &found.table, error);
    return eval_write_compared(&found, status, o, runs->cli, error);
}

dq_status eval_off_policy(const eval_options *o, dq_cli *cli, dq_error *error)
{
    static ope_run runs[DQ_OPE_MAX_TARGETS];
    size_t count = o->ope.targets.count;
    dq_status status = DQ_OK;
    if (!count || count > DQ_OPE_MAX_TARGETS)
        dq_cli_usage(cli, "--target is needed, up to %d: uniform, ranking:FILE, model:FILE or column:NAME",
                     DQ_OPE_MAX_TARGETS);
    if (count != 2 && o->ope.require_better) dq_cli_usage(cli, "--require-better needs two --targets");
    if (count > 1 && o->plot) dq_cli_usage(cli, "--plot draws the estimates of one --target");
    for (size_t i = 0; i < count; i++) {
        runs[i] = (ope_run){.o = o, .cli = cli, .target = o->ope.targets.at[i]};
        set_study(&runs[i]);
    }
    for (size_t i = 0; i < count && !status; i++) status = run_target(&runs[i], error);
    if (!status && (count > 1 || o->compare.against))
        status = write_targets(runs, count, error);
    else if (!status)
        status = eval_write(&(eval_result){.of = runs,
                                           .print = print,
                                           .texts = 1,
                                           .title = "Off-policy evaluation",
                                           .caption = "Estimates",
                                           .view = DQ_PAGE_PLAIN,
                                           .figure = figure},
                            o, cli, error);
    if (!status) status = check_better(runs, error);
    for (size_t i = 0; i < count; i++) {
        dq_ope_study_free(&runs[i].study);
        dq_label_map_free(&runs[i].map);
    }
    return status;
}
