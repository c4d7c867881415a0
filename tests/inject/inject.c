/* SPDX-License-Identifier: MIT
 *
 * The machine fails, once, at a call that a test names: LD_PRELOAD=inject.so, and in the environment
 * INJECT=FAMILY:N:KIND, the N-th call of that family, counted from 1, fails so (KIND+: all that follow, too),
 * and INJECT_TOLD=FILE, where it says what was made to fail ("failed FUNCTION OBJECT+OFFSET ...") and, at
 * exit, how many calls each family had ("calls FAMILY COUNT").
 *
 * Calls count from the start of main: what the loader and the libraries' constructors do before is theirs.
 * What a program calls through the dynamic linker is seen, from its libraries too (SQLite, curl, OpenBLAS),
 * but no call that libc makes to itself: so stdio is here by name. Standard error is spared, or nobody could
 * say what went wrong, and so is a child that the program starts.
 *
 * Under AddressSanitizer this comes before its runtime (ASAN_OPTIONS=verify_asan_link_order=0): each function
 * goes on to the next one of its name, which then is the sanitizer's.
 */
#include "inject.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *const names[INJECT_FAMILIES] = {
    [INJECT_MEMORY] = "memory",   [INJECT_MMAP] = "mmap",   [INJECT_READ] = "read",
    [INJECT_WRITE] = "write",     [INJECT_SYNC] = "sync",   [INJECT_RENAME] = "rename",
    [INJECT_OPEN] = "open",       [INJECT_CLOSE] = "close", [INJECT_CONNECT] = "connect",
    [INJECT_PROCESS] = "process", [INJECT_WAIT] = "wait",   [INJECT_LOCK] = "lock",
    [INJECT_STAT] = "stat",
};

/* What a kind is to errno; short is no failure, but fewer bytes than were asked for. */
static const struct {
    const char *name;
    int sys;
} kinds[] = {
    {"ENOMEM", ENOMEM},      {"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EINTR", EINTR},
    {"EMFILE", EMFILE},      {"EAGAIN", EAGAIN}, {"ENOLCK", ENOLCK}, {"ECONNREFUSED", ECONNREFUSED},
    {"short", INJECT_SHORT},
};

static atomic_ulong calls[INJECT_FAMILIES];
static atomic_bool counting;
static int family = -1, sys;
static unsigned long nth;
static bool onwards;
static char told[1024];
static _Thread_local bool inside __attribute__((tls_model("initial-exec"))); /* our own calls do not count */

/* Straight to the kernel: nothing here may be a call that is counted. */
static void tell(const char *line)
{
    int fd = (int)syscall(SYS_openat, AT_FDCWD, told, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0) return;
    (void)syscall(SYS_write, fd, line, strlen(line));
    (void)syscall(SYS_close, fd);
}

/* Where the call stands: object+offset of each caller, for addr2line. */
static void tell_failed(const char *function)
{
    char line[4096];
    size_t n = (size_t)snprintf(line, sizeof line, "failed %s", function);
    void *at[48];
    int depth = backtrace(at, 48);
    for (int i = 2; i < depth && n < sizeof line - 300; i++) {
        Dl_info of;
        if (!dladdr(at[i], &of) || !of.dli_fname) continue;
        n += (size_t)snprintf(line + n, sizeof line - n, " %.200s+0x%zx", of.dli_fname,
                              (size_t)((char *)at[i] - (char *)of.dli_fbase) - 1);
    }
    line[n++] = '\n';
    line[n] = '\0';
    tell(line);
}

int inject(inject_family of, const char *function)
{
    if (inside || !atomic_load(&counting)) return 0;
    unsigned long n = atomic_fetch_add(&calls[of], 1) + 1;
    if ((int)of != family || n < nth || (n > nth && !onwards)) return 0;
    if (n == nth) {
        inside = true;
        tell_failed(function);
        inside = false;
    }
    if (sys != INJECT_SHORT) errno = sys;
    return sys;
}

void *inject_next(const char *name)
{
    bool was = inside;
    inside = true;
    void *at = dlsym(RTLD_NEXT, name);
    inside = was;
    if (!at) abort();
    return at;
}

/* Takes INJECT=FAMILY:N:KIND[+] out of the environment, so that a child that is started goes unharmed. */
static void read_settings(void)
{
    const char *asked = getenv("INJECT"), *file = getenv("INJECT_TOLD");
    char name[32], kind[32];
    if (file) (void)snprintf(told, sizeof told, "%s", file);
    if (!asked || sscanf(asked, "%31[a-z]:%lu:%31s", name, &nth, kind) != 3) return;
    size_t n = strlen(kind);
    onwards = kind[n - 1] == '+';
    if (onwards) kind[n - 1] = '\0';
    for (int i = 0; i < INJECT_FAMILIES; i++)
        if (strcmp(names[i], name) == 0) family = i;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, kind) == 0) sys = kinds[i].sys;
    if (family < 0 || sys == 0) {
        static const char words[] = "INJECT: no such family, or no such kind\n";
        (void)syscall(SYS_write, 2, words, sizeof words - 1);
        _exit(99);
    }
    (void)unsetenv("INJECT");
    (void)unsetenv("INJECT_TOLD");
    (void)unsetenv("LD_PRELOAD");
}

/* Ends the count, also for what runs after main. */
static void stop_counting(void)
{
    char line[64];
    if (!atomic_exchange(&counting, false)) return;
    for (int i = 0; i < INJECT_FAMILIES; i++) {
        (void)snprintf(line, sizeof line, "calls %s %lu\n", names[i], atomic_load(&calls[i]));
        tell(line);
    }
}

typedef int main_fn(int, char **, char **);
static main_fn *real_main;

static int counted_main(int argc, char **argv, char **environment)
{
    void *warm[4];
    inside = true;
    read_settings();
    (void)backtrace(warm, 4); /* loads what it needs */
    (void)atexit(stop_counting);
    inside = false;
    if (told[0]) atomic_store(&counting, true);
    return real_main(argc, argv, environment);
}

int __libc_start_main(main_fn *main, int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end)
{
    typedef int start_fn(main_fn *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *);
    start_fn *start;
    *(void **)&start = dlsym(RTLD_NEXT, "__libc_start_main");
    real_main = main;
    return start(counted_main, argc, argv, init, fini, rtld_fini, stack_end);
}
