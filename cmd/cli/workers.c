/* SPDX-License-Identifier: MIT */
#include "cli/workers.h"

#include "data/load.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How a job ended, in memory that parent and children share. */
typedef struct outcome {
    dq_status status;
    dq_error error;
} outcome;

typedef enum slot_state { SLOT_RUNNING, SLOT_DONE } slot_state;

/* What a job leaves until its turn has come: job j has slot j % slots. */
typedef struct slot {
    slot_state state;
    outcome *outcome;
    int files[DQ_WORKER_FILES];
    bool left; /* taken by `leave` */
} slot;

typedef struct worker {
    pid_t pid; /* 0: none was started, or it has ended */
    int line;  /* jobs go down it, and a byte comes back when one is done; -1: none */
    bool busy;
    size_t job;
} worker;

typedef struct crew {
    const dq_workers_config *config;
    worker *workers;
    slot *slots;
    size_t worker_count, slot_count;
    size_t given, taken; /* jobs */
} crew;

/* ---- slots ---- */

static dq_status open_slot(slot *s, dq_error *error)
{
    void *shared = mmap(NULL, sizeof *s->outcome, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) return dq_fail_errno(error, errno, "no memory for a worker");
    s->outcome = shared;
    for (size_t f = 0; f < DQ_WORKER_FILES; f++)
        if ((s->files[f] = memfd_create("dq worker", MFD_CLOEXEC)) < 0)
            return dq_fail_errno(error, errno, "cannot make a worker's files");
    return DQ_OK;
}

static void close_slot(slot *s)
{
    if (s->outcome) (void)munmap(s->outcome, sizeof *s->outcome);
    for (size_t f = 0; f < DQ_WORKER_FILES; f++)
        if (s->files[f] >= 0) (void)close(s->files[f]);
}

/* The files are written over, not emptied, so that their memory is not taken anew for every job. */
static dq_status clear_slot(slot *s, dq_error *error)
{
    s->state = SLOT_RUNNING;
    *s->outcome = (outcome){.error = DQ_ERROR_NONE}; /* until the child says otherwise: */
    s->outcome->status = dq_fail(&s->outcome->error, DQ_ERR_IO, "the worker ended before its work did");
    for (size_t f = 0; f < DQ_WORKER_FILES; f++)
        if (lseek(s->files[f], 0, SEEK_SET) != 0)
            return dq_fail_errno(error, errno, "cannot reuse a worker's files");
    return DQ_OK;
}

/* Ends the files where the job stopped writing, for whoever reads them from their beginnings. */
static dq_status rewind_slot(const slot *s, dq_error *error)
{
    for (size_t f = 0; f < DQ_WORKER_FILES; f++) {
        off_t end = lseek(s->files[f], 0, SEEK_CUR);
        if (end < 0 || ftruncate(s->files[f], end) != 0 || lseek(s->files[f], 0, SEEK_SET) != 0)
            return dq_fail_errno(error, errno, "cannot read what a worker wrote");
    }
    return DQ_OK;
}

/* ---- lines ---- */

/* A signal, or a part that goes, is no failure. false: errno says why. */
static bool send_whole(int line, const void *message, size_t n)
{
    const char *at = message;
    while (n > 0) {
        ssize_t sent = send(line, at, n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) return false;
        at += sent;
        n -= (size_t)sent;
    }
    return true;
}

/* false: the line has ended, or failed. */
static bool receive_whole(int line, void *message, size_t n)
{
    char *at = message;
    while (n > 0) {
        ssize_t got = recv(line, at, n, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        at += got;
        n -= (size_t)got;
    }
    return true;
}

/* ---- the child ---- */

/* What one job frees the next one takes, without asking the system for pages again, which have to be found
 * and zeroed: of small agents that took half of the time. Large pieces go back: zeroed ones are pages that
 * take no memory before they are used (core/arena.c), as the moments of layers that do not learn. */
static void keep_memory(void)
{
#ifdef M_TRIM_THRESHOLD
    enum { LARGE = 1 << 20 };
    (void)mallopt(M_MMAP_THRESHOLD, LARGE);
    (void)mallopt(M_TRIM_THRESHOLD, INT_MAX);
#endif
}

/* A child's signals: those that ask to stop are the parent's, who ends it; or who tells it, by SIGTERM, where
 * what it has done is to be left. It does not outlive the parent. */
static void suit_child(const dq_workers_config *c, pid_t parent)
{
    static const int asking[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; c->stop_asked && i < sizeof asking / sizeof *asking; i++)
        if (!c->leave || asking[i] != SIGTERM) (void)signal(asking[i], SIG_IGN);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(0);
    keep_memory();
}

/* Does the jobs that come down the line, until it is closed. A line that fails ends the worker: its end is
 * what the parent hears. */
static void serve(const crew *w, int line)
{
    size_t job;
    while (receive_whole(line, &job, sizeof job)) {
        slot *s = &w->slots[job % w->slot_count];
        s->outcome->status = w->config->work(w->config->arg, job, s->files, &s->outcome->error);
        if (!send_whole(line, "", 1)) break;
    }
    _exit(0);
}

/* ---- the parent ---- */

static dq_status start(crew *w, worker *k, dq_error *error)
{
    int ends[2];
    pid_t parent = getpid();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return dq_fail_errno(error, errno, "cannot start a worker");
    k->pid = fork();
    int sys = errno;
    if (k->pid == 0) {
        suit_child(w->config, parent);
        for (size_t i = 0; i < w->worker_count; i++) /* their lines end with the parent's ends alone */
            if (w->workers[i].line >= 0) (void)close(w->workers[i].line);
        (void)close(ends[0]);
        serve(w, ends[1]);
    }
    (void)close(ends[1]);
    k->line = ends[0];
    if (k->pid > 0) return DQ_OK;
    k->pid = 0;
    return dq_fail_errno(error, sys, "cannot start a worker");
}

static dq_status give(crew *w, worker *k, dq_error *error)
{
    slot *s = &w->slots[w->given % w->slot_count];
    dq_status status = clear_slot(s, error);
    if (!status && !k->pid) status = start(w, k, error);
    if (status) return status;
    k->job = w->given++;
    k->busy = true;
    if (send_whole(k->line, &k->job, sizeof k->job)) return DQ_OK;
    /* A worker that has ended meanwhile is found by its line, and so is one that must end: it waits for the
     * rest of the message, and finds the end instead. */
    if (errno != EPIPE)
        s->outcome->status = dq_fail_errno(&s->outcome->error, errno, "cannot give a worker its job");
    (void)shutdown(k->line, SHUT_WR);
    return DQ_OK;
}

static bool stops(const dq_workers_config *c)
{
    return c->stop_asked && c->stop_asked();
}

/* Whoever is idle gets a job, as far as there are slots. */
static dq_status give_all(crew *w, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < w->worker_count; i++) {
        bool room = w->given < w->config->jobs && w->given - w->taken < w->slot_count && !stops(w->config);
        if (room && !w->workers[i].busy) status = give(w, &w->workers[i], error);
    }
    return status;
}

/* A worker that has ended, and with it its job. */
static dq_status bury(worker *k, outcome *of, dq_error *error)
{
    int how = 0;
    (void)close(k->line);
    k->line = -1;
    while (waitpid(k->pid, &how, 0) < 0)
        if (errno != EINTR) return dq_fail_errno(error, errno, "cannot wait for a worker");
    k->pid = 0;
    if (WIFSIGNALED(how))
        of->status = dq_fail(&of->error, DQ_ERR_IO, "the worker was ended by signal %d%s", WTERMSIG(how),
                             WTERMSIG(how) == SIGKILL ? " (was memory short?)" : "");
    return DQ_OK;
}

/* Its line has something to say. */
static dq_status hear(crew *w, worker *k, dq_error *error)
{
    char done;
    slot *s = &w->slots[k->job % w->slot_count];
    bool is_done = receive_whole(k->line, &done, sizeof done);
    k->busy = false;
    s->state = SLOT_DONE;
    return is_done ? DQ_OK : bury(k, s->outcome, error);
}

/* Waits for those who are at work, so many milliseconds at most (-1: any number), and hears who is done;
 * *heard is their number. */
static dq_status listen_for(crew *w, struct pollfd *lines, int ms, size_t *heard, dq_error *error)
{
    dq_status status = DQ_OK;
    *heard = 0;
    for (size_t i = 0; i < w->worker_count; i++)
        lines[i] = (struct pollfd){.fd = w->workers[i].busy ? w->workers[i].line : -1, .events = POLLIN};
    int got = poll(lines, w->worker_count, ms);
    if (got < 0 && errno != EINTR) return dq_fail_errno(error, errno, "cannot wait for a worker");
    for (size_t i = 0; got > 0 && !status && i < w->worker_count; i++)
        if (lines[i].revents) {
            status = hear(w, &w->workers[i], error);
            ++*heard;
        }
    return status;
}

/* Waits until somebody is done, or a stop is asked for. A signal may come just before the wait: so it ends
 * now and then. */
static dq_status await(crew *w, struct pollfd *lines, dq_error *error)
{
    enum { MILLISECONDS = 200 };
    const dq_workers_config *c = w->config;
    size_t heard = 0;
    dq_status status = DQ_OK;
    while (!status && !heard && !stops(c))
        status = listen_for(w, lines, c->stop_asked ? MILLISECONDS : -1, &heard, error);
    return status || heard ? status : dq_fail(error, DQ_ERR_STOPPED, "interrupted");
}

/* The next job in order has ended. It is not taken where a stop is what ended it. */
static dq_status take_next(crew *w, dq_error *error)
{
    const dq_workers_config *c = w->config;
    size_t job = w->taken;
    slot *s = &w->slots[job % w->slot_count];
    dq_status work = s->outcome->status, status = DQ_OK;
    if (c->leave && (work == DQ_ERR_STOPPED || (work && stops(c))))
        return dq_fail(error, DQ_ERR_STOPPED, "interrupted");
    if (work) {
        if (error) *error = s->outcome->error;
        status = c->failed(c->arg, job, work, error);
    } else {
        status = rewind_slot(s, error);
        if (!status) status = c->take(c->arg, job, s->files, error);
    }
    w->taken++;
    return status;
}

static dq_status run_all(crew *w, struct pollfd *lines, dq_error *error)
{
    dq_status status = DQ_OK;
    while (!status && w->taken < w->config->jobs) {
        status = give_all(w, error);
        if (status) break;
        /* a slot without a job may still have what an earlier one left in it */
        if (w->taken < w->given && w->slots[w->taken % w->slot_count].state == SLOT_DONE)
            status = take_next(w, error);
        else
            status = await(w, lines, error);
    }
    return status;
}

/* ---- a stop ---- */

/* What a job leaves, once; not that which failed, which fails again when the run goes on. */
static dq_status leave_job_of(crew *w, size_t job, dq_error *error)
{
    slot *s = &w->slots[job % w->slot_count];
    dq_status how = s->outcome->status;
    if (s->state != SLOT_DONE || s->left || (how && how != DQ_ERR_STOPPED)) return DQ_OK;
    s->left = true;
    dq_status status = rewind_slot(s, error);
    return status ? status : w->config->leave(w->config->arg, job, how, s->files, error);
}

/* What jobs leave as they end. A failure to keep one does not keep the others from being kept: the first is
 * told. */
static dq_status leave_done(crew *w, dq_status status, dq_error *error)
{
    for (size_t job = w->taken; job < w->given; job++) {
        dq_error why = DQ_ERROR_NONE;
        dq_status left = leave_job_of(w, job, &why);
        if (left && !status && error) *error = why;
        if (left && !status) status = left;
    }
    return status;
}

static double seconds_since(const struct timespec *began)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - began->tv_sec) + (double)(now.tv_nsec - began->tv_nsec) / 1e9;
}

/* Tells those who are at work, and waits for them, but for no longer than they may take; what they leave is
 * taken meanwhile. */
static dq_status leave_all(crew *w, struct pollfd *lines, dq_status status, dq_error *error)
{
    enum { MILLISECONDS = 200 };
    struct timespec began;
    (void)clock_gettime(CLOCK_MONOTONIC, &began);
    size_t busy = 0, heard;
    for (size_t i = 0; i < w->worker_count; i++)
        if (w->workers[i].busy) {
            (void)kill(w->workers[i].pid, SIGTERM);
            busy++;
        }
    if (status == DQ_ERR_STOPPED) status = DQ_OK; /* what fails now is the news, or what has failed before */
    status = leave_done(w, status, error);
    for (dq_status waited = DQ_OK; !waited && busy && seconds_since(&began) < w->config->patience;
         busy -= heard) {
        waited = listen_for(w, lines, MILLISECONDS, &heard, status ? NULL : error);
        if (!status) status = waited;
        status = leave_done(w, status, error);
    }
    return status ? status : dq_fail(error, DQ_ERR_STOPPED, "interrupted");
}

static void end_worker(worker *k)
{
    if (k->line >= 0) (void)close(k->line);
    if (!k->pid) return;
    (void)kill(k->pid, SIGKILL); /* what it wrote into files without a name is nobody's */
    while (waitpid(k->pid, NULL, 0) < 0 && errno == EINTR) continue;
}

dq_status dq_workers_run(const dq_workers_config *c, dq_error *error)
{
    enum { SLOTS_EACH = 2 }; /* one that is worked on, and one that waits for its turn */
    size_t n = c->workers < c->jobs ? c->workers : c->jobs;
    crew w = {.config = c,
              .workers = calloc(n, sizeof *w.workers),
              .slots = calloc(n * SLOTS_EACH, sizeof *w.slots),
              .worker_count = n,
              .slot_count = n * SLOTS_EACH};
    struct pollfd *lines = calloc(n, sizeof *lines);
    bool room = w.workers && w.slots && lines;
    dq_status status = room ? DQ_OK : dq_fail(error, DQ_ERR_MEMORY, "no memory for workers");
    for (size_t i = 0; room && i < n; i++) w.workers[i].line = -1;
    for (size_t i = 0; room && i < w.slot_count; i++) w.slots[i] = (slot){.files = {-1, -1}};
    for (size_t i = 0; !status && i < w.slot_count; i++) status = open_slot(&w.slots[i], error);
    if (!status) status = run_all(&w, lines, error);
    bool stopped = status == DQ_ERR_STOPPED || (status && room && stops(c));
    if (stopped && c->leave) status = leave_all(&w, lines, status, error);
    for (size_t i = 0; room && i < n; i++) end_worker(&w.workers[i]);
    for (size_t i = 0; room && i < w.slot_count; i++) close_slot(&w.slots[i]);
    free(w.workers);
    free(w.slots);
    free(lines);
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

/* A job's file as where a stream goes to, compressed as in a file; *file is kept. */
static dq_status open_sink(dq_sink **sink, int *file, dq_error *error)
{
    return dq_sink_open_fn(sink, "a worker", DQ_SINK_FILE, write_to, file, error);
}

static dq_status copy_lines(dq_log *to, int file, dq_error *error)
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
    dq_status status = open_sink(&sink, &files[STREAM], error);
    if (!status) status = dq_writer_open_sink(&out, sink, s->maker, s->inputs, s->input_count, error);
    if (!status) status = s->work(s->arg, job, &log, out, error);
    bool leaves = status == DQ_ERR_STOPPED && s->leave;
    dq_status closed = DQ_OK;
    if (status && !leaves)
        dq_writer_abort(out);
    else
        closed = dq_writer_close(out, error);
    return dq_log_close(&log, closed ? closed : status, error);
}

static dq_status take_job(void *arg, size_t job, int files[DQ_WORKER_FILES], dq_error *error)
{
    const dq_worker_streams *s = arg;
    dq_status status = s->log->file ? copy_lines(s->log, files[LOG], error) : DQ_OK;
    return status ? status : s->take(s->arg, job, read_from, &files[STREAM], error);
}

static dq_status leave_job(void *arg, size_t job, dq_status how, int files[DQ_WORKER_FILES], dq_error *error)
{
    const dq_worker_streams *s = arg;
    return s->leave(s->arg, job, how == DQ_OK, read_from, &files[STREAM], s->log->file ? &files[LOG] : NULL,
                    error);
}

static dq_status job_failed(void *arg, size_t job, dq_status status, dq_error *error)
{
    const dq_worker_streams *s = arg;
    return s->failed(s->arg, job, status, error);
}

dq_status dq_worker_streams_run(const dq_worker_streams *streams, dq_error *error)
{
    enum { PATIENCE = 8 }; /* who tells a program to stop may kill it ten seconds later */
    dq_worker_streams s = *streams;
    const dq_workers_config config = {.workers = s.workers,
                                      .jobs = s.jobs,
                                      .arg = &s,
                                      .work = write_job,
                                      .take = take_job,
                                      .failed = job_failed,
                                      .stop_asked = s.stop_asked,
                                      .leave = s.leave ? leave_job : NULL,
                                      .patience = PATIENCE};
    return dq_workers_run(&config, error);
}
