/* SPDX-License-Identifier: MIT
 *
 * A file that was rotated keeps its descriptor: it is read to its end under whatever name, and only then its
 * successor is looked for, the file whose first byte has the position that was reached.
 */
#include "log/follow.h"

#include "log/log_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct dq_log_follow {
    char *path;
    dq_log_scan scan; /* of the file at hand */
};

static dq_status open_file(dq_log_follow *f, const char *path, dq_error *error)
{
    struct stat is;
    if (f->scan.fd >= 0) (void)close(f->scan.fd);
    dq_log_scan_free(&f->scan);
    f->scan = (dq_log_scan){.fd = open(path, O_RDONLY | O_CLOEXEC)};
    if (f->scan.fd < 0 || fstat(f->scan.fd, &is) < 0) return dq_fail_errno(error, errno, "cannot open");
    if (!S_ISREG(is.st_mode))
        return dq_fail(error, DQ_ERR_UNSUPPORTED, "a log that is followed has to be a file");
    return DQ_OK;
}

static dq_status open_rotated(dq_log_follow *f, uint64_t base, dq_error *error)
{
    char *name = dq_log_file_name(f->path, base);
    if (!name) return dq_fail_memory(error, "a path");
    dq_status status = open_file(f, name, error);
    free(name);
    if (!status) status = dq_log_scan_base(f->scan.fd, &f->scan.base, error);
    if (!status && f->scan.base != base)
        status = dq_fail(error, DQ_ERR_FORMAT, "the file that was rotated at %llu states %llu",
                         (unsigned long long)base, (unsigned long long)f->scan.base);
    return status;
}

/* A log that was only just begun may not have its first section yet: it begins at 0 then. */
static dq_status open_current(dq_log_follow *f, dq_error *error)
{
    dq_status status = open_file(f, f->path, error);
    if (status) return status;
    status = dq_log_scan_base(f->scan.fd, &f->scan.base, error);
    return status == DQ_ERR_TRUNCATED ? DQ_OK : status;
}

/* The current one first: all files before it have their rotated names since it has its own, so that what is
 * rotated meanwhile is missed in neither place. */
static dq_status open_at(dq_log_follow *f, uint64_t position, dq_error *error)
{
    struct stat is;
    uint64_t rotated = 0;
    bool found;
    dq_status status = open_current(f, error);
    if (!status) status = dq_log_file_find(f->path, position, position == 0, &found, &rotated, error);
    if (!status && found && (position == 0 ? rotated < f->scan.base : position < f->scan.base))
        status = open_rotated(f, rotated, error);
    if (status || position == 0) return status;
    if (fstat(f->scan.fd, &is) < 0) return dq_fail_errno(error, errno, "cannot read");
    if (position < f->scan.base)
        return dq_fail(error, DQ_ERR_RANGE, "what stood at %llu has been removed: the log begins at %llu",
                       (unsigned long long)position, (unsigned long long)f->scan.base);
    f->scan.at = position - f->scan.base;
    if (f->scan.at <= (uint64_t)is.st_size) return DQ_OK;
    return dq_fail(error, DQ_ERR_RANGE, "the log does not reach to %llu", (unsigned long long)position);
}

dq_status dq_log_follow_open(dq_log_follow **follow, const char *path, uint64_t position, dq_error *error)
{
    *follow = NULL;
    dq_log_follow *f = calloc(1, sizeof *f);
    if (f) {
        f->scan.fd = -1;
        f->path = strdup(path);
    }
    dq_status status = f && f->path ? DQ_OK : dq_fail_memory(error, "a log");
    if (!status) status = open_at(f, position, error);
    if (status) {
        (void)dq_error_at(error, path, DQ_NO_RECORD);
        dq_log_follow_close(f);
        return status;
    }
    *follow = f;
    return DQ_OK;
}

dq_status dq_log_follow_open_last(dq_log_follow **follow, const char *path, uint64_t bytes, dq_error *error)
{
    struct stat is;
    bool found = false;
    uint64_t end = 0, from = 0, base = 0;
    dq_log_follow current = {.scan.fd = -1};
    current.path = strdup(path);
    *follow = NULL;
    dq_status status = current.path ? open_current(&current, error) : dq_fail_memory(error, "a log");
    if (!status && fstat(current.scan.fd, &is) < 0) status = dq_fail_errno(error, errno, "cannot read");
    if (!status) end = current.scan.base + (uint64_t)is.st_size;
    from = end > bytes ? end - bytes : 0;
    base = current.scan.base;
    if (!status && from < base) { /* a rotated file's beginning, the first one's where none is before */
        status = dq_log_file_find(path, from, false, &found, &base, error);
        if (!status && !found) base = 0;
    }
    if (current.scan.fd >= 0) (void)close(current.scan.fd);
    free(current.path);
    if (status) return dq_error_at(error, path, DQ_NO_RECORD);
    return dq_log_follow_open(follow, path, base, error);
}

/* Whether the path names another log by now than the one at hand. An empty file is none yet: somebody put it
 * there for the writer, who has not been told. */
static bool is_succeeded(const dq_log_follow *f)
{
    struct stat at_hand, named;
    if (fstat(f->scan.fd, &at_hand) < 0 || stat(f->path, &named) < 0 || named.st_size == 0) return false;
    return at_hand.st_ino != named.st_ino || at_hand.st_dev != named.st_dev;
}

/* Goes over to the file that begins where this one ended; the current one first, as in open_at. */
static dq_status go_over(dq_log_follow *f, dq_error *error)
{
    uint64_t position = f->scan.base + f->scan.at, before = f->scan.base, base;
    bool found;
    dq_status status = open_current(f, error);
    if (status || f->scan.base == position) return status;
    status = dq_log_file_find(f->path, position, false, &found, &base, error);
    if (status) return status;
    if (found && base == position && base != before) return open_rotated(f, position, error);
    return dq_fail(error, DQ_ERR_RANGE, "what followed at %llu has been removed: the file begins at %llu",
                   (unsigned long long)position, (unsigned long long)f->scan.base);
}

int dq_log_follow_next(dq_log_follow *f, dq_bundle *bundle, uint64_t *position, dq_error *error)
{
    bool last = false; /* the file at hand has its successor, so that this is its end */
    for (;;) {
        int got = dq_log_scan_next(&f->scan, bundle, error);
        if (got < 0) {
            (void)dq_error_at(error, f->path, DQ_NO_RECORD);
            return -1;
        }
        *position = f->scan.base + f->scan.at;
        if (got > 0 && bundle->rows) return 1;
        if (got > 0) {
            dq_bundle_free(bundle);
        } else if (last) {
            if (go_over(f, error)) {
                (void)dq_error_at(error, f->path, DQ_NO_RECORD);
                return -1;
            }
            last = false;
        } else if (!(last = is_succeeded(f))) {
            return 0;
        }
    }
}

/* By looking: what writes may be another machine. */
void dq_log_follow_wait(dq_log_follow *f, int milliseconds)
{
    enum { STEP = 20 };
    const struct timespec step = {.tv_nsec = STEP * 1000000L};
    struct stat is;
    for (int waited = 0; waited < milliseconds; waited += STEP) {
        uint64_t read = f->scan.at + f->scan.unfinished;
        if (fstat(f->scan.fd, &is) < 0 || (uint64_t)is.st_size != read || is_succeeded(f)) return;
        (void)nanosleep(&step, NULL);
    }
}

uint64_t dq_log_follow_unfinished(const dq_log_follow *follow)
{
    return follow->scan.unfinished;
}

void dq_log_follow_close(dq_log_follow *follow)
{
    if (!follow) return;
    if (follow->scan.fd >= 0) (void)close(follow->scan.fd);
    dq_log_scan_free(&follow->scan);
    free(follow->path);
    free(follow);
}
