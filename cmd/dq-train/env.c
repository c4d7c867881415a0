/* SPDX-License-Identifier: MIT
 *
 * An agent in environments that step together. A run may stop after any step, and while it waits for an
 * environment's answer: what was chosen is then part of the checkpoint, so that going on equals never having
 * stopped.
 *
 *     begin (where episodes ended) -> choose -> step -> observe, learn, log -> advance -> ...
 *
 * Evaluations are due at numbers of episodes and stand between two steps; they draw from environments of
 * their own, which are the same at every evaluation.
 */
#include "env_run.h"

#include "data/load.h"
#include "math/blas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- making ---- */

static dq_status open_envs(env_run *run, dq_vec_env **envs, uint64_t count, uint64_t seed, dq_error *error)
{
    train *t = run->t;
    dq_vec_env_config config = {.name = t->o->env.name,
                                .command = t->o->env.command,
                                .count = (size_t)count,
                                .seed = seed,
                                .maker = &run->speaker,
                                .stop_asked = dq_stop_asked};
    return dq_vec_env_open(envs, &config, error);
}

static bool same_shape(const dq_task_shape *a, const dq_task_shape *b)
{
    return a->state_width == b->state_width && a->action_count == b->action_count &&
           a->user_width == b->user_width && a->history == b->history && a->item_width == b->item_width &&
           a->action_width == b->action_width;
}

static dq_status open_all(env_run *run, dq_error *error)
{
    const train_env_options *e = &run->t->o->env;
    uint64_t seed = run->t->o->common.seed;
    dq_status status = open_envs(run, &run->envs, e->count, seed, error);
    if (status || !e->evaluate) return status;
    status = open_envs(run, &run->eval_envs, e->evaluate_episodes, seed ^ EVAL_SEED, error);
    if (!status && !same_shape(&run->envs->shape, &run->eval_envs->shape))
        status = dq_fail(error, DQ_ERR_SCHEMA, "the environment has another shape each time it is started");
    return status;
}

/* Updates of the whole run, which schedules count in; 1 when nothing is scheduled. */
static dq_status scheduled(const env_run *run, uint64_t *updates, dq_error *error)
{
    const dq_agent_config *c = &run->t->o->env.config;
    uint64_t limit = run->envs->shape.step_limit, steps = run->t->o->env.total_steps;
    uint64_t before = c->warmup > c->batch ? c->warmup : c->batch;
    bool needed = c->priority > 0 || (c->schedule && strcmp(c->schedule->name, "constant") != 0);
    *updates = 1;
    if (!needed) return DQ_OK;
    if (!steps && !limit)
        return dq_fail(
            error, DQ_ERR_RANGE,
            "episodes of this environment have no limit: a schedule or priorities need --total-steps");
    if (!steps || (limit && run->t->o->episodes < steps / limit)) steps = run->t->o->episodes * limit;
    if (steps > before) *updates = (steps - before) / c->train_every * c->updates + 1;
    return DQ_OK;
}

static dq_status load_init(env_run *run, dq_error *error)
{
    train *t = run->t;
    if (!t->o->init) return DQ_OK;
    dq_status status = dq_models_read(&t->init, &t->inputs[0], t->o->init, error);
    if (t->inputs[0]) t->input_count = 1;
    if (status) return status;
    status = dq_agent_load(run->agent, false, &t->init.at[0], error);
    if (status) (void)dq_error_at(error, t->o->init, DQ_NO_RECORD);
    return status;
}

static dq_status make(env_run *run, dq_error *error)
{
    train *t = run->t;
    size_t n = (size_t)t->o->env.count;
    dq_agent_config config = t->o->env.config;
    dq_status status = open_all(run, error);
    if (!status) status = scheduled(run, &config.schedule_steps, error);
    if (!status) status = dq_pool_new(&t->pool, dq_cli_threads(&t->o->common, 1), error);
    if (!status)
        status = dq_agent_new(&run->agent, train_agents[t->o->env.agent], &config, &run->envs->shape, t->pool,
                              error);
    if (!status) status = load_init(run, error);
    if (status) return status;
    run->actions = calloc(n, sizeof *run->actions);
    run->returns = calloc(n, sizeof *run->returns);
    run->lengths = calloc(n, sizeof *run->lengths);
    if (run->actions && run->returns && run->lengths) return DQ_OK;
    return dq_fail(error, DQ_ERR_MEMORY, "no memory for environments");
}

/* ---- checkpoints ---- */

static bool put(dq_bundle *model, dq_value *map, const char *name, dq_value value)
{
    return dq_map_set(&model->arena, map, name, value);
}

static dq_status save_place(env_run *run, dq_bundle *model, dq_error *error)
{
    const env_place *p = &run->at;
    dq_value map = dq_map();
    uint64_t n = run->t->o->env.count;
    bool ok = put(model, &map, "episode", dq_int((int64_t)p->episode)) &&
              put(model, &map, "step", dq_int((int64_t)p->step)) &&
              put(model, &map, "evaluated", dq_int((int64_t)p->evaluated)) &&
              put(model, &map, "learnt", dq_int((int64_t)p->learnt)) &&
              put(model, &map, "planned", dq_int((int64_t)p->planned)) &&
              put(model, &map, "q", dq_real(p->q)) && put(model, &map, "world", dq_real(p->world)) &&
              put(model, &map, "planning", dq_real(p->planning)) &&
              put(model, &map, "gradient", dq_real(p->gradient)) &&
              put(model, &map, "pending", dq_bool(p->pending)) && put(model, &model->meta, "in_env", map);
    dq_status status = ok ? DQ_OK : dq_fail(error, DQ_ERR_MEMORY, "no memory for a checkpoint");
    if (!status) status = dq_bundle_add_tensor(model, "run.actions", DQ_U4, 1, &n, run->actions, error);
    if (!status) status = dq_bundle_add_tensor(model, "run.returns", DQ_F8, 1, &n, run->returns, error);
    if (!status) status = dq_bundle_add_tensor(model, "run.lengths", DQ_U8, 1, &n, run->lengths, error);
    return status;
}

static dq_status save(env_run *run, dq_error *error)
{
    dq_bundle model;
    dq_status status = dq_bundle_init(&model, DQ_KIND_MODEL, 0, error);
    if (!status) status = dq_agent_save(run->agent, true, &model, error);
    if (!status) status = dq_vec_env_save(run->envs, &model, error);
    if (!status) status = save_place(run, &model, error);
    if (!status) status = train_checkpoint_write(run->t, &model, &run->log, error);
    dq_bundle_free(&model);
    return status;
}

static dq_status take(void *to, const dq_bundle *model, const char *name, dq_dtype type, size_t bytes,
                      dq_error *error)
{
    const dq_column *column = dq_bundle_column(model, name);
    if (!column || column->type != type || column->bytes != bytes)
        return dq_fail(error, DQ_ERR_SCHEMA, "not a checkpoint of this run: %s", name);
    memcpy(to, column->data, bytes);
    return DQ_OK;
}

static dq_status restore_place(env_run *run, const dq_bundle *model, dq_error *error)
{
    const dq_value *map = dq_map_get(&model->meta, "in_env"), *pending = dq_map_get(map, "pending");
    size_t n = (size_t)run->t->o->env.count;
    env_place *p = &run->at;
    if (!map) return dq_fail(error, DQ_ERR_SCHEMA, "not a checkpoint of training in an environment");
    p->episode = (uint64_t)dq_value_integer(dq_map_get(map, "episode"), 0);
    p->step = (uint64_t)dq_value_integer(dq_map_get(map, "step"), 0);
    p->evaluated = (uint64_t)dq_value_integer(dq_map_get(map, "evaluated"), 0);
    p->learnt = (uint64_t)dq_value_integer(dq_map_get(map, "learnt"), 0);
    p->planned = (uint64_t)dq_value_integer(dq_map_get(map, "planned"), 0);
    p->q = dq_value_number(dq_map_get(map, "q"), 0);
    p->world = dq_value_number(dq_map_get(map, "world"), 0);
    p->planning = dq_value_number(dq_map_get(map, "planning"), 0);
    p->gradient = dq_value_number(dq_map_get(map, "gradient"), 0);
    p->pending = pending && pending->type == DQ_BOOL && pending->as.boolean;
    dq_status status = take(run->actions, model, "run.actions", DQ_U4, n * sizeof *run->actions, error);
    if (!status) status = take(run->returns, model, "run.returns", DQ_F8, n * sizeof *run->returns, error);
    if (!status) status = take(run->lengths, model, "run.lengths", DQ_U8, n * sizeof *run->lengths, error);
    for (size_t i = 0; !status && i < n; i++)
        if (run->actions[i] >= run->envs->shape.action_count)
            status = dq_fail(error, DQ_ERR_SCHEMA, "a checkpoint with an action that there is not");
    return status;
}

static dq_status restore(void *arg, const dq_bundle *model, dq_error *error)
{
    env_run *run = arg;
    dq_status status = dq_agent_load(run->agent, true, model, error);
    if (!status) status = restore_place(run, model, error);
    return status ? status : dq_vec_env_restore(run->envs, model, error);
}

/* Asked to stop: keeps what there is, also when an environment was being waited for. */
static dq_status stop(env_run *run, dq_error *error)
{
    dq_error e = DQ_ERROR_NONE;
    dq_status status = run->t->o->checkpoint ? save(run, &e) : dq_fail(&e, DQ_ERR_STOPPED, "interrupted");
    *error = e;
    if (status) return status;
    return dq_fail(
        error, DQ_ERR_STOPPED, "stopped after %llu steps and %llu episodes; the same command goes on from %s",
        (unsigned long long)run->at.step, (unsigned long long)run->at.episode, run->t->o->checkpoint);
}

/* ---- the run ---- */

static dq_status learn(env_run *run, dq_error *error)
{
    dq_status status = DQ_OK;
    while (!status && dq_agent_ready(run->agent)) {
        dq_agent_losses losses;
        env_place *p = &run->at;
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

static dq_status end_episode(env_run *run, size_t i, dq_error *error)
{
    const train_options *o = run->t->o;
    env_place *p = &run->at;
    p->episode++;
    dq_agent_end_episode(run->agent, (uint32_t)i);
    dq_status status = env_run_log_episode(run, i, error);
    (void)snprintf(run->note, sizeof run->note, "return %.3f", run->returns[i]);
    run->returns[i] = 0;
    run->lengths[i] = 0;
    p->learnt = p->planned = 0;
    p->q = p->world = p->planning = p->gradient = 0;
    run->due = run->due || (o->checkpoint && p->episode % o->checkpoint_every == 0);
    return status;
}

/* What environment i's step taught. */
static dq_status observe(env_run *run, size_t i, dq_error *error)
{
    const dq_vec_env *envs = run->envs;
    const dq_step *step = &envs->steps[i];
    size_t width = envs->shape.state_width;
    const dq_experience seen = {.state = envs->states + i * width,
                                .next = envs->next + i * width,
                                .action = run->actions[i],
                                .reward = step->reward,
                                .terminal = step->terminal,
                                .truncated = step->truncated};
    run->at.step++;
    run->returns[i] += (double)step->reward;
    run->lengths[i]++;
    dq_agent_observe(run->agent, (uint32_t)i, &seen);
    dq_status status = learn(run, error);
    if (!status && (step->terminal || step->truncated)) status = end_episode(run, i, error);
    return status;
}

static dq_status step(env_run *run, dq_error *error)
{
    size_t n = run->envs->config.count;
    dq_status status = dq_vec_env_begin(run->envs, error);
    if (!status && !run->at.pending) dq_agent_act(run->agent, run->envs->states, n, true, run->actions);
    if (!status) run->at.pending = true;
    if (!status) status = dq_vec_env_step(run->envs, run->actions, error);
    if (status) return status;
    run->at.pending = false;
    for (size_t i = 0; !status && i < n; i++) status = observe(run, i, error);
    dq_vec_env_advance(run->envs);
    return status;
}

static bool ended(const env_run *run)
{
    const train_options *o = run->t->o;
    return run->at.episode >= o->episodes || (o->env.total_steps && run->at.step >= o->env.total_steps);
}

static bool evaluation_due(const env_run *run)
{
    uint64_t every = run->t->o->env.evaluate;
    return every && run->at.episode / every > run->at.evaluated;
}

static dq_status evaluate(env_run *run, dq_error *error)
{
    uint64_t n = run->t->o->env.evaluate_episodes;
    dq_played *played = calloc(n, sizeof *played);
    if (!played) return dq_fail(error, DQ_ERR_MEMORY, "no memory for an evaluation");
    dq_vec_env_rewind(run->eval_envs);
    dq_vec_env_copy(run->eval_envs, run->envs);
    dq_status status = dq_episodes_play(run->eval_envs, run->agent, NULL, played, error);
    if (!status) {
        run->at.evaluated = run->at.episode / run->t->o->env.evaluate;
        status = env_run_log_evaluation(run, played, (size_t)n, error);
    }
    free(played);
    return status;
}

static void show(env_run *run)
{
    const train_options *o = run->t->o;
    dq_progress_step(&run->bar, o->env.total_steps ? run->at.step : run->at.episode, run->note);
}

static dq_status go(env_run *run, dq_error *error)
{
    dq_status status = DQ_OK;
    while (!status && (!ended(run) || evaluation_due(run))) {
        status = evaluation_due(run) ? evaluate(run, error) : step(run, error);
        show(run);
        if (status == DQ_ERR_STOPPED || (!status && dq_stop_asked())) return stop(run, error);
        if (!status && run->due && !evaluation_due(run)) {
            status = save(run, error);
            run->due = false;
        }
    }
    if (!status && run->t->o->checkpoint) status = save(run, error);
    return status;
}

static dq_status write_model(env_run *run, dq_error *error)
{
    train *t = run->t;
    dq_bundle model;
    dq_status status = dq_bundle_init(&model, DQ_KIND_MODEL, 0, error);
    if (!status) status = dq_agent_save(run->agent, false, &model, error);
    if (!status && t->o->env.name &&
        !dq_map_set(&model.arena, &model.meta, "env", dq_string(&model.arena, t->o->env.name)))
        status = dq_fail(error, DQ_ERR_MEMORY, "no memory for a model");
    if (!status) status = dq_writer_put(t->output, &model, error);
    dq_bundle_free(&model);
    return status;
}

/* The environments end before the model leaves, so that a process that fails in the end is not passed over.
 */
static dq_status live(env_run *run, dq_error *error)
{
    const train_options *o = run->t->o;
    if (o->env.command)
        dq_stop_catch(); /* a process may never look up: it is ended before we are */
    else
        train_catch_stop(run->t);
    dq_status status = make(run, error);
    if (!status) status = train_resume(run->t, &run->log, restore, run, error);
    if (!status)
        status = dq_writer_open(&run->t->output, o->common.output, &run->t->maker, run->t->inputs,
                                run->t->input_count, error);
    if (!status) {
        bool by_steps = o->env.total_steps > 0;
        run->bar = dq_progress_start(&o->common, "training", by_steps ? o->env.total_steps : o->episodes);
        status = go(run, error);
        dq_progress_end(&run->bar);
    }
    if (status != DQ_ERR_STOPPED) dq_stop_release();
    dq_status closed = train_log_close(&run->log, status ? NULL : error);
    if (!status) status = closed;
    status = dq_vec_env_close(run->envs, status, error);
    status = dq_vec_env_close(run->eval_envs, status, error);
    if (status == DQ_ERR_STOPPED && !o->checkpoint) dq_stop_end();
    return status;
}

dq_status train_run_env(train *t, dq_error *error)
{
    env_run run = {
        .t = t,
        .speaker = {
            .program = t->maker.program, .version = t->maker.version, .options = dq_map(), .seed = -1}};
    dq_status status = live(&run, error);
    if (!status) status = write_model(&run, error);
    dq_agent_free(run.agent);
    free(run.actions);
    free(run.returns);
    free(run.lengths);
    return status;
}
