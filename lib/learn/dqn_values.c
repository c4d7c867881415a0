/* SPDX-License-Identifier: MIT
 *
 * Values of actions on offer, and what the next state of a transition is worth.
 *
 * The maximum over what is on offer is a table where both of its parts stand still: the target between
 * copies, the offer within an episode. With one user it is one number a copy; offline it is filled for the
 * users of a batch that lack it, many users against each block of actions at once. A score depends on its
 * pair alone (net/net.h), so what is tabled is what would be computed anew, and a checkpoint need not keep
 * it. Outputs of a head with one an action come at the price of one row, in bits that depend on the batch:
 * they are found anew for each batch, once a state; and so is what Double chooses, as Q itself moves with
 * each update.
 */
#include "learn/dqn.h"

#include <math.h>
#include <string.h>

#define NO_BLOCK UINT32_MAX

enum { MAX_ALL = 1 << 22 }; /* outputs that are kept at a time, beyond those of one state */

/* ---- making ---- */

static bool allocate_maxima(dq_agent *a, dqn_maxima *m)
{
    const dq_agent_config *c = &a->config;
    size_t rows = c->fit_rows, width = dqn_on_actions(a) ? DQN_BLOCK : a->shape.action_count;
    m->stands = dqn_on_actions(a) && !c->double_q;
    m->places = a->numbered ? a->shape.states.count : m->stands ? c->replay : 0;
    m->version = 1;
    const dq_buffer buffers[] = {
        DQ_BUFFER(m->value, m->places + rows),
        DQ_BUFFER(m->valid, m->places + rows),
        DQ_BUFFER(m->of_row, rows),
        DQ_BUFFER(m->place, rows),
        DQ_BUFFER(m->state, rows),
        DQ_BUFFER(m->action, rows),
        DQ_BUFFER(m->at, rows),
        DQ_BUFFER(m->found, rows),
        DQ_BUFFER(m->scores, rows * width),
    };
    return dq_buffers_take(&a->arena, buffers, DQ_BUFFERS(buffers));
}

/* States of which all outputs are kept at a time. */
static size_t rows_of_all(const dq_agent *a)
{
    size_t rows = MAX_ALL / a->shape.action_count;
    return rows > AGENT_ACT_ROWS ? AGENT_ACT_ROWS : rows > 0 ? rows : 1;
}

/* States that are scored together against a block. */
static size_t rows_of_block(const dq_agent *a)
{
    size_t rows = a->trains ? a->config.fit_rows : 0;
    return rows > AGENT_ACT_ROWS ? rows : AGENT_ACT_ROWS;
}

bool dqn_values_allocate(dq_agent *a)
{
    dqn *d = dqn_of(a);
    bool pairs = dqn_on_actions(a);
    const dq_buffer buffers[] = {
        DQ_BUFFER(d->block, pairs ? (size_t)DQN_BLOCK * a->shape.action_width : 0),
        DQ_BUFFER(d->all, pairs ? 0 : rows_of_all(a) * a->shape.action_count),
        DQ_BUFFER(d->block_features, pairs ? rows_of_block(a) * DQN_BLOCK * a->config.given.width : 0),
    };
    d->block_from = NO_BLOCK;
    return dq_buffers_take(&a->arena, buffers, DQ_BUFFERS(buffers)) &&
           (!a->trains || allocate_maxima(a, &d->maxima));
}

void dqn_values_reset(dq_agent *a)
{
    dqn_of(a)->maxima.version++;
}

void dqn_offer(dq_agent *a)
{
    dqn_of(a)->block_from = NO_BLOCK;
    dqn_values_reset(a);
}

/* ---- what is on offer ---- */

/* Actions from .. from + rows - 1 of the offer side by side in d->block; kept while the same block is asked
 * for. Returns rows. */
static uint32_t gather(const dq_agent *a, dqn *d, uint32_t from)
{
    uint32_t left = a->offered - from;
    size_t width = a->shape.action_width;
    if (d->block_from == from) return d->block_rows;
    d->block_from = from;
    d->block_rows = left < DQN_BLOCK ? left : DQN_BLOCK;
    for (uint32_t i = 0; i < d->block_rows; i++)
        memcpy(d->block + i * width, a->actions.at[a->offer[from + i]], width * sizeof *d->block);
    return d->block_rows;
}

const float *dqn_given(dq_agent *a, const uint32_t *state, const uint32_t *action, size_t n)
{
    const dq_pair_features *given = &a->config.given;
    float *to = dqn_of(a)->features;
    if (!given->width) return NULL;
    for (size_t r = 0, same; r < n; r += same) { /* those of one state together */
        for (same = 1; r + same < n && state[r + same] == state[r];) same++;
        given->fill(given->self, state[r], action + r, same, to + r * given->width);
    }
    return to;
}

/* The features given of n states (NULL: from, from + 1 ...) with `rows` actions of the offer from b on. */
static const float *block_features(dq_agent *a, const uint32_t *number, size_t from, size_t n, uint32_t b,
                                   uint32_t rows)
{
    const dq_pair_features *given = &a->config.given;
    float *to = dqn_of(a)->block_features;
    if (!given->width) return NULL;
    for (size_t i = 0; i < n; i++)
        given->fill(given->self, agent_number(number, from + i), a->offer + b, rows,
                    to + i * rows * given->width);
    return to;
}

/* States from .. from + n - 1, at most AGENT_ACT_ROWS; a head on actions. */
static void score_offer(dq_agent *a, const dq_vectors *states, const uint32_t *number, size_t from, size_t n,
                        float *q)
{
    dqn *d = dqn_of(a);
    const float *at[AGENT_ACT_ROWS];
    for (size_t i = 0; i < n; i++) at[i] = states->at[agent_number(number, from + i)];
    for (uint32_t b = 0; b < a->offered; b += DQN_BLOCK) {
        uint32_t rows = gather(a, d, b);
        dq_net_score(d->q, at, n, d->block, a->shape.action_width, rows,
                     block_features(a, number, from, n, b, rows), q + b, a->offered);
    }
}

/* Whether the offer is all actions in their order. */
static bool offers_all(const dq_agent *a)
{
    if (a->offered != a->shape.action_count) return false;
    for (uint32_t i = 0; i < a->offered; i++)
        if (a->offer[i] != i) return false;
    return true;
}

/* At most rows_of_all states; a head with outputs. */
static void predict_offer(dq_agent *a, const dq_vectors *states, const uint32_t *number, size_t n, float *q)
{
    dqn *d = dqn_of(a);
    size_t count = a->shape.action_count;
    const dq_net_rows rows = {.states = *states, .state = number, .rows = n};
    bool all = offers_all(a);
    dq_net_predict(d->q, &rows, all ? q : d->all);
    for (size_t i = 0; !all && i < n; i++)
        for (uint32_t j = 0; j < a->offered; j++) q[i * a->offered + j] = d->all[i * count + a->offer[j]];
}

void dqn_values(dq_agent *a, const dq_vectors *states, const uint32_t *number, size_t n, float *q)
{
    uint32_t numbers[AGENT_ACT_ROWS];
    size_t block = dqn_on_actions(a) ? AGENT_ACT_ROWS : rows_of_all(a);
    for (size_t i = 0; i < n; i += block, q += block * a->offered) {
        size_t rows = n - i < block ? n - i : block;
        if (dqn_on_actions(a)) {
            score_offer(a, states, number, i, rows, q);
            continue;
        }
        for (size_t j = 0; j < rows; j++) numbers[j] = agent_number(number, i + j);
        predict_offer(a, states, numbers, rows, q);
    }
}

/* ---- the best of the next states ---- */

/* The same state among the latest that are missing, or `missing`: rows of a log that were passed over follow
 * the one that was taken, all in one state. */
static size_t find_near(const dqn_maxima *m, size_t missing, uint32_t state)
{
    enum { NEAR = 8 };
    for (size_t i = missing; i > 0 && missing - i < NEAR; i--)
        if (m->state[i - 1] == state) return i - 1;
    return missing;
}

/* Where the maximum of row i's next state stands. */
static size_t place_of(const dq_agent *a, const dqn *d, const dqn_batch *b, size_t i, size_t missing)
{
    const dqn_maxima *m = &d->maxima;
    uint32_t next = b->row[i].next;
    if (a->numbered) return next;
    if (m->places && b->states == dq_replay_states(d->replay)) return next / 2;
    size_t near = find_near(m, missing, next);
    return near < missing ? m->place[near] : m->places + i;
}

/* What was remembered since the last look stands in slots whose maxima are of others. */
static void drop_replaced(const dq_agent *a, dqn *d)
{
    dqn_maxima *m = &d->maxima;
    uint64_t pushed = dq_replay_pushed(d->replay), capacity = dq_replay_capacity(d->replay);
    if (a->numbered || !m->places) return;
    if (pushed - m->pushed > capacity) m->pushed = pushed - capacity;
    for (; m->pushed < pushed; m->pushed++) m->valid[m->pushed % capacity] = 0;
}

/* Lists the next states whose maximum is not known; returns how many. */
static size_t list_missing(const dq_agent *a, dqn *d, const dqn_batch *b)
{
    dqn_maxima *m = &d->maxima;
    size_t missing = 0;
    drop_replaced(a, d);
    if (!m->stands) m->version++;
    memset(m->valid + m->places, 0, b->n * sizeof *m->valid);
    for (size_t i = 0; i < b->n; i++) {
        if (b->row[i].done) continue;
        size_t place = m->of_row[i] = place_of(a, d, b, i, missing);
        if (m->valid[place] == m->version) continue;
        m->valid[place] = m->version;
        m->place[missing] = place;
        m->state[missing] = b->row[i].next;
        m->at[missing++] = b->states->at[b->row[i].next];
    }
    return missing;
}

/* The best of the offer by net for each missing state into found and action; a head on actions. */
static void score_missing(dq_agent *a, dq_net *net, size_t missing)
{
    dqn *d = dqn_of(a);
    dqn_maxima *m = &d->maxima;
    for (size_t s = 0; s < missing; s++) m->found[s] = -INFINITY;
    for (uint32_t from = 0; from < a->offered; from += DQN_BLOCK) {
        uint32_t rows = gather(a, d, from);
        dq_net_score(net, m->at, missing, d->block, a->shape.action_width, rows,
                     block_features(a, m->state, 0, missing, from, rows), m->scores, DQN_BLOCK);
        for (size_t s = 0; s < missing; s++) {
            const float *q = m->scores + s * DQN_BLOCK;
            uint32_t best = agent_best(q, rows);
            if (from > 0 && !(q[best] > m->found[s])) continue;
            m->found[s] = q[best];
            m->action[s] = a->offer[from + best];
        }
    }
}

/* The same; a head with outputs. */
static void predict_missing(dq_agent *a, dq_net *net, const dq_vectors *states, size_t missing)
{
    dqn_maxima *m = &dqn_of(a)->maxima;
    const dq_net_rows rows = {.states = *states, .state = m->state, .rows = missing};
    dq_net_predict(net, &rows, m->scores);
    for (size_t s = 0; s < missing; s++) {
        const float *q = m->scores + s * a->shape.action_count;
        m->action[s] = a->offer[0];
        for (uint32_t j = 1; j < a->offered; j++)
            if (q[a->offer[j]] > q[m->action[s]]) m->action[s] = a->offer[j];
        m->found[s] = q[m->action[s]];
    }
}

/* found = Q(state, action; target) of n rows that are listed in state and action. */
static void value_listed(dq_agent *a, const dq_vectors *states, size_t n)
{
    dqn *d = dqn_of(a);
    dqn_maxima *m = &d->maxima;
    dq_net_rows rows = {.states = *states, .state = m->state, .action = m->action, .rows = n};
    if (dqn_on_actions(a)) rows.actions = a->actions;
    rows.features = dqn_given(a, m->state, m->action, n);
    dq_net_predict(d->target, &rows, m->found);
}

static void fill_missing(dq_agent *a, const dq_vectors *states, size_t missing)
{
    dqn *d = dqn_of(a);
    dqn_maxima *m = &d->maxima;
    dq_net *chooses = a->config.double_q ? d->q : d->target;
    if (dqn_on_actions(a))
        score_missing(a, chooses, missing);
    else
        predict_missing(a, chooses, states, missing);
    if (a->config.double_q) value_listed(a, states, missing);
    for (size_t s = 0; s < missing; s++) m->value[m->place[s]] = m->found[s];
}

/* ---- targets ---- */

/* What the value of its next state adds to a transition's target. */
static void add_value(const dq_agent *a, const dq_transition *row, float value, float *wanted)
{
    *wanted += (float)a->config.gamma * row->discount * (float)agent_bound(a, (double)value);
}

/* The shortcut: the taken action's value in the next state. */
static void add_same(dq_agent *a, const dqn_batch *b, float *wanted)
{
    dqn_maxima *m = &dqn_of(a)->maxima;
    for (size_t i = 0; i < b->n; i++) {
        m->state[i] = b->row[i].next;
        m->action[i] = b->row[i].action;
    }
    value_listed(a, b->states, b->n);
    for (size_t i = 0; i < b->n; i++)
        if (!b->row[i].done) add_value(a, &b->row[i], m->found[i], &wanted[i]);
}

void dqn_targets(dq_agent *a, const dqn_batch *b, float *wanted)
{
    dqn *d = dqn_of(a);
    for (size_t i = 0; i < b->n; i++) wanted[i] = b->row[i].reward;
    if (a->config.gamma == 0) return;
    if (a->config.bootstrap == DQ_BOOTSTRAP_SAME) {
        add_same(a, b, wanted);
        return;
    }
    size_t missing = list_missing(a, d, b);
    if (missing) fill_missing(a, b->states, missing);
    for (size_t i = 0; i < b->n; i++)
        if (!b->row[i].done) add_value(a, &b->row[i], d->maxima.value[d->maxima.of_row[i]], &wanted[i]);
}
