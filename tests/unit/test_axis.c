/* SPDX-License-Identifier: MIT
 *
 * How far axes go, where their ticks are, what these say.
 */
#include "plot/axis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const dq_plot_axis share = {.min = 0, .max = 1};

static dq_plot_axis any(void)
{
    return DQ_PLOT_AXIS;
}

static void an_axis_ends_at_its_bounds(void **state)
{
    (void)state;
    dq_plot_scale s = dq_plot_scale_for(&share, (dq_plot_range){0.1, 1.2}, 5, false);
    assert_true(s.low == 0 && s.high == 1);
    assert_true(s.ticks[0] == 0 && s.ticks[s.count - 1] == 1);
    s = dq_plot_scale_for(&share, (dq_plot_range){0.92, 0.99}, 5, false); /* no need to show all of it */
    assert_true(s.low > 0.9 && s.low < 0.92 && s.high > 0.99 && s.high <= 1);
    s = dq_plot_scale_for(&share, (dq_plot_range){1, 1}, 5, false);
    assert_true(s.low < 1 && s.high == 1);
    dq_plot_axis axis = any();
    s = dq_plot_scale_for(&axis, (dq_plot_range){0.1, 1.2}, 5, false);
    assert_true(s.high > 1.2);
    axis = share;
    axis.full = true;
    s = dq_plot_scale_for(&axis, (dq_plot_range){0.92, 0.99}, 5, false);
    assert_true(s.low == 0 && s.high == 1 && s.ticks[0] == 0 && s.ticks[s.count - 1] == 1);
    axis.max = (double)NAN; /* full of what has no end */
    s = dq_plot_scale_for(&axis, (dq_plot_range){5, 9}, 5, true);
    assert_true(s.low == 5 && s.high == 9);
}

/* What is not negative does not look so, and bars stand on 0. */
static void zero_is_an_end(void **state)
{
    (void)state;
    dq_plot_axis axis = any();
    dq_plot_scale s = dq_plot_scale_for(&axis, (dq_plot_range){0, 10}, 5, false);
    assert_true(s.low == 0);
    s = dq_plot_scale_for(&axis, (dq_plot_range){1, 10}, 5, false);
    assert_true(s.low == 0);
    s = dq_plot_scale_for(&axis, (dq_plot_range){-10, 0}, 5, false);
    assert_true(s.high == 0);
    s = dq_plot_scale_for(&axis, (dq_plot_range){9, 10}, 5, false);
    assert_true(s.low > 8.9 && s.low < 9);
    axis.zero = true;
    s = dq_plot_scale_for(&axis, (dq_plot_range){9, 10}, 5, false);
    assert_true(s.low == 0);
}

static void ticks_are_round_and_within(void **state)
{
    (void)state;
    dq_plot_axis axis = any();
    static const dq_plot_range ranges[] = {{0, 1}, {-3, 7}, {1e-6, 3e-6}, {-1e9, 4e8},
                                           {5, 5}, {0, 0},  {2, 3000}};
    for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++)
        for (unsigned wanted = 2; wanted < 9; wanted++) {
            dq_plot_scale s = dq_plot_scale_for(&axis, ranges[r], wanted, false);
            assert_true(s.low < s.high && s.count >= 1 && s.count <= DQ_PLOT_TICKS);
            double first = s.step / pow(10, floor(log10(s.step) + 1e-9));
            assert_true(fabs(first - 1) < 1e-9 || fabs(first - 2) < 1e-9 || fabs(first - 5) < 1e-9);
            for (size_t i = 0; i < s.count; i++) {
                assert_true(s.ticks[i] >= s.low - 1e-9 * s.step && s.ticks[i] <= s.high + 1e-9 * s.step);
                assert_true(i == 0 || fabs(s.ticks[i] - s.ticks[i - 1] - s.step) < 1e-9 * s.step + 1e-300);
            }
        }
}

static void whole_numbers_have_no_ticks_between_them(void **state)
{
    (void)state;
    dq_plot_axis axis = any();
    axis.whole = true;
    dq_plot_scale s = dq_plot_scale_for(&axis, (dq_plot_range){1, 3}, 8, true);
    assert_int_equal(s.count, 3);
    assert_true(s.low == 1 && s.high == 3 && s.ticks[1] == 2);
}

static void logarithmic_axes_have_ticks_of_1_2_and_5(void **state)
{
    (void)state;
    dq_plot_axis axis = any();
    axis.log = true;
    dq_plot_scale s = dq_plot_scale_for(&axis, (dq_plot_range){14, 800}, 5, false);
    static const double want[] = {10, 20, 50, 100, 200, 500, 1000};
    assert_true(s.low == 10 && s.high == 1000);
    assert_int_equal(s.count, 7);
    for (size_t i = 0; i < 7; i++) assert_true(fabs(s.ticks[i] - want[i]) < 1e-9 * want[i]);
    s = dq_plot_scale_for(&axis, (dq_plot_range){3e-4, 2e4}, 5, false);
    assert_true(s.low == 1e-4 && s.high == 1e5);
    axis.min = 1;
    s = dq_plot_scale_for(&axis, (dq_plot_range){-5, 90}, 5, false);
    assert_true(s.low == 1 && s.high == 100);
}

static void assert_tick(dq_plot_range range, double value, const char *want)
{
    char text[40];
    dq_plot_axis axis = any();
    const dq_plot_scale s = dq_plot_scale_for(&axis, range, 5, false);
    dq_plot_tick_text(&s, value, text);
    assert_string_equal(text, want);
}

static void ticks_say_what_tells_them_apart(void **state)
{
    (void)state;
    assert_tick((dq_plot_range){0, 1}, 0.2, "0.2");
    assert_tick((dq_plot_range){0, 1}, 1, "1.0");
    assert_tick((dq_plot_range){0, 1}, 0, "0");
    assert_tick((dq_plot_range){0, 0.2}, 0.05, "0.05");
    assert_tick((dq_plot_range){-1, 1}, -0.5, "\u22120.5");
    assert_tick((dq_plot_range){0, 90}, 20, "20");
    assert_tick((dq_plot_range){0, 20000}, 5000, "5000");
    assert_tick((dq_plot_range){0, 400000}, 100000, "100k");
    assert_tick((dq_plot_range){0, 2e6}, 500000, "0.5M");
    assert_tick((dq_plot_range){-3e9, 0}, -1e9, "\u22121G");
    assert_tick((dq_plot_range){0, 5e-6}, 2e-6, "2×10⁻⁶");
    assert_tick((dq_plot_range){0, 5e15}, 2e15, "2×10¹⁵");
}

static void numbers_of_a_table_have_their_decimals_in_common(void **state)
{
    (void)state;
    char text[40];
    assert_int_equal(dq_plot_decimals(1.73, false, 3), 2);
    assert_int_equal(dq_plot_decimals(0.017, false, 3), 4);
    assert_int_equal(dq_plot_decimals(-1234.5, false, 3), 0);
    assert_int_equal(dq_plot_decimals(17, true, 3), 0);
    dq_plot_number_text(-0.004, 2, text);
    assert_string_equal(text, "0.00"); /* no minus before nothing */
    dq_plot_number_text(-0.016, 2, text);
    assert_string_equal(text, "\u22120.02");
    dq_plot_number_text(3e15, 0, text);
    assert_string_equal(text, "3×10¹⁵");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_axis_ends_at_its_bounds),
        cmocka_unit_test(zero_is_an_end),
        cmocka_unit_test(ticks_are_round_and_within),
        cmocka_unit_test(whole_numbers_have_no_ticks_between_them),
        cmocka_unit_test(logarithmic_axes_have_ticks_of_1_2_and_5),
        cmocka_unit_test(ticks_say_what_tells_them_apart),
        cmocka_unit_test(numbers_of_a_table_have_their_decimals_in_common),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
