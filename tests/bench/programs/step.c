/* SPDX-License-Identifier: MIT
 *
 * Seconds of one learning step of system A's Dyna-Q, the median of some, as a JSON object: the workload of
 * the peers that make the same savings. One user (768 numbers), 2,000 items (1,536), of which 100 are on
 * offer, others every 100 steps; Q 2304-1024-512-256-1, a world model 2304-1024-512-1, dropout .2, batches of
 * 64; a step acts, updates Q and the world model, and plans five times. By the wall clock, and in CPU seconds
 * of all threads.
 *
 *     step THREADS STEPS [WARM [PRECISION]]        WARM: steps before those that count (20)
 */
#include "learn/agent.h"

#include "math/vec.h"
#include "seconds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { USER = 768, ITEM = 1536, ITEMS = 2000, OFFERED = 100, OBSERVED = 1000, WARM = 20 };

static float user[USER], items[ITEMS][ITEM];
static const float *user_at[] = {user}, *item_at[ITEMS];

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *times, int n)
{
    qsort(times, (size_t)n, sizeof *times, ascending);
    return times[n / 2];
}

static void draw_unit(float *to, size_t n, dq_rng *rng)
{
    for (size_t i = 0; i < n; i++) to[i] = (float)dq_rng_normal(rng);
    dq_vec_unit(to, to, n);
}

static dq_agent_config system_a(void)
{
    dq_agent_config c = dq_agent_find("dyna-q")->defaults;
    const uint32_t hidden[] = {1024, 512, 256};
    for (size_t i = 0; i < 3; i++) c.hidden[i] = hidden[i];
    for (size_t i = 0; i < 2; i++) c.world_hidden[i] = hidden[i];
    c.hidden_count = 3;
    c.world_hidden_count = 2;
    c.head = DQ_HEAD_ACTIONS;
    c.dropout = 0.2;
    c.loss = DQ_LOSS_MSE;
    c.clip_norm = 0;
    c.gamma = 0.9;
    c.target_every = 1000;
    c.replay = 100000;
    c.epsilon_min = 0.01;
    c.epsilon_decay = 0.995;
    c.offered = OFFERED;
    return c;
}

static void offer(dq_agent *agent, dq_rng *rng)
{
    static uint32_t all[ITEMS];
    uint32_t some[OFFERED];
    dq_rng_sample(rng, some, OFFERED, all, ITEMS);
    dq_agent_offer(agent, some, OFFERED);
}

/* One step in the environment: an action is worth its cosine with the user. */
static void act(dq_agent *agent, const dq_vectors *states)
{
    uint32_t action, zero = 0;
    dq_agent_act(agent, states, &zero, 1, true, &action);
    dq_transition t = {.action = action, .reward = (dq_vec_dot(user, items[action], USER) + 1) / 2};
    dq_agent_observe(agent, 0, states, &t, false);
}

int main(int argc, char **argv)
{
    if (argc < 3) return 2;
    int steps = atoi(argv[2]), warm = argc > 3 ? atoi(argv[3]) : WARM;
    dq_rng rng = dq_rng_new(42);
    dq_pool *pool;
    dq_agent *agent;
    dq_agent_losses losses;
    draw_unit(user, USER, &rng);
    for (size_t i = 0; i < ITEMS; i++) draw_unit(items[i], ITEM, &rng);
    for (size_t i = 0; i < ITEMS; i++) item_at[i] = items[i];
    const dq_vectors states = {user_at, 1, USER};
    const dq_env_spec shape = {.state_width = USER,
                               .action_count = ITEMS,
                               .action_width = ITEM,
                               .actions = item_at,
                               .states = states};
    dq_agent_config config = system_a();
    if (argc > 4 && strcmp(argv[4], dq_precision_names[DQ_PRECISION_BF16]) == 0)
        config.precision = DQ_PRECISION_BF16;
    double *times = calloc((size_t)steps, sizeof *times), *cpu = calloc((size_t)steps, sizeof *cpu);
    if (!times || !cpu || dq_pool_new(&pool, (unsigned)atoi(argv[1]), NULL) ||
        dq_agent_new(&agent, "dyna-q", &config, &shape, pool, NULL))
        return 1;
    for (int i = 0; i < OBSERVED; i++) act(agent, &states);
    for (int i = -warm; i < steps; i++) {
        if (i % 100 == 0) offer(agent, &rng);
        double t0 = seconds(CLOCK_MONOTONIC), c0 = seconds(CLOCK_PROCESS_CPUTIME_ID);
        act(agent, &states);
        if (dq_agent_learn(agent, &losses, NULL)) return 1;
        if (i < 0) continue;
        times[i] = seconds(CLOCK_MONOTONIC) - t0;
        cpu[i] = seconds(CLOCK_PROCESS_CPUTIME_ID) - c0;
    }
    printf("{\"step_s\": %.6g, \"cpu_s\": %.6g, \"loss\": %.9g}\n", median(times, steps), median(cpu, steps),
           losses.q);
    dq_agent_free(agent);
    dq_pool_free(pool);
    free(cpu);
    free(times);
    return 0;
}
