/* SPDX-License-Identifier: MIT */
#include "train.h"

#include "data/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

static dq_status read_all(train *t, dq_error *error)
{
    train_offline_input *in = &t->logged;
    dq_status status = dq_reader_open(&t->inputs[0], t->cli->operands, t->cli->operand_count, error);
    if (status) return status;
    t->input_count = 1;
    in->from = (dq_dataset_logged){
        .dataset = &t->dataset, .sessions = t->o->sessions ? &in->log : NULL, .states = &in->states};
    return dq_dataset_read_logged(&in->from, t->inputs[0], error);
}

dq_status train_offline_read(train *t, unsigned *mode, dq_error *error)
{
    train_offline_input *in = &t->logged;
    in->log.map = &t->map;
    in->log.time = t->o->time;
    dq_status status = t->o->sessions ? train_read_map(t, error) : DQ_OK;
    if (!status) status = read_all(t, error);
    if (status) return status;
    *mode = t->o->sessions ? TRAIN_SESSIONS : in->states.count ? TRAIN_STATES : TRAIN_OFFLINE;
    if (in->states.count && t->o->sessions)
        return dq_fail(error, DQ_ERR_UNSUPPORTED,
                       "transitions with states are no sessions: learn from them without --sessions");
    if (in->states.count && t->dataset.count)
        return dq_fail(error, DQ_ERR_UNSUPPORTED,
                       "transitions with states, and others of users and items: learn from one of them");
    return DQ_OK;
}

/* --validate-by: each user's group. */
static dq_status make_groups(train *t, dq_error *error)
{
    const dq_entities *users = &t->dataset.catalogue.users;
    t->logged.group = malloc(((size_t)dq_entities_count(users) + 1) * sizeof *t->logged.group);
    if (!t->logged.group) return dq_fail_memory(error, "the input");
    dq_status status = dq_split_group(users, t->o->validate_by, t->logged.group, error);
    if (status != DQ_ERR_UNKNOWN) return status;
    return dq_fail(error, status, "--validate-by: no user has an attribute '%s'", t->o->validate_by);
}

/* ---- users and items ---- */

static dq_status make_catalogue(train *t, dq_error *error)
{
    train_offline_input *in = &t->logged;
    const dq_dataset *d = &t->dataset;
    bool labelled = false;
    for (size_t i = 0; i < d->count; i++) labelled = labelled || !isnan(d->transitions[i].reward);
    if (!labelled)
        return dq_fail(
            error, DQ_ERR_RANGE,
            "no transition with a reward in the input (dq-reward --strategy logged makes them from "
            "labels; --sessions learns from interactions)");
    dq_status status = dq_catalogue_check_vectors(&d->catalogue, error);
    if (!status) status = make_groups(t, error);
    if (!status) status = dq_offline_catalogue_init(&in->catalogue, d, error);
    if (status) return status;
    const dq_vectors items = dq_entities_vectors(&d->catalogue.items);
    in->shape = dq_catalogue_env_spec(&in->catalogue.users, &items);
    in->rows = dq_offline_catalogue_rows(&in->catalogue, in->group);
    return DQ_OK;
}

/* ---- sessions ---- */

/* Says what the order is taken from; an attribute that was asked for must be there. */
static dq_status check_order(const train *t, dq_error *error)
{
    const dq_session_log *log = &t->logged.log;
    char words[512];
    bool none = log->tally.count[DQ_TIME_NONE] > 0;
    if (none && dq_cli_given(t->cli, "time"))
        return dq_fail(error, DQ_ERR_UNKNOWN, "--time %s: the interactions have no such attribute%s%s",
                       log->time, *log->suggested ? "; one that reads as a time is " : "", log->suggested);
    if (dq_session_log_describe_order(log, words, sizeof words))
        dq_cli_say(t->cli, &t->o->common, "%s%s", words, none ? " (--time NAME)" : "");
    return DQ_OK;
}

static dq_status make_log(train *t, dq_error *error)
{
    train_offline_input *in = &t->logged;
    in->log.gap = t->o->session_gap;
    in->log.seconds = t->o->session_gap > 0 || t->o->layout.clock || t->o->layout.since;
    in->log.attribute = t->o->event_attribute;
    dq_status status = dq_session_log_take_values(&in->log, train_init_model(t, DQ_ABSENT),
                                                  &t->dataset.catalogue, t->o->event_values, &t->o->layout,
                                                  error);
    if (!status) status = dq_session_log_of_catalogue(&in->log, &t->dataset.catalogue, &in->by_user, error);
    in->by_user.layout = t->o->layout;
    in->by_user.layout.user_width = in->by_user.users.width;
    in->by_user.layout.item_width = in->by_user.items.width;
    return status ? status : check_order(t, error);
}

/* Sessions are laid out as those of the model that is started from, but for what an option says; the record
 * says it, too. */
static dq_status adopt_layout(train *t, dq_error *error)
{
    train_options *o = t->o;
    const dq_bundle *model = train_init_model(t, DQ_ABSENT);
    dq_session_layout from;
    dq_status status = model ? dq_session_layout_load(&from, model, error) : DQ_OK;
    if (status) return train_blame_init(t, status, error);
    if (!model || from.item_width == 0) return DQ_OK;
    const dq_value *sessions = dq_map_get(&model->meta, "sessions");
    dq_session_layout_inherit(&o->layout, &from, train_is_given, t->cli);
    if (!dq_cli_given(t->cli, "history")) train_take_history(o, from.history);
    if (!dq_cli_given(t->cli, "session-gap"))
        o->session_gap = dq_value_number(dq_map_get(sessions, "gap"), o->session_gap);
    if (!o->event_attribute)
        o->event_attribute = dq_value_text(&t->cli->arena, dq_map_get(sessions, "attribute"));
    t->maker = dq_cli_maker(t->cli, t->maker.seed);
    return DQ_OK;
}

static dq_status make_sessions(train *t, dq_error *error)
{
    train_offline_input *in = &t->logged;
    if (in->log.count == 0) return dq_fail(error, DQ_ERR_SCHEMA, "the input has no interactions");
    dq_status status = dq_entities_check_vectors(&t->dataset.catalogue.items, "items", error);
    if (!status) status = adopt_layout(t, error);
    if (!status) status = make_log(t, error);
    if (!status) status = make_groups(t, error);
    if (!status)
        status = dq_sessions_new(&in->sessions, &in->by_user, t->o->session_end == TRAIN_END_TERMINAL, error);
    if (status) return status;
    in->shape = dq_sessions_shape(&in->by_user);
    in->rows = dq_sessions_rows(in->sessions, in->group);
    return DQ_OK;
}

/* ---- transitions with vectors ---- */

static dq_status make_vectors(train *t, dq_error *error)
{
    train_offline_input *in = &t->logged;
    const dq_state_log *log = &in->states;
    const dq_vectors items = dq_entities_vectors(&t->dataset.catalogue.items);
    const dq_bundle *model = train_init_model(t, DQ_ABSENT);
    dq_status status = dq_state_log_check(log, items.count, error);
    if (status) return status;
    in->vectors = dq_offline_vectors_of(log);
    status = dq_offline_vectors_shape(log, &items, &in->shape, &in->named, error);
    if (!status && model)
        status = train_blame_init(
            t, dq_offline_vectors_learn_shape(&in->vectors, model, &t->cli->arena, &in->shape, error), error);
    if (!status) status = dq_offline_vectors_follow(&in->vectors, error);
    if (!status) in->rows = dq_offline_vectors_rows(&in->vectors);
    return status;
}

/* ---- any of them ---- */

static dq_status make_trajectories(train *t, dq_error *error)
{
    char words[256];
    train_offline_input *in = &t->logged;
    dq_status status = dq_offline_trajectories_new(&in->trajectories, &in->rows, &in->shape,
                                                   train_init_model(t, DQ_ABSENT),
                                                   dq_cli_given(t->cli, "context"), &t->o->config, error);
    if (status) return status;
    dq_offline_trajectories_describe(in->trajectories, words, sizeof words);
    dq_cli_say(t->cli, &t->o->common, "%s", words);
    return DQ_OK;
}

dq_status train_offline_rows(train *t, dq_error *error)
{
    dq_status status = train_read_init(t, error);
    if (!status && !t->o->sessions) status = train_read_map(t, error); /* of sessions it was read before */
    if (status) return status;
    status = t->cli->mode == TRAIN_STATES     ? make_vectors(t, error)
             : t->cli->mode == TRAIN_SESSIONS ? make_sessions(t, error)
                                              : make_catalogue(t, error);
    return status || !t->o->config.context ? status : make_trajectories(t, error);
}

void train_offline_free(train_offline_input *in)
{
    dq_offline_trajectories_free(in->trajectories);
    dq_sessions_free(in->sessions);
    dq_session_rows_free(&in->by_user);
    dq_session_log_free(&in->log);
    dq_offline_catalogue_free(&in->catalogue);
    dq_state_log_free(&in->states);
    free(in->vectors.following);
    free(in->group);
}
