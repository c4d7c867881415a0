/* SPDX-License-Identifier: MIT */
#include "report/pictures.h"

#include <stdio.h>
#include <string.h>

const char *dq_pictures_interval(dq_figure *figure, double confidence, const char *of)
{
    char text[80];
    int n = snprintf(text, sizeof text, "%.6g %% %s", 100 * confidence, of);
    return dq_figure_text(figure, text, (size_t)n);
}

/* ---- rankings ---- */

/* What a measure can be: most are shares, means of shares, or products of such. */
typedef enum value_kind {
    SHARE,
    WHOLE,
    RECALL,
    POSITIVE,
    ANY
} value_kind; /* WHOLE: a share, of the whole run */

static value_kind kind_of(const dq_measure *m)
{
    static const char *const positive[] = {"dcg",     "ideal_dcg",  "G",         "binG",       "entropy",
                                           "novelty", "popularity", "diversity", "calibration"};
    if (strncmp(m->name, "iprec_at_recall", 15) == 0) return RECALL;
    if (strcmp(m->name, "utility") == 0) return ANY;
    if (m->over == DQ_OVER_SUM) return POSITIVE;
    for (size_t i = 0; i < sizeof positive / sizeof *positive; i++) {
        size_t n = strlen(positive[i]);
        if (strncmp(m->name, positive[i], n) == 0 && strchr("_:[", m->name[n])) return POSITIVE;
    }
    return m->over == DQ_OVER_RUN ? WHOLE : SHARE;
}

static dq_plot_axis axis_of(const dq_measure *m, value_kind kind)
{
    static const char *const units[][2] = {
        {"novelty", "bits"}, {"entropy", "nats"}, {"calibration", "nats"}, {"popularity", "users"}};
    bool share = kind == SHARE || kind == WHOLE;
    const char *label = m->over == DQ_OVER_RUN   ? "of the whole run"
                        : m->over == DQ_OVER_SUM ? "sum over queries"
                                                 : "mean over queries";
    dq_plot_axis axis = share ? dq_plot_share(label) : dq_plot_values(label);
    if (kind == POSITIVE) axis.min = 0;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(m->name, units[i][0]) == 0) axis.unit = units[i][1];
    return axis;
}

static bool has_number(const dq_run_table *t, size_t pick)
{
    for (size_t r = 0; r < t->run_count && t->picks.at[pick].measure->over != DQ_OVER_NAME; r++)
        if (!isnan(t->cells[r * t->picks.count + pick].value)) return true;
    return false;
}

static size_t count_of(const dq_run_table *t, value_kind kind)
{
    size_t n = 0;
    for (size_t p = 0; p < t->picks.count; p++)
        n += has_number(t, p) && kind_of(t->picks.at[p].measure) == kind;
    return n;
}

static dq_plot_point point_of(const dq_run_table *t, size_t run, size_t pick, double x)
{
    const dq_run_cell *c = &t->cells[run * t->picks.count + pick];
    return (dq_plot_point){.x = x,
                           .y = c->value,
                           .lower = c->has_interval ? c->against.interval.low : (double)NAN,
                           .upper = c->has_interval ? c->against.interval.high : (double)NAN};
}

static bool any_interval(const dq_run_table *t)
{
    for (size_t i = 0; i < t->run_count * t->picks.count; i++)
        if (t->cells[i].has_interval) return true;
    return false;
}

/* Measures of a kind: a category each, or with the value of recall as x. The names of runs are left out where
 * there is one. */
static void fill(const dq_run_table *t, value_kind kind, size_t from, size_t to, dq_figure *figure,
                 dq_plot_panel *panel)
{
    size_t count = 0;
    for (size_t p = from; p < to; p++) count += has_number(t, p) && kind_of(t->picks.at[p].measure) == kind;
    if (kind != RECALL) dq_figure_set_categories(figure, panel, count);
    for (size_t r = 0; r < t->run_count; r++) {
        const char *name = t->run_count > 1 ? t->runs[r].label : "";
        dq_plot_series *s = dq_figure_add_series(figure, panel, name, strlen(name), count);
        size_t at = 0;
        for (size_t p = from; s && p < to; p++) {
            const dq_measure_pick *pick = &t->picks.at[p];
            if (!has_number(t, p) || kind_of(pick->measure) != kind) continue;
            s->points[at] = point_of(t, r, p, kind == RECALL ? pick->parameter : (double)at);
            if (count > 1) dq_figure_name_category(figure, panel, at, pick->name, strlen(pick->name));
            at++;
        }
    }
}

/* Recall ascends, however the measures were asked for. */
static void sort_by_recall(dq_plot_panel *panel)
{
    for (dq_plot_series *s = panel->series; s; s = s->next)
        for (size_t i = 1; i < s->count; i++)
            for (size_t k = i; k > 0 && s->points[k - 1].x > s->points[k].x; k--) {
                dq_plot_point p = s->points[k];
                s->points[k] = s->points[k - 1];
                s->points[k - 1] = p;
            }
}

/* The shares of a kind side by side; the only one has its name as the title. */
static void add_shares(const dq_run_table *t, value_kind kind, const char *title, dq_figure *figure)
{
    size_t count = count_of(t, kind), first = 0;
    if (!count) return;
    while (!has_number(t, first) || kind_of(t->picks.at[first].measure) != kind) first++;
    if (count == 1) title = t->picks.at[first].name;
    dq_plot_panel *panel = dq_figure_add_panel(figure, DQ_PLOT_BARS, title);
    if (panel) panel->y = axis_of(t->picks.at[first].measure, kind);
    fill(t, kind, 0, t->picks.count, figure, panel);
}

dq_status dq_runs_figure(const dq_run_table *t, double confidence, dq_figure *figure, dq_error *error)
{
    dq_plot_panel *panel;
    size_t before = figure->panel_count;
    const char *interval = any_interval(t) ? dq_pictures_interval(figure, confidence, "interval") : NULL;
    add_shares(t, SHARE, "Measures", figure);
    add_shares(t, WHOLE, "Measures of the whole run", figure);
    if (count_of(t, RECALL) > 0 &&
        (panel = dq_figure_add_panel(figure, DQ_PLOT_LINES, "Precision by recall"))) {
        panel->y = dq_plot_share("interpolated precision");
        panel->x = dq_plot_share("recall");
        fill(t, RECALL, 0, t->picks.count, figure, panel);
        sort_by_recall(panel);
    }
    for (size_t p = 0; p < t->picks.count; p++) {
        value_kind kind = kind_of(t->picks.at[p].measure);
        if (kind < POSITIVE || !has_number(t, p)) continue;
        panel = dq_figure_add_panel(figure, DQ_PLOT_BARS, t->picks.at[p].name);
        if (panel) panel->y = axis_of(t->picks.at[p].measure, kind);
        fill(t, kind, p, p + 1, figure, panel);
    }
    size_t at = 0;
    for (panel = figure->panels; panel; panel = panel->next) {
        if (at++ < before) continue;
        panel->interval = interval;
        dq_plot_widen(panel); /* judgements may be of any sign */
    }
    if (interval) figure->note = interval;
    if (figure->arena.failed) return dq_fail_memory(error, "a picture");
    if (figure->panel_count == before)
        return dq_fail(error, DQ_ERR_SCHEMA, "no measure has a number to draw");
    return DQ_OK;
}

/* ---- off-policy estimates ---- */

dq_status dq_ope_figure(const dq_ope_estimate *e, size_t count, double confidence, dq_figure *figure,
                        dq_error *error)
{
    dq_plot_panel *panel = dq_figure_add_panel(figure, DQ_PLOT_POINTS, "Estimates of the policy's value");
    dq_plot_series *s = dq_figure_add_series(figure, panel, "", 0, count);
    if (!s) return dq_fail_memory(error, "a picture");
    panel->y = dq_plot_values("reward");
    dq_figure_set_categories(figure, panel, count);
    for (size_t i = 0; i < count; i++) {
        s->points[i] = (dq_plot_point){
            .x = (double)i, .y = e[i].value, .lower = e[i].bootstrap.low, .upper = e[i].bootstrap.high};
        dq_figure_name_category(figure, panel, i, e[i].name, strlen(e[i].name));
        if (strcmp(e[i].name, "log") == 0)
            dq_figure_add_mark(figure, panel, true, e[i].value, "the log's policy");
    }
    panel->interval = dq_pictures_interval(figure, confidence, "bootstrap interval");
    figure->note = panel->interval;
    return figure->arena.failed ? dq_fail_memory(error, "a picture") : DQ_OK;
}

/* ---- roll-outs ---- */

static void add_scores(const dq_acted *a, size_t count, const dq_acted_form *form, dq_figure *figure)
{
    dq_plot_panel *panel = dq_figure_add_panel(figure, DQ_PLOT_POINTS, "Score of an episode");
    dq_plot_series *s = dq_figure_add_series(figure, panel, "", 0, count);
    dq_figure_set_categories(figure, panel, count);
    for (size_t i = 0; s && i < count; i++) {
        const dq_summary *score = a[i].score;
        s->points[i] = (dq_plot_point){.x = (double)i,
                                       .y = score->mean,
                                       .lower = score->compared.interval.low,
                                       .upper = score->compared.interval.high};
        dq_figure_name_category(figure, panel, i, a[i].name, strlen(a[i].name));
    }
    if (!panel) return;
    panel->y = dq_plot_values(form->score);
    panel->interval = figure->note = dq_pictures_interval(figure, form->confidence, "interval");
}

static void add_labels(const dq_acted *a, size_t count, const dq_acted_form *form, dq_figure *figure)
{
    dq_plot_panel *panel = dq_figure_add_panel(figure, DQ_PLOT_BARS, "Labels of what was chosen");
    dq_figure_set_categories(figure, panel, form->label_count);
    for (size_t l = 0; l < form->label_count; l++) {
        bool known = l < dq_index_count(form->labels);
        size_t bytes = strlen("other");
        const char *name = known ? dq_index_id(form->labels, (uint32_t)l, &bytes) : "other";
        dq_figure_name_category(figure, panel, l, name, bytes);
    }
    for (size_t i = 0; i < count; i++) {
        dq_plot_series *s = dq_figure_add_series(figure, panel, a[i].name, strlen(a[i].name),
                                                 form->label_count);
        for (size_t l = 0; s && l < s->count; l++) {
            s->points[l].x = (double)l;
            s->points[l].y = (double)a[i].labels[l] / form->steps_in_all;
        }
    }
    if (panel) panel->y = dq_plot_share("share of steps");
}

static void add_steps(const dq_acted *a, size_t count, const dq_acted_form *form, dq_figure *figure)
{
    dq_plot_panel *panel = dq_figure_add_panel(figure, DQ_PLOT_LINES, "Reward by step");
    for (size_t i = 0; i < count; i++) {
        dq_plot_series *s = dq_figure_add_series(figure, panel, a[i].name, strlen(a[i].name), form->steps);
        for (size_t at = 0; s && at < s->count; at++) {
            s->points[at].x = (double)(at + 1);
            s->points[at].y = a[i].by_step[at] / (double)form->episodes;
        }
    }
    if (panel) panel->x = dq_plot_values("step");
    if (panel) panel->y = dq_plot_values("mean reward over episodes");
}

dq_status dq_acted_figure(const dq_acted *a, size_t count, const dq_acted_form *form, dq_figure *figure,
                          dq_error *error)
{
    add_scores(a, count, form, figure);
    if (form->label_count) add_labels(a, count, form, figure);
    if (form->steps) add_steps(a, count, form, figure);
    return figure->arena.failed ? dq_fail_memory(error, "a picture") : DQ_OK;
}
