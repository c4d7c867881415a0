/* SPDX-License-Identifier: MIT */
#include "serve/demo/child.h"

#include "core/array.h"
#include "wire/coprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MOST = 64 << 10, CHUNK = 4096, WORDS = 2048, GRACE = 5 /* seconds */, TURN = 20 };

/* ---- starting ---- */

/* Signals as a new process expects them, whatever the server's threads block or catch. */
static int set_signals(posix_spawnattr_t *how)
{
    sigset_t none, usual;
    static const int caught[] = {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGXFSZ};
    (void)sigemptyset(&none);
    (void)sigemptyset(&usual);
    for (size_t i = 0; i < sizeof caught / sizeof *caught; i++) (void)sigaddset(&usual, caught[i]);
    int sys = posix_spawnattr_setflags(how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                POSIX_SPAWN_SETSIGDEF);
    if (!sys) sys = posix_spawnattr_setpgroup(how, 0);
    if (!sys) sys = posix_spawnattr_setsigmask(how, &none);
    return sys ? sys : posix_spawnattr_setsigdefault(how, &usual);
}

static int set_files(posix_spawn_file_actions_t *files, int in, int out, int words)
{
    int sys = in < 0 ? posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
                     : posix_spawn_file_actions_adddup2(files, in, STDIN_FILENO);
    if (!sys) sys = posix_spawn_file_actions_adddup2(files, out, STDOUT_FILENO);
    if (!sys) sys = posix_spawn_file_actions_adddup2(files, words, STDERR_FILENO);
    /* No connection of the server's, whoever opened it. */
    return sys ? sys : posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
}

static int spawn_with(dq_demo_child *child, const char *const *arguments, int in, int out,
                      char *const *environment, posix_spawn_file_actions_t *files, posix_spawnattr_t *how)
{
    char *const *given; /* posix_spawn writes to none of them */
    memcpy(&given, &arguments, sizeof given);
    int sys = set_signals(how);
    if (!sys) sys = set_files(files, in, out, child->words);
    return sys ? sys : posix_spawnp(&child->pid, arguments[0], files, how, given, environment);
}

static int spawn(dq_demo_child *child, const char *const *arguments, int in, int out)
{
    posix_spawnattr_t how;
    posix_spawn_file_actions_t files;
    char **environment = dq_coprocess_environment(NULL, NULL);
    int sys = environment ? posix_spawnattr_init(&how) : ENOMEM;
    if (!sys && (sys = posix_spawn_file_actions_init(&files)) == 0) {
        sys = spawn_with(child, arguments, in, out, environment, &files, &how);
        (void)posix_spawn_file_actions_destroy(&files);
    }
    if (environment) (void)posix_spawnattr_destroy(&how);
    free(environment);
    if (sys) child->pid = 0;
    return sys;
}

static void release(dq_demo_child *child)
{
    if (child->from >= 0) (void)close(child->from);
    if (child->words >= 0) (void)close(child->words);
    free(child->held);
    *child = (dq_demo_child){.from = -1, .words = -1};
}

dq_status dq_demo_child_start(dq_demo_child *child, const char *const *arguments, int in, int out,
                              dq_error *error)
{
    int ends[2] = {-1, -1}, sys = 0;
    const char *slash = strrchr(arguments[0], '/');
    *child = (dq_demo_child){.name = slash ? slash + 1 : arguments[0], .from = -1};
    child->words = memfd_create("words", MFD_CLOEXEC);
    if (child->words < 0 || (out < 0 && pipe2(ends, O_CLOEXEC) < 0)) sys = errno;
    if (!sys) sys = spawn(child, arguments, in, out < 0 ? ends[1] : out);
    child->from = ends[0];
    if (ends[1] >= 0) (void)close(ends[1]);
    if (!sys) return DQ_OK;
    dq_status status = dq_fail_errno(error, sys, "cannot start %s", arguments[0]);
    release(child);
    return status;
}

/* ---- time ---- */

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* It was told to end, and has had the time for it. */
static bool overdue(const dq_demo_child *child)
{
    return child->stopped && now() > child->until;
}

/* ---- its lines ---- */

/* The next whole line of what is held. */
static bool take_line(dq_demo_child *child, const char **line, size_t *n)
{
    const char *from = child->held ? child->held + child->taken : NULL;
    const char *end = from ? memchr(from, '\n', child->bytes - child->taken) : NULL;
    if (!end) return false;
    *line = from;
    *n = (size_t)(end - from);
    child->taken += *n + 1;
    return true;
}

/* Makes room behind what is not yet a line. */
static bool make_room(dq_demo_child *child)
{
    child->bytes -= child->taken;
    if (child->bytes) memmove(child->held, child->held + child->taken, child->bytes);
    child->taken = 0;
    if (child->bytes >= LINE_MOST) child->bytes = 0;
    return dq_array_reserve(&child->held, &child->room, child->bytes + CHUNK, 1);
}

static void hang_up(dq_demo_child *child)
{
    (void)close(child->from);
    child->from = -1;
}

/* Waits for the end of a child whose stdout is closed, or somebody else's. */
static bool still_runs(const dq_demo_child *child, int milliseconds)
{
    siginfo_t info = {0};
    int options = WEXITED | WNOWAIT | WNOHANG;
    if (waitid(P_PID, (id_t)child->pid, &info, options) != 0 || info.si_pid == child->pid) return false;
    (void)poll(NULL, 0, milliseconds < TURN ? milliseconds : TURN);
    return true;
}

bool dq_demo_child_next(dq_demo_child *child, int milliseconds, const char **line, size_t *n)
{
    struct pollfd ready = {.fd = child->from, .events = POLLIN};
    *n = 0;
    if (take_line(child, line, n)) return true;
    if (overdue(child)) return false; /* however much it has to say */
    if (child->stopped && milliseconds > TURN) milliseconds = TURN;
    if (child->from < 0) return still_runs(child, milliseconds);
    if (poll(&ready, 1, milliseconds) <= 0) return true;
    ssize_t got = make_room(child) ? read(child->from, child->held + child->bytes, CHUNK) : 0;
    if (got < 0 && errno == EINTR) return true;
    if (got > 0)
        child->bytes += (size_t)got;
    else
        hang_up(child);
    (void)take_line(child, line, n);
    return true;
}

/* ---- its end ---- */

void dq_demo_child_stop(dq_demo_child *child)
{
    if (!child->stopped) child->until = now() + GRACE;
    child->stopped = true;
    if (child->pid) (void)kill(child->pid, SIGTERM);
}

/* Its status; one that was told to end has so long. */
static int wait_for(dq_demo_child *child)
{
    int ended = 0;
    pid_t got = 0;
    while (child->stopped && !(got = waitpid(child->pid, &ended, WNOHANG)) && !overdue(child))
        (void)poll(NULL, 0, TURN);
    if (child->stopped && !got) (void)kill(-child->pid, SIGKILL); /* its group, which it leads */
    while (got <= 0 && (got = waitpid(child->pid, &ended, 0)) < 0 && errno == EINTR) continue;
    child->pid = 0;
    return ended;
}

/* The last line that it said, or "". Programs begin theirs with their name. */
static const char *last_words(const dq_demo_child *child, char *words)
{
    off_t size = lseek(child->words, 0, SEEK_END);
    off_t from = size > WORDS - 1 ? size - (WORDS - 1) : 0;
    ssize_t n = pread(child->words, words, WORDS - 1, from);
    while (n > 0 && (words[n - 1] == '\n' || words[n - 1] == '\r')) n--;
    words[n > 0 ? n : 0] = '\0';
    char *line = strrchr(words, '\n');
    line = line ? line + 1 : words;
    size_t name = strlen(child->name);
    return strncmp(line, child->name, name) == 0 && strncmp(line + name, ": ", 2) == 0 ? line + name + 2
                                                                                       : line;
}

static dq_status judge(const dq_demo_child *child, int ended, dq_error *error)
{
    char words[WORDS];
    const char *line = last_words(child, words);
    if (WIFEXITED(ended) && WEXITSTATUS(ended) == 0) return DQ_OK;
    if (child->stopped) return dq_fail(error, DQ_ERR_STOPPED, "%s was told to stop", child->name);
    if (*line) return dq_fail(error, DQ_ERR_IO, "%s: %s", child->name, line);
    const char *name = WIFSIGNALED(ended) ? sigabbrev_np(WTERMSIG(ended)) : NULL;
    if (WIFSIGNALED(ended))
        return dq_fail(error, DQ_ERR_IO, "%s was killed by SIG%s", child->name, name ? name : "NAL");
    return dq_fail(error, DQ_ERR_IO, "%s exited with status %d", child->name, WEXITSTATUS(ended));
}

dq_status dq_demo_child_end(dq_demo_child *child, dq_error *error)
{
    if (child->from >= 0) hang_up(child);
    dq_status status = judge(child, wait_for(child), error);
    release(child);
    return status;
}
