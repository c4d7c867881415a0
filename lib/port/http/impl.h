/* SPDX-License-Identifier: MIT
 *
 * The client's inside. client.c decides: what goes out when, what is tried again, what an answer is worth.
 * http.c carries: it alone knows curl, and tells how attempts ended. pace.c counts, words.c says.
 *
 *     submit ─► fresh ─┐                                   ┌─► done ─► next
 *                      ├─► in flight, on one of `parallel` ┤
 *              again ──┘   easy handles                    └─► again (sorted by when it is due)
 */
#ifndef DQ_PORT_HTTP_IMPL_H
#define DQ_PORT_HTTP_IMPL_H

#include "port/http/pace.h"

enum {
    DQ_HTTP_REASON = 400,
    DQ_HTTP_MASKED = 4,        /* bytes of a key that is masked in errors */
    DQ_HTTP_MASKED_ANSWER = 16 /* and in answers, where a short one could be an honest word */
};

typedef struct dq_request {
    struct dq_request *next;
    uint64_t tag, tokens;
    unsigned attempts;
    double due, began, seconds;
    dq_status status;
    long code;
    char *text; /* (used) of room, NUL-terminated: the answer */
    size_t used, room;
    bool too_long;
    char reason[DQ_HTTP_REASON];
    size_t bytes;
    char *path;  /* behind the body */
    char body[]; /* (bytes) */
} dq_request;

typedef struct dq_request_queue {
    dq_request *first, **last;
} dq_request_queue;

/* An easy handle, and the request that it carries. */
typedef struct dq_http_line dq_http_line;

/* What carries requests: curl, or a test's own with a clock of its own. At most `parallel` are on it at a
 * time; it tells how each ended, by `answered` or `broke`. */
typedef struct dq_http_carrier {
    /* Seconds of a monotonic clock. */
    double (*now)(void);
    /* Called before requests go out; what has started stays so. */
    dq_status (*start)(dq_http *http, dq_error *error);
    /* Gives up what it carries, which it frees. Also when it has not started. */
    void (*stop)(dq_http *http);
    dq_status (*send)(dq_http *http, dq_request *r, dq_error *error);
    /* Works for at most `seconds`. True when somebody ended the wait: a signal, or dq_http_wake. */
    bool (*drive)(dq_http *http, double seconds);
} dq_http_carrier;

struct dq_http {
    dq_http_config config;
    const dq_http_carrier *carrier;
    char *address, *key, *server, *certificates;
    dq_pace pace;
    dq_request_queue fresh, again, done;
    size_t pending;
    unsigned in_flight;
    dq_request *given; /* what dq_http_next gave last */
    bool down;
    char down_reason[DQ_HTTP_REASON];
    int poller, wake[2];
    /* What client.c makes of an attempt's end. A whole answer came, with r->code. retry_after: seconds, or 0;
     * redirect: where to, as it may be shown, or NULL. */
    void (*answered)(dq_http *http, dq_request *r, double retry_after, const char *redirect);
    /* None came; the reason is told. final: another attempt would not help. */
    void (*broke)(dq_http *http, dq_request *r, bool final);
    /* http.c's */
    bool started, secure; /* secure: over TLS */
    void *multi, *headers;
    dq_http_line *lines, *free_lines; /* (parallel) */
    double timer_due;                 /* curl's; INFINITY: none */
};

/* ---- http.c ---- */

/* http->address without a final slash, and http->server. */
dq_status dq_http_read_address(dq_http *http, const char *address, dq_error *error);
extern const dq_http_carrier dq_http_curl;

/* ---- client.c ---- */

/* dq_http_new over a carrier. */
dq_status dq_http_new_over(dq_http **http, const dq_http_config *config, const dq_http_carrier *carrier,
                           dq_error *error);

/* ---- words.c ---- */

/* Monotonic seconds. */
double dq_http_now(void);
/* r->reason: "host:port: ...", on one line. */
void dq_http_explain(const dq_http *http, dq_request *r, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Every occurrence of the key becomes asterisks. */
void dq_http_mask_text(const char *key, char *text, size_t bytes);

#endif
