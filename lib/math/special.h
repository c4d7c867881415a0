/* SPDX-License-Identifier: MIT
 *
 * Distributions, for intervals and tests. Bounds are those that tests/unit/test_special.c holds against
 * published tables and against values computed to 40 digits.
 */
#ifndef DQ_MATH_SPECIAL_H
#define DQ_MATH_SPECIAL_H

/* The regularised incomplete beta function I_x(a, b) for a, b > 0: 0 for x <= 0, 1 for x >= 1. By the
 * continued fraction (DLMF 8.17.22) and Lentz's method; relative error under 1e-12 for a, b up to 100, and
 * about (a + b) 1e-15 above. */
double dq_beta_regularised(double a, double b, double x);

/* P(|T| >= |t|) of Student's t with `freedom` > 0 degrees of freedom. */
double dq_student_two_sided(double t, double freedom);

/* The t with P(T <= t) = p, for 0 < p < 1, else NAN. Relative error under 5e-12. */
double dq_student_quantile(double p, double freedom);

/* P(T <= t) of the noncentral t distribution, the t of (Z + delta) / sqrt(chi^2 / freedom): the power of
 * Student's test where the difference is delta standard errors. freedom >= 1. Lenth's algorithm AS 243
 * ("Cumulative distribution function of the non-central t distribution", Applied Statistics 38, 1989) up to
 * |delta| = 37 and 1e5 degrees of freedom, absolute error under 1e-11; beyond the normal approximation of
 * Abramowitz and Stegun 26.7.10, error under 1e-5. */
double dq_student_noncentral(double t, double freedom, double delta);

/* P(|Z| >= |z|) and P(Z <= z) of the standard normal distribution. */
double dq_normal_two_sided(double z);
double dq_normal_below(double z);

/* The z with P(Z <= z) = p of the standard normal distribution, for 0 < p < 1, else NAN: Wichura's algorithm
 * AS 241 (PPND16, "The percentage points of the normal distribution", Applied Statistics 37, 1988), relative
 * error about 1e-16. */
double dq_normal_quantile(double p);

#endif
