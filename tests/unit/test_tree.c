/* SPDX-License-Identifier: MIT */
#include "core/rng.h"
#include "math/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { N = 70000, LEAVES = 8 };

static float leaf[LEAVES][N];

static void fill_leaves(void)
{
    dq_rng rng = dq_rng_new(1);
    for (int l = 0; l < LEAVES; l++)
        for (int i = 0; i < N; i++) leaf[l][i] = (float)dq_rng_normal(&rng);
}

/* The sum of leaves from .. from + n - 1 into x, as a process that has these alone makes it. */
static void sum_part(int from, uint32_t n, float *x, dq_pool *pool)
{
    dq_tree tree;
    dq_arena arena = DQ_ARENA_EMPTY;
    assert_true(dq_tree_init(&tree, N, n, &arena));
    for (int again = 0; again < 2; again++) /* it begins anew */
        for (uint32_t l = 0; l < n; l++) {
            memcpy(x, leaf[(uint32_t)from + l], sizeof leaf[0]);
            dq_tree_add(&tree, x, pool);
        }
    dq_arena_free(&arena);
}

static float by_hand(int i)
{
    return ((leaf[0][i] + leaf[1][i]) + (leaf[2][i] + leaf[3][i])) +
           ((leaf[4][i] + leaf[5][i]) + (leaf[6][i] + leaf[7][i]));
}

static void adds_in_the_order_of_the_tree(void **state)
{
    (void)state;
    static float x[N];
    dq_pool *pool;
    fill_leaves();
    for (unsigned threads = 1; threads < 4; threads++) {
        int in_line_differs = 0;
        assert_int_equal(dq_pool_new(&pool, threads, NULL), DQ_OK);
        sum_part(0, LEAVES, x, pool);
        for (int i = 0; i < N; i++) {
            float line = 0, wanted = by_hand(i);
            for (int l = 0; l < LEAVES; l++) line += leaf[l][i];
            assert_memory_equal(&x[i], &wanted, sizeof wanted);
            in_line_differs += line != wanted;
        }
        assert_true(in_line_differs > N / 10); /* which is why there is a tree */
        dq_pool_free(pool);
    }
}

static void parts_are_subtrees(void **state)
{
    (void)state;
    static float part[4][N];
    dq_pool *pool;
    fill_leaves();
    assert_int_equal(dq_pool_new(&pool, 1, NULL), DQ_OK);
    for (int p = 0; p < 4; p++) sum_part(2 * p, 2, part[p], pool);
    for (int i = 0; i < N; i++) {
        float sum = (part[0][i] + part[1][i]) + (part[2][i] + part[3][i]), wanted = by_hand(i);
        assert_memory_equal(&sum, &wanted, sizeof wanted);
    }
    sum_part(5, 1, part[0], pool);
    assert_memory_equal(part[0], leaf[5], sizeof leaf[5]); /* one leaf is its own sum */
    dq_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_in_the_order_of_the_tree),
        cmocka_unit_test(parts_are_subtrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
