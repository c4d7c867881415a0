/* SPDX-License-Identifier: MIT */
#include "cli/each.h"

#include "cli/stop.h"
#include "cli/workers.h"

#include <stdio.h>

/* No model outlasts a power cut that its lines do not. */
static dq_status persist_log(void *arg, dq_error *error)
{
    dq_each *e = arg;
    return dq_log_persist(&e->log, error);
}

dq_status dq_each_plan(dq_each *e, const dq_index *ids, const dq_user_list *wanted, dq_error *error)
{
    e->dir = (dq_model_dir){e->models_dir, &e->maker, e->inputs, e->input_count};
    return dq_model_plan_make(&e->plan, ids, wanted, e->models_dir ? &e->dir : NULL, persist_log, e, error);
}

dq_status dq_each_open_log(dq_each *e, const char *path, dq_error *error)
{
    uint64_t keep = 0;
    size_t behind = 0;
    dq_status status = DQ_OK;
    if (path && e->models_dir)
        status = dq_log_length(path, dq_model_plan_keeps, &e->plan, &keep, &behind, error);
    if (!status && behind)
        dq_cli_say(e->cli, e->common,
                   "%s: %zu lines of agents that are kept stand behind one that is made anew, and go", path,
                   behind);
    return status ? status : dq_log_open(&e->log, path, keep, error);
}

/* ---- in a child ---- */

/* The lines that an agent had written before it was left. */
static dq_status write_lines(dq_log *log, const dq_bundle *lines, dq_error *error)
{
    size_t n;
    dq_status status = DQ_OK;
    const dq_column *line = dq_bundle_column(lines, "line");
    for (uint64_t i = 0; !status && log->file && i < lines->rows; i++) {
        const char *text = dq_column_text(line, i, &n);
        status = dq_log_write(log, text, n, error);
        if (!status) status = dq_log_write(log, "\n", 1, error);
    }
    return status;
}

static dq_status go_on(const dq_each *e, const dq_each_job *job, dq_reader *half, dq_error *error)
{
    dq_each_job from_there = *job;
    dq_bundle from = DQ_BUNDLE_EMPTY;
    int got = dq_reader_next(half, &from, error);
    if (got < 0) return error->status;
    if (got > 0) from_there.from = &from; /* else there was nothing yet to keep */
    dq_status status = e->work(e->arg, &from_there, error);
    dq_bundle_free(&from);
    return status;
}

static dq_status work(void *arg, size_t at, dq_log *log, dq_writer *out, dq_error *error)
{
    const dq_each *e = arg;
    dq_model_half half;
    const dq_each_job job = {
        .user = e->plan.job[at], .log = log, .out = out, .leaves = e->models_dir != NULL};
    dq_status status = dq_model_plan_take_up(&e->plan, at, log->file != NULL, &half, error);
    if (!status && half.reader) status = write_lines(log, &half.lines, error);
    if (!status && !half.reader)
        status = e->work(e->arg, &job, error);
    else if (!status)
        status = half.made ? dq_models_pass(half.reader, out, error) : go_on(e, &job, half.reader, error);
    dq_model_half_close(&half);
    return status;
}

/* ---- in the parent ---- */

static void step(dq_each *e)
{
    const dq_model_plan *p = &e->plan;
    dq_progress_step(&e->bar, p->resumed + p->made + p->failed, NULL);
}

static dq_status take(void *arg, size_t job, dq_source_fn read, void *from, dq_error *error)
{
    dq_each *e = arg;
    dq_status status = dq_model_plan_take(&e->plan, job, read, from, e->out, error);
    step(e);
    return !status && e->out && e->common->flush ? dq_writer_flush(e->out, error) : status;
}

static dq_status leave(void *arg, size_t job, bool done, dq_source_fn read, void *stream, void *lines,
                       dq_error *error)
{
    dq_each *e = arg;
    const dq_model_left left = {.read = read, .stream = stream, .lines = lines, .made = done};
    return dq_model_plan_leave(&e->plan, job, &left, error);
}

/* An agent that failed is said at once; the others go on. */
static dq_status failed(void *arg, size_t job, dq_status status, dq_error *error)
{
    dq_each *e = arg;
    dq_error here = *error;
    size_t n;
    const char *id = dq_index_id(e->plan.users, e->plan.job[job], &n);
    dq_model_plan_fail(&e->plan, job);
    *error = DQ_ERROR_NONE;
    (void)dq_fail(error, status, "user %.*s: %s%s%.200s", (int)n, id, here.source, here.source[0] ? ": " : "",
                  here.reason);
    if (e->plan.failed > e->max_failures) return status;
    dq_cli_report(e->cli, error);
    *error = DQ_ERROR_NONE;
    step(e);
    return DQ_OK;
}

static dq_status say_stopped(const dq_each *e, dq_error *error)
{
    char begun[40] = "";
    const dq_model_plan *p = &e->plan;
    if (p->begun) (void)snprintf(begun, sizeof begun, " (%zu more begun)", p->begun);
    return dq_fail(error, DQ_ERR_STOPPED,
                   "stopped after %zu of %zu agents%s; the same command goes on from %s",
                   p->resumed + p->made, p->wanted, begun, e->models_dir);
}

static dq_status make_all(dq_each *e, dq_error *error)
{
    bool folder = e->models_dir != NULL;
    const dq_worker_streams streams = {.workers = dq_cli_threads(e->common, 0),
                                       .jobs = e->plan.jobs,
                                       .maker = &e->maker,
                                       .inputs = e->inputs,
                                       .input_count = e->input_count,
                                       .log = &e->log,
                                       .arg = e,
                                       .work = work,
                                       .take = take,
                                       .failed = failed,
                                       .stop_asked = folder ? dq_stop_asked : NULL,
                                       .leave = folder ? leave : NULL};
    if (folder) dq_stop_catch();
    dq_error later = DQ_ERROR_NONE;
    dq_status status = e->plan.jobs ? dq_worker_streams_run(&streams, error) : DQ_OK;
    dq_status settled = dq_model_plan_settle(&e->plan, &later); /* what was taken, whatever ended the run */
    if (settled && (!status || status == DQ_ERR_STOPPED)) {
        *error = later;
        return settled;
    }
    if (status == DQ_ERR_STOPPED) return say_stopped(e, error);
    if (!status) status = dq_model_plan_finish(&e->plan, e->out, error);
    dq_stop_finish(e->common->output);
    return status;
}

dq_status dq_each_run(dq_each *e, dq_error *error)
{
    e->bar = dq_progress_start(e->common, "training", "users", e->plan.wanted);
    dq_progress_resume(&e->bar, e->plan.resumed);
    step(e);
    dq_status status = make_all(e, error);
    dq_progress_end(&e->bar);
    return dq_log_close(&e->log, status, error);
}

dq_status dq_each_sum_up(const dq_each *e, dq_error *failed, dq_error *error)
{
    char words[800];
    dq_model_plan_describe(&e->plan, words, sizeof words);
    if (!e->plan.failed) {
        dq_cli_say(e->cli, e->common, "%s", words);
    } else {
        (void)dq_fail(failed, DQ_ERR_UNSUPPORTED, "%s", words);
        if (!(e->plan.made + e->plan.resumed)) { /* nothing is left to leave */
            *error = *failed;
            return error->status;
        }
    }
    if (dq_model_plan_sweep(&e->plan, words, sizeof words)) dq_cli_say(e->cli, e->common, "%s", words);
    return DQ_OK;
}

void dq_each_free(dq_each *e)
{
    dq_model_plan_free(&e->plan);
}
