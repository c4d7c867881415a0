/* SPDX-License-Identifier: MIT */
#include "rank.h"

#include <string.h>

bool rank_by_baseline(const rank_options *options)
{
    return options->by >= DQ_RANK_BY_POPULARITY;
}

/* Interactions alone; where they come from says an error. */
static dq_status read_train(dq_baseline *baseline, dq_reader *reader, const char *name, dq_error *error)
{
    dq_bundle bundle;
    dq_status status = DQ_OK;
    int got = 0;
    while (!status && (got = dq_reader_next(reader, &bundle, error)) > 0) {
        if (strcmp(bundle.kind, DQ_KIND_INTERACTIONS) == 0 &&
            (status = dq_baseline_learn(baseline, &bundle, error)))
            dq_error_at(error, dq_reader_source(reader), dq_reader_record(reader));
        dq_bundle_free(&bundle);
    }
    if (!status && got < 0) return error->status;
    if (!status && baseline->learnt.count == 0) {
        status = dq_fail(error, DQ_ERR_SCHEMA, "no interactions in it");
        dq_error_at(error, name, DQ_NO_RECORD);
    }
    return status;
}

dq_status rank_baseline_open(const rank_options *o, dq_baseline *baseline, dq_reader *train, dq_error *error)
{
    *baseline = (dq_baseline){.by = (dq_rank_by)o->by,
                              .seed = o->common.seed,
                              .likeness = (dq_likeness)o->likeness,
                              .shrink = o->shrink,
                              .most = (size_t)o->neighbours,
                              .learnt = {.map = o->map ? &o->weights : NULL, .time = o->time},
                              .apart = o->train != NULL};
    return train ? read_train(baseline, train, o->train, error) : DQ_OK;
}

dq_status rank_baseline_take(dq_baseline *baseline, const dq_bundle *interactions, bool late, dq_error *error)
{
    bool wanted = baseline->apart ? dq_baseline_is_personal(baseline) : dq_baseline_learns(baseline);
    if (!wanted || interactions->rows == 0) return DQ_OK;
    if (late)
        return dq_fail(
            error, DQ_ERR_UNSUPPORTED,
            "interactions come after items were ranked by --by %s: give the interactions first, or "
            "use --hold",
            dq_rank_by_names[baseline->by]);
    return baseline->apart ? dq_baseline_meet(baseline, interactions, error)
                           : dq_baseline_learn(baseline, interactions, error);
}

dq_status rank_baseline_begin(const rank_options *options, dq_baseline *baseline, const dq_entities *users,
                              const dq_rank_lists *lists, const dq_pool *pool, dq_error *error)
{
    dq_status status = dq_baseline_begin(baseline, users, lists->of_row, lists->count, dq_pool_threads(pool),
                                         error);
    if (status != DQ_ERR_SCHEMA || baseline->learnt.count) return status;
    dq_error why = *error;
    return dq_fail(error, status, "%s%s", why.reason,
                   options->hold ? "" : ": give them first, or use --hold where they come later");
}

/* Of interactions that came from `from`: "", the stream; "--train: ". */
static void say_feedback(const dq_cli *cli, const rank_options *options, const dq_feedback *feedback,
                         const char *from)
{
    char words[512];
    if (dq_feedback_describe_times(feedback, words, sizeof words))
        dq_cli_say(cli, &options->common, "%s%s", from, words);
    if (feedback->unmapped)
        dq_cli_say(cli, &options->common,
                   "%s%llu of %llu interactions have a label that --map does not have, or none, and count "
                   "nothing",
                   from, (unsigned long long)feedback->unmapped, (unsigned long long)feedback->count);
}

void rank_baseline_say(const dq_cli *cli, const rank_options *options, const dq_baseline *baseline)
{
    say_feedback(cli, options, &baseline->learnt, baseline->apart ? "--train: " : "");
    say_feedback(cli, options, &baseline->met, "");
    const char *what = baseline->by == DQ_RANK_BY_LAST_ITEM
                           ? "met nothing, or last an item that the interactions do not tell of"
                           : "met nothing that the interactions tell of";
    if (baseline->blank)
        dq_cli_say(cli, &options->common,
                   "%zu of %zu users %s: every item scores 0 for them, and the order is that of ids",
                   baseline->blank, baseline->lists, what);
}
