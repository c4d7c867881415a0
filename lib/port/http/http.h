/* SPDX-License-Identifier: MIT
 *
 * A client for one HTTP server that answers questions: JSON bodies posted to paths below one address, many in
 * flight over few connections (HTTP/2 where the server has it, else keep-alive). http.c and address.c are the
 * only home of libcurl. Of bodies it reads those of failures alone, for the server's reason (reason.h).
 *
 *     dq_http_new(&http, &config, &e);
 *     dq_http_submit(http, "chat/completions", body, bytes, tag, tokens, &e);      (as many as one likes)
 *     while ((got = dq_http_next(http, &answer, &e)) > 0) use(answer.tag, answer.body);
 *
 * What the client does by itself:
 *
 *     at most `parallel` requests are open; the others wait in the order of their submission
 *     2xx                           the answer, whatever its body: none, HTML, half a JSON text; unless
 *                                   `error_within` finds an error there, which counts as a code of its own
 *     3xx                           refused: redirects are not followed, so that no key goes astray
 *     408, 409, 429, 5xx            tried again, unless `refuses` knows better
 *     a quota or balance that is spent, by the server's words, whatever the code
 *                                   refused at once, finally: no other request fares better
 *     other codes                   refused at once; 401 and 402 finally
 *     no connection, a time-out, a connection that closes or is reset early, a body shorter than announced
 *                                   tried again; a body longer than announced ends where it was said to,
 *                                   and its connection is not used again
 *     certificates that do not verify, a server that does not speak HTTP
 *                                   refused at once
 *     a body of more than body_most not tried again: DQ_ERR_IO
 *
 * Attempt n + 1 follows a wait drawn from [b/2, b], b = backoff 2^(n - 1), at most backoff_most (Brooker,
 * "Exponential backoff and jitter", 2015), or Retry-After (seconds, or a date) and a little more. A 429 lets
 * every request wait so long, and halves how many may be in flight; each round of answers lets in one more. A
 * Retry-After beyond retry_after_most, or failures_most failed attempts in a row (attempts that were in
 * flight together count as one), and the server counts as down: nothing more is sent, what is in flight may
 * still be answered, all else ends with DQ_ERR_IO. Rates hold over a sliding minute.
 *
 * Every attempt is one request on the wire: curl's own silent repetition over a connection that died is an
 * attempt that failed.
 *
 * A key is sent in a header, and appears in no message: where a server repeats it, in an error or (if it is
 * long enough not to be a word) in an answer, asterisks stand in its place. So it is with the values in the
 * address's query, but for api-version's.
 *
 * Every reason begins with what was asked, "HOST:PORT/PATH" without the query, and through which proxy.
 * Loopback (127.0.0.0/8, ::1, localhost and names that end with .localhost; 0.0.0.0 and ::, which servers
 * print) is never asked through one.
 */
#ifndef DQ_PORT_HTTP_HTTP_H
#define DQ_PORT_HTTP_HTTP_H

#include "dq/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct dq_http_config {
    const char *address;    /* "http://127.0.0.1:8080/v1": http or https, no credentials inside; a query goes
                               behind each path ("https://HOST/openai?api-version=1"); copied */
    const char *socket;     /* a Unix socket that the server listens on, in place of the address's host; NULL:
                               none; copied */
    const char *key;        /* NULL: none; copied */
    const char *key_header; /* the header whose value is the key alone; NULL: Authorization: Bearer KEY;
                               copied */
    const char *certificates; /* a PEM file of those that are trusted, in place of the system's; NULL: the
                                 system's; copied */
    const char *proxy;        /* "http://HOST:PORT", as curl takes it; NULL: none; copied */
    const char *proxy_from;   /* for messages: whose value that is ("http_proxy"); copied */
    const char *no_proxy;     /* hosts that are asked directly: names with all below them, addresses, CIDR,
                                 "*"; by commas or spaces; NULL: none; read at once */
    unsigned parallel;        /* requests in flight, 1 .. 1024 */
    double connect_timeout, timeout;               /* seconds: to connect; for one whole request */
    unsigned attempts;                             /* of one request, at least 1 */
    double backoff, backoff_most;                  /* seconds before the second attempt, and at most */
    double retry_after_most;                       /* seconds: a server that asks for more is given up */
    double requests_per_minute, tokens_per_minute; /* 0: no limit */
    unsigned failures_most; /* failed attempts in a row before the server counts as down */
    size_t body_most;       /* bytes of an answer */
    uint64_t seed;          /* of the jitter */
    /* Asked before every attempt: DQ_OK lets it go out; another status ends the request with it (a budget).
     * May be NULL. */
    dq_status (*before)(void *arg, uint64_t tag, unsigned attempt, dq_error *error);
    /* Told of every attempt that failed and will be tried again, or not: code 0 when there was no answer. May
     * be NULL. */
    void (*failed)(void *arg, uint64_t tag, long code, const char *reason);
    /* Asked of a 2xx: the code that an error inside its body counts as; 0: it is an answer. May be NULL. */
    long (*error_within)(void *arg, const char *body, size_t bytes);
    /* Asked of 408, 409, 429 and 5xx before they are tried again: true, and this one is refused. May be NULL.
     */
    bool (*refuses)(void *arg, uint64_t tag, long code, const char *body, size_t bytes);
    void *arg;
} dq_http_config;

#define DQ_HTTP_DEFAULTS                                                                                     \
    {                                                                                                        \
        .parallel = 4, .connect_timeout = 10, .timeout = 120, .attempts = 6, .backoff = 0.5,                 \
        .backoff_most = 60, .retry_after_most = 120, .failures_most = 20, .body_most = 64u << 20             \
    }

typedef struct dq_http_answer {
    uint64_t tag;
    dq_status status; /* DQ_OK: a 2xx and its body. DQ_ERR_UNSUPPORTED: refused, and another attempt would be
                         too (the body may say why). DQ_ERR_IO: attempts are spent, or the server is down.
                         Else what `before` said. */
    long code;        /* of HTTP; 0 without an answer */
    bool final; /* with DQ_ERR_UNSUPPORTED: the server refuses the asker (401, 402, a spent quota), so that
                   neither time nor another form of the request helps */
    const char *body; /* (bytes), NUL-terminated, the client's until the next call of dq_http_next */
    size_t bytes;
    const char *reason; /* one line, unless DQ_OK: "HOST:PORT/PATH: HTTP 404: the server's words", never the
                           key */
    unsigned attempts;
    double seconds; /* the last attempt took */
} dq_http_answer;

typedef struct dq_http dq_http;

/* DQ_ERR_RANGE for a number out of range, a key that no header can hold, a header that is none, an address
 * that is not http(s) or has credentials or a fragment in it. Opens no connection, and does not start curl.
 */
dq_status dq_http_new(dq_http **http, const dq_http_config *config, dq_error *error);
/* Gives up what is in flight. */
void dq_http_free(dq_http *http);

/* Takes a request (the body is copied). tokens: an estimate of what it will cost, for tokens_per_minute. */
dq_status dq_http_submit(dq_http *http, const char *path, const char *body, size_t bytes, uint64_t tag,
                         uint64_t tokens, dq_error *error);
/* Requests that have no answer yet. */
size_t dq_http_pending(const dq_http *http);
/* Waits for an answer, at most `seconds` (negative: as long as it takes): 1 with one, 0 when nothing is
 * pending or the time is over, -1 when the client itself failed (*error). A signal that is caught while it
 * waits ends the wait with 0, and so does dq_http_wake. */
int dq_http_next(dq_http *http, double seconds, dq_http_answer *answer, dq_error *error);

/* Ends the wait of dq_http_next, or of the next one. From any thread, and from a signal handler. */
void dq_http_wake(dq_http *http);

/* Puts asterisks where a text repeats the key: for what is taken out of a body, which may have been escaped
 * in it. */
void dq_http_mask(const dq_http *http, char *text);

/* "host:port" of the address, for messages and the cache. */
const char *dq_http_server(const dq_http *http);

#endif
