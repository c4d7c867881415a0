/* SPDX-License-Identifier: MIT */
#include "log/log_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *dq_log_file_name(const char *path, uint64_t base)
{
    size_t room = strlen(path) + DQ_LOG_DIGITS + 2;
    char *name = malloc(room);
    if (name) (void)snprintf(name, room, "%s.%0*llu", path, DQ_LOG_DIGITS, (unsigned long long)base);
    return name;
}

/* The directory of a path, the caller's to free; *name is what stands behind it in path. */
static char *directory_of(const char *path, const char **name)
{
    const char *slash = strrchr(path, '/');
    *name = slash ? slash + 1 : path;
    if (!slash) return strdup(".");
    return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* Whether a file is a rotated one of a log, and where that begins. */
static bool is_rotated(const char *file, const char *name, uint64_t *base)
{
    size_t n = strlen(name);
    if (strncmp(file, name, n) != 0 || file[n] != '.') return false;
    const char *digits = file + n + 1;
    if (strspn(digits, "0123456789") != DQ_LOG_DIGITS || digits[DQ_LOG_DIGITS]) return false;
    errno = 0;
    *base = strtoull(digits, NULL, 10);
    return errno == 0;
}

dq_status dq_log_file_find(const char *path, uint64_t position, bool first, bool *found, uint64_t *base,
                           dq_error *error)
{
    const char *name;
    char *directory = directory_of(path, &name);
    DIR *d = directory ? opendir(directory) : NULL;
    int sys = errno;
    *found = false;
    free(directory);
    if (!directory) return dq_fail_memory(error, "a path");
    if (!d) return dq_fail_errno(error, sys, "cannot read its directory");
    const struct dirent *entry;
    while ((entry = readdir(d))) { /* a stream of this call's own: NOLINT(concurrency-mt-unsafe) */
        uint64_t begins;
        if (!is_rotated(entry->d_name, name, &begins)) continue;
        if (!first && begins > position) continue;
        if (*found && (first ? begins >= *base : begins <= *base)) continue;
        *found = true;
        *base = begins;
    }
    (void)closedir(d);
    return DQ_OK;
}

dq_status dq_log_sync_directory(const char *path, dq_error *error)
{
    const char *name;
    char *directory = directory_of(path, &name);
    if (!directory) return dq_fail_memory(error, "a path");
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(directory);
    if (fd < 0) return DQ_OK; /* one that may be written to but not read cannot be synced */
    int result = fsync(fd), sys = errno;
    (void)close(fd);
    return result < 0 && sys != EINVAL ? dq_fail_errno(error, sys, "cannot sync the directory") : DQ_OK;
}
