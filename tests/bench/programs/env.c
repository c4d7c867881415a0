/* SPDX-License-Identifier: MIT
 *
 * Steps a second of CPU of environments side by side under a random policy, as a JSON object: actions drawn,
 * steps taken, rewards summed, episodes begun anew where they ended. Three turns, of which the best counts.
 *
 *     env ENV COUNT STEPS          ENV: NAME or NAME:option=value,...; COUNT: side by side; STEPS: of all
 */
#include "rollout/vec_env.h"
#include "seconds.h"

#include <stdio.h>
#include <stdlib.h>

enum { TURNS = 3 };

/* One step of all; the sum of their rewards. */
static dq_status step_all(dq_vec_env *envs, dq_rng *rng, uint32_t *actions, double *sum, dq_error *error)
{
    size_t n = envs->config.count;
    dq_status status = dq_vec_env_begin(envs, error);
    for (size_t i = 0; i < n; i++) actions[i] = (uint32_t)dq_rng_below(rng, envs->shape.action_count);
    if (!status) status = dq_vec_env_step(envs, actions, error);
    for (size_t i = 0; !status && i < n; i++) *sum += (double)envs->steps[i].reward;
    if (!status) dq_vec_env_advance(envs);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 4) return 2;
    dq_vec_env_config config = {.name = argv[1], .count = strtoul(argv[2], NULL, 10), .seed = 42};
    size_t rounds = strtoul(argv[3], NULL, 10) / config.count;
    uint32_t *actions = calloc(config.count, sizeof *actions);
    dq_rng rng = dq_rng_new(1);
    dq_error error = DQ_ERROR_NONE;
    dq_vec_env *envs;
    double best = 0, sum = 0;
    dq_status status = actions ? dq_vec_env_open(&envs, &config, &error) : DQ_ERR_MEMORY;
    for (int turn = 0; !status && turn < TURNS; turn++) {
        double t0 = seconds(CLOCK_THREAD_CPUTIME_ID);
        for (size_t r = 0; !status && r < rounds; r++) status = step_all(envs, &rng, actions, &sum, &error);
        double speed = a_second((double)(rounds * config.count), seconds(CLOCK_THREAD_CPUTIME_ID) - t0);
        if (speed > best) best = speed;
    }
    if (status) fprintf(stderr, "%s\n", error.reason);
    if (!status) printf("{\"steps_s\": %.9g, \"rewards\": %.9g}\n", best, sum);
    free(actions);
    return dq_vec_env_close(envs, status, &error) != DQ_OK;
}
