/* SPDX-License-Identifier: MIT
 *
 * Online Dyna-Q for one user (rollout/online_catalogue.h): whom it asks for rewards, its checkpoints, its
 * log, and the model that leaves.
 */
#include "train.h"

#include "rollout/online_catalogue.h"

#include <math.h>
#include <stdio.h>

typedef struct online {
    train *t;
    uint32_t user;
    dq_online_catalogue loop; /* whose agent and env are this one's */
    train_rewards *rewards;
    train_log *log;
    dq_progress *bar;
    char note[48];
} online;

/* ---- checkpoint ---- */

static dq_status save_labels(const online *run, dq_bundle *model, dq_error *error)
{
    const dq_value *maker = train_rewards_labeller(run->rewards);
    if (maker && !dq_map_set(&model->arena, &model->meta, "labeller", *maker))
        return dq_fail(error, DQ_ERR_MEMORY, "no memory for a checkpoint");
    return train_rewards_save(run->rewards, model, error);
}

static dq_status save(const online *run, dq_error *error)
{
    dq_bundle model;
    dq_status status = dq_bundle_init(&model, DQ_KIND_MODEL, 0, error);
    if (!status) status = dq_online_catalogue_save(&run->loop, &model, error);
    if (!status) status = save_labels(run, &model, error);
    if (!status) status = train_checkpoint_write(run->t, &model, run->log, error);
    dq_bundle_free(&model);
    return status;
}

static dq_status restore(void *arg, const dq_bundle *model, dq_error *error)
{
    online *run = arg;
    dq_status status = dq_online_catalogue_restore(&run->loop, model, error);
    return status ? status : train_rewards_restore(run->rewards, model, error);
}

static dq_status stop(online *run, dq_error *error)
{
    const train_options *o = run->t->o;
    dq_status status = save(run, error);
    if (status) return status;
    return dq_fail(error, DQ_ERR_STOPPED,
                   "stopped at step %llu of episode %llu of %llu; the same command goes on from %s",
                   (unsigned long long)run->loop.at.step, (unsigned long long)run->loop.at.episode + 1,
                   (unsigned long long)o->episodes, o->checkpoint);
}

/* The labeller is gone: what it said is kept, so that the run goes on when it is back. */
static dq_status lost_labeller(online *run, dq_status status, dq_error *error)
{
    dq_error here = DQ_ERROR_NONE;
    if (!run->t->o->checkpoint || (status != DQ_ERR_STOPPED && !train_rewards_resumable(run->rewards)))
        return status;
    dq_status stopped = stop(run, &here);
    if (stopped != DQ_ERR_STOPPED || status == DQ_ERR_STOPPED) {
        *error = here;
        return stopped;
    }
    char reason[sizeof error->reason];
    (void)snprintf(reason, sizeof reason, "%s", error->reason);
    return dq_fail(error, DQ_ERR_STOPPED, "%.150s; %s", reason, here.reason);
}

/* ---- what the run asks and tells ---- */

static void begin_step(void *arg, uint64_t episode)
{
    const online *run = arg;
    train_rewards_episode(run->rewards, episode);
}

static dq_status need_reward(void *arg, const dq_online_catalogue *at, uint32_t choice, dq_error *error)
{
    online *run = arg;
    dq_status asked = train_rewards_need(run->rewards, at->agent, at->env, choice, error);
    return asked ? lost_labeller(run, asked, error) : DQ_OK;
}

/* One log line an episode; losses are null until learning has begun. */
static dq_status log_episode(online *run, dq_error *error)
{
    const dq_online_catalogue_place *p = &run->loop.at;
    double learnt = p->learnt ? (double)p->learnt : (double)NAN;
    size_t n;
    const char *id = dq_entities_id(&run->t->dataset.catalogue.users, run->user, &n);
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value line = dq_map();
    bool ok = dq_map_set(&arena, &line, "user", dq_string_n(&arena, id, n)) &&
              dq_map_set(&arena, &line, "episode", dq_int((int64_t)p->episode)) &&
              dq_map_set(&arena, &line, "steps", dq_int((int64_t)p->step)) &&
              dq_map_set(&arena, &line, "learnt", dq_int((int64_t)dq_dynaq_steps(run->loop.agent))) &&
              dq_map_set(&arena, &line, "updates", dq_int((int64_t)dq_dynaq_updates(run->loop.agent))) &&
              dq_map_set(&arena, &line, "reward", dq_real(p->reward / (double)p->step)) &&
              dq_map_set(&arena, &line, "epsilon", dq_real(dq_dynaq_epsilon(run->loop.agent))) &&
              (!run->t->weighted ||
               dq_map_set(&arena, &line, "cosine_weight", dq_real(train_rewards_weight(run->rewards)))) &&
              dq_map_set(&arena, &line, "q_loss", dq_real_or_nil(p->q / learnt)) &&
              dq_map_set(&arena, &line, "world_loss", dq_real_or_nil(p->world / learnt)) &&
              dq_map_set(&arena, &line, "planning_loss", dq_real_or_nil(p->planning / learnt));
    dq_status status = ok ? train_log_line(run->log, &line, error)
                          : dq_fail(error, DQ_ERR_MEMORY, "no memory for the log");
    dq_arena_free(&arena);
    return status;
}

static dq_status end_episode(void *arg, const dq_online_catalogue *at, dq_error *error)
{
    online *run = arg;
    (void)snprintf(run->note, sizeof run->note, "reward %.3f", at->at.reward / (double)at->at.step);
    return log_episode(run, error);
}

static dq_status end_step(void *arg, dq_online_catalogue *at, dq_error *error)
{
    online *run = arg;
    const train_options *o = run->t->o;
    const dq_online_catalogue_place *p = &at->at;
    bool last = p->episode == o->episodes,
         due = o->checkpoint && p->step == 0 && (last || p->episode % o->checkpoint_every == 0);
    if (run->bar) dq_progress_step(run->bar, p->episode * o->steps + p->step, run->note);
    dq_status status = due ? save(run, error) : DQ_OK;
    return !status && dq_stop_asked() && !last ? stop(run, error) : status;
}

/* ---- the run ---- */

static dq_status make(online *run, dq_error *error)
{
    train *t = run->t;
    dq_status status = train_rewards_new(&run->rewards, t, run->user, error);
    if (status) return status;
    dq_catalogue_env_config config = {.user = run->user,
                                      .users = dq_entities_vectors(&t->dataset.catalogue.users),
                                      .items = dq_entities_vectors(&t->dataset.catalogue.items),
                                      .candidates = (uint32_t)t->o->candidates,
                                      .reward = train_reward_of,
                                      .reward_arg = run->rewards};
    if ((status = dq_catalogue_env_new(&run->loop.env, &config, t->o->common.seed, error))) return status;
    run->loop.config = (dq_online_catalogue_config){.episodes = t->o->episodes,
                                                    .steps = t->o->steps,
                                                    .arg = run,
                                                    .episode = begin_step,
                                                    .reward_needed = need_reward,
                                                    .episode_ended = end_episode,
                                                    .stepped = end_step};
    return train_agent(t, run->user, (size_t)t->o->batch, &run->loop.agent, error);
}

dq_status train_online(train *t, uint32_t user, train_log *log, dq_progress *bar, dq_dynaq **agent,
                       dq_value *labeller, dq_error *error)
{
    online run = {.t = t, .user = user, .log = log, .bar = bar, .loop = {.at = {.choice = -1}}};
    dq_status status = make(&run, error);
    if (!status) status = train_resume(t, log, restore, &run, error);
    if (!status) status = dq_online_catalogue_run(&run.loop, error);
    const dq_value *maker = run.rewards ? train_rewards_labeller(run.rewards) : NULL;
    *labeller = dq_nil();
    if (!status && maker && !dq_value_copy(&t->cli->arena, maker, labeller))
        status = dq_fail(error, DQ_ERR_MEMORY, "no memory for who labelled");
    status = train_rewards_end(run.rewards, status, error);
    dq_env_free(run.loop.env);
    *agent = run.loop.agent;
    return status;
}

/* The user of --user, or the only one. */
static dq_status choose_user(const train *t, uint32_t *user, dq_error *error)
{
    *user = 0;
    if (t->o->user) return train_find_user(t, t->o->user, user, error);
    size_t users = dq_entities_count(&t->dataset.catalogue.users);
    if (users == 1) return DQ_OK;
    return dq_fail(error, DQ_ERR_RANGE, "%zu users in the input: name one with --user, or --each-user",
                   users);
}

dq_status train_run_online(train *t, dq_error *error)
{
    dq_dynaq *agent = NULL;
    train_log log = {0};
    dq_value labeller;
    uint32_t user;
    dq_status status = choose_user(t, &user, error);
    if (status) return status;
    status = dq_pool_new(&t->pool, dq_cli_threads(&t->o->common, 0), error);
    if (status) return status;
    dq_progress bar = dq_progress_start(&t->o->common, "training", t->o->episodes * t->o->steps);
    train_catch_stop(t);
    status = train_online(t, user, &log, &bar, &agent, &labeller, error);
    dq_stop_release();
    dq_progress_end(&bar);
    dq_status closed = train_log_close(&log, status ? NULL : error);
    if (!status) status = closed;
    if (!status) status = train_write_model(t, agent, user, &labeller, error);
    dq_dynaq_free(agent);
    return status;
}
