/* SPDX-License-Identifier: MIT */
#include "offline/rows.h"

#include "core/buffers.h"
#include "math/sample.h"
#include "offline/offline_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- users and items ---- */

static dq_status note_met(dq_offline_catalogue *c, const dq_dataset *dataset, dq_error *error)
{
    const dq_catalogue *catalogue = &dataset->catalogue;
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < c->count; i++)
        status = dq_pairset_add(&c->met, c->user[i], c->action[i], NULL, error);
    for (size_t i = 0; !status && i < catalogue->interaction_count; i++) {
        const dq_interaction *x = &catalogue->interactions[i];
        if (x->user != DQ_ABSENT && x->item != DQ_ABSENT)
            status = dq_pairset_add(&c->met, x->user, x->item, NULL, error);
    }
    return status;
}

dq_status dq_offline_catalogue_init(dq_offline_catalogue *c, const dq_dataset *dataset, dq_error *error)
{
    size_t n = dataset->count;
    *c = (dq_offline_catalogue){.users = dq_entities_vectors(&dataset->catalogue.users),
                                .items = dq_entities_count(&dataset->catalogue.items),
                                .count = n,
                                .transitions = dataset->transitions,
                                .propensity = dataset->propensity};
    const dq_buffer buffers[] = {
        DQ_BUFFER(c->reward, n),
        DQ_BUFFER(c->user, n),
        DQ_BUFFER(c->action, n),
    };
    if (!dq_buffers_take(&c->arena, buffers, DQ_BUFFERS(buffers)))
        return dq_fail_memory(error, "transitions");
    for (size_t i = 0; i < n; i++) {
        c->user[i] = dataset->transitions[i].state;
        c->action[i] = dataset->transitions[i].action;
        c->reward[i] = dataset->transitions[i].reward;
    }
    return note_met(c, dataset, error);
}

void dq_offline_catalogue_free(dq_offline_catalogue *c)
{
    dq_arena_free(&c->arena);
    dq_pairset_free(&c->met);
    *c = (dq_offline_catalogue){0};
}

static void fill_numbers(void *self, size_t row, dq_transition *transition, float *state, float *next)
{
    const dq_offline_catalogue *c = self;
    (void)state;
    (void)next;
    *transition = c->transitions[row];
    transition->reward = c->reward[row];
}

dq_offline_rows dq_offline_catalogue_rows(dq_offline_catalogue *c, const uint32_t *group)
{
    bool ends = false;
    for (size_t r = 0; r < c->count; r++) ends = ends || c->transitions[r].done;
    return (dq_offline_rows){.self = c,
                             .count = c->count,
                             .users = c->users.count,
                             .user = c->user,
                             .group = group,
                             .action = c->action,
                             .reward = c->reward,
                             .propensity = c->propensity,
                             .actions = c->items,
                             .state_width = c->users.width,
                             .states = c->users,
                             .fill = fill_numbers,
                             .met = &c->met,
                             .ends = ends};
}

/* ---- vectors ---- */

dq_offline_vectors dq_offline_vectors_of(const dq_state_log *log)
{
    return (dq_offline_vectors){.count = log->count,
                                .state_width = log->width,
                                .actions = log->actions,
                                .episodes = (uint32_t)dq_index_count(&log->episodes),
                                .state = log->state,
                                .next = log->next,
                                .action = log->action,
                                .episode = log->episode,
                                .reward = log->reward,
                                .propensity = log->propensity,
                                .done = log->done};
}

dq_status dq_offline_vectors_shape(const dq_state_log *log, const dq_vectors *items, dq_env_spec *shape,
                                   bool *named, dq_error *error)
{
    const dq_session_layout *layout = &log->layout;
    *named = layout->item_width > 0 && items->count > 0;
    *shape = layout->item_width ? dq_env_session_spec(layout, log->actions, *named ? items->at : NULL)
                                : (dq_env_spec){.state_width = log->width, .action_count = log->actions};
    if (!*named || (items->count == log->actions && items->width == layout->item_width)) return DQ_OK;
    return dq_fail(error, DQ_ERR_RANGE,
                   "the transitions are of %u items, %u wide, and the stream has %u items, %u wide",
                   log->actions, layout->item_width, items->count, items->width);
}

dq_status dq_offline_vectors_learn_shape(dq_offline_vectors *log, const dq_bundle *model, dq_arena *arena,
                                         dq_env_spec *shape, dq_error *error)
{
    const char *kind;
    dq_agent_config config;
    dq_env_spec known;
    dq_status status = dq_agent_read_config(model, &kind, &config, &known, error);
    if (status) return status;
    if (known.states.count || known.state_width != shape->state_width ||
        known.action_count < shape->action_count)
        return DQ_OK; /* another environment, as the agent will say */
    *shape = known;
    log->actions = known.action_count;
    if (!known.action_width) return DQ_OK;
    const float **at = dq_arena_zero(arena, known.action_count, sizeof *at);
    shape->actions = at;
    return at ? dq_agent_read_actions(model, &known, at, error) : dq_fail_memory(error, "the input");
}

static bool follows(const dq_offline_vectors *log, size_t before, size_t row)
{
    size_t width = log->state_width;
    return !log->done[before] &&
           memcmp(log->next + before * width, log->state + row * width, width * sizeof(float)) == 0;
}

dq_status dq_offline_vectors_follow(dq_offline_vectors *log, dq_error *error)
{
    uint32_t *latest = malloc(((size_t)log->episodes + 1) * sizeof *latest); /* row of each episode */
    log->following = malloc((log->count + 1) * sizeof *log->following);
    if (!latest || !log->following) {
        free(latest);
        return dq_fail_memory(error, "transitions");
    }
    for (uint32_t e = 0; e < log->episodes; e++) latest[e] = DQ_OFFLINE_NO_ROW;
    for (size_t r = 0; r < log->count; r++) {
        uint32_t *before = &latest[log->episode[r]];
        if (*before != DQ_OFFLINE_NO_ROW && follows(log, *before, r)) log->following[*before] = (uint32_t)r;
        log->following[r] = DQ_OFFLINE_NO_ROW;
        *before = (uint32_t)r;
    }
    free(latest);
    return DQ_OK;
}

static void fill_vectors(void *self, size_t row, dq_transition *transition, float *state, float *next)
{
    const dq_offline_vectors *log = self;
    size_t width = log->state_width;
    if (state) memcpy(state, log->state + row * width, width * sizeof *state);
    if (next) memcpy(next, log->next + row * width, width * sizeof *next);
    *transition = (dq_transition){
        .action = log->action[row], .reward = log->reward[row], .done = log->done[row] != 0};
}

dq_offline_rows dq_offline_vectors_rows(dq_offline_vectors *log)
{
    bool ends = false;
    for (size_t r = 0; r < log->count; r++) ends = ends || log->done[r];
    return (dq_offline_rows){.self = log,
                             .count = log->count,
                             .users = log->episodes,
                             .user = log->episode,
                             .action = log->action,
                             .reward = log->reward,
                             .propensity = log->propensity,
                             .actions = log->actions,
                             .state_width = log->state_width,
                             .fill = fill_vectors,
                             .following = log->following,
                             .ends = ends};
}

/* ---- rows of a batch ---- */

/* Adds what follows: the rewards of up to n - 1 rows more, while there are any. Returns the last row. */
static uint32_t sum_steps(dq_offline *run, uint32_t row, dq_transition *t)
{
    const dq_offline_rows *rows = &run->rows;
    double sum = (double)t->reward, discount = 1;
    for (uint32_t i = 1; i < run->config.n_step && !t->done; i++) {
        uint32_t after = rows->following[row];
        dq_transition step;
        if (after == DQ_OFFLINE_NO_ROW || isnan(rows->reward[after])) break;
        row = after;
        rows->fill(rows->self, row, &step, NULL, NULL);
        discount *= run->gamma;
        sum += discount * (double)step.reward;
        t->next = step.next;
        t->done = step.done;
    }
    t->reward = (float)sum;
    t->discount = (float)discount;
    return row;
}

bool offline_fill(dq_offline *run, size_t k, uint32_t row)
{
    const dq_offline_rows *rows = &run->rows;
    dq_transition *t = &run->batch[k];
    float *state = offline_vector(run, 2 * k), *next = offline_vector(run, 2 * k + 1);
    bool single = run->config.n_step < 2;
    rows->fill(rows->self, row, t, state, single ? next : NULL);
    bool ends = t->done;
    t->discount = 1;
    if (!single) {
        dq_transition last;
        uint32_t to = sum_steps(run, row, t);
        if (next) rows->fill(rows->self, to, &last, NULL, next);
    }
    if (state) {
        t->state = (uint32_t)(2 * k);
        t->next = (uint32_t)(2 * k + 1);
    }
    return ends;
}

void offline_pass_over(dq_offline *run, size_t k, size_t of, bool ends, uint32_t action)
{
    uint32_t state = run->batch[of].state;
    run->batch[k] = (dq_transition){.state = state,
                                    .action = action,
                                    .next = state,
                                    .reward = run->config.negative_reward,
                                    .discount = 1,
                                    .done = ends};
}

/* ---- weights by propensity ---- */

static double balance(const dq_offline *run, uint32_t row)
{
    return fmin(1 / (double)run->rows.propensity[row], run->config.balance);
}

dq_status offline_balance(dq_offline *run, dq_error *error)
{
    double sum = 0;
    if (!(run->config.balance > 0)) return DQ_OK;
    for (size_t i = 0; i < run->order_count; i++) {
        uint32_t row = run->order[i];
        double p = run->rows.propensity ? (double)run->rows.propensity[row] : NAN;
        if (!(p > 0 && p <= 1))
            return dq_fail(error, DQ_ERR_RANGE,
                           "a row without a propensity in (0, 1], by which it should weigh");
        sum += balance(run, row);
    }
    run->weight_unit = (double)run->order_count / sum;
    return DQ_OK;
}

float offline_weight(const dq_offline *run, uint32_t row)
{
    return run->config.balance > 0 ? (float)(run->weight_unit * balance(run, row)) : 1;
}

size_t offline_add_row(dq_offline *run, size_t n, uint32_t row, float weight)
{
    bool ends = offline_fill(run, n, row);
    size_t count = 1;
    for (; count <= run->config.negatives; count++) {
        uint32_t action = dq_sample_unmet(run->rows.met, run->rows.user[row], run->rows.actions,
                                          &run->rng[RNG_NEGATIVES]);
        if (action == UINT32_MAX) break;
        offline_pass_over(run, n + count, n, ends, action);
    }
    for (size_t i = 0; i < count; i++) run->weight[n + i] = weight;
    return count;
}
