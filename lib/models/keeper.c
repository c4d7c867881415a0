/* SPDX-License-Identifier: MIT
 *
 * On ext4 a sync of a new file waits for the journal, and so does one of its folder: two commits a model,
 * which together took longer than an agent of some thousand weights. Of files that gather, the first sync
 * commits for all, and the others find it done: their bytes are on their way to the disk as soon as they are
 * written, so that they have their places before.
 */
#include "models/keeper.h"

#include "models/copy.h"
#include "wire/bytes/threads.h"
#include "wire/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROOM = 64, BYTES = 64 << 20 /* files, and what they have, that wait for the thread */ };

typedef struct file {
    dq_aside aside;
    int fd;
    bool elsewhere; /* a link is in the folder, to a file that is not */
} file;

struct dq_model_keeper {
    const dq_model_dir *dir;
    char *place; /* the folder's path behind all links; NULL: unknown */
    int folder;  /* open; -1: it may not be read, and cannot be synced */
    dq_model_keeper_before before;
    void *arg;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    file waiting[ROOM];
    size_t count;
    uint64_t bytes;
    bool begun, threaded, busy, stop;
    dq_status status; /* the first failure, and */
    dq_error error;   /* what it was */
};

static void discard(file *f)
{
    if (f->fd >= 0) (void)close(f->fd);
    dq_aside_discard(&f->aside);
}

/* ---- files become durable ---- */

static dq_status sync_all(const file *files, size_t count, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; i < count && !status; i++)
        if ((status = dq_aside_sync(files[i].fd, error)))
            (void)dq_error_at(error, files[i].aside.path, DQ_NO_RECORD);
    return status;
}

static dq_status name_all(file *files, size_t count, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; i < count && !status; i++)
        if ((status = dq_aside_name(&files[i].aside, &files[i].fd, error)))
            (void)dq_error_at(error, files[i].aside.path, DQ_NO_RECORD);
    return status;
}

/* The folder, once, and others that its links lead to. */
static dq_status sync_folders(const dq_model_keeper *k, const file *files, size_t count, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; i < count && !status; i++)
        if (files[i].elsewhere) status = dq_aside_sync_directory(&files[i].aside, error);
    if (!status && k->folder >= 0 && fsync(k->folder) < 0 && errno != EINVAL)
        status = dq_fail_errno(error, errno, "cannot sync the directory");
    return status ? dq_error_at(error, k->dir->path, DQ_NO_RECORD) : DQ_OK;
}

/* Whatever comes of it, the files are closed. */
static dq_status complete(const dq_model_keeper *k, file *files, size_t count, dq_error *error)
{
    dq_status status = sync_all(files, count, error);
    if (!status && k->before) status = k->before(k->arg, error);
    if (!status) status = name_all(files, count, error);
    if (!status) status = sync_folders(k, files, count, error);
    for (size_t i = 0; i < count; i++) discard(&files[i]);
    return status;
}

/* With the lock held, which is given up meanwhile. */
static void complete_waiting(dq_model_keeper *k)
{
    file files[ROOM];
    dq_error error = DQ_ERROR_NONE;
    const size_t count = k->count;
    memcpy(files, k->waiting, count * sizeof *files);
    k->count = 0;
    k->bytes = 0;
    k->busy = true;
    (void)pthread_cond_broadcast(&k->changed);
    (void)pthread_mutex_unlock(&k->lock);
    dq_status status = complete(k, files, count, &error);
    (void)pthread_mutex_lock(&k->lock);
    k->busy = false;
    if (status && !k->status) k->error = error;
    if (status && !k->status) k->status = status;
    (void)pthread_cond_broadcast(&k->changed);
}

static void *run(void *arg)
{
    dq_model_keeper *k = arg;
    (void)pthread_mutex_lock(&k->lock);
    while (k->count || !k->stop) {
        if (k->count)
            complete_waiting(k);
        else
            (void)pthread_cond_wait(&k->changed, &k->lock);
    }
    (void)pthread_mutex_unlock(&k->lock);
    return NULL;
}

/* ---- the caller ---- */

dq_status dq_model_keeper_new(dq_model_keeper **keeper, const dq_model_dir *dir,
                              dq_model_keeper_before before, void *arg, dq_error *error)
{
    dq_model_keeper *k = *keeper = calloc(1, sizeof *k);
    if (!k) return dq_fail_memory(error, "a folder of models");
    k->dir = dir;
    k->before = before;
    k->arg = arg;
    k->error = DQ_ERROR_NONE;
    k->place = realpath(dir->path, NULL);
    (void)pthread_mutex_init(&k->lock, NULL);
    (void)pthread_cond_init(&k->changed, NULL);
    k->folder = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (k->folder < 0 && errno != EACCES) {
        (void)dq_fail_errno(error, errno, "cannot open the directory, to sync it");
        return dq_error_at(error, dir->path, DQ_NO_RECORD);
    }
    return DQ_OK;
}

/* Not before there is a file: whoever makes models in forks has made these by then (but one that takes the
 * place of another that died), with no thread beside, whose locks a fork would copy. */
static void begin(dq_model_keeper *k)
{
    if (!k->begun) k->threaded = dq_bytes_threads_start(&k->thread, 1, run, k) == 1;
    k->begun = true;
}

/* With the lock held. */
static dq_status answer(const dq_model_keeper *k, dq_error *error)
{
    if (k->status && error) *error = k->error;
    return k->status;
}

/* Takes the file over, whatever comes of it. */
static dq_status hand_over(dq_model_keeper *k, file *f, uint64_t bytes, dq_error *error)
{
    begin(k);
    (void)pthread_mutex_lock(&k->lock);
    while (!k->status && k->count && (k->count == ROOM || k->bytes + bytes > BYTES))
        (void)pthread_cond_wait(&k->changed, &k->lock);
    if (k->status) {
        discard(f);
    } else {
        k->waiting[k->count++] = *f;
        k->bytes += bytes;
        if (!k->threaded) complete_waiting(k);
        (void)pthread_cond_broadcast(&k->changed);
    }
    dq_status status = answer(k, error);
    (void)pthread_mutex_unlock(&k->lock);
    return status;
}

static bool lies_in(const char *path, const char *folder)
{
    const size_t n = (size_t)(strrchr(path, '/') - path); /* it is absolute */
    return folder && strlen(folder) == n && memcmp(path, folder, n) == 0;
}

/* Files that wait are open ones, of which a process may have a few only: without them there is room. */
static dq_status open_aside(dq_model_keeper *k, const char *path, file *f, dq_error *error)
{
    dq_error first = DQ_ERROR_NONE;
    dq_status status = dq_aside_open(&f->aside, path, &f->fd, &first);
    if (!status) return DQ_OK;
    dq_aside_discard(&f->aside);
    status = dq_model_keeper_settle(k, error);
    return status ? status : dq_aside_open(&f->aside, path, &f->fd, error);
}

dq_status dq_model_keeper_put(dq_model_keeper *k, const char *id, size_t n, dq_source_fn read, void *from,
                              dq_error *error)
{
    char *path;
    uint64_t bytes = 0;
    file f = {.fd = -1};
    dq_status status = dq_model_dir_path(k->dir, id, n, &path, error);
    if (status) return status;
    status = open_aside(k, path, &f, error);
    f.elsewhere = !status && !lies_in(f.aside.path, k->place);
    if (!status) status = dq_models_copy(read, from, f.fd, &bytes, error);
    if (status) {
        (void)dq_error_at(error, path, DQ_NO_RECORD);
        discard(&f);
    } else {
        status = hand_over(k, &f, bytes, error);
    }
    free(path);
    return status;
}

dq_status dq_model_keeper_settle(dq_model_keeper *k, dq_error *error)
{
    (void)pthread_mutex_lock(&k->lock);
    while (k->count || k->busy) (void)pthread_cond_wait(&k->changed, &k->lock);
    dq_status status = answer(k, error);
    (void)pthread_mutex_unlock(&k->lock);
    return status;
}

void dq_model_keeper_free(dq_model_keeper *k)
{
    if (!k) return;
    (void)pthread_mutex_lock(&k->lock);
    k->stop = true;
    (void)pthread_cond_broadcast(&k->changed);
    (void)pthread_mutex_unlock(&k->lock);
    if (k->threaded) (void)pthread_join(k->thread, NULL);
    (void)pthread_cond_destroy(&k->changed);
    (void)pthread_mutex_destroy(&k->lock);
    if (k->folder >= 0) (void)close(k->folder);
    free(k->place);
    free(k);
}
