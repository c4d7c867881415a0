/* SPDX-License-Identifier: MIT
 *
 * The agent's side of the protocol (docs/environments.md):
 *
 *     its stream                                    ours
 *     env     rows = actions; meta.state, ...
 *                                                   reset  env, seed
 *     state   state
 *                                                   step   env, action
 *     state   state, reward, terminal, truncated
 *
 * Nothing that it says is believed before it is checked: kinds, rows, widths, types, finite numbers.
 */
#include "rollout/client.h"

#include "rollout/seed.h"

#include "core/array.h"
#include "core/buffers.h"
#include "core/record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A state's width is a claim, for which states and networks take memory before the first one comes. */
enum { MAX_ACTIONS = 1 << 22, MAX_STATE = 1 << 20, MAX_WIDTH = 1 << 24, MAX_STEPS = 1 << 30 };

/* The actions of a running episode: what it takes to play it again. */
typedef struct taken {
    uint32_t *action;
    uint32_t count;
    size_t capacity;
} taken;

struct dq_env_client {
    dq_coprocess *talk;
    dq_bundle announced; /* its environment */
    taken *taken;        /* (count) */
    uint32_t *chosen;    /* (count) */
    uint64_t *seeds;     /* (count) */
    dq_bundle answer;
};

/* Its mistake, named by its command. */
static dq_status blame(const dq_vec_env *envs, dq_status status, dq_error *error)
{
    return status ? dq_error_at(error, envs->config.command, DQ_NO_RECORD) : DQ_OK;
}

/* Row r of a column of floats. */
static dq_status take_floats(const dq_column *c, uint64_t r, float *to, dq_error *error)
{
    size_t width = (size_t)dq_column_width(c);
    const unsigned char *from = c->data;
    dq_convert_f4(to, from + r * width * dq_dtype_size(c->type), c->type, width);
    for (size_t i = 0; i < width; i++)
        if (!isfinite(to[i]))
            return dq_fail(error, DQ_ERR_NUMERIC, "its %s has a number that is not finite", c->name);
    return DQ_OK;
}

/* ---- the announcement ---- */

static dq_status read_count(const dq_bundle *announced, const char *name, int64_t min, int64_t max,
                            uint32_t *to, dq_error *error)
{
    const dq_value *value = dq_map_get(&announced->meta, name);
    int64_t n = dq_value_integer(value, value ? -1 : 0);
    *to = (uint32_t)n;
    if (n >= min && n <= max) return DQ_OK;
    return dq_fail(error, DQ_ERR_SCHEMA, "its environment: meta.%s is not a whole number, %lld to %lld", name,
                   (long long)min, (long long)max);
}

static dq_status read_actions(dq_vec_env *envs, const dq_bundle *announced, dq_error *error)
{
    const dq_column *c = dq_bundle_column(announced, "vector");
    dq_status status = DQ_OK;
    if (!c) return DQ_OK;
    if (c->dims != 2 || c->type > DQ_F8 || c->shape[1] == 0 || c->shape[1] > MAX_WIDTH || c->nulls)
        return dq_fail(error, DQ_ERR_SCHEMA,
                       "its environment: vector is not floats of shape (actions, width)");
    size_t n = (size_t)announced->rows, width = (size_t)c->shape[1];
    float *vectors = dq_arena_zero(&envs->arena, n * width, sizeof *vectors);
    const float **at = dq_arena_zero(&envs->arena, n, sizeof *at);
    if (!vectors || !at) return dq_fail_memory(error, "an environment process");
    for (size_t a = 0; !status && a < n; a++) {
        at[a] = vectors + a * width;
        status = take_floats(c, a, vectors + a * width, error);
    }
    envs->shape.actions = at;
    envs->shape.action_width = envs->shape.item_width = (uint32_t)width;
    return status;
}

/* The items' ids, each once. */
static dq_status read_ids(dq_vec_env *envs, const dq_bundle *announced, dq_error *error)
{
    const dq_column *ids = dq_bundle_column(announced, "id");
    dq_status status = DQ_OK;
    if (!ids) return DQ_OK;
    if (ids->type != DQ_TEXT || ids->nulls)
        return dq_fail(error, DQ_ERR_SCHEMA, "its environment: id is not the texts of all actions");
    for (uint64_t i = 0; !status && i < announced->rows; i++) {
        size_t n;
        bool added;
        uint32_t row;
        const char *id = dq_column_text(ids, i, &n);
        status = dq_index_add(&envs->items, id, n, &row, &added, error);
        if (!status && !added)
            status = dq_fail(error, DQ_ERR_SCHEMA, "its environment: id %.*s stands twice", (int)n, id);
    }
    return status;
}

static dq_status read_counters(dq_vec_env *envs, dq_bundle *announced, dq_error *error)
{
    const dq_value *names = dq_map_get(&announced->meta, "counters");
    if (!names) return DQ_OK;
    if (names->type != DQ_LIST || names->count > DQ_ENV_COUNTERS)
        return dq_fail(error, DQ_ERR_SCHEMA,
                       "its environment: meta.counters is not a list of at most %d names", DQ_ENV_COUNTERS);
    for (uint32_t i = 0; i < names->count; i++)
        if (!(envs->counters[i] = dq_value_text(&announced->arena, &names->as.list[i])))
            return dq_fail(error, DQ_ERR_SCHEMA,
                           "its environment: meta.counters has something that is no name");
    return DQ_OK;
}

static dq_status read_announced(dq_vec_env *envs, dq_error *error)
{
    dq_bundle *announced = &envs->process->announced;
    dq_env_spec *shape = &envs->shape;
    if (strcmp(announced->kind, "env") != 0)
        return dq_fail(error, DQ_ERR_SCHEMA, "began with a bundle of kind %s, not env", announced->kind);
    if (announced->rows < 1 || announced->rows > MAX_ACTIONS)
        return dq_fail(error, DQ_ERR_SCHEMA, "its environment has %llu actions",
                       (unsigned long long)announced->rows);
    shape->action_count = (uint32_t)announced->rows;
    dq_status status = read_count(announced, "state", 1, MAX_STATE, &shape->state_width, error);
    if (!status) status = read_count(announced, "user", 0, MAX_STATE, &shape->user_width, error);
    if (!status) status = read_count(announced, "history", 0, MAX_STATE, &shape->history, error);
    if (!status) status = read_count(announced, "limit", 0, MAX_STEPS, &shape->step_limit, error);
    if (!status) status = read_actions(envs, announced, error);
    if (!status) status = read_ids(envs, announced, error);
    if (!status) status = dq_session_layout_load(&shape->layout, announced, error);
    if (!status) status = read_counters(envs, announced, error);
    dq_error why = DQ_ERROR_NONE;
    if (!status && dq_env_spec_check(shape, &why))
        status = dq_fail(error, DQ_ERR_SCHEMA, "its environment: %.*s", (int)sizeof why.reason, why.reason);
    return status;
}

dq_status dq_env_client_open(dq_vec_env *envs, dq_error *error)
{
    size_t n = envs->config.count;
    struct dq_env_client *p = envs->process = dq_arena_zero(&envs->arena, 1, sizeof *p);
    if (!p) return dq_fail_memory(error, "an environment process");
    const dq_buffer buffers[] = {DQ_BUFFER(p->taken, n), DQ_BUFFER(p->chosen, n), DQ_BUFFER(p->seeds, n)};
    if (!dq_buffers_take(&envs->arena, buffers, DQ_BUFFERS(buffers)))
        return dq_fail_memory(error, "an environment process");
    dq_status status = dq_coprocess_start(&p->talk, envs->config.command, NULL, NULL, envs->config.maker,
                                          error);
    if (status) return status;
    if (envs->config.stop_asked) dq_coprocess_stop_when(p->talk, envs->config.stop_asked);
    status = dq_coprocess_take(p->talk, &p->announced, error);
    if (!status) status = blame(envs, read_announced(envs, error), error);
    return status;
}

dq_status dq_env_client_close(dq_vec_env *envs, dq_status status, dq_error *error)
{
    struct dq_env_client *p = envs->process;
    status = dq_coprocess_end(p->talk, status, error);
    for (size_t i = 0; p->taken && i < envs->config.count; i++) free(p->taken[i].action);
    dq_bundle_free(&p->announced);
    dq_bundle_free(&p->answer);
    envs->process = NULL;
    return status;
}

/* ---- asking ---- */

/* A reset's seeds or a step's actions, of the first n environments of envs->which; the answer has as many
 * rows. */
static dq_status ask(dq_vec_env *envs, const char *kind, const char *what, dq_dtype type, const void *numbers,
                     size_t n, dq_error *error)
{
    struct dq_env_client *p = envs->process;
    dq_bundle question;
    dq_bundle_free(&p->answer);
    dq_status status = dq_bundle_init(&question, kind, n, error);
    if (!status) status = dq_bundle_add_numbers(&question, "env", DQ_U4, envs->which, NULL, NULL, error);
    if (!status) status = dq_bundle_add_numbers(&question, what, type, numbers, NULL, NULL, error);
    if (!status) status = dq_coprocess_put(p->talk, &question, error);
    dq_bundle_free(&question);
    if (!status) status = dq_coprocess_take(p->talk, &p->answer, error);
    if (status) return status;
    if (strcmp(p->answer.kind, "state") != 0 || p->answer.rows != n)
        return dq_fail(error, DQ_ERR_SCHEMA, "answered %s of %zu environments with %llu rows of kind %s",
                       kind, n, (unsigned long long)p->answer.rows, p->answer.kind);
    return DQ_OK;
}

/* Column `name` of the answer, one number a row. */
static dq_status numbers(const dq_vec_env *envs, const char *name, bool flag, const dq_column **column,
                         dq_error *error)
{
    const dq_column *c = *column = dq_bundle_column(&envs->process->answer, name);
    if (!c || c->dims != 1 || c->nulls || dq_dtype_size(c->type) == 0 || (flag && c->type != DQ_U1))
        return dq_fail(error, DQ_ERR_SCHEMA, "its answer has no column %s of %s", name,
                       flag ? "u1" : "numbers");
    for (uint64_t i = 0; i < c->shape[0]; i++) {
        double x = dq_column_number(c, i);
        if (!isfinite(x)) return dq_fail(error, DQ_ERR_NUMERIC, "its %s is not a finite number", name);
        if (flag && x > 1) return dq_fail(error, DQ_ERR_SCHEMA, "its %s is neither 0 nor 1", name);
    }
    return DQ_OK;
}

/* Rows of the answer's states to the environments that they are of. */
static dq_status take_states(dq_vec_env *envs, float *to, size_t n, dq_error *error)
{
    const dq_column *c = dq_bundle_column(&envs->process->answer, "state");
    size_t width = envs->shape.state_width;
    dq_status status = DQ_OK;
    if (!c || c->dims != 2 || c->shape[1] != width || c->type > DQ_F8)
        return dq_fail(error, DQ_ERR_SCHEMA, "its answer has no column state of floats, %zu wide", width);
    for (size_t k = 0; !status && k < n; k++) status = take_floats(c, k, to + envs->which[k] * width, error);
    return status;
}

static dq_status take_counters(dq_vec_env *envs, size_t n, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t c = 0; !status && envs->counters[c]; c++) {
        const dq_column *column;
        status = numbers(envs, envs->counters[c], false, &column, error);
        for (size_t k = 0; !status && k < n; k++)
            envs->counted[envs->which[k]][c] = dq_column_number(column, k);
    }
    return status;
}

static dq_status take_steps(dq_vec_env *envs, size_t n, dq_error *error)
{
    const dq_column *reward, *terminal, *truncated;
    dq_status status = take_states(envs, envs->next, n, error);
    if (!status) status = numbers(envs, "reward", false, &reward, error);
    if (!status) status = numbers(envs, "terminal", true, &terminal, error);
    if (!status) status = numbers(envs, "truncated", true, &truncated, error);
    for (size_t k = 0; !status && k < n; k++)
        envs->steps[envs->which[k]] = (dq_step){.reward = (float)dq_column_number(reward, k),
                                                .terminal = dq_column_number(terminal, k) != 0,
                                                .truncated = dq_column_number(truncated, k) != 0};
    return status ? status : take_counters(envs, n, error);
}

dq_status dq_env_client_reset(dq_vec_env *envs, size_t n, dq_error *error)
{
    struct dq_env_client *p = envs->process;
    const uint32_t *which = envs->which;
    for (size_t k = 0; k < n; k++)
        p->seeds[k] = dq_episode_seed(envs->config.seed, which[k], envs->episode[which[k]]);
    dq_status status = ask(envs, "reset", "seed", DQ_U8, p->seeds, n, error);
    if (!status) status = take_states(envs, envs->states, n, error);
    for (size_t k = 0; !status && k < n; k++) p->taken[which[k]].count = 0;
    return blame(envs, status, error);
}

/* ---- stepping ---- */

static bool note(taken *t, uint32_t action)
{
    if (!dq_array_reserve(&t->action, &t->capacity, (size_t)t->count + 1, sizeof *t->action)) return false;
    t->action[t->count++] = action;
    return true;
}

dq_status dq_env_client_step(dq_vec_env *envs, size_t n, const uint32_t *actions, dq_error *error)
{
    struct dq_env_client *p = envs->process;
    const uint32_t *which = envs->which;
    for (size_t k = 0; k < n; k++) p->chosen[k] = actions[which[k]];
    dq_status status = ask(envs, "step", "action", DQ_U4, p->chosen, n, error);
    if (!status) status = take_steps(envs, n, error);
    for (size_t k = 0; !status && k < n; k++)
        if (!note(&p->taken[which[k]], p->chosen[k]))
            status = dq_fail_memory(error, "an environment process");
    return blame(envs, status, error);
}

/* ---- checkpoints ---- */

dq_status dq_env_client_save(dq_vec_env *envs, dq_bundle *model, dq_error *error)
{
    const taken *t = envs->process->taken;
    uint64_t n = envs->config.count, all = 0;
    for (size_t i = 0; i < n; i++) all += t[i].count;
    uint32_t *count = dq_arena_zero(&model->arena, n, sizeof *count);
    uint32_t *actions = dq_arena_zero(&model->arena, all, sizeof *actions), *at = actions;
    if (!count || !actions) return dq_fail_memory(error, "an environment process");
    for (size_t i = 0; i < n; i++) {
        count[i] = t[i].count;
        if (count[i]) memcpy(at, t[i].action, count[i] * sizeof *at);
        at += count[i];
    }
    dq_status status = dq_bundle_add_tensor(model, "env.taken", DQ_U4, 1, &n, count, error);
    return status ? status : dq_bundle_add_tensor(model, "env.actions", DQ_U4, 1, &all, actions, error);
}

/* The actions of a checkpoint into p->taken. */
static dq_status read_taken(dq_vec_env *envs, const dq_bundle *model, dq_error *error)
{
    const dq_column *count = NULL, *all = NULL;
    uint64_t at = 0, environments = envs->config.count, actions = DQ_RECORD_ANY;
    dq_status status = dq_record_find(model, "env.taken", DQ_U4, &environments, &count, error);
    if (!status) status = dq_record_find(model, "env.actions", DQ_U4, &actions, &all, error);
    if (status) return status;
    for (size_t i = 0; i < envs->config.count; i++) {
        uint32_t n = ((const uint32_t *)count->data)[i];
        if (n > actions - at) return dq_fail(error, DQ_ERR_SCHEMA, "a checkpoint with too few actions");
        for (uint32_t k = 0; k < n; k++) {
            uint32_t action = ((const uint32_t *)all->data)[at++];
            if (action >= envs->shape.action_count)
                return dq_fail(error, DQ_ERR_SCHEMA, "a checkpoint with an action that there is not");
            if (!note(&envs->process->taken[i], action))
                return dq_fail_memory(error, "an environment process");
        }
    }
    return DQ_OK;
}

/* Plays the running episode of one environment again, up to where it was. */
static dq_status replay_episode(dq_vec_env *envs, uint32_t i, float *state, dq_error *error)
{
    struct dq_env_client *p = envs->process;
    size_t width = envs->shape.state_width;
    /* dq_vec_env_begin counted the episode after it began */
    p->seeds[0] = dq_episode_seed(envs->config.seed, i, envs->episode[i] - 1);
    envs->which[0] = i;
    memcpy(state, envs->states + i * width, width * sizeof *state);
    dq_status status = ask(envs, "reset", "seed", DQ_U8, p->seeds, 1, error);
    if (!status) status = take_states(envs, envs->next, 1, error);
    for (uint32_t k = 0; !status && k < p->taken[i].count; k++) {
        status = ask(envs, "step", "action", DQ_U4, &p->taken[i].action[k], 1, error);
        if (!status) status = take_steps(envs, 1, error);
    }
    if (!status && memcmp(envs->next + i * width, state, width * sizeof *state) != 0)
        status = dq_fail(error, DQ_ERR_IO,
                         "does not repeat itself: the same seed and actions led to another state than before "
                         "the interruption");
    return status;
}

dq_status dq_env_client_restore(dq_vec_env *envs, const dq_bundle *model, dq_error *error)
{
    float *state = malloc(envs->shape.state_width * sizeof *state);
    if (!state) return dq_fail_memory(error, "an environment process");
    dq_status status = read_taken(envs, model, error);
    for (uint32_t i = 0; !status && i < envs->config.count; i++)
        if (!envs->done[i]) status = blame(envs, replay_episode(envs, i, state, error), error);
    free(state);
    return status;
}
