/* SPDX-License-Identifier: MIT */
#include "rollout/report.h"

#include <math.h>
#include <stdio.h>

static bool count(dq_arena *arena, dq_value *record, const char *name, uint64_t n)
{
    return dq_map_set(arena, record, name, dq_int((int64_t)n));
}

static bool real(dq_arena *arena, dq_value *record, const char *name, double x)
{
    return dq_map_set(arena, record, name, dq_real_or_nil(x));
}

/* ---- an episode ---- */

static bool report_losses(const dq_online_state *p, dq_arena *a, dq_value *record)
{
    const double none = (double)NAN, learnt = p->learnt ? (double)p->learnt : none;
    const double planned = p->planned ? (double)p->planned : none;
    return real(a, record, "q_loss", p->q / learnt) &&
           real(a, record, "world_loss", p->world > 0 ? p->world / learnt : none) &&
           real(a, record, "planning_loss", p->planning / planned) &&
           real(a, record, "gradient", p->gradient > 0 ? p->gradient / learnt : none);
}

bool dq_online_report_episode(const dq_online *run, size_t env, dq_arena *a, dq_value *record)
{
    const dq_online_state *p = &run->at;
    const char *const *names = run->envs->counters;
    double steps = (double)run->lengths[env];
    bool explores = dq_agent_get_config(run->agent)->explore_by == DQ_EXPLORE_EPSILON;
    bool ok = count(a, record, "episode", p->episode) && count(a, record, "env", env) &&
              count(a, record, "steps", run->lengths[env]) && count(a, record, "total_steps", p->step) &&
              count(a, record, "learnt", dq_agent_steps(run->agent)) &&
              count(a, record, "updates", dq_agent_updates(run->agent)) &&
              real(a, record, "return", run->returns[env]) &&
              real(a, record, "reward", run->returns[env] / steps);
    for (size_t c = 0; ok && names[c]; c++) ok = real(a, record, names[c], run->envs->counted[env][c]);
    return ok && real(a, record, "rate", dq_agent_rate(run->agent)) &&
           real(a, record, "epsilon", explores ? dq_agent_epsilon(run->agent) : (double)NAN) &&
           real(a, record, "beta", dq_agent_beta(run->agent)) && report_losses(p, a, record);
}

/* ---- an evaluation ---- */

bool dq_online_report_evaluation(const dq_online *run, const dq_played *played, bool best, dq_arena *a,
                                 dq_value *record)
{
    const dq_online_state *p = &run->at;
    size_t n = (size_t)run->config.evaluate_episodes;
    const dq_played_mean mean = dq_episodes_mean(played, n);
    bool ok = count(a, record, "evaluation", p->evaluated) && count(a, record, "episode", p->episode) &&
              count(a, record, "total_steps", p->step) &&
              count(a, record, "updates", dq_agent_updates(run->agent)) &&
              dq_map_set(a, record, "best", dq_bool(best)) && count(a, record, "evaluation_episodes", n) &&
              real(a, record, "evaluation_return", mean.total) && real(a, record, "evaluation_sd", mean.sd) &&
              real(a, record, "evaluation_min", mean.min) && real(a, record, "evaluation_max", mean.max) &&
              real(a, record, "evaluation_steps", mean.steps) &&
              count(a, record, "evaluation_cut", mean.cut) &&
              real(a, record, "evaluation_value", mean.value) &&
              real(a, record, "evaluation_discounted", mean.discounted);
    for (size_t c = 0; ok && run->eval_envs->counters[c]; c++) {
        char name[80];
        (void)snprintf(name, sizeof name, "evaluation_%s", run->eval_envs->counters[c]);
        ok = real(a, record, name, mean.counted[c]);
    }
    return ok;
}
