/* SPDX-License-Identifier: MIT */
#include "rank/baseline.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

typedef struct visit {
    const char *user, *item, *time; /* a time of JSON, or NULL */
} visit;

/* The strings live as long as the bundle. */
static void add_text(dq_bundle *b, const char *name, dq_dtype type, dq_strings *s)
{
    assert_int_equal(dq_bundle_add_text(b, name, type, s->offsets, s->data, NULL, NULL), DQ_OK);
}

static dq_status feed(dq_feedback *f, const visit *v, size_t n, dq_error *e)
{
    dq_bundle b;
    dq_strings users = {0}, items = {0}, times = {0};
    assert_int_equal(dq_bundle_init(&b, DQ_KIND_INTERACTIONS, n, NULL), DQ_OK);
    for (size_t i = 0; i < n; i++) {
        const char *time = v[i].time ? v[i].time : "";
        assert_int_equal(dq_strings_add(&users, v[i].user, strlen(v[i].user), NULL), DQ_OK);
        assert_int_equal(dq_strings_add(&items, v[i].item, strlen(v[i].item), NULL), DQ_OK);
        assert_int_equal(dq_strings_add(&times, time, strlen(time), NULL), DQ_OK);
    }
    add_text(&b, "user", DQ_TEXT, &users);
    add_text(&b, "item", DQ_TEXT, &items);
    if (v[0].time) add_text(&b, "attr.time", DQ_JSON, &times);
    dq_status status = dq_feedback_add(f, &b, e);
    dq_bundle_free(&b);
    dq_strings_free(&users);
    dq_strings_free(&items);
    dq_strings_free(&times);
    return status;
}

/* a: u1 u2 u3; b: u1 u2; c: u3 u4; d: u4. Visits again change nothing. */
static const visit visits[] = {{"u3", "c", NULL}, {"u1", "a", NULL}, {"u2", "b", NULL}, {"u1", "b", NULL},
                               {"u1", "b", NULL}, {"u2", "a", NULL}, {"u3", "a", NULL}, {"u4", "c", NULL},
                               {"u4", "d", NULL}, {"u2", "a", NULL}};
enum { VISITS = sizeof visits / sizeof *visits, A = 0, B, C, D };

static void make(dq_neighbours *nb, bool turned)
{
    dq_feedback f = {.need = DQ_FEEDBACK_PAIRS | DQ_FEEDBACK_EVENTS, .time = "time"};
    visit order[VISITS];
    for (size_t i = 0; i < VISITS; i++) order[i] = visits[turned ? VISITS - 1 - i : i];
    assert_int_equal(feed(&f, order, VISITS, NULL), DQ_OK);
    assert_int_equal(dq_feedback_finish(&f, NULL), DQ_OK);
    assert_int_equal(dq_neighbours_make(nb, &f, NULL), DQ_OK);
    dq_feedback_free(&f);
}

/* How alike items i and j are by dq_neighbours_of: 0 for no neighbour. */
static double between(const dq_neighbours *nb, uint32_t i, uint32_t j)
{
    dq_neighbours_scratch s = {0};
    size_t count;
    double found = 0;
    assert_int_equal(dq_neighbours_of(nb, i, &s, &count, NULL), DQ_OK);
    for (size_t k = 0; k < count; k++) {
        if (k) assert_true(s.found[k].item > s.found[k - 1].item);
        if (s.found[k].item == j) found = (double)s.found[k].likeness;
    }
    dq_neighbours_scratch_free(&s);
    return found;
}

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-6;
}

static void test_by_hand(void **state)
{
    (void)state;
    dq_neighbours cosine = {.likeness = DQ_LIKENESS_COSINE}, jaccard = {.likeness = DQ_LIKENESS_JACCARD};
    dq_neighbours tfidf = {.likeness = DQ_LIKENESS_TFIDF},
                  shrunk = {.likeness = DQ_LIKENESS_COSINE, .shrink = 3};
    make(&cosine, false);
    make(&jaccard, false);
    make(&tfidf, false);
    make(&shrunk, true);
    assert_true(near(between(&cosine, A, B), 2 / sqrt(6)) && near(between(&cosine, C, D), 1 / sqrt(2)));
    assert_true(between(&cosine, A, D) <= 0 && between(&cosine, A, A) <= 0);
    assert_true(near(between(&jaccard, A, B), 2.0 / 3) && near(between(&jaccard, C, A), 1.0 / 4));
    /* each user met two of four items, so all weigh ln 2, and the cosine is the plain one */
    assert_true(near(between(&tfidf, A, C), 1 / sqrt(6)));
    assert_true(near(between(&shrunk, A, B), 2 / sqrt(6) * 2 / 5));
    assert_true(near(between(&shrunk, D, C), 1 / sqrt(2) / 4));
    dq_neighbours_free(&cosine);
    dq_neighbours_free(&jaccard);
    dq_neighbours_free(&tfidf);
    dq_neighbours_free(&shrunk);
}

/* In the order of the stream u1 went a b b, u2 b a a, u3 c a, u4 c d. */
static void test_follows(void **state)
{
    (void)state;
    dq_neighbours nb = {.likeness = DQ_LIKENESS_FOLLOWS};
    make(&nb, false);
    assert_true(near(between(&nb, A, B), 0.5) && near(between(&nb, B, B), 0.5));
    assert_true(near(between(&nb, A, C), 0.5) && near(between(&nb, D, C), 0.5));
    assert_true(near(between(&nb, B, A), 0.5) && near(between(&nb, A, A), 0.5));
    assert_true(between(&nb, C, A) <= 0 && between(&nb, C, D) <= 0);
    dq_neighbours_free(&nb);
}

/* Of equal ones the greater id stays, whatever order the stream had. */
static void test_most(void **state)
{
    (void)state;
    for (int turned = 0; turned < 2; turned++) {
        dq_neighbours nb = {.likeness = DQ_LIKENESS_COSINE, .most = 1};
        dq_feedback f = {.need = DQ_FEEDBACK_PAIRS};
        static const visit equal[] = {{"u", "x", NULL}, {"u", "y", NULL}, {"u", "z", NULL}};
        static const visit other[] = {{"u", "z", NULL}, {"u", "y", NULL}, {"u", "x", NULL}};
        assert_int_equal(feed(&f, turned ? other : equal, 3, NULL), DQ_OK);
        assert_int_equal(dq_neighbours_make(&nb, &f, NULL), DQ_OK);
        assert_true(between(&nb, 0, 1) <= 0 && near(between(&nb, 0, 2), 1) && near(between(&nb, 2, 1), 1));
        dq_feedback_free(&f);
        dq_neighbours_free(&nb);
    }
}

static void test_latest(void **state)
{
    (void)state;
    static const visit timed[] = {
        {"u", "a", "5"}, {"v", "b", "9"}, {"u", "c", "9"}, {"u", "a", "2"}, {"u", "d", "1"}};
    static const visit half[] = {{"u", "a", "5"}, {"u", "a", "null"}}, wrong[] = {{"u", "a", "\"soon\""}};
    dq_feedback f = {.need = DQ_FEEDBACK_LATEST, .time = "time"};
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(feed(&f, timed, 5, NULL), DQ_OK);
    assert_int_equal(dq_feedback_finish(&f, NULL), DQ_OK);
    static const uint32_t expected[] = {2, 3, 3, 1};
    for (size_t i = 0; i < 4; i++) assert_int_equal(f.latest[i], expected[i]);
    dq_feedback_free(&f);
    f = (dq_feedback){.need = DQ_FEEDBACK_LATEST, .time = "time"};
    assert_int_equal(feed(&f, wrong, 1, &e), DQ_ERR_SCHEMA);
    dq_feedback_free(&f);
    f = (dq_feedback){.need = DQ_FEEDBACK_LATEST, .time = "time"};
    assert_int_equal(feed(&f, half, 2, NULL), DQ_OK);
    assert_int_equal(dq_feedback_finish(&f, &e), DQ_ERR_SCHEMA);
    assert_string_equal(e.reason, "1 of 2 interactions have no attribute 'time': their order is not known");
    dq_feedback_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_by_hand), cmocka_unit_test(test_follows),
                                       cmocka_unit_test(test_most), cmocka_unit_test(test_latest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
