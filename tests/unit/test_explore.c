/* SPDX-License-Identifier: MIT
 *
 * Exploration: the shares drawn are the shares meant (fixed seeds, bounds of four standard errors).
 */
#include "rank/explore.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DRAWS = 20000, ITEMS = 4 };

static void check_share(size_t count, double p)
{
    assert_true(fabs((double)count / DRAWS - p) < 4 * sqrt(p * (1 - p) / DRAWS));
}

/* The first of a Gumbel top-k is a draw from the softmax. */
static void test_softmax_shares(void **state)
{
    static const float scores[ITEMS] = {1.0F, 0.5F, 0.0F, -0.1F};
    const double temperature = 0.7;
    size_t first[ITEMS] = {0};
    double sum = 0;
    (void)state;
    for (size_t draw = 0; draw < DRAWS; draw++) {
        size_t best = 0;
        float best_key = -INFINITY;
        for (size_t i = 0; i < ITEMS; i++) {
            dq_rng rng = dq_explore_rng(draw, "user", 4, &"abcd"[i], 1);
            float key = dq_explore_softmax(scores[i], temperature, &rng);
            if (key > best_key) best = i;
            if (key > best_key) best_key = key;
        }
        first[best]++;
    }
    for (size_t i = 0; i < ITEMS; i++) sum += exp((double)scores[i] / temperature);
    for (size_t i = 0; i < ITEMS; i++) check_share(first[i], exp((double)scores[i] / temperature) / sum);
}

static void test_uniform_shares(void **state)
{
    size_t first[ITEMS] = {0};
    (void)state;
    for (size_t draw = 0; draw < DRAWS; draw++) {
        size_t best = 0;
        float best_key = -1;
        for (size_t i = 0; i < ITEMS; i++) {
            dq_rng rng = dq_explore_rng(draw, "user", 4, &"abcd"[i], 1);
            float key = dq_explore_uniform(&rng);
            if (key > best_key) best = i;
            if (key > best_key) best_key = key;
        }
        first[best]++;
    }
    for (size_t i = 0; i < ITEMS; i++) check_share(first[i], 0.25);
}

static void test_a_pair_has_its_own_numbers(void **state)
{
    dq_rng a = dq_explore_rng(1, "u1", 2, "i1", 2), same = dq_explore_rng(1, "u1", 2, "i1", 2);
    dq_rng item = dq_explore_rng(1, "u1", 2, "i2", 2), user = dq_explore_rng(1, "u2", 2, "i1", 2);
    dq_rng seed = dq_explore_rng(2, "u1", 2, "i1", 2);
    uint64_t number = dq_rng_u64(&a);
    (void)state;
    assert_true(number == dq_rng_u64(&same));
    assert_true(number != dq_rng_u64(&item));
    assert_true(number != dq_rng_u64(&user));
    assert_true(number != dq_rng_u64(&seed));
}

static void test_softmax_stays_finite(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        dq_rng rng = dq_rng_new(seed);
        assert_true(isfinite(dq_explore_softmax(1e30F, 1e-30, &rng)));
        assert_true(isfinite(dq_explore_softmax(-1e30F, 1e-30, &rng)));
    }
}

static const dq_scored best[] = {{9, "a", 1, 0}, {8, "b", 1, 1}, {7, "c", 1, 2}};
static const dq_scored drawn[] = {{0.9F, "z", 1, 25}, {0.8F, "b", 1, 1}, {0.7F, "y", 1, 24}};

static void test_epsilon_ends(void **state)
{
    const dq_scored *out[3];
    dq_rng rng = dq_rng_new(5);
    (void)state;
    assert_int_equal(dq_explore_epsilon(best, 3, drawn, 3, 0, &rng, 3, out), 3);
    for (size_t i = 0; i < 3; i++) assert_ptr_equal(out[i], &best[i]);
    assert_int_equal(dq_explore_epsilon(best, 3, drawn, 3, 1, &rng, 3, out), 3);
    for (size_t i = 0; i < 3; i++) assert_ptr_equal(out[i], &drawn[i]);
    /* Fewer candidates than places: both lists hold all of them. */
    assert_int_equal(dq_explore_epsilon(best, 2, best, 2, 0.5, &rng, 3, out), 2);
    assert_ptr_not_equal(out[0], out[1]);
}

static void test_epsilon_shares(void **state)
{
    size_t explored = 0, repeats = 0;
    dq_rng rng = dq_rng_new(6);
    (void)state;
    for (size_t draw = 0; draw < DRAWS; draw++) {
        const dq_scored *out[3];
        assert_int_equal(dq_explore_epsilon(best, 3, drawn, 3, 0.3, &rng, 3, out), 3);
        explored += out[0] == &drawn[0];
        for (size_t i = 0; i < 3; i++)
            for (size_t j = 0; j < i; j++) repeats += out[i]->id[0] == out[j]->id[0];
    }
    check_share(explored, 0.3);
    assert_int_equal(repeats, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_softmax_shares),
        cmocka_unit_test(test_uniform_shares),
        cmocka_unit_test(test_a_pair_has_its_own_numbers),
        cmocka_unit_test(test_softmax_stays_finite),
        cmocka_unit_test(test_epsilon_ends),
        cmocka_unit_test(test_epsilon_shares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
