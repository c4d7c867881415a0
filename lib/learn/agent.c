/* SPDX-License-Identifier: MIT */
#include "learn/agent_impl.h"
#include "learn/trajectory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ACT_VALUES = 1 << 22 }; /* kept of the states that are looked at together */

/* ---- making ---- */

static dq_status make_buffers(dq_agent *a, dq_error *error)
{
    uint32_t count = a->shape.action_count, named = a->config.offered;
    size_t rows = a->trains ? a->config.fit_rows : 0;
    const float **at = NULL; /* a copy of the shape's pointers to actions */
    a->max_offered = named && named < count ? named : count;
    a->act_room = (size_t)AGENT_ACT_ROWS * a->max_offered;
    if (a->act_room > MAX_ACT_VALUES) a->act_room = MAX_ACT_VALUES;
    if (a->act_room < count) a->act_room = count;
    const dq_buffer buffers[] = {
        DQ_BUFFER(a->act_values, a->act_room),
        DQ_BUFFER(a->act_number, AGENT_ACT_ROWS),
        DQ_BUFFER(a->act_at, AGENT_ACT_ROWS),
        DQ_BUFFER(a->offer, count),
        DQ_BUFFER(a->taken, rows),
        DQ_BUFFER(a->errors, rows),
        DQ_BUFFER(at, a->shape.actions ? count : 0),
    };
    if (!dq_buffers_take(&a->arena, buffers, DQ_BUFFERS(buffers))) return dq_fail_memory(error, "an agent");
    for (uint32_t i = 0; i < count; i++) a->offer[i] = i;
    a->offered = a->max_offered;
    if (!a->shape.actions) return DQ_OK;
    a->shape.actions = memcpy(at, a->shape.actions, count * sizeof *at);
    a->actions = (dq_vectors){at, count, a->shape.action_width};
    return DQ_OK;
}

/* The configuration with what it leaves open filled in. */
static void resolve(dq_agent *a)
{
    dq_agent_config *c = &a->config;
    if (!c->schedule) c->schedule = &dq_schedules[0];
    if (c->fit_rows < c->batch) c->fit_rows = c->batch;
}

static dq_status make(dq_agent **out, const dq_agent_kind *kind, const dq_agent_config *config,
                      const dq_env_spec *shape, bool trains, dq_pool *pool, dq_error *error)
{
    *out = NULL;
    dq_agent *a = calloc(1, sizeof *a);
    if (!a) return dq_fail_memory(error, "an agent");
    *a = (dq_agent){.kind = kind,
                    .does = kind->functions,
                    .config = *config,
                    .shape = *shape,
                    .numbered = shape->states.count > 0,
                    .trains = trains,
                    .pool = pool};
    a->config.q_models = 1;
    resolve(a);
    for (unsigned i = 0; i < RNG_AGENT_COUNT; i++) a->rng[i] = dq_rng_stream(config->seed, i + 1);
    dq_status status = make_buffers(a, error);
    if (!status) status = a->does->init(a, error);
    if (status) {
        dq_agent_free(a);
        return status;
    }
    *out = a;
    return DQ_OK;
}

static dq_status make_of_kind(dq_agent **out, const char *kind, const dq_agent_config *config,
                              const dq_env_spec *shape, bool trains, dq_pool *pool, dq_error *error)
{
    *out = NULL;
    const dq_agent_kind *found = dq_agent_find(kind);
    if (!found) return dq_fail(error, DQ_ERR_UNKNOWN, "there is no agent '%s'", kind);
    dq_status status = dq_env_spec_check(shape, error);
    if (!status) status = agent_check(config, error);
    return status ? status : make(out, found, config, shape, trains, pool, error);
}

dq_status dq_agent_new(dq_agent **out, const char *kind, const dq_agent_config *config,
                       const dq_env_spec *shape, dq_pool *pool, dq_error *error)
{
    return make_of_kind(out, kind, config, shape, true, pool, error);
}

dq_status dq_agent_new_untrained(dq_agent **out, const char *kind, const dq_agent_config *config,
                                 const dq_env_spec *shape, dq_pool *pool, dq_error *error)
{
    dq_agent_config acts = *config;
    acts.offered = 0;
    if (acts.states) acts.states = 1;
    return make_of_kind(out, kind, &acts, shape, false, pool, error);
}

void dq_agent_free(dq_agent *a)
{
    if (!a) return;
    if (a->self && a->does->free) a->does->free(a);
    dq_arena_free(&a->arena);
    free(a);
}

const dq_agent_config *dq_agent_get_config(const dq_agent *a)
{
    return &a->config;
}

dq_status dq_agent_give(dq_agent *a, const dq_pair_features *given, dq_error *error)
{
    if (given->width != a->config.given.width)
        return dq_fail(error, DQ_ERR_SCHEMA, "the model has %u features of pairs, and its network takes %u",
                       given->width, a->config.given.width);
    a->config.given = *given;
    return DQ_OK;
}

bool dq_agent_lacks_features(const dq_agent *a)
{
    return a->config.given.width && !a->config.given.fill;
}

const dq_env_spec *dq_agent_get_shape(const dq_agent *a)
{
    return &a->shape;
}

const char *dq_agent_get_kind(const dq_agent *a)
{
    return a->kind->name;
}

uint32_t dq_agent_input_width(const dq_agent *a)
{
    const dq_trajectory t = dq_trajectory_of(&a->config, &a->shape);
    return a->config.context ? dq_trajectory_width(&t) : a->shape.state_width;
}

dq_status dq_agent_trajectories(const dq_agent *a, size_t n, dq_trajectories **trajectories, dq_error *error)
{
    *trajectories = NULL;
    if (!a || !a->config.context) return DQ_OK;
    const dq_trajectory of = dq_trajectory_of(&a->config, &a->shape);
    return dq_trajectories_new(trajectories, &of, n, error);
}

/* ---- acting ---- */

void dq_agent_offer(dq_agent *a, const uint32_t *actions, uint32_t n)
{
    if (actions) memmove(a->offer, actions, n * sizeof *actions);
    for (uint32_t i = 0; !actions && i < a->shape.action_count; i++) a->offer[i] = i;
    a->offered = actions ? n : a->shape.action_count;
    if (a->does->offer) a->does->offer(a);
}

const uint32_t *dq_agent_get_offer(const dq_agent *a, uint32_t *n)
{
    *n = a->offered;
    return a->offer;
}

void dq_agent_values(dq_agent *a, const dq_vectors *states, const uint32_t *number, size_t n, float *q)
{
    a->does->values(a, agent_store(a, states), number, n, q);
}

bool dq_agent_is_indifferent(dq_agent *a, const dq_vectors *states, uint32_t state, float *q)
{
    uint32_t n;
    (void)dq_agent_get_offer(a, &n);
    dq_agent_values(a, states, &state, 1, q);
    float least = q[0], greatest = q[0];
    for (uint32_t i = 1; i < n; i++) {
        if (q[i] < least) least = q[i];
        if (q[i] > greatest) greatest = q[i];
    }
    return n > 1 && greatest - least <= 1e-6F * fmaxf(fabsf(least), fabsf(greatest));
}

/* ---- learning ---- */

static const dq_agent_losses none = {NAN, NAN, NAN, NAN};

static dq_status refuse_training(dq_error *error)
{
    return dq_fail(error, DQ_ERR_UNSUPPORTED, "an agent that was made to act does not learn");
}

static dq_status check_training(const dq_agent *a, dq_error *error)
{
    if (!a->trains) return refuse_training(error);
    if (a->offered <= a->max_offered) return DQ_OK;
    return dq_fail(error, DQ_ERR_RANGE, "%u actions on offer to an agent that learns from %u", a->offered,
                   a->max_offered);
}

void dq_agent_observe(dq_agent *a, uint32_t env, const dq_vectors *states, const dq_transition *t, bool over)
{
    if (!a->trains) return; /* and never ready to learn */
    a->observed++;
    a->does->observe(a, env, agent_store(a, states), t, over);
    if (a->observed >= a->config.warmup && a->does->ready(a)) a->due++;
}

bool dq_agent_ready(const dq_agent *a)
{
    return a->trains && a->due >= a->config.train_every && a->does->ready(a);
}

dq_status dq_agent_learn(dq_agent *a, dq_agent_losses *losses, dq_error *error)
{
    dq_status status = check_training(a, error);
    *losses = none;
    if (status) return status;
    if (!dq_agent_ready(a)) return dq_fail(error, DQ_ERR_RANGE, "no learning step is due");
    a->due -= a->config.train_every;
    return a->does->learn(a, losses, error);
}

static dq_status check_action(const dq_agent *a, uint32_t action, dq_error *error)
{
    if (action < a->shape.action_count) return DQ_OK;
    return dq_fail(error, DQ_ERR_RANGE, "action %u of %u", action, a->shape.action_count);
}

/* A world model, or a table of what followed, is of single steps. */
static dq_status check_row(const dq_agent *a, const dq_vectors *states, const dq_transition *row,
                           dq_error *error)
{
    bool models = a->config.world || a->config.planning > 0;
    uint32_t state = row->state > row->next ? row->state : row->next;
    if (state >= states->count) return dq_fail(error, DQ_ERR_RANGE, "state %u of %u", state, states->count);
    if (models && row->discount != 1)
        return dq_fail(error, DQ_ERR_RANGE,
                       "a world model learns from single steps, not returns over several");
    return check_action(a, row->action, error);
}

static dq_status fit(dq_agent *a, const dq_vectors *states, const dq_transition *rows, size_t n,
                     const float *weight, bool learn, dq_agent_losses *losses, dq_error *error)
{
    dq_status status = check_training(a, error);
    *losses = none;
    states = agent_store(a, states);
    if (!status && dq_loss_of_lists(a->config.loss))
        return dq_fail(error, DQ_ERR_UNSUPPORTED, "a loss of lists learns from lists, not from rows");
    if (!status && (n == 0 || n > a->config.fit_rows))
        return dq_fail(error, DQ_ERR_RANGE, "a batch of %zu rows, where 1 to %zu fit", n, a->config.fit_rows);
    for (size_t i = 0; !status && i < n; i++) status = check_row(a, states, &rows[i], error);
    return status ? status : a->does->fit(a, states, rows, n, weight, learn, losses, error);
}

dq_status dq_agent_fit(dq_agent *a, const dq_vectors *states, const dq_transition *rows, size_t n,
                       const float *weight, dq_agent_losses *losses, dq_error *error)
{
    return fit(a, states, rows, n, weight, true, losses, error);
}

/* A world model would need a gradient of its own, and batch norm the whole batch. */
static dq_status check_tiles(const dq_agent *a, const dq_agent_tile *tile, dq_error *error)
{
    const dq_agent_config *c = &a->config;
    dq_status status = check_training(a, error);
    if (status) return status;
    if (!a->does->fit_tile || !c->tiles || c->batch_norm || dq_loss_of_lists(c->loss) ||
        dq_agent_network((dq_agent *)a, "world.0"))
        return dq_fail(error, DQ_ERR_UNSUPPORTED,
                       "updates are cut into tiles of a dqn alone, without batch norm, by a loss of rows");
    if (tile->n <= c->fit_rows) return DQ_OK;
    return dq_fail(error, DQ_ERR_RANGE, "a tile of %zu rows, where %zu fit", tile->n, c->fit_rows);
}

dq_status dq_agent_fit_tile(dq_agent *a, const dq_vectors *states, const dq_agent_tile *tile, double *loss,
                            dq_error *error)
{
    dq_status status = check_tiles(a, tile, error);
    states = agent_store(a, states);
    for (size_t i = 0; !status && i < tile->n; i++) status = check_row(a, states, &tile->rows[i], error);
    return status ? status : a->does->fit_tile(a, states, tile, loss, error);
}

dq_status dq_agent_fit_tiles(dq_agent *a, const dq_ranks *ranks, double loss, dq_agent_losses *losses,
                             dq_error *error)
{
    *losses = none;
    return a->does->fit_tiles(a, ranks, loss, losses, error);
}

dq_status dq_agent_evaluate_loss(dq_agent *a, const dq_vectors *states, const dq_transition *rows, size_t n,
                                 dq_agent_losses *losses, dq_error *error)
{
    return fit(a, states, rows, n, NULL, false, losses, error);
}

static dq_status check_lists(const dq_agent *a, const dq_vectors *states, const dq_agent_lists *l,
                             dq_error *error)
{
    dq_status status = check_training(a, error);
    if (status) return status;
    if (!a->does->fit_lists || !dq_loss_of_lists(a->config.loss))
        return dq_fail(error, DQ_ERR_UNSUPPORTED, "an agent without a loss of lists");
    if (l->n == 0 || l->n > a->config.list_states || l->columns == 0 || l->columns > a->config.list_actions)
        return dq_fail(error, DQ_ERR_RANGE, "%zu lists of %zu actions, where %zu of %u fit", l->n, l->columns,
                       a->config.list_states, a->config.list_actions);
    for (size_t i = 0; i < l->n; i++)
        if (l->state[i] >= states->count)
            return dq_fail(error, DQ_ERR_RANGE, "state %u of %u", l->state[i], states->count);
    for (size_t i = 0; !status && i < l->columns; i++) status = check_action(a, l->action[i], error);
    return status;
}

dq_status dq_agent_fit_lists(dq_agent *a, const dq_vectors *states, const dq_agent_lists *lists,
                             const dq_transition *rows, size_t n_rows, dq_agent_losses *losses,
                             dq_error *error)
{
    states = agent_store(a, states);
    dq_status status = check_lists(a, states, lists, error);
    *losses = none;
    if (!status && n_rows > a->config.fit_rows)
        return dq_fail(error, DQ_ERR_RANGE, "a batch of %zu rows, where %zu fit", n_rows, a->config.fit_rows);
    for (size_t i = 0; !status && i < n_rows; i++) status = check_row(a, states, &rows[i], error);
    return status ? status : a->does->fit_lists(a, states, lists, rows, n_rows, true, losses, error);
}

dq_status dq_agent_evaluate_lists(dq_agent *a, const dq_vectors *states, const dq_agent_lists *lists,
                                  dq_agent_losses *losses, dq_error *error)
{
    states = agent_store(a, states);
    dq_status status = check_lists(a, states, lists, error);
    *losses = none;
    return status ? status : a->does->fit_lists(a, states, lists, NULL, 0, false, losses, error);
}

const float *dq_agent_taken(const dq_agent *a)
{
    return a->taken;
}

const float *dq_agent_errors(const dq_agent *a)
{
    return a->errors;
}

void dq_agent_end_episode(dq_agent *a)
{
    a->episodes++;
    if (a->trains && a->does->end_episode) a->does->end_episode(a);
}

void dq_agent_progress(dq_agent *a, double done)
{
    a->progress = fmin(1, fmax(0, done));
}

uint64_t dq_agent_steps(const dq_agent *a)
{
    return a->steps;
}

uint64_t dq_agent_updates(const dq_agent *a)
{
    return a->updates;
}

/* ---- the world model ---- */

static dq_status no_world(const dq_agent *a, dq_error *error)
{
    return dq_fail(error, DQ_ERR_UNSUPPORTED, "a %s agent without a world model to ask", a->kind->name);
}

static bool has_world(const dq_agent *a)
{
    return a->does->predict && a->config.world;
}

dq_status dq_agent_predict(dq_agent *a, const dq_vectors *states, const uint32_t *number,
                           const uint32_t *actions, size_t n, float *next, float *rewards,
                           float *done_probability, float *disagreement, dq_error *error)
{
    dq_status status = has_world(a) ? DQ_OK : no_world(a, error);
    for (size_t i = 0; !status && i < n; i++) status = check_action(a, actions[i], error);
    if (!status)
        a->does->predict(a, agent_store(a, states), number, actions, n, next, rewards, done_probability,
                         disagreement);
    return status;
}

dq_status agent_check_world(dq_agent *a, double max, dq_error *error)
{
    if (a->numbered)
        return dq_fail(error, DQ_ERR_RANGE, "a step leaves these states as they are: there is nothing ahead");
    if (!has_world(a)) return no_world(a, error);
    if (isfinite(max) && a->config.models < 2)
        return dq_fail(error, DQ_ERR_RANGE,
                       "one world model cannot disagree; an ensemble can (dq-train --models 5)");
    return DQ_OK;
}

/* ---- networks ---- */

dq_net *dq_agent_network(dq_agent *a, const char *name)
{
    return a->does->network ? a->does->network(a, name) : NULL;
}

/* ---- bundles ---- */

dq_status dq_agent_save(dq_agent *a, bool checkpoint, dq_bundle *model, dq_error *error)
{
    if (checkpoint && !a->trains) return refuse_training(error);
    dq_status status = agent_save_config(a, model, error);
    if (!status && checkpoint) status = agent_save_state(a, model, error);
    return status ? status : a->does->save(a, checkpoint, model, error);
}

/* A table is of its states; and a world model of numbered states, which stay as they are, is another one. */
static dq_status check_numbered(const dq_env_spec *model, const dq_env_spec *s, const dq_agent_config *c,
                                dq_error *error)
{
    bool table = c->alpha > 0, binds = table || c->world;
    uint32_t there = model->states.count, here = s->states.count;
    if (!binds || (table ? there == here : (there > 0) == (here > 0))) return DQ_OK;
    return dq_fail(error, DQ_ERR_RANGE, "the model is of %u numbered states; here are %u", there, here);
}

/* That a model of one shape works in another. A head on actions scores any vectors: other actions, and
 * more of them, are no other environment; and so are other states of a catalogue. */
static dq_status check_shape(const dq_env_spec *model, const dq_env_spec *s, const dq_agent_config *c,
                             dq_error *error)
{
    dq_status status = dq_session_layout_fits(&model->layout, &s->layout, error);
    if (!status) status = check_numbered(model, s, c, error);
    if (status) return status;
    bool fits = model->state_width == s->state_width && model->user_width == s->user_width &&
                model->history == s->history && model->item_width == s->item_width &&
                (c->head == DQ_HEAD_ACTIONS ? model->action_width == s->action_width
                                            : model->action_count == s->action_count);
    if (fits) return DQ_OK;
    return dq_fail(
        error, DQ_ERR_RANGE,
        "the model is of another environment: states of %u numbers, %u actions of %u; here %u, %u of %u",
        model->state_width, model->action_count, model->action_width, s->state_width, s->action_count,
        s->action_width);
}

/* Q is Q, of a deep network with a world or without. */
static bool takes(const dq_agent *a, const char *kind, bool checkpoint)
{
    if (strcmp(kind, a->kind->name) == 0) return true;
    return !checkpoint && dq_agent_find(kind)->functions == a->does;
}

/* An agent has one network of Q. */
static dq_status check_single(const dq_agent_config *saved, dq_error *error)
{
    if (saved->q_models < 2) return DQ_OK;
    return dq_fail(
        error, DQ_ERR_UNSUPPORTED,
        "the model is an ensemble of %u networks of Q, by which dq-rank and dq-eval --target rank: "
        "no agent acts, plans or goes on learning with it",
        saved->q_models);
}

dq_status dq_agent_load(dq_agent *a, bool checkpoint, const dq_bundle *model, dq_error *error)
{
    const char *kind;
    dq_agent_config config;
    dq_env_spec shape;
    dq_status status = dq_agent_read_config(model, &kind, &config, &shape, error);
    if (!status) status = check_single(&config, error);
    if (status) return status;
    if (!takes(a, kind, checkpoint))
        return dq_fail(error, DQ_ERR_RANGE, "the model is of a %s agent, not of %s", kind, a->kind->name);
    status = check_shape(&shape, &a->shape, &config, error);
    if (!status && checkpoint && !a->trains) status = refuse_training(error);
    if (!status && checkpoint) status = agent_restore_state(a, model, error);
    return status ? status : a->does->load(a, checkpoint, model, error);
}

/* shape.actions NULL though they are described: in the bundle. */
static dq_status make_of(dq_agent **out, const dq_agent_kind *kind, const dq_agent_config *config,
                         dq_env_spec shape, const dq_bundle *model, dq_pool *pool, dq_error *error)
{
    bool saved = !shape.actions && shape.action_width;
    const float **at = saved ? calloc(shape.action_count, sizeof *at) : NULL;
    if (saved && !at) return dq_fail_memory(error, "an agent");
    dq_status status = saved ? dq_agent_read_actions(model, &shape, at, error) : DQ_OK;
    if (saved) shape.actions = at;
    if (!status) status = make(out, kind, config, &shape, false, pool, error);
    free(at);
    if (!status && (status = dq_agent_load(*out, false, model, error))) {
        dq_agent_free(*out);
        *out = NULL;
    }
    return status;
}

/* The rows of a table that only acts are those that it has. */
static uint32_t rows_of_table(const dq_bundle *model, uint32_t states)
{
    const dq_column *q = dq_bundle_column(model, "table.q");
    if (!q) return states;
    return q->shape[0] > 0 ? (uint32_t)q->shape[0] : 1;
}

dq_status dq_agent_of_model(dq_agent **out, const dq_bundle *model, const dq_env_spec *shape, dq_pool *pool,
                            dq_error *error)
{
    const char *kind;
    dq_agent_config config;
    dq_env_spec own;
    *out = NULL;
    dq_status status = dq_agent_read_config(model, &kind, &config, &own, error);
    if (!status) status = check_single(&config, error);
    if (!status && shape) status = dq_env_spec_check(shape, error);
    if (!status && shape) status = check_shape(&own, shape, &config, error);
    if (!status && !shape && own.states.count)
        status = dq_fail(error, DQ_ERR_RANGE,
                         "the model is of numbered states, which it does not hold: those of users");
    if (!status) status = agent_check(&config, error);
    if (status) return status;
    config.offered = 0; /* a limit of training */
    config.states = rows_of_table(model, config.states);
    return make_of(out, dq_agent_find(kind), &config, shape ? *shape : own, model, pool, error);
}
