/* SPDX-License-Identifier: MIT */
#include "import/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static dq_status pass_over(dq_import_tally *tally, dq_import_fault fault, const char *source, uint64_t record)
{
    dq_error e = DQ_ERROR_NONE;
    (void)dq_fail(&e, DQ_ERR_FORMAT, "why");
    (void)dq_error_at(&e, source, record);
    return dq_import_skip(tally, fault, &e);
}

static void faults_are_counted_with_their_first_place(void **state)
{
    (void)state;
    dq_import_tally tally = {0};
    char text[200];
    assert_int_equal(dq_import_describe(&tally, false, text, sizeof text), 0);
    assert_string_equal(text, "");
    assert_int_equal(pass_over(&tally, DQ_IMPORT_WIDTH, "items.jsonl", 17), DQ_OK);
    assert_int_equal(pass_over(&tally, DQ_IMPORT_DUPLICATE, "jobs 'a'", DQ_NO_RECORD), DQ_OK);
    assert_int_equal(pass_over(&tally, DQ_IMPORT_WIDTH, "items.jsonl", 20), DQ_OK);
    assert_int_equal(dq_import_describe(&tally, false, text, sizeof text), 3);
    assert_string_equal(text, "2 wrong width (first: line 17), 1 duplicate id (first: jobs 'a')");
    assert_int_equal(dq_import_describe(&tally, true, text, sizeof text), 3);
    assert_string_equal(text, "2 wrong width (first: items.jsonl line 17), 1 duplicate id (first: jobs 'a')");
}

static void words_are_cut_to_their_room(void **state)
{
    (void)state;
    dq_import_tally tally = {0};
    char text[12] = "";
    assert_int_equal(pass_over(&tally, DQ_IMPORT_WIDTH, "items.jsonl", 17), DQ_OK);
    assert_int_equal(dq_import_describe(&tally, false, text, 11), 1);
    assert_string_equal(text, "1 wrong wi");
}

static void strictness_passes_nothing_over(void **state)
{
    (void)state;
    dq_import_tally tally = {.strict = true};
    char text[80];
    assert_int_equal(pass_over(&tally, DQ_IMPORT_WIDTH, "items.jsonl", 17), DQ_ERR_FORMAT);
    assert_int_equal(dq_import_describe(&tally, false, text, sizeof text), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_counted_with_their_first_place),
        cmocka_unit_test(words_are_cut_to_their_room),
        cmocka_unit_test(strictness_passes_nothing_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
