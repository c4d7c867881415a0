/* SPDX-License-Identifier: MIT
 *
 * Episodes of policies, in environments side by side and in a catalogue.
 */
#include "rollout/episodes.h"

#include "env/catalogue.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { ENVS = 3, EPISODES = 7 };

static dq_vec_env *open_envs(const char *name)
{
    const dq_vec_env_config config = {.name = name, .count = ENVS, .seed = 5};
    dq_vec_env *envs;
    assert_int_equal(dq_vec_env_open(&envs, &config, NULL), DQ_OK);
    return envs;
}

/* A pole that is pushed at random falls: a reward of 1 a step until then. */
static void rounds_are_played_until_there_are_enough(void **state)
{
    dq_vec_env *envs = open_envs("cartpole");
    dq_policy policy = {.by = DQ_POLICY_RANDOM, .rng = dq_rng_new(3)}, again = policy;
    dq_played played[EPISODES], one[ENVS];
    (void)state;
    assert_int_equal(dq_episodes_play_many(envs, &policy, EPISODES, played, NULL), DQ_OK);
    for (size_t i = 0; i < ENVS; i++) assert_int_equal(envs->episode[i], 3);
    dq_vec_env_rewind(envs);
    for (size_t e = 0; e < EPISODES; e++) {
        if (e % ENVS == 0) assert_int_equal(dq_episodes_play(envs, &again, one, NULL), DQ_OK);
        assert_in_range(played[e].steps, 1, 200);
        assert_int_equal(played[e].steps, one[e % ENVS].steps);
        assert_true(played[e].total == (double)played[e].steps);
        assert_true(isnan(played[e].value) && isnan(played[e].discounted));
    }
    for (size_t i = 0; i < ENVS; i++) assert_true(envs->done[i]);
    assert_int_equal(dq_vec_env_close(envs, DQ_OK, NULL), DQ_OK);
}

/* In a chain of no end each episode is cut off, and the next one begins anew; one that ends is left alone. */
static void what_does_not_end_is_cut_off(void **state)
{
    dq_vec_env *envs = open_envs("chain:steps=0,slip=0,small=1,large=1");
    dq_policy policy = {.by = DQ_POLICY_RANDOM, .rng = dq_rng_new(3), .max_steps = 40};
    dq_played played[EPISODES];
    (void)state;
    assert_int_equal(dq_episodes_play_many(envs, &policy, EPISODES, played, NULL), DQ_OK);
    for (size_t e = 0; e < EPISODES; e++) assert_true(played[e].cut && played[e].steps == 40);
    for (size_t i = 0; i < ENVS; i++) assert_true(envs->done[i] && envs->episode[i] == 3);
    assert_int_equal(dq_vec_env_close(envs, DQ_OK, NULL), DQ_OK);
    envs = open_envs("chain:steps=40");
    assert_int_equal(dq_episodes_play_many(envs, &policy, EPISODES, played, NULL), DQ_OK);
    for (size_t e = 0; e < EPISODES; e++) assert_true(!played[e].cut && played[e].steps == 40);
    assert_int_equal(dq_vec_env_close(envs, DQ_OK, NULL), DQ_OK);
}

/* ---- an agent ---- */

static dq_agent *make_agent(const dq_env_spec *shape, dq_pool *pool)
{
    dq_agent_config config = dq_agent_find("dqn")->defaults;
    dq_error e = DQ_ERROR_NONE;
    dq_agent *agent;
    config.hidden[0] = 8;
    config.hidden_count = 1;
    config.gamma = 0.5;
    config.head = shape->actions ? DQ_HEAD_ACTIONS : DQ_HEAD_OUTPUTS;
    if (dq_agent_new(&agent, "dqn", &config, shape, pool, &e)) fail_msg("%s", e.reason);
    return agent;
}

static void discounted(void *arg, const dq_watched *step)
{
    double *sum = arg;
    *sum += pow(0.5, (double)step->at) * (double)step->step.reward;
}

static void an_agent_says_what_it_expects(void **state)
{
    dq_vec_env *envs = open_envs("chain");
    dq_pool *pool;
    dq_played played[ENVS];
    double sum = 0;
    (void)state;
    assert_int_equal(dq_pool_new(&pool, 1, NULL), DQ_OK);
    dq_policy policy = {
        .by = DQ_POLICY_AGENT, .agent = make_agent(&envs->shape, pool), .arg = &sum, .watch = discounted};
    assert_int_equal(dq_vec_env_begin(envs, NULL), DQ_OK);
    float q[ENVS * 8];
    assert_in_range(envs->shape.action_count, 1, 8);
    dq_agent_values(policy.agent, &envs->store, envs->number, ENVS, q);
    dq_vec_env_rewind(envs);
    assert_int_equal(dq_episodes_play(envs, &policy, played, NULL), DQ_OK);
    double together = 0;
    for (size_t i = 0; i < ENVS; i++) {
        float best = q[i * envs->shape.action_count];
        for (uint32_t a = 1; a < envs->shape.action_count; a++)
            best = fmaxf(best, q[i * envs->shape.action_count + a]);
        assert_true(fabs(played[i].value - (double)best) < 1e-6);
        together += played[i].discounted;
    }
    assert_true(fabs(together - sum) < 1e-9);
    dq_agent_free(policy.agent);
    assert_int_equal(dq_vec_env_close(envs, DQ_OK, NULL), DQ_OK);
    dq_pool_free(pool);
}

/* ---- the catalogue ---- */

enum { ITEMS = 8, OFFERED = 5, WIDTH = 2 };

/* The user looks along the first axis; item i turns away from it with i. */
static const float user_vector[WIDTH] = {1, 0};
static const float item_vectors[ITEMS][WIDTH] = {{1, 0},    {1, 0.2F}, {1, 0.4F}, {1, 0.6F},
                                                 {1, 0.8F}, {1, 1},    {1, 2},    {1, 3}};
static const dq_pairing whole = {0, 0, WIDTH};
static const float *const user_at[1] = {user_vector};
static const float *item_at[ITEMS];

static dq_status reward_of(void *arg, uint32_t user, uint32_t item, float *reward, dq_error *error)
{
    (void)arg;
    (void)error;
    assert_int_equal(user, 0);
    *reward = (float)item;
    return DQ_OK;
}

typedef struct catalogue {
    dq_env *env;
    dq_vec_env *envs;
    dq_policy policy;
    uint32_t item[OFFERED + 1], steps; /* of the episode */
} catalogue;

static void note(void *arg, const dq_watched *step)
{
    catalogue *c = arg;
    assert_int_equal(step->env, 0);
    assert_int_equal(step->number, 0);
    assert_int_equal(step->at, c->steps);
    assert_true(step->step.reward == (float)step->action);
    c->item[c->steps++] = step->action;
}

static void make(catalogue *c, dq_policy policy, uint32_t steps)
{
    for (size_t i = 0; i < ITEMS; i++) item_at[i] = item_vectors[i];
    const dq_catalogue_env_config config = {.users = {user_at, 1, WIDTH},
                                            .items = {item_at, ITEMS, WIDTH},
                                            .candidates = OFFERED,
                                            .step_limit = steps,
                                            .reward = reward_of};
    *c = (catalogue){.policy = policy};
    c->policy.pairs = &whole;
    c->policy.pair_count = 1;
    c->policy.rng = dq_rng_new(2);
    c->policy.arg = c;
    c->policy.watch = note;
    assert_int_equal(dq_catalogue_env_new(&c->env, &config, 0, NULL), DQ_OK);
    const dq_vec_env_config one = {.env = c->env, .count = 1, .seed = 4};
    assert_int_equal(dq_vec_env_open(&c->envs, &one, NULL), DQ_OK);
}

static void play(catalogue *c)
{
    dq_played played;
    double sum = 0;
    c->steps = 0;
    assert_int_equal(dq_episodes_play(c->envs, &c->policy, &played, NULL), DQ_OK);
    assert_int_equal(c->steps, played.steps);
    for (uint32_t s = 0; s < c->steps; s++) sum += c->item[s];
    assert_true(played.total == sum);
}

static void drop(catalogue *c)
{
    assert_int_equal(dq_vec_env_close(c->envs, DQ_OK, NULL), DQ_OK);
    dq_env_free(c->env);
}

static uint32_t nearest_offered(const catalogue *c)
{
    uint32_t nearest = ITEMS;
    for (uint32_t i = 0; i < OFFERED; i++)
        if (c->env->offered[i] < nearest) nearest = c->env->offered[i];
    return nearest;
}

static void the_greedy_choose_the_nearest_each_time(void **state)
{
    catalogue c;
    (void)state;
    make(&c, (dq_policy){.by = DQ_POLICY_COSINE}, 3);
    for (int e = 0; e < 10; e++) {
        play(&c);
        assert_int_equal(c.steps, 3);
        for (size_t s = 0; s < 3; s++) assert_int_equal(c.item[s], nearest_offered(&c));
    }
    drop(&c);
}

static void distinct_items_come_from_the_best_down(void **state)
{
    catalogue c;
    (void)state;
    make(&c, (dq_policy){.by = DQ_POLICY_COSINE, .distinct = true}, OFFERED);
    for (int e = 0; e < 10; e++) {
        play(&c);
        assert_int_equal(c.item[0], nearest_offered(&c));
        for (size_t s = 1; s < OFFERED; s++) assert_true(c.item[s] > c.item[s - 1]);
    }
    drop(&c);
}

static void the_random_choose_any_and_distinct_ones_once(void **state)
{
    catalogue c;
    unsigned first[OFFERED] = {0};
    (void)state;
    make(&c, (dq_policy){.by = DQ_POLICY_RANDOM, .distinct = true}, OFFERED);
    for (int e = 0; e < 2000; e++) {
        uint32_t met = 0;
        play(&c);
        for (size_t s = 0; s < OFFERED; s++) met |= 1U << c.item[s];
        for (uint32_t i = 0; i < OFFERED; i++) {
            assert_true(met >> c.env->offered[i] & 1);
            first[i] += c.item[0] == c.env->offered[i];
        }
    }
    for (size_t i = 0; i < OFFERED; i++) assert_in_range(first[i], 320, 480); /* 400, sd 18 */
    drop(&c);
}

/* With epsilon a share of the steps is any candidate, the best among them: of 5, epsilon 4/5 of steps are
 * not. */
static void epsilon_is_the_share_of_any_choice(void **state)
{
    catalogue c;
    unsigned other = 0;
    (void)state;
    make(&c, (dq_policy){.by = DQ_POLICY_COSINE, .epsilon = 0.5}, 1);
    for (int e = 0; e < 4000; e++) {
        play(&c);
        other += c.item[0] != nearest_offered(&c);
    }
    assert_in_range(other, 1480, 1720); /* 1600, sd 31 */
    drop(&c);
}

/* Policies of one seed are offered the same, whatever they choose. */
static void all_policies_are_offered_the_same(void **state)
{
    catalogue a, b;
    (void)state;
    make(&a, (dq_policy){.by = DQ_POLICY_COSINE, .epsilon = 0.5}, 4);
    make(&b, (dq_policy){.by = DQ_POLICY_RANDOM}, 4);
    for (int e = 0; e < 5; e++) {
        play(&a);
        play(&b);
        assert_memory_equal(a.env->offered, b.env->offered, OFFERED * sizeof *a.env->offered);
    }
    drop(&a);
    drop(&b);
}

static void an_agent_chooses_among_what_is_offered(void **state)
{
    catalogue c;
    dq_pool *pool;
    float q[OFFERED];
    (void)state;
    assert_int_equal(dq_pool_new(&pool, 1, NULL), DQ_OK);
    for (int distinct = 0; distinct < 2; distinct++) {
        make(&c, (dq_policy){.by = DQ_POLICY_AGENT, .distinct = distinct > 0}, 2);
        c.policy.agent = make_agent(&c.envs->shape, pool);
        for (int e = 0; e < 5; e++) {
            size_t best = 0;
            play(&c);
            dq_agent_values(c.policy.agent, &c.envs->store, c.envs->number, 1, q);
            for (size_t i = 1; i < OFFERED; i++)
                if (q[i] > q[best]) best = i;
            assert_int_equal(c.item[0], c.env->offered[best]);
            assert_int_equal(c.item[1] == c.item[0], !distinct);
        }
        dq_agent_free(c.policy.agent);
        drop(&c);
    }
    dq_pool_free(pool);
}

static void distinct_ones_run_out(void **state)
{
    catalogue c;
    dq_played played;
    dq_error e = DQ_ERROR_NONE;
    (void)state;
    make(&c, (dq_policy){.by = DQ_POLICY_RANDOM, .distinct = true}, OFFERED + 1);
    assert_int_equal(dq_episodes_play(c.envs, &c.policy, &played, &e), DQ_ERR_RANGE);
    drop(&c);
    dq_vec_env *envs = open_envs("cartpole"); /* no vectors of actions */
    dq_policy policy = {.by = DQ_POLICY_COSINE, .pairs = &whole, .pair_count = 1};
    assert_int_equal(dq_episodes_play(envs, &policy, &played, &e), DQ_ERR_RANGE);
    assert_int_equal(dq_vec_env_close(envs, DQ_OK, NULL), DQ_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounds_are_played_until_there_are_enough),
        cmocka_unit_test(what_does_not_end_is_cut_off),
        cmocka_unit_test(an_agent_says_what_it_expects),
        cmocka_unit_test(the_greedy_choose_the_nearest_each_time),
        cmocka_unit_test(distinct_items_come_from_the_best_down),
        cmocka_unit_test(the_random_choose_any_and_distinct_ones_once),
        cmocka_unit_test(epsilon_is_the_share_of_any_choice),
        cmocka_unit_test(all_policies_are_offered_the_same),
        cmocka_unit_test(an_agent_chooses_among_what_is_offered),
        cmocka_unit_test(distinct_ones_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
