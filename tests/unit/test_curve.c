/* SPDX-License-Identifier: MIT */
#include "measure/curve.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>

#include <cmocka.h>

#define N ((double)NAN)
#define RUN(a)                                                                                               \
    {                                                                                                        \
        (a), sizeof(a) / sizeof *(a)                                                                         \
    }

static void assert_points(const dq_curve *runs, size_t count, const dq_curve_point *want, size_t points,
                          uint32_t with_any)
{
    dq_curve_mean got;
    assert_int_equal(dq_curve_average(runs, count, &got, NULL), DQ_OK);
    assert_int_equal(got.count, points);
    assert_int_equal(got.runs, with_any);
    for (size_t i = 0; i < points; i++) {
        const dq_curve_point *g = &got.points[i], *w = &want[i];
        bool same = g->at == w->at && fabs(g->mean - w->mean) < 1e-12 && fabs(g->sd - w->sd) < 1e-12 &&
                    g->runs == w->runs && g->stretch == w->stretch;
        if (!same) fail_msg("%zu: %zu %g %g %u %u", i, g->at, g->mean, g->sd, g->runs, g->stretch);
    }
    dq_curve_mean_free(&got);
}

/* Three runs of 4, 4 and 2 points: the shorter was the best, so that the mean falls where it ends, in a new
 * stretch. */
static void a_shorter_run_ends_a_stretch(void **state)
{
    (void)state;
    const double a[] = {1, 2, 3, 4}, b[] = {3, 4, 5, 6}, c[] = {8, 9};
    const dq_curve runs[] = {RUN(a), RUN(b), RUN(c)};
    const dq_curve_point want[] = {
        {0, 4, sqrt(13), 3, 0}, /* 1, 3, 8: 9 + 1 + 16 over 2 */
        {1, 5, sqrt(13), 3, 0},
        {2, 4, sqrt(2), 2, 1},
        {3, 5, sqrt(2), 2, 1},
    };
    assert_points(runs, 3, want, 4, 3);
}

/* Measured at other points, each run counts throughout by its straight lines: no stretch ends. */
static void gaps_are_straight_lines(void **state)
{
    (void)state;
    const double a[] = {N, 0, N, 4, N, 8}, b[] = {N, 10, N, N, 4, N, N};
    const dq_curve runs[] = {RUN(a), RUN(b)};
    const dq_curve_point want[] = {
        {1, 5, sqrt(50), 2, 0}, /* 0, 10 */
        {3, 5, sqrt(2), 2, 0},  /* 4, 6 */
        {4, 5, sqrt(2), 2, 0},  /* 6, 4 */
        {5, 8, 0, 1, 1},        /* b has ended */
    };
    assert_points(runs, 2, want, 4, 2);
}

/* Runs that begin later, one in another's place: as many, but not the same. */
static void the_same_number_of_other_runs_is_another_stretch(void **state)
{
    (void)state;
    const double a[] = {1, 1, N, N}, b[] = {N, N, 5, 5}, c[] = {3, 3, 3, 3};
    const dq_curve runs[] = {RUN(a), RUN(b), RUN(c)};
    const dq_curve_point want[] = {
        {0, 2, sqrt(2), 2, 0}, {1, 2, sqrt(2), 2, 0}, {2, 4, sqrt(2), 2, 1}, {3, 4, sqrt(2), 2, 1}};
    assert_points(runs, 3, want, 4, 3);
}

static void one_run_none_and_nothing(void **state)
{
    (void)state;
    const double a[] = {N, 2, N, 3}, b[] = {N, N};
    const dq_curve runs[] = {RUN(b), RUN(a), {NULL, 0}};
    const dq_curve_point want[] = {{1, 2, 0, 1, 0}, {3, 3, 0, 1, 0}};
    assert_points(runs, 3, want, 2, 1);
    assert_points(runs, 1, NULL, 0, 0);
    assert_points(NULL, 0, NULL, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shorter_run_ends_a_stretch),
        cmocka_unit_test(gaps_are_straight_lines),
        cmocka_unit_test(the_same_number_of_other_runs_is_another_stretch),
        cmocka_unit_test(one_run_none_and_nothing),
    };
    return cmocka_run_group_tests_name("curve", tests, NULL, NULL);
}
