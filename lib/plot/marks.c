/* SPDX-License-Identifier: MIT
 *
 * Lines across a panel, and labels: of vertical lines, and of stretches that are of fewer runs than the rest,
 * in lines above the axes, where nothing else is; of horizontal ones on the line's end.
 */
#include "plot/script_impl.h"

enum { ROWS = 4, LABELS = 64, SMALL = 6, LONGEST = 40, BESIDE = 26, DOWN = 14 };

typedef struct label {
    double x, middle, half; /* x: of the panel; the others in pixels from the axes' left end */
    size_t row;
    const char *text; /* NULL: "2 of 5 runs" */
    uint32_t runs, all;
    const dq_plot_series *series; /* whose stretch it is */
} label;

typedef struct labels {
    label at[LABELS];
    size_t count, rows;
} labels;

static void add(labels *l, label one, const dq_plot_scale *x, double width)
{
    size_t letters = one.text ? plot_letters(one.text, LONGEST) : 11;
    if (l->count == LABELS) return;
    one.half = (double)(letters * SMALL) / 2 + 4;
    one.middle = plot_share_of(x, one.x) * width;
    one.middle = fmax(one.half - 20, fmin(one.middle, width + 12 - one.half)); /* not beyond the panel */
    for (one.row = 0; one.row + 1 < ROWS; one.row++) {
        bool covered = false;
        for (size_t i = 0; i < l->count; i++) {
            const label *other = &l->at[i];
            covered = covered ||
                      (other->row == one.row && fabs(other->middle - one.middle) < other->half + one.half);
        }
        if (!covered) break;
    }
    if (one.row + 1 > l->rows) l->rows = one.row + 1;
    l->at[l->count++] = one;
}

/* Where a stretch of fewer runs begins that is long enough to be worth a word. */
static void add_stretches(labels *l, const dq_plot_panel *panel, const dq_plot_series *s,
                          const dq_plot_scale *x, double width)
{
    double all = s->count ? s->points[s->count - 1].x - s->points[0].x : 0;
    for (size_t i = 0, next; i < s->count; i = next) {
        const dq_plot_point *p = &s->points[i];
        for (next = i + 1; plot_joined(panel, s, next);) next++;
        if (!p->runs || !plot_shows(panel, p) || (s->points[next - 1].x - p->x + 1) * 25 < all) continue;
        add(l, (label){.x = p->x, .runs = p->runs, .all = s->runs, .series = s}, x, width);
    }
}

static void gather(labels *l, const dq_plot_panel *panel, const dq_plot_scale *x, double width)
{
    *l = (labels){.count = 0};
    if (panel->category_count) return;
    for (const dq_plot_mark *m = panel->marks; m; m = m->next)
        if (!m->horizontal && m->label) add(l, (label){.x = m->at, .text = m->label}, x, width);
    for (const dq_plot_series *s = panel->series; s && panel->kind == DQ_PLOT_LINES; s = s->next)
        add_stretches(l, panel, s, x, width);
}

size_t plot_mark_rows(const dq_plot_panel *panel, const dq_plot_scale *x, double width)
{
    labels l;
    gather(&l, panel, x, width);
    for (const dq_plot_mark *m = panel->marks; m && plot_on_side(panel); m = m->next)
        if (m->label) l.rows = 1;
    return l.rows;
}

size_t plot_mark_letters(const dq_plot_panel *panel)
{
    size_t most = 0;
    for (const dq_plot_mark *m = panel->marks; m && !plot_on_side(panel); m = m->next) {
        size_t letters = m->horizontal && m->label ? plot_letters(m->label, BESIDE) : 0;
        if (letters > most) most = letters;
    }
    return most;
}

static void draw_labels(plot_script *s, const dq_plot_panel *panel, const plot_place *p)
{
    labels l;
    char font[40];
    plot_font(s, "", DQ_PLOT_FONT_SMALL, font);
    gather(&l, panel, &p->x, p->axes.right - p->axes.left);
    for (size_t i = 0; i < l.count; i++) {
        const label *one = &l.at[i];
        uint32_t colour = s->theme->frame;
        (void)fputs("set label ", s->f);
        if (one->text) {
            plot_quote(s->f, one->text, LONGEST, false);
        } else {
            (void)fprintf(s->f, "'%u of %u runs'", one->runs, one->all);
            colour = plot_hue(s, one->series->name);
        }
        (void)fprintf(s->f, " at screen %.6f,screen %.6f center font '%s' tc rgb '#%06X'\n",
                      (p->axes.left + one->middle) / s->width,
                      1 - (p->axes.top - 8 - (double)one->row * DOWN) / s->height, font, colour);
    }
}

static void draw_vertical(plot_script *s, const plot_place *p, const dq_plot_mark *m)
{
    double share = plot_share_of(&p->x, m->at);
    if (!(share >= 0 && share <= 1)) return;
    double x = (p->axes.left + share * (p->axes.right - p->axes.left)) / s->width;
    (void)fprintf(s->f,
                  "set arrow from screen %.6f,screen %.6f to screen %.6f,screen %.6f nohead back lw 1.2 "
                  "dt '--' lc rgb '#%06X'\n",
                  x, 1 - p->axes.bottom / s->height, x, 1 - p->axes.top / s->height, s->theme->mark);
}

static void draw_horizontal(plot_script *s, const dq_plot_panel *panel, const plot_place *p,
                            const dq_plot_mark *m)
{
    double share = plot_share_of(&p->y, m->at);
    char font[40];
    bool side = plot_on_side(panel); /* then values go to the right */
    const char *form = side ? "set arrow from first %.9g,graph 0 to first %.9g,graph 1"
                            : "set arrow from graph 0,first %.9g to graph 1,first %.9g";
    if (!(share >= 0 && share <= 1)) return;
    plot_font(s, "", DQ_PLOT_FONT_SMALL, font);
    (void)fprintf(s->f, form, m->at, m->at);
    (void)fprintf(s->f, " nohead back lw 1.2 dt '--' lc rgb '#%06X'\n", s->theme->mark);
    if (!m->label) return;
    (void)fputs("set label ", s->f);
    plot_quote(s->f, m->label, LONGEST, false);
    (void)fprintf(s->f,
                  side ? " at first %.9g,graph 1 center offset 0,0.6"
                       : " at graph 1,first %.9g left offset 0.6,0",
                  m->at);
    (void)fprintf(s->f, " font '%s' tc rgb '#%06X'\n", font, s->theme->frame);
}

void plot_marks_draw(plot_script *s, const dq_plot_panel *panel, const plot_place *place)
{
    for (const dq_plot_mark *m = panel->marks; m; m = m->next) {
        if (m->horizontal)
            draw_horizontal(s, panel, place, m);
        else if (!panel->category_count)
            draw_vertical(s, place, m);
    }
    draw_labels(s, panel, place);
}

void plot_text_marks_draw(plot_script *s, const dq_plot_panel *panel)
{
    labels l;
    const dq_plot_scale any = {.low = 0, .high = 1};
    gather(&l, panel, &any, 0);
    for (const dq_plot_mark *m = panel->marks; m; m = m->next)
        (void)fprintf(s->f,
                      m->horizontal ? "set arrow from graph 0,first %.9g to graph 1,first %.9g nohead\n"
                                    : "set arrow from first %.9g,graph 0 to first %.9g,graph 1 nohead\n",
                      m->at, m->at);
    for (size_t i = 0; i < l.count; i++) {
        (void)fputs("set label ", s->f);
        if (l.at[i].text)
            plot_quote(s->f, l.at[i].text, LONGEST, false);
        else
            (void)fprintf(s->f, "'%u of %u'", l.at[i].runs, l.at[i].all);
        (void)fprintf(s->f, " at first %.9g,graph %g center front\n", l.at[i].x,
                      1 - 0.06 * (double)(i % ROWS));
    }
    for (const dq_plot_mark *m = panel->marks; m; m = m->next) {
        if (!m->horizontal || !m->label) continue;
        (void)fputs("set label ", s->f);
        plot_quote(s->f, m->label, LONGEST, false);
        (void)fprintf(s->f, " at graph 1,first %.9g right front offset 0,1\n", m->at);
    }
}
