/* SPDX-License-Identifier: MIT */
#include "port/http/curl.h"
#include "port/http/impl.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <unistd.h>

/* ---- queues ---- */

static void queue_init(dq_request_queue *q)
{
    q->first = NULL;
    q->last = &q->first;
}

static void queue_push(dq_request_queue *q, dq_request *r)
{
    r->next = NULL;
    *q->last = r;
    q->last = &r->next;
}

/* By when they are due. */
static void queue_insert(dq_request_queue *q, dq_request *r)
{
    dq_request **at = &q->first;
    while (*at && (*at)->due <= r->due) at = &(*at)->next;
    r->next = *at;
    *at = r;
    if (!r->next) q->last = &r->next;
}

static dq_request *queue_pop(dq_request_queue *q)
{
    dq_request *r = q->first;
    if (!r) return NULL;
    q->first = r->next;
    if (!q->first) q->last = &q->first;
    return r;
}

static void request_free(dq_request *r)
{
    if (!r) return;
    free(r->text);
    free(r);
}

static void queue_clear(dq_request_queue *q)
{
    while (q->first) request_free(queue_pop(q));
}

/* ---- the key stays out of sight ---- */

/* A server may repeat the key, in an error mostly. A short one could be a word of an honest answer. */
static void mask_answer(const dq_http *http, dq_request *r, bool honest)
{
    if (r->text) dq_http_mask_text(http, r->text, r->used, honest ? DQ_HTTP_MASKED_ANSWER : DQ_HTTP_MASKED);
}

/* ---- the end of an attempt ---- */

static void finish(dq_http *http, dq_request *r, dq_status status)
{
    r->status = status;
    mask_answer(http, r, !status);
    queue_push(&http->done, r);
}

/* Nothing more is sent; what is in flight may still be answered. */
static void give_up(dq_http *http, const dq_request *last, const char *why)
{
    if (http->down) return;
    http->down = true;
    (void)snprintf(http->down_reason, sizeof http->down_reason, "%.300s%s", last->reason, why);
}

/* An attempt failed in a way that may pass; code: what it counts as. */
static void fail(dq_http *http, dq_request *r, long code, double retry_after)
{
    double now = http->carrier->now();
    unsigned failures = http->config.failures_most;
    if (http->config.failed) http->config.failed(http->config.arg, r->tag, r->code, r->reason);
    if (retry_after > http->config.retry_after_most) give_up(http, r, ", which is too long");
    if (dq_pace_failed(&http->pace, r->began, now)) {
        char why[64];
        (void)snprintf(why, sizeof why, " (%u failures in a row)", failures);
        give_up(http, r, failures > 1 ? why : "");
    }
    double wait = dq_pace_backoff(&http->pace, r->attempts, retry_after);
    if (code == 429) {
        dq_pace_pause(&http->pace, now + wait);
        dq_pace_throttled(&http->pace, r->began, now);
    }
    if (http->down || r->attempts >= http->config.attempts) {
        finish(http, r, DQ_ERR_IO);
        return;
    }
    r->due = now + wait;
    queue_insert(&http->again, r);
}

/* It failed in a way that will not pass. */
static void refuse(dq_http *http, dq_request *r)
{
    if (http->config.failed) http->config.failed(http->config.arg, r->tag, r->code, r->reason);
    finish(http, r, DQ_ERR_UNSUPPORTED);
}

static bool may_pass(long code)
{
    return code == 408 || code == 409 || code == 429 || code >= 500;
}

/* The request's reason: the code, and the server's words without its asker's secrets. */
static void explain_code(dq_http *http, dq_request *r, double retry_after, const char *redirect,
                         dq_http_reason *said)
{
    char when[48] = "";
    dq_http_mask(http, said->words);
    dq_http_shorten(said->words, DQ_HTTP_WORDS);
    if (retry_after > 0) (void)snprintf(when, sizeof when, ", to come back in %.0f s", retry_after);
    if (r->code >= 300 && r->code < 400)
        dq_http_explain(http, r, "HTTP %ld redirects to %s; redirects are not followed", r->code,
                        redirect ? redirect : "nowhere");
    else
        dq_http_explain(http, r, "HTTP %ld%s%s%s%s", r->code, r->code < 300 ? " with an error" : "", when,
                        said->words[0] ? ": " : "", said->words);
}

/* The code that decides: an answer with an error inside counts as what that error is. */
static long counted_code(const dq_http *http, const dq_request *r)
{
    const dq_http_config *c = &http->config;
    bool looks = r->code >= 200 && r->code < 300 && c->error_within;
    long within = looks ? c->error_within(c->arg, r->text ? r->text : "", r->used) : 0;
    return within ? within : r->code;
}

static bool is_final(long code, const dq_http_reason *said, double retry_after)
{
    if (code == 401 || code == 402) return true;
    return code >= 400 && (said->spent || (said->seems_spent && retry_after <= 0));
}

static bool is_refused(const dq_http *http, const dq_request *r, long code)
{
    const dq_http_config *c = &http->config;
    if (r->final || !may_pass(code)) return true;
    return c->refuses && c->refuses(c->arg, r->tag, code, r->text ? r->text : "", r->used);
}

static void answered(dq_http *http, dq_request *r, double retry_after, const char *redirect)
{
    dq_http_reason said;
    long code = counted_code(http, r);
    http->in_flight--;
    if (code >= 200 && code < 300) {
        dq_pace_answered(&http->pace);
        finish(http, r, DQ_OK);
        return;
    }
    dq_http_read_reason(r->text, r->used, &said);
    r->final = is_final(code, &said, retry_after);
    explain_code(http, r, may_pass(code) && !r->final ? retry_after : 0, redirect, &said);
    if (!is_refused(http, r, code)) {
        fail(http, r, code, retry_after);
        return;
    }
    dq_pace_answered(&http->pace);
    refuse(http, r);
}

static void broke(dq_http *http, dq_request *r, bool final)
{
    http->in_flight--;
    r->code = 0;
    r->used = 0;
    if (r->text) r->text[0] = 0;
    if (final)
        refuse(http, r);
    else if (r->too_long) {
        if (http->config.failed) http->config.failed(http->config.arg, r->tag, 0, r->reason);
        finish(http, r, DQ_ERR_IO);
    } else
        fail(http, r, 0, 0);
}

/* ---- the beginning of one ---- */

static dq_status begin(dq_http *http, dq_request *r, double now, dq_error *error)
{
    dq_error e = DQ_ERROR_NONE;
    dq_status status = http->config.before
                           ? http->config.before(http->config.arg, r->tag, r->attempts + 1, &e)
                           : DQ_OK;
    if (status) {
        (void)snprintf(r->reason, sizeof r->reason, "%s", e.reason);
        r->code = 0;
        finish(http, r, status);
        return DQ_OK;
    }
    r->attempts++;
    r->began = now;
    r->used = 0;
    r->reason[0] = 0;
    status = dq_pace_count(&http->pace, now, r->tokens, error);
    if (!status) status = http->carrier->send(http, r, error);
    http->in_flight += !status;
    return status;
}

static void fail_all(dq_http *http, dq_request_queue *q)
{
    dq_request *r;
    while ((r = queue_pop(q))) {
        (void)snprintf(r->reason, sizeof r->reason, "%s", http->down_reason);
        finish(http, r, DQ_ERR_IO);
    }
}

/* Sends what may go. *wait: seconds until more may, INFINITY when only an answer can bring that about. */
static dq_status launch(dq_http *http, double *wait, dq_error *error)
{
    *wait = INFINITY;
    if (http->down) {
        fail_all(http, &http->again);
        fail_all(http, &http->fresh);
        return DQ_OK;
    }
    dq_status status = http->fresh.first ? http->carrier->start(http, error) : DQ_OK;
    while (!status && http->in_flight < (unsigned)http->pace.window) {
        double now = http->carrier->now();
        bool due = http->again.first && http->again.first->due <= now;
        dq_request *r = due ? http->again.first : http->fresh.first;
        if (http->again.first && !due) *wait = http->again.first->due - now;
        if (!r) break;
        double pause = dq_pace_wait(&http->pace, now, r->tokens);
        if (pause > 0) {
            *wait = fmin(*wait, pause);
            break;
        }
        (void)queue_pop(due ? &http->again : &http->fresh);
        status = begin(http, r, now, error);
    }
    return status;
}

/* ---- what is given ---- */

static int give(dq_http *http, dq_http_answer *answer)
{
    dq_request *r = http->given = queue_pop(&http->done);
    http->pending--;
    *answer = (dq_http_answer){.tag = r->tag,
                               .status = r->status,
                               .code = r->code,
                               .final = r->final,
                               .body = r->text ? r->text : "",
                               .bytes = r->used,
                               .reason = r->status ? r->reason : NULL,
                               .attempts = r->attempts,
                               .seconds = r->seconds};
    return 1;
}

int dq_http_next(dq_http *http, double seconds, dq_http_answer *answer, dq_error *error)
{
    double until = seconds < 0 ? INFINITY : http->carrier->now() + seconds, wait;
    bool over = false;
    request_free(http->given);
    http->given = NULL;
    for (;;) {
        if (launch(http, &wait, error)) return -1;
        if (http->done.first) return give(http, answer);
        if (http->pending == 0 || over) return 0;
        double left = until - http->carrier->now();
        over = http->carrier->drive(http, fmin(wait, left)) || left <= 0;
    }
}

/* ---- new and free ---- */

static dq_status copy_text(char **to, const char *text, dq_error *error)
{
    if (!text || !*text) return DQ_OK;
    *to = strdup(text);
    return *to ? DQ_OK : dq_fail_memory(error, "a client");
}

static dq_status read_key(dq_http *http, const char *key, dq_error *error)
{
    if (!key || !*key) return DQ_OK;
    for (const char *c = key; *c; c++)
        if (*c <= ' ' || *c > '~')
            return dq_fail(error, DQ_ERR_RANGE, "the key holds a character that no key has");
    if (!dq_http_add_secret(http, key, strlen(key))) return dq_fail_memory(error, "a client");
    return copy_text(&http->key, key, error);
}

/* A name as RFC 9110 has them, and none of those that a request has already. */
static dq_status read_key_header(dq_http *http, const char *name, dq_error *error)
{
    static const char *const taken[] = {"content-type", "content-length", "accept", "expect", "host"};
    static const char letters[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.!#$%&'*+^`|~";
    if (!name || !*name) return DQ_OK;
    bool fine = name[strspn(name, letters)] == '\0';
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) fine = fine && strcasecmp(name, taken[i]) != 0;
    if (!fine) return dq_fail(error, DQ_ERR_RANGE, "the key's header is not a header's name, as api-key is");
    return copy_text(&http->key_header, name, error);
}

static dq_status check(const dq_http_config *c, dq_error *error)
{
    if (c->parallel < 1 || c->parallel > 1024)
        return dq_fail(error, DQ_ERR_RANGE, "requests in flight: %u is not in 1 .. 1024", c->parallel);
    if (c->attempts < 1 || c->failures_most < 1)
        return dq_fail(error, DQ_ERR_RANGE, "at least one attempt, and one failure");
    const double most = 1e6;
    if (!(c->connect_timeout > 0 && c->connect_timeout <= most && c->timeout > 0 && c->timeout <= most))
        return dq_fail(error, DQ_ERR_RANGE, "a time-out is not in 0 .. %.0f seconds", most);
    if (!(c->backoff >= 0 && c->backoff_most >= 0 && c->retry_after_most >= 0))
        return dq_fail(error, DQ_ERR_RANGE, "a wait of less than no time");
    return DQ_OK;
}

static dq_status open_poller(dq_http *http, dq_error *error)
{
    struct epoll_event event = {.events = EPOLLIN};
    http->poller = epoll_create1(EPOLL_CLOEXEC);
    if (http->poller < 0 || pipe2(http->wake, O_CLOEXEC | O_NONBLOCK) != 0)
        return dq_fail_errno(error, errno, "cannot wait for connections");
    event.data.fd = http->wake[0];
    if (epoll_ctl(http->poller, EPOLL_CTL_ADD, http->wake[0], &event) != 0)
        return dq_fail_errno(error, errno, "cannot wait for connections");
    return DQ_OK;
}

dq_status dq_http_new_over(dq_http **made, const dq_http_config *config, const dq_http_carrier *carrier,
                           dq_error *error)
{
    dq_status status = check(config, error);
    if (!status) status = dq_http_load_curl(error);
    dq_http *http = status ? NULL : calloc(1, sizeof *http);
    *made = NULL;
    if (status) return status;
    if (!http) return dq_fail_memory(error, "a client");
    http->config = *config;
    http->carrier = carrier;
    http->answered = answered;
    http->broke = broke;
    http->poller = http->wake[0] = http->wake[1] = -1;
    http->timer_due = INFINITY;
    queue_init(&http->fresh);
    queue_init(&http->again);
    queue_init(&http->done);
    dq_pace_init(&http->pace, config);
    status = dq_http_read_address(http, config->address, error);
    if (!status) status = dq_http_choose_proxy(http, config, error);
    if (!status) status = read_key(http, config->key, error);
    if (!status) status = read_key_header(http, config->key_header, error);
    if (!status) status = copy_text(&http->certificates, config->certificates, error);
    if (!status) status = copy_text(&http->socket, config->socket, error);
    if (!status) status = open_poller(http, error);
    if (status)
        dq_http_free(http);
    else
        *made = http;
    return status;
}

dq_status dq_http_new(dq_http **http, const dq_http_config *config, dq_error *error)
{
    return dq_http_new_over(http, config, &dq_http_curl, error);
}

static void free_secret(char *text)
{
    if (text) explicit_bzero(text, strlen(text));
    free(text);
}

void dq_http_free(dq_http *http)
{
    if (!http) return;
    http->carrier->stop(http);
    queue_clear(&http->fresh);
    queue_clear(&http->again);
    queue_clear(&http->done);
    request_free(http->given);
    dq_pace_free(&http->pace);
    if (http->poller >= 0) close(http->poller);
    if (http->wake[0] >= 0) close(http->wake[0]);
    if (http->wake[1] >= 0) close(http->wake[1]);
    free(http->address);
    free(http->query);
    free(http->server);
    free(http->shown);
    free(http->proxy);
    free(http->via);
    free(http->certificates);
    free(http->socket);
    free(http->key_header);
    free_secret(http->key);
    for (size_t i = 0; i < http->secret_count; i++) free_secret(http->secrets[i]);
    free(http->secrets);
    free(http);
}

const char *dq_http_server(const dq_http *http)
{
    return http->server;
}

size_t dq_http_pending(const dq_http *http)
{
    return http->pending;
}

void dq_http_wake(dq_http *http)
{
    int saved = errno;
    ssize_t n = write(http->wake[1], "", 1); /* a full pipe wakes as well */
    (void)n;
    errno = saved;
}

dq_status dq_http_submit(dq_http *http, const char *path, const char *body, size_t bytes, uint64_t tag,
                         uint64_t tokens, dq_error *error)
{
    size_t path_bytes = strlen(path) + 1;
    dq_request *r = calloc(1, sizeof *r + bytes + path_bytes);
    if (!r) return dq_fail_memory(error, "a request");
    memcpy(r->body, body, bytes);
    r->bytes = bytes;
    r->path = memcpy(r->body + bytes, path, path_bytes);
    r->tag = tag;
    r->tokens = tokens;
    queue_push(&http->fresh, r);
    http->pending++;
    return DQ_OK;
}
