/* SPDX-License-Identifier: MIT
 *
 * Decision transformers: their windows, by hand; the example of their paper, whose answer is known by a
 * search through the graph; and models.
 */
#include "dq/schema.h"
#include "env/env.h"
#include "offline/rows.h"
#include "offline/trajectories.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- windows ---- */

enum { WIDTH = 2, ACTIONS = 3, STEP = 2 + WIDTH + ACTIONS, CONTEXT = 2, ROWS = 5 };

/* Two episodes, of three rows and of two; the second row has no reward. */
static const float states[ROWS * WIDTH] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
static const float nexts[ROWS * WIDTH] = {3, 4, 5, 6, 6, 6, 9, 10, 0, 0};
static const uint32_t actions[ROWS] = {2, 0, 1, 1, 0}, episodes[ROWS] = {0, 0, 0, 1, 1};
static const uint8_t done[ROWS] = {0, 0, 1, 0, 1};

static dq_offline_vectors small_log(const float *reward)
{
    dq_offline_vectors log = {.count = ROWS,
                              .state_width = WIDTH,
                              .actions = ACTIONS,
                              .episodes = 2,
                              .state = states,
                              .next = nexts,
                              .action = actions,
                              .episode = episodes,
                              .reward = reward,
                              .done = done};
    assert_int_equal(dq_offline_vectors_follow(&log, NULL), DQ_OK);
    return log;
}

static void windows_are_the_steps_before(void **state)
{
    (void)state;
    const float reward[ROWS] = {1, NAN, 3, -8, 2}; /* to go: 4 3 3, -6 2; mean 1.2, variance 13.36 */
    const float mean = 1.2F, sd = 3.6551334F;
    const dq_env_spec shape = {.state_width = WIDTH, .action_count = ACTIONS};
    dq_agent_config c = dq_agent_find("dt")->defaults;
    dq_offline_vectors log = small_log(reward);
    dq_offline_rows rows = dq_offline_vectors_rows(&log);
    dq_offline_trajectories *t;
    dq_transition row;
    float window[CONTEXT * STEP];
    char words[128];
    c.context = CONTEXT;
    assert_true(dq_trajectory_read_wish("greatest", &c));
    assert_int_equal(dq_offline_trajectories_new(&t, &rows, &shape, NULL, NULL, NULL, &c, NULL), DQ_OK);
    assert_true(c.wish == 4 && c.greatest_return == 4);
    assert_true(fabs(c.return_mean - 1.2) < 1e-12 && fabs(c.return_scale - sqrt(13.36)) < 1e-12);
    dq_offline_trajectories_describe(t, words, sizeof words);
    assert_string_equal(words, "2 trajectories, with returns of -6 to 4, -1 in the mean; the wish is 4");
    assert_int_equal(rows.state_width, CONTEXT * STEP);
    const float wanted[ROWS][CONTEXT * STEP] = {
        {1, (4 - mean) / sd, 1, 2, 0, 0, 0},
        {1, (3 - mean) / sd, 3, 4, 0, 0, 0, 1, (4 - mean) / sd, 1, 2, 0, 0, 1},
        {1, (3 - mean) / sd, 5, 6, 0, 0, 0, 1, (3 - mean) / sd, 3, 4, 1, 0, 0},
        {1, (-6 - mean) / sd, 7, 8, 0, 0, 0},
        {1, (2 - mean) / sd, 9, 10, 0, 0, 0, 1, (-6 - mean) / sd, 7, 8, 0, 1, 0},
    };
    for (size_t r = 0; r < ROWS; r++) {
        rows.fill(rows.self, r, &row, window, NULL);
        for (size_t i = 0; i < CONTEXT * STEP; i++) assert_true(fabsf(window[i] - wanted[r][i]) < 1e-6F);
        assert_int_equal(row.action, actions[r]);
    }
    dq_offline_trajectories_free(t);
    free(log.following);
}

/* Whoever acts asks for his wish, less what he has had, and never for more than the log has seen. */
static void whoever_acts_remembers(void **state)
{
    (void)state;
    const float vector[ACTIONS][2] = {{1, 2}, {3, 4}, {5, 6}},
                *at[ACTIONS] = {vector[0], vector[1], vector[2]};
    const dq_env_spec shape = {
        .state_width = WIDTH, .action_count = ACTIONS, .action_width = 2, .actions = at};
    dq_agent_config c = {
        .context = CONTEXT, .wish = 4, .greatest_return = 5, .return_mean = 0, .return_scale = 2};
    dq_trajectory of = dq_trajectory_of(&c, &shape);
    dq_trajectories *t;
    assert_int_equal(dq_trajectories_new(&t, &of, 2, NULL), DQ_OK);
    const float *window = dq_trajectories_store(t)->at[1];
    dq_trajectories_begin(t, 1, states, 0);
    const float begun[] = {1, 2, 1, 2, 0, 0, 0, 0};
    assert_memory_equal(window, begun, sizeof begun);
    dq_trajectories_step(t, 1, 2, 3, states + 2);
    const float once[] = {1, 0.5F, 3, 4, 0, 0, 1, 2, 1, 2, 5, 6};
    assert_memory_equal(window, once, sizeof once);
    dq_trajectories_step(t, 1, 0, -9, states + 4); /* he would need 10 by now */
    const float twice[] = {1, 2.5F, 5, 6, 0, 0, 1, 0.5F, 3, 4, 1, 2};
    assert_memory_equal(window, twice, sizeof twice);
    dq_trajectories_begin(t, 1, states, 0);
    assert_memory_equal(window, begun, sizeof begun);
    assert_true(dq_trajectories_store(t)->at[0][0] == 0); /* not begun */
    dq_trajectories_begin(t, 0, states, 0.5);             /* half of it is to come first */
    assert_true(dq_trajectories_store(t)->at[0][1] == 2.25F);
    dq_trajectories_free(t);
    c.imitates = true;
    of = dq_trajectory_of(&c, &shape);
    float step[6];
    dq_trajectory_show(&of, step, 3);
    assert_true(step[1] == 0);
}

static void wishes_are_read(void **state)
{
    (void)state;
    dq_agent_config c;
    assert_true(dq_trajectory_read_wish("-2.5", &c) && c.wish == -2.5 && !c.imitates);
    assert_true(dq_trajectory_read_wish("none", &c) && c.imitates);
    assert_true(dq_trajectory_read_wish("greatest", &c) && isnan(c.wish) && !c.imitates);
    assert_false(dq_trajectory_read_wish("", &c) || dq_trajectory_read_wish("2x", &c) ||
                 dq_trajectory_read_wish("inf", &c));
}

/* ---- the shortest path ---- */

enum { NODES = 20, DEGREE = 3, WALKS = 1000, LONGEST = 10, MOST = WALKS * LONGEST };

typedef struct walks {
    dq_env *env;
    float state[MOST * NODES], next[MOST * NODES], reward[MOST];
    uint32_t action[MOST], episode[MOST];
    uint8_t done[MOST];
    uint32_t shortest[NODES]; /* logged from there as a start */
    dq_offline_vectors log;
} walks;

static uint32_t node_of(const float *state)
{
    uint32_t n = 0;
    while (state[n] == 0) n++;
    return n;
}

static walks *walk_at_random(void)
{
    walks *w = calloc(1, sizeof *w);
    dq_rng rng = dq_rng_new(5);
    size_t r = 0;
    assert_non_null(w);
    assert_int_equal(dq_env_new(&w->env, "graph", NULL, 3, NULL), DQ_OK);
    for (uint32_t n = 0; n < NODES; n++) w->shortest[n] = UINT32_MAX;
    for (uint32_t e = 0; e < WALKS; e++) {
        dq_step step = {0};
        assert_int_equal(dq_env_reset(w->env, NULL), DQ_OK);
        uint32_t start = node_of(w->env->state), length = 0;
        for (; !step.terminal; r++, length++) {
            memcpy(w->state + r * NODES, w->env->state, NODES * sizeof(float));
            w->action[r] = (uint32_t)dq_rng_below(&rng, DEGREE);
            assert_int_equal(dq_env_step(w->env, w->action[r], &step, NULL), DQ_OK);
            memcpy(w->next + r * NODES, w->env->state, NODES * sizeof(float));
            w->episode[r] = e;
            w->reward[r] = step.reward;
            w->done[r] = step.terminal;
        }
        if (step.reward == -1 && length < w->shortest[start]) w->shortest[start] = length;
    }
    w->log = (dq_offline_vectors){.count = r,
                                  .state_width = NODES,
                                  .actions = DEGREE,
                                  .episodes = WALKS,
                                  .state = w->state,
                                  .next = w->next,
                                  .action = w->action,
                                  .episode = w->episode,
                                  .reward = w->reward,
                                  .done = w->done};
    assert_int_equal(dq_offline_vectors_follow(&w->log, NULL), DQ_OK);
    return w;
}

static dq_env *graph_from(uint32_t start)
{
    char option[32];
    dq_env *env;
    (void)snprintf(option, sizeof option, "start=%u", start);
    assert_int_equal(dq_env_new(&env, "graph", option, 1, NULL), DQ_OK);
    return env;
}

/* The lengths of the shortest ways, by the edges themselves. */
static void find_distances(uint32_t *distance)
{
    uint32_t edge[NODES][DEGREE];
    for (uint32_t n = 1; n < NODES; n++) {
        dq_env *env = graph_from(n);
        for (uint32_t a = 0; a < DEGREE; a++) {
            dq_step step;
            assert_int_equal(dq_env_reset(env, NULL), DQ_OK);
            assert_int_equal(dq_env_step(env, a, &step, NULL), DQ_OK);
            edge[n][a] = node_of(env->state);
        }
        dq_env_free(env);
        distance[n] = NODES;
    }
    distance[0] = 0;
    for (uint32_t round = 0; round < NODES; round++)
        for (uint32_t n = 1; n < NODES; n++)
            for (uint32_t a = 0; a < DEGREE; a++)
                if (distance[edge[n][a]] + 1 < distance[n]) distance[n] = distance[edge[n][a]] + 1;
}

static dq_agent *learn_walks(const walks *w, const char *wish, unsigned threads, size_t epochs,
                             dq_pool **pool)
{
    dq_agent_config c = dq_agent_find("dt")->defaults;
    const dq_env_spec shape = {.state_width = NODES, .action_count = DEGREE};
    dq_offline_config config = {.epochs = epochs, .batch = 64, .seed = 1};
    dq_offline_vectors log = w->log;
    dq_offline_rows rows = dq_offline_vectors_rows(&log);
    dq_offline_trajectories *t;
    dq_offline *run;
    dq_agent *agent;
    bool ended;
    c.context = 4;
    c.blocks = 1;
    c.heads = 2;
    c.encoder_width = 32;
    c.adam.rate = 3e-3;
    c.schedule = &dq_schedules[1]; /* one cycle */
    assert_true(dq_trajectory_read_wish(wish, &c));
    assert_int_equal(dq_offline_trajectories_new(&t, &rows, &shape, NULL, NULL, NULL, &c, NULL), DQ_OK);
    assert_int_equal(dq_pool_new(pool, threads, NULL), DQ_OK);
    assert_int_equal(dq_agent_new(&agent, "dt", &c, &shape, *pool, NULL), DQ_OK);
    assert_int_equal(dq_offline_new(&run, &config, agent, &rows, NULL), DQ_OK);
    while (!dq_offline_done(run)) assert_int_equal(dq_offline_step(run, &ended, NULL), DQ_OK);
    assert_int_equal(dq_offline_finish(run, NULL), DQ_OK);
    dq_offline_free(run);
    dq_offline_trajectories_free(t);
    return agent;
}

/* Steps to the goal; LONGEST + 1 where it is not found. */
static uint32_t find_way(dq_agent *agent, uint32_t start, double wish)
{
    dq_env *env = graph_from(start);
    dq_trajectories *past;
    dq_step step = {0};
    uint32_t action, length = 0;
    dq_trajectory of = dq_trajectory_of(dq_agent_get_config(agent), dq_agent_get_shape(agent));
    of.wish = wish;
    assert_int_equal(dq_trajectories_new(&past, &of, 1, NULL), DQ_OK);
    assert_int_equal(dq_env_reset(env, NULL), DQ_OK);
    dq_trajectories_begin(past, 0, env->state, 0);
    for (; !step.terminal; length++) {
        dq_agent_act(agent, dq_trajectories_store(past), NULL, 1, false, &action);
        assert_int_equal(dq_env_step(env, action, &step, NULL), DQ_OK);
        dq_trajectories_step(past, 0, action, step.reward, env->state);
    }
    dq_trajectories_free(past);
    dq_env_free(env);
    return step.reward == -1 ? length : LONGEST + 1;
}

/* Random walks alone, and it finds the shortest ways, also where no walk of the log from there was as short.
 */
static void walks_become_shortest_paths(void **state)
{
    (void)state;
    walks *w = walk_at_random();
    uint32_t distance[NODES], optimal = 0, shorter = 0, imitated = 0;
    dq_pool *pool, *other;
    dq_agent *agent = learn_walks(w, "greatest", 2, 10, &pool), *clone = learn_walks(w, "none", 1, 2, &other);
    assert_true(dq_agent_get_config(agent)->wish == -1);
    find_distances(distance);
    for (uint32_t n = 0; n < NODES; n++) assert_true(distance[n] < NODES); /* the goal is in reach of all */
    for (uint32_t n = 1; n < NODES; n++) {
        uint32_t length = find_way(agent, n, -(double)distance[n]);
        assert_true(length <= LONGEST);
        optimal += length == distance[n];
        shorter += length < w->shortest[n];
        imitated += find_way(clone, n, 0) == distance[n];
    }
    assert_true(optimal >= 17 && shorter >= 1 && imitated < optimal / 2);
    dq_agent_free(agent);
    dq_agent_free(clone);
    dq_pool_free(pool);
    dq_pool_free(other);
    dq_env_free(w->env);
    free(w->log.following);
    free(w);
}

/* ---- models ---- */

static void save(dq_agent *agent, bool checkpoint, dq_bundle *model)
{
    assert_int_equal(dq_bundle_init(model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
    assert_int_equal(dq_agent_save(agent, checkpoint, model, NULL), DQ_OK);
}

static void models_and_threads(void **state)
{
    (void)state;
    walks *w = walk_at_random();
    float values[3][DEGREE];
    dq_pool *pool[3];
    dq_agent *agent[3];
    dq_bundle model;
    w->log.episodes = 60;
    for (w->log.count = 0; w->episode[w->log.count] < 60;) w->log.count++;
    agent[0] = learn_walks(w, "greatest", 1, 1, &pool[0]);
    agent[1] = learn_walks(w, "greatest", 2, 1, &pool[1]);
    save(agent[0], false, &model);
    assert_int_equal(dq_pool_new(&pool[2], 1, NULL), DQ_OK);
    assert_int_equal(dq_agent_of_model(&agent[2], &model, NULL, pool[2], NULL), DQ_OK);
    for (int i = 0; i < 3; i++) {
        dq_trajectories *past;
        assert_int_equal(dq_agent_trajectories(agent[i], 1, &past, NULL), DQ_OK);
        dq_trajectories_begin(past, 0, w->state, 0);
        dq_trajectories_step(past, 0, 1, -1, w->state + NODES);
        dq_agent_values(agent[i], dq_trajectories_store(past), NULL, 1, values[i]);
        assert_memory_equal(values[i], values[0], sizeof values[0]);
        dq_trajectories_free(past);
    }
    assert_int_equal(dq_agent_load(agent[1], false, &model, NULL), DQ_OK);
    dq_bundle_free(&model);
    for (int i = 0; i < 3; i++) {
        dq_agent_free(agent[i]);
        dq_pool_free(pool[i]);
    }
    dq_env_free(w->env);
    free(w->log.following);
    free(w);
}

static bool is_said(const void *arg, const char *part)
{
    return arg && strcmp(arg, part) == 0;
}

/* The configuration of whoever goes on from a model with `wish`, given or not. */
static dq_agent_config go_on(const dq_bundle *model, const char *wish, const char *said)
{
    const float reward[ROWS] = {1, NAN, 3, -8, 2};
    const dq_env_spec shape = {.state_width = WIDTH, .action_count = ACTIONS};
    dq_agent_config c = dq_agent_find("dt")->defaults;
    dq_offline_vectors log = small_log(reward);
    dq_offline_rows rows = dq_offline_vectors_rows(&log);
    dq_offline_trajectories *t;
    dq_transition row;
    float window[CONTEXT * STEP];
    assert_true(dq_trajectory_read_wish(wish, &c));
    assert_int_equal(dq_offline_trajectories_new(&t, &rows, &shape, model, is_said, said, &c, NULL), DQ_OK);
    assert_int_equal(rows.state_width, CONTEXT * STEP);
    rows.fill(rows.self, 0, &row, window, NULL);
    assert_true((window[1] == 0) == c.imitates); /* whether windows show returns */
    dq_offline_trajectories_free(t);
    free(log.following);
    return c;
}

/* A model that goes on learning sees what it saw, and wishes as it did, unless told otherwise. */
static void who_goes_on_wishes_as_the_model(void **state)
{
    (void)state;
    const dq_env_spec shape = {.state_width = WIDTH, .action_count = ACTIONS};
    dq_agent_config c = dq_agent_find("dt")->defaults;
    dq_pool *pool;
    assert_int_equal(dq_pool_new(&pool, 1, NULL), DQ_OK);
    for (int imitates = 0; imitates < 2; imitates++) {
        dq_agent *agent;
        dq_bundle model;
        c.context = CONTEXT;
        c.wish = 2.5;
        c.imitates = imitates;
        assert_int_equal(dq_agent_new(&agent, "dt", &c, &shape, pool, NULL), DQ_OK);
        save(agent, false, &model);
        const dq_agent_config silent = go_on(&model, "greatest", NULL),
                              greatest = go_on(&model, "greatest", "wish"),
                              none = go_on(&model, "none", "wish");
        assert_true(silent.imitates == c.imitates && silent.wish == 2.5 && silent.context == CONTEXT);
        assert_true(!greatest.imitates && greatest.wish == 4 && none.imitates);
        dq_bundle_free(&model);
        dq_agent_free(agent);
    }
    dq_pool_free(pool);
}

static dq_status read_after(const dq_agent *agent, const char *key, dq_value value)
{
    dq_bundle model;
    dq_agent_config c;
    dq_env_spec shape;
    const char *kind;
    save((dq_agent *)(uintptr_t)agent, false, &model);
    dq_value map = *dq_map_get(&model.meta, "agent");
    assert_true(dq_map_set(&model.arena, &map, key, value));
    assert_true(dq_map_set(&model.arena, &model.meta, "agent", map));
    dq_status status = dq_agent_read_config(&model, &kind, &c, &shape, NULL);
    dq_agent *made = NULL;
    if (!status) status = dq_agent_of_model(&made, &model, NULL, NULL, NULL);
    dq_agent_free(made);
    dq_bundle_free(&model);
    return status;
}

/* A model is believed as far as its columns bear it. */
static void hostile_models_are_refused(void **state)
{
    (void)state;
    const dq_env_spec shape = {.state_width = WIDTH, .action_count = ACTIONS};
    dq_agent_config c = dq_agent_find("dt")->defaults;
    dq_pool *pool;
    dq_agent *agent, *dqn;
    dq_bundle model;
    assert_int_equal(dq_pool_new(&pool, 1, NULL), DQ_OK);
    assert_int_equal(dq_agent_new(&agent, "dt", &c, &shape, pool, NULL), DQ_OK);
    assert_int_equal(read_after(agent, "context", dq_int(0)), DQ_ERR_SCHEMA);
    assert_int_equal(read_after(agent, "context", dq_int(11)), DQ_ERR_SCHEMA);
    assert_int_equal(read_after(agent, "context", dq_int(UINT32_MAX)), DQ_ERR_SCHEMA);
    assert_int_equal(read_after(agent, "blocks", dq_int(8)), DQ_ERR_SCHEMA);
    assert_int_equal(read_after(agent, "heads", dq_int(0)), DQ_ERR_SCHEMA);
    assert_int_equal(read_after(agent, "return_scale", dq_real(0)), DQ_ERR_RANGE);
    assert_int_equal(read_after(agent, "wish", dq_real((double)NAN)), DQ_ERR_RANGE);
    /* and neither is the other kind */
    const dq_agent_config usual = dq_agent_find("dqn")->defaults;
    assert_int_equal(dq_agent_new(&dqn, "dqn", &usual, &shape, pool, NULL), DQ_OK);
    save(agent, false, &model);
    assert_int_equal(dq_agent_load(dqn, false, &model, NULL), DQ_ERR_RANGE);
    dq_bundle_free(&model);
    save(dqn, false, &model);
    assert_int_equal(dq_agent_load(agent, false, &model, NULL), DQ_ERR_RANGE);
    dq_bundle_free(&model);
    dq_agent_free(dqn);
    assert_int_equal(dq_agent_new(&dqn, "dqn", &c, &shape, pool, NULL), DQ_ERR_RANGE);
    dq_agent_free(agent);
    dq_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_are_the_steps_before),
        cmocka_unit_test(whoever_acts_remembers),
        cmocka_unit_test(wishes_are_read),
        cmocka_unit_test(walks_become_shortest_paths),
        cmocka_unit_test(models_and_threads),
        cmocka_unit_test(who_goes_on_wishes_as_the_model),
        cmocka_unit_test(hostile_models_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
