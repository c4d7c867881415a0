/* SPDX-License-Identifier: MIT */
#include "env_run.h"

#include <math.h>

static bool set(dq_arena *arena, dq_value *line, const char *name, dq_value value)
{
    return dq_map_set(arena, line, name, value);
}

static dq_status write(env_run *run, dq_arena *arena, const dq_value *line, bool ok, dq_error *error)
{
    dq_status status = ok ? train_log_line(&run->log, line, error)
                          : dq_fail(error, DQ_ERR_MEMORY, "no memory for the log");
    dq_arena_free(arena);
    return status;
}

dq_status env_run_log_episode(env_run *run, size_t i, dq_error *error)
{
    const dq_online_place *p = &run->online.at;
    const char *const *names = run->online.envs->counters;
    double learnt = p->learnt ? (double)p->learnt : (double)NAN;
    double planned = p->planned ? (double)p->planned : (double)NAN;
    bool world = p->world > 0;
    dq_arena a = DQ_ARENA_EMPTY;
    dq_value line = dq_map();
    bool ok = set(&a, &line, "episode", dq_int((int64_t)p->episode)) &&
              set(&a, &line, "env", dq_int((int64_t)i)) &&
              set(&a, &line, "steps", dq_int((int64_t)run->online.lengths[i])) &&
              set(&a, &line, "total_steps", dq_int((int64_t)p->step)) &&
              set(&a, &line, "updates", dq_int((int64_t)dq_agent_steps(run->online.agent))) &&
              set(&a, &line, "return", dq_real(run->online.returns[i])) &&
              set(&a, &line, "reward", dq_real(run->online.returns[i] / (double)run->online.lengths[i]));
    for (size_t c = 0; ok && names[c]; c++)
        ok = set(&a, &line, names[c], dq_real(run->online.envs->counted[i][c]));
    ok = ok && set(&a, &line, "epsilon", dq_real(dq_agent_epsilon(run->online.agent))) &&
         set(&a, &line, "q_loss", dq_real_or_nil(p->q / learnt)) &&
         set(&a, &line, "world_loss", dq_real_or_nil(world ? p->world / learnt : (double)NAN)) &&
         set(&a, &line, "planning_loss", dq_real_or_nil(p->planning / planned)) &&
         set(&a, &line, "gradient", dq_real_or_nil(p->gradient / learnt));
    return write(run, &a, &line, ok, error);
}

dq_status env_run_log_evaluation(env_run *run, const dq_played *played, size_t n, dq_error *error)
{
    const dq_online_place *p = &run->online.at;
    double sum = 0, squares = 0, steps = 0, value = 0, discounted = 0, min = played[0].total,
           max = played[0].total;
    for (size_t i = 0; i < n; i++) {
        sum += played[i].total;
        steps += (double)played[i].steps;
        value += played[i].value;
        discounted += played[i].discounted;
        min = fmin(min, played[i].total);
        max = fmax(max, played[i].total);
    }
    double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++) squares += (played[i].total - mean) * (played[i].total - mean);
    dq_arena a = DQ_ARENA_EMPTY;
    dq_value line = dq_map();
    bool ok = set(&a, &line, "evaluation", dq_int((int64_t)p->evaluated)) &&
              set(&a, &line, "episode", dq_int((int64_t)p->episode)) &&
              set(&a, &line, "total_steps", dq_int((int64_t)p->step)) &&
              set(&a, &line, "evaluation_episodes", dq_int((int64_t)n)) &&
              set(&a, &line, "evaluation_return", dq_real(mean)) &&
              set(&a, &line, "evaluation_sd", dq_real_or_nil(sqrt(squares / (double)(n - 1)))) &&
              set(&a, &line, "evaluation_least", dq_real(min)) &&
              set(&a, &line, "evaluation_most", dq_real(max)) &&
              set(&a, &line, "evaluation_steps", dq_real(steps / (double)n)) &&
              set(&a, &line, "evaluation_value", dq_real_or_nil(value / (double)n)) &&
              set(&a, &line, "evaluation_discounted", dq_real(discounted / (double)n));
    for (size_t c = 0; ok && run->online.eval_envs->counters[c]; c++) {
        char name[80];
        double count = 0;
        for (size_t i = 0; i < n; i++) count += played[i].counted[c];
        (void)snprintf(name, sizeof name, "evaluation_%s", run->online.eval_envs->counters[c]);
        ok = set(&a, &line, name, dq_real(count / (double)n));
    }
    return write(run, &a, &line, ok, error);
}
