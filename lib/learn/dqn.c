/* SPDX-License-Identifier: MIT
 *
 * Deep Q-networks (Mnih et al., "Human-level control through deep reinforcement learning", Nature 518, 2015):
 *
 *     wanted = R + discount max over a' of Q(s', a'; target)              discount = gamma^n, 0 at an end
 *     wanted = R + discount Q(s', argmax over a' of Q(s', a'); target)    Double
 *     loss   = mean of w loss(Q(s, a) - wanted)
 *            + alpha mean of (log sum over a' of e^Q(s, a') - Q(s, a))    conservative (their CQL(H))
 *
 * a' are the actions on offer, and in the conservative term also the one that was taken.
 */
#include "learn/dqn.h"

#include "math/vec.h"

#include <math.h>
#include <string.h>

/* ---- making ---- */

static const double MAX_PASS = 2e9; /* bytes of a training pass */

/* A list is of pairs of what is in no order, and has no next state. */
static dq_status check_lists(const dq_agent *a, dq_error *error)
{
    const dq_agent_config *c = &a->config;
    if (c->given.width && (!a->numbered || (a->trains && !c->given.fill)))
        return dq_fail(
            error, DQ_ERR_RANGE,
            "the network takes %u features of pairs that nobody makes here: they are of a catalogue's "
            "users and items",
            c->given.width);
    if (!dq_loss_of_lists(c->loss) || !a->trains) return DQ_OK;
    if (!c->list_states || !c->list_actions || !dqn_on_actions(a))
        return dq_fail(error, DQ_ERR_RANGE,
                       "a loss of lists needs lists to learn from, and a head on actions: it is of offline "
                       "training on users and items");
    if (c->gamma > 0 || c->conservative > 0 || c->priority > 0)
        return dq_fail(
            error, DQ_ERR_RANGE,
            "a list has no next state: gamma, priorities and the conservative term are of rows (--loss mse)");
    return DQ_OK;
}

static dq_status check(const dq_agent *a, dq_error *error)
{
    const dq_agent_config *c = &a->config;
    if (c->alpha > 0 || c->states > 0)
        return dq_fail(error, DQ_ERR_RANGE, "%s means nothing to a network: it is of tables",
                       c->alpha > 0 ? "alpha" : "states");
    if (c->context > 0) return dq_fail(error, DQ_ERR_RANGE, "a context of steps is a decision transformer's");
    if (c->batch == 0 || c->replay < c->batch)
        return dq_fail(error, DQ_ERR_RANGE, "a batch of %zu from a replay of %zu", c->batch, c->replay);
    if (c->batch_norm && c->batch < 2)
        return dq_fail(error, DQ_ERR_RANGE, "batch norm needs a batch of two at least");
    if (c->target_every == 0 || !(c->tau >= 0 && c->tau <= 1))
        return dq_fail(error, DQ_ERR_RANGE, "the target moves by tau in [0, 1], every count or more");
    if (!(c->priority >= 0) || !(c->importance >= 0 && c->importance <= 1))
        return dq_fail(error, DQ_ERR_RANGE, "priority is at least 0, importance in [0, 1]");
    if (!(c->conservative >= 0) || !(c->clip_norm >= 0) || !(c->clip_value >= 0))
        return dq_fail(error, DQ_ERR_RANGE, "neither the conservative term nor clipping is below 0");
    if (c->loss == DQ_LOSS_HUBER && !(c->huber_delta > 0))
        return dq_fail(error, DQ_ERR_RANGE, "Huber's loss becomes linear above 0, not at %g", c->huber_delta);
    if (!(c->adam.rate > 0) || !(c->adam.decay >= 0))
        return dq_fail(error, DQ_ERR_RANGE, "a learning rate of %g, a weight decay of %g", c->adam.rate,
                       c->adam.decay);
    if (c->n_step == 0) return dq_fail(error, DQ_ERR_RANGE, "returns over 0 steps");
    return check_lists(a, error);
}

static bool lists(const dq_agent *a)
{
    return dq_loss_of_lists(a->config.loss);
}

/* Rows of the largest training pass. On actions the conservative term takes all pairs through the network. */
static size_t pass_rows(const dq_agent *a)
{
    bool sets = dqn_on_actions(a) && a->config.conservative > 0;
    if (lists(a)) return a->config.list_states * a->config.list_actions;
    return a->config.fit_rows * (sets ? (size_t)a->max_offered + 1 : 1);
}

/* What each pair of a training pass takes: its vector, features, activations and their gradients. */
static double pass_bytes(const dq_agent *a)
{
    const dq_agent_config *c = &a->config;
    double layers = c->batch_norm ? 4 : 2;
    double numbers = 2 * ((double)c->feature_count + c->given.width) +
                     (lists(a) ? 10 : a->shape.action_width);
    for (uint32_t l = 0; l < c->hidden_count; l++) numbers += (l ? layers : layers + 2) * c->hidden[l];
    return numbers * sizeof(float) * (double)pass_rows(a);
}

static dq_status check_size(const dq_agent *a, dq_error *error)
{
    if (pass_rows(a) == a->config.fit_rows || pass_bytes(a) <= MAX_PASS) return DQ_OK;
    if (lists(a))
        return dq_fail(
            error, DQ_ERR_RANGE,
            "%zu lists of %u actions take %.1f GB in a pass: draw shorter ones (--negatives) or fewer "
            "(--batch)",
            a->config.list_states, a->config.list_actions, pass_bytes(a) / 1e9);
    return dq_fail(
        error, DQ_ERR_RANGE,
        "the conservative term compares %u actions in each of %zu rows, which takes %.1f GB: offer "
        "fewer (--candidates)",
        a->max_offered, a->config.fit_rows, pass_bytes(a) / 1e9);
}

static bool allocate(dq_agent *a, dqn *d)
{
    const bool wide = a->config.conservative > 0 && !dqn_on_actions(a);
    size_t rows = a->config.fit_rows, batch = a->config.batch, outputs = wide ? a->shape.action_count : 1;
    size_t set = a->config.conservative > 0 ? (size_t)a->max_offered + 1 : 1, pass = pass_rows(a);
    const dq_buffer buffers[] = {
        DQ_BUFFER(d->rows, rows),
        DQ_BUFFER(d->weights, batch),
        DQ_BUFFER(d->slots, batch),
        DQ_BUFFER(d->wanted, rows),
        DQ_BUFFER(d->taken, rows),
        DQ_BUFFER(d->dtaken, rows),
        DQ_BUFFER(d->set, set),
        DQ_BUFFER(d->set_q, set),
        DQ_BUFFER(d->probability, set),
        DQ_BUFFER(d->state, pass),
        DQ_BUFFER(d->action, pass),
        DQ_BUFFER(d->dy, pass * outputs),
        DQ_BUFFER(d->features, lists(a) ? 0 : pass * a->config.given.width),
        DQ_BUFFER(d->list, a->config.list_actions),
    };
    return dq_buffers_take(&a->arena, buffers, DQ_BUFFERS(buffers));
}

static dq_status make_to_train(dq_agent *a, dqn *d, dq_error *error)
{
    const dq_agent_config *c = &a->config;
    const uint32_t width = a->numbered ? 0 : a->shape.state_width;
    dq_rng init = dq_rng_stream(c->seed, 100);
    dq_net_spec spec = agent_spec(&a->config, &a->shape);
    if (!allocate(a, d) || (c->tiles && !dq_tree_init(&d->tree, dq_net_weights(d->q), c->tiles, &a->arena)))
        return dq_fail_memory(error, "an agent");
    dq_status status = dq_net_new(&d->target, &spec, 0, a->pool, &init, error);
    if (!status) dq_net_copy(d->target, d->q);
    size_t remembered = c->run_steps && c->run_steps < c->replay ? (size_t)c->run_steps : c->replay;
    if (!status) status = dq_replay_new(&d->replay, remembered, width, c->priority, error);
    return status ? status : dq_nstep_new(&d->nstep, c->n_step, c->envs, width, c->gamma, error);
}

dq_status dqn_init(dq_agent *a, dq_error *error)
{
    dq_rng init = dq_rng_stream(a->config.seed, 100);
    dq_net_spec spec = agent_spec(&a->config, &a->shape);
    dq_status status = check(a, error);
    if (!status && a->trains) status = check_size(a, error);
    if (status) return status;
    dqn *d = a->self = dq_arena_zero(&a->arena, 1, sizeof *d);
    if (!d || !dqn_values_allocate(a)) return dq_fail_memory(error, "an agent");
    const dq_agent_config *c = &a->config;
    size_t rows = a->trains ? pass_rows(a) : 0, states = a->trains ? c->fit_rows : 0, actions = rows;
    if (a->trains && lists(a)) states = c->list_states;
    if (a->trains && lists(a)) actions = c->list_actions;
    status = dq_net_new_of_pairs(&d->q, &spec, rows, states, actions, a->pool, &init, error);
    return status || !a->trains ? status : make_to_train(a, d, error);
}

void dqn_free(dq_agent *a)
{
    dqn *d = a->self;
    dq_net_free(d->q);
    dq_net_free(d->target);
    dq_replay_free(d->replay);
    dq_nstep_free(d->nstep);
    for (uint32_t m = 0; m < d->world_count; m++) dq_net_free(d->worlds[m]);
}

/* ---- the target, and remembering ---- */

static void move_target(dq_agent *a)
{
    dqn *d = dqn_of(a);
    if (a->config.tau > 0)
        dq_net_soft_update(d->target, d->q, a->config.tau);
    else
        dq_net_copy(d->target, d->q);
    dqn_values_reset(a);
}

/* Moves the target when `count` of something was reached. */
static void count_target(dq_agent *a, dq_count_by by, uint64_t count)
{
    if (a->config.target_by == by && count % a->config.target_every == 0) move_target(a);
}

void dqn_observe(dq_agent *a, uint32_t env, const dq_vectors *states, const dq_transition *t, bool over)
{
    dqn *d = dqn_of(a);
    dq_nstep_push(d->nstep, env, states, t, over || t->done, d->replay);
    count_target(a, DQ_BY_STEPS, a->observed);
}

void dqn_end_episode(dq_agent *a)
{
    count_target(a, DQ_BY_EPISODES, a->episodes);
}

bool dqn_ready(const dq_agent *a)
{
    return dq_replay_count(dqn_of(a)->replay) >= a->config.batch;
}

/* ---- a training pass ----
 *
 * Its rows are transitions, each asked for the value of its action alone. With the conservative term a
 * transition has a set of actions, of which its own is the first: on actions each is a row; with outputs for
 * actions all come out of one, and the pass is wide.
 */

static bool in_sets(const dq_agent *a, const dqn_batch *b)
{
    return b->real && a->config.conservative > 0;
}

static bool is_wide(const dq_agent *a, const dqn_batch *b)
{
    return in_sets(a, b) && !dqn_on_actions(a);
}

/* The set of a transition into d->set; returns how many. */
static size_t fill_set(const dq_agent *a, dqn *d, const dqn_batch *b, size_t i)
{
    uint32_t taken = b->row[i].action;
    size_t n = 0;
    d->set[n++] = taken;
    for (uint32_t j = 0; in_sets(a, b) && j < a->offered; j++)
        if (a->offer[j] != taken) d->set[n++] = a->offer[j];
    return n;
}

/* Lists the rows of a pass; returns how many. */
static size_t list_rows(const dq_agent *a, dqn *d, const dqn_batch *b)
{
    size_t rows = 0;
    for (size_t i = 0; i < b->n; i++) {
        size_t n = fill_set(a, d, b, i);
        for (size_t j = 0; j < (is_wide(a, b) ? 1 : n); j++, rows++) {
            d->state[rows] = b->row[i].state;
            d->action[rows] = d->set[j];
        }
    }
    return rows;
}

/* The outputs of a pass over a batch, a training pass with rng. */
static const float *forward(dq_agent *a, const dqn_batch *b, dq_rng *rng, dq_net_rows *rows)
{
    dqn *d = dqn_of(a);
    *rows = (dq_net_rows){.states = *b->states, .state = d->state, .rows = list_rows(a, d, b)};
    if (dqn_on_actions(a)) rows->actions = a->actions;
    if (!is_wide(a, b)) rows->action = d->action;
    rows->features = dqn_given(a, d->state, d->action, rows->rows);
    return dq_net_forward(d->q, rows, rng);
}

/* Where Q(s, a') of transition i stands among the outputs: of action j of its set, whose first row is
 * `first`. */
static size_t output_of(const dq_agent *a, const dqn *d, const dqn_batch *b, size_t i, size_t first, size_t j)
{
    return is_wide(a, b) ? i * a->shape.action_count + d->set[j] : first + j;
}

/* Adds the conservative term of transition i, whose set has n actions, and its gradient. */
static double add_cql(dq_agent *a, const dqn_batch *b, const float *y, size_t i, size_t first, size_t n)
{
    dqn *d = dqn_of(a);
    double alpha = a->config.conservative / (double)b->n;
    for (size_t j = 0; j < n; j++) d->set_q[j] = y[output_of(a, d, b, i, first, j)];
    double sum = dq_loss_logsumexp(d->set_q, n, d->probability) - (double)d->set_q[0];
    for (size_t j = 0; j < n; j++) d->dy[output_of(a, d, b, i, first, j)] += (float)alpha * d->probability[j];
    d->dy[output_of(a, d, b, i, first, 0)] -= (float)alpha;
    return alpha * sum;
}

/* The gradient of the outputs, from that of the taken actions' values; returns what the conservative term
 * adds to the loss. */
static double spread_gradient(dq_agent *a, const dqn_batch *b, const float *y, size_t rows)
{
    dqn *d = dqn_of(a);
    double sum = 0;
    memset(d->dy, 0, rows * (is_wide(a, b) ? a->shape.action_count : 1) * sizeof *d->dy);
    for (size_t i = 0, first = 0, n; i < b->n; i++, first += n) {
        n = fill_set(a, d, b, i);
        d->dy[output_of(a, d, b, i, first, 0)] = d->dtaken[i];
        if (in_sets(a, b)) sum += add_cql(a, b, y, i, first, n);
    }
    return sum;
}

/* Q(s, a) of each transition. */
static void find_taken(dq_agent *a, const dqn_batch *b, const float *y)
{
    dqn *d = dqn_of(a);
    for (size_t i = 0, first = 0, n; i < b->n; i++, first += n) {
        n = fill_set(a, d, b, i);
        d->taken[i] = y[output_of(a, d, b, i, first, 0)];
    }
}

/* What an update makes of the gradient of the outputs. */
typedef double net_update(dq_net *net, const float *dy, const dq_adam *adam, double clip_norm,
                          double clip_value);

static dq_status take_step(dq_agent *a, net_update *update, double loss, double *norm, dq_error *error)
{
    dqn *d = dqn_of(a);
    const dq_agent_config *c = &a->config;
    dq_adam adam = c->adam;
    adam.rate = dq_agent_rate(a);
    *norm = INFINITY;
    if (isfinite(loss)) *norm = update(d->q, d->dy, &adam, c->clip_norm, c->clip_value);
    if (!isfinite(*norm))
        return dq_fail(
            error, DQ_ERR_NUMERIC,
            "training has diverged: the Q loss is not finite after %llu updates (try a smaller rate)",
            (unsigned long long)a->updates);
    count_target(a, DQ_BY_UPDATES, ++a->updates);
    return DQ_OK;
}

dq_status dqn_step(dq_agent *a, double loss, double *norm, dq_error *error)
{
    return take_step(a, dq_net_update, loss, norm, error);
}

/* A pass over a batch, and the gradient of its outputs into d->dy; returns the loss. */
static double pass(dq_agent *a, const dqn_batch *b, dq_rng *rng)
{
    dqn *d = dqn_of(a);
    const dq_agent_config *c = &a->config;
    dq_net_rows rows;
    dqn_targets(a, b, d->wanted);
    const float *y = forward(a, b, rng, &rows);
    find_taken(a, b, y);
    double loss = dq_loss_mean(c->loss, c->huber_delta, d->taken, d->wanted, b->weight, b->n, d->dtaken);
    loss += spread_gradient(a, b, y, rows.rows);
    for (size_t i = 0; b->real && i < b->n; i++) { /* those of planning are nobody's */
        a->taken[i] = d->taken[i];
        a->errors[i] = d->taken[i] - d->wanted[i];
    }
    return loss;
}

dq_status dqn_update(dq_agent *a, const dqn_batch *b, bool learn, double *loss, double *norm, dq_error *error)
{
    *loss = pass(a, b, learn ? &a->rng[RNG_DROP_Q] : NULL);
    return learn ? dqn_step(a, *loss, norm, error) : DQ_OK;
}

/* ---- an update in tiles ---- */

/* Outputs of the last pass. */
static size_t outputs_of(const dq_agent *a, const dqn_batch *b)
{
    size_t rows = 0;
    if (is_wide(a, b)) return b->n * a->shape.action_count;
    for (size_t i = 0; i < b->n; i++) rows += fill_set(a, dqn_of(a), b, i);
    return rows;
}

dq_status dqn_fit_tile(dq_agent *a, const dq_vectors *states, const dq_agent_tile *t, double *loss,
                       dq_error *error)
{
    dqn *d = dqn_of(a);
    const dqn_batch b = {.n = t->n, .states = states, .row = t->rows, .weight = t->weight, .real = true};
    dq_rng rng = t->rng;
    (void)error;
    *loss = t->n ? pass(a, &b, &rng) : 0;
    if (t->n) dq_vec_scale(d->dy, (float)t->share, outputs_of(a, &b));
    float *gradient = isfinite(*loss) ? dq_net_gradient(d->q, t->n ? d->dy : NULL) : NULL;
    if (gradient)
        dq_tree_add(&d->tree, gradient, a->pool);
    else
        *loss = INFINITY;
    d->gradient = gradient;
    return DQ_OK;
}

/* On the sum of the tiles' gradients, where the net has it. */
static double step_on_sum(dq_net *net, const float *dy, const dq_adam *adam, double clip_norm,
                          double clip_value)
{
    (void)dy;
    return dq_net_step(net, adam, clip_norm, clip_value);
}

dq_status dqn_fit_tiles(dq_agent *a, const dq_ranks *ranks, double loss, dq_agent_losses *losses,
                        dq_error *error)
{
    dqn *d = dqn_of(a);
    dq_status status = DQ_OK;
    losses->q = loss;
    if (ranks && isfinite(loss)) status = ranks->sum(ranks->self, d->gradient, dq_net_weights(d->q), error);
    if (!status) status = take_step(a, step_on_sum, loss, &losses->gradient, error);
    if (!status) a->steps++;
    return status;
}

/* ---- learning ---- */

static dqn_batch draw(dq_agent *a)
{
    dqn *d = dqn_of(a);
    size_t n = a->config.batch;
    double beta = a->config.priority > 0 ? dq_agent_beta(a) : 0;
    dq_replay_sample(d->replay, &a->rng[RNG_REPLAY], beta, n, d->slots, d->weights);
    for (size_t i = 0; i < n; i++) d->rows[i] = dq_replay_at(d->replay, d->slots[i]);
    return (dqn_batch){.n = n,
                       .states = a->numbered ? &a->shape.states : dq_replay_states(d->replay),
                       .row = d->rows,
                       .weight = a->config.priority > 0 ? d->weights : NULL,
                       .real = true};
}

static void add_loss(double *to, double loss, size_t times)
{
    if (!isnan(loss)) *to = (isnan(*to) ? 0 : *to) + loss / (double)times;
}

dq_status dqn_learn(dq_agent *a, dq_agent_losses *losses, dq_error *error)
{
    dqn *d = dqn_of(a);
    size_t updates = a->config.updates;
    for (size_t u = 0; u < updates; u++) {
        dq_agent_losses one = {NAN, NAN, NAN, NAN};
        const dqn_batch b = draw(a);
        dq_status status = dqn_update(a, &b, true, &one.q, &one.gradient, error);
        if (status) return status;
        dq_replay_prioritise(d->replay, d->slots, a->errors, b.n);
        if (d->after && (status = d->after(a, &b, true, &one, error))) return status;
        a->steps++;
        add_loss(&losses->q, one.q, updates);
        add_loss(&losses->world, one.world, updates);
        add_loss(&losses->planning, one.planning, updates);
        add_loss(&losses->gradient, one.gradient, updates);
    }
    return DQ_OK;
}

dq_status dqn_fit(dq_agent *a, const dq_vectors *states, const dq_transition *rows, size_t n,
                  const float *weight, bool learn, dq_agent_losses *losses, dq_error *error)
{
    dqn *d = dqn_of(a);
    const dqn_batch b = {.n = n, .states = states, .row = rows, .weight = weight, .real = true};
    dq_status status = dqn_update(a, &b, learn, &losses->q, &losses->gradient, error);
    if (!status && d->after) status = d->after(a, &b, learn, losses, error);
    if (!status && learn) a->steps++;
    return status;
}

/* ---- networks, in bundles too: q, target, world.0, world.1 ... ---- */

dq_net *dqn_network(dq_agent *a, const char *name)
{
    char of[AGENT_WORLD_NAME];
    dqn *d = dqn_of(a);
    if (strcmp(name, "q") == 0) return d->q;
    for (uint32_t m = 0; m < d->world_count; m++)
        if (strcmp(name, agent_world_name(of, m)) == 0) return d->worlds[m];
    if (strcmp(name, "target") != 0) return NULL;
    if (d->target) dqn_values_reset(a); /* its weights may be set */
    return d->target;
}

dq_status dqn_save(dq_agent *a, bool checkpoint, dq_bundle *model, dq_error *error)
{
    char name[AGENT_WORLD_NAME];
    dqn *d = dqn_of(a);
    dq_status status = dq_net_save(d->q, "q", checkpoint, model, error);
    if (!status && checkpoint) status = dq_net_save(d->target, "target", false, model, error);
    if (!status && checkpoint) status = dq_replay_save(d->replay, "replay", model, error);
    if (!status && checkpoint) status = dq_nstep_save(d->nstep, "returns", model, error);
    for (uint32_t m = 0; !status && m < d->world_count; m++)
        status = dq_net_save(d->worlds[m], agent_world_name(name, m), checkpoint, model, error);
    return status;
}

/* A checkpoint is a file that somebody may have changed. */
static dq_status check_remembered(const dq_agent *a, dq_error *error)
{
    const dqn *d = dqn_of(a);
    const uint32_t states = a->numbered ? a->shape.states.count : UINT32_MAX, actions = a->shape.action_count;
    bool sound = dq_nstep_below(d->nstep, states, actions);
    for (uint32_t i = 0; sound && i < dq_replay_count(d->replay); i++) {
        dq_transition t = dq_replay_at(d->replay, i);
        sound = t.action < actions && t.state < states && t.next < states;
    }
    if (sound) return DQ_OK;
    return dq_fail(error, DQ_ERR_RANGE,
                   "the checkpoint remembers an action or a state that the environment lacks");
}

static dq_status restore(dq_agent *a, const dq_bundle *model, dq_error *error)
{
    dqn *d = dqn_of(a);
    dq_status status = dq_net_load(d->target, "target", false, model, error);
    if (!status) status = dq_replay_restore(d->replay, "replay", model, error);
    if (!status) status = dq_nstep_restore(d->nstep, "returns", model, error);
    d->maxima.pushed = dq_replay_pushed(d->replay);
    return status ? status : check_remembered(a, error);
}

/* Without a checkpoint a model may be of Q alone. */
static dq_status load_worlds(dqn *d, bool checkpoint, const dq_bundle *model, dq_error *error)
{
    char name[AGENT_WORLD_NAME];
    dq_net_spec spec;
    dq_status status = DQ_OK;
    if (!checkpoint && dq_net_load_spec(model, agent_world_name(name, 0), &spec, NULL) == DQ_ERR_UNKNOWN)
        return DQ_OK;
    for (uint32_t m = 0; !status && m < d->world_count; m++) {
        status = dq_net_load(d->worlds[m], agent_world_name(name, m), checkpoint, model, error);
        if (!checkpoint) dq_net_reset_optimizer(d->worlds[m]);
    }
    return status;
}

dq_status dqn_load(dq_agent *a, bool checkpoint, const dq_bundle *model, dq_error *error)
{
    dqn *d = dqn_of(a);
    dq_status status = dq_net_load(d->q, "q", checkpoint, model, error);
    if (status) return status;
    if (d->target) dqn_values_reset(a);
    if (checkpoint) {
        status = restore(a, model, error);
    } else {
        dq_net_reset_optimizer(d->q);
        if (d->target) dq_net_copy(d->target, d->q);
    }
    return status ? status : load_worlds(d, checkpoint, model, error);
}
