/* SPDX-License-Identifier: MIT
 *
 * Asking through the cache, with a client that a script answers and a clock that the test moves: what is paid
 * for and what is kept, in which order, within which bounds. What ends it: test_ask_ends.c.
 */
#include "ask_run.h"

/* ---- what is paid for ---- */

static void test_hits_cost_nothing(void **state)
{
    (void)state;
    run first = a_run(40), second = a_run(60), third = a_run(40);
    assert_int_equal(ask_all(&first), DQ_OK);
    assert_labels(&first);
    assert_int_equal(fake.sent, 40);
    assert_int_equal(first.hits, 0);
    assert_int_equal(first.stats.asked, 40);
    assert_int_equal(sql("SELECT sum(tokens_in + tokens_out) FROM answers"), 40 * 105);
    assert_int_equal(ask_all(&second), DQ_OK);
    assert_labels(&second);
    assert_int_equal(fake.sent, 20);
    assert_int_equal(second.hits, 40);
    third.options.cache_only = true; /* opens no client */
    assert_int_equal(ask_all(&third), DQ_OK);
    assert_labels(&third);
    assert_int_equal(fake.opened, 2);
    assert_int_equal(sql("SELECT calls FROM ledger"), 60);
    assert_int_equal(sql("SELECT hits FROM ledger"), 40);
    assert_clean();
}

static void test_raw_answers(void **state)
{
    (void)state;
    run asked = a_run(5), hits = a_run(5), whole = a_run(5);
    whole.whole = true;
    assert_int_equal(ask_all(&asked), DQ_OK);
    assert_int_equal(ask_all(&hits), DQ_OK);
    assert_int_equal(ask_all(&whole), DQ_OK);
    assert_int_equal(asked.raw, 5);
    assert_int_equal(hits.raw, 0); /* which spares most of the reading */
    assert_int_equal(whole.raw, 5);
    assert_labels(&whole);
}

static void test_one_call_a_key(void **state)
{
    (void)state;
    run r = a_run(50);
    r.same = 10;
    assert_int_equal(ask_all(&r), DQ_OK);
    assert_labels(&r);
    assert_int_equal(fake.sent, 5);
    assert_int_equal(r.hits, 45);
    r = a_run(50);
    r.same = 10;
    r.options.refresh = true; /* again, but once */
    assert_int_equal(ask_all(&r), DQ_OK);
    assert_labels(&r);
    assert_int_equal(fake.sent, 5);
    assert_int_equal(sql("SELECT count(*) FROM answers"), 5);
    assert_clean();
}

/* The key has the sample's number, the body has not. */
static void test_samples_are_questions_of_their_own(void **state)
{
    (void)state;
    run r = a_run(0);
    dq_ask *ask = open_ask(&r);
    dq_reply reply;
    dq_error e = DQ_ERROR_NONE;
    static const char request[] = "{\"model\":\"m\",\"q\":1}";
    for (uint32_t sample = 0; sample < 3; sample++) {
        dq_question q = {.form = &plain, .request = request, .bytes = sizeof request - 1, .sample = sample};
        assert_int_equal(dq_ask_put(ask, &q, &e), DQ_OK);
    }
    for (int i = 0; i < 3; i++) assert_int_equal(dq_ask_next(ask, &reply, &e), 1);
    assert_int_equal(dq_ask_next(ask, &reply, &e), 0);
    assert_int_equal(dq_ask_close(ask, DQ_OK, &e), DQ_OK);
    assert_int_equal(fake.sent, 3);
    assert_int_equal(
        sql("SELECT count(*) FROM answers WHERE request LIKE '{\"model\":\"m\",\"q\":1,\"sample\":_}'"), 3);
}

static void bodies_without_sample(const char *body, unsigned attempt, fake_outcome *o)
{
    assert_null(strstr(body, "sample"));
    label(body, attempt, o);
}

static void prose(const char *body, unsigned attempt, fake_outcome *o)
{
    (void)body, (void)attempt;
    (void)snprintf(o->body, sizeof o->body, "I would rather not say.");
}

static unsigned prose_left;

static void prose_at_first(const char *body, unsigned attempt, fake_outcome *o)
{
    if (prose_left > 0) {
        prose_left--;
        prose(body, attempt, o);
    } else {
        bodies_without_sample(body, attempt, o);
    }
}

static void test_unreadable_once_more_then_kept(void **state)
{
    (void)state;
    run first = a_run(5), second = a_run(5), third = a_run(5), healed = a_run(5);
    fake.script = prose;
    assert_int_equal(ask_all(&first), DQ_OK);
    assert_int_equal(first.replies, 5);
    assert_int_equal(first.labels, 0);
    assert_int_equal(first.stats.unreadable, 5);
    assert_int_equal(fake.sent, 10);
    assert_int_equal(
        sql("SELECT count(*) FROM answers WHERE label IS NULL AND asked = 2 AND answer LIKE 'I would%'"), 5);
    assert_int_equal(ask_all(&second), DQ_OK); /* not again by itself */
    assert_int_equal(fake.sent, 0);
    assert_int_equal(second.stats.unreadable, 5);
    third.options.retry_unreadable = true; /* once more a run */
    assert_int_equal(ask_all(&third), DQ_OK);
    assert_int_equal(fake.sent, 5);
    assert_int_equal(third.labels, 0);
    fake.script = label;
    healed.options.retry_unreadable = true;
    assert_int_equal(ask_all(&healed), DQ_OK);
    assert_labels(&healed);
    assert_int_equal(fake.sent, 5);
    assert_clean();
}

static void test_unreadable_then_readable(void **state)
{
    (void)state;
    run r = a_run(5);
    fake.script = prose_at_first;
    prose_left = 3;
    assert_int_equal(ask_all(&r), DQ_OK);
    assert_labels(&r);
    assert_int_equal(fake.sent, 8);
    assert_int_equal(sql("SELECT unreadable FROM ledger"), 3);
}

/* A better reader needs no call. */
static void test_another_reader_reads_anew(void **state)
{
    (void)state;
    run first = a_run(5), second = a_run(5);
    assert_int_equal(ask_all(&first), DQ_OK);
    (void)sql("UPDATE answers SET label = NULL, reader = 1");
    assert_int_equal(ask_all(&second), DQ_OK);
    assert_labels(&second);
    assert_int_equal(fake.sent, 0);
}

static const char *batch_tokens;

static void answers_batches(const char *body, unsigned attempt, fake_outcome *o)
{
    const char *at = strchr(body, '[');
    int used = snprintf(o->body, sizeof o->body, "{\"usage\":{\"prompt_tokens\":%s},\"labels\":[",
                        batch_tokens);
    (void)attempt;
    while (at && *at != ']') {
        int number = (int)strtol(at + 1, (char **)&at, 10);
        used += snprintf(o->body + used, sizeof o->body - (size_t)used, "\"L%d\"%s", number,
                         *at == ',' ? "," : "]}");
    }
}

static void test_batches_share_a_request(void **state)
{
    (void)state;
    run r = a_run(10);
    r.form = &batched;
    fake.script = answers_batches;
    batch_tokens = "10";
    assert_int_equal(ask_all(&r), DQ_OK);
    assert_labels(&r);
    assert_int_equal(fake.sent, 3);
    assert_int_equal(sql("SELECT count(*) FROM answers"), 10);
    assert_int_equal(sql("SELECT calls FROM ledger"), 3);
    assert_int_equal(sql("SELECT tokens_in FROM ledger"), 30); /* shared out, and whole */
    fake.script = label; /* an answer that cannot be split is each one's */
    run bad = a_run(4);
    bad.first = 100;
    bad.form = &batched;
    assert_int_equal(ask_all(&bad), DQ_OK);
    assert_int_equal(bad.replies, 4);
    assert_clean();
}

/* A server's nonsense is bounded before it is priced: 1e9 tokens a request, and no budget is spent for ever.
 */
static void test_a_batch_costs_what_a_text_can(void **state)
{
    (void)state;
    run r = a_run(8);
    r.form = &batched;
    r.options.price = "0.02:0";
    fake.script = answers_batches;
    batch_tokens = "9223372036854775807";
    assert_int_equal(ask_all(&r), DQ_OK);
    assert_labels(&r);
    assert_int_equal(sql("SELECT tokens_in / 1000 FROM ledger"), 2 * 1000000);
    assert_int_equal(sql("SELECT round(cost) FROM ledger"), 2 * 20);
}

/* ---- order and bounds ---- */

static void test_answers_out_of_order(void **state)
{
    (void)state;
    run r = a_run(100);
    fake.last_first = true;
    assert_int_equal(ask_all(&r), DQ_OK);
    assert_labels(&r);
}

static void test_window_and_connections_are_bounds(void **state)
{
    (void)state;
    run r = a_run(0);
    r.window = 20;
    r.options.parallel = 3;
    dq_ask *ask = open_ask(&r);
    dq_reply reply;
    dq_error e = DQ_ERROR_NONE;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(dq_ask_room(ask), 20 - i);
        put(ask, &plain, i, (uint64_t)i);
    }
    assert_int_equal(dq_ask_room(ask), 0);
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(dq_ask_next(ask, &reply, &e), 1);
        assert_int_equal(dq_ask_room(ask), i + 1);
    }
    assert_int_equal(dq_ask_next(ask, &reply, &e), 0);
    assert_int_equal(fake.in_flight_max, 6); /* so that a connection that is free has its next at once */
    assert_int_equal(dq_ask_close(ask, DQ_OK, &e), DQ_OK);
}

/* ---- budgets ---- */

static void fails_once(const char *body, unsigned attempt, fake_outcome *o)
{
    if (attempt == 1)
        o->code = number_in(body) % 2 ? 503 : 0;
    else
        label(body, attempt, o);
}

static void test_retries_are_in_the_ledger(void **state)
{
    (void)state;
    run r = a_run(10);
    fake.script = fails_once;
    assert_int_equal(ask_all(&r), DQ_OK);
    assert_labels(&r);
    assert_int_equal(sql("SELECT calls FROM ledger"), 20);
    assert_int_equal(sql("SELECT failed FROM ledger"), 5);
    assert_int_equal(sql("SELECT lost FROM ledger"), 5);
    assert_int_equal(sql("SELECT answered FROM ledger"), 10);
    assert_clean();
}

static void test_a_budget_of_requests_is_exact(void **state)
{
    (void)state;
    for (unsigned budget = 1; budget < 40; budget += 6) {
        run r = a_run(40);
        r.options.max_requests = budget;
        assert_int_equal(ask_all(&r), DQ_ERR_STOPPED);
        assert_int_equal(sql("SELECT calls FROM ledger"), budget);
        assert_int_equal(sql("SELECT count(*) FROM answers"), budget);
        assert_int_equal(r.labels, budget); /* what was paid for is given, too */
        assert_clean();
    }
    run r = a_run(40);
    r.options.max_requests = 38;
    char words[512];
    assert_int_equal(ask_all(&r), DQ_ERR_STOPPED);
    (void)snprintf(
        words, sizeof words,
        "the budget of 38 requests is spent; the answers so far are kept in %s: the same command with "
        "a greater budget goes on",
        path);
    assert_string_equal(r.error.reason, words);
    run rest = a_run(40);
    rest.options.max_requests = 40;
    assert_int_equal(ask_all(&rest), DQ_OK);
    assert_labels(&rest);
    assert_int_equal(fake.sent, 2);
}

/* A further attempt is a request, too. */
static void test_retries_are_paid_from_the_budget(void **state)
{
    (void)state;
    run r = a_run(40);
    fake.script = fails_once;
    r.options.max_requests = 15;
    assert_int_equal(ask_all(&r), DQ_ERR_STOPPED);
    assert_int_equal(fake.sent, 15);
    assert_int_equal(sql("SELECT calls FROM ledger"), 15);
    assert_int_equal(sql("SELECT answered + failed + lost FROM ledger"), 15);
    assert_clean();
}

static void test_budgets_of_tokens_and_money(void **state)
{
    (void)state;
    run r = a_run(40), more = a_run(40);
    r.options.max_tokens = 10 * 105; /* with what is in flight when it is spent */
    assert_int_equal(ask_all(&r), DQ_ERR_STOPPED);
    assert_in_range(fake.sent, 10, 10 + 2 * 4);
    more.options.price = "1000000:2000000"; /* 110 an answer */
    more.options.max_cost = 110 * 8;
    assert_int_equal(ask_all(&more), DQ_ERR_STOPPED);
    assert_in_range(fake.sent, 8, 8 + 2 * 4);
    assert_clean();
}

/* ---- asking nobody ---- */

static void test_cache_only_counts_what_is_missing(void **state)
{
    (void)state;
    run r = a_run(10), more = a_run(15);
    assert_int_equal(ask_all(&r), DQ_OK);
    more.options.cache_only = true;
    assert_int_equal(ask_all(&more), DQ_OK);
    assert_int_equal(more.hits, 10);
    assert_int_equal(more.missing, 5);
    assert_int_equal(more.stats.missing, 5);
    assert_int_equal(fake.sent, 0);
    assert_int_equal(fake.opened, 1);
}

static void test_a_dry_run_estimates(void **state)
{
    (void)state;
    run none = a_run(10), some = a_run(14);
    none.options.dry_run = true;
    assert_int_equal(ask_all(&none), DQ_OK);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(none.stats.dry_requests, 10);
    assert_int_equal(none.stats.dry_tokens_out, 120);
    assert_true(none.stats.dry_tokens_in >= 10 * 4 && none.stats.dry_tokens_in <= 10 * 6);
    assert_true(none.stats.tokens_per_byte == 0);
    run r = a_run(10);
    assert_int_equal(ask_all(&r), DQ_OK);
    some.options.dry_run = true;
    assert_int_equal(ask_all(&some), DQ_OK);
    assert_int_equal(some.stats.hits, 10);
    assert_int_equal(some.stats.dry_requests, 4);
    assert_true(some.stats.tokens_per_byte > 2); /* 100 tokens a question, as the server counted */
}

static void test_price(void **state)
{
    (void)state;
    double in, out;
    static const char *const bad[] = {"", "1", "1:", ":1", "1:2:3", "-1:2", "1:x", "nan:1", "1:inf"};
    assert_true(dq_ask_parse_price("2:4.5", &in, &out));
    assert_true(in == 2e-6 && out == 4.5e-6);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(dq_ask_parse_price(bad[i], &in, &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_hits_cost_nothing),
        TEST(test_raw_answers),
        TEST(test_one_call_a_key),
        TEST(test_samples_are_questions_of_their_own),
        TEST(test_unreadable_once_more_then_kept),
        TEST(test_unreadable_then_readable),
        TEST(test_another_reader_reads_anew),
        TEST(test_batches_share_a_request),
        TEST(test_a_batch_costs_what_a_text_can),
        TEST(test_answers_out_of_order),
        TEST(test_window_and_connections_are_bounds),
        TEST(test_retries_are_in_the_ledger),
        TEST(test_a_budget_of_requests_is_exact),
        TEST(test_retries_are_paid_from_the_budget),
        TEST(test_budgets_of_tokens_and_money),
        TEST(test_cache_only_counts_what_is_missing),
        TEST(test_a_dry_run_estimates),
        TEST(test_price),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
