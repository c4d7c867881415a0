/* SPDX-License-Identifier: MIT
 *
 * One agent a user (--each-user). The catalogue is read once; each worker trains one user on one thread, and
 * writes the models as a stream, and the log's lines (cli/each.h).
 */
#include "train.h"

#include <string.h>

static dq_status work(void *arg, const dq_each_job *job, dq_error *error)
{
    return train_online(arg, job, NULL, error);
}

static dq_status make_plan(train *t, dq_each *e, dq_user_list *wanted, dq_error *error)
{
    dq_status status = dq_user_list_fill(wanted, NULL, 0, t->o->users_file, error);
    if (status) return status;
    wanted->shard = t->o->shard;
    dq_cli_leave_out(t->cli, "users-file");
    dq_cli_leave_out(t->cli, "shard");
    e->maker = dq_cli_maker(t->cli, t->maker.seed);
    e->maker.threads = t->maker.threads;
    return dq_each_plan(e, &t->base.dataset.catalogue.users.identity.ids, wanted, error);
}

/* --save delta: all start from one model, which stays where their readers look for it. */
static dq_status keep_start(const train *t, const dq_each *e, dq_error *error)
{
    const dq_models *init = &t->base.init;
    if (t->o->save == TRAIN_SAVE_WHOLE) return DQ_OK;
    if (init->count != 1)
        return dq_fail(error, DQ_ERR_UNSUPPORTED,
                       "--save delta needs --init with one model, from which all start");
    if (!init->at[0].body)
        return dq_fail(error, DQ_ERR_UNSUPPORTED,
                       "%.200s has only what differs from its start; dq-cat --start MODEL makes it whole",
                       t->base.init_name);
    return dq_model_dir_keep_start(&e->dir, &init->at[0], error);
}

/* What keeps every agent from its first step, in the same words, is said once, here and not by each worker.
 * Whoever lacks a model to start from fails alone. */
static dq_status check_begin(train *t, const dq_each *e, dq_error *error)
{
    dq_error first = DQ_ERROR_NONE;
    for (size_t job = 0; job < e->plan.jobs; job++) {
        uint32_t user = e->plan.job[job];
        dq_error why = DQ_ERROR_NONE;
        bool lacks = (t->base.init.count || t->base.dataset.models.count) &&
                     !dq_training_init(&t->base, user);
        if (lacks || !train_check_online(t, user, &why)) return DQ_OK;
        if (!job) first = why;
        if (strcmp(why.reason, first.reason) != 0) return DQ_OK;
    }
    if (first.status) *error = first;
    return first.status;
}

dq_status train_run_each(train *t, dq_error *error)
{
    const train_options *o = t->o;
    dq_user_list wanted = {0};
    dq_each e = {.cli = t->cli,
                 .common = &o->common,
                 .models_dir = o->models_dir,
                 .inputs = t->inputs,
                 .input_count = t->input_count,
                 .out = t->output,
                 .max_failures = dq_cli_given(t->cli, "max-failures") ? o->max_failures : UINT64_MAX,
                 .arg = t,
                 .work = work};
    dq_status status = dq_pool_new(&t->base.pool, 1, error);
    if (!status) status = make_plan(t, &e, &wanted, error);
    if (!status) status = check_begin(t, &e, error);
    if (!status) status = keep_start(t, &e, error);
    if (!status) status = dq_each_open_log(&e, o->log, error);
    if (!status) status = dq_each_run(&e, error);
    if (!status) status = dq_each_sum_up(&e, &t->failed, error);
    dq_each_free(&e);
    dq_user_list_free(&wanted);
    return status;
}
