/* SPDX-License-Identifier: MIT
 *
 * Wilcoxon's signed-rank test ("Individual comparisons by ranking methods", Biometrics Bulletin 1, 1945):
 * differences are ranked by their size, and those above 0 have about half of the ranks where two systems are
 * equal.
 */
#ifndef DQ_COMPARE_WILCOXON_H
#define DQ_COMPARE_WILCOXON_H

#include "dq/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct dq_wilcoxon {
    double above, below; /* sums of the ranks of differences above and below 0 */
    double p;            /* two-sided; 1 where all differences are 0, NAN for none */
    bool exact;
} dq_wilcoxon;

/* The test of n finite differences. Zeros are ranked, and then left out (Pratt, "Remarks on zeros and ties in
 * the Wilcoxon signed rank procedures", JASA 54, 1959); differences of one size share the mean of their
 * ranks. Sizes that differ by less than 1e-12 of the largest are one, since subtracting decimals leaves such.
 *
 * p is exact, by all signs that these very ranks can have, for at most 50 differences that are not 0 among at
 * most 1000; else it is the normal approximation with the variance of these ranks (sum of their squares / 4),
 * without a correction for continuity. DQ_ERR_MEMORY. */
dq_status dq_wilcoxon_test(const double *differences, size_t n, dq_wilcoxon *result, dq_error *error);

#endif
