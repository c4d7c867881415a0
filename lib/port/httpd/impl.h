/* SPDX-License-Identifier: MIT
 *
 * The server's inside. address.c opens the socket; httpd.c begins and ends; exchange.c carries a request to
 * the handler and its answer back; connection.c notes what each connection is at, age.c cuts what lasts too
 * long; events.c streams.
 *
 * Who may touch what: an exchange belongs to the thread that libmicrohttpd runs its connection on. A
 * dq_connection's state and time are atomic, its place in the list is under httpd->lock. A watcher is in two
 * lists, the server's (httpd->lock) and that of its events (events->lock); who needs both takes them in this
 * order.
 */
#ifndef DQ_PORT_HTTPD_IMPL_H
#define DQ_PORT_HTTPD_IMPL_H

#include "port/httpd/httpd.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

/* What a connection is at, which decides how long it may be. */
typedef enum dq_connection_state {
    DQ_CONNECTION_NEW,       /* no request has begun yet */
    DQ_CONNECTION_READING,   /* its first line has come, the rest has not */
    DQ_CONNECTION_ANSWERED,  /* an answer is on its way */
    DQ_CONNECTION_IDLE,      /* waits for its next request */
    DQ_CONNECTION_UNBOUNDED, /* the handler is at work, or events are waited for */
} dq_connection_state;

typedef struct dq_connection {
    struct dq_connection *prev, *next;
    int fd; /* of libmicrohttpd, open as long as this is in the list */
    _Atomic dq_connection_state state;
    _Atomic double since; /* monotonic seconds; written before the state */
} dq_connection;

typedef struct dq_exchange {
    dq_httpd *httpd;
    dq_connection *connection;
    dq_arena arena;
    dq_httpd_request request;
    char *body;
    size_t capacity;
    dq_httpd_handler *later; /* who answers, once it is resumed; NULL: the server's handler */
    void (*dropped)(void *later_arg);
    void *later_arg;
    uint64_t came; /* bytes of the body, kept or not */
    bool begun;    /* its headers were looked at */
    bool nul;      /* the address holds an encoded NUL, which no C string can */
} dq_exchange;

/* Who listens to events. */
typedef struct dq_watcher {
    struct dq_watcher *prev, *next; /* of the server's list */
    struct dq_watcher *next_same;   /* of the events' list */
    dq_httpd *httpd;
    dq_httpd_events *events;
    struct MHD_Connection *connection;
    dq_connection *client;
    /* under events->lock: */
    uint64_t run;               /* whose events it is to have */
    uint64_t next_id;           /* the event that it wants next */
    struct dq_event *event;     /* the one that is being sent, counted; */
    size_t sent;                /* its bytes that have gone */
    bool suspended, stop, beat; /* stop: the server does */
    bool ended;                 /* it has had its end */
} dq_watcher;

struct dq_httpd {
    dq_httpd_config config;
    dq_httpd_handler *handle;
    void *arg;
    struct MHD_Daemon *daemon;
    int socket; /* ours again after quiescing; -1: libmicrohttpd's */
    char address[160];
    bool loopback;
    char *path;   /* of a unix socket that we made, removed at the end */
    dev_t device; /* the file that we made there: by then it may be another server's */
    ino_t inode;
    pthread_mutex_t lock;
    pthread_cond_t wake; /* the sweeper */
    pthread_t sweeper;
    bool sweeping;
    dq_connection *connections; /* under lock, as the next three */
    dq_watcher *watchers;
    unsigned watcher_count;
    bool ending;
    atomic_bool stopping, closing;
    atomic_uint suspended; /* requests that wait for somebody's work */
    _Atomic uint64_t connection_count, request_count, cut;
};

/* ---- address.c ---- */

/* Fills socket, address, loopback and path. */
dq_status dq_httpd_listen(dq_httpd *httpd, dq_error *error);
/* Removes the path of a unix socket, and frees it, unless somebody else has made another socket there. */
void dq_httpd_unlink(dq_httpd *httpd);

/* ---- connection.c ---- */

void dq_connection_note(dq_connection *connection, dq_connection_state state);
void dq_httpd_connected(void *httpd, struct MHD_Connection *connection, void **context,
                        enum MHD_ConnectionNotificationCode code);

/* ---- age.c ---- */

/* A thread that looks at all connections twice a second. */
dq_status dq_httpd_sweep_start(dq_httpd *httpd, dq_error *error);
void dq_httpd_sweep_stop(dq_httpd *httpd);

/* ---- exchange.c ---- */

void *dq_exchange_begin(void *httpd, const char *uri, struct MHD_Connection *connection);
enum MHD_Result dq_exchange_take(void *httpd, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *data, size_t *bytes,
                                 void **context);
void dq_exchange_end(void *httpd, struct MHD_Connection *connection, void **context,
                     enum MHD_RequestTerminationCode code);

/* ---- events.c ---- */

/* A response that streams; NULL: memory is short, there are too many watchers, or the server stops. */
struct MHD_Response *dq_watcher_response(dq_httpd *httpd, dq_httpd_events *events,
                                         struct MHD_Connection *connection, dq_connection *client,
                                         const char *last_id);
/* Wakes all watchers of a server, with its lock held: to end their streams, or to send a sign of life. */
void dq_watchers_wake(dq_httpd *httpd, bool stop);

#endif
