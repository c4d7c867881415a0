/* SPDX-License-Identifier: MIT */
#include "embed/als.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#include "../fixtures/als/als.h"

enum { ENTRIES_MAX = USERS * ITEMS };

typedef struct world {
    unsigned threads;
    dq_als_entry entries[ENTRIES_MAX];
    size_t count;
    float users[USERS * WIDTH], items[ITEMS * WIDTH];
    dq_als_config config;
} world;

static void start(world *w, unsigned threads)
{
    memset(w, 0, sizeof *w);
    w->config = (dq_als_config){.width = WIDTH, .alpha = ALPHA, .lambda = LAMBDA, .sweeps = 400, .seed = 3};
    w->threads = threads;
    for (uint32_t u = 0; u < USERS; u++)
        for (uint32_t i = 0; i < ITEMS; i++)
            if (WEIGHT[u][i] > 0) w->entries[w->count++] = (dq_als_entry){u, i, (float)WEIGHT[u][i]};
}

static dq_status fit(world *w)
{
    return dq_als_fit(&w->config, w->entries, w->count, w->users, USERS, w->items, ITEMS, w->threads, NULL);
}

static double objective(const world *w)
{
    return dq_als_objective(&w->config, w->entries, w->count, w->users, USERS, w->items, ITEMS);
}

/* NumPy's best of several beginnings: ours, of several seeds, is as good and predicts the same. */
static void equals_numpy(void **state)
{
    (void)state;
    world w, best;
    double least = INFINITY;
    for (uint64_t seed = 0; seed < 8; seed++) {
        start(&w, 1);
        w.config.seed = seed;
        assert_int_equal(fit(&w), DQ_OK);
        if (objective(&w) >= least) continue;
        least = objective(&w);
        best = w;
    }
    assert_true(fabs(least - OBJECTIVE) < 1e-4);
    for (size_t u = 0; u < USERS; u++)
        for (size_t i = 0; i < ITEMS; i++) {
            double y = 0;
            for (size_t k = 0; k < WIDTH; k++)
                y += (double)(best.users[u * WIDTH + k] * best.items[i * WIDTH + k]);
            assert_true(fabs(y - PREDICTED[u][i]) < 1e-3);
        }
}

/* The objective never rises, and its gradient is nothing where the sweeps end. */
static void descends_to_a_stationary_point(void **state)
{
    (void)state;
    double before = INFINITY;
    world w;
    for (uint32_t sweeps = 1; sweeps < 20; sweeps++) {
        start(&w, 1);
        w.config.sweeps = sweeps;
        assert_int_equal(fit(&w), DQ_OK);
        assert_true(objective(&w) <= before + 1e-5);
        before = objective(&w);
    }
    start(&w, 1);
    assert_int_equal(fit(&w), DQ_OK);
    for (size_t i = 0; i < USERS * WIDTH; i++) {
        const float h = 1e-3F, x = w.users[i];
        w.users[i] = x + h;
        double up = objective(&w);
        w.users[i] = x - h;
        double down = objective(&w);
        w.users[i] = x;
        assert_true(fabs(up - down) / (2 * (double)h) < 0.02);
    }
}

static void neither_order_nor_threads_matter(void **state)
{
    (void)state;
    world a, b;
    start(&a, 1);
    start(&b, 3);
    for (size_t i = 0; i < b.count / 2; i++) {
        dq_als_entry swap = b.entries[i];
        b.entries[i] = b.entries[b.count - 1 - i];
        b.entries[b.count - 1 - i] = swap;
    }
    assert_int_equal(fit(&a), DQ_OK);
    assert_int_equal(fit(&b), DQ_OK);
    assert_memory_equal(a.users, b.users, sizeof a.users);
    assert_memory_equal(a.items, b.items, sizeof a.items);
}

/* Equal pairs add up, those without a positive weight are nothing, and who met nothing has no vector. */
static void weights_add_up(void **state)
{
    (void)state;
    world a, b;
    const float zeros[WIDTH] = {0};
    start(&a, 1);
    start(&b, 1);
    b.count = 0;
    for (size_t i = 0; i < a.count && b.count + 2 < ENTRIES_MAX; i++) {
        b.entries[b.count++] = a.entries[i];
        if (a.entries[i].weight != 3) continue;
        b.entries[b.count - 1].weight = 2;
        b.entries[b.count++] = (dq_als_entry){a.entries[i].user, a.entries[i].item, 1};
    }
    b.entries[b.count++] = (dq_als_entry){4, 2, 0};
    b.entries[b.count++] = (dq_als_entry){4, 3, -1};
    assert_int_equal(fit(&a), DQ_OK);
    assert_int_equal(fit(&b), DQ_OK);
    assert_memory_equal(a.users, b.users, sizeof a.users);
    assert_memory_equal(a.users + 4 * WIDTH, zeros, sizeof zeros);
}

/* The entries of a table (n, width) of weights, its rows being users, or items. */
static size_t entries_of(dq_als_entry *entries, const double *table, uint32_t n, uint32_t width, bool items)
{
    size_t count = 0;
    for (uint32_t r = 0; r < n; r++)
        for (uint32_t c = 0; c < width; c++) {
            float w = (float)table[r * width + c];
            if (w > 0) entries[count++] = items ? (dq_als_entry){c, r, w} : (dq_als_entry){r, c, w};
        }
    return count;
}

static void to_floats(float *to, const double *from, size_t n)
{
    for (size_t i = 0; i < n; i++) to[i] = (float)from[i];
}

static void assert_near(const float *got, const double *want, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)got[i] - want[i]) < 1e-5)) fail_msg("%zu: %g, not %g", i, (double)got[i], want[i]);
}

/* Newcomers get what NumPy solves for, and one who met nothing gets nothing. */
static void folds_in_as_numpy(void **state)
{
    (void)state;
    const dq_als_config config = {.width = WIDTH, .alpha = ALPHA, .lambda = LAMBDA};
    dq_als_entry entries[NEW * USERS];
    float users[USERS * WIDTH], items[ITEMS * WIDTH], folded[NEW * WIDTH];
    to_floats(users, &FITTED_USERS[0][0], USERS * WIDTH);
    to_floats(items, &FITTED_ITEMS[0][0], ITEMS * WIDTH);
    for (unsigned threads = 1; threads <= 3; threads++) {
        size_t n = entries_of(entries, &NEW_USERS[0][0], NEW, ITEMS, false);
        memset(folded, 1, sizeof folded);
        assert_int_equal(dq_als_fold_users(&config, entries, n, folded, NEW, items, ITEMS, threads, NULL),
                         DQ_OK);
        assert_near(folded, &FOLDED_USERS[0][0], NEW * WIDTH);
        n = entries_of(entries, &NEW_ITEMS[0][0], NEW, USERS, true);
        memset(folded, 1, sizeof folded);
        assert_int_equal(dq_als_fold_items(&config, entries, n, users, USERS, folded, NEW, threads, NULL),
                         DQ_OK);
        assert_near(folded, &FOLDED_ITEMS[0][0], NEW * WIDTH);
    }
}

/* Folded in, one who was fitted gets the vector that the fit gave last: users from the items of one sweep
 * before, items from the last users. Alone, as with all others. */
static void folding_is_half_a_sweep(void **state)
{
    (void)state;
    world before, last;
    float users[USERS * WIDTH], items[ITEMS * WIDTH], one[WIDTH];
    dq_als_entry of_one[ITEMS];
    size_t n = 0;
    start(&before, 1);
    start(&last, 1);
    before.config.sweeps = 6;
    last.config.sweeps = 7;
    assert_int_equal(fit(&before), DQ_OK);
    assert_int_equal(fit(&last), DQ_OK);
    assert_int_equal(
        dq_als_fold_users(&last.config, last.entries, last.count, users, USERS, before.items, ITEMS, 2, NULL),
        DQ_OK);
    assert_int_equal(
        dq_als_fold_items(&last.config, last.entries, last.count, last.users, USERS, items, ITEMS, 2, NULL),
        DQ_OK);
    assert_memory_equal(users, last.users, sizeof users);
    assert_memory_equal(items, last.items, sizeof items);
    for (uint32_t u = 0; u < USERS; u++, n = 0) {
        for (size_t e = 0; e < last.count; e++)
            if (last.entries[e].user == u)
                of_one[n++] = (dq_als_entry){0, last.entries[e].item, last.entries[e].weight};
        assert_int_equal(dq_als_fold_users(&last.config, of_one, n, one, 1, before.items, ITEMS, 1, NULL),
                         DQ_OK);
        for (size_t k = 0; k < WIDTH; k++)
            assert_true(fabs((double)(one[k] - last.users[u * WIDTH + k])) < 1e-5);
    }
}

static void bad_input_is_an_error(void **state)
{
    (void)state;
    world w;
    start(&w, 1);
    w.config.width = 0;
    assert_int_equal(fit(&w), DQ_ERR_RANGE);
    w.config.width = DQ_ALS_WIDTH_MAX + 1;
    assert_int_equal(fit(&w), DQ_ERR_RANGE);
    w.config.width = WIDTH;
    w.config.lambda = 0;
    assert_int_equal(fit(&w), DQ_ERR_RANGE);
    w.config.lambda = LAMBDA;
    w.entries[0].item = ITEMS;
    assert_int_equal(fit(&w), DQ_ERR_RANGE);
    w.entries[0].item = 0;
    w.entries[0].weight = NAN;
    assert_int_equal(fit(&w), DQ_ERR_NUMERIC);
    assert_int_equal(
        dq_als_fold_users(&w.config, w.entries, w.count, w.users, USERS, w.items, ITEMS, 1, NULL),
        DQ_ERR_NUMERIC);
    w.count = 1;
    w.entries[0].weight = -1;
    assert_int_equal(fit(&w), DQ_ERR_RANGE);
    assert_int_equal(dq_als_fold_users(&w.config, w.entries, 1, w.users, USERS, w.items, ITEMS, 1, NULL),
                     DQ_OK);
    assert_int_equal(dq_als_fold_items(&w.config, w.entries, 1, w.users, 0, w.items, ITEMS, 1, NULL),
                     DQ_ERR_RANGE);
    assert_int_equal(dq_als_fold_items(&w.config, w.entries, 1, w.users, USERS, w.items, ITEMS, 0, NULL),
                     DQ_ERR_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_numpy),
        cmocka_unit_test(descends_to_a_stationary_point),
        cmocka_unit_test(neither_order_nor_threads_matter),
        cmocka_unit_test(weights_add_up),
        cmocka_unit_test(folds_in_as_numpy),
        cmocka_unit_test(folding_is_half_a_sweep),
        cmocka_unit_test(bad_input_is_an_error),
    };
    return cmocka_run_group_tests_name("als", tests, NULL, NULL);
}
