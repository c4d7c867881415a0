/* SPDX-License-Identifier: MIT
 *
 * The bounded heap against a full sort, on random scores with many ties.
 */
#include "core/rng.h"
#include "core/topk.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MANY = 2000 };

typedef struct candidates {
    dq_scored items[MANY];
    char ids[MANY][16];
} candidates;

/* `levels` distinct scores: few levels, many ties. */
static void draw(candidates *c, size_t n, uint64_t levels, dq_rng *rng)
{
    for (size_t i = 0; i < n; i++) {
        int bytes = snprintf(c->ids[i], sizeof c->ids[i], "j%zu", i);
        c->items[i] = (dq_scored){.score = (float)dq_rng_below(rng, levels) - 2.0F,
                                  .id = c->ids[i],
                                  .id_bytes = (size_t)bytes,
                                  .tag = i};
    }
}

static int by_order(const void *a, const void *b)
{
    return dq_scored_compare(a, b);
}

static void push_all(dq_topk *topk, const candidates *c, size_t from, size_t to)
{
    dq_error e = DQ_ERROR_NONE;
    for (size_t i = from; i < to; i++)
        assert_int_equal(
            dq_topk_push(topk, c->items[i].score, c->items[i].id, c->items[i].id_bytes, c->items[i].tag, &e),
            DQ_OK);
}

static void check_equal(dq_topk *topk, const candidates *sorted, size_t expected)
{
    const dq_scored *kept;
    size_t n = dq_topk_sorted(topk, &kept);
    assert_int_equal(n, expected);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(kept[i].tag, sorted->items[i].tag);
        assert_int_equal(kept[i].id_bytes, sorted->items[i].id_bytes);
        assert_memory_equal(kept[i].id, sorted->items[i].id, kept[i].id_bytes);
        assert_true(kept[i].score == sorted->items[i].score);
    }
}

static void test_against_sort(void **state)
{
    static candidates c, sorted;
    static const uint64_t levels[] = {1, 3, 50, 1000000};
    static const size_t ks[] = {1, 2, 7, 100, 1999, 2000, 5000};
    dq_rng rng = dq_rng_new(7);
    (void)state;
    for (size_t l = 0; l < sizeof levels / sizeof *levels; l++) {
        draw(&c, MANY, levels[l], &rng);
        sorted = c;
        qsort(sorted.items, MANY, sizeof *sorted.items, by_order);
        for (size_t i = 0; i < sizeof ks / sizeof *ks; i++) {
            dq_topk *topk;
            assert_int_equal(dq_topk_new(&topk, ks[i], NULL), DQ_OK);
            push_all(topk, &c, 0, MANY);
            check_equal(topk, &sorted, ks[i] < MANY ? ks[i] : MANY);
            dq_topk_free(topk);
        }
    }
}

/* A look at the ranking in the middle of the stream changes nothing; clear starts anew. */
static void test_push_after_sort(void **state)
{
    static candidates c, sorted;
    dq_rng rng = dq_rng_new(8);
    dq_topk *topk;
    const dq_scored *kept;
    (void)state;
    draw(&c, MANY, 20, &rng);
    sorted = c;
    qsort(sorted.items, MANY, sizeof *sorted.items, by_order);
    assert_int_equal(dq_topk_new(&topk, 30, NULL), DQ_OK);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < MANY; i += 50) {
            push_all(topk, &c, i, i + 50);
            dq_topk_sorted(topk, &kept);
        }
        check_equal(topk, &sorted, 30);
        dq_topk_clear(topk);
        assert_int_equal(dq_topk_sorted(topk, &kept), 0);
    }
    dq_topk_free(topk);
}

static void test_ties_to_the_greater_id(void **state)
{
    static const char *const ids[] = {"a", "10", "9", "ab", "", "z\xc3\xa9"};
    static const char *const expected[] = {"z\xc3\xa9", "ab", "a", "9", "10", ""};
    dq_topk *topk;
    const dq_scored *kept;
    (void)state;
    assert_int_equal(dq_topk_new(&topk, 6, NULL), DQ_OK);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(dq_topk_push(topk, i % 2 ? 0.0F : -0.0F, ids[i], strlen(ids[i]), i, NULL), DQ_OK);
    assert_int_equal(dq_topk_sorted(topk, &kept), 6);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(kept[i].id_bytes, strlen(expected[i]));
        assert_memory_equal(kept[i].id, expected[i], kept[i].id_bytes);
    }
    dq_topk_free(topk);
}

static void test_would_take(void **state)
{
    dq_topk *topk;
    const dq_scored *kept;
    (void)state;
    assert_int_equal(dq_topk_new(&topk, 2, NULL), DQ_OK);
    assert_true(dq_topk_would_take(topk, -INFINITY));
    assert_true(dq_topk_floor(topk) == -INFINITY);
    dq_topk_push(topk, 1.0F, "a", 1, 0, NULL);
    dq_topk_push(topk, 3.0F, "b", 1, 1, NULL);
    for (int sorted = 0; sorted < 2; sorted++) {
        assert_true(dq_topk_would_take(topk, 1.5F));
        assert_true(dq_topk_would_take(topk, 1.0F));
        assert_true(dq_topk_floor(topk) == 1.0F);
        assert_false(dq_topk_would_take(topk, 0.5F));
        assert_false(dq_topk_would_take(topk, NAN));
        dq_topk_sorted(topk, &kept);
    }
    dq_topk_free(topk);
}

static void test_refusals(void **state)
{
    dq_error e = DQ_ERROR_NONE;
    dq_topk *topk;
    (void)state;
    assert_int_equal(dq_topk_new(&topk, 0, &e), DQ_ERR_RANGE);
    assert_null(topk);
    dq_topk_free(topk);
    assert_int_equal(dq_topk_new(&topk, 3, NULL), DQ_OK);
    assert_int_equal(dq_topk_push(topk, NAN, "a", 1, 0, &e), DQ_ERR_NUMERIC);
    dq_topk_free(topk);
}

/* What falls out: the item itself, or the worst of those that are kept; ties by id, as in the ranking. */
static void test_overflow(void **state)
{
    (void)state;
    dq_topk *topk;
    float out = 9;
    assert_int_equal(dq_topk_new(&topk, 2, NULL), DQ_OK);
    assert_false(dq_topk_overflows(topk, 1, "a", 1, &out));
    assert_int_equal(dq_topk_push(topk, 1, "a", 1, 0, NULL), DQ_OK);
    assert_false(dq_topk_overflows(topk, 2, "b", 1, &out));
    assert_int_equal(dq_topk_push(topk, 2, "b", 1, 0, NULL), DQ_OK);
    assert_true(out == 9);
    assert_true(dq_topk_overflows(topk, 3, "c", 1, &out) && out == 1);
    assert_true(dq_topk_overflows(topk, 0.5F, "c", 1, &out) && out == 0.5F);
    assert_true(dq_topk_overflows(topk, 1, "c", 1, &out) && out == 1);
    dq_topk_free(topk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_sort),
        cmocka_unit_test(test_push_after_sort),
        cmocka_unit_test(test_ties_to_the_greater_id),
        cmocka_unit_test(test_would_take),
        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
