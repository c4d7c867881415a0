/* SPDX-License-Identifier: MIT
 *
 * A catalogue as an environment, alone and as a vec_env: numbered states, actions on offer, rewards that are
 * waited for.
 */
#include "env/catalogue.h"
#include "rollout/vec_env.h"

#include "dq/schema.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { USERS = 4, ITEMS = 20, WIDTH = 3, OFFERED = 6, STEPS = 5 };

static float vectors[ITEMS][WIDTH];
static const float *at[ITEMS];
static int unanswered; /* rewards that are still to be waited for */

static dq_status reward_of(void *arg, uint32_t user, uint32_t item, float *reward, dq_error *error)
{
    if (unanswered && unanswered-- > 0) return dq_fail(error, DQ_ERR_STOPPED, "no answer yet");
    *reward = *(float *)arg * (float)item + (float)user;
    return DQ_OK;
}

static float ten = 10;

static dq_catalogue_env_config usual(void)
{
    for (uint32_t i = 0; i < ITEMS; i++) at[i] = vectors[i];
    return (dq_catalogue_env_config){.users = {at, USERS, WIDTH},
                                     .items = {at, ITEMS, WIDTH},
                                     .user = 3,
                                     .candidates = OFFERED,
                                     .step_limit = STEPS,
                                     .reward = reward_of,
                                     .reward_arg = &ten};
}

static dq_env *make(uint64_t seed)
{
    dq_catalogue_env_config config = usual();
    dq_env *env;
    assert_int_equal(dq_catalogue_env_new(&env, &config, seed, NULL), DQ_OK);
    return env;
}

/* ---- alone ---- */

static void candidates_are_drawn_anew_without_replacement(void **state)
{
    (void)state;
    dq_env *env = make(5);
    uint32_t before[OFFERED], mask = 0;
    assert_int_equal(dq_env_spec_check(&env->shape, NULL), DQ_OK);
    assert_int_equal(dq_env_reset(env, NULL), DQ_OK);
    assert_int_equal(env->offered_count, OFFERED);
    for (int i = 0; i < OFFERED; i++) {
        assert_in_range(env->offered[i], 0, ITEMS - 1);
        assert_int_equal(mask & (1U << env->offered[i]), 0);
        mask |= 1U << env->offered[i];
    }
    memcpy(before, env->offered, sizeof before);
    assert_int_equal(dq_env_reset(env, NULL), DQ_OK);
    assert_memory_not_equal(before, env->offered, sizeof before);
    dq_env_free(env);
}

static void the_user_stays_and_the_limit_truncates(void **state)
{
    (void)state;
    dq_env *env = make(5);
    dq_step step;
    assert_int_equal(dq_env_reset(env, NULL), DQ_OK);
    for (int s = 1; s <= STEPS; s++) {
        uint32_t item = env->offered[s];
        assert_int_equal(dq_env_step(env, item, &step, NULL), DQ_OK);
        assert_true(step.reward == 10 * (float)item + 3);
        assert_int_equal(env->number, 3);
        assert_false(step.terminal);
        assert_int_equal(step.truncated, s == STEPS);
    }
    dq_catalogue_env_serve(env, 1);
    assert_int_equal(dq_env_reset(env, NULL), DQ_OK);
    assert_int_equal(env->number, 1);
    dq_env_free(env);
}

static void what_is_not_on_offer_is_refused(void **state)
{
    (void)state;
    dq_env *env = make(5);
    dq_step step;
    uint32_t absent = 0;
    assert_int_equal(dq_env_reset(env, NULL), DQ_OK);
    for (uint32_t i = 0; i < OFFERED; i++)
        if (env->offered[i] == absent) absent++, i = UINT32_MAX;
    assert_int_equal(dq_env_step(env, absent, &step, NULL), DQ_ERR_RANGE);
    assert_int_equal(dq_env_step(env, ITEMS, &step, NULL), DQ_ERR_RANGE);
    assert_int_equal(env->steps, 0);
    dq_env_free(env);
}

static void a_step_whose_reward_does_not_come_is_not_taken(void **state)
{
    (void)state;
    dq_env *env = make(5);
    dq_step step;
    assert_int_equal(dq_env_reset(env, NULL), DQ_OK);
    unanswered = 2;
    assert_int_equal(dq_env_step(env, env->offered[0], &step, NULL), DQ_ERR_STOPPED);
    assert_int_equal(dq_env_step(env, env->offered[0], &step, NULL), DQ_ERR_STOPPED);
    assert_int_equal(env->steps, 0);
    assert_int_equal(dq_env_step(env, env->offered[0], &step, NULL), DQ_OK);
    assert_int_equal(env->steps, 1);
    dq_env_free(env);
}

static void few_items_are_all_on_offer(void **state)
{
    (void)state;
    dq_catalogue_env_config config = usual();
    dq_env *env;
    config.candidates = 100;
    assert_int_equal(dq_catalogue_env_new(&env, &config, 5, NULL), DQ_OK);
    assert_int_equal(env->offered_count, ITEMS);
    dq_env_free(env);
    dq_catalogue_env_config without[4] = {usual(), usual(), usual(), usual()};
    without[0].items.count = 0;
    without[1].users.count = 0;
    without[2].candidates = 0;
    without[3].user = USERS;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(dq_catalogue_env_new(&env, &without[i], 5, NULL), DQ_ERR_RANGE);
        assert_null(env);
    }
}

static dq_bundle saved(dq_env *env)
{
    dq_bundle b;
    assert_int_equal(dq_bundle_init(&b, DQ_KIND_MODEL, 0, NULL), DQ_OK);
    assert_int_equal(dq_env_save(env, "env", &b, NULL), DQ_OK);
    return b;
}

static void a_checkpoint_goes_on(void **state)
{
    (void)state;
    dq_env *one = make(5), *other = make(6);
    for (int e = 0; e < 3; e++) assert_int_equal(dq_env_reset(one, NULL), DQ_OK);
    dq_bundle b = saved(one);
    assert_int_equal(dq_env_restore(other, "env", &b, NULL), DQ_OK);
    dq_bundle_free(&b);
    for (int e = 0; e < 2; e++) {
        assert_int_equal(other->number, 3);
        assert_memory_equal(one->offered, other->offered, OFFERED * sizeof *one->offered);
        assert_int_equal(dq_env_reset(one, NULL), DQ_OK);
        assert_int_equal(dq_env_reset(other, NULL), DQ_OK);
    }
    dq_env_free(one);
    dq_env_free(other);
}

static dq_status infinite(void *arg, uint32_t user, uint32_t item, float *reward, dq_error *error)
{
    (void)arg;
    (void)user;
    (void)error;
    *reward = item ? INFINITY : NAN;
    return DQ_OK;
}

static void a_reward_that_is_not_finite_is_refused(void **state)
{
    (void)state;
    const float one = 1, *const rows[] = {&one, &one};
    const dq_catalogue_env_config config = {
        .users = {rows, 1, 1}, .items = {rows, 2, 1}, .candidates = 2, .reward = infinite};
    dq_env *env;
    dq_step step;
    assert_int_equal(dq_catalogue_env_new(&env, &config, 1, NULL), DQ_OK);
    assert_int_equal(dq_env_reset(env, NULL), DQ_OK);
    for (uint32_t item = 0; item < 2; item++)
        assert_int_equal(dq_env_step(env, item, &step, NULL), DQ_ERR_NUMERIC);
    assert_int_equal(env->steps, 0);
    dq_env_free(env);
}

static void a_checkpoint_that_cannot_be_is_refused(void **state)
{
    (void)state;
    dq_env *env = make(5);
    dq_bundle b = saved(env);
    uint32_t *candidates = env->memory;
    assert_int_equal(dq_env_restore(env, "env", &b, NULL), DQ_OK); /* before the first episode, too */
    candidates[1] = ITEMS;
    assert_int_equal(dq_env_restore(env, "env", &b, NULL), DQ_ERR_SCHEMA);
    candidates[1] = candidates[0];
    assert_int_equal(dq_env_restore(env, "env", &b, NULL), DQ_ERR_SCHEMA);
    candidates[1] = ITEMS - 1;
    assert_int_equal(dq_env_restore(env, "env", &b, NULL), DQ_OK);
    env->number = USERS;
    assert_int_equal(dq_env_restore(env, "env", &b, NULL), DQ_ERR_SCHEMA);
    dq_bundle_free(&b);
    dq_env_free(env);
}

/* ---- as a vec_env ---- */

static dq_vec_env *around(dq_env *env)
{
    const dq_vec_env_config config = {.env = env, .count = 1, .seed = 9};
    dq_vec_env *envs;
    assert_int_equal(dq_vec_env_open(&envs, &config, NULL), DQ_OK);
    return envs;
}

static void its_store_is_the_users(void **state)
{
    (void)state;
    dq_env *env = make(0);
    dq_vec_env *envs = around(env);
    assert_ptr_equal(envs->store.at, at);
    assert_int_equal(envs->store.count, USERS);
    assert_null(envs->states);
    assert_int_equal(envs->offered_count, OFFERED);
    for (int e = 0; e < 2; e++) {
        assert_int_equal(dq_vec_env_begin(envs, NULL), DQ_OK);
        assert_int_equal(envs->number[0], 3);
        for (int s = 0; s < STEPS; s++) {
            assert_int_equal(dq_vec_env_step(envs, &envs->offered[s], NULL), DQ_OK);
            assert_int_equal(envs->next_number[0], 3);
            dq_vec_env_advance(envs);
        }
        assert_true(envs->done[0]);
    }
    assert_int_equal(dq_vec_env_close(envs, DQ_OK, NULL), DQ_OK);
    dq_env_free(env);
}

/* Episodes have seeds of their own: whoever plays them anew is offered the same. */
static void rewound_it_offers_the_same(void **state)
{
    (void)state;
    dq_env *env = make(0);
    dq_vec_env *envs = around(env);
    uint32_t first[OFFERED], second[OFFERED];
    assert_int_equal(dq_vec_env_begin(envs, NULL), DQ_OK);
    memcpy(first, envs->offered, sizeof first);
    envs->done[0] = 1;
    assert_int_equal(dq_vec_env_begin(envs, NULL), DQ_OK);
    memcpy(second, envs->offered, sizeof second);
    assert_memory_not_equal(first, second, sizeof first);
    dq_vec_env_rewind(envs);
    assert_int_equal(dq_vec_env_begin(envs, NULL), DQ_OK);
    assert_memory_equal(first, envs->offered, sizeof first);
    assert_int_equal(dq_vec_env_close(envs, DQ_OK, NULL), DQ_OK);
    dq_env_free(env);
}

static void one_is_not_several(void **state)
{
    (void)state;
    dq_env *env = make(0);
    const dq_vec_env_config config = {.env = env, .count = 2, .seed = 9};
    dq_vec_env *envs;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_vec_env_open(&envs, &config, &e), DQ_ERR_RANGE);
    assert_null(envs);
    dq_env_free(env);
}

static void other_states_are_rows_of_its_store(void **state)
{
    (void)state;
    const dq_vec_env_config config = {.name = "session:items=7", .count = 3, .seed = 9};
    dq_vec_env *envs;
    const uint32_t actions[3] = {0, 3, 6};
    assert_int_equal(dq_vec_env_open(&envs, &config, NULL), DQ_OK);
    size_t bytes = envs->shape.state_width * sizeof(float);
    float *before = malloc(3 * bytes);
    assert_non_null(before);
    assert_int_equal(envs->store.count, 6);
    assert_int_equal(envs->store.width, envs->shape.state_width);
    assert_null(envs->offered);
    assert_int_equal(dq_vec_env_begin(envs, NULL), DQ_OK);
    for (size_t i = 0; i < 3; i++) memcpy((char *)before + i * bytes, envs->store.at[envs->number[i]], bytes);
    assert_int_equal(dq_vec_env_step(envs, actions, NULL), DQ_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_memory_equal(envs->store.at[envs->number[i]], (char *)before + i * bytes, bytes);
        assert_memory_equal(envs->store.at[envs->next_number[i]], envs->envs[i]->state, bytes);
    }
    dq_vec_env_advance(envs);
    for (size_t i = 0; i < 3; i++)
        assert_memory_equal(envs->store.at[envs->number[i]], envs->envs[i]->state, bytes);
    free(before);
    assert_int_equal(dq_vec_env_close(envs, DQ_OK, NULL), DQ_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candidates_are_drawn_anew_without_replacement),
        cmocka_unit_test(the_user_stays_and_the_limit_truncates),
        cmocka_unit_test(what_is_not_on_offer_is_refused),
        cmocka_unit_test(a_step_whose_reward_does_not_come_is_not_taken),
        cmocka_unit_test(few_items_are_all_on_offer),
        cmocka_unit_test(a_checkpoint_goes_on),
        cmocka_unit_test(a_checkpoint_that_cannot_be_is_refused),
        cmocka_unit_test(a_reward_that_is_not_finite_is_refused),
        cmocka_unit_test(its_store_is_the_users),
        cmocka_unit_test(rewound_it_offers_the_same),
        cmocka_unit_test(one_is_not_several),
        cmocka_unit_test(other_states_are_rows_of_its_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
