/* SPDX-License-Identifier: MIT
 *
 * How large a difference is, in units that do not depend on the measure's. All are 0 for no difference and
 * have the difference's sign.
 */
#ifndef DQ_COMPARE_EFFECT_H
#define DQ_COMPARE_EFFECT_H

#include "compare/wilcoxon.h"

/* Cohen's d_z of paired values (Statistical Power Analysis, 1988, 2.3.5): mean / standard deviation of the
 * differences. NAN for fewer than 2, and where they are all the same but not 0 (dq_all_same). */
double dq_effect_cohen(const double *differences, size_t n);

/* The factor that takes the bias from Cohen's d, by its exact form (Hedges, "Distribution theory for Glass's
 * estimator of effect size", 1981): J(f) = gamma(f / 2) / (sqrt(f / 2) gamma((f - 1) / 2)), of f = n - 1
 * degrees of freedom; g = J d. NAN for f < 2. */
double dq_effect_hedges_factor(double freedom);

/* The matched-pairs rank-biserial correlation (Kerby, "The simple difference formula", 2014): (sum of ranks
 * above - below) / sum of both, in [-1, 1]; 0 where all differences are 0. */
double dq_effect_rank_biserial(const dq_wilcoxon *ranks);

/* Cliff's delta ("Dominance statistics", Psychological Bulletin 114, 1993) of two samples as if they were not
 * paired: P(a > b) - P(a < b) over all pairs of a value of a (n) and one of b (m), in [-1, 1]; NAN where one
 * is empty. Sorts both. */
double dq_effect_cliff(double *a, size_t n, double *b, size_t m);

#endif
