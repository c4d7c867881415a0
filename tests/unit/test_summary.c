/* SPDX-License-Identifier: MIT */
#include "measure/summary.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const dq_compare_config config = {.resamples = 200, .confidence = 0.95, .seed = 3};

/* By hand; 2, 4, 9: squares about 5 are 9 + 1 + 16 over 2. The comparison is dq_compare_runs' own. */
static void each_run_and_how_it_differs(void **state)
{
    (void)state;
    const double values[2][3] = {{1, 1, 1}, {2, 4, 9}};
    dq_summary s[2];
    assert_int_equal(dq_summarise_runs(values[0], 2, 3, &config, s, NULL), DQ_OK);
    assert_true(s[0].mean == 1 && s[0].sd == 0 && s[0].min == 1 && s[0].max == 1);
    assert_true(s[0].compared.interval.low == 1 && s[0].compared.interval.high == 1);
    assert_true(s[0].compared.difference == 0);
    assert_true(fabs(s[1].mean - 5) < 1e-12 && fabs(s[1].sd - sqrt(13)) < 1e-12);
    assert_true(s[1].min == 2 && s[1].max == 9);
    assert_true(fabs(s[1].compared.difference - 4) < 1e-12);
    assert_true(fabs(s[1].compared.p - 0.25) < 1e-12); /* 1, 3, 8 of one sign: 2 of the 8 */
    assert_true(s[1].compared.difference_interval.low >= 1 && s[1].compared.difference_interval.high <= 8);
}

static void one_query_has_no_spread(void **state)
{
    (void)state;
    const double value = -2;
    dq_summary s;
    assert_int_equal(dq_summarise_runs(&value, 1, 1, &config, &s, NULL), DQ_OK);
    assert_true(s.mean == -2 && s.sd == 0 && s.min == -2 && s.max == -2);
    assert_int_equal(dq_summarise_runs(&value, 1, 0, &config, &s, NULL), DQ_ERR_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_run_and_how_it_differs),
        cmocka_unit_test(one_query_has_no_spread),
    };
    return cmocka_run_group_tests_name("summary", tests, NULL, NULL);
}
