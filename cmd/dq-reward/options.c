/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool dq_reward_prints(const dq_llm_options *o)
{
    return o->ask.dry_run || o->show_prompt;
}

bool dq_reward_temperature(const char *text, double *temperature)
{
    char *end;
    *temperature = NAN;
    if (strcmp(text, "none") == 0) return true;
    *temperature = strtod(text, &end);
    return end != text && !*end && *temperature >= 0 && *temperature <= 2;
}

static void check_model(const dq_llm_options *o, const dq_cli *cli)
{
    double temperature;
    if (o->ledger || o->show_prompt) return;
    if (!o->model) dq_cli_usage(cli, "--model NAME is needed: which model the server shall use");
    if (!dq_reward_temperature(o->temperature, &temperature))
        dq_cli_usage(cli, "--temperature: '%s' is not a number in 0 .. 2, nor none", o->temperature);
    dq_ask_check(&o->ask, cli);
}

/* Options that exclude or need each other. */
static void check_options(const dq_reward_options *o, const dq_cli *cli)
{
    bool model = dq_strategies[o->strategy].model, human = o->strategy == DQ_STRATEGY_HUMAN;
    if (model) check_model(&o->llm, cli);
    if (human && !o->answers)
        dq_cli_usage(cli, "--strategy human keeps its answers: name a file with --answers");
    if (!human && o->answers) dq_cli_usage(cli, "--answers is for --strategy human");
    if (!model && dq_reward_prints(&o->llm))
        dq_cli_usage(cli, "--dry-run and --show-prompt are for --strategy llm and hybrid");
    if (dq_reward_prints(&o->llm) && (o->common.output || o->labels_only))
        dq_cli_usage(cli, "--dry-run and --show-prompt print words: no --output, no --labels-only");
    if (o->labels_only && (o->pairs || o->pairs_file || o->user))
        dq_cli_usage(cli, "--labels-only answers the stream's transitions: no --pairs, --pairs-file, --user");
    if (o->pairs && o->pairs_file) dq_cli_usage(cli, "--pairs and --pairs-file exclude each other");
}

void dq_reward_apply_options(const dq_reward_options *o, const dq_cli *cli, dq_labeller *labeller,
                             dq_pair_plan *plan)
{
    dq_error e = DQ_ERROR_NONE;
    dq_pair_names pair;
    dq_arena scratch = DQ_ARENA_EMPTY;
    if (dq_label_map_parse(&labeller->map, o->map, &e)) dq_cli_usage(cli, "--map: %s", e.reason);
    check_options(o, cli);
    if (o->pairs && dq_pair_plan_parse(plan, o->pairs, &e)) dq_cli_usage(cli, "--pairs: %s", e.reason);
    for (size_t i = 0; i < o->pair_fields.count; i++)
        if (dq_pair_parse(o->pair_fields.at[i], &scratch, &pair, &e))
            dq_cli_usage(cli, "--pair: %s", e.reason);
    dq_arena_free(&scratch);
    labeller->strategy = (dq_strategy)o->strategy;
    labeller->raw_cosine = o->raw_cosine;
    labeller->weight = o->weight;
    labeller->threads = dq_cli_threads(&o->common, 1);
    if (o->pairs_file) plan->from = DQ_PAIRS_LISTED;
    plan->seed = o->common.seed;
    plan->strict = o->strict;
}

void dq_reward_record(dq_option *table, dq_strategy strategy)
{
    const dq_strategy_kind *kind = &dq_strategies[strategy];
    static const struct {
        const char *name;
        bool labels, model, mixed;
    } needs[] = {{"map", true, false, false},    {"model", false, true, false},
                 {"prompt", false, true, false}, {"stages", false, true, false},
                 {"soft", false, true, false},   {"temperature", false, true, false},
                 {"votes", false, true, false},  {"weight", false, false, true}};
    for (; table->name; table++)
        for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
            if (strcmp(table->name, needs[i].name) != 0) continue;
            bool counts = (needs[i].labels && (kind->logged || kind->asked)) ||
                          (needs[i].model && kind->model) || (needs[i].mixed && kind->model && kind->cosine);
            if (!counts) table->flags = 0;
        }
}
