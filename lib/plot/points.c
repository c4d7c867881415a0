/* SPDX-License-Identifier: MIT */
#include "plot/script_impl.h"

/* Letters of a name that is long; categories that may stand on the left; bars with numbers at their ends, and
 * the pixels that such a number takes. */
enum { LONG_NAME = 14, MOST_ROWS = 24, MOST_NUMBERS = 40, NUMBER_WIDTH = 36, MOST_BANDS = 4 };

double plot_clamp(const dq_plot_axis *axis, double value)
{
    if (value < axis->min) return axis->min; /* false for NAN */
    return value > axis->max ? axis->max : value;
}

bool plot_shows(const dq_plot_panel *panel, const dq_plot_point *p)
{
    return isfinite(p->x) && isfinite(p->y) && (!panel->y.log || p->y > 0) && (!panel->x.log || p->x > 0);
}

bool plot_has_interval(const dq_plot_point *p)
{
    return isfinite(p->lower) && isfinite(p->upper);
}

bool plot_joined(const dq_plot_panel *panel, const dq_plot_series *s, size_t i)
{
    return i > 0 && i < s->count && plot_shows(panel, &s->points[i - 1]) &&
           plot_shows(panel, &s->points[i]) && s->points[i - 1].runs == s->points[i].runs;
}

size_t plot_longest_category(const dq_plot_panel *panel, size_t longest)
{
    size_t most = 0;
    for (size_t i = 0; i < panel->category_count; i++) {
        size_t n = plot_letters(panel->categories[i], longest);
        if (n > most) most = n;
    }
    return most;
}

bool plot_on_side(const dq_plot_panel *panel)
{
    if (panel->kind == DQ_PLOT_POINTS) return panel->category_count > 0;
    return panel->kind == DQ_PLOT_BARS && panel->category_count > 1 && panel->category_count <= MOST_ROWS &&
           plot_longest_category(panel, LONG_NAME) == LONG_NAME;
}

bool plot_numbered(const dq_plot_panel *panel, double slot)
{
    size_t bars = panel->category_count * panel->series_count;
    if (panel->kind != DQ_PLOT_BARS || bars > MOST_NUMBERS) return false;
    return plot_on_side(panel) || 0.8 * slot / (double)panel->series_count > NUMBER_WIDTH;
}

bool plot_crowded(const dq_plot_panel *panel)
{
    size_t bands = 0;
    for (const dq_plot_series *s = panel->series; s && panel->kind == DQ_PLOT_LINES; s = s->next)
        for (size_t i = 0; i < s->count; i++)
            if (plot_has_interval(&s->points[i])) {
                bands++;
                break;
            }
    return bands > MOST_BANDS;
}

double plot_half_bin(const dq_plot_panel *panel)
{
    double least = INFINITY;
    for (const dq_plot_series *s = panel->series; s; s = s->next)
        for (size_t i = 1; i < s->count; i++)
            if (s->points[i].x > s->points[i - 1].x) least = fmin(least, s->points[i].x - s->points[i - 1].x);
    return isfinite(least) ? least / 2 : 0.5;
}

double plot_share_of(const dq_plot_scale *s, double value)
{
    return s->log ? log(value / s->low) / log(s->high / s->low) : (value - s->low) / (s->high - s->low);
}

int plot_panel_decimals(const dq_plot_panel *panel, int digits)
{
    double largest = 0;
    bool whole = true;
    for (const dq_plot_series *s = panel->series; s; s = s->next)
        for (size_t i = 0; i < s->count; i++) {
            if (!isfinite(s->points[i].y)) continue;
            largest = fmax(largest, fabs(s->points[i].y));
            whole = whole && s->points[i].y == floor(s->points[i].y);
        }
    return dq_plot_decimals(largest, whole && largest < 1e12, digits);
}
