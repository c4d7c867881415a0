/* SPDX-License-Identifier: MIT */
#include "report/curves.h"

#include <math.h>
#include <string.h>

enum { BINS = 24 };

static size_t runs_of(const dq_curves *c, uint32_t group)
{
    size_t n = 0;
    for (size_t r = 0; r < c->run_count; r++) n += c->runs[r].group == group;
    return n;
}

static void add_line(const dq_curves *c, uint32_t group, const dq_curve_mean *mean, dq_figure *figure,
                     dq_plot_panel *panel)
{
    size_t bytes, runs = runs_of(c, group), at = 0;
    const char *name = dq_index_id(&c->groups, group, &bytes);
    if (!mean->count) return;
    size_t breaks = mean->points[mean->count - 1].stretch; /* a point of nothing parts two stretches */
    dq_plot_series *line = dq_figure_add_series(figure, panel, name, bytes, mean->count + breaks);
    if (!line) return;
    line->runs = (uint32_t)runs;
    for (size_t i = 0; i < mean->count; i++) {
        const dq_curve_point *p = &mean->points[i];
        if (i && p[-1].stretch != p->stretch) line->points[at++].x = (double)p->at;
        line->points[at] = (dq_plot_point){.x = (double)p->at,
                                           .y = p->mean,
                                           .lower = runs > 1 ? p->mean - p->sd : (double)NAN,
                                           .upper = runs > 1 ? p->mean + p->sd : (double)NAN,
                                           .runs = p->runs < mean->runs ? p->runs : 0};
        at++;
    }
}

static dq_plot_axis axis_of(const dq_curves_metric *metric)
{
    return (dq_plot_axis){.label = metric->label,
                          .full = true,
                          .min = isfinite(metric->min) ? metric->min : (double)NAN,
                          .max = isfinite(metric->max) ? metric->max : (double)NAN};
}

static dq_status add_metric(const dq_curves *c, size_t metric, dq_figure *figure, dq_error *error)
{
    dq_plot_panel *panel = dq_figure_add_panel(figure, DQ_PLOT_LINES, c->metrics[metric].title);
    dq_status status = panel ? DQ_OK : dq_fail_memory(error, "a picture");
    if (status) return status;
    panel->interval = "± sd";
    for (uint32_t g = 0; g < dq_index_count(&c->groups) && !status; g++) {
        dq_curve_mean mean;
        status = dq_curves_mean(c, g, metric, &mean, error);
        if (!status) add_line(c, g, &mean, figure, panel);
        dq_curve_mean_free(&mean);
    }
    panel->x.label = c->unit;
    panel->y = axis_of(&c->metrics[metric]);
    dq_plot_widen(panel);
    for (size_t i = 0; i < c->mark_count; i++)
        dq_figure_add_mark(figure, panel, false, (double)c->marks[i].at, c->marks[i].label);
    return status;
}

/* ---- the histogram of rewards ---- */

static void find_range(const dq_curves *c, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t r = 0; r < c->run_count; r++)
        for (size_t i = 0; i < c->runs[r].points; i++) {
            *low = fmin(*low, c->runs[r].y[c->reward][i]); /* fmin leaves NAN out */
            *high = fmax(*high, c->runs[r].y[c->reward][i]);
        }
    if (*high - *low < 1e-9) { /* the only number is in the middle of a bin */
        const int below = BINS / 2;
        *low -= (below + 0.5) / BINS;
        *high = *low + 1;
    }
}

/* A group's episodes by their reward, as shares. */
static void add_bins(const dq_curves *c, uint32_t group, double low, double width, dq_figure *figure,
                     dq_plot_panel *panel)
{
    size_t bins[BINS] = {0}, all = 0, bytes;
    const char *name = dq_index_id(&c->groups, group, &bytes);
    for (size_t r = 0; r < c->run_count; r++)
        for (size_t i = 0; c->runs[r].group == group && i < c->runs[r].points; i++) {
            double y = c->runs[r].y[c->reward][i];
            if (isnan(y)) continue;
            size_t at = (size_t)((y - low) / width);
            bins[at < BINS ? at : BINS - 1]++;
            all++;
        }
    dq_plot_series *series = all ? dq_figure_add_series(figure, panel, name, bytes, BINS) : NULL;
    for (size_t b = 0; series && b < BINS; b++) {
        series->points[b].x = low + ((double)b + 0.5) * width;
        series->points[b].y = (double)bins[b] / (double)all;
    }
}

static void add_histogram(const dq_curves *c, dq_figure *figure)
{
    double low, high;
    dq_plot_panel *panel = dq_figure_add_panel(figure, DQ_PLOT_HISTOGRAM, "Histogram of rewards");
    if (!panel) return;
    find_range(c, &low, &high);
    panel->x = dq_plot_values("reward per step");
    panel->y = dq_plot_share(strcmp(c->unit, "episode") == 0 ? "share of episodes" : "share of epochs");
    panel->y.full = false; /* no bin has all */
    for (uint32_t g = 0; g < dq_index_count(&c->groups); g++)
        add_bins(c, g, low, (high - low) / BINS, figure, panel);
}

dq_status dq_curves_figure(const dq_curves *c, dq_figure *figure, dq_error *error)
{
    dq_status status = DQ_OK;
    bool rewards = c->reward < c->metric_count && dq_curves_have(c, DQ_ABSENT, c->reward);
    size_t last_reward = c->cumulative < c->metric_count ? c->cumulative : c->reward;
    for (size_t m = 0; m < c->metric_count && !status; m++) {
        if (dq_curves_have(c, DQ_ABSENT, m)) status = add_metric(c, m, figure, error);
        if (m == last_reward && rewards && !status) add_histogram(c, figure);
    }
    return status;
}
