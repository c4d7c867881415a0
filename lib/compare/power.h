/* SPDX-License-Identifier: MIT
 *
 * How many units a comparison needs: the power of Student's two-sided t test, by the noncentral t
 * distribution (Cohen, Statistical Power Analysis, 1988, chapter 2). An effect is a difference of means in
 * standard deviations: of the differences in a paired test, of one system's values in a test of two samples.
 */
#ifndef DQ_COMPARE_POWER_H
#define DQ_COMPARE_POWER_H

#include "dq/status.h"

#include <stdint.h>

typedef enum dq_design {
    DQ_DESIGN_PAIRED,     /* n units, each with both systems */
    DQ_DESIGN_TWO_SAMPLES /* n units for each of two systems */
} dq_design;

#define DQ_POWER_MAX 1e12 /* units */

/* The chance that the test at level alpha finds an effect with n >= 2 units (of each system). */
double dq_power(dq_design design, double n, double effect, double alpha);

/* The fewest units (of each system) with at least this power, 2 .. DQ_POWER_MAX. DQ_ERR_RANGE for an effect
 * that is 0 or no number, alpha or power outside (0, 1), power not above alpha, and where more than
 * DQ_POWER_MAX would be needed. */
dq_status dq_power_units(dq_design design, double effect, double alpha, double power, double *n,
                         dq_error *error);

/* The least effect that n >= 2 units (of each system) find with this power, to about 1e-9 of it. DQ_ERR_RANGE
 * for alpha, power and n out of range. */
dq_status dq_power_effect(dq_design design, double n, double alpha, double power, double *effect,
                          dq_error *error);

#endif
