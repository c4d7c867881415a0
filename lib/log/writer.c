/* SPDX-License-Identifier: MIT
 *
 * Group commit. Whoever appends adds his rows to the batch that waits. One at a time commits: he takes the
 * whole batch, with all who wait for it, and writes and syncs it without holding the lock, so that the next
 * batch gathers meanwhile. Who comes back from waiting and finds himself not done commits in his turn.
 *
 * Where rows are made durable by the clock or by their number nobody waits: a thread commits, or whoever
 * fills the batch. A batch that could not be written is kept, and goes before all else.
 */
#include "log/log_impl.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KINDS = 2, MOST_ROWS = 65536 /* that wait for a clock */ };

typedef struct waiter {
    bool done;
    dq_status status;
    dq_error error;
    uint64_t position;
    struct waiter *next;
} waiter;

typedef struct batches {
    dq_log_batch of[KINDS]; /* what was shown first: answers are to what stands before them */
    waiter *waiters;
} batches;

struct dq_log_writer {
    dq_log_config config;
    dq_log_file file; /* of whoever commits */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    batches waiting, going;
    bool committing; /* somebody is */
    bool kept;       /* `going` could not be written: it is tried anew */
    dq_status failed;
    dq_error error;         /* of the last commit */
    uint64_t position, cut; /* behind what is durable */
    pthread_t thread;
    bool threaded, stop;
};

static bool is_durable(const dq_log_writer *w)
{
    return w->config.sync_seconds <= 0 && !w->config.sync_rows;
}

static size_t rows_of(const batches *b)
{
    return b->of[DQ_LOG_SHOWN].count + b->of[DQ_LOG_ANSWERS].count;
}

/* ---- a commit, by one thread at a time, without the lock ---- */

/* A file that somebody renamed is not ours to rotate: it goes on until he says so (dq_log_writer_reopen). */
static dq_status rotate_if_due(dq_log_writer *w, dq_error *error)
{
    const dq_log_config *c = &w->config;
    bool due = (c->rotate_bytes && w->file.size >= c->rotate_bytes) ||
               (c->rotate_seconds > 0 && c->now() - w->file.begun >= c->rotate_seconds);
    due = due && w->file.size > w->file.first && dq_log_file_is_named(&w->file);
    return due ? dq_log_file_rotate(&w->file, error) : DQ_OK;
}

/* The sections of the batches as bytes, and where each ends. */
static dq_status encode(dq_log_writer *w, dq_bundle bundles[KINDS], uint64_t ends[KINDS], dq_error *error)
{
    dq_log_file *f = &w->file;
    dq_status status = DQ_OK;
    f->buffer.n = 0;
    for (size_t k = 0; k < KINDS; k++) {
        bundles[k] = DQ_BUNDLE_EMPTY;
        if (!w->going.of[k].count || status) continue;
        status = dq_log_batch_bundle(&w->going.of[k], (dq_log_kind)k, f->base + f->size + f->buffer.n,
                                     &bundles[k], error);
        if (!status) status = dq_log_section_write(&f->buffer, &w->config.maker, &bundles[k], error);
        ends[k] = f->base + f->size + f->buffer.n;
    }
    return status;
}

static dq_status commit(dq_log_writer *w, dq_error *error)
{
    dq_bundle bundles[KINDS];
    uint64_t ends[KINDS] = {0};
    dq_status status = rotate_if_due(w, error);
    if (status) return status;
    status = encode(w, bundles, ends, error);
    if (!status) status = dq_log_file_write(&w->file, error);
    w->file.buffer.n = 0;
    for (size_t k = 0; k < KINDS; k++) {
        if (!status && ends[k] && w->config.committed)
            w->config.committed(w->config.arg, &bundles[k], ends[k]);
        dq_bundle_free(&bundles[k]);
    }
    return status;
}

/* ---- with the lock held ---- */

/* Tells all who wait for a batch. */
static void release(dq_log_writer *w, dq_status status, const dq_error *error)
{
    for (waiter *each = w->going.waiters; each;) {
        waiter *next = each->next; /* it goes with its owner */
        each->status = status;
        each->error = *error;
        each->position = w->position;
        each->done = true;
        each = next;
    }
    w->going.waiters = NULL;
}

/* Writes what waits, and what was kept before it. */
static dq_status commit_waiting(dq_log_writer *w)
{
    dq_error error = DQ_ERROR_NONE;
    w->committing = true;
    if (!w->kept) {
        batches empty = w->going;
        w->going = w->waiting;
        w->waiting = empty;
    }
    (void)pthread_mutex_unlock(&w->lock);
    dq_status status = commit(w, &error);
    (void)pthread_mutex_lock(&w->lock);
    w->position = w->file.base + w->file.size;
    w->kept = status && !is_durable(w);
    w->failed = status;
    w->error = error;
    if (!w->kept)
        for (size_t k = 0; k < KINDS; k++) dq_log_batch_clear(&w->going.of[k]);
    release(w, status, &error);
    w->committing = false;
    (void)pthread_cond_broadcast(&w->changed);
    return status;
}

/* Until nothing waits; the first failure ends it. */
static dq_status commit_all(dq_log_writer *w, dq_error *error)
{
    dq_status status = DQ_OK;
    while (!status && (w->committing || w->kept || rows_of(&w->waiting))) {
        if (w->committing)
            (void)pthread_cond_wait(&w->changed, &w->lock);
        else
            status = commit_waiting(w);
    }
    if (status && error) *error = w->error;
    return status;
}

static dq_status append_durable(dq_log_writer *w, waiter *me, dq_error *error)
{
    me->next = w->waiting.waiters;
    w->waiting.waiters = me;
    while (!me->done) {
        if (w->committing)
            (void)pthread_cond_wait(&w->changed, &w->lock);
        else
            (void)commit_waiting(w);
    }
    if (me->status && error) *error = me->error;
    return me->status;
}

/* Whether so many rows wait that they are written now. */
static bool is_full(const dq_log_writer *w)
{
    size_t rows = rows_of(&w->waiting);
    return (w->config.sync_rows && rows >= w->config.sync_rows) || rows >= MOST_ROWS;
}

/* ---- outside ---- */

dq_status dq_log_append(dq_log_writer *w, dq_log_kind kind, const dq_log_row *rows, size_t count,
                        uint64_t *position, dq_error *error)
{
    waiter me = {0};
    if (position) *position = 0;
    dq_status status = dq_log_rows_check(kind, rows, count, error);
    if (status || count == 0) return status;
    (void)pthread_mutex_lock(&w->lock);
    if (w->kept) status = commit_all(w, error);
    while (!is_durable(w) && is_full(w) && w->committing) (void)pthread_cond_wait(&w->changed, &w->lock);
    if (!status) status = dq_log_batch_add(&w->waiting.of[kind], rows, count, error);
    if (!status && is_durable(w))
        status = append_durable(w, &me, error);
    else if (!status && is_full(w) && !w->committing)
        (void)commit_waiting(w); /* these rows are taken: the next caller hears of a failure */
    if (position) *position = me.position;
    (void)pthread_mutex_unlock(&w->lock);
    return status;
}

dq_status dq_log_sync(dq_log_writer *w, dq_error *error)
{
    (void)pthread_mutex_lock(&w->lock);
    dq_status status = commit_all(w, error);
    (void)pthread_mutex_unlock(&w->lock);
    return status;
}

uint64_t dq_log_writer_position(dq_log_writer *w)
{
    (void)pthread_mutex_lock(&w->lock);
    uint64_t position = w->position;
    (void)pthread_mutex_unlock(&w->lock);
    return position;
}

uint64_t dq_log_writer_cut(const dq_log_writer *writer)
{
    return writer->cut;
}

/* The file that the path names by now, where it goes on from the one at hand. */
static dq_status open_again(dq_log_writer *w, dq_error *error)
{
    dq_log_file again;
    dq_status status = dq_log_file_open(&again, w->file.path, &w->config, w->position, error);
    if (status) return status;
    if (again.base != w->position) {
        status = dq_fail(error, DQ_ERR_RANGE, "another log has its name: it begins at %llu, not at %llu",
                         (unsigned long long)again.base, (unsigned long long)w->position);
        (void)dq_error_at(error, w->file.path, DQ_NO_RECORD);
        (void)dq_log_file_close(&again, NULL);
        return status;
    }
    (void)dq_log_file_close(&w->file, NULL);
    w->file = again;
    w->position = again.base + again.size;
    return DQ_OK;
}

dq_status dq_log_writer_reopen(dq_log_writer *w, dq_error *error)
{
    (void)pthread_mutex_lock(&w->lock);
    dq_status status = commit_all(w, error);
    if (!status && !dq_log_file_is_named(&w->file)) status = open_again(w, error);
    (void)pthread_mutex_unlock(&w->lock);
    return status;
}

/* ---- the clock ---- */

static struct timespec after(double seconds)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    double nanos = (double)at.tv_nsec + (seconds - (double)(time_t)seconds) * 1e9;
    at.tv_sec += (time_t)seconds + (nanos >= 1e9);
    at.tv_nsec = (long)(nanos >= 1e9 ? nanos - 1e9 : nanos);
    return at;
}

static void *sync_by_clock(void *arg)
{
    dq_log_writer *w = arg;
    (void)pthread_mutex_lock(&w->lock);
    while (!w->stop) {
        struct timespec until = after(w->config.sync_seconds);
        while (!w->stop && pthread_cond_timedwait(&w->changed, &w->lock, &until) != ETIMEDOUT) {
        }
        if (!w->stop && !w->committing && (w->kept || rows_of(&w->waiting))) (void)commit_waiting(w);
    }
    (void)pthread_mutex_unlock(&w->lock);
    return NULL;
}

static dq_status start(dq_log_writer *w, dq_error *error)
{
    pthread_condattr_t attr;
    bool ok = pthread_condattr_init(&attr) == 0;
    ok = ok && pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
         pthread_cond_init(&w->changed, &attr) == 0;
    (void)pthread_condattr_destroy(&attr);
    (void)pthread_mutex_init(&w->lock, NULL);
    if (ok && w->config.sync_seconds > 0)
        ok = w->threaded = pthread_create(&w->thread, NULL, sync_by_clock, w) == 0;
    return ok ? DQ_OK : dq_fail_memory(error, "a thread");
}

static void free_writer(dq_log_writer *w)
{
    for (size_t k = 0; k < KINDS; k++) {
        dq_log_batch_free(&w->waiting.of[k]);
        dq_log_batch_free(&w->going.of[k]);
    }
    (void)pthread_cond_destroy(&w->changed);
    (void)pthread_mutex_destroy(&w->lock);
    free(w);
}

dq_status dq_log_writer_open(dq_log_writer **writer, const char *path, const dq_log_config *config,
                             dq_error *error)
{
    *writer = NULL;
    dq_log_writer *w = calloc(1, sizeof *w);
    if (!w) return dq_fail_memory(error, "a log");
    w->config = *config;
    if (!w->config.now) w->config.now = dq_log_now;
    dq_status status = dq_log_file_open(&w->file, path, &w->config, 0, error);
    if (status) {
        free(w);
        return status;
    }
    w->position = w->file.base + w->file.size;
    w->cut = w->file.cut;
    status = start(w, error);
    if (status) {
        (void)dq_log_file_close(&w->file, NULL);
        free_writer(w);
        return status;
    }
    *writer = w;
    return DQ_OK;
}

dq_status dq_log_writer_close(dq_log_writer *w, dq_error *error)
{
    if (!w) return DQ_OK;
    (void)pthread_mutex_lock(&w->lock);
    w->stop = true;
    (void)pthread_cond_broadcast(&w->changed);
    dq_status status = commit_all(w, error);
    (void)pthread_mutex_unlock(&w->lock);
    if (w->threaded) (void)pthread_join(w->thread, NULL);
    dq_status closed = dq_log_file_close(&w->file, status ? NULL : error);
    free_writer(w);
    return status ? status : closed;
}
