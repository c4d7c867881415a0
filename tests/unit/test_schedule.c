/* SPDX-License-Identifier: MIT */
#include "math/schedule.h"

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
    return dq_schedule_rate(dq_schedule_find(name), 2.0, (double)step / 1000, 0.25);
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
    near(rate("exponential", 0), 2, 0);
    near(rate("exponential", 500), 1, 1e-12); /* 2 * 0.25^(1/2) */
}

/* At the end of the run, whatever it is told. */
static void they_end_with_the_run(void **state)
{
    (void)state;
    near(rate("constant", 1000), 2, 0);
    near(rate("one-cycle", 1000), 0, 1e-12);
    near(rate("linear", 1000), 0, 0);
    near(rate("cosine", 1000), 0, 1e-12);
    near(rate("exponential", 1000), 0.5, 1e-12);
    for (const dq_schedule *s = dq_schedules; s->name; s++) near(rate(s->name, 5000), rate(s->name, 1000), 0);
}

static void every_entry_stays_in_range(void **state)
{
    (void)state;
    for (const dq_schedule *s = dq_schedules; s->name; s++)
        for (uint64_t i = 0; i < 1000; i++) {
            double r = dq_schedule_rate(s, 1, (double)i / 1000, 0.1);
            assert_true(r > 0 && r <= 1);
        }
    assert_null(dq_schedule_find("steep"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_stays),        cmocka_unit_test(one_cycle_rises_and_falls_to_zero),
        cmocka_unit_test(the_others_fall),       cmocka_unit_test(every_entry_stays_in_range),
        cmocka_unit_test(they_end_with_the_run),
    };
    return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
