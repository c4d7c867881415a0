/* SPDX-License-Identifier: MIT */
#include "ope/propensity.h"

#include "math/cholesky.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES = 16, MAX_WEIGHTS = 1 << 24, MAX_PASSES = 200 };

static const double enough = 1e-5; /* the largest change of a weight after which no pass follows */

dq_status dq_ope_propensity_init(dq_ope_propensity *propensity, dq_vectors users, uint32_t items,
                                 dq_error *error)
{
    dq_ope_propensity *p = propensity;
    size_t width = 1 + PLACES + (size_t)users.width, weights = width * items;
    *p = (dq_ope_propensity){.users = users, .items = items, .width = (uint32_t)width};
    if (weights > MAX_WEIGHTS)
        return dq_fail(error, DQ_ERR_RANGE,
                       "propensities by logistic regression of %u items on %zu numbers: more than %d weights",
                       items, width, MAX_WEIGHTS);
    bool all = (p->w = calloc(weights + 1, sizeof *p->w)) &&
               (p->ahead = calloc(weights + 1, sizeof *p->ahead)) &&
               (p->gradient = calloc(weights + 1, sizeof *p->gradient)) &&
               (p->gram = calloc(dq_triangle(width), sizeof *p->gram)) &&
               (p->x = calloc(width, sizeof *p->x)) && (p->p = calloc((size_t)items + 1, sizeof *p->p));
    return all ? DQ_OK : dq_fail_memory(error, "propensities");
}

void dq_ope_propensity_free(dq_ope_propensity *propensity)
{
    free(propensity->w);
    free(propensity->ahead);
    free(propensity->gradient);
    free(propensity->gram);
    free(propensity->x);
    free(propensity->p);
    *propensity = (dq_ope_propensity){0};
}

static void fill(dq_ope_propensity *p, const dq_ope_row *r)
{
    memset(p->x, 0, p->width * sizeof *p->x);
    p->x[0] = 1;
    p->x[1 + (r->position < PLACES ? r->position : PLACES - 1)] = 1;
    for (uint32_t i = 0; i < p->users.width; i++) p->x[1 + PLACES + i] = (double)p->users.at[r->user][i];
}

/* p(a | x) of all items by these weights. */
static void predict(dq_ope_propensity *p, const double *w)
{
    double greatest = -DBL_MAX, sum = 0;
    for (uint32_t a = 0; a < p->items; a++) {
        double score = 0;
        for (uint32_t i = 0; i < p->width; i++) score += w[(size_t)a * p->width + i] * p->x[i];
        p->p[a] = score;
        greatest = fmax(greatest, score);
    }
    for (uint32_t a = 0; a < p->items; a++) sum += p->p[a] = exp(p->p[a] - greatest);
    for (uint32_t a = 0; a < p->items; a++) p->p[a] /= sum;
}

/* gradient_a += (1 [a is the item] - p_a) x; the first pass also sums x x'. */
void dq_ope_propensity_take(dq_ope_propensity *propensity, const dq_ope_row *rows, size_t n)
{
    dq_ope_propensity *p = propensity;
    for (const dq_ope_row *r = rows; r < rows + n; r++) {
        fill(p, r);
        predict(p, p->ahead);
        for (uint32_t a = 0; a < p->items; a++) {
            double pull = (a == r->item) - p->p[a], *g = p->gradient + (size_t)a * p->width;
            for (uint32_t i = 0; i < p->width; i++) g[i] += pull * p->x[i];
        }
        for (size_t i = 0; p->passes == 0 && i < p->width; i++)
            for (size_t j = 0; j <= i; j++) p->gram[dq_triangle(i) + j] += p->x[i] * p->x[j];
    }
}

/* The curvature: half of sum x x', and the penalty; the constant has hardly any. */
static bool factor(dq_ope_propensity *p)
{
    const double tiny = 1e-6;
    for (size_t i = 0; i < dq_triangle(p->width); i++) p->gram[i] /= 2;
    for (size_t i = 0; i < p->width; i++) p->gram[dq_triangle(i) + i] += i ? 1 : tiny;
    return dq_cholesky_factor(p->gram, p->width);
}

/* One item's step from where momentum looked; returns the largest change of a weight. */
static double step(dq_ope_propensity *p, uint32_t item, double momentum)
{
    double *w = p->w + (size_t)item * p->width, *ahead = p->ahead + (size_t)item * p->width, largest = 0;
    double *g = p->gradient + (size_t)item * p->width;
    for (size_t i = 1; i < p->width; i++) g[i] -= ahead[i];
    dq_cholesky_solve_factored(p->gram, p->width, g);
    for (size_t i = 0; i < p->width; i++) {
        double next = ahead[i] + g[i], change = next - w[i];
        largest = fmax(largest, fabs(change));
        ahead[i] = next + momentum * change;
        w[i] = next;
        g[i] = 0;
    }
    return largest;
}

dq_status dq_ope_propensity_solve(dq_ope_propensity *propensity, bool *done, dq_error *error)
{
    dq_ope_propensity *p = propensity;
    double largest = 0, momentum = p->passes / (p->passes + 3.0);
    if (p->passes == 0 && !factor(p))
        return dq_fail(error, DQ_ERR_NUMERIC, "propensities have no solution: vectors are too large");
    for (uint32_t a = 0; a < p->items; a++) largest = fmax(largest, step(p, a, momentum));
    if (!isfinite(largest))
        return dq_fail(error, DQ_ERR_NUMERIC, "propensities have no solution: vectors are too large");
    p->passes++;
    p->unsettled = largest >= enough;
    *done = !p->unsettled || p->passes == MAX_PASSES;
    return DQ_OK;
}

void dq_ope_propensity_apply(dq_ope_propensity *propensity, dq_ope_row *rows, size_t n)
{
    for (dq_ope_row *r = rows; r < rows + n; r++) {
        fill(propensity, r);
        predict(propensity, propensity->w);
        r->propensity = fmax(propensity->p[r->item], DBL_MIN);
    }
}
