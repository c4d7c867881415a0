/* SPDX-License-Identifier: MIT
 *
 * Dyna-Q (Sutton, 1991) on dense states: a deep Q-network (agent_dqn.c) and a world model, which learns from
 * the same batches what follows on (s, a) and is then asked for more experience than there was:
 *
 *     f(s, a) = (s' - s, r, z)      loss: mean of squared errors of s' - s and r, and the logistic loss of z,
 *                                   the logit of an end
 *     planning: states and actions that are remembered, outcomes as f predicts them, a Q update on each
 *     batch; with a rollout, on from there with the agent's own actions (Janner et al., "When to trust your
 *     model", 2019)
 *
 * An ensemble (Kurutach et al., "Model-ensemble trust-region policy optimization", 2018) differs by its first
 * weights and by online bagging: each row counts for each model as often as a Poisson(1) draw says (Oza and
 * Russell, "Online bagging and boosting", 2001). Each planning update asks one of them, drawn anew.
 */
#include "learn/agent_dqn.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct dyna {
    dq_mlp **worlds;      /* (models) */
    size_t action_width;  /* of an action's vector, or one-hot */
    float *in;            /* (fit_rows, state_width + action_width) */
    float *dy;            /* (fit_rows, state_width + 2) */
    float *mean, *square; /* (fit_rows, state_width + 2) over the ensemble */
    dqn_batch plan;       /* (batch) */
    uint32_t *slots;      /* (batch) */
} dyna;

static dyna *dyna_of(const dq_agent *a)
{
    return ((dqn *)a->self)->more;
}

static size_t outputs(const dq_agent *a)
{
    return a->shape.state_width + 2;
}

/* ---- making ---- */

static dq_status check(const dq_agent_config *c, dq_error *error)
{
    if (c->models == 0 || c->rollout == 0)
        return dq_fail(error, DQ_ERR_RANGE, "a world model of %u networks that look %u steps ahead",
                       c->models, c->rollout);
    if (c->n_step > 1)
        return dq_fail(error, DQ_ERR_RANGE, "a world model learns from single steps, not returns over %u",
                       c->n_step);
    return DQ_OK;
}

static bool allocate(dq_agent *a, dyna *y)
{
    bool ok = true;
    size_t rows = a->config.fit_rows, width = a->shape.state_width + y->action_width;
    y->in = agent_floats(a, rows * width, &ok);
    y->dy = agent_floats(a, rows * outputs(a), &ok);
    y->mean = agent_floats(a, rows * outputs(a), &ok);
    y->square = agent_floats(a, rows * outputs(a), &ok);
    y->slots = agent_numbers(a, a->config.batch, &ok);
    y->worlds = dq_arena_zero(&a->arena, a->config.models, sizeof *y->worlds);
    return ok && y->worlds && dqn_batch_allocate(a, &y->plan, a->config.batch);
}

static dq_status make_worlds(dq_agent *a, dyna *y, dq_error *error)
{
    const dq_agent_config *c = &a->config;
    dq_mlp_spec spec = {.input = a->shape.state_width + (uint32_t)y->action_width,
                        .outputs = a->shape.state_width + 2,
                        .hidden_count = c->hidden_count,
                        .dropout = c->dropout};
    dq_status status = DQ_OK;
    memcpy(spec.hidden, c->hidden, sizeof spec.hidden);
    for (uint32_t m = 0; !status && m < c->models; m++) {
        dq_rng init = dq_rng_stream(c->seed, 101 + m);
        status = dq_mlp_new(&y->worlds[m], &spec, c->fit_rows, a->pool, &init, error);
    }
    return status;
}

static dq_status after(dq_agent *a, const dqn_batch *b, bool learn, dq_agent_losses *losses, dq_error *error);

static dq_status dyna_init(dq_agent *a, dq_error *error)
{
    dq_status status = check(&a->config, error);
    if (!status) status = dqn_init(a, error);
    if (status) return status;
    dqn *d = a->self;
    dyna *y = d->more = dq_arena_zero(&a->arena, 1, sizeof *y);
    if (!y) return dq_fail(error, DQ_ERR_MEMORY, "no memory for an agent");
    d->after = after;
    y->action_width = a->vectors ? a->shape.action_width : a->shape.action_count;
    if (!allocate(a, y)) return dq_fail(error, DQ_ERR_MEMORY, "no memory for an agent");
    return make_worlds(a, y, error);
}

static void dyna_free(dq_agent *a)
{
    dyna *y = dyna_of(a);
    for (uint32_t m = 0; y && y->worlds && m < a->config.models; m++) dq_mlp_free(y->worlds[m]);
    dqn_free(a);
}

/* ---- the world model ---- */

/* [state | action's vector, or one-hot] of n pairs. */
static void join(const dq_agent *a, dyna *y, const float *states, const uint32_t *actions, size_t n)
{
    size_t state = a->shape.state_width, action = y->action_width;
    for (size_t i = 0; i < n; i++) {
        float *to = y->in + i * (state + action);
        memcpy(to, states + i * state, state * sizeof *to);
        if (a->vectors) {
            memcpy(to + state, a->vectors + actions[i] * action, action * sizeof *to);
        } else {
            memset(to + state, 0, action * sizeof *to);
            to[state + actions[i]] = 1;
        }
    }
}

/* How often a row counts for one of several models: a Poisson(1) draw. */
static double bagged(dq_agent *a)
{
    double left = dq_rng_uniform(&a->rng[RNG_WORLD]), chance = exp(-1), times = 0;
    while (left >= chance && times < 8) {
        left -= chance;
        chance /= ++times;
    }
    return times;
}

/* The loss of outputs (n, state_width + 2) on a batch, and its gradient in y->dy. */
static double world_loss(dq_agent *a, dyna *y, const dqn_batch *b, const float *out, bool bag)
{
    size_t width = a->shape.state_width, numbers = b->n * (width + 1);
    double sum = 0, slope;
    for (size_t i = 0; i < b->n; i++) {
        double times = bag ? bagged(a) : 1, scale = times / (double)numbers;
        const float *o = out + i * (width + 2), *s = b->state + i * width, *t = b->next + i * width;
        float *dy = y->dy + i * (width + 2);
        for (size_t j = 0; j <= width; j++) {
            double wanted = j < width ? (double)t[j] - (double)s[j] : (double)b->reward[i];
            double away = (double)o[j] - wanted;
            sum += scale * away * away;
            dy[j] = (float)(2 * scale * away);
        }
        sum += times / (double)b->n * dq_loss_logistic((double)o[width + 1], b->terminal[i], &slope);
        dy[width + 1] = (float)(times / (double)b->n * slope);
    }
    return sum;
}

static dq_status fit_worlds(dq_agent *a, const dqn_batch *b, bool learn, double *loss, dq_error *error)
{
    dyna *y = dyna_of(a);
    dq_adam adam = a->config.adam;
    double sum = 0, norm = 0;
    adam.rate = agent_rate(a);
    join(a, y, b->state, b->action, b->n);
    for (uint32_t m = 0; m < a->config.models; m++) {
        const float *out = dq_mlp_forward(y->worlds[m], y->in, b->n, NULL, learn ? &a->rng[RNG_WORLD] : NULL);
        sum += world_loss(a, y, b, out, learn && a->config.models > 1);
        if (!learn) continue;
        dq_mlp_backward(y->worlds[m], y->dy);
        norm += dq_mlp_step(y->worlds[m], &adam, a->config.clip_norm, a->config.clip_value);
    }
    *loss = sum / a->config.models;
    if (isfinite(*loss) && isfinite(norm)) return DQ_OK;
    return dq_fail(error, DQ_ERR_NUMERIC, "training has diverged: the world model's loss is not finite");
}

/* ---- planning ---- */

/* States and actions that were lived through, into row i of the plan: from the memory, or where it is empty,
 * as in offline training, from the batch at hand. */
static void start_from(dq_agent *a, const dqn_batch *b, size_t i)
{
    dqn *d = a->self;
    dyna *y = d->more;
    size_t width = a->shape.state_width;
    bool remembers = dq_memory_count(d->memory) >= a->config.batch;
    dq_memory_row row = remembers ? dq_memory_at(d->memory, y->slots[i]) : (dq_memory_row){0};
    const float *state = remembers ? row.state : b->state + (i % b->n) * width;
    memcpy(y->plan.state + i * width, state, width * sizeof *state);
    y->plan.action[i] = remembers ? row.action : b->action[i % b->n];
}

static void draw_starts(dq_agent *a)
{
    dqn *d = a->self;
    dyna *y = d->more;
    if (dq_memory_count(d->memory) >= a->config.batch)
        dq_memory_sample(d->memory, &a->rng[RNG_PLAN], 0, a->config.batch, y->slots, y->plan.weight);
}

/* The outcomes that one model of the ensemble predicts. */
static void imagine(dq_agent *a, dyna *y)
{
    dqn_batch *p = &y->plan;
    size_t width = a->shape.state_width;
    uint64_t m = a->config.models > 1 ? dq_rng_below(&a->rng[RNG_PLAN], a->config.models) : 0;
    join(a, y, p->state, p->action, p->n);
    const float *out = dq_mlp_forward(y->worlds[m], y->in, p->n, NULL, NULL);
    for (size_t i = 0; i < p->n; i++, out += width + 2) {
        for (size_t j = 0; j < width; j++) p->next[i * width + j] = p->state[i * width + j] + out[j];
        p->reward[i] = out[width];
        p->terminal[i] = out[width + 1] > 0;
        p->discount[i] = (float)a->config.gamma;
        p->weight[i] = 1;
    }
}

/* One step further: the next states, the agent's own actions; what ended begins anew. */
static void extend_rollout(dq_agent *a, const dqn_batch *b, dyna *y)
{
    dqn *d = a->self;
    dqn_batch *p = &y->plan;
    size_t width = a->shape.state_width;
    double epsilon = dq_agent_epsilon(a);
    draw_starts(a);
    memcpy(p->state, p->next, p->n * width * sizeof *p->state);
    dqn_values(a, p->state, p->n, d->next_q);
    for (size_t i = 0; i < p->n; i++) {
        const float *q = d->next_q + i * a->shape.action_count;
        uint32_t best = 0;
        for (uint32_t j = 1; j < a->shape.action_count; j++)
            if (q[j] > q[best]) best = j;
        p->action[i] = best;
        if (dq_rng_uniform(&a->rng[RNG_PLAN]) < epsilon)
            p->action[i] = (uint32_t)dq_rng_below(&a->rng[RNG_PLAN], a->shape.action_count);
        if (p->terminal[i]) start_from(a, b, i);
    }
}

static dq_status plan(dq_agent *a, const dqn_batch *b, double *mean, dq_error *error)
{
    dyna *y = dyna_of(a);
    uint32_t updates = a->config.planning * a->config.rollout;
    double loss, norm, sum = 0;
    y->plan.n = a->config.batch;
    for (uint32_t u = 0; u < updates; u++) {
        if (u % a->config.rollout == 0) {
            draw_starts(a);
            for (size_t i = 0; i < y->plan.n; i++) start_from(a, b, i);
        } else {
            extend_rollout(a, b, y);
        }
        imagine(a, y);
        dq_status status = dqn_update(a, &y->plan, true, &loss, &norm, error);
        if (status) return status;
        sum += loss;
    }
    *mean = sum / updates;
    return DQ_OK;
}

static dq_status after(dq_agent *a, const dqn_batch *b, bool learn, dq_agent_losses *losses, dq_error *error)
{
    dq_status status = fit_worlds(a, b, learn, &losses->world, error);
    if (status || !learn || a->config.planning == 0) return status;
    return plan(a, b, &losses->planning, error);
}

/* ---- asking it ---- */

/* n <= fit_rows */
static void predict_some(dq_agent *a, const float *states, const uint32_t *actions, size_t n, float *next,
                         float *rewards, float *ends, float *disagreement)
{
    dyna *y = dyna_of(a);
    size_t width = a->shape.state_width, count = outputs(a);
    float share = 1 / (float)a->config.models;
    memset(y->mean, 0, n * count * sizeof *y->mean);
    memset(y->square, 0, n * count * sizeof *y->square);
    join(a, y, states, actions, n);
    for (uint32_t m = 0; m < a->config.models; m++) {
        const float *out = dq_mlp_forward(y->worlds[m], y->in, n, NULL, NULL);
        for (size_t i = 0; i < n * count; i++) {
            float end = 1 / (1 + expf(-out[i])), x = i % count == width + 1 ? end : out[i];
            float away = x - y->mean[i]; /* Welford's way: no difference of large squares */
            y->mean[i] += away / (float)(m + 1);
            y->square[i] += away * (x - y->mean[i]) * share;
        }
    }
    for (size_t i = 0; i < n; i++) {
        const float *mean = y->mean + i * count, *square = y->square + i * count;
        float sum = 0;
        for (size_t j = 0; j < width; j++) next[i * width + j] = states[i * width + j] + mean[j];
        for (size_t j = 0; j <= width; j++) sum += square[j];
        rewards[i] = mean[width];
        ends[i] = mean[width + 1];
        if (disagreement) disagreement[i] = sqrtf(sum / (float)(width + 1));
    }
}

static void dyna_predict(dq_agent *a, const float *states, const uint32_t *actions, size_t n, float *next,
                         float *rewards, float *ends, float *disagreement)
{
    size_t width = a->shape.state_width, rows = a->config.fit_rows;
    for (size_t i = 0; i < n; i += rows)
        predict_some(a, states + i * width, actions + i, n - i < rows ? n - i : rows, next + i * width,
                     rewards + i, ends + i, disagreement ? disagreement + i : NULL);
}

/* ---- bundles: world.0, world.1 ... ---- */

static dq_mlp *dyna_network(dq_agent *a, const char *name)
{
    dyna *y = dyna_of(a);
    for (uint32_t m = 0; m < a->config.models; m++) {
        char of[32];
        snprintf(of, sizeof of, "world.%u", m);
        if (strcmp(name, of) == 0) return y->worlds[m];
    }
    return dqn_network(a, name);
}

static dq_status dyna_save(dq_agent *a, bool checkpoint, dq_bundle *model, dq_error *error)
{
    dyna *y = dyna_of(a);
    dq_status status = dqn_save(a, checkpoint, model, error);
    for (uint32_t m = 0; !status && m < a->config.models; m++) {
        char name[32];
        snprintf(name, sizeof name, "world.%u", m);
        status = dq_mlp_save(y->worlds[m], name, checkpoint, model, error);
    }
    return status;
}

static dq_status dyna_load(dq_agent *a, bool checkpoint, const dq_bundle *model, dq_error *error)
{
    dyna *y = dyna_of(a);
    dq_status status = dqn_load(a, checkpoint, model, error);
    for (uint32_t m = 0; !status && m < a->config.models; m++) {
        char name[32];
        snprintf(name, sizeof name, "world.%u", m);
        status = dq_mlp_load(y->worlds[m], name, model, error);
        if (!checkpoint) dq_mlp_forget(y->worlds[m]);
    }
    return status;
}

const dq_agent_kind dq_agent_dyna_q = {
    .name = "dyna-q",
    .help = "a deep Q-network that also learns from what its world model predicts",
    .defaults = {DQN_DEFAULTS, .planning = 5, .rollout = 1, .models = 1},
    .init = dyna_init,
    .free = dyna_free,
    .values = dqn_values,
    .observe = dqn_observe,
    .ready = dqn_ready,
    .learn = dqn_learn,
    .fit = dqn_fit,
    .end_episode = dqn_end_episode,
    .predict = dyna_predict,
    .network = dyna_network,
    .save = dyna_save,
    .load = dyna_load,
};
