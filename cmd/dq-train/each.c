/* SPDX-License-Identifier: MIT
 *
 * One agent a user (--each-user). The catalogue is read once; each worker trains one user on one thread, and
 * writes the models as a stream, and the log's lines; the parent takes both in the order of users: into the
 * folder of --models-dir, where a run that was ended goes on, and into the output.
 */
#include "train.h"

#include "cli/workers.h"
#include "models/plan.h"

#include <string.h>

typedef struct each {
    train *t;
    dq_log log;
    dq_progress bar;
    dq_maker maker; /* of a file: not of who else was trained */
    dq_model_dir dir;
    dq_user_list wanted;
    dq_model_plan plan;
} each;

static void step(each *e)
{
    const dq_model_plan *p = &e->plan;
    dq_progress_step(&e->bar, p->resumed + p->made + p->failed, NULL);
}

/* An agent that failed is said at once; the others go on. */
static dq_status failed(void *arg, size_t job, dq_status status, dq_error *error)
{
    each *e = arg;
    const train_options *o = e->t->o;
    dq_error here = *error;
    size_t n;
    const char *id = dq_entities_id(&e->t->base.dataset.catalogue.users, e->plan.job[job], &n);
    dq_model_plan_fail(&e->plan, job);
    *error = DQ_ERROR_NONE;
    (void)dq_fail(error, status, "user %.*s: %s%s%.200s", (int)n, id, here.source, here.source[0] ? ": " : "",
                  here.reason);
    if (dq_cli_given(e->t->cli, "max-failures") && e->plan.failed > o->max_failures) return status;
    dq_cli_report(e->t->cli, error);
    *error = DQ_ERROR_NONE;
    step(e);
    return DQ_OK;
}

static dq_status work(void *arg, size_t job, dq_log *log, dq_writer *out, dq_error *error)
{
    each *e = arg;
    return train_online(e->t, e->plan.job[job], log, NULL, out, error);
}

static dq_status take(void *arg, size_t job, dq_source_fn read, void *from, dq_error *error)
{
    each *e = arg;
    dq_writer *out = e->t->output;
    dq_status status = dq_model_plan_take(&e->plan, job, read, from, out, error);
    step(e);
    return !status && out && e->t->o->common.flush ? dq_writer_flush(out, error) : status;
}

/* No model outlasts a power cut that its lines do not. */
static dq_status persist_log(void *arg, dq_error *error)
{
    each *e = arg;
    return dq_log_persist(&e->log, error);
}

/* ---- the run ---- */

static dq_status make_plan(each *e, dq_error *error)
{
    train *t = e->t;
    dq_status status = dq_user_list_fill(&e->wanted, NULL, 0, t->o->users_file, error);
    if (status) return status;
    e->wanted.shard = t->o->shard;
    dq_cli_leave_out(t->cli, "users-file");
    dq_cli_leave_out(t->cli, "shard");
    e->maker = dq_cli_maker(t->cli, t->maker.seed);
    e->maker.threads = t->maker.threads;
    e->dir = (dq_model_dir){t->o->models_dir, &e->maker, t->inputs, t->input_count};
    return dq_model_plan_make(&e->plan, &t->base.dataset.catalogue.users.identity.ids, &e->wanted,
                              e->dir.path ? &e->dir : NULL, persist_log, e, error);
}

/* --save delta: all start from one model, which stays where their readers look for it. */
static dq_status keep_start(const each *e, dq_error *error)
{
    const dq_models *init = &e->t->base.init;
    if (e->t->o->save == TRAIN_SAVE_WHOLE) return DQ_OK;
    if (init->count != 1)
        return dq_fail(error, DQ_ERR_UNSUPPORTED,
                       "--save delta needs --init with one model, from which all start");
    if (!init->at[0].body)
        return dq_fail(error, DQ_ERR_UNSUPPORTED,
                       "%.200s has only what differs from its start; dq-cat --start MODEL makes it whole",
                       e->t->base.init_name);
    return dq_model_dir_keep_start(&e->dir, &init->at[0], error);
}

/* What keeps every agent from its first step, in the same words, is said once, here and not by each worker.
 * Whoever lacks a model to start from fails alone. */
static dq_status check_begin(const each *e, dq_error *error)
{
    const dq_training *t = &e->t->base;
    dq_error first = DQ_ERROR_NONE;
    for (size_t job = 0; job < e->plan.jobs; job++) {
        uint32_t user = e->plan.job[job];
        dq_error why = DQ_ERROR_NONE;
        bool lacks = (t->init.count || t->dataset.models.count) && !dq_training_init(t, user);
        if (lacks || !train_check_online(e->t, user, &why)) return DQ_OK;
        if (!job) first = why;
        if (strcmp(why.reason, first.reason) != 0) return DQ_OK;
    }
    if (first.status) *error = first;
    return first.status;
}

static dq_status open_log(each *e, dq_error *error)
{
    const char *path = e->t->o->log;
    uint64_t keep = 0;
    size_t behind = 0;
    dq_status status = DQ_OK;
    if (path && e->dir.path)
        status = dq_log_length(path, dq_model_plan_keeps, &e->plan, &keep, &behind, error);
    if (!status && behind)
        dq_cli_say(e->t->cli, &e->t->o->common,
                   "%s: %zu lines of agents that are kept stand behind one that is made anew, and go", path,
                   behind);
    return status ? status : dq_log_open(&e->log, path, keep, error);
}

static dq_status train_all(each *e, dq_error *error)
{
    const train_options *o = e->t->o;
    const dq_worker_streams streams = {.workers = dq_cli_threads(&o->common, 0),
                                       .jobs = e->plan.jobs,
                                       .maker = &e->maker,
                                       .inputs = e->t->inputs,
                                       .input_count = e->t->input_count,
                                       .log = &e->log,
                                       .arg = e,
                                       .work = work,
                                       .take = take,
                                       .failed = failed,
                                       .stop_asked = e->dir.path ? dq_stop_asked : NULL};
    if (e->dir.path) dq_stop_catch();
    dq_error later = DQ_ERROR_NONE;
    dq_status status = e->plan.jobs ? dq_worker_streams_run(&streams, error) : DQ_OK;
    dq_status settled = dq_model_plan_settle(&e->plan, &later); /* what was taken, whatever ended the run */
    if (settled && (!status || status == DQ_ERR_STOPPED)) {
        *error = later;
        return settled;
    }
    if (status == DQ_ERR_STOPPED)
        return dq_fail(error, status, "stopped after %zu of %zu agents; the same command goes on from %s",
                       e->plan.resumed + e->plan.made, e->plan.wanted, e->dir.path);
    if (!status) status = dq_model_plan_finish(&e->plan, e->t->output, error);
    dq_stop_finish(o->common.output);
    return status;
}

/* What came of it: in words, or as the error that remains when all others have left. */
static dq_status sum_up(const each *e, dq_error *error)
{
    char words[128];
    train *t = e->t;
    dq_model_plan_describe(&e->plan, words, sizeof words);
    if (!e->plan.failed) {
        dq_cli_say(t->cli, &t->o->common, "%s", words);
        return DQ_OK;
    }
    (void)dq_fail(&t->failed, DQ_ERR_UNSUPPORTED, "%s", words);
    if (e->plan.made + e->plan.resumed) return DQ_OK;
    *error = t->failed; /* nothing is left to leave */
    return error->status;
}

/* Starts of agents that are all replaced go, by the last run that makes agents there. A run for some users
 * leaves them: it would claim everybody, and others that begin beside it be refused. What keeps starts from
 * going is no fault of the agents that were made. */
static void sweep_starts(const each *e)
{
    size_t removed = 0;
    dq_error why = DQ_ERROR_NONE;
    if (!e->dir.path || dq_user_list_narrows(&e->wanted) || !dq_model_claim_all(&e->plan.claim)) return;
    if (dq_model_dir_sweep(&e->dir, &removed, &why))
        dq_cli_say(e->t->cli, &e->t->o->common, "starts that no agent may be of any more are left: %s: %s",
                   why.source[0] ? why.source : e->dir.path, why.reason);
    if (removed)
        dq_cli_say(e->t->cli, &e->t->o->common, "%zu start%s that no agent is of any more %s removed",
                   removed, removed == 1 ? "" : "s", removed == 1 ? "is" : "are");
}

dq_status train_run_each(train *t, dq_error *error)
{
    each *e = dq_arena_zero(&t->cli->arena, 1, sizeof *e);
    if (!e) return dq_fail_memory(error, "workers");
    e->t = t;
    dq_status status = dq_pool_new(&t->base.pool, 1, error);
    if (!status) status = make_plan(e, error);
    if (!status) status = check_begin(e, error);
    if (!status) status = keep_start(e, error);
    if (!status) status = open_log(e, error);
    if (!status) {
        e->bar = dq_progress_start(&t->o->common, "training", "users", e->plan.wanted);
        dq_progress_resume(&e->bar, e->plan.resumed);
        step(e);
        status = train_all(e, error);
        dq_progress_end(&e->bar);
        status = dq_log_close(&e->log, status, error);
    }
    if (!status) status = sum_up(e, error);
    if (!status) sweep_starts(e);
    dq_model_plan_free(&e->plan);
    dq_user_list_free(&e->wanted);
    return status;
}
