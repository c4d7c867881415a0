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

/* ---- propensities ---- */

enum { MANY = 6, LIST = 3, LISTS = MANY * (MANY - 1) * (MANY - 2) };

static const float levels[MANY] = {1.0F, 0.5F, 0.5F, 0.0F, -0.1F, -2.0F};

/* A list's number among all lists of LIST of the MANY items, by the letters of its ids. */
static size_t number_of(const char ids[LIST])
{
    size_t a = (size_t)(ids[0] - 'a'), b = (size_t)(ids[1] - 'a'), c = (size_t)(ids[2] - 'a');
    size_t c_left = c - (c > a) - (c > b);
    return (a * (MANY - 1) + b - (b > a)) * (MANY - 2) + c_left;
}

/* Draws a list of the items for one seed; its propensities as the library says them. */
typedef void (*draw_fn)(uint64_t seed, char ids[LIST], double propensity[LIST]);

static int by_order(const void *a, const void *b)
{
    return dq_scored_compare(a, b);
}

static void draw_softmax(uint64_t seed, char ids[LIST], double propensity[LIST])
{
    const double temperature = 0.6;
    dq_scored keyed[MANY], plain[MANY];
    dq_explore_sum rest = {0};
    for (size_t i = 0; i < MANY; i++) {
        dq_rng rng = dq_explore_rng(seed, "user", 4, &"abcdef"[i], 1);
        plain[i] = (dq_scored){levels[i], &"abcdef"[i], 1, i};
        keyed[i] = plain[i];
        keyed[i].score = dq_explore_softmax(levels[i], temperature, &rng);
    }
    qsort(keyed, MANY, sizeof *keyed, by_order);
    qsort(plain, MANY, sizeof *plain, by_order);
    for (size_t i = LIST; i < MANY; i++) dq_explore_sum_add(&rest, (double)plain[i].score / temperature);
    for (size_t i = 0; i < LIST; i++) {
        ids[i] = *keyed[i].id;
        keyed[i].score = levels[keyed[i].tag];
    }
    dq_explore_softmax_propensities(keyed, LIST, plain, LIST, &rest, temperature, propensity);
}

static void draw_epsilon(uint64_t seed, char ids[LIST], double propensity[LIST])
{
    dq_scored random[MANY], plain[MANY];
    const dq_scored *out[LIST];
    for (size_t i = 0; i < MANY; i++) {
        dq_rng rng = dq_explore_rng(seed, "user", 4, &"abcdef"[i], 1);
        plain[i] = (dq_scored){levels[i], &"abcdef"[i], 1, i};
        random[i] = plain[i];
        random[i].score = dq_explore_uniform(&rng);
    }
    qsort(random, MANY, sizeof *random, by_order);
    qsort(plain, MANY, sizeof *plain, by_order);
    dq_rng rng = dq_explore_rng(seed, "user", 4, "", 0);
    assert_int_equal(dq_explore_epsilon(plain, LIST, random, LIST, 0.4, &rng, LIST, out), LIST);
    dq_explore_epsilon_propensities(plain, LIST, MANY, 0.4, out, LIST, propensity);
    for (size_t i = 0; i < LIST; i++) ids[i] = *out[i]->id;
}

/* A list always says the same probability of itself; lists come about as often as they say; and those that
 * came have, together, the whole probability. */
static void lists_come_as_often_as_they_say(draw_fn draw)
{
    static size_t count[LISTS];
    static double said[LISTS];
    enum { TIMES = 200000 };
    double sum = 0, chi = 0;
    size_t cells = 0;
    memset(count, 0, sizeof count);
    memset(said, 0, sizeof said);
    for (uint64_t seed = 0; seed < TIMES; seed++) {
        char ids[LIST];
        double p[LIST], whole = 1;
        draw(seed, ids, p);
        for (size_t i = 0; i < LIST; i++) {
            assert_true(p[i] > 0 && p[i] <= 1);
            whole *= p[i];
        }
        size_t n = number_of(ids);
        assert_true(!count[n] || fabs(said[n] - whole) < 1e-12);
        said[n] = whole;
        count[n]++;
    }
    for (size_t n = 0; n < LISTS; n++) {
        double expected = TIMES * said[n];
        sum += said[n];
        if (!count[n] || expected < 5) continue;
        assert_true(fabs((double)count[n] - expected) < 5 * sqrt(expected) + 1);
        chi += ((double)count[n] - expected) * ((double)count[n] - expected) / expected;
        cells++;
    }
    assert_true(cells > LISTS / 2);
    assert_true(sum > 0.9999 && sum < 1 + 1e-9); /* the rarest lists may not have come */
    assert_true(fabs(chi - (double)cells) < 4 * sqrt(2.0 * (double)cells)); /* chi-squared */
}

static void test_propensities_of_softmax(void **state)
{
    (void)state;
    lists_come_as_often_as_they_say(draw_softmax);
}

static void test_propensities_of_epsilon(void **state)
{
    (void)state;
    lists_come_as_often_as_they_say(draw_epsilon);
}

/* Against the softmax written out, for scores far apart and a list that takes the greatest away first. */
static void test_softmax_propensities_in_full(void **state)
{
    enum { N = 40, K = 12 };
    dq_scored items[N], chosen[K];
    const double temperatures[] = {1e-3, 0.05, 1, 1e3};
    char ids[N];
    (void)state;
    for (size_t t = 0; t < sizeof temperatures / sizeof *temperatures; t++) {
        dq_explore_sum rest = {0};
        double p[K];
        for (size_t i = 0; i < N; i++) {
            ids[i] = (char)('0' + i);
            items[i] = (dq_scored){1 - 0.05F * (float)i, &ids[i], 1, i};
            if (i >= K) dq_explore_sum_add(&rest, (double)items[i].score / temperatures[t]);
        }
        for (size_t i = 0; i < K; i++) chosen[i] = items[i < 8 ? i : 3 * i]; /* four of the rest, too */
        dq_explore_softmax_propensities(chosen, K, items, K, &rest, temperatures[t], p);
        for (size_t place = 0; place < K; place++) {
            double sum = 0;
            for (size_t i = 0; i < N; i++) {
                bool taken = false;
                for (size_t j = 0; j < place; j++) taken |= chosen[j].id == items[i].id;
                if (!taken)
                    sum += exp(((double)items[i].score - (double)chosen[place].score) / temperatures[t]);
            }
            double expected = sum < 1e300 ? 1 / sum : 0;
            assert_true(fabs(p[place] - expected) <= 1e-12 * expected + 1e-300);
        }
    }
}

/* Lists of four members, by hand: the share that agree at a place, of those that agree above it. */
static void test_propensities_of_members(void **state)
{
    (void)state;
    static const char *const ids[4] = {"abc", "abd", "acb", "bac"};
    static const double expected[4][3] = {
        {3.0 / 4, 2.0 / 3, 1.0 / 2}, {3.0 / 4, 2.0 / 3, 1.0 / 2}, {3.0 / 4, 1.0 / 3, 1}, {1.0 / 4, 1, 1}};
    dq_scored items[4][3];
    const dq_scored *lists[4];
    double total = 0;
    for (size_t m = 0; m < 4; m++) {
        for (size_t i = 0; i < 3; i++) items[m][i] = (dq_scored){.id = ids[m] + i, .id_bytes = 1};
        lists[m] = items[m];
    }
    for (size_t m = 0; m < 4; m++) {
        double p[3], whole = 1;
        dq_explore_member_propensities(lists, 4, m, 3, p);
        for (size_t i = 0; i < 3; i++) {
            assert_true(fabs(p[i] - expected[m][i]) < 1e-15);
            whole *= p[i];
        }
        total += whole;
    }
    assert_true(fabs(total - 1) < 1e-15); /* over all lists that there are */
}

static void test_sums_do_not_depend_on_the_order(void **state)
{
    enum { N = 2000 };
    static double x[N];
    dq_rng rng = dq_rng_new(3);
    dq_explore_sum up = {0}, down = {0}, none = {0};
    double log_sum = -INFINITY, most = -INFINITY;
    (void)state;
    for (size_t i = 0; i < N; i++) x[i] = (dq_rng_uniform(&rng) - 0.5) * (i % 2 ? 3000 : 10);
    for (size_t i = 0; i < N; i++) dq_explore_sum_add(&up, x[i]);
    for (size_t i = N; i-- > 0;) dq_explore_sum_add(&down, x[i]);
    assert_int_equal(up.top, down.top);
    assert_memory_equal(up.limbs, down.limbs, sizeof up.limbs);
    for (size_t i = 0; i < N; i++) most = x[i] > most ? x[i] : most;
    log_sum = 0;
    for (size_t i = 0; i < N; i++) log_sum += exp(x[i] - most);
    assert_true(fabs(dq_explore_sum_log(&up) - (most + log(log_sum))) < 1e-9);
    assert_true(dq_explore_sum_log(&none) == -INFINITY);
    dq_explore_sum_add(&none, -700);
    dq_explore_sum_add(&none, -701);
    dq_explore_sum_remove(&none, -700);
    assert_true(fabs(dq_explore_sum_log(&none) + 701) < 1e-12);
    dq_explore_sum_remove(&none, -701);
    assert_true(dq_explore_sum_log(&none) == -INFINITY);
    dq_explore_sum_add(&none, 1e300); /* beyond what is told apart, and still a number */
    assert_true(isfinite(dq_explore_sum_log(&none)));
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
        cmocka_unit_test(test_propensities_of_softmax),
        cmocka_unit_test(test_propensities_of_epsilon),
        cmocka_unit_test(test_softmax_propensities_in_full),
        cmocka_unit_test(test_propensities_of_members),
        cmocka_unit_test(test_sums_do_not_depend_on_the_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
