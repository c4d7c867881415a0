/* SPDX-License-Identifier: MIT
 *
 * A CPU clock that counts in steps so long that nothing has taken one: LD_PRELOAD=steps.so. Some machines
 * count in steps of 10 ms, where what is quick has taken none.
 */
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *t)
{
    int status = (int)syscall(SYS_clock_gettime, clock, t);
    if (clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID) *t = (struct timespec){0};
    return status;
}

static void spend_nothing(struct rusage *u)
{
    u->ru_utime = u->ru_stime = (struct timeval){0};
}

int getrusage(__rusage_who_t who, struct rusage *u)
{
    int status = (int)syscall(SYS_getrusage, who, u);
    spend_nothing(u);
    return status;
}

pid_t wait4(pid_t child, int *wstatus, int options, struct rusage *u)
{
    pid_t ended = (pid_t)syscall(SYS_wait4, child, wstatus, options, u);
    if (u) spend_nothing(u);
    return ended;
}
