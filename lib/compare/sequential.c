/* SPDX-License-Identifier: MIT */
#include "compare/sequential.h"

#include "compare/pairs.h"

#include <math.h>
#include <stdlib.h>

dq_always_valid dq_mixture_test(double difference, double variance, double tau, double confidence)
{
    if (!(variance > 0 && tau > 0)) return (dq_always_valid){{-INFINITY, INFINITY}, 1};
    double both = variance + tau * tau, ratio = log(both / variance);
    double evidence = tau * tau * difference * difference / (variance * both); /* twice its logarithm */
    double half = sqrt(variance * both / (tau * tau) * (ratio - 2 * log(1 - confidence)));
    return (dq_always_valid){{difference - half, difference + half}, fmin(1, exp((ratio - evidence) / 2))};
}

/* ---- arms ---- */

typedef struct arm {
    size_t units;
    double sum, squares; /* of the units' values less the origin */
} arm;

typedef struct unit {
    double sum, rows;
} unit;

typedef struct judging {
    const dq_ab_config *config;
    size_t arm_count, unit_count, pairs;
    double origin; /* the first reward: sums of squares about it keep their digits */
    arm *arms;
    unit *units;   /* (arms, units) */
    double *least; /* (pairs) the least p so far */
    double *p;     /* (pairs) */
} judging;

static void take(judging *j, const dq_ab_row *row)
{
    arm *a = &j->arms[row->arm];
    unit *u = &j->units[row->arm * j->unit_count + row->unit];
    double before = u->rows > 0 ? u->sum / u->rows : 0;
    a->units += u->rows == 0;
    u->sum += row->reward - j->origin;
    u->rows++;
    double now = u->sum / u->rows;
    a->sum += now - before;
    a->squares += now * now - before * before;
}

static double mean_of(const judging *j, const arm *a)
{
    return a->units ? j->origin + a->sum / (double)a->units : NAN;
}

static double variance_of(const arm *a)
{
    double n = (double)a->units;
    return n > 1 ? fmax(0, (a->squares - a->sum * a->sum / n) / (n - 1)) : NAN;
}

/* Of the values of two arms about the mean of each. */
static double pooled_variance(const arm *a, const arm *b)
{
    double na = (double)a->units, nb = (double)b->units;
    return ((na - 1) * variance_of(a) + (nb - 1) * variance_of(b)) / (na + nb - 2);
}

/* ---- looks ---- */

static void look_at(const judging *j, size_t pair, dq_ab_look *look)
{
    const arm *a = &j->arms[look->a], *b = &j->arms[look->b];
    double na = (double)a->units, nb = (double)b->units, both = pooled_variance(a, b);
    double tau = j->config->effect > 0 ? j->config->effect : 0.1 * sqrt(both);
    double variance = fmax(variance_of(a) / na + variance_of(b) / nb, both / na + both / nb);
    bool enough = a->units >= j->config->burn_in && b->units >= j->config->burn_in;
    look->units_a = a->units;
    look->units_b = b->units;
    look->mean_a = mean_of(j, a);
    look->mean_b = mean_of(j, b);
    look->difference = look->mean_a - look->mean_b;
    const dq_always_valid found = dq_mixture_test(look->difference, enough ? variance : NAN, tau,
                                                  j->config->confidence);
    look->interval = found.interval;
    look->p = j->least[pair] = fmin(j->least[pair], found.p);
}

/* One look at all pairs. */
static dq_status look(judging *j, size_t rows, dq_ab_look *looks, dq_error *error)
{
    size_t pair = 0;
    for (size_t a = 0; a < j->arm_count; a++)
        for (size_t b = 0; b < j->arm_count; b++) {
            size_t against = j->config->against;
            if (against == DQ_AGAINST_ALL ? b >= a : b != against || a == b) continue;
            looks[pair] = (dq_ab_look){.rows = rows, .a = a, .b = b};
            look_at(j, pair, &looks[pair]);
            pair++;
        }
    dq_status status = dq_adjust(j->config->adjust, j->least, j->pairs, j->p, error);
    for (size_t i = 0; i < j->pairs && !status; i++) {
        looks[i].p_adjusted = j->p[i];
        looks[i].decided = j->p[i] <= 1 - j->config->confidence;
    }
    return status;
}

static dq_status look_on(judging *j, const dq_ab_row *rows, size_t n, dq_ab_looks *looks, dq_error *error)
{
    size_t every = j->config->every && j->config->every < n ? j->config->every : n;
    size_t times = n ? (n - 1) / every + 1 : 1;
    dq_status status = DQ_OK;
    looks->at = calloc(times, j->pairs * sizeof *looks->at);
    if (!looks->at) return dq_fail_memory(error, "%zu looks", times);
    for (size_t i = 0; i < n && !status; i++) {
        take(j, &rows[i]);
        if ((i + 1) % every && i + 1 < n) continue;
        status = look(j, i + 1, looks->at + looks->count, error);
        looks->count += j->pairs;
    }
    return status;
}

dq_status dq_ab_judge(const dq_ab_row *rows, size_t n, size_t arms, size_t units, const dq_ab_config *config,
                      dq_ab_looks *looks, dq_error *error)
{
    if (arms < 2) return dq_fail(error, DQ_ERR_RANGE, "one arm alone cannot be compared");
    judging j = {.config = config,
                 .arm_count = arms,
                 .unit_count = units,
                 .pairs = config->against == DQ_AGAINST_ALL ? arms * (arms - 1) / 2 : arms - 1,
                 .origin = n ? rows[0].reward : 0,
                 .arms = calloc(arms, sizeof *j.arms),
                 .units = calloc(arms, (units + 1) * sizeof *j.units)};
    j.least = calloc(2 * j.pairs, sizeof *j.least);
    j.p = j.least ? j.least + j.pairs : NULL;
    dq_status status = j.arms && j.units && j.least ? DQ_OK : dq_fail_memory(error, "%zu units", units);
    for (size_t i = 0; i < j.pairs && !status; i++) j.least[i] = 1;
    if (!status) status = look_on(&j, rows, n, looks, error);
    free(j.arms);
    free(j.units);
    free(j.least);
    return status;
}

void dq_ab_looks_free(dq_ab_looks *looks)
{
    free(looks->at);
    *looks = (dq_ab_looks){0};
}
