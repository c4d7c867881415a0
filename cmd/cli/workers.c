/* SPDX-License-Identifier: MIT */
#include "cli/workers.h"

#include "data/load.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* How a job ended, in memory that parent and child share. */
typedef struct outcome {
    dq_status status;
    dq_error error;
} outcome;

typedef struct place {
    pid_t pid; /* 0: idle */
    int alive; /* the end of a pipe whose other end the child has; -1: none */
    size_t job;
    outcome *outcome;
    int files[DQ_WORKER_FILES];
} place;

static dq_status make(place *p, dq_error *error)
{
    *p = (place){.alive = -1, .files = {-1, -1}};
    void *shared = mmap(NULL, sizeof *p->outcome, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) return dq_fail_errno(error, errno, "no memory for a worker");
    p->outcome = shared;
    for (size_t f = 0; f < DQ_WORKER_FILES; f++)
        if ((p->files[f] = memfd_create("dq worker", MFD_CLOEXEC)) < 0)
            return dq_fail_errno(error, errno, "cannot make a worker's files");
    return DQ_OK;
}

static void drop(place *p)
{
    if (p->alive >= 0) (void)close(p->alive);
    if (p->pid) {
        (void)kill(p->pid, SIGKILL); /* what it wrote into files without a name is nobody's */
        while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR) continue;
    }
    if (p->outcome) (void)munmap(p->outcome, sizeof *p->outcome);
    for (size_t f = 0; f < DQ_WORKER_FILES; f++)
        if (p->files[f] >= 0) (void)close(p->files[f]);
}

/* A child's signals: those that ask to stop are the parent's, who ends it; it does not outlive the parent. */
static void suit_child(const dq_workers_config *c, pid_t parent)
{
    static const int asking[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; c->stop_asked && i < sizeof asking / sizeof *asking; i++)
        (void)signal(asking[i], SIG_IGN);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(0);
}

static dq_status start(const dq_workers_config *c, place *p, size_t job, dq_error *error)
{
    int ends[2];
    pid_t parent = getpid();
    p->job = job;
    *p->outcome = (outcome){.error = DQ_ERROR_NONE}; /* until the child says otherwise: */
    p->outcome->status = dq_fail(&p->outcome->error, DQ_ERR_IO, "the worker ended before its work did");
    for (size_t f = 0; f < DQ_WORKER_FILES; f++)
        if (ftruncate(p->files[f], 0) != 0 || lseek(p->files[f], 0, SEEK_SET) != 0)
            return dq_fail_errno(error, errno, "cannot reuse a worker's files");
    if (pipe2(ends, O_CLOEXEC) != 0) return dq_fail_errno(error, errno, "cannot start a worker");
    p->alive = ends[0];
    p->pid = fork();
    int sys = errno;
    if (p->pid == 0) {
        suit_child(c, parent);
        p->outcome->status = c->work(c->arg, job, p->files, &p->outcome->error);
        _exit(0);
    }
    (void)close(ends[1]);
    if (p->pid > 0) return DQ_OK;
    p->pid = 0;
    return dq_fail_errno(error, sys, "cannot start a worker");
}

/* Waits until the child has ended, or a stop is asked for. A signal may come just before the wait: so it ends
 * now and then. */
static dq_status await(const dq_workers_config *c, place *p, dq_error *error)
{
    enum { MILLISECONDS = 200 };
    struct pollfd other = {.fd = p->alive, .events = POLLIN};
    int got = 0;
    while (!got && !(c->stop_asked && c->stop_asked())) {
        got = poll(&other, 1, c->stop_asked ? MILLISECONDS : -1);
        if (got < 0 && errno != EINTR) return dq_fail_errno(error, errno, "cannot wait for a worker");
        if (got < 0) got = 0;
    }
    if (!got) return dq_fail(error, DQ_ERR_STOPPED, "interrupted");
    (void)close(p->alive);
    p->alive = -1;
    return DQ_OK;
}

/* How the child's work ended. */
static dq_status finish(place *p, dq_status *work, dq_error *error)
{
    int how = 0;
    while (waitpid(p->pid, &how, 0) < 0)
        if (errno != EINTR) return dq_fail_errno(error, errno, "cannot wait for a worker");
    p->pid = 0;
    *work = p->outcome->status;
    if (*work && error) *error = p->outcome->error;
    if (WIFSIGNALED(how))
        *work = dq_fail(error, DQ_ERR_IO, "the worker was ended by signal %d%s", WTERMSIG(how),
                        WTERMSIG(how) == SIGKILL ? " (was memory short?)" : "");
    return DQ_OK;
}

static dq_status end_job(const dq_workers_config *c, place *p, dq_error *error)
{
    dq_status work = DQ_OK, status = await(c, p, error);
    if (!status) status = finish(p, &work, error);
    if (status) return status;
    if (work) return c->failed(c->arg, p->job, work, error);
    for (size_t f = 0; f < DQ_WORKER_FILES; f++)
        if (lseek(p->files[f], 0, SEEK_SET) != 0)
            return dq_fail_errno(error, errno, "cannot read what a worker wrote");
    return c->take(c->arg, p->job, p->files, error);
}

dq_status dq_workers_run(const dq_workers_config *c, dq_error *error)
{
    size_t n = c->workers < c->jobs ? c->workers : c->jobs, made = 0, started = 0;
    place *places = calloc(n, sizeof *places);
    dq_status status = places ? DQ_OK : dq_fail(error, DQ_ERR_MEMORY, "no memory for workers");
    for (; !status && made < n; made++) status = make(&places[made], error);
    for (; !status && started < n; started++) status = start(c, &places[started], started, error);
    for (size_t job = 0; !status && job < c->jobs; job++) {
        status = end_job(c, &places[job % n], error);
        if (!status && started < c->jobs) {
            status = start(c, &places[job % n], started, error);
            started++;
        }
    }
    for (size_t i = 0; i < made; i++) drop(&places[i]);
    free(places);
    return status;
}

/* ---- what it writes ---- */

static dq_status write_to(void *file, const void *data, size_t n, dq_error *error)
{
    const char *at = data;
    while (n > 0) {
        ssize_t wrote = write(*(const int *)file, at, n);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return dq_fail_errno(error, errno, "a worker cannot write");
        at += wrote;
        n -= (size_t)wrote;
    }
    return DQ_OK;
}

static dq_status read_from(void *file, void *to, size_t n, size_t *got, dq_error *error)
{
    ssize_t taken;
    do taken = read(*(const int *)file, to, n);
    while (taken < 0 && errno == EINTR);
    if (taken < 0) return dq_fail_errno(error, errno, "cannot read what a worker wrote");
    *got = (size_t)taken;
    return DQ_OK;
}

dq_status dq_worker_sink(dq_sink **sink, int *file, dq_error *error)
{
    return dq_sink_open_fn(sink, "a worker", DQ_SINK_ZSTD, write_to, file, error);
}

dq_status dq_worker_source(dq_source **source, int *file, dq_error *error)
{
    return dq_source_open_fn(source, "a worker", read_from, file, error);
}

dq_status dq_worker_copy(dq_log *to, int file, dq_error *error)
{
    char block[65536];
    size_t got = 0;
    dq_status status;
    while (!(status = read_from(&file, block, sizeof block, &got, error)) && got > 0)
        if ((status = dq_log_write(to, block, got, error))) return status;
    return status;
}

/* ---- jobs that write streams ---- */

enum { STREAM, LOG };

static dq_status write_job(void *arg, size_t job, int files[DQ_WORKER_FILES], dq_error *error)
{
    const dq_worker_streams *s = arg;
    dq_log log = {.name = "the log"};
    dq_sink *sink = NULL;
    dq_writer *out = NULL;
    if (s->log->file && !(log.file = fdopen(fcntl(files[LOG], F_DUPFD_CLOEXEC, 0), "w")))
        return dq_fail_errno(error, errno, "cannot open a worker's log");
    dq_status status = dq_worker_sink(&sink, &files[STREAM], error);
    if (!status) status = dq_writer_open_sink(&out, sink, s->maker, NULL, 0, error);
    if (!status) status = s->work(s->arg, job, &log, out, error);
    if (status)
        dq_writer_abort(out);
    else
        status = dq_writer_close(out, error);
    return dq_log_close(&log, status, error);
}

static dq_status take_stream(const dq_worker_streams *s, size_t job, int *stream, dq_error *error)
{
    dq_source *source;
    dq_reader *reader = NULL;
    dq_status status = dq_worker_source(&source, stream, error);
    if (!status) status = dq_reader_open_source(&reader, source, error);
    if (!status) status = s->take(s->arg, job, reader, error);
    dq_reader_close(reader);
    return status;
}

static dq_status take_job(void *arg, size_t job, int files[DQ_WORKER_FILES], dq_error *error)
{
    const dq_worker_streams *s = arg;
    dq_status status = s->log->file ? dq_worker_copy(s->log, files[LOG], error) : DQ_OK;
    return status ? status : take_stream(s, job, &files[STREAM], error);
}

static dq_status job_failed(void *arg, size_t job, dq_status status, dq_error *error)
{
    const dq_worker_streams *s = arg;
    return s->failed(s->arg, job, status, error);
}

dq_status dq_worker_streams_run(const dq_worker_streams *streams, dq_error *error)
{
    dq_worker_streams s = *streams;
    const dq_workers_config config = {s.workers, s.jobs, &s, write_job, take_job, job_failed, s.stop_asked};
    return dq_workers_run(&config, error);
}
