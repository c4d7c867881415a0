/* SPDX-License-Identifier: MIT
 *
 * Offline training of any agent: passes over what the stream logged (offline_input.h). Checkpoints are
 * written between epochs and when asked to stop, which may be after any batch.
 */
#include "train.h"

#include "learn/members.h"

#include <math.h>
#include <stdio.h>

typedef struct offline {
    train *t;
    dq_agent *agent;
    dq_offline *run;
    dq_offline_config passes;
    dq_members members;
    size_t member;
    dq_log log;
    dq_kept_run kept;
    dq_checkpoint checkpoint;
    dq_progress bar;
    char note[64];
} offline;

/* ---- making ---- */

/* --cosine-weight: the rewards of an epoch (from 0), of their two parts. Held-out rows are evaluated with
 * those of the last one, which they have before there is a run. */
static void weigh_rows(offline *f, uint64_t epoch)
{
    const dq_dataset *d = &f->t->base.dataset;
    dq_offline_catalogue *rows = &f->t->base.logged.catalogue;
    double weight = dq_reward_weight_at(&f->t->weight, epoch);
    for (size_t i = 0; f->t->weighted && i < rows->count; i++)
        if (!isnan(rows->reward[i]) && !(f->run && dq_offline_held_out(f->run, rows->user[i])))
            rows->reward[i] = dq_reward_weigh(weight, d->cosine[i], d->llm[i]);
}

/* What held-out rows cannot tell is an error where it was asked for. */
static dq_status check_best_by(offline *f, dq_error *error)
{
    dq_best_by asked = f->t->o->passes.best_by;
    dq_offline_sizes sizes = dq_offline_size(f->run);
    bool tells = dq_offline_criterion(f->run) == asked && (asked != DQ_BEST_BY_LOSS || sizes.tells_loss);
    if (sizes.held_out == 0 || tells) return DQ_OK;
    if (dq_cli_given(f->t->cli, "best-by"))
        return dq_fail(error, DQ_ERR_RANGE, "--best-by %s: %s", dq_best_by_names[asked],
                       dq_best_by_lack(asked));
    dq_cli_say(f->t->cli, &f->t->o->common, "%s: the %s is kept", dq_best_by_lack(asked),
               sizes.tells_loss ? "epoch of the least loss" : "last epoch");
    return DQ_OK;
}

static dq_status make(offline *f, dq_error *error)
{
    train *t = f->t;
    dq_status status = train_offline_rows(t, error);
    if (!status) status = dq_training_agree(&t->base, &t->maker, t->ranks, error);
    f->passes = t->o->passes;
    f->passes.ranks = t->ranks;
    f->passes.negative_reward = t->base.ignore;
    if (!status && dq_training_init(&t->base, DQ_ABSENT) && !dq_cli_given(t->cli, "direct-start"))
        f->passes.start_weight = 0; /* what the model has learnt is no start */
    if (!status && t->o->q_models > 1 && t->base.dataset.models.count)
        status = dq_fail(error, DQ_ERR_UNSUPPORTED, "--q-models: several networks start from no one model");
    if (!status && t->weighted)
        status = dq_reward_check_parts(t->base.logged.catalogue.reward, t->base.dataset.cosine,
                                       t->base.dataset.llm, t->base.logged.catalogue.count, error);
    if (!status) weigh_rows(f, UINT64_MAX);
    if (!status && t->cli->mode != TRAIN_OFFLINE)
        dq_offline_bound(&f->passes, &t->base.logged.rows, &t->o->config);
    if (!status) dq_offline_suit(&f->passes, &t->base.logged.rows, &t->o->config);
    if (!status) status = dq_pool_new(&t->base.pool, dq_cli_threads(&t->o->common, 0), error);
    if (!status) status = train_agent(t, &t->base.logged.shape, DQ_ABSENT, &f->agent, error);
    if (!status) status = dq_offline_new(&f->run, &f->passes, f->agent, &t->base.logged.rows, error);
    f->members.pool = t->base.pool;
    return status ? status : check_best_by(f, error);
}

/* The next of several networks of Q: all is as for the last one, but the seed. */
static dq_status make_next(offline *f, dq_error *error)
{
    dq_offline_free(f->run);
    f->run = NULL;
    dq_status status = dq_members_next(&f->members, &f->agent, ++f->passes.seed, error);
    if (!status) weigh_rows(f, UINT64_MAX);
    return status ? status : dq_offline_new(&f->run, &f->passes, f->agent, &f->t->base.logged.rows, error);
}

/* ---- checkpoint ---- */

static dq_status save(void *arg, dq_bundle *model, dq_error *error)
{
    offline *f = arg;
    dq_status status = dq_agent_save(f->agent, true, model, error);
    if (!status) status = dq_offline_save(f->run, model, error);
    return status ? status : dq_training_finish(&f->t->base, model, DQ_ABSENT, error);
}

static dq_status restore(void *arg, const dq_bundle *model, dq_error *error)
{
    offline *f = arg;
    dq_status status = dq_agent_load(f->agent, true, model, error);
    return status ? status : dq_offline_restore(f->run, model, error);
}

/* One writes it for all. */
static dq_status keep(offline *f, dq_error *error)
{
    return train_ranks_writes(f->t) ? dq_checkpoint_keep(&f->checkpoint, &f->kept, error) : DQ_OK;
}

static dq_status stop(offline *f, dq_error *error)
{
    dq_status status = keep(f, error);
    if (status) return status;
    return dq_fail(error, DQ_ERR_STOPPED,
                   "stopped after %llu batches of %llu; the same command goes on from %s",
                   (unsigned long long)dq_offline_batches_done(f->run), (unsigned long long)f->bar.total,
                   f->t->o->checkpoint);
}

/* ---- what the run tells ---- */

static dq_status log_epoch(offline *f, uint64_t epoch, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value line = dq_map();
    bool ok = dq_offline_report(f->run, &arena, &line);
    if (ok && f->t->o->q_models > 1) ok = dq_map_set(&arena, &line, "member", dq_int((int64_t)f->member));
    if (ok && f->t->weighted)
        ok = dq_map_set(&arena, &line, "cosine_weight",
                        dq_real(dq_reward_weight_at(&f->t->weight, epoch - 1)));
    return dq_log_made(&f->log, ok, &line, &arena, error);
}

static dq_status end_epoch(offline *f, dq_error *error)
{
    const train_options *o = f->t->o;
    dq_offline_epoch e = dq_offline_last(f->run);
    char words[160];
    (void)snprintf(f->note, sizeof f->note, "epoch %llu loss %.4f", (unsigned long long)e.epoch, e.q_loss);
    dq_offline_describe_epoch(&e, words, sizeof words);
    dq_cli_say(f->t->cli, &o->common, "%s", words);
    dq_status status = dq_training_agree_weights(f->agent, f->t->ranks, error);
    if (!status) status = log_epoch(f, e.epoch, error);
    if (!status) weigh_rows(f, e.epoch);
    bool due = o->checkpoint && (e.epoch % o->checkpoint_every == 0 || dq_offline_done(f->run));
    return status || !due ? status : keep(f, error);
}

/* Says where what was learnt ranks nothing, or no better than chance; where one process's memory is short,
 * nothing. Ranks find it together. */
static dq_status say_worth(const offline *f, dq_error *error)
{
    dq_offline_worth worth;
    char words[160];
    if (f->t->o->common.quiet && !f->t->ranks) return DQ_OK;
    dq_status status = dq_offline_find_worth(f->run, &worth, f->t->ranks ? error : NULL);
    if (!status && dq_offline_describe_worth(&worth, words, sizeof words))
        dq_cli_say(f->t->cli, &f->t->o->common, "warning: %s", words);
    return f->t->ranks ? status : DQ_OK;
}

/* ---- the run ---- */

static dq_status go(offline *f, dq_error *error)
{
    size_t batches = dq_offline_size(f->run).batches;
    dq_status status = DQ_OK;
    weigh_rows(f, dq_offline_batches_done(f->run) / batches);
    while (!status && !dq_offline_done(f->run)) {
        bool ended;
        status = dq_offline_step(f->run, &ended, error);
        uint64_t before = f->member * f->bar.total / f->t->o->q_models;
        if (!status) dq_progress_step(&f->bar, before + dq_offline_batches_done(f->run), f->note);
        if (!status && ended) status = end_epoch(f, error);
        bool stops = dq_stop_asked();
        if (!status) status = dq_training_any(f->t->ranks, &stops, error);
        if (!status && stops && !dq_offline_done(f->run)) status = stop(f, error);
    }
    if (!status) status = dq_offline_finish(f->run, error);
    return status ? status : say_worth(f, error);
}

static dq_status run(offline *f, dq_error *error)
{
    const train_options *o = f->t->o;
    dq_status status = make(f, error);
    f->checkpoint = train_checkpoint(f->t);
    if (!status) status = dq_checkpoint_resume(&f->checkpoint, &f->kept, o->log, error);
    if (!status) status = dq_training_agree_batches(f->t->ranks, dq_offline_batches_done(f->run), error);
    if (!status && train_ranks_writes(f->t)) status = train_open_output(f->t, error);
    if (status) return status;
    dq_offline_sizes sizes = dq_offline_size(f->run);
    dq_cli_say(f->t->cli, &o->common, "%zu rows to learn from, %zu held out (%zu of %zu groups)",
               sizes.training, sizes.held_out, sizes.held_out_groups, sizes.groups);
    if (f->t->base.from.propensities && !(o->passes.balance > 0))
        dq_cli_say(f->t->cli, &o->common, "the log's propensities are not used: nothing is weighed by them");
    f->bar = dq_progress_start(&o->common, "training", "batches", o->q_models * sizes.epochs * sizes.batches);
    dq_progress_resume(&f->bar, dq_offline_batches_done(f->run));
    if (o->checkpoint) dq_stop_catch();
    status = go(f, error);
    for (f->member = 1; !status && f->member < o->q_models; f->member++) {
        dq_cli_say(f->t->cli, &o->common, "network %zu of %u", f->member + 1, o->q_models);
        status = make_next(f, error);
        if (!status) status = go(f, error);
    }
    dq_stop_finish(o->common.output);
    dq_progress_end(&f->bar);
    return status;
}

static dq_status write_model(offline *f, dq_error *error)
{
    dq_bundle model;
    if (!train_ranks_writes(f->t)) return DQ_OK;
    dq_status status = dq_bundle_init(&model, DQ_KIND_MODEL, 0, error);
    if (!status) status = dq_members_save(&f->members, f->agent, &model, error);
    if (!status) status = dq_training_finish(&f->t->base, &model, DQ_ABSENT, error);
    return train_write_model(f->t, status, &model, f->t->output, error);
}

dq_status train_run_offline(train *t, dq_error *error)
{
    offline f = {.t = t};
    f.kept = (dq_kept_run){&f.log, &f, save, restore};
    dq_status status = run(&f, error);
    status = dq_log_close(&f.log, status, error);
    if (!status) status = write_model(&f, error);
    dq_offline_free(f.run);
    dq_agent_free(f.agent);
    dq_members_free(&f.members);
    return status;
}
