/* SPDX-License-Identifier: MIT
 *
 * dq-eval --agreement: how far the labels of several streams agree.
 */
#include "eval.h"

#include "label/agreement_figure.h"
#include "label/agreement_print.h"

#include <inttypes.h>

static void say(const eval_options *o, const dq_cli *cli, const dq_labelled *l)
{
    dq_cli_say(cli, &o->common, "%" PRIu64 " pairs have labels of all %u streams, %" PRIu64 " of some only",
               l->in_all, l->raters, l->in_some);
    for (uint32_t i = 0; i < l->raters; i++)
        if (l->rater[i].nameless)
            dq_cli_say(cli, &o->common,
                       "%s: %" PRIu64 " labels of rows that name no user or no item do not count",
                       l->rater[i].path, l->rater[i].nameless);
    for (uint32_t i = 0; i < l->raters; i++)
        if (l->rater[i].again)
            dq_cli_say(cli, &o->common,
                       "%s: %" PRIu64 " labels of pairs that it labels again: the last counts",
                       l->rater[i].path, l->rater[i].again);
    if (!l->ordered)
        dq_cli_say(
            cli, &o->common,
            "no weighted kappa, no ordinal or interval alpha: the label %s has no value (--gains, --map)",
            l->unordered);
}

static dq_status read(const eval_options *o, const dq_cli *cli, dq_labelled *l, dq_error *error)
{
    dq_status status = DQ_OK;
    bool by_map = dq_cli_given(cli, "map");
    for (size_t i = 0; i < cli->operand_count && !status; i++)
        status = dq_labelled_read(l, cli->operands[i], error);
    if (!status) status = dq_labelled_finish(l, by_map ? o->map : o->gains, error);
    if (!status && !l->ordered && (by_map || dq_cli_given(cli, "gains")))
        status = dq_fail(error, DQ_ERR_UNKNOWN, "--%s has no value of the label %s", by_map ? "map" : "gains",
                         l->unordered);
    return status;
}

typedef struct agreed {
    const dq_labelled *labelled;
    const dq_agreement *agreement;
} agreed;

static dq_status print(const void *result, const eval_options *o, int format, dq_sink *out, dq_error *error)
{
    const agreed *r = result;
    return dq_agreement_print(r->labelled, r->agreement, (dq_agreement_format)format, o->confidence, out,
                              error);
}

static dq_status figure(const void *result, const eval_options *o, dq_figure *to, dq_error *error)
{
    const agreed *r = result;
    return dq_agreement_figure(r->labelled, r->agreement, o->confidence, to, error);
}

dq_status eval_agreement(const eval_options *o, const dq_cli *cli, dq_error *error)
{
    dq_labelled l = {0};
    dq_agreement a = {0};
    dq_rng rng = dq_rng_new(o->common.seed);
    dq_status status = read(o, cli, &l, error);
    const dq_ratings ratings = dq_labelled_ratings(&l);
    if (!status) status = dq_agreement_find(&ratings, (size_t)o->resamples, o->confidence, &rng, &a, error);
    if (!status) say(o, cli, &l);
    if (!status)
        status = eval_write(&(eval_result){.of = &(agreed){&l, &a},
                                           .print = print,
                                           .texts = 5,
                                           .title = "Agreement of labels",
                                           .caption = "Measures of agreement",
                                           .view = DQ_PAGE_AGREEMENT,
                                           .figure = figure},
                            o, cli, error);
    dq_agreement_free(&a);
    dq_labelled_free(&l);
    return status;
}

void eval_check_agreement(const dq_cli *cli, const eval_options *o)
{
    size_t from_stdin = 0;
    dq_error error = DQ_ERROR_NONE;
    dq_label_map map = {0};
    const char *scale = dq_cli_given(cli, "map") ? "map" : "gains";
    if (cli->operand_count < 2 || cli->operand_count > DQ_RATERS)
        dq_cli_usage(cli, "--agreement compares 2 to %d streams", DQ_RATERS);
    for (size_t i = 0; i < cli->operand_count; i++)
        from_stdin += cli->operands[i][0] == '-' && !cli->operands[i][1];
    if (from_stdin > 1) dq_cli_usage(cli, "stdin can be read only once");
    if (o->format == EVAL_TREC) dq_cli_usage(cli, "--agreement has no trec format");
    if (dq_label_map_parse(&map, *scale == 'm' ? o->map : o->gains, &error))
        dq_cli_refuse(cli, *scale == 'm' ? "--map" : "--gains", &error);
    dq_label_map_free(&map);
}
