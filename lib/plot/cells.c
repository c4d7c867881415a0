/* SPDX-License-Identifier: MIT
 *
 * A grid's cells: from the paper's colour to blue; where values are on both sides of 0, to orange below it.
 */
#include "plot/script_impl.h"

enum { MOST_NUMBERS = 400, DIGITS = 3 };

double plot_greatest(const dq_plot_panel *panel)
{
    double most = fmax(isnan(panel->y.min) ? 0 : fabs(panel->y.min), isnan(panel->y.max) ? 0 : panel->y.max);
    if (most > 0) return most;
    for (const dq_plot_series *row = panel->series; row; row = row->next)
        for (size_t i = 0; i < row->count; i++)
            if (isfinite(row->points[i].y)) most = fmax(most, fabs(row->points[i].y));
    return most > 0 ? most : 1;
}

static void write_number(plot_script *s, const dq_plot_point *p, size_t row, int decimals, uint32_t colour)
{
    char text[40];
    dq_plot_number_text(p->y, decimals, text);
    (void)fprintf(s->f, "set label '%s' at first %.9g,first %zu center front tc rgb '#%06X'\n", text, p->x,
                  row, dq_plot_ink_on(colour));
}

void plot_cells_draw(plot_script *s, const dq_plot_panel *panel)
{
    double most = plot_greatest(panel);
    bool numbers = panel->series_count * panel->category_count <= MOST_NUMBERS;
    size_t y = 0;
    int decimals = plot_panel_decimals(panel, DIGITS);
    (void)fputs("$d << END\n", s->f);
    for (const dq_plot_series *row = panel->series; row; row = row->next, y++)
        for (size_t i = 0; i < row->count; i++) {
            const dq_plot_point *p = &row->points[i];
            uint32_t colour = dq_plot_shade(s->theme, p->y / most);
            if (!isfinite(p->y)) continue;
            (void)fprintf(s->f, "%.9g %zu %.9g %.9g %.9g %.9g %u\n", p->x, y, p->x - 0.48, p->x + 0.48,
                          (double)y - 0.48, (double)y + 0.48, colour);
        }
    (void)fputs("END\n", s->f);
    y = 0;
    for (const dq_plot_series *row = panel->series; row && numbers; row = row->next, y++)
        for (size_t i = 0; i < row->count; i++)
            if (isfinite(row->points[i].y))
                write_number(s, &row->points[i], y, decimals,
                             dq_plot_shade(s->theme, row->points[i].y / most));
    (void)fputs("plot $d using 1:2:3:4:5:6:7 with boxxyerror fs solid noborder lc rgb variable notitle\n",
                s->f);
}
