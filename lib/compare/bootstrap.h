/* SPDX-License-Identifier: MIT
 *
 * How sure is a mean over queries (users, episodes), and how sure is a difference between two systems? The
 * random numbers come from the caller, so equal seeds give equal intervals.
 */
#ifndef DQ_COMPARE_BOOTSTRAP_H
#define DQ_COMPARE_BOOTSTRAP_H

#include "core/rng.h"
#include "dq/status.h"

#include <stdbool.h>

typedef struct dq_interval {
    double low, high;
} dq_interval;

/* The percentile bootstrap (Efron and Tibshirani 1993, chapter 13): the mean of n values drawn with
 * replacement, `resamples` times, and the central `level` (0.95) of these means. For paired systems give the
 * differences. Here for `width` quantities at once: values (n, width) has a row a query, and every quantity
 * is resampled with the same queries; intervals (width). n >= 1, width >= 1, resamples >= 2, 0 < level < 1,
 * else DQ_ERR_RANGE. */
dq_status dq_bootstrap_means(const double *values, size_t n, size_t width, size_t resamples, double level,
                             dq_rng *rng, dq_interval *intervals, dq_error *error);

/* The central `level` of n >= 1 resampled values, which it sorts. */
dq_interval dq_interval_of(double *values, size_t n, double level);

/* Fisher's paired randomisation test: under the null hypothesis the sign of each query's differences is a
 * coin's. The two-sided p: (1 + draws whose |mean| is at least the observed) / (1 + resamples); all 2^n
 * signs, exactly, when they are no more than resamples. differences (n, width), p (width). */
dq_status dq_randomisation_tests(const double *differences, size_t n, size_t width, size_t resamples,
                                 dq_rng *rng, double *p, dq_error *error);

/* Whether n >= 1 differences are the same but for the last bits, which subtracting decimals leaves: they vary
 * less than 1e-12 of the largest. */
bool dq_all_same(const double *differences, size_t n);

/* Student's paired t test, two-sided p; 1 when all differences are 0. NAN for n < 2, and where they are the
 * same but not 0 (dq_all_same): without a variance there is nothing to judge by, and two seeds that differ by
 * 1 each would be called certain. */
double dq_t_test(const double *differences, size_t n);

/* The interval that belongs to it: mean +- t sd / sqrt(n), with the quantile of n - 1 degrees of freedom.
 * Exact for normal differences, of however few units, where the percentile bootstrap is too narrow. NAN where
 * the test is. */
dq_interval dq_t_interval(const double *differences, size_t n, double level);

double dq_mean(const double *values, size_t n);
/* Sample standard deviation (n - 1); 0 for n < 2. */
double dq_sd(const double *values, size_t n);

#endif
