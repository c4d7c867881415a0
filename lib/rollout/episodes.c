/* SPDX-License-Identifier: MIT */
#include "rollout/episodes.h"

#include "data/model_items.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

dq_status dq_episodes_check_items(const dq_bundle *model, dq_head head, const dq_vec_env *envs,
                                  dq_error *error)
{
    dq_vectors items = dq_vec_env_items(envs);
    return head == DQ_HEAD_OUTPUTS && items.at ? dq_model_items_check(model, &envs->items, &items, error)
                                               : DQ_OK;
}

dq_status dq_episodes_agent(dq_agent **agent, dq_bundle *model, const dq_vec_env *envs, dq_pool *pool,
                            dq_error *error)
{
    const char *kind;
    dq_agent_config config;
    dq_env_spec shape;
    const dq_env_spec *env = &envs->shape;
    dq_status status = dq_agent_read_config(model, &kind, &config, &shape, error);
    if (!status) status = dq_session_layout_fits(&shape.layout, &env->layout, error);
    if (status) return status;
    if (shape.state_width != env->state_width || shape.action_count != env->action_count)
        return dq_fail(error, DQ_ERR_RANGE,
                       "an agent of states %u wide and %u actions; the environment has %u and %u",
                       shape.state_width, shape.action_count, env->state_width, env->action_count);
    status = dq_episodes_check_items(model, config.head, envs, error);
    if (status) return status;
    status = dq_agent_new(agent, kind, &config, config.head == DQ_HEAD_ACTIONS ? env : &shape, pool, error);
    return status ? status : dq_agent_load(*agent, false, model, error);
}

/* What the agent expects of each start. */
static dq_status expect(const dq_vec_env *envs, dq_agent *agent, dq_played *played, dq_error *error)
{
    size_t n = envs->config.count, actions = envs->shape.action_count;
    float *q = agent ? calloc(n * actions, sizeof *q) : NULL;
    if (agent && !q) return dq_fail(error, DQ_ERR_MEMORY, "no memory for episodes");
    if (agent) dq_agent_values(agent, envs->states, n, q);
    for (size_t i = 0; i < n; i++) {
        const double none = (double)NAN;
        played[i] = (dq_played){.value = agent ? (double)q[i * actions] : none,
                                .discounted = agent ? 0 : none};
        for (size_t a = 1; agent && a < actions; a++)
            played[i].value = fmax(played[i].value, (double)q[i * actions + a]);
    }
    free(q);
    return DQ_OK;
}

static void choose(const dq_vec_env *envs, dq_agent *agent, dq_rng *rng, uint32_t *actions)
{
    if (agent) dq_agent_act(agent, envs->states, envs->config.count, false, actions);
    for (size_t i = 0; !agent && i < envs->config.count; i++)
        actions[i] = (uint32_t)dq_rng_below(rng, envs->shape.action_count);
}

/* Adds a step to what was played; the number of episodes that ended with it. */
static size_t add_step(const dq_vec_env *envs, double discount, dq_played *played)
{
    size_t ended = 0;
    for (size_t i = 0; i < envs->config.count; i++) {
        const dq_step *step = &envs->steps[i];
        if (envs->done[i]) continue;
        played[i].total += (double)step->reward;
        played[i].discounted += discount * (double)step->reward;
        played[i].steps++;
        memcpy(played[i].counted, envs->counted[i], sizeof played[i].counted);
        ended += step->terminal || step->truncated;
    }
    return ended;
}

dq_status dq_episodes_play(dq_vec_env *envs, dq_agent *agent, dq_rng *rng, dq_played *played, dq_error *error)
{
    size_t running = envs->config.count;
    double gamma = agent ? dq_agent_get_config(agent)->gamma : 1, discount = 1;
    uint32_t *actions = calloc(running, sizeof *actions);
    if (!actions) return dq_fail(error, DQ_ERR_MEMORY, "no memory for episodes");
    dq_status status = dq_vec_env_begin(envs, error);
    if (!status) status = expect(envs, agent, played, error);
    for (; !status && running; discount *= gamma) {
        choose(envs, agent, rng, actions);
        status = dq_vec_env_step(envs, actions, error);
        if (status) break;
        running -= add_step(envs, discount, played);
        dq_vec_env_advance(envs);
    }
    free(actions);
    return status;
}

dq_status dq_episodes_play_many(dq_vec_env *envs, dq_agent *agent, dq_rng *rng, size_t episodes,
                                dq_played *played, dq_error *error)
{
    size_t n = envs->config.count;
    dq_played *round = calloc(n, sizeof *round);
    dq_status status = round ? DQ_OK : dq_fail(error, DQ_ERR_MEMORY, "no memory for episodes");
    for (size_t from = 0; !status && from < episodes; from += n) {
        size_t kept = episodes - from < n ? episodes - from : n;
        status = dq_episodes_play(envs, agent, rng, round, error);
        if (!status) memcpy(played + from, round, kept * sizeof *round);
    }
    free(round);
    return status;
}
