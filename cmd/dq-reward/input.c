/* SPDX-License-Identifier: MIT */
#include "data/transitions.h"
#include "reward.h"
#include "serve.h"

#include <stdlib.h>
#include <string.h>

static dq_status hold(dq_bundle **bundles, size_t *count, dq_bundle *bundle, dq_error *error)
{
    dq_bundle *grown = realloc(*bundles, (*count + 1) * sizeof *grown);
    if (!grown) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for the input");
    *bundles = grown;
    grown[(*count)++] = *bundle;
    *bundle = DQ_BUNDLE_EMPTY;
    return DQ_OK;
}

/* --labels-only: the catalogue is whole when the first pair is asked. */
static dq_status answer(dq_reward_run *s, const dq_bundle *bundle, dq_error *error)
{
    dq_status status = DQ_OK;
    if (!s->answering) status = dq_catalogue_finish(&s->catalogue, false, error);
    if (!s->answering && !status) status = dq_reward_ready(s, error);
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

static dq_status take_transitions(dq_reward_run *s, dq_bundle *bundle, dq_error *error)
{
    dq_bundle carried;
    dq_status status = dq_transitions_carry(&carried, bundle, &s->catalogue, error);
    if (!status) status = hold(&s->transitions, &s->transition_count, &carried, error);
    return status;
}

/* Catalogue and transitions are kept; a model and what we do not know goes on at once, rankings at the end.
 */
static dq_status take_bundle(dq_reward_run *s, dq_bundle *bundle, dq_error *error)
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

dq_status dq_reward_read(dq_reward_run *s, dq_error *error)
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

void dq_reward_forget(dq_reward_run *s)
{
    free_bundles(s->transitions, s->transition_count);
    free_bundles(s->rankings, s->ranking_count);
}
