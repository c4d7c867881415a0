/* SPDX-License-Identifier: MIT
 *
 * Episodes as transitions (rollout/episode_log.h), by an agent that a model holds, or by any action.
 */
#include "sim.h"

#include "data/load.h"
#include "rollout/episode_log.h"
#include "rollout/episodes.h"

typedef struct play {
    const sim_play_options *o;
    const dq_common *common;
    const dq_cli *cli;
    dq_vec_env *envs;
    dq_reader *model_input;
    dq_models models;
    dq_session_layout like; /* how the model knows states */
    dq_pool *pool;
    dq_agent *agent; /* NULL: any action */
    dq_writer *writer;
} play;

static dq_status read_model(play *p, dq_error *error)
{
    if (!p->o->model) return DQ_OK;
    dq_status status = dq_models_read(&p->models, &p->model_input, p->o->model, error);
    if (status) return status;
    dq_cli_say_kept(p->cli, p->common, p->o->model, &p->models.kept);
    if (p->models.count > 1)
        status = dq_fail(error, DQ_ERR_RANGE, "%zu models, where one is wanted", p->models.count);
    else
        status = dq_session_layout_load(&p->like, &p->models.at[0], error);
    return status ? dq_error_at(error, p->o->model, DQ_NO_RECORD) : DQ_OK;
}

static dq_status open_agent(play *p, dq_error *error)
{
    if (!p->o->model) return DQ_OK;
    dq_status status = dq_pool_new(&p->pool, dq_cli_threads(p->common, 1), error);
    if (!status) status = dq_episodes_agent(&p->agent, &p->models.at[0], p->envs, p->pool, error);
    return status ? dq_error_at(error, p->o->model, DQ_NO_RECORD) : DQ_OK;
}

static void close_all(play *p)
{
    dq_agent_free(p->agent);
    dq_models_free(&p->models);
    dq_pool_free(p->pool);
    dq_writer_abort(p->writer);
    dq_reader_close(p->model_input);
}

static dq_status put(void *arg, const dq_bundle *bundle, dq_error *error)
{
    play *p = arg;
    dq_status status = dq_writer_put(p->writer, bundle, error);
    return status || !p->common->flush ? status : dq_writer_flush(p->writer, error);
}

static void show(void *bar, uint64_t episodes)
{
    dq_progress_step(bar, episodes, NULL);
}

/* Users and items come before, so that whoever learns from the log can name what it learnt. */
static dq_status play_all(play *p, dq_error *error)
{
    const dq_env *env = p->envs->envs[0];
    const dq_bundle_taker taker = {put, p};
    dq_status status = env->items.count ? dq_env_bundles(env, &taker, error) : DQ_OK;
    if (status) return status;
    dq_progress bar = dq_progress_start(p->common, "playing", "episodes", p->o->episodes);
    const dq_episode_log log = {.episodes = p->o->episodes,
                                .agent = p->agent,
                                .epsilon = p->o->epsilon,
                                .max_steps = p->o->max_steps,
                                .seed = p->common->seed,
                                .taker = taker,
                                .ended = show,
                                .arg = &bar};
    uint64_t cut;
    status = dq_episode_log_write(p->envs, &log, &cut, error);
    dq_progress_end(&bar);
    if (cut)
        dq_cli_say(p->cli, p->common, "%llu of %llu episodes were cut off after %llu steps (--max-steps)",
                   (unsigned long long)cut, (unsigned long long)p->o->episodes,
                   (unsigned long long)p->o->max_steps);
    return status;
}

dq_status sim_play(const dq_cli *cli, const sim_play_options *o, const dq_common *common,
                   const dq_maker *maker, dq_error *error)
{
    play p = {.o = o, .common = common, .cli = cli};
    dq_vec_env_config config = {.name = cli->operands[0], .like = &p.like, .count = 1, .seed = common->seed};
    dq_status status = read_model(&p, error);
    if (!status) status = dq_vec_env_open(&p.envs, &config, error);
    if (!status) status = open_agent(&p, error);
    if (!status)
        status = dq_writer_open(&p.writer, common->output, maker, &p.model_input, p.model_input ? 1 : 0,
                                error);
    if (!status) status = play_all(&p, error);
    if (!status) {
        status = dq_writer_close(p.writer, error);
        p.writer = NULL;
    }
    close_all(&p);
    return dq_vec_env_close(p.envs, status, error);
}
