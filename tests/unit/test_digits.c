/* SPDX-License-Identifier: MIT
 *
 * Eight digits at once, both ways, and what is no digit.
 */
#include "core/digits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void goes_both_ways(uint32_t number)
{
    char expected[DQ_DIGITS + 1], text[DQ_DIGITS];
    uint32_t back;
    (void)snprintf(expected, sizeof expected, "%08u", number);
    const unsigned zeros = dq_digits_write(text, number);
    assert_memory_equal(text, expected, DQ_DIGITS);
    for (unsigned i = 0; i < zeros; i++) assert_int_equal(text[i], '0');
    assert_true(zeros == DQ_DIGITS ? !number : text[zeros] != '0');
    assert_true(dq_digits_read(expected, &back));
    assert_int_equal(back, number);
}

static void test_numbers(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < 20000; n++) goes_both_ways(n);
    for (uint32_t n = 20000; n < DQ_DIGITS_UNIT; n += 9973) goes_both_ways(n);
    for (uint32_t n = 1; n <= DQ_DIGITS_UNIT; n *= 10) goes_both_ways(n - 1);
    goes_both_ways(12345678);
}

static void test_other_bytes(void **state)
{
    (void)state;
    for (size_t at = 0; at < DQ_DIGITS; at++)
        for (int byte = 0; byte < 256; byte++) {
            char text[] = "90817263";
            uint32_t number;
            text[at] = (char)byte;
            assert_int_equal(dq_digits_read(text, &number), byte >= '0' && byte <= '9');
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_numbers), cmocka_unit_test(test_other_bytes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
