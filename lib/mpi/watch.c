/* SPDX-License-Identifier: MIT */
#include "mpi/watch.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct dq_watch {
    dq_watch_config config;
    pthread_t thread;
    size_t count;
    dq_mpi_process *others; /* (count) */
    struct pollfd *files;   /* (count + 1) of the others; the last one tells us to end */
};

dq_mpi_process dq_watch_self(uint32_t rank)
{
    struct stat space;
    uint64_t number = stat("/proc/self/ns/pid", &space) == 0 ? (uint64_t)space.st_ino : 0;
    return (dq_mpi_process){.space = number, .pid = getpid(), .rank = rank};
}

/* mpirun, once a rank has died, tells the others to stop, and kills them a second later (Open MPI's
 * odls_base_sigkill_timeout). So that the first death is told and the others are not, whether all are told to
 * stop is asked after each wait, not before what it has found is told: the answer is at most 200 ms old. */
static void *watch_all(void *arg)
{
    enum { MILLISECONDS = 200 };
    dq_watch *w = arg;
    bool stopping = false; /* when we last asked */
    for (;;) {
        int got = poll(w->files, w->count + 1, MILLISECONDS);
        if ((got < 0 && errno != EINTR) || w->files[w->count].revents) return NULL;
        for (size_t i = 0; got > 0 && i < w->count; i++) {
            if (!w->files[i].revents) continue;
            (void)close(w->files[i].fd);
            w->files[i].fd = -1;
            if (!stopping && atomic_exchange(w->config.said, 1) == 0)
                w->config.lost(w->config.arg, w->others[i].rank, w->others[i].pid);
        }
        stopping = w->config.stopping();
    }
}

static bool open_all(dq_watch *w, const dq_mpi_process *others, size_t count)
{
    const dq_mpi_process self = dq_watch_self(0);
    bool opened = true;
    w->others = calloc(count + 1, sizeof *w->others);
    w->files = calloc(count + 1, sizeof *w->files);
    if (w->files) w->files[0].fd = -1; /* none is open yet */
    if (!w->files || !w->others) return false;
    for (size_t i = 0; opened && i < count; i++) {
        if (others[i].space != self.space || others[i].pid == self.pid) continue;
        int file = (int)syscall(SYS_pidfd_open, (pid_t)others[i].pid, 0);
        opened = file >= 0;
        w->others[w->count] = others[i];
        w->files[w->count] = (struct pollfd){.fd = file, .events = POLLIN};
        w->count += opened;
    }
    int end = eventfd(0, EFD_CLOEXEC);
    w->files[w->count] = (struct pollfd){.fd = end, .events = POLLIN};
    return opened && end >= 0;
}

static void free_watch(dq_watch *w)
{
    for (size_t i = 0; w->files && i <= w->count; i++)
        if (w->files[i].fd >= 0) (void)close(w->files[i].fd);
    free(w->files);
    free(w->others);
    free(w);
}

/* Signals are the main thread's. */
static bool start_thread(dq_watch *w)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&w->thread, NULL, watch_all, w) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

void dq_watch_start(dq_watch **to, const dq_watch_config *config, const dq_mpi_process *others, size_t count)
{
    *to = NULL;
    dq_watch *w = calloc(1, sizeof *w);
    if (!w) return;
    w->config = *config;
    if (open_all(w, others, count) && start_thread(w))
        *to = w;
    else
        free_watch(w);
}

void dq_watch_end(dq_watch *w)
{
    if (!w) return;
    const uint64_t one = 1;
    while (write(w->files[w->count].fd, &one, sizeof one) < 0 && errno == EINTR) continue;
    (void)pthread_join(w->thread, NULL);
    free_watch(w);
}
