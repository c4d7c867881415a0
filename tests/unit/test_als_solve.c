/* SPDX-License-Identifier: MIT */
#include "embed/als_solve.h"

#include "core/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#include "../fixtures/als/als.h"
#include "allocations.h"

enum { WIDE = 40, MANY_USERS = 150, MANY_ITEMS = 90, MET = 3000 };

/* Seeded interactions of users and items of 5 groups. */
typedef struct seeded {
    dq_als_entry entries[MET];
    float users[MANY_USERS * WIDE], items[MANY_ITEMS * WIDE];
    dq_als_config config;
} seeded;

static void draw(seeded *s, uint32_t width, dq_als_method solve, uint32_t steps)
{
    dq_rng rng = dq_rng_stream(5, 0);
    for (size_t e = 0; e < MET; e++) {
        uint32_t user = (uint32_t)(dq_rng_uniform(&rng) * MANY_USERS);
        uint32_t item = (uint32_t)(dq_rng_uniform(&rng) * MANY_ITEMS / 5) * 5 + user % 5;
        if (dq_rng_uniform(&rng) < 0.2) item = (uint32_t)(dq_rng_uniform(&rng) * MANY_ITEMS);
        s->entries[e] = (dq_als_entry){user, item, (float)(1 + dq_rng_uniform(&rng) * 4)};
    }
    s->config = (dq_als_config){
        .width = width, .alpha = 10, .lambda = 1, .sweeps = 15, .seed = 2, .solve = solve, .cg_steps = steps};
}

static dq_status fit(seeded *s, unsigned threads)
{
    return dq_als_fit(&s->config, s->entries, MET, s->users, MANY_USERS, s->items, MANY_ITEMS, threads, NULL);
}

static double objective(const seeded *s)
{
    return dq_als_objective(&s->config, s->entries, MET, s->users, MANY_USERS, s->items, MANY_ITEMS);
}

static void to_floats(float *to, const double *from, size_t n)
{
    for (size_t i = 0; i < n; i++) to[i] = (float)from[i];
}

static void assert_near(const float *got, const double *want, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)got[i] - want[i]) < 1e-4 * (1 + fabs(want[i]))))
            fail_msg("%zu: %g, not %g", i, (double)got[i], want[i]);
}

/* Users first, then items from these, two steps a row, nothing allocated meanwhile. */
static void a_sweep_equals_numpy(void **state)
{
    (void)state;
    const dq_als_config config = {
        .width = WIDTH, .alpha = ALPHA, .lambda = LAMBDA, .solve = DQ_ALS_CG, .cg_steps = CG_STEPS};
    dq_als_entry entries[USERS * ITEMS];
    dq_als_rows by_user, by_item;
    dq_als_room room;
    float users[USERS * WIDTH], items[ITEMS * WIDTH];
    size_t n = 0;
    for (uint32_t u = 0; u < USERS; u++)
        for (uint32_t i = 0; i < ITEMS; i++)
            if (WEIGHT[u][i] > 0) entries[n++] = (dq_als_entry){u, i, (float)WEIGHT[u][i]};
    to_floats(users, &BEGIN_USERS[0][0], USERS * WIDTH);
    to_floats(items, &BEGIN_ITEMS[0][0], ITEMS * WIDTH);
    assert_true(dq_als_rows_init(&by_user, entries, n, USERS, false));
    assert_true(dq_als_rows_init(&by_item, entries, n, ITEMS, true));
    assert_true(dq_als_room_init(&room, &config, 1));
    unsigned before = atomic_load(&allocations);
    dq_als_solve(&config, &by_user, items, ITEMS, users, &room);
    dq_als_solve(&config, &by_item, users, USERS, items, &room);
    assert_int_equal(atomic_load(&allocations), before);
    assert_near(users, &CG_USERS[0][0], USERS * WIDTH);
    assert_near(items, &CG_ITEMS[0][0], ITEMS * WIDTH);
    dq_als_room_free(&room);
    dq_als_rows_free(&by_user);
    dq_als_rows_free(&by_item);
}

/* Half a sweep from `items`, by either method. */
static void solve_users(seeded *s, dq_als_method solve, uint32_t steps, const float *items, float *users)
{
    dq_als_rows rows;
    dq_als_room room;
    s->config.solve = solve;
    s->config.cg_steps = steps;
    assert_true(dq_als_rows_init(&rows, s->entries, MET, MANY_USERS, false));
    assert_true(dq_als_room_init(&room, &s->config, 2));
    dq_als_solve(&s->config, &rows, items, MANY_ITEMS, users, &room);
    dq_als_room_free(&room);
    dq_als_rows_free(&rows);
}

/* |cg - exact| / |exact| over all users */
static double distance(const float *cg, const float *exact, size_t n)
{
    double error = 0, length = 0;
    for (size_t i = 0; i < n; i++) {
        error += pow((double)cg[i] - (double)exact[i], 2);
        length += pow((double)exact[i], 2);
    }
    return sqrt(error / length);
}

/* As many steps as a vector has numbers end at the exact solution, and forty more do away with what rounding
 * left of the way; the bounds are als_solve.h's. Zeros begin nearer than noise does. */
static void as_many_steps_as_numbers_are_exact(void **state)
{
    (void)state;
    static seeded s;
    static float items[MANY_ITEMS * WIDE], exact[MANY_USERS * WIDE], cg[MANY_USERS * WIDE];
    for (uint32_t k = 1; k <= WIDE; k += k < 3 ? 1 : 12) {
        draw(&s, k, DQ_ALS_CG, k);
        dq_rng rng = dq_rng_stream(9, k);
        for (size_t i = 0; i < MANY_ITEMS * k; i++) items[i] = (float)dq_rng_normal(&rng);
        solve_users(&s, DQ_ALS_EXACT, 0, items, exact);
        memset(cg, 0, sizeof cg);
        solve_users(&s, DQ_ALS_CG, k, items, cg);
        if (!(distance(cg, exact, MANY_USERS * k) < 1e-3)) fail_msg("width %u: %u steps", k, k);
        for (size_t i = 0; i < MANY_USERS * k; i++) cg[i] = (float)dq_rng_normal(&rng);
        solve_users(&s, DQ_ALS_CG, k + 40, items, cg);
        if (!(distance(cg, exact, MANY_USERS * k) < 1e-4)) fail_msg("width %u: %u steps", k, k + 40);
    }
}

static void no_sweep_and_no_step_lets_the_objective_rise(void **state)
{
    (void)state;
    static seeded s;
    for (uint32_t steps = 1; steps <= 4; steps++) {
        double before = INFINITY;
        for (uint32_t sweeps = 1; sweeps <= 20; sweeps++) {
            draw(&s, 16, DQ_ALS_CG, steps);
            s.config.sweeps = sweeps;
            assert_int_equal(fit(&s, 1), DQ_OK);
            if (!(objective(&s) <= before * (1 + 1e-6))) fail_msg("%u steps, %u sweeps", steps, sweeps);
            before = objective(&s);
        }
    }
}

/* With more meetings a row than numbers in a vector three steps are enough; with fewer it takes more. */
static void few_steps_are_as_good_as_exact(void **state)
{
    (void)state;
    static seeded s;
    for (uint32_t width = 8; width <= 32; width += 24) {
        draw(&s, width, DQ_ALS_EXACT, 0);
        assert_int_equal(fit(&s, 1), DQ_OK);
        double exact = objective(&s);
        draw(&s, width, DQ_ALS_CG, width == 8 ? 3 : 16);
        assert_int_equal(fit(&s, 1), DQ_OK);
        if (!(objective(&s) < 1.01 * exact)) fail_msg("width %u: %g, exact %g", width, objective(&s), exact);
    }
}

static void threads_change_no_bit(void **state)
{
    (void)state;
    static seeded one, three;
    draw(&one, WIDE, DQ_ALS_CG, 3);
    draw(&three, WIDE, DQ_ALS_CG, 3);
    for (size_t i = 0; i < MANY_USERS * WIDE; i++) three.users[i] = 7; /* what was there counts for nothing */
    assert_int_equal(fit(&one, 1), DQ_OK);
    assert_int_equal(fit(&three, 3), DQ_OK);
    assert_memory_equal(one.users, three.users, sizeof one.users);
    assert_memory_equal(one.items, three.items, sizeof one.items);
}

/* Pair by pair, as the definition says. */
static void the_objective_is_its_definition(void **state)
{
    (void)state;
    const dq_als_config config = {.width = WIDTH, .alpha = ALPHA, .lambda = LAMBDA};
    dq_als_entry entries[USERS * ITEMS];
    float users[USERS * WIDTH], items[ITEMS * WIDTH];
    size_t n = 0;
    double want = 0;
    to_floats(users, &BEGIN_USERS[0][0], USERS * WIDTH);
    to_floats(items, &BEGIN_ITEMS[0][0], ITEMS * WIDTH);
    for (size_t i = 0; i < USERS * WIDTH; i++) want += LAMBDA * pow((double)users[i], 2);
    for (size_t i = 0; i < ITEMS * WIDTH; i++) want += LAMBDA * pow((double)items[i], 2);
    for (uint32_t u = 0; u < USERS; u++)
        for (uint32_t i = 0; i < ITEMS; i++) {
            double p = 0, w = WEIGHT[u][i];
            for (size_t j = 0; j < WIDTH; j++)
                p += (double)users[u * WIDTH + j] * (double)items[i * WIDTH + j];
            want += (1 + ALPHA * w) * pow((w > 0) - p, 2);
            if (w > 0) entries[n++] = (dq_als_entry){u, i, (float)w};
        }
    double got = dq_als_objective(&config, entries, n, users, USERS, items, ITEMS);
    if (!(fabs(got - want) < 1e-10 * want)) fail_msg("%.15g, not %.15g", got, want);
}

static void what_float32_cannot_hold_is_an_error(void **state)
{
    (void)state;
    static seeded s;
    draw(&s, 4, DQ_ALS_CG, 3);
    s.config.alpha = 1e9;
    s.entries[0].weight = 1e38F;
    assert_int_equal(fit(&s, 1), DQ_ERR_NUMERIC);
    draw(&s, 4, DQ_ALS_CG, 0);
    assert_int_equal(fit(&s, 1), DQ_ERR_RANGE);
    draw(&s, 4, DQ_ALS_CG, DQ_ALS_WIDTH_MAX + 1);
    assert_int_equal(fit(&s, 1), DQ_ERR_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sweep_equals_numpy),
        cmocka_unit_test(as_many_steps_as_numbers_are_exact),
        cmocka_unit_test(no_sweep_and_no_step_lets_the_objective_rise),
        cmocka_unit_test(few_steps_are_as_good_as_exact),
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(the_objective_is_its_definition),
        cmocka_unit_test(what_float32_cannot_hold_is_an_error),
    };
    return cmocka_run_group_tests_name("als_solve", tests, NULL, NULL);
}
