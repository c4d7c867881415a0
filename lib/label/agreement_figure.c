/* SPDX-License-Identifier: MIT */
#include "label/agreement_figure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct drawing {
    const dq_labelled *labelled;
    dq_figure *figure;
    size_t labels;
    uint64_t *counts; /* (labels, labels) of the streams at hand */
} drawing;

static const char *base_name(const dq_labelled *l, uint32_t rater)
{
    const char *slash = strrchr(l->rater[rater].path, '/');
    return slash && slash[1] ? slash + 1 : l->rater[rater].path;
}

/* A stream without its folders, unless these alone tell it from another. */
static const char *stream_name(const dq_labelled *l, uint32_t rater)
{
    const char *name = base_name(l, rater);
    for (uint32_t i = 0; i < l->raters; i++)
        if (i != rater && strcmp(base_name(l, i), name) == 0) return l->rater[rater].path;
    return name;
}

static void pair_name(const dq_labelled *l, uint32_t a, uint32_t b, char *to, size_t room)
{
    (void)snprintf(to, room, "%.80s, %.80s", stream_name(l, a), stream_name(l, b));
}

static void add_measures(drawing *d, const dq_agreement *a)
{
    char name[240], pair[200];
    dq_plot_panel *panel = dq_figure_add_panel(d->figure, DQ_PLOT_POINTS, "Agreement");
    dq_plot_series *s = dq_figure_add_series(d->figure, panel, "", 0, a->count);
    if (!s) return;
    panel->y.label = "agreement (1: in everything)";
    panel->y.max = 1;
    dq_figure_set_categories(d->figure, panel, a->count);
    for (size_t i = 0; i < a->count; i++) {
        const dq_agreement_row *row = &a->rows[i];
        bool of_all = row->first == row->second;
        pair_name(d->labelled, row->first, row->second, pair, sizeof pair);
        (void)snprintf(name, sizeof name, d->labelled->raters > 2 && !of_all ? "%s: %s" : "%s",
                       dq_agreement_name(row->measure), pair);
        dq_figure_name_category(d->figure, panel, i, name, strlen(name));
        s->points[i] = (dq_plot_point){
            .x = (double)i, .y = row->value, .lower = row->interval.low, .upper = row->interval.high};
    }
}

static void name_labels(drawing *d, dq_plot_panel *panel)
{
    dq_figure_set_categories(d->figure, panel, d->labels);
    for (size_t i = 0; i < d->labels; i++) {
        size_t n;
        const char *label = dq_index_id(&d->labelled->labels, (uint32_t)i, &n);
        dq_figure_name_category(d->figure, panel, i, label, n);
    }
}

/* The share of a label's uses that both agree on; NAN where neither uses it. */
static double reliability(const drawing *d, size_t label)
{
    double uses = 0;
    for (size_t j = 0; j < d->labels; j++)
        uses += (double)d->counts[label * d->labels + j] + (double)d->counts[j * d->labels + label];
    return uses > 0 ? 2 * (double)d->counts[label * d->labels + label] / uses : (double)NAN;
}

static void add_reliability(drawing *d, dq_plot_panel *panel, uint32_t a, uint32_t b)
{
    char name[200] = "";
    if (d->labelled->raters > 2) pair_name(d->labelled, a, b, name, sizeof name);
    dq_plot_series *s = dq_figure_add_series(d->figure, panel, name, strlen(name), d->labels);
    for (size_t i = 0; s && i < d->labels; i++) {
        s->points[i].x = (double)i;
        s->points[i].y = reliability(d, i);
    }
}

static void add_confusion(drawing *d, uint32_t a, uint32_t b)
{
    dq_plot_panel *panel = dq_figure_add_panel(d->figure, DQ_PLOT_GRID, "Confusion");
    name_labels(d, panel);
    if (!panel) return;
    panel->x.label = dq_figure_text(d->figure, stream_name(d->labelled, b),
                                    strlen(stream_name(d->labelled, b)));
    panel->rows = dq_figure_text(d->figure, stream_name(d->labelled, a), strlen(stream_name(d->labelled, a)));
    panel->y.label = "pairs";
    for (size_t i = 0; i < d->labels; i++) {
        size_t n;
        const char *label = dq_index_id(&d->labelled->labels, (uint32_t)i, &n);
        dq_plot_series *row = dq_figure_add_series(d->figure, panel, label, n, d->labels);
        for (size_t j = 0; row && j < d->labels; j++) {
            row->points[j].x = (double)j;
            row->points[j].y = (double)d->counts[i * d->labels + j];
        }
    }
}

static void write_note(drawing *d, double level)
{
    char text[160];
    size_t pairs = (size_t)d->labelled->raters * (d->labelled->raters - 1) / 2;
    int n = snprintf(text, sizeof text, "%.6g %% intervals", 100 * level);
    if (pairs > DQ_AGREEMENT_PANELS)
        n += snprintf(text + n, sizeof text - (size_t)n,
                      "; confusion of the first %d of %zu pairs of streams", DQ_AGREEMENT_PANELS, pairs);
    d->figure->note = dq_figure_text(d->figure, text, (size_t)n);
}

dq_status dq_agreement_figure(const dq_labelled *l, const dq_agreement *a, double level, dq_figure *figure,
                              dq_error *error)
{
    drawing d = {.labelled = l, .figure = figure, .labels = dq_index_count(&l->labels)};
    const dq_ratings ratings = dq_labelled_ratings(l);
    size_t shown = 0;
    d.counts = calloc(d.labels * d.labels + 1, sizeof *d.counts);
    if (!d.counts) return dq_fail_memory(error, "a picture");
    add_measures(&d, a);
    dq_plot_panel *panel = dq_figure_add_panel(figure, DQ_PLOT_BARS, "Reliability of labels");
    name_labels(&d, panel);
    if (panel) panel->y = dq_plot_share("share of uses agreed on");
    for (uint32_t i = 0; i < l->raters; i++)
        for (uint32_t j = i + 1; j < l->raters; j++) {
            dq_agreement_confusion(&ratings, i, j, d.counts);
            add_reliability(&d, panel, i, j);
            if (shown++ < DQ_AGREEMENT_PANELS) add_confusion(&d, i, j);
        }
    write_note(&d, level);
    free(d.counts);
    return figure->arena.failed ? dq_fail_memory(error, "a picture") : DQ_OK;
}
