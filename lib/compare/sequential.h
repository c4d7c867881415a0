/* SPDX-License-Identifier: MIT
 *
 * Tests that allow looking early. A test of fixed size looked at after every row finds a difference sooner or
 * later, where there is none; these do not, however often one looks, and may be stopped for any reason.
 */
#ifndef DQ_COMPARE_SEQUENTIAL_H
#define DQ_COMPARE_SEQUENTIAL_H

#include "compare/adjust.h"
#include "compare/bootstrap.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct dq_always_valid {
    dq_interval interval;
    double p;
} dq_always_valid;

/* The mixture sequential probability ratio test of a difference of means (Robbins, "Statistical methods
 * related to the law of the iterated logarithm", 1970; Johari, Koomen, Pekelis and Walsh, "Always valid
 * inference: continuous monitoring of A/B tests", Operations Research 70, 2022). The likelihood ratio is
 * mixed over differences from N(0, tau^2); v is the variance of the estimated difference d:
 *
 *     L = sqrt(v / (v + tau^2)) exp(tau^2 d^2 / (2 v (v + tau^2)))        p = min(1, 1 / L)
 *     d +- sqrt(v (v + tau^2) / tau^2 (2 ln(1 / alpha) + ln((v + tau^2) / v)))
 *
 * P(p <= alpha at any look) <= alpha where d is normal with known v; with an estimated v in the limit of many
 * units. tau > 0 is the size of difference that is expected: any is valid, a good guess decides soonest.
 * Without a variance (v = 0, NAN) nothing is known: p = 1 and an interval without ends. */
dq_always_valid dq_mixture_test(double difference, double variance, double tau, double confidence);

/* A row of an A/B log: which arm chose, for which unit, and what it earned. */
typedef struct dq_ab_row {
    uint32_t arm, unit;
    double reward;
} dq_ab_row;

typedef struct dq_ab_config {
    double confidence;    /* in (0, 1) */
    double effect;        /* tau; 0: a tenth of the pooled standard deviation of the units' values */
    size_t every;         /* a look after so many rows, and one after the last; 0: that alone */
    size_t burn_in;       /* units that each of two arms has before anything is said of them */
    size_t against;       /* an arm, or DQ_AGAINST_ALL (compare/pairs.h) */
    dq_adjustment adjust; /* of the pairs of a look */
} dq_ab_config;

/* Arm a less arm b, as a look finds it. */
typedef struct dq_ab_look {
    size_t rows; /* seen */
    size_t a, b, units_a, units_b;
    double mean_a, mean_b, difference; /* of the units' values: of a unit's rewards the mean. NAN: no unit */
    dq_interval interval;              /* always valid; its ends may be infinite */
    double p, p_adjusted;              /* the least of all looks so far, and adjusted */
    bool decided;                      /* p_adjusted <= 1 - confidence: it may be stopped */
} dq_ab_look;

typedef struct dq_ab_looks {
    dq_ab_look *at; /* (count) look by look */
    size_t count;
} dq_ab_looks;

/* Looks at n rows of arms 0 .. arms - 1 and units 0 .. units - 1, in their order. A unit counts once in an
 * arm, with the mean of its rewards there so far: rows of one user are not independent, users are.
 *
 * The variance of a difference is estimated as the greater of s_a^2 / n_a + s_b^2 / n_b and s^2 / n_a + s^2 /
 * n_b, s^2 pooled: a small arm that has seen no click, or few, would say that it has hardly a variance, and
 * of equal arms with a tenth of the traffic a third would be found to differ. With arms of one size both are
 * the same.
 *
 * looks is zero before. DQ_ERR_RANGE for fewer than two arms; DQ_ERR_MEMORY. */
dq_status dq_ab_judge(const dq_ab_row *rows, size_t n, size_t arms, size_t units, const dq_ab_config *config,
                      dq_ab_looks *looks, dq_error *error);
void dq_ab_looks_free(dq_ab_looks *looks);

#endif
