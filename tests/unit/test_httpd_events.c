/* SPDX-License-Identifier: MIT
 *
 * Events that a server sends: who comes early, late, again; slow, many, and to the end.
 */
#include "http_client.h"

#include <inttypes.h>
#include <pthread.h>
#include <time.h>

static void watch(void *events, const dq_httpd_request *r, dq_httpd_reply *reply)
{
    reply->status = 200;
    if (strcmp(r->path, "/events") == 0) reply->events = events;
    reply->type = "text/plain";
    reply->body = reply->events ? "full" : "here";
    reply->bytes = 4;
}

static dq_httpd_events *events_of(void)
{
    dq_httpd_events *events;
    assert_int_equal(dq_httpd_events_new(&events, NULL), DQ_OK);
    return events;
}

static dq_httpd *server(dq_httpd_events *events, unsigned watchers, double beat)
{
    dq_httpd_config c = DQ_HTTPD_DEFAULTS;
    c.address = NULL;
    c.threads = 2;
    c.watchers = watchers;
    c.heartbeat_seconds = beat;
    return serve_on(&c, watch, events);
}

#define WATCH "GET /events HTTP/1.1\r\nHost: x\r\n\r\n"

static int watcher(const dq_httpd *h)
{
    const int fd = client_of(h);
    client_send(fd, WATCH);
    free(client_read(fd, ":\n\n")); /* the answer has begun */
    return fd;
}

static void expect(int fd, const char *words)
{
    char *text = client_read(fd, words);
    if (!strstr(text, words)) fail_msg("\"%s\" expected, and not: %s", words, text);
    free(text);
}

static void say(dq_httpd_events *events, const char *data)
{
    assert_true(dq_httpd_events_send(events, "progress", data, strlen(data)));
}

static void finish(dq_httpd_events *events, const char *data)
{
    assert_true(dq_httpd_events_end(events, data, strlen(data)));
}

static void test_a_run(void **state)
{
    (void)state;
    dq_httpd_events *events = events_of();
    dq_httpd *h = server(events, 8, 60);
    const int early = watcher(h);
    say(events, "{\"n\":1}");
    expect(early, "id: 1\nevent: progress\ndata: {\"n\":1}\n\n");
    say(events, "{\"n\":2}");
    expect(early, "id: 2\nevent: progress\ndata: {\"n\":2}\n\n");
    const int late = client_of(h); /* has both at once */
    client_send(late, WATCH);
    expect(late, "data: {\"n\":2}\n\n");
    const int again = client_of(h); /* has had the first */
    client_send(again, "GET /events HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 1\r\n\r\n");
    char *text = client_read(again, "{\"n\":2}\n\n");
    assert_null(strstr(text, "{\"n\":1}"));
    assert_non_null(strstr(text, "Content-Type: text/event-stream"));
    free(text);
    finish(events, "{\"ok\":true}");
    const int all[] = {early, late, again};
    for (size_t i = 0; i < 3; i++) {
        text = client_read(all[i], "\r\n0\r\n"); /* the last chunk: the stream is over */
        assert_non_null(strstr(text, "event: end\ndata: {\"ok\":true}\n\n"));
        free(text);
        close(all[i]);
    }
    dq_httpd_close(h);
    dq_httpd_events_free(events);
}

static void test_after_the_end(void **state)
{
    (void)state;
    dq_httpd_events *events = events_of();
    dq_httpd *h = server(events, 8, 60);
    say(events, "1");
    finish(events, "over");
    char *text = ask(h, "GET /events HTTP/1.1\r\n" CLOSE "\r\n"); /* the run that is over */
    assert_non_null(strstr(text, "data: 1\n\n"));
    assert_non_null(strstr(text, "event: end\ndata: over\n\n"));
    free(text);
    dq_httpd_events_begin(events);
    const int fd = watcher(h); /* of the new one, which has said nothing */
    say(events, "2");
    text = client_read(fd, "data: 2\n\n");
    assert_null(strstr(text, "over"));
    free(text);
    close(fd);
    finish(events, "over again");
    say(events, "3"); /* begins by itself */
    finish(events, "third");
    text = ask(h, "GET /events HTTP/1.1\r\n" CLOSE "\r\n");
    assert_null(strstr(text, "over again"));
    assert_non_null(strstr(text, "data: 3\n\n"));
    free(text);
    dq_httpd_close(h);
    dq_httpd_events_free(events);
}

/* Who has not had a run's end when the next begins gets it, and nothing of the next. */
static void test_a_late_watcher_gets_its_end(void **state)
{
    (void)state;
    enum { LARGE = 100000 };
    dq_httpd_events *events = events_of();
    dq_httpd_config c = DQ_HTTPD_DEFAULTS;
    c.address = NULL;
    c.request_seconds = 3600;
    dq_httpd *h = serve_on(&c, watch, events);
    char *data = malloc(LARGE + 1);
    assert_non_null(data);
    memset(data, 'x', LARGE);
    data[LARGE] = '\0';
    const int late = watcher(h);
    for (int i = 0; i < DQ_HTTPD_EVENTS; i++) say(events, data); /* more than the system holds for it */
    finish(events, "first");
    dq_httpd_events_begin(events);
    say(events, "other");
    char *text = client_read(late, "\r\n0\r\n");
    assert_non_null(strstr(text, "event: end\ndata: first\n\n"));
    assert_null(strstr(text, "other"));
    free(text);
    finish(events, "second");
    text = ask(h, "GET /events HTTP/1.1\r\n" CLOSE "\r\n");
    assert_null(strstr(text, "first"));
    assert_non_null(strstr(text, "data: other\n\n"));
    free(text);
    free(data);
    close(late);
    dq_httpd_close(h);
    dq_httpd_events_free(events);
}

/* More events than are kept: the last ones. Large ones come in pieces. */
static void test_the_last_events_are_kept(void **state)
{
    (void)state;
    enum { LARGE = 200000 };
    dq_httpd_events *events = events_of();
    dq_httpd *h = server(events, 8, 60);
    char words[32], *data = malloc(LARGE + 1);
    assert_non_null(data);
    for (int i = 1; i <= 3 * DQ_HTTPD_EVENTS; i++) {
        snprintf(words, sizeof words, "n%d.", i);
        say(events, words);
    }
    memset(data, 'x', LARGE);
    data[LARGE] = '\0';
    finish(events, data);
    char *text = ask(h, "GET /events HTTP/1.1\r\n" CLOSE "\r\n");
    snprintf(words, sizeof words, "data: n%d.\n", 2 * DQ_HTTPD_EVENTS + 1);
    assert_null(strstr(text, words));
    snprintf(words, sizeof words, "data: n%d.\n", 2 * DQ_HTTPD_EVENTS + 2);
    assert_non_null(strstr(text, words));
    size_t x = 0;
    for (const char *p = strstr(text, "event: end"); *p; p++) x += *p == 'x';
    assert_int_equal(x, LARGE);
    free(text);
    free(data);
    dq_httpd_close(h);
    dq_httpd_events_free(events);
}

static void test_too_many_watchers(void **state)
{
    (void)state;
    dq_httpd_events *events = events_of();
    dq_httpd *h = server(events, 2, 60);
    const int a = watcher(h), b = watcher(h);
    asks(h, "GET /events HTTP/1.1\r\n" CLOSE "\r\n", 503, "\r\n\r\nfull");
    asks(h, "GET /events HTTP/1.1\r\n" CLOSE "\r\n", 503, "Content-Type: text/plain");
    asks(h, "GET / HTTP/1.1\r\n" CLOSE "\r\n", 200, "here");
    assert_int_equal(dq_httpd_count(h).watchers, 2);
    close(a);
    close(b);
    dq_httpd_close(h);
    dq_httpd_events_free(events);
}

/* A watcher that has gone is found by the sign of life that it does not take. */
static void test_a_watcher_that_has_gone(void **state)
{
    (void)state;
    dq_httpd_events *events = events_of();
    dq_httpd *h = server(events, 2, 0.05);
    const int fd = watcher(h), other = watcher(h);
    expect(other, ":\n\n"); /* another sign of life */
    close(fd);
    while (dq_httpd_count(h).watchers > 1) nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    close(other);
    dq_httpd_close(h);
    dq_httpd_events_free(events);
}

/* A watcher that takes nothing is cut, when no more goes to it; one that does is not. */
static void test_a_watcher_that_takes_nothing(void **state)
{
    (void)state;
    enum { LARGE = 100000 };
    dq_httpd_events *events = events_of();
    dq_httpd_config c = DQ_HTTPD_DEFAULTS;
    c.address = NULL;
    c.request_seconds = 3;
    c.heartbeat_seconds = 0.05;
    dq_httpd *h = serve_on(&c, watch, events);
    const int idle = watcher(h), other = watcher(h);
    char *data = malloc(LARGE + 1), word[] = "0";
    assert_non_null(data);
    memset(data, 'x', LARGE);
    data[LARGE] = '\0';
    for (int i = 0; i < DQ_HTTPD_EVENTS; i++) { /* more than the system holds for it */
        say(events, data);
        expect(other, "x\n\n");
    }
    while (dq_httpd_count(h).watchers > 1) nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    say(events, word);
    expect(other, "data: 0\n\n");
    free(data);
    close(idle);
    close(other);
    dq_httpd_close(h);
    dq_httpd_events_free(events);
}

static void test_the_server_stops_with_watchers(void **state)
{
    (void)state;
    dq_httpd_events *events = events_of();
    dq_httpd *h = server(events, 8, 60);
    const int fd = watcher(h);
    say(events, "1");
    assert_int_equal(dq_httpd_quiesce(h, 60), 0);
    char *text = client_read(fd, "\r\n0\r\n");
    assert_non_null(strstr(text, "data: 1\n\n"));
    assert_non_null(strstr(text, "event: end\n"));
    free(text);
    close(fd);
    dq_httpd_close(h);
    h = server(events, 8, 60); /* and one that is not asked to wait */
    const int other = watcher(h);
    dq_httpd_close(h);
    free(client_read(other, NULL));
    close(other);
    dq_httpd_events_free(events);
}

/* ---- many at once: each watcher gets all events, in order ---- */

enum { SENDERS = 3, WATCHERS = 6, EACH = 60 };

static void *send_many(void *arg)
{
    for (int i = 0; i < EACH; i++) say(arg, "x");
    return NULL;
}

static void *watch_many(void *arg)
{
    uint64_t last = 0, id = 0;
    int fd = client_of(arg), count = 0;
    client_send(fd, "GET /events HTTP/1.1\r\n" CLOSE "\r\n");
    char *text = client_read(fd, NULL);
    for (const char *p = text; (p = strstr(p, "id: ")); p++, count++) {
        if (sscanf(p, "id: %" SCNu64, &id) == 1 && id == last + 1) last = id;
    }
    free(text);
    close(fd);
    return (void *)(uintptr_t)(last == SENDERS * EACH + 1 && count == SENDERS * EACH + 1);
}

static void test_many_at_once(void **state)
{
    (void)state;
    dq_httpd_events *events = events_of();
    dq_httpd *h = server(events, WATCHERS, 60);
    pthread_t senders[SENDERS], watchers[WATCHERS];
    void *well;
    for (int i = 0; i < WATCHERS; i++) assert_int_equal(pthread_create(&watchers[i], NULL, watch_many, h), 0);
    for (int i = 0; i < SENDERS; i++)
        assert_int_equal(pthread_create(&senders[i], NULL, send_many, events), 0);
    for (int i = 0; i < SENDERS; i++) pthread_join(senders[i], NULL);
    finish(events, "done");
    for (int i = 0; i < WATCHERS; i++) {
        pthread_join(watchers[i], &well);
        assert_non_null(well);
    }
    dq_httpd_close(h);
    dq_httpd_events_free(events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_run),
        cmocka_unit_test(test_after_the_end),
        cmocka_unit_test(test_a_late_watcher_gets_its_end),
        cmocka_unit_test(test_the_last_events_are_kept),
        cmocka_unit_test(test_too_many_watchers),
        cmocka_unit_test(test_a_watcher_that_has_gone),
        cmocka_unit_test(test_a_watcher_that_takes_nothing),
        cmocka_unit_test(test_the_server_stops_with_watchers),
        cmocka_unit_test(test_many_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
