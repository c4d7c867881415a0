/* SPDX-License-Identifier: MIT
 *
 * Systems held against each other, in pairs: every unit (a query, a user, an episode, a seed) has a value of
 * both, and their differences are what counts.
 *
 *     dq_differences d = {0};
 *     dq_compare_pairs(&values, 0, &config, &d, &e);     each against system 0
 *     for (size_t i = 0; i < d.count; i++) use(d.rows[i]);
 *     dq_differences_free(&d);
 */
#ifndef DQ_COMPARE_PAIRS_H
#define DQ_COMPARE_PAIRS_H

#include "compare/adjust.h"
#include "compare/runs.h"

/* Two-sided tests of "no difference". */
typedef enum dq_paired_test {
    DQ_TEST_RANDOMISATION, /* dq_randomisation_tests */
    DQ_TEST_STUDENT,       /* dq_t_test */
    DQ_TEST_WILCOXON,      /* dq_wilcoxon_test */
    DQ_PAIRED_TESTS
} dq_paired_test;

/* "randomisation", "t", "wilcoxon", NULL. */
extern const char *const dq_paired_test_names[];

/* System a less system b by one measure. */
typedef struct dq_difference {
    size_t measure, a, b;
    size_t n; /* units with a value of every system by this measure */
    double mean_a, mean_b, difference;
    dq_interval interval; /* of the difference: the percentile bootstrap over units */
    dq_interval student;  /* of the difference: dq_t_interval, for few units */
    double p[DQ_PAIRED_TESTS];
    double p_adjusted;                          /* of the test that is asked for, over all rows */
    double cohen, hedges, rank_biserial, cliff; /* compare/effect.h */
    size_t wins, losses,
        ties; /* units where a is greater, less, equal but for 1e-12 of the largest difference */
} dq_difference;

typedef struct dq_differences {
    dq_difference *rows; /* (count) measure by measure */
    size_t count;
} dq_differences;

typedef struct dq_pairs_config {
    dq_compare_config draw;
    dq_paired_test test;
    dq_adjustment adjust;
} dq_pairs_config;

#define DQ_AGAINST_ALL SIZE_MAX

/* Fills differences (zero before) with every other system less system `against`, or with each pair of
 * systems, the later less the earlier (DQ_AGAINST_ALL). A unit that has no value (NAN) of a system does not
 * count for that measure, and without any unit a row has NANs. Units are resampled by the same random numbers
 * for every pair, so a row depends on the other systems by p_adjusted alone, and by the units that they
 * lack. DQ_ERR_RANGE for
 * fewer than two systems and as dq_bootstrap_means; DQ_ERR_MEMORY. */
dq_status dq_compare_pairs(const dq_run_values *values, size_t against, const dq_pairs_config *config,
                           dq_differences *differences, dq_error *error);
void dq_differences_free(dq_differences *differences);

#endif
