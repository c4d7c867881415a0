/* SPDX-License-Identifier: MIT
 *
 * One agent a user. The catalogue is read once; each worker is a fork that shares its pages and trains one
 * user on one thread. Weights come back through memory mapped before the fork, the log through a file that
 * has no name; the parent writes both in the order of users, whatever the order in which workers end.
 *
 *     slot 0   user 0   user 2 ...      a slot's worker is waited for in the order of users, its
 *     slot 1   user 1   user 3 ...      model written, and the slot given to the next user
 */
#include "train.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a worker hands back, at the beginning of the shared memory; the weights follow. */
typedef struct result {
    dq_status status;
    dq_error error;
    uint64_t steps, updates;
} result;

typedef struct slot {
    pid_t pid; /* 0: idle */
    uint32_t user;
    result *shared;
    int log; /* -1: none */
} slot;

typedef struct each {
    train *t;
    dq_dynaq *agent; /* the parent's, for writing models */
    slot *slots;
    size_t slot_count, q_count, world_count, bytes;
    train_log log;
    char log_copy[65536];
} each;

enum { HEAD = (sizeof(result) + 63) / 64 * 64 };

static float *weights_of(const slot *s)
{
    return (float *)(void *)((char *)s->shared + HEAD);
}

/* ---- the worker ---- */

static void work(each *e, slot *s)
{
    dq_dynaq *agent = NULL;
    train_log log = {.name = "the log"};
    dq_value labeller;
    result *r = s->shared;
    r->error = DQ_ERROR_NONE;
    if (s->log >= 0) log.file = fdopen(dup(s->log), "w");
    r->status = train_online(e->t, s->user, &log, NULL, &agent, &labeller, &r->error);
    if (!r->status) r->status = train_log_close(&log, &r->error);
    if (r->status) return;
    r->steps = dq_dynaq_steps(agent);
    r->updates = dq_dynaq_updates(agent);
    memcpy(weights_of(s), dq_net_weights(dq_dynaq_q(agent)), e->q_count * sizeof(float));
    if (e->world_count)
        memcpy(weights_of(s) + e->q_count, dq_net_weights(dq_dynaq_world(agent)),
               e->world_count * sizeof(float));
}

static dq_status start(each *e, slot *s, uint32_t user, dq_error *error)
{
    pid_t parent = getpid();
    s->user = user;
    s->shared->status = DQ_ERR_MEMORY; /* until the worker says otherwise */
    if (s->log >= 0 && (ftruncate(s->log, 0) != 0 || lseek(s->log, 0, SEEK_SET) != 0))
        return dq_fail_errno(error, errno, "cannot reuse a worker's log");
    s->pid = fork();
    if (s->pid < 0) {
        s->pid = 0;
        return dq_fail_errno(error, errno, "cannot start a worker");
    }
    if (s->pid > 0) return DQ_OK;
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* a worker does not outlive the program */
    if (getppid() == parent) work(e, s);
    _exit(0);
}

/* ---- the parent ---- */

static dq_status copy_log(each *e, slot *s, dq_error *error)
{
    ssize_t got;
    if (!e->log.file) return DQ_OK;
    if (lseek(s->log, 0, SEEK_SET) != 0) return dq_fail_errno(error, errno, "cannot read a worker's log");
    while ((got = read(s->log, e->log_copy, sizeof e->log_copy)) > 0)
        if (fwrite(e->log_copy, 1, (size_t)got, e->log.file) != (size_t)got) break;
    if (got == 0 && fflush(e->log.file) == 0) return DQ_OK;
    return dq_fail_errno(error, errno, "cannot write the log");
}

static dq_status collect(each *e, slot *s, dq_error *error)
{
    int how = 0;
    size_t n;
    const char *id = dq_entities_id(&e->t->dataset.catalogue.users, s->user, &n);
    while (waitpid(s->pid, &how, 0) < 0)
        if (errno != EINTR) return dq_fail_errno(error, errno, "cannot wait for a worker");
    s->pid = 0;
    if (WIFSIGNALED(how))
        return dq_fail(error, DQ_ERR_IO, "user %.*s: the worker was ended by signal %d", (int)n, id,
                       WTERMSIG(how));
    if (s->shared->status)
        return dq_fail(error, s->shared->status, "user %.*s: %s", (int)n, id, s->shared->error.reason);
    float *weights = weights_of(s);
    memcpy(dq_net_weights(dq_dynaq_q(e->agent)), weights, e->q_count * sizeof *weights);
    if (e->world_count)
        memcpy(dq_net_weights(dq_dynaq_world(e->agent)), weights + e->q_count,
               e->world_count * sizeof *weights);
    dq_dynaq_set_counts(e->agent, s->shared->steps, s->shared->updates);
    dq_status status = copy_log(e, s, error);
    return status ? status : train_write_model(e->t, e->agent, s->user, NULL, error);
}

static dq_status make_slot(each *e, slot *s, dq_error *error)
{
    s->log = -1;
    s->shared = mmap(NULL, e->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s->shared == MAP_FAILED) {
        s->shared = NULL;
        return dq_fail_errno(error, errno, "no memory for a worker's weights");
    }
    if (!e->log.file) return DQ_OK;
    s->log = memfd_create("dq-train log", MFD_CLOEXEC);
    return s->log >= 0 ? DQ_OK : dq_fail_errno(error, errno, "cannot make a worker's log");
}

static dq_status make(each *e, uint32_t users, dq_error *error)
{
    train *t = e->t;
    dq_status status = dq_pool_new(&t->pool, 1, error);
    if (!status) status = train_log_open(&e->log, t->o->log, 0, error);
    if (!status) status = train_agent(t, 0, (size_t)t->o->batch, &e->agent, error);
    if (status) return status;
    e->q_count = dq_net_count(dq_dynaq_q(e->agent));
    e->world_count = dq_dynaq_world(e->agent) ? dq_net_count(dq_dynaq_world(e->agent)) : 0;
    e->bytes = HEAD + (e->q_count + e->world_count) * sizeof(float);
    e->slot_count = dq_cli_threads(&t->o->common, 0);
    if (e->slot_count > users) e->slot_count = users;
    e->slots = dq_arena_zero(&t->cli->arena, e->slot_count, sizeof *e->slots);
    if (!e->slots) return dq_fail(error, DQ_ERR_MEMORY, "no memory for workers");
    for (size_t i = 0; i < e->slot_count; i++) e->slots[i].log = -1;
    for (size_t i = 0; !status && i < e->slot_count; i++) status = make_slot(e, &e->slots[i], error);
    return status;
}

static void end_workers(each *e)
{
    for (size_t i = 0; e->slots && i < e->slot_count; i++) {
        slot *s = &e->slots[i];
        if (s->pid) {
            (void)kill(s->pid, SIGTERM);
            (void)waitpid(s->pid, NULL, 0);
        }
        if (s->shared) (void)munmap(s->shared, e->bytes);
        if (s->log >= 0) (void)close(s->log);
    }
}

static dq_status go(each *e, uint32_t users, dq_error *error)
{
    dq_status status = DQ_OK;
    dq_progress bar = dq_progress_start(&e->t->o->common, "training users", users);
    uint32_t started = 0;
    for (; !status && started < users && started < e->slot_count; started++)
        status = start(e, &e->slots[started], started, error);
    for (uint32_t user = 0; !status && user < users; user++) {
        slot *s = &e->slots[user % e->slot_count];
        status = collect(e, s, error);
        if (!status && started < users) status = start(e, s, started++, error);
        dq_progress_step(&bar, user + 1, NULL);
    }
    dq_progress_end(&bar);
    return status;
}

dq_status train_run_each(train *t, dq_error *error)
{
    uint32_t users = dq_entities_count(&t->dataset.catalogue.users);
    each *e = dq_arena_zero(&t->cli->arena, 1, sizeof *e);
    if (!e) return dq_fail(error, DQ_ERR_MEMORY, "no memory for workers");
    e->t = t;
    dq_status status = make(e, users, error);
    if (!status) status = go(e, users, error);
    end_workers(e);
    dq_status closed = train_log_close(&e->log, status ? NULL : error);
    dq_dynaq_free(e->agent);
    return status ? status : closed;
}
