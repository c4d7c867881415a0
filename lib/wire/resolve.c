/* SPDX-License-Identifier: MIT */
#include "wire/resolve.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS = 40 /* as many as Linux follows */ };

/* DIR/NAME with the directory of path, its links resolved; NULL, and errno. */
static char *beside(const char *path, const char *name)
{
    /* dirname() works in the copy: NOLINTNEXTLINE(concurrency-mt-unsafe) */
    char *copy = strdup(path), *folder = copy ? realpath(dirname(copy), NULL) : NULL;
    size_t size = folder ? strlen(folder) + strlen(name) + 2 : 0;
    char *made = folder ? malloc(size) : NULL;
    if (made) (void)snprintf(made, size, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, name);
    free(copy);
    free(folder);
    return made;
}

/* Where a link points; NULL with errno EINVAL or ENOENT for what is no link. */
static char *follow(const char *link)
{
    char target[PATH_MAX];
    ssize_t n = readlink(link, target, sizeof target - 1);
    if (n < 0) return NULL;
    target[n] = '\0';
    return target[0] == '/' ? strdup(target) : beside(link, target);
}

static char *in_its_folder(const char *path)
{
    char *copy = strdup(path), *made = copy ? beside(path, basename(copy)) : NULL;
    size_t n = strlen(path);
    free(copy);
    if (n > 0 && path[n - 1] != '/') return made;
    free(made);
    errno = n > 0 ? EISDIR : ENOENT;
    return NULL;
}

char *dq_path_resolve(const char *path)
{
    struct stat st;
    char *at = strdup(path);
    for (int links = 0; at && links < LINKS; links++) {
        bool there = stat(at, &st) == 0, broken = !there && errno == ENOENT;
        char *next = broken ? follow(at) : NULL;
        char *found = there ? realpath(at, NULL) : NULL;
        if (broken && !next && (errno == ENOENT || errno == EINVAL)) found = in_its_folder(at);
        int sys = errno;
        free(at);
        errno = sys;
        if (!next) return found;
        at = next;
    }
    if (at) errno = ELOOP;
    free(at);
    return NULL;
}
