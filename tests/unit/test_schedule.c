/* SPDX-License-Identifier: MIT */
#include "learn/schedule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void near(double got, double wanted, double within)
{
    assert_true(fabs(got - wanted) <= within);
}

static double rate(const char *name, uint64_t step)
{
    return dq_schedule_rate(dq_schedule_find(name), 2.0, step, 1000);
}

static void constant_stays(void **state)
{
    (void)state;
    near(rate("constant", 0), 2, 0);
    near(rate("constant", 999), 2, 0);
}

static void one_cycle_rises_and_falls_to_zero(void **state)
{
    (void)state;
    near(rate("one-cycle", 0), 0.08, 1e-12);
    near(rate("one-cycle", 25), 1.04, 1e-12); /* half of the way up */
    near(rate("one-cycle", 50), 2, 1e-12);
    near(rate("one-cycle", 525), 1, 1e-12); /* half of the way down */
    near(rate("one-cycle", 999), 2 * 0.001 / 0.95, 1e-12);
    for (uint64_t i = 1; i <= 50; i++) assert_true(rate("one-cycle", i) > rate("one-cycle", i - 1));
    for (uint64_t i = 51; i < 1000; i++) assert_true(rate("one-cycle", i) < rate("one-cycle", i - 1));
}

static void the_others_fall(void **state)
{
    (void)state;
    near(rate("linear", 0), 2, 0);
    near(rate("linear", 250), 1.5, 1e-12);
    near(rate("cosine", 0), 2, 0);
    near(rate("cosine", 500), 1, 1e-12);
    near(rate("cosine", 250), 1 + 0.70710678118654752, 1e-12);
}

static void every_entry_stays_in_range(void **state)
{
    (void)state;
    for (const dq_schedule *s = dq_schedules; s->name; s++)
        for (uint64_t i = 0; i < 2000; i++) {
            double r = dq_schedule_rate(s, 1, i, 1000);
            assert_true(r > 0 && r <= 1);
            if (i >= 1000) near(r, dq_schedule_rate(s, 1, 999, 1000), 0);
        }
    assert_null(dq_schedule_find("steep"));
    near(dq_schedule_rate(&dq_schedules[1], 3, 7, 0), 3, 0);
}

/* 1.0 falls below 0.01 after 919 learning steps at 0.995, and stays there. */
static void epsilon_decays_to_its_least(void **state)
{
    (void)state;
    double epsilon = 1;
    int steps = 0;
    for (; epsilon > 0.01; steps++) epsilon = dq_epsilon_next(epsilon, 0.995, 0.01);
    assert_int_equal(steps, 919);
    near(dq_epsilon_next(epsilon, 0.995, 0.01), 0.01, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_stays),
        cmocka_unit_test(one_cycle_rises_and_falls_to_zero),
        cmocka_unit_test(the_others_fall),
        cmocka_unit_test(every_entry_stays_in_range),
        cmocka_unit_test(epsilon_decays_to_its_least),
    };
    return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
