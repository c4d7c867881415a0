/* SPDX-License-Identifier: MIT
 *
 * A file that gets its name only when it is complete. Where the file system can (O_TMPFILE) it has no name at
 * all until then, so that a process which dies leaves nothing behind; else it is PATH.XXXXXX.
 */
#include "wire/resolve.h"
#include "wire/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* Opens the directory that path lies in. */
static int open_directory(const char *path, int flags)
{
    char *copy = strdup(path);
    /* dirname() works in the copy: NOLINTNEXTLINE(concurrency-mt-unsafe) */
    int fd = copy ? open(dirname(copy), flags | O_CLOEXEC, 0666) : -1;
    int sys = errno;
    free(copy);
    errno = sys;
    return fd;
}

/* Makes PATH.XXXXXX: a new file, or with fd >= 0 a name for that nameless one. Returns the descriptor, or -1.
 */
static int make_named(dq_aside *a, int fd)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz012345";
    char from[40], *name = malloc(strlen(a->path) + 8);
    int made = -1;
    if (!name) return -1;
    (void)snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
    errno = EEXIST;
    for (int tries = 0; made < 0 && errno == EEXIST && tries < 100; tries++) {
        unsigned char random[6] = {0};
        (void)getrandom(random, sizeof random, 0);
        int n = sprintf(name, "%s.", a->path);
        for (size_t i = 0; i < sizeof random; i++) name[n++] = letters[random[i] & 31];
        name[n] = '\0';
        if (fd < 0)
            made = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        else if (linkat(AT_FDCWD, from, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0)
            made = fd;
    }
    if (made >= 0) a->name = name;
    if (made < 0) free(name);
    return made;
}

dq_status dq_aside_open(dq_aside *a, const char *path, int *fd, dq_error *error)
{
    struct stat old;
    bool exists = stat(path, &old) == 0;
    if (!exists && errno != ENOENT && errno != ENOTDIR) return dq_fail_errno(error, errno, "cannot create");
    if (exists && access(path, W_OK) < 0) return dq_fail_errno(error, errno, "cannot replace");
    a->path = dq_path_resolve(path); /* a link stays: the file that it names is made or replaced */
    if (!a->path) return dq_fail_errno(error, errno, "cannot create");
    *fd = access("/proc/self/fd", X_OK) == 0 ? open_directory(a->path, O_TMPFILE | O_WRONLY) : -1;
    if (*fd < 0) *fd = make_named(a, -1);
    if (*fd < 0) return dq_fail_errno(error, errno, "cannot create");
    if (exists && fchmod(*fd, old.st_mode & 07777) < 0)
        return dq_fail_errno(error, errno, "cannot set the mode");
    return DQ_OK;
}

dq_status dq_aside_sync(int fd, dq_error *error)
{
    return fsync(fd) < 0 ? dq_fail_errno(error, errno, "cannot sync") : DQ_OK;
}

dq_status dq_aside_name(dq_aside *a, int *fd, dq_error *error)
{
    if (!a->name && make_named(a, *fd) < 0) return dq_fail_errno(error, errno, "cannot name");
    int result = close(*fd), sys = errno;
    *fd = -1;
    if (result < 0) return dq_fail_errno(error, sys, "cannot close");
    if (rename(a->name, a->path) < 0) return dq_fail_errno(error, errno, "cannot rename");
    free(a->name);
    a->name = NULL;
    return DQ_OK;
}

dq_status dq_aside_sync_directory(const dq_aside *a, dq_error *error)
{
    int fd = open_directory(a->path, O_RDONLY | O_DIRECTORY);
    if (fd < 0 && errno == EACCES) return DQ_OK; /* it may be written to but not read */
    if (fd < 0) return dq_fail_errno(error, errno, "cannot sync the directory");
    int result = fsync(fd), sys = errno;
    (void)close(fd);
    return result < 0 && sys != EINVAL ? dq_fail_errno(error, sys, "cannot sync the directory") : DQ_OK;
}

dq_status dq_aside_complete(dq_aside *a, int *fd, dq_error *error)
{
    dq_status status = dq_aside_sync(*fd, error);
    if (!status) status = dq_aside_name(a, fd, error);
    return status ? status : dq_aside_sync_directory(a, error);
}

void dq_aside_discard(dq_aside *a)
{
    if (a->name) (void)unlink(a->name);
    free(a->name);
    free(a->path);
    *a = (dq_aside){0};
}
