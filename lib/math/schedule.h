/* SPDX-License-Identifier: MIT
 *
 * Learning rates over time. A schedule is one entry of a table: a name, a line of help, and the factor of the
 * peak rate at a point of the run. How far a run is, its caller says, so that the rate is at its
 * end when the run is.
 */
#ifndef DQ_MATH_SCHEDULE_H
#define DQ_MATH_SCHEDULE_H

typedef struct dq_schedule {
    const char *name, *help;
    /* progress: the share of the run that is done, in [0, 1]; decay: the factor at the end, where the
     * schedule has one. The result is in [0, 1]. */
    double (*factor)(double progress, double decay);
} dq_schedule;

/* constant; one-cycle: from 1/25 up to 1 over the first 5 % of the run, then linearly to zero (Smith and
 * Topin, "Super-convergence", 2019); linear: from 1 to zero; cosine: half a cosine from 1 to zero (Loshchilov
 * and Hutter, "SGDR", 2017); exponential: decay^progress. Ended by an entry without a name. */
extern const dq_schedule dq_schedules[];

/* The entry of that name, or NULL. */
const dq_schedule *dq_schedule_find(const char *name);

/* The rate when `progress` of the run is done (cut to [0, 1]). */
double dq_schedule_rate(const dq_schedule *schedule, double peak, double progress, double decay);

#endif
