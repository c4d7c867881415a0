/* SPDX-License-Identifier: MIT
 *
 * One legend for all panels: names in columns above them, so that no line can run through it.
 */
#include "plot/script_impl.h"

#include <stdlib.h>
#include <string.h>

enum { SAMPLE = 26, GAP = 8, BETWEEN = 20 }; /* pixels: the sample, to its text, to the next column */

size_t plot_legend_number(const plot_legend *legend, const char *name)
{
    size_t i = 0;
    while (i < legend->count && strcmp(legend->entries[i].series->name, name) != 0) i++;
    return i;
}

size_t plot_look(const plot_script *s, const char *name)
{
    return s->legend.entries[plot_legend_number(&s->legend, name)].look;
}

uint32_t plot_hue(const plot_script *s, const char *name)
{
    return s->theme->hues[plot_look(s, name) % DQ_PLOT_HUES];
}

/* Names have looks in their order. A series without a name, where it is always alone, has the first where no
 * other has a name, else grey: it is none of them. */
static void choose_looks(plot_legend *legend, const dq_figure *figure)
{
    size_t next = 0;
    bool alone = true;
    for (const dq_plot_panel *p = figure->panels; p; p = p->next)
        for (const dq_plot_series *s = p->series; s && p->kind != DQ_PLOT_GRID; s = s->next)
            alone = alone && (*s->name || p->series_count == 1);
    for (size_t i = 0; i < legend->count; i++) {
        bool apart = *legend->entries[i].series->name || !alone;
        legend->entries[i].look = apart ? next : legend->count > 1 ? DQ_PLOT_HUES - 1 : 0;
        next += apart;
    }
}

static void find_common_runs(plot_legend *legend)
{
    uint32_t runs = legend->count > 1 ? legend->entries[0].series->runs : 0;
    for (size_t i = 1; i < legend->count; i++)
        if (legend->entries[i].series->runs != runs) return;
    if (runs < 2) return;
    legend->runs = runs;
    for (size_t i = 0; i < legend->count && !legend->interval; i++)
        legend->interval = legend->entries[i].interval;
}

/* "NAME, mean of 5 runs, ± sd"; NAME alone where its runs are said elsewhere. */
static void write_text(plot_entry *e, bool bands, bool runs)
{
    const dq_plot_series *s = e->series;
    size_t n = 0;
    e->text[0] = '\0';
    if (*s->name) n = (size_t)snprintf(e->text, sizeof e->text, "%.120s", s->name);
    if (s->runs > 1 && runs)
        (void)snprintf(e->text + n, sizeof e->text - n, "%smean of %u runs%s%s", n ? ", " : "", s->runs,
                       e->interval && bands ? ", " : "", e->interval && bands ? e->interval : "");
}

dq_status plot_legend_make(plot_legend *legend, const dq_figure *figure, bool brief, dq_error *error)
{
    size_t all = 0;
    for (const dq_plot_panel *p = figure->panels; p; p = p->next) all += p->series_count;
    *legend = (plot_legend){.entries = calloc(all + 1, sizeof *legend->entries)};
    if (!legend->entries) return dq_fail_memory(error, "a picture");
    for (const dq_plot_panel *p = figure->panels; p; p = p->next)
        for (const dq_plot_series *s = p->series; s && p->kind != DQ_PLOT_GRID; s = s->next) {
            size_t at = plot_legend_number(legend, s->name);
            plot_entry *e = &legend->entries[at];
            bool banded = p->kind == DQ_PLOT_LINES && s->runs > 1 && p->interval && !plot_crowded(p);
            if (at == legend->count) {
                *e = (plot_entry){.series = s, .kind = p->kind, .interval = p->interval, .banded = banded};
                legend->count++;
            } else if (s->runs > e->series->runs) {
                e->series = s;
                e->interval = p->interval;
                e->banded = banded;
            }
        }
    choose_looks(legend, figure);
    find_common_runs(legend);
    for (size_t i = 0; i < legend->count; i++) {
        write_text(&legend->entries[i], !brief, legend->runs == 0);
        legend->shown += legend->entries[i].text[0] != '\0';
    }
    return DQ_OK;
}

void plot_legend_arrange(plot_legend *l, double width)
{
    size_t widest = 0;
    for (size_t i = 0; i < l->count; i++) {
        size_t letters = plot_letters(l->entries[i].text, SIZE_MAX);
        if (letters > widest) widest = letters;
    }
    l->column = SAMPLE + GAP + BETWEEN + (double)(widest * DQ_PLOT_LETTER);
    l->across = (size_t)(width / l->column);
    if (l->across < 1) l->across = 1;
    if (l->across > l->shown && l->shown) l->across = l->shown;
    l->down = (l->shown + l->across - 1) / l->across;
    if (l->column > width) l->column = width;
}

/* Of a bar of this look, or, SIZE_MAX, of a band. */
static void draw_patch(plot_script *s, double left, double bottom, double right, double top, size_t look,
                       uint32_t colour)
{
    bool band = look == SIZE_MAX, pale = !band && look >= DQ_PLOT_HUES;
    (void)fprintf(s->f,
                  "set object rectangle from screen %.6f,screen %.6f to screen %.6f,screen %.6f "
                  "fc rgb '#%06X' fs transparent solid %s ",
                  left, bottom, right, top, colour,
                  band   ? "0.2"
                  : pale ? "0.3"
                         : "1.0");
    if (pale)
        (void)fprintf(s->f, "border rgb '#%06X' lw 1.5 dt %s\n", colour, dq_plot_dash(look));
    else
        (void)fputs("noborder\n", s->f);
}

/* A stretch of its line, on its band where it has one; or a patch of its bar. */
static void draw_sample(plot_script *s, const plot_entry *e, double x, double y)
{
    size_t number = e->look;
    uint32_t colour = s->theme->hues[number % DQ_PLOT_HUES];
    double left = x / s->width, right = (x + SAMPLE) / s->width, middle = 1 - y / s->height;
    double half = 5 / s->height;
    bool filled = e->kind == DQ_PLOT_BARS || e->kind == DQ_PLOT_HISTOGRAM;
    if (filled || e->banded)
        draw_patch(s, left, middle - half, right, middle + half, filled ? number : SIZE_MAX, colour);
    if (e->kind == DQ_PLOT_LINES)
        (void)fprintf(s->f,
                      "set arrow from screen %.6f,screen %.6f to screen %.6f,screen %.6f nohead front lw 2 "
                      "dt %s lc rgb '#%06X'\n",
                      left, middle, right, middle, dq_plot_dash(number), colour);
    if (e->kind == DQ_PLOT_POINTS)
        (void)fprintf(s->f, "set label '' at screen %.6f,screen %.6f point pt %d ps 0.9 lc rgb '#%06X'\n",
                      (left + right) / 2, middle, number / DQ_PLOT_HUES % 2 ? 6 : 7, colour);
}

void plot_legend_draw(plot_script *s, double top)
{
    const plot_legend *l = &s->legend;
    size_t longest = (size_t)((l->column - SAMPLE - GAP) / DQ_PLOT_LETTER), at = 0;
    for (size_t i = 0; i < l->count; i++) {
        if (!l->entries[i].text[0]) continue;
        size_t row = at / l->across, column = at % l->across;
        double x = BETWEEN + (double)column * l->column;
        double y = top + ((double)row + 0.5) * DQ_PLOT_LINE;
        draw_sample(s, &l->entries[i], x, y);
        (void)fputs("set label ", s->f);
        plot_quote(s->f, l->entries[i].text, longest, false);
        (void)fprintf(s->f, " at screen %.6f,screen %.6f left tc rgb '#%06X'\n",
                      (x + SAMPLE + GAP) / s->width, 1 - y / s->height, s->theme->ink);
        at++;
    }
}

/* ---- the note, which says what all have in common ---- */

/* Whether two series of a panel, in the order of x, have something at one place: bins that are not empty, or
 * bands. */
static bool overlaps(const dq_plot_panel *panel, const dq_plot_series *a, const dq_plot_series *b)
{
    bool bins = panel->kind == DQ_PLOT_HISTOGRAM;
    for (size_t i = 0, k = 0; i < a->count && k < b->count;) {
        const dq_plot_point *p = &a->points[i], *q = &b->points[k];
        bool here = bins ? p->y > 0 && q->y > 0 : p->lower < q->upper && q->lower < p->upper;
        if (p->x == q->x && here) return true;
        if (!(p->x > q->x))
            i++;
        else
            k++;
    }
    return false;
}

static bool any_overlap(const dq_figure *figure, dq_plot_kind kind)
{
    for (const dq_plot_panel *p = figure->panels; p; p = p->next)
        for (const dq_plot_series *a = p->series; a && p->kind == kind && !plot_crowded(p); a = a->next)
            for (const dq_plot_series *b = a->next; b; b = b->next)
                if (overlaps(p, a, b)) return true;
    return false;
}

static void add_sentence(char note[PLOT_NOTE], const char *sentence)
{
    size_t n = strlen(note);
    (void)snprintf(note + n, PLOT_NOTE - n, "%s%s", n ? ". " : "", sentence);
}

void plot_note(const plot_script *s, char note[PLOT_NOTE])
{
    bool bands = any_overlap(s->figure, DQ_PLOT_LINES), bins = any_overlap(s->figure, DQ_PLOT_HISTOGRAM);
    char text[120];
    (void)snprintf(note, PLOT_NOTE, "%.700s", s->figure->note ? s->figure->note : "");
    if (s->legend.runs) {
        (void)snprintf(text, sizeof text, "Mean of %u runs%s%.40s", s->legend.runs,
                       s->legend.interval ? ", " : "", s->legend.interval ? s->legend.interval : "");
        add_sentence(note, text);
    }
    if (!bands && !bins) return;
    (void)snprintf(text, sizeof text, "Where %s overlap their colours mix",
                   bands && bins ? "bands and histograms"
                   : bands       ? "bands"
                                 : "histograms");
    add_sentence(note, text);
}
