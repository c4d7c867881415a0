/* SPDX-License-Identifier: MIT
 *
 * What the kinds of agents share: memory, the network's shape, and where their schedules are.
 */
#include "learn/agent_impl.h"

#include <math.h>
#include <string.h>

float *agent_floats(dq_agent *a, size_t n, bool *ok)
{
    float *p = dq_arena_zero(&a->arena, n, sizeof *p);
    if (!p) *ok = false;
    return p;
}

uint32_t *agent_numbers(dq_agent *a, size_t n, bool *ok)
{
    uint32_t *p = dq_arena_zero(&a->arena, n, sizeof *p);
    if (!p) *ok = false;
    return p;
}

dq_mlp_spec agent_spec(const dq_agent *a)
{
    const dq_agent_config *c = &a->config;
    const dq_env_spec *s = &a->shape;
    bool on_actions = c->head == DQ_HEAD_ACTIONS;
    dq_mlp_spec spec = {.input = s->state_width,
                        .user_width = s->user_width,
                        .history = s->history,
                        .item_width = s->history ? s->item_width : 0,
                        .outputs = on_actions ? 0 : s->action_count,
                        .action_width = on_actions ? s->action_width : 0,
                        .hidden_count = c->hidden_count,
                        .dropout = c->dropout,
                        .batch_norm = c->batch_norm,
                        .dueling = c->dueling,
                        .head = c->head,
                        .encoder = c->encoder};
    memcpy(spec.hidden, c->hidden, sizeof spec.hidden);
    return spec;
}

double dq_agent_epsilon(const dq_agent *a)
{
    const dq_agent_config *c = &a->config;
    const uint64_t counts[] = {a->steps, a->observed, a->episodes};
    double t = (double)counts[c->decay_by], range = c->epsilon - c->epsilon_min;
    switch (c->decay_form) {
    case DQ_DECAY_MULTIPLICATIVE: return fmax(c->epsilon_min, c->epsilon * pow(c->epsilon_decay, t));
    case DQ_DECAY_EXPONENTIAL: return c->epsilon_min + range * exp(-t / c->epsilon_decay);
    case DQ_DECAY_LINEAR: return c->epsilon - range * fmin(1, t / c->epsilon_decay);
    }
    return c->epsilon;
}

bool agent_due(const dq_agent *a)
{
    return a->due >= a->config.train_every;
}

void agent_take_due(dq_agent *a)
{
    a->due -= a->config.train_every;
}

void agent_count_observation(dq_agent *a)
{
    if (++a->observed >= a->config.warmup) a->due++;
}

double agent_bound(const dq_agent *a, double value)
{
    const dq_agent_config *c = &a->config;
    return c->bounded ? fmin(c->value_max, fmax(c->value_min, value)) : value;
}

double agent_rate(const dq_agent *a)
{
    const dq_agent_config *c = &a->config;
    return dq_schedule_rate(c->schedule, c->adam.rate, a->steps, c->schedule_steps);
}
