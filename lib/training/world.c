/* SPDX-License-Identifier: MIT */
#include "training/world.h"

#include "env/catalogue.h"

#include <stdlib.h>

enum { EVAL_SEED = 0x7472 };

/* ---- rewards of a catalogue ---- */

/* What is on offer to the agent, in training or an evaluation, by its Q. */
static uint32_t find_wanted(void *arg, const uint32_t **items, const float **values)
{
    dq_world *w = arg;
    const dq_vec_env *envs = w->loop->envs;
    uint32_t n;
    *items = dq_agent_get_offer(w->loop->agent, &n);
    *values = w->value;
    dq_agent_values(w->loop->agent, &envs->store, envs->number, 1, w->value);
    return n;
}

static dq_status reward_of(void *arg, uint32_t user, uint32_t item, float *reward, dq_error *error)
{
    dq_world *w = arg;
    dq_user_rewards_episode(w->rewards, w->loop->at.episode);
    return dq_user_rewards_of(w->rewards, user, item, reward, error);
}

/* In training: what it is answered counts. */
static dq_status ask_reward(void *arg, uint32_t user, uint32_t item, float *reward, dq_error *error)
{
    dq_world *w = arg;
    dq_status status = reward_of(arg, user, item, reward, error);
    if (!status) dq_user_rewards_use(w->rewards, item);
    return status;
}

static dq_status open_rewards(dq_world *w, dq_error *error)
{
    dq_user_rewards_config config = w->config.pays;
    config.wanted = find_wanted;
    config.arg = w;
    w->value = malloc(w->env->offered_count * sizeof *w->value);
    if (!w->value) return dq_fail_memory(error, "candidates");
    dq_status status = dq_user_rewards_new(&w->rewards, &config, error);
    return status ? status : dq_user_rewards_serve(w->rewards, w->user, error);
}

/* ---- environments ---- */

static dq_status open_catalogue(dq_world *w, dq_env **env, dq_error *error)
{
    const dq_catalogue *c = &w->training->dataset.catalogue;
    const dq_catalogue_env_config config = {.users = dq_entities_vectors(&c->users),
                                            .items = dq_entities_vectors(&c->items),
                                            .user = w->user,
                                            .candidates = w->config.candidates,
                                            .step_limit = w->config.steps,
                                            .reward = env == &w->env ? ask_reward : reward_of,
                                            .reward_arg = w};
    return dq_catalogue_env_new(env, &config, 0, error);
}

static dq_status open_envs(dq_world *w, dq_vec_env **envs, dq_env **catalogue, uint64_t count, uint64_t seed,
                           dq_error *error)
{
    bool own = w->user != DQ_ABSENT;
    dq_status status = own ? open_catalogue(w, catalogue, error) : DQ_OK;
    if (status) return status;
    const dq_vec_env_config config = {.name = w->training->asked.env,
                                      .command = w->config.command,
                                      .env = own ? *catalogue : NULL,
                                      .like = &w->like,
                                      .count = own ? 1 : (size_t)count,
                                      .seed = seed,
                                      .maker = w->config.maker,
                                      .stop_asked = w->config.stop_asked};
    return dq_vec_env_open(envs, &config, error);
}

/* A session environment shows its states as the model that is started from knows them, and its items are
 * those of that model's outputs. */
static dq_status follow_init(dq_world *w, dq_error *error)
{
    const dq_training *t = w->training;
    if (!t->init.count || w->user != DQ_ABSENT) return DQ_OK;
    dq_status status = dq_session_layout_load(&w->like, &t->init.at[0], error);
    return dq_training_blame_init(t, status, error);
}

/* Their names outlive the environments, which end before the model leaves. */
static dq_status note_items(const dq_world *w, dq_error *error)
{
    dq_training *t = w->training;
    const dq_vec_env *envs = w->loop->envs;
    const dq_vectors items = dq_vec_env_items(envs);
    if (!items.at) return DQ_OK;
    dq_status status = dq_model_items_take(&t->items, &envs->items, &items, error);
    if (status || !t->init.count) return status;
    status = dq_episodes_check_items(&t->init.at[0], w->config.head, envs, error);
    return dq_training_blame_init(t, status, error);
}

/* ---- the whole ---- */

dq_status dq_world_open(dq_world *w, dq_error *error)
{
    const dq_world_config *c = &w->config;
    dq_online *loop = w->loop;
    dq_status status = follow_init(w, error);
    if (!status) status = open_envs(w, &loop->envs, &w->env, c->envs, c->seed, error);
    if (!status) status = note_items(w, error);
    if (!status && c->evaluate)
        status = open_envs(w, &loop->eval_envs, &w->eval_env, c->evaluate_episodes, c->seed ^ EVAL_SEED,
                           error);
    if (!status && c->evaluate && !dq_env_spec_same(&loop->envs->shape, &loop->eval_envs->shape))
        status = dq_fail(error, DQ_ERR_SCHEMA, "the environment has another shape each time it is started");
    return status || w->user == DQ_ABSENT ? status : open_rewards(w, error);
}

dq_status dq_world_close(dq_world *w, dq_status status, uint64_t *asked, dq_error *error)
{
    *asked = w->rewards ? dq_user_rewards_asked(w->rewards) : 0;
    status = dq_user_rewards_end(w->rewards, status, error);
    status = dq_vec_env_close(w->loop->envs, status, error);
    status = dq_vec_env_close(w->loop->eval_envs, status, error);
    dq_env_free(w->env);
    dq_env_free(w->eval_env);
    free(w->value);
    return status;
}
