/* SPDX-License-Identifier: MIT
 *
 * Evaluations to figures: off-policy estimates, roll-outs, measures.
 */
#include "report/pictures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void estimates_are_points_with_intervals(void **state)
{
    (void)state;
    dq_figure f = DQ_FIGURE_EMPTY;
    const dq_ope_estimate e[] = {{.name = "log", .value = 0.25, .bootstrap = {0.125, 0.5}},
                                 {.name = "ips", .value = 0.75, .bootstrap = {0.5, 1.25}}};
    assert_int_equal(dq_ope_figure(e, 2, 0.9, &f, NULL), DQ_OK);
    const dq_plot_panel *p = f.panels;
    assert_int_equal(p->kind, DQ_PLOT_POINTS);
    assert_string_equal(p->categories[1], "ips");
    assert_true(p->series->points[1].y == 0.75 && p->series->points[1].upper == 1.25);
    assert_string_equal(p->interval, "90 % bootstrap interval");
    assert_true(p->marks->horizontal && p->marks->at == 0.25 && !p->marks->next);
    dq_figure_free(&f);
    assert_int_equal(dq_ope_figure(e + 1, 1, 0.9, &f, NULL), DQ_OK);
    assert_null(f.panels->marks);
    dq_figure_free(&f);
}

static void rewards_by_step_are_means_over_episodes(void **state)
{
    (void)state;
    static const dq_summary score = {.mean = 2, .compared = {.interval = {1, 3}}};
    static const uint64_t labels[] = {6, 2, 0};
    static const double by_step[] = {4, 10};
    static const dq_acted acted = {"random", &score, labels, by_step};
    dq_figure f = DQ_FIGURE_EMPTY;
    dq_index names = DQ_INDEX_EMPTY;
    assert_int_equal(dq_index_add(&names, "CLICK", 5, &(uint32_t){0}, NULL, NULL), DQ_OK);
    const dq_acted_form form = {.score = "return",
                                .confidence = 0.95,
                                .episodes = 4,
                                .steps = 2,
                                .labels = &names,
                                .label_count = 2,
                                .steps_in_all = 8};
    assert_int_equal(dq_acted_figure(&acted, 1, &form, &f, NULL), DQ_OK);
    assert_int_equal(f.panel_count, 3);
    const dq_plot_panel *scores = f.panels, *shares = scores->next, *steps = shares->next;
    assert_true(scores->series->points[0].y == 2 && scores->series->points[0].lower == 1);
    assert_string_equal(shares->categories[0], "CLICK");
    assert_string_equal(shares->categories[1], "other");
    assert_true(shares->series->points[0].y == 0.75 && shares->series->points[1].y == 0.25);
    assert_true(shares->y.max == 1);
    assert_true(steps->series->points[1].x == 2 && steps->series->points[1].y == 2.5);
    dq_figure_free(&f);
    dq_index_free(&names);
}

/* A table of one run over these measures, whose values are given. */
static void fill(dq_run_table *t, dq_measured_run *run, dq_run_cell *cells, const char *const *names,
                 size_t n)
{
    t->runs = run;
    t->run_count = 1;
    t->cells = cells;
    *run = (dq_measured_run){.name = "r", .label = "r"};
    for (size_t i = 0; i < n; i++)
        assert_int_equal(dq_measure_pick_add(&t->picks, names[i], NULL, NULL), DQ_OK);
    assert_int_equal(t->picks.count, n);
}

static void measures_have_the_axes_of_what_they_can_be(void **state)
{
    (void)state;
    static dq_run_table t;
    static const char *const names[] = {
        "iprec_at_recall.0.5", "map", "iprec_at_recall.0.1", "utility", "novelty@10", "P@5", "runid", "G"};
    dq_run_cell cells[8] = {{.value = 0.25}, {.value = 0.5}, {.value = 0.75}, {.value = -3},
                            {.value = 4},    {.value = 1},   {.value = 0},    {.value = (double)NAN}};
    dq_measured_run run;
    dq_figure f = DQ_FIGURE_EMPTY;
    cells[1].has_interval = true;
    cells[1].against.interval = (dq_interval){0.25, 0.625};
    fill(&t, &run, cells, names, 8);
    assert_int_equal(dq_runs_figure(&t, 0.95, &f, NULL), DQ_OK);
    assert_int_equal(f.panel_count, 4); /* no name of a run, no measure without a number */
    const dq_plot_panel *shares = f.panels, *recall = shares->next, *any = recall->next,
                        *positive = any->next;
    assert_int_equal(shares->category_count, 2);
    assert_string_equal(shares->categories[0], "map");
    assert_true(shares->y.min == 0 && shares->y.max == 1);
    assert_true(shares->series->points[0].lower == 0.25 && isnan(shares->series->points[1].lower));
    assert_int_equal(recall->kind, DQ_PLOT_LINES);
    assert_true(recall->series->points[0].x == 0.1 && recall->series->points[0].y == 0.75);
    assert_true(recall->series->points[1].x == 0.5);
    assert_string_equal(any->title, "utility");
    assert_true(isnan(any->y.min) && isnan(any->y.max));
    assert_true(positive->y.min == 0 && isnan(positive->y.max));
    dq_figure_free(&f);
    cells[1].value = -0.5; /* of judgements below 0 */
    assert_int_equal(dq_runs_figure(&t, 0.95, &f, NULL), DQ_OK);
    assert_true(isnan(f.panels->y.min) && f.panels->y.max == 1);
    dq_figure_free(&f);
}

static void an_axis_says_what_its_values_are(void **state)
{
    (void)state;
    static dq_run_table t;
    static const char *const names[] = {"map",        "coverage@10", "gini@10",
                                        "entropy@10", "novelty@10",  "num_ret"};
    dq_run_cell cells[6] = {{.value = 0.5}, {.value = 0.25}, {.value = 0.75},
                            {.value = 2},   {.value = 4},    {.value = 7}};
    dq_measured_run run;
    dq_figure f = DQ_FIGURE_EMPTY;
    fill(&t, &run, cells, names, 6);
    assert_int_equal(dq_runs_figure(&t, 0.95, &f, NULL), DQ_OK);
    assert_int_equal(f.panel_count, 5);
    const dq_plot_panel *mean = f.panels, *whole = mean->next, *entropy = whole->next,
                        *novelty = entropy->next, *count = novelty->next;
    assert_string_equal(mean->title, "map");
    assert_string_equal(mean->y.label, "mean over queries");
    assert_string_equal(whole->title, "Measures of the whole run"); /* coverage is no mean over queries */
    assert_string_equal(whole->y.label, "of the whole run");
    assert_true(whole->category_count == 2 && whole->y.max == 1);
    assert_string_equal(entropy->y.unit, "nats");
    assert_string_equal(novelty->y.unit, "bits");
    assert_true(novelty->y.min == 0 && isnan(novelty->y.max));
    assert_string_equal(count->y.label, "sum over queries");
    dq_figure_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(estimates_are_points_with_intervals),
        cmocka_unit_test(rewards_by_step_are_means_over_episodes),
        cmocka_unit_test(measures_have_the_axes_of_what_they_can_be),
        cmocka_unit_test(an_axis_says_what_its_values_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
