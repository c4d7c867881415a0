/* SPDX-License-Identifier: MIT
 *
 * Greedy choices come in two ways. An agent chooses at once for all environments where it can; where states
 * are numbered, or some actions are out, each action's value is looked at. Values of a numbered state hold as
 * long as the environment is in that state: a whole episode of a catalogue.
 */
#include "rollout/episodes.h"

#include "core/buffers.h"
#include "data/model_items.h"

#include "learn/trajectory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

dq_status dq_episodes_check_items(const dq_bundle *model, dq_head head, const dq_vec_env *envs,
                                  dq_error *error)
{
    dq_vectors items = dq_vec_env_items(envs);
    if (!items.at) return DQ_OK;
    return dq_model_items_check(model, head == DQ_HEAD_OUTPUTS, &envs->items, &items, error);
}

dq_status dq_episodes_agent(dq_agent **agent, const dq_bundle *model, const dq_vec_env *envs, dq_pool *pool,
                            dq_error *error)
{
    dq_status status = dq_agent_of_model(agent, model, &envs->shape, pool, error);
    if (!status) status = dq_episodes_check_items(model, dq_agent_get_config(*agent)->head, envs, error);
    if (!status) return DQ_OK;
    dq_agent_free(*agent);
    *agent = NULL;
    return status;
}

/* One round of episodes. */
typedef struct episode_round {
    dq_vec_env *envs;
    dq_policy *policy;
    dq_played *played;
    uint32_t offered;      /* actions on offer */
    uint32_t *actions;     /* (envs) */
    float *value;          /* (envs, offered), where values are looked at; else NULL */
    uint32_t *value_of;    /* (envs) the numbered state that they are of; UINT32_MAX: none */
    bool *taken;           /* (envs, offered), where actions are distinct; else NULL */
    uint32_t *left;        /* (envs) not taken */
    double discount;       /* gamma^t */
    dq_trajectories *past; /* what the agent reads, if it reads trajectories; else NULL */
    dq_arena arena;        /* of the arrays */
} episode_round;

/* What an agent reads in every environment, and by which numbers. */
static const dq_vectors *read_store(const episode_round *r)
{
    return r->past ? dq_trajectories_store(r->past) : &r->envs->store;
}

static const uint32_t *read_number(const episode_round *r)
{
    return r->past ? NULL : r->envs->number;
}

static uint32_t offered_at(const episode_round *r, uint32_t i)
{
    return r->envs->offered ? r->envs->offered[i] : i;
}

/* ---- values ---- */

/* Whether each action's value is looked at. */
static bool looks_at_values(const episode_round *r)
{
    const dq_policy *p = r->policy;
    return p->by == DQ_POLICY_COSINE ||
           (p->by == DQ_POLICY_AGENT && (p->distinct || r->envs->shape.states.count > 0));
}

static void value_cosines(episode_round *r, size_t i)
{
    const dq_vec_env *envs = r->envs;
    const float *state = envs->store.at[envs->number[i]];
    for (uint32_t a = 0; a < r->offered; a++)
        r->value[i * r->offered + a] = (float)dq_cosine(state, envs->shape.actions[offered_at(r, a)],
                                                        r->policy->pairs, r->policy->pair_count);
}

/* Values of all environments together, so that a product is as high in each step, and its last digits are the
 * same. */
static void find_values(episode_round *r)
{
    const dq_vec_env *envs = r->envs;
    size_t n = envs->config.count;
    bool all = true;
    for (size_t i = 0; envs->shape.states.count && i < n; i++)
        all = all && (envs->done[i] || r->value_of[i] == envs->number[i]);
    if (envs->shape.states.count && all) return;
    if (r->policy->by == DQ_POLICY_AGENT)
        dq_agent_values(r->policy->agent, read_store(r), read_number(r), n, r->value);
    for (size_t i = 0; i < n; i++) {
        if (r->policy->by == DQ_POLICY_COSINE) value_cosines(r, i);
        r->value_of[i] = envs->number[i];
    }
}

/* ---- choosing ---- */

static bool is_free(const episode_round *r, size_t i, uint32_t a)
{
    return !r->taken || !r->taken[i * r->offered + a];
}

/* Number `which` of the actions on offer that are not taken. */
static uint32_t nth_free(const episode_round *r, size_t i, uint64_t which)
{
    uint32_t a = 0;
    if (!r->taken) return (uint32_t)which;
    for (;; a++)
        if (is_free(r, i, a) && which-- == 0) return a;
}

/* The best that is not taken, the first of equals. */
static uint32_t best_free(const episode_round *r, size_t i)
{
    const float *value = r->value + i * r->offered;
    uint32_t best = UINT32_MAX;
    for (uint32_t a = 0; a < r->offered; a++)
        if (is_free(r, i, a) && (best == UINT32_MAX || value[a] > value[best])) best = a;
    return best;
}

static void choose_one(episode_round *r, size_t i)
{
    dq_policy *p = r->policy;
    bool any = p->by == DQ_POLICY_RANDOM || (p->epsilon > 0 && dq_rng_uniform(&p->rng) < p->epsilon);
    uint32_t a;
    if (any)
        a = nth_free(r, i, dq_rng_below(&p->rng, r->left[i]));
    else if (r->value)
        a = best_free(r, i);
    else
        return; /* the agent's, which stands there */
    r->actions[i] = offered_at(r, a);
    if (!r->taken) return;
    r->taken[i * r->offered + a] = true;
    r->left[i]--;
}

static dq_status choose(episode_round *r, dq_error *error)
{
    const dq_vec_env *envs = r->envs;
    size_t n = envs->config.count;
    for (size_t i = 0; i < n; i++)
        if (!envs->done[i] && r->left[i] == 0)
            return dq_fail(error, DQ_ERR_RANGE, "%u actions on offer, and an episode of more distinct ones",
                           r->offered);
    if (r->value)
        find_values(r);
    else if (r->policy->by == DQ_POLICY_AGENT)
        dq_agent_act(r->policy->agent, read_store(r), read_number(r), n, false, r->actions);
    for (size_t i = 0; i < n; i++)
        if (!envs->done[i]) choose_one(r, i);
    return DQ_OK;
}

/* ---- a round ---- */

static dq_status reserve(episode_round *r, dq_error *error)
{
    size_t n = r->envs->config.count, pairs = n * r->offered;
    bool valued = looks_at_values(r), distinct = r->policy->distinct;
    const dq_buffer each[] = {DQ_BUFFER(r->actions, n), DQ_BUFFER(r->left, n), DQ_BUFFER(r->value_of, n)};
    const dq_buffer values = DQ_BUFFER(r->value, pairs), taken = DQ_BUFFER(r->taken, pairs);
    if (!dq_buffers_take(&r->arena, each, DQ_BUFFERS(each)) ||
        (valued && !dq_buffers_take(&r->arena, &values, 1)) ||
        (distinct && !dq_buffers_take(&r->arena, &taken, 1)))
        return dq_fail_memory(error, "episodes");
    for (size_t i = 0; i < n; i++) {
        r->left[i] = r->offered;
        r->value_of[i] = UINT32_MAX;
    }
    return DQ_OK;
}

/* What the agent expects of each start. */
static dq_status expect(episode_round *r, dq_error *error)
{
    const dq_vec_env *envs = r->envs;
    size_t n = envs->config.count;
    dq_agent *agent = r->policy->by == DQ_POLICY_AGENT && !r->past ? r->policy->agent : NULL;
    const double none = (double)NAN;
    for (size_t i = 0; i < n; i++) r->played[i] = (dq_played){.value = none, .discounted = agent ? 0 : none};
    if (!agent) return DQ_OK;
    float *own = r->value ? NULL : dq_arena_zero(&r->arena, n * r->offered, sizeof *own);
    const float *q = r->value ? r->value : own;
    if (!q) return dq_fail_memory(error, "episodes");
    if (own)
        dq_agent_values(agent, &envs->store, envs->number, n, own);
    else
        find_values(r);
    for (size_t i = 0; i < n; i++)
        for (size_t a = 0; a < r->offered; a++)
            r->played[i].value = fmax(r->played[i].value, (double)q[i * r->offered + a]); /* not NAN */
    return DQ_OK;
}

static void watch(const episode_round *r, size_t i)
{
    const dq_vec_env *envs = r->envs;
    const dq_watched step = {.env = i,
                             .at = r->played[i].steps,
                             .number = envs->number[i],
                             .action = r->actions[i],
                             .step = envs->steps[i]};
    r->policy->watch(r->policy->arg, &step);
}

static void remember(episode_round *r, size_t i)
{
    const dq_vec_env *envs = r->envs;
    const float *next = envs->store.at[envs->next_number[i]];
    dq_trajectories_step(r->past, i, r->actions[i], envs->steps[i].reward, next);
}

/* Adds a step to what was played; the number of episodes that ended with it. */
static size_t add_step(episode_round *r)
{
    const dq_vec_env *envs = r->envs;
    const dq_policy *p = r->policy;
    size_t ended = 0;
    for (size_t i = 0; i < envs->config.count; i++) {
        const dq_step *step = &envs->steps[i];
        dq_played *played = &r->played[i];
        if (envs->done[i]) continue;
        if (p->watch) watch(r, i);
        if (r->past) remember(r, i);
        played->total += (double)step->reward;
        played->discounted += r->discount * (double)step->reward;
        played->steps++;
        memcpy(played->counted, envs->counted[i], sizeof played->counted);
        played->cut = p->max_steps && played->steps >= p->max_steps && !step->terminal && !step->truncated;
        if (played->cut) dq_vec_env_truncate(r->envs, i);
        ended += step->terminal || step->truncated;
    }
    return ended;
}

static dq_status check(const episode_round *r, dq_error *error)
{
    const dq_policy *p = r->policy;
    if (p->by == DQ_POLICY_COSINE && (!r->envs->shape.actions || p->pair_count == 0))
        return dq_fail(error, DQ_ERR_RANGE,
                       "a cosine needs vectors of actions, and fields of theirs and the state's");
    if (p->by == DQ_POLICY_AGENT && dq_agent_lacks_features(p->agent))
        return dq_fail(
            error, DQ_ERR_UNSUPPORTED,
            "the model's network is given features of a catalogue's users and items, which are not "
            "here");
    return DQ_OK;
}

static dq_status play(episode_round *r, dq_error *error)
{
    dq_vec_env *envs = r->envs;
    dq_agent *agent = r->policy->by == DQ_POLICY_AGENT ? r->policy->agent : NULL;
    size_t running = envs->config.count;
    double gamma = agent ? dq_agent_get_config(agent)->gamma : 1;
    dq_status status = dq_vec_env_begin(envs, error);
    if (!status && agent) dq_agent_offer(agent, envs->offered, envs->offered_count);
    for (size_t i = 0; !status && r->past && i < envs->config.count; i++)
        dq_trajectories_begin(r->past, i, envs->store.at[envs->number[i]], 0);
    if (!status) status = expect(r, error);
    for (; !status && running; r->discount *= gamma) {
        status = choose(r, error);
        if (!status) status = dq_vec_env_step(envs, r->actions, error);
        if (status) break;
        running -= add_step(r);
        dq_vec_env_advance(envs);
    }
    return status;
}

dq_status dq_episodes_play(dq_vec_env *envs, dq_policy *policy, dq_played *played, dq_error *error)
{
    episode_round r = {.envs = envs,
                       .policy = policy,
                       .played = played,
                       .offered = envs->offered ? envs->offered_count : envs->shape.action_count,
                       .discount = 1};
    dq_status status = check(&r, error);
    const dq_agent *agent = policy->by == DQ_POLICY_AGENT ? policy->agent : NULL;
    if (!status) status = reserve(&r, error);
    if (!status) status = dq_agent_trajectories(agent, envs->config.count, &r.past, error);
    if (!status) status = play(&r, error);
    dq_trajectories_free(r.past);
    dq_arena_free(&r.arena);
    return status;
}

dq_status dq_episodes_play_many(dq_vec_env *envs, dq_policy *policy, size_t episodes, dq_played *played,
                                dq_error *error)
{
    size_t n = envs->config.count;
    dq_played *one = calloc(n, sizeof *one);
    dq_status status = one ? DQ_OK : dq_fail_memory(error, "episodes");
    for (size_t from = 0; !status && from < episodes; from += n) {
        size_t kept = episodes - from < n ? episodes - from : n;
        status = dq_episodes_play(envs, policy, one, error);
        if (!status) memcpy(played + from, one, kept * sizeof *one);
    }
    free(one);
    return status;
}

/* ---- what they came to ---- */

dq_played_mean dq_episodes_mean(const dq_played *played, size_t n)
{
    dq_played_mean m = {.min = played[0].total, .max = played[0].total};
    double squares = 0, count = (double)n;
    for (size_t i = 0; i < n; i++) {
        const dq_played *p = &played[i];
        m.total += p->total;
        m.steps += (double)p->steps;
        m.discounted += p->discounted;
        m.value += p->value;
        for (size_t c = 0; c < DQ_ENV_COUNTERS; c++) m.counted[c] += p->counted[c];
        m.min = fmin(m.min, p->total);
        m.max = fmax(m.max, p->total);
        m.cut += p->cut;
    }
    m.total /= count;
    m.steps /= count;
    m.discounted /= count;
    m.value /= count;
    for (size_t c = 0; c < DQ_ENV_COUNTERS; c++) m.counted[c] /= count;
    for (size_t i = 0; i < n; i++) squares += (played[i].total - m.total) * (played[i].total - m.total);
    m.sd = sqrt(squares / (count - 1));
    return m;
}
