/* SPDX-License-Identifier: MIT
 *
 * Learning rates and exploration over time. A learning-rate schedule is one entry of a table: a name, a line
 * of help, and the factor of the peak rate at a point of the run.
 */
#ifndef DQ_LEARN_SCHEDULE_H
#define DQ_LEARN_SCHEDULE_H

#include <stdint.h>

typedef struct dq_schedule {
    const char *name, *help;
    double (*factor)(double progress); /* progress in [0, 1) of the run; the result in [0, 1] */
} dq_schedule;

/* constant; one-cycle: from 1/25 up to 1 over the first 5 % of the steps, then linearly to zero (Smith and
 * Topin, "Super-convergence", 2019); linear: from 1 to zero; cosine: half a cosine from 1 to zero (Loshchilov
 * and Hutter, "SGDR", 2017). Ended by an entry without a name. */
extern const dq_schedule dq_schedules[];

/* The entry of that name, or NULL. */
const dq_schedule *dq_schedule_find(const char *name);

/* The rate at step (from 0) of total; steps past the total stay at the last one's rate. */
double dq_schedule_rate(const dq_schedule *schedule, double peak, uint64_t step, uint64_t total);

/* Exploration after a learning step: epsilon times decay, not under least. */
double dq_epsilon_next(double epsilon, double decay, double least);

#endif
