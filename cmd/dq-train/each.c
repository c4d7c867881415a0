/* SPDX-License-Identifier: MIT
 *
 * One agent a user (--each-user). The catalogue is read once; each worker trains one user on one thread, and
 * writes the models as a stream, and the log's lines; the parent passes both on in the order of users.
 */
#include "train.h"

#include "cli/workers.h"

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
    const char *id = dq_entities_id(&e->t->base.dataset.catalogue.users, (uint32_t)user, &n);
    return dq_fail(error, status, "user %.*s: %.200s", (int)n, id, here.reason);
}

static dq_status work(void *arg, size_t user, dq_log *log, dq_writer *out, dq_error *error)
{
    return train_online(((each *)arg)->t, (uint32_t)user, log, NULL, out, error);
}

static void taken(void *arg, size_t user)
{
    dq_progress_step(&((each *)arg)->bar, user + 1, NULL);
}

dq_status train_run_each(train *t, dq_error *error)
{
    size_t users = dq_entities_count(&t->base.dataset.catalogue.users);
    each *e = dq_arena_zero(&t->cli->arena, 1, sizeof *e);
    if (!e) return dq_fail_memory(error, "workers");
    e->t = t;
    dq_status status = dq_pool_new(&t->base.pool, 1, error);
    if (!status) status = dq_log_open(&e->log, t->o->log, 0, error);
    if (status) return status;
    e->bar = dq_progress_start(&t->o->common, "training users", users);
    const dq_worker_streams streams = {dq_cli_threads(&t->o->common, 0),
                                       users,
                                       &t->maker,
                                       t->output,
                                       t->o->common.flush,
                                       &e->log,
                                       e,
                                       work,
                                       taken,
                                       blame};
    status = dq_worker_streams_run(&streams, error);
    dq_progress_end(&e->bar);
    return dq_log_close(&e->log, status, error);
}
