/* SPDX-License-Identifier: MIT */
#include "envs_play.h"

#include <stdlib.h>
#include <string.h>

dq_status dq_envs_play(dq_envs *envs, dq_agent *agent, dq_played *played, dq_error *error)
{
    size_t n = envs->config.count, running = n;
    uint32_t *actions = calloc(n, sizeof *actions);
    if (!actions) return dq_fail(error, DQ_ERR_MEMORY, "no memory for episodes");
    memset(played, 0, n * sizeof *played);
    dq_status status = dq_envs_begin(envs, error);
    while (!status && running) {
        dq_agent_act(agent, envs->states, n, false, actions);
        status = dq_envs_step(envs, actions, error);
        if (status) break;
        for (size_t i = 0; i < n; i++) {
            if (envs->over[i]) continue;
            played[i].total += (double)envs->steps[i].reward;
            played[i].steps++;
            memcpy(played[i].counted, envs->counted[i], sizeof played[i].counted);
            running -= envs->steps[i].terminal || envs->steps[i].truncated;
        }
        dq_envs_turn(envs);
    }
    free(actions);
    return status;
}
