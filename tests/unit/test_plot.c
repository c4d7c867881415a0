/* SPDX-License-Identifier: MIT
 *
 * Logs to curves, and curves to gnuplot's script.
 */
#include "text_file.h"

#include "report/plot.h"

#include "memory.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

/* Reads the text as a log of the group `name`. */
static dq_status read_log(dq_curves *c, const char *name, const char *text, dq_error *error)
{
    char operand[80];
    write_text(text);
    (void)snprintf(operand, sizeof operand, "%s=%s", name, path);
    return dq_curves_read(c, operand, error);
}

static const char log_of_three[] = "{\"episode\":0,\"reward\":1,\"steps\":2}\n"
                                   "{\"episode\":1,\"reward\":0.5,\"steps\":4}\n"
                                   "{\"episode\":2,\"reward\":0,\"steps\":1}\n";

static void rewards_are_summed_and_smoothed(void **state)
{
    (void)state;
    dq_curves c;
    assert_int_equal(dq_curves_open(&c, NULL, 0, NULL), DQ_OK);
    assert_int_equal(read_log(&c, "a", log_of_three, NULL), DQ_OK);
    assert_int_equal(dq_curves_finish(&c, 2, NULL), DQ_OK);
    assert_int_equal(c.run_count, 1);
    const double *reward = c.runs[0].y[c.reward], *sum = c.runs[0].y[c.cumulative];
    assert_true(reward[0] == 1 && reward[1] == 0.75 && reward[2] == 0.25);
    assert_true(sum[0] == 2 && sum[1] == 4 && sum[2] == 4);
    assert_false(dq_curves_have(&c, DQ_ABSENT, 2)); /* no loss in the log */
    dq_curves_free(&c);
}

static void users_of_a_log_are_runs_of_one_group(void **state)
{
    (void)state;
    static memory text;
    static const char *const keys[] = {"reward"};
    dq_curves c;
    assert_int_equal(dq_curves_open(&c, keys, 1, NULL), DQ_OK);
    assert_int_equal(read_log(&c, "a",
                              "{\"user\":\"u\",\"epoch\":0,\"reward\":1}\n"
                              "{\"user\":\"v\",\"epoch\":0,\"reward\":3}\n"
                              "{\"user\":\"v\",\"epoch\":1,\"reward\":2}\n",
                              NULL),
                     DQ_OK);
    assert_int_equal(dq_curves_finish(&c, 1, NULL), DQ_OK);
    assert_int_equal(c.run_count, 2);
    dq_sink *out = open_sink(&text);
    assert_int_equal(dq_curves_print_tsv(&c, out, NULL), DQ_OK);
    assert_int_equal(dq_sink_close(out, NULL), DQ_OK);
    assert_string_equal(text.data, "group\tmetric\tepoch\tmean\tsd\truns\n"
                                   "a\treward\t0\t2\t1.41421356\t2\n"
                                   "a\treward\t1\t2\t0\t1\n");
    dq_curves_free(&c);
}

static void what_is_no_log_is_refused(void **state)
{
    (void)state;
    dq_curves c;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_curves_open(&c, NULL, 0, NULL), DQ_OK);
    assert_int_equal(read_log(&c, "a", "{\"episode\":1}\n{\"reward\":1}\n", &e), DQ_ERR_FORMAT);
    assert_int_equal(e.record, 2);
    assert_int_equal(read_log(&c, "b", "", &e), DQ_ERR_TRUNCATED);
    assert_int_equal(read_log(&c, "c", "{\"epoch\":1}\n", &e), DQ_ERR_SCHEMA); /* by episode before */
    assert_int_equal(dq_curves_finish(&c, 1, &e), DQ_ERR_SCHEMA);              /* nothing that is drawn */
    dq_curves_free(&c);
    assert_int_equal(dq_curves_open(&c, NULL, DQ_CURVES_MAX + 1, &e), DQ_ERR_RANGE);
}

static const char *script_of(const dq_curves *c, dq_plot_form form)
{
    static char text[1 << 14];
    FILE *f = tmpfile();
    assert_non_null(f);
    assert_int_equal(dq_plot_script(f, c, form, 80, NULL), DQ_OK);
    rewind(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    assert_int_equal(fclose(f), 0);
    return text;
}

/* A group's name is quoted, data stands in the script, and a mean of fewer runs is a block of its own. */
static void the_script_holds_data_and_quotes(void **state)
{
    (void)state;
    static const char *const keys[] = {"q_loss"};
    dq_curves c;
    assert_int_equal(dq_curves_open(&c, keys, 1, NULL), DQ_OK);
    assert_int_equal(read_log(&c, "it's",
                              "{\"user\":\"u\",\"epoch\":0,\"q_loss\":1}\n"
                              "{\"user\":\"u\",\"epoch\":1,\"q_loss\":2}\n"
                              "{\"user\":\"v\",\"epoch\":0,\"q_loss\":3}\n"
                              "{\"user\":\"v\",\"epoch\":1,\"q_loss\":4}\n"
                              "{\"user\":\"v\",\"epoch\":2,\"q_loss\":5}\n",
                              NULL),
                     DQ_OK);
    assert_int_equal(dq_curves_finish(&c, 1, NULL), DQ_OK);
    c.marks[c.mark_count++] = 1;
    const char *svg = script_of(&c, DQ_PLOT_SVG);
    assert_non_null(strstr(svg, "set terminal svg size 460,320 "));
    assert_non_null(strstr(svg, "$d0 << END\n0 2 0.585786438 3.41421356\n1 3 1.58578644 4.41421356\nEND\n"));
    assert_non_null(strstr(svg, "$e0 << END\n2 5 5 5\nEND\n"));
    assert_non_null(strstr(svg, "set label '1 of 2' at first 2, first 5 "));
    assert_non_null(strstr(svg, " title 'it''s, mean of 2 runs, ± sd'"));
    assert_non_null(strstr(svg, "set arrow from first 1, graph 0 to first 1, graph 1 nohead"));
    assert_null(strstr(svg, "Histogram"));
    const char *dumb = script_of(&c, DQ_PLOT_DUMB);
    assert_non_null(strstr(dumb, "set terminal dumb noenhanced size 80,20\n"));
    assert_null(strstr(dumb, "$e0"));
    dq_curves_free(&c);
}

static void shares_of_a_histogram_add_up(void **state)
{
    (void)state;
    dq_curves c;
    double x, share, sum = 0;
    int n;
    assert_int_equal(dq_curves_open(&c, NULL, 0, NULL), DQ_OK);
    assert_int_equal(read_log(&c, "a", log_of_three, NULL), DQ_OK);
    assert_int_equal(dq_curves_finish(&c, 1, NULL), DQ_OK);
    const char *svg = script_of(&c, DQ_PLOT_SVG), *title = strstr(svg, "set title 'Histogram of rewards'");
    assert_non_null(title);
    const char *bins = title;
    while (strncmp(bins, "$d0", 3) != 0) bins--;
    for (bins = strchr(bins, '\n') + 1; sscanf(bins, "%lf %lf\n%n", &x, &share, &n) == 2; bins += n)
        sum += share;
    assert_true(fabs(sum - 1) < 1e-6);
    dq_curves_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rewards_are_summed_and_smoothed),
        cmocka_unit_test(users_of_a_log_are_runs_of_one_group),
        cmocka_unit_test(what_is_no_log_is_refused),
        cmocka_unit_test(the_script_holds_data_and_quotes),
        cmocka_unit_test(shares_of_a_histogram_add_up),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
