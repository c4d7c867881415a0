/* SPDX-License-Identifier: MIT
 *
 * Agents that learnt where users meet items, from a log or in an environment: where a user stands is what he
 * met, so interactions and all items are held, and a user's scores are computed together. What the lists then
 * take for a user's vector is his value of each action.
 */
#include "rank/sessions.h"

#include "learn/bandit/bandit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the model ---- */

/* A table of a catalogue knows users by their numbers alone; a bandit has no network to score pairs by. */
bool dq_rank_sessions_fits(const dq_bundle *model)
{
    const dq_value *spec = dq_map_get(&model->meta, "env_spec");
    bool numbered = spec && dq_value_integer(dq_map_get(spec, "states"), 0) > 0;
    const dq_value *kind = dq_map_get(&model->meta, "architecture");
    bool bandit = dq_value_is(kind, "linucb") || dq_value_is(kind, "thompson");
    bool named = dq_map_get(&model->meta, "items") && !dq_value_is(kind, "tabular");
    return dq_map_get(&model->meta, "states") || (numbered && (named || bandit));
}

dq_status dq_rank_sessions_load(dq_rank_sessions *s, dq_bundle *model, dq_error *error)
{
    dq_status status = dq_agent_read_config(model, &s->kind, &s->config, &s->shape, error);
    s->catalogue = s->shape.states.count > 0;
    if (!status && s->catalogue && s->shape.state_width != s->shape.user_width)
        status = dq_fail(error, DQ_ERR_SCHEMA, "the model's states are not the users of a catalogue");
    if (!status) status = dq_model_items_load(&s->learnt, model, s->shape.action_count, error);
    if (!status && !s->learnt.digest && s->config.head == DQ_HEAD_OUTPUTS)
        status = dq_fail(error, DQ_ERR_SCHEMA, "the model does not name the items of its outputs");
    if (!status && !s->catalogue) status = dq_session_log_as(&s->log, model, &s->shape.layout, error);
    if (status) return status;
    s->model = *model;
    *model = DQ_BUNDLE_EMPTY;
    s->on = true;
    return DQ_OK;
}

/* ---- what it learnt from, and what is here ---- */

/* Each item here must be one of those that it learnt, where it has an output for each; and in any case no
 * other under an equal id. */
static dq_status find_learnt(dq_rank_sessions *s, const dq_rank_items *items, dq_error *error)
{
    const dq_index *ids = &items->identity.ids;
    const dq_vectors vectors = {s->vectors, (uint32_t)dq_index_count(ids), items->width};
    dq_status status = dq_model_items_match(&s->learnt, ids, &vectors, s->output_of, error);
    for (uint32_t i = 0; !status && s->config.head == DQ_HEAD_OUTPUTS && i < vectors.count; i++) {
        size_t n;
        const char *id = dq_index_id(ids, i, &n);
        if (s->output_of[i] == DQ_ABSENT)
            status = dq_fail(error, DQ_ERR_UNKNOWN,
                             "item %.*s has no output: the model has one for each item that it was trained "
                             "with (dq-train --head actions learns from items' vectors, and scores any)",
                             (int)n, id);
    }
    return status;
}

static void find_vectors(dq_rank_sessions *s, const dq_rank_block *blocks, size_t count)
{
    for (size_t b = 0; b < count; b++)
        for (uint32_t r = 0; r < blocks[b].rows; r++)
            s->vectors[blocks[b].first + r] = blocks[b].vectors + (size_t)r * blocks[b].width;
}

/* A head on actions scores the items that are here. */
static void take_actions(dq_rank_sessions *s, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) s->output_of[i] = i;
    s->shape.actions = s->vectors;
    if (!s->catalogue) s->shape.action_width = s->shape.item_width;
    s->shape.action_count = count;
}

/* Some users at a time are the states, one after the other. What learnt with actions' vectors has them here,
 * too; those of items that are not here are asked for nothing. */
static dq_status take_users(dq_rank_sessions *s, const dq_vectors *users, uint32_t items, dq_error *error)
{
    static const float none[1];
    const uint32_t room = users->count > DQ_RANK_SESSIONS_GROUP ? users->count : DQ_RANK_SESSIONS_GROUP;
    s->users = calloc(room, sizeof *s->users);
    s->actions = calloc(s->shape.action_count, sizeof *s->actions);
    if (!s->users || !s->actions) return dq_fail_memory(error, "the users");
    memcpy(s->users, users->at, users->count * sizeof *s->users);
    for (uint32_t a = 0; a < s->shape.action_count; a++) s->actions[a] = items ? s->vectors[0] : none;
    for (uint32_t i = 0; i < items; i++) s->actions[s->output_of[i]] = s->vectors[i];
    if (s->shape.action_width) s->shape.actions = s->actions;
    s->shape.states = (dq_vectors){s->users, room, s->shape.state_width};
    return DQ_OK;
}

static dq_status make_agent(dq_rank_sessions *s, dq_pool *pool, dq_error *error)
{
    bool given = s->catalogue || s->config.head == DQ_HEAD_ACTIONS;
    const dq_env_spec *shape = given ? &s->shape : NULL;
    return dq_agent_of_model(&s->agent, &s->model, shape, pool, error);
}

/* ---- who met what ---- */

/* Rows of the events' users among the lists, and of their items among those here. */
static dq_status find_rows(const dq_rank_sessions *s, const dq_rank_lists *lists, const dq_index *users,
                           const dq_rank_items *items, uint32_t *user_row, uint32_t *item_row,
                           dq_error *error)
{
    size_t n;
    for (uint32_t u = 0; u < dq_index_count(&s->log.users); u++) {
        const char *id = dq_index_id(&s->log.users, u, &n);
        uint32_t row = dq_index_find(users, id, n);
        if (row == DQ_ABSENT)
            return dq_fail(error, DQ_ERR_UNKNOWN, "an interaction of user %.*s, who is not in the stream",
                           (int)n, id);
        user_row[u] = lists->of_row[row];
    }
    for (uint32_t i = 0; i < dq_index_count(&s->log.items); i++) {
        const char *id = dq_index_id(&s->log.items, i, &n);
        item_row[i] = dq_index_find(&items->identity.ids, id, n);
        if (item_row[i] == DQ_ABSENT)
            return dq_fail(error, DQ_ERR_UNKNOWN, "an interaction with item %.*s, which is not in the stream",
                           (int)n, id);
    }
    return DQ_OK;
}

static dq_status order_events(dq_rank_sessions *s, const dq_rank_lists *lists, const dq_index *users,
                              const dq_rank_items *items, dq_error *error)
{
    uint32_t *user_row = malloc((dq_index_count(&s->log.users) + 1) * sizeof *user_row);
    uint32_t *item_row = malloc((dq_index_count(&s->log.items) + 1) * sizeof *item_row);
    dq_status status = user_row && item_row ? dq_session_log_sort(&s->log, error)
                                            : dq_fail(error, DQ_ERR_MEMORY, "out of memory for interactions");
    if (!status) status = find_rows(s, lists, users, items, user_row, item_row, error);
    if (!status)
        status = dq_session_log_rows(&s->log, user_row, item_row, (uint32_t)lists->count, &s->by_user, error);
    free(user_row);
    free(item_row);
    return status;
}

/* What an agent of trajectories reads is all that a user met in the session. */
dq_status dq_rank_sessions_follow(dq_rank_sessions *s, const float *const *users, uint32_t count,
                                  dq_error *error)
{
    free(s->before);
    s->before = malloc((2 * (size_t)s->by_user.first[count] + 1) * sizeof *s->before);
    if (!s->before) return dq_fail_memory(error, "interactions");
    dq_sessions_free(s->sessions);
    s->sessions = NULL;
    if (!s->past) return DQ_OK;
    s->by_user.users = (dq_vectors){users, count, s->shape.user_width};
    s->by_user.items = s->item_vectors;
    s->by_user.layout = s->shape.layout;
    return dq_sessions_new(&s->sessions, &s->by_user, false, error);
}

dq_status dq_rank_sessions_fit(dq_rank_sessions *s, const dq_entities *users, const dq_vectors *states,
                               const dq_rank_items *items, const dq_rank_block *blocks, size_t block_count,
                               dq_pool *pool, dq_error *error)
{
    uint32_t count = (uint32_t)dq_index_count(&items->identity.ids);
    dq_status status = dq_layout_fits(dq_entities_layout(users), dq_rank_items_layout(items),
                                      s->shape.user_width,
                                      s->catalogue ? s->shape.action_width : s->shape.item_width,
                                      dq_map_get(&s->model.meta, "layout"), error);
    if (status) return status;
    s->vectors = calloc((size_t)count + 1, sizeof *s->vectors);
    s->output_of = calloc((size_t)count + 1, sizeof *s->output_of);
    if (!s->vectors || !s->output_of) return dq_fail_memory(error, "the items");
    find_vectors(s, blocks, block_count);
    status = find_learnt(s, items, error);
    if (!status && s->config.head == DQ_HEAD_ACTIONS) take_actions(s, count);
    if (!status && s->catalogue) status = take_users(s, states, count, error);
    if (!status) status = make_agent(s, pool, error);
    if (status) return status;
    s->item_vectors = (dq_vectors){.at = s->vectors, .count = count, .width = items->width};
    s->states = calloc((size_t)DQ_RANK_SESSIONS_GROUP * s->shape.state_width, sizeof *s->states);
    size_t each = s->bandit.draws > DQ_RANK_SESSIONS_GROUP ? s->bandit.draws : DQ_RANK_SESSIONS_GROUP;
    s->values = malloc(each * s->shape.action_count * sizeof *s->values);
    if (!s->states || !s->values) return dq_fail_memory(error, "values");
    const dq_trajectory of = dq_trajectory_of(&s->config, dq_agent_get_shape(s->agent));
    return of.context ? dq_trajectories_new(&s->past, &of, DQ_RANK_SESSIONS_GROUP, error) : DQ_OK;
}

dq_status dq_rank_sessions_begin(dq_rank_sessions *s, dq_rank_lists *lists, const dq_entities *users,
                                 const dq_rank_items *items, const dq_rank_block *blocks, size_t block_count,
                                 dq_pool *pool, dq_error *error)
{
    const dq_vectors states = {lists->vectors, (uint32_t)lists->count, s->shape.user_width};
    dq_status status = dq_rank_sessions_fit(s, users, &states, items, blocks, block_count, pool, error);
    if (status || s->catalogue) return status;
    status = order_events(s, lists, &users->identity.ids, items, error);
    return status ? status : dq_rank_sessions_follow(s, lists->vectors, (uint32_t)lists->count, error);
}

/* ---- values ---- */

static void fill_state(dq_rank_sessions *s, const float *user, size_t list, float *state)
{
    dq_session_place place = dq_session_rows_end(&s->by_user, (uint32_t)list, s->before);
    place.user = user;
    dq_session_state(&s->shape.layout, &s->item_vectors, &place, state);
}

/* The events of a user's latest session, one after the other, to where he stands. The wish is of what comes
 * then: how long a session goes on nobody knows. */
static void fill_past(dq_rank_sessions *s, const float *user, size_t list, size_t at, float *state)
{
    const dq_session_rows *rows = &s->by_user;
    const dq_offline_rows events = dq_sessions_rows(s->sessions, NULL);
    uint32_t end = rows->first[list + 1], from = end;
    double had = 0;
    dq_transition t;
    while (from > rows->first[list] && (from == end || !dq_session_rows_cut(rows, from))) {
        from--;
        if (!isnan(rows->reward[from])) had += (double)rows->reward[from];
    }
    for (uint32_t e = from; e < end; e++) {
        events.fill(events.self, e, &t, e == from ? state : NULL, NULL);
        if (e == from) dq_trajectories_begin(s->past, at, state, had);
        events.fill(events.self, e, &t, NULL, state);
        dq_trajectories_step(s->past, at, s->output_of[t.action], t.reward, state);
    }
    if (from < end) return;
    fill_state(s, user, list, state);
    dq_trajectories_begin(s->past, at, state, 0);
}

/* What the first n of a group are worth, by number in a store. */
static void find_values(dq_rank_sessions *s, const dq_vectors *store, const uint32_t *number, size_t n)
{
    const dq_rank_bandit *b = &s->bandit;
    for (size_t i = 0; b->upper && i < n; i++)
        dq_bandit_upper(s->agent, store, number[i], b->spread, s->values + i * s->shape.action_count);
    if (b->draws) dq_bandit_draw(s->agent, store, number[0], b->spread, b->draws, &s->bandit.rng, s->values);
    if (!b->upper && !b->draws) /* always so many: a product's last digits depend on its height */
        dq_agent_values(s->agent, store, number, DQ_RANK_SESSIONS_GROUP, s->values);
}

void dq_rank_sessions_values(dq_rank_sessions *s, const float *const *users, size_t first, size_t n)
{
    enum { GROUP = DQ_RANK_SESSIONS_GROUP };
    const float *at[GROUP];
    uint32_t number[GROUP];
    for (size_t i = 0; i < n && !s->catalogue; i++) {
        float *state = s->states + i * s->shape.state_width;
        if (s->past)
            fill_past(s, users[i], first + i, i, state);
        else
            fill_state(s, users[i], first + i, state);
    }
    for (uint32_t i = 0; i < GROUP; i++) {
        at[i] = s->states + i * s->shape.state_width;
        if (s->catalogue)
            s->users[i] = users[i < n ? i : 0]; /* the agent's states are these, whatever is given */
        number[i] = i;
    }
    const dq_vectors rows = {.at = at, .count = GROUP, .width = s->shape.state_width};
    const dq_vectors *store = s->past ? dq_trajectories_store(s->past) : &rows;
    find_values(s, store, number, n);
}

size_t dq_rank_sessions_next(dq_rank_sessions *s, dq_rank_lists *lists)
{
    const size_t most = s->bandit.draws ? 1 : DQ_RANK_SESSIONS_GROUP; /* samples are of one user at a time */
    size_t n = lists->count - s->done;
    if (n > most) n = most;
    if (n && s->bandit.draws) {
        const dq_rank_user *user = &lists->users[s->done];
        s->bandit.rng = dq_explore_rng(s->bandit.seed, user->id, user->id_bytes, "posterior", 9);
    }
    if (n) dq_rank_sessions_values(s, lists->vectors + s->done, s->done, n);
    for (size_t i = 0; i < n; i++) lists->vectors[s->done + i] = s->values + i * s->shape.action_count;
    s->done += n;
    return n;
}

/* Of a table, what its world is is no network. */
bool dq_rank_sessions_has_world(const dq_rank_sessions *s)
{
    return s->on && s->config.world && strcmp(s->kind, "dyna-q") == 0;
}

dq_status dq_rank_sessions_rewards(dq_rank_sessions *s, size_t i, float *rewards, dq_error *error)
{
    const uint32_t width = s->shape.state_width, count = s->item_vectors.count;
    const float *at = s->states + i * width; /* of a catalogue its own states count, as for the values */
    const dq_vectors store = {.at = &at, .count = 1, .width = width};
    uint32_t *number = calloc((size_t)count + 1, sizeof *number);
    float *next = s->catalogue ? NULL : malloc(((size_t)count * width + 1) * sizeof *next);
    dq_status status = number && (next || s->catalogue) ? DQ_OK : dq_fail_memory(error, "rewards");
    for (uint32_t k = 0; number && s->catalogue && k < count; k++) number[k] = (uint32_t)i;
    if (!status)
        status = dq_agent_predict(s->agent, &store, number, s->output_of, count, next, rewards, NULL, NULL,
                                  error);
    free(number);
    free(next);
    return status;
}

void dq_rank_sessions_free(dq_rank_sessions *s)
{
    dq_agent_free(s->agent);
    dq_trajectories_free(s->past);
    dq_sessions_free(s->sessions);
    dq_session_rows_free(&s->by_user);
    dq_session_log_free(&s->log);
    dq_model_items_free(&s->learnt);
    dq_bundle_free(&s->model);
    free(s->vectors);
    free(s->users);
    free(s->actions);
    free(s->output_of);
    free(s->before);
    free(s->states);
    free(s->values);
}
