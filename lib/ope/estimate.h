/* SPDX-License-Identifier: MIT
 *
 * An estimate, and how far it may be believed.
 */
#ifndef DQ_OPE_ESTIMATE_H
#define DQ_OPE_ESTIMATE_H

#include "compare/bootstrap.h"
#include "ope/moments.h"

typedef struct dq_ope_estimate {
    const char *name; /* the pick's */
    double value;
    /* Of a mean sd / sqrt(n); of a ratio by the delta method; of wpdis the bootstrap's. NAN for fewer than 2
     * rows. */
    double se;
    dq_interval bootstrap;
    dq_interval bernstein; /* NAN: there is none (wpdis) */
    double bound;          /* clip, tau or lambda that counted; NAN: none */
    double ess, largest;   /* effective sample size and largest of the weights, before any clip */
} dq_ope_estimate;

/* Whether a policy is known to be better than another, by estimates from one log: the lower end of its
 * bootstrap interval is above the other's value. words (size bytes): "snips 0.31 [0.28, 0.34] is above 0.25",
 * or "is not above". */
bool dq_ope_is_better(const dq_ope_estimate *policy, const dq_ope_estimate *other, char *words, size_t size);

/* Maurer and Pontil, "Empirical Bernstein bounds and sample variance penalization", 2009, theorem 4, for each
 * side with half of what the confidence leaves. The theorem wants the range that a term can have; it gets
 * the observed one and 0. Of a ratio it is that of its linearised terms, and so an approximation. */
dq_interval dq_ope_bernstein(double value, double variance, double range, uint64_t rows, double confidence);

/* sum(w)^2 / sum(w^2) of column j (Kong, "A note on importance sampling using standardized weights", 1992); 0
 * where all are 0. */
double dq_ope_effective_size(const dq_ope_moments *moments, size_t j);

/* The variance of a row's term of column `over` / column `weight`, linearised: of (over - ratio weight) over
 * the mean weight. */
double dq_ope_ratio_variance(const dq_ope_moments *moments, size_t over, size_t weight);

/* From the least to the greatest of column j, or to 0. */
double dq_ope_range(const dq_ope_moments *moments, size_t j);

#endif
