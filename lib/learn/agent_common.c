/* SPDX-License-Identifier: MIT
 *
 * What the kinds of agents share: choosing an action, where their schedules are, the shapes of their
 * networks.
 */
#include "learn/agent_impl.h"
#include "learn/trajectory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const dq_vectors *agent_store(const dq_agent *a, const dq_vectors *states)
{
    return a->numbered ? &a->shape.states : states;
}

/* ---- acting ---- */

uint32_t agent_best(const float *q, uint32_t n)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < n; i++)
        if (q[i] > q[best]) best = i;
    return best;
}

/* Any of the best. */
static uint32_t any_best(const dq_agent *a, dq_rng *rng, const float *q)
{
    uint32_t best = agent_best(q, a->offered), equals = 0;
    for (uint32_t i = best; i < a->offered; i++) equals += q[i] == q[best];
    if (equals <= 1) return best;
    for (uint64_t left = dq_rng_below(rng, equals), i = best;; i++)
        if (q[i] == q[best] && left-- == 0) return (uint32_t)i;
}

/* One of n by chances that grow as e^(q / temperature); q is overwritten. */
static uint32_t draw_softmax(const dq_agent *a, dq_rng *rng, float *q)
{
    uint32_t n = a->offered, i = 0;
    for (uint32_t j = 0; j < n; j++) q[j] = (float)((double)q[j] / a->config.temperature);
    dq_loss_logsumexp(q, n, q);
    double left = dq_rng_uniform(rng);
    while (i + 1 < n && (left -= (double)q[i]) >= 0) i++;
    return i;
}

static uint32_t choose(const dq_agent *a, dq_rng *rng, float *q)
{
    if (!rng) return agent_best(q, a->offered);
    return a->config.explore_by == DQ_EXPLORE_SOFTMAX ? draw_softmax(a, rng, q) : any_best(a, rng, q);
}

/* States from .. from + n - 1, whose values have room. Those that explore by epsilon need no values. */
static void act(dq_agent *a, const dq_vectors *states, const uint32_t *number, size_t from, size_t n,
                dq_rng *rng, uint32_t *actions)
{
    size_t asked = 0;
    bool by_epsilon = rng && a->config.explore_by == DQ_EXPLORE_EPSILON;
    double epsilon = by_epsilon ? dq_agent_epsilon(a) : 0;
    for (uint32_t i = 0; i < n; i++) {
        if (epsilon > 0 && dq_rng_uniform(rng) < epsilon) {
            actions[from + i] = a->offer[dq_rng_below(rng, a->offered)];
            continue;
        }
        a->act_number[asked] = agent_number(number, from + i);
        a->act_at[asked++] = i;
    }
    if (asked && rng && a->does->explore)
        a->does->explore(a, states, a->act_number, asked, rng, a->act_values);
    else if (asked)
        a->does->values(a, states, a->act_number, asked, a->act_values);
    for (size_t i = 0; i < asked; i++)
        actions[from + a->act_at[i]] = a->offer[choose(a, rng, a->act_values + i * a->offered)];
}

void agent_act(dq_agent *a, const dq_vectors *states, const uint32_t *number, size_t n, dq_rng *rng,
               uint32_t *actions)
{
    size_t room = a->act_room / a->offered, rows = room < AGENT_ACT_ROWS ? room : AGENT_ACT_ROWS;
    for (size_t i = 0; i < n; i += rows)
        act(a, agent_store(a, states), number, i, n - i < rows ? n - i : rows, rng, actions);
}

void dq_agent_act(dq_agent *a, const dq_vectors *states, const uint32_t *number, size_t n, bool explore,
                  uint32_t *actions)
{
    agent_act(a, states, number, n, explore ? &a->rng[RNG_ACT] : NULL, actions);
}

/* ---- schedules ---- */

double dq_agent_epsilon(const dq_agent *a)
{
    const dq_agent_config *c = &a->config;
    const double counts[] = {[DQ_BY_UPDATES] = (double)a->steps,
                             [DQ_BY_STEPS] = (double)a->observed,
                             [DQ_BY_EPISODES] = (double)a->episodes,
                             [DQ_BY_RUN] = a->progress};
    double t = counts[c->decay_by], range = c->epsilon - c->epsilon_min;
    switch (c->decay_form) {
    case DQ_DECAY_MULTIPLICATIVE: return fmax(c->epsilon_min, c->epsilon * pow(c->epsilon_decay, t));
    case DQ_DECAY_EXPONENTIAL: return c->epsilon_min + range * exp(-t / c->epsilon_decay);
    case DQ_DECAY_LINEAR: return c->epsilon - range * fmin(1, t / c->epsilon_decay);
    }
    return c->epsilon;
}

double dq_agent_scheduled(const dq_agent *a)
{
    uint64_t total = a->config.schedule_steps;
    return total ? fmin(1, (double)a->steps / (double)total) : a->progress;
}

double dq_agent_rate(const dq_agent *a)
{
    const dq_agent_config *c = &a->config;
    double peak = c->alpha > 0 ? c->alpha : c->adam.rate; /* no network has an alpha */
    return dq_schedule_rate(c->schedule, peak, dq_agent_scheduled(a), c->schedule_decay);
}

double dq_agent_beta(const dq_agent *a)
{
    double beta = a->config.importance;
    return a->config.priority > 0 ? beta + (1 - beta) * dq_agent_scheduled(a) : (double)NAN;
}

double agent_bound(const dq_agent *a, double value)
{
    const dq_agent_config *c = &a->config;
    return c->bounded ? fmin(c->value_max, fmax(c->value_min, value)) : value;
}

/* ---- networks ---- */

const char *agent_find_foreign(const dq_agent_config *c)
{
    const dq_agent_config none = {0};
    const struct {
        const char *name;
        bool set;
    } of_networks[] = {{"hidden", c->hidden_count},
                       {"value-hidden", c->value_hidden_count},
                       {"world-hidden", c->world_hidden_count},
                       {"dropout", c->dropout > 0},
                       {"activation", c->activation != none.activation},
                       {"precision", c->precision != none.precision},
                       {"batch-norm", c->batch_norm},
                       {"dueling", c->dueling},
                       {"sparse", c->sparse},
                       {"encoder", c->encoder != DQ_ENCODER_NONE},
                       {"context", c->context > 0},
                       {"world", c->world},
                       {"models", c->models},
                       {"rollout", c->rollout > 1},
                       {"double", c->double_q},
                       {"n-step", c->n_step > 1},
                       {"tau", c->tau > 0},
                       {"loss", c->loss != none.loss},
                       {"priority", c->priority > 0},
                       {"importance", c->importance > 0},
                       {"conservative", c->conservative > 0},
                       {"clip-norm", c->clip_norm > 0},
                       {"clip-value", c->clip_value > 0},
                       {"weight-decay", c->adam.decay > 0},
                       {"updates", c->updates > 1},
                       {"warmup", c->warmup > c->train_every}};
    for (size_t i = 0; i < sizeof of_networks / sizeof *of_networks; i++)
        if (of_networks[i].set) return of_networks[i].name;
    return NULL;
}

/* What Q's network and one of the world have alike: the layers, by their widths. */
static dq_net_spec layers(const dq_agent_config *c, const uint32_t *hidden, uint32_t count)
{
    dq_net_spec spec = {.sparse = c->sparse,
                        .hidden_count = count,
                        .dropout = c->dropout,
                        .dropout_layers = c->dropout_layers,
                        .activation = c->activation,
                        .trained_layers = c->trained_layers,
                        .precision = c->precision};
    memcpy(spec.features, c->features, sizeof spec.features);
    memcpy(spec.hidden, hidden, sizeof spec.hidden);
    return spec;
}

/* The window of a trajectory in a state's place. */
static void read_windows(dq_net_spec *spec, const dq_agent_config *c, const dq_env_spec *s)
{
    const dq_trajectory t = dq_trajectory_of(c, s);
    spec->input = dq_trajectory_width(&t);
    spec->user_width = 0;
    spec->history = t.context;
    spec->item_width = dq_trajectory_step_width(&t);
    spec->step_state = t.state_width;
    spec->encoder = DQ_ENCODER_TRAJECTORY;
}

dq_net_spec agent_spec(const dq_agent_config *c, const dq_env_spec *s)
{
    bool on_actions = c->head == DQ_HEAD_ACTIONS;
    dq_net_spec spec = layers(c, c->hidden, c->hidden_count);
    spec.input = s->state_width;
    spec.user_width = s->user_width;
    spec.history = s->history;
    spec.item_width = s->history ? s->item_width : 0;
    spec.outputs = on_actions ? 1 : s->action_count;
    spec.head = c->head;
    spec.action_width = on_actions ? s->action_width : 0;
    spec.feature_count = c->feature_count;
    spec.dueling = c->dueling;
    spec.value_hidden_count = c->value_hidden_count;
    memcpy(spec.value_hidden, c->value_hidden, sizeof spec.value_hidden);
    spec.batch_norm = c->batch_norm;
    spec.encoder = c->encoder;
    spec.given = c->given.width;
    spec.feature_scale = c->feature_scale;
    spec.hidden_inputs = c->hidden_inputs;
    spec.direct = c->direct;
    spec.factored = c->factored;
    spec.input_dropout = c->input_dropout;
    spec.calibrated = c->calibrated;
    if (c->context) read_windows(&spec, c, s);
    if (c->context || c->encoder == DQ_ENCODER_SASREC) {
        spec.blocks = c->blocks;
        spec.heads = c->heads;
        spec.encoder_width = c->encoder_width;
    }
    return spec;
}

dq_net_spec agent_world_spec(const dq_agent_config *c, const dq_env_spec *s)
{
    bool described = s->action_width > 0, own = c->world_hidden_count > 0;
    dq_net_spec spec = own ? layers(c, c->world_hidden, c->world_hidden_count)
                           : layers(c, c->hidden, c->hidden_count);
    spec.input = s->state_width;
    spec.outputs = s->states.count > 0 ? 1 : s->state_width + 2;
    spec.head = DQ_HEAD_ACTIONS;
    spec.action_width = described ? s->action_width : s->action_count;
    spec.one_hot = !described;
    spec.feature_count = described ? c->feature_count : 0;
    return spec;
}

const char *dq_agent_q_name(char name[DQ_AGENT_Q_NAME], size_t m)
{
    (void)snprintf(name, DQ_AGENT_Q_NAME, m ? "q.%zu" : "q", m);
    return name;
}

const char *agent_world_name(char name[AGENT_WORLD_NAME], uint32_t m)
{
    (void)snprintf(name, AGENT_WORLD_NAME, "world.%u", m);
    return name;
}
