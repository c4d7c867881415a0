/* SPDX-License-Identifier: MIT
 *
 * Seconds of one learning step of a deep Q-network, by the clock and of CPU time, medians, as a JSON object:
 * Double, a target that follows softly, Huber, gradients clipped by norm, dropout, Adam, batches drawn from a
 * full memory.
 *
 *     dqn THREADS STEPS STATE ACTIONS BATCH DROPOUT HIDDEN...
 */
#include "learn/agent.h"
#include "seconds.h"

#include <stdio.h>
#include <stdlib.h>

enum { MEMORY = 10000, WARM = 200, MOST_STATE = 1024 };

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void fill(dq_agent *agent, const dq_env_spec *shape)
{
    static float state[2][MOST_STATE];
    const float *const at[] = {state[0], state[1]};
    const dq_vectors states = {at, 2, shape->state_width};
    dq_rng rng = dq_rng_new(1);
    for (int i = 0; i < MEMORY; i++) {
        for (uint32_t j = 0; j < shape->state_width; j++) {
            state[0][j] = (float)dq_rng_normal(&rng);
            state[1][j] = (float)dq_rng_normal(&rng);
        }
        const dq_transition t = {.state = 0,
                                 .action = (uint32_t)dq_rng_below(&rng, shape->action_count),
                                 .next = 1,
                                 .reward = (float)dq_rng_uniform(&rng),
                                 .done = i % 10 == 9};
        dq_agent_observe(agent, 0, &states, &t, t.done);
    }
}

int main(int argc, char **argv)
{
    if (argc < 8) return 2;
    int steps = atoi(argv[2]);
    dq_agent_config config = dq_agent_find("dqn")->defaults;
    dq_env_spec shape = {.state_width = (uint32_t)atoi(argv[3]), .action_count = (uint32_t)atoi(argv[4])};
    config.batch = (size_t)atoi(argv[5]);
    config.dropout = atof(argv[6]);
    config.hidden_count = 0;
    for (int i = 7; i < argc && config.hidden_count < DQ_NET_MAX_HIDDEN; i++)
        config.hidden[config.hidden_count++] = (uint32_t)atoi(argv[i]);
    config.replay = MEMORY;
    config.double_q = true;
    config.target_every = 1;
    config.tau = 0.005;
    dq_pool *pool;
    dq_agent *agent;
    dq_agent_losses losses;
    double *times = calloc((size_t)steps, sizeof *times), *spent = calloc((size_t)steps, sizeof *spent);
    if (shape.state_width > MOST_STATE || !times || !spent ||
        dq_pool_new(&pool, (unsigned)atoi(argv[1]), NULL) ||
        dq_agent_new(&agent, "dqn", &config, &shape, pool, NULL))
        return 1;
    fill(agent, &shape);
    for (int i = -WARM; i < steps; i++) {
        double t0 = seconds(CLOCK_MONOTONIC), c0 = seconds(CLOCK_PROCESS_CPUTIME_ID);
        if (dq_agent_learn(agent, &losses, NULL)) return 1;
        if (i < 0) continue;
        times[i] = seconds(CLOCK_MONOTONIC) - t0;
        spent[i] = seconds(CLOCK_PROCESS_CPUTIME_ID) - c0;
    }
    qsort(times, (size_t)steps, sizeof *times, ascending);
    qsort(spent, (size_t)steps, sizeof *spent, ascending);
    printf("{\"step_s\": %.9g, \"cpu_s\": %.9g}\n", times[steps / 2], spent[steps / 2]);
    dq_agent_free(agent);
    dq_pool_free(pool);
    free(times);
    free(spent);
    return 0;
}
