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
    dq_env **envs; /* (count) the first is announced; NULL until it is asked about */
    bool *begun;   /* (count) */
    size_t count;
} server;

/* An answer in the making. */
typedef struct answer {
    dq_bundle bundle; /* these are its columns */
    float *states, *rewards, *counters[DQ_ENV_COUNTERS];
    uint8_t *terminal, *truncated;
} answer;

/* The environment of that number is there, and only those that were asked about. */
static dq_status make_env(server *v, size_t which, dq_error *error)
{
    size_t count = which + 1;
    if (count > v->count && (!dq_array_resize(&v->envs, count, sizeof *v->envs) ||
                             !dq_array_resize(&v->begun, count, sizeof *v->begun)))
        return dq_fail_memory(error, "environments");
    for (; v->count < count; v->count++) {
        v->envs[v->count] = NULL;
        v->begun[v->count] = false;
    }
    return v->envs[which] ? DQ_OK : dq_vec_env_make(&v->envs[which], v->name, NULL, error);
}

static dq_status put(server *v, dq_bundle *b, dq_error *error)
{
    dq_status status = dq_writer_put(v->out, b, error);
    return status ? status : dq_writer_flush(v->out, error);
}

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
    const dq_env *env = v->envs[0];
    dq_index ids = DQ_INDEX_EMPTY;
    dq_bundle b;
    dq_status status = dq_bundle_init(&b, "env", env->shape.action_count, error);
    if (!status && !describe(env, &b)) status = dq_fail_memory(error, "environments");
    if (!status) status = dq_session_layout_save(&env->shape.layout, &b, error);
    if (!status) status = dq_env_item_ids(env, &ids, error);
    if (!status && dq_index_count(&ids))
        status = dq_bundle_add_text(&b, "id", DQ_TEXT, ids.ids.offsets, ids.ids.data, NULL, error);
    if (!status) status = add_actions(&env->shape, &b, error);
    if (!status) status = put(v, &b, error);
    dq_bundle_free(&b);
    dq_index_free(&ids);
    return status;
}

/* ---- questions ---- */

static dq_status question(const dq_bundle *q, const char *name, const dq_column **column, dq_error *error)
{
    const dq_column *c = *column = dq_bundle_column(q, name);
    bool sound = c && c->dims == 1 && !c->nulls && (c->type == DQ_U4 || c->type == DQ_U8);
    if (!sound) return dq_fail(error, DQ_ERR_SCHEMA, "%s without a column %s of counts", q->kind, name);
    return DQ_OK;
}

static uint64_t count_at(const dq_column *c, size_t row)
{
    return c->type == DQ_U4 ? ((const uint32_t *)c->data)[row] : ((const uint64_t *)c->data)[row];
}

/* A column of zeros that are still to be set; width 0: plain numbers. */
static dq_status add_column(dq_bundle *b, const char *name, dq_dtype type, uint64_t width, void *to,
                            dq_error *error)
{
    const uint64_t shape[2] = {b->rows, width};
    void *data = dq_arena_zero(&b->arena, b->rows * (width ? width : 1), dq_dtype_size(type));
    if (!data) return dq_fail_memory(error, "an answer");
    memcpy(to, &data, sizeof data);
    return dq_bundle_add_tensor(b, name, type, width ? 2 : 1, shape, data, error);
}

static dq_status begin_answer(answer *a, const dq_env *env, bool reset, uint64_t rows, dq_error *error)
{
    dq_bundle *b = &a->bundle;
    dq_status status = dq_bundle_init(b, "state", rows, error);
    if (!status) status = add_column(b, "state", DQ_F4, env->shape.state_width, &a->states, error);
    if (status || reset) return status;
    status = add_column(b, "reward", DQ_F4, 0, &a->rewards, error);
    if (!status) status = add_column(b, "terminal", DQ_U1, 0, &a->terminal, error);
    if (!status) status = add_column(b, "truncated", DQ_U1, 0, &a->truncated, error);
    for (size_t c = 0; !status && c < DQ_ENV_COUNTERS && env->kind->counters[c]; c++)
        status = add_column(b, env->kind->counters[c], DQ_F4, 0, &a->counters[c], error);
    return status;
}

static dq_status reset_row(server *v, uint64_t which, uint64_t seed, dq_error *error)
{
    dq_env_reseed(v->envs[which], seed);
    v->begun[which] = true;
    return dq_env_reset(v->envs[which], error);
}

static dq_status step_row(server *v, answer *a, size_t row, uint64_t which, uint64_t action, dq_error *error)
{
    dq_env *env = v->envs[which];
    dq_step step = {0};
    if (!v->begun[which])
        return dq_fail(error, DQ_ERR_RANGE, "a step of environment %llu before its reset",
                       (unsigned long long)which);
    dq_status status = dq_env_step(env, action < UINT32_MAX ? (uint32_t)action : UINT32_MAX, &step, error);
    v->begun[which] = !step.terminal && !step.truncated;
    a->rewards[row] = step.reward;
    a->terminal[row] = step.terminal;
    a->truncated[row] = step.truncated;
    for (size_t c = 0; c < DQ_ENV_COUNTERS && a->counters[c]; c++)
        a->counters[c][row] = (float)env->counters[c];
    return status;
}

static dq_status answer_row(server *v, answer *a, bool reset, size_t row, uint64_t which, uint64_t number,
                            dq_error *error)
{
    size_t width = v->envs[0]->shape.state_width;
    if (which >= MAX_ENVS)
        return dq_fail(error, DQ_ERR_RANGE, "environment %llu is too many", (unsigned long long)which);
    dq_status status = make_env(v, (size_t)which, error);
    if (!status)
        status = reset ? reset_row(v, which, number, error) : step_row(v, a, row, which, number, error);
    if (!status) memcpy(a->states + row * width, v->envs[which]->state, width * sizeof *a->states);
    return status;
}

static dq_status serve(server *v, const dq_bundle *q, dq_error *error)
{
    bool reset = strcmp(q->kind, "reset") == 0;
    const dq_column *env, *number;
    answer a = {0};
    if (!reset && strcmp(q->kind, "step") != 0)
        return dq_fail(error, DQ_ERR_SCHEMA, "a bundle of kind %s, neither reset nor step", q->kind);
    dq_status status = question(q, "env", &env, error);
    if (!status) status = question(q, reset ? "seed" : "action", &number, error);
    if (!status) status = begin_answer(&a, v->envs[0], reset, q->rows, error);
    for (size_t r = 0; !status && r < q->rows; r++)
        status = answer_row(v, &a, reset, r, count_at(env, r), count_at(number, r), error);
    if (!status) status = put(v, &a.bundle, error);
    dq_bundle_free(&a.bundle);
    return status;
}

/* ---- the conversation ---- */

static dq_status converse(server *v, const dq_maker *maker, dq_error *error)
{
    int got = 0;
    dq_bundle q;
    dq_status status = make_env(v, 0, error);
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
    for (size_t i = 0; i < v.count; i++) dq_env_free(v.envs[i]);
    free(v.envs);
    free(v.begun);
    return status;
}
