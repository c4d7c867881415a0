/* SPDX-License-Identifier: MIT
 *
 * --cosine-weight and --switch-episode: what they say together (reward/weight.h).
 */
#include "train.h"

#include <string.h>

void train_weight_choose(train *t)
{
    const train_options *o = t->o;
    bool jump = dq_cli_given(t->cli, "switch-episode");
    dq_reward_weight w = {.from = 1, .to = 0};
    t->weighted = o->cosine_weight || jump;
    if (!t->weighted) return;
    if (o->cosine_weight && !dq_reward_weight_parse(o->cosine_weight, &w))
        dq_cli_usage(t->cli, "--cosine-weight %s: a share such as 0.5, or 1:0@1000 for 1000 episodes",
                     o->cosine_weight);
    if (jump && (w.over || (o->cosine_weight && !strchr(o->cosine_weight, ':'))))
        dq_cli_usage(t->cli, "--switch-episode goes from one share to another at once: --cosine-weight A:B");
    if (!jump && !w.over && w.from != w.to)
        dq_cli_usage(t->cli, "--cosine-weight %s: over how many episodes? %s@N, or --switch-episode N",
                     o->cosine_weight, o->cosine_weight);
    w.jump = jump;
    if (jump) w.over = o->switch_episode;
    t->weight = w;
}
