/* SPDX-License-Identifier: MIT
 *
 * The HTTP server: requests, bodies, limits, slow clients, addresses, the end.
 */
#include "http_client.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>

/* What came, in the answer: method, path, a header, a parameter, the body. */
static void echo(void *arg, const dq_httpd_request *r, dq_httpd_reply *reply)
{
    (void)arg;
    char *text = dq_arena_take(r->arena, r->body_bytes + 1024);
    const char *header = dq_httpd_header(r, "x-word"), *word = dq_httpd_query(r, "word");
    const int n = snprintf(text, 1024, "[%s %s %s %s %zu%s]", r->method, r->path, header ? header : "-",
                           word ? word : "-", r->body_bytes, r->too_large ? " too large" : "");
    if (r->body_bytes) memcpy(text + n, r->body, r->body_bytes);
    reply->status = r->too_large ? 413 : strcmp(r->path, "/same") == 0 ? 304 : 200;
    reply->type = "text/plain";
    reply->body = text;
    reply->bytes = (size_t)n + r->body_bytes;
    dq_httpd_reply_header(reply, "X-Here", "yes");
}

static const dq_httpd_config defaults = {.socket = -1,
                                         .threads = 2,
                                         .body_bytes = 1000,
                                         .header_bytes = 4096,
                                         .connections = 100,
                                         .request_seconds = 60,
                                         .idle_seconds = 60,
                                         .heartbeat_seconds = 60,
                                         .watchers = 4};

static void test_requests(void **state)
{
    (void)state;
    dq_httpd *h = serve_on(&defaults, echo, NULL);
    asks(h, "GET /a%20b?word=x%2By&word=2 HTTP/1.1\r\n" CLOSE "X-Word: w\r\n\r\n", 200, "[GET /a b w x+y 0]");
    asks(h, "POST /p HTTP/1.1\r\n" CLOSE "Content-Length: 5\r\n\r\nhello", 200, "[POST /p - - 5]hello");
    asks(h, "POST /p HTTP/1.1\r\n" CLOSE "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
         200, "[POST /p - - 5]hello");
    asks(h, "GET /a HTTP/1.1\r\n" CLOSE "\r\n", 200, "X-Here: yes");
    asks(h, "GET /a%00b HTTP/1.1\r\n" CLOSE "\r\n", 200, "[GET  - - 0]"); /* no path */
    free(ask(h, "GARBAGE\r\n\r\n"));                                      /* the connection ends */
    free(ask(h, "\xff\xfe\x01 \x02\r\n\r\n"));
    asks(h, "GET /a HTTP/1.1\r\n" CLOSE "Content-Length: x\r\n\r\n", 400, "");
    asks(h, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}", 400, "close");
    asks(h, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         400, "close");
    asks(h, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length : 3\r\n\r\n{}\n", 400, "close");
    asks(h, "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400, "close");
    asks(h, "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n", 400, "close");
    char *head = ask(h, "HEAD /a HTTP/1.1\r\n" CLOSE "\r\n");
    assert_non_null(strstr(head, "Content-Length: 15"));
    assert_null(strstr(head, "[HEAD"));
    free(head);
    char *same = ask(h, "GET /same HTTP/1.1\r\n" CLOSE
                        "\r\n"); /* nothing new: what the body would be, without it */
    assert_non_null(strstr(same, "HTTP/1.1 304"));
    assert_null(strstr(same, "Content-Length: 0"));
    assert_null(strstr(same, "[GET"));
    free(same);
    dq_httpd_close(h);
}

static void test_one_connection_many_requests(void **state)
{
    (void)state;
    dq_httpd *h = serve_on(&defaults, echo, NULL);
    const int fd = client_of(h);
    for (int i = 0; i < 50; i++) {
        client_send(fd, "POST /n HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok");
        char *answer = client_read(fd, "]ok");
        assert_non_null(strstr(answer, "[POST /n - - 2]ok"));
        free(answer);
    }
    assert_int_equal(dq_httpd_count(h).connections, 1);
    /* two at once */
    client_send(fd, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
    char *answer = client_read(fd, "[GET /2 - - 0]");
    assert_non_null(strstr(answer, "[GET /1 - - 0]"));
    free(answer);
    close(fd);
    dq_httpd_close(h);
}

/* A body that is too large, however it comes, is answered; one that asks first is not even sent. */
static void test_large_bodies(void **state)
{
    (void)state;
    dq_httpd *h = serve_on(&defaults, echo, NULL);
    enum { BODY = 3000000 };
    char *text = malloc(BODY + 200);
    assert_non_null(text);
    int n = sprintf(text, "POST /p HTTP/1.1\r\n" CLOSE "Content-Length: %d\r\n\r\n", BODY);
    memset(text + n, 'x', BODY);
    text[n + BODY] = '\0';
    asks(h, text, 413, "[POST /p - - 0 too large]");
    n = sprintf(text, "POST /p HTTP/1.1\r\n" CLOSE "Transfer-Encoding: chunked\r\n\r\n%x\r\n", BODY);
    memset(text + n, 'x', BODY);
    strcpy(text + n + BODY, "\r\n0\r\n\r\n");
    asks(h, text, 413, "[POST /p - - 0 too large]");
    free(text);
    asks(h, "POST /p HTTP/1.1\r\n" CLOSE "Content-Length: 1001\r\nExpect: 100-continue\r\n\r\n", 413,
         "too large");
    asks(h, "POST /p HTTP/1.1\r\n" CLOSE "Content-Length: 99999999999\r\n\r\n", 413, "too large");
    asks(h, "POST /p HTTP/1.1\r\n" CLOSE "Content-Length: 99999999999999999999999999\r\n\r\n", 413, "");
    const int fd = client_of(h); /* and one that fits is asked for */
    client_send(fd, "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
    free(client_read(fd, "100 Continue\r\n\r\n"));
    client_send(fd, "body");
    char *answer = client_read(fd, "]body");
    assert_non_null(strstr(answer, "[POST /p - - 4]body"));
    free(answer);
    close(fd);
    dq_httpd_close(h);
}

static void test_large_headers(void **state)
{
    (void)state;
    dq_httpd *h = serve_on(&defaults, echo, NULL);
    char text[6000];
    int n = sprintf(text, "GET /p HTTP/1.1\r\n" CLOSE "X-Word: ");
    memset(text + n, 'x', 4500);
    strcpy(text + n + 4500, "\r\n\r\n");
    asks(h, text, 431, "");
    n = sprintf(text, "GET /");
    memset(text + n, 'x', 4500);
    strcpy(text + n + 4500, " HTTP/1.1\r\n" CLOSE "\r\n");
    asks(h, text, 414, "");
    asks(h, "GET /p HTTP/1.1\r\n" CLOSE "\r\n", 200, "[GET /p - - 0]");
    dq_httpd_close(h);
}

/* ---- slow clients: each sends a byte now and then for ever, and never is idle ---- */

static void drip(const dq_httpd *h, const char *beginning)
{
    const int fd = client_of(h);
    client_send(fd, beginning);
    unsigned sent = 0;
    while (sent < 6000 && client_send(fd, "x")) { /* 6000: a minute at least */
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        sent++;
    }
    if (sent == 6000) fail_msg("a client that sends a byte now and then was not cut: %s", beginning);
    close(fd);
}

static void test_slow_clients_are_cut(void **state)
{
    (void)state;
    dq_httpd_config c = defaults;
    c.request_seconds = 0.3;
    dq_httpd *h = serve_on(&c, echo, NULL);
    drip(h, "G");
    drip(h, "GET /p HTTP/1.1\r\nX-Slow: ");
    drip(h, "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\nx");
    drip(h, "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\nx");
    assert_true(dq_httpd_count(h).cut >= 4);
    const int fd = client_of(h); /* one that says nothing */
    char *nothing = client_read(fd, NULL);
    assert_string_equal(nothing, "");
    free(nothing);
    close(fd);
    char *answer; /* on a machine that is busy, ours may be cut, too */
    while (answer = ask(h, "GET /p HTTP/1.1\r\n" CLOSE "\r\n"), !strstr(answer, "[GET /p - - 0]"))
        free(answer);
    free(answer);
    dq_httpd_close(h);
}

static void test_idle_connections_are_closed(void **state)
{
    (void)state;
    dq_httpd_config c = defaults;
    c.idle_seconds = 0.3;
    dq_httpd *h = serve_on(&c, echo, NULL);
    const int fd = client_of(h);
    client_send(fd, "GET /p HTTP/1.1\r\nHost: x\r\n\r\n");
    char *all = client_read(fd, NULL); /* to the end, which the server makes */
    assert_non_null(strstr(all, "[GET /p - - 0]"));
    free(all);
    close(fd);
    assert_int_equal(dq_httpd_count(h).cut, 0); /* it was not slow */
    dq_httpd_close(h);
}

/* An answer that nobody takes. */
static void large(void *arg, const dq_httpd_request *r, dq_httpd_reply *reply)
{
    (void)arg;
    reply->bytes = (size_t)64 << 20;
    reply->body = dq_arena_zero(r->arena, reply->bytes, 1);
    reply->status = 200;
}

static void test_an_answer_that_is_not_taken(void **state)
{
    (void)state;
    dq_httpd_config c = defaults;
    c.request_seconds = 0.3;
    dq_httpd *h = serve_on(&c, large, NULL);
    const int fd = client_of(h);
    client_send(fd, "GET /p HTTP/1.1\r\nHost: x\r\n\r\n");
    while (dq_httpd_count(h).connections || !dq_httpd_count(h).cut)
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    close(fd);
    dq_httpd_close(h);
}

/* ---- addresses ---- */

static void refused(const char *address, dq_status status, const char *words)
{
    dq_httpd_config c = defaults;
    dq_httpd *h;
    dq_error e = DQ_ERROR_NONE;
    c.address = address;
    assert_int_equal(dq_httpd_open(&h, &c, echo, NULL, &e), status);
    assert_null(h);
    if (!strstr(e.reason, words)) fail_msg("%s: %s", address, e.reason);
}

static void test_addresses(void **state)
{
    (void)state;
    refused("", DQ_ERR_RANGE, "HOST:PORT");
    refused("8080", DQ_ERR_RANGE, "HOST:PORT");
    refused(":8080", DQ_ERR_RANGE, "HOST:PORT");
    refused("127.0.0.1:", DQ_ERR_RANGE, "HOST:PORT");
    refused("127.0.0.1:http", DQ_ERR_RANGE, "HOST:PORT");
    refused("127.0.0.1:65536", DQ_ERR_RANGE, "HOST:PORT");
    refused("127.0.0.1:-1", DQ_ERR_RANGE, "HOST:PORT");
    refused("unix:", DQ_ERR_RANGE, "path");
    refused("unix:/nowhere/at/all", DQ_ERR_IO, "No such file");
    refused("192.0.2.1:0", DQ_ERR_IO, "192.0.2.1"); /* not of this machine (RFC 5737) */
    dq_httpd *h = serve_on(&defaults, echo, NULL);
    refused(dq_httpd_address(h) + strlen("http://"), DQ_ERR_IO, "in use");
    dq_httpd_close(h);
}

static void test_a_path(void **state)
{
    (void)state;
    char path[] = "/tmp/dq-httpd-XXXXXX", address[64];
    assert_non_null(mkdtemp(path));
    snprintf(address, sizeof address, "unix:%s/s", path);
    dq_httpd_config c = defaults;
    c.address = address;
    dq_httpd *h = serve_on(&c, echo, NULL);
    assert_string_equal(dq_httpd_address(h), address);
    asks(h, "GET /p HTTP/1.1\r\n" CLOSE "\r\n", 200, "[GET /p - - 0]");
    refused(address, DQ_ERR_IO, "in use"); /* its owner is alive */
    asks(h, "GET /p HTTP/1.1\r\n" CLOSE "\r\n", 200, "[GET /p - - 0]");
    dq_httpd_close(h);
    struct stat st;
    assert_int_equal(stat(address + 5, &st), -1);
    /* a socket that a dead server left */
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s", address + 5);
    const int dead = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(dead, (const struct sockaddr *)&at, sizeof at), 0);
    close(dead);
    h = serve_on(&c, echo, NULL);
    dq_httpd_close(h);
    /* the next server is there already when this one ends: its socket stays */
    h = serve_on(&c, echo, NULL);
    assert_int_equal(dq_httpd_quiesce(h, 0), 0);
    dq_httpd *next = serve_on(&c, echo, NULL);
    dq_httpd_close(h);
    asks(next, "GET /p HTTP/1.1\r\n" CLOSE "\r\n", 200, "[GET /p - - 0]");
    dq_httpd_close(next);
    assert_int_equal(stat(address + 5, &st), -1);
    /* a file that is none is not touched */
    FILE *file = fopen(address + 5, "w");
    assert_non_null(file);
    fclose(file);
    refused(address, DQ_ERR_IO, "in use");
    assert_int_equal(unlink(address + 5), 0);
    assert_int_equal(rmdir(path), 0);
}

/* ---- the end ---- */

static atomic_bool slow_is_in, slow_may_go;

static void slowly(void *arg, const dq_httpd_request *r, dq_httpd_reply *reply)
{
    atomic_store(&slow_is_in, true);
    while (!atomic_load(&slow_may_go)) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    echo(arg, r, reply);
}

static void *quiesce(void *httpd)
{
    return (void *)(uintptr_t)dq_httpd_quiesce(httpd, 60);
}

static void test_what_has_begun_is_answered(void **state)
{
    (void)state;
    dq_httpd *h = serve_on(&defaults, slowly, NULL);
    atomic_store(&slow_is_in, false);
    atomic_store(&slow_may_go, false);
    const int fd = client_of(h);
    client_send(fd, "GET /late HTTP/1.1\r\nHost: x\r\n\r\n");
    while (!atomic_load(&slow_is_in)) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_int_equal(dq_httpd_quiesce(h, 0), 1); /* not yet */
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, quiesce, h), 0);
    atomic_store(&slow_may_go, true);
    char *answer = client_read(fd, NULL);
    assert_non_null(strstr(answer, "Connection: close"));
    assert_non_null(strstr(answer, "[GET /late - - 0]"));
    free(answer);
    void *left;
    pthread_join(t, &left);
    assert_null(left);
    close(fd);
    dq_httpd_close(h);
}

/* ---- an answer that comes later ---- */

enum { LATER = 24 };
static _Atomic(const dq_httpd_request *) later_of[LATER];
static atomic_size_t later_count;

static void wait_for(atomic_size_t *count, size_t wanted)
{
    while (atomic_load(count) < wanted) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static atomic_size_t answered, dropped;

static void answer_now(void *arg, const dq_httpd_request *r, dq_httpd_reply *reply)
{
    atomic_fetch_add(&answered, 1);
    echo(arg, r, reply);
}

static void drop(void *arg)
{
    (void)arg;
    atomic_fetch_add(&dropped, 1);
}

static void suspended(void *arg, const dq_httpd_request *r, dq_httpd_reply *reply)
{
    (void)arg;
    if (strcmp(r->path, "/now") == 0 || !dq_httpd_suspend(r)) {
        echo(NULL, r, reply);
        return;
    }
    reply->later = answer_now;
    reply->dropped = drop;
    const size_t i = atomic_load(&later_count);
    atomic_store(&later_of[i], r);
    atomic_store(&later_count, i + 1);
}

static void *close_it(void *httpd)
{
    dq_httpd_close(httpd);
    return NULL;
}

/* A server of one thread with as many requests that wait. */
static dq_httpd *open_with_waiting(int fd[LATER])
{
    dq_httpd_config config = defaults;
    config.threads = 1;
    dq_httpd *h = serve_on(&config, suspended, NULL);
    atomic_store(&later_count, 0);
    atomic_store(&answered, 0);
    atomic_store(&dropped, 0);
    for (size_t i = 0; i < LATER; i++) {
        fd[i] = client_of(h);
        client_send(fd[i], "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
        wait_for(&later_count, i + 1);
    }
    return h;
}

static void test_an_answer_that_comes_later(void **state)
{
    (void)state;
    int fd[LATER];
    dq_httpd *h = open_with_waiting(fd);
    asks(h, "GET /now HTTP/1.1\r\n" CLOSE "\r\n", 200, "[GET /now - - 0]");
    assert_int_equal(dq_httpd_count(h).requests, LATER);
    close(fd[LATER - 1]); /* who is gone by then is found out when his answer is sent, or before */
    for (size_t i = LATER; i-- > 0;) {
        dq_httpd_resume(atomic_load(&later_of[i]));
        if (i == LATER - 1) continue;
        char *answer = client_read(fd[i], "]hello");
        assert_non_null(strstr(answer, "[POST /later - - 5]hello"));
        free(answer);
        close(fd[i]);
    }
    while (dq_httpd_count(h).requests) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_int_equal(answered + dropped, LATER);
    dq_httpd_close(h);
}

/* The end waits for what is suspended; of what is resumed then each is answered or dropped. */
static void test_the_end_with_answers_to_come(void **state)
{
    (void)state;
    int fd[LATER];
    pthread_t t;
    dq_httpd *h = open_with_waiting(fd);
    assert_int_equal(pthread_create(&t, NULL, close_it, h), 0);
    for (size_t i = 0; i < LATER; i++) dq_httpd_resume(atomic_load(&later_of[i]));
    pthread_join(t, NULL);
    assert_int_equal(answered + dropped, LATER);
    for (size_t i = 0; i < LATER; i++) close(fd[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_one_connection_many_requests),
        cmocka_unit_test(test_large_bodies),
        cmocka_unit_test(test_large_headers),
        cmocka_unit_test(test_slow_clients_are_cut),
        cmocka_unit_test(test_idle_connections_are_closed),
        cmocka_unit_test(test_an_answer_that_is_not_taken),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_a_path),
        cmocka_unit_test(test_what_has_begun_is_answered),
        cmocka_unit_test(test_an_answer_that_comes_later),
        cmocka_unit_test(test_the_end_with_answers_to_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
