/* SPDX-License-Identifier: MIT
 *
 * Numbers as people type them.
 */
#include "core/words/number.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void whole(void **state)
{
    (void)state;
    static const char *const numbers[] = {"0",  "7",   "-3",   "+4",     "0.5", ".5",
                                          "5.", "1e3", "1E-3", "2.5e+2", "-0",  "1e-999"};
    static const char *const others[] = {"",    " 1",   "1 ",  "x",     "0x10",  "1x",   "nan",
                                         "inf", "-inf", "1e",  "1e+",   "1e999", ".",    "-",
                                         "+.",  "--1",  "1,5", "0X1p3", "e5",    "1.2.3"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        double value = NAN;
        assert_true(dq_number_is(numbers[i], &value));
        assert_true(value == strtod(numbers[i], NULL));
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        double value;
        if (dq_number_is(others[i], &value)) fail_msg("'%s' is taken as %g", others[i], value);
    }
}

static void beginnings(void **state)
{
    (void)state;
    double value;
    const char *text = "1.5:2";
    assert_ptr_equal(dq_number_begin(text, &value), text + 3);
    assert_true(value == 1.5);
    text = "1e,2"; /* no exponent, so the number is 1 */
    assert_ptr_equal(dq_number_begin(text, &value), text + 1);
    assert_true(value == 1);
    text = "0x10";
    assert_ptr_equal(dq_number_begin(text, &value), text + 1);
    assert_true(value == 0);
    assert_null(dq_number_begin(":2", &value));
    assert_null(dq_number_begin(" 2", &value));
}

/* What is printed to be read back is read back. */
static void printed(void **state)
{
    (void)state;
    const double values[] = {DBL_MAX, -DBL_MAX, DBL_MIN, 5e-324, 1.0 / 3, 1e15 + 0.3, 0.1};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[64];
        double back;
        (void)snprintf(text, sizeof text, "%.17g", values[i]);
        assert_true(dq_number_is(text, &back));
        assert_true(back == values[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),
        cmocka_unit_test(beginnings),
        cmocka_unit_test(printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
