/* SPDX-License-Identifier: MIT */
#include "env/catalogue.h"
#include "learn/dynaq.h"

#include "../fixtures/dynaq/torch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ITEMS = 4, USER_WIDTH = 3, ITEM_WIDTH = 6 };

static const float rewards[ITEMS] = {1, 0.5F, 0, -0.1F};
static const uint32_t everything[ITEMS] = {0, 1, 2, 3};

/* One user, four items with random unit vectors, an agent. */
typedef struct world {
    dq_pool *pool;
    dq_dynaq *agent;
    float user[USER_WIDTH], item[ITEMS][ITEM_WIDTH];
    const float *user_at[1], *item_at[ITEMS];
    dq_vectors users, items;
} world;

static dq_status labelled(void *arg, uint32_t user, uint32_t item, float *reward, dq_error *error)
{
    (void)arg;
    (void)user;
    (void)error;
    *reward = rewards[item];
    return DQ_OK;
}

static void fill(float *vector, size_t width, dq_rng *rng)
{
    double sum = 0;
    for (size_t i = 0; i < width; i++) {
        vector[i] = (float)dq_rng_normal(rng);
        sum += (double)vector[i] * (double)vector[i];
    }
    for (size_t i = 0; i < width; i++) vector[i] /= (float)sqrt(sum);
}

static dq_dynaq_config small(void)
{
    dq_dynaq_config c = DQ_DYNAQ_DEFAULTS;
    c.q = (dq_net_spec){
        .user_width = USER_WIDTH, .item_width = ITEM_WIDTH, .hidden = {32, 16}, .hidden_count = 2};
    c.world = (dq_net_spec){
        .user_width = USER_WIDTH, .item_width = ITEM_WIDTH, .hidden = {24}, .hidden_count = 1};
    c.batch = 16;
    c.warmup = 64;
    c.replay = 500;
    c.target_every = 40;
    c.planning = 2;
    c.adam.rate = 4e-3;
    c.schedule = dq_schedule_find("linear");
    c.schedule_steps = 2000;
    return c;
}

static void make(world *w, const dq_dynaq_config *config, unsigned threads)
{
    dq_rng rng = dq_rng_new(11);
    fill(w->user, USER_WIDTH, &rng);
    for (int i = 0; i < ITEMS; i++) fill(w->item[i], ITEM_WIDTH, &rng);
    w->user_at[0] = w->user;
    for (int i = 0; i < ITEMS; i++) w->item_at[i] = w->item[i];
    w->users = (dq_vectors){w->user_at, 1, USER_WIDTH};
    w->items = (dq_vectors){w->item_at, ITEMS, ITEM_WIDTH};
    assert_int_equal(dq_pool_new(&w->pool, threads, NULL), DQ_OK);
    assert_int_equal(dq_dynaq_new(&w->agent, config, &w->users, &w->items, w->pool, NULL), DQ_OK);
    dq_dynaq_candidates(w->agent, everything, ITEMS);
}

static void drop(world *w)
{
    dq_dynaq_free(w->agent);
    dq_pool_free(w->pool);
}

/* Acts and learns for so many learning steps. */
static dq_losses train(world *w, uint64_t steps)
{
    dq_losses losses = {0};
    while (dq_dynaq_steps(w->agent) < steps) {
        uint32_t choice = dq_dynaq_act(w->agent, 0);
        dq_transition t = {.user = 0, .item = choice, .reward = rewards[choice], .next = 0};
        dq_dynaq_observe(w->agent, &t);
        if (dq_dynaq_ready(w->agent)) assert_int_equal(dq_dynaq_learn(w->agent, &losses, NULL), DQ_OK);
    }
    return losses;
}

static void predict(world *w, dq_net *net, float out[ITEMS])
{
    uint32_t user[ITEMS] = {0};
    dq_net_predict(net, &w->users, &w->items, user, everything, out, ITEMS);
}

/* Q of each item equals what was wanted within 0.1, in order, and the world model knows the rewards. */
static void learns(dq_bootstrap bootstrap, const float wanted[ITEMS])
{
    dq_dynaq_config config = small();
    world w;
    float q[ITEMS], r[ITEMS], best;
    config.bootstrap = bootstrap;
    config.epsilon_min = 0.5; /* keep seeing every item */
    make(&w, &config, 1);
    (void)train(&w, config.schedule_steps);
    predict(&w, dq_dynaq_q(w.agent), q);
    predict(&w, dq_dynaq_world(w.agent), r);
    for (int i = 0; i < ITEMS; i++) {
        assert_float_equal(q[i], wanted[i], 0.1F);
        assert_float_equal(r[i], rewards[i], 0.05F);
        if (i) assert_true(q[i] < q[i - 1]);
    }
    assert_int_equal(dq_dynaq_greedy(w.agent, 0, &best), 0);
    assert_float_equal(best, q[0], 1e-5F);
    drop(&w);
}

static void max_values_are_ten_and_less(void **state)
{
    (void)state;
    learns(DQ_BOOTSTRAP_MAX, (const float[]){10, 9.5F, 9, 8.9F});
}

static void same_values_are_the_shortcut_s(void **state)
{
    (void)state;
    learns(DQ_BOOTSTRAP_SAME, (const float[]){10, 5, 0, -1});
}

/* With gamma 0 nothing is bootstrapped and Q is the reward. */
static void gamma_zero_learns_rewards(void **state)
{
    (void)state;
    dq_dynaq_config config = small();
    world w;
    float q[ITEMS];
    config.gamma = 0;
    config.epsilon_min = 0.5;
    config.schedule_steps = 800;
    make(&w, &config, 1);
    (void)train(&w, 800);
    predict(&w, dq_dynaq_q(w.agent), q);
    for (int i = 0; i < ITEMS; i++) assert_float_equal(q[i], rewards[i], 0.05F);
    drop(&w);
}

/* The tabled maximum is that of the plain form: every candidate by the target network, each time. */
static void targets_equal_the_plain_form(void **state)
{
    (void)state;
    dq_dynaq_config config = small();
    world w;
    config.target_every = 7;
    make(&w, &config, 1);
    for (uint64_t step = 1; step <= 30; step++) {
        float values[ITEMS], best = -INFINITY, targets[3];
        (void)train(&w, step);
        dq_transition rows[3] = {{0, 1, 0.25F, 0, false}, {0, 2, 1, 0, true}, {0, 3, 0, 0, false}};
        dq_dynaq_targets(w.agent, rows, 3, targets);
        dq_dynaq_sync(w.agent); /* the next comparison is with Q itself */
        dq_dynaq_targets(w.agent, rows, 3, targets);
        predict(&w, dq_dynaq_q(w.agent), values);
        for (int i = 0; i < ITEMS; i++) best = values[i] > best ? values[i] : best;
        assert_float_equal(targets[0], 0.25F + 0.9F * best, 1e-5F);
        assert_float_equal(targets[1], 1, 0); /* terminal */
        assert_float_equal(targets[2], 0.9F * best, 1e-5F);
        dq_dynaq_candidates(w.agent, everything, 2); /* a smaller choice takes effect at once */
        dq_dynaq_targets(w.agent, rows, 3, targets);
        assert_float_equal(targets[2], 0.9F * (values[0] > values[1] ? values[0] : values[1]), 1e-5F);
        dq_dynaq_candidates(w.agent, everything, ITEMS);
    }
    drop(&w);
}

/* The target moves only every target_every updates, planning updates counted. */
static void the_target_is_copied_on_time(void **state)
{
    (void)state;
    dq_dynaq_config config = small();
    world w;
    dq_transition row = {0, 0, 0, 0, false};
    float before, after;
    config.target_every = 9; /* three steps of 1 + 2 updates */
    make(&w, &config, 1);
    (void)train(&w, 3);
    assert_int_equal(dq_dynaq_updates(w.agent), 9);
    dq_dynaq_targets(w.agent, &row, 1, &before);
    (void)train(&w, 5);
    dq_dynaq_targets(w.agent, &row, 1, &after);
    assert_true(before == after);
    (void)train(&w, 6);
    dq_dynaq_targets(w.agent, &row, 1, &after);
    assert_true(before != after);
    drop(&w);
}

static void weights_of(world *w, float **copy, size_t *n)
{
    *n = dq_net_count(dq_dynaq_q(w->agent));
    *copy = malloc(*n * sizeof **copy);
    memcpy(*copy, dq_net_weights(dq_dynaq_q(w->agent)), *n * sizeof **copy);
}

static void threads_change_nothing(void **state)
{
    (void)state;
    dq_dynaq_config config = small();
    float *weights[2];
    size_t n;
    config.q.dropout = config.world.dropout = 0.2;
    for (unsigned i = 0; i < 2; i++) {
        world w;
        make(&w, &config, i + 1);
        (void)train(&w, 60);
        weights_of(&w, &weights[i], &n);
        drop(&w);
    }
    assert_memory_equal(weights[0], weights[1], n * sizeof(float));
    free(weights[0]);
    free(weights[1]);
}

/* Saved in the middle and restored into another agent: the same weights at the end. */
static void a_restored_agent_goes_on_alike(void **state)
{
    (void)state;
    dq_dynaq_config config = small();
    world w, v;
    dq_bundle model;
    float *straight, *resumed;
    size_t n;
    config.q.dropout = config.world.dropout = 0.2;
    make(&w, &config, 1);
    (void)train(&w, 37);
    assert_int_equal(dq_bundle_init(&model, "model", 0, NULL), DQ_OK);
    assert_int_equal(dq_dynaq_save(w.agent, true, &model, NULL), DQ_OK);
    config.seed = 43; /* everything comes from the checkpoint */
    make(&v, &config, 1);
    assert_int_equal(dq_dynaq_restore(v.agent, &model, NULL), DQ_OK);
    dq_bundle_free(&model);
    assert_int_equal(dq_dynaq_steps(v.agent), 37);
    (void)train(&w, 90);
    (void)train(&v, 90);
    weights_of(&w, &straight, &n);
    weights_of(&v, &resumed, &n);
    assert_memory_equal(straight, resumed, n * sizeof(float));
    assert_true(dq_dynaq_epsilon(w.agent) == dq_dynaq_epsilon(v.agent));
    free(straight);
    free(resumed);
    drop(&w);
    drop(&v);
}

static void a_model_gives_its_weights_only(void **state)
{
    (void)state;
    dq_dynaq_config config = small();
    world w, v;
    dq_bundle model;
    dq_error e = DQ_ERROR_NONE;
    float a[ITEMS], b[ITEMS];
    make(&w, &config, 1);
    (void)train(&w, 20);
    assert_int_equal(dq_bundle_init(&model, "model", 0, NULL), DQ_OK);
    assert_int_equal(dq_dynaq_save(w.agent, false, &model, NULL), DQ_OK);
    make(&v, &config, 1);
    assert_int_equal(dq_dynaq_init_from(v.agent, &model, NULL), DQ_OK);
    predict(&w, dq_dynaq_q(w.agent), a);
    predict(&v, dq_dynaq_q(v.agent), b);
    assert_memory_equal(a, b, sizeof a);
    assert_int_equal(dq_dynaq_steps(v.agent), 0);
    assert_int_equal(*dq_net_steps(dq_dynaq_q(v.agent)), 0);
    assert_int_equal(dq_dynaq_restore(v.agent, &model, &e), DQ_ERR_SCHEMA); /* a model is no checkpoint */
    drop(&v);
    config.q.hidden[0] = 33;
    make(&v, &config, 1);
    assert_int_not_equal(dq_dynaq_init_from(v.agent, &model, &e), DQ_OK);
    dq_bundle_free(&model);
    drop(&v);
    drop(&w);
}

/* A checkpoint is a file that anybody may have changed: numbers out of range and missing columns are errors.
 */
static void a_tampered_checkpoint_is_refused(void **state)
{
    (void)state;
    static const char *const columns[] = {"replay.user", "replay.item", "replay.next", "candidates"};
    dq_dynaq_config config = small();
    world w, v;
    dq_bundle model;
    dq_error e = DQ_ERROR_NONE;
    make(&w, &config, 1);
    (void)train(&w, 3);
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        uint32_t *numbers;
        assert_int_equal(dq_bundle_init(&model, "model", 0, NULL), DQ_OK);
        assert_int_equal(dq_dynaq_save(w.agent, true, &model, NULL), DQ_OK);
        dq_column *column = &model.columns[dq_bundle_column(&model, columns[i]) - model.columns];
        numbers = malloc(column->bytes);
        memcpy(numbers, column->data, column->bytes);
        numbers[column->shape[0] - 1] = 4000000000U;
        column->data = numbers;
        make(&v, &config, 1);
        assert_int_equal(dq_dynaq_restore(v.agent, &model, &e), DQ_ERR_RANGE);
        column->type = DQ_I4;
        assert_int_equal(dq_dynaq_restore(v.agent, &model, &e), DQ_ERR_SCHEMA);
        column->name = "elsewhere";
        assert_int_equal(dq_dynaq_restore(v.agent, &model, &e), DQ_ERR_SCHEMA);
        dq_bundle_free(&model);
        free(numbers);
        drop(&v);
    }
    drop(&w);
}

static void divergence_is_an_error(void **state)
{
    (void)state;
    dq_dynaq_config config = small();
    world w;
    dq_error e = DQ_ERROR_NONE;
    dq_losses losses;
    dq_status status = DQ_OK;
    config.bootstrap = DQ_BOOTSTRAP_MAX;
    make(&w, &config, 1);
    for (int i = 0; i < 64; i++) {
        dq_transition t = {0, (uint32_t)i % ITEMS, 3e38F, 0, false};
        dq_dynaq_observe(w.agent, &t);
    }
    for (int i = 0; i < 50 && !status; i++) status = dq_dynaq_learn(w.agent, &losses, &e);
    assert_int_equal(status, DQ_ERR_NUMERIC);
    assert_non_null(strstr(e.reason, "diverged"));
    drop(&w);
}

static void bad_shapes_are_refused(void **state)
{
    (void)state;
    dq_dynaq_config config = small();
    world w;
    dq_dynaq *agent;
    make(&w, &config, 1);
    config.q.item_width++;
    assert_int_equal(dq_dynaq_new(&agent, &config, &w.users, &w.items, w.pool, NULL), DQ_ERR_RANGE);
    assert_null(agent);
    config = small();
    config.replay = config.batch - 1;
    assert_int_equal(dq_dynaq_new(&agent, &config, &w.users, &w.items, w.pool, NULL), DQ_ERR_RANGE);
    drop(&w);
}

/* Rows of batch b of the fixture. */
static void fixture_batch(size_t b, dq_transition rows[FIX_BATCH])
{
    for (size_t i = 0; i < FIX_BATCH; i++) {
        size_t at = b * FIX_BATCH + i;
        rows[i] = (dq_transition){fix_user[at], fix_item[at], fix_reward[at], fix_user[at],
                                  fix_done[at] != 0};
    }
}

static void near_all(const float *got, const float *wanted, size_t n, float within)
{
    for (size_t i = 0; i < n; i++) assert_float_equal(got[i], wanted[i], within);
}

/* Seven rounds of Q update, world update and planning, and two copies of the target, as PyTorch makes them.
 */
static void steps_are_those_of_pytorch(void **state)
{
    (void)state;
    const float *user_at[FIX_USERS], *item_at[FIX_ITEMS];
    dq_dynaq_config config = DQ_DYNAQ_DEFAULTS;
    dq_transition rows[FIX_BATCH];
    dq_dynaq *agent;
    dq_pool *pool;
    double loss, rate = 1e-2;
    const float *wanted = fix_losses;
    config.q = (dq_net_spec){.user_width = 3, .item_width = 5, .hidden = {7, 4}, .hidden_count = 2};
    config.world = (dq_net_spec){.user_width = 3, .item_width = 5, .hidden = {6}, .hidden_count = 1};
    config.batch = FIX_BATCH;
    config.target_every = FIX_COPY;
    config.adam.decay = 1e-3;
    for (int i = 0; i < FIX_USERS; i++) user_at[i] = fix_users + (size_t)i * 3;
    for (int i = 0; i < FIX_ITEMS; i++) item_at[i] = fix_items + (size_t)i * 5;
    dq_vectors users = {user_at, FIX_USERS, 3}, items = {item_at, FIX_ITEMS, 5};
    assert_int_equal(dq_pool_new(&pool, 1, NULL), DQ_OK);
    assert_int_equal(dq_dynaq_new(&agent, &config, &users, &items, pool, NULL), DQ_OK);
    dq_net *q = dq_dynaq_q(agent), *world_net = dq_dynaq_world(agent);
    assert_int_equal(dq_net_count(q) * sizeof(float), sizeof fix_first_q);
    assert_int_equal(dq_net_count(world_net) * sizeof(float), sizeof fix_first_world);
    memcpy(dq_net_weights(q), fix_first_q, sizeof fix_first_q);
    memcpy(dq_net_weights(world_net), fix_first_world, sizeof fix_first_world);
    dq_dynaq_sync(agent);
    dq_dynaq_candidates(agent, fix_offered, FIX_OFFERED);
    for (size_t round = 0; round < FIX_ROUNDS; round++) {
        fixture_batch(2 * round, rows);
        assert_int_equal(dq_dynaq_fit_q(agent, rows, FIX_BATCH, rate, &loss, NULL), DQ_OK);
        assert_true(fabs(loss - (double)*wanted++) < 1e-4);
        assert_int_equal(dq_dynaq_fit_world(agent, rows, FIX_BATCH, rate, &loss, NULL), DQ_OK);
        assert_true(fabs(loss - (double)*wanted++) < 1e-4);
        fixture_batch(2 * round + 1, rows);
        for (size_t i = 0; i < FIX_BATCH; i++)
            dq_net_predict(world_net, &users, &items, &rows[i].user, &rows[i].item, &rows[i].reward, 1);
        assert_int_equal(dq_dynaq_fit_q(agent, rows, FIX_BATCH, rate, &loss, NULL), DQ_OK);
        assert_true(fabs(loss - (double)*wanted++) < 1e-4);
    }
    near_all(dq_net_weights(q), fix_last_q, dq_net_count(q), 1e-4F);
    near_all(dq_net_weights(world_net), fix_last_world, dq_net_count(world_net), 1e-4F);
    dq_dynaq_free(agent);
    dq_pool_free(pool);
}

/* The whole loop against the environment: the greedy choice ends at the best of each episode's candidates. */
static void acts_well_in_the_catalogue(void **state)
{
    (void)state;
    dq_dynaq_config config = small();
    world w;
    dq_env *env;
    dq_losses losses;
    config.gamma = 0.5;
    make(&w, &config, 1);
    const dq_catalogue_env_config env_config = {.users = dq_dynaq_users(w.agent),
                                                .items = dq_dynaq_items(w.agent),
                                                .candidates = 2,
                                                .reward = labelled};
    assert_int_equal(dq_catalogue_env_new(&env, &env_config, 4, NULL), DQ_OK);
    for (int episode = 0; episode < 60; episode++) {
        assert_int_equal(dq_env_reset(env, NULL), DQ_OK);
        dq_dynaq_candidates(w.agent, env->offered, env->offered_count);
        for (int step = 0; step < 15; step++) {
            dq_step s;
            uint32_t item = env->offered[dq_dynaq_act(w.agent, env->number)];
            assert_int_equal(dq_env_step(env, item, &s, NULL), DQ_OK);
            dq_transition t = {.user = env->number, .item = item, .reward = s.reward, .next = env->number};
            dq_dynaq_observe(w.agent, &t);
            if (dq_dynaq_ready(w.agent)) assert_int_equal(dq_dynaq_learn(w.agent, &losses, NULL), DQ_OK);
        }
        if (episode < 50) continue;
        uint32_t choice = dq_dynaq_greedy(w.agent, 0, NULL);
        assert_true(rewards[env->offered[choice]] >= rewards[env->offered[1 - choice]]);
    }
    dq_env_free(env);
    drop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(max_values_are_ten_and_less),      cmocka_unit_test(same_values_are_the_shortcut_s),
        cmocka_unit_test(gamma_zero_learns_rewards),        cmocka_unit_test(targets_equal_the_plain_form),
        cmocka_unit_test(the_target_is_copied_on_time),     cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(a_restored_agent_goes_on_alike),   cmocka_unit_test(a_model_gives_its_weights_only),
        cmocka_unit_test(a_tampered_checkpoint_is_refused), cmocka_unit_test(divergence_is_an_error),
        cmocka_unit_test(bad_shapes_are_refused),           cmocka_unit_test(steps_are_those_of_pytorch),
        cmocka_unit_test(acts_well_in_the_catalogue),
    };
    return cmocka_run_group_tests_name("dynaq", tests, NULL, NULL);
}
