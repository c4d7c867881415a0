/* SPDX-License-Identifier: MIT
 *
 * Epochs over what was logged. A run may stop after any batch, and its place is part of the checkpoint.
 */
#include "train.h"

#include "data/load.h"
#include "learn/offline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct logged {
    train *t;
    train_logged_input input;
    dq_agent *agent, *spare;
    dq_logged *run;
    train_log log;
    dq_progress bar;
    char note[64];
} logged;

/* ---- making ---- */

static dq_logged_config configure(const train_options *o, float ignore)
{
    return (dq_logged_config){.epochs = (size_t)o->epochs,
                              .batch = (size_t)o->batch,
                              .negatives = (size_t)o->negatives,
                              .negative_reward = ignore,
                              .validation = o->folds ? 0 : o->validation,
                              .fold = o->fold_number,
                              .folds = o->folds,
                              .patience = (size_t)o->patience,
                              .best_by = o->best_by == DQ_BEST_BY_LOSS ? DQ_LOGGED_BEST_BY_LOSS
                                                                       : DQ_LOGGED_BEST_BY_ORDER,
                              .seed = o->common.seed};
}

/* Sessions are laid out as the model's, but for what an option says; the record says it, too. */
static void adopt(train *t, const dq_bundle *model, const dq_session_layout *from)
{
    train_logged_options *to = &t->o->logged;
    const dq_value *sessions = dq_map_get(&model->meta, "sessions");
    if (from->item_width == 0) return;
    if (!dq_cli_given(t->cli, "history")) to->history = from->history;
    if (!dq_cli_given(t->cli, "history-mean")) to->mean = from->mean;
    if (!dq_cli_given(t->cli, "recency")) to->recency = from->recency;
    if (!dq_cli_given(t->cli, "session-steps")) to->steps = from->steps;
    if (!dq_cli_given(t->cli, "session-count")) to->count = from->count;
    if (!dq_cli_given(t->cli, "clock")) to->clock = from->clock;
    if (!dq_cli_given(t->cli, "since")) to->since = from->since;
    if (!dq_cli_given(t->cli, "session-gap")) to->gap = dq_value_number(dq_map_get(sessions, "gap"), to->gap);
    t->maker = dq_cli_maker(t->cli, t->maker.seed);
}

static dq_status read_init(logged *l, dq_error *error)
{
    train *t = l->t;
    dq_session_layout layout;
    if (!t->o->init) return DQ_OK;
    dq_status status = dq_models_read(&t->init, &t->inputs[1], t->o->init, error);
    if (status) return status;
    status = dq_session_layout_load(&layout, &t->init.at[0], error);
    if (status) return dq_error_at(error, t->o->init, DQ_NO_RECORD);
    adopt(t, &t->init.at[0], &layout);
    return DQ_OK;
}

/* What the model says of states and actions beyond what a log of transitions says (where the user stands,
 * vectors of actions, actions that nobody took) holds here too. */
static dq_status take_shape(logged *l, dq_error *error)
{
    const char *kind;
    dq_agent_config config;
    dq_env_spec shape, *log = &l->input.shape;
    if (!l->t->o->init || l->input.sessions) return DQ_OK;
    dq_status status = dq_agent_read_config(&l->t->init.at[0], &kind, &config, &shape, error);
    if (status) return dq_error_at(error, l->t->o->init, DQ_NO_RECORD);
    if (shape.state_width == log->state_width && shape.action_count >= log->action_count) *log = shape;
    l->input.rows.actions = log->action_count;
    return DQ_OK;
}

/* An output is an item's: whoever goes on with it must have the same. */
static dq_status check_items(const logged *l, const dq_bundle *model, dq_error *error)
{
    const dq_entities *items = &l->t->dataset.catalogue.items;
    const dq_vectors vectors = dq_entities_vectors(items);
    if (!l->input.sessions || l->t->o->env.config.head != DQ_HEAD_OUTPUTS) return DQ_OK;
    return dq_model_items_check(model, &items->identity.ids, &vectors, error);
}

static dq_status load_init(logged *l, dq_error *error)
{
    if (!l->t->o->init) return DQ_OK;
    const dq_bundle *model = &l->t->init.at[0];
    dq_status status = dq_agent_load(l->agent, false, model, error);
    if (!status) status = check_items(l, model, error);
    return status ? dq_error_at(error, l->t->o->init, DQ_NO_RECORD) : DQ_OK;
}

static dq_status make(logged *l, dq_error *error)
{
    train *t = l->t;
    const char *kind = train_agents[t->o->env.agent];
    dq_agent_config agent = t->o->env.config;
    dq_status status = read_init(l, error);
    if (!status) status = train_logged_read(t, &l->input, error);
    if (t->inputs[1] && t->input_count) t->input_count = 2;
    if (!status) status = take_shape(l, error);
    if (status) return status;
    dq_logged_config config = configure(t->o, t->ignore);
    agent.schedule_steps = config.epochs * dq_logged_batches(&config, &l->input.rows);
    dq_logged_bound(&config, &l->input.rows, &agent);
    status = dq_pool_new(&t->pool, dq_cli_threads(&t->o->common, 0), error);
    if (!status) status = dq_agent_new(&l->agent, kind, &agent, &l->input.shape, t->pool, error);
    if (!status) status = dq_agent_new(&l->spare, kind, &agent, &l->input.shape, t->pool, error);
    if (!status) status = load_init(l, error);
    if (!status) status = dq_logged_new(&l->run, &config, l->agent, l->spare, &l->input.rows, error);
    return status;
}

/* ---- checkpoint ---- */

static dq_status save(logged *l, dq_error *error)
{
    dq_bundle model;
    dq_status status = dq_bundle_init(&model, DQ_KIND_MODEL, 0, error);
    if (!status) status = dq_agent_save(l->agent, true, &model, error);
    if (!status) status = dq_logged_save(l->run, &model, error);
    if (!status) status = train_checkpoint_write(l->t, &model, &l->log, error);
    dq_bundle_free(&model);
    return status;
}

static dq_status restore(void *arg, const dq_bundle *model, dq_error *error)
{
    logged *l = arg;
    dq_status status = dq_agent_load(l->agent, true, model, error);
    return status ? status : dq_logged_restore(l->run, model, error);
}

static dq_status stop(logged *l, dq_error *error)
{
    dq_status status = save(l, error);
    if (status) return status;
    return dq_fail(error, DQ_ERR_STOPPED,
                   "stopped after %llu batches of %llu; the same command goes on from %s",
                   (unsigned long long)dq_logged_batches_done(l->run), (unsigned long long)l->bar.total,
                   l->t->o->checkpoint);
}

/* ---- the run ---- */

static dq_status log_epoch(logged *l, const dq_logged_epoch *e, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value line = dq_map();
    bool ok = dq_map_set(&arena, &line, "epoch", dq_int((int64_t)e->epoch)) &&
              dq_map_set(&arena, &line, "batches", dq_int((int64_t)dq_logged_batches_done(l->run))) &&
              dq_map_set(&arena, &line, "q_loss", dq_real_or_nil(e->q_loss)) &&
              dq_map_set(&arena, &line, "world_loss", dq_real_or_nil(e->world_loss)) &&
              dq_map_set(&arena, &line, "validation_loss", dq_real_or_nil(e->validation_loss)) &&
              dq_map_set(&arena, &line, "validation_hit", dq_real_or_nil(e->hit)) &&
              dq_map_set(&arena, &line, "validation_ndcg", dq_real_or_nil(e->ndcg)) &&
              dq_map_set(&arena, &line, "best", dq_bool(e->best));
    dq_status status = ok ? train_log_line(&l->log, &line, error)
                          : dq_fail(error, DQ_ERR_MEMORY, "no memory for the log");
    dq_arena_free(&arena);
    return status;
}

static void say_epoch(const logged *l, const dq_logged_epoch *e)
{
    char validation[64] = "", order[64] = "";
    if (!isnan(e->validation_loss))
        (void)snprintf(validation, sizeof validation, ", validation %.5f", e->validation_loss);
    if (!isnan(e->ndcg)) (void)snprintf(order, sizeof order, ", NDCG@%d %.4f", DQ_LOGGED_TOP, e->ndcg);
    dq_cli_say(l->t->cli, &l->t->o->common, "epoch %llu: loss %.5f%s%s%s", (unsigned long long)e->epoch,
               e->q_loss, validation, order, e->best ? ", best" : "");
}

static dq_status end_epoch(logged *l, dq_error *error)
{
    const train_options *o = l->t->o;
    dq_logged_epoch e = dq_logged_last(l->run);
    (void)snprintf(l->note, sizeof l->note, "epoch %llu loss %.4f", (unsigned long long)e.epoch, e.q_loss);
    say_epoch(l, &e);
    dq_status status = log_epoch(l, &e, error);
    bool due = o->checkpoint && (e.epoch % o->checkpoint_every == 0 || dq_logged_done(l->run));
    return status || !due ? status : save(l, error);
}

static dq_status go(logged *l, dq_error *error)
{
    dq_status status = DQ_OK;
    while (!status && !dq_logged_done(l->run)) {
        bool ended;
        status = dq_logged_step(l->run, &ended, error);
        if (!status) dq_progress_step(&l->bar, dq_logged_batches_done(l->run), l->note);
        if (!status && ended) status = end_epoch(l, error);
        if (!status && dq_stop_asked() && !dq_logged_done(l->run)) status = stop(l, error);
    }
    return status ? status : dq_logged_finish(l->run, error);
}

static dq_status run(logged *l, dq_error *error)
{
    const train_options *o = l->t->o;
    dq_status status = make(l, error);
    if (!status) status = train_resume(l->t, &l->log, restore, l, error);
    if (!status)
        status = dq_writer_open(&l->t->output, o->common.output, &l->t->maker, l->t->inputs,
                                l->t->input_count, error);
    if (status) return status;
    dq_logged_sizes sizes = dq_logged_size(l->run);
    dq_cli_say(l->t->cli, &o->common, "%zu rows to learn from, %zu to judge by (%zu of %zu groups held out)",
               sizes.training, sizes.held_out, sizes.held_out_groups, sizes.groups);
    l->bar = dq_progress_start(&o->common, "training", o->epochs * sizes.batches);
    train_catch_stop(l->t);
    status = go(l, error);
    dq_stop_release();
    dq_progress_end(&l->bar);
    return status;
}

/* ---- the model ---- */

/* What dq-rank needs to know of sessions: where time stands, what labels are worth, which items there were.
 */
static dq_status describe_sessions(const train *t, dq_bundle *model, dq_error *error)
{
    const dq_catalogue *c = &t->dataset.catalogue;
    dq_arena *arena = &model->arena;
    dq_value sessions = dq_map(), layout;
    dq_status status = dq_layout_value(c->users.fields, c->users.field_count, c->items.fields,
                                       c->items.field_count, arena, &layout, error);
    if (status) return status;
    bool ok = dq_map_set(arena, &sessions, "time", dq_string(arena, t->o->logged.time)) &&
              dq_map_set(arena, &sessions, "gap", dq_real(t->o->logged.gap)) &&
              dq_map_set(arena, &sessions, "map", dq_string(arena, t->o->map)) &&
              dq_map_set(arena, &model->meta, "sessions", sessions) &&
              dq_map_set(arena, &model->meta, "layout", layout);
    if (!ok) return dq_fail(error, DQ_ERR_MEMORY, "no memory for a model");
    const dq_vectors vectors = dq_entities_vectors(&c->items);
    dq_model_items items;
    status = dq_model_items_take(&items, &c->items.identity.ids, &vectors, error);
    if (!status) status = dq_model_items_save(&items, model, error);
    dq_model_items_free(&items);
    return status;
}

static dq_status write_model(logged *l, dq_error *error)
{
    dq_bundle model;
    dq_status status = dq_bundle_init(&model, DQ_KIND_MODEL, 0, error);
    if (!status) status = dq_agent_save(l->agent, false, &model, error);
    if (!status && l->input.sessions) status = describe_sessions(l->t, &model, error);
    if (!status) status = dq_writer_put(l->t->output, &model, error);
    dq_bundle_free(&model);
    return status;
}

dq_status train_run_logged(train *t, dq_error *error)
{
    logged l = {.t = t};
    dq_status status = run(&l, error);
    dq_status closed = train_log_close(&l.log, status ? NULL : error);
    if (!status) status = closed;
    if (!status) status = write_model(&l, error);
    dq_logged_free(l.run);
    dq_agent_free(l.agent);
    dq_agent_free(l.spare);
    train_logged_free(&l.input);
    return status;
}
