/* SPDX-License-Identifier: MIT
 *
 * Agents against answers that are known.
 */
#include "life.h"
#include "net/net_impl.h"

#include <math.h>

/* ---- tables ---- */

/* The chain's values by value iteration: forward slips to back, and the other way. */
static void iterate_values(double gamma, double slip, double q[5][2])
{
    memset(q, 0, 5 * sizeof *q);
    for (int sweep = 0; sweep < 2000; sweep++)
        for (int s = 0; s < 5; s++) {
            int ahead = s < 4 ? s + 1 : 4;
            double forward = (s == 4 ? 10 : 0) + gamma * fmax(q[ahead][0], q[ahead][1]);
            double back = 2 + gamma * fmax(q[0][0], q[0][1]);
            q[s][0] = (1 - slip) * forward + slip * back;
            q[s][1] = (1 - slip) * back + slip * forward;
        }
}

static void check_values(const char *options, double slip, double within)
{
    dq_agent_config config = dq_agent_find("tabular")->defaults;
    double wanted[5][2];
    config.gamma = 0.8;
    config.epsilon = 1;
    config.alpha = 0.1;
    config.schedule = dq_schedule_find("cosine");
    config.schedule_steps = 1000000;
    life l;
    begin(&l, "chain", options, "tabular", &config, 1);
    live(&l, 1000000);
    iterate_values(0.8, slip, wanted);
    for (int s = 0; s < 5; s++) {
        float one[5] = {0}, q[2], *const at[] = {one};
        const dq_vectors states = {(const float *const *)at, 1, 5};
        one[s] = 1;
        dq_agent_values(l.agent, &states, NULL, 1, q);
        for (int a = 0; a < 2; a++) assert_true(fabs((double)q[a] - wanted[s][a]) < within * wanted[s][a]);
    }
    end(&l);
}

static void tabular_values_are_those_of_value_iteration(void **state)
{
    (void)state;
    check_values("slip=0", 0, 1e-4);
    check_values("slip=0.2", 0.2, 0.04); /* chance keeps them moving */
}

enum { EPISODES = 50, RUNS = 30 };

/* Adds the steps of each episode of one run in the maze. */
static void learn_the_maze(uint32_t planning, uint64_t seed, double steps[EPISODES])
{
    dq_agent_config config = dq_agent_find("tabular")->defaults;
    config.planning = planning;
    config.seed = seed;
    life l;
    begin(&l, "maze", NULL, "tabular", &config, 1);
    for (uint64_t episode = 0; episode < EPISODES; episode++) {
        while (l.episodes == episode) live(&l, 1);
        steps[episode] += (double)l.steps_of_last;
    }
    end(&l);
}

/* The first episode, from 1, in which runs take at most 22 steps on average: 14 is the shortest way, and one
 * step of ten is random. */
static int episodes_to_near_optimal(uint32_t planning)
{
    double steps[EPISODES] = {0};
    int first = 0;
    for (uint64_t seed = 0; seed < RUNS; seed++) learn_the_maze(planning, seed, steps);
    while (first < EPISODES && steps[first] / RUNS > 22) first++;
    return first + 1;
}

/* Sutton and Barto, example 8.1: about 25, 5 and 3 episodes with 0, 5 and 50 planning steps. */
static void planning_learns_the_maze_sooner(void **state)
{
    (void)state;
    int none = episodes_to_near_optimal(0), few = episodes_to_near_optimal(5),
        many = episodes_to_near_optimal(50);
    assert_in_range(none, 20, 30);
    assert_in_range(few, 4, 7);
    assert_in_range(many, 2, 4);
}

/* ---- Double: the gap in over-estimation ---- */

enum { STATES = 24, ACTIONS = 10, UPDATES = 3000 };

static dq_vectors random_states(uint64_t seed)
{
    static float vectors[STATES][4];
    static const float *at[STATES];
    dq_rng rng = dq_rng_new(seed);
    for (int i = 0; i < STATES * 4; i++) vectors[i / 4][i % 4] = (float)dq_rng_normal(&rng);
    for (int i = 0; i < STATES; i++) at[i] = vectors[i];
    return (dq_vectors){at, STATES, 4};
}

/* Rows of a world where nothing is worth anything: rewards are noise around 0, so every true value is 0. What
 * the values of the best actions come to after some updates is over-estimation. */
static double overestimate(bool double_q)
{
    dq_agent_config config = dq_agent_find("dqn")->defaults;
    const dq_env_spec shape = {.state_width = 4, .action_count = ACTIONS};
    dq_vectors states = random_states(12);
    dq_transition rows[64];
    dq_agent_losses losses;
    float q[ACTIONS];
    double sum = 0;
    config.double_q = double_q;
    config.gamma = 0.9;
    config.target_every = 100;
    dq_pool *pool = pool_of(1);
    dq_agent *agent = make("dqn", &config, &shape, pool);
    dq_rng rng = dq_rng_new(12);
    for (int update = 0; update < UPDATES; update++) {
        for (int i = 0; i < 64; i++)
            rows[i] = (dq_transition){.state = (uint32_t)dq_rng_below(&rng, STATES),
                                      .next = (uint32_t)dq_rng_below(&rng, STATES),
                                      .action = (uint32_t)dq_rng_below(&rng, ACTIONS),
                                      .reward = (float)dq_rng_normal(&rng),
                                      .discount = 1};
        assert_int_equal(dq_agent_fit(agent, &states, rows, 64, NULL, &losses, NULL), DQ_OK);
    }
    for (uint32_t s = 0; s < STATES; s++) {
        dq_agent_values(agent, &states, &s, 1, q);
        for (int i = 1; i < ACTIONS; i++) q[0] = q[i] > q[0] ? q[i] : q[0];
        sum += (double)q[0] / STATES;
    }
    dq_agent_free(agent);
    dq_pool_free(pool);
    return sum;
}

static void double_q_overestimates_less(void **state)
{
    (void)state;
    double plain = overestimate(false), twice = overestimate(true);
    assert_true(plain > 0.6);
    assert_true(twice < 0.6 * plain);
    assert_true(twice > -0.5);
}

/* ---- conservative Q-learning: a lower bound on what was never seen ---- */

enum { LOGGED = 2 }; /* of four actions, only these were logged */

/* Each action is worth 1, once: Q(s, a) = 1 everywhere. What do logs of two actions say of the others? */
static void learn_from_logs(double conservative, double *seen, double *unseen)
{
    dq_agent_config config = dq_agent_find("dqn")->defaults;
    const dq_env_spec shape = {.state_width = 4, .action_count = 4};
    dq_vectors states = random_states(13);
    dq_transition rows[64];
    dq_agent_losses losses;
    config.loss = DQ_LOSS_MSE;
    config.conservative = conservative;
    config.target_every = 50;
    dq_pool *pool = pool_of(1);
    dq_agent *agent = make("dqn", &config, &shape, pool);
    dq_rng rng = dq_rng_new(13);
    for (int update = 0; update < UPDATES; update++) {
        for (int i = 0; i < 64; i++) {
            uint32_t at = (uint32_t)dq_rng_below(&rng, STATES);
            rows[i] = (dq_transition){.state = at, .next = at, .reward = 1, .done = true};
            rows[i].action = (uint32_t)dq_rng_below(&rng, LOGGED);
        }
        assert_int_equal(dq_agent_fit(agent, &states, rows, 64, NULL, &losses, NULL), DQ_OK);
    }
    *seen = -INFINITY;
    *unseen = -INFINITY;
    for (uint32_t s = 0; s < STATES; s++) {
        float q[4];
        dq_agent_values(agent, &states, &s, 1, q);
        for (int a = 0; a < 4; a++) {
            double *most = a < LOGGED ? seen : unseen;
            *most = fmax(*most, (double)q[a]);
        }
    }
    dq_agent_free(agent);
    dq_pool_free(pool);
}

static void conservative_values_bound_the_unseen_from_below(void **state)
{
    (void)state;
    double seen, unseen;
    learn_from_logs(0, &seen, &unseen);
    assert_true(fabs(seen - 1) < 0.1); /* what was logged is learned; the rest is anything */
    learn_from_logs(0.5, &seen, &unseen);
    assert_true(unseen < 0); /* in every state, far under the true 1 */
    assert_true(unseen < seen - 1);
    assert_true(seen < 1.6);
}

/* ---- the world model ---- */

/* After some life with a pole it knows what a push does; three models disagree more where none has been. */
static void a_world_model_learns_the_pole(void **state)
{
    (void)state;
    dq_agent_config config = dq_agent_find("dyna-q")->defaults;
    enum { STEPS = 300 };
    double error = 0, still = 0, near = 0, far = 0;
    life l;
    config.models = 3;
    config.planning = 0;
    config.warmup = 100;
    config.adam.rate = 3e-3;
    begin(&l, "cartpole", NULL, "dyna-q", &config, 1);
    live(&l, 4000);
    for (int i = 0; i < STEPS; i++) {
        float before[4], away[4], next[4], reward, end_of, disagreement;
        const float *const at[] = {before, away};
        const dq_vectors states = {at, 2, 4};
        const uint32_t there = 1;
        uint32_t action = (uint32_t)i % 2;
        memcpy(before, l.envs[0]->state, sizeof before);
        assert_int_equal(
            dq_agent_predict(l.agent, &states, NULL, &action, 1, next, &reward, &end_of, &disagreement, NULL),
            DQ_OK);
        near += (double)disagreement;
        for (int j = 0; j < 4; j++) away[j] = before[j] + 8;
        float ignored[4];
        assert_int_equal(dq_agent_predict(l.agent, &states, &there, &action, 1, ignored, &reward, &end_of,
                                          &disagreement, NULL),
                         DQ_OK);
        far += (double)disagreement;
        dq_step step;
        assert_int_equal(dq_env_step(l.envs[0], action, &step, NULL), DQ_OK);
        for (int j = 0; j < 4; j++) {
            error += pow((double)(next[j] - l.envs[0]->state[j]), 2);
            still += pow((double)(before[j] - l.envs[0]->state[j]), 2);
        }
        if (step.terminal || step.truncated) assert_int_equal(dq_env_reset(l.envs[0], NULL), DQ_OK);
    }
    assert_true(error < 0.05 * still); /* against "nothing moves" */
    assert_true(far > 3 * near);
    end(&l);
}

static void only_a_world_model_foresees(void **state)
{
    (void)state;
    dq_agent_config config = dq_agent_find("dqn")->defaults;
    const dq_env_spec shape = {.state_width = 1, .action_count = 1};
    float x = 0;
    const float *const at[] = {&x};
    const dq_vectors states = {at, 1, 1};
    uint32_t action = 0;
    dq_pool *pool = pool_of(1);
    dq_agent *agent = make("dqn", &config, &shape, pool);
    assert_int_equal(dq_agent_predict(agent, &states, NULL, &action, 1, &x, &x, &x, NULL, NULL),
                     DQ_ERR_UNSUPPORTED);
    dq_agent_free(agent);
    dq_pool_free(pool);
}

/* ---- exploring ---- */

static double epsilon_after(dq_decay_form form, double decay, uint64_t observations)
{
    dq_agent_config config = dq_agent_find("tabular")->defaults;
    const dq_env_spec shape = {.state_width = 1, .action_count = 2};
    const float x = 1;
    config.decay_form = form;
    config.epsilon = 0.9;
    config.epsilon_min = 0.1;
    config.epsilon_decay = decay;
    dq_pool *pool = pool_of(1);
    dq_agent *agent = make("tabular", &config, &shape, pool);
    const float *const at[] = {&x};
    const dq_vectors states = {at, 1, 1};
    const dq_transition t = {0};
    for (uint64_t i = 0; i < observations; i++) dq_agent_observe(agent, 0, &states, &t, false);
    double epsilon = dq_agent_epsilon(agent);
    dq_agent_free(agent);
    dq_pool_free(pool);
    return epsilon;
}

static void epsilon_decays_by_each_form(void **state)
{
    (void)state;
    assert_true(fabs(epsilon_after(DQ_DECAY_MULTIPLICATIVE, 0.9, 10) - 0.9 * pow(0.9, 10)) < 1e-12);
    assert_true(epsilon_after(DQ_DECAY_MULTIPLICATIVE, 0.9, 100) == 0.1);
    assert_true(fabs(epsilon_after(DQ_DECAY_EXPONENTIAL, 200, 50) - (0.1 + 0.8 * exp(-0.25))) < 1e-12);
    assert_true(epsilon_after(DQ_DECAY_MULTIPLICATIVE, 0.995, 438) > 0.1); /* 0.9 0.995^438 = 0.1002 */
    assert_true(epsilon_after(DQ_DECAY_MULTIPLICATIVE, 0.995, 439) == 0.1);
    assert_true(fabs(epsilon_after(DQ_DECAY_LINEAR, 200, 50) - 0.7) < 1e-12);
    assert_true(fabs(epsilon_after(DQ_DECAY_LINEAR, 200, 500) - 0.1) < 1e-12);
}

/* Shares of actions when exploring, where Q is 0, 1, 2 and 2. */
static void count_actions(dq_explore_by by, double shares[4])
{
    dq_agent_config config = dq_agent_find("tabular")->defaults;
    const dq_env_spec shape = {.state_width = 1, .action_count = 4};
    enum { DRAWS = 40000 };
    const float x = 1, *const at[] = {&x};
    const dq_vectors states = {at, 1, 1};
    uint32_t action;
    dq_agent_losses losses;
    config.alpha = 1;
    config.explore_by = by;
    config.epsilon = 0.4;
    config.temperature = 2;
    dq_pool *pool = pool_of(1);
    dq_agent *agent = make("tabular", &config, &shape, pool);
    for (uint32_t a = 0; a < 4; a++) {
        const dq_transition t = {.action = a, .reward = a < 3 ? (float)a : 2, .done = true};
        assert_int_equal(dq_agent_fit(agent, &states, &t, 1, NULL, &losses, NULL), DQ_OK);
        shares[a] = 0;
    }
    for (int i = 0; i < DRAWS; i++) {
        dq_agent_act(agent, &states, NULL, 1, true, &action);
        shares[action] += 1.0 / DRAWS;
    }
    dq_agent_act(agent, &states, NULL, 1, false, &action);
    assert_int_equal(action, 2); /* the first of equals */
    dq_agent_free(agent);
    dq_pool_free(pool);
}

static void actions_come_as_often_as_they_should(void **state)
{
    (void)state;
    double shares[4], sum = 1 + exp(0.5) + 2 * exp(1);
    count_actions(DQ_EXPLORE_EPSILON, shares);
    const double epsilon[] = {0.1, 0.1, 0.4, 0.4};
    for (int a = 0; a < 4; a++) assert_true(fabs(shares[a] - epsilon[a]) < 0.01);
    count_actions(DQ_EXPLORE_SOFTMAX, shares);
    const double softmax[] = {1 / sum, exp(0.5) / sum, exp(1) / sum, exp(1) / sum};
    for (int a = 0; a < 4; a++) assert_true(fabs(shares[a] - softmax[a]) < 0.01);
}

/* Of what is on offer alone: 3, 0 and 2 of five. */
static void actions_come_from_the_offer(void **state)
{
    (void)state;
    enum { DRAWS = 30000 };
    static const uint32_t offer[] = {3, 0, 2};
    const dq_env_spec shape = {.state_width = 1, .action_count = 5};
    const float x = 1, worth[] = {1, 9, 2, 0, 9}, *const at[] = {&x};
    const dq_vectors states = {at, 1, 1};
    dq_agent_config config = dq_agent_find("tabular")->defaults;
    uint32_t action, often[5] = {0};
    dq_agent_losses losses;
    float q[5];
    config.alpha = 1;
    config.epsilon = 0.3;
    dq_pool *pool = pool_of(1);
    dq_agent *agent = make("tabular", &config, &shape, pool);
    for (uint32_t a = 0; a < 5; a++) {
        const dq_transition t = {.action = a, .reward = worth[a], .done = true};
        assert_int_equal(dq_agent_fit(agent, &states, &t, 1, NULL, &losses, NULL), DQ_OK);
    }
    dq_agent_offer(agent, offer, 3);
    dq_agent_values(agent, &states, NULL, 1, q);
    assert_true(q[0] == 0 && q[1] == 1 && q[2] == 2);
    for (int i = 0; i < DRAWS; i++) {
        dq_agent_act(agent, &states, NULL, 1, true, &action);
        often[action]++;
    }
    assert_true(often[1] == 0 && often[4] == 0);
    assert_true(fabs(often[2] / (double)DRAWS - 0.8) < 0.01 && fabs(often[0] / (double)DRAWS - 0.1) < 0.01);
    const dq_transition on = {.reward = 1, .discount = 1}; /* the best on offer is worth 2 there */
    assert_int_equal(dq_agent_fit(agent, &states, &on, 1, NULL, &losses, NULL), DQ_OK);
    dq_agent_offer(agent, NULL, 0);
    dq_agent_values(agent, &states, NULL, 1, q);
    assert_true(fabs((double)q[0] - (1 + config.gamma * 2)) < 1e-6 && q[1] == 9);
    dq_agent_free(agent);
    dq_pool_free(pool);
}

/* ---- importance weights ---- */

/* A reward of 1 one time in ten, all rows of one pair, and a replay that is drawn from by priority: rows of
 * reward 1 miss more and come more often. With whole importance weights both Q and the world model learn the
 * mean of what was seen all the same. */
static void priorities_do_not_bias_what_is_learned(void **state)
{
    (void)state;
    const float user[] = {1, 0}, item[] = {0, 1}, *const users[] = {user}, *const items[] = {item};
    const dq_env_spec shape = {
        .state_width = 2, .action_count = 1, .action_width = 2, .actions = items, .states = {users, 1, 2}};
    dq_agent_config config = dq_agent_find("dyna-q")->defaults;
    config.head = DQ_HEAD_ACTIONS;
    config.hidden[0] = 16;
    config.hidden_count = 1;
    config.loss = DQ_LOSS_MSE;
    config.adam.rate = 2e-3;
    config.schedule = dq_schedule_find("linear");
    config.schedule_steps = 3000;
    config.clip_norm = config.gamma = config.planning = 0;
    config.priority = config.importance = 1;
    config.batch = 32;
    config.replay = config.warmup = 2000;
    dq_pool *pool = pool_of(1);
    dq_agent *agent = make("dyna-q", &config, &shape, pool);
    dq_rng rng = dq_rng_new(2);
    dq_agent_losses losses;
    double ones = 0;
    float q, reward;
    for (int i = 0; i < 5000; i++) {
        const dq_transition t = {.reward = i % 10 == (int)dq_rng_below(&rng, 10)};
        if (i >= 3000) ones += (double)t.reward; /* they are remembered at the end */
        dq_agent_observe(agent, 0, NULL, &t, false);
        while (dq_agent_ready(agent)) assert_int_equal(dq_agent_learn(agent, &losses, NULL), DQ_OK);
    }
    dq_agent_values(agent, NULL, NULL, 1, &q);
    const uint32_t action = 0;
    assert_int_equal(dq_agent_predict(agent, NULL, NULL, &action, 1, NULL, &reward, NULL, NULL, NULL), DQ_OK);
    assert_true(fabs((double)q - ones / 2000) < 0.03);
    assert_true(fabs((double)reward - ones / 2000) < 0.03);
    dq_agent_free(agent);
    dq_pool_free(pool);
}

/* ---- the world model ---- */

/* A sum over several steps is no reward of one, at an episode's end neither. */
static void a_world_model_takes_single_steps(void **state)
{
    (void)state;
    const float x[] = {0, 1}, *const at[] = {x};
    const dq_vectors states = {at, 1, 2};
    const dq_env_spec shape = {.state_width = 2, .action_count = 2};
    dq_pool *pool = pool_of(1);
    for (const dq_agent_kind *const *kind = dq_agent_kinds; *kind; kind++) {
        bool models = strcmp((*kind)->name, "dqn") != 0;
        if ((*kind)->defaults.context) continue; /* it reads no single states */
        dq_agent_config config = (*kind)->defaults;
        dq_agent_losses losses;
        config.planning = models;
        dq_agent *agent = make((*kind)->name, &config, &shape, pool);
        for (int done = 0; done < 2; done++) {
            const dq_transition t = {.reward = 3, .discount = 0.81F, .done = done};
            assert_int_equal(dq_agent_fit(agent, &states, &t, 1, NULL, &losses, NULL),
                             models ? DQ_ERR_RANGE : DQ_OK);
        }
        dq_agent_free(agent);
    }
    dq_pool_free(pool);
}

/* Weights of Q after steps that are the same for all, with roll-outs by softmax; long enough for the world
 * model to learn that no step is the last. */
static void plan_by_softmax(double temperature, float *weights, size_t count)
{
    const float x[] = {0, 1, 2, 0.5F, -1, 0.25F}, *const at[] = {x, x + 2, x + 4};
    const dq_vectors states = {at, 3, 2};
    const dq_env_spec shape = {.state_width = 2, .action_count = 3};
    dq_agent_config config = dq_agent_find("dyna-q")->defaults;
    dq_agent_losses losses;
    config.hidden[0] = config.hidden[1] = 4;
    config.batch = config.warmup = 8;
    config.planning = 1;
    config.rollout = 3;
    config.explore_by = DQ_EXPLORE_SOFTMAX;
    config.temperature = temperature;
    dq_pool *pool = pool_of(1);
    dq_agent *agent = make("dyna-q", &config, &shape, pool);
    for (uint32_t i = 0; i < 200; i++) {
        const dq_transition t = {
            .state = i % 3, .action = i % 2, .next = (i + 1) % 3, .reward = (float)(i % 2)};
        dq_agent_observe(agent, 0, &states, &t, false);
        while (dq_agent_ready(agent)) assert_int_equal(dq_agent_learn(agent, &losses, NULL), DQ_OK);
    }
    dq_net *q = dq_agent_network(agent, "q");
    assert_int_equal(q->count, count);
    memcpy(weights, q->weights, count * sizeof *weights);
    dq_agent_free(agent);
    dq_pool_free(pool);
}

/* In a roll-out the agent acts as it explores: nearly greedy, or anything. */
static void roll_outs_explore_as_the_agent_does(void **state)
{
    (void)state;
    enum { COUNT = 12 + 20 + 15 };
    float cold[COUNT], hot[COUNT];
    plan_by_softmax(1e-6, cold, COUNT);
    plan_by_softmax(1e6, hot, COUNT);
    assert_memory_not_equal(cold, hot, sizeof hot);
}

/* ---- what does not fit ---- */

static dq_status try_shape(const char *kind, const dq_agent_config *config, const dq_env_spec *shape)
{
    dq_pool *pool = pool_of(1);
    dq_agent *agent;
    dq_status status = dq_agent_new(&agent, kind, config, shape, pool, NULL);
    dq_agent_free(agent);
    dq_pool_free(pool);
    return status;
}

static dq_status try(const char *kind, const dq_agent_config *config)
{
    const dq_env_spec shape = {.state_width = 3, .action_count = 2};
    return try_shape(kind, config, &shape);
}

#define REFUSED(kind, change)                                                                                \
    do {                                                                                                     \
        dq_agent_config c = dq_agent_find(kind)->defaults;                                                   \
        assert_int_equal(try(kind, &c), DQ_OK);                                                              \
        change;                                                                                              \
        assert_int_equal(try(kind, &c), DQ_ERR_RANGE);                                                       \
    } while (0)

static void options_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    REFUSED("dqn", c.gamma = 1.1);
    REFUSED("dqn", c.epsilon_min = 2);
    REFUSED("dqn", c.epsilon_decay = 0);
    REFUSED("dqn", c.envs = 0);
    REFUSED("dqn", c.train_every = 0);
    REFUSED("dqn", c.batch = 0);
    REFUSED("dqn", c.replay = 3);
    REFUSED("dqn", c.target_every = 0);
    REFUSED("dqn", c.tau = 2);
    REFUSED("dqn", c.n_step = 0);
    REFUSED("dqn", c.priority = NAN);
    REFUSED("dqn", c.importance = 2);
    REFUSED("dqn", c.conservative = -1);
    REFUSED("dqn", c.adam.rate = 0);
    REFUSED("dqn", c.dropout = 1);
    REFUSED("dqn", c.dropout_layers = 1); /* of no dropout */
    REFUSED("dqn", (c.dropout = 0.5, c.dropout_layers = 17));
    REFUSED("dqn", c.head = DQ_HEAD_ACTIONS);    /* the actions have no vectors */
    REFUSED("dqn", c.encoder = DQ_ENCODER_MEAN); /* the state has no history */
    REFUSED("dqn", (c.batch_norm = true, c.batch = 1));
    REFUSED("dqn", (c.explore_by = DQ_EXPLORE_SOFTMAX, c.temperature = 0));
    REFUSED("dqn", c.planning = 1);
    REFUSED("dqn", c.alpha = 0.1);
    REFUSED("dyna-q", c.models = 0);
    REFUSED("dyna-q", c.rollout = 0);
    REFUSED("dyna-q", c.n_step = 3);
    REFUSED("tabular", c.alpha = 0);
    REFUSED("tabular", c.states = 0);
    REFUSED("tabular", c.double_q = true);
    REFUSED("tabular", c.hidden_count = 1);
    dq_agent_config config = dq_agent_find("dqn")->defaults;
    assert_int_equal(try("sarsa", &config), DQ_ERR_UNKNOWN);
}

static void shapes_that_contradict_themselves_are_refused(void **state)
{
    (void)state;
    const float vector[2] = {0}, *const vectors[2] = {vector, vector};
    const dq_env_spec shapes[] = {
        {.state_width = 3, .action_count = 2, .action_width = 2},
        {.state_width = 3, .action_count = 2, .actions = vectors},
        {.state_width = 3, .action_count = 2, .history = 1},
        {.state_width = 3, .action_count = 2, .history = 2, .item_width = 2},
    };
    for (const dq_agent_kind *const *kind = dq_agent_kinds; *kind; kind++)
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
            assert_int_equal(try_shape((*kind)->name, &(*kind)->defaults, &shapes[i]), DQ_ERR_RANGE);
}

static void a_table_that_is_full_says_so(void **state)
{
    (void)state;
    dq_agent_config config = dq_agent_find("tabular")->defaults;
    dq_agent_losses losses;
    life l;
    config.states = 4;
    begin(&l, "chain", "slip=0", "tabular", &config, 1);
    for (int i = 0; i < 3; i++) live_step(&l, 0, 0);
    assert_true(dq_agent_ready(l.agent));
    assert_int_equal(dq_agent_learn(l.agent, &losses, NULL), DQ_OK);
    live_step(&l, 0, 0); /* the fifth state */
    assert_true(dq_agent_ready(l.agent));
    assert_int_equal(dq_agent_learn(l.agent, &losses, NULL), DQ_ERR_RANGE);
    end(&l);
}

static void divergence_is_an_error(void **state)
{
    (void)state;
    const char *kinds[] = {"dqn", "dyna-q"};
    const float x[] = {1e30F, 0, 0}, *const at[] = {x};
    const dq_vectors states = {at, 1, 3};
    const dq_env_spec shape = {.state_width = 3, .action_count = 2};
    dq_pool *pool = pool_of(1);
    for (int k = 0; k < 2; k++) {
        dq_agent_config config = dq_agent_find(kinds[k])->defaults;
        dq_agent_losses losses;
        config.loss = DQ_LOSS_MSE;
        dq_agent *agent = make(kinds[k], &config, &shape, pool);
        dq_transition t = {.reward = 1e30F, .discount = 1, .done = true};
        assert_int_equal(dq_agent_fit(agent, &states, &t, 1, NULL, &losses, NULL), DQ_ERR_NUMERIC);
        assert_int_equal(dq_agent_fit(agent, &states, &t, 0, NULL, &losses, NULL), DQ_ERR_RANGE);
        t.action = 2;
        assert_int_equal(dq_agent_fit(agent, &states, &t, 1, NULL, &losses, NULL), DQ_ERR_RANGE);
        t = (dq_transition){.next = 1};
        assert_int_equal(dq_agent_fit(agent, &states, &t, 1, NULL, &losses, NULL), DQ_ERR_RANGE);
        dq_agent_free(agent);
    }
    dq_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tabular_values_are_those_of_value_iteration),
        cmocka_unit_test(planning_learns_the_maze_sooner),
        cmocka_unit_test(double_q_overestimates_less),
        cmocka_unit_test(conservative_values_bound_the_unseen_from_below),
        cmocka_unit_test(a_world_model_learns_the_pole),
        cmocka_unit_test(only_a_world_model_foresees),
        cmocka_unit_test(epsilon_decays_by_each_form),
        cmocka_unit_test(actions_come_as_often_as_they_should),
        cmocka_unit_test(actions_come_from_the_offer),
        cmocka_unit_test(priorities_do_not_bias_what_is_learned),
        cmocka_unit_test(a_world_model_takes_single_steps),
        cmocka_unit_test(roll_outs_explore_as_the_agent_does),
        cmocka_unit_test(options_that_do_not_fit_are_refused),
        cmocka_unit_test(shapes_that_contradict_themselves_are_refused),
        cmocka_unit_test(a_table_that_is_full_says_so),
        cmocka_unit_test(divergence_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
