/* SPDX-License-Identifier: MIT */
#include "env/env_impl.h"

#include <math.h>

dq_status dq_env_reserve(dq_env *env, size_t own, dq_error *error)
{
    bool numbered = env->shape.states.count > 0;
    size_t before = (own + 15) / 16 * 16, state = numbered ? 0 : env->shape.state_width * sizeof(float);
    env->memory = dq_arena_zero(&env->arena, 1, before + state);
    if (!env->memory) return dq_fail_memory(error, "the environment %s", env->kind->name);
    env->memory_bytes = before + state;
    if (!numbered) env->state = (float *)(void *)((unsigned char *)env->memory + before);
    return DQ_OK;
}

void dq_env_describe(dq_env *env, uint32_t user_count, const float *users, const float *items)
{
    const dq_env_spec *s = &env->shape;
    env->users = (dq_env_entities){'u', user_count, s->user_width, users, NULL, 0};
    env->items = (dq_env_entities){'i', s->action_count, s->item_width, items, NULL, 0};
}

void dq_env_rows(const float **at, const float *rows, uint32_t n, uint32_t width)
{
    for (uint32_t i = 0; i < n; i++) at[i] = rows + (size_t)i * width;
}

dq_status dq_env_choose_served(const dq_env *env, uint32_t users, uint32_t first, uint32_t *served,
                               dq_error *error)
{
    if (first >= users || *served > users - first)
        return dq_fail(error, DQ_ERR_RANGE, "%s: first=%u,served=%u of %u users", env->kind->name, first,
                       *served, users);
    if (*served == 0) *served = users - first;
    return DQ_OK;
}

void dq_env_normals(float *to, size_t n, double scale, dq_rng *rng)
{
    for (size_t i = 0; i < n; i++) to[i] = (float)(scale * dq_rng_normal(rng));
}

double dq_env_sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}
