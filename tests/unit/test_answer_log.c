/* SPDX-License-Identifier: MIT */
#include "text_file.h"

#include "label/answer_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *read_text(void)
{
    static char text[512];
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    assert_int_equal(fclose(f), 0);
    return text;
}

static dq_answer_log *open_log(dq_status want, dq_error *e)
{
    dq_answer_log *log;
    assert_int_equal(dq_answer_log_open(&log, path, e), want);
    return log;
}

static const char *find(const dq_answer_log *log, const char *user, const char *item)
{
    const char *label = dq_answer_log_find(log, user, strlen(user), item, strlen(item));
    return label ? label : "none";
}

static void the_last_line_of_a_pair_counts(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    write_text("{\"user\":\"a\",\"item\":\"x\",\"label\":\"SAVE\"}\n"
               "{\"user\":\"a\",\"item\":\"y\",\"label\":\"SAVE\"}\n\n"
               "{\"item\":\"x\",\"user\":\"a\",\"label\":\"APPLY\"}\n"
               "{\"user\":\"a\",\"item\":\"y\",\"label\":null}\n");
    dq_answer_log *log = open_log(DQ_OK, &e);
    assert_string_equal(find(log, "a", "x"), "APPLY");
    assert_string_equal(find(log, "a", "y"), "none");
    assert_string_equal(find(log, "ax", ""), "none"); /* the pair, not its letters in a row */
    dq_answer_log_close(log);
}

static void answers_are_kept_and_taken_back(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    write_text("");
    dq_answer_log *log = open_log(DQ_OK, &e);
    assert_int_equal(dq_answer_log_keep(log, "a", 1, "\"x", 2, "CLICK", &e), DQ_OK);
    assert_string_equal(find(log, "a", "\"x"), "CLICK");
    assert_string_equal(read_text(), "{\"user\":\"a\",\"item\":\"\\\"x\",\"label\":\"CLICK\"}\n");
    assert_int_equal(dq_answer_log_keep(log, "a", 1, "\"x", 2, NULL, &e), DQ_OK);
    assert_string_equal(find(log, "a", "\"x"), "none");
    dq_answer_log_close(log);
    log = open_log(DQ_OK, &e);
    assert_string_equal(find(log, "a", "\"x"), "none");
    dq_answer_log_close(log);
}

static void a_torn_line_is_cut_off(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    write_text("{\"user\":\"a\",\"item\":\"x\",\"label\":\"SAVE\"}\n{\"user\":\"a\",\"it");
    dq_answer_log_close(open_log(DQ_OK, &e));
    assert_string_equal(read_text(), "{\"user\":\"a\",\"item\":\"x\",\"label\":\"SAVE\"}\n");
}

static void what_is_no_answer_is_refused(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    write_text("{\"user\":\"a\",\"item\":\"x\",\"label\":\"SAVE\"}\n{\"user\":\"a\",\"item\":\"x\"}\n");
    dq_answer_log_close(open_log(DQ_ERR_FORMAT, &e));
    assert_int_equal(e.record, 2);
    assert_string_equal(e.reason, "no answer: a line has user, item and label");
}

/* Its last line would be cut off, and what is appended would make it unreadable. */
static void what_is_no_file_of_answers_stays(void **state)
{
    (void)state;
    static const char *const others[] = {"\x28\xb5\x2f\xfd\n\x01\x02", "\x1f\x8b\b\n\x01", "\xff\xfe{",
                                         "a letter"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        dq_error e = DQ_ERROR_NONE;
        write_text(others[i]);
        dq_answer_log_close(open_log(DQ_ERR_FORMAT, &e));
        assert_string_equal(read_text(), others[i]);
    }
}

static void two_sessions_do_not_share_a_file(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    write_text("");
    dq_answer_log *log = open_log(DQ_OK, &e);
    dq_answer_log_close(open_log(DQ_ERR_IO, &e));
    dq_answer_log_close(log);
    dq_answer_log_close(open_log(DQ_OK, &e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_line_of_a_pair_counts),
        cmocka_unit_test(answers_are_kept_and_taken_back),
        cmocka_unit_test(a_torn_line_is_cut_off),
        cmocka_unit_test(what_is_no_answer_is_refused),
        cmocka_unit_test(two_sessions_do_not_share_a_file),
        cmocka_unit_test(what_is_no_file_of_answers_stays),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
