/* SPDX-License-Identifier: MIT */
#include "learn/schedule.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static const double PI = 3.14159265358979323846;
static const double WARM = 0.05,
                    WARM_FROM = 0.04; /* one-cycle's share of rising steps, and its first factor */

static double constant(double progress)
{
    (void)progress;
    return 1;
}

static double one_cycle(double progress)
{
    if (progress < WARM) return WARM_FROM + (1 - WARM_FROM) * progress / WARM;
    return (1 - progress) / (1 - WARM);
}

static double linear(double progress)
{
    return 1 - progress;
}

static double cosine(double progress)
{
    return 0.5 * (1 + cos(PI * progress));
}

const dq_schedule dq_schedules[] = {
    {"constant", "the same rate throughout", constant},
    {"one-cycle", "rises for 5 % of the steps, then falls to zero", one_cycle},
    {"linear", "falls to zero", linear},
    {"cosine", "falls to zero along half a cosine", cosine},
    {NULL, NULL, NULL},
};

const dq_schedule *dq_schedule_find(const char *name)
{
    for (const dq_schedule *s = dq_schedules; s->name; s++)
        if (strcmp(s->name, name) == 0) return s;
    return NULL;
}

double dq_schedule_rate(const dq_schedule *schedule, double peak, uint64_t step, uint64_t total)
{
    if (total == 0) return peak;
    if (step >= total) step = total - 1;
    return peak * schedule->factor((double)step / (double)total);
}

double dq_epsilon_next(double epsilon, double decay, double least)
{
    double next = epsilon * decay;
    return next > least ? next : least;
}
