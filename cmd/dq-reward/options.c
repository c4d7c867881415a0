/* SPDX-License-Identifier: MIT */
#include "reward.h"

#include <string.h>

void dq_reward_understand(dq_reward_run *s, const dq_cli *cli)
{
    const dq_reward_options *o = s->o;
    dq_error e = DQ_ERROR_NONE;
    dq_pair_names pair;
    dq_arena scratch = DQ_ARENA_EMPTY;
    s->labeller.strategy = (dq_strategy)o->strategy;
    s->labeller.raw_cosine = o->raw_cosine;
    s->labeller.weight = o->weight;
    s->labeller.threads = dq_cli_threads(&o->common, 1);
    if (dq_label_map_parse(&s->labeller.map, o->map, &e)) dq_cli_usage(cli, "--map: %s", e.reason);
    bool model = dq_strategies[o->strategy].model, human = o->strategy == DQ_STRATEGY_HUMAN;
    if (model) dq_llm_check(&o->llm, cli);
    if (human && !o->answers)
        dq_cli_usage(cli, "--strategy human keeps its answers: name a file with --answers");
    if (!human && o->answers) dq_cli_usage(cli, "--answers is for --strategy human");
    if (!model && dq_reward_judge_prints(&o->llm))
        dq_cli_usage(cli, "--dry-run and --show-prompt are for --strategy llm and hybrid");
    if (dq_reward_judge_prints(&o->llm) && (o->common.output || o->labels_only))
        dq_cli_usage(cli, "--dry-run and --show-prompt print words: no --output, no --labels-only");
    if (o->labels_only && (o->pairs || o->pairs_file || o->user))
        dq_cli_usage(cli, "--labels-only answers the stream's transitions: no --pairs, --pairs-file, --user");
    if (o->pairs && o->pairs_file) dq_cli_usage(cli, "--pairs and --pairs-file exclude each other");
    if (o->pairs && dq_pair_plan_parse(&s->plan, o->pairs, &e)) dq_cli_usage(cli, "--pairs: %s", e.reason);
    for (size_t i = 0; i < o->pair_fields.count; i++)
        if (dq_pair_parse(o->pair_fields.at[i], &scratch, &pair, &e))
            dq_cli_usage(cli, "--pair: %s", e.reason);
    dq_arena_free(&scratch);
    if (o->pairs_file) s->plan.from = DQ_PAIRS_FILE;
    s->plan.file = o->pairs_file;
    s->plan.seed = o->common.seed;
    s->plan.strict = o->strict;
}

void dq_reward_record(dq_option *table, dq_strategy strategy)
{
    const dq_strategy_kind *kind = &dq_strategies[strategy];
    static const struct {
        const char *name;
        bool labels, judged, mixed;
    } needs[] = {{"map", true, false, false},    {"model", false, true, false},
                 {"prompt", false, true, false}, {"stages", false, true, false},
                 {"soft", false, true, false},   {"temperature", false, true, false},
                 {"votes", false, true, false},  {"weight", false, false, true}};
    for (; table->name; table++)
        for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
            if (strcmp(table->name, needs[i].name) != 0) continue;
            bool counts = (needs[i].labels && (kind->logged || kind->judged)) ||
                          (needs[i].judged && kind->model) || (needs[i].mixed && kind->model && kind->cosine);
            if (!counts) table->flags = 0;
        }
}
