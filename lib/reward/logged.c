/* SPDX-License-Identifier: MIT */
#include "reward/logged.h"

#include <math.h>

void dq_logged_rewards(const dq_dataset *dataset, const dq_label_map *map, uint32_t user, float *reward)
{
    const dq_catalogue *c = &dataset->catalogue;
    for (uint32_t i = 0; i < dq_entities_count(&c->items); i++) reward[i] = NAN;
    for (size_t i = 0; i < c->interaction_count; i++) {
        const dq_interaction *x = &c->interactions[i];
        size_t n;
        if (x->user != user) continue;
        const char *label = dq_catalogue_label(c, x, &n);
        float own = dq_label_map_reward(map, x->reward, label, n);
        if (!isnan(own)) reward[x->item] = own;
    }
    dq_logged_transitions_over(dataset, user, reward);
}

void dq_logged_transitions_over(const dq_dataset *dataset, uint32_t user, float *reward)
{
    for (size_t i = 0; i < dataset->count; i++) {
        const dq_transition *row = &dataset->transitions[i];
        if (row->user == user && !isnan(row->reward)) reward[row->item] = row->reward;
    }
}

bool dq_logged_parts(const dq_dataset *dataset, uint32_t user, float *reward, float *cosine, float *llm)
{
    bool any = false;
    for (size_t i = 0; i < dataset->count; i++) {
        const dq_transition *row = &dataset->transitions[i];
        if (row->user != user || isnan(row->reward)) continue;
        if (isnan(dataset->cosine[i]) || isnan(dataset->llm[i])) return false;
        reward[row->item] = row->reward;
        cosine[row->item] = dataset->cosine[i];
        llm[row->item] = dataset->llm[i];
        any = true;
    }
    return any;
}
