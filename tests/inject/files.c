/* SPDX-License-Identifier: MIT
 *
 * The shim's functions of files, sockets, processes and waiting. Each stands before the one of its name.
 */
#include "inject.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ERROR_SEEN = 0x20 }; /* of glibc's FILE: what ferror() reports */

/* Of what libc does by itself, and of regular files: calls that are interrupted go on (SA_RESTART, which is
 * how the programs catch signals). Of a stream ferror() says from then on that it failed; file NULL: no
 * stream. */
static bool fails(inject_family family, const char *function, FILE *file)
{
    int how = inject(family, function);
    if (how <= 0 || how == EINTR) return false;
    if (file) file->_flags |= ERROR_SEEN;
    return true;
}

/* Fewer bytes, but not none: that would be the end. */
static size_t part(int how, size_t n)
{
    return how == INJECT_SHORT && n > 1 ? n / 2 : n;
}

/* ---- reading ---- */

#define READS(result, name, count, types, call)                                                              \
    result name types                                                                                        \
    {                                                                                                        \
        static result(*next) types;                                                                          \
        if (!next) *(void **)&next = inject_next(#name);                                                     \
        int how = inject(INJECT_READ, #name);                                                                \
        if (how > 0) return -1;                                                                              \
        count = part(how, count);                                                                            \
        return next call;                                                                                    \
    }

READS(ssize_t, read, n, (int fd, void *data, size_t n), (fd, data, n))
READS(ssize_t, pread, n, (int fd, void *data, size_t n, off_t at), (fd, data, n, at))
READS(ssize_t, pread64, n, (int fd, void *data, size_t n, off64_t at), (fd, data, n, at))
READS(ssize_t, recv, n, (int fd, void *data, size_t n, int flags), (fd, data, n, flags))

ssize_t recvfrom(int fd, void *data, size_t n, int flags, __SOCKADDR_ARG from, socklen_t *length)
{
    INJECT_NEXT(ssize_t, recvfrom, int, void *, size_t, int, __SOCKADDR_ARG, socklen_t *);
    int how = inject(INJECT_READ, "recvfrom");
    return how > 0 ? -1 : next(fd, data, part(how, n), flags, from, length);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    INJECT_NEXT(ssize_t, recvmsg, int, struct msghdr *, int);
    return inject(INJECT_READ, "recvmsg") > 0 ? -1 : next(fd, message, flags);
}

ssize_t readv(int fd, const struct iovec *parts, int count)
{
    INJECT_NEXT(ssize_t, readv, int, const struct iovec *, int);
    int how = inject(INJECT_READ, "readv");
    return how > 0 ? -1 : next(fd, parts, how && count > 1 ? 1 : count);
}

size_t fread(void *data, size_t size, size_t n, FILE *file)
{
    INJECT_NEXT(size_t, fread, void *, size_t, size_t, FILE *);
    if (fails(INJECT_READ, "fread", file)) return 0;
    return next(data, size, n, file);
}

char *fgets(char *line, int n, FILE *file)
{
    INJECT_NEXT(char *, fgets, char *, int, FILE *);
    if (fails(INJECT_READ, "fgets", file)) return NULL;
    return next(line, n, file);
}

ssize_t getline(char **line, size_t *n, FILE *file)
{
    INJECT_NEXT(ssize_t, getline, char **, size_t *, FILE *);
    if (fails(INJECT_READ, "getline", file)) return -1;
    return next(line, n, file);
}

struct dirent *readdir(DIR *folder)
{
    INJECT_NEXT(struct dirent *, readdir, DIR *);
    return fails(INJECT_READ, "readdir", NULL) ? NULL : next(folder);
}

/* ---- writing; standard error is spared ---- */

#define WRITES(result, name, count, types, call)                                                             \
    result name types                                                                                        \
    {                                                                                                        \
        static result(*next) types;                                                                          \
        if (!next) *(void **)&next = inject_next(#name);                                                     \
        int how = fd == STDERR_FILENO ? 0 : inject(INJECT_WRITE, #name);                                     \
        if (how > 0) return -1;                                                                              \
        count = part(how, count);                                                                            \
        return next call;                                                                                    \
    }

WRITES(ssize_t, write, n, (int fd, const void *data, size_t n), (fd, data, n))
WRITES(ssize_t, pwrite, n, (int fd, const void *data, size_t n, off_t at), (fd, data, n, at))
WRITES(ssize_t, pwrite64, n, (int fd, const void *data, size_t n, off64_t at), (fd, data, n, at))
WRITES(ssize_t, send, n, (int fd, const void *data, size_t n, int flags), (fd, data, n, flags))

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    INJECT_NEXT(ssize_t, sendmsg, int, const struct msghdr *, int);
    return inject(INJECT_WRITE, "sendmsg") > 0 ? -1 : next(fd, message, flags);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    INJECT_NEXT(ssize_t, writev, int, const struct iovec *, int);
    int how = fd == STDERR_FILENO ? 0 : inject(INJECT_WRITE, "writev");
    return how > 0 ? -1 : next(fd, parts, how && count > 1 ? 1 : count);
}

size_t fwrite(const void *data, size_t size, size_t n, FILE *file)
{
    INJECT_NEXT(size_t, fwrite, const void *, size_t, size_t, FILE *);
    if (file != stderr && fails(INJECT_WRITE, "fwrite", file)) return 0;
    return next(data, size, n, file);
}

int fputs(const char *text, FILE *file)
{
    INJECT_NEXT(int, fputs, const char *, FILE *);
    if (file != stderr && fails(INJECT_WRITE, "fputs", file)) return EOF;
    return next(text, file);
}

int fputc(int c, FILE *file)
{
    INJECT_NEXT(int, fputc, int, FILE *);
    if (file != stderr && fails(INJECT_WRITE, "fputc", file)) return EOF;
    return next(c, file);
}

int fseek(FILE *file, long at, int from)
{
    INJECT_NEXT(int, fseek, FILE *, long, int);
    return fails(INJECT_WRITE, "fseek", file) ? -1 : next(file, at, from);
}

int fflush(FILE *file)
{
    INJECT_NEXT(int, fflush, FILE *);
    if (file && file != stderr && fails(INJECT_WRITE, "fflush", file)) return EOF;
    return next(file);
}

int ftruncate(int fd, off_t n)
{
    INJECT_NEXT(int, ftruncate, int, off_t);
    return fails(INJECT_WRITE, "ftruncate", NULL) ? -1 : next(fd, n);
}

int ftruncate64(int fd, off64_t n)
{
    INJECT_NEXT(int, ftruncate64, int, off64_t);
    return fails(INJECT_WRITE, "ftruncate64", NULL) ? -1 : next(fd, n);
}

/* ---- what fails with -1, and does nothing ---- */

#define FAILS(family, name, types, call)                                                                     \
    int name types                                                                                           \
    {                                                                                                        \
        static int(*next) types;                                                                             \
        if (!next) *(void **)&next = inject_next(#name);                                                     \
        return inject(family, #name) > 0 ? -1 : next call;                                                   \
    }

FAILS(INJECT_SYNC, fsync, (int fd), (fd))
FAILS(INJECT_SYNC, fdatasync, (int fd), (fd))
FAILS(INJECT_RENAME, rename, (const char *from, const char *to), (from, to))
FAILS(INJECT_RENAME, link, (const char *from, const char *to), (from, to))
FAILS(INJECT_RENAME, linkat, (int a, const char *from, int b, const char *to, int flags),
      (a, from, b, to, flags))
FAILS(INJECT_OPEN, pipe, (int fd[2]), (fd))
FAILS(INJECT_OPEN, pipe2, (int fd[2], int flags), (fd, flags))
FAILS(INJECT_OPEN, eventfd, (unsigned n, int flags), (n, flags))
FAILS(INJECT_OPEN, epoll_create1, (int flags), (flags))
FAILS(INJECT_OPEN, socket, (int domain, int type, int protocol), (domain, type, protocol))
FAILS(INJECT_OPEN, socketpair, (int domain, int type, int protocol, int fd[2]), (domain, type, protocol, fd))
FAILS(INJECT_CONNECT, connect, (int fd, __CONST_SOCKADDR_ARG to, socklen_t n), (fd, to, n))
FAILS(INJECT_PROCESS, fork, (void), ())
FAILS(INJECT_WAIT, poll, (struct pollfd * at, nfds_t n, int ms), (at, n, ms))
FAILS(INJECT_WAIT, ppoll, (struct pollfd * at, nfds_t n, const struct timespec *t, const sigset_t *set),
      (at, n, t, set))
FAILS(INJECT_WAIT, select, (int n, fd_set *r, fd_set *w, fd_set *x, struct timeval *t), (n, r, w, x, t))
FAILS(INJECT_WAIT, epoll_wait, (int fd, struct epoll_event *at, int n, int ms), (fd, at, n, ms))
FAILS(INJECT_WAIT, waitpid, (pid_t pid, int *status, int options), (pid, status, options))
FAILS(INJECT_WAIT, nanosleep, (const struct timespec *t, struct timespec *left), (t, left))
FAILS(INJECT_LOCK, flock, (int fd, int how), (fd, how))
FAILS(INJECT_STAT, stat, (const char *path, struct stat *to), (path, to))
FAILS(INJECT_STAT, stat64, (const char *path, struct stat64 *to), (path, to))
FAILS(INJECT_STAT, lstat, (const char *path, struct stat *to), (path, to))
FAILS(INJECT_STAT, lstat64, (const char *path, struct stat64 *to), (path, to))
FAILS(INJECT_STAT, fstat, (int fd, struct stat *to), (fd, to))
FAILS(INJECT_STAT, fstat64, (int fd, struct stat64 *to), (fd, to))
FAILS(INJECT_STAT, access, (const char *path, int how), (path, how))

FAILS(INJECT_OPEN, dup, (int fd), (fd))
FAILS(INJECT_RENAME, mkdir, (const char *path, mode_t mode), (path, mode))
FAILS(INJECT_STAT, fchmod, (int fd, mode_t mode), (fd, mode))

ssize_t readlink(const char *path, char *to, size_t n)
{
    INJECT_NEXT(ssize_t, readlink, const char *, char *, size_t);
    return inject(INJECT_STAT, "readlink") > 0 ? -1 : next(path, to, n);
}

char *realpath(const char *path, char *to)
{
    INJECT_NEXT(char *, realpath, const char *, char *);
    return inject(INJECT_STAT, "realpath") > 0 ? NULL : next(path, to);
}

/* ---- opening and closing ---- */

#define OPENS(name, types, call)                                                                             \
    int name types                                                                                           \
    {                                                                                                        \
        static int(*next) types;                                                                             \
        if (!next) *(void **)&next = inject_next(#name);                                                     \
        va_list more;                                                                                        \
        va_start(more, flags);                                                                               \
        mode_t mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(more, mode_t) : 0;        \
        va_end(more);                                                                                        \
        return inject(INJECT_OPEN, #name) > 0 ? -1 : next call;                                              \
    }

OPENS(open, (const char *path, int flags, ...), (path, flags, mode))
OPENS(open64, (const char *path, int flags, ...), (path, flags, mode))
OPENS(openat, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))
OPENS(openat64, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))

#define OPENS_STREAM(result, name, types, call)                                                              \
    result *name types                                                                                       \
    {                                                                                                        \
        static result *(*next)types;                                                                         \
        if (!next) *(void **)&next = inject_next(#name);                                                     \
        return inject(INJECT_OPEN, #name) > 0 ? NULL : next call;                                            \
    }

OPENS_STREAM(FILE, fopen, (const char *path, const char *how), (path, how))
OPENS_STREAM(FILE, fopen64, (const char *path, const char *how), (path, how))
OPENS_STREAM(FILE, fdopen, (int fd, const char *how), (fd, how))
OPENS_STREAM(FILE, tmpfile, (void), ())
OPENS_STREAM(DIR, opendir, (const char *path), (path))

/* The descriptor is gone, as on Linux it always is; the error is what remains. */
#define CLOSES(name, type, spared)                                                                           \
    int name(type what)                                                                                      \
    {                                                                                                        \
        static int (*next)(type);                                                                            \
        if (!next) *(void **)&next = inject_next(#name);                                                     \
        int sys = what == (spared) ? 0 : inject(INJECT_CLOSE, #name);                                        \
        int result = next(what);                                                                             \
        if (sys <= 0) return result;                                                                         \
        errno = sys;                                                                                         \
        return -1;                                                                                           \
    }

CLOSES(close, int, STDERR_FILENO)
CLOSES(fclose, FILE *, stderr)
CLOSES(closedir, DIR *, (DIR *)-1)

/* ---- the rest ---- */

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    INJECT_NEXT(int, getaddrinfo, const char *, const char *, const struct addrinfo *, struct addrinfo **);
    return inject(INJECT_CONNECT, "getaddrinfo") > 0 ? EAI_AGAIN : next(host, service, hints, found);
}

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *how, char *const argv[], char *const environment[])
{
    INJECT_NEXT(int, posix_spawn, pid_t *, const char *, const posix_spawn_file_actions_t *,
                const posix_spawnattr_t *, char *const[], char *const[]);
    int sys = inject(INJECT_PROCESS, "posix_spawn");
    return sys > 0 ? sys : next(pid, path, actions, how, argv, environment);
}

int posix_spawnp(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *how, char *const argv[], char *const environment[])
{
    INJECT_NEXT(int, posix_spawnp, pid_t *, const char *, const posix_spawn_file_actions_t *,
                const posix_spawnattr_t *, char *const[], char *const[]);
    int sys = inject(INJECT_PROCESS, "posix_spawnp");
    return sys > 0 ? sys : next(pid, path, actions, how, argv, environment);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *arg)
{
    INJECT_NEXT(int, pthread_create, pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    int sys = inject(INJECT_PROCESS, "pthread_create");
    return sys > 0 ? sys : next(thread, how, run, arg);
}

/* Every third argument of fcntl fits a pointer. */
static bool locks(int command)
{
    return command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK || command == F_OFD_SETLKW;
}

int fcntl(int fd, int command, ...)
{
    INJECT_NEXT(int, fcntl, int, int, ...);
    va_list more;
    va_start(more, command);
    void *argument = va_arg(more, void *);
    va_end(more);
    return locks(command) && inject(INJECT_LOCK, "fcntl") > 0 ? -1 : next(fd, command, argument);
}

int fcntl64(int fd, int command, ...)
{
    INJECT_NEXT(int, fcntl64, int, int, ...);
    va_list more;
    va_start(more, command);
    void *argument = va_arg(more, void *);
    va_end(more);
    return locks(command) && inject(INJECT_LOCK, "fcntl64") > 0 ? -1 : next(fd, command, argument);
}
