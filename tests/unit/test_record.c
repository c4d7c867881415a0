/* SPDX-License-Identifier: MIT */
#include "core/record.h"

#include "dq/schema.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

typedef struct run {
    double real, none;
    uint64_t count;
    uint32_t small;
    bool flag;
} run;

static const dq_record_field fields[] = {
    {"real", DQ_RECORD_REAL, offsetof(run, real)},    {"none", DQ_RECORD_REAL, offsetof(run, none)},
    {"count", DQ_RECORD_COUNT, offsetof(run, count)}, {"small", DQ_RECORD_SMALL, offsetof(run, small)},
    {"flag", DQ_RECORD_FLAG, offsetof(run, flag)},
};

enum { FIELDS = sizeof fields / sizeof fields[0] };

static void test_numbers_come_back(void **state)
{
    (void)state;
    const run before = {.real = 0.1, .none = NAN, .count = (uint64_t)1 << 40, .small = 7, .flag = true};
    run after = {0};
    dq_bundle model;
    assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
    assert_int_equal(dq_record_save(fields, FIELDS, &before, "run", &model, NULL), DQ_OK);
    assert_int_equal(dq_record_restore(fields, FIELDS, &after, "other", &model, NULL), DQ_ERR_SCHEMA);
    assert_int_equal(dq_record_restore(fields, FIELDS, &after, "run", &model, NULL), DQ_OK);
    assert_true(after.real == 0.1);
    assert_true(isnan(after.none));
    assert_true(after.count == (uint64_t)1 << 40);
    assert_int_equal(after.small, 7);
    assert_true(after.flag);
    dq_bundle_free(&model);
}

static void test_columns_are_checked(void **state)
{
    (void)state;
    const uint64_t shape[2] = {2, 3};
    const uint32_t numbers[6] = {1, 2, 3, 4, 5, 6};
    uint32_t got[6] = {0};
    uint64_t n = DQ_RECORD_ANY;
    const dq_column *column = NULL;
    dq_bundle model;
    assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
    assert_int_equal(dq_bundle_add_tensor(&model, "x", DQ_U4, 2, shape, numbers, NULL), DQ_OK);

    assert_int_equal(dq_record_find(&model, "x", DQ_U4, &n, &column, NULL), DQ_OK);
    assert_int_equal(n, 6);
    assert_ptr_equal(column, dq_bundle_column(&model, "x"));
    assert_int_equal(dq_record_find(&model, "x", DQ_U4, &n, &column, NULL), DQ_OK);

    n = 5;
    assert_int_equal(dq_record_find(&model, "x", DQ_U4, &n, &column, NULL), DQ_ERR_SCHEMA);
    assert_int_equal(n, 5);
    assert_int_equal(dq_record_column(&model, "x", DQ_F4, 6, got, NULL), DQ_ERR_SCHEMA); /* as many bytes */
    assert_int_equal(dq_record_column(&model, "y", DQ_U4, 0, got, NULL), DQ_ERR_SCHEMA);
    assert_int_equal(got[0], 0);
    assert_int_equal(dq_record_column(&model, "x", DQ_U4, 6, got, NULL), DQ_OK);
    assert_memory_equal(got, numbers, sizeof got);
    dq_bundle_free(&model);
}

/* A generator of zeros draws zeros, and whoever waits for another number waits for ever. */
static void test_generators_are_sound(void **state)
{
    (void)state;
    const dq_rng before[2] = {dq_rng_new(1), dq_rng_new(2)}, zero[2] = {dq_rng_new(1), {{0}}};
    dq_rng after[2];
    dq_bundle model;
    assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
    assert_int_equal(dq_record_save_rng(before, 2, "rng", &model, NULL), DQ_OK);
    assert_int_equal(dq_record_save_rng(zero, 2, "zero", &model, NULL), DQ_OK);
    assert_int_equal(dq_record_rng(&model, "rng", 2, after, NULL), DQ_OK);
    assert_memory_equal(before, after, sizeof after);
    assert_int_equal(dq_record_rng(&model, "rng", 1, after, NULL), DQ_ERR_SCHEMA);
    assert_int_equal(dq_record_rng(&model, "zero", 2, after, NULL), DQ_ERR_SCHEMA);
    dq_bundle_free(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_come_back),
        cmocka_unit_test(test_columns_are_checked),
        cmocka_unit_test(test_generators_are_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
