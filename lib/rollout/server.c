/* SPDX-License-Identifier: MIT
 *
 * The conversation: an environment is announced, then each question is answered as it comes.
 */
#include "rollout/server.h"

#include "rollout/vec_env.h"

#include "core/array.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_ENVS = 1 << 16 };

typedef struct server {
    const char *name;
    dq_reader *in;
    dq_writer *out;
    dq_env *first; /* announced; envs[0] */
    dq_env **envs;
    bool *begun;
    size_t count;
    /* an answer */
    float *states, *rewards, *counters; /* (capacity, width), (capacity), (DQ_ENV_COUNTERS, capacity) */
    uint8_t *terminal, *truncated;
    size_t capacity;
} server;

/* ---- the announcement ---- */

static bool describe(const dq_env *env, dq_bundle *b)
{
    const dq_env_spec *s = &env->shape;
    dq_value counters = dq_list();
    bool ok = dq_map_set(&b->arena, &b->meta, "name", dq_string(&b->arena, env->kind->name)) &&
              dq_map_set(&b->arena, &b->meta, "state", dq_int(s->state_width)) &&
              dq_map_set(&b->arena, &b->meta, "user", dq_int(s->user_width)) &&
              dq_map_set(&b->arena, &b->meta, "history", dq_int(s->history)) &&
              dq_map_set(&b->arena, &b->meta, "limit", dq_int(s->step_limit));
    for (size_t i = 0; ok && i < DQ_ENV_COUNTERS && env->kind->counters[i]; i++)
        ok = dq_list_add(&b->arena, &counters, dq_string(&b->arena, env->kind->counters[i]));
    return ok && dq_map_set(&b->arena, &b->meta, "counters", counters);
}

/* Column `vector` of the actions, where they are described. */
static dq_status add_actions(const dq_env_spec *s, dq_bundle *b, dq_error *error)
{
    const uint64_t shape[2] = {s->action_count, s->action_width};
    float *vectors = s->actions ? dq_arena_zero(&b->arena, shape[0] * shape[1], sizeof *vectors) : NULL;
    if (!s->actions) return DQ_OK;
    if (!vectors) return dq_fail_memory(error, "environments");
    for (uint32_t a = 0; a < s->action_count; a++)
        memcpy(vectors + (size_t)a * s->action_width, s->actions[a], s->action_width * sizeof *vectors);
    return dq_bundle_add_tensor(b, "vector", DQ_F4, 2, shape, vectors, error);
}

static dq_status announce(server *v, dq_error *error)
{
    dq_index ids = DQ_INDEX_EMPTY;
    dq_bundle b;
    dq_status status = dq_bundle_init(&b, "env", v->first->shape.action_count, error);
    if (!status && !describe(v->first, &b)) status = dq_fail_memory(error, "environments");
    if (!status) status = dq_session_layout_save(&v->first->shape.layout, &b, error);
    if (!status) status = dq_env_item_ids(v->first, &ids, error);
    if (!status && dq_index_count(&ids))
        status = dq_bundle_add_text(&b, "id", DQ_TEXT, ids.ids.offsets, ids.ids.data, NULL, error);
    if (!status) status = add_actions(&v->first->shape, &b, error);
    if (!status) status = dq_writer_put(v->out, &b, error);
    if (!status) status = dq_writer_flush(v->out, error);
    dq_bundle_free(&b);
    dq_index_free(&ids);
    return status;
}

/* ---- questions ---- */

static dq_status more_envs(server *v, size_t count, dq_error *error)
{
    dq_status status = DQ_OK;
    if (count <= v->count) return DQ_OK;
    if (count > MAX_ENVS) return dq_fail(error, DQ_ERR_RANGE, "more than %d environments", MAX_ENVS);
    if (!dq_array_resize(&v->envs, count, sizeof *v->envs) ||
        !dq_array_resize(&v->begun, count, sizeof *v->begun))
        return dq_fail_memory(error, "environments");
    for (; !status && v->count < count; v->count++) {
        v->envs[v->count] = v->first;
        v->begun[v->count] = false;
        if (v->count > 0 && (status = dq_vec_env_make(&v->envs[v->count], v->name, NULL, error)))
            return status;
    }
    return status;
}

static dq_status more_rows(server *v, size_t rows, dq_error *error)
{
    if (rows <= v->capacity) return DQ_OK;
    free(v->states);
    free(v->rewards);
    free(v->counters);
    free(v->terminal);
    free(v->truncated);
    v->capacity = rows;
    v->states = calloc(rows * v->first->shape.state_width, sizeof *v->states);
    v->rewards = calloc(rows, sizeof *v->rewards);
    v->counters = calloc(rows * DQ_ENV_COUNTERS, sizeof *v->counters);
    v->terminal = calloc(rows, 1);
    v->truncated = calloc(rows, 1);
    bool ok = v->states && v->rewards && v->counters && v->terminal && v->truncated;
    if (!ok) v->capacity = 0;
    return ok ? DQ_OK : dq_fail_memory(error, "environments");
}

static dq_status question(const dq_bundle *q, const char *name, const dq_column **column, dq_error *error)
{
    const dq_column *c = *column = dq_bundle_column(q, name);
    bool sound = c && c->dims == 1 && !c->nulls && (c->type == DQ_U4 || c->type == DQ_U8);
    if (!sound) return dq_fail(error, DQ_ERR_SCHEMA, "%s without a column %s of counts", q->kind, name);
    return DQ_OK;
}

static dq_status live_row(server *v, bool reset, size_t row, uint64_t which, uint64_t number, dq_error *error)
{
    dq_step step = {0};
    dq_status status = which < MAX_ENVS ? more_envs(v, (size_t)which + 1, error)
                                        : dq_fail(error, DQ_ERR_RANGE, "environment %llu is too many",
                                                  (unsigned long long)which);
    if (status) return status;
    dq_env *env = v->envs[which];
    if (!reset && !v->begun[which])
        return dq_fail(error, DQ_ERR_RANGE, "a step of environment %llu before its reset",
                       (unsigned long long)which);
    if (reset) {
        dq_env_reseed(env, number);
        status = dq_env_reset(env, error);
        v->begun[which] = true;
    } else {
        status = dq_env_step(env, number < UINT32_MAX ? (uint32_t)number : UINT32_MAX, &step, error);
        v->begun[which] = !step.terminal && !step.truncated;
    }
    memcpy(v->states + row * env->shape.state_width, env->state, env->shape.state_width * sizeof(float));
    v->rewards[row] = step.reward;
    v->terminal[row] = step.terminal;
    v->truncated[row] = step.truncated;
    for (size_t c = 0; c < DQ_ENV_COUNTERS; c++) v->counters[c * v->capacity + row] = (float)env->counters[c];
    return status;
}

static dq_status answer(server *v, bool reset, size_t rows, dq_error *error)
{
    const uint64_t states[2] = {rows, v->first->shape.state_width};
    const char *const *names = v->first->kind->counters;
    dq_bundle b;
    dq_status status = dq_bundle_init(&b, "state", rows, error);
    if (!status) status = dq_bundle_add_tensor(&b, "state", DQ_F4, 2, states, v->states, error);
    if (!status && !reset) {
        status = dq_bundle_add_numbers(&b, "reward", DQ_F4, v->rewards, NULL, NULL, error);
        if (!status) status = dq_bundle_add_numbers(&b, "terminal", DQ_U1, v->terminal, NULL, NULL, error);
        if (!status) status = dq_bundle_add_numbers(&b, "truncated", DQ_U1, v->truncated, NULL, NULL, error);
        for (size_t c = 0; !status && c < DQ_ENV_COUNTERS && names[c]; c++)
            status = dq_bundle_add_numbers(&b, names[c], DQ_F4, v->counters + c * v->capacity, NULL, NULL,
                                           error);
    }
    if (!status) status = dq_writer_put(v->out, &b, error);
    if (!status) status = dq_writer_flush(v->out, error);
    dq_bundle_free(&b);
    return status;
}

static dq_status serve(server *v, const dq_bundle *q, dq_error *error)
{
    bool reset = strcmp(q->kind, "reset") == 0;
    const dq_column *env, *number;
    size_t rows = (size_t)q->rows;
    if (!reset && strcmp(q->kind, "step") != 0)
        return dq_fail(error, DQ_ERR_SCHEMA, "a bundle of kind %s, neither reset nor step", q->kind);
    dq_status status = question(q, "env", &env, error);
    if (!status) status = question(q, reset ? "seed" : "action", &number, error);
    if (!status) status = more_rows(v, rows, error);
    for (size_t r = 0; !status && r < rows; r++)
        status = live_row(v, reset, r, (uint64_t)dq_column_number(env, r),
                          (uint64_t)dq_column_number(number, r), error);
    return status ? status : answer(v, reset, rows, error);
}

/* ---- the conversation ---- */

static dq_status converse(server *v, const dq_maker *maker, dq_error *error)
{
    int got = 0;
    dq_bundle q;
    dq_status status = dq_vec_env_make(&v->first, v->name, NULL, error);
    if (!status) status = dq_writer_open(&v->out, NULL, maker, NULL, 0, error);
    if (!status) status = announce(v, error);
    if (!status) status = dq_reader_open(&v->in, NULL, 0, error);
    while (!status && (got = dq_reader_next(v->in, &q, error)) > 0) {
        status = serve(v, &q, error);
        if (status) (void)dq_error_at(error, dq_reader_source(v->in), dq_reader_record(v->in));
        dq_bundle_free(&q);
    }
    if (!status && got < 0) status = error->status;
    if (!status) {
        dq_writer *out = v->out;
        v->out = NULL;
        status = dq_writer_close(out, error);
    }
    return status;
}

dq_status dq_env_server_run(const char *name, const dq_maker *maker, dq_error *error)
{
    server v = {.name = name};
    dq_status status = converse(&v, maker, error);
    dq_writer_abort(v.out);
    dq_reader_close(v.in);
    for (size_t i = 1; i < v.count; i++) dq_env_free(v.envs[i]);
    dq_env_free(v.first);
    free(v.envs);
    free(v.begun);
    free(v.states);
    free(v.rewards);
    free(v.counters);
    free(v.terminal);
    free(v.truncated);
    return status;
}
