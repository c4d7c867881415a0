/* SPDX-License-Identifier: MIT */
#include "rollout/online_catalogue.h"

/* ---- the run ---- */

static dq_status learn(dq_online_catalogue *run, dq_error *error)
{
    dq_online_catalogue_place *p = &run->at;
    dq_losses losses;
    dq_status status = dq_dynaq_learn(run->agent, &losses, error);
    p->learnt++;
    p->q += losses.q;
    p->world += losses.world;
    p->planning += losses.planning;
    return status;
}

static dq_status take_step(dq_online_catalogue *run, dq_error *error)
{
    const dq_online_catalogue_config *c = &run->config;
    dq_online_catalogue_place *p = &run->at;
    dq_env *env = run->env;
    dq_step step;
    if (p->choice < 0) p->choice = dq_dynaq_act(run->agent, env->number);
    dq_status status = c->reward_needed ? c->reward_needed(c->arg, run, (uint32_t)p->choice, error) : DQ_OK;
    if (status) return status;
    uint32_t item = env->offered[p->choice];
    if ((status = dq_env_step(env, item, &step, error))) return status;
    const dq_transition transition = {
        .user = env->number, .item = item, .reward = step.reward, .next = env->number};
    p->choice = -1;
    dq_dynaq_observe(run->agent, &transition);
    p->reward += (double)transition.reward;
    p->step++;
    return dq_dynaq_ready(run->agent) ? learn(run, error) : DQ_OK;
}

static dq_status end_episode(dq_online_catalogue *run, dq_error *error)
{
    const dq_online_catalogue_config *c = &run->config;
    run->at.episode++;
    dq_status status = c->episode_ended ? c->episode_ended(c->arg, run, error) : DQ_OK;
    run->at = (dq_online_catalogue_place){.episode = run->at.episode, .choice = -1};
    return status;
}

dq_status dq_online_catalogue_run(dq_online_catalogue *run, dq_error *error)
{
    const dq_online_catalogue_config *c = &run->config;
    dq_status status = DQ_OK;
    while (!status && run->at.episode < c->episodes) {
        if (c->episode) c->episode(c->arg, run->at.episode);
        if (run->at.step == 0 && run->at.choice < 0) {
            status = dq_env_reset(run->env, error);
            dq_dynaq_candidates(run->agent, run->env->offered, run->env->offered_count);
        }
        if (!status) status = take_step(run, error);
        if (!status && run->at.step == c->steps) status = end_episode(run, error);
        if (!status && c->stepped) status = c->stepped(c->arg, run, error);
    }
    return status;
}

/* ---- checkpoints ---- */

static bool put(dq_bundle *model, dq_value *map, const char *name, dq_value value)
{
    return dq_map_set(&model->arena, map, name, value);
}

static bool save_place(const dq_online_catalogue_place *p, dq_bundle *model)
{
    dq_value map = dq_map();
    return put(model, &map, "episode", dq_int((int64_t)p->episode)) &&
           put(model, &map, "step", dq_int((int64_t)p->step)) &&
           put(model, &map, "learnt", dq_int((int64_t)p->learnt)) &&
           (p->choice < 0 || put(model, &map, "choice", dq_int(p->choice))) &&
           put(model, &map, "reward", dq_real(p->reward)) && put(model, &map, "q", dq_real(p->q)) &&
           put(model, &map, "world", dq_real(p->world)) &&
           put(model, &map, "planning", dq_real(p->planning)) && put(model, &model->meta, "online", map);
}

dq_status dq_online_catalogue_save(const dq_online_catalogue *run, dq_bundle *model, dq_error *error)
{
    dq_status status = dq_dynaq_save(run->agent, true, model, error);
    if (!status) status = dq_env_save(run->env, "env", model, error);
    if (!status && !save_place(&run->at, model))
        status = dq_fail(error, DQ_ERR_MEMORY, "no memory for a checkpoint");
    return status;
}

static dq_status restore_env(dq_online_catalogue *run, const dq_bundle *model, dq_error *error)
{
    dq_status status = dq_env_restore(run->env, "env", model, error);
    if (status) return status;
    if (run->at.choice >= (int64_t)run->env->offered_count)
        return dq_fail(error, DQ_ERR_SCHEMA, "the checkpoint has a choice that is no candidate");
    return DQ_OK;
}

dq_status dq_online_catalogue_restore(dq_online_catalogue *run, const dq_bundle *model, dq_error *error)
{
    const dq_value *map = dq_map_get(&model->meta, "online");
    if (!map) return dq_fail(error, DQ_ERR_SCHEMA, "not a checkpoint of online training");
    run->at = (dq_online_catalogue_place){
        .episode = (uint64_t)dq_value_integer(dq_map_get(map, "episode"), 0),
        .step = (uint64_t)dq_value_integer(dq_map_get(map, "step"), 0),
        .learnt = (uint64_t)dq_value_integer(dq_map_get(map, "learnt"), 0),
        .choice = dq_value_integer(dq_map_get(map, "choice"), -1),
        .reward = dq_value_number(dq_map_get(map, "reward"), 0),
        .q = dq_value_number(dq_map_get(map, "q"), 0),
        .world = dq_value_number(dq_map_get(map, "world"), 0),
        .planning = dq_value_number(dq_map_get(map, "planning"), 0)};
    dq_status status = dq_dynaq_restore(run->agent, model, error);
    return status ? status : restore_env(run, model, error);
}
