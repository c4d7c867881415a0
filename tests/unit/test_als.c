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
    w.count = 1;
    w.entries[0].weight = -1;
    assert_int_equal(fit(&w), DQ_ERR_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_numpy),
        cmocka_unit_test(descends_to_a_stationary_point),
        cmocka_unit_test(neither_order_nor_threads_matter),
        cmocka_unit_test(weights_add_up),
        cmocka_unit_test(bad_input_is_an_error),
    };
    return cmocka_run_group_tests_name("als", tests, NULL, NULL);
}
