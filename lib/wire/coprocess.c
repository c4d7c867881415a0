/* SPDX-License-Identifier: MIT
 *
 * Two pipes and a poll. Whoever only writes while the other writes too waits for ever once both pipes are
 * full, so a write here takes in what comes meanwhile:
 *
 *     put ---> writer, zstd ---> write_some ---> its stdin
 *                                   | poll
 *     take <-- reader, zstd <--- held <--------- its stdout
 *
 * A descriptor of the process itself (pidfd) is polled along, so that a dead one is found out also when
 * something that it left behind keeps the pipes open. Where the kernel has none, the pipes' ends tell.
 */
#include "wire/coprocess.h"

#include "core/array.h"
#include "wire/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PIPE = 1 << 20, CHUNK = 64 << 10, HELD_MOST = 1 << 30, ASK_EVERY = 200, GRACE = 10000, TERM = 2000 };

struct dq_coprocess {
    char *command;
    pid_t pid; /* 0: gone, and waited for */
    int pidfd; /* -1: the kernel has none */
    int to, from;
    dq_writer *writer;
    dq_reader *reader;   /* NULL until something is taken */
    unsigned char *held; /* what it said while we wrote: [at, end) of room */
    size_t at, end, room;
    bool ended;   /* its stdout has ended */
    bool parting; /* our stream has ended, so its own may */
    int wait_status;
    dq_error broken; /* why nothing more can be taken */
    bool (*stop_asked)(void);
    int patience; /* milliseconds that it has to stop in */
};

/* ---- how it ended ---- */

static bool wait_gone(const dq_coprocess *p, int milliseconds)
{
    struct pollfd end = {.fd = p->pidfd, .events = POLLIN};
    siginfo_t info = {0};
    int turn = p->pidfd >= 0 ? milliseconds : 10;
    for (int waited = 0;;) {
        int options = WEXITED | WNOWAIT | WNOHANG;
        if (waitid(P_PID, (id_t)p->pid, &info, options) == 0 && info.si_pid == p->pid) return true;
        if (waited >= milliseconds) return false;
        if (poll(&end, 1, turn) >= 0 || errno != EINTR) waited += turn;
    }
}

/* Waits for it and for nothing else; the rest of its group goes with it. */
static void reap(dq_coprocess *p)
{
    (void)kill(-p->pid, SIGKILL);
    while (waitpid(p->pid, &p->wait_status, 0) < 0 && errno == EINTR) continue;
    p->pid = 0;
}

static void say_end(const dq_coprocess *p, char *words, size_t n)
{
    int s = p->wait_status, code = WIFEXITED(s) ? WEXITSTATUS(s) : 0;
    const char *name = sigabbrev_np(WIFSIGNALED(s) ? WTERMSIG(s) : code - 128);
    if (WIFSIGNALED(s))
        (void)snprintf(words, n, "was killed by SIG%s", name ? name : "NAL");
    else if (code > 128 && name) /* the shell's way of saying that its command was killed */
        (void)snprintf(words, n, "exited with status %d (SIG%s)", code, name);
    else
        (void)snprintf(words, n, "exited with status %d", code);
}

static dq_status blame(const dq_coprocess *p, dq_status status, dq_error *error)
{
    (void)dq_error_at(error, p->command, DQ_NO_RECORD);
    return status;
}

/* What stands where its stream should was mostly printed by the way. */
static void explain(const dq_coprocess *p, dq_error *error)
{
    dq_error why = *error;
    if (why.status == DQ_ERR_FORMAT && (!p->reader || dq_reader_met_foreign(p->reader)))
        (void)dq_fail(error, why.status, "%s; stdout is the protocol's, other words go to stderr",
                      why.reason);
}

static void hang_up(dq_coprocess *p)
{
    if (p->to >= 0) (void)close(p->to);
    p->to = -1;
}

/* Its pipes ended, or it did: says how. One that still reads is told that no more will come. */
static dq_status died(dq_coprocess *p, const char *otherwise, dq_error *error)
{
    char words[80];
    hang_up(p);
    if (p->pid && !wait_gone(p, GRACE))
        return blame(p, dq_fail(error, DQ_ERR_IO, "%s, and did not exit", otherwise), error);
    if (p->pid) reap(p);
    say_end(p, words, sizeof words);
    return blame(p, dq_fail(error, DQ_ERR_IO, "%s", words), error);
}

/* ---- the two pipes ---- */

/* Waits until something can be done: *readable, *writable; or DQ_ERR_STOPPED. Once the process is gone and
 * has nothing left to read, p->ended. */
static dq_status wait_either(dq_coprocess *p, bool to_write, bool *readable, bool *writable, dq_error *error)
{
    struct pollfd fds[] = {{.fd = p->ended ? -1 : p->from, .events = POLLIN},
                           {.fd = to_write ? p->to : -1, .events = POLLOUT},
                           {.fd = p->pidfd, .events = POLLIN}};
    *readable = *writable = false;
    for (;;) {
        int n = poll(fds, 3, p->stop_asked ? ASK_EVERY : -1);
        if (n < 0 && errno != EINTR) return dq_fail_errno(error, errno, "cannot poll a co-process");
        if (p->stop_asked && p->stop_asked())
            return blame(p, dq_fail(error, DQ_ERR_STOPPED, "interrupted while waiting for it"), error);
        if (n > 0) break;
    }
    *readable = fds[0].revents != 0;
    *writable = fds[1].revents != 0;
    if (!fds[2].revents || *readable) return DQ_OK;
    *readable = poll(fds, 1, 0) > 0; /* its last words may have come between the two */
    p->ended = p->ended || !*readable;
    return DQ_OK;
}

/* read(2): *got = 0 with p->ended at its end, and without when there is nothing now. */
static dq_status read_some(dq_coprocess *p, void *to, size_t n, size_t *got, dq_error *error)
{
    ssize_t r = read(p->from, to, n);
    *got = r > 0 ? (size_t)r : 0;
    p->ended = r == 0;
    if (r >= 0 || errno == EAGAIN || errno == EINTR) return DQ_OK;
    return blame(p, dq_fail_errno(error, errno, "cannot read"), error);
}

static dq_status hold_some(dq_coprocess *p, dq_error *error)
{
    size_t got;
    if (p->at == p->end) p->at = p->end = 0;
    if (p->end == HELD_MOST)
        return blame(p, dq_fail(error, DQ_ERR_MEMORY, "said 1 GiB that it was not asked for"), error);
    size_t need = p->room ? p->end + CHUNK : 4 * (size_t)CHUNK;
    if (p->room < HELD_MOST && !dq_array_reserve(&p->held, &p->room, need, 1))
        return dq_fail_memory(error, "a co-process's answers");
    dq_status status = read_some(p, p->held + p->end, p->room - p->end, &got, error);
    p->end += got;
    return status;
}

/* write(2) without SIGPIPE, which would end us instead of telling: a signal that our write raised is taken
 * back. */
static ssize_t write_quietly(int fd, const void *data, size_t n)
{
    sigset_t broken_pipe, before, pending;
    const struct timespec now = {0};
    (void)sigemptyset(&broken_pipe);
    (void)sigaddset(&broken_pipe, SIGPIPE);
    (void)sigpending(&pending);
    (void)pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
    ssize_t w = write(fd, data, n);
    int sys = errno;
    if (w < 0 && sys == EPIPE && !sigismember(&pending, SIGPIPE))
        while (sigtimedwait(&broken_pipe, NULL, &now) < 0 && errno == EINTR) continue;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = sys;
    return w;
}

static dq_status write_some(dq_coprocess *p, const unsigned char **data, size_t *n, dq_error *error)
{
    ssize_t w = write_quietly(p->to, *data, *n);
    if (w > 0) {
        *data += w;
        *n -= (size_t)w;
    }
    if (w >= 0 || errno == EAGAIN || errno == EINTR) return DQ_OK;
    if (errno == EPIPE) return died(p, "reads no further", error);
    return blame(p, dq_fail_errno(error, errno, "cannot write"), error);
}

/* The writer's sink. */
static dq_status write_all(void *arg, const void *data, size_t n, dq_error *error)
{
    dq_coprocess *p = arg;
    const unsigned char *next = data;
    dq_status status = DQ_OK;
    while (!status && n) {
        bool readable, writable;
        if (p->to < 0) return died(p, "closed its stdout", error);
        status = wait_either(p, true, &readable, &writable, error);
        if (!status && readable) status = hold_some(p, error);
        if (!status && writable) status = write_some(p, &next, &n, error);
        if (!status && p->ended && !writable) status = died(p, "closed its stdout", error);
    }
    return status;
}

/* The reader's source. Before our own end, its end is a death, but for an exit of 0: what its stream looks
 * like then is the reader's to judge. */
static dq_status read_any(void *arg, void *to, size_t n, size_t *got, dq_error *error)
{
    dq_coprocess *p = arg;
    *got = p->end - p->at < n ? p->end - p->at : n;
    if (*got) memcpy(to, p->held + p->at, *got);
    p->at += *got;
    while (*got == 0 && !p->ended) {
        bool readable, writable;
        dq_status status = wait_either(p, false, &readable, &writable, error);
        if (!status && readable) status = read_some(p, to, n, got, error);
        if (status) return status;
    }
    if (*got || p->parting) return DQ_OK;
    dq_error how = DQ_ERROR_NONE;
    dq_status status = died(p, "closed its stdout", &how);
    if (!p->pid && WIFEXITED(p->wait_status) && WEXITSTATUS(p->wait_status) == 0) return DQ_OK;
    if (error) *error = how;
    return status;
}

/* ---- starting ---- */

/* What only the program that it is meant for may know. */
static const char *const secrets[] = {"OPENAI_API_KEY", "DQ_MONGODB_URI", "PGPASSWORD", NULL};

static bool is_named(const char *variable, const char *name)
{
    size_t n = strlen(name);
    return strncmp(variable, name, n) == 0 && variable[n] == '=';
}

static bool is_among(const char *name, const char *const *names)
{
    while (names && *names && strcmp(*names, name) != 0) names++;
    return names && *names;
}

/* Takes every variable of this name off the list. */
static void remove_variable(char **list, size_t *count, const char *name)
{
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++)
        if (!is_named(list[i], name)) list[kept++] = list[i];
    list[kept] = NULL;
    *count = kept;
}

/* Puts NAME=value in the place of whatever has that name. The list has room for one more and the NULL. */
static void set_variable(char **list, size_t *count, const char *variable)
{
    size_t n = strcspn(variable, "="), kept = 0;
    for (size_t i = 0; i < *count; i++)
        if (strncmp(list[i], variable, n + 1) != 0) list[kept++] = list[i];
    list[kept++] = (char *)variable; /* posix_spawn writes to none of them */
    list[kept] = NULL;
    *count = kept;
}

char **dq_coprocess_environment(const char *const *variables, const char *const *trusted)
{
    size_t count = 0, more = 0;
    while (environ[count]) count++;
    while (variables && variables[more]) more++;
    char **copy = calloc(count + more + 2, sizeof *copy);
    if (!copy) return NULL;
    memcpy(copy, environ, count * sizeof *copy);
    for (size_t i = 0; secrets[i]; i++)
        if (!is_among(secrets[i], trusted)) remove_variable(copy, &count, secrets[i]);
    set_variable(copy, &count, "DQ_FLUSH=1");
    for (size_t i = 0; i < more; i++) set_variable(copy, &count, variables[i]);
    return copy;
}

/* A group of its own, signals as a new process expects them. The descriptors are closed on exec but for the
 * two that are duplicated. */
static int spawn(dq_coprocess *p, int its_in, int its_out, char *const *env)
{
    char shell[] = "sh", option[] = "-c", *const arguments[] = {shell, option, p->command, NULL};
    posix_spawnattr_t how;
    posix_spawn_file_actions_t files;
    sigset_t none, usual;
    (void)sigemptyset(&none);
    (void)sigemptyset(&usual);
    for (size_t i = 0; i < 4; i++) (void)sigaddset(&usual, (int[]){SIGPIPE, SIGINT, SIGTERM, SIGXFSZ}[i]);
    int sys = posix_spawnattr_init(&how);
    if (sys) return sys;
    if ((sys = posix_spawn_file_actions_init(&files)) == 0) {
        (void)posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                 POSIX_SPAWN_SETSIGDEF);
        (void)posix_spawnattr_setpgroup(&how, 0);
        (void)posix_spawnattr_setsigmask(&how, &none);
        (void)posix_spawnattr_setsigdefault(&how, &usual);
        sys = posix_spawn_file_actions_adddup2(&files, its_in, STDIN_FILENO);
        if (!sys) sys = posix_spawn_file_actions_adddup2(&files, its_out, STDOUT_FILENO);
        if (!sys) sys = posix_spawn(&p->pid, "/bin/sh", &files, &how, arguments, env);
        (void)posix_spawn_file_actions_destroy(&files);
    }
    (void)posix_spawnattr_destroy(&how);
    if (sys) p->pid = 0;
    return sys;
}

static void keep_end(int fd)
{
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    (void)fcntl(fd, F_SETPIPE_SZ, PIPE);
}

static dq_status connect_pipes(dq_coprocess *p, const char *const *variables, const char *const *trusted,
                               dq_error *error)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    char **env = dq_coprocess_environment(variables, trusted);
    int sys = env ? 0 : ENOMEM;
    if (!sys && (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)) sys = errno;
    if (!sys) sys = spawn(p, in[0], out[1], env);
    free(env);
    p->to = in[1];
    p->from = out[0];
    keep_end(p->to);
    keep_end(p->from);
    if (in[0] >= 0) (void)close(in[0]);
    if (out[1] >= 0) (void)close(out[1]);
    if (sys) return blame(p, dq_fail_errno(error, sys, "cannot start"), error);
    p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
    return DQ_OK;
}

static void free_process(dq_coprocess *p)
{
    dq_writer_abort(p->writer);
    dq_reader_close(p->reader);
    if (p->to >= 0) (void)close(p->to);
    if (p->from >= 0) (void)close(p->from);
    if (p->pidfd >= 0) (void)close(p->pidfd);
    free(p->held);
    free(p->command);
    free(p);
}

dq_status dq_coprocess_start(dq_coprocess **process, const char *command, const char *const *variables,
                             const char *const *trusted, const dq_maker *maker, dq_error *error)
{
    dq_sink *sink;
    *process = NULL;
    dq_coprocess *p = calloc(1, sizeof *p);
    if (!p) return dq_fail_memory(error, "a co-process");
    p->pidfd = p->to = p->from = -1;
    p->broken = DQ_ERROR_NONE;
    p->patience = TERM;
    p->command = strdup(command);
    dq_status status = p->command ? DQ_OK : dq_fail_memory(error, "a co-process");
    if (!status) status = connect_pipes(p, variables, trusted, error);
    if (!status) status = dq_sink_open_fn(&sink, p->command, DQ_SINK_ZSTD, write_all, p, error);
    if (!status) status = dq_writer_open_sink(&p->writer, sink, maker, NULL, 0, error);
    if (status) return dq_coprocess_end(p, status, error);
    *process = p;
    return DQ_OK;
}

/* ---- speaking ---- */

void dq_coprocess_stop_when(dq_coprocess *process, bool (*asked)(void))
{
    process->stop_asked = asked;
}

void dq_coprocess_wait_for(dq_coprocess *process, unsigned seconds)
{
    process->patience = (int)(seconds < 1000000 ? seconds : 1000000) * 1000;
}

static dq_status open_reader(dq_coprocess *p, dq_error *error)
{
    dq_source *source;
    if (p->reader) return DQ_OK;
    dq_status status = dq_source_open_fn(&source, p->command, read_any, p, error);
    if (!status) status = dq_reader_open_source(&p->reader, source, error);
    if (status && error) explain(p, error);
    return status;
}

dq_status dq_coprocess_take(dq_coprocess *process, dq_bundle *bundle, dq_error *error)
{
    dq_coprocess *p = process;
    *bundle = DQ_BUNDLE_EMPTY;
    if (!p->broken.status && !open_reader(p, &p->broken)) {
        int got = dq_reader_next(p->reader, bundle, &p->broken);
        if (got > 0) return DQ_OK;
        if (got == 0)
            (void)dq_fail(&p->broken, DQ_ERR_TRUNCATED, "ended its stream in the middle of the conversation");
        explain(p, &p->broken);
        (void)blame(p, DQ_OK, &p->broken);
    }
    if (error) *error = p->broken;
    return p->broken.status;
}

dq_status dq_coprocess_put(dq_coprocess *process, const dq_bundle *bundle, dq_error *error)
{
    dq_status status = dq_writer_put(process->writer, bundle, error);
    if (!status) status = dq_writer_flush(process->writer, error);
    bool in_peace = status == DQ_ERR_IO && dq_coprocess_exit(process) == 0;
    return in_peace ? DQ_OK : status; /* whether it said enough before it left, `take` will tell */
}

const dq_value *dq_coprocess_maker(const dq_coprocess *process)
{
    return process->reader ? &dq_reader_heads(process->reader)->as.list[0] : NULL;
}

int dq_coprocess_exit(const dq_coprocess *process)
{
    return !process->pid && WIFEXITED(process->wait_status) ? WEXITSTATUS(process->wait_status) : -1;
}

/* ---- parting ---- */

/* Our end, then all that it still has to say, then how it exits: a bad exit says more than the broken stream
 * that it left. */
static dq_status part(dq_coprocess *p, dq_error *error)
{
    dq_error broken = DQ_ERROR_NONE;
    dq_bundle rest;
    int got = 1;
    dq_status status = dq_writer_close(p->writer, error);
    p->writer = NULL;
    if (status) return status;
    p->parting = true;
    hang_up(p);
    status = open_reader(p, &broken);
    while (!status && (got = dq_reader_next(p->reader, &rest, &broken)) > 0) dq_bundle_free(&rest);
    if (!status && got < 0) status = broken.status;
    if (status && status != DQ_ERR_TRUNCATED) {
        explain(p, &broken);
        *error = broken;
        return status;
    }
    dq_error how = DQ_ERROR_NONE;
    dq_status gone = died(p, "closed its stdout", &how);
    bool well = dq_coprocess_exit(p) == 0;
    *error = well ? broken : how;
    return well ? status : gone;
}

static int64_t milliseconds_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until nobody has its stdout open any more: a shell is gone before what it started has ended. What is still
 * said is for nobody. */
static void wait_silent(dq_coprocess *p, int milliseconds)
{
    unsigned char dropped[4096];
    struct pollfd end = {.fd = p->from, .events = POLLIN};
    const int64_t until = milliseconds_now() + milliseconds;
    for (int64_t now = until - milliseconds; now < until; now = milliseconds_now()) {
        ssize_t n = read(p->from, dropped, sizeof dropped);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return;
        if (n < 0) (void)poll(&end, 1, (int)(until - now));
    }
}

static void put_down(dq_coprocess *p, int patience)
{
    if (!p->pid) return;
    (void)kill(-p->pid, SIGTERM); /* before it can complain of a stream cut short */
    hang_up(p);
    wait_silent(p, patience);
    (void)wait_gone(p, TERM);
    reap(p);
}

dq_status dq_coprocess_end(dq_coprocess *process, dq_status status, dq_error *error)
{
    dq_error here = DQ_ERROR_NONE;
    if (!process) return status;
    bool stopped = status == DQ_ERR_STOPPED;
    if (!status) {
        status = part(process, &here);
        stopped = status == DQ_ERR_STOPPED;
        if (stopped) status = DQ_OK; /* all that was asked of it is there */
        if (status && error) *error = here;
    }
    put_down(process, stopped ? process->patience : TERM);
    free_process(process);
    return status;
}
