/* SPDX-License-Identifier: MIT
 *
 * For the tests of asking: a client without a network, which a script answers, and a clock that moves when
 * the test moves it. What a real client decides about retries and waits (test_http_client.c) it
 * only mimics: attempts are asked of `before` and told to `failed`.
 */
#ifndef DQ_TEST_FAKE_CLIENT_H
#define DQ_TEST_FAKE_CLIENT_H

#include "llm/client.h"
#include "port/http/reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { FAKE_OPEN = 64 };

/* What comes of an attempt. */
typedef struct fake_outcome {
    bool later; /* nothing yet: the request stays in flight */
    long code;  /* 0: no answer */
    char body[512];
} fake_outcome;

typedef struct fake_request {
    bool used, out; /* out: an attempt is on its way */
    uint64_t tag;
    unsigned attempts;
    char *body;
} fake_request;

static struct {
    dq_http_config config;
    void (*script)(const char *body, unsigned attempt, fake_outcome *outcome);
    const char *where; /* that requests go to; NULL: chat/completions */
    bool last_first;   /* of those in flight the last is answered first */
    bool broken;       /* the client itself fails */
    fake_request open[FAKE_OPEN];
    size_t in_flight, in_flight_max; /* submitted, and not over */
    size_t out;                      /* on their way, at most config.parallel */
    unsigned opened, sent;           /* clients; attempts that went out */
    unsigned hasty;                  /* looks in vain that were not to wait */
    char answer[512], reason[400];
    atomic_llong clock; /* milliseconds */
    atomic_uint woken;
} fake;

static double fake_now(void)
{
    return (double)atomic_load(&fake.clock) / 1000;
}

static void fake_wait(double seconds)
{
    atomic_fetch_add(&fake.clock, (long long)(seconds * 1000));
}

static dq_status fake_open(dq_http **client, const dq_http_config *config, dq_error *error)
{
    (void)error;
    fake.config = *config;
    fake.opened++;
    *client = (dq_http *)&fake;
    return DQ_OK;
}

static void fake_close(dq_http *client)
{
    (void)client;
    for (size_t i = 0; i < FAKE_OPEN; i++) free(fake.open[i].body);
    memset(fake.open, 0, sizeof fake.open);
    fake.in_flight = fake.out = 0;
}

static dq_status fake_submit(dq_http *client, const char *where, const char *body, size_t bytes, uint64_t tag,
                             uint64_t tokens, dq_error *error)
{
    size_t at = 0;
    (void)client, (void)error;
    assert_string_equal(where, fake.where ? fake.where : "chat/completions");
    assert_true(tokens > 0);
    while (at < FAKE_OPEN && fake.open[at].used) at++;
    assert_true(at < FAKE_OPEN);
    fake.open[at] = (fake_request){.used = true, .tag = tag, .body = strndup(body, bytes)};
    fake.in_flight++;
    if (fake.in_flight > fake.in_flight_max) fake.in_flight_max = fake.in_flight;
    return DQ_OK;
}

/* The answer to a request that is over. */
static int fake_give(fake_request *r, dq_status status, long code, dq_http_answer *answer)
{
    *answer = (dq_http_answer){.tag = r->tag,
                               .status = status,
                               .code = code,
                               .final = code == 401 || code == 402,
                               .body = fake.answer,
                               .bytes = strlen(fake.answer),
                               .reason = status ? fake.reason : NULL,
                               .attempts = r->attempts,
                               .seconds = 0.01};
    free(r->body);
    *r = (fake_request){0};
    fake.in_flight--;
    return 1;
}

/* Sends an attempt; what `before` says. */
static dq_status fake_send(fake_request *r)
{
    dq_error e = DQ_ERROR_NONE;
    dq_status status = fake.config.before(fake.config.arg, r->tag, r->attempts + 1, &e);
    if (status) {
        (void)snprintf(fake.reason, sizeof fake.reason, "%s", e.reason);
        fake.answer[0] = '\0';
        return status;
    }
    r->attempts++;
    r->out = true;
    fake.out++;
    fake.sent++;
    return DQ_OK;
}

static void fake_mask(char *text)
{
    for (char *at = text; (at = strstr(at, "sesame")); at += 6) memset(at, '*', 6);
}

static void fake_explain(long code, const char *body)
{
    dq_http_reason said;
    dq_http_read_reason(body, strlen(body), &said);
    fake_mask(said.words);
    (void)snprintf(fake.reason, sizeof fake.reason, "server.test:80/v1: HTTP %ld%s%.200s", code,
                   said.words[0] ? ": " : "", said.words);
}

/* Sends a request or looks what came of it: 1 when it is over. */
static int fake_advance(fake_request *r, dq_http_answer *answer)
{
    fake_outcome o = {.code = 200};
    if (!r->out && fake.out == fake.config.parallel) return 0;
    dq_status status = r->out ? DQ_OK : fake_send(r);
    if (status) return fake_give(r, status, 0, answer);
    fake.script(r->body, r->attempts, &o);
    if (o.later) return 0;
    r->out = false;
    fake.out--;
    (void)snprintf(fake.answer, sizeof fake.answer, "%s", o.body);
    long code = o.code == 200 ? fake.config.error_within(fake.config.arg, o.body, strlen(o.body)) : o.code;
    if (o.code == 200 && !code) return fake_give(r, DQ_OK, 200, answer);
    bool passes = code == 0 || ((code == 429 || code >= 500) &&
                                !fake.config.refuses(fake.config.arg, r->tag, code, o.body, strlen(o.body)));
    fake_explain(o.code, o.body);
    fake.config.failed(fake.config.arg, r->tag, o.code, fake.reason);
    if (passes && r->attempts < fake.config.attempts) return 0;
    return fake_give(r, passes ? DQ_ERR_IO : DQ_ERR_UNSUPPORTED, o.code, answer);
}

/* Advances each request. Where nothing came, the store gets a moment to work. */
static int fake_next(dq_http *client, double seconds, dq_http_answer *answer, dq_error *error)
{
    (void)client;
    if (fake.broken) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for connections"), -1;
    for (size_t i = 0; i < FAKE_OPEN; i++) {
        fake_request *r = &fake.open[fake.last_first ? FAKE_OPEN - 1 - i : i];
        if (r->used && fake_advance(r, answer)) return 1;
    }
    if (seconds > 0)
        (void)usleep(200);
    else
        fake.hasty++;
    return 0;
}

static void fake_wake(dq_http *client)
{
    (void)client;
    atomic_fetch_add(&fake.woken, 1);
}

static const char *fake_server(const dq_http *client)
{
    (void)client;
    return "server.test:80";
}

static const dq_ask_client fake_client = {.open = fake_open,
                                          .close = fake_close,
                                          .submit = fake_submit,
                                          .next = fake_next,
                                          .wake = fake_wake,
                                          .server = fake_server,
                                          .now = fake_now};

#endif
