/* SPDX-License-Identifier: MIT
 *
 * What a connection is at, and since when.
 */
#include "port/httpd/impl.h"

#include <stdlib.h>
#include <time.h>

double dq_httpd_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void dq_connection_note(dq_connection *connection, dq_connection_state state)
{
    if (!connection) return;
    atomic_store(&connection->since, dq_httpd_now());
    atomic_store(&connection->state, state);
}

static void connection_open(dq_httpd *httpd, struct MHD_Connection *connection, void **context)
{
    dq_connection *c = calloc(1, sizeof *c);
    *context = c;
    if (!c) return; /* it is refused with its first request */
    c->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    dq_connection_note(c, DQ_CONNECTION_NEW);
    pthread_mutex_lock(&httpd->lock);
    c->next = httpd->connections;
    if (c->next) c->next->prev = c;
    httpd->connections = c;
    pthread_mutex_unlock(&httpd->lock);
    atomic_fetch_add(&httpd->connection_count, 1);
}

/* Called before libmicrohttpd closes the descriptor. */
static void connection_close(dq_httpd *httpd, dq_connection *c)
{
    if (!c) return;
    pthread_mutex_lock(&httpd->lock);
    if (c->prev) c->prev->next = c->next;
    if (!c->prev) httpd->connections = c->next;
    if (c->next) c->next->prev = c->prev;
    pthread_mutex_unlock(&httpd->lock);
    atomic_fetch_sub(&httpd->connection_count, 1);
    free(c);
}

void dq_httpd_connected(void *httpd, struct MHD_Connection *connection, void **context,
                        enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        connection_open(httpd, connection, context);
    else
        connection_close(httpd, *context);
}
