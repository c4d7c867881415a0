/* SPDX-License-Identifier: MIT
 *
 * A decision transformer (Chen et al., "Decision transformer: reinforcement learning via sequence modeling",
 * NeurIPS 2021): what somebody did next who then had such a return, by a causal transformer over the steps
 * before (learn/trajectory.h). It learns from logs alone:
 *
 *     loss = mean over rows of -log p(action | return-to-go, state and the steps before)
 *
 * and acts by the likeliest action, given the return that is wished for. Its values are the logits. A row is
 * asked for its own action, where the paper's pass asks for those of all steps of a window at once: the same
 * mean over a log, at the price of a window a row. Without returns it is behaviour cloning.
 */
#include "learn/agent_impl.h"
#include "learn/trajectory.h"

#include <math.h>
#include <string.h>

enum { MAX_ALL = 1 << 22 }; /* logits that are kept at a time, beyond those of one state */

typedef struct dt {
    dq_net *policy;
    uint32_t *state;    /* (fit_rows) */
    float *dy;          /* (fit_rows, actions) */
    float *probability; /* (actions) */
    float *all;         /* (rows_of_all, actions), where fewer are on offer */
} dt;

/* ---- making ---- */

static dq_status check(const dq_agent *a, dq_error *error)
{
    const dq_agent_config *c = &a->config;
    if (a->numbered)
        return dq_fail(error, DQ_ERR_RANGE,
                       "a decision transformer reads what came before: states that come "
                       "and go, not numbered ones");
    if (c->context == 0 || !(c->return_scale > 0) || !isfinite(c->return_mean) || !isfinite(c->wish) ||
        !isfinite(c->greatest_return))
        return dq_fail(error, DQ_ERR_RANGE, "%u steps of context, a wish of %g, returns by %g", c->context,
                       c->wish, c->return_scale);
    if (c->head != DQ_HEAD_OUTPUTS || c->encoder != DQ_ENCODER_NONE || c->feature_count || c->dueling ||
        c->batch_norm || c->sparse || c->world)
        return dq_fail(error, DQ_ERR_RANGE,
                       "a decision transformer has an output an action, and blocks alone");
    if (c->alpha > 0 || c->priority > 0 || c->conservative > 0)
        return dq_fail(error, DQ_ERR_RANGE, "a decision transformer has no values to learn");
    if (c->batch == 0 || !(c->adam.rate > 0) || !(c->clip_norm >= 0) || !(c->clip_value >= 0))
        return dq_fail(error, DQ_ERR_RANGE, "a batch of %zu at a rate of %g", c->batch, c->adam.rate);
    return DQ_OK;
}

static size_t rows_of_all(const dq_agent *a)
{
    size_t rows = MAX_ALL / a->shape.action_count;
    return rows > AGENT_ACT_ROWS ? AGENT_ACT_ROWS : rows > 0 ? rows : 1;
}

static dq_status dt_init(dq_agent *a, dq_error *error)
{
    dq_rng init = dq_rng_stream(a->config.seed, 100);
    dq_net_spec spec = agent_spec(&a->config, &a->shape);
    size_t rows = a->trains ? a->config.fit_rows : 0, actions = a->shape.action_count;
    dq_status status = check(a, error);
    if (status) return status;
    dt *d = a->self = dq_arena_zero(&a->arena, 1, sizeof *d);
    if (!d) return dq_fail_memory(error, "an agent");
    const dq_buffer buffers[] = {
        DQ_BUFFER(d->state, rows),
        DQ_BUFFER(d->dy, rows * actions),
        DQ_BUFFER(d->probability, actions),
        DQ_BUFFER(d->all, rows_of_all(a) * actions),
    };
    if (!dq_buffers_take(&a->arena, buffers, DQ_BUFFERS(buffers))) return dq_fail_memory(error, "an agent");
    return dq_net_new(&d->policy, &spec, rows, a->pool, &init, error);
}

static void dt_free(dq_agent *a)
{
    dt *d = a->self;
    dq_net_free(d->policy);
}

/* ---- acting ---- */

static void dt_values(dq_agent *a, const dq_vectors *states, const uint32_t *number, size_t n, float *q)
{
    const dt *d = a->self;
    size_t count = a->shape.action_count, block = rows_of_all(a);
    uint32_t numbers[AGENT_ACT_ROWS];
    for (size_t from = 0; from < n; from += block, q += block * a->offered) {
        size_t rows = n - from < block ? n - from : block;
        for (size_t i = 0; i < rows; i++) numbers[i] = agent_number(number, from + i);
        const dq_net_rows some = {.states = *states, .state = numbers, .rows = rows};
        dq_net_predict(d->policy, &some, d->all);
        for (size_t i = 0; i < rows; i++)
            for (uint32_t j = 0; j < a->offered; j++) q[i * a->offered + j] = d->all[i * count + a->offer[j]];
    }
}

/* ---- learning ---- */

/* What others learn from is not what this one does: it has no replay. */
static void dt_observe(dq_agent *a, uint32_t env, const dq_vectors *states, const dq_transition *t, bool over)
{
    (void)a;
    (void)env;
    (void)states;
    (void)t;
    (void)over;
}

static bool dt_ready(const dq_agent *a)
{
    (void)a;
    return false;
}

static dq_status dt_learn(dq_agent *a, dq_agent_losses *losses, dq_error *error)
{
    (void)a;
    (void)losses;
    return dq_fail(error, DQ_ERR_UNSUPPORTED, "a decision transformer learns from logs alone");
}

/* The mean of -log p(action), and its gradient by the logits. */
static double find_loss(dq_agent *a, const float *y, const dq_transition *rows, size_t n, const float *weight)
{
    dt *d = a->self;
    size_t count = a->shape.action_count;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        float *dy = d->dy + i * count, share = (weight ? weight[i] : 1) / (float)n;
        uint32_t action = rows[i].action;
        double all = dq_loss_logsumexp(y + i * count, count, d->probability);
        double loss = all - (double)y[i * count + action];
        for (size_t j = 0; j < count; j++) dy[j] = share * d->probability[j];
        dy[action] -= share;
        a->taken[i] = y[i * count + action];
        a->errors[i] = (float)-loss;
        sum += (double)share * loss;
    }
    return sum;
}

static dq_status dt_fit(dq_agent *a, const dq_vectors *states, const dq_transition *rows, size_t n,
                        const float *weight, bool learn, dq_agent_losses *losses, dq_error *error)
{
    dt *d = a->self;
    const dq_agent_config *c = &a->config;
    const dq_trajectory of = dq_trajectory_of(c, &a->shape);
    if (states->width != dq_trajectory_width(&of))
        return dq_fail(error, DQ_ERR_RANGE, "windows of %u numbers, where %u are read", states->width,
                       dq_trajectory_width(&of));
    for (size_t i = 0; i < n; i++) d->state[i] = rows[i].state;
    const dq_net_rows all = {.states = *states, .state = d->state, .rows = n};
    const float *y = dq_net_forward(d->policy, &all, learn ? &a->rng[RNG_DROP_Q] : NULL);
    losses->q = find_loss(a, y, rows, n, weight);
    if (!learn) return DQ_OK;
    dq_adam adam = c->adam;
    adam.rate = dq_agent_rate(a);
    losses->gradient = INFINITY;
    if (isfinite(losses->q))
        losses->gradient = dq_net_update(d->policy, d->dy, &adam, c->clip_norm, c->clip_value);
    if (!isfinite(losses->gradient))
        return dq_fail(
            error, DQ_ERR_NUMERIC,
            "training has diverged: the loss is not finite after %llu updates (try a smaller rate)",
            (unsigned long long)a->updates);
    a->updates++;
    a->steps++;
    return DQ_OK;
}

/* ---- bundles ---- */

static dq_net *dt_network(dq_agent *a, const char *name)
{
    const dt *d = a->self;
    return strcmp(name, AGENT_POLICY) == 0 ? d->policy : NULL;
}

static dq_status dt_save(dq_agent *a, bool checkpoint, dq_bundle *model, dq_error *error)
{
    const dt *d = a->self;
    return dq_net_save(d->policy, AGENT_POLICY, checkpoint, model, error);
}

static dq_status dt_load(dq_agent *a, bool checkpoint, const dq_bundle *model, dq_error *error)
{
    const dt *d = a->self;
    dq_status status = dq_net_load(d->policy, AGENT_POLICY, checkpoint, model, error);
    if (!status && !checkpoint) dq_net_reset_optimizer(d->policy);
    return status;
}

static const struct dq_agent_functions functions = {
    .init = dt_init,
    .free = dt_free,
    .values = dt_values,
    .observe = dt_observe,
    .ready = dt_ready,
    .learn = dt_learn,
    .fit = dt_fit,
    .network = dt_network,
    .save = dt_save,
    .load = dt_load,
};

const dq_agent_kind dq_agent_dt = {
    .name = "dt",
    .help = "a decision transformer, which learns from logs alone",
    .defaults = {AGENT_DEFAULTS, TRANSFORMER_DEFAULTS, .context = 10, .activation = DQ_GELU, .dropout = 0.1,
                 .adam = DQ_ADAM_DEFAULTS, .clip_norm = 1, .batch = 64, .replay = 64, .epsilon_decay = 1,
                 .target_every = 1, .return_scale = 1},
    .functions = &functions,
};
