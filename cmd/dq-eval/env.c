/* SPDX-License-Identifier: MIT */
#include "env.h"

#include "data/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOGETHER = 256, RANDOM_STREAM = 0x726e64 };

static dq_status no_memory(dq_error *error)
{
    return dq_fail(error, DQ_ERR_MEMORY, "out of memory for roll-outs");
}

/* ---- the agent of a model ---- */

/* The one model of a file, and how it knows states. */
static dq_status read_model(const char *path, dq_models *models, dq_session_layout *like, dq_error *error)
{
    dq_reader *reader = NULL;
    dq_status status = dq_models_read(models, &reader, path, error);
    if (!status && models->count > 1)
        status = dq_fail(error, DQ_ERR_RANGE, "%zu models, where one is wanted", models->count);
    if (!status) status = dq_session_layout_load(like, &models->at[0], error);
    if (status) (void)dq_error_at(error, path, DQ_NO_RECORD);
    dq_reader_close(reader);
    return status;
}

static dq_status open_agent(const env_rollout *run, const char *path, const dq_models *models,
                            const dq_vec_env *envs, dq_agent **agent, dq_error *error)
{
    dq_status status = dq_episodes_agent(agent, &models->at[0], envs, run->pool, error);
    return status ? dq_error_at(error, path, DQ_NO_RECORD) : DQ_OK;
}

/* ---- playing ---- */

static void note_counters(env_rollout *run, const dq_vec_env *envs)
{
    run->counter_count = 0;
    for (size_t c = 0; envs->counters[c]; c++)
        (void)snprintf(run->counters[run->counter_count++], sizeof run->counters[0], "%s", envs->counters[c]);
}

/* Environments are opened anew for each policy, so that none finds what another left behind, and each sees
 * states as it knows them. */
static dq_status play(env_rollout *run, env_policy *p, const dq_models *models, const dq_session_layout *like,
                      dq_error *error)
{
    dq_vec_env_config config = {.name = run->o->env,
                                .command = run->o->env_cmd,
                                .like = like,
                                .count = run->episodes < TOGETHER ? run->episodes : TOGETHER,
                                .seed = run->o->common.seed,
                                .maker = &run->speaker};
    dq_rng rng = dq_rng_stream(run->o->common.seed, RANDOM_STREAM);
    dq_agent *agent = NULL;
    dq_vec_env *envs;
    p->played = calloc(run->episodes, sizeof *p->played);
    if (!p->played) return no_memory(error);
    dq_status status = dq_vec_env_open(&envs, &config, error);
    if (status) return status;
    if (models->count) status = open_agent(run, p->name, models, envs, &agent, error);
    if (!status) status = dq_episodes_play_many(envs, agent, &rng, run->episodes, p->played, error);
    note_counters(run, envs);
    dq_agent_free(agent);
    return dq_vec_env_close(envs, status, error);
}

static dq_status play_policy(env_rollout *run, env_policy *p, dq_error *error)
{
    dq_models models = {0};
    dq_session_layout like = {0};
    dq_status status = DQ_OK;
    if (strcmp(p->name, "random") != 0) status = read_model(p->name, &models, &like, error);
    if (!status) status = play(run, p, &models, &like, error);
    dq_models_free(&models);
    return status;
}

/* ---- summing up ---- */

static void take_means(const env_rollout *run, env_policy *p, double *totals)
{
    const double n = (double)run->episodes;
    for (size_t e = 0; e < run->episodes; e++) {
        const dq_played *x = &p->played[e];
        totals[e] = x->total;
        p->steps += (double)x->steps / n;
        p->value += x->value / n;
        p->discounted += x->discounted / n;
        for (size_t c = 0; c < DQ_ENV_COUNTERS; c++) p->counted[c] += x->counted[c] / n;
    }
}

static dq_status sum_up(env_rollout *run, dq_error *error)
{
    const eval_options *o = run->o;
    const dq_compare_config config = {
        .resamples = (size_t)o->resamples, .confidence = o->confidence, .seed = o->common.seed};
    double *totals = calloc(run->policy_count * run->episodes + 1, sizeof *totals); /* (policies, episodes) */
    dq_summary *summaries = calloc(run->policy_count, sizeof *summaries);
    dq_status status = totals && summaries ? DQ_OK : no_memory(error);
    for (size_t i = 0; i < run->policy_count && !status; i++)
        take_means(run, &run->policies[i], totals + i * run->episodes);
    if (!status)
        status = dq_summarise_runs(totals, run->policy_count, run->episodes, &config, summaries, error);
    for (size_t i = 0; i < run->policy_count && !status; i++) run->policies[i].total = summaries[i];
    free(totals);
    free(summaries);
    return status;
}

dq_status env_rollout_run(env_rollout *run, const eval_options *o, dq_error *error)
{
    *run = (env_rollout){
        .o = o,
        .speaker = {.program = "dq-eval", .version = DQ_VERSION, .options = dq_map(), .seed = -1},
        .episodes = (size_t)o->episodes,
        .policy_count = o->models.count};
    run->policies = calloc(run->policy_count, sizeof *run->policies);
    dq_status status = run->policies ? DQ_OK : no_memory(error);
    if (!status) status = dq_pool_new(&run->pool, dq_cli_threads(&o->common, 1), error);
    for (size_t i = 0; !status && i < run->policy_count; i++) {
        run->policies[i].name = o->models.at[i];
        status = play_policy(run, &run->policies[i], error);
    }
    return status ? status : sum_up(run, error);
}

void env_rollout_free(env_rollout *run)
{
    for (size_t i = 0; run->policies && i < run->policy_count; i++) free(run->policies[i].played);
    free(run->policies);
    dq_pool_free(run->pool);
}
