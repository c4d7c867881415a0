/* SPDX-License-Identifier: MIT
 *
 * The client's inside. client.c decides: what goes out when, what is tried again, what an answer is worth.
 * http.c carries: it alone moves bytes by curl, and tells how attempts ended. address.c reads addresses and
 * chooses the way, pace.c counts, reason.c reads what servers say, words.c says.
 *
 *     submit ─► fresh ─┐                                   ┌─► done ─► next
 *                      ├─► in flight, on one of `parallel` ┤
 *              again ──┘   easy handles                    └─► again (sorted by when it is due)
 */
#ifndef DQ_PORT_HTTP_IMPL_H
#define DQ_PORT_HTTP_IMPL_H

#include "port/http/pace.h"
#include "port/http/reason.h"

enum {
    DQ_HTTP_REASON = 400,
    DQ_HTTP_WORDS = 200,       /* bytes of a server's words in a reason, */
    DQ_HTTP_SHOWN = 100,       /* of an address, and of a path */
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
    bool too_long, final;
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
    char *key, *key_header, *certificates, *socket;
    char *address, *query; /* what stands before and behind a path: no slash at its end; "?..." or "" */
    char *server, *shown;  /* "host:port", and with the address's path */
    char *proxy, *via;     /* NULL: none; " through the proxy HOST:PORT of VARIABLE" or "" */
    char **secrets;        /* (secret_count) what no message may show */
    size_t secret_count;
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

extern const dq_http_carrier dq_http_curl;

/* ---- address.c ---- */

/* Fills in address, query, server, shown, secure and the query's secrets; then proxy and via. */
dq_status dq_http_read_address(dq_http *http, const char *address, dq_error *error);
dq_status dq_http_choose_proxy(dq_http *http, const dq_http_config *config, dq_error *error);
/* Of a host as curl has it ("[::1]" for an address of IPv6). */
bool dq_http_is_loopback(const char *host);
/* Whether a list as no_proxy's names the host. */
bool dq_http_is_listed(const char *list, const char *host);

/* ---- client.c ---- */

/* dq_http_new over a carrier. */
dq_status dq_http_new_over(dq_http **http, const dq_http_config *config, const dq_http_carrier *carrier,
                           dq_error *error);

/* ---- words.c ---- */

/* Monotonic seconds. */
double dq_http_now(void);
/* r->reason: "host:port/path: ...", on one line. */
void dq_http_explain(const dq_http *http, dq_request *r, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Keeps a text that dq_http_mask is to put asterisks for; false when memory is short. */
bool dq_http_add_secret(dq_http *http, const char *text, size_t bytes);
/* Puts them in `bytes` of a text, for secrets of at least `least` bytes. */
void dq_http_mask_text(const dq_http *http, char *text, size_t bytes, size_t least);

#endif
