/* SPDX-License-Identifier: MIT */
#include "train.h"

#include "log/answers.h"

/* ---- reading ---- */

static void say_log(const train *t, const dq_log_join *join)
{
    char words[256];
    if (!dq_log_join_describe(join, words, sizeof words)) return;
    dq_cli_say(t->cli, &t->o->common, "%s", words);
    if (t->base.from.strangers)
        dq_cli_say(t->cli, &t->o->common,
                   "%llu of them, of users or items that the catalogue lacks, are left out",
                   (unsigned long long)t->base.from.strangers);
}

static dq_status read_all(train *t, dq_error *error)
{
    dq_offline_input *in = &t->base.logged;
    dq_status status = dq_reader_open(&t->inputs[0], t->cli->operands, t->cli->operand_count, error);
    if (status) return status;
    t->input_count = 1;
    t->base.from = (dq_dataset_logged){.dataset = &t->base.dataset,
                                       .sessions = t->o->sessions ? &in->log : NULL,
                                       .states = &in->states,
                                       .map = &t->base.map};
    dq_log_join join = {.map = &t->base.map, .unanswered = t->o->unanswered};
    status = dq_log_join_reader(&join, t->inputs[0], t->cli->operands, t->cli->operand_count, error);
    if (!status) status = dq_dataset_read_logged(&t->base.from, t->inputs[0], error);
    if (!status && (t->o->sessions || !in->states.count)) status = dq_log_join_check(&join, error);
    if (!status) say_log(t, &join);
    dq_log_join_free(&join);
    return status;
}

/* States with vectors have no map: of these a bad one is refused as an option, by its mode. */
dq_status train_offline_read(train *t, unsigned *mode, dq_error *error)
{
    dq_error bad = DQ_ERROR_NONE;
    dq_offline_input *in = &t->base.logged;
    in->log.map = &t->base.map;
    in->log.time = t->o->time;
    dq_status unread = train_read_map(t, &bad), status = read_all(t, error);
    bool states = !status && !t->o->sessions && in->states.count;
    if (unread && !states) *error = bad;
    *mode = t->o->sessions ? TRAIN_SESSIONS : states ? TRAIN_STATES : TRAIN_OFFLINE;
    return unread && !states ? unread : status;
}

/* ---- sessions ---- */

/* Says what the order is taken from; an attribute that was asked for must be there. */
static dq_status check_order(const train *t, dq_error *error)
{
    const dq_session_log *log = &t->base.logged.log;
    char words[512];
    dq_status status = dq_session_log_check_order(log, dq_cli_given(t->cli, "time"), words, sizeof words,
                                                  error);
    if (!status && *words) dq_cli_say(t->cli, &t->o->common, "%s", words);
    return status;
}

/* Sessions are laid out as those of the model that is started from, but for what an option says; the record
 * says it, too. */
static dq_status adopt_layout(train *t, dq_error *error)
{
    train_options *o = t->o;
    const dq_bundle *model = dq_training_init(&t->base, DQ_ABSENT);
    dq_session_cut cut = {o->session_gap, o->event_attribute};
    if (!model) return DQ_OK;
    dq_status status = dq_session_log_inherit(&o->layout, &cut, model, &t->cli->arena, train_is_given, t->cli,
                                              error);
    if (status) return dq_training_blame_init(&t->base, status, error);
    if (!dq_cli_given(t->cli, "history")) train_take_history(o, o->layout.history);
    o->session_gap = cut.gap;
    o->event_attribute = cut.attribute;
    t->maker = dq_cli_maker(t->cli, t->maker.seed);
    return DQ_OK;
}

static dq_status make_sessions(train *t, dq_error *error)
{
    train_options *o = t->o;
    dq_status status = adopt_layout(t, error);
    if (status) return status;
    const dq_offline_sessions_config config = {.layout = &o->layout,
                                               .cut = {o->session_gap, o->event_attribute},
                                               .values = o->event_values,
                                               .terminal = o->session_end == TRAIN_END_TERMINAL,
                                               .model = dq_training_init(&t->base, DQ_ABSENT),
                                               .group_by = o->validate_by};
    status = dq_offline_input_of_sessions(&t->base.logged, &t->base.dataset.catalogue, &config, error);
    return status ? status : check_order(t, error);
}

/* ---- transitions with vectors ---- */

static dq_status make_vectors(train *t, dq_error *error)
{
    bool by_model;
    const dq_bundle *model = dq_training_init(&t->base, DQ_ABSENT);
    dq_status status = dq_offline_input_of_vectors(&t->base.logged, &t->base.dataset.catalogue, model,
                                                   &t->cli->arena, &by_model, error);
    return by_model ? dq_training_blame_init(&t->base, status, error) : status;
}

/* ---- any of them ---- */

static dq_status make_trajectories(train *t, dq_error *error)
{
    char words[256];
    dq_offline_input *in = &t->base.logged;
    dq_status status = dq_offline_trajectories_new(&in->trajectories, &in->rows, &in->shape,
                                                   dq_training_init(&t->base, DQ_ABSENT), train_is_given,
                                                   t->cli, &t->o->config, error);
    if (status) return status;
    dq_offline_trajectories_describe(in->trajectories, words, sizeof words);
    dq_cli_say(t->cli, &t->o->common, "%s", words);
    return DQ_OK;
}

dq_status train_offline_rows(train *t, dq_error *error)
{
    dq_status status = train_read_init(t, error);
    if (status) return status;
    status = t->cli->mode == TRAIN_STATES ? make_vectors(t, error)
             : t->cli->mode == TRAIN_SESSIONS
                 ? make_sessions(t, error)
                 : dq_offline_input_of_users(&t->base.logged, &t->base.dataset, t->o->validate_by, error);
    return status || !t->o->config.context ? status : make_trajectories(t, error);
}
