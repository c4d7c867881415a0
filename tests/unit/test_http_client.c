/* SPDX-License-Identifier: MIT
 *
 * What the client decides, over a carrier without a network and by a clock that the test holds: what goes out
 * when, what is tried again and after which wait, what the callbacks hear. curl and real servers:
 * tests/fault/http.bats; the counting alone: test_http_pace.c.
 */
#include "port/http/impl.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ATTEMPTS = 256, ON_WIRE = 16 };

/* How an attempt ends. */
typedef struct outcome {
    long code; /* 0: no answer */
    double after, retry_after;
    bool final;
    const char *body;
} outcome;

static struct {
    double now;
    outcome (*script)(const dq_request *r);
    dq_request *carried[ON_WIRE];
    double ends[ON_WIRE];
    size_t on, on_max;
    struct {
        uint64_t tag;
        double time;
    } sent[ATTEMPTS];
    size_t sent_count;
    unsigned failures, asked, last_attempt;
    uint64_t allowed; /* by `before` */
    char reason[DQ_HTTP_REASON];
} wire;

/* ---- the carrier ---- */

static double wire_now(void)
{
    return wire.now;
}

static dq_status wire_start(dq_http *http, dq_error *error)
{
    (void)http, (void)error;
    return DQ_OK;
}

static void wire_stop(dq_http *http)
{
    (void)http;
    for (size_t i = 0; i < wire.on; i++) {
        free(wire.carried[i]->text);
        free(wire.carried[i]);
    }
    wire.on = 0;
}

static dq_status wire_send(dq_http *http, dq_request *r, dq_error *error)
{
    (void)http, (void)error;
    assert_true(wire.on < ON_WIRE && wire.sent_count < ATTEMPTS);
    wire.carried[wire.on] = r;
    wire.ends[wire.on++] = wire.now + wire.script(r).after;
    wire.on_max = wire.on > wire.on_max ? wire.on : wire.on_max;
    wire.sent[wire.sent_count].tag = r->tag;
    wire.sent[wire.sent_count++].time = wire.now;
    return DQ_OK;
}

static void end_attempt(dq_http *http, size_t i)
{
    dq_request *r = wire.carried[i];
    outcome o = wire.script(r);
    wire.on--;
    wire.carried[i] = wire.carried[wire.on];
    wire.ends[i] = wire.ends[wire.on];
    r->code = o.code;
    r->seconds = o.after;
    if (o.body) {
        free(r->text);
        r->text = strdup(o.body);
        assert_non_null(r->text);
        r->used = strlen(o.body);
    }
    if (o.code) {
        http->answered(http, r, o.retry_after, NULL);
    } else {
        dq_http_explain(http, r, "closed the connection without an answer");
        http->broke(http, r, o.final);
    }
}

/* Time passes: to the end of the next attempt, or by `seconds`. */
static bool wire_drive(dq_http *http, double seconds)
{
    size_t next = 0;
    for (size_t i = 1; i < wire.on; i++)
        if (wire.ends[i] < wire.ends[next]) next = i;
    if (wire.on && wire.ends[next] <= wire.now + seconds) {
        wire.now = wire.ends[next];
        end_attempt(http, next);
    } else if (isinf(seconds)) {
        fail_msg("waits for ever");
    } else {
        wire.now += fmax(seconds, 0);
    }
    return false;
}

static const dq_http_carrier carrier = {
    .now = wire_now, .start = wire_start, .stop = wire_stop, .send = wire_send, .drive = wire_drive};

/* ---- what the tests share ---- */

static dq_status before(void *arg, uint64_t tag, unsigned attempt, dq_error *error)
{
    (void)arg, (void)tag;
    wire.asked++;
    wire.last_attempt = attempt;
    if (wire.allowed == 0) return dq_fail(error, DQ_ERR_STOPPED, "the budget is spent");
    wire.allowed--;
    return DQ_OK;
}

static void failed(void *arg, uint64_t tag, long code, const char *reason)
{
    (void)arg, (void)tag, (void)code;
    wire.failures++;
    (void)snprintf(wire.reason, sizeof wire.reason, "%s", reason);
}

static dq_http_config defaults(void)
{
    dq_http_config config = DQ_HTTP_DEFAULTS;
    config.address = "http://server.test:8080/v1/";
    config.before = before;
    config.failed = failed;
    return config;
}

/* A client with n requests, tags 0 .. n - 1; the clock begins at 0. */
static dq_http *open_client(const dq_http_config *config, outcome (*script)(const dq_request *r), uint64_t n)
{
    dq_http *http;
    dq_error e = DQ_ERROR_NONE;
    memset(&wire, 0, sizeof wire);
    wire.script = script;
    wire.allowed = UINT64_MAX;
    if (dq_http_new_over(&http, config, &carrier, &e)) fail_msg("%s", e.reason);
    for (uint64_t tag = 0; tag < n; tag++)
        assert_int_equal(dq_http_submit(http, "chat/completions", "{}", 2, tag, 10, &e), DQ_OK);
    return http;
}

static dq_http_answer next_answer(dq_http *http)
{
    dq_http_answer answer;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_http_next(http, -1, &answer, &e), 1);
    return answer;
}

/* Takes all answers; how many have the status. */
static size_t take_all(dq_http *http, dq_status status)
{
    size_t n = 0;
    while (dq_http_pending(http)) n += next_answer(http).status == status;
    return n;
}

static outcome answers(const dq_request *r)
{
    return (outcome){.code = 200, .after = 1 + (double)r->tag / 100, .body = "{\"a\":1}"};
}

/* ---- tests ---- */

static void test_no_more_than_parallel(void **state)
{
    (void)state;
    dq_http_config config = defaults();
    config.parallel = 3;
    dq_http *http = open_client(&config, answers, 10);
    assert_string_equal(dq_http_server(http), "server.test:8080");
    for (uint64_t tag = 0; tag < 10; tag++) {
        dq_http_answer a = next_answer(http);
        assert_int_equal(a.tag, tag);
        assert_int_equal(a.status, DQ_OK);
        assert_int_equal(a.attempts, 1);
        assert_string_equal(a.body, "{\"a\":1}");
        assert_int_equal(dq_http_pending(http), 9 - tag);
    }
    assert_int_equal(wire.on_max, 3);
    assert_int_equal(wire.failures, 0);
    dq_http_free(http);
}

/* The first attempt of the first request: come back in seven seconds. */
static outcome throttles_once(const dq_request *r)
{
    bool refuses = r->tag == 0 && r->attempts == 1;
    return (outcome){.code = refuses ? 429 : 200, .after = refuses ? 0.5 : 1, .retry_after = refuses ? 7 : 0};
}

static void test_retry_after_pauses_all(void **state)
{
    (void)state;
    dq_http_config config = defaults();
    config.parallel = 4;
    dq_http *http = open_client(&config, throttles_once, 12);
    assert_int_equal(take_all(http, DQ_OK), 12);
    assert_int_equal(wire.sent_count, 13);
    for (size_t i = 0; i < wire.sent_count; i++)
        assert_true(i < 4 ? wire.sent[i].time == 0 : wire.sent[i].time >= 7.5);
    /* The window was cut from 4 to 2, and the three answers that were in flight let in one more. */
    assert_true(wire.sent[4].time == wire.sent[6].time && wire.sent[6].time < wire.sent[7].time);
    assert_int_equal(wire.sent[4].tag, 0);
    assert_string_equal(wire.reason, "server.test:8080/v1/chat/completions: HTTP 429, to come back in 7 s");
    dq_http_free(http);
}

static outcome overloaded(const dq_request *r)
{
    (void)r;
    return (outcome){.code = 503, .after = 0};
}

static void test_backoff_grows(void **state)
{
    (void)state;
    dq_http_config config = defaults();
    config.attempts = 9;
    config.backoff = 0.5;
    config.backoff_most = 20;
    dq_http *http = open_client(&config, overloaded, 1);
    dq_http_answer a = next_answer(http);
    assert_int_equal(a.status, DQ_ERR_IO);
    assert_int_equal(a.attempts, 9);
    assert_int_equal(a.code, 503);
    assert_string_equal(a.reason, "server.test:8080/v1/chat/completions: HTTP 503");
    for (size_t i = 1; i < 9; i++) {
        double wait = wire.sent[i].time - wire.sent[i - 1].time, b = fmin(ldexp(0.5, (int)i - 1), 20);
        assert_true(wait >= b / 2 && wait <= b);
    }
    assert_int_equal(wire.failures, 9);
    assert_int_equal(wire.asked, 9);
    assert_int_equal(wire.last_attempt, 9);
    dq_http_free(http);
}

/* Odd requests fail once each way that may pass. */
static outcome fails_once(const dq_request *r)
{
    static const long codes[] = {408, 409, 429, 500, 0};
    bool fails = r->tag % 2 && r->attempts == 1;
    return (outcome){.code = fails ? codes[r->tag / 2 % 5] : 200, .after = 0.1, .body = fails ? "no" : "yes"};
}

static void test_others_go_on_while_one_waits(void **state)
{
    (void)state;
    dq_http_config config = defaults();
    config.parallel = 1;
    dq_http *http = open_client(&config, fails_once, 10);
    for (size_t i = 0; i < 10; i++) {
        dq_http_answer a = next_answer(http);
        assert_int_equal(a.status, DQ_OK);
        assert_string_equal(a.body, "yes");
        assert_int_equal(a.attempts, 1 + a.tag % 2);
    }
    assert_int_equal(wire.sent[2].tag, 2); /* 1 has failed, and waits */
    assert_int_equal(wire.failures, 5);
    dq_http_free(http);
}

/* The first is to come back later than the second. */
static outcome comes_back_in_turn(const dq_request *r)
{
    return (outcome){.code = r->attempts == 1 ? 503 : 200, .after = 0.1, .retry_after = r->tag ? 2 : 30};
}

static void test_who_is_due_first_goes_first(void **state)
{
    (void)state;
    dq_http_config config = defaults();
    dq_http *http = open_client(&config, comes_back_in_turn, 2);
    assert_int_equal(next_answer(http).tag, 1);
    assert_int_equal(next_answer(http).tag, 0);
    assert_true(wire.sent[2].time > 2 && wire.sent[2].time < 3);
    assert_true(wire.sent[3].time > 30 && wire.sent[3].time < 31);
    dq_http_free(http);
}

static outcome refuses(const dq_request *r)
{
    return r->tag == 0   ? (outcome){.code = 400, .body = "{\"error\":\"my key: sesame-open\"}"}
           : r->tag == 1 ? (outcome){.code = 307}
                         : (outcome){.code = 0, .final = true};
}

static void test_refusals_are_final(void **state)
{
    (void)state;
    static const char *const reasons[] = {
        "server.test:8080/v1/chat/completions: HTTP 400: my key: ***********",
        "server.test:8080/v1/chat/completions: HTTP 307 redirects to nowhere; redirects are not followed",
        "server.test:8080/v1/chat/completions: closed the connection without an answer"};
    dq_http_config config = defaults();
    config.key = "sesame-open";
    dq_http *http = open_client(&config, refuses, 3);
    for (size_t i = 0; i < 3; i++) {
        dq_http_answer a = next_answer(http);
        assert_int_equal(a.status, DQ_ERR_UNSUPPORTED);
        assert_int_equal(a.attempts, 1);
        assert_string_equal(a.reason, reasons[a.tag]);
        if (a.tag == 0) assert_string_equal(a.body, "{\"error\":\"my key: ***********\"}");
    }
    assert_int_equal(wire.sent_count, 3);
    dq_http_free(http);
}

/* A different answer for each tag, always. */
static outcome speaks_of_money(const dq_request *r)
{
    static const outcome said[] = {
        {.code = 429, .body = "{\"error\":{\"message\":\"no more\",\"code\":\"insufficient_quota\"}}"},
        {.code = 402, .body = "Payment first"},
        {.code = 429, .body = "{\"error\":\"You exceeded your current quota\"}"},
        {.code = 401},
        {.code = 400, .body = "{\"error\":{\"code\":\"billing_hard_limit_reached\"}}"},
        {.code = 503, .body = "{\"error\":{\"type\":\"insufficient_balance\"}}"}};
    return said[r->tag];
}

static void test_what_is_spent_does_not_come_back(void **state)
{
    (void)state;
    dq_http_config config = defaults();
    dq_http *http = open_client(&config, speaks_of_money, 6);
    for (size_t i = 0; i < 6; i++) {
        dq_http_answer a = next_answer(http);
        assert_int_equal(a.status, DQ_ERR_UNSUPPORTED);
        assert_true(a.final);
        assert_int_equal(a.attempts, 1);
    }
    assert_int_equal(wire.sent_count, 6);
    dq_http_free(http);
}

/* In the words of a spent quota, a minute's limit: it says when to come back. */
static outcome is_busy(const dq_request *r)
{
    outcome o = {
        .code = r->attempts < 3 ? 429 : 200,
        .body = "{\"error\":{\"message\":\"You exceeded your current quota. Please retry in 9s.\"}}"};
    if (r->tag) o.body = "{\"error\":\"You exceeded your current quota\"}", o.retry_after = 1;
    return o;
}

static void test_a_limit_of_a_minute_passes(void **state)
{
    (void)state;
    dq_http_config config = defaults();
    dq_http *http = open_client(&config, is_busy, 2);
    assert_int_equal(take_all(http, DQ_OK), 2);
    assert_int_equal(wire.sent_count, 6);
    dq_http_free(http);
}

static bool refuses_schema(void *arg, uint64_t tag, long code, const char *body, size_t bytes)
{
    (void)arg, (void)tag;
    assert_int_equal(bytes, strlen(body));
    return code == 500 && strstr(body, "schema");
}

static outcome breaks_on_schema(const dq_request *r)
{
    return (outcome){.code = r->tag < 2 ? 500 : 503, .body = r->tag == 0 ? "no schema" : "asleep"};
}

static void test_the_caller_may_know_better(void **state)
{
    (void)state;
    dq_http_config config = defaults();
    config.refuses = refuses_schema;
    config.attempts = 2;
    dq_http *http = open_client(&config, breaks_on_schema, 3);
    for (size_t i = 0; i < 3; i++) {
        dq_http_answer a = next_answer(http);
        assert_int_equal(a.status, a.tag == 0 ? DQ_ERR_UNSUPPORTED : DQ_ERR_IO);
        assert_int_equal(a.attempts, a.tag == 0 ? 1 : 2);
        assert_false(a.final);
    }
    dq_http_free(http);
}

static outcome repeats_secrets(const dq_request *r)
{
    (void)r;
    static char body[600];
    memset(body, 'x', 150);
    strcpy(body + 150, "sesame-open and code=hush-hush of api-version=2024");
    return (outcome){.code = 404, .body = body};
}

/* Also where the words are cut in the middle of it. */
static void test_secrets_are_in_no_reason(void **state)
{
    (void)state;
    dq_http_config config = defaults();
    config.address = "https://server.test/v1?code=hush%2Dhush&api-version=2024";
    config.key = "sesame-open";
    config.key_header = "api-key";
    dq_http *http = open_client(&config, repeats_secrets, 1);
    dq_http_answer a = next_answer(http);
    assert_null(strstr(a.reason, "sesame"));
    assert_null(strstr(a.reason, "hush"));
    assert_null(strstr(a.body, "hush-hush"));
    assert_non_null(strstr(a.body, "*********** and code=********* of api-version=2024"));
    assert_int_equal(strncmp(a.reason, "server.test:443/v1/chat/completions: HTTP 404: xxx", 50), 0);
    dq_http_free(http);
}

static void test_before_ends_a_request(void **state)
{
    (void)state;
    dq_http_config config = defaults();
    dq_http *http = open_client(&config, overloaded, 2);
    wire.allowed = 3; /* both once, one of them again */
    for (size_t i = 0; i < 2; i++) {
        dq_http_answer a = next_answer(http);
        assert_int_equal(a.status, DQ_ERR_STOPPED);
        assert_string_equal(a.reason, "the budget is spent");
        assert_int_equal(a.code, 0);
    }
    assert_int_equal(wire.sent_count, 3);
    dq_http_free(http);
}

static outcome comes_back_late(const dq_request *r)
{
    return r->tag == 0 ? (outcome){.code = 429, .after = 0.5, .retry_after = 121}
                       : (outcome){.code = 200, .after = 1};
}

static void test_too_long_a_retry_after_is_down(void **state)
{
    (void)state;
    dq_http_config config = defaults();
    config.parallel = 2;
    dq_http *http = open_client(&config, comes_back_late, 4);
    for (size_t i = 0; i < 4; i++) {
        dq_http_answer a = next_answer(http);
        assert_int_equal(a.status, a.tag == 1 ? DQ_OK : DQ_ERR_IO); /* 1 was in flight */
        if (a.tag > 1)
            assert_string_equal(
                a.reason, "server.test:8080/v1/chat/completions: HTTP 429, to come back in 121 s, which "
                          "is too long");
    }
    assert_int_equal(wire.sent_count, 2);
    assert_true(wire.now < 2);
    dq_http_free(http);
}

static outcome drops_all(const dq_request *r)
{
    (void)r;
    return (outcome){.code = 0, .after = 0.1};
}

static void test_failures_in_a_row_are_down(void **state)
{
    (void)state;
    dq_http_config config = defaults();
    config.parallel = 4; /* what was in flight together counts once */
    config.failures_most = 3;
    dq_http *http = open_client(&config, drops_all, 8);
    assert_int_equal(take_all(http, DQ_ERR_IO), 8);
    assert_true(wire.sent_count >= 8 && wire.sent_count <= 12);
    assert_non_null(strstr(http->down_reason, "(3 failures in a row)"));
    dq_http_free(http);
}

static void test_requests_per_minute(void **state)
{
    (void)state;
    dq_http_config config = defaults();
    config.requests_per_minute = 3;
    dq_http *http = open_client(&config, answers, 7);
    assert_int_equal(take_all(http, DQ_OK), 7);
    for (size_t i = 0; i < 7; i++) assert_true(fabs(wire.sent[i].time - 60.0 * (double)(i / 3)) < 2);
    assert_true(wire.sent[3].time >= 60 && wire.sent[6].time >= 120);
    dq_http_free(http);
}

static outcome never(const dq_request *r)
{
    (void)r;
    return (outcome){.code = 200, .after = INFINITY};
}

static void test_a_wait_has_an_end(void **state)
{
    (void)state;
    dq_http_config config = defaults();
    dq_http *http = open_client(&config, never, 6);
    dq_http_answer answer;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_http_next(http, 5, &answer, &e), 0);
    assert_true(wire.now == 5);
    assert_int_equal(dq_http_pending(http), 6);
    dq_http_free(http); /* with four in flight, and two that wait */
    assert_int_equal(wire.on, 0);
}

static void test_numbers_out_of_range(void **state)
{
    (void)state;
    dq_http *http;
    dq_http_config bad[] = {defaults(), defaults(), defaults(), defaults(),
                            defaults(), defaults(), defaults()};
    bad[0].parallel = 0;
    bad[1].attempts = 0;
    bad[2].timeout = 0;
    bad[3].key = "with space";
    bad[4].address = "ftp://server.test";
    bad[5].key_header = "X-Evil: 1";
    bad[6].key_header = "Host";
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        dq_error e = DQ_ERROR_NONE;
        assert_int_equal(dq_http_new_over(&http, &bad[i], &carrier, &e), DQ_ERR_RANGE);
        assert_null(http);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_more_than_parallel),
                                       cmocka_unit_test(test_retry_after_pauses_all),
                                       cmocka_unit_test(test_backoff_grows),
                                       cmocka_unit_test(test_others_go_on_while_one_waits),
                                       cmocka_unit_test(test_who_is_due_first_goes_first),
                                       cmocka_unit_test(test_refusals_are_final),
                                       cmocka_unit_test(test_what_is_spent_does_not_come_back),
                                       cmocka_unit_test(test_a_limit_of_a_minute_passes),
                                       cmocka_unit_test(test_the_caller_may_know_better),
                                       cmocka_unit_test(test_secrets_are_in_no_reason),
                                       cmocka_unit_test(test_before_ends_a_request),
                                       cmocka_unit_test(test_too_long_a_retry_after_is_down),
                                       cmocka_unit_test(test_failures_in_a_row_are_down),
                                       cmocka_unit_test(test_requests_per_minute),
                                       cmocka_unit_test(test_a_wait_has_an_end),
                                       cmocka_unit_test(test_numbers_out_of_range)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
