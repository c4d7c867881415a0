/* SPDX-License-Identifier: MIT */
#include "compare/bootstrap.h"

#include "math/special.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

double dq_mean(const double *values, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += values[i];
    return n ? sum / (double)n : 0;
}

double dq_sd(const double *values, size_t n)
{
    if (n < 2) return 0;
    double mean = dq_mean(values, n), squares = 0;
    for (size_t i = 0; i < n; i++) squares += (values[i] - mean) * (values[i] - mean);
    return sqrt(squares / (double)(n - 1));
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The quantile of sorted values, linear between neighbours (Hyndman and Fan's type 7, NumPy's default). */
static double quantile(const double *sorted, size_t n, double p)
{
    double at = p * (double)(n - 1);
    size_t below = (size_t)at;
    if (below + 1 >= n) return sorted[n - 1];
    return sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below]);
}

dq_interval dq_interval_of(double *values, size_t n, double level)
{
    qsort(values, n, sizeof *values, ascending);
    return (dq_interval){quantile(values, n, (1 - level) / 2), quantile(values, n, (1 + level) / 2)};
}

/* sums[j] += scale * row[j]: the inner loop of everything here. */
static void add_row(double *restrict sums, const double *restrict row, double scale, size_t width)
{
    for (size_t j = 0; j < width; j++) sums[j] += scale * row[j];
}

/* means (width, resamples) and a row of sums. */
static void resample(const double *values, size_t n, size_t width, size_t resamples, dq_rng *rng,
                     double *means, double *sums)
{
    for (size_t r = 0; r < resamples; r++) {
        memset(sums, 0, width * sizeof *sums);
        for (size_t i = 0; i < n; i++) add_row(sums, values + dq_rng_below(rng, n) * width, 1, width);
        for (size_t j = 0; j < width; j++) means[j * resamples + r] = sums[j] / (double)n;
    }
}

dq_status dq_bootstrap_means(const double *values, size_t n, size_t width, size_t resamples, double level,
                             dq_rng *rng, dq_interval *intervals, dq_error *error)
{
    if (n < 1 || width < 1 || resamples < 2 || !(level > 0 && level < 1))
        return dq_fail(error, DQ_ERR_RANGE, "bootstrap of %zu values, %zu resamples, level %.9g", n,
                       resamples, level);
    double *means = calloc(resamples, width * sizeof *means), *sums = malloc(width * sizeof *sums);
    dq_status status = DQ_OK;
    if (!means || !sums) status = dq_fail_memory(error, "%zu resamples", resamples);
    if (!status) resample(values, n, width, resamples, rng, means, sums);
    for (size_t j = 0; j < width && !status; j++)
        intervals[j] = dq_interval_of(means + j * resamples, resamples, level);
    free(means);
    free(sums);
    return status;
}

/* Sums of the rows with the signs of the bits; new bits for every 64 rows when there is an rng. */
static void signed_sums(const double *rows, size_t n, size_t width, dq_rng *rng, uint64_t bits, double *sums)
{
    memset(sums, 0, width * sizeof *sums);
    for (size_t i = 0; i < n; i++) {
        if (rng && i % 64 == 0) bits = dq_rng_u64(rng);
        add_row(sums, rows + i * width, bits >> (i % 64) & 1 ? 1 : -1, width);
    }
}

/* |sum| of each quantity as observed, and less a little: equal sums of other signs may differ in their last
 * bits, and count as equal. */
static void find_bounds(const double *rows, size_t n, size_t width, double *bounds)
{
    for (size_t j = 0; j < width; j++) {
        double sum = 0, size = 0;
        for (size_t i = 0; i < n; i++) {
            sum += rows[i * width + j];
            size += fabs(rows[i * width + j]);
        }
        bounds[j] = fabs(sum) - 1e-12 * size;
    }
}

dq_status dq_randomisation_tests(const double *differences, size_t n, size_t width, size_t resamples,
                                 dq_rng *rng, double *p, dq_error *error)
{
    double *sums = malloc(2 * width * sizeof *sums);
    if (!sums) return dq_fail_memory(error, "%zu tests", width);
    double *bounds = sums + width;
    bool exact = n < 63 && (uint64_t)1 << n <= resamples;
    size_t draws = exact ? (size_t)1 << n : resamples;
    find_bounds(differences, n, width, bounds);
    for (size_t j = 0; j < width; j++) p[j] = exact ? 0 : 1;
    for (size_t r = 0; r < draws; r++) {
        signed_sums(differences, n, width, exact ? NULL : rng, r, sums);
        for (size_t j = 0; j < width; j++) p[j] += fabs(sums[j]) >= bounds[j];
    }
    for (size_t j = 0; j < width; j++) p[j] /= (double)(exact ? draws : draws + 1);
    free(sums);
    return DQ_OK;
}

bool dq_all_same(const double *differences, size_t n)
{
    double least = differences[0], most = differences[0];
    for (size_t i = 1; i < n; i++) {
        least = fmin(least, differences[i]);
        most = fmax(most, differences[i]);
    }
    return most - least <= 1e-12 * fmax(fabs(least), fabs(most));
}

double dq_t_test(const double *differences, size_t n)
{
    if (n < 2) return NAN;
    double mean = dq_mean(differences, n), sd = dq_sd(differences, n), freedom = (double)(n - 1);
    if (dq_all_same(differences, n)) return mean == 0 ? 1 : NAN;
    double t = mean / (sd / sqrt((double)n));
    return dq_student_two_sided(t, freedom);
}

dq_interval dq_t_interval(const double *differences, size_t n, double level)
{
    if (isnan(dq_t_test(differences, n))) return (dq_interval){NAN, NAN};
    double mean = dq_mean(differences, n), se = dq_sd(differences, n) / sqrt((double)n);
    double half = se * dq_student_quantile((1 + level) / 2, (double)(n - 1));
    return (dq_interval){mean - half, mean + half};
}
