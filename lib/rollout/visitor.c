/* SPDX-License-Identifier: MIT */
#include "rollout/visitor.h"

#include "core/index.h"
#include "rollout/vec_env.h"

#include <stdlib.h>
#include <string.h>

enum { SESSION_STREAM = 907 };

struct dq_visitor {
    dq_env *env;
    dq_index items;
    uint64_t seed;
    size_t clicks; /* which of the environment's counters */
    char user[DQ_ENTITY_ID_SIZE];
    bool left;
};

static dq_status check(dq_visitor *v, dq_error *error)
{
    const dq_env *env = v->env;
    if (!env->users.count || !env->items.count)
        return dq_fail(error, DQ_ERR_UNSUPPORTED, "the environment %s has no users and items",
                       env->kind->name);
    for (v->clicks = 0; v->clicks < DQ_ENV_COUNTERS; v->clicks++) {
        const char *name = env->kind->counters[v->clicks];
        if (name && strcmp(name, "clicks") == 0) return dq_env_item_ids(env, &v->items, error);
    }
    return dq_fail(error, DQ_ERR_UNSUPPORTED, "the environment %s counts no clicks", env->kind->name);
}

dq_status dq_visitor_open(dq_visitor **visitor, const char *spec, uint64_t seed, dq_error *error)
{
    dq_visitor *v = *visitor = calloc(1, sizeof *v);
    if (!v) return dq_fail_memory(error, "a visitor");
    v->seed = seed;
    v->left = true;
    dq_status status = dq_vec_env_make(&v->env, spec, NULL, error);
    return status ? status : check(v, error);
}

void dq_visitor_free(dq_visitor *v)
{
    if (!v) return;
    dq_env_free(v->env);
    dq_index_free(&v->items);
    free(v);
}

/* The state begins with the vector of whose session it is. */
static uint32_t find_user(const dq_env *env)
{
    const dq_env_entities *users = &env->users;
    const size_t bytes = users->width * sizeof(float);
    for (uint32_t u = 0; u < users->count; u++)
        if (memcmp(env->state, users->vectors + (size_t)u * users->width, bytes) == 0) return u;
    return users->count;
}

dq_status dq_visitor_begin(dq_visitor *v, uint64_t n, dq_error *error)
{
    dq_rng rng = dq_rng_stream(v->seed, SESSION_STREAM + n);
    dq_env_reseed(v->env, dq_rng_u64(&rng));
    dq_status status = dq_env_reset(v->env, error);
    if (status) return status;
    uint32_t user = find_user(v->env);
    if (user == v->env->users.count) return dq_fail(error, DQ_ERR_SCHEMA, "a session of nobody");
    dq_env_entities_name(&v->env->users, user, v->user);
    v->left = false;
    return DQ_OK;
}

const char *dq_visitor_user(const dq_visitor *v)
{
    return v->user;
}

bool dq_visitor_left(const dq_visitor *v)
{
    return v->left;
}

dq_status dq_visitor_look_at(dq_visitor *v, const char *item, size_t bytes, dq_visitor_look *look,
                             dq_error *error)
{
    dq_step step;
    uint32_t action = dq_index_find(&v->items, item, bytes);
    if (v->left) return dq_fail(error, DQ_ERR_RANGE, "who has left looks at nothing");
    if (action == DQ_ABSENT)
        return dq_fail(error, DQ_ERR_UNKNOWN, "the world has no item '%.*s'", (int)bytes, item);
    double before = v->env->counters[v->clicks];
    dq_status status = dq_env_step(v->env, action, &step, error);
    if (status) return status;
    *look = (dq_visitor_look){v->env->counters[v->clicks] > before, step.reward};
    v->left = step.terminal || step.truncated;
    return DQ_OK;
}
