/* SPDX-License-Identifier: MIT */
#include "reward/weight.h"

#include "reward/mix.h"

#include <stdlib.h>

static bool parse_number(const char **p, char stop, double *number)
{
    char *end;
    *number = strtod(*p, &end);
    bool ok = end != *p && *number >= 0 && *number <= 1 && (*end == '\0' || *end == stop);
    *p = end;
    return ok;
}

bool dq_reward_weight_parse(const char *text, dq_reward_weight *w)
{
    char *end;
    const char *p = text;
    *w = (dq_reward_weight){0};
    if (!parse_number(&p, ':', &w->from)) return false;
    w->to = w->from;
    if (*p == '\0') return true;
    p++;
    if (!parse_number(&p, '@', &w->to)) return false;
    if (*p == '\0') return true;
    p++;
    if (*p < '0' || *p > '9') return false;
    w->over = strtoull(p, &end, 10);
    return *end == '\0' && w->over > 0 && w->over <= 1000000000;
}

double dq_reward_weight_at(const dq_reward_weight *w, uint64_t episode)
{
    if (episode >= w->over) return w->to;
    if (w->jump) return w->from;
    return w->from + (w->to - w->from) * (double)episode / (double)w->over;
}

float dq_reward_weigh(double weight, float cosine, float llm)
{
    if (weight == 1) return cosine;
    if (weight == 0) return llm;
    return (float)dq_reward_mix(weight, (double)cosine, (double)llm);
}
