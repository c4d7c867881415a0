/* SPDX-License-Identifier: MIT */
#include "wire/bytes/threads.h"

#include <signal.h>

unsigned dq_bytes_threads_start(pthread_t *threads, unsigned count, void *(*run)(void *), void *arg)
{
    sigset_t all, before;
    unsigned started = 0;
    (void)sigfillset(&all);
    (void)sigdelset(&all, SIGPIPE); /* these two come to whoever writes, and */
    (void)sigdelset(&all, SIGXFSZ); /* end the program as from its own thread */
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0) return 0;
    while (started < count && pthread_create(&threads[started], NULL, run, arg) == 0) started++;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}
