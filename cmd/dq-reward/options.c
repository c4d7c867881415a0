/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "core/words/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool dq_reward_prints(const dq_llm_options *o)
{
    return o->ask.dry_run || o->show_prompt;
}

bool dq_reward_temperature(const char *text, double *temperature)
{
    *temperature = NAN;
    if (strcmp(text, "none") == 0) return true;
    return dq_number_is(text, temperature) && *temperature >= 0 && *temperature <= 2;
}

static void check_model(const dq_llm_options *o, const dq_cli *cli)
{
    double temperature;
    if (o->ledger || o->export_cache || o->import_cache || o->show_prompt) return;
    if (!o->model) dq_cli_usage(cli, "--model NAME is needed: which model the server shall use");
    if (!dq_reward_temperature(o->temperature, &temperature))
        dq_cli_usage(cli, "--temperature: '%s' is not a number in 0 .. 2, nor none", o->temperature);
    dq_ask_check(&o->ask, cli);
}

void dq_reward_apply_options(const dq_reward_options *o, const dq_cli *cli, dq_labeller *labeller,
                             dq_pair_plan *plan)
{
    dq_error e = DQ_ERROR_NONE;
    dq_pair_names pair;
    dq_arena scratch = DQ_ARENA_EMPTY;
    dq_ask_check_cache("--ledger", o->llm.ledger, cli);
    dq_ask_check_cache("--export-cache", o->llm.export_cache, cli);
    dq_ask_check_cache("--import-cache", o->llm.import_cache, cli);
    if (dq_label_map_parse(&labeller->map, o->map, &e)) dq_cli_refuse(cli, "--map", &e);
    if (dq_strategies[o->strategy].model) check_model(&o->llm, cli);
    if (o->strategy == DQ_STRATEGY_HUMAN && !o->answers)
        dq_cli_usage(cli, "--strategy human keeps its answers: name a file with --answers");
    if (o->pairs && dq_pair_plan_parse(plan, o->pairs, &e)) dq_cli_refuse(cli, "--pairs", &e);
    for (size_t i = 0; i < o->pair_fields.count; i++)
        if (dq_pair_parse(o->pair_fields.at[i], &scratch, &pair, &e)) dq_cli_refuse(cli, "--compare", &e);
    dq_arena_free(&scratch);
    labeller->strategy = (dq_strategy)o->strategy;
    labeller->raw_cosine = o->raw_cosine;
    labeller->weight = o->weight;
    labeller->threads = dq_cli_threads(&o->common, 1);
    if (o->pairs_file) plan->from = DQ_PAIRS_LISTED;
    plan->seed = o->common.seed;
    plan->strict = o->strict;
}

const char *dq_reward_prompt_at(size_t i)
{
    static const char *const names[] = {"jobs", "items", NULL};
    return names[i];
}

const char *dq_reward_pairs_at(size_t i)
{
    return dq_pair_plan_words[i];
}
