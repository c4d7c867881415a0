/* SPDX-License-Identifier: MIT
 *
 * Dyna-Q (Sutton, "Dyna, an integrated architecture for learning, planning, and reacting", SIGART Bulletin 2,
 * 1991): a deep Q-network (dqn.c) and a world model, which learns from the same batches what follows on
 * (s, a) and is then asked for more experience than there was:
 *
 *     f(s, a) = (s' - s, r, z)      loss: mean of squared errors of s' - s and r, and the logistic loss of z,
 *                                   the logit of an end
 *     f(s, a) = r                   where states are numbered, and stay as they are
 *     planning: states and actions that are remembered, outcomes as f predicts them, a Q update on each
 *     batch; with a rollout, on from there with the agent's own actions (Janner et al., "When to trust your
 *     model", 2019)
 *
 * The world model does not move while planning goes on. So of numbered states all planning batches are drawn
 * first and predicted in one pass over the distinct pairs: late in training the greedy action fills the
 * replay, and they are few.
 *
 * An ensemble (Kurutach et al., "Model-ensemble trust-region policy optimization", 2018) differs by its first
 * weights and by online bagging: each row counts for each model as often as a Poisson(1) draw says (Oza and
 * Russell, "Online bagging and boosting", 2001). Each planning update asks one of them, drawn anew.
 */
#include "learn/dqn.h"

#include <math.h>
#include <string.h>

typedef struct dyna {
    size_t pass;                /* rows that are predicted together */
    uint32_t *state, *action;   /* (pass) of a pass */
    float *out, *mean, *square; /* (pass, outputs); the latter two over the ensemble */
    float *dy;                  /* (fit_rows, outputs) */
    size_t planned;             /* rows of a plan: of all batches where states are numbered, else of one */
    dq_transition *plan;        /* (planned) */
    uint32_t *model;            /* (planning) the model that is asked for a batch */
    uint32_t *slots;            /* (batch) */
    float *drawn;               /* (batch) weights of their drawing, not looked at */
    float *vectors;             /* (2 batch, state_width) of a plan: states, each with its next one behind */
    const float **at;           /* (2 batch) */
    dq_vectors store;           /* over at */
} dyna;

static dyna *dyna_of(const dq_agent *a)
{
    return dqn_of(a)->more;
}

/* Numbers of a state that the world model predicts. */
static size_t moving(const dq_agent *a)
{
    return a->numbered ? 0 : a->shape.state_width;
}

static size_t outputs(const dq_agent *a)
{
    return a->numbered ? 1 : a->shape.state_width + 2;
}

/* ---- making ---- */

static dq_status check(const dq_agent *a, dq_error *error)
{
    const dq_agent_config *c = &a->config;
    if (a->kind == &dq_agent_dqn &&
        (c->world || c->world_hidden_count || c->planning > 0 || c->models > 0 || c->rollout > 1))
        return dq_fail(error, DQ_ERR_RANGE, "a dqn agent has no world model to plan with: dyna-q has");
    if (!c->world && (c->planning > 0 || c->models > 1 || c->rollout > 1 || c->world_hidden_count))
        return dq_fail(error, DQ_ERR_RANGE, "without a world model there is nothing to plan with");
    if (!c->world) return DQ_OK;
    if (c->models == 0 || c->rollout == 0)
        return dq_fail(error, DQ_ERR_RANGE, "a world model of %u networks that look %u steps ahead",
                       c->models, c->rollout);
    if (c->n_step > 1)
        return dq_fail(error, DQ_ERR_RANGE, "a world model learns from single steps, not returns over %u",
                       c->n_step);
    if (a->numbered && c->rollout > 1)
        return dq_fail(error, DQ_ERR_RANGE,
                       "a step leaves these states as they are: there is nothing to see further ahead");
    return DQ_OK;
}

static bool allocate_plan(dq_agent *a, dyna *y)
{
    size_t batch = a->config.batch, width = moving(a);
    y->planned = a->numbered ? batch * a->config.planning : batch;
    const dq_buffer buffers[] = {
        DQ_BUFFER(y->plan, y->planned),
        DQ_BUFFER(y->model, a->config.planning),
        DQ_BUFFER(y->slots, batch),
        DQ_BUFFER(y->drawn, batch),
        DQ_BUFFER(y->dy, a->config.fit_rows * outputs(a)),
        DQ_BUFFER(y->vectors, 2 * batch * width),
        DQ_BUFFER(y->at, 2 * batch),
    };
    if (!dq_buffers_take(&a->arena, buffers, DQ_BUFFERS(buffers))) return false;
    for (size_t i = 0; i < 2 * batch; i++) y->at[i] = y->vectors + i * width;
    y->store = (dq_vectors){y->at, (uint32_t)(2 * batch), (uint32_t)width};
    return true;
}

static bool allocate(dq_agent *a, dyna *y)
{
    if (a->trains && !allocate_plan(a, y)) return false;
    size_t pass = y->planned > AGENT_ACT_ROWS ? y->planned : AGENT_ACT_ROWS, numbers = pass * outputs(a);
    const dq_buffer buffers[] = {
        DQ_BUFFER(dqn_of(a)->worlds, a->config.models),
        DQ_BUFFER(y->state, pass),
        DQ_BUFFER(y->action, pass),
        DQ_BUFFER(y->out, numbers),
        DQ_BUFFER(y->mean, numbers),
        DQ_BUFFER(y->square, numbers),
    };
    y->pass = pass;
    return dq_buffers_take(&a->arena, buffers, DQ_BUFFERS(buffers));
}

static dq_status make_worlds(dq_agent *a, dqn *d, dq_error *error)
{
    const dq_agent_config *c = &a->config;
    dq_net_spec spec = agent_world_spec(&a->config, &a->shape);
    dq_status status = DQ_OK;
    while (!status && d->world_count < c->models) {
        uint32_t m = d->world_count++;
        dq_rng init = dq_rng_stream(c->seed, 101 + m);
        status = dq_net_new(&d->worlds[m], &spec, a->trains ? c->fit_rows : 0, a->pool, &init, error);
    }
    return status;
}

static dq_status after(dq_agent *a, const dqn_batch *b, bool learn, dq_agent_losses *losses, dq_error *error);

static dq_status dyna_init(dq_agent *a, dq_error *error)
{
    dq_status status = check(a, error);
    if (!status) status = dqn_init(a, error);
    if (status || !a->config.world) return status;
    dqn *d = dqn_of(a);
    dyna *y = d->more = dq_arena_zero(&a->arena, 1, sizeof *y);
    if (!y || !allocate(a, y)) return dq_fail_memory(error, "an agent");
    d->after = after;
    return make_worlds(a, d, error);
}

/* ---- learning it ---- */

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

/* The loss of one row's outputs o, which counts so many times by its weight, and its gradient. */
static double row_loss(const dq_agent *a, const dqn_batch *b, size_t i, const float *o, double times,
                       float *dy)
{
    const dq_transition *t = &b->row[i];
    const float *state = b->states->at[t->state], *next = b->states->at[t->next];
    size_t width = moving(a);
    times *= b->weight ? (double)b->weight[i] : 1;
    double scale = times / (double)(b->n * (width + 1)), sum = 0, slope;
    for (size_t j = 0; j <= width; j++) {
        double wanted = j < width ? (double)next[j] - (double)state[j] : (double)t->reward;
        double away = (double)o[j] - wanted;
        sum += scale * away * away;
        dy[j] = (float)(2 * scale * away);
    }
    if (a->numbered) return sum;
    sum += times / (double)b->n * dq_loss_logistic((double)o[width + 1], t->done, &slope);
    dy[width + 1] = (float)(times / (double)b->n * slope);
    return sum;
}

/* The loss of one model on a batch, and when learning its gradient. */
static double world_loss(dq_agent *a, dyna *y, const dqn_batch *b, const float *out, bool bag)
{
    double sum = 0;
    for (size_t i = 0; i < b->n; i++)
        sum += row_loss(a, b, i, out + i * outputs(a), bag ? bagged(a) : 1, y->dy + i * outputs(a));
    return sum;
}

/* The rows of a pass over n transitions; their numbers into state and action (n). */
static dq_net_rows rows_of(const dq_agent *a, const dq_vectors *states, const dq_transition *row, size_t n,
                           uint32_t *state, uint32_t *action)
{
    for (size_t i = 0; i < n; i++) {
        state[i] = row[i].state;
        action[i] = row[i].action;
    }
    return (dq_net_rows){
        .states = *states, .state = state, .actions = a->actions, .action = action, .rows = n};
}

static dq_status fit_worlds(dq_agent *a, const dqn_batch *b, bool learn, double *loss, dq_error *error)
{
    dyna *y = dyna_of(a);
    dqn *d = dqn_of(a);
    const dq_agent_config *c = &a->config;
    const dq_net_rows rows = rows_of(a, b->states, b->row, b->n, d->state, d->action);
    dq_adam adam = c->adam;
    double sum = 0, norm = 0;
    adam.rate = dq_agent_rate(a);
    for (uint32_t m = 0; m < c->models; m++) {
        const float *out = dq_net_forward(d->worlds[m], &rows, learn ? &a->rng[RNG_WORLD] : NULL);
        double one = world_loss(a, y, b, out, learn && c->models > 1);
        sum += one;
        if (learn && isfinite(one))
            norm += dq_net_update(d->worlds[m], y->dy, &adam, c->clip_norm, c->clip_value);
    }
    *loss = sum / c->models;
    if (isfinite(*loss) && isfinite(norm)) return DQ_OK;
    return dq_fail(error, DQ_ERR_NUMERIC, "training has diverged: the world model's loss is not finite");
}

/* ---- planning ---- */

/* One model of the ensemble. */
static uint32_t draw_model(dq_agent *a)
{
    return a->config.models > 1 ? (uint32_t)dq_rng_below(&a->rng[RNG_PLAN], a->config.models) : 0;
}

/* Whether states and actions of plans come from the replay, or, where it is empty as in offline training,
 * from the batch at hand. */
static bool remembers(const dq_agent *a)
{
    return dq_replay_count(dqn_of(a)->replay) >= a->config.batch;
}

static void draw_starts(dq_agent *a)
{
    dyna *y = dyna_of(a);
    if (remembers(a))
        dq_replay_sample(dqn_of(a)->replay, &a->rng[RNG_PLAN], 0, a->config.batch, y->slots, y->drawn);
}

/* Start i of those that were drawn; its states are numbers of the store of starts. */
static dq_transition start_at(const dq_agent *a, const dqn_batch *b, size_t i)
{
    return remembers(a) ? dq_replay_at(dqn_of(a)->replay, dyna_of(a)->slots[i]) : b->row[i % b->n];
}

/* The store that states of starts are numbers of, where it is not the numbered states'. */
static const dq_vectors *starts_in(const dq_agent *a, const dqn_batch *b)
{
    return remembers(a) ? dq_replay_states(dqn_of(a)->replay) : b->states;
}

static dq_status update(dq_agent *a, const dq_vectors *states, const dq_transition *row, double *sum,
                        dq_error *error)
{
    const dqn_batch b = {.n = a->config.batch, .states = states, .row = row};
    double loss = 0, norm;
    dq_status status = dqn_update(a, &b, true, &loss, &norm, error);
    *sum += loss;
    return status;
}

/* The rewards that model m predicts of the batches that it was drawn for. */
static void predict_rewards(dq_agent *a, dyna *y, uint32_t m)
{
    size_t batch = a->config.batch, n = 0;
    for (size_t u = 0; u < a->config.planning; u++)
        for (size_t i = u * batch; y->model[u] == m && i < (u + 1) * batch; i++) {
            y->state[n] = y->plan[i].state;
            y->action[n++] = y->plan[i].action;
        }
    const dq_net_rows rows = {
        .states = a->shape.states, .state = y->state, .actions = a->actions, .action = y->action, .rows = n};
    if (n) dq_net_predict(dqn_of(a)->worlds[m], &rows, y->out);
    n = 0;
    for (size_t u = 0; u < a->config.planning; u++)
        for (size_t i = u * batch; y->model[u] == m && i < (u + 1) * batch; i++)
            y->plan[i].reward = y->out[n++];
}

/* All batches at once, where states stay as they are. */
static dq_status plan_pairs(dq_agent *a, const dqn_batch *b, double *sum, dq_error *error)
{
    dyna *y = dyna_of(a);
    size_t batch = a->config.batch;
    for (size_t u = 0; u < a->config.planning; u++) {
        draw_starts(a);
        for (size_t i = 0; i < batch; i++) {
            y->plan[u * batch + i] = start_at(a, b, i);
            y->plan[u * batch + i].discount = 1; /* of the one step that is predicted */
        }
        y->model[u] = draw_model(a);
    }
    for (uint32_t m = 0; m < a->config.models; m++) predict_rewards(a, y, m);
    dq_status status = DQ_OK;
    for (size_t u = 0; !status && u < a->config.planning; u++)
        status = update(a, &a->shape.states, y->plan + u * batch, sum, error);
    return status;
}

/* Row i of the plan begins where start i does. */
static void begin(dq_agent *a, const dqn_batch *b, dyna *y, size_t i)
{
    size_t width = moving(a);
    dq_transition start = start_at(a, b, i);
    memcpy(y->vectors + 2 * i * width, starts_in(a, b)->at[start.state], width * sizeof *y->vectors);
    y->plan[i] = (dq_transition){
        .state = (uint32_t)(2 * i), .action = start.action, .next = (uint32_t)(2 * i + 1), .discount = 1};
}

/* The outcomes that one model of the ensemble predicts. */
static void imagine(dq_agent *a, dyna *y)
{
    size_t width = moving(a), n = a->config.batch;
    const dq_net_rows rows = rows_of(a, &y->store, y->plan, n, y->state, y->action);
    dq_net_predict(dqn_of(a)->worlds[draw_model(a)], &rows, y->out);
    const float *out = y->out;
    for (size_t i = 0; i < n; i++, out += width + 2) {
        const float *state = y->vectors + 2 * i * width;
        float *next = y->vectors + (2 * i + 1) * width;
        for (size_t j = 0; j < width; j++) next[j] = state[j] + out[j];
        y->plan[i].reward = out[width];
        y->plan[i].done = out[width + 1] > 0;
    }
}

/* One step further: the next states, the agent's own actions, as it explores; what ended begins anew. */
static void extend_rollout(dq_agent *a, const dqn_batch *b, dyna *y)
{
    size_t width = moving(a), n = a->config.batch;
    draw_starts(a);
    for (size_t i = 0; i < n; i++) {
        float *state = y->vectors + 2 * i * width;
        memcpy(state, state + width, width * sizeof *state);
        y->state[i] = (uint32_t)(2 * i);
    }
    agent_act(a, &y->store, y->state, n, &a->rng[RNG_PLAN], y->action);
    for (size_t i = 0; i < n; i++) {
        y->plan[i].action = y->action[i];
        if (y->plan[i].done) begin(a, b, y, i);
    }
}

/* Batch by batch, each with its roll-out. */
static dq_status plan_steps(dq_agent *a, const dqn_batch *b, double *sum, dq_error *error)
{
    dyna *y = dyna_of(a);
    dq_status status = DQ_OK;
    for (uint32_t u = 0; !status && u < a->config.planning * a->config.rollout; u++) {
        if (u % a->config.rollout == 0) {
            draw_starts(a);
            for (size_t i = 0; i < a->config.batch; i++) begin(a, b, y, i);
        } else {
            extend_rollout(a, b, y);
        }
        imagine(a, y);
        status = update(a, &y->store, y->plan, sum, error);
    }
    return status;
}

static dq_status after(dq_agent *a, const dqn_batch *b, bool learn, dq_agent_losses *losses, dq_error *error)
{
    double sum = 0;
    dq_status status = fit_worlds(a, b, learn, &losses->world, error);
    if (status || !learn || a->config.planning == 0) return status;
    status = a->numbered ? plan_pairs(a, b, &sum, error) : plan_steps(a, b, &sum, error);
    losses->planning = sum / (a->config.planning * a->config.rollout);
    return status;
}

/* ---- asking it ---- */

/* Mean and variance of the ensemble's outputs, the logit of an end as its chance. */
static void ask_ensemble(dq_agent *a, dyna *y, const dq_net_rows *rows)
{
    size_t width = moving(a), count = outputs(a), n = rows->rows;
    float weight = 1 / (float)a->config.models;
    memset(y->mean, 0, n * count * sizeof *y->mean);
    memset(y->square, 0, n * count * sizeof *y->square);
    for (uint32_t m = 0; m < a->config.models; m++) {
        dq_net_predict(dqn_of(a)->worlds[m], rows, y->out);
        for (size_t i = 0; i < n * count; i++) {
            bool end = i % count == width + 1;
            float x = end ? 1 / (1 + expf(-y->out[i])) : y->out[i];
            float away = x - y->mean[i]; /* Welford's way: no difference of large squares */
            y->mean[i] += away / (float)(m + 1);
            y->square[i] += away * (x - y->mean[i]) * weight;
        }
    }
}

/* From.. from + n - 1; n <= pass */
static void predict_some(dq_agent *a, const dq_vectors *states, const uint32_t *number,
                         const uint32_t *actions, size_t from, size_t n, float *next, float *rewards,
                         float *done_probability, float *disagreement)
{
    dyna *y = dyna_of(a);
    size_t width = moving(a), count = outputs(a);
    for (size_t i = 0; i < n; i++) y->state[i] = agent_number(number, from + i);
    const dq_net_rows rows = {
        .states = *states, .state = y->state, .actions = a->actions, .action = actions + from, .rows = n};
    ask_ensemble(a, y, &rows);
    for (size_t i = 0; i < n; i++) {
        const float *mean = y->mean + i * count, *square = y->square + i * count;
        const float *state = states->at[y->state[i]];
        float sum = 0;
        for (size_t j = 0; j < width; j++) next[(from + i) * width + j] = state[j] + mean[j];
        for (size_t j = 0; j <= width; j++) sum += square[j];
        rewards[from + i] = mean[width];
        if (done_probability) done_probability[from + i] = a->numbered ? 0 : mean[width + 1];
        if (disagreement) disagreement[from + i] = sqrtf(sum / (float)(width + 1));
    }
}

static void dyna_predict(dq_agent *a, const dq_vectors *states, const uint32_t *number,
                         const uint32_t *actions, size_t n, float *next, float *rewards,
                         float *done_probability, float *disagreement)
{
    size_t pass = dyna_of(a)->pass;
    for (size_t i = 0; i < n; i += pass)
        predict_some(a, states, number, actions, i, n - i < pass ? n - i : pass, next, rewards,
                     done_probability, disagreement);
}

/* ---- the kinds: a deep Q-network has no world, and needs none of the above ---- */

static const struct dq_agent_functions functions = {
    .init = dyna_init,
    .free = dqn_free,
    .values = dqn_values,
    .observe = dqn_observe,
    .ready = dqn_ready,
    .learn = dqn_learn,
    .fit = dqn_fit,
    .fit_tile = dqn_fit_tile,
    .fit_tiles = dqn_fit_tiles,
    .fit_lists = dqn_fit_lists,
    .offer = dqn_offer,
    .end_episode = dqn_end_episode,
    .predict = dyna_predict,
    .network = dqn_network,
    .save = dqn_save,
    .load = dqn_load,
};

const dq_agent_kind dq_agent_dqn = {
    .name = "dqn",
    .help = "a deep Q-network",
    .defaults = {DQN_DEFAULTS},
    .functions = &functions,
};

const dq_agent_kind dq_agent_dyna_q = {
    .name = "dyna-q",
    .help = "a deep Q-network that also learns from what its world model predicts",
    .defaults = {DQN_DEFAULTS, .world = true, .planning = 5, .rollout = 1, .models = 1},
    .functions = &functions,
};
