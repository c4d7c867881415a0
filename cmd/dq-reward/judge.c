/* SPDX-License-Identifier: MIT */
#include "judge.h"

#include <stdio.h>

dq_status dq_reward_judge_load(dq_reward_judge *j, const dq_llm_options *options, dq_error *error)
{
    j->options = options;
    return dq_messages_load(&j->messages, options->prompt, error);
}

/* ---- --show-prompt ---- */

static dq_status show_stage(dq_messages *p, dq_prompt_stage stage, uint32_t user, uint32_t item,
                            dq_json_text *line, dq_error *error)
{
    line->bytes = 0;
    dq_status status = dq_messages_show(p, stage, user, item, line, error);
    if (!status) (void)fwrite(line->data, 1, line->bytes, stdout);
    return status;
}

static dq_status show_pairs(void *self, const uint32_t *user, const uint32_t *item, size_t n, dq_error *error)
{
    dq_reward_judge *j = self;
    bool two = j->options->stages == 2;
    dq_json_text line = DQ_JSON_TEXT_EMPTY;
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < n; i++) {
        status = show_stage(&j->messages, two ? DQ_PROMPT_FIRST : DQ_PROMPT_ONCE, user[i], item[i], &line,
                            error);
        if (!status && two)
            status = show_stage(&j->messages, DQ_PROMPT_SECOND, user[i], item[i], &line, error);
    }
    dq_json_text_free(&line);
    return status;
}

static dq_status no_labels(void *self, size_t n, dq_verdict *verdicts, dq_error *error)
{
    (void)self;
    (void)error;
    for (size_t i = 0; i < n; i++) verdicts[i] = (dq_verdict){.none = true};
    return DQ_OK;
}

/* ---- life ---- */

static dq_llm_config config_of(const dq_llm_options *o)
{
    dq_llm_config config = {.ask = {.options = &o->ask, .model = o->model, .go_on = o->allow_missing},
                            .two_stages = o->stages == 2,
                            .votes = o->votes,
                            .soft = o->soft,
                            .format = (dq_answer_format)o->format};
    (void)dq_reward_temperature(o->temperature, &config.temperature); /* checked before */
    return config;
}

dq_status dq_reward_judge_ready(dq_reward_judge *j, dq_labeller *labeller, const dq_catalogue *catalogue,
                                dq_error *error)
{
    dq_status status = dq_messages_ready(&j->messages, catalogue, j->options->stages == 2, error);
    if (status) return status;
    if (j->options->show_prompt) {
        labeller->source = (dq_label_source){.submit = show_pairs, .take = no_labels, .self = j};
        return DQ_OK;
    }
    dq_llm_config config = config_of(j->options);
    status = dq_llm_open(&j->llm, &config, &j->messages, &labeller->map, error);
    if (!status) labeller->source = dq_llm_source(j->llm);
    return status;
}

/* "2 answers are not in the cache, 1 could not be read (--retry-unreadable asks again)" */
static const char *why_missing(const dq_reward_judge *j, char *room, size_t n)
{
    const dq_ask_stats *t = dq_llm_stats(j->llm);
    const struct {
        uint64_t count;
        const char *what;
    } reasons[] = {{t->missing, "not in the cache"},
                   {t->unreadable, "not to be read (--retry-unreadable asks again)"},
                   {t->failed, "not to be had"}};
    size_t used = (size_t)snprintf(room, n, "answers:");
    for (size_t i = 0, said = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].count && used < n)
            used += (size_t)snprintf(room + used, n - used, "%s %llu %s", said++ ? "," : "",
                                     (unsigned long long)reasons[i].count, reasons[i].what);
    return room;
}

dq_status dq_reward_judge_miss(const dq_reward_judge *j, uint64_t total, dq_error *error)
{
    uint64_t missing = j->llm ? dq_llm_missing(j->llm) : 0;
    char why[200];
    if (!missing || j->options->allow_missing || j->options->ask.dry_run) return DQ_OK;
    return dq_fail(error, DQ_ERR_UNKNOWN,
                   "%llu of %llu pairs have no label: %s; --allow-missing leaves them null",
                   (unsigned long long)missing, (unsigned long long)total, why_missing(j, why, sizeof why));
}

static void say(const dq_reward_judge *j, const dq_cli *cli, const dq_common *common, uint64_t total)
{
    const dq_ask_stats *t = dq_llm_stats(j->llm);
    uint64_t missing = dq_llm_missing(j->llm);
    dq_llm_softness soft = dq_llm_soft(j->llm);
    char why[200];
    dq_cli_say(cli, common, "%llu pairs: %llu answers from the cache, %llu asked", (unsigned long long)total,
               (unsigned long long)t->hits, (unsigned long long)t->asked);
    if (missing)
        dq_cli_say(cli, common, "%llu pairs have no label: %s", (unsigned long long)missing,
                   why_missing(j, why, sizeof why));
    if (soft.bare)
        dq_cli_say(
            cli, common,
            "%llu of %llu answers have no log-probabilities: %llu rewards are of labels alone (--refresh "
            "asks for those of answers that were kept without)",
            (unsigned long long)soft.bare, (unsigned long long)soft.answers, (unsigned long long)soft.hard);
}

dq_status dq_reward_judge_end(dq_reward_judge *j, const dq_cli *cli, const dq_common *common, uint64_t total,
                              dq_status status, dq_error *error)
{
    if (j->llm) dq_ask_say_mended(dq_llm_stats(j->llm), cli, common);
    if (!status && j->llm) status = dq_reward_judge_miss(j, total, error);
    if (!status && j->llm && j->options->ask.dry_run)
        dq_ask_print_plan(dq_llm_stats(j->llm), &j->options->ask, NULL);
    else if (!status && j->llm)
        say(j, cli, common, total);
    status = dq_llm_close(j->llm, status, error);
    dq_messages_free(&j->messages);
    j->llm = NULL;
    return status;
}
