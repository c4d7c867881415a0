/* SPDX-License-Identifier: MIT
 *
 * A model for each of many users: file names and their inverse, lists of users, what of a log belongs to
 * those who are done. Folders and plans: test_model_plan.c.
 */
#include "cli/log.c" /* programs' parts are in no library */
#include "models/name.h"
#include "models/plan.h"
#include "short_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- names ---- */

static void names_are_as_written(void **state)
{
    (void)state;
    const char *const known[][2] = {{"u1", "u1.dq"},
                                    {"a/b", "a%2Fb.dq"},
                                    {"50%", "50%25.dq"},
                                    {".hidden", "%2Ehidden.dq"},
                                    {"..", "%2E..dq"},
                                    {"-o", "%2Do.dq"},
                                    {"a-b.c_d@e+f", "a-b.c_d@e+f.dq"},
                                    {"a b\n", "a%20b%0A.dq"},
                                    {"\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9.dq"}};
    char name[DQ_MODEL_NAME_MAX + 1];
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_int_equal(dq_model_name(known[i][0], strlen(known[i][0]), name, NULL), DQ_OK);
        assert_string_equal(name, known[i][1]);
    }
}

/* Every byte at every place, and NULs. */
static void names_lead_back(void **state)
{
    (void)state;
    char name[DQ_MODEL_NAME_MAX + 1], back[DQ_MODEL_NAME_MAX + 1];
    size_t bytes;
    for (int first = 0; first < 256; first++)
        for (int second = 0; second < 256; second++) {
            const char id[3] = {(char)first, (char)second, 'x'};
            for (size_t n = 1; n <= 3; n++) {
                assert_int_equal(dq_model_name(id, n, name, NULL), DQ_OK);
                assert_null(strchr(name, '/'));
                assert_true(name[0] != '.' && name[0] != '-');
                assert_true(dq_model_name_id(name, back, &bytes));
                assert_int_equal(bytes, n);
                assert_memory_equal(back, id, n);
            }
        }
}

static void names_of_nobody(void **state)
{
    (void)state;
    const char *const none[] = {"",       ".dq",     "u1",     "u1.dq.abcdef", ".u.dq",  "-u.dq",
                                "%41.dq", "a%2f.dq", "a%2.dq", "a%.dq",        "a b.dq", "a/b.dq"};
    char id[DQ_MODEL_NAME_MAX + 1], name[DQ_MODEL_NAME_MAX + 1], longest[300];
    size_t bytes, most = DQ_MODEL_NAME_MAX - 3;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(dq_model_name_id(none[i], id, &bytes));
    memset(longest, 'a', sizeof longest);
    assert_int_equal(dq_model_name(longest, most, name, NULL), DQ_OK);
    assert_int_equal(strlen(name), DQ_MODEL_NAME_MAX);
    assert_true(dq_model_name_id(name, id, &bytes) && bytes == most);
    assert_int_equal(dq_model_name(longest, most + 1, name, NULL), DQ_ERR_RANGE);
    memset(longest, ' ', sizeof longest);
    assert_int_equal(dq_model_name(longest, most / 3, name, NULL), DQ_OK);
    assert_int_equal(dq_model_name(longest, most / 3 + 1, name, NULL), DQ_ERR_RANGE);
    assert_int_equal(dq_model_name("", 0, name, NULL), DQ_ERR_RANGE);
}

/* ---- files of text ---- */

static char path[] = "/tmp/dq-test-XXXXXX";

static void write_file(const char *text, size_t bytes)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
}

static void a_list_is_the_union_of_both(void **state)
{
    (void)state;
    static const char text[] = "b\r\n\n c \na\nb\nlast";
    dq_user_list list = {0};
    dq_index among = DQ_INDEX_EMPTY;
    dq_error e = DQ_ERROR_NONE;
    write_file(text, sizeof text - 1);
    assert_true(dq_user_list_has(&list, "anybody", 7));
    const char *const named[] = {"a"};
    assert_int_equal(dq_user_list_fill(&list, named, 1, path, NULL), DQ_OK);
    assert_int_equal(dq_index_count(&list.ids), 4);
    assert_true(dq_user_list_has(&list, " c ", 3) && dq_user_list_has(&list, "last", 4));
    assert_false(dq_user_list_has(&list, "c", 1) || dq_user_list_has(&list, "", 0));
    const char *const ids[] = {"last", "b", "a"};
    for (size_t i = 0; i < 3; i++) {
        uint32_t row;
        assert_int_equal(dq_index_add(&among, ids[i], strlen(ids[i]), &row, NULL, NULL), DQ_OK);
    }
    assert_int_equal(dq_user_list_check(&list, &among, "here", &e), DQ_ERR_UNKNOWN);
    assert_string_equal(e.reason, "line 3: user  c  is not here");
    assert_string_equal(e.source, path);
    dq_index_free(&among);
    dq_user_list_free(&list);
}

static void a_part_is_of_the_list_or_of_everybody(void **state)
{
    (void)state;
    const char *const named[] = {"a", "b", "c", "d"};
    dq_user_list everybody = {0}, some = {0};
    int of_all = 0, of_some = 0;
    assert_int_equal(dq_user_list_fill(&some, named, 4, NULL, NULL), DQ_OK);
    assert_false(dq_user_list_narrows(&everybody));
    assert_true(dq_user_list_narrows(&some));
    for (uint32_t i = 1; i <= 3; i++) {
        everybody.shard = some.shard = (dq_shard){i, 3};
        assert_true(dq_user_list_narrows(&everybody));
        assert_false(dq_user_list_has(&some, "x", 1));
        of_all += dq_user_list_has(&everybody, "x", 1);
        for (size_t u = 0; u < 4; u++) of_some += dq_user_list_has(&some, named[u], 1);
    }
    assert_int_equal(of_all, 1);
    assert_int_equal(of_some, 4);
    dq_user_list_free(&some);
}

static bool a_is_done(void *arg, const char *id, size_t bytes)
{
    (void)arg;
    return bytes == 1 && (*id == 'a' || *id == 'b');
}

/* Cut at every byte: whole lines of who is done, up to the first of who is not. */
static void a_log_belongs_to_who_is_done(void **state)
{
    (void)state;
    static const char text[] =
        "{\"user\":\"a\"}\n{\"user\":\"b\",\"x\":1}\n{\"user\":\"c\"}\n{\"user\":\"a\"}\n";
    size_t first = strlen("{\"user\":\"a\"}\n"), second = first + strlen("{\"user\":\"b\",\"x\":1}\n");
    for (size_t n = 0; n < sizeof text; n++) {
        uint64_t length = 99;
        size_t behind = 99;
        write_file(text, n);
        assert_int_equal(dq_log_length(path, a_is_done, NULL, &length, &behind, NULL), DQ_OK);
        assert_int_equal(length, n < first ? 0 : n < second ? first : second);
        assert_int_equal(behind, n == sizeof text - 1); /* a's line behind c's */
    }
    uint64_t length = 99;
    size_t behind = 99;
    assert_int_equal(dq_log_length("/nowhere/log", a_is_done, NULL, &length, &behind, NULL), DQ_OK);
    assert_int_equal(length, 0);
}

/* Short memory does not cut the log: it is an error. */
static void a_log_that_memory_is_short_for_is_not_cut(void **state)
{
    (void)state;
    static const char text[] = "{\"user\":\"a\"}\n{\"user\":\"b\",\"x\":1}\n";
    uint64_t length = 0;
    size_t behind, n = sizeof text - 1;
    dq_error e;
    unsigned at = 0, failed = 0;
    if (!CAN_FAIL_ALLOCATIONS) skip();
    write_file(text, n);
    for (;;) {
        e = DQ_ERROR_NONE;
        allocated = 0;
        failing_allocation = ++at;
        dq_status status = dq_log_length(path, a_is_done, NULL, &length, &behind, &e);
        failing_allocation = 0;
        assert_true(at < 100);
        if (allocated < at) break;          /* none failed */
        assert_true(status || length == n); /* stdio can do without its buffer */
        if (status) assert_string_equal(e.source, path);
        failed += status != DQ_OK;
    }
    assert_int_equal(length, n);
    assert_true(failed >= 3); /* the file's, the first line's and the second one's */
}

static int open_file(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_as_written),
        cmocka_unit_test(names_lead_back),
        cmocka_unit_test(names_of_nobody),
        cmocka_unit_test(a_list_is_the_union_of_both),
        cmocka_unit_test(a_part_is_of_the_list_or_of_everybody),
        cmocka_unit_test(a_log_belongs_to_who_is_done),
        cmocka_unit_test(a_log_that_memory_is_short_for_is_not_cut),
    };
    return cmocka_run_group_tests(tests, open_file, remove_file);
}
