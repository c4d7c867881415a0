/* SPDX-License-Identifier: MIT */
#include "plot/gnuplot.h"

#include "wire/coprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static dq_status spawn(pid_t *pid, int script, int *picture, int words, dq_error *error)
{
    static char name[] = "gnuplot", *const args[] = {name, NULL};
    int ends[2];
    posix_spawn_file_actions_t actions;
    static const char *const variables[] = {"LC_ALL=C.UTF-8", NULL}; /* texts are UTF-8 whoever draws */
    char **env = dq_coprocess_environment(variables, NULL);
    if (!env || pipe2(ends, O_CLOEXEC) < 0) {
        int sys = env ? errno : ENOMEM;
        free(env);
        return dq_fail_errno(error, sys, "cannot start gnuplot");
    }
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, script, STDIN_FILENO);
    (void)posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    (void)posix_spawn_file_actions_adddup2(&actions, words, STDERR_FILENO);
    int failed = posix_spawnp(pid, name, &actions, NULL, args, env);
    free(env);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    *picture = ends[0];
    if (!failed) return DQ_OK;
    (void)close(ends[0]);
    if (failed == ENOENT)
        return dq_fail(error, DQ_ERR_UNSUPPORTED,
                       "gnuplot is not installed (Debian: gnuplot-nox); it draws the pictures");
    return dq_fail_errno(error, failed, "cannot start gnuplot");
}

static dq_status copy_picture(int from, dq_sink *out, size_t *bytes, dq_error *error)
{
    char buffer[65536];
    for (;;) {
        ssize_t n = read(from, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return dq_fail_errno(error, errno, "cannot read from gnuplot");
        if (n == 0) return DQ_OK;
        dq_status status = dq_sink_write(out, buffer, (size_t)n, error);
        if (status) return status;
        *bytes += (size_t)n;
    }
}

/* The first line that gnuplot had to say. */
static dq_status gnuplot_failed(FILE *words, dq_error *error)
{
    char line[300];
    rewind(words);
    while (fgets(line, sizeof line, words)) {
        line[strcspn(line, "\n")] = '\0';
        if (line[strspn(line, " ^\t")]) return dq_fail(error, DQ_ERR_IO, "gnuplot failed: %s", line);
    }
    return dq_fail(error, DQ_ERR_IO, "gnuplot failed");
}

dq_status dq_gnuplot_run(FILE *script, dq_sink *out, dq_error *error)
{
    pid_t pid;
    int picture = -1, ended = 0;
    size_t bytes = 0;
    FILE *words = tmpfile();
    if (!words || fflush(script) != 0) {
        int sys = errno;
        if (words) (void)fclose(words);
        return dq_fail_errno(error, sys, "cannot write gnuplot's script");
    }
    (void)lseek(fileno(script), 0, SEEK_SET);
    dq_status status = spawn(&pid, fileno(script), &picture, fileno(words), error);
    if (!status) {
        status = copy_picture(picture, out, &bytes, error);
        (void)close(picture); /* a gnuplot that still writes ends by SIGPIPE */
        while (waitpid(pid, &ended, 0) < 0 && errno == EINTR) continue;
        if (!status && (ended != 0 || bytes == 0)) status = gnuplot_failed(words, error);
    }
    (void)fclose(words);
    return status;
}
