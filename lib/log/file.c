/* SPDX-License-Identifier: MIT
 *
 * The file of a log that is appended to. It is never without its first section, a bundle of no rows that says
 * where in the log the file begins: a new one is made aside and linked to its name.
 */
#include "log/log_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

double dq_log_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- writing ---- */

static dq_status write_all(int fd, const unsigned char *data, size_t n, uint64_t at, dq_error *error)
{
    while (n) {
        ssize_t wrote = pwrite(fd, data, n, (off_t)at);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return dq_fail_errno(error, errno, "cannot write");
        data += wrote;
        n -= (size_t)wrote;
        at += (uint64_t)wrote;
    }
    return DQ_OK;
}

dq_status dq_log_file_write(dq_log_file *f, dq_error *error)
{
    size_t n = f->buffer.n;
    f->buffer.n = 0;
    if (n == 0) return DQ_OK;
    dq_status status = write_all(f->fd, f->buffer.at, n, f->size, error);
    if (!status && fdatasync(f->fd) < 0) status = dq_fail_errno(error, errno, "cannot sync");
    if (!status)
        f->size += n;
    else if (ftruncate(f->fd, (off_t)f->size) < 0)
        status = dq_fail_errno(error, errno, "cannot write, nor cut off what was written");
    return status ? dq_error_at(error, f->path, DQ_NO_RECORD) : DQ_OK;
}

/* ---- a new file ---- */

/* The section of no rows into the buffer. */
static dq_status begin(dq_log_file *f, uint64_t base, dq_error *error)
{
    const dq_log_batch none = {0};
    dq_bundle bundle;
    f->begun = f->config->now();
    f->buffer.n = 0;
    dq_status status = dq_log_batch_bundle(&none, DQ_LOG_SHOWN, base, &bundle, error);
    if (status) return status;
    if (!dq_map_set(&bundle.arena, &bundle.meta, "begun", dq_real(f->begun)))
        status = dq_fail_memory(error, "a log");
    if (!status) status = dq_log_section_write(&f->buffer, &f->config->maker, &bundle, error);
    dq_bundle_free(&bundle);
    return status;
}

/* Locks what no other process may write. */
static dq_status lock(int fd, dq_error *error)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return DQ_OK;
    if (errno != EWOULDBLOCK) return dq_fail_errno(error, errno, "cannot lock");
    return dq_fail(error, DQ_ERR_UNSUPPORTED, "another process writes this log");
}

/* A new file beside the path, with its first section, synced and locked. The caller frees *name. */
static dq_status make_aside(const dq_log_file *from, uint64_t base, dq_log_file *made, char **name,
                            dq_error *error)
{
    size_t room = strlen(from->path) + sizeof ".new";
    *made = (dq_log_file){.path = from->path, .config = from->config, .fd = -1, .base = base};
    *name = malloc(room);
    if (!*name) return dq_fail_memory(error, "a path");
    (void)snprintf(*name, room, "%s.new", from->path);
    (void)unlink(*name); /* of one who died here: whoever lives has the lock of the path */
    made->fd = open(*name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    dq_status status = made->fd < 0 ? dq_fail_errno(error, errno, "cannot begin a file") : DQ_OK;
    if (!status) status = lock(made->fd, error);
    if (!status) status = begin(made, base, error);
    return status ? status : dq_log_file_write(made, error);
}

/* What was made takes the place of the file at hand, or is removed; frees name. */
static dq_status take_over(dq_log_file *f, dq_log_file *made, char *name, dq_status status, dq_error *error)
{
    if (!status && rename(name, f->path) < 0) status = dq_fail_errno(error, errno, "cannot name a file");
    if (status && name) (void)unlink(name);
    free(name);
    dq_log_file dropped = status ? *made : *f;
    if (!status) {
        made->cut = f->cut;
        made->first = made->size;
        *f = *made;
    }
    if (dropped.fd >= 0) (void)close(dropped.fd);
    free(dropped.buffer.at);
    return status;
}

dq_status dq_log_file_rotate(dq_log_file *f, dq_error *error)
{
    dq_log_file made;
    char *aside = NULL, *rotated = dq_log_file_name(f->path, f->base);
    if (!rotated) return dq_fail_memory(error, "a path");
    dq_status status = make_aside(f, f->base + f->size, &made, &aside, error);
    bool linked = !status && link(f->path, rotated) == 0;
    if (!status && !linked) status = dq_fail_errno(error, errno, "cannot name %s", rotated);
    status = take_over(f, &made, aside, status, error);
    if (status && linked) (void)unlink(rotated);
    free(rotated);
    if (!status) status = dq_log_sync_directory(f->path, error);
    return status ? dq_error_at(error, f->path, DQ_NO_RECORD) : DQ_OK;
}

/* ---- opening ---- */

static bool names(const char *path, int fd)
{
    struct stat named, at_hand;
    return stat(path, &named) == 0 && fstat(fd, &at_hand) == 0 && named.st_ino == at_hand.st_ino &&
           named.st_dev == at_hand.st_dev;
}

static dq_status open_locked(dq_log_file *f, uint64_t *size, dq_error *error)
{
    struct stat is;
    f->fd = open(f->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (f->fd < 0 || fstat(f->fd, &is) < 0) return dq_fail_errno(error, errno, "cannot open");
    if (!S_ISREG(is.st_mode)) return dq_fail(error, DQ_ERR_UNSUPPORTED, "a log has to be a regular file");
    dq_status status = lock(f->fd, error);
    if (status) return status;
    if (fstat(f->fd, &is) < 0) return dq_fail_errno(error, errno, "cannot open");
    *size = (uint64_t)is.st_size;
    if (names(f->path, f->fd)) return DQ_OK; /* else it was rotated meanwhile, by who writes it */
    return dq_fail(error, DQ_ERR_UNSUPPORTED, "another process writes this log");
}

/* A log without a file goes on where its last rotated file ended. */
static dq_status end_of_rotated(const dq_log_file *f, uint64_t *position, dq_error *error)
{
    bool found;
    uint64_t base;
    struct stat is;
    dq_status status = dq_log_file_find(f->path, UINT64_MAX, false, &found, &base, error);
    if (status || !found) return status;
    char *name = dq_log_file_name(f->path, base);
    if (!name) return dq_fail_memory(error, "a path");
    if (stat(name, &is) < 0) status = dq_fail_errno(error, errno, "cannot read %s", name);
    free(name);
    *position = base + (uint64_t)is.st_size;
    return status;
}

static dq_status begin_new(dq_log_file *f, uint64_t position, dq_error *error)
{
    dq_log_file made = {.fd = -1};
    char *name = NULL;
    dq_status status = position ? DQ_OK : end_of_rotated(f, &position, error);
    if (!status) status = make_aside(f, position, &made, &name, error);
    status = take_over(f, &made, name, status, error);
    return status ? status : dq_log_sync_directory(f->path, error);
}

bool dq_log_file_is_named(const dq_log_file *f)
{
    return names(f->path, f->fd);
}

/* Who died between two steps of a rotation left the file at hand with both names. */
static void drop_second_name(const dq_log_file *f)
{
    char *name = dq_log_file_name(f->path, f->base);
    if (name && names(name, f->fd)) (void)unlink(name);
    free(name);
}

/* Reads all sections, and cuts off what is unfinished. */
static dq_status recover(dq_log_file *f, dq_error *error)
{
    dq_log_scan scan = {.fd = f->fd};
    dq_bundle bundle;
    int got;
    dq_status status = dq_log_scan_base(f->fd, &f->base, error);
    if (status == DQ_ERR_TRUNCATED) status = dq_fail(error, DQ_ERR_FORMAT, "this is no log of a server");
    if (status) return status;
    scan.base = f->base;
    f->begun = f->config->now();
    f->first = 0;
    while ((got = dq_log_scan_next(&scan, &bundle, error)) > 0) {
        f->begun = dq_value_number(dq_map_get(&bundle.meta, "begun"), f->begun);
        dq_bundle_free(&bundle);
        if (!f->first) f->first = scan.at;
    }
    f->size = scan.at;
    f->cut = scan.unfinished;
    dq_log_scan_free(&scan);
    if (got < 0) return error->status;
    if (f->cut && (ftruncate(f->fd, (off_t)f->size) < 0 || fsync(f->fd) < 0))
        return dq_fail_errno(error, errno, "cannot cut off an unfinished section");
    drop_second_name(f);
    return DQ_OK;
}

dq_status dq_log_file_open(dq_log_file *f, const char *path, const dq_log_config *config, uint64_t position,
                           dq_error *error)
{
    uint64_t size = 0;
    *f = (dq_log_file){.path = strdup(path), .config = config, .fd = -1};
    if (!f->path) return dq_fail_memory(error, "a path");
    dq_status status = open_locked(f, &size, error);
    if (!status) status = size ? recover(f, error) : begin_new(f, position, error);
    if (!status) return DQ_OK;
    (void)dq_error_at(error, path, DQ_NO_RECORD);
    (void)dq_log_file_close(f, NULL);
    return status;
}

dq_status dq_log_file_close(dq_log_file *f, dq_error *error)
{
    int result = f->fd >= 0 ? close(f->fd) : 0, sys = errno;
    dq_status status = result < 0 ? dq_fail_errno(error, sys, "cannot close") : DQ_OK;
    if (status) (void)dq_error_at(error, f->path, DQ_NO_RECORD);
    free(f->buffer.at);
    free(f->path);
    *f = (dq_log_file){.fd = -1};
    return status;
}
