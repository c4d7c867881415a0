/* SPDX-License-Identifier: MIT
 *
 * Deep Q-networks (Mnih et al., "Human-level control through deep reinforcement learning", Nature 518, 2015):
 *
 *     wanted = R + discount max over a' of Q(s', a'; target)              discount = gamma^n, 0 at an end
 *     wanted = R + discount Q(s', argmax over a' of Q(s', a'); target)    Double
 *     loss   = mean of w loss(Q(s, a) - wanted)
 *            + alpha mean of (log sum over a' of e^Q(s, a') - Q(s, a))    conservative (their CQL(H))
 */
#include "learn/agent_dqn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool on_actions(const dq_agent *a)
{
    return a->config.head == DQ_HEAD_ACTIONS;
}

/* Outputs a row of a training pass: all actions, or only the taken one's pair. */
static size_t outputs(const dq_agent *a)
{
    return on_actions(a) && !(a->config.conservative > 0) ? 1 : a->shape.action_count;
}

/* ---- making ---- */

static dq_status check(const dq_agent *a, dq_error *error)
{
    const dq_agent_config *c = &a->config;
    if (c->alpha > 0 || c->states > 0)
        return dq_fail(error, DQ_ERR_RANGE, "an option of tables means nothing to a network");
    if (a->kind == &dq_agent_dqn && (c->planning > 0 || c->models > 0 || c->rollout > 1))
        return dq_fail(error, DQ_ERR_RANGE, "a dqn agent has no world model to plan with: dyna-q has");
    if (c->batch == 0 || c->replay < c->batch)
        return dq_fail(error, DQ_ERR_RANGE, "a batch of %zu from a memory of %zu", c->batch, c->replay);
    if (c->batch_norm && c->batch < 2)
        return dq_fail(error, DQ_ERR_RANGE, "batch norm needs a batch of two at least");
    if (c->target_every == 0 || !(c->tau >= 0 && c->tau <= 1))
        return dq_fail(error, DQ_ERR_RANGE, "the target moves by tau in [0, 1], every count or more");
    if (!(c->priority >= 0) || !(c->importance >= 0 && c->importance <= 1))
        return dq_fail(error, DQ_ERR_RANGE, "priority is at least 0, importance in [0, 1]");
    if (!(c->conservative >= 0) || !(c->clip_norm >= 0) || !(c->clip_value >= 0))
        return dq_fail(error, DQ_ERR_RANGE, "neither the conservative term nor clipping is below 0");
    if (!(c->adam.rate > 0) || !(c->adam.decay >= 0))
        return dq_fail(error, DQ_ERR_RANGE, "a learning rate of %g, a weight decay of %g", c->adam.rate,
                       c->adam.decay);
    if (c->n_step == 0) return dq_fail(error, DQ_ERR_RANGE, "returns over 0 steps");
    return DQ_OK;
}

bool dqn_batch_allocate(dq_agent *a, dqn_batch *b, size_t n)
{
    bool ok = true;
    size_t width = a->shape.state_width;
    *b = (dqn_batch){.n = n,
                     .state = agent_floats(a, n * width, &ok),
                     .next = agent_floats(a, n * width, &ok),
                     .action = agent_numbers(a, n, &ok),
                     .reward = agent_floats(a, n, &ok),
                     .discount = agent_floats(a, n, &ok),
                     .weight = agent_floats(a, n, &ok),
                     .terminal = dq_arena_zero(&a->arena, n, 1)};
    return ok && b->terminal;
}

static bool allocate(dq_agent *a, dqn *d)
{
    bool ok = true;
    size_t rows = a->config.fit_rows, actions = a->shape.action_count;
    d->slots = agent_numbers(a, a->config.batch, &ok);
    d->next_q = agent_floats(a, rows * actions, &ok);
    d->value = agent_floats(a, rows, &ok);
    d->best = agent_numbers(a, rows, &ok);
    d->rows_in_order = agent_numbers(a, rows, &ok);
    for (uint32_t i = 0; ok && i < rows; i++) d->rows_in_order[i] = i;
    d->wanted = agent_floats(a, rows, &ok);
    d->taken = agent_floats(a, rows, &ok);
    d->dtaken = agent_floats(a, rows, &ok);
    d->dy = agent_floats(a, rows * outputs(a), &ok);
    d->shares = agent_floats(a, actions, &ok);
    d->pair_state = agent_numbers(a, on_actions(a) ? rows * outputs(a) : 0, &ok);
    d->pair_action = agent_numbers(a, on_actions(a) ? rows * outputs(a) : 0, &ok);
    return ok && dqn_batch_allocate(a, &d->rows, rows);
}

static dq_status make_nets(dq_agent *a, dqn *d, dq_error *error)
{
    dq_rng init = dq_rng_stream(a->config.seed, 100);
    dq_mlp_spec spec = agent_spec(a);
    size_t rows = a->config.fit_rows * (on_actions(a) ? outputs(a) : 1);
    dq_status status = dq_mlp_new(&d->q, &spec, rows, a->pool, &init, error);
    if (!status) status = dq_mlp_new(&d->target, &spec, a->config.fit_rows, a->pool, &init, error);
    if (!status) dq_mlp_copy(d->target, d->q);
    return status;
}

dq_status dqn_init(dq_agent *a, dq_error *error)
{
    const dq_agent_config *c = &a->config;
    dq_status status = check(a, error);
    if (status) return status;
    dqn *d = a->self = calloc(1, sizeof *d);
    if (!d || !allocate(a, d)) return dq_fail(error, DQ_ERR_MEMORY, "no memory for an agent");
    status = dq_memory_new(&d->memory, c->replay, a->shape.state_width, c->priority, error);
    if (!status) status = dq_nstep_new(&d->nstep, c->n_step, c->tasks, a->shape.state_width, c->gamma, error);
    return status ? status : make_nets(a, d, error);
}

void dqn_free(dq_agent *a)
{
    dqn *d = a->self;
    dq_mlp_free(d->q);
    dq_mlp_free(d->target);
    dq_memory_free(d->memory);
    dq_nstep_free(d->nstep);
    free(d);
}

/* ---- acting and remembering ---- */

void dqn_values(dq_agent *a, const float *states, size_t n, float *q)
{
    dqn *d = a->self;
    dq_mlp_predict(d->q, states, n, on_actions(a) ? a->vectors : NULL, a->shape.action_count, q);
}

static void move_target(dq_agent *a)
{
    dqn *d = a->self;
    if (a->config.tau > 0)
        dq_mlp_follow(d->target, d->q, a->config.tau);
    else
        dq_mlp_copy(d->target, d->q);
}

/* Moves the target when `count` of something was reached. */
static void count_target(dq_agent *a, dq_count_by by, uint64_t count)
{
    if (a->config.target_by == by && count % a->config.target_every == 0) move_target(a);
}

void dqn_observe(dq_agent *a, uint32_t task, const dq_experience *e)
{
    dqn *d = a->self;
    const dq_memory_row row = {.state = e->state,
                               .next = e->next,
                               .action = e->action,
                               .reward = e->reward,
                               .terminal = e->terminal};
    dq_nstep_push(d->nstep, task, &row, e->terminal || e->truncated, d->memory);
    count_target(a, DQ_BY_STEPS, a->observed);
}

void dqn_end_episode(dq_agent *a, uint32_t task)
{
    (void)task;
    count_target(a, DQ_BY_EPISODES, a->episodes);
}

bool dqn_ready(const dq_agent *a)
{
    const dqn *d = a->self;
    return dq_memory_count(d->memory) >= a->config.batch;
}

/* ---- an update ---- */

static uint32_t best_of(const float *q, uint32_t n)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < n; i++)
        if (q[i] > q[best]) best = i;
    return best;
}

/* Of every next state the best action, by q itself with Double, else by the target. */
static void find_best(dq_agent *a, const dqn_batch *b)
{
    dqn *d = a->self;
    uint32_t count = a->shape.action_count;
    dq_mlp *net = a->config.double_q ? d->q : d->target;
    dq_mlp_predict(net, b->next, b->n, on_actions(a) ? a->vectors : NULL, count, d->next_q);
    for (size_t i = 0; i < b->n; i++) d->best[i] = best_of(d->next_q + i * count, count);
}

/* And its value by the target. With Double a head on actions is asked for these pairs alone. */
static void value_best(dq_agent *a, const dqn_batch *b)
{
    dqn *d = a->self;
    uint32_t count = a->shape.action_count;
    if (a->config.double_q && on_actions(a)) {
        const dq_mlp_pairs pairs = {b->n, d->rows_in_order, d->best, a->vectors};
        memcpy(d->value, dq_mlp_forward(d->target, b->next, b->n, &pairs, NULL), b->n * sizeof *d->value);
        return;
    }
    if (a->config.double_q) dq_mlp_predict(d->target, b->next, b->n, NULL, count, d->next_q);
    for (size_t i = 0; i < b->n; i++) d->value[i] = d->next_q[i * count + d->best[i]];
}

static void find_wanted(dq_agent *a, const dqn_batch *b)
{
    dqn *d = a->self;
    memcpy(d->wanted, b->reward, b->n * sizeof *d->wanted);
    if (a->config.gamma == 0) return;
    find_best(a, b);
    value_best(a, b);
    for (size_t i = 0; i < b->n; i++)
        if (!b->terminal[i]) d->wanted[i] += b->discount[i] * (float)agent_bound(a, (double)d->value[i]);
}

/* Q of a batch, in a training pass when learning: (n, outputs). */
static const float *forward(dq_agent *a, const dqn_batch *b, bool learn)
{
    dqn *d = a->self;
    size_t count = outputs(a);
    dq_rng *rng = learn ? &a->rng[RNG_DROP_Q] : NULL;
    if (!on_actions(a)) return dq_mlp_forward(d->q, b->state, b->n, NULL, rng);
    for (size_t r = 0; r < b->n * count; r++) {
        d->pair_state[r] = (uint32_t)(r / count);
        d->pair_action[r] = count == 1 ? b->action[r] : (uint32_t)(r % count);
    }
    const dq_mlp_pairs pairs = {b->n * count, d->pair_state, d->pair_action, a->vectors};
    return dq_mlp_forward(d->q, b->state, b->n, &pairs, rng);
}

/* Adds the conservative term and its gradient. */
static double add_cql(dq_agent *a, const dqn_batch *b, const float *y)
{
    dqn *d = a->self;
    size_t count = outputs(a);
    double alpha = a->config.conservative / (double)b->n, sum = 0;
    for (size_t i = 0; i < b->n; i++) {
        sum += dq_loss_logsumexp(y + i * count, count, d->shares) - (double)d->taken[i];
        dq_vec_add_scaled(d->dy + i * count, d->shares, (float)alpha, count);
        d->dy[i * count + b->action[i]] -= (float)alpha;
    }
    return alpha * sum;
}

dq_status dqn_update(dq_agent *a, const dqn_batch *b, bool learn, double *loss, double *norm, dq_error *error)
{
    dqn *d = a->self;
    size_t count = outputs(a);
    find_wanted(a, b);
    const float *y = forward(a, b, learn);
    for (size_t i = 0; i < b->n; i++) d->taken[i] = y[i * count + (count > 1 ? b->action[i] : 0)];
    *loss = dq_loss_mean(a->config.loss, d->taken, d->wanted, b->weight, b->n, d->dtaken);
    memset(d->dy, 0, b->n * count * sizeof *d->dy);
    for (size_t i = 0; i < b->n; i++) d->dy[i * count + (count > 1 ? b->action[i] : 0)] = d->dtaken[i];
    if (a->config.conservative > 0 && b == &d->rows) *loss += add_cql(a, b, y); /* what was logged */
    for (size_t i = 0; i < b->n; i++) d->dtaken[i] = d->taken[i] - d->wanted[i];
    if (!learn) return DQ_OK;
    dq_adam adam = a->config.adam;
    adam.rate = agent_rate(a);
    *norm = INFINITY;
    if (isfinite(*loss)) {
        dq_mlp_backward(d->q, d->dy);
        *norm = dq_mlp_step(d->q, &adam, a->config.clip_norm, a->config.clip_value);
    }
    if (!isfinite(*norm))
        return dq_fail(
            error, DQ_ERR_NUMERIC,
            "training has diverged: the Q loss is not finite after %llu updates (try a smaller rate)",
            (unsigned long long)d->updates);
    count_target(a, DQ_BY_UPDATES, ++d->updates);
    return DQ_OK;
}

/* ---- learning ---- */

/* The exponent of the weights rises to 1 as the run goes on. */
static double importance(const dq_agent *a)
{
    double beta = a->config.importance, total = (double)a->config.schedule_steps;
    return total > 0 ? beta + (1 - beta) * fmin(1, (double)a->steps / total) : beta;
}

static void draw(dq_agent *a)
{
    dqn *d = a->self;
    dqn_batch *b = &d->rows;
    size_t width = a->shape.state_width;
    b->n = a->config.batch;
    dq_memory_sample(d->memory, &a->rng[RNG_REPLAY], importance(a), b->n, d->slots, b->weight);
    for (size_t i = 0; i < b->n; i++) {
        dq_memory_row row = dq_memory_at(d->memory, d->slots[i]);
        memcpy(b->state + i * width, row.state, width * sizeof *row.state);
        memcpy(b->next + i * width, row.next, width * sizeof *row.next);
        b->action[i] = row.action;
        b->reward[i] = row.reward;
        b->discount[i] = row.discount;
        b->terminal[i] = row.terminal;
    }
}

static void add_loss(double *to, double loss, size_t times)
{
    if (!isnan(loss)) *to = (isnan(*to) ? 0 : *to) + loss / (double)times;
}

dq_status dqn_learn(dq_agent *a, dq_agent_losses *losses, dq_error *error)
{
    dqn *d = a->self;
    size_t updates = a->config.updates;
    for (size_t u = 0; u < updates; u++) {
        dq_agent_losses one = {NAN, NAN, NAN, NAN};
        draw(a);
        dq_status status = dqn_update(a, &d->rows, true, &one.q, &one.gradient, error);
        if (status) return status;
        dq_memory_prioritise(d->memory, d->slots, d->dtaken, d->rows.n);
        if (d->after && (status = d->after(a, &d->rows, true, &one, error))) return status;
        a->steps++;
        add_loss(&losses->q, one.q, updates);
        add_loss(&losses->world, one.world, updates);
        add_loss(&losses->planning, one.planning, updates);
        add_loss(&losses->gradient, one.gradient, updates);
    }
    return DQ_OK;
}

dq_status dqn_fit(dq_agent *a, const dq_experience *rows, size_t n, bool learn, dq_agent_losses *losses,
                  dq_error *error)
{
    dqn *d = a->self;
    dqn_batch *b = &d->rows;
    size_t width = a->shape.state_width;
    b->n = n;
    for (size_t i = 0; i < n; i++) {
        memcpy(b->state + i * width, rows[i].state, width * sizeof *rows->state);
        memcpy(b->next + i * width, rows[i].next, width * sizeof *rows->next);
        b->action[i] = rows[i].action;
        b->reward[i] = rows[i].reward;
        b->discount[i] = (float)a->config.gamma;
        b->weight[i] = 1;
        b->terminal[i] = rows[i].terminal;
    }
    dq_status status = dqn_update(a, b, learn, &losses->q, &losses->gradient, error);
    if (!status && d->after) status = d->after(a, b, learn, losses, error);
    if (!status && learn) a->steps++;
    return status;
}

/* ---- bundles ---- */

dq_mlp *dqn_network(dq_agent *a, const char *name)
{
    dqn *d = a->self;
    if (strcmp(name, "q") == 0) return d->q;
    return strcmp(name, "target") == 0 ? d->target : NULL;
}

dq_status dqn_save(dq_agent *a, bool checkpoint, dq_bundle *model, dq_error *error)
{
    dqn *d = a->self;
    dq_status status = dq_mlp_save(d->q, "q", checkpoint, model, error);
    if (status || !checkpoint) return status;
    if (!dq_map_set(&model->arena, &model->meta, "updates", dq_int((int64_t)d->updates)))
        return dq_fail(error, DQ_ERR_MEMORY, "no memory for a model bundle");
    status = dq_mlp_save(d->target, "target", false, model, error);
    if (!status) status = dq_memory_save(d->memory, "replay", model, error);
    return status ? status : dq_nstep_save(d->nstep, "returns", model, error);
}

static dq_status restore(dq_agent *a, const dq_bundle *model, dq_error *error)
{
    dqn *d = a->self;
    dq_status status = dq_mlp_load(d->target, "target", model, error);
    if (!status) status = dq_memory_restore(d->memory, "replay", model, error);
    if (!status) status = dq_nstep_restore(d->nstep, "returns", model, error);
    if (status) return status;
    for (uint32_t i = 0; i < dq_memory_count(d->memory); i++)
        if (dq_memory_at(d->memory, i).action >= a->shape.action_count)
            return dq_fail(error, DQ_ERR_RANGE,
                           "the checkpoint remembers an action that the environment lacks");
    d->updates = (uint64_t)dq_value_integer(dq_map_get(&model->meta, "updates"), 0);
    return DQ_OK;
}

dq_status dqn_load(dq_agent *a, bool checkpoint, const dq_bundle *model, dq_error *error)
{
    dqn *d = a->self;
    dq_status status = dq_mlp_load(d->q, "q", model, error);
    if (status) return status;
    if (checkpoint) return restore(a, model, error);
    dq_mlp_forget(d->q);
    dq_mlp_copy(d->target, d->q);
    return DQ_OK;
}

const dq_agent_kind dq_agent_dqn = {
    .name = "dqn",
    .help = "a deep Q-network",
    .defaults = {DQN_DEFAULTS},
    .init = dqn_init,
    .free = dqn_free,
    .values = dqn_values,
    .observe = dqn_observe,
    .ready = dqn_ready,
    .learn = dqn_learn,
    .fit = dqn_fit,
    .end_episode = dqn_end_episode,
    .network = dqn_network,
    .save = dqn_save,
    .load = dqn_load,
};
