/* SPDX-License-Identifier: MIT */
#include "ope/slope.h"

#include <math.h>
#include <stdbool.h>

/* Indices by width, widest first; insertion keeps the greater bound before an equal one. */
static void sort_by_width(const double *widths, size_t count, size_t *order)
{
    for (size_t i = 0; i < count; i++) {
        size_t next = count - 1 - i, at = i;
        for (; at > 0 && widths[order[at - 1]] < widths[next]; at--) order[at] = order[at - 1];
        order[at] = next;
    }
}

size_t dq_slope_choose(const double *values, const double *widths, size_t count)
{
    const double c = sqrt(6) - 1;
    size_t order[DQ_SLOPE_MAX];
    if (count == 0) return 0;
    if (count > DQ_SLOPE_MAX) count = DQ_SLOPE_MAX;
    sort_by_width(widths, count, order);
    for (size_t i = 1; i < count; i++) {
        bool agrees = true;
        for (size_t j = 0; j < i; j++)
            agrees &= fabs(values[order[j]] - values[order[i]]) <= widths[order[i]] + c * widths[order[j]];
        if (!agrees) return order[i - 1];
    }
    return order[count - 1];
}
