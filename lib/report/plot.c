/* SPDX-License-Identifier: MIT */
#include "report/plot.h"

#include "report/gnuplot.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PANEL_WIDTH = 460, PANEL_HEIGHT = 320, BINS = 24 };

/* Okabe and Ito's colours, told apart by colour-blind eyes too. */
static const char *const colours[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                      "#E69F00", "#56B4E9", "#000000"};
enum { COLOURS = sizeof colours / sizeof *colours };

/* Single quotes: nothing in them is looked at; a quote is written twice. */
static void quote(FILE *f, const char *text, size_t bytes)
{
    (void)fputc('\'', f);
    for (size_t i = 0; i < bytes; i++) {
        unsigned char ch = (unsigned char)text[i];
        if (ch == '\'') (void)fputc('\'', f);
        (void)fputc(ch < ' ' || ch == 0x7f ? ' ' : ch, f);
    }
    (void)fputc('\'', f);
}

static void write_setting(FILE *f, dq_plot_form form, unsigned columns, int across, int down)
{
    int width = across * PANEL_WIDTH, height = down * PANEL_HEIGHT;
    if (form == DQ_PLOT_SVG)
        (void)fprintf(f, "set terminal svg size %d,%d font 'Helvetica,12' background '#ffffff' noenhanced\n",
                      width, height);
    if (form == DQ_PLOT_PNG)
        (void)fprintf(f, "set terminal pngcairo size %d,%d font 'Sans,10' background '#ffffff' noenhanced\n",
                      width, height);
    if (form == DQ_PLOT_DUMB)
        (void)fprintf(f, "set terminal dumb noenhanced size %u,20\n", columns);
    else
        (void)fprintf(f,
                      "set multiplot layout %d,%d\nset border 3 lc rgb '#606060'\n"
                      "set grid ytics lc rgb '#e0e0e0' lt 1\n",
                      down, across);
    (void)fputs("set tics nomirror out\nset style fill transparent solid 0.2 noborder\n", f);
}

/* What of a mean goes into which block of data. */
typedef enum curve_part {
    ALL,   /* d: points of all runs */
    FEWER, /* e: of some of them; its stretches are not joined */
    LONE,  /* p: stretches of one point, which no line shows */
    PARTS
} curve_part;
static const char block_names[PARTS] = {'d', 'e', 'p'};

/* The means of a panel's groups, and which blocks each has. */
typedef struct curve_panel {
    dq_curve_mean *means; /* (groups) */
    bool (*has)[PARTS];
    bool apart; /* else all is one block, d, for a terminal, which has no dashes */
} curve_panel;

static bool is_lone(const dq_curve_mean *mean, size_t i)
{
    const dq_curve_point *p = &mean->points[i];
    return (i == 0 || p[-1].stretch != p->stretch) && (i + 1 == mean->count || p[1].stretch != p->stretch);
}

static bool is_of(const curve_panel *panel, const dq_curve_mean *mean, size_t i, curve_part part)
{
    if (part == LONE) return is_lone(mean, i);
    return !panel->apart || (mean->points[i].runs == mean->runs) == (part == ALL);
}

/* An empty line wherever the runs change keeps gnuplot from drawing across. */
static void write_block(FILE *f, const curve_panel *panel, uint32_t group, curve_part part)
{
    const dq_curve_mean *mean = &panel->means[group];
    uint32_t stretch = 0;
    bool *has = &panel->has[group][part];
    for (size_t i = 0; i < mean->count; i++) {
        const dq_curve_point *p = &mean->points[i];
        if (!is_of(panel, mean, i, part)) continue;
        if (!*has) (void)fprintf(f, "$%c%u << END\n", block_names[part], group);
        if (*has && p->stretch != stretch) (void)fputc('\n', f);
        stretch = p->stretch;
        *has = true;
        (void)fprintf(f, "%zu %.9g %.9g %.9g\n", p->at, p->mean, p->mean - p->sd, p->mean + p->sd);
    }
    if (*has) (void)fputs("END\n", f);
}

/* "2 of 5", runs, where a stretch of fewer begins that is long enough to write on. */
static void write_counts(FILE *f, const dq_curves *c, const curve_panel *panel, uint32_t group)
{
    const dq_curve_mean *mean = &panel->means[group];
    for (size_t i = 0, next; i < mean->count; i = next) {
        const dq_curve_point *p = &mean->points[i];
        for (next = i + 1; next < mean->count && mean->points[next].stretch == p->stretch;) next++;
        size_t length = mean->points[next - 1].at - p->at + 1;
        if (p->runs == mean->runs || length * 25 < c->points) continue;
        (void)fprintf(f,
                      "set label '%u of %u' at first %zu, first %.9g %s front offset 0,0.7 tc rgb '%s'%s\n",
                      p->runs, mean->runs, p->at, p->mean, p->at * 20 > c->points * 17 ? "right" : "left",
                      colours[group % COLOURS], panel->apart ? " font ',9'" : "");
    }
}

static size_t runs_of(const dq_curves *c, uint32_t group)
{
    size_t n = 0;
    for (size_t r = 0; r < c->run_count; r++) n += c->runs[r].group == group;
    return n;
}

/* "NAME, mean of 5 runs"; no title when there is nothing to tell apart. */
static void write_title(FILE *f, const dq_curves *c, uint32_t group, const char *before, const char *after)
{
    size_t bytes, runs = runs_of(c, group);
    const char *name = dq_index_id(&c->groups, group, &bytes);
    char text[256];
    int n = snprintf(text, sizeof text, "%.*s", (int)bytes, name);
    if (runs > 1)
        n = snprintf(text, sizeof text, "%.*s%s%s%zu runs%s", (int)bytes, name, bytes ? ", " : "", before,
                     runs, after);
    if (n > 0) (void)fputs(" title ", f);
    if (n > 0)
        quote(f, text, strlen(text));
    else
        (void)fputs(" notitle", f);
}

/* A grey line wherever something changed. */
static void write_marks(FILE *f, const dq_curves *c)
{
    (void)fputs("unset arrow\n", f);
    for (size_t i = 0; i < c->mark_count; i++)
        (void)fprintf(
            f, "set arrow from first %llu, graph 0 to first %llu, graph 1 nohead lw 1.5 lc rgb '#a0a0a0'\n",
            (unsigned long long)c->marks[i], (unsigned long long)c->marks[i]);
}

static const char *next_element(bool *first)
{
    const char *before = *first ? "plot " : ", ";
    *first = false;
    return before;
}

/* A band from mean - sd to mean + sd, and a line: of all runs, or thinner and dashed of fewer. */
static void write_part(FILE *f, const dq_curves *c, const curve_panel *panel, uint32_t group, curve_part part,
                       bool *first)
{
    const char *colour = colours[group % COLOURS];
    if (!panel->has[group][part]) return;
    if (panel->apart && part != LONE && runs_of(c, group) > 1)
        (void)fprintf(f, "%s$%c%u using 1:3:4 with filledcurves lc rgb '%s' notitle", next_element(first),
                      block_names[part], group, colour);
    (void)fprintf(f, "%s$%c%u using 1:2 with %s lc rgb '%s'", next_element(first), block_names[part], group,
                  part == ALL     ? "lines lw 1.8"
                  : part == FEWER ? "lines lw 1.2 dt '-'"
                                  : "points pt 7 ps 0.5",
                  colour);
    if (part == ALL)
        write_title(f, c, group, "mean of ", panel->apart ? ", ± sd" : "");
    else
        (void)fputs(" notitle", f);
}

static void write_elements(FILE *f, const dq_curves *c, const curve_panel *panel)
{
    bool first = true;
    uint32_t groups = (uint32_t)dq_index_count(&c->groups);
    (void)fputs("unset label\n", f);
    for (uint32_t g = 0; g < groups; g++) {
        for (curve_part part = ALL; part < PARTS; part++)
            if (panel->apart || part == ALL) write_block(f, panel, g, part);
        write_counts(f, c, panel, g);
    }
    for (uint32_t g = 0; g < groups; g++)
        for (curve_part part = ALL; part < PARTS; part++) write_part(f, c, panel, g, part, &first);
    (void)fputs("\nunset label\n", f);
}

static dq_status write_curve_panel(FILE *f, const dq_curves *c, size_t metric, dq_plot_form form,
                                   dq_error *error)
{
    uint32_t groups = (uint32_t)dq_index_count(&c->groups);
    curve_panel panel = {.means = calloc(groups + 1U, sizeof *panel.means),
                         .has = calloc(groups + 1U, sizeof *panel.has),
                         .apart = form != DQ_PLOT_DUMB};
    dq_status status = panel.means && panel.has ? DQ_OK : dq_fail_memory(error, "a picture");
    for (uint32_t g = 0; g < groups && !status; g++)
        status = dq_curves_mean(c, g, metric, &panel.means[g], error);
    (void)fputs("set title ", f);
    quote(f, c->metrics[metric].title, strlen(c->metrics[metric].title));
    (void)fprintf(f, "\nset xlabel '%s'\n", c->unit);
    write_marks(f, c);
    if (!status) write_elements(f, c, &panel);
    for (uint32_t g = 0; g < groups && panel.means; g++) dq_curve_mean_free(&panel.means[g]);
    free(panel.means);
    free(panel.has);
    return status;
}

static void find_range(const dq_curves *c, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t r = 0; r < c->run_count; r++)
        for (size_t i = 0; i < c->runs[r].points; i++) {
            *low = fmin(*low, c->runs[r].y[c->reward][i]); /* fmin leaves NAN out */
            *high = fmax(*high, c->runs[r].y[c->reward][i]);
        }
    if (*high - *low < 1e-9) {
        *low -= 0.5;
        *high += 0.5;
    }
}

/* A group's episodes by their reward, as shares. */
static void write_bins(FILE *f, const dq_curves *c, uint32_t group, double low, double width)
{
    size_t bins[BINS] = {0}, all = 0;
    for (size_t r = 0; r < c->run_count; r++)
        for (size_t i = 0; c->runs[r].group == group && i < c->runs[r].points; i++) {
            double y = c->runs[r].y[c->reward][i];
            if (isnan(y)) continue;
            size_t at = (size_t)((y - low) / width);
            bins[at < BINS ? at : BINS - 1]++;
            all++;
        }
    (void)fprintf(f, "$d%u << END\n", group);
    for (int b = 0; b < BINS; b++)
        (void)fprintf(f, "%.9g %.9g\n", low + (b + 0.5) * width, all ? (double)bins[b] / (double)all : 0);
    (void)fputs("END\n", f);
}

static void write_histogram(FILE *f, const dq_curves *c)
{
    double low, high;
    const char *start = "plot ";
    find_range(c, &low, &high);
    (void)fputs("unset arrow\n", f);
    double width = (high - low) / BINS;
    for (uint32_t g = 0; g < dq_index_count(&c->groups); g++) write_bins(f, c, g, low, width);
    (void)fprintf(
        f,
        "set title 'Histogram of rewards'\nset xlabel 'reward per step'\nset ylabel 'share of %ss'\n"
        "set boxwidth %.9g\nset yrange [0:*]\n",
        c->unit, 0.92 * width);
    for (uint32_t g = 0; g < dq_index_count(&c->groups); g++) {
        if (!dq_curves_have(c, g, c->reward)) continue;
        (void)fprintf(f, "%s$d%u using 1:2 with boxes fs transparent solid 0.45 lc rgb '%s'", start, g,
                      colours[g % COLOURS]);
        write_title(f, c, g, "", "");
        start = ", ";
    }
    (void)fputs("\nset yrange [*:*]\nunset ylabel\n", f);
}

/* One legend serves all panels of a picture: it stands in the first, where rising rewards or falling losses
 * leave room, and a little more is made. */
static void write_key(FILE *f, bool first, bool rising)
{
    if (!first)
        (void)fputs("set key off\nunset offsets\n", f);
    else if (rising)
        (void)fputs("set key bottom right Left reverse\nset offsets 0, 0, 0, graph 0.12\n", f);
    else
        (void)fputs("set key top right Left reverse\nset offsets 0, 0, graph 0.2, 0\n", f);
}

dq_status dq_plot_script(FILE *f, const dq_curves *c, dq_plot_form form, unsigned columns, dq_error *error)
{
    dq_status status = DQ_OK;
    bool rewards = c->reward < c->metric_count && dq_curves_have(c, DQ_ABSENT, c->reward);
    int panels = rewards ? 1 : 0;
    for (size_t m = 0; m < c->metric_count; m++) panels += dq_curves_have(c, DQ_ABSENT, m);
    int across = panels > 4 ? 3 : panels > 1 ? 2 : 1;
    write_setting(f, form, columns, across, (panels + across - 1) / across);
    bool first = true;
    size_t last_reward = c->cumulative < c->metric_count ? c->cumulative : c->reward;
    for (size_t m = 0; m < c->metric_count && !status; m++) {
        if (dq_curves_have(c, DQ_ABSENT, m)) {
            write_key(f, first || form == DQ_PLOT_DUMB, c->metrics[m].rising);
            status = write_curve_panel(f, c, m, form, error);
            first = false;
        }
        if (m == last_reward && rewards) write_histogram(f, c);
    }
    if (form != DQ_PLOT_DUMB) (void)fputs("unset multiplot\n", f);
    return status;
}

dq_status dq_plot_curves(const dq_curves *c, dq_plot_form form, unsigned columns, dq_sink *out,
                         dq_error *error)
{
    FILE *script = tmpfile();
    if (!script) return dq_fail_errno(error, errno, "cannot write gnuplot's script");
    dq_status status = dq_plot_script(script, c, form, columns, error);
    if (!status && ferror(script)) status = dq_fail_errno(error, errno, "cannot write gnuplot's script");
    if (!status) status = dq_gnuplot_run(script, out, error);
    (void)fclose(script);
    return status;
}
