/* SPDX-License-Identifier: MIT
 *
 * Episodes in environments side by side.
 */
#include "rollout/episodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { ENVS = 3, EPISODES = 7 };

static dq_vec_env *open_envs(void)
{
    const dq_vec_env_config config = {.name = "cartpole", .count = ENVS, .seed = 5};
    dq_vec_env *envs;
    assert_int_equal(dq_vec_env_open(&envs, &config, NULL), DQ_OK);
    return envs;
}

/* A pole that is pushed at random falls: a reward of 1 a step until then. */
static void rounds_are_played_until_there_are_enough(void **state)
{
    dq_vec_env *envs = open_envs();
    dq_rng rng = dq_rng_new(3), again = dq_rng_new(3);
    dq_played played[EPISODES], round[ENVS];
    (void)state;
    assert_int_equal(dq_episodes_play_many(envs, NULL, &rng, EPISODES, played, NULL), DQ_OK);
    for (size_t i = 0; i < ENVS; i++) assert_int_equal(envs->episode[i], 3);
    dq_vec_env_rewind(envs);
    for (size_t e = 0; e < EPISODES; e++) {
        if (e % ENVS == 0) assert_int_equal(dq_episodes_play(envs, NULL, &again, round, NULL), DQ_OK);
        assert_in_range(played[e].steps, 1, 200);
        assert_int_equal(played[e].steps, round[e % ENVS].steps);
        assert_true(played[e].total == (double)played[e].steps);
    }
    for (size_t i = 0; i < ENVS; i++) assert_true(envs->done[i]);
    assert_int_equal(dq_vec_env_close(envs, DQ_OK, NULL), DQ_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounds_are_played_until_there_are_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
