/* SPDX-License-Identifier: MIT
 *
 * Training online (rollout/online.h): in an environment, or in a catalogue that serves one user. What is
 * opened for it, its checkpoints, its log, and the models that leave.
 */
#include "train.h"

#include "learn/kept.h"
#include "rollout/report.h"
#include "training/world.h"

#include <stdio.h>

typedef struct online {
    train *t;
    dq_maker speaker; /* of our streams to environments: nothing in them depends on options */
    dq_online loop;
    dq_world world;
    dq_bundle last;    /* the model as it was at the end; empty: it does not leave */
    dq_value labeller; /* of the world's rewards; nil: nobody labelled */
    dq_arena arena;    /* of its words */
    dq_kept_run kept;
    dq_checkpoint checkpoint;
    dq_each_job job;
    dq_progress *bar; /* may be NULL */
    bool due;         /* a checkpoint */
    char note[48];
} online;

/* Whether a stop can be gone on from. */
static bool keeps(const online *run)
{
    return run->job.leaves || run->checkpoint.path;
}

/* ---- the world ---- */

static dq_status open_world(online *run, dq_error *error)
{
    train *t = run->t;
    const train_options *o = t->o;
    run->world.config = (dq_world_config){.command = o->env_cmd,
                                          .pays = {.dataset = &t->base.dataset,
                                                   .map = &t->base.map,
                                                   .from = (dq_rewards_from)o->reward,
                                                   .raw_cosine = o->raw_cosine,
                                                   .fields = o->pairs.at,
                                                   .field_count = o->pairs.count,
                                                   .weight = t->weighted ? &t->weight : NULL,
                                                   .command = o->reward_cmd,
                                                   .maker = &t->maker,
                                                   .stop_asked = keeps(run) ? dq_stop_asked : NULL,
                                                   .ask_ahead = (size_t)o->ask_ahead},
                                          .maker = &run->speaker,
                                          .envs = o->envs,
                                          .evaluate = o->acting.evaluate,
                                          .evaluate_episodes = o->acting.evaluate_episodes,
                                          .seed = o->common.seed,
                                          .candidates = (uint32_t)o->candidates,
                                          .steps = (uint32_t)o->steps,
                                          .head = o->config.head,
                                          .stop_asked = dq_stop_asked};
    return dq_world_open(&run->world, error);
}

/* Returns status, or how a process ended. */
static dq_status close_world(online *run, dq_status status, dq_error *error)
{
    const train *t = run->t;
    uint64_t asked;
    status = dq_world_close(&run->world, status, &asked, error);
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
    if (!status && run->world.rewards) status = dq_user_rewards_save(run->world.rewards, model, error);
    return status ? status : dq_training_finish(&run->t->base, model, run->job.user, error);
}

static dq_status restore(void *arg, const dq_bundle *model, dq_error *error)
{
    online *run = arg;
    dq_status status = dq_online_restore(&run->loop, model, error);
    return status || !run->world.rewards ? status : dq_user_rewards_restore(run->world.rewards, model, error);
}

/* Of one of many: into its stream. */
static dq_status leave_half(online *run, dq_error *error)
{
    dq_bundle model;
    dq_error e = DQ_ERROR_NONE;
    dq_status status = dq_bundle_init(&model, DQ_KIND_MODEL, 0, &e);
    if (!status) status = save(run, &model, &e);
    if (!status) status = dq_writer_put(run->job.out, &model, &e);
    dq_bundle_free(&model);
    if (status) *error = e;
    return status ? status : DQ_ERR_STOPPED;
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
    if (!run->world.rewards) return true;
    return dq_map_set(arena, line, "answers", dq_int((int64_t)dq_user_rewards_answers(run->world.rewards)));
}

static dq_status episode_ended(void *arg, const dq_online *loop, size_t env, dq_error *error)
{
    online *run = arg;
    const train_options *o = run->t->o;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value line = dq_map();
    double mean = loop->returns[env] / (double)loop->lengths[env];
    (void)snprintf(run->note, sizeof run->note, run->world.rewards ? "reward %.3f" : "return %.3f",
                   run->world.rewards ? mean : loop->returns[env]);
    run->due = run->due || (run->checkpoint.path && loop->at.episode % o->checkpoint_every == 0);
    bool ok = dq_training_name_user(&run->t->base, run->job.user, &arena, &line) &&
              dq_online_report_episode(loop, env, &arena, &line) && report_answers(run, &arena, &line);
    if (ok && run->t->weighted)
        ok = dq_map_set(&arena, &line, "cosine_weight", dq_real(dq_user_rewards_weight(run->world.rewards)));
    return dq_log_made(run->kept.log, ok, &line, &arena, error);
}

static dq_status evaluated(void *arg, const dq_online *loop, const dq_played *played, bool better,
                           dq_error *error)
{
    online *run = arg;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value line = dq_map();
    bool ok = dq_training_name_user(&run->t->base, run->job.user, &arena, &line) &&
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
    if (run->job.user != DQ_ABSENT) run->loop.config.max_steps = 0; /* --steps are an episode */
    run->loop.config.arg = run;
    run->loop.config.episode_ended = episode_ended;
    run->loop.config.evaluated = evaluated;
    run->loop.config.stepped = stepped;
    dq_status status = open_world(run, error);
    if (!status) status = train_agent(t, &run->loop.envs->shape, run->job.user, &run->loop.agent, error);
    return status ? status : dq_online_open(&run->loop, error);
}

static dq_status go(online *run, dq_error *error)
{
    bool checkpoint = run->checkpoint.path;
    dq_status status = dq_online_run(&run->loop, error);
    if (status == DQ_ERR_STOPPED && run->job.leaves) return leave_half(run, error);
    if (!status) return checkpoint ? dq_checkpoint_keep(&run->checkpoint, &run->kept, error) : DQ_OK;
    bool resumable = status == DQ_ERR_STOPPED ||
                     (run->world.rewards && dq_user_rewards_resumable(run->world.rewards));
    return resumable && checkpoint ? stop(run, status, error) : status;
}

/* What speaks against the model, in words; where memory is short less, since the model is there. */
static void say_warnings(const online *run)
{
    const train *t = run->t;
    bool equal = false;
    size_t n = 0;
    const char *id = run->job.user == DQ_ABSENT
                         ? ""
                         : dq_entities_id(&t->base.dataset.catalogue.users, run->job.user, &n);
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
    if (!status) status = dq_training_finish(&run->t->base, &model, run->job.user, error);
    bool labelled = run->labeller.type != DQ_NIL, evaluated = run->t->o->acting.evaluate > 0;
    if (!status && ((labelled && !dq_map_set(arena, &model.meta, "labeller", run->labeller)) ||
                    (evaluated && !dq_map_set(arena, &model.meta, "kept", dq_string(arena, which)))))
        status = dq_fail_memory(error, "a model");
    return train_write_model(run->t, status, &model, out, error);
}

/* Who labelled is remembered beyond the labeller's end. */
static dq_status remember_labeller(online *run, dq_error *error)
{
    const dq_value *maker = run->world.rewards ? dq_user_rewards_labeller(run->world.rewards) : NULL;
    if (!maker || dq_value_copy(&run->arena, maker, &run->labeller)) return DQ_OK;
    return dq_fail_memory(error, "who labelled");
}

/* The weights stay the agent's, who outlives what is written of them. */
static dq_status save_last(online *run, dq_error *error)
{
    dq_status status = dq_bundle_init(&run->last, DQ_KIND_MODEL, 0, error);
    return status ? status : dq_agent_save(run->loop.agent, false, &run->last, error);
}

static void set_up(online *run, train *t, const dq_each_job *job, dq_progress *bar)
{
    *run = (online){
        .t = t,
        .job = *job,
        .bar = bar,
        .world = {.training = &t->base, .user = job->user, .loop = &run->loop},
        .kept = {job->log, run, save, restore},
        .speaker = {
            .program = t->maker.program, .version = t->maker.version, .options = dq_map(), .seed = -1}};
}

dq_status train_check_online(train *t, uint32_t user, dq_error *error)
{
    online run;
    set_up(&run, t, &(dq_each_job){.user = user}, NULL);
    dq_status status = make(&run, error);
    dq_agent_free(run.loop.agent);
    status = close_world(&run, status, error);
    dq_online_close(&run.loop);
    dq_training_drop_features(&t->base);
    return status;
}

/* Goes on from what there is, if anything. */
static dq_status resume(online *run, dq_error *error)
{
    if (run->job.from) return restore(run, run->job.from, error);
    return run->job.leaves ? DQ_OK
                           : dq_checkpoint_resume(&run->checkpoint, &run->kept, run->t->o->log, error);
}

dq_status train_online(train *t, const dq_each_job *job, dq_progress *bar, dq_error *error)
{
    online run;
    set_up(&run, t, job, bar);
    if (!job->leaves) run.checkpoint = train_checkpoint(t);
    dq_status status = make(&run, error);
    if (!status) status = resume(&run, error);
    if (status == DQ_ERR_STOPPED) dq_stop_end(); /* there is nothing yet to keep */
    if (!status && bar) dq_progress_resume(bar, done_of(&run));
    if (!status) status = go(&run, error);
    if (!status) status = dq_online_check_learnt(&run.loop, error);
    if (!status) status = remember_labeller(&run, error);
    if (!status) say_warnings(&run);
    if (!status && t->o->keep != TRAIN_KEEP_BEST) status = save_last(&run, error);
    status = close_world(&run, status, error); /* a process that fails in the end is not passed over */
    if (!status) status = write_model(&run, &run.loop.best, "best", job->out, error);
    if (!status) status = write_model(&run, &run.last, "last", job->out, error);
    dq_bundle_free(&run.last);
    dq_agent_free(run.loop.agent);
    dq_online_close(&run.loop);
    dq_training_drop_features(&t->base);
    dq_arena_free(&run.arena);
    return status;
}

/* ---- one run ---- */

/* The user of --user, or the only one; none in an environment. */
static dq_status choose_user(const train *t, uint32_t *user, dq_error *error)
{
    *user = t->cli->mode == TRAIN_ENV ? DQ_ABSENT : 0;
    if (t->cli->mode == TRAIN_ENV) return DQ_OK;
    if (t->o->user)
        return dq_entities_find_named(&t->base.dataset.catalogue.users, "user", t->o->user, user, error);
    size_t users = dq_entities_count(&t->base.dataset.catalogue.users);
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
    if (!status)
        status = dq_pool_new(&t->base.pool, dq_cli_threads(&o->common, t->cli->mode == TRAIN_ENV), error);
    if (status) return status;
    if (o->checkpoint || o->env_cmd)
        dq_stop_catch(); /* a process may never look up: it is ended before we are */
    dq_progress bar = dq_progress_start(&o->common, "training", counts_episodes(t) ? "episodes" : "steps",
                                        bar_total(t));
    status = train_online(t, &(dq_each_job){.user = user, .log = &log, .out = t->output}, &bar, error);
    dq_progress_end(&bar);
    status = dq_log_close(&log, status, error);
    if (status == DQ_ERR_STOPPED && !o->checkpoint) dq_stop_end();
    dq_stop_finish(o->common.output);
    return status;
}
