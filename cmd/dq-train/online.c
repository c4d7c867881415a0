/* SPDX-License-Identifier: MIT
 *
 * Online Dyna-Q for one user. An episode is cut into steps, and a run may stop after any of them: the place
 * in the episode is part of the checkpoint, so that going on equals never having stopped.
 */
#include "train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Where the run stands; the sums are of the running episode. */
typedef struct place {
    uint64_t episode, step, learnt;
    int64_t choice; /* of this step, made and not yet rewarded: the labeller is asked; -1: none */
    double reward, q, world, planning;
} place;

typedef struct online {
    train *t;
    uint32_t user;
    dq_dynaq *agent;
    dq_env *env;
    train_rewards *rewards;
    train_log *log;
    dq_progress *bar;
    place at;
    char note[48];
} online;

static dq_status make(online *run, dq_error *error)
{
    train *t = run->t;
    dq_status status = train_rewards_new(&run->rewards, t, run->user, error);
    if (status) return status;
    dq_env_config config = {.user = run->user,
                            .item_count = dq_entities_count(&t->dataset.catalogue.items),
                            .candidates = (uint32_t)t->o->candidates,
                            .reward = train_reward_of,
                            .reward_arg = run->rewards,
                            .seed = t->o->common.seed};
    if ((status = dq_env_new(&run->env, "catalogue", &config, error))) return status;
    return train_agent(t, run->user, (size_t)t->o->batch, &run->agent, error);
}

/* ---- checkpoint ---- */

static bool put(dq_bundle *model, dq_value *map, const char *name, dq_value value)
{
    return dq_map_set(&model->arena, map, name, value);
}

static dq_status save_labels(const online *run, dq_bundle *model, dq_error *error)
{
    const dq_value *maker = train_rewards_labeller(run->rewards);
    if (maker && !put(model, &model->meta, "labeller", *maker))
        return dq_fail(error, DQ_ERR_MEMORY, "no memory for a checkpoint");
    return train_rewards_save(run->rewards, model, error);
}

static dq_status save(online *run, dq_error *error)
{
    const place *p = &run->at;
    uint64_t rng_words = 4;
    dq_value map = dq_map();
    dq_bundle model;
    dq_status status = dq_bundle_init(&model, DQ_KIND_MODEL, 0, error);
    if (!status) status = dq_dynaq_save(run->agent, true, &model, error);
    if (!status)
        status = dq_bundle_add_tensor(&model, "env.rng", DQ_U8, 1, &rng_words, &run->env->rng, error);
    if (!status &&
        !(put(&model, &map, "episode", dq_int((int64_t)p->episode)) &&
          put(&model, &map, "step", dq_int((int64_t)p->step)) &&
          put(&model, &map, "learnt", dq_int((int64_t)p->learnt)) &&
          (p->choice < 0 || put(&model, &map, "choice", dq_int(p->choice))) &&
          put(&model, &map, "reward", dq_real(p->reward)) && put(&model, &map, "q", dq_real(p->q)) &&
          put(&model, &map, "world", dq_real(p->world)) &&
          put(&model, &map, "planning", dq_real(p->planning)) && put(&model, &model.meta, "online", map)))
        status = dq_fail(error, DQ_ERR_MEMORY, "no memory for a checkpoint");
    if (!status) status = save_labels(run, &model, error);
    if (!status) status = train_checkpoint_write(run->t, &model, run->log, error);
    dq_bundle_free(&model);
    return status;
}

static dq_status restore_env(online *run, const dq_bundle *model, dq_error *error)
{
    const dq_column *rng = dq_bundle_column(model, "env.rng");
    const dq_column *offered = dq_bundle_column(model, "candidates"); /* checked by dq_dynaq_restore */
    if (!rng || rng->type != DQ_U8 || rng->shape[0] != 4 || rng->dims != 1)
        return dq_fail(error, DQ_ERR_SCHEMA, "not a checkpoint of online training: no env.rng");
    memcpy(&run->env->rng, rng->data, sizeof run->env->rng);
    if (run->at.step == 0 && run->at.choice < 0) return DQ_OK;
    if (offered->dims != 1 || offered->shape[0] != run->env->candidate_count)
        return dq_fail(error, DQ_ERR_SCHEMA, "the checkpoint has another number of candidates");
    memcpy(run->env->candidates, offered->data, run->env->candidate_count * sizeof(uint32_t));
    if (run->at.choice >= (int64_t)run->env->candidate_count)
        return dq_fail(error, DQ_ERR_SCHEMA, "the checkpoint has a choice that is no candidate");
    return DQ_OK;
}

static dq_status restore(void *arg, const dq_bundle *model, dq_error *error)
{
    online *run = arg;
    const dq_value *map = dq_map_get(&model->meta, "online");
    place *p = &run->at;
    if (!map) return dq_fail(error, DQ_ERR_SCHEMA, "not a checkpoint of online training");
    p->episode = (uint64_t)dq_value_integer(dq_map_get(map, "episode"), 0);
    p->step = (uint64_t)dq_value_integer(dq_map_get(map, "step"), 0);
    p->learnt = (uint64_t)dq_value_integer(dq_map_get(map, "learnt"), 0);
    p->choice = dq_value_integer(dq_map_get(map, "choice"), -1);
    p->reward = dq_value_number(dq_map_get(map, "reward"), 0);
    p->q = dq_value_number(dq_map_get(map, "q"), 0);
    p->world = dq_value_number(dq_map_get(map, "world"), 0);
    p->planning = dq_value_number(dq_map_get(map, "planning"), 0);
    dq_status status = dq_dynaq_restore(run->agent, model, error);
    if (!status) status = restore_env(run, model, error);
    return status ? status : train_rewards_restore(run->rewards, model, error);
}

/* ---- the run ---- */

static dq_status stop(online *run, dq_error *error)
{
    const train_options *o = run->t->o;
    dq_status status = save(run, error);
    if (status) return status;
    return dq_fail(error, DQ_ERR_STOPPED,
                   "stopped at step %llu of episode %llu of %llu; the same command goes on from %s",
                   (unsigned long long)run->at.step, (unsigned long long)run->at.episode + 1,
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

static dq_status step(online *run, dq_error *error)
{
    dq_transition transition;
    dq_losses losses;
    place *p = &run->at;
    if (p->choice < 0) p->choice = dq_dynaq_act(run->agent, run->env->user);
    dq_status asked = train_rewards_need(run->rewards, run->agent, run->env, (uint32_t)p->choice, error);
    if (asked) return lost_labeller(run, asked, error);
    dq_env_step(run->env, (uint32_t)p->choice, &transition);
    p->choice = -1;
    dq_dynaq_observe(run->agent, &transition);
    p->reward += (double)transition.reward;
    p->step++;
    if (!dq_dynaq_ready(run->agent)) return DQ_OK;
    dq_status status = dq_dynaq_learn(run->agent, &losses, error);
    p->learnt++;
    p->q += losses.q;
    p->world += losses.world;
    p->planning += losses.planning;
    return status;
}

/* One log line an episode; losses are null until learning has begun. */
static dq_status log_episode(online *run, dq_error *error)
{
    const place *p = &run->at;
    double learnt = p->learnt ? (double)p->learnt : (double)NAN;
    size_t n;
    const char *id = dq_entities_id(&run->t->dataset.catalogue.users, run->user, &n);
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value line = dq_map();
    bool ok = dq_map_set(&arena, &line, "user", dq_string_n(&arena, id, n)) &&
              dq_map_set(&arena, &line, "episode", dq_int((int64_t)p->episode)) &&
              dq_map_set(&arena, &line, "steps", dq_int((int64_t)p->step)) &&
              dq_map_set(&arena, &line, "learnt", dq_int((int64_t)dq_dynaq_steps(run->agent))) &&
              dq_map_set(&arena, &line, "updates", dq_int((int64_t)dq_dynaq_updates(run->agent))) &&
              dq_map_set(&arena, &line, "reward", dq_real(p->reward / (double)p->step)) &&
              dq_map_set(&arena, &line, "epsilon", dq_real(dq_dynaq_epsilon(run->agent))) &&
              (!run->t->weighted ||
               dq_map_set(&arena, &line, "cosine_weight", dq_real(train_rewards_weight(run->rewards)))) &&
              dq_map_set(&arena, &line, "q_loss", train_number(p->q / learnt)) &&
              dq_map_set(&arena, &line, "world_loss", train_number(p->world / learnt)) &&
              dq_map_set(&arena, &line, "planning_loss", train_number(p->planning / learnt));
    dq_status status = ok ? train_log_line(run->log, &line, error)
                          : dq_fail(error, DQ_ERR_MEMORY, "no memory for the log");
    dq_arena_free(&arena);
    return status;
}

static dq_status end_episode(online *run, dq_error *error)
{
    const train_options *o = run->t->o;
    run->at.episode++;
    (void)snprintf(run->note, sizeof run->note, "reward %.3f", run->at.reward / (double)run->at.step);
    dq_status status = log_episode(run, error);
    run->at = (place){.episode = run->at.episode, .choice = -1};
    bool due = o->checkpoint &&
               (run->at.episode % o->checkpoint_every == 0 || run->at.episode == o->episodes);
    return status || !due ? status : save(run, error);
}

static dq_status go(online *run, dq_error *error)
{
    const train_options *o = run->t->o;
    dq_status status = DQ_OK;
    while (!status && run->at.episode < o->episodes) {
        train_rewards_episode(run->rewards, run->at.episode);
        if (run->at.step == 0 && run->at.choice < 0) {
            dq_env_reset(run->env);
            dq_dynaq_candidates(run->agent, run->env->candidates, run->env->candidate_count);
        }
        status = step(run, error);
        if (run->bar) dq_progress_step(run->bar, run->at.episode * o->steps + run->at.step, run->note);
        if (!status && run->at.step == o->steps) status = end_episode(run, error);
        if (!status && dq_stop_asked() && run->at.episode < o->episodes) status = stop(run, error);
    }
    return status;
}

dq_status train_online(train *t, uint32_t user, train_log *log, dq_progress *bar, dq_dynaq **agent,
                       dq_value *labeller, dq_error *error)
{
    online run = {.t = t, .user = user, .log = log, .bar = bar, .at = {.choice = -1}};
    dq_status status = make(&run, error);
    if (!status) status = train_resume(t, log, restore, &run, error);
    if (!status) status = go(&run, error);
    const dq_value *maker = run.rewards ? train_rewards_labeller(run.rewards) : NULL;
    *labeller = dq_nil();
    if (!status && maker && !dq_value_copy(&t->cli->arena, maker, labeller))
        status = dq_fail(error, DQ_ERR_MEMORY, "no memory for who labelled");
    status = train_rewards_end(run.rewards, status, error);
    dq_env_free(run.env);
    *agent = run.agent;
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
