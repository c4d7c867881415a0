/* SPDX-License-Identifier: MIT
 *
 * Distributions against published tables (Student's t: Fisher and Yates 1963, table III), closed forms, and
 * values computed with 30 digits (mpmath's betainc and erfinv).
 */
#include "math/special.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool near(double a, double b, double relative)
{
    return fabs(a - b) <= relative * fabs(b);
}

static void beta_known(void **state)
{
    (void)state;
    static const double known[][4] = {
        {0.5, 0.5, 0.25, 1.0 / 3},           {2, 3, 0.4, 0.5248},  {10, 0.5, 0.9, 0.15164090963470992},
        {50, 60, 0.45, 0.46423529143060354}, {100, 100, 0.5, 0.5}, {0.5, 20, 0.01, 0.47136993548501556},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        assert_true(near(dq_beta_regularised(known[i][0], known[i][1], known[i][2]), known[i][3], 1e-12));
    for (double a = 0.5; a < 40; a *= 1.7) /* I_x(a, 1) = x^a, and I_x(a, b) = 1 - I_(1 - x)(b, a) */
        for (double x = 0.05; x < 1; x += 0.1) {
            assert_true(near(dq_beta_regularised(a, 1, x), pow(x, a), 1e-13));
            assert_true(fabs(dq_beta_regularised(a, 2.5, x) + dq_beta_regularised(2.5, a, 1 - x) - 1) <
                        1e-13);
        }
    assert_true(dq_beta_regularised(2, 3, -1) == 0 && dq_beta_regularised(2, 3, 1) == 1);
}

static void student_known(void **state)
{
    (void)state;
    static const double known[][3] = {
        {0.975, 1, 12.706204736174705},  {0.95, 2, 2.9199855803537257},   {0.9, 3, 1.6377443536962101},
        {0.975, 5, 2.5705818356363155},  {0.995, 10, 3.1692726726169512}, {0.6, 7, 0.26316686135202281},
        {0.999, 30, 3.3851848668293051}, {0.9, 100, 1.290074761346516},   {0.9995, 4, 8.6103015813792751},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        assert_true(near(dq_student_quantile(known[i][0], known[i][1]), known[i][2], 1e-12));
        assert_true(near(dq_student_quantile(1 - known[i][0], known[i][1]), -known[i][2], 1e-12));
    }
    assert_true(dq_student_quantile(0.5, 3) == 0);
    assert_true(isnan(dq_student_quantile(0, 3)) && isnan(dq_student_quantile(1, 3)) &&
                isnan(dq_student_quantile(0.3, 0)));
}

/* With 1 degree of freedom tan, with 2 a square root; far into the tails. */
static void student_closed(void **state)
{
    (void)state;
    for (double tail = 0.4; tail > 1e-9; tail /= 3) {
        double two = (1 - 2 * tail) * sqrt(2 / (4 * tail * (1 - tail)));
        assert_true(near(dq_student_quantile(tail, 1), -1 / tan(M_PI * tail), 1e-12));
        assert_true(near(dq_student_quantile(tail, 2), -two, 1e-12));
    }
}

/* The expansion for many degrees of freedom goes on where the inversion ends. */
static void student_many(void **state)
{
    (void)state;
    for (double p = 0.55; p < 0.9999; p += 0.03) {
        double below = dq_student_quantile(p, 1000), above = dq_student_quantile(p, 1000.0000001);
        assert_true(near(above, below, 5e-12));
        assert_true(near(dq_student_quantile(p, 1e12), dq_normal_quantile(p), 1e-11));
    }
    for (double n = 1; n < 1e4; n *= 3) /* what it inverts */
        assert_true(near(dq_student_two_sided(dq_student_quantile(0.975, n), n), 0.05, 1e-11));
}

static void normal_known(void **state)
{
    (void)state;
    static const double known[][2] = {
        {0.6, 0.2533471031357998},    {0.975, 1.9599639845400542},  {0.995, 2.5758293035489008},
        {0.001, -3.0902323061678135}, {1e-10, -6.3613409024040562}, {0.9999999, 5.1993375821928169},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        assert_true(near(dq_normal_quantile(known[i][0]), known[i][1], 1e-10));
    for (double p = 1e-300; p < 1; p *= 7) /* P(Z <= z) is erfc(-z / sqrt(2)) / 2 */
        assert_true(near(erfc(-dq_normal_quantile(p) * M_SQRT1_2) / 2, p, 1e-13 * (1 + fabs(log(p)))));
    assert_true(dq_normal_quantile(0.5) == 0 && isnan(dq_normal_quantile(0)) && isnan(dq_normal_quantile(1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beta_known),   cmocka_unit_test(student_known), cmocka_unit_test(student_closed),
        cmocka_unit_test(student_many), cmocka_unit_test(normal_known),
    };
    return cmocka_run_group_tests_name("special", tests, NULL, NULL);
}
