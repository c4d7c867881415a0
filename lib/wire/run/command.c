/* SPDX-License-Identifier: MIT */
#include "wire/run/command.h"

#include "core/utf8.h"
#include "wire/coprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct running {
    pid_t pid;
    int from;
    dq_command_end *end;
    char line[DQ_COMMAND_LINE]; /* the one that is being written */
    size_t bytes;
} running;

/* ---- what it says ---- */

static bool is_blank(const char *line, size_t n)
{
    return strspn(line, " \t\r") >= n;
}

static void end_line(running *r)
{
    r->line[r->bytes] = '\0';
    if (!is_blank(r->line, r->bytes)) memcpy(r->end->last, r->line, r->bytes + 1);
    r->bytes = 0;
}

static void take_words(running *r, const char *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (words[i] == '\n')
            end_line(r);
        else if (r->bytes < sizeof r->line - 1 && words[i])
            r->line[r->bytes++] = words[i];
    }
}

static void echo_words(int to, const char *words, size_t n)
{
    for (size_t at = 0; to >= 0 && at < n;) {
        ssize_t put = write(to, words + at, n - at);
        if (put < 0 && errno != EINTR) return; /* nobody listens */
        if (put > 0) at += (size_t)put;
    }
}

static dq_status listen_to(running *r, int echo, bool (*stop_asked)(void), dq_error *error)
{
    char words[4096];
    struct pollfd input = {.fd = r->from, .events = POLLIN};
    for (;;) { /* a read would be begun anew behind a signal, a poll is not */
        ssize_t n = poll(&input, 1, -1) < 0 ? -1 : read(r->from, words, sizeof words);
        if (n == 0) break;
        if (n < 0 && errno != EINTR) return dq_fail_errno(error, errno, "cannot hear the command");
        if (n < 0 && stop_asked && stop_asked()) return dq_fail(error, DQ_ERR_STOPPED, "interrupted");
        if (n < 0) continue;
        echo_words(echo, words, (size_t)n);
        take_words(r, words, (size_t)n);
    }
    end_line(r);
    return DQ_OK;
}

/* ---- the process ---- */

/* A group of its own, signals as a new process expects them. */
static int start(running *r, const char *command, char *const *env, int out)
{
    char shell[] = "sh", option[] = "-c", *text = strdup(command);
    char *const arguments[] = {shell, option, text, NULL};
    posix_spawnattr_t how;
    posix_spawn_file_actions_t files;
    sigset_t none, usual;
    (void)sigemptyset(&none);
    (void)sigemptyset(&usual);
    for (size_t i = 0; i < 4; i++) (void)sigaddset(&usual, (int[]){SIGPIPE, SIGINT, SIGTERM, SIGXFSZ}[i]);
    int sys = text ? posix_spawnattr_init(&how) : ENOMEM;
    if (!sys && (sys = posix_spawn_file_actions_init(&files)) == 0) {
        (void)posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                 POSIX_SPAWN_SETSIGDEF);
        (void)posix_spawnattr_setsigmask(&how, &none);
        (void)posix_spawnattr_setsigdefault(&how, &usual);
        sys = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (!sys) sys = posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
        if (!sys) sys = posix_spawn_file_actions_adddup2(&files, out, STDERR_FILENO);
        if (!sys) sys = posix_spawnp(&r->pid, shell, &files, &how, arguments, env);
        (void)posix_spawn_file_actions_destroy(&files);
        (void)posix_spawnattr_destroy(&how);
    }
    free(text);
    return sys;
}

/* Whoever of its group is left goes with it. */
static void wait_end(running *r)
{
    int status = 0;
    while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR) continue;
    (void)kill(-r->pid, SIGKILL);
    r->end->exit = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (!dq_utf8_valid(r->end->last, strlen(r->end->last))) r->end->last[0] = '\0';
}

dq_status dq_command_run(const char *command, const char *const *variables, int echo,
                         bool (*stop_asked)(void), dq_command_end *end, dq_error *error)
{
    running r = {.end = end};
    int out[2];
    *end = (dq_command_end){0};
    char **env = dq_coprocess_environment(variables, NULL);
    if (!env) return dq_fail_memory(error, "a command");
    int sys = pipe2(out, O_CLOEXEC) < 0 ? errno : 0;
    if (!sys) {
        r.from = out[0];
        sys = start(&r, command, env, out[1]);
        (void)close(out[1]);
        if (sys) (void)close(out[0]);
    }
    free(env);
    if (sys) return dq_fail_errno(error, sys, "cannot start a command");
    dq_status status = listen_to(&r, echo, stop_asked, error);
    if (status) (void)kill(-r.pid, SIGTERM);
    (void)close(r.from);
    wait_end(&r);
    return status;
}
