/* SPDX-License-Identifier: MIT
 *
 * What the files of the shim share (inject.c says what it is).
 */
#ifndef DQ_INJECT_H
#define DQ_INJECT_H

typedef enum inject_family {
    INJECT_MEMORY, /* malloc, calloc, realloc, aligned_alloc, posix_memalign, memalign */
    INJECT_MMAP,   /* mmap, mremap */
    INJECT_READ,   /* read, pread, readv, recv*, fread, fgets, getline, readdir */
    INJECT_WRITE,  /* write, pwrite, writev, send*, fwrite, fputs, fputc, fflush, fseek, ftruncate */
    INJECT_SYNC,   /* fsync, fdatasync */
    INJECT_RENAME, /* rename, link, linkat, mkdir */
    INJECT_OPEN,  /* open, openat, fopen, fdopen, opendir, tmpfile, dup, pipe, eventfd, epoll_create1, socket,
                     socketpair */
    INJECT_CLOSE, /* close, fclose, closedir: the descriptor is closed, and the call fails */
    INJECT_CONNECT, /* connect, getaddrinfo */
    INJECT_PROCESS, /* fork, posix_spawn, pthread_create */
    INJECT_WAIT,    /* poll, select, epoll_wait, waitpid, nanosleep */
    INJECT_LOCK,    /* fcntl(F_SETLK and its kin), flock */
    INJECT_STAT,    /* stat, fstat, lstat, access, readlink, realpath, fchmod */
    INJECT_FAMILIES
} inject_family;

enum { INJECT_SHORT = -1 };

/* Counts a call of the family. 0: let it happen; INJECT_SHORT: let it do less; else errno, which is set. */
int inject(inject_family family, const char *function);

/* The function of that name that comes after ours. */
void *inject_next(const char *name);

/* A static pointer `next` to what our function stands before. */
#define INJECT_NEXT(result, name, ...)                                                                       \
    static result (*next)(__VA_ARGS__);                                                                      \
    if (!next) *(void **)&next = inject_next(#name)

#endif
