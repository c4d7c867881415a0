/* SPDX-License-Identifier: MIT */
#include "learn/bandit/posterior.h"

#include "core/buffers.h"
#include "math/cholesky.h"

#include <math.h>

size_t dq_posterior_size(uint32_t arms, uint32_t width)
{
    size_t each = dq_triangle(width) + 2 * (size_t)width;
    return each > SIZE_MAX / 8 / ((size_t)arms + 1) ? SIZE_MAX : arms * each;
}

bool dq_posterior_init(dq_posterior *p, dq_arena *arena, uint32_t arms, uint32_t width, double ridge)
{
    *p = (dq_posterior){.arms = arms, .width = width, .ridge = ridge};
    const dq_buffer buffers[] = {
        DQ_BUFFER(p->factor, arms * dq_triangle(width)),
        DQ_BUFFER(p->y, (size_t)arms * width),
        DQ_BUFFER(p->rows, arms),
        DQ_BUFFER(p->mean, (size_t)arms * width),
        DQ_BUFFER(p->known, arms),
        DQ_BUFFER(p->turns, 2 * (size_t)width),
        DQ_BUFFER(p->z, width),
    };
    if (!dq_buffers_take(arena, buffers, DQ_BUFFERS(buffers))) return false;
    dq_posterior_reset(p);
    return true;
}

static double *factor_of(const dq_posterior *p, uint32_t arm)
{
    return p->factor + arm * dq_triangle(p->width);
}

static double *vector_of(const dq_posterior *p, double *vectors, uint32_t arm)
{
    return vectors + (size_t)arm * p->width;
}

void dq_posterior_reset(dq_posterior *p)
{
    double root = sqrt(p->ridge);
    size_t vectors = (size_t)p->arms * p->width;
    memset(p->factor, 0, p->arms * dq_triangle(p->width) * sizeof *p->factor);
    memset(p->y, 0, vectors * sizeof *p->y);
    memset(p->rows, 0, p->arms * sizeof *p->rows);
    memset(p->known, 0, p->arms * sizeof *p->known);
    for (uint32_t arm = 0; arm < p->arms; arm++)
        for (size_t i = 0; i < p->width; i++) factor_of(p, arm)[dq_triangle(i) + i] = root;
}

void dq_posterior_add(dq_posterior *p, uint32_t arm, const double *x, double reward, double weight)
{
    double root = sqrt(weight);
    for (uint32_t i = 0; i < p->width; i++) p->z[i] = root * x[i];
    dq_cholesky_update(factor_of(p, arm), p->width, p->z, vector_of(p, p->y, arm), root * reward, p->turns);
    p->rows[arm]++;
    p->known[arm] = false;
}

/* b + by x, and so y + by L^-1 x. */
void dq_posterior_correct(dq_posterior *p, uint32_t arm, const double *x, double by)
{
    double *y = vector_of(p, p->y, arm);
    memcpy(p->z, x, p->width * sizeof *p->z);
    dq_cholesky_solve_lower(factor_of(p, arm), p->width, p->z);
    for (uint32_t i = 0; i < p->width; i++) y[i] += by * p->z[i];
    p->known[arm] = false;
}

const double *dq_posterior_mean(dq_posterior *p, uint32_t arm)
{
    double *mean = vector_of(p, p->mean, arm);
    if (p->known[arm]) return mean;
    memcpy(mean, vector_of(p, p->y, arm), p->width * sizeof *mean);
    dq_cholesky_solve_upper(factor_of(p, arm), p->width, mean);
    p->known[arm] = true;
    return mean;
}

double dq_posterior_dot(const double *theta, const double *x, uint32_t width)
{
    double sum = 0;
    for (uint32_t i = 0; i < width; i++) sum += theta[i] * x[i];
    return sum;
}

/* |L^-1 x| */
double dq_posterior_deviation(const dq_posterior *p, uint32_t arm, const double *x)
{
    memcpy(p->z, x, p->width * sizeof *p->z);
    dq_cholesky_solve_lower(factor_of(p, arm), p->width, p->z);
    return sqrt(dq_posterior_dot(p->z, p->z, p->width));
}

void dq_posterior_draw(dq_posterior *p, uint32_t arm, double scale, dq_rng *rng, double *theta)
{
    const double *mean = dq_posterior_mean(p, arm);
    for (uint32_t i = 0; i < p->width; i++) theta[i] = scale * dq_rng_normal(rng);
    dq_cholesky_solve_upper(factor_of(p, arm), p->width, theta);
    for (uint32_t i = 0; i < p->width; i++) theta[i] += mean[i];
}

/* Rotations begin with the root of the ridge on the diagonal, and only add to it. */
static bool is_factor(const dq_posterior *p, const double *factor)
{
    const double least = sqrt(p->ridge) * (1 - 1e-6);
    bool sound = true;
    for (size_t i = 0; sound && i < dq_triangle(p->width); i++) sound = isfinite(factor[i]);
    for (size_t i = 0; sound && i < p->width; i++) sound = factor[dq_triangle(i) + i] >= least;
    return sound;
}

bool dq_posterior_restored(dq_posterior *p)
{
    bool sound = true;
    memset(p->known, 0, p->arms * sizeof *p->known);
    for (uint32_t arm = 0; sound && arm < p->arms; arm++) {
        sound = is_factor(p, factor_of(p, arm));
        const double *mean = sound ? dq_posterior_mean(p, arm) : NULL; /* NaN or infinite where y is, too */
        for (size_t i = 0; sound && i < p->width; i++) sound = isfinite(mean[i]);
    }
    if (!sound) dq_posterior_reset(p);
    return sound;
}
