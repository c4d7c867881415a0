/* SPDX-License-Identifier: MIT */
#include "port/httpd/impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static dq_status start(dq_httpd *httpd, dq_error *error)
{
    const dq_httpd_config *c = &httpd->config;
    const unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC;
    const struct MHD_OptionItem more[] = {{MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)c->threads, NULL},
                                          {MHD_OPTION_END, 0, NULL}};
    httpd->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, dq_exchange_take, httpd, MHD_OPTION_LISTEN_SOCKET, httpd->socket,
        MHD_OPTION_NOTIFY_CONNECTION, dq_httpd_connected, httpd, MHD_OPTION_NOTIFY_COMPLETED, dq_exchange_end,
        httpd, MHD_OPTION_URI_LOG_CALLBACK, dq_exchange_begin, httpd, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        c->header_bytes, MHD_OPTION_CONNECTION_LIMIT,
        c->connections < c->threads ? c->threads : c->connections, MHD_OPTION_ARRAY,
        c->threads > 1 ? more : more + 1, MHD_OPTION_END);
    if (!httpd->daemon) return dq_fail_errno(error, errno, "the server did not start");
    httpd->socket = -1;
    return DQ_OK;
}

static dq_status locks_init(dq_httpd *httpd, dq_error *error)
{
    pthread_condattr_t monotonic;
    if (pthread_condattr_init(&monotonic)) return dq_fail_memory(error, "a server");
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&httpd->lock, NULL);
    pthread_cond_init(&httpd->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return DQ_OK;
}

dq_status dq_httpd_open(dq_httpd **out, const dq_httpd_config *config, dq_httpd_handler *handle, void *arg,
                        dq_error *error)
{
    dq_httpd *httpd = calloc(1, sizeof *httpd);
    *out = NULL;
    if (!httpd) return dq_fail_memory(error, "a server");
    httpd->config = *config;
    httpd->handle = handle;
    httpd->arg = arg;
    httpd->socket = -1;
    dq_status status = locks_init(httpd, error);
    if (status) {
        free(httpd);
        return status;
    }
    status = dq_httpd_listen(httpd, error);
    if (!status) status = dq_httpd_sweep_start(httpd, error);
    *out = httpd; /* before its threads begin, which may use it */
    if (!status) status = start(httpd, error);
    if (!status) return DQ_OK;
    *out = NULL;
    dq_httpd_close(httpd);
    return status;
}

const char *dq_httpd_address(const dq_httpd *httpd)
{
    return httpd->address;
}

bool dq_httpd_is_loopback(const dq_httpd *httpd)
{
    return httpd->loopback;
}

static void stop_accepting(dq_httpd *httpd)
{
    if (atomic_exchange(&httpd->stopping, true) || !httpd->daemon) return;
    httpd->socket = MHD_quiesce_daemon(httpd->daemon);
    /* It may not be closed before the daemon has stopped. Clients are refused from now on, and do not wait in
     * vain; but at a socket that was handed to us they wait for who listens next. */
    if (httpd->config.socket < 0) shutdown(httpd->socket, SHUT_RDWR);
    pthread_mutex_lock(&httpd->lock);
    dq_watchers_wake(httpd, true);
    pthread_mutex_unlock(&httpd->lock);
}

unsigned dq_httpd_quiesce(dq_httpd *httpd, double seconds)
{
    const double until = dq_httpd_now() + seconds;
    stop_accepting(httpd);
    while (atomic_load(&httpd->request_count) && dq_httpd_now() < until)
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    return (unsigned)atomic_load(&httpd->request_count);
}

void dq_httpd_close(dq_httpd *httpd)
{
    if (!httpd) return;
    stop_accepting(httpd);
    atomic_store(&httpd->closing, true);
    while (atomic_load(&httpd->suspended)) /* libmicrohttpd wants them resumed before it stops */
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    if (httpd->daemon) MHD_stop_daemon(httpd->daemon);
    dq_httpd_sweep_stop(httpd);
    if (httpd->socket >= 0) close(httpd->socket);
    dq_httpd_unlink(httpd);
    pthread_mutex_destroy(&httpd->lock);
    pthread_cond_destroy(&httpd->wake);
    free(httpd);
}

dq_httpd_counts dq_httpd_count(const dq_httpd *httpd)
{
    dq_httpd *h = (dq_httpd *)(uintptr_t)httpd; /* its lock is no part of what is promised not to change */
    pthread_mutex_lock(&h->lock);
    const unsigned watchers = h->watcher_count;
    pthread_mutex_unlock(&h->lock);
    return (dq_httpd_counts){.connections = atomic_load(&h->connection_count),
                             .requests = atomic_load(&h->request_count),
                             .watchers = watchers,
                             .cut = atomic_load(&h->cut)};
}
