/* SPDX-License-Identifier: MIT
 *
 * The whole script. A picture is one multiplot, in which everything has its place in pixels; in a terminal
 * each panel is a plot of its own, for which gnuplot finds the places.
 */
#include "plot/script_impl.h"

#include <stdlib.h>
#include <string.h>

static void set_terminal(const plot_script *s)
{
    double width = s->width, height = s->height;
    char font[40];
    plot_font(s, "", DQ_PLOT_FONT, font);
    if (s->form == DQ_PLOT_SVG || s->form == DQ_PLOT_SVG_DARK)
        (void)fprintf(s->f, "set terminal svg size %.0f,%.0f font '%s'", width, height, font);
    if (s->form == DQ_PLOT_PNG) /* two dots a pixel */
        (void)fprintf(
            s->f, "set terminal pngcairo size %.0f,%.0f fontscale 2 linewidth 2 pointscale 2 font 'Sans,%g'",
            2 * width, 2 * height, DQ_PLOT_FONT * 0.75);
    if (s->form == DQ_PLOT_PDF)
        (void)fprintf(s->f, "set terminal pdfcairo size %.4fin,%.4fin font '%s'", width / 96, height / 96,
                      font);
    (void)fprintf(s->f, " background '#%06X' noenhanced\nset multiplot\nset key off\n", s->theme->paper);
}

static void draw_around(plot_script *s)
{
    const dq_figure *figure = s->figure;
    char font[40], note[PLOT_NOTE];
    if (figure->title && *figure->title) {
        (void)fputs("set label ", s->f);
        plot_quote(s->f, figure->title, (size_t)(s->width / DQ_PLOT_LETTER * 0.85), false);
        plot_font(s, ":Bold", DQ_PLOT_FONT + 2, font);
        (void)fprintf(s->f, " at screen 0.5,screen %.6f center font '%s' tc rgb '#%06X'\n",
                      1 - 18 / s->height, font, s->theme->ink);
    }
    plot_note(s, note);
    if (*note) {
        (void)fputs("set label ", s->f);
        plot_quote(s->f, note, (size_t)(s->width / DQ_PLOT_LETTER * 1.1), false);
        plot_font(s, "", DQ_PLOT_FONT_SMALL, font);
        (void)fprintf(s->f, " at screen %.6f,screen %.6f left font '%s' tc rgb '#%06X'\n",
                      (PLOT_EDGE + 4) / s->width, 12 / s->height, font, s->theme->frame);
    }
    plot_legend_draw(s, plot_title_height(figure) + 0.5 * PLOT_EDGE);
}

static dq_status draw_picture(plot_script *s, dq_error *error)
{
    plot_place *places = calloc(s->figure->panel_count, sizeof *places);
    size_t at = 0;
    if (!places) return dq_fail_memory(error, "a picture");
    plot_layout(s, places);
    set_terminal(s);
    for (const dq_plot_panel *p = s->figure->panels; p; p = p->next, at++) {
        (void)fputs("unset label\nunset arrow\nunset object\n", s->f);
        if (at == 0) draw_around(s);
        s->slot = (places[at].axes.right - places[at].axes.left) /
                  (double)(p->category_count ? p->category_count : 1);
        plot_axes_draw(s, p, &places[at]);
        plot_marks_draw(s, p, &places[at]);
        plot_content_draw(s, p);
    }
    (void)fputs("unset multiplot\n", s->f);
    free(places);
    return DQ_OK;
}

/* ---- a terminal ---- */

enum { LINES = 20, LEAST = 48, SAMPLE = 12 };

/* Whether gnuplot's own legend has room beside the axes, which keep LEAST columns. */
static bool legend_beside(const plot_script *s, const dq_plot_panel *panel)
{
    size_t longest = 0;
    for (const dq_plot_series *p = panel->series; p; p = p->next) {
        size_t letters = plot_letters(s->legend.entries[plot_legend_number(&s->legend, p->name)].text,
                                      SIZE_MAX);
        if (letters > longest) longest = letters;
    }
    return longest + SAMPLE + LEAST <= s->columns;
}

/* "TITLE: LABEL, mean of 5 runs": there is no room for the title of a vertical axis. */
static void set_text_title(plot_script *s, const dq_plot_panel *panel)
{
    char label[240], title[500], runs[40] = "";
    plot_axis_title(&panel->y, label, sizeof label);
    if (s->legend.runs) (void)snprintf(runs, sizeof runs, ", mean of %u runs", s->legend.runs);
    (void)snprintf(title, sizeof title, *label && *panel->title ? "%s: %s%s" : "%s%s%s", panel->title, label,
                   runs);
    (void)fputs("set border 3\nset tics nomirror out\nset title ", s->f);
    plot_quote(s->f, title, s->columns, false);
}

static void draw_text(plot_script *s, const dq_plot_panel *panel)
{
    char text[240];
    plot_place place = {.every = 1};
    bool shown = s->legend.shown > 0, beside = legend_beside(s, panel);
    (void)fprintf(s->f, "set terminal dumb nofeed noenhanced %s size %u,%zu\nunset label\nunset arrow\n",
                  s->form == DQ_PLOT_COLOUR ? "ansi256" : "mono", s->columns,
                  LINES + (shown && !beside ? panel->series_count : 0));
    (void)fprintf(s->f, !shown ? "set key off\n" : "set key %s Left reverse vertical maxcols 1\n",
                  beside ? "rmargin top" : "tmargin left");
    plot_scales(panel, s->columns * 8.0, LINES * 20.0, &place);
    plot_ranges_draw(s, panel, &place);
    set_text_title(s, panel);
    plot_axis_title(&panel->x, text, sizeof text);
    (void)fputs("\nset xlabel ", s->f);
    plot_quote(s->f, text, s->columns, false);
    (void)fputc('\n', s->f);
    plot_text_marks_draw(s, panel);
    plot_content_draw(s, panel);
}

/* ---- what may be drawn ---- */

/* A number outside what its axis can show would be left out without a word. */
static dq_status check_number(const dq_plot_panel *panel, double y, dq_error *error)
{
    const dq_plot_axis *axis = &panel->y;
    double room = 1e-9 * fmax(1, fabs(y));
    bool below = y<axis->min - room, above = y> axis->max + room; /* false for NAN */
    if (!below && !above) return DQ_OK;
    return dq_fail(error, DQ_ERR_RANGE, "%s%s%.9g is %s what the axis can show, %.9g", panel->title,
                   *panel->title ? ": " : "", y, below ? "less than" : "more than",
                   below ? axis->min : axis->max);
}

static dq_status check_panel(const dq_plot_panel *panel, size_t *numbers, dq_error *error)
{
    dq_status status = DQ_OK;
    for (const dq_plot_series *s = panel->series; s; s = s->next)
        for (size_t i = 0; i < s->count && !status; i++) {
            status = check_number(panel, s->points[i].y, error);
            *numbers += plot_shows(panel, &s->points[i]);
        }
    return status;
}

static dq_status check(const dq_figure *figure, dq_error *error)
{
    size_t numbers = 0;
    dq_status status = figure->arena.failed ? dq_fail_memory(error, "a picture") : DQ_OK;
    for (const dq_plot_panel *p = figure->panels; p && !status; p = p->next)
        status = check_panel(p, &numbers, error);
    if (!status && !numbers) return dq_fail(error, DQ_ERR_SCHEMA, "there is nothing to draw");
    return status;
}

static plot_script begin(FILE *f, const dq_figure *figure, dq_plot_form form, unsigned columns)
{
    return (plot_script){.f = f,
                         .figure = figure,
                         .form = form,
                         .text = form == DQ_PLOT_TERMINAL || form == DQ_PLOT_COLOUR,
                         .theme = dq_plot_theme_of(form),
                         .columns = columns,
                         .slot = 1};
}

dq_status dq_plot_script(FILE *f, const dq_figure *figure, dq_plot_form form, unsigned columns,
                         dq_error *error)
{
    plot_script s = begin(f, figure, form, columns);
    dq_status status = check(figure, error);
    if (!status) status = plot_legend_make(&s.legend, figure, s.text, error);
    (void)fputs("set encoding utf8\n", f);
    if (!status && !s.text) status = draw_picture(&s, error);
    for (const dq_plot_panel *p = figure->panels; p && s.text && !status; p = p->next)
        if (!plot_is_table(p)) draw_text(&s, p);
    free(s.legend.entries);
    return status;
}

dq_status plot_table_write(FILE *f, const dq_figure *figure, dq_plot_form form, unsigned columns,
                           dq_error *error)
{
    plot_script s = begin(f, figure, form, columns);
    dq_status status = check(figure, error);
    if (!status) status = plot_legend_make(&s.legend, figure, s.text, error);
    if (!status) plot_table_draw(&s, figure->panels);
    free(s.legend.entries);
    return status;
}
