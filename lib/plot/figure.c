/* SPDX-License-Identifier: MIT */
#include "plot/figure.h"

#include <stdio.h>
#include <string.h>

const char *dq_figure_text(dq_figure *figure, const char *text, size_t bytes)
{
    return dq_arena_text(&figure->arena, text, bytes);
}

dq_plot_panel *dq_figure_add_panel(dq_figure *figure, dq_plot_kind kind, const char *title)
{
    dq_plot_panel *panel = dq_arena_zero(&figure->arena, 1, sizeof *panel), **end = &figure->panels;
    const char *copy = dq_figure_text(figure, title ? title : "", title ? strlen(title) : 0);
    if (!panel || !copy) return NULL;
    panel->kind = kind;
    panel->title = copy;
    panel->x = panel->y = DQ_PLOT_AXIS;
    while (*end) end = &(*end)->next;
    *end = panel;
    figure->panel_count++;
    return panel;
}

dq_plot_series *dq_figure_add_series(dq_figure *figure, dq_plot_panel *panel, const char *name, size_t bytes,
                                     size_t points)
{
    if (!panel) return NULL;
    dq_plot_series *series = dq_arena_zero(&figure->arena, 1, sizeof *series), **end = &panel->series;
    const char *copy = dq_figure_text(figure, name, bytes);
    dq_plot_point *at = dq_arena_zero(&figure->arena, points, sizeof *at);
    if (!series || !copy || !at) return NULL;
    for (size_t i = 0; i < points; i++)
        at[i] = (dq_plot_point){(double)NAN, (double)NAN, (double)NAN, (double)NAN, 0};
    *series = (dq_plot_series){.name = copy, .count = points, .points = at};
    while (*end) end = &(*end)->next;
    *end = series;
    panel->series_count++;
    return series;
}

void dq_figure_set_categories(dq_figure *figure, dq_plot_panel *panel, size_t count)
{
    if (!panel) return;
    panel->categories = dq_arena_zero(&figure->arena, count, sizeof *panel->categories);
    panel->category_count = panel->categories ? count : 0;
    for (size_t i = 0; i < panel->category_count; i++) panel->categories[i] = "";
}

void dq_figure_name_category(dq_figure *figure, dq_plot_panel *panel, size_t category, const char *name,
                             size_t bytes)
{
    if (!panel || category >= panel->category_count) return;
    const char *copy = dq_figure_text(figure, name, bytes);
    if (copy) panel->categories[category] = copy;
}

void dq_figure_add_mark(dq_figure *figure, dq_plot_panel *panel, bool horizontal, double at,
                        const char *label)
{
    if (!panel) return;
    dq_plot_mark *mark = dq_arena_zero(&figure->arena, 1, sizeof *mark), **end = &panel->marks;
    if (!mark) return;
    char number[40];
    (void)snprintf(number, sizeof number, "%s%.6g", at < 0 ? "\u2212" : "", fabs(at));
    if (!label || !*label) label = number;
    *mark = (dq_plot_mark){.horizontal = horizontal, .at = at};
    mark->label = dq_figure_text(figure, label, strlen(label));
    while (*end) end = &(*end)->next;
    *end = mark;
}

void dq_figure_free(dq_figure *figure)
{
    dq_arena_free(&figure->arena);
    *figure = DQ_FIGURE_EMPTY;
}

dq_plot_axis dq_plot_values(const char *label)
{
    dq_plot_axis axis = DQ_PLOT_AXIS;
    axis.label = label;
    return axis;
}

dq_plot_axis dq_plot_share(const char *label)
{
    return (dq_plot_axis){.label = label, .min = 0, .max = 1, .full = true};
}

void dq_plot_widen(dq_plot_panel *panel)
{
    bool below = false, above = false;
    for (const dq_plot_series *s = panel->series; s; s = s->next)
        for (size_t i = 0; i < s->count; i++) {
            below = below || s->points[i].y < panel->y.min; /* false for NAN */
            above = above || s->points[i].y > panel->y.max;
        }
    if (below) panel->y.min = (double)NAN;
    if (above) panel->y.max = (double)NAN;
}

bool dq_plot_has_intervals(const dq_plot_panel *panel)
{
    for (const dq_plot_series *s = panel->series; s; s = s->next)
        for (size_t i = 0; i < s->count; i++)
            if (isfinite(s->points[i].lower) && isfinite(s->points[i].upper)) return true;
    return false;
}

/* A histogram of one number has it all in one bin. */
static bool one_bin(const dq_plot_panel *panel, double *value)
{
    size_t bins = 0;
    for (const dq_plot_series *s = panel->series; s; s = s->next)
        for (size_t i = 0; i < s->count; i++) {
            if (!(s->points[i].y > 0)) continue;
            if (bins && s->points[i].x == *value) continue;
            *value = s->points[i].x;
            bins++;
        }
    return bins == 1;
}

/* Bars of one number: several of them, or none that is seen, since all are 0. */
static bool bars_constant(const dq_plot_panel *panel, double *value)
{
    size_t bars = 0;
    for (const dq_plot_series *s = panel->series; s; s = s->next)
        for (size_t i = 0; i < s->count; i++) {
            const dq_plot_point *p = &s->points[i];
            if (isnan(p->y)) continue;
            if (bars++ == 0) *value = p->y;
            if (p->y != *value || p->lower < p->y || p->upper > p->y) return false;
        }
    return bars > 1 || (bars == 1 && *value == 0);
}

bool dq_plot_constant(const dq_plot_panel *panel, double *value)
{
    size_t longest = 0;
    bool any = false;
    if (panel->kind == DQ_PLOT_HISTOGRAM) return one_bin(panel, value);
    if (panel->kind == DQ_PLOT_BARS) return bars_constant(panel, value);
    if (panel->kind != DQ_PLOT_LINES) return false;
    for (const dq_plot_series *s = panel->series; s; s = s->next) {
        if (s->count > longest) longest = s->count;
        for (size_t i = 0; i < s->count; i++) {
            const dq_plot_point *p = &s->points[i];
            if (isnan(p->y)) continue;
            if (!any) *value = p->y;
            any = true;
            if (p->y != *value || (p->lower < p->y) || (p->upper > p->y)) return false;
        }
    }
    return any && longest > 1;
}

void dq_figure_drop_constant(dq_figure *figure, void (*say)(void *arg, const char *title, double value),
                             void *arg)
{
    double value = 0;
    for (dq_plot_panel **at = &figure->panels; *at;) {
        if (figure->panel_count < 2 || !dq_plot_constant(*at, &value)) {
            at = &(*at)->next;
            continue;
        }
        if (say) say(arg, (*at)->title, value);
        *at = (*at)->next;
        figure->panel_count--;
    }
}
