/* SPDX-License-Identifier: MIT
 *
 * libmicrohttpd's own time-out counts idleness: a client that sends a byte a second is never idle and stays
 * for ever. So each connection says what it is at and since when, and a thread shuts those down that are at
 * it for too long; libmicrohttpd sees the end of the stream, and closes. That also ends connections whose
 * client has gone unseen: where its last bytes and its end come at once, libmicrohttpd may read the bytes and
 * not look again.
 */
#include "port/httpd/impl.h"

#include <sys/socket.h>
#include <time.h>

enum { SWEEP_MS = 500 };

static bool too_old(const dq_httpd *httpd, const dq_connection *c, double now)
{
    const dq_connection_state state = atomic_load(&c->state);
    const double age = now - atomic_load(&c->since);
    if (state == DQ_CONNECTION_UNBOUNDED) return false;
    return age > (state == DQ_CONNECTION_IDLE ? httpd->config.idle_seconds : httpd->config.request_seconds);
}

static void sweep(dq_httpd *httpd)
{
    const double now = dq_httpd_now();
    for (dq_connection *c = httpd->connections; c; c = c->next) {
        if (!too_old(httpd, c, now)) continue;
        if (atomic_load(&c->state) != DQ_CONNECTION_IDLE) atomic_fetch_add(&httpd->cut, 1);
        shutdown(c->fd, SHUT_RDWR);
        dq_connection_note(c, DQ_CONNECTION_UNBOUNDED); /* once is enough */
    }
}

static void *sweep_run(void *arg)
{
    dq_httpd *httpd = arg;
    double beat = dq_httpd_now();
    pthread_mutex_lock(&httpd->lock);
    while (!httpd->ending) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += SWEEP_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&httpd->wake, &httpd->lock, &until);
        sweep(httpd);
        if (dq_httpd_now() - beat < httpd->config.heartbeat_seconds) continue;
        beat = dq_httpd_now();
        dq_watchers_wake(httpd, false);
    }
    pthread_mutex_unlock(&httpd->lock);
    return NULL;
}

dq_status dq_httpd_sweep_start(dq_httpd *httpd, dq_error *error)
{
    const int sys = pthread_create(&httpd->sweeper, NULL, sweep_run, httpd);
    if (sys) return dq_fail_errno(error, sys, "a thread that cuts slow clients");
    httpd->sweeping = true;
    return DQ_OK;
}

void dq_httpd_sweep_stop(dq_httpd *httpd)
{
    if (!httpd->sweeping) return;
    pthread_mutex_lock(&httpd->lock);
    httpd->ending = true;
    pthread_cond_signal(&httpd->wake);
    pthread_mutex_unlock(&httpd->lock);
    pthread_join(httpd->sweeper, NULL);
    httpd->sweeping = false;
}
