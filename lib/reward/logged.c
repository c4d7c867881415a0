/* SPDX-License-Identifier: MIT */
#include "reward/logged.h"

#include <math.h>

static void set(float *rewards, uint32_t *labels, uint32_t item, float reward, uint32_t label)
{
    if (labels && (!isnan(reward) || isnan(rewards[item]))) labels[item] = label;
    if (!isnan(reward)) rewards[item] = reward;
}

void dq_logged_rewards(const dq_dataset *dataset, const dq_label_map *map, uint32_t user, float *reward,
                       uint32_t *label)
{
    const dq_catalogue *c = &dataset->catalogue;
    for (uint32_t i = 0; i < dq_entities_count(&c->items); i++) {
        reward[i] = NAN;
        if (label) label[i] = DQ_ABSENT;
    }
    for (size_t i = 0; i < c->interaction_count; i++) {
        const dq_interaction *x = &c->interactions[i];
        size_t n;
        if (x->user != user) continue;
        const char *text = dq_catalogue_label(c, x, &n);
        set(reward, label, x->item, dq_label_map_reward(map, x->reward, text, n), x->label);
    }
    for (size_t i = 0; i < dataset->count; i++) {
        const dq_transition *row = &dataset->transitions[i];
        if (row->state == user) set(reward, label, row->action, row->reward, dataset->label[i]);
    }
}

bool dq_logged_parts(const dq_dataset *dataset, uint32_t user, float *reward, float *cosine, float *llm)
{
    bool any = false;
    for (size_t i = 0; i < dataset->count; i++) {
        const dq_transition *row = &dataset->transitions[i];
        if (row->state != user || isnan(row->reward)) continue;
        if (isnan(dataset->cosine[i]) || isnan(dataset->llm[i])) return false;
        reward[row->action] = row->reward;
        cosine[row->action] = dataset->cosine[i];
        llm[row->action] = dataset->llm[i];
        any = true;
    }
    return any;
}
