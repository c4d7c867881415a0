/* SPDX-License-Identifier: MIT */
#include "rollout/vec_env.h"

#include "core/buffers.h"
#include "core/record.h"
#include "rollout/client.h"
#include "rollout/seed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

dq_status dq_vec_env_make(dq_env **env, const char *name, const dq_session_layout *like, dq_error *error)
{
    char kind[64] = "";
    size_t n = strcspn(name, ":");
    if (n < sizeof kind) memcpy(kind, name, n);
    return dq_env_new_like(env, kind, name[n] ? name + n + 1 : NULL, like, 0, error);
}

/* ---- opening ---- */

static dq_status open_envs(dq_vec_env *envs, dq_error *error)
{
    const dq_vec_env_config *c = &envs->config;
    dq_status status = DQ_OK;
    envs->envs = dq_arena_zero(&envs->arena, c->count, sizeof *envs->envs);
    if (!envs->envs) return dq_fail_memory(error, "environments");
    if (c->env)
        envs->envs[0] = c->env;
    else
        status = dq_vec_env_make(&envs->envs[0], c->name, c->like, error);
    if (status) return status;
    const dq_env *first = envs->envs[0];
    if (c->count != 1 && (c->env || first->offered))
        return dq_fail(error, DQ_ERR_RANGE, "%s is one environment, not %zu side by side", first->kind->name,
                       c->count);
    status = c->count > 1 ? dq_env_twins(envs->envs + 1, c->count - 1, first, &envs->arena, error) : DQ_OK;
    if (status) return status;
    envs->shape = first->shape;
    envs->offered = first->offered;
    envs->offered_count = first->offered_count;
    memcpy(envs->counters, first->kind->counters, sizeof first->kind->counters);
    return dq_env_item_ids(first, &envs->items, error);
}

/* States that come and go: present ones, then next ones. */
static void make_store(dq_vec_env *envs)
{
    size_t n = envs->config.count, width = envs->shape.state_width;
    envs->next = envs->states + n * width;
    for (size_t i = 0; i < 2 * n; i++) envs->row_at[i] = envs->states + i * width;
    for (size_t i = 0; i < n; i++) {
        envs->number[i] = (uint32_t)i;
        envs->next_number[i] = (uint32_t)(n + i);
    }
    envs->store = (dq_vectors){envs->row_at, (uint32_t)(2 * n), envs->shape.state_width};
}

static dq_status reserve(dq_vec_env *envs, dq_error *error)
{
    size_t n = envs->config.count;
    const dq_buffer each[] = {DQ_BUFFER(envs->number, n),  DQ_BUFFER(envs->next_number, n),
                              DQ_BUFFER(envs->steps, n),   DQ_BUFFER(envs->counted, n),
                              DQ_BUFFER(envs->episode, n), DQ_BUFFER(envs->done, n),
                              DQ_BUFFER(envs->which, n)};
    const dq_buffer rows[] = {DQ_BUFFER(envs->states, 2 * n * envs->shape.state_width),
                              DQ_BUFFER(envs->row_at, 2 * n)};
    envs->store = envs->shape.states;
    if (!dq_buffers_take(&envs->arena, each, DQ_BUFFERS(each)) ||
        (!envs->store.count && !dq_buffers_take(&envs->arena, rows, DQ_BUFFERS(rows))))
        return dq_fail_memory(error, "environments");
    if (!envs->store.count) make_store(envs);
    memset(envs->done, 1, n);
    return DQ_OK;
}

dq_status dq_vec_env_open(dq_vec_env **envs, const dq_vec_env_config *config, dq_error *error)
{
    *envs = NULL;
    dq_vec_env *made = calloc(1, sizeof *made);
    if (!made) return dq_fail_memory(error, "environments");
    made->config = *config;
    dq_status status = config->command ? dq_env_client_open(made, error) : open_envs(made, error);
    if (!status) status = reserve(made, error);
    if (status) return dq_vec_env_close(made, status, error);
    *envs = made;
    return DQ_OK;
}

dq_status dq_vec_env_close(dq_vec_env *envs, dq_status status, dq_error *error)
{
    if (!envs) return status;
    if (envs->process) status = dq_env_client_close(envs, status, error);
    if (envs->envs && !envs->config.env) dq_env_free(envs->envs[0]); /* the others are in the arena */
    dq_index_free(&envs->items);
    dq_arena_free(&envs->arena);
    free(envs);
    return status;
}

/* ---- living ---- */

/* The state in which environment i is, as the present one or the next. */
static void take_state(dq_vec_env *envs, size_t i, float *rows, uint32_t *number)
{
    const dq_env *env = envs->envs[i];
    size_t width = envs->shape.state_width;
    if (env->state)
        memcpy(rows + i * width, env->state, width * sizeof *rows);
    else
        number[i] = env->number;
}

static dq_status reset_env(dq_vec_env *envs, size_t i, dq_error *error)
{
    dq_env *env = envs->envs[i];
    dq_env_reseed(env, dq_episode_seed(envs->config.seed, i, envs->episode[i]));
    dq_status status = dq_env_reset(env, error);
    take_state(envs, i, envs->states, envs->number);
    return status;
}

/* Lists the environments whose episode is done, or the others; how many they are. */
static size_t list(dq_vec_env *envs, bool done)
{
    size_t n = 0;
    for (size_t i = 0; i < envs->config.count; i++)
        if (envs->done[i] == done) envs->which[n++] = (uint32_t)i;
    return n;
}

dq_status dq_vec_env_begin(dq_vec_env *envs, dq_error *error)
{
    size_t n = list(envs, true);
    dq_status status = DQ_OK;
    if (envs->process && n) status = dq_env_client_reset(envs, n, error);
    for (size_t k = 0; !status && !envs->process && k < n; k++)
        status = reset_env(envs, envs->which[k], error);
    for (size_t k = 0; !status && k < n; k++) {
        uint32_t i = envs->which[k];
        envs->done[i] = 0;
        envs->episode[i]++;
        memset(envs->counted[i], 0, sizeof envs->counted[0]);
    }
    return status;
}

dq_status dq_vec_env_step(dq_vec_env *envs, const uint32_t *actions, dq_error *error)
{
    size_t n = list(envs, false);
    dq_status status = DQ_OK;
    if (envs->process) return n ? dq_env_client_step(envs, n, actions, error) : DQ_OK;
    status = dq_env_step_many(envs->envs, envs->which, n, actions, envs->steps, error);
    for (size_t k = 0; !status && k < n; k++) {
        uint32_t i = envs->which[k];
        take_state(envs, i, envs->next, envs->next_number);
        if (envs->counters[0]) memcpy(envs->counted[i], envs->envs[i]->counters, sizeof envs->counted[i]);
    }
    return status;
}

void dq_vec_env_truncate(dq_vec_env *envs, size_t i)
{
    envs->steps[i].truncated = true;
}

void dq_vec_env_advance(dq_vec_env *envs)
{
    size_t width = envs->shape.state_width, n = envs->config.count;
    bool all = !memchr(envs->done, 1, n);
    if (envs->states && all) memcpy(envs->states, envs->next, n * width * sizeof(float));
    for (size_t i = 0; i < n; i++) {
        if (envs->done[i]) continue;
        if (envs->states && !all)
            memcpy(envs->states + i * width, envs->next + i * width, width * sizeof(float));
        if (!envs->states) envs->number[i] = envs->next_number[i];
        envs->done[i] = envs->steps[i].terminal || envs->steps[i].truncated;
    }
}

void dq_vec_env_rewind(dq_vec_env *envs)
{
    memset(envs->done, 1, envs->config.count);
    memset(envs->episode, 0, envs->config.count * sizeof *envs->episode);
}

void dq_vec_env_copy(dq_vec_env *to, const dq_vec_env *from)
{
    for (size_t i = 0; to->envs && from->envs && i < to->config.count; i++)
        dq_env_copy(to->envs[i], from->envs[0]);
}

dq_vectors dq_vec_env_items(const dq_vec_env *envs)
{
    const dq_env_spec *s = &envs->shape;
    bool items = dq_index_count(&envs->items) > 0;
    return (dq_vectors){.at = items ? s->actions : NULL, .count = s->action_count, .width = s->action_width};
}

/* ---- checkpoints ---- */

enum { PARTS = 4 };

/* The last, states, only where they come and go. */
static size_t list_parts(dq_vec_env *envs, dq_record_part parts[PARTS])
{
    uint64_t n = envs->config.count;
    parts[0] = (dq_record_part){"episode", DQ_U8, n, 0, envs->episode};
    parts[1] = (dq_record_part){"done", DQ_U1, n, 0, envs->done};
    parts[2] = (dq_record_part){"counted", DQ_F8, n, DQ_ENV_COUNTERS, envs->counted};
    parts[3] = (dq_record_part){"states", DQ_F4, n, envs->shape.state_width, envs->states};
    return envs->states ? PARTS : PARTS - 1;
}

dq_status dq_vec_env_save(dq_vec_env *envs, dq_bundle *model, dq_error *error)
{
    dq_record_part parts[PARTS];
    dq_status status = dq_record_save_parts(parts, list_parts(envs, parts), "env", model, error);
    if (envs->process) return status ? status : dq_env_client_save(envs, model, error);
    for (size_t i = 0; !status && i < envs->config.count; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "env.%zu", i);
        status = dq_env_save(envs->envs[i], name, model, error);
    }
    return status;
}

dq_status dq_vec_env_restore(dq_vec_env *envs, const dq_bundle *model, dq_error *error)
{
    dq_record_part parts[PARTS];
    size_t n = envs->config.count;
    dq_status status = dq_record_restore_parts(parts, list_parts(envs, parts), "env", model, error);
    for (size_t i = 0; !status && i < n; i++) envs->done[i] = envs->done[i] != 0;
    if (envs->process) return status ? status : dq_env_client_restore(envs, model, error);
    for (size_t i = 0; !status && i < n; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "env.%zu", i);
        status = dq_env_restore(envs->envs[i], name, model, error);
        if (!envs->states) envs->number[i] = envs->envs[i]->number;
    }
    return status;
}
