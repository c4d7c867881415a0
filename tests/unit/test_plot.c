/* SPDX-License-Identifier: MIT
 *
 * Figures to gnuplot's script: what is quoted, where lines break, what is refused.
 */
#include "plot/plot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static char script[1 << 15];

static dq_status write_script(const dq_figure *f, dq_plot_form form, dq_error *error)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    dq_status status = dq_plot_script(file, f, form, 80, error);
    rewind(file);
    size_t n = fread(script, 1, sizeof script - 1, file);
    script[n] = '\0';
    assert_int_equal(fclose(file), 0);
    return status;
}

static bool says(const char *text)
{
    return strstr(script, text) != NULL;
}

static dq_plot_series *add_line(dq_figure *f, dq_plot_panel *panel, const char *name, size_t points)
{
    dq_plot_series *s = dq_figure_add_series(f, panel, name, strlen(name), points);
    assert_non_null(s);
    for (size_t i = 0; i < points; i++) s->points[i].x = (double)i, s->points[i].y = (double)(i * i);
    return s;
}

static void names_are_quoted_and_control_characters_are_blanks(void **state)
{
    (void)state;
    dq_figure f = DQ_FIGURE_EMPTY;
    dq_plot_panel *panel = dq_figure_add_panel(&f, DQ_PLOT_BARS, "it's\n\x9b");
    dq_figure_set_categories(&f, panel, 2);
    dq_figure_name_category(&f, panel, 0, "50%", 3);
    (void)add_line(&f, panel, "a'; system 'x", 2);
    assert_int_equal(write_script(&f, DQ_PLOT_SVG, NULL), DQ_OK);
    assert_true(says("'it''s \uFFFD'"));
    assert_true(says("'a''; system ''x'"));
    assert_true(says("'50%%' 0")); /* ticks are formats */
    dq_figure_free(&f);
}

/* A long name loses its middle, at whole characters. */
static void long_names_lose_their_middle(void **state)
{
    (void)state;
    char name[400] = "";
    dq_figure f = DQ_FIGURE_EMPTY;
    dq_plot_panel *panel = dq_figure_add_panel(&f, DQ_PLOT_POINTS, NULL);
    for (int i = 0; i < 100; i++) strcat(name, "ü");
    dq_figure_set_categories(&f, panel, 1);
    dq_figure_name_category(&f, panel, 0, name, strlen(name));
    (void)add_line(&f, panel, "", 1);
    assert_int_equal(write_script(&f, DQ_PLOT_SVG, NULL), DQ_OK);
    assert_true(says("üüü…üüü"));
    assert_false(says("\uFFFD"));
    dq_figure_free(&f);
}

static void lines_break_at_nothing_and_where_runs_change(void **state)
{
    (void)state;
    dq_figure f = DQ_FIGURE_EMPTY;
    dq_plot_panel *panel = dq_figure_add_panel(&f, DQ_PLOT_LINES, "t");
    dq_plot_series *s = add_line(&f, panel, "a", 6);
    s->runs = 3;
    s->points[1].y = (double)NAN;
    s->points[4].runs = s->points[5].runs = 2;
    s->points[3].lower = 8;
    s->points[3].upper = 11;
    panel->y.max = 25;
    assert_int_equal(write_script(&f, DQ_PLOT_SVG, NULL), DQ_OK);
    assert_true(says("$d0 << END\n0 0 0 0\n\n2 4 4 4\n3 9 8 11\nEND\n"));
    assert_true(says("$e0 << END\n4 16 16 16\n5 25 25 25\nEND\n"));
    assert_true(says("$p0 << END\n0 0 0 0\nEND\n")); /* alone, a dot */
    assert_true(says("'2 of 3 runs'"));
    assert_true(says("'a, mean of 3 runs'"));
    dq_figure_free(&f);
}

static void bands_and_intervals_end_at_the_axis(void **state)
{
    (void)state;
    dq_figure f = DQ_FIGURE_EMPTY;
    dq_plot_panel *panel = dq_figure_add_panel(&f, DQ_PLOT_LINES, "t");
    dq_plot_series *s = add_line(&f, panel, "a", 2);
    s->points[1].lower = -1;
    s->points[1].upper = 1.5;
    panel->y = dq_plot_share("x");
    assert_int_equal(write_script(&f, DQ_PLOT_SVG, NULL), DQ_OK);
    assert_true(says("1 1 0 1\n"));
    assert_true(says("set yrange [0:1]"));
    dq_figure_free(&f);
}

static void what_cannot_be_drawn_is_refused(void **state)
{
    (void)state;
    dq_figure f = DQ_FIGURE_EMPTY;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(write_script(&f, DQ_PLOT_SVG, &e), DQ_ERR_SCHEMA); /* no panel */
    dq_plot_panel *panel = dq_figure_add_panel(&f, DQ_PLOT_LINES, "t");
    assert_int_equal(write_script(&f, DQ_PLOT_SVG, &e), DQ_ERR_SCHEMA); /* no number */
    dq_plot_series *s = add_line(&f, panel, "a", 2);
    assert_int_equal(write_script(&f, DQ_PLOT_SVG, &e), DQ_OK);
    s->points[1].y = 1.5;
    panel->y = dq_plot_share("x");
    assert_int_equal(write_script(&f, DQ_PLOT_SVG, &e), DQ_ERR_RANGE);
    s->points[1].y = 1 + 1e-12; /* a mean that was rounded */
    assert_int_equal(write_script(&f, DQ_PLOT_SVG, &e), DQ_OK);
    f.arena.failed = true;
    assert_int_equal(write_script(&f, DQ_PLOT_SVG, &e), DQ_ERR_MEMORY);
    dq_figure_free(&f);
}

static void a_name_has_one_colour_in_all_panels(void **state)
{
    (void)state;
    dq_figure f = DQ_FIGURE_EMPTY;
    dq_plot_panel *first = dq_figure_add_panel(&f, DQ_PLOT_LINES, "1");
    (void)add_line(&f, first, "a", 2);
    (void)add_line(&f, first, "b", 2);
    dq_plot_panel *second = dq_figure_add_panel(&f, DQ_PLOT_LINES, "2");
    (void)add_line(&f, second, "b", 2);
    assert_int_equal(write_script(&f, DQ_PLOT_SVG, NULL), DQ_OK);
    const char *last = strstr(script, "plot $d0"); /* of the first panel */
    last = strstr(last + 1, "plot $d0");
    assert_non_null(strstr(last, "rgb '#D55E00'")); /* the second hue */
    assert_null(strstr(last, "rgb '#0072B2'"));
    dq_figure_free(&f);
}

static void forms_are_told_by_the_end_of_a_name(void **state)
{
    (void)state;
    dq_plot_form form = DQ_PLOT_TERMINAL;
    assert_true(dq_plot_form_of("a.svg", &form) && form == DQ_PLOT_SVG);
    assert_true(dq_plot_form_of("a.b.png", &form) && form == DQ_PLOT_PNG);
    assert_true(dq_plot_form_of("x/y.pdf", &form) && form == DQ_PLOT_PDF);
    assert_false(dq_plot_form_of(".svg", &form));
    assert_false(dq_plot_form_of("svg", &form));
    assert_false(dq_plot_form_of("a.jpg", &form));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_quoted_and_control_characters_are_blanks),
        cmocka_unit_test(long_names_lose_their_middle),
        cmocka_unit_test(lines_break_at_nothing_and_where_runs_change),
        cmocka_unit_test(bands_and_intervals_end_at_the_axis),
        cmocka_unit_test(what_cannot_be_drawn_is_refused),
        cmocka_unit_test(a_name_has_one_colour_in_all_panels),
        cmocka_unit_test(forms_are_told_by_the_end_of_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
