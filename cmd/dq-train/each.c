/* SPDX-License-Identifier: MIT
 *
 * One agent a user (--each-user). The catalogue is read once; each worker trains one user on one thread, and
 * writes the models as a stream, and the log's lines; the parent passes both on in the order of users.
 */
#include "train.h"

#include "cli/workers.h"

#include <errno.h>
#include <fcntl.h>

enum { STREAM, LOG };

typedef struct each {
    train *t;
    dq_log log;
    dq_progress bar;
} each;

/* An error that says whose it is. */
static dq_status blame(void *arg, size_t user, dq_status status, dq_error *error)
{
    const each *e = arg;
    dq_error here = *error;
    size_t n;
    const char *id = dq_entities_id(&e->t->dataset.catalogue.users, (uint32_t)user, &n);
    return dq_fail(error, status, "user %.*s: %.200s", (int)n, id, here.reason);
}

/* ---- the worker ---- */

static dq_status work(void *arg, size_t user, int files[DQ_WORKER_FILES], dq_error *error)
{
    each *e = arg;
    dq_log log = {.name = "the log"};
    dq_sink *sink = NULL;
    dq_writer *out = NULL;
    if (e->log.file && !(log.file = fdopen(fcntl(files[LOG], F_DUPFD_CLOEXEC, 0), "w")))
        return dq_fail_errno(error, errno, "cannot open a worker's log");
    dq_status status = dq_worker_sink(&sink, &files[STREAM], error);
    if (!status) status = dq_writer_open_sink(&out, sink, &e->t->maker, NULL, 0, error);
    if (!status) status = train_online(e->t, (uint32_t)user, &log, NULL, out, error);
    if (status)
        dq_writer_abort(out);
    else
        status = dq_writer_close(out, error);
    return dq_log_close(&log, status, error);
}

/* ---- the parent ---- */

static dq_status pass_models(each *e, int *stream, dq_error *error)
{
    dq_source *source;
    dq_reader *reader = NULL;
    dq_status status = dq_worker_source(&source, stream, error);
    if (!status) status = dq_reader_open_source(&reader, source, error);
    if (!status) status = dq_bundles_pass(reader, e->t->output, error);
    dq_reader_close(reader);
    return !status && e->t->o->common.flush ? dq_writer_flush(e->t->output, error) : status;
}

static dq_status take(void *arg, size_t user, int files[DQ_WORKER_FILES], dq_error *error)
{
    each *e = arg;
    dq_status status = e->log.file ? dq_worker_copy(e->log.file, files[LOG], error) : DQ_OK;
    if (!status) status = pass_models(e, &files[STREAM], error);
    dq_progress_step(&e->bar, user + 1, NULL);
    return status;
}

dq_status train_run_each(train *t, dq_error *error)
{
    size_t users = dq_entities_count(&t->dataset.catalogue.users);
    each *e = dq_arena_zero(&t->cli->arena, 1, sizeof *e);
    if (!e) return dq_fail_memory(error, "workers");
    e->t = t;
    const dq_workers_config config = {.workers = dq_cli_threads(&t->o->common, 0),
                                      .jobs = users,
                                      .arg = e,
                                      .work = work,
                                      .take = take,
                                      .blame = blame};
    dq_status status = dq_pool_new(&t->pool, 1, error);
    if (!status) status = dq_log_open(&e->log, t->o->log, 0, error);
    if (status) return status;
    e->bar = dq_progress_start(&t->o->common, "training users", users);
    status = dq_workers_run(&config, error);
    dq_progress_end(&e->bar);
    return dq_log_close(&e->log, status, error);
}
