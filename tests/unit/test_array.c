/* SPDX-License-Identifier: MIT */
#include "core/array.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* The address sanitizer ends a program that asks for too much, unless told to answer as malloc does. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void test_grows_and_keeps(void **state)
{
    (void)state;
    uint32_t *at = NULL;
    size_t capacity = 0, grown = 0;
    for (uint32_t i = 0; i < 100000; i++) {
        size_t before = capacity;
        assert_true(dq_array_reserve(&at, &capacity, (size_t)i + 1, sizeof *at));
        assert_true(capacity > i);
        grown += capacity != before;
        at[i] = i;
    }
    for (uint32_t i = 0; i < 100000; i++) assert_int_equal(at[i], i);
    assert_true(grown < 20); /* by doubling, not one by one */
    free(at);
}

static void test_no_more_than_needed(void **state)
{
    (void)state;
    char *at = NULL;
    size_t capacity = 0;
    assert_true(dq_array_reserve(&at, &capacity, 1000, 1));
    assert_int_equal(capacity, 1000);
    char *same = at;
    assert_true(dq_array_reserve(&at, &capacity, 1000, 1));
    assert_ptr_equal(at, same);
    assert_int_equal(capacity, 1000);
    assert_true(dq_array_reserve(&at, &capacity, 1001, 1));
    assert_int_equal(capacity, 2000);
    assert_true(dq_array_reserve(&at, &capacity, 5000, 1));
    assert_int_equal(capacity, 5000);
    free(at);
}

static void test_refusals_change_nothing(void **state)
{
    (void)state;
    double *at = NULL;
    size_t capacity = 0;
    assert_true(dq_array_reserve(&at, &capacity, 20, sizeof *at));
    at[19] = 0.5;
    double *before = at;
    assert_false(dq_array_reserve(&at, &capacity, SIZE_MAX, sizeof *at)); /* 8 times that wraps around */
    assert_false(dq_array_reserve(&at, &capacity, SIZE_MAX / 8 + 1, sizeof *at)); /* to exactly 0 */
    assert_false(dq_array_reserve(&at, &capacity, PTRDIFF_MAX / 8, sizeof *at));  /* more than there can be */
    assert_ptr_equal(at, before);
    assert_int_equal(capacity, 20);
    assert_true(at[19] == 0.5);
    free(at);
}

static void test_capacity(void **state)
{
    (void)state;
    assert_int_equal(dq_array_capacity(0, 0), 0);
    assert_int_equal(dq_array_capacity(0, 1), 16);
    assert_int_equal(dq_array_capacity(16, 16), 16);
    assert_int_equal(dq_array_capacity(16, 17), 32);
    assert_int_equal(dq_array_capacity(16, 40), 40);
    assert_true(dq_array_capacity(SIZE_MAX / 2 + 1, SIZE_MAX / 2 + 2) ==
                SIZE_MAX); /* twice would wrap around */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows_and_keeps),
        cmocka_unit_test(test_no_more_than_needed),
        cmocka_unit_test(test_refusals_change_nothing),
        cmocka_unit_test(test_capacity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
