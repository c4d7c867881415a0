/* SPDX-License-Identifier: MIT */
#include "rollout/online.h"

#include "core/buffers.h"
#include "core/record.h"
#include "learn/kept.h"

#include <math.h>
#include <stdlib.h>

dq_status dq_online_open(dq_online *run, dq_error *error)
{
    size_t n = run->envs->config.count;
    const dq_buffer buffers[] = {DQ_BUFFER(run->actions, n), DQ_BUFFER(run->returns, n),
                                 DQ_BUFFER(run->lengths, n)};
    run->at.best = (double)NAN;
    run->learnt = dq_agent_steps(run->agent);
    if (dq_buffers_take(&run->arena, buffers, DQ_BUFFERS(buffers))) return DQ_OK;
    return dq_fail_memory(error, "environments");
}

void dq_online_close(dq_online *run)
{
    dq_arena_free(&run->arena);
    dq_bundle_free(&run->best);
    *run = (dq_online){0};
}

/* ---- how far it is ---- */

/* With environment `over` (or none of that number) at the end of its episode. */
static double progress(const dq_online *run, size_t over)
{
    const dq_online_config *c = &run->config;
    double limit = run->envs->shape.step_limit, episodes = (double)run->at.episode, done = 0;
    for (size_t i = 0; i < run->envs->config.count; i++) {
        if (i == over)
            episodes += 1;
        else if (limit > 0)
            episodes += (double)run->lengths[i] / limit;
    }
    if (c->episodes) done = episodes / (double)c->episodes;
    if (c->steps) done = fmax(done, (double)run->at.step / (double)c->steps);
    return fmin(1, done);
}

double dq_online_progress(const dq_online *run)
{
    return progress(run, SIZE_MAX);
}

/* ---- a step ---- */

static dq_status learn(dq_online *run, dq_error *error)
{
    dq_status status = DQ_OK;
    while (!status && dq_agent_ready(run->agent)) {
        dq_agent_losses losses;
        dq_online_state *p = &run->at;
        status = dq_agent_learn(run->agent, &losses, error);
        p->learnt++;
        if (isfinite(losses.q)) p->q += losses.q;
        if (isfinite(losses.gradient)) p->gradient += losses.gradient;
        if (isfinite(losses.world)) p->world += losses.world;
        if (isfinite(losses.planning)) {
            p->planning += losses.planning;
            p->planned++;
        }
    }
    return status;
}

static dq_status end_episode(dq_online *run, size_t i, dq_error *error)
{
    const dq_online_config *c = &run->config;
    dq_online_state *p = &run->at;
    p->episode++;
    dq_agent_end_episode(run->agent);
    dq_status status = c->episode_ended ? c->episode_ended(c->arg, run, i, error) : DQ_OK;
    run->returns[i] = 0;
    run->lengths[i] = 0;
    p->learnt = p->planned = 0;
    p->q = p->world = p->planning = p->gradient = 0;
    return status;
}

/* What environment i's step taught. */
static dq_status observe(dq_online *run, size_t i, dq_error *error)
{
    const dq_vec_env *envs = run->envs;
    const dq_step *step = &envs->steps[i];
    const dq_transition seen = {.state = envs->number[i],
                                .action = run->actions[i],
                                .next = envs->next_number[i],
                                .reward = step->reward,
                                .discount = 1,
                                .done = step->terminal};
    bool over = step->terminal || step->truncated;
    run->at.step++;
    run->returns[i] += (double)step->reward;
    run->lengths[i]++;
    dq_agent_observe(run->agent, (uint32_t)i, &envs->store, &seen, over);
    dq_agent_progress(run->agent, progress(run, over ? i : SIZE_MAX));
    dq_status status = learn(run, error);
    if (!status && over) status = end_episode(run, i, error);
    return status;
}

/* Episodes that begin may offer other actions: then there is one environment. */
static dq_status begin_episodes(dq_online *run, dq_error *error)
{
    dq_vec_env *envs = run->envs;
    bool begins = envs->done[0];
    dq_status status = dq_vec_env_begin(envs, error);
    if (!status && begins && envs->offered) dq_agent_offer(run->agent, envs->offered, envs->offered_count);
    return status;
}

static dq_status step_all(dq_online *run, dq_error *error)
{
    dq_vec_env *envs = run->envs;
    size_t n = envs->config.count;
    dq_status status = begin_episodes(run, error);
    if (status) return status;
    if (!run->at.pending) dq_agent_act(run->agent, &envs->store, envs->number, n, true, run->actions);
    run->at.pending = true;
    status = dq_vec_env_step(envs, run->actions, error);
    if (status) return status;
    run->at.pending = false;
    for (size_t i = 0; !status && i < n; i++) status = observe(run, i, error);
    dq_vec_env_advance(run->envs);
    return status;
}

/* ---- the run ---- */

static bool ended(const dq_online *run)
{
    const dq_online_config *c = &run->config;
    return (c->episodes && run->at.episode >= c->episodes) || (c->steps && run->at.step >= c->steps) ||
           (c->patience && run->at.stale >= c->patience);
}

/* Where the best is kept, what the run came to in the end is evaluated, too, however long its episodes were.
 */
bool dq_online_evaluation_due(const dq_online *run)
{
    const dq_online_config *c = &run->config;
    const dq_online_state *p = &run->at;
    if (!c->evaluate) return false;
    return p->episode / c->evaluate > p->evaluated ||
           (c->keep_best && ended(run) && p->step > p->evaluated_at);
}

/* Notes an evaluation's mean return, and keeps the model when it is the best. */
static dq_status note_evaluation(dq_online *run, const dq_played *played, bool *better, dq_error *error)
{
    const dq_online_config *c = &run->config;
    dq_online_state *p = &run->at;
    const dq_played_mean of = dq_episodes_mean(played, (size_t)c->evaluate_episodes);
    double mean = of.total;
    run->cut += of.cut;
    *better = isnan(p->best) || mean > p->best;
    uint64_t due = p->episode / c->evaluate;
    p->evaluated = due > p->evaluated ? due : p->evaluated + 1; /* the end's own */
    p->evaluated_at = p->step;
    p->stale = *better ? 0 : p->stale + 1;
    if (!*better) return DQ_OK;
    p->best = mean;
    p->best_at = p->episode;
    return c->keep_best ? dq_kept_set(&run->best, run->agent, error) : DQ_OK;
}

/* What was on offer to the agent is so again afterwards. */
static dq_status evaluate(dq_online *run, dq_error *error)
{
    const dq_online_config *c = &run->config;
    dq_policy policy = {.by = DQ_POLICY_AGENT, .agent = run->agent, .max_steps = c->max_steps};
    dq_played *played = calloc((size_t)c->evaluate_episodes, sizeof *played);
    bool better = false;
    if (!played) return dq_fail_memory(error, "an evaluation");
    dq_vec_env_rewind(run->eval_envs);
    dq_vec_env_copy(run->eval_envs, run->envs);
    dq_status status = dq_episodes_play_many(run->eval_envs, &policy, (size_t)c->evaluate_episodes, played,
                                             error);
    dq_agent_offer(run->agent, run->envs->offered, run->envs->offered_count);
    if (!status) status = note_evaluation(run, played, &better, error);
    if (!status && c->evaluated) status = c->evaluated(c->arg, run, played, better, error);
    free(played);
    return status;
}

dq_status dq_online_run(dq_online *run, dq_error *error)
{
    const dq_online_config *c = &run->config;
    dq_status status = DQ_OK;
    dq_agent_progress(run->agent, dq_online_progress(run));
    while (!status && (!ended(run) || dq_online_evaluation_due(run))) {
        status = dq_online_evaluation_due(run) ? evaluate(run, error) : step_all(run, error);
        if (!status && c->stepped) status = c->stepped(c->arg, run, error);
    }
    return status;
}

/* ---- checkpoints ---- */

static const dq_record_field place_fields[] = {
    {"episode", DQ_RECORD_COUNT, offsetof(dq_online_state, episode)},
    {"step", DQ_RECORD_COUNT, offsetof(dq_online_state, step)},
    {"evaluated", DQ_RECORD_COUNT, offsetof(dq_online_state, evaluated)},
    {"learnt", DQ_RECORD_COUNT, offsetof(dq_online_state, learnt)},
    {"planned", DQ_RECORD_COUNT, offsetof(dq_online_state, planned)},
    {"q", DQ_RECORD_REAL, offsetof(dq_online_state, q)},
    {"world", DQ_RECORD_REAL, offsetof(dq_online_state, world)},
    {"planning", DQ_RECORD_REAL, offsetof(dq_online_state, planning)},
    {"gradient", DQ_RECORD_REAL, offsetof(dq_online_state, gradient)},
    {"best", DQ_RECORD_REAL, offsetof(dq_online_state, best)},
    {"best_at", DQ_RECORD_COUNT, offsetof(dq_online_state, best_at)},
    {"stale", DQ_RECORD_COUNT, offsetof(dq_online_state, stale)},
    {"evaluated_at", DQ_RECORD_COUNT, offsetof(dq_online_state, evaluated_at)},
    {"pending", DQ_RECORD_FLAG, offsetof(dq_online_state, pending)},
};

enum { PLACE_FIELDS = sizeof place_fields / sizeof *place_fields };

enum { PARTS = 3 };

static void list_parts(const dq_online *run, dq_record_part parts[PARTS])
{
    uint64_t n = run->envs->config.count;
    parts[0] = (dq_record_part){"actions", DQ_U4, n, 0, run->actions};
    parts[1] = (dq_record_part){"returns", DQ_F8, n, 0, run->returns};
    parts[2] = (dq_record_part){"lengths", DQ_U8, n, 0, run->lengths};
}

dq_status dq_online_save(const dq_online *run, dq_bundle *model, dq_error *error)
{
    dq_record_part parts[PARTS];
    list_parts(run, parts);
    dq_status status = dq_agent_save(run->agent, true, model, error);
    if (!status) status = dq_vec_env_save(run->envs, model, error);
    if (!status) status = dq_record_save(place_fields, PLACE_FIELDS, &run->at, "online", model, error);
    if (!status) status = dq_kept_save(&run->best, model, error);
    return status ? status : dq_record_save_parts(parts, PARTS, "run", model, error);
}

static dq_status restore_place(dq_online *run, const dq_bundle *model, dq_error *error)
{
    dq_record_part parts[PARTS];
    list_parts(run, parts);
    dq_status status = dq_record_restore(place_fields, PLACE_FIELDS, &run->at, "online", model, error);
    if (!status) status = dq_record_restore_parts(parts, PARTS, "run", model, error);
    for (size_t i = 0; !status && i < run->envs->config.count; i++)
        if (run->actions[i] >= run->envs->shape.action_count)
            status = dq_fail(error, DQ_ERR_SCHEMA, "a checkpoint with an action that there is not");
    return status;
}

dq_status dq_online_restore(dq_online *run, const dq_bundle *model, dq_error *error)
{
    dq_status status = dq_agent_load(run->agent, true, model, error);
    if (!status) status = restore_place(run, model, error);
    if (!status) status = dq_kept_restore(&run->best, run->agent, model, error);
    if (!status) status = dq_vec_env_restore(run->envs, model, error);
    if (!status && !run->envs->done[0])
        dq_agent_offer(run->agent, run->envs->offered, run->envs->offered_count);
    return status;
}

/* ---- what the result is worth ---- */

dq_status dq_online_check_learnt(const dq_online *run, dq_error *error)
{
    const dq_agent_config *c = dq_agent_get_config(run->agent);
    const char *more = run->config.episodes ? "--episodes" : "--total-steps";
    uint64_t steps = run->at.step, tenth = steps / 10;
    if (dq_agent_steps(run->agent) > run->learnt) return DQ_OK;
    if (tenth < c->batch) tenth = c->batch;
    if (steps < c->batch)
        return dq_fail(error, DQ_ERR_RANGE,
                       "no update was made: %" PRIu64
                       " steps are too few for batches of %zu; a smaller --batch, "
                       "or more %s",
                       steps, c->batch, more);
    if (steps < c->warmup)
        return dq_fail(error, DQ_ERR_RANGE,
                       "no update was made: %" PRIu64
                       " steps are fewer than the warm-up of %zu; --warmup %" PRIu64 ", or more %s",
                       steps, c->warmup, tenth, more);
    return dq_fail(error, DQ_ERR_RANGE, "no update was made in %" PRIu64 " steps; more %s", steps, more);
}

dq_status dq_online_find_indifferent(const dq_online *run, bool *equal, dq_error *error)
{
    const dq_vec_env *envs = run->envs;
    *equal = dq_agent_network(run->agent, "q") != NULL;
    float *q = *equal ? calloc(envs->shape.action_count, sizeof *q) : NULL;
    if (*equal && !q) return dq_fail_memory(error, "%u values", envs->shape.action_count);
    for (size_t i = 0; *equal && i < envs->config.count; i++)
        *equal = dq_agent_is_indifferent(run->agent, &envs->store, envs->number[i], q);
    free(q);
    return DQ_OK;
}
