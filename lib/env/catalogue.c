/* SPDX-License-Identifier: MIT */
#include "env/catalogue.h"

#include "env/env_impl.h"

#include <math.h>

static const dq_env_option options[] = {{0}};

/* What stays; memory is the candidates (offered_count). */
typedef struct catalogue {
    dq_catalogue_env_config config;
    uint32_t *scratch; /* (items) */
} catalogue;

dq_env_spec dq_catalogue_env_spec(const dq_vectors *users, const dq_vectors *items)
{
    return (dq_env_spec){.state_width = users->width,
                         .user_width = users->width,
                         .action_count = items->count,
                         .action_width = items->width,
                         .actions = items->at,
                         .states = *users};
}

/* env->self comes as the configuration. */
static dq_status init(dq_env *env, const double *o, dq_error *error)
{
    const dq_catalogue_env_config *k = env->self;
    catalogue *c = NULL;
    uint32_t *scratch = NULL;
    const dq_buffer buffers[] = {DQ_BUFFER(c, 1), DQ_BUFFER(scratch, k->items.count)};
    (void)o;
    if (!dq_buffers_take(&env->arena, buffers, DQ_BUFFERS(buffers)))
        return dq_fail_memory(error, "%u items", k->items.count);
    *c = (catalogue){.config = *k, .scratch = scratch};
    env->self = c;
    env->shape = dq_catalogue_env_spec(&k->users, &k->items);
    env->shape.step_limit = k->step_limit;
    env->offered_count = k->candidates < k->items.count ? k->candidates : k->items.count;
    dq_status status = dq_env_reserve(env, env->offered_count * sizeof(uint32_t), error);
    if (status) return status;
    uint32_t *candidates = env->memory;
    for (uint32_t i = 0; i < env->offered_count; i++) candidates[i] = i;
    env->offered = candidates;
    env->number = k->user;
    return DQ_OK;
}

static dq_status reset(dq_env *env, dq_error *error)
{
    const catalogue *c = env->self;
    (void)error;
    env->number = c->config.user;
    dq_rng_sample(&env->rng, env->memory, env->offered_count, c->scratch, c->config.items.count);
    return DQ_OK;
}

static dq_status step(dq_env *env, uint32_t action, dq_step *step, dq_error *error)
{
    const catalogue *c = env->self;
    dq_status status = c->config.reward(c->config.reward_arg, env->number, action, &step->reward, error);
    if (status || isfinite(step->reward)) return status;
    return dq_fail(error, DQ_ERR_NUMERIC, "user %u, item %u: a reward that is not finite", env->number,
                   action);
}

/* Candidates are items, none of them twice. */
static bool sound(const dq_env *env)
{
    const catalogue *c = env->self;
    bool ok = env->number < c->config.users.count;
    for (uint32_t i = 0; i < c->config.items.count; i++) c->scratch[i] = 0;
    for (uint32_t i = 0; ok && i < env->offered_count; i++)
        ok = env->offered[i] < c->config.items.count && c->scratch[env->offered[i]]++ == 0;
    return ok;
}

static const dq_env_kind kind = {
    .name = "catalogue",
    .help = "a user is served, candidates are drawn each episode",
    .source = "system A",
    .options = options,
    .init = init,
    .reset = reset,
    .step = step,
    .sound = sound,
};

dq_status dq_catalogue_env_new(dq_env **env, const dq_catalogue_env_config *config, uint64_t seed,
                               dq_error *error)
{
    dq_catalogue_env_config copy = *config;
    *env = NULL;
    if (config->items.count == 0 || config->candidates == 0 || config->user >= config->users.count)
        return dq_fail(error, DQ_ERR_RANGE,
                       "a catalogue needs items, candidates, and the user that is served");
    return dq_env_new_kind(env, &kind, &copy, NULL, seed, error);
}

void dq_catalogue_env_serve(dq_env *env, uint32_t user)
{
    catalogue *c = env->self;
    c->config.user = user;
}
