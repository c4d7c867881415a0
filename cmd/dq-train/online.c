/* SPDX-License-Identifier: MIT
 *
 * Training online (rollout/online.h): in an environment, or in a catalogue that serves one user. What is
 * opened for it, its checkpoints, its log, and the models that leave.
 */
#include "train.h"

#include "label/user_rewards.h"
#include "learn/kept.h"
#include "rollout/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVAL_SEED = 0x7472 };

typedef struct online {
    train *t;
    uint32_t user;          /* who is served; DQ_ABSENT: an environment of its own */
    dq_maker speaker;       /* of our streams to environments: nothing in them depends on options */
    dq_session_layout like; /* how --init's model knows states */
    dq_online loop;
    dq_bundle last;           /* the model as it was at the end; empty: it does not leave */
    dq_env *env, *eval_env;   /* the catalogue's */
    dq_user_rewards *rewards; /* the catalogue's */
    dq_value labeller;        /* of these; nil: nobody labelled */
    float *value;             /* (candidates) Q of what may be asked ahead */
    dq_kept_run kept;
    dq_checkpoint checkpoint;
    dq_progress *bar; /* may be NULL */
    bool due;         /* a checkpoint */
    char note[48];
} online;

/* ---- rewards of a catalogue ---- */

/* What is on offer to the agent, in training or an evaluation, by its Q. */
static uint32_t find_wanted(void *arg, const uint32_t **items, const float **values)
{
    online *run = arg;
    const dq_vec_env *envs = run->loop.envs;
    uint32_t n;
    *items = dq_agent_get_offer(run->loop.agent, &n);
    *values = run->value;
    dq_agent_values(run->loop.agent, &envs->store, envs->number, 1, run->value);
    return n;
}

static dq_status reward_of(void *arg, uint32_t user, uint32_t item, float *reward, dq_error *error)
{
    online *run = arg;
    dq_user_rewards_episode(run->rewards, run->loop.at.episode);
    return dq_user_rewards_of(run->rewards, user, item, reward, error);
}

static dq_status open_rewards(online *run, dq_error *error)
{
    train *t = run->t;
    const train_options *o = t->o;
    const dq_user_rewards_config config = {.dataset = &t->dataset,
                                           .map = &t->map,
                                           .from = (dq_rewards_from)o->reward,
                                           .raw_cosine = o->raw_cosine,
                                           .fields = o->pairs.at,
                                           .field_count = o->pairs.count,
                                           .weight = t->weighted ? &t->weight : NULL,
                                           .command = o->reward_cmd,
                                           .maker = &t->maker,
                                           .stop_asked = o->checkpoint ? dq_stop_asked : NULL,
                                           .ask_ahead = (size_t)o->ask_ahead,
                                           .wanted = find_wanted,
                                           .arg = run};
    dq_status status = dq_user_rewards_new(&run->rewards, &config, error);
    return status ? status : dq_user_rewards_serve(run->rewards, run->user, error);
}

/* ---- environments ---- */

/* In training: what it is answered counts. */
static dq_status ask_reward(void *arg, uint32_t user, uint32_t item, float *reward, dq_error *error)
{
    online *run = arg;
    dq_status status = reward_of(arg, user, item, reward, error);
    if (!status) dq_user_rewards_use(run->rewards, item);
    return status;
}

static dq_status open_catalogue(online *run, dq_env **env, dq_error *error)
{
    const dq_catalogue *c = &run->t->dataset.catalogue;
    const dq_catalogue_env_config config = {.users = dq_entities_vectors(&c->users),
                                            .items = dq_entities_vectors(&c->items),
                                            .user = run->user,
                                            .candidates = (uint32_t)run->t->o->candidates,
                                            .step_limit = (uint32_t)run->t->o->steps,
                                            .reward = env == &run->env ? ask_reward : reward_of,
                                            .reward_arg = run};
    return dq_catalogue_env_new(env, &config, 0, error);
}

static dq_status open_envs(online *run, dq_vec_env **envs, dq_env **catalogue, uint64_t count, uint64_t seed,
                           dq_error *error)
{
    const train_options *o = run->t->o;
    bool own = run->user != DQ_ABSENT;
    dq_status status = own ? open_catalogue(run, catalogue, error) : DQ_OK;
    if (status) return status;
    const dq_vec_env_config config = {.name = o->env,
                                      .command = o->env_cmd,
                                      .env = own ? *catalogue : NULL,
                                      .like = &run->like,
                                      .count = own ? 1 : (size_t)count,
                                      .seed = seed,
                                      .maker = &run->speaker,
                                      .stop_asked = dq_stop_asked};
    return dq_vec_env_open(envs, &config, error);
}

/* A session environment shows its states as the model that is started from knows them, and its items are
 * those of that model's outputs. */
static dq_status follow_init(online *run, dq_error *error)
{
    const train *t = run->t;
    if (!t->init.count || run->user != DQ_ABSENT) return DQ_OK;
    dq_status status = dq_session_layout_load(&run->like, &t->init.at[0], error);
    return train_blame_init(t, status, error);
}

/* Their names outlive the environments, which end before the model leaves. */
static dq_status note_items(const online *run, dq_error *error)
{
    train *t = run->t;
    const dq_vec_env *envs = run->loop.envs;
    const dq_vectors items = dq_vec_env_items(envs);
    if (!items.at) return DQ_OK;
    dq_status status = dq_model_items_take(&t->items, &envs->items, &items, error);
    if (status || !t->init.count) return status;
    status = dq_episodes_check_items(&t->init.at[0], t->o->config.head, envs, error);
    return train_blame_init(t, status, error);
}

static dq_status open_worlds(online *run, dq_error *error)
{
    const train_options *o = run->t->o;
    dq_online *loop = &run->loop;
    uint64_t seed = o->common.seed;
    dq_status status = follow_init(run, error);
    if (!status) status = open_envs(run, &loop->envs, &run->env, o->envs, seed, error);
    if (!status) status = note_items(run, error);
    if (!status && o->acting.evaluate)
        status = open_envs(run, &loop->eval_envs, &run->eval_env, o->acting.evaluate_episodes,
                           seed ^ EVAL_SEED, error);
    if (!status && o->acting.evaluate && !dq_env_spec_same(&loop->envs->shape, &loop->eval_envs->shape))
        status = dq_fail(error, DQ_ERR_SCHEMA, "the environment has another shape each time it is started");
    if (status || run->user == DQ_ABSENT) return status;
    run->value = malloc(run->env->offered_count * sizeof *run->value);
    if (!run->value) return dq_fail_memory(error, "candidates");
    return open_rewards(run, error);
}

/* Returns status, or how a process ended. */
static dq_status close_worlds(online *run, dq_status status, dq_error *error)
{
    const train *t = run->t;
    uint64_t asked = run->rewards ? dq_user_rewards_asked(run->rewards) : 0;
    status = dq_user_rewards_end(run->rewards, status, error);
    status = dq_vec_env_close(run->loop.envs, status, error);
    status = dq_vec_env_close(run->loop.eval_envs, status, error);
    dq_env_free(run->env);
    dq_env_free(run->eval_env);
    free(run->value);
    if (asked)
        dq_cli_say(t->cli, &t->o->common, "%llu pairs asked of %s", (unsigned long long)asked,
                   t->o->reward_cmd);
    return status;
}

/* ---- checkpoints ---- */

static dq_status save(void *arg, dq_bundle *model, dq_error *error)
{
    online *run = arg;
    dq_status status = dq_online_save(&run->loop, model, error);
    if (!status && run->rewards) status = dq_user_rewards_save(run->rewards, model, error);
    return status ? status : train_finish_model(run->t, model, run->user, error);
}

static dq_status restore(void *arg, const dq_bundle *model, dq_error *error)
{
    online *run = arg;
    dq_status status = dq_online_restore(&run->loop, model, error);
    return status || !run->rewards ? status : dq_user_rewards_restore(run->rewards, model, error);
}

/* Keeps what there is: asked to stop, or an answer did not come, which may come later. */
static dq_status stop(online *run, dq_status why, dq_error *error)
{
    const dq_online_state *at = &run->loop.at;
    dq_error e = DQ_ERROR_NONE;
    dq_status status = dq_checkpoint_keep(&run->checkpoint, &run->kept, &e);
    if (status && why == DQ_ERR_STOPPED) *error = e;
    if (status) return why == DQ_ERR_STOPPED ? status : why;
    dq_stop_release_impatient(); /* a labeller may still wait for answers that are paid for */
    char reason[160] = "";
    if (why == DQ_ERR_STOPPED)
        *error = DQ_ERROR_NONE; /* not the fault of whom it waited for */
    else
        (void)snprintf(reason, sizeof reason, "%.150s; ", error->reason);
    return dq_fail(error, DQ_ERR_STOPPED,
                   "%sstopped after %llu steps and %llu episodes; the same command goes on from %s", reason,
                   (unsigned long long)at->step, (unsigned long long)at->episode, run->t->o->checkpoint);
}

/* ---- what the run tells ---- */

/* In a catalogue: how many items training has had an answer on. */
static bool report_answers(const online *run, dq_arena *arena, dq_value *line)
{
    if (!run->rewards) return true;
    return dq_map_set(arena, line, "answers", dq_int((int64_t)dq_user_rewards_answers(run->rewards)));
}

static dq_status episode_ended(void *arg, const dq_online *loop, size_t env, dq_error *error)
{
    online *run = arg;
    const train_options *o = run->t->o;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value line = dq_map();
    double mean = loop->returns[env] / (double)loop->lengths[env];
    (void)snprintf(run->note, sizeof run->note, run->rewards ? "reward %.3f" : "return %.3f",
                   run->rewards ? mean : loop->returns[env]);
    run->due = run->due || (o->checkpoint && loop->at.episode % o->checkpoint_every == 0);
    bool ok = train_name_user(run->t, run->user, &arena, &line) &&
              dq_online_report_episode(loop, env, &arena, &line) && report_answers(run, &arena, &line);
    if (ok && run->t->weighted)
        ok = dq_map_set(&arena, &line, "cosine_weight", dq_real(dq_user_rewards_weight(run->rewards)));
    return dq_log_made(run->kept.log, ok, &line, &arena, error);
}

static dq_status evaluated(void *arg, const dq_online *loop, const dq_played *played, bool better,
                           dq_error *error)
{
    online *run = arg;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value line = dq_map();
    bool ok = train_name_user(run->t, run->user, &arena, &line) &&
              dq_online_report_evaluation(loop, played, better, &arena, &line) &&
              report_answers(run, &arena, &line);
    return dq_log_made(run->kept.log, ok, &line, &arena, error);
}

/* Of what the bar counts. */
static uint64_t done_of(const online *run)
{
    return (uint64_t)(dq_online_progress(&run->loop) * (double)run->bar->total);
}

static dq_status stepped(void *arg, dq_online *loop, dq_error *error)
{
    online *run = arg;
    if (run->bar) dq_progress_step(run->bar, done_of(run), run->note);
    if (dq_stop_asked()) return dq_fail(error, DQ_ERR_STOPPED, "interrupted");
    if (!run->due || dq_online_evaluation_due(loop)) return DQ_OK;
    run->due = false;
    return dq_checkpoint_keep(&run->checkpoint, &run->kept, error);
}

/* ---- the run ---- */

static dq_status make(online *run, dq_error *error)
{
    train *t = run->t;
    run->loop.config = t->o->acting;
    if (run->user != DQ_ABSENT) run->loop.config.max_steps = 0; /* --steps are an episode */
    run->loop.config.arg = run;
    run->loop.config.episode_ended = episode_ended;
    run->loop.config.evaluated = evaluated;
    run->loop.config.stepped = stepped;
    dq_status status = open_worlds(run, error);
    if (!status) status = train_agent(t, &run->loop.envs->shape, run->user, &run->loop.agent, error);
    return status ? status : dq_online_open(&run->loop, error);
}

static dq_status go(online *run, dq_error *error)
{
    const train_options *o = run->t->o;
    dq_status status = dq_online_run(&run->loop, error);
    if (!status) return o->checkpoint ? dq_checkpoint_keep(&run->checkpoint, &run->kept, error) : DQ_OK;
    bool resumable = status == DQ_ERR_STOPPED || (run->rewards && dq_user_rewards_resumable(run->rewards));
    return resumable && o->checkpoint ? stop(run, status, error) : status;
}

/* What speaks against the model, in words; where memory is short less, since the model is there. */
static void say_warnings(const online *run)
{
    const train *t = run->t;
    bool equal = false;
    size_t n = 0;
    const char *id = run->user == DQ_ABSENT ? "" : dq_entities_id(&t->dataset.catalogue.users, run->user, &n);
    if (run->loop.cut)
        dq_cli_say(t->cli, &t->o->common, DQ_ONLINE_CUT, run->loop.cut, run->loop.config.max_steps);
    if (t->o->common.quiet || dq_online_find_indifferent(&run->loop, &equal, NULL) || !equal) return;
    dq_cli_say(t->cli, &t->o->common, "%.*s%swarning: " DQ_AGENT_INDIFFERENT, (int)n, id, n ? ": " : "");
}

static dq_status write_model(online *run, const dq_bundle *kept, const char *which, dq_writer *out,
                             dq_error *error)
{
    dq_bundle model;
    dq_arena *arena = &model.arena;
    if (!kept->kind) return DQ_OK;
    dq_status status = dq_kept_get(kept, &model, error);
    if (!status) status = train_finish_model(run->t, &model, run->user, error);
    bool labelled = run->labeller.type != DQ_NIL, evaluated = run->t->o->acting.evaluate > 0;
    if (!status && ((labelled && !dq_map_set(arena, &model.meta, "labeller", run->labeller)) ||
                    (evaluated && !dq_map_set(arena, &model.meta, "kept", dq_string(arena, which)))))
        status = dq_fail_memory(error, "a model");
    return train_write_model(run->t, status, &model, out, error);
}

/* Who labelled is remembered beyond the labeller's end. */
static dq_status remember_labeller(online *run, dq_error *error)
{
    const dq_value *maker = run->rewards ? dq_user_rewards_labeller(run->rewards) : NULL;
    if (!maker || dq_value_copy(&run->t->cli->arena, maker, &run->labeller)) return DQ_OK;
    return dq_fail_memory(error, "who labelled");
}

dq_status train_online(train *t, uint32_t user, dq_log *log, dq_progress *bar, dq_writer *out,
                       dq_error *error)
{
    online run = {
        .t = t,
        .user = user,
        .kept = {log, &run, save, restore},
        .bar = bar,
        .speaker = {
            .program = t->maker.program, .version = t->maker.version, .options = dq_map(), .seed = -1}};
    dq_status status = make(&run, error);
    run.checkpoint = train_checkpoint(t);
    if (!status) status = dq_checkpoint_resume(&run.checkpoint, &run.kept, t->o->log, error);
    if (status == DQ_ERR_STOPPED) dq_stop_end(); /* there is nothing yet to keep */
    if (!status && bar) dq_progress_resume(bar, done_of(&run));
    if (!status) status = go(&run, error);
    if (!status) status = remember_labeller(&run, error);
    if (!status) say_warnings(&run);
    if (!status && t->o->keep != TRAIN_KEEP_BEST) /* a copy: the agent ends before it leaves */
        status = dq_kept_set(&run.last, run.loop.agent, error);
    dq_agent_free(run.loop.agent);
    status = close_worlds(&run, status, error); /* a process that fails in the end is not passed over */
    if (!status) status = write_model(&run, &run.loop.best, "best", out, error);
    if (!status) status = write_model(&run, &run.last, "last", out, error);
    dq_bundle_free(&run.last);
    dq_online_close(&run.loop);
    return status;
}

/* ---- one run ---- */

/* The user of --user, or the only one; none in an environment. */
static dq_status choose_user(const train *t, uint32_t *user, dq_error *error)
{
    *user = t->cli->mode == TRAIN_ENV ? DQ_ABSENT : 0;
    if (t->cli->mode == TRAIN_ENV) return DQ_OK;
    if (t->o->user)
        return dq_entities_find_named(&t->dataset.catalogue.users, "user", t->o->user, user, error);
    size_t users = dq_entities_count(&t->dataset.catalogue.users);
    if (users == 1) return DQ_OK;
    return dq_fail(error, DQ_ERR_RANGE, "%zu users in the input: name one with --user, or --each-user",
                   users);
}

/* What the bar counts. */
static bool counts_episodes(const train *t)
{
    return t->cli->mode == TRAIN_ENV && t->o->acting.episodes;
}

static uint64_t bar_total(const train *t)
{
    const train_options *o = t->o;
    if (!o->acting.episodes) return o->acting.steps;
    return counts_episodes(t) ? o->acting.episodes : o->acting.episodes * o->steps;
}

dq_status train_run_online(train *t, dq_error *error)
{
    const train_options *o = t->o;
    dq_log log = {0};
    uint32_t user;
    dq_status status = choose_user(t, &user, error);
    if (!status) status = dq_pool_new(&t->pool, dq_cli_threads(&o->common, t->cli->mode == TRAIN_ENV), error);
    if (status) return status;
    if (o->checkpoint || o->env_cmd)
        dq_stop_catch(); /* a process may never look up: it is ended before we are */
    dq_progress bar = dq_progress_start(&o->common, "training", counts_episodes(t) ? "episodes" : "steps",
                                        bar_total(t));
    status = train_online(t, user, &log, &bar, t->output, error);
    dq_progress_end(&bar);
    status = dq_log_close(&log, status, error);
    if (status == DQ_ERR_STOPPED && !o->checkpoint) dq_stop_end();
    dq_stop_finish(o->common.output);
    return status;
}
