/* SPDX-License-Identifier: MIT
 *
 * Annealing: how much of a reward is the cosine and how much the language model's, as training goes on. Both
 * parts are kept beside each other, so another weight asks nobody.
 */
#include "train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool parse_share(const char **p, char stop, double *share)
{
    char *end;
    *share = strtod(*p, &end);
    bool ok = end != *p && *share >= 0 && *share <= 1 && (*end == '\0' || *end == stop);
    *p = end;
    return ok;
}

/* A, or A:B, or A:B@N. */
static bool parse(const char *text, train_weight *w)
{
    char *end;
    const char *p = text;
    if (!parse_share(&p, ':', &w->from)) return false;
    w->to = w->from;
    if (*p == '\0') return true;
    p++;
    if (!parse_share(&p, '@', &w->to)) return false;
    if (*p == '\0') return true;
    p++;
    if (*p < '0' || *p > '9') return false;
    w->over = strtoull(p, &end, 10);
    return *end == '\0' && w->over > 0 && w->over <= 1000000000;
}

void train_weight_choose(train *t)
{
    const train_options *o = t->o;
    train_weight w = {.on = o->cosine_weight || o->given.switch_episode, .from = 1, .to = 0};
    if (!w.on) return;
    if (o->cosine_weight && !parse(o->cosine_weight, &w))
        dq_cli_usage(t->cli, "--cosine-weight %s: a share such as 0.5, or 1:0@1000 for 1000 episodes",
                     o->cosine_weight);
    if (o->given.switch_episode && (w.over || (o->cosine_weight && !strchr(o->cosine_weight, ':'))))
        dq_cli_usage(t->cli, "--switch-episode goes from one share to another at once: --cosine-weight A:B");
    if (!o->given.switch_episode && !w.over && w.from != w.to)
        dq_cli_usage(t->cli, "--cosine-weight %s: over how many episodes? %s@N, or --switch-episode N",
                     o->cosine_weight, o->cosine_weight);
    w.jump = o->given.switch_episode;
    if (w.jump) w.over = o->switch_episode;
    t->weight = w;
}

double train_weight_at(const train_weight *w, uint64_t episode)
{
    if (episode >= w->over) return w->to;
    if (w->jump) return w->from;
    return w->from + (w->to - w->from) * (double)episode / (double)w->over;
}

float train_weigh(double share, float cosine, float llm)
{
    if (share == 1) return cosine; /* where a part does not count, it need not be there */
    if (share == 0) return llm;
    return (float)(share * (double)cosine + (1 - share) * (double)llm);
}
