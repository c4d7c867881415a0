/* SPDX-License-Identifier: MIT */
#include "math/schedule.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static const double PI = 3.14159265358979323846;
static const double WARM = 0.05, WARM_FROM = 0.04; /* one-cycle's share that rises, and its first factor */

static double constant(double progress, double decay)
{
    (void)progress;
    (void)decay;
    return 1;
}

static double one_cycle(double progress, double decay)
{
    (void)decay;
    if (progress < WARM) return WARM_FROM + (1 - WARM_FROM) * progress / WARM;
    return (1 - progress) / (1 - WARM);
}

static double linear(double progress, double decay)
{
    (void)decay;
    return 1 - progress;
}

static double cosine(double progress, double decay)
{
    (void)decay;
    return 0.5 * (1 + cos(PI * progress));
}

static double exponential(double progress, double decay)
{
    return pow(decay, progress);
}

const dq_schedule dq_schedules[] = {
    {"constant", "the same rate throughout", constant},
    {"one-cycle", "rises for 5 % of the run, then falls to zero", one_cycle},
    {"linear", "falls to zero", linear},
    {"cosine", "falls to zero along half a cosine", cosine},
    {"exponential", "falls to a share of itself, by equal factors", exponential},
    {NULL, NULL, NULL},
};

const dq_schedule *dq_schedule_find(const char *name)
{
    for (const dq_schedule *s = dq_schedules; s->name; s++)
        if (strcmp(s->name, name) == 0) return s;
    return NULL;
}

double dq_schedule_rate(const dq_schedule *schedule, double peak, double progress, double decay)
{
    return peak * schedule->factor(fmin(1, fmax(0, progress)), decay);
}
