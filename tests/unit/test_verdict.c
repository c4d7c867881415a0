/* SPDX-License-Identifier: MIT
 *
 * Comparisons as tables: tables of values read, runs and sample sizes.
 */
#include "verdict/compared.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const dq_compare_options standard = {.resamples = 200, .confidence = 0.95, .seed = 1, .brief = true};

static dq_status compare(const char *text, const dq_compare_options *options, dq_compared *found, dq_error *e)
{
    char path[] = "/tmp/dq-test-verdict-XXXXXX";
    const char *const paths[] = {path};
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_true(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    assert_int_equal(close(fd), 0);
    *found = (dq_compared){0};
    dq_status status = dq_compared_scores(options, paths, 1, found, e);
    assert_int_equal(unlink(path), 0);
    return status;
}

/* The data of a found table, ended. */
static const char *data_of(dq_compared *found)
{
    found->table.data[found->table.bytes] = 0; /* it has a byte more than it holds */
    return found->table.data;
}

static void scores(void **state)
{
    (void)state;
    dq_compared found;
    dq_error e = DQ_ERROR_NONE;
    static const char rows[] =
        "run\tquery\tvalue\na\t1\t1\nb\t1\t2\na\t2\t1\nb\t2\t2\na\tall\t9\nb\t3\t5\na\t3\t\n";
    assert_int_equal(compare(rows, &standard, &found, &e), DQ_OK);
    assert_string_equal(
        data_of(&found),
        "a\tb\tmeasure\tn\tmean_a\tmean_b\tdifference\tlower\tupper\tp_randomisation\tp_adjusted\td_z\n"
        "b\ta\tvalue\t2\t2\t1\t1\t1\t1\t0.5\t0.5\t\n");
    assert_int_equal(found.note_count, 3);
    assert_string_equal(found.notes[0], "1 rows of 'all' or 'gap' are no unit's and are left out");
    assert_string_equal(found.notes[1], "1 of 3 units lack a value of some system, and do not count there");
    dq_compared_free(&found);
    dq_compare_options by_name = standard;
    by_name.against = "b";
    by_name.test = DQ_TEST_WILCOXON;
    assert_int_equal(compare(rows, &by_name, &found, &e), DQ_OK);
    assert_non_null(strstr(data_of(&found), "p_wilcoxon"));
    assert_non_null(strstr(data_of(&found), "\na\tb\tvalue\t2\t1\t2\t-1\t-1\t-1\t0.5\t"));
    dq_compared_free(&found);
}

/* Differences that are the same in all units have no variance: no t test, no interval of it, no d; and what
 * subtracting decimals leaves is a tie. */
static void no_variance(void **state)
{
    (void)state;
    dq_compared found;
    dq_error e = DQ_ERROR_NONE;
    dq_compare_options all = standard;
    all.brief = false;
    all.test = DQ_TEST_STUDENT;
    assert_int_equal(
        compare("run\tquery\tvalue\na\t1\t0.2\nb\t1\t0.3\na\t2\t0.8\nb\t2\t0.9\n", &all, &found, &e), DQ_OK);
    (void)data_of(&found);
    assert_non_null(strstr(found.table.data, "\t\t\t0.5\t\t0.5\t\t\t\t1\t0.5\t2\t0\t0\n"));
    assert_int_equal(found.note_count, 1);
    assert_non_null(strstr(found.notes[0], "1 of 1 differences have no t test"));
    dq_compared_free(&found);
    assert_int_equal(
        compare("run\tquery\tvalue\na\t1\t0.30000000000000004\nb\t1\t0.3\na\t2\t0.8\nb\t2\t0.9\n", &all,
                &found, &e),
        DQ_OK);
    assert_non_null(strstr(data_of(&found), "\t1\t0\t1\n"));
    dq_compared_free(&found);
}

static void no_scores(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        dq_status status;
    } bad[] = {{"run\tvalue\na\t1\n", DQ_ERR_SCHEMA},
               {"run\tquery\na\t1\n", DQ_ERR_SCHEMA},
               {"query\tvalue\n1\t1\n", DQ_ERR_SCHEMA},
               {"run\tquery\tvalue\na\t1\tx\n", DQ_ERR_FORMAT},
               {"run\tquery\tvalue\na\t1\t1e999\n", DQ_ERR_FORMAT},
               {"run\tquery\tvalue\na\t1\n", DQ_ERR_FORMAT},
               {"run\tquery\tvalue\n", DQ_ERR_SCHEMA},
               {"run\tquery\tvalue\na\t1\t1\na\t1\t1\n", DQ_ERR_DUPLICATE},
               {"run\tquery\tvalue\na\t1\t1\n", DQ_ERR_RANGE},
               {"", DQ_ERR_FORMAT}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        dq_compared found;
        dq_error e = DQ_ERROR_NONE;
        assert_int_equal(compare(bad[i].text, &standard, &found, &e), bad[i].status);
        dq_compared_free(&found);
    }
}

static void against(void **state)
{
    (void)state;
    static const char *const systems[] = {"x", "y", "all-of-it"};
    size_t number;
    dq_error e = DQ_ERROR_NONE;
    assert_true(!dq_compared_against(NULL, systems, 3, &number, &e) && number == 0);
    assert_true(!dq_compared_against("first", systems, 3, &number, &e) && number == 0);
    assert_true(!dq_compared_against("all", systems, 3, &number, &e) && number == DQ_AGAINST_ALL);
    assert_true(!dq_compared_against("all-of-it", systems, 3, &number, &e) && number == 2);
    assert_int_equal(dq_compared_against("z", systems, 3, &number, &e), DQ_ERR_UNKNOWN);
}

static void sizes(void **state)
{
    (void)state;
    dq_compare_options o = DQ_COMPARE_DEFAULTS;
    dq_compared found = {0};
    dq_error e = DQ_ERROR_NONE;
    o.confidence = 0.95;
    o.effect = 1;
    o.sd = 2;
    assert_int_equal(dq_compared_sizes(&o, &found, &e), DQ_OK);
    assert_non_null(strstr(data_of(&found), "design\tunits\teffect\tsd\tpower\npaired\t34\t1\t2\t0.80"));
    assert_non_null(strstr(data_of(&found), "\ntwo samples\t64\t1\t2\t0.80"));
    dq_compared_free(&found);
    o.effect = 0;
    assert_int_equal(dq_compared_sizes(&o, &found, &e), DQ_ERR_RANGE);
    dq_compared_free(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores),  cmocka_unit_test(no_variance), cmocka_unit_test(no_scores),
        cmocka_unit_test(against), cmocka_unit_test(sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
