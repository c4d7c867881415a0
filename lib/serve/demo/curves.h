/* SPDX-License-Identifier: MIT
 *
 * What a training says as it goes, an episode (or a pass over a log) a line of its log, and the curves that
 * come of it: rewards, lengths, their moving average. A run of any length has at most DQ_DEMO_POINTS points:
 * when they are full, every second one goes and the stride doubles.
 */
#ifndef DQ_SERVE_DEMO_CURVES_H
#define DQ_SERVE_DEMO_CURVES_H

#include "dq/value.h"

enum { DQ_DEMO_POINTS = 2000, DQ_DEMO_WINDOW = 50 };

/* One line. NAN: it does not say. */
typedef struct dq_demo_progress {
    uint64_t episode; /* from 1; or the pass */
    double reward;    /* an episode's return; of a pass the NDCG of held-out rows */
    double average;   /* its mean over the last DQ_DEMO_WINDOW that have one */
    double length;    /* steps */
    double loss;      /* of Q */
    double epsilon;
} dq_demo_progress;

/* Zero-initialise to start. */
typedef struct dq_demo_curves {
    uint64_t stride; /* 0: nothing came yet */
    uint32_t count;
    uint64_t latest; /* the last episode */
    double recent[DQ_DEMO_WINDOW];
    uint64_t rewards; /* so many had one */
    dq_demo_progress at[DQ_DEMO_POINTS];
} dq_demo_curves;

/* Reads a line of dq-train's log, n bytes; false for a line that is about something else (an evaluation), or
 * is none. The average is left to the curves. */
bool dq_demo_progress_read(const char *line, size_t n, dq_demo_progress *progress);
/* Takes it, and fills in its average. */
void dq_demo_curves_add(dq_demo_curves *curves, dq_demo_progress *progress);
/* Sets window, stride, points, rewards, lengths, moving_average, losses and epsilons in a map; false when
 * memory is short. */
bool dq_demo_curves_write(const dq_demo_curves *curves, dq_arena *arena, dq_value *map);

#endif
