/* SPDX-License-Identifier: MIT
 *
 * The home of libcurl: its multi interface, driven by epoll (curl_multi_socket_action), so that an event
 * costs the same with one request in flight as with a thousand.
 *
 * A trap in libcurl: when a connection that was used before closes without a byte of an answer, curl sends
 * the request once more by itself, up to five times, and a server that had read it has then been asked twice.
 * So an attempt that reaches the wire a second time is stopped (on_send) and becomes a failure like any
 * other: counted, asked of `before`, and tried again after a back-off.
 */
#include "port/http/curl.h"
#include "port/http/impl.h"

#include "core/array.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 64 };

struct dq_http_line {
    dq_http_line *next; /* free ones */
    CURL *easy;
    dq_http *http;
    dq_request *carries;
    bool sent;
    char words[CURL_ERROR_SIZE];
};

/* ---- what curl calls ---- */

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
    dq_http_line *l = arg;
    dq_request *r = l->carries;
    n *= size;
    if (n > l->http->config.body_most - r->used) {
        r->too_long = true;
        return 0;
    }
    if (!dq_array_reserve(&r->text, &r->room, r->used + n + 1, 1)) return 0;
    memcpy(r->text + r->used, data, n);
    r->used += n;
    r->text[r->used] = 0;
    return n;
}

/* The request is about to go out; see the top. */
static int on_send(void *arg, char *ip, char *local_ip, int port, int local_port)
{
    dq_http_line *l = arg;
    (void)ip, (void)local_ip, (void)port, (void)local_port;
    if (l->sent) return CURL_PREREQFUNC_ABORT;
    l->sent = true;
    return CURL_PREREQFUNC_OK;
}

/* A connection that becomes idle, or goes, with bytes that nobody has read: the body was longer than
 * announced, and what is left would be taken for the next request's answer (curl before 8 reuses such a
 * connection). It is shut, so that curl finds it dead. Over TLS there may be unread bytes that are no answer.
 */
static void shut_if_unread(const dq_http *http, CURL *easy, curl_socket_t fd)
{
    char byte;
    const dq_http_line *l = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &l);
    if (http->secure || !l || !l->sent) return;
    if (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0) (void)shutdown(fd, SHUT_RDWR);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
    dq_http *http = arg;
    struct epoll_event event = {.data.fd = fd};
    if (what == CURL_POLL_REMOVE) {
        shut_if_unread(http, easy, fd);
        (void)epoll_ctl(http->poller, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    if (what & CURL_POLL_IN) event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
    if (epoll_ctl(http->poller, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0) return -1;
    curl_multi_assign(http->multi, fd, http);
    return 0;
}

static int on_timer(CURLM *multi, long ms, void *arg)
{
    dq_http *http = arg;
    (void)multi;
    http->timer_due = ms < 0 ? INFINITY : dq_http_now() + (double)ms / 1000;
    return 0;
}

/* ---- starting curl, at the first request ---- */

static bool line_start(dq_http *http, dq_http_line *l)
{
    CURL *easy = l->easy = curl_easy_init();
    if (!easy) return false;
    l->http = http;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, l);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, (long)http->secure);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "dq");
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, http->headers);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(http->config.connect_timeout * 1000));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(http->config.timeout * 1000));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, l);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_send);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, l);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, l->words);
    curl_easy_setopt(easy, CURLOPT_PROXY, http->proxy ? http->proxy : ""); /* "": nor what a variable says */
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    if (http->certificates) curl_easy_setopt(easy, CURLOPT_CAINFO, http->certificates);
    if (http->socket) curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, http->socket);
    l->next = http->free_lines;
    http->free_lines = l;
    return true;
}

static bool add_header(dq_http *http, const char *text)
{
    struct curl_slist *longer = text ? curl_slist_append(http->headers, text) : NULL;
    if (longer) http->headers = longer;
    return longer;
}

static bool make_headers(dq_http *http)
{
    char *key = NULL;
    bool fine = add_header(http, "Content-Type: application/json") &&
                add_header(http, "Accept: application/json") &&
                add_header(http, "Expect:"); /* a large body waits for no 100 */
    if (fine && http->key) {
        int written = http->key_header ? asprintf(&key, "%s: %s", http->key_header, http->key)
                                       : asprintf(&key, "Authorization: Bearer %s", http->key);
        fine = written >= 0 && add_header(http, key);
        free(key);
    }
    return fine;
}

static dq_status start_curl(dq_http *http, dq_error *error)
{
    if (http->started) return DQ_OK;
    if (curl_global_init(CURL_GLOBAL_ALL) != 0)
        return dq_fail(error, DQ_ERR_MEMORY, "libcurl does not start");
    http->started = true;
    http->multi = curl_multi_init();
    http->lines = calloc(http->config.parallel, sizeof *http->lines);
    bool fine = http->multi && http->lines && make_headers(http);
    for (unsigned i = 0; fine && i < http->config.parallel; i++) fine = line_start(http, &http->lines[i]);
    if (!fine) return dq_fail_memory(error, "connections");
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)http->config.parallel);
    curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)http->config.parallel);
    curl_multi_setopt(http->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)http->config.parallel);
    return DQ_OK;
}

static void stop_curl(dq_http *http)
{
    for (unsigned i = 0; http->lines && i < http->config.parallel; i++) {
        dq_http_line *l = &http->lines[i];
        if (l->carries) curl_multi_remove_handle(http->multi, l->easy);
        curl_easy_cleanup(l->easy);
        if (l->carries) {
            free(l->carries->text);
            free(l->carries);
        };
    }
    free(http->lines);
    curl_multi_cleanup(http->multi);
    curl_slist_free_all(http->headers);
    if (http->started) curl_global_cleanup();
}

/* ---- requests ---- */

static dq_status send_request(dq_http *http, dq_request *r, dq_error *error)
{
    char *url = NULL;
    dq_http_line *l = http->free_lines;
    if (asprintf(&url, "%s/%s%s", http->address, r->path, http->query) < 0)
        return dq_fail_memory(error, "an address");
    http->free_lines = l->next;
    l->carries = r;
    l->sent = false;
    l->words[0] = 0;
    curl_easy_setopt(l->easy, CURLOPT_URL, url);
    curl_easy_setopt(l->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->bytes);
    curl_easy_setopt(l->easy, CURLOPT_POSTFIELDS, (const char *)r->body);
    free(url);
    if (curl_multi_add_handle(http->multi, l->easy) == CURLM_OK) return DQ_OK;
    return dq_fail_memory(error, "a request");
}

/* Where a redirect leads, without what could be a secret; free it with curl_free. */
static char *redirect_of(const dq_http_line *l)
{
    static const CURLUPart secrets[] = {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY,
                                        CURLUPART_FRAGMENT};
    char *to = NULL, *shown = NULL;
    CURLU *url = curl_url();
    curl_easy_getinfo(l->easy, CURLINFO_REDIRECT_URL, &to);
    if (url && to && curl_url_set(url, CURLUPART_URL, to, 0) == CURLUE_OK) {
        for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) curl_url_set(url, secrets[i], NULL, 0);
        curl_url_get(url, CURLUPART_URL, &shown, 0);
    }
    curl_url_cleanup(url);
    return shown;
}

/* A handshake that plain speech answers, in the words of OpenSSL, GnuTLS and NSS. */
static bool speaks_no_tls(const dq_http_line *l, CURLcode code)
{
    static const char *const words[] = {"wrong version number", "unexpected TLS packet", "http request",
                                        NULL};
    for (size_t i = 0; code == CURLE_SSL_CONNECT_ERROR && words[i]; i++)
        if (strstr(l->words, words[i])) return true;
    return false;
}

/* Failures below HTTP that no second attempt heals: certificates, addresses that are none, servers that speak
 * something else from the first word on a new connection, and a proxy that refuses to reach one. */
static bool is_final(const dq_http_line *l, CURLcode code)
{
    long fresh = 0, tunnel = 0;
    curl_easy_getinfo(l->easy, CURLINFO_NUM_CONNECTS, &fresh);
    curl_easy_getinfo(l->easy, CURLINFO_HTTP_CONNECTCODE, &tunnel);
    if ((tunnel >= 400 && tunnel < 500) || speaks_no_tls(l, code)) return true;
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_URL_MALFORMAT: return true;
    case CURLE_UNSUPPORTED_PROTOCOL: return fresh > 0;
    default: return false;
    }
}

static void explain_failure(dq_http *http, const dq_http_line *l, dq_request *r, CURLcode code)
{
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        if (l->sent)
            dq_http_explain(http, r, "no whole answer within %g s", http->config.timeout);
        else
            dq_http_explain(http, r, "no connection within %g s",
                            fmin(http->config.connect_timeout, http->config.timeout));
        break;
    case CURLE_ABORTED_BY_CALLBACK: /* on_send */
    case CURLE_GOT_NOTHING: dq_http_explain(http, r, "closed the connection without an answer"); break;
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2_STREAM:
        dq_http_explain(http, r, "closed the connection in the middle of an answer");
        break;
    case CURLE_UNSUPPORTED_PROTOCOL: dq_http_explain(http, r, "does not speak HTTP"); break;
    case CURLE_RECV_ERROR: /* a proxy that opens no tunnel, too */
        dq_http_explain(http, r, "%s", http->proxy && l->words[0] ? l->words : curl_easy_strerror(code));
        break;
    case CURLE_SEND_ERROR:
    case CURLE_COULDNT_CONNECT: dq_http_explain(http, r, "%s", curl_easy_strerror(code)); break;
    case CURLE_WRITE_ERROR:
        if (r->too_long)
            dq_http_explain(http, r, "the answer is longer than %zu bytes", http->config.body_most);
        else
            dq_http_explain(http, r, "out of memory for an answer");
        break;
    case CURLE_SSL_CONNECT_ERROR:
        if (speaks_no_tls(l, code)) {
            dq_http_explain(http, r, "speaks no TLS (does OPENAI_BASE_URL begin with http://?)");
            break;
        } /* fall through */
    default: dq_http_explain(http, r, "%s", l->words[0] ? l->words : curl_easy_strerror(code));
    }
}

/* The end of an attempt. */
static void end(dq_http *http, dq_http_line *l, CURLcode code)
{
    dq_request *r = l->carries;
    curl_off_t after = 0;
    curl_easy_getinfo(l->easy, CURLINFO_RESPONSE_CODE, &r->code);
    curl_easy_getinfo(l->easy, CURLINFO_RETRY_AFTER, &after);
    r->seconds = dq_http_now() - r->began;
    l->carries = NULL;
    if (code != CURLE_OK) {
        explain_failure(http, l, r, code);
        http->broke(http, r, is_final(l, code));
        return;
    }
    char *to = redirect_of(l);
    http->answered(http, r, (double)after, to);
    curl_free(to);
}

static void collect(dq_http *http)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(http->multi, &left))) {
        dq_http_line *l = NULL;
        CURLcode code = message->data.result; /* the message goes with its handle */
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &l);
        curl_multi_remove_handle(http->multi, l->easy);
        end(http, l, code);
        l->next = http->free_lines;
        http->free_lines = l;
    }
}

/* ---- waiting ---- */

static int milliseconds(double seconds)
{
    if (seconds <= 0) return 0;
    return seconds > 3600 ? 3600 * 1000 : (int)ceil(seconds * 1000);
}

static bool drive_curl(dq_http *http, double seconds)
{
    struct epoll_event events[EVENTS];
    int running;
    bool woken = false;
    int n = epoll_wait(http->poller, events, EVENTS,
                       milliseconds(fmin(seconds, http->timer_due - dq_http_now())));
    if (n < 0) return true;
    for (int i = 0; i < n; i++) {
        char bytes[64];
        if (events[i].data.fd == http->wake[0]) {
            woken = true;
            while (read(http->wake[0], bytes, sizeof bytes) > 0) {
            }
            continue;
        }
        int what = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                   (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                   (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
        curl_multi_socket_action(http->multi, events[i].data.fd, what, &running);
    }
    if (http->multi && http->timer_due <= dq_http_now()) {
        http->timer_due = INFINITY;
        curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    if (http->multi) collect(http);
    return woken;
}

const dq_http_carrier dq_http_curl = {
    .now = dq_http_now, .start = start_curl, .stop = stop_curl, .send = send_request, .drive = drive_curl};
