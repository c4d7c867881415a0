/* SPDX-License-Identifier: MIT
 *
 * Comparisons (lib/verdict/compared.h), written.
 */
#include "eval.h"

dq_compare_options eval_compare_options(const eval_options *o)
{
    dq_compare_options c = o->compare;
    c.resamples = o->resamples;
    c.seed = o->common.seed;
    c.confidence = o->confidence;
    c.map = o->map;
    c.unanswered = o->unanswered;
    c.time = o->time;
    c.brief = o->format == EVAL_TABLE || o->format == EVAL_LATEX || o->format == EVAL_MARKDOWN;
    return c;
}

void eval_say_compared(const dq_compared *compared, const eval_options *o, const dq_cli *cli)
{
    for (size_t i = 0; i < compared->note_count; i++) dq_cli_say(cli, &o->common, "%s", compared->notes[i]);
}

dq_status eval_write_compared(dq_compared *compared, dq_status status, const eval_options *o,
                              const dq_cli *cli, dq_error *error)
{
    if (!status) eval_say_compared(compared, o, cli);
    if (!status)
        status = eval_write(
            &(eval_result){.table = &compared->table, .title = "Comparison", .caption = "Differences"}, o,
            cli, error);
    dq_compared_free(compared);
    return status;
}

dq_status eval_compare(const eval_options *o, const dq_cli *cli, dq_error *error)
{
    const dq_compare_options c = eval_compare_options(o);
    dq_compared found = {0};
    dq_status status = o->paired ? dq_compared_scores(&c, cli->operands, cli->operand_count, &found, error)
                       : o->ab   ? dq_compared_ab(&c, cli->operands, cli->operand_count, &found, error)
                                 : dq_compared_sizes(&c, &found, error);
    return eval_write_compared(&found, status, o, cli, error);
}

void eval_check_compared(const dq_cli *cli, const eval_options *o)
{
    dq_error error = DQ_ERROR_NONE;
    dq_label_map map = {0};
    if (o->format == EVAL_TREC) dq_cli_usage(cli, "comparisons have no trec format");
    if (o->sample_size && !o->compare.units && !(o->compare.effect > 0))
        dq_cli_usage(
            cli, "--sample-size needs --effect X, to find units for, or --units N, to find an effect for");
    if (o->by_query || o->by) dq_cli_usage(cli, "--against prints differences: no --by-query and no --by");
    if (dq_label_map_parse(&map, o->map, &error)) dq_cli_refuse(cli, "--map", &error);
    dq_label_map_free(&map);
}
