/* SPDX-License-Identifier: MIT
 *
 * Agents of numbered states: users that stay as they are, items for actions, rewards known. With reward r of
 * an item and the best one worth 1 a step, Q is r + gamma / (1 - gamma).
 */
#include "life.h"
#include "net/net_impl.h"

#include "../fixtures/dyna/torch.h"

#include <stdlib.h>

enum { ITEMS = 4, USER_WIDTH = 3, ITEM_WIDTH = 6 };

static const float rewards[ITEMS] = {1, 0.5F, 0, -0.1F};

/* One user, four items with random unit vectors, an agent. */
typedef struct world {
    dq_pool *pool;
    dq_agent *agent;
    float user[USER_WIDTH], item[ITEMS][ITEM_WIDTH];
    const float *user_at[1], *item_at[ITEMS];
    dq_env_spec shape;
    dq_agent_losses losses;
} world;

static void fill(float *vector, size_t width, dq_rng *rng)
{
    double sum = 0;
    for (size_t i = 0; i < width; i++) {
        vector[i] = (float)dq_rng_normal(rng);
        sum += (double)vector[i] * (double)vector[i];
    }
    for (size_t i = 0; i < width; i++) vector[i] /= (float)sqrt(sum);
}

/* System A in small: a pair head, squared errors, nothing clipped. */
static dq_agent_config small(void)
{
    dq_agent_config c = dq_agent_find("dyna-q")->defaults;
    c.head = DQ_HEAD_ACTIONS;
    c.hidden[0] = 32;
    c.hidden[1] = 16;
    c.world_hidden[0] = 24;
    c.world_hidden_count = 1;
    c.loss = DQ_LOSS_MSE;
    c.clip_norm = 0;
    c.gamma = 0.9;
    c.batch = 16;
    c.warmup = 64;
    c.replay = 500;
    c.target_every = 40;
    c.planning = 2;
    c.adam.rate = 4e-3;
    c.schedule = dq_schedule_find("linear");
    c.schedule_steps = 2000;
    c.epsilon_decay = 0.995;
    c.epsilon_min = 0.01;
    return c;
}

static void make_world(world *w, const char *kind, const dq_agent_config *config, unsigned threads)
{
    dq_rng rng = dq_rng_new(11);
    *w = (world){.pool = pool_of(threads)};
    fill(w->user, USER_WIDTH, &rng);
    for (int i = 0; i < ITEMS; i++) fill(w->item[i], ITEM_WIDTH, &rng);
    w->user_at[0] = w->user;
    for (int i = 0; i < ITEMS; i++) w->item_at[i] = w->item[i];
    w->shape = (dq_env_spec){.state_width = USER_WIDTH,
                             .action_count = ITEMS,
                             .action_width = ITEM_WIDTH,
                             .actions = w->item_at,
                             .states = {w->user_at, 1, USER_WIDTH}};
    w->agent = make(kind, config, &w->shape, w->pool);
}

static void drop(world *w)
{
    dq_agent_free(w->agent);
    dq_pool_free(w->pool);
}

/* Acts and learns for so many learning steps. */
static void train(world *w, uint64_t steps)
{
    while (dq_agent_steps(w->agent) < steps) {
        uint32_t item;
        dq_agent_act(w->agent, NULL, NULL, 1, true, &item);
        const dq_transition t = {.action = item, .reward = rewards[item]};
        dq_agent_observe(w->agent, 0, NULL, &t, false);
        while (dq_agent_ready(w->agent)) assert_int_equal(dq_agent_learn(w->agent, &w->losses, NULL), DQ_OK);
    }
}

/* ---- closed forms ---- */

/* Q of each item equals what was wanted within 0.1, in order, and the world model knows the rewards. */
static void learns(const char *kind, dq_agent_config config, const float wanted[ITEMS])
{
    world w;
    float q[ITEMS];
    uint32_t best;
    config.epsilon_min = 0.5; /* keep seeing every item */
    make_world(&w, kind, &config, 1);
    train(&w, config.schedule_steps);
    dq_agent_values(w.agent, NULL, NULL, 1, q);
    for (int i = 0; i < ITEMS; i++) {
        assert_float_equal(q[i], wanted[i], 0.1F);
        if (i) assert_true(q[i] < q[i - 1]);
    }
    dq_agent_act(w.agent, NULL, NULL, 1, false, &best);
    assert_int_equal(best, 0);
    drop(&w);
}

static const float by_max[] = {10, 9.5F, 9, 8.9F}, by_same[] = {10, 5, 0, -1};

static void max_values_are_ten_and_less(void **state)
{
    (void)state;
    dq_agent_config c = small(), plain = small();
    learns("dyna-q", c, by_max);
    c.double_q = c.dueling = true;
    c.priority = 0.5;
    c.models = 2;
    c.activation = DQ_GELU;
    learns("dyna-q", c, by_max);
    plain.world = false;
    plain.planning = plain.models = 0;
    plain.world_hidden_count = 0;
    plain.target_every = 20;
    plain.head = DQ_HEAD_OUTPUTS;
    learns("dqn", plain, by_max);
}

static void same_values_are_the_shortcut_s(void **state)
{
    (void)state;
    dq_agent_config c = small();
    c.bootstrap = DQ_BOOTSTRAP_SAME;
    learns("dyna-q", c, by_same);
    c.head = DQ_HEAD_OUTPUTS;
    learns("dyna-q", c, by_same);
}

static void a_table_learns_both(void **state)
{
    (void)state;
    dq_agent_config c = dq_agent_find("tabular")->defaults;
    c.gamma = 0.9;
    c.epsilon = 0.5;
    c.alpha = 0.2;
    c.planning = 3;
    c.schedule_steps = 4000;
    learns("tabular", c, by_max);
    c.bootstrap = DQ_BOOTSTRAP_SAME;
    learns("tabular", c, by_same);
}

/* With gamma 0 nothing is bootstrapped and Q is the reward; so is what the world model says of a pair. */
static void gamma_zero_learns_rewards(void **state)
{
    (void)state;
    for (uint32_t models = 1; models <= 3; models += 2) {
        static const uint32_t everything[ITEMS] = {0, 1, 2, 3}, user[ITEMS] = {0};
        dq_agent_config c = small();
        float r[ITEMS], ends[ITEMS], apart[ITEMS];
        c.gamma = 0;
        c.models = models;
        learns("dyna-q", c, rewards);
        world w;
        c.epsilon_min = 0.5;
        make_world(&w, "dyna-q", &c, 1);
        train(&w, 1000);
        assert_int_equal(dq_agent_predict(w.agent, NULL, user, everything, ITEMS, NULL, r, ends, apart, NULL),
                         DQ_OK);
        for (int i = 0; i < ITEMS; i++) {
            assert_float_equal(r[i], rewards[i], 0.05F);
            assert_true(ends[i] == 0 && apart[i] < 0.1F);
        }
        bool agree = apart[0] == 0 && apart[1] == 0 && apart[2] == 0 && apart[3] == 0;
        assert_true(agree == (models == 1)); /* on one item several may, to the last bit */
        drop(&w);
    }
}

/* Items that nothing describes: an output each, and the world model knows them by their numbers. */
static void items_without_vectors_are_known_by_number(void **state)
{
    (void)state;
    static const uint32_t everything[ITEMS] = {0, 1, 2, 3}, user[ITEMS] = {0};
    dq_agent_config c = small();
    world w;
    float q[ITEMS], r[ITEMS];
    c.head = DQ_HEAD_OUTPUTS;
    c.epsilon_min = 0.5;
    make_world(&w, "dyna-q", &c, 1);
    dq_agent_free(w.agent);
    w.shape.actions = NULL;
    w.shape.action_width = 0;
    w.agent = make("dyna-q", &c, &w.shape, w.pool);
    train(&w, c.schedule_steps);
    dq_agent_values(w.agent, NULL, NULL, 1, q);
    assert_int_equal(dq_agent_predict(w.agent, NULL, user, everything, ITEMS, NULL, r, NULL, NULL, NULL),
                     DQ_OK);
    for (int i = 0; i < ITEMS; i++) {
        assert_float_equal(q[i], by_max[i], 0.1F);
        assert_float_equal(r[i], rewards[i], 0.05F);
    }
    drop(&w);
}

/* ---- targets by the plain form: every action on offer by the network, each time ---- */

/* Q of all items by a network of pairs. */
static void values_by(const world *w, dq_net *net, float q[ITEMS])
{
    static const uint32_t user[ITEMS] = {0}, item[ITEMS] = {0, 1, 2, 3};
    const dq_net_rows rows = {.states = w->shape.states,
                              .state = user,
                              .actions = {w->item_at, ITEMS, ITEM_WIDTH},
                              .action = item,
                              .rows = ITEMS};
    dq_net_predict(net, &rows, q);
}

/* What is wanted of a row, out of the agent. */
static double wanted_of(world *w, const dq_transition *row)
{
    dq_agent_losses losses;
    assert_int_equal(dq_agent_evaluate_loss(w->agent, NULL, row, 1, &losses, NULL), DQ_OK);
    return (double)dq_agent_taken(w->agent)[0] - (double)dq_agent_errors(w->agent)[0];
}

static void check_targets(world *w, dq_net *q, dq_net *target, bool double_q, const uint32_t *offer,
                          uint32_t n)
{
    const dq_transition rows[] = {
        {0, 1, 0, 0.25F, 1, false}, {0, 2, 0, 1, 1, true}, {0, 3, 0, 0, 0.5F, false}};
    float by_target[ITEMS], by_q[ITEMS];
    uint32_t best = offer[0];
    dq_agent_offer(w->agent, offer, n);
    values_by(w, target, by_target);
    values_by(w, q, by_q);
    const float *chooses = double_q ? by_q : by_target;
    for (uint32_t i = 1; i < n; i++) best = chooses[offer[i]] > chooses[best] ? offer[i] : best;
    double value = (double)by_target[best];
    assert_true(fabs(wanted_of(w, &rows[0]) - (0.25 + 0.9 * value)) < 1e-5);
    assert_true(fabs(wanted_of(w, &rows[1]) - 1) < 1e-6); /* terminal */
    assert_true(fabs(wanted_of(w, &rows[2]) - 0.9 * 0.5 * value) < 1e-5);
}

static void targets_equal_the_plain_form(void **state)
{
    (void)state;
    static const uint32_t all[] = {0, 1, 2, 3}, two[] = {3, 1};
    for (int double_q = 0; double_q <= 1; double_q++) {
        dq_agent_config c = small();
        world w;
        c.target_every = 7;
        c.double_q = double_q;
        c.world = false; /* rows may be sums over several steps then */
        c.planning = c.models = 0;
        c.world_hidden_count = 0;
        make_world(&w, "dyna-q", &c, 1);
        dq_net *q = dq_agent_network(w.agent, "q"), *target = dq_agent_network(w.agent, "target");
        for (uint64_t step = 1; step <= 30; step++) {
            train(&w, step);
            check_targets(&w, q, target, double_q, all, ITEMS);
            check_targets(&w, q, target, double_q, two, 2); /* a smaller choice takes effect at once */
            dq_agent_offer(w.agent, NULL, 0);
        }
        drop(&w);
    }
}

/* What is bootstrapped stays within bounds: the value itself, not the reward. */
static void bounds_hold_what_is_bootstrapped(void **state)
{
    (void)state;
    const dq_transition row = {.action = 1, .reward = 7, .discount = 1};
    dq_agent_config deep = small(), same = small(), table = dq_agent_find("tabular")->defaults;
    same.bootstrap = DQ_BOOTSTRAP_SAME;
    table.gamma = 0.9;
    dq_agent_config *const configs[] = {&deep, &same, &table};
    for (int i = 0; i < 3; i++) {
        world w;
        configs[i]->bounded = true;
        configs[i]->value_min = 2;
        configs[i]->value_max = 3;
        make_world(&w, i < 2 ? "dyna-q" : "tabular", configs[i], 1);
        assert_true(fabs(wanted_of(&w, &row) - (7 + 0.9 * 2)) < 1e-5);
        drop(&w);
    }
}

/* The target moves only every target_every updates, planning updates counted. */
static void the_target_is_copied_on_time(void **state)
{
    (void)state;
    dq_agent_config config = small();
    const dq_transition row = {.discount = 1};
    world w;
    config.target_every = 9; /* three steps of 1 + 2 updates */
    make_world(&w, "dyna-q", &config, 1);
    train(&w, 3);
    assert_int_equal(dq_agent_updates(w.agent), 9);
    double before = wanted_of(&w, &row);
    train(&w, 5);
    assert_true(wanted_of(&w, &row) == before);
    train(&w, 6);
    assert_true(wanted_of(&w, &row) != before);
    drop(&w);
}

/* ---- PyTorch ---- */

static void near_all(const float *got, const float *wanted, size_t n, float within)
{
    for (size_t i = 0; i < n; i++) assert_float_equal(got[i], wanted[i], within);
}

/* Row i of batch b of the fixture. */
static dq_transition fixture_row(size_t b, size_t i)
{
    size_t at = b * FIX_BATCH + i;
    return (dq_transition){.state = fix_user[at],
                           .action = fix_item[at],
                           .next = fix_user[at],
                           .reward = fix_reward[at],
                           .discount = 1,
                           .done = fix_done[at] != 0};
}

static dq_agent *fixture_agent(const dq_env_spec *shape, dq_pool *pool)
{
    dq_agent_config c = small();
    c.hidden[0] = 7;
    c.hidden[1] = 4;
    c.world_hidden[0] = 6;
    c.batch = c.replay = FIX_BATCH; /* a planning batch is all that is remembered */
    c.planning = 1;
    c.target_every = FIX_COPY;
    c.schedule = NULL;
    c.adam.rate = 1e-2;
    c.adam.decay = 1e-3;
    dq_agent *agent = make("dyna-q", &c, shape, pool);
    dq_net *q = dq_agent_network(agent, "q"), *world_net = dq_agent_network(agent, "world.0");
    assert_int_equal(q->count * sizeof(float), sizeof fix_first_q);
    assert_int_equal(world_net->count * sizeof(float), sizeof fix_first_world);
    memcpy(q->weights, fix_first_q, sizeof fix_first_q);
    memcpy(world_net->weights, fix_first_world, sizeof fix_first_world);
    dq_net_copy(dq_agent_network(agent, "target"), q);
    dq_agent_offer(agent, fix_offered, FIX_OFFERED);
    return agent;
}

/* Seven rounds of Q update, world update and planning, and two copies of the target, as PyTorch makes them.
 */
static void steps_are_those_of_pytorch(void **state)
{
    (void)state;
    const float *user_at[FIX_USERS], *item_at[FIX_ITEMS], *wanted = fix_losses;
    dq_transition rows[FIX_BATCH];
    dq_agent_losses losses;
    dq_pool *pool = pool_of(1);
    for (int i = 0; i < FIX_USERS; i++) user_at[i] = fix_users + (size_t)i * 3;
    for (int i = 0; i < FIX_ITEMS; i++) item_at[i] = fix_items + (size_t)i * 5;
    const dq_env_spec shape = {.state_width = 3,
                               .action_count = FIX_ITEMS,
                               .action_width = 5,
                               .actions = item_at,
                               .states = {user_at, FIX_USERS, 3}};
    dq_agent *agent = fixture_agent(&shape, pool);
    for (size_t round = 0; round < FIX_ROUNDS; round++) {
        for (size_t i = 0; i < FIX_BATCH; i++) {
            const dq_transition planned = fixture_row(2 * round + 1, i);
            dq_agent_observe(agent, 0, NULL, &planned, false);
            rows[i] = fixture_row(2 * round, i);
        }
        assert_int_equal(dq_agent_fit(agent, NULL, rows, FIX_BATCH, NULL, &losses, NULL), DQ_OK);
        assert_true(fabs(losses.q - (double)*wanted++) < 1e-5);
        assert_true(fabs(losses.world - (double)*wanted++) < 1e-5);
        assert_true(fabs(losses.planning - (double)*wanted++) < 1e-5);
    }
    dq_net *q = dq_agent_network(agent, "q"), *world_net = dq_agent_network(agent, "world.0");
    near_all(q->weights, fix_last_q, q->count, 1e-5F);
    near_all(world_net->weights, fix_last_world, world_net->count, 1e-5F);
    dq_agent_free(agent);
    dq_pool_free(pool);
}

/* ---- weights, offers, schedules ---- */

/* A row that counts twice is that row, two times. */
static void a_weight_of_two_is_two_rows(void **state)
{
    (void)state;
    const dq_transition twice[] = {
        {0, 1, 0, 0.5F, 1, false}, {0, 1, 0, 0.5F, 1, false}, {0, 2, 0, 1, 1, false}};
    const float weight[] = {4.0F / 3, 2.0F / 3}; /* of two rows, as 2 and 1 of three */
    dq_agent_config c = small();
    world a, b;
    c.planning = 0;
    make_world(&a, "dyna-q", &c, 1);
    make_world(&b, "dyna-q", &c, 1);
    for (int u = 0; u < 10; u++) {
        assert_int_equal(dq_agent_fit(a.agent, NULL, twice, 3, NULL, &a.losses, NULL), DQ_OK);
        assert_int_equal(dq_agent_fit(b.agent, NULL, twice + 1, 2, weight, &b.losses, NULL), DQ_OK);
        assert_true(fabs(a.losses.q - b.losses.q) < 1e-5);
    }
    drop(&a);
    drop(&b);
}

/* What the conservative term lowers is what is on offer, and not the other actions. */
static void what_is_not_on_offer_is_not_lowered(void **state)
{
    (void)state;
    static const uint32_t offer[] = {0, 2};
    for (int head = DQ_HEAD_OUTPUTS; head <= DQ_HEAD_ACTIONS; head++) {
        const dq_transition row = {.action = 1, .reward = 1, .discount = 1, .done = true};
        dq_agent_config c = small();
        float q[ITEMS];
        double sum = 0;
        world w;
        c.head = (dq_head)head;
        c.planning = 0;
        c.conservative = 0.5;
        c.offered = 2;
        make_world(&w, "dyna-q", &c, 1);
        dq_agent_offer(w.agent, NULL, 0);
        assert_int_equal(dq_agent_fit(w.agent, NULL, &row, 1, NULL, &w.losses, NULL), DQ_ERR_RANGE);
        dq_agent_values(w.agent, NULL, NULL, 1, q);
        dq_agent_offer(w.agent, offer, 2);
        assert_int_equal(dq_agent_evaluate_loss(w.agent, NULL, &row, 1, &w.losses, NULL), DQ_OK);
        for (int i = 0; i < 3; i++) sum += exp((double)q[i]); /* two on offer, and the taken one */
        double cql = log(sum) - (double)q[1];
        assert_true(fabs(w.losses.q - pow((double)q[1] - 1, 2) - 0.5 * cql) < 1e-5);
        drop(&w);
    }
}

static void schedules_end_with_the_run(void **state)
{
    (void)state;
    dq_agent_config c = small();
    world w;
    c.schedule_steps = 0; /* the run's */
    c.schedule = dq_schedule_find("exponential");
    c.schedule_decay = 0.25;
    c.priority = 0.6;
    c.importance = 0.4;
    c.decay_by = DQ_BY_RUN;
    c.decay_form = DQ_DECAY_LINEAR;
    c.epsilon_decay = 1;
    c.epsilon_min = 0.1;
    make_world(&w, "dyna-q", &c, 1);
    const double at[] = {0, 0.5, 1}, rate[] = {4e-3, 2e-3, 1e-3}, beta[] = {0.4, 0.7, 1},
                 epsilon[] = {1, 0.55, 0.1};
    for (int i = 0; i < 3; i++) {
        dq_agent_progress(w.agent, at[i]);
        assert_true(fabs(dq_agent_rate(w.agent) - rate[i]) < 1e-12);
        assert_true(fabs(dq_agent_beta(w.agent) - beta[i]) < 1e-12);
        assert_true(fabs(dq_agent_epsilon(w.agent) - epsilon[i]) < 1e-12);
    }
    drop(&w);
    c.schedule_steps = 8; /* learning steps instead */
    make_world(&w, "dyna-q", &c, 1);
    dq_agent_progress(w.agent, 1);
    train(&w, 4);
    assert_true(fabs(dq_agent_rate(w.agent) - 2e-3) < 1e-12);
    assert_true(fabs(dq_agent_beta(w.agent) - 0.7) < 1e-12);
    drop(&w);
}

/* ---- models ---- */

static void a_model_gives_its_weights_only(void **state)
{
    (void)state;
    dq_agent_config config = small();
    world w, v;
    dq_bundle model;
    float a[ITEMS], b[ITEMS];
    make_world(&w, "dyna-q", &config, 1);
    train(&w, 20);
    assert_int_equal(dq_bundle_init(&model, "model", 0, NULL), DQ_OK);
    assert_int_equal(dq_agent_save(w.agent, false, &model, NULL), DQ_OK);
    assert_null(dq_bundle_column(&model, "actions"));
    make_world(&v, "dyna-q", &config, 1);
    assert_int_equal(dq_agent_load(v.agent, false, &model, NULL), DQ_OK);
    dq_agent_values(w.agent, NULL, NULL, 1, a);
    dq_agent_values(v.agent, NULL, NULL, 1, b);
    assert_memory_equal(a, b, sizeof a);
    assert_int_equal(dq_agent_steps(v.agent), 0);
    assert_int_equal(dq_agent_network(v.agent, "q")->steps, 0);
    assert_int_equal(dq_agent_load(v.agent, true, &model, NULL),
                     DQ_ERR_SCHEMA); /* a model is no checkpoint */
    drop(&v);
    config.hidden[0] = 33;
    make_world(&v, "dyna-q", &config, 1);
    assert_int_not_equal(dq_agent_load(v.agent, false, &model, NULL), DQ_OK);
    dq_bundle_free(&model);
    drop(&v);
    drop(&w);
}

/* A model of users holds neither them nor the items: nobody could act by it. */
static void a_model_without_its_catalogue_does_not_act(void **state)
{
    (void)state;
    dq_agent_config config = small();
    world w;
    dq_bundle model;
    dq_agent *agent;
    make_world(&w, "dyna-q", &config, 1);
    assert_int_equal(dq_bundle_init(&model, "model", 0, NULL), DQ_OK);
    assert_int_equal(dq_agent_save(w.agent, false, &model, NULL), DQ_OK);
    assert_int_equal(dq_agent_of_model(&agent, &model, NULL, w.pool, NULL), DQ_ERR_RANGE);
    assert_null(agent);
    assert_int_equal(dq_agent_of_model(&agent, &model, &w.shape, w.pool, NULL), DQ_OK);
    assert_null(dq_agent_network(agent, "target"));
    dq_agent_free(agent);
    dq_bundle_free(&model);
    drop(&w);
}

static void divergence_is_an_error(void **state)
{
    (void)state;
    dq_agent_config config = small();
    world w;
    dq_error e = DQ_ERROR_NONE;
    dq_status status = DQ_OK;
    make_world(&w, "dyna-q", &config, 1);
    for (uint32_t i = 0; i < 64 + 50 && !status; i++) {
        const dq_transition t = {.action = i % ITEMS, .reward = 3e38F};
        dq_agent_observe(w.agent, 0, NULL, &t, false);
        if (dq_agent_ready(w.agent)) status = dq_agent_learn(w.agent, &w.losses, &e);
    }
    assert_int_equal(status, DQ_ERR_NUMERIC);
    assert_non_null(strstr(e.reason, "diverged"));
    drop(&w);
}

/* ---- what cannot be ---- */

static void check_refused(const char *kind, const dq_agent_config *config, const char *why)
{
    dq_agent_config fits = small();
    dq_error e = DQ_ERROR_NONE;
    dq_agent *agent;
    world w;
    make_world(&w, "dyna-q", &fits, 1);
    assert_int_equal(dq_agent_new(&agent, kind, config, &w.shape, w.pool, &e), DQ_ERR_RANGE);
    assert_null(agent);
    if (!strstr(e.reason, why)) fail_msg("%s", e.reason);
    drop(&w);
}

#define REFUSED(why, change)                                                                                 \
    do {                                                                                                     \
        dq_agent_config c = small();                                                                         \
        change;                                                                                              \
        check_refused("dyna-q", &c, why);                                                                    \
    } while (0)

static void what_cannot_be_says_why(void **state)
{
    (void)state;
    REFUSED("single steps", c.n_step = 2);
    REFUSED("nothing to see further ahead", c.rollout = 2);
    REFUSED("nothing to plan with", (c.world = false, c.models = 1));
    REFUSED("need a head on actions", (c.head = DQ_HEAD_OUTPUTS, c.feature_count = 1));
    REFUSED("need dueling", c.value_hidden[c.value_hidden_count++] = 4);
    REFUSED("the taken one is not chosen", (c.bootstrap = DQ_BOOTSTRAP_SAME, c.double_q = true));
    REFUSED("not by the run", c.target_by = DQ_BY_RUN);
    REFUSED("of itself", c.schedule_decay = 0);
    REFUSED("becomes linear", (c.loss = DQ_LOSS_HUBER, c.huber_delta = 0));
    REFUSED("a replay of", c.replay = c.batch - 1);
    REFUSED("offer fewer", (c.conservative = 1, c.fit_rows = 1 << 20));
    dq_agent_config table = dq_agent_find("tabular")->defaults;
    table.feature_count = 1;
    check_refused("tabular", &table, "features means nothing to a table");
    table.feature_count = 0;
    table.sparse = true;
    check_refused("tabular", &table, "means nothing to a table");
}

/* The whole loop against the environment: the greedy choice ends at the best of each episode's candidates. */
static dq_status labelled(void *arg, uint32_t user, uint32_t item, float *reward, dq_error *error)
{
    (void)arg;
    (void)user;
    (void)error;
    *reward = rewards[item];
    return DQ_OK;
}

static void acts_well_in_the_catalogue(void **state)
{
    (void)state;
    dq_agent_config config = small();
    world w;
    dq_env *env;
    config.gamma = 0.5;
    make_world(&w, "dyna-q", &config, 1);
    const dq_catalogue_env_config env_config = {.users = w.shape.states,
                                                .items = {w.item_at, ITEMS, ITEM_WIDTH},
                                                .candidates = 2,
                                                .step_limit = 15,
                                                .reward = labelled};
    assert_int_equal(dq_catalogue_env_new(&env, &env_config, 4, NULL), DQ_OK);
    for (int episode = 0; episode < 60; episode++) {
        uint32_t item;
        dq_step step = {0};
        assert_int_equal(dq_env_reset(env, NULL), DQ_OK);
        dq_agent_offer(w.agent, env->offered, env->offered_count);
        while (!step.truncated) {
            dq_agent_act(w.agent, NULL, &env->number, 1, true, &item);
            assert_int_equal(dq_env_step(env, item, &step, NULL), DQ_OK);
            const dq_transition t = {.action = item, .reward = step.reward};
            dq_agent_observe(w.agent, 0, NULL, &t, step.truncated);
            if (dq_agent_ready(w.agent)) assert_int_equal(dq_agent_learn(w.agent, &w.losses, NULL), DQ_OK);
        }
        if (episode < 50) continue;
        dq_agent_act(w.agent, NULL, &env->number, 1, false, &item);
        for (uint32_t i = 0; i < 2; i++) assert_true(rewards[item] >= rewards[env->offered[i]]);
    }
    dq_env_free(env);
    drop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(max_values_are_ten_and_less),
        cmocka_unit_test(same_values_are_the_shortcut_s),
        cmocka_unit_test(a_table_learns_both),
        cmocka_unit_test(gamma_zero_learns_rewards),
        cmocka_unit_test(items_without_vectors_are_known_by_number),
        cmocka_unit_test(targets_equal_the_plain_form),
        cmocka_unit_test(bounds_hold_what_is_bootstrapped),
        cmocka_unit_test(the_target_is_copied_on_time),
        cmocka_unit_test(steps_are_those_of_pytorch),
        cmocka_unit_test(a_weight_of_two_is_two_rows),
        cmocka_unit_test(what_is_not_on_offer_is_not_lowered),
        cmocka_unit_test(schedules_end_with_the_run),
        cmocka_unit_test(a_model_gives_its_weights_only),
        cmocka_unit_test(a_model_without_its_catalogue_does_not_act),
        cmocka_unit_test(divergence_is_an_error),
        cmocka_unit_test(what_cannot_be_says_why),
        cmocka_unit_test(acts_well_in_the_catalogue),
    };
    return cmocka_run_group_tests_name("agent_catalogue", tests, NULL, NULL);
}
