/* SPDX-License-Identifier: MIT
 *
 * Linear regression as a posterior (Bishop, "Pattern recognition and machine learning", 3.3): of reward =
 * theta . x + noise, with theta ~ N(0, I / ridge) beforehand and noise of unit variance, what is believed of
 * theta is N(mean, A^-1) with
 *
 *     A = ridge I + sum w x x'      b = sum w reward x      mean = A^-1 b
 *
 * of rows of weight w. Kept are the factor L of A = L L' and y = L^-1 b, which a row changes by rotations
 * (math/cholesky.h): the square-root form of recursive least squares, in which A stays positive definite
 * however many rows there were. A row, a mean, a standard deviation and a draw each cost about width^2
 * operations, and allocate nothing.
 *
 * There are several of equal width side by side: arms. Whoever scales the posterior (by alpha, or by the
 * noise's standard deviation) scales what comes out.
 */
#ifndef DQ_LEARN_BANDIT_POSTERIOR_H
#define DQ_LEARN_BANDIT_POSTERIOR_H

#include "core/rng.h"
#include "dq/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct dq_posterior {
    uint32_t arms, width;
    double ridge;
    double *factor; /* (arms, dq_triangle(width)) L */
    double *y;      /* (arms, width) */
    uint64_t *rows; /* (arms) seen */
    double *mean;   /* (arms, width) where known */
    bool *known;    /* (arms) the mean is that of the rows seen */
    double *turns;  /* (2 width) scratch */
    double *z;      /* (width) scratch */
} dq_posterior;

/* Numbers that such a posterior keeps; SIZE_MAX where they are beyond counting. */
size_t dq_posterior_size(uint32_t arms, uint32_t width);
/* In the arena, as before any row; ridge > 0. False when memory is short. */
bool dq_posterior_init(dq_posterior *posterior, dq_arena *arena, uint32_t arms, uint32_t width, double ridge);
/* As before any row. */
void dq_posterior_reset(dq_posterior *posterior);

/* A row x (width) of an arm; weight >= 0. */
void dq_posterior_add(dq_posterior *posterior, uint32_t arm, const double *x, double reward, double weight);
/* The reward of a row of weight 1 that was added was `by` more: A stays as it is. */
void dq_posterior_correct(dq_posterior *posterior, uint32_t arm, const double *x, double by);
/* The mean of an arm's theta (width), until its next row. */
const double *dq_posterior_mean(dq_posterior *posterior, uint32_t arm);
/* sqrt(x' A^-1 x) */
double dq_posterior_deviation(const dq_posterior *posterior, uint32_t arm, const double *x);
/* theta (width) drawn from N(mean, scale^2 A^-1): mean + scale L'^-1 z, z standard normal. */
void dq_posterior_draw(dq_posterior *posterior, uint32_t arm, double scale, dq_rng *rng, double *theta);
/* theta . x */
double dq_posterior_dot(const double *theta, const double *x, uint32_t width);

/* Takes the posterior up as L and y say: all finite, as are the means that they make, and no diagonal below
 * the root of the ridge, where it began; else false, and it is as before any row. */
bool dq_posterior_restored(dq_posterior *posterior);

#endif
