/* SPDX-License-Identifier: MIT
 *
 * Figures as data: what is added stays in order, and constant panels go.
 */
#include "plot/figure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* A panel of one series of so many values. */
static dq_plot_panel *add(dq_figure *f, dq_plot_kind kind, const char *title, const double *y, size_t n)
{
    dq_plot_panel *panel = dq_figure_add_panel(f, kind, title);
    dq_plot_series *series = dq_figure_add_series(f, panel, "a", 1, n);
    assert_non_null(series);
    for (size_t i = 0; i < n; i++) {
        series->points[i].x = (double)i;
        series->points[i].y = y[i];
    }
    return panel;
}

static void parts_stand_in_the_order_that_they_were_added_in(void **state)
{
    (void)state;
    dq_figure f = DQ_FIGURE_EMPTY;
    dq_plot_panel *first = dq_figure_add_panel(&f, DQ_PLOT_BARS, "first");
    const dq_plot_panel *second = dq_figure_add_panel(&f, DQ_PLOT_BARS, NULL);
    assert_ptr_equal(first->next, second);
    assert_string_equal(first->next->title, "");
    assert_string_equal(dq_figure_add_series(&f, first, "abc", 2, 1)->name, "ab");
    assert_string_equal(dq_figure_add_series(&f, first, "c", 1, 1)->name, "c");
    assert_string_equal(first->series->next->name, "c");
    assert_true(isnan(first->series->points[0].y) && isnan(first->series->points[0].lower));
    dq_figure_set_categories(&f, first, 2);
    dq_figure_name_category(&f, first, 1, "second", 6);
    dq_figure_name_category(&f, first, 2, "none", 4); /* not there */
    assert_string_equal(first->categories[0], "");
    assert_string_equal(first->categories[1], "second");
    dq_figure_add_mark(&f, first, false, 3, "here");
    dq_figure_add_mark(&f, first, true, 4, NULL);
    assert_true(first->marks->at == 3 && first->marks->next->horizontal);
    assert_int_equal(first->series_count, 2);
    dq_figure_free(&f);
    assert_null(f.panels);
}

/* What nothing was made for is passed over, for the figure knows that it failed. */
static void nothing_is_added_to_nothing(void **state)
{
    (void)state;
    dq_figure f = DQ_FIGURE_EMPTY;
    assert_null(dq_figure_add_series(&f, NULL, "a", 1, 1));
    dq_figure_set_categories(&f, NULL, 1);
    dq_figure_name_category(&f, NULL, 0, "a", 1);
    dq_figure_add_mark(&f, NULL, false, 0, NULL);
    dq_figure_free(&f);
}

typedef struct said {
    char titles[64];
    double value;
} said;

static void note(void *arg, const char *title, double value)
{
    said *s = arg;
    strcat(s->titles, title);
    s->value = value;
}

static void constant_panels_are_dropped_and_named_but_the_last(void **state)
{
    (void)state;
    static const double ones[] = {1, 1, 1}, rising[] = {1, 2, 3}, bins[] = {0, 4, 0};
    dq_figure f = DQ_FIGURE_EMPTY;
    said s = {"", 0};
    add(&f, DQ_PLOT_LINES, "ones;", ones, 3);
    add(&f, DQ_PLOT_LINES, "rising;", rising, 3);
    add(&f, DQ_PLOT_HISTOGRAM, "one bin;", bins, 3);
    add(&f, DQ_PLOT_BARS, "bars;", ones, 3);
    add(&f, DQ_PLOT_BARS, "unequal;", rising, 3);
    add(&f, DQ_PLOT_LINES, "point;", rising, 1); /* one point is no constant */
    dq_figure_drop_constant(&f, note, &s);
    assert_string_equal(s.titles, "ones;one bin;bars;");
    assert_int_equal(f.panel_count, 3);
    assert_string_equal(f.panels->title, "rising;");
    dq_figure_free(&f);

    add(&f, DQ_PLOT_LINES, "alone;", ones, 3);
    dq_figure_drop_constant(&f, note, &s);
    assert_int_equal(f.panel_count, 1);
    dq_figure_free(&f);
}

static void a_band_is_no_constant(void **state)
{
    (void)state;
    static const double ones[] = {1, 1};
    double value;
    dq_figure f = DQ_FIGURE_EMPTY;
    dq_plot_panel *panel = add(&f, DQ_PLOT_LINES, "", ones, 2);
    assert_true(dq_plot_constant(panel, &value) && value == 1);
    panel->series->points[1].lower = 0.5;
    assert_false(dq_plot_constant(panel, &value));
    dq_figure_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_stand_in_the_order_that_they_were_added_in),
        cmocka_unit_test(nothing_is_added_to_nothing),
        cmocka_unit_test(constant_panels_are_dropped_and_named_but_the_last),
        cmocka_unit_test(a_band_is_no_constant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
