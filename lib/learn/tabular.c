/* SPDX-License-Identifier: MIT
 *
 * Q-learning with a table (Watkins and Dayan, "Q-learning", Machine Learning 8, 1992), and with planning
 * tabular Dyna-Q (Sutton and Barto, "Reinforcement Learning", 2018, section 8.2):
 *
 *     Q(s, a) += alpha (r + gamma max Q(s', .) - Q(s, a))
 *
 * A state is a row of the table: a numbered one that of its number; else by its numbers, bit for bit, found
 * through a hash table, so one-hot states are what it is for, and any others that come again exactly. The
 * world model is a table of what followed last on (s, a).
 */
#include "learn/agent_impl.h"

#include "core/buffers.h"
#include "core/record.h"

#include <math.h>
#include <string.h>

#define NOWHERE UINT32_MAX /* no row of the table */

/* One step, its states by row. */
typedef struct outcome {
    uint32_t state, action, next; /* next NOWHERE: nothing of value comes after it */
    float reward, discount;
} outcome;

typedef struct tabular {
    uint32_t count, slot_count; /* rows in use; a power of two */
    float *states;              /* (states, state_width); NULL of numbered ones */
    float *key;                 /* (state_width) */
    uint32_t *slots;            /* (slot_count) row + 1, or 0 */
    float *q;                   /* (states, action_count) */
    float *none;                /* (action_count) zeros: of a state that was never met */
    outcome *pending;           /* (pending_room) a ring: observed, not learned */
    uint32_t pending_room, pending_first, pending_count;
    bool full;         /* a state was met that has no room */
    bool models;       /* the world, with planning: */
    uint32_t *next;    /* (states, action_count) what followed, NOWHERE at an end */
    float *reward;     /* (states, action_count) */
    uint32_t *pair_of; /* (states, action_count) its place in pairs + 1, or 0 */
    uint32_t *pairs;   /* (states * action_count) those that were tried, in order */
    uint32_t pair_count;
} tabular;

/* ---- making ---- */

static dq_status check(const dq_agent *a, dq_error *error)
{
    const dq_agent_config *c = &a->config;
    if (!(c->alpha > 0 && c->alpha <= 1))
        return dq_fail(error, DQ_ERR_RANGE, "alpha is in (0, 1], not %g", c->alpha);
    if (c->states == 0 || (uint64_t)c->states * a->shape.action_count > NOWHERE / 2)
        return dq_fail(error, DQ_ERR_RANGE, "a table of %u states and %u actions", c->states,
                       a->shape.action_count);
    const char *foreign = c->head != DQ_HEAD_OUTPUTS ? "head"
                          : c->feature_count         ? "features"
                                                     : agent_find_foreign(c);
    if (foreign)
        return dq_fail(error, DQ_ERR_RANGE, "%s means nothing to a table: it is of networks and replay",
                       foreign);
    return DQ_OK;
}

static bool allocate(dq_agent *a, tabular *t)
{
    size_t states = a->config.states, cells = states * a->shape.action_count;
    size_t vectors = a->numbered ? 0 : states, world = t->models ? cells : 0;
    t->pending_room = a->config.envs + (uint32_t)a->config.train_every;
    for (t->slot_count = 16; t->slot_count < 2 * vectors;) t->slot_count *= 2;
    const dq_buffer buffers[] = {
        DQ_BUFFER(t->states, vectors * a->shape.state_width),
        DQ_BUFFER(t->key, a->shape.state_width),
        DQ_BUFFER(t->slots, t->slot_count),
        DQ_BUFFER(t->q, cells),
        DQ_BUFFER(t->none, a->shape.action_count),
        DQ_BUFFER(t->pending, t->pending_room),
        DQ_BUFFER(t->next, world),
        DQ_BUFFER(t->reward, world),
        DQ_BUFFER(t->pair_of, world),
        DQ_BUFFER(t->pairs, world),
    };
    return dq_buffers_take(&a->arena, buffers, DQ_BUFFERS(buffers));
}

static dq_status tabular_init(dq_agent *a, dq_error *error)
{
    if (a->numbered) a->config.states = a->shape.states.count;
    dq_status status = check(a, error);
    if (status) return status;
    tabular *t = a->self = dq_arena_zero(&a->arena, 1, sizeof *t);
    if (!t) return dq_fail_memory(error, "a table");
    t->models = a->trains && a->config.planning > 0;
    t->count = a->numbered ? a->config.states : 0;
    return allocate(a, t) ? DQ_OK : dq_fail_memory(error, "a table of %u states", a->config.states);
}

/* ---- states ---- */

/* The slot of a state: its own, or the free one where it would go. Its numbers are left in t->key, with one
 * zero for both signs. */
static uint32_t *slot_of(const dq_agent *a, tabular *t, const float *state)
{
    size_t width = a->shape.state_width, bytes = width * sizeof *state;
    uint64_t hash = 0x9e3779b97f4a7c15U;
    for (size_t i = 0; i < width; i++) {
        uint32_t bits;
        t->key[i] = state[i] + 0.0F;
        memcpy(&bits, &t->key[i], sizeof bits);
        hash = (hash ^ bits) * 0xd1342543de82ef95U;
        hash ^= hash >> 29;
    }
    for (uint32_t i = (uint32_t)(hash >> 16);; i++) {
        uint32_t *slot = &t->slots[i & (t->slot_count - 1)];
        if (!*slot || memcmp(t->states + (*slot - 1) * width, t->key, bytes) == 0) return slot;
    }
}

/* The row of a state; NOWHERE when it was never met and is not to be added, or when there is no room. */
static uint32_t row_of(const dq_agent *a, tabular *t, const dq_vectors *states, uint32_t number, bool add)
{
    if (a->numbered) return number;
    uint32_t *slot = slot_of(a, t, states->at[number]);
    if (*slot || !add) return *slot ? *slot - 1 : NOWHERE;
    if (t->count == a->config.states) {
        t->full = true;
        return NOWHERE;
    }
    memcpy(t->states + (size_t)t->count * a->shape.state_width, t->key,
           a->shape.state_width * sizeof *t->key);
    *slot = ++t->count;
    return t->count - 1;
}

static float *q_of(const dq_agent *a, const tabular *t, uint32_t row)
{
    return t->q + (size_t)row * a->shape.action_count;
}

static void tabular_values(dq_agent *a, const dq_vectors *states, const uint32_t *number, size_t n, float *q)
{
    tabular *t = a->self;
    for (size_t i = 0; i < n; i++) {
        uint32_t row = row_of(a, t, states, agent_number(number, i), false);
        const float *of = row == NOWHERE ? t->none : q_of(a, t, row);
        for (uint32_t j = 0; j < a->offered; j++) q[i * a->offered + j] = of[a->offer[j]];
    }
}

/* ---- learning ---- */

/* What a row of the table is worth, after an action that was taken. */
static double value_of(const dq_agent *a, const tabular *t, uint32_t row, uint32_t action)
{
    const float *q = q_of(a, t, row);
    if (a->config.bootstrap == DQ_BOOTSTRAP_SAME) return (double)q[action];
    float best = q[a->offer[0]];
    for (uint32_t i = 1; i < a->offered; i++) best = q[a->offer[i]] > best ? q[a->offer[i]] : best;
    return (double)best;
}

/* Q(s, a), 0 in a state that was never met; and in *by what is missing there: the TD error with its sign
 * turned. */
static double miss(const dq_agent *a, const tabular *t, const outcome *o, double *by)
{
    double wanted = (double)o->reward, taken = 0;
    if (o->next != NOWHERE)
        wanted += a->config.gamma * (double)o->discount * agent_bound(a, value_of(a, t, o->next, o->action));
    if (o->state != NOWHERE) taken = (double)q_of(a, t, o->state)[o->action];
    *by = wanted - taken;
    return taken;
}

/* Returns the TD error before the update, squared; weight scales the step. */
static double update(dq_agent *a, tabular *t, const outcome *o, double weight)
{
    double by;
    miss(a, t, o, &by);
    float *q = &q_of(a, t, o->state)[o->action];
    *q = (float)((double)*q + weight * dq_agent_rate(a) * by);
    return by * by;
}

static void remember(const dq_agent *a, tabular *t, const outcome *o)
{
    uint32_t pair = o->state * a->shape.action_count + o->action;
    if (!t->models) return;
    if (!t->pair_of[pair]) {
        t->pairs[t->pair_count] = pair;
        t->pair_of[pair] = ++t->pair_count;
    }
    t->next[pair] = o->next;
    t->reward[pair] = o->reward;
}

/* One real step; its squared TD error. */
static double learn_one(dq_agent *a, tabular *t)
{
    outcome o = t->pending[t->pending_first];
    t->pending_first = (t->pending_first + 1) % t->pending_room;
    t->pending_count--;
    double square = update(a, t, &o, 1);
    remember(a, t, &o);
    a->steps++;
    a->updates++;
    return square;
}

static double plan(dq_agent *a, tabular *t)
{
    double sum = 0;
    for (uint32_t i = 0; i < a->config.planning; i++) {
        uint32_t pair = t->pairs[dq_rng_below(&a->rng[RNG_PLAN], t->pair_count)];
        outcome o = {pair / a->shape.action_count, pair % a->shape.action_count, t->next[pair],
                     t->reward[pair], 1};
        sum += update(a, t, &o, 1);
        a->updates++;
    }
    return sum / a->config.planning;
}

/* The outcome of a transition, as far as its states were met; with add they are met with it, while there is
 * room. */
static outcome outcome_of(const dq_agent *a, tabular *t, const dq_vectors *states, const dq_transition *row,
                          bool add)
{
    outcome o = {row_of(a, t, states, row->state, add), row->action, NOWHERE, row->reward, row->discount};
    if (!row->done) o.next = row_of(a, t, states, row->next, add);
    return o;
}

static void tabular_observe(dq_agent *a, uint32_t env, const dq_vectors *states, const dq_transition *row,
                            bool over)
{
    tabular *t = a->self;
    outcome o = outcome_of(a, t, states, row, true);
    (void)env;
    (void)over;
    o.discount = 1;
    if (t->full) return;                                      /* the next learning step says so */
    if (t->pending_count == t->pending_room) learn_one(a, t); /* nobody asked for learning steps in time */
    t->pending[(t->pending_first + t->pending_count++) % t->pending_room] = o;
}

static bool tabular_ready(const dq_agent *a)
{
    const tabular *t = a->self;
    return t->pending_count > 0 || t->full;
}

static dq_status no_room(const dq_agent *a, dq_error *error)
{
    return dq_fail(error, DQ_ERR_RANGE,
                   "more than %u distinct states: they need a network, or a larger table", a->config.states);
}

static dq_status check_finite(double loss, dq_error *error)
{
    if (isfinite(loss)) return DQ_OK;
    return dq_fail(error, DQ_ERR_NUMERIC, "a value of the table is no longer finite");
}

static dq_status tabular_learn(dq_agent *a, dq_agent_losses *losses, dq_error *error)
{
    tabular *t = a->self;
    size_t n = t->pending_count < a->config.train_every ? t->pending_count : a->config.train_every;
    if (t->full) return no_room(a, error);
    losses->q = 0;
    for (size_t i = 0; i < n; i++) losses->q += learn_one(a, t) / (double)n;
    if (a->config.planning > 0) losses->planning = plan(a, t);
    return check_finite(losses->q, error);
}

static dq_status tabular_fit(dq_agent *a, const dq_vectors *states, const dq_transition *rows, size_t n,
                             const float *weight, bool learn, dq_agent_losses *losses, dq_error *error)
{
    tabular *t = a->self;
    losses->q = 0;
    for (size_t i = 0; i < n; i++) {
        double by, scale = weight ? (double)weight[i] : 1;
        outcome o = outcome_of(a, t, states, &rows[i], learn);
        if (t->full) return no_room(a, error);
        a->taken[i] = (float)miss(a, t, &o, &by);
        a->errors[i] = (float)-by;
        losses->q += scale * by * by / (double)n;
        if (!learn) continue;
        update(a, t, &o, scale);
        remember(a, t, &o);
        a->updates++;
    }
    if (!learn) return DQ_OK;
    a->steps++;
    if (a->config.planning > 0) losses->planning = plan(a, t);
    return check_finite(losses->q, error);
}

/* ---- bundles: table.state, table.q; in a checkpoint also the model, the pairs and what is pending ---- */

/* Pending steps as they follow, five columns in one: state, action, next, bits of reward and discount. */
static dq_status save_pending(const tabular *t, dq_bundle *model, dq_error *error)
{
    uint64_t shape[2] = {t->pending_count, sizeof(outcome) / sizeof(uint32_t)};
    outcome *rows = dq_arena_zero(&model->arena, t->pending_count, sizeof *rows);
    if (!rows) return dq_fail_memory(error, "a checkpoint");
    for (uint32_t i = 0; i < t->pending_count; i++)
        rows[i] = t->pending[(t->pending_first + i) % t->pending_room];
    return dq_bundle_add_tensor(model, "table.pending", DQ_U4, 2, shape, rows, error);
}

static dq_status tabular_save(dq_agent *a, bool checkpoint, dq_bundle *model, dq_error *error)
{
    tabular *t = a->self;
    uint64_t rows = t->count, actions = a->shape.action_count;
    const dq_record_part vectors = {"state", DQ_F4, rows, a->shape.state_width, t->states};
    const dq_record_part q = {"q", DQ_F4, rows, actions, t->q};
    const dq_record_part world[] = {{"next", DQ_U4, rows * actions, 0, t->next},
                                    {"reward", DQ_F4, rows * actions, 0, t->reward},
                                    {"pairs", DQ_U4, t->pair_count, 0, t->pairs}};
    dq_status status = a->numbered ? DQ_OK : dq_record_save_parts(&vectors, 1, "table", model, error);
    if (!status) status = dq_record_save_parts(&q, 1, "table", model, error);
    if (!status && checkpoint) status = save_pending(t, model, error);
    if (status || !checkpoint || !t->models) return status;
    return dq_record_save_parts(world, sizeof world / sizeof *world, "table", model, error);
}

static dq_status unsound(dq_error *error)
{
    return dq_fail(error, DQ_ERR_SCHEMA, "the model's table is not of this agent");
}

/* Whatever was learned before. */
static void reset(const dq_agent *a, tabular *t)
{
    size_t cells = (size_t)t->count * a->shape.action_count;
    memset(t->q, 0, cells * sizeof *t->q);
    if (t->models) memset(t->pair_of, 0, cells * sizeof *t->pair_of);
    t->count = a->numbered ? a->config.states : 0;
    t->pair_count = t->pending_count = 0;
    t->full = false;
}

static dq_status load_states(dq_agent *a, tabular *t, const dq_bundle *model, dq_error *error)
{
    const dq_column *c = dq_bundle_column(model, "table.state");
    size_t width = a->shape.state_width;
    if (a->numbered) {
        reset(a, t);
        return DQ_OK;
    }
    if (!c || c->type != DQ_F4 || c->shape[0] > a->config.states || dq_column_width(c) != width)
        return unsound(error);
    reset(a, t);
    memset(t->slots, 0, t->slot_count * sizeof *t->slots);
    for (uint32_t i = 0; i < c->shape[0]; i++) {
        const float *state = (const float *)c->data + i * width;
        if (row_of(a, t, &(dq_vectors){&state, 1, (uint32_t)width}, 0, true) != i) return unsound(error);
    }
    return DQ_OK;
}

static dq_status load_pending(const dq_agent *a, tabular *t, const dq_bundle *model, dq_error *error)
{
    const dq_column *c = dq_bundle_column(model, "table.pending");
    uint64_t words = sizeof(outcome) / sizeof(uint32_t);
    if (!c || c->type != DQ_U4 || c->shape[0] > t->pending_room || dq_column_width(c) != words)
        return unsound(error);
    memcpy(t->pending, c->data, c->shape[0] * sizeof *t->pending);
    t->pending_first = 0;
    t->pending_count = (uint32_t)c->shape[0];
    for (const outcome *o = t->pending; o < t->pending + t->pending_count; o++)
        if (o->state >= t->count || o->action >= a->shape.action_count ||
            (o->next != NOWHERE && o->next >= t->count))
            return unsound(error);
    return DQ_OK;
}

static dq_status load_model(const dq_agent *a, tabular *t, const dq_bundle *model, dq_error *error)
{
    uint64_t cells = (uint64_t)t->count * a->shape.action_count;
    const dq_column *pairs = dq_bundle_column(model, "table.pairs");
    dq_status status = dq_record_column(model, "table.next", DQ_U4, cells, t->next, error);
    if (!status) status = dq_record_column(model, "table.reward", DQ_F4, cells, t->reward, error);
    if (status) return status;
    if (!pairs || pairs->type != DQ_U4 || pairs->dims != 1 || pairs->shape[0] > cells) return unsound(error);
    for (t->pair_count = 0; t->pair_count < pairs->shape[0];) {
        uint32_t pair = ((const uint32_t *)pairs->data)[t->pair_count];
        if (pair >= cells || t->pair_of[pair] || (t->next[pair] != NOWHERE && t->next[pair] >= t->count))
            return unsound(error);
        t->pairs[t->pair_count] = pair;
        t->pair_of[pair] = ++t->pair_count;
    }
    return DQ_OK;
}

static dq_status tabular_load(dq_agent *a, bool checkpoint, const dq_bundle *model, dq_error *error)
{
    tabular *t = a->self;
    dq_status status = load_states(a, t, model, error);
    uint64_t cells = (uint64_t)t->count * a->shape.action_count;
    if (!status) status = dq_record_column(model, "table.q", DQ_F4, cells, t->q, error);
    if (!status && checkpoint) status = load_pending(a, t, model, error);
    return !status && checkpoint && t->models ? load_model(a, t, model, error) : status;
}

static const struct dq_agent_functions functions = {
    .init = tabular_init,
    .values = tabular_values,
    .observe = tabular_observe,
    .ready = tabular_ready,
    .learn = tabular_learn,
    .fit = tabular_fit,
    .save = tabular_save,
    .load = tabular_load,
};

const dq_agent_kind dq_agent_tabular = {
    .name = "tabular",
    .help = "Q-learning with a table; with planning, Dyna-Q with a table for its world",
    .defaults = {AGENT_DEFAULTS, .gamma = 0.95, .target_every = 1, .batch = 1, .replay = 1, .alpha = 0.1,
                 .states = 4096, .rollout = 1, .decay_by = DQ_BY_STEPS, .epsilon = 0.1, .epsilon_decay = 1},
    .functions = &functions,
};
