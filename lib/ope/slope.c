/* SPDX-License-Identifier: MIT */
#include "ope/slope.h"

#include "core/words/number.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

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

dq_status dq_slope_grid(const char *text, double grid[DQ_SLOPE_MAX], size_t *count, dq_error *error)
{
    const char *at = text;
    size_t n = 0;
    if (!*at) return dq_fail(error, DQ_ERR_RANGE, "no numbers");
    for (const char *end; *at; at = *end ? end + 1 : end) {
        double bound;
        end = dq_number_begin(at, &bound);
        bool ascends = end && (n == 0 || bound > grid[n - 1]);
        if (!end || (*end && (*end != ',' || !end[1])) || bound <= 0 || !ascends)
            return dq_fail(error, DQ_ERR_RANGE, "'%s': ascending numbers above 0 are wanted, as 1,10,100",
                           text);
        if (n == DQ_SLOPE_MAX) return dq_fail(error, DQ_ERR_RANGE, "at most %d numbers", DQ_SLOPE_MAX);
        grid[n++] = bound;
    }
    *count = n;
    return DQ_OK;
}
