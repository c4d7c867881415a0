/* SPDX-License-Identifier: MIT
 *
 * Looking ahead with learned dynamics: roll-outs and lists, where the dynamics are known.
 */
#include "dq/schema.h"
#include "learn/lookahead.h"
#include "learn/rollout.h"
#include "net/net_impl.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { WIDTH = 2, ACTIONS = 3, OUTPUTS = WIDTH + 2, INPUTS = WIDTH + ACTIONS };

static const dq_env_spec shape = {.state_width = WIDTH, .action_count = ACTIONS};

static dq_pool *pool_of(unsigned threads)
{
    dq_pool *pool;
    assert_int_equal(dq_pool_new(&pool, threads, NULL), DQ_OK);
    return pool;
}

static dq_agent *make(const char *kind, const dq_agent_config *config, dq_pool *pool)
{
    dq_agent *agent;
    dq_error e = DQ_ERROR_NONE;
    if (dq_agent_new(&agent, kind, config, &shape, pool, &e)) fail_msg("%s", e.reason);
    return agent;
}

static dq_agent_config configuration(uint32_t models)
{
    dq_agent_config c = dq_agent_find("dyna-q")->defaults;
    c.hidden_count = 0; /* linear */
    c.models = models;
    c.gamma = 0.5;
    c.planning = 0;
    return c;
}

/* Sets model m: s0 moves by a + offset, s1 doubles, the reward is a + 1, and s0 > 10.5 is the end. */
static void set_world(dq_agent *agent, uint32_t m, float offset)
{
    char name[32];
    (void)snprintf(name, sizeof name, "world.%u", m);
    dq_net *net = dq_agent_network(agent, name);
    assert_int_equal(net->count, OUTPUTS * INPUTS + OUTPUTS);
    float *w = net->weights, *bias = w + OUTPUTS * INPUTS;
    memset(w, 0, net->count * sizeof *w);
    for (int a = 0; a < ACTIONS; a++) {
        w[0 * INPUTS + WIDTH + a] = (float)a + offset;
        w[2 * INPUTS + WIDTH + a] = (float)a + 1;
    }
    w[1 * INPUTS + 1] = 1;
    w[3 * INPUTS + 0] = 10;
    for (int a = 0; a < ACTIONS; a++) w[3 * INPUTS + WIDTH + a] = 10 * (float)a;
    bias[3] = -105;
}

/* Q(s, a) = a: the last action is best; worth[a] instead, where it is given. */
static void set_values(dq_agent *agent, const float *worth)
{
    dq_net *net = dq_agent_network(agent, "q");
    float *w = net->weights;
    memset(w, 0, net->count * sizeof *w);
    for (int a = 0; a < ACTIONS; a++) w[ACTIONS * WIDTH + a] = worth ? worth[a] : (float)a;
}

static dq_agent *known(dq_pool *pool, uint32_t models, float apart)
{
    dq_agent_config c = configuration(models);
    dq_agent *agent = make("dyna-q", &c, pool);
    for (uint32_t m = 0; m < models; m++) set_world(agent, m, apart * (float)m);
    set_values(agent, NULL);
    return agent;
}

static dq_rollout *rollout_of(dq_agent *agent, dq_rollout_config config, size_t starts)
{
    dq_rollout *r;
    dq_error e = DQ_ERROR_NONE;
    if (dq_rollout_new(&r, agent, &config, starts, &e)) fail_msg("%s", e.reason);
    return r;
}

static const float starts[] = {0, 1, 5, 3};
static const float *const starts_at[] = {starts, starts + WIDTH};
static const dq_vectors start_states = {starts_at, 2, WIDTH};

static void branches_follow_the_dynamics(void **state)
{
    (void)state;
    dq_pool *pool = pool_of(1);
    dq_agent *agent = known(pool, 1, 0);
    dq_rollout_rows rows;
    dq_rollout *r = rollout_of(agent, (dq_rollout_config){.steps = 4, .max = INFINITY}, 2);
    assert_int_equal(dq_rollout_begin(r, &start_states, NULL, NULL, 2, 7, NULL), DQ_OK);
    for (uint32_t k = 0; k < 4; k++) { /* action 2 each time: 0 2 4 6 8, and 5 7 9 11, where it ends */
        assert_int_equal(dq_rollout_next(r, &rows, NULL), DQ_OK);
        assert_int_equal(rows.count, k < 3 ? 2 : 1);
        assert_int_equal(rows.step, k);
        for (size_t i = 0; i < rows.count; i++) {
            assert_int_equal(rows.action[i], 2);
            assert_int_equal(rows.start[i], 7 + i);
            assert_true(rows.state[i * 2] == starts[i * 2] + 2 * (float)k);
            assert_true(rows.next[i * 2] == starts[i * 2] + 2 * (float)(k + 1));
            assert_true(rows.next[i * 2 + 1] == starts[i * 2 + 1] * (float)(2 << k));
            assert_true(rows.reward[i] == 3 && rows.disagreement[i] == 0);
            assert_int_equal(rows.done[i], i == 1 && k == 2);
        }
    }
    assert_int_equal(dq_rollout_next(r, &rows, NULL), DQ_OK);
    assert_int_equal(rows.count, 0);
    dq_rollout_free(r);
    dq_agent_free(agent);
    dq_pool_free(pool);
}

static void first_actions_are_all_or_those_remembered(void **state)
{
    (void)state;
    dq_pool *pool = pool_of(1);
    dq_agent *agent = known(pool, 1, 0);
    const uint32_t done_then[] = {1, 0};
    dq_rollout_rows rows;
    dq_rollout_config config = {.by = DQ_ROLLOUT_ALL, .steps = 2, .max = INFINITY};
    dq_rollout *r = rollout_of(agent, config, 2);
    assert_int_equal(dq_rollout_begin(r, &start_states, NULL, NULL, 2, 0, NULL), DQ_OK);
    assert_int_equal(dq_rollout_next(r, &rows, NULL), DQ_OK);
    assert_int_equal(rows.count, 6);
    for (size_t i = 0; i < 6; i++) assert_true(rows.action[i] == i % 3 && rows.start[i] == i / 3);
    assert_int_equal(dq_rollout_next(r, &rows, NULL), DQ_OK);
    for (size_t i = 0; i < 6; i++) assert_int_equal(rows.action[i], 2);
    assert_int_equal(dq_rollout_begin(r, &start_states, NULL, NULL, 3, 0, NULL), DQ_ERR_RANGE);
    dq_rollout_free(r);

    config.by = DQ_ROLLOUT_REMEMBERED;
    r = rollout_of(agent, config, 2);
    assert_int_equal(dq_rollout_begin(r, &start_states, NULL, done_then, 2, 0, NULL), DQ_OK);
    assert_int_equal(dq_rollout_next(r, &rows, NULL), DQ_OK);
    assert_true(rows.count == 2 && rows.action[0] == 1 && rows.action[1] == 0);
    assert_int_equal(dq_rollout_next(r, &rows, NULL), DQ_OK);
    assert_true(rows.action[0] == 2 && rows.action[1] == 2);
    assert_int_equal(dq_rollout_begin(r, &start_states, NULL, (const uint32_t[]){0, 3}, 2, 0, NULL),
                     DQ_ERR_RANGE);
    dq_rollout_free(r);
    dq_agent_free(agent);
    dq_pool_free(pool);
}

/* The actions of n starts, begun `at_once` at a time. */
static void drawn(dq_agent *agent, dq_rollout_by by, double epsilon, size_t at_once, uint32_t *actions)
{
    static const float zeros[WIDTH] = {0};
    const float *at[300];
    const dq_vectors states = {at, 300, WIDTH};
    dq_rollout_rows rows;
    dq_rollout_config config = {.by = by, .steps = 1, .epsilon = epsilon, .max = INFINITY, .seed = 3};
    dq_rollout *r = rollout_of(agent, config, at_once);
    for (size_t i = 0; i < 300; i++) at[i] = zeros;
    for (size_t i = 0; i < 300; i += at_once) {
        assert_int_equal(dq_rollout_begin(r, &states, NULL, NULL, at_once, (uint32_t)i, NULL), DQ_OK);
        assert_int_equal(dq_rollout_next(r, &rows, NULL), DQ_OK);
        memcpy(actions + i, rows.action, at_once * sizeof *actions);
    }
    dq_rollout_free(r);
}

static void actions_are_drawn_by_start(void **state)
{
    (void)state;
    dq_pool *pool = pool_of(1);
    dq_agent *agent = known(pool, 1, 0);
    uint32_t a[300], b[300];
    size_t often[3] = {0}, best = 0;
    drawn(agent, DQ_ROLLOUT_RANDOM, 0, 300, a);
    drawn(agent, DQ_ROLLOUT_RANDOM, 0, 50, b);
    assert_memory_equal(a, b, sizeof a);
    for (int i = 0; i < 300; i++) often[a[i]]++;
    for (int i = 0; i < 3; i++) assert_true(often[i] > 70 && often[i] < 130);
    drawn(agent, DQ_ROLLOUT_AGENT, 0.3, 300, a);
    for (int i = 0; i < 300; i++) best += a[i] == 2;
    assert_true(best > 215 && best < 265); /* 0.7 + 0.3 / 3 of 300: 240 */
    dq_agent_free(agent);
    dq_pool_free(pool);
}

/* Two models whose s0 are 0.3 apart: sd 0.15 in one of the three numbers. */
static void what_the_ensemble_disagrees_on_is_dropped(void **state)
{
    (void)state;
    const float expected = 0.15F / sqrtf(3);
    dq_pool *pool = pool_of(1);
    dq_agent *agent = known(pool, 2, 0.3F), *alone = known(pool, 1, 0);
    dq_rollout_rows rows;
    dq_rollout *r = rollout_of(agent, (dq_rollout_config){.steps = 2, .max = 0.09}, 2);
    assert_int_equal(dq_rollout_begin(r, &start_states, NULL, NULL, 2, 0, NULL), DQ_OK);
    assert_int_equal(dq_rollout_next(r, &rows, NULL), DQ_OK);
    assert_int_equal(rows.count, 2);
    assert_true(fabsf(rows.disagreement[0] - expected) < 1e-6F);
    assert_true(fabsf(rows.next[0] - 2.15F) < 1e-6F);
    assert_int_equal(dq_rollout_dropped(r), 0);
    dq_rollout_free(r);
    r = rollout_of(agent, (dq_rollout_config){.steps = 2, .max = 0.08}, 2);
    assert_int_equal(dq_rollout_begin(r, &start_states, NULL, NULL, 2, 0, NULL), DQ_OK);
    assert_int_equal(dq_rollout_next(r, &rows, NULL), DQ_OK);
    assert_int_equal(rows.count, 0);
    assert_int_equal(dq_rollout_dropped(r), 2);
    dq_rollout_free(r);
    dq_rollout_config limited = {.steps = 1, .max = 0.1}, none = {.steps = 0, .max = INFINITY};
    assert_int_equal(dq_rollout_new(&r, alone, &limited, 1, NULL), DQ_ERR_RANGE);
    assert_int_equal(dq_rollout_new(&r, alone, &none, 1, NULL), DQ_ERR_RANGE);
    dq_agent_free(alone);
    dq_agent_free(agent);
    dq_pool_free(pool);
}

static void what_is_not_finite_is_an_error(void **state)
{
    (void)state;
    dq_pool *pool = pool_of(1);
    dq_agent *agent = known(pool, 1, 0);
    const float far[] = {0, 3e38F}, *const at[] = {far};
    const dq_vectors states = {at, 1, WIDTH};
    dq_rollout_rows rows;
    dq_error e = DQ_ERROR_NONE;
    dq_rollout *r = rollout_of(agent, (dq_rollout_config){.steps = 1, .max = INFINITY}, 1);
    assert_int_equal(dq_rollout_begin(r, &states, NULL, NULL, 1, 4, NULL), DQ_OK);
    assert_int_equal(dq_rollout_next(r, &rows, &e), DQ_ERR_NUMERIC);
    assert_string_equal(e.reason,
                        "the world model predicts a number that is not finite, 1 steps from start 4");
    dq_rollout_free(r);
    dq_agent_free(agent);
    dq_pool_free(pool);
}

/* ---- learned: a linear system, from data around 0 ---- */

static void fit_linear(dq_agent *agent, dq_rng *rng)
{
    static float v[128][2];
    const float *at[128];
    const dq_vectors states = {at, 128, WIDTH};
    dq_transition rows[64];
    dq_agent_losses losses;
    for (int u = 0; u < 3000; u++) {
        for (uint32_t i = 0; i < 64; i++) {
            float *s = v[2 * i], *t = v[2 * i + 1];
            uint32_t a = (uint32_t)dq_rng_below(rng, ACTIONS);
            for (int j = 0; j < 2; j++) s[j] = (float)(2 * dq_rng_uniform(rng) - 1);
            t[0] = s[0] + 0.1F * ((float)a - 1);
            t[1] = s[1] + 0.2F * s[0];
            at[2 * i] = s;
            at[2 * i + 1] = t;
            rows[i] = (dq_transition){2 * i, a, 2 * i + 1, s[0] - s[1], 1, false};
        }
        assert_int_equal(dq_agent_fit(agent, &states, rows, 64, NULL, &losses, NULL), DQ_OK);
    }
}

static void an_ensemble_learns_a_linear_system_and_doubts_what_it_never_saw(void **state)
{
    (void)state;
    dq_pool *pool = pool_of(1);
    dq_agent_config c = configuration(3);
    c.hidden_count = 1;
    c.hidden[0] = 16;
    dq_agent *agent = make("dyna-q", &c, pool);
    dq_rng rng = dq_rng_new(5);
    fit_linear(agent, &rng);
    const float two[] = {0.3F, -0.4F, 6, -8}, *const at[] = {two, two + WIDTH};
    const dq_vectors states = {at, 2, WIDTH};
    const uint32_t up[] = {2, 2};
    dq_rollout_rows rows;
    dq_rollout *r = rollout_of(agent, (dq_rollout_config){DQ_ROLLOUT_REMEMBERED, 1, 0, INFINITY, 1}, 2);
    assert_int_equal(dq_rollout_begin(r, &states, NULL, up, 2, 0, NULL), DQ_OK);
    assert_int_equal(dq_rollout_next(r, &rows, NULL), DQ_OK);
    assert_true(fabsf(rows.next[0] - 0.4F) < 0.03F && fabsf(rows.next[1] + 0.34F) < 0.03F);
    assert_true(fabsf(rows.reward[0] - 0.7F) < 0.03F);
    assert_true(rows.disagreement[1] > 5 * rows.disagreement[0]);
    dq_rollout_free(r);
    dq_agent_free(agent);
    dq_pool_free(pool);
}

/* ---- lists ---- */

static size_t list_of(dq_agent *agent, dq_lookahead_config config, const float *at,
                      dq_lookahead_place *places)
{
    dq_lookahead *l;
    size_t count;
    dq_error e = DQ_ERROR_NONE;
    if (dq_lookahead_new(&l, agent, &config, &e)) fail_msg("%s", e.reason);
    assert_int_equal(dq_lookahead_list(l, at, places, &count, NULL), DQ_OK);
    dq_lookahead_free(l);
    return count;
}

static void lists_name_no_action_twice(void **state)
{
    (void)state;
    dq_pool *pool = pool_of(1);
    dq_agent *agent = known(pool, 1, 0);
    dq_lookahead_place places[5];
    for (uint32_t beam = 1; beam < 5; beam++) { /* rewards 3, 2, 1: the great ones first, discounted least */
        dq_lookahead_config config = {.places = 5, .beam = beam, .max = INFINITY};
        assert_int_equal(list_of(agent, config, starts, places), 3);
        for (uint32_t k = 0; k < 3; k++)
            assert_true(places[k].action == 2 - k && places[k].reward == (float)(3 - k));
    }
    const float near_the_end[] = {9, 0};
    dq_lookahead_config two = {.places = 2, .beam = 1, .max = INFINITY};
    set_values(agent, (const float[]){0, 0, 0});
    assert_int_equal(list_of(agent, two, near_the_end, places), 1); /* 2 leads to the end at once */
    assert_int_equal(places[0].action, 2);
    dq_agent_free(agent);
    dq_pool_free(pool);
}

/* Behind action 2 (reward 3) there is an end, behind 1 then 2 a reward of 2 + 3 / 2: what a beam of two
 * finds, and greedy search, which does not know what comes after (Q is 0), passes over. */
static void a_beam_sees_further_than_greed(void **state)
{
    (void)state;
    dq_pool *pool = pool_of(1);
    dq_agent *agent = known(pool, 1, 0);
    const float near_the_end[] = {9, 0};
    float *w = dq_agent_network(agent, "world.0")->weights;
    w[3 * INPUTS + WIDTH + 1] = -100; /* action 1 never ends */
    set_values(agent, (const float[]){0, 0, 0});
    dq_lookahead_place places[3];
    dq_lookahead_config config = {.places = 2, .beam = 1, .max = INFINITY};
    assert_int_equal(list_of(agent, config, near_the_end, places), 1);
    assert_int_equal(places[0].action, 2);
    config.beam = 2;
    assert_int_equal(list_of(agent, config, near_the_end, places), 2);
    assert_true(places[0].action == 1 && places[1].action == 2);
    dq_agent_free(agent);
    dq_pool_free(pool);
}

static void lists_leave_out_what_is_doubted(void **state)
{
    (void)state;
    dq_pool *pool = pool_of(1);
    dq_agent *agent = known(pool, 2, 0);
    dq_agent_network(agent, "world.1")->weights[WIDTH + 2] = 5; /* the models differ on action 2 */
    dq_lookahead_place places[3];
    dq_lookahead_config config = {.places = 3, .beam = 2, .max = 0.1};
    assert_int_equal(list_of(agent, config, starts, places), 2);
    assert_true(places[0].action == 1 && places[1].action == 0);
    config.max = INFINITY;
    assert_int_equal(list_of(agent, config, starts, places), 3);
    assert_true(places[0].action == 2 && places[0].disagreement > 0.1F);
    dq_agent_free(agent);
    dq_pool_free(pool);
}

static void only_a_world_model_looks_ahead(void **state)
{
    (void)state;
    dq_pool *pool = pool_of(1);
    dq_agent_config c = dq_agent_find("dqn")->defaults;
    dq_agent *agent = make("dqn", &c, pool);
    dq_rollout *r;
    dq_lookahead *l;
    dq_rollout_config steps = {.steps = 1, .max = INFINITY};
    dq_lookahead_config list = {.places = 1, .beam = 1, .max = INFINITY};
    assert_int_equal(dq_rollout_new(&r, agent, &steps, 1, NULL), DQ_ERR_UNSUPPORTED);
    assert_int_equal(dq_lookahead_new(&l, agent, &list, NULL), DQ_ERR_UNSUPPORTED);
    dq_agent_free(agent);
    agent = known(pool, 1, 0);
    list.beam = 0;
    assert_int_equal(dq_lookahead_new(&l, agent, &list, NULL), DQ_ERR_RANGE);
    dq_agent_free(agent);
    dq_pool_free(pool);
}

static void dqn_starts_from_the_values_of_dyna_q(void **state)
{
    (void)state;
    dq_pool *pool = pool_of(1);
    dq_agent *from = known(pool, 1, 0);
    dq_agent_config c = dq_agent_find("dqn")->defaults;
    c.hidden_count = 0;
    dq_agent *to = make("dqn", &c, pool);
    dq_bundle model;
    float q[3];
    assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
    assert_int_equal(dq_agent_save(from, false, &model, NULL), DQ_OK);
    assert_int_equal(dq_agent_load(to, true, &model, NULL), DQ_ERR_RANGE); /* not as a checkpoint */
    assert_int_equal(dq_agent_load(to, false, &model, NULL), DQ_OK);
    dq_agent_values(to, &start_states, NULL, 1, q);
    assert_true(q[0] == 0 && q[1] == 1 && q[2] == 2);
    dq_bundle_free(&model);
    dq_agent_free(from);
    dq_agent_free(to);
    dq_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(branches_follow_the_dynamics),
        cmocka_unit_test(first_actions_are_all_or_those_remembered),
        cmocka_unit_test(actions_are_drawn_by_start),
        cmocka_unit_test(what_the_ensemble_disagrees_on_is_dropped),
        cmocka_unit_test(what_is_not_finite_is_an_error),
        cmocka_unit_test(an_ensemble_learns_a_linear_system_and_doubts_what_it_never_saw),
        cmocka_unit_test(lists_name_no_action_twice),
        cmocka_unit_test(a_beam_sees_further_than_greed),
        cmocka_unit_test(lists_leave_out_what_is_doubted),
        cmocka_unit_test(only_a_world_model_looks_ahead),
        cmocka_unit_test(dqn_starts_from_the_values_of_dyna_q),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
