/* SPDX-License-Identifier: MIT
 *
 * Episodes of policies in the catalogue environment.
 */
#include "rollout/episodes_catalogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { ITEMS = 8, OFFERED = 5, WIDTH = 2 };

/* The user looks along the first axis; item i turns away from it with i. */
static const float user_vector[WIDTH] = {1, 0};
static const float item_vectors[ITEMS][WIDTH] = {{1, 0},    {1, 0.2F}, {1, 0.4F}, {1, 0.6F},
                                                 {1, 0.8F}, {1, 1},    {1, 2},    {1, 3}};
static const dq_pairing whole = {0, 0, WIDTH};
static const float *user_at[1], *item_at[ITEMS];

static dq_status reward_of(void *arg, uint32_t user, uint32_t item, float *reward, dq_error *error)
{
    (void)arg;
    (void)user;
    (void)error;
    *reward = (float)item;
    return DQ_OK;
}

static dq_catalogue_policy make(dq_policy_by by, double epsilon, bool distinct)
{
    user_at[0] = user_vector;
    for (size_t i = 0; i < ITEMS; i++) item_at[i] = item_vectors[i];
    dq_catalogue_policy p = {.by = by,
                             .users = {user_at, 1, WIDTH},
                             .items = {item_at, ITEMS, WIDTH},
                             .pairs = &whole,
                             .pair_count = 1,
                             .epsilon = epsilon,
                             .distinct = distinct,
                             .rng = dq_rng_new(2)};
    const dq_catalogue_env_config config = {
        .users = p.users, .items = p.items, .candidates = OFFERED, .reward = reward_of};
    assert_int_equal(dq_catalogue_env_new(&p.env, &config, 4, NULL), DQ_OK);
    assert_int_equal(dq_catalogue_policy_open(&p, NULL), DQ_OK);
    return p;
}

static void drop(dq_catalogue_policy *p)
{
    dq_catalogue_policy_close(p);
    dq_env_free(p->env);
}

static uint32_t least_offered(const dq_catalogue_policy *p)
{
    uint32_t least = p->env->offered[0];
    for (uint32_t i = 1; i < OFFERED; i++)
        if (p->env->offered[i] < least) least = p->env->offered[i];
    return least;
}

static void the_greedy_choose_the_nearest_each_time(void **state)
{
    dq_catalogue_policy p = make(DQ_POLICY_COSINE, 0, false);
    (void)state;
    for (int e = 0; e < 10; e++) {
        uint32_t item[3];
        float reward[3];
        assert_int_equal(dq_catalogue_policy_play(&p, 0, 3, item, reward, NULL), DQ_OK);
        for (size_t s = 0; s < 3; s++) {
            assert_int_equal(item[s], least_offered(&p));
            assert_true(reward[s] == (float)item[s]);
        }
    }
    drop(&p);
}

static void distinct_items_come_from_the_best_down(void **state)
{
    dq_catalogue_policy p = make(DQ_POLICY_COSINE, 0, true);
    uint32_t item[OFFERED];
    float reward[OFFERED];
    (void)state;
    assert_int_equal(dq_catalogue_policy_play(&p, 0, OFFERED, item, reward, NULL), DQ_OK);
    assert_int_equal(item[0], least_offered(&p));
    for (size_t s = 1; s < OFFERED; s++) assert_true(item[s] > item[s - 1]);
    drop(&p);
}

static void the_random_choose_any_and_distinct_ones_once(void **state)
{
    dq_catalogue_policy p = make(DQ_POLICY_RANDOM, 0, true);
    unsigned first[OFFERED] = {0};
    (void)state;
    for (int e = 0; e < 2000; e++) {
        uint32_t item[OFFERED], met = 0;
        float reward[OFFERED];
        assert_int_equal(dq_catalogue_policy_play(&p, 0, OFFERED, item, reward, NULL), DQ_OK);
        for (size_t s = 0; s < OFFERED; s++) met |= 1U << item[s];
        for (uint32_t i = 0; i < OFFERED; i++) {
            assert_true(met >> p.env->offered[i] & 1);
            first[i] += item[0] == p.env->offered[i];
        }
    }
    for (size_t i = 0; i < OFFERED; i++) assert_in_range(first[i], 320, 480); /* 400, sd 18 */
    drop(&p);
}

/* Policies of one seed are offered the same, whatever they choose. */
static void all_policies_are_offered_the_same(void **state)
{
    dq_catalogue_policy p = make(DQ_POLICY_COSINE, 0.5, false), q = make(DQ_POLICY_RANDOM, 0, false);
    uint32_t item[4];
    float reward[4];
    (void)state;
    for (int e = 0; e < 5; e++) {
        assert_int_equal(dq_catalogue_policy_play(&p, 0, 4, item, reward, NULL), DQ_OK);
        assert_int_equal(dq_catalogue_policy_play(&q, 0, 4, item, reward, NULL), DQ_OK);
        assert_memory_equal(p.env->offered, q.env->offered, OFFERED * sizeof *p.env->offered);
    }
    drop(&p);
    drop(&q);
}

static void a_network_chooses_by_its_values(void **state)
{
    const dq_net_spec spec = {.user_width = WIDTH, .item_width = WIDTH, .hidden = {4}, .hidden_count = 1};
    dq_catalogue_policy p = make(DQ_POLICY_NET, 0, false);
    dq_rng rng = dq_rng_new(8);
    uint32_t item[1], user[OFFERED] = {0};
    float reward[1], q[OFFERED];
    dq_pool *pool;
    (void)state;
    assert_int_equal(dq_pool_new(&pool, 1, NULL), DQ_OK);
    assert_int_equal(dq_net_new(&p.net, &spec, 1, pool, &rng, NULL), DQ_OK);
    for (int e = 0; e < 5; e++) {
        size_t best = 0;
        assert_int_equal(dq_catalogue_policy_play(&p, 0, 1, item, reward, NULL), DQ_OK);
        dq_net_predict(p.net, &p.users, &p.items, user, p.env->offered, q, OFFERED);
        for (size_t i = 1; i < OFFERED; i++)
            if (q[i] > q[best]) best = i;
        assert_int_equal(item[0], p.env->offered[best]);
    }
    dq_net_free(p.net);
    drop(&p);
    dq_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_greedy_choose_the_nearest_each_time),
        cmocka_unit_test(distinct_items_come_from_the_best_down),
        cmocka_unit_test(the_random_choose_any_and_distinct_ones_once),
        cmocka_unit_test(all_policies_are_offered_the_same),
        cmocka_unit_test(a_network_chooses_by_its_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
