/* SPDX-License-Identifier: MIT
 *
 * Means and covariances of up to three numbers a row, in one pass and without the cancellation of sums of
 * squares: chunks are taken in two passes and merged (Chan, Golub and LeVeque, "Updating formulae and a
 * pairwise algorithm for computing sample variances", 1979). And each number's least and greatest.
 */
#ifndef DQ_OPE_MOMENTS_H
#define DQ_OPE_MOMENTS_H

#include <stddef.h>
#include <stdint.h>

enum { DQ_OPE_MOMENTS = 3 };

typedef struct dq_ope_moments {
    uint64_t rows;
    double mean[DQ_OPE_MOMENTS];
    double products[DQ_OPE_MOMENTS][DQ_OPE_MOMENTS]; /* sums of products of deviations; j <= k is filled */
    double min[DQ_OPE_MOMENTS], max[DQ_OPE_MOMENTS]; /* of no rows: 0 */
} dq_ope_moments;

/* Adds n rows of `count` numbers, columns[j] (n) each. */
void dq_ope_moments_add(dq_ope_moments *moments, const double *const *columns, size_t count, size_t n);

/* The covariance of numbers j <= k, of a sample (rows - 1); 0 for fewer than 2 rows. */
double dq_ope_moments_covariance(const dq_ope_moments *moments, size_t j, size_t k);

#endif
