/* SPDX-License-Identifier: MIT
 *
 * Shards ranked apart and merged equal the whole ranked at once.
 */
#include "core/rng.h"
#include "rank/merge.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { USERS = 5, ITEMS = 400, K = 12, SHARDS = 4 };

static float scores[USERS][ITEMS];

static void add(dq_merge *merge, size_t user, const char *id, size_t id_bytes, float score)
{
    dq_error e = DQ_ERROR_NONE;
    char name[16];
    int n = snprintf(name, sizeof name, "u%zu", user);
    assert_int_equal(dq_merge_add(merge, name, (size_t)n, id, id_bytes, score, &e), DQ_OK);
}

/* Ranks items [from, to) of a user and hands the k best to the merge; the whole is ranked by dq_topk. */
static dq_topk *rank(size_t user, size_t from, size_t to)
{
    dq_topk *topk;
    assert_int_equal(dq_topk_new(&topk, K, NULL), DQ_OK);
    for (size_t i = from; i < to; i++) {
        char id[16];
        int n = snprintf(id, sizeof id, "j%zu", i);
        assert_int_equal(dq_topk_push(topk, scores[user][i], id, (size_t)n, i, NULL), DQ_OK);
    }
    return topk;
}

static void add_shard(dq_merge *merge, size_t user, size_t from, size_t to)
{
    const dq_scored *kept;
    dq_topk *topk = rank(user, from, to);
    size_t n = dq_topk_sorted(topk, &kept);
    for (size_t i = 0; i < n; i++) add(merge, user, kept[i].id, kept[i].id_bytes, kept[i].score);
    dq_topk_free(topk);
}

static void check_user(dq_merge *merge, size_t user)
{
    const dq_scored *merged, *expected;
    dq_topk *whole = rank(user, 0, ITEMS);
    size_t n = dq_topk_sorted(whole, &expected), bytes;
    char name[16];
    assert_int_equal(snprintf(name, sizeof name, "u%zu", user), 2);
    assert_memory_equal(dq_merge_user(merge, user, &bytes), name, 2);
    assert_int_equal(bytes, 2);
    assert_int_equal(dq_merge_sorted(merge, user, &merged), n);
    for (size_t i = 0; i < n; i++) assert_int_equal(dq_scored_compare(&merged[i], &expected[i]), 0);
    dq_topk_free(whole);
}

static void test_shards_equal_the_whole(void **state)
{
    dq_rng rng = dq_rng_new(11);
    dq_merge *merge;
    (void)state;
    for (size_t u = 0; u < USERS; u++)
        for (size_t i = 0; i < ITEMS; i++) scores[u][i] = (float)dq_rng_below(&rng, 40);
    assert_int_equal(dq_merge_new(&merge, K, NULL), DQ_OK);
    for (size_t shard = 0; shard < SHARDS; shard++)
        for (size_t u = 0; u < USERS; u++)
            add_shard(merge, u, shard * ITEMS / SHARDS, (shard + 1) * ITEMS / SHARDS);
    /* Shards may overlap: the same pairs again change nothing. */
    for (size_t u = 0; u < USERS; u++) add_shard(merge, u, ITEMS / 3, ITEMS / 2);
    assert_int_equal(dq_merge_count(merge), USERS);
    for (size_t u = 0; u < USERS; u++) check_user(merge, u);
    dq_merge_free(merge);
}

/* Also when the first of the two scores has long been turned away. */
static void test_two_scores_are_an_error(void **state)
{
    dq_error e = DQ_ERROR_NONE;
    dq_merge *merge;
    (void)state;
    assert_int_equal(dq_merge_new(&merge, 1, NULL), DQ_OK);
    add(merge, 0, "low", 3, 0.25F);
    add(merge, 0, "high", 4, 0.75F);
    add(merge, 1, "low", 3, 0.5F); /* another user's */
    assert_int_equal(dq_merge_add(merge, "u0", 2, "low", 3, 0.5F, &e), DQ_ERR_DUPLICATE);
    assert_string_equal(e.reason, "item low has two scores, 0.25 and 0.5");
    dq_merge_free(merge);
}

static void test_refusals(void **state)
{
    dq_error e = DQ_ERROR_NONE;
    dq_merge *merge;
    (void)state;
    assert_int_equal(dq_merge_new(&merge, 0, &e), DQ_ERR_RANGE);
    assert_null(merge);
    dq_merge_free(merge);
    assert_int_equal(dq_merge_new(&merge, 1, NULL), DQ_OK);
    assert_int_equal(dq_merge_add(merge, "u", 1, "i", 1, NAN, &e), DQ_ERR_NUMERIC);
    assert_int_equal(dq_merge_count(merge), 0);
    dq_merge_free(merge);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shards_equal_the_whole),
        cmocka_unit_test(test_two_scores_are_an_error),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
