/* SPDX-License-Identifier: MIT
 *
 * Runs a command and says what it took, as a JSON object on a descriptor: seconds by the clock, CPU seconds
 * in user mode and in the kernel, the peak resident KiB of its largest process; the command's exit status is
 * its own.
 *
 *     cost DESCRIPTOR COMMAND [ARGUMENT]...
 *
 * A child counts the memory that its parent had when it was forked, so the parent has to be as small as this.
 */
#include "seconds.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static double of(struct timeval t)
{
    return (double)t.tv_sec + 1e-6 * (double)t.tv_usec;
}

int main(int argc, char **argv)
{
    struct rusage u;
    int status;
    int report = argc > 2 ? atoi(argv[1]) : -1;
    if (report < 0 || fcntl(report, F_SETFD, FD_CLOEXEC)) return 2;
    double t0 = seconds(CLOCK_MONOTONIC);
    pid_t child = vfork();
    if (child == 0) {
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &u) < 0) return 2;
    dprintf(report, "{\"wall\": %.9g, \"user\": %.9g, \"system\": %.9g, \"kib\": %ld}\n",
            seconds(CLOCK_MONOTONIC) - t0, of(u.ru_utime), of(u.ru_stime), u.ru_maxrss);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
