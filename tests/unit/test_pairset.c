/* SPDX-License-Identifier: MIT
 *
 * The set of pairs against a table of every possible pair.
 */
#include "core/pairset.h"
#include "core/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { USERS = 60, ITEMS = 90, DRAWS = 4000 };

/* Few distinct numbers, far apart, so that both halves of a key count, and the greatest ones are among them.
 */
static uint32_t user_of(uint32_t u)
{
    return u % 2 ? DQ_ABSENT - 1 - u : u * 1000;
}

static uint32_t item_of(uint32_t i)
{
    return i % 3 ? i : DQ_ABSENT - 1 - i;
}

static size_t draw(dq_pairset *set, bool (*met)[ITEMS], uint64_t seed)
{
    dq_rng rng = dq_rng_new(seed);
    dq_error e = DQ_ERROR_NONE;
    size_t distinct = 0;
    for (size_t n = 0; n < DRAWS; n++) {
        uint32_t u = (uint32_t)dq_rng_below(&rng, USERS), i = (uint32_t)dq_rng_below(&rng, ITEMS);
        bool added;
        assert_int_equal(dq_pairset_add(set, user_of(u), item_of(i), &added, &e), DQ_OK);
        assert_int_equal(added, !met[u][i]);
        distinct += !met[u][i];
        met[u][i] = true;
        assert_int_equal(dq_pairset_count(set), distinct);
    }
    return distinct;
}

static void test_against_table(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        dq_pairset set = DQ_PAIRSET_EMPTY;
        bool met[USERS][ITEMS] = {{false}};
        draw(&set, met, seed);
        for (uint32_t u = 0; u < USERS; u++)
            for (uint32_t i = 0; i < ITEMS; i++)
                assert_int_equal(dq_pairset_has(&set, user_of(u), item_of(i)), met[u][i]);
        dq_pairset_free(&set);
        assert_int_equal(dq_pairset_count(&set), 0);
    }
}

static void test_sorted(void **state)
{
    (void)state;
    dq_pairset set = DQ_PAIRSET_EMPTY;
    bool met[USERS][ITEMS] = {{false}};
    size_t n = draw(&set, met, 6);
    dq_pairset_pair *pairs = malloc(n * sizeof *pairs);
    assert_non_null(pairs);
    dq_pairset_sorted(&set, pairs);
    for (size_t p = 0; p < n; p++) {
        assert_true(dq_pairset_has(&set, pairs[p].user, pairs[p].item));
        if (p == 0) continue;
        const dq_pairset_pair *a = &pairs[p - 1], *b = &pairs[p];
        assert_true(a->user < b->user || (a->user == b->user && a->item < b->item));
    }
    free(pairs);
    dq_pairset_free(&set);
}

static void test_halves(void **state)
{
    (void)state;
    dq_pairset set = DQ_PAIRSET_EMPTY;
    dq_error e = DQ_ERROR_NONE;
    assert_false(dq_pairset_has(&set, 0, 0));
    dq_pairset_sorted(&set, NULL);
    assert_int_equal(dq_pairset_add(&set, 1, 2, NULL, &e), DQ_OK);
    assert_true(dq_pairset_has(&set, 1, 2));
    assert_false(dq_pairset_has(&set, 2, 1));
    assert_false(dq_pairset_has(&set, 0, 2));
    assert_false(dq_pairset_has(&set, 1, 0));
    dq_pairset_free(&set);
}

static void test_absent(void **state)
{
    (void)state;
    dq_pairset set = DQ_PAIRSET_EMPTY;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_pairset_add(&set, 3, 4, NULL, &e), DQ_OK);
    assert_int_equal(dq_pairset_add(&set, DQ_ABSENT, 4, NULL, &e), DQ_ERR_RANGE);
    assert_int_equal(dq_pairset_add(&set, 3, DQ_ABSENT, NULL, &e), DQ_ERR_RANGE);
    assert_int_equal(dq_pairset_count(&set), 1);
    assert_false(dq_pairset_has(&set, DQ_ABSENT, 4));
    assert_false(dq_pairset_has(&set, 3, DQ_ABSENT));
    assert_false(dq_pairset_has(&set, DQ_ABSENT, DQ_ABSENT));
    dq_pairset_free(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_table),
        cmocka_unit_test(test_sorted),
        cmocka_unit_test(test_halves),
        cmocka_unit_test(test_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
