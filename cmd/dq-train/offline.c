/* SPDX-License-Identifier: MIT
 *
 * Offline training: the stream's transitions, and its interactions as what users have seen. Checkpoints are
 * written between epochs and when asked to stop, which may be after any batch.
 */
#include "train.h"

#include "learn/offline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct offline {
    train *t;
    dq_dynaq *agent;
    dq_offline *run;
    dq_transition *rows; /* transitions, then interactions without a reward */
    size_t count;
    uint32_t *group; /* (users) */
    train_log log;
    dq_progress bar;
    char note[64];
} offline;

/* ---- rows and groups ---- */

static dq_status make_rows(offline *f, dq_error *error)
{
    const dq_dataset *dataset = &f->t->dataset;
    const dq_catalogue *c = &dataset->catalogue;
    bool labelled = false;
    for (size_t i = 0; i < dataset->count; i++) labelled = labelled || !isnan(dataset->transitions[i].reward);
    if (!labelled)
        return dq_fail(
            error, DQ_ERR_RANGE,
            "no transition with a reward in the input (dq-reward --strategy logged makes them from "
            "labels)");
    f->rows = calloc(dataset->count + c->interaction_count, sizeof *f->rows);
    if (!f->rows) return dq_fail(error, DQ_ERR_MEMORY, "no memory for transitions");
    memcpy(f->rows, dataset->transitions, dataset->count * sizeof *f->rows);
    f->count = dataset->count;
    for (size_t i = 0; i < c->interaction_count; i++) {
        uint32_t user = c->interactions[i].user;
        f->rows[f->count++] = (dq_transition){
            .user = user, .item = c->interactions[i].item, .reward = NAN, .next = user};
    }
    return DQ_OK;
}

/* --cosine-weight: the rewards of an epoch (from 0), of their two parts. */
static dq_status weigh_rows(offline *f, uint64_t epoch, dq_error *error)
{
    const dq_dataset *c = &f->t->dataset;
    double weight = dq_reward_weight_at(&f->t->weight, epoch);
    for (size_t i = 0; f->t->weighted && i < c->count; i++) {
        if (isnan(c->transitions[i].reward)) continue;
        if (isnan(c->cosine[i]) || isnan(c->llm[i])) return train_no_parts(error);
        f->rows[i].reward = dq_reward_weigh(weight, c->cosine[i], c->llm[i]);
    }
    return DQ_OK;
}

/* Users by the value of an attribute; a user without one is a group of one. */
static dq_status group_by(const train *t, const char *attribute, uint32_t users, uint32_t *group,
                          dq_error *error)
{
    char column[256];
    dq_index values = DQ_INDEX_EMPTY;
    dq_status status = DQ_OK;
    uint32_t grouped = 0;
    if (snprintf(column, sizeof column, "attr.%s", attribute) >= (int)sizeof column)
        return dq_fail(error, DQ_ERR_RANGE, "--validate-by: too long a name");
    for (uint32_t u = 0; !status && u < users; u++) {
        size_t n;
        const char *value = dq_entities_text(&t->dataset.catalogue.users, u, column, &n);
        group[u] = users + u;
        if (!value) continue;
        status = dq_index_add(&values, value, n, &group[u], NULL, error);
        grouped++;
    }
    dq_index_free(&values);
    if (!status && grouped == 0)
        return dq_fail(error, DQ_ERR_UNKNOWN, "--validate-by: no user has an attribute '%s'", attribute);
    return status;
}

dq_status train_groups(train *t, uint32_t **group, dq_error *error)
{
    uint32_t users = dq_entities_count(&t->dataset.catalogue.users);
    *group = calloc((size_t)users + 1, sizeof **group);
    if (!*group) return dq_fail(error, DQ_ERR_MEMORY, "no memory for groups");
    for (uint32_t u = 0; u < users; u++) (*group)[u] = u;
    return t->o->validate_by ? group_by(t, t->o->validate_by, users, *group, error) : DQ_OK;
}

static dq_status make(offline *f, dq_error *error)
{
    const train_options *o = f->t->o;
    dq_offline_config config = {.epochs = (size_t)o->epochs,
                                .batch = (size_t)o->batch,
                                .negatives = (size_t)o->negatives,
                                .negative_reward = f->t->ignore,
                                .rate = o->rate,
                                .schedule = &dq_schedules[o->schedule],
                                .validation = o->validation,
                                .fold = o->fold_number,
                                .folds = o->folds,
                                .patience = (size_t)o->patience,
                                .best_by = (dq_best_by)o->best_by,
                                .candidates = (uint32_t)o->candidates,
                                .seed = o->common.seed};
    dq_status status = make_rows(f, error);
    if (!status) status = weigh_rows(f, UINT64_MAX, error); /* held-out rows are judged by the last rewards */
    if (!status) status = train_groups(f->t, &f->group, error);
    if (!status) status = train_agent(f->t, DQ_ABSENT, DQ_OFFLINE_ROWS(config), &f->agent, error);
    if (!status) status = dq_offline_new(&f->run, &config, f->agent, f->rows, f->count, f->group, error);
    return status;
}

/* ---- checkpoint ---- */

static dq_status save(offline *f, dq_error *error)
{
    dq_bundle model;
    dq_status status = dq_bundle_init(&model, DQ_KIND_MODEL, 0, error);
    if (!status) status = dq_dynaq_save(f->agent, true, &model, error);
    if (!status) status = dq_offline_save(f->run, &model, error);
    if (!status) status = train_checkpoint_write(f->t, &model, &f->log, error);
    dq_bundle_free(&model);
    return status;
}

static dq_status restore(void *arg, const dq_bundle *model, dq_error *error)
{
    offline *f = arg;
    dq_status status = dq_dynaq_restore(f->agent, model, error);
    return status ? status : dq_offline_restore(f->run, model, error);
}

static dq_status stop(offline *f, dq_error *error)
{
    const train_options *o = f->t->o;
    dq_status status = save(f, error);
    if (status) return status;
    return dq_fail(
        error, DQ_ERR_STOPPED, "stopped after %llu batches of %llu; the same command goes on from %s",
        (unsigned long long)dq_offline_batches_done(f->run), (unsigned long long)f->bar.total, o->checkpoint);
}

/* ---- the run ---- */

static dq_status log_epoch(offline *f, const dq_epoch *e, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value line = dq_map();
    bool ok = dq_map_set(&arena, &line, "epoch", dq_int((int64_t)e->epoch)) &&
              dq_map_set(&arena, &line, "batches", dq_int((int64_t)dq_offline_batches_done(f->run))) &&
              dq_map_set(&arena, &line, "updates", dq_int((int64_t)dq_dynaq_updates(f->agent))) &&
              dq_map_set(&arena, &line, "rate", dq_real(e->rate)) &&
              (!f->t->weighted || dq_map_set(&arena, &line, "cosine_weight",
                                             dq_real(dq_reward_weight_at(&f->t->weight, e->epoch - 1)))) &&
              dq_map_set(&arena, &line, "q_loss", dq_real_or_nil(e->q_loss)) &&
              dq_map_set(&arena, &line, "world_loss", dq_real_or_nil(e->world_loss)) &&
              dq_map_set(&arena, &line, "validation_loss", dq_real_or_nil(e->validation_loss)) &&
              dq_map_set(&arena, &line, "validation_order", dq_real_or_nil(e->order)) &&
              dq_map_set(&arena, &line, "best", dq_bool(e->best));
    dq_status status = ok ? train_log_line(&f->log, &line, error)
                          : dq_fail(error, DQ_ERR_MEMORY, "no memory for the log");
    dq_arena_free(&arena);
    return status;
}

static void say_epoch(const offline *f, const dq_epoch *e)
{
    char validation[64] = "", order[64] = "";
    if (!isnan(e->validation_loss))
        (void)snprintf(validation, sizeof validation, ", validation %.5f", e->validation_loss);
    if (!isnan(e->order)) (void)snprintf(order, sizeof order, ", in order %.4f", e->order);
    dq_cli_say(f->t->cli, &f->t->o->common, "epoch %llu: loss %.5f%s%s%s", (unsigned long long)e->epoch,
               e->q_loss, validation, order, e->best ? ", best" : "");
}

static dq_status end_epoch(offline *f, dq_error *error)
{
    const train_options *o = f->t->o;
    dq_epoch e = dq_offline_last(f->run);
    (void)snprintf(f->note, sizeof f->note, "epoch %llu loss %.4f", (unsigned long long)e.epoch, e.q_loss);
    say_epoch(f, &e);
    dq_status status = log_epoch(f, &e, error);
    if (!status) status = weigh_rows(f, e.epoch, error);
    bool due = o->checkpoint && (e.epoch % o->checkpoint_every == 0 || dq_offline_done(f->run));
    return status || !due ? status : save(f, error);
}

static dq_status go(offline *f, dq_error *error)
{
    size_t batches = dq_offline_size(f->run).batches;
    dq_status status = weigh_rows(f, dq_offline_batches_done(f->run) / batches, error);
    while (!status && !dq_offline_done(f->run)) {
        bool ended;
        status = dq_offline_step(f->run, &ended, error);
        if (!status) dq_progress_step(&f->bar, dq_offline_batches_done(f->run), f->note);
        if (!status && ended) status = end_epoch(f, error);
        if (!status && dq_stop_asked() && !dq_offline_done(f->run)) status = stop(f, error);
    }
    return status;
}

static dq_status run(offline *f, dq_error *error)
{
    const train_options *o = f->t->o;
    dq_status status = make(f, error);
    if (!status) status = train_resume(f->t, &f->log, restore, f, error);
    if (status) return status;
    dq_offline_sizes sizes = dq_offline_size(f->run);
    dq_cli_say(f->t->cli, &o->common, "%zu rows to learn from, %zu held out (%zu of %zu groups)",
               sizes.training, sizes.held_out, sizes.held_out_groups, sizes.groups);
    f->bar = dq_progress_start(&o->common, "training", o->epochs * sizes.batches);
    train_catch_stop(f->t);
    status = go(f, error);
    dq_stop_release();
    dq_progress_end(&f->bar);
    if (status) return status;
    dq_offline_finish(f->run);
    return train_write_model(f->t, f->agent, DQ_ABSENT, NULL, error);
}

dq_status train_run_offline(train *t, dq_error *error)
{
    offline f = {.t = t};
    dq_status status = dq_pool_new(&t->pool, dq_cli_threads(&t->o->common, 0), error);
    if (status) return status;
    status = run(&f, error);
    dq_status closed = train_log_close(&f.log, status ? NULL : error);
    dq_offline_free(f.run);
    dq_dynaq_free(f.agent);
    free(f.rows);
    free(f.group);
    return status ? status : closed;
}
