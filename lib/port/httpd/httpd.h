/* SPDX-License-Identifier: MIT
 *
 * An HTTP/1.1 server, by libmicrohttpd: lib/port/httpd/ is its only home. One function of the caller answers
 * all requests, on the server's threads, many at once; each thread has its own epoll. A request comes whole:
 * its body has been read, up to a limit, before the handler is called.
 *
 *     dq_httpd_config config = DQ_HTTPD_DEFAULTS;
 *     dq_httpd *httpd;
 *     status = dq_httpd_open(&httpd, &config, handle, arg, &e);
 *     ... the process waits for its signals ...
 *     dq_httpd_quiesce(httpd);         no new connections; what is being answered, is
 *     dq_httpd_close(httpd);
 *
 * What a client may cost is bounded by age, not by idleness, since a client that sends a byte a second is
 * never idle: a request that is not whole `request_seconds` after its first line, a first request that is not
 * begun by then, and an answer (or an event) that is not taken by then are cut. A connection that waits for
 * its next request is closed after `idle_seconds`. No limit counts clients by address: a proxy is one
 * address.
 */
#ifndef DQ_PORT_HTTPD_HTTPD_H
#define DQ_PORT_HTTPD_HTTPD_H

#include "dq/arena.h"
#include "dq/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct dq_httpd dq_httpd;
typedef struct dq_httpd_events dq_httpd_events;

typedef struct dq_httpd_config {
    const char *address;    /* "HOST:PORT" ("[::1]:80"; port 0: any that is free), or "unix:PATH" */
    int socket;             /* one that listens already, and is taken over; -1: none, `address` says where */
    unsigned threads;       /* at least 1 */
    size_t body_bytes;      /* the largest body */
    size_t header_bytes;    /* what the first line and headers of a request may have, in all */
    unsigned connections;   /* at once; more wait to be accepted */
    double request_seconds; /* see above */
    double idle_seconds;
    double heartbeat_seconds; /* a comment line to watchers of events, by which a dead one is found */
    unsigned watchers;        /* streams of events at once */
} dq_httpd_config;

#define DQ_HTTPD_DEFAULTS                                                                                    \
    {                                                                                                        \
        .address = "127.0.0.1:8080", .socket = -1, .threads = 1, .body_bytes = 1 << 20,                      \
        .header_bytes = 16 << 10, .connections = 16384, .request_seconds = 20, .idle_seconds = 75,           \
        .heartbeat_seconds = 15, .watchers = 256                                                             \
    }

typedef struct dq_httpd_request {
    const char *method; /* "GET" */
    const char *path;   /* percent-decoded; without the query */
    const char *body;   /* (body_bytes), not NUL-terminated; NULL when there is none */
    size_t body_bytes;
    bool too_large;  /* the body was over the limit, and was not kept: the answer is 413 */
    dq_arena *arena; /* what the answer is made of; freed when it has been sent */
    void *connection;
} dq_httpd_request;

enum { DQ_HTTPD_HEADERS = 12 };

typedef struct dq_httpd_header_line {
    const char *name, *value; /* in the request's arena, or for ever */
} dq_httpd_header_line;

typedef struct dq_httpd_reply dq_httpd_reply;

/* Answers one request. Called on any of the server's threads. */
typedef void dq_httpd_handler(void *arg, const dq_httpd_request *request, dq_httpd_reply *reply);

/* An answer, which the handler fills; all zero before. */
struct dq_httpd_reply {
    unsigned status;  /* 200 ...; 0 is answered as 500 */
    const char *type; /* Content-Type; NULL: none */
    const void *body; /* (bytes), in the request's arena or for ever; of 304 what it would be, and unsent */
    size_t bytes;
    dq_httpd_header_line headers[DQ_HTTPD_HEADERS]; /* dq_httpd_reply_header adds one */
    size_t header_count;
    dq_httpd_events *events; /* the answer is a stream of these (text/event-stream); where there are too many
                                watchers, or the server stops, it is 503 with type and body */
    dq_httpd_handler *later; /* not NULL: there is no answer yet, see dq_httpd_suspend */
    void (*dropped)(void *later_arg); /* instead of `later`: nobody is there any more. NULL: nothing to do */
    void *later_arg;
};

/* Listens and answers from now on; *httpd is set before the first request is. `config` is copied.
 * DQ_ERR_RANGE: an address that is none; DQ_ERR_IO: it is not to be had. The path of a unix socket that
 * nobody answers at any more is removed first. */
dq_status dq_httpd_open(dq_httpd **httpd, const dq_httpd_config *config, dq_httpd_handler *handle, void *arg,
                        dq_error *error);
/* Whether an address is one by its form; nobody is asked for a host. DQ_ERR_RANGE. */
dq_status dq_httpd_check_address(const char *address, dq_error *error);
/* Where it listens: "http://127.0.0.1:43817" or "unix:/run/dq.sock". Of the server. */
const char *dq_httpd_address(const dq_httpd *httpd);
/* Whether it listens at an address of this machine alone: of 127.0.0.0/8, or ::1. */
bool dq_httpd_is_loopback(const dq_httpd *httpd);

/* Takes no more connections, ends the streams of events, and waits until each request that has begun is
 * answered, at most `seconds`. Returns how many were not. */
unsigned dq_httpd_quiesce(dq_httpd *httpd, double seconds);
/* Ends all connections and frees the server (NULL: nothing). A unix socket's path is removed. */
void dq_httpd_close(dq_httpd *httpd);

/* A header of the request, whatever its letters' case; a parameter of its query, percent-decoded. NULL: it
 * has none. They live as long as the request. */
const char *dq_httpd_header(const dq_httpd_request *request, const char *name);
const char *dq_httpd_query(const dq_httpd_request *request, const char *name);
/* Visits all parameters of the query, in order; value is NULL where there is no "=". */
void dq_httpd_query_each(const dq_httpd_request *request,
                         void (*visit)(void *arg, const char *name, const char *value), void *arg);

/* Adds a line of header; false when there is no room. */
bool dq_httpd_reply_header(dq_httpd_reply *reply, const char *name, const char *value);

/* A handler that waits for another thread's work need not keep its own thread waiting: it suspends the
 * request, gives the work away, sets reply->later and returns. Once, from any thread, dq_httpd_resume says
 * that the work is done; then reply->later(reply->later_arg, request, reply) is called in the handler's
 * place, with a reply that is all zero, and answers; or, where the client has gone or the server closes,
 * reply->dropped(reply->later_arg), so that just one of the two is called. What is suspended is awaited by
 * dq_httpd_close, and not cut for its age. False: the server closes, and the handler has to answer at once.
 */
bool dq_httpd_suspend(const dq_httpd_request *request);
void dq_httpd_resume(const dq_httpd_request *request);
/* Seconds of the monotonic clock. */
double dq_httpd_now(void);

typedef struct dq_httpd_counts {
    uint64_t connections; /* open now */
    uint64_t requests;    /* begun and not yet answered */
    uint64_t watchers;    /* streams of events */
    uint64_t cut;         /* connections that were too slow, ever since */
} dq_httpd_counts;

dq_httpd_counts dq_httpd_count(const dq_httpd *httpd);

/* ---- events, sent by the server (HTML, "Server-sent events") ----
 *
 * A run of events has a beginning and an end. A watcher gets the events of the run so far (the last
 * DQ_HTTPD_EVENTS of them), then each as it is sent; after the event "end" its stream is over, and says so by
 * that event, because a browser's EventSource would otherwise ask again. One that has not had the end when
 * the next run begins gets it all the same, and nothing of that run. Who comes after the end and before the
 * next beginning gets the run that is over. Each event has an id; Last-Event-ID is honoured within a run.
 */

enum { DQ_HTTPD_EVENTS = 256 };

/* Freed by dq_httpd_events_free, after the server was closed. */
dq_status dq_httpd_events_new(dq_httpd_events **events, dq_error *error);
void dq_httpd_events_free(dq_httpd_events *events);

/* Forgets the run that is over. From any thread, as the two below. */
void dq_httpd_events_begin(dq_httpd_events *events);
/* `data` is UTF-8 without a line break, as JSON is. False: memory was short, and the event is lost. */
bool dq_httpd_events_send(dq_httpd_events *events, const char *name, const char *data, size_t bytes);
/* Sends "end" with this data, and ends the run. */
bool dq_httpd_events_end(dq_httpd_events *events, const char *data, size_t bytes);

#endif
