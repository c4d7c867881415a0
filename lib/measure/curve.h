/* SPDX-License-Identifier: MIT
 *
 * The mean of several runs' learning curves, where runs are of unequal length or are measured at different
 * points.
 *
 * A run counts from its first number to its last; where it has none in between, the straight line between its
 * neighbours counts. So the runs that a mean is of change only where one of them begins or ends, and not from
 * point to point. There the mean jumps though nobody has learnt or forgotten anything, the more so as runs
 * that end early may be those that did well: what stands on both sides is of different runs, in different
 * stretches, and no line leads from one to the other.
 *
 *     run 1     1  2  3  8                       mean      2  3  4 | 8
 *     run 2     3  .  5     (4 in between)       runs      2  2  2 | 1
 *                                                stretch   0  0  0 | 1
 */
#ifndef DQ_MEASURE_CURVE_H
#define DQ_MEASURE_CURVE_H

#include "dq/status.h"

#include <stddef.h>
#include <stdint.h>

/* One run: a number at each point 0 .. points - 1, NAN where there is none. */
typedef struct dq_curve {
    const double *y;
    size_t points;
} dq_curve;

typedef struct dq_curve_point {
    size_t at;
    double mean, sd;  /* of the runs that count here; sd that of a sample, 0 for one run */
    uint32_t runs;    /* >= 1 */
    uint32_t stretch; /* from 0: points of one stretch are of the same runs */
} dq_curve_point;

typedef struct dq_curve_mean {
    dq_curve_point *points; /* (count), ascending: where at least one run has a number of its own */
    size_t count;
    uint32_t runs; /* that have a number anywhere: those of the stretch that all have reached */
} dq_curve_mean;

/* Of `count` runs, fewer than 2^32; *mean is overwritten, and to be freed. DQ_ERR_MEMORY. */
dq_status dq_curve_average(const dq_curve *runs, size_t count, dq_curve_mean *mean, dq_error *error);
void dq_curve_mean_free(dq_curve_mean *mean);

#endif
