/* SPDX-License-Identifier: MIT */
#include "reward/weight.h"

#include "core/words/number.h"
#include "reward/mix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool parse_number(const char **p, char stop, double *number)
{
    *p = dq_number_begin(*p, number);
    return *p && *number >= 0 && *number <= 1 && (**p == '\0' || **p == stop);
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

const char *dq_reward_weight_choose(const char *share, const uint64_t *jump_at, dq_reward_weight *w)
{
    *w = (dq_reward_weight){.from = 1, .to = 0};
    if (share && !dq_reward_weight_parse(share, w))
        return "a share such as 0.5, or 1:0@1000 for 1000 episodes";
    if (jump_at && (w->over || (share && !strchr(share, ':'))))
        return "--switch-episode goes from one share to another at once: A:B";
    if (!jump_at && !w->over && w->from != w->to)
        return "over how many episodes? A:B@N, or --switch-episode N";
    w->jump = jump_at != NULL;
    if (jump_at) w->over = *jump_at;
    return NULL;
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

dq_status dq_reward_check_parts(const float *reward, const float *cosine, const float *llm, size_t n,
                                dq_error *error)
{
    for (size_t i = 0; i < n; i++)
        if (!isnan(reward[i]) && (isnan(cosine[i]) || isnan(llm[i])))
            return dq_fail(error, DQ_ERR_RANGE,
                           "--cosine-weight needs transitions with both parts, cosine and llm, beside each "
                           "reward (dq-reward --strategy hybrid)");
    return DQ_OK;
}
