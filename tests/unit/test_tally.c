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
    assert_string_equal(text, "2 wrong width (first: line 17: why), 1 duplicate id (first: jobs 'a': why)");
    assert_int_equal(dq_import_describe(&tally, true, text, sizeof text), 3);
    assert_string_equal(
        text, "2 wrong width (first: items.jsonl line 17: why), 1 duplicate id (first: jobs 'a': why)");
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

/* No row used is an error with the first row's reason; nothing there, and one row used, are none. */
static void nothing_usable_is_an_error(void **state)
{
    (void)state;
    dq_import_tally tally = {0};
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_import_check_used(&tally, "items.jsonl", "items", NULL, &e), DQ_OK);
    assert_int_equal(pass_over(&tally, DQ_IMPORT_WIDTH, "items.jsonl", 17), DQ_OK);
    assert_int_equal(pass_over(&tally, DQ_IMPORT_MALFORMED, "items.jsonl", 18), DQ_OK);
    assert_int_equal(dq_import_check_used(&tally, "items.jsonl", "items", "its columns: a", &e),
                     DQ_ERR_SCHEMA);
    assert_string_equal(e.reason,
                        "no items: none of the rows (2) can be used; the first: why; its columns: a");
    assert_int_equal(e.record, 17);
    tally.used = 1;
    assert_int_equal(dq_import_check_used(&tally, "items.jsonl", "items", NULL, &e), DQ_OK);
    tally = (dq_import_tally){.others = 3};
    e = DQ_ERROR_NONE;
    assert_int_equal(dq_import_check_used(&tally, "items.jsonl", "items", NULL, &e), DQ_ERR_SCHEMA);
    assert_string_equal(e.reason, "no items: all rows (3) say they are of another kind");
    assert_string_equal(e.source, "items.jsonl");
}

/* What is not UTF-8 has a way out. */
static void encodings_have_a_way_out(void **state)
{
    (void)state;
    dq_import_tally tally = {0};
    char text[200];
    assert_int_equal(pass_over(&tally, DQ_IMPORT_NOT_UTF8, "items.csv", 3), DQ_OK);
    assert_int_equal(dq_import_describe(&tally, false, text, sizeof text), 1);
    assert_string_equal(text,
                        "1 not UTF-8 (first: line 3: iconv -f latin1 -t utf8, or --encoding latin1, if it "
                        "is Latin-1)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_counted_with_their_first_place),
        cmocka_unit_test(words_are_cut_to_their_room),
        cmocka_unit_test(strictness_passes_nothing_over),
        cmocka_unit_test(nothing_usable_is_an_error),
        cmocka_unit_test(encodings_have_a_way_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
