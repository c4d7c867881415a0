/* SPDX-License-Identifier: MIT
 *
 * dq-reward: rewards for pairs of users and items. Reads a catalogue, passes it on, and writes transitions.
 */
#include "caches.h"
#include "cli/filter.h"
#include "core/array.h"
#include "data/load.h"
#include "data/transitions.h"
#include "dq/source.h"
#include "human.h"
#include "judge.h"
#include "models/users.h"
#include "options.h"
#include "serve.h"
#include "write.h"

#include <stdlib.h>
#include <string.h>

typedef struct reward_run {
    const dq_reward_options *o;
    dq_filter filter;
    dq_catalogue catalogue;
    dq_labeller labeller;
    dq_reward_judge judge; /* a model */
    dq_human *human;
    dq_user_list wanted; /* none: everybody */
    dq_pair_plan plan;
    bool *only;      /* (users) they, of the plan */
    dq_source *list; /* --pairs-file */
    dq_reward_output out;
    dq_bundle *transitions, *rankings; /* of the input, held until the catalogue is whole */
    size_t transition_count, ranking_count;
    bool answering; /* --labels-only, and the catalogue is whole: pairs are answered as they come */
} reward_run;

/* ---- making ready ---- */

static dq_status choose_users(reward_run *s, dq_error *error)
{
    const dq_index *users = &s->catalogue.users.identity.ids;
    dq_status status = dq_user_list_check(&s->wanted, users, "in the catalogue", error);
    if (status || !dq_user_list_narrows(&s->wanted)) return status;
    if (!(s->only = calloc(dq_index_count(users) + 1, sizeof *s->only)))
        return dq_fail_memory(error, "users");
    for (uint32_t u = 0; u < dq_index_count(users); u++) {
        size_t n;
        const char *id = dq_index_id(users, u, &n);
        s->only[u] = dq_user_list_has(&s->wanted, id, n);
    }
    s->plan.only = s->only;
    return DQ_OK;
}

static dq_status next_line(void *source, const char **line, size_t *bytes, dq_error *error)
{
    char *text = NULL;
    dq_status status = dq_source_line(source, &text, bytes, error);
    *line = text;
    return status;
}

static dq_status open_list(reward_run *s, dq_error *error)
{
    if (!s->o->pairs_file) return DQ_OK;
    dq_status status = dq_source_open(&s->list, s->o->pairs_file, error);
    if (status) return status;
    s->plan.line = next_line;
    s->plan.line_arg = s->list;
    s->plan.list = dq_source_name(s->list);
    return DQ_OK;
}

static bool any_pairs_in_stream(const reward_run *s)
{
    return s->transition_count || s->catalogue.interaction_bundle_count;
}

/* Makes the strategy ready for a finished catalogue. */
static dq_status make_ready(reward_run *s, dq_error *error)
{
    dq_status status = choose_users(s, error);
    if (!status) status = open_list(s, error);
    if (!status && !s->o->labels_only && s->plan.from == DQ_PAIRS_STREAM && !any_pairs_in_stream(s))
        status = dq_fail(
            error, DQ_ERR_UNKNOWN,
            "the stream has no pairs: neither transitions nor interactions (--pairs all, random:N "
            "or top:N makes some)");
    if (!status) status = dq_labeller_ready(&s->labeller, &s->catalogue, error);
    const dq_strategy_kind *kind = &dq_strategies[s->labeller.strategy];
    if (!status && (kind->cosine || s->plan.from == DQ_PAIRS_TOP))
        status = dq_labeller_fields(&s->labeller, s->o->pair_fields.at, s->o->pair_fields.count, error);
    bool everybody = (s->plan.from == DQ_PAIRS_ALL || s->plan.from == DQ_PAIRS_TOP) && !s->plan.only;
    if (!status && everybody && s->labeller.pairing_count) dq_labeller_measure(&s->labeller);
    if (!status && kind->model) return dq_reward_judge_ready(&s->judge, &s->labeller, &s->catalogue, error);
    if (status || !kind->asked) return status;
    status = dq_human_open(&s->human, s->o->answers, &s->catalogue, &s->labeller.map, error);
    if (!status) s->labeller.source = dq_human_source(s->human);
    return status;
}

/* ---- reading ---- */

static dq_status hold(dq_bundle **bundles, size_t *count, dq_bundle *bundle, dq_error *error)
{
    if (!dq_array_resize(bundles, *count + 1, sizeof **bundles))
        return dq_fail(error, DQ_ERR_MEMORY, "out of memory for the input");
    (*bundles)[(*count)++] = *bundle;
    *bundle = DQ_BUNDLE_EMPTY;
    return DQ_OK;
}

/* --labels-only: the catalogue is whole when the first pair is asked. */
static dq_status answer(reward_run *s, const dq_bundle *bundle, dq_error *error)
{
    dq_status status = DQ_OK;
    if (!s->answering) status = dq_catalogue_finish(&s->catalogue, false, error);
    if (!s->answering && !status) status = make_ready(s, error);
    s->answering = true;
    s->out.written += bundle->rows;
    if (!status) status = dq_reward_answer(s->filter.out, &s->labeller, bundle, error);
    return status ? status : dq_reward_judge_miss(&s->judge, s->out.written, error);
}

static bool of_catalogue(const dq_bundle *bundle)
{
    return strcmp(bundle->kind, DQ_KIND_USERS) == 0 || strcmp(bundle->kind, DQ_KIND_ITEMS) == 0 ||
           strcmp(bundle->kind, DQ_KIND_INTERACTIONS) == 0;
}

static dq_status take_transitions(reward_run *s, dq_bundle *bundle, dq_error *error)
{
    dq_bundle carried;
    dq_status status = dq_transitions_carry(&carried, bundle, &s->catalogue, error);
    if (!status) status = hold(&s->transitions, &s->transition_count, &carried, error);
    return status;
}

/* Catalogue and transitions are kept; a model and what we do not know goes on at once, rankings at the end.
 */
static dq_status take_bundle(reward_run *s, dq_bundle *bundle, dq_error *error)
{
    bool taken;
    if (s->answering && of_catalogue(bundle))
        return dq_fail(error, DQ_ERR_UNSUPPORTED, "--labels-only: a catalogue after pairs were answered");
    dq_status status = dq_catalogue_add(&s->catalogue, bundle, dq_reader_section(s->filter.in), &taken,
                                        error);
    if (status || taken) return status;
    if (s->o->labels_only)
        return strcmp(bundle->kind, DQ_KIND_TRANSITIONS) == 0 ? answer(s, bundle, error) : DQ_OK;
    if (strcmp(bundle->kind, DQ_KIND_TRANSITIONS) == 0) return take_transitions(s, bundle, error);
    if (strcmp(bundle->kind, DQ_KIND_RANKINGS) == 0)
        return hold(&s->rankings, &s->ranking_count, bundle, error);
    return dq_writer_put(s->filter.out, bundle, error);
}

/* Takes the whole input: the catalogue, transitions and rankings are kept, everything else is passed on. With
 * --labels-only each bundle of transitions is answered as it comes. */
static dq_status read_input(reward_run *s, dq_error *error)
{
    dq_bundle bundle;
    bool more;
    dq_status status;
    while (!(status = dq_filter_next(&s->filter, &bundle, &more, error)) && more) {
        status = dq_filter_blame(&s->filter, take_bundle(s, &bundle, error), error);
        dq_bundle_free(&bundle);
        if (status) return status;
    }
    if (!status && !s->answering) status = dq_catalogue_finish(&s->catalogue, false, error);
    return status;
}

static void free_bundles(dq_bundle *bundles, size_t count)
{
    for (size_t i = 0; i < count; i++) dq_bundle_free(&bundles[i]);
    free(bundles);
}

/* ---- writing ---- */

/* How many transitions will be written, or 0 when that is not known ahead. */
static uint64_t count_transitions(const reward_run *s, bool again)
{
    uint64_t rows = 0;
    if (!again) return dq_pairs_count(&s->plan, &s->catalogue);
    for (size_t i = 0; i < s->transition_count && !s->plan.only; i++) rows += s->transitions[i].rows;
    return rows;
}

static dq_status write_all(reward_run *s, dq_error *error)
{
    s->out.writer = s->filter.out;
    s->out.labeller = &s->labeller;
    s->out.plan = &s->plan;
    dq_status status = dq_catalogue_write(&s->catalogue, s->filter.out, error);
    bool again = s->plan.from == DQ_PAIRS_STREAM && s->transition_count > 0;
    dq_common bar = s->o->common;
    bar.quiet = bar.quiet || s->human; /* the terminal is for the questions */
    s->out.progress = dq_progress_start(&bar, "rewarding", "transitions", count_transitions(s, again));
    if (s->out.progress.on) {
        s->labeller.labelled = dq_reward_labelled;
        s->labeller.labelled_arg = &s->out;
    }
    for (size_t i = 0; !status && i < s->transition_count; i++)
        status = again ? dq_reward_relabel(&s->out, &s->transitions[i], error)
                       : dq_writer_put(s->filter.out, &s->transitions[i], error);
    if (!status && !again) status = dq_reward_write_new(&s->out, error);
    dq_progress_end(&s->out.progress);
    for (size_t i = 0; !status && i < s->ranking_count; i++)
        status = dq_writer_put(s->filter.out, &s->rankings[i], error);
    return status;
}

static void say_what_is_missing(const reward_run *s, const dq_cli *cli)
{
    const dq_common *common = &s->o->common;
    if (s->plan.skipped)
        dq_cli_say(cli, common, "%s: %llu pairs with an unknown user or item skipped (first: line %llu: %s)",
                   s->o->pairs_file, (unsigned long long)s->plan.skipped,
                   (unsigned long long)s->plan.first.record, s->plan.first.reason);
    if (s->labeller.unrewarded && !dq_reward_prints(&s->o->llm))
        dq_cli_say(cli, common, "%llu of %llu transitions have no reward: no label, or one outside the map",
                   (unsigned long long)s->labeller.unrewarded, (unsigned long long)s->out.written);
}

static dq_status run(reward_run *s, dq_cli *cli, dq_error *error)
{
    bool draws = s->plan.from == DQ_PAIRS_RANDOM;
    int64_t seed = draws ? (int64_t)s->o->common.seed : -1;
    dq_common common = s->o->common;
    if (dq_reward_prints(&s->o->llm)) common.output = "/dev/null"; /* words go to stdout, no stream */
    dq_status status = dq_filter_open(&s->filter, cli, &common, seed, error);
    if (!status)
        status = dq_user_list_fill(&s->wanted, s->o->users.at, s->o->users.count, s->o->users_file, error);
    if (!status) status = read_input(s, error);
    if (!status && !s->o->labels_only) status = make_ready(s, error);
    if (!status && !s->o->labels_only) status = write_all(s, error);
    status = dq_reward_judge_end(&s->judge, cli, &s->o->common, s->out.written, status, error);
    status = dq_filter_close(&s->filter, status, error);
    if (!status) say_what_is_missing(s, cli);
    return status;
}

static void clean_up(reward_run *s)
{
    dq_reward_output_free(&s->out);
    dq_source_close(s->list);
    free_bundles(s->transitions, s->transition_count);
    free_bundles(s->rankings, s->ranking_count);
    dq_human_close(s->human);
    dq_labeller_free(&s->labeller);
    dq_messages_free(&s->judge.messages);
    dq_user_list_free(&s->wanted);
    free(s->only);
    dq_catalogue_free(&s->catalogue);
}

/* A mode is a strategy, or something done with a cache. */
enum {
    COSINE = 1 << DQ_STRATEGY_COSINE,
    LOGGED = 1 << DQ_STRATEGY_LOGGED,
    LLM = 1 << DQ_STRATEGY_LLM,
    HYBRID = 1 << DQ_STRATEGY_HYBRID,
    HUMAN = 1 << DQ_STRATEGY_HUMAN,
    LEDGER = HUMAN << 1,
    EXPORT = HUMAN << 2,
    IMPORT = HUMAN << 3,
    MODEL = LLM | HYBRID,            /* ask one */
    LABELS = LOGGED | MODEL | HUMAN, /* whose rewards are of labels */
    STREAM = COSINE | LABELS
};

/* What is done with a cache alone. */
static unsigned of_cache(const dq_reward_options *o)
{
    return o->llm.ledger ? LEDGER : o->llm.export_cache ? EXPORT : o->llm.import_cache ? IMPORT : 0;
}

static dq_status use_cache(const dq_reward_options *o, dq_cli *cli, dq_error *error)
{
    switch (of_cache(o)) {
    case EXPORT: return dq_reward_export_cache(o->llm.export_cache, cli, &o->common, error);
    case IMPORT: return dq_reward_import_cache(o->llm.import_cache, cli, &o->common, error);
    default: return dq_ask_print_ledger(o->llm.ledger, cli, &o->common, error);
    }
}

/* A prompt's file is read first: it may be wrong, and the head names it by what it says. So may a key's. */
static dq_status load_prompt(reward_run *s, dq_reward_options *o, dq_error *error)
{
    if (!dq_strategies[o->strategy].model) return DQ_OK;
    dq_status status = dq_reward_judge_load(&s->judge, &o->llm, error);
    if (!status) o->llm.prompt = s->judge.messages.name;
    bool asks = !of_cache(o) && !o->llm.show_prompt;
    return status || !asks ? status : dq_ask_complete(&o->llm.ask, &o->key, error);
}

static const dq_mode modes[] = {
    {COSINE, "cosine", "--strategy cosine", .help = "rewards by cosine (--strategy cosine)"},
    {LOGGED, "logged", "--strategy logged", .help = "of the labels that were logged (--strategy logged)"},
    {LLM, "llm", "--strategy llm", .help = "of labels by a language model (--strategy llm)"},
    {HYBRID, "hybrid", "--strategy hybrid", .help = "its rewards and cosines, mixed (--strategy hybrid)"},
    {HUMAN, "human", "--strategy human", .help = "of labels by a person (--strategy human)"},
    {LEDGER, "ledger", "--ledger", .help = "what a cache has cost (--ledger CACHE)", .no_operands = true},
    {EXPORT, "export", "--export-cache", .help = "a cache's answers as a stream (--export-cache CACHE)",
     .no_operands = true},
    {IMPORT, "import", "--import-cache", .help = "a stream's answers into a cache (--import-cache CACHE)"},
    {0}};

static const dq_program program = {
    .name = "dq-reward",
    .guide = "rewards.md",
    .summary =
        "rewards for pairs of users and items: by cosine, from logged labels, asking a model or a person",
    .operands = "[FILE]...",
    .modes = modes,
    .examples =
        {"dq-export --schema jobs FOLDER | dq-reward --strategy logged | dq-train --offline -o model.dq",
         "dq-reward --strategy llm --model NAME --pairs random:50 --cache rewards.db < catalogue.dq > t.dq"},
};
static const char *const strategies[] = {"cosine", "logged", "llm", "hybrid", "human", NULL};

int main(int argc, char **argv)
{
    dq_reward_options o = {
        .common = DQ_COMMON_DEFAULTS, .map = DQ_LABEL_MAP_DEFAULT, .weight = 0.5, .llm = DQ_LLM_DEFAULTS};
    const dq_option table[] = {
        {"strategy", 's', DQ_OPT_CHOICE, &o.strategy, "NAME", "where rewards come from",
         .flags = DQ_OPT_PAYLOAD, .choices = strategies, .modes = STREAM},
        {"pairs", 'p', DQ_OPT_TEXT, &o.pairs, "WHICH",
         "pairs to label: stream (its transitions, else its interactions), all, random:N or top:N per user "
         "(else stream)",
         .flags = DQ_OPT_PAYLOAD, .modes = STREAM, .excludes = "pairs-file labels-only",
         .values = dq_reward_pairs_at},
        {"pairs-file", 0, DQ_OPT_TEXT, &o.pairs_file, "FILE", "pairs to label: lines of user, tab, item",
         .modes = STREAM, .excludes = "labels-only"},
        {"compare", 0, DQ_OPT_LIST, &o.pair_fields, "U:I",
         "compare user field U with item field I; repeated: the mean (else the catalogue's pairs, else "
         "whole "
         "vectors)",
         .flags = DQ_OPT_PAYLOAD, .modes = STREAM},
        {"raw-cosine", 0, DQ_OPT_FLAG, &o.raw_cosine, NULL, "cosines as they are, not as (c + 1) / 2",
         .flags = DQ_OPT_PAYLOAD, .modes = STREAM},
        {"map", 0, DQ_OPT_TEXT, &o.map, "LABEL=R,...", "rewards of labels; a label outside has none",
         .flags = DQ_OPT_PAYLOAD, .modes = LABELS},
        {"user", 'u', DQ_OPT_LIST, &o.users, "ID", "label only this user's pairs; may be repeated",
         .flags = DQ_OPT_PAYLOAD, .modes = STREAM, .excludes = "labels-only"},
        {"users-file", 0, DQ_OPT_TEXT, &o.users_file, "FILE",
         "and those of the users whose ids are lines of FILE", .flags = DQ_OPT_PAYLOAD | DQ_OPT_READS,
         .modes = STREAM, .excludes = "labels-only"},
        {"shard", 0, DQ_OPT_TEXT, &o.part, "I/N",
         "of one of N parts of the users, by the hash of their ids: as many machines share the work",
         .flags = DQ_OPT_PAYLOAD, .modes = STREAM, .excludes = "user labels-only"},
        {"labels-only", 0, DQ_OPT_FLAG, &o.labels_only, NULL,
         "answer each bundle of transitions at once, with its labels alone; or DQ_LABELS_ONLY=1",
         .flags = DQ_OPT_PAYLOAD, .modes = STREAM, .excludes = "dry-run show-prompt"},
        {"strict", 0, DQ_OPT_FLAG, &o.strict, NULL, "an unknown id in --pairs-file is an error",
         .modes = STREAM, .needs = "pairs-file"},
        {"answers", 0, DQ_OPT_TEXT, &o.answers, "FILE",
         "JSON lines that keep the answers, and those already there", .flags = DQ_OPT_WRITES, .modes = HUMAN},
        {"weight", 'w', DQ_OPT_REAL, &o.weight, "W", "W cosine + (1 - W) llm", .flags = DQ_OPT_PAYLOAD,
         .min = 0, .max = 1, .modes = HYBRID},
        DQ_OPTIONS_LLM(o.llm, MODEL, LEDGER, EXPORT, IMPORT),
        DQ_OPTIONS_ASK(o.llm.ask, o.key, MODEL, 'j'),
        DQ_OPTION_SEED(o.common),
        DQ_OPTIONS_COMMON_IN(o.common, STREAM | EXPORT),
        {0},
    };
    const char *labels_only = getenv("DQ_LABELS_ONLY"); /* dq-train sets it for --reward-cmd */
    o.labels_only = labels_only && *labels_only && strcmp(labels_only, "0") != 0;
    dq_cli cli = dq_cli_parse(&program, table, argc, argv);
    dq_cli_check_stdin(&cli, "users-file");
    dq_cli_enter(&cli, of_cache(&o) ? of_cache(&o) : 1U << o.strategy);
    reward_run s = {.o = &o};
    dq_cli_shard(&cli, o.part, &s.wanted.shard);
    dq_error e = DQ_ERROR_NONE;
    dq_reward_apply_options(&o, &cli, &s.labeller, &s.plan);
    dq_status status = load_prompt(&s, &o, &e);
    if (!status) status = of_cache(&o) ? use_cache(&o, &cli, &e) : run(&s, &cli, &e);
    clean_up(&s);
    return dq_cli_finish(&cli, status, &e);
}
