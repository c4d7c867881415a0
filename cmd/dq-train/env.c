/* SPDX-License-Identifier: MIT
 *
 * Training in environments (rollout/online.h): what is opened for it, its checkpoints, and the model that
 * leaves.
 */
#include "env_run.h"

#include "data/load.h"

#include <stdlib.h>
#include <string.h>

/* ---- making ---- */

static dq_status open_envs(env_run *run, dq_vec_env **envs, uint64_t count, uint64_t seed, dq_error *error)
{
    train *t = run->t;
    dq_vec_env_config config = {.name = t->o->env.name,
                                .command = t->o->env.command,
                                .like = &run->like,
                                .count = (size_t)count,
                                .seed = seed,
                                .maker = &run->speaker,
                                .stop_asked = dq_stop_asked};
    return dq_vec_env_open(envs, &config, error);
}

static bool same_shape(const dq_env_spec *a, const dq_env_spec *b)
{
    return a->state_width == b->state_width && a->action_count == b->action_count &&
           a->user_width == b->user_width && a->history == b->history && a->item_width == b->item_width &&
           a->action_width == b->action_width;
}

static dq_status open_all(env_run *run, dq_error *error)
{
    const train_env_options *e = &run->t->o->env;
    uint64_t seed = run->t->o->common.seed;
    dq_status status = open_envs(run, &run->online.envs, e->count, seed, error);
    if (status || !e->evaluate) return status;
    status = open_envs(run, &run->online.eval_envs, e->evaluate_episodes, seed ^ EVAL_SEED, error);
    if (!status && !same_shape(&run->online.envs->shape, &run->online.eval_envs->shape))
        status = dq_fail(error, DQ_ERR_SCHEMA, "the environment has another shape each time it is started");
    return status;
}

/* Updates of the whole run, which schedules count in; 1 when nothing is scheduled. */
static dq_status scheduled(const env_run *run, uint64_t *updates, dq_error *error)
{
    const dq_agent_config *c = &run->t->o->env.config;
    uint64_t limit = run->online.envs->shape.step_limit, steps = run->t->o->env.total_steps;
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

/* ---- the items that actions are ---- */

/* Their names outlive the environments, which end before the model leaves. */
static dq_status note_items(env_run *run, dq_error *error)
{
    dq_vec_env *envs = run->online.envs;
    dq_vectors items = dq_vec_env_items(envs);
    return items.at ? dq_model_items_take(&run->items, &envs->items, &items, error) : DQ_OK;
}

/* ---- the model that is started from ---- */

/* The model that is started from; a session environment shows its states as that one knows them. */
static dq_status read_init(env_run *run, dq_error *error)
{
    train *t = run->t;
    if (!t->o->init) return DQ_OK;
    dq_status status = dq_models_read(&t->init, &t->inputs[0], t->o->init, error);
    if (t->inputs[0]) t->input_count = 1;
    if (status) return status;
    status = dq_session_layout_load(&run->like, &t->init.at[0], error);
    return status ? dq_error_at(error, t->o->init, DQ_NO_RECORD) : DQ_OK;
}

static dq_status load_init(env_run *run, dq_error *error)
{
    train *t = run->t;
    if (!t->o->init) return DQ_OK;
    dq_status status = dq_agent_load(run->online.agent, false, &t->init.at[0], error);
    if (!status)
        status = dq_episodes_check_items(&t->init.at[0], t->o->env.config.head, run->online.envs, error);
    return status ? dq_error_at(error, t->o->init, DQ_NO_RECORD) : DQ_OK;
}

/* ---- checkpoints ---- */

static dq_status save(env_run *run, dq_error *error)
{
    dq_bundle model;
    dq_status status = dq_bundle_init(&model, DQ_KIND_MODEL, 0, error);
    if (!status) status = dq_online_save(&run->online, &model, error);
    if (!status) status = train_checkpoint_write(run->t, &model, &run->log, error);
    dq_bundle_free(&model);
    return status;
}

static dq_status restore(void *arg, const dq_bundle *model, dq_error *error)
{
    env_run *run = arg;
    return dq_online_restore(&run->online, model, error);
}

/* Asked to stop: keeps what there is, also when an environment was being waited for. */
static dq_status stop(env_run *run, dq_error *error)
{
    dq_error e = DQ_ERROR_NONE;
    dq_status status = run->t->o->checkpoint ? save(run, &e) : dq_fail(&e, DQ_ERR_STOPPED, "interrupted");
    *error = e;
    if (status) return status;
    return dq_fail(error, DQ_ERR_STOPPED,
                   "stopped after %llu steps and %llu episodes; the same command goes on from %s",
                   (unsigned long long)run->online.at.step, (unsigned long long)run->online.at.episode,
                   run->t->o->checkpoint);
}

/* ---- what the run tells ---- */

static dq_status episode_ended(void *arg, const dq_online *online, size_t env, dq_error *error)
{
    env_run *run = arg;
    const train_options *o = run->t->o;
    (void)snprintf(run->note, sizeof run->note, "return %.3f", online->returns[env]);
    run->due = run->due || (o->checkpoint && online->at.episode % o->checkpoint_every == 0);
    return env_run_log_episode(run, env, error);
}

static dq_status evaluated(void *arg, const dq_online *online, const dq_played *played, dq_error *error)
{
    return env_run_log_evaluation(arg, played, online->eval_envs->config.count, error);
}

static dq_status stepped(void *arg, dq_online *online, dq_error *error)
{
    env_run *run = arg;
    bool by_steps = run->t->o->env.total_steps > 0;
    dq_progress_step(&run->bar, by_steps ? online->at.step : online->at.episode, run->note);
    if (dq_stop_asked()) return dq_fail(error, DQ_ERR_STOPPED, "interrupted");
    if (!run->due || dq_online_evaluation_due(online)) return DQ_OK;
    run->due = false;
    return save(run, error);
}

static dq_online_config configuration(env_run *run)
{
    const train_options *o = run->t->o;
    return (dq_online_config){.episodes = o->episodes,
                              .steps = o->env.total_steps,
                              .evaluate = o->env.evaluate,
                              .arg = run,
                              .episode_ended = episode_ended,
                              .evaluated = evaluated,
                              .stepped = stepped};
}

/* ---- the run ---- */

static dq_status make(env_run *run, dq_error *error)
{
    train *t = run->t;
    dq_agent_config config = t->o->env.config;
    dq_status status = read_init(run, error);
    if (!status) status = open_all(run, error);
    if (!status) status = note_items(run, error);
    if (!status) status = scheduled(run, &config.schedule_steps, error);
    if (!status) status = dq_pool_new(&t->pool, dq_cli_threads(&t->o->common, 1), error);
    if (!status)
        status = dq_agent_new(&run->online.agent, train_agents[t->o->env.agent], &config,
                              &run->online.envs->shape, t->pool, error);
    if (!status) status = load_init(run, error);
    if (status) return status;
    run->online.config = configuration(run);
    return dq_online_open(&run->online, error);
}

static dq_status go(env_run *run, dq_error *error)
{
    dq_status status = dq_online_run(&run->online, error);
    if (status == DQ_ERR_STOPPED) return stop(run, error);
    return !status && run->t->o->checkpoint ? save(run, error) : status;
}

static dq_status write_model(env_run *run, dq_error *error)
{
    train *t = run->t;
    dq_bundle model;
    dq_status status = dq_bundle_init(&model, DQ_KIND_MODEL, 0, error);
    if (!status) status = dq_agent_save(run->online.agent, false, &model, error);
    if (!status) status = dq_model_items_save(&run->items, &model, error);
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
    status = dq_vec_env_close(run->online.envs, status, error);
    status = dq_vec_env_close(run->online.eval_envs, status, error);
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
    dq_agent_free(run.online.agent);
    dq_online_close(&run.online);
    dq_model_items_free(&run.items);
    return status;
}
