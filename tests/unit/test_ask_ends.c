/* SPDX-License-Identifier: MIT
 *
 * Asking through the cache, as test_ask.c: stops, refusals and failures, and other processes that ask the
 * same. Servers that take not every member: test_ask_members.c.
 */
#include "ask_run.h"

/* ---- stops ---- */

static int watched, watch_calls, looks;
static bool stop_now;

static bool stop_asked(void)
{
    fake_wait(0.01);
    return stop_now;
}

static void watch(bool open)
{
    watched += open ? 1 : -1;
    watch_calls++;
    assert_true(watched == 0 || watched == 1);
}

/* Four are on their way when the stop comes, four more wait for a connection; what is on its way is answered
 * a while later. */
static void stops_at_four(const char *body, unsigned attempt, fake_outcome *o)
{
    label(body, attempt, o);
    if (number_in(body) < 10) return;
    if (fake.out == 4) stop_now = true;
    o->later = !stop_now || ++looks < 40;
}

static void test_a_stop_keeps_what_was_paid(void **state)
{
    (void)state;
    run r = a_run(40), rest = a_run(40);
    stop_now = false;
    watched = watch_calls = looks = 0;
    fake.script = stops_at_four;
    r.options.stop = (dq_ask_stop){stop_asked, watch};
    assert_int_equal(ask_all(&r), DQ_ERR_STOPPED);
    assert_non_null(strstr(r.error.reason, "interrupted; the answers so far are kept in "));
    assert_non_null(strstr(r.error.reason, ": the same command goes on"));
    unsigned paid = fake.sent;
    assert_int_equal(paid, 14);
    assert_int_equal(sql("SELECT count(*) FROM answers"), paid);
    assert_int_equal(sql("SELECT calls FROM ledger"), paid); /* what was granted and not sent costs nothing */
    assert_int_equal(watched, 0);
    assert_int_equal(watch_calls, 2);
    assert_clean();
    fake.script = label;
    assert_int_equal(ask_all(&rest), DQ_OK);
    assert_labels(&rest);
    assert_int_equal(fake.sent, 40 - paid);
}

static void answers_some(const char *body, unsigned attempt, fake_outcome *o)
{
    label(body, attempt, o);
    o->later = number_in(body) >= 10;
}

/* The last of four is answered long after the stop. */
static void answers_the_last_late(const char *body, unsigned attempt, fake_outcome *o)
{
    label(body, attempt, o);
    o->later = number_in(body) == 3 && (!stop_now || ++looks < 40);
}

/* Replies that nobody takes any more are no reason to look again and again for what is on its way. */
static void test_a_stop_waits_without_spinning(void **state)
{
    (void)state;
    run r = a_run(0);
    dq_reply reply;
    dq_error e = DQ_ERROR_NONE;
    stop_now = false;
    watched = watch_calls = looks = 0;
    fake.script = answers_the_last_late;
    r.options.stop = (dq_ask_stop){stop_asked, watch};
    dq_ask *ask = open_ask(&r);
    for (int i = 0; i < 4; i++) put(ask, &plain, i, (uint64_t)i);
    assert_int_equal(dq_ask_next(ask, &reply, &e), 1);
    while (sql("SELECT count(*) FROM answers") < 3) (void)usleep(1000);
    stop_now = true;
    fake.hasty = 0;
    assert_int_equal(dq_ask_next(ask, &reply, &e), -1);
    assert_true(looks >= 40);
    assert_true(fake.hasty < 5);
    assert_int_equal(dq_ask_close(ask, DQ_ERR_STOPPED, &e), DQ_ERR_STOPPED);
    assert_int_equal(sql("SELECT count(*) FROM answers"), 4);
    assert_clean();
}

/* Whoever leaves with questions open leaves nothing behind: no claim, no memory. */
static void test_leaving_early(void **state)
{
    (void)state;
    run r = a_run(0);
    dq_reply reply;
    dq_error e = DQ_ERROR_NONE;
    fake.script = answers_some;
    watched = watch_calls = 0;
    r.options.stop = (dq_ask_stop){no_stop, watch};
    dq_ask *ask = open_ask(&r);
    for (int i = 0; i < 60; i++) put(ask, &plain, i, (uint64_t)i);
    assert_int_equal(watched, 1);
    for (int i = 0; i < 5; i++) assert_int_equal(dq_ask_next(ask, &reply, &e), 1);
    assert_int_equal(dq_ask_close(ask, DQ_ERR_FORMAT, &e), DQ_ERR_FORMAT);
    assert_int_equal(watched, 0);
    assert_int_equal(dq_ask_close(NULL, DQ_ERR_IO, &e), DQ_ERR_IO);
    assert_clean();
    ask = open_ask(&r); /* and with none ever looked at */
    put(ask, &plain, 1000, 0);
    assert_int_equal(dq_ask_close(ask, DQ_OK, &e), DQ_OK);
    assert_clean();
}

/* ---- failures ---- */

static void refuses(const char *body, unsigned attempt, fake_outcome *o)
{
    (void)body, (void)attempt;
    o->code = 401;
    (void)snprintf(o->body, sizeof o->body, "{\"error\":{\"message\":\"sesame is no key\"}}");
}

static void test_a_refusal_ends_it(void **state)
{
    (void)state;
    run r = a_run(40);
    fake.script = refuses;
    r.go_on = true;
    assert_int_equal(ask_all(&r), DQ_ERR_UNSUPPORTED);
    assert_string_equal(r.error.reason, "server.test:80/v1: HTTP 401: ****** is no key (no key was sent "
                                        "(OPENAI_API_KEY, or --key-file FILE))");
    assert_true(fake.sent <= 8);
    assert_int_equal(sql("SELECT failed FROM ledger"), fake.sent);
    assert_clean();
}

static void is_down(const char *body, unsigned attempt, fake_outcome *o)
{
    (void)body, (void)attempt;
    o->code = 503;
    (void)snprintf(o->body, sizeof o->body, "{\"detail\":\"asleep\"}");
}

static void test_a_service_that_is_down_is_a_stop(void **state)
{
    (void)state;
    run r = a_run(40);
    fake.script = is_down;
    assert_int_equal(ask_all(&r), DQ_ERR_STOPPED);
    assert_non_null(
        strstr(r.error.reason, "server.test:80/v1: HTTP 503: asleep; the answers so far are kept in "));
    assert_int_equal(sql("SELECT failed FROM ledger"), fake.sent);
    assert_clean();
}

static void is_down_for_some(const char *body, unsigned attempt, fake_outcome *o)
{
    if (number_in(body) % 5 == 3)
        is_down(body, attempt, o);
    else
        label(body, attempt, o);
}

static void test_going_on_without_some(void **state)
{
    (void)state;
    run r = a_run(40), rest = a_run(40);
    fake.script = is_down_for_some;
    r.go_on = true;
    assert_int_equal(ask_all(&r), DQ_OK);
    assert_int_equal(r.replies, 40);
    assert_int_equal(r.failed, 8);
    assert_int_equal(r.stats.failed, 8);
    assert_int_equal(r.labels, 32);
    assert_clean();
    fake.script = label;
    assert_int_equal(ask_all(&rest), DQ_OK);
    assert_labels(&rest);
    assert_int_equal(fake.sent, 8);
}

static void breaks_at_ten(const char *body, unsigned attempt, fake_outcome *o)
{
    label(body, attempt, o);
    fake.broken = fake.sent == 10;
}

static void test_a_client_that_fails(void **state)
{
    (void)state;
    run r = a_run(40);
    fake.script = breaks_at_ten;
    assert_int_equal(ask_all(&r), DQ_ERR_MEMORY);
    assert_string_equal(r.error.reason, "out of memory for connections");
    assert_int_equal(sql("SELECT count(*) FROM answers"), 10);
}

static void test_a_cache_that_fails(void **state)
{
    (void)state;
    run r = a_run(5);
    assert_int_equal(ask_all(&r), DQ_OK);
    (void)sql("DROP TABLE facts; DROP TABLE answers");
    run broken = a_run(5);
    assert_int_not_equal(ask_all(&broken), DQ_OK);
    assert_string_equal(broken.error.source, path);
    assert_int_equal(fake.sent, 0);
}

/* ---- other processes ---- */

static dq_cache *other;
static dq_cache_key other_key;
static unsigned ticks;

static void claim_as_another(int number)
{
    char text[96];
    dq_error e = DQ_ERROR_NONE;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_cache_entry entry;
    dq_cache_state found;
    int n = text_of(text, sizeof text, number) - 1;
    n += snprintf(text + n, sizeof text - (size_t)n, ",\"sample\":0}");
    dq_sha256(text, (size_t)n, other_key.digest);
    other = open_cache(false);
    assert_int_equal(dq_cache_claim(other, &other_key, NULL, 1, &arena, &entry, &found, &e), DQ_OK);
    assert_int_equal(found, DQ_CACHE_MINE);
    dq_arena_free(&arena);
    ticks = 0;
}

static bool another_answers(void)
{
    dq_error e = DQ_ERROR_NONE;
    dq_cache_entry entry = entry_of(0, "theirs");
    entry.key = other_key;
    entry.reader = READER;
    fake_wait(0.1);
    if (++ticks == 3) assert_int_equal(dq_cache_store(other, &entry, 1, &e), DQ_OK);
    return false;
}

static bool another_gives_up(void)
{
    dq_error e = DQ_ERROR_NONE;
    fake_wait(0.1);
    if (++ticks == 3) assert_int_equal(dq_cache_release(other, &other_key, 1, &e), DQ_OK);
    return false;
}

/* A reader that finds no memory. */
static const char *read_nothing(const dq_ask_form *form, const char *answer, size_t bytes, dq_arena *arena)
{
    (void)form, (void)answer, (void)bytes;
    return dq_arena_zero(arena, SIZE_MAX, 2);
}

static void test_an_answer_without_memory_to_read_it_is_kept_and_read_by_the_next_run(void **state)
{
    (void)state;
    dq_ask_form starved = plain;
    run r = a_run(1), again = a_run(1);
    starved.read = read_nothing;
    r.form = &starved;
    assert_int_equal(ask_all(&r), DQ_ERR_MEMORY);
    assert_int_equal(fake.sent, 1);
    again.form = &starved; /* kept, but still without memory: nothing is asked again */
    assert_int_equal(ask_all(&again), DQ_ERR_MEMORY);
    assert_int_equal(fake.sent, 0);
    again = a_run(1);
    assert_int_equal(ask_all(&again), DQ_OK);
    assert_labels(&again);
    assert_int_equal(fake.sent, 0);
}

static void test_what_another_process_asks_is_waited_for(void **state)
{
    (void)state;
    run r = a_run(3), again = a_run(1);
    claim_as_another(1);
    r.options.stop.asked = another_answers;
    assert_int_equal(ask_all(&r), DQ_OK);
    assert_int_equal(fake.sent, 2);
    assert_string_equal(r.label[1], "theirs");
    assert_int_equal(r.hits, 1);
    assert_true(ticks >= 3);
    dq_cache_close(other);
    claim_as_another(7); /* one that gives up leaves the question to us */
    again.first = 7;
    again.options.stop.asked = another_gives_up;
    assert_int_equal(ask_all(&again), DQ_OK);
    assert_labels(&again);
    assert_int_equal(fake.sent, 1);
    assert_true(ticks >= 3);
    dq_cache_close(other);
}

static bool answers_come;

static void is_slow(const char *body, unsigned attempt, fake_outcome *o)
{
    label(body, attempt, o);
    o->later = !answers_come;
}

/* A request that takes 35 seconds: the lease of its claim is renewed at each third of 30. A hit a second is
 * what wakes the store. */
static void test_claims_are_renewed(void **state)
{
    (void)state;
    enum { SECONDS = 35 };
    run hits = a_run(SECONDS), r = a_run(0);
    dq_reply reply;
    dq_error e = DQ_ERROR_NONE;
    int renewals = 0;
    assert_int_equal(ask_all(&hits), DQ_OK);
    fake.script = is_slow;
    answers_come = false;
    r.options.stop.asked = NULL; /* time passes here alone */
    atomic_store(&fake.clock, 0);
    dq_ask *ask = open_ask(&r);
    put(ask, &plain, 1000, 1000);
    for (int second = 0; second < SECONDS; second++) {
        put(ask, &plain, second, (uint64_t)second);
        assert_int_equal(dq_ask_next(ask, &reply, &e), 1);
        assert_true(reply.hit);
        if (sql("SELECT until > unixepoch() FROM owners")) {
            assert_int_equal(second, 10 * renewals++);
            (void)sql("UPDATE owners SET until = unixepoch() - 1"); /* which only a renewal moves */
        }
        fake_wait(1);
    }
    assert_int_equal(renewals, 4); /* the claim itself, and after 10, 20 and 30 seconds */
    answers_come = true;
    assert_int_equal(dq_ask_next(ask, &reply, &e), 1);
    assert_int_equal(reply.tag, 1000);
    assert_int_equal(dq_ask_close(ask, DQ_OK, &e), DQ_OK);
    assert_clean();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_stop_keeps_what_was_paid),
        TEST(test_leaving_early),
        TEST(test_a_stop_waits_without_spinning),
        TEST(test_a_refusal_ends_it),
        TEST(test_a_service_that_is_down_is_a_stop),
        TEST(test_going_on_without_some),
        TEST(test_a_client_that_fails),
        TEST(test_a_cache_that_fails),
        TEST(test_an_answer_without_memory_to_read_it_is_kept_and_read_by_the_next_run),
        TEST(test_what_another_process_asks_is_waited_for),
        TEST(test_claims_are_renewed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
