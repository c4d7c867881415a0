/* SPDX-License-Identifier: MIT
 *
 * Answers out of a cache as bundles, and into another: all that an answer is comes through, what is there
 * stays but for what could not be read, and a bundle that holds no answers is refused. In a file; or on the
 * server that DQ_CACHE_ADDRESS names (tests/cluster/postgres.bats).
 */
#include "cache_file.h"
#include "llm/answers.h"

/* ---- bundles that were exported ---- */

static dq_bundle kept[8];
static size_t kept_count;

static dq_status keep(void *arg, const dq_bundle *bundle, dq_error *error)
{
    (void)arg;
    uint32_t rows[DQ_CACHE_PAGE];
    for (uint32_t i = 0; i < bundle->rows; i++) rows[i] = i;
    assert_true(kept_count < sizeof kept / sizeof *kept);
    return dq_bundle_select(&kept[kept_count++], bundle, rows, bundle->rows, error);
}

static void forget(void)
{
    while (kept_count) dq_bundle_free(&kept[--kept_count]);
}

static uint64_t export_all(dq_cache *cache)
{
    dq_error e = DQ_ERROR_NONE;
    uint64_t count;
    forget();
    if (dq_answers_export(cache, keep, NULL, &count, &e)) fail_msg("%s", e.reason);
    return count;
}

static dq_answers_tally import(dq_cache *cache, const dq_bundle *bundles, size_t n)
{
    dq_error e = DQ_ERROR_NONE;
    dq_answers_tally tally = {0};
    for (size_t i = 0; i < n; i++)
        if (dq_answers_import(cache, &bundles[i], &tally, &e)) fail_msg("%s", e.reason);
    return tally;
}

static void assert_same(const dq_bundle *a, const dq_bundle *b)
{
    assert_string_equal(a->kind, b->kind);
    assert_int_equal(a->rows, b->rows);
    assert_int_equal(a->column_count, b->column_count);
    for (size_t c = 0; c < a->column_count; c++) {
        const dq_column *x = &a->columns[c], *y = &b->columns[c];
        assert_string_equal(x->name, y->name);
        assert_int_equal(x->type, y->type);
        for (uint64_t row = 0; row < a->rows; row++) {
            size_t n = 0, m = 0;
            if (x->type != DQ_TEXT) {
                assert_true(dq_column_number(x, row) == dq_column_number(y, row));
                continue;
            }
            const char *s = dq_column_text(x, row, &n), *t = dq_column_text(y, row, &m);
            assert_int_equal(s == NULL, t == NULL);
            assert_int_equal(n, m);
            if (n) assert_memory_equal(s, t, n);
        }
    }
}

/* ---- caches ---- */

/* Question n, under its true key. */
static dq_cache_entry question(unsigned n, const char *label)
{
    static char texts[16][24]; /* as many as one test holds at once */
    char *request = texts[n % 16];
    dq_cache_entry entry = entry_of(n, label);
    entry.request = request;
    entry.request_bytes = (size_t)snprintf(request, sizeof texts[0], "{\"n\":%u}", n);
    dq_sha256(entry.request, entry.request_bytes, entry.key.digest);
    return entry;
}

static void put(dq_cache *cache, const dq_cache_entry *entry)
{
    dq_error e = DQ_ERROR_NONE;
    if (dq_cache_store(cache, entry, 1, &e)) fail_msg("%s", e.reason);
}

/* The cache of the test anew, without anything. */
static dq_cache *begin_anew(dq_cache *cache)
{
    dq_cache_close(cache);
    if (on_server())
        (void)sql("DROP SCHEMA dq_cache CASCADE");
    else
        assert_int_equal(unlink(path), 0);
    return open_cache(false);
}

/* ---- tests ---- */

static void test_all_comes_through(void **state)
{
    (void)state;
    enum { ANSWERS = DQ_CACHE_PAGE + 6 };
    dq_error e = DQ_ERROR_NONE;
    dq_bundle before[3];
    dq_cache *cache = open_cache(false);
    for (unsigned i = 0; i < ANSWERS; i++) {
        dq_cache_entry entry = question(i, i % 5 ? "APPLY" : NULL);
        if (i == 1) {
            entry.answer = "\0\xff<html>";
            entry.answer_bytes = 8;
        }
        if (i == 2) entry.tokens_in = entry.tokens_out = -1;
        if (i == 3) entry.reader = DQ_CACHE_UNREAD;
        if (i == 4) entry.cost = 1e-300;
        if (i == 6) entry.label = "";
        if (i == 7) entry.asked = 2;
        if (i == 8) entry.seconds = 1.0 / 3;
        put(cache, &entry);
    }
    assert_int_equal(dq_cache_remember(cache, "h:1 m", "response_format", "none", &e), DQ_OK);
    assert_int_equal(export_all(cache), ANSWERS);
    assert_int_equal(kept_count, 3); /* two pages, and the facts */
    memcpy(before, kept, sizeof before);
    kept_count = 0;

    cache = begin_anew(cache);
    dq_answers_tally tally = import(cache, before, 3);
    assert_int_equal(tally.answers, ANSWERS);
    assert_int_equal(tally.taken, ANSWERS);
    assert_int_equal(export_all(cache), ANSWERS);
    assert_int_equal(kept_count, 3);
    for (size_t i = 0; i < 3; i++) assert_same(&before[i], &kept[i]);
    tally = import(cache, before, 3);
    assert_int_equal(tally.answers, ANSWERS);
    assert_int_equal(tally.taken, 0);
    assert_int_equal(sql("SELECT count(*) FROM ledger"), 0); /* nothing was asked through this one */
    for (size_t i = 0; i < 3; i++) dq_bundle_free(&before[i]);
    forget();
    dq_cache_close(cache);
}

static void test_what_is_there_stays(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_cache *cache = open_cache(false);
    const dq_cache_entry theirs[] = {question(1, "APPLY"), question(2, "APPLY"), question(3, NULL),
                                     question(4, NULL), question(5, "APPLY")};
    for (size_t i = 0; i < 5; i++) put(cache, &theirs[i]);
    assert_int_equal(dq_cache_remember(cache, "h:1 m", "a", "theirs", &e), DQ_OK);
    assert_int_equal(dq_cache_remember(cache, "h:1 m", "b", "theirs", &e), DQ_OK);
    (void)export_all(cache);
    assert_int_equal(kept_count, 2);

    cache = begin_anew(cache);
    const dq_cache_entry ours[] = {question(1, "SAVE"), question(2, NULL), question(3, "SAVE"),
                                   question(4, NULL)};
    for (size_t i = 0; i < 4; i++) put(cache, &ours[i]);
    assert_int_equal(dq_cache_remember(cache, "h:1 m", "a", "ours", &e), DQ_OK);
    dq_answers_tally tally = import(cache, kept, 2);
    assert_int_equal(tally.answers, 5);
    assert_int_equal(tally.taken, 2); /* the unreadable one, and the new one */
    assert_int_equal(sql("SELECT count(*) FROM answers WHERE label = 'SAVE'"), 2);
    assert_int_equal(sql("SELECT count(*) FROM answers WHERE label = 'APPLY'"), 2);
    assert_int_equal(sql("SELECT count(*) FROM answers WHERE label IS NULL"), 1);
    assert_int_equal(sql("SELECT answered FROM ledger"), 4);
    assert_int_equal(sql("SELECT count(*) FROM facts WHERE name = 'a' AND value = 'ours'"), 1);
    assert_int_equal(sql("SELECT count(*) FROM facts WHERE name = 'b' AND value = 'theirs'"), 1);
    forget();
    dq_cache_close(cache);
}

static void test_an_empty_cache(void **state)
{
    (void)state;
    dq_cache *cache = open_cache(false);
    assert_int_equal(export_all(cache), 0);
    assert_int_equal(kept_count, 1);
    assert_string_equal(kept[0].kind, DQ_KIND_ANSWERS);
    assert_int_equal(kept[0].rows, 0);
    assert_int_equal(import(cache, kept, 1).answers, 0);
    forget();
    dq_cache_close(cache);
}

static void test_a_key_that_is_not_its_questions(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    uint64_t count;
    dq_cache *cache = open_cache(false);
    store(cache, 1, "APPLY"); /* under key_of(1) */
    assert_int_equal(dq_answers_export(cache, keep, NULL, &count, &e), DQ_ERR_FORMAT);
    assert_non_null(strstr(e.reason, "is not its request's SHA-256: delete that row of answers"));
    assert_int_equal(kept_count, 0);
    dq_cache_close(cache);
}

/* The kept bundle with one column in another's place (text: with its n bytes; NULL: without), imported. */
static void refuses(dq_cache *cache, const char *column, dq_dtype type, const void *value, size_t n,
                    const char *words)
{
    dq_error e = DQ_ERROR_NONE;
    dq_bundle changed;
    dq_answers_tally tally = {0};
    uint32_t offsets[2] = {0, (uint32_t)n};
    assert_int_equal(dq_bundle_borrow(&changed, &kept[0], (const char *[]){column, NULL}, &e), DQ_OK);
    if (value && type == DQ_TEXT)
        assert_int_equal(dq_bundle_add_text(&changed, column, type, offsets, value, NULL, &e), DQ_OK);
    else if (value)
        assert_int_equal(dq_bundle_add_numbers(&changed, column, type, value, NULL, NULL, &e), DQ_OK);
    assert_int_equal(dq_answers_import(cache, &changed, &tally, &e), DQ_ERR_SCHEMA);
    assert_string_equal(e.reason, words);
    assert_int_equal(tally.answers + tally.taken, 0);
    dq_bundle_free(&changed);
}

static void test_what_is_no_answer(void **state)
{
    (void)state;
    static const char none[] = "answers: row 1 is no answer: a value is missing or impossible";
    dq_cache *cache = open_cache(false);
    dq_cache_entry entry = question(1, "APPLY");
    entry.answer = "\xff"; /* as "ff", and the request in hexadecimal, too */
    entry.answer_bytes = 1;
    put(cache, &entry);
    assert_int_equal(export_all(cache), 1);
    cache = begin_anew(cache);
    refuses(cache, "request", DQ_TEXT, NULL, 0, "answers: no column request of type text");
    refuses(cache, "cost", DQ_F8, NULL, 0, "answers: no column cost of type f8");
    refuses(cache, "time", DQ_F8, &(double){1}, 1, "answers: a strange column time of type i8");
    refuses(cache, "asked", DQ_I4, &(int32_t){0}, 1, none);
    refuses(cache, "request", DQ_TEXT, "7b7", 3, none);
    refuses(cache, "request", DQ_TEXT, "7B", 2, none);
    refuses(cache, "answer", DQ_TEXT, "0g", 2, none);
    refuses(cache, "label", DQ_TEXT, "APPLY\0?", 7, none);
    refuses(cache, "model", DQ_TEXT, "\0", 1, none);
    assert_int_equal(sql("SELECT count(*) FROM answers"), 0);
    assert_int_equal(import(cache, kept, 1).taken, 1); /* as it was */
    forget();
    dq_cache_close(cache);
}

static void test_what_is_no_fact(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_bundle facts;
    dq_answers_tally tally = {0};
    const uint32_t offsets[] = {0, 3};
    dq_cache *cache = open_cache(false);
    assert_int_equal(dq_bundle_init(&facts, DQ_KIND_FACTS, 1, &e), DQ_OK);
    assert_int_equal(dq_bundle_add_text(&facts, "about", DQ_TEXT, offsets, "a\0b", NULL, &e), DQ_OK);
    assert_int_equal(dq_bundle_add_text(&facts, "name", DQ_TEXT, offsets, "abc", NULL, &e), DQ_OK);
    assert_int_equal(dq_answers_import(cache, &facts, &tally, &e), DQ_ERR_SCHEMA);
    assert_string_equal(e.reason, "facts: no column value of type text");
    e = DQ_ERROR_NONE;
    assert_int_equal(dq_bundle_add_text(&facts, "value", DQ_TEXT, offsets, "abc", NULL, &e), DQ_OK);
    assert_int_equal(dq_answers_import(cache, &facts, &tally, &e), DQ_ERR_SCHEMA);
    assert_string_equal(e.reason, "facts: row 1 is no fact: a value is missing or impossible");
    dq_bundle_free(&facts);
    e = DQ_ERROR_NONE;
    assert_int_equal(dq_bundle_init(&facts, "items", 1, &e), DQ_OK); /* another kind is passed over */
    assert_int_equal(dq_answers_import(cache, &facts, &tally, &e), DQ_OK);
    dq_bundle_free(&facts);
    assert_int_equal(sql("SELECT count(*) FROM facts"), 0);
    dq_cache_close(cache);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_all_comes_through), TEST(test_what_is_there_stays),
        TEST(test_an_empty_cache),    TEST(test_a_key_that_is_not_its_questions),
        TEST(test_what_is_no_answer), TEST(test_what_is_no_fact),
    };
    return cmocka_run_group_tests_name("answers", tests, NULL, NULL);
}
