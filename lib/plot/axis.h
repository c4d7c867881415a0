/* SPDX-License-Identifier: MIT
 *
 * How far an axis goes, where its ticks stand and what they say.
 */
#ifndef DQ_PLOT_AXIS_H
#define DQ_PLOT_AXIS_H

#include "plot/figure.h"

enum { DQ_PLOT_TICKS = 32 };

typedef struct dq_plot_scale {
    double low, high; /* low < high */
    double step;      /* between ticks; 0 on a logarithmic axis */
    bool log;
    size_t count;
    double ticks[DQ_PLOT_TICKS]; /* ascending, within [low, high] */
} dq_plot_scale;

/* The range of what is drawn; starts as DQ_PLOT_NOTHING. */
typedef struct dq_plot_range {
    double low, high;
} dq_plot_range;

#define DQ_PLOT_NOTHING ((dq_plot_range){(double)INFINITY, -(double)INFINITY})

/* Widens the range to a value; not for NAN and infinity. */
void dq_plot_include(dq_plot_range *range, double value);

/* A scale for values of this range, with about `wanted` ticks. It goes somewhat beyond them, or, where it is
 * snug, not at all; and never beyond the axis' bounds, which a full one reaches. */
dq_plot_scale dq_plot_scale_for(const dq_plot_axis *axis, dq_plot_range range, unsigned wanted, bool snug);

/* What a tick says, with as many digits as tell it from its neighbours; U+2212 for a minus. */
void dq_plot_tick_text(const dq_plot_scale *scale, double value, char text[40]);
/* Numbers of a table, which have their decimals in common: as many as give the largest so many digits; none
 * of whole numbers. One of them. */
int dq_plot_decimals(double largest, bool whole, int digits);
void dq_plot_number_text(double value, int decimals, char text[40]);

#endif
