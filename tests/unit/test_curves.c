/* SPDX-License-Identifier: MIT
 *
 * Logs to curves, and curves to a figure.
 */
#include "text_file.h"

#include "report/curves.h"

#include "memory.h"

#include <math.h>
#include <stdlib.h>

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

/* A line a group, a band where there are runs to differ, and a gap where the runs change. */
static void a_metric_is_a_panel(void **state)
{
    (void)state;
    static const char *const keys[] = {"success", "q_loss", "unheard"};
    dq_figure f = DQ_FIGURE_EMPTY;
    dq_curves c;
    assert_int_equal(dq_curves_open(&c, keys, 3, NULL), DQ_OK);
    assert_int_equal(read_log(&c, "a",
                              "{\"user\":\"u\",\"epoch\":0,\"success\":0.5}\n"
                              "{\"user\":\"u\",\"epoch\":1,\"success\":1}\n"
                              "{\"user\":\"v\",\"epoch\":0,\"success\":1}\n"
                              "{\"user\":\"v\",\"epoch\":1,\"success\":1}\n"
                              "{\"user\":\"v\",\"epoch\":2,\"success\":1,\"unheard\":-3}\n",
                              NULL),
                     DQ_OK);
    assert_int_equal(dq_curves_finish(&c, 1, NULL), DQ_OK);
    c.marks[c.mark_count++] = (dq_curves_mark){1, "here"};
    assert_int_equal(dq_curves_figure(&c, &f, NULL), DQ_OK);
    assert_int_equal(f.panel_count, 2); /* no loss in the log */
    const dq_plot_panel *success = f.panels, *unheard = success->next;
    assert_string_equal(success->title, "Success rate");
    assert_string_equal(success->x.label, "epoch");
    assert_true(success->y.min == 0 && success->y.max == 1);
    assert_string_equal(success->marks->label, "here");
    const dq_plot_series *line = success->series;
    assert_int_equal(line->runs, 2);
    assert_int_equal(line->count, 4); /* two points of two runs, a gap, one of one */
    assert_true(line->points[0].y == 0.75 && fabs(line->points[0].upper - 0.75 - sqrt(0.125)) < 1e-12);
    assert_int_equal(line->points[0].runs, 0);
    assert_true(isnan(line->points[2].y));
    assert_true(line->points[3].y == 1 && line->points[3].runs == 1);
    assert_string_equal(unheard->title, "unheard");
    assert_true(isnan(unheard->y.min) && isnan(unheard->y.max));
    dq_figure_free(&f);
    dq_curves_free(&c);
}

/* A counter of the name may be somebody else's. */
static void bounds_that_a_log_breaks_are_none(void **state)
{
    (void)state;
    static const char *const keys[] = {"success"};
    dq_figure f = DQ_FIGURE_EMPTY;
    dq_curves c;
    assert_int_equal(dq_curves_open(&c, keys, 1, NULL), DQ_OK);
    assert_int_equal(read_log(&c, "a", "{\"epoch\":0,\"success\":7}\n", NULL), DQ_OK);
    assert_int_equal(dq_curves_finish(&c, 1, NULL), DQ_OK);
    assert_int_equal(dq_curves_figure(&c, &f, NULL), DQ_OK);
    assert_true(isnan(f.panels->y.max));
    dq_figure_free(&f);
    dq_curves_free(&c);
}

static void shares_of_a_histogram_add_up(void **state)
{
    (void)state;
    dq_figure f = DQ_FIGURE_EMPTY;
    dq_curves c;
    double sum = 0;
    assert_int_equal(dq_curves_open(&c, NULL, 0, NULL), DQ_OK);
    assert_int_equal(read_log(&c, "a", log_of_three, NULL), DQ_OK);
    assert_int_equal(dq_curves_finish(&c, 1, NULL), DQ_OK);
    assert_int_equal(dq_curves_figure(&c, &f, NULL), DQ_OK);
    const dq_plot_panel *last = f.panels;
    while (last->next && last->kind != DQ_PLOT_HISTOGRAM) last = last->next;
    assert_int_equal(last->kind, DQ_PLOT_HISTOGRAM);
    assert_string_equal(last->y.label, "share of episodes");
    for (size_t i = 0; i < last->series->count; i++) sum += last->series->points[i].y;
    assert_true(fabs(sum - 1) < 1e-12);
    dq_figure_free(&f);
    dq_curves_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rewards_are_summed_and_smoothed),
        cmocka_unit_test(users_of_a_log_are_runs_of_one_group),
        cmocka_unit_test(what_is_no_log_is_refused),
        cmocka_unit_test(a_metric_is_a_panel),
        cmocka_unit_test(bounds_that_a_log_breaks_are_none),
        cmocka_unit_test(shares_of_a_histogram_add_up),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
