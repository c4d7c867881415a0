/* SPDX-License-Identifier: MIT */
#include "compare/effect.h"

#include "compare/bootstrap.h"

#include <math.h>
#include <stdlib.h>

double dq_effect_cohen(const double *differences, size_t n)
{
    double mean = dq_mean(differences, n), sd = dq_sd(differences, n);
    if (n < 2) return NAN;
    if (dq_all_same(differences, n)) return mean == 0 ? 0 : NAN;
    return mean / sd;
}

double dq_effect_hedges_factor(double freedom)
{
    int sign;
    if (!(freedom >= 2)) return NAN;
    return exp(lgamma_r(freedom / 2, &sign) - lgamma_r((freedom - 1) / 2, &sign)) / sqrt(freedom / 2);
}

double dq_effect_rank_biserial(const dq_wilcoxon *ranks)
{
    double all = ranks->above + ranks->below;
    return all > 0 ? (ranks->above - ranks->below) / all : 0;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double dq_effect_cliff(double *a, size_t n, double *b, size_t m)
{
    double dominance = 0;
    qsort(a, n, sizeof *a, ascending);
    qsort(b, m, sizeof *b, ascending);
    for (size_t i = 0, less = 0, no_greater = 0; i < n; i++) { /* of b, than a[i] */
        while (less < m && b[less] < a[i]) less++;
        while (no_greater < m && b[no_greater] <= a[i]) no_greater++;
        dominance += (double)less - (double)(m - no_greater);
    }
    return n && m ? dominance / ((double)n * (double)m) : NAN;
}
