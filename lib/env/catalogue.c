/* SPDX-License-Identifier: MIT */
#include "env/catalogue.h"

#include <stdlib.h>
#include <string.h>

static void catalogue_reset(dq_catalogue_env *env)
{
    env->user = env->config.user;
    dq_rng_sample(&env->rng, env->candidates, env->candidate_count, env->scratch, env->config.item_count);
}

static void catalogue_step(dq_catalogue_env *env, uint32_t choice, dq_transition *transition)
{
    uint32_t item = env->candidates[choice];
    float reward = env->config.reward(env->config.reward_arg, env->user, item);
    *transition = (dq_transition){.user = env->user, .item = item, .reward = reward, .next = env->user};
}

const dq_catalogue_env_kind dq_catalogue_env_kinds[] = {
    {"catalogue", "a fixed user, candidates drawn each episode", catalogue_reset, catalogue_step},
    {NULL, NULL, NULL, NULL},
};

static const dq_catalogue_env_kind *find(const char *name)
{
    for (const dq_catalogue_env_kind *k = dq_catalogue_env_kinds; k->name; k++)
        if (strcmp(k->name, name) == 0) return k;
    return NULL;
}

dq_status dq_catalogue_env_new(dq_catalogue_env **env, const char *kind,
                               const dq_catalogue_env_config *config, dq_error *error)
{
    *env = NULL;
    const dq_catalogue_env_kind *k = find(kind);
    if (!k) return dq_fail(error, DQ_ERR_UNKNOWN, "no environment '%s'", kind);
    if (config->item_count == 0 || config->candidates == 0)
        return dq_fail(error, DQ_ERR_RANGE, "an environment needs items and candidates");
    dq_catalogue_env *e = calloc(1, sizeof *e);
    if (!e) return dq_fail(error, DQ_ERR_MEMORY, "no memory for an environment");
    *e = (dq_catalogue_env){
        .kind = k, .config = *config, .user = config->user, .rng = dq_rng_new(config->seed)};
    e->candidate_count = config->candidates < config->item_count ? config->candidates : config->item_count;
    e->candidates = calloc(e->candidate_count, sizeof *e->candidates);
    e->scratch = calloc(config->item_count, sizeof *e->scratch);
    if (!e->candidates || !e->scratch) {
        dq_catalogue_env_free(e);
        return dq_fail(error, DQ_ERR_MEMORY, "no memory for %u items", config->item_count);
    }
    *env = e;
    return DQ_OK;
}

void dq_catalogue_env_free(dq_catalogue_env *env)
{
    if (!env) return;
    free(env->candidates);
    free(env->scratch);
    free(env);
}

void dq_catalogue_env_reset(dq_catalogue_env *env)
{
    env->kind->reset(env);
}

void dq_catalogue_env_step(dq_catalogue_env *env, uint32_t choice, dq_transition *transition)
{
    env->kind->step(env, choice, transition);
}
