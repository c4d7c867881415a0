/* SPDX-License-Identifier: MIT */
#include "dq/schema.h"
#include "net/net_impl.h"
#include "offline/sessions.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NONE DQ_OFFLINE_NO_ROW

/* A log in which item i is always followed by item i + 1, and users are known by nothing. */
enum { USERS = 60, ITEMS = 8, LENGTH = 6, EVENTS = USERS * LENGTH, HISTORY = 2 };

typedef struct world {
    dq_pool *pool;
    dq_agent *agent;
    dq_sessions *sessions;
    dq_offline *run;
    dq_session_rows log;
    float vectors[ITEMS][ITEMS]; /* one-hot */
    const float *items[ITEMS];
    uint32_t first[USERS + 1], item[EVENTS], group[USERS];
    float reward[EVENTS];
} world;

static void populate(world *w)
{
    memset(w, 0, sizeof *w);
    for (uint32_t i = 0; i < ITEMS; i++) {
        w->vectors[i][i] = 1;
        w->items[i] = w->vectors[i];
    }
    for (uint32_t u = 0; u < USERS; u++) {
        w->first[u] = u * LENGTH;
        w->group[u] = u;
        for (uint32_t e = 0; e < LENGTH; e++) {
            w->item[u * LENGTH + e] = (u * 5 + e) % ITEMS;
            w->reward[u * LENGTH + e] = 1;
        }
    }
    w->first[USERS] = EVENTS;
    w->log = (dq_session_rows){
        .users = {.count = USERS},
        .items = {.at = w->items, .count = ITEMS, .width = ITEMS},
        .layout = {.item_width = ITEMS, .history = HISTORY, .recency = 1, .count = true},
        .first = w->first,
        .item = w->item,
        .reward = w->reward};
}

static dq_offline_config usual(void)
{
    return (dq_offline_config){.epochs = 40,
                               .batch = 16,
                               .negatives = 3,
                               .negative_reward = -0.1F,
                               .validation = 0.2,
                               .best_by = DQ_BEST_BY_NDCG,
                               .seed = 5};
}

static dq_agent *make_agent(world *w, const dq_offline_config *config)
{
    dq_agent *agent;
    dq_agent_config c = dq_agent_find("dqn")->defaults;
    dq_env_spec shape = dq_sessions_shape(&w->log);
    c.hidden_count = 1;
    c.hidden[0] = 32;
    c.dropout = 0;
    c.gamma = 0;
    c.adam.rate = 5e-3;
    c.batch = 4;
    c.fit_rows = DQ_OFFLINE_ROWS(*config);
    assert_int_equal(dq_agent_new(&agent, "dqn", &c, &shape, w->pool, NULL), DQ_OK);
    return agent;
}

static void start(world *w, const dq_offline_config *config)
{
    assert_int_equal(dq_pool_new(&w->pool, 1, NULL), DQ_OK);
    w->agent = make_agent(w, config);
    assert_int_equal(dq_sessions_new(&w->sessions, &w->log, true, NULL), DQ_OK);
    dq_offline_rows rows = dq_sessions_rows(w->sessions, w->group);
    assert_int_equal(dq_offline_new(&w->run, config, w->agent, &rows, NULL), DQ_OK);
}

static void drop(world *w)
{
    dq_offline_free(w->run);
    dq_sessions_free(w->sessions);
    dq_agent_free(w->agent);
    dq_pool_free(w->pool);
}

static void step(world *w)
{
    bool ended;
    assert_int_equal(dq_offline_step(w->run, &ended, NULL), DQ_OK);
}

static void run_out(world *w)
{
    while (!dq_offline_done(w->run)) step(w);
}

static void values_after(world *w, dq_agent *agent, uint32_t item, float q[ITEMS])
{
    float state[HISTORY * ITEMS + 1];
    dq_env_spec shape = dq_sessions_shape(&w->log);
    uint32_t before[2] = {(item + ITEMS - 1) % ITEMS, item};
    const dq_session_place place = {.latest = before + 1, .step = -1, .entered = 2, .met = 2};
    const float *one[] = {state};
    const dq_vectors states = {one, 1, shape.state_width};
    dq_session_state(&shape.layout, &w->log.items, &place, state);
    dq_agent_values(agent, &states, NULL, 1, q);
}

/* ---- states ---- */

static void the_shape_describes_actions(void **state)
{
    (void)state;
    world w;
    populate(&w);
    dq_env_spec shape = dq_sessions_shape(&w.log);
    for (uint32_t i = 0; i < ITEMS; i++)
        assert_memory_equal(shape.actions[i], w.vectors[i], sizeof w.vectors[i]);
    assert_int_equal(shape.action_width, ITEMS);
    assert_int_equal(shape.item_width, ITEMS);
}

/* Two items whose vectors are five wide: a world model is told an action's number, or its vector. */
static void a_world_model_tells_actions_apart(void **state)
{
    (void)state;
    float items[2][5] = {{1, 1, 1, 1, 1}, {2, 2, 2, 2, 2}}, twice[2 * 6] = {0}, next[2 * 6];
    float reward[2], end[2];
    const float *at[2] = {items[0], items[1]}, *zeros[2] = {twice, twice + 6};
    const dq_vectors states = {zeros, 2, 6};
    const uint32_t both[2] = {0, 1};
    dq_session_rows log = {.users = {.count = 1},
                           .items = {.at = at, .count = 2, .width = 5},
                           .layout = {.item_width = 5, .history = 1, .recency = 1, .count = true}};
    dq_agent_config c = dq_agent_find("dyna-q")->defaults;
    dq_pool *pool;
    assert_int_equal(dq_pool_new(&pool, 1, NULL), DQ_OK);
    for (int described = 0; described < 2; described++) {
        dq_agent *agent;
        dq_agent_losses losses;
        dq_env_spec shape = dq_sessions_shape(&log);
        if (!described) {
            shape.actions = NULL;
            shape.action_width = 0;
        }
        assert_int_equal(dq_agent_new(&agent, "dyna-q", &c, &shape, pool, NULL), DQ_OK);
        const dq_net_spec *outcome = &dq_agent_network(agent, "world.0")->spec;
        assert_int_equal(outcome->input + outcome->action_width, shape.state_width + (described ? 5 : 2));
        const dq_transition rows[2] = {{.action = 0, .reward = 1, .discount = 1, .done = true},
                                       {.action = 1, .reward = -1, .discount = 1}};
        for (int i = 0; i < 300; i++)
            assert_int_equal(dq_agent_fit(agent, &states, rows, 2, NULL, &losses, NULL), DQ_OK);
        assert_int_equal(dq_agent_predict(agent, &states, NULL, both, 2, next, reward, end, NULL, NULL),
                         DQ_OK);
        assert_true(reward[0] > 0.5F && reward[1] < -0.5F && end[0] > 0.5F && end[1] < 0.5F);
        dq_agent_free(agent);
    }
    dq_pool_free(pool);
}

/* The attribute of the event that is to be predicted, which may well tell what it is, is in no state before
 * it, and neither is that of any later one: whatever stands there, the state is the same. What it was is in
 * the state behind it. */
static void no_state_knows_what_comes(void **state)
{
    (void)state;
    enum { VALUES = 3, WIDTH = HISTORY * ITEMS + HISTORY * VALUES + VALUES * ITEMS + 1 };
    static world w;
    static uint32_t value[EVENTS];
    float seen[WIDTH], other[WIDTH], next[WIDTH];
    populate(&w);
    w.log.value = value;
    w.log.layout.values = VALUES;
    w.log.layout.one_hot = w.log.layout.cross = true;
    for (uint32_t e = 0; e < EVENTS; e++) value[e] = e % VALUES;
    for (uint32_t event = LENGTH; event < (uint32_t)2 * LENGTH; event++) {
        dq_transition row;
        for (int changed = 0; changed < 2; changed++) {
            dq_sessions *sessions;
            assert_int_equal(dq_sessions_new(&sessions, &w.log, true, NULL), DQ_OK);
            dq_offline_rows rows = dq_sessions_rows(sessions, w.group);
            assert_int_equal(rows.state_width, WIDTH);
            rows.fill(rows.self, event, &row, changed ? other : seen, next);
            if (!changed) /* the last one's item at its value */
                assert_true(next[HISTORY * (ITEMS + VALUES) + value[event] * ITEMS + w.item[event]] == 1);
            for (uint32_t e = event; e < (uint32_t)2 * LENGTH; e++) value[e] = (value[e] + 1) % VALUES;
            dq_sessions_free(sessions);
        }
        assert_memory_equal(seen, other, sizeof seen);
        for (uint32_t e = 0; e < EVENTS; e++) value[e] = e % VALUES;
    }
}

/* ---- learning ---- */

static void learns_what_follows(void **state)
{
    (void)state;
    world w;
    dq_offline_config config = usual();
    populate(&w);
    start(&w, &config);
    run_out(&w);
    dq_offline_epoch last = dq_offline_last(w.run);
    assert_int_equal(last.epoch, config.epochs);
    assert_true(last.q_loss < 0.1);
    assert_int_equal(dq_offline_finish(w.run, NULL), DQ_OK);
    for (uint32_t item = 0; item < ITEMS; item++) {
        float q[ITEMS];
        values_after(&w, w.agent, item, q);
        for (uint32_t i = 0; i < ITEMS; i++)
            assert_true(i == (item + 1) % ITEMS || q[i] < q[(item + 1) % ITEMS]);
    }
    drop(&w);
}

/* An item that was passed over is no part of the history: what comes after it follows the item before it. */
static void what_was_passed_over_does_not_enter(void **state)
{
    (void)state;
    world w;
    dq_offline_config config = usual();
    populate(&w);
    for (size_t e = 0; e < EVENTS; e++) w.reward[e] = e % LENGTH == 2 ? -1 : 1;
    config.epochs = 60;
    start(&w, &config);
    run_out(&w);
    float q[ITEMS];
    values_after(&w, w.agent, 1, q); /* 0, 1, (2 passed over), 3 */
    assert_true(q[2] < q[3]);
    drop(&w);
}

/* Events without a reward are not learnt from, but remembered. */
static void what_has_no_reward_is_only_remembered(void **state)
{
    (void)state;
    world w;
    dq_offline_config config = usual();
    populate(&w);
    config.validation = 0;
    for (size_t e = 0; e < EVENTS; e++)
        if (e % LENGTH != 5) w.reward[e] = NAN;
    start(&w, &config);
    assert_int_equal(dq_offline_size(w.run).training, USERS);
    run_out(&w);
    assert_true(isnan(dq_offline_last(w.run).ndcg));
    float q[ITEMS];
    values_after(&w, w.agent, 4, q); /* 0 1 2 3 4, and only the last is rewarded */
    for (uint32_t i = 0; i < ITEMS; i++) assert_true(i == 5 || q[i] < q[5]);
    drop(&w);
}

/* ---- a log's end ---- */

/* A log of one user, who meets two items in turn, or one again and again, and is then gone from it. */
typedef struct short_log {
    uint32_t events, items;
    float reward[2];      /* of either item */
    bool terminal, still; /* still: the state shows the user alone, and so stays */
    double gap;
    uint32_t n_step; /* returns over so many */
} short_log;

enum { LONGEST = 50 };

/* Learns from it; q: what the items are worth at first. */
static void learn_values(const char *kind, const short_log *l, float q[2])
{
    static const float vector[2][1] = {{1}, {-1}};
    static const float *const rows[2] = {vector[0], vector[1]};
    const uint32_t first[2] = {0, l->events};
    uint32_t item[LONGEST];
    float rewards[LONGEST], start[5] = {1};
    double second[LONGEST];
    for (uint32_t e = 0; e < l->events; e++) {
        item[e] = e % l->items;
        rewards[e] = l->reward[e % l->items];
        second[e] = 100.0 * e * e;
    }
    const dq_session_rows log = {.users = {.at = rows, .count = 1, .width = 1},
                                 .items = {.at = rows, .count = l->items, .width = 1},
                                 .layout = {.user_width = 1,
                                            .item_width = 1,
                                            .history = l->still ? 0 : 2,
                                            .recency = 1,
                                            .steps = l->still ? 0 : 10,
                                            .count = !l->still},
                                 .gap = l->gap,
                                 .first = first,
                                 .item = item,
                                 .reward = rewards,
                                 .second = second};
    dq_offline_config config = {
        .epochs = 2000 / ((l->events + 7) / 8), .batch = 8, .n_step = l->n_step, .seed = 1};
    dq_agent_config c = dq_agent_find(kind)->defaults;
    dq_env_spec shape = dq_sessions_shape(&log);
    world w = {0};
    assert_int_equal(dq_sessions_new(&w.sessions, &log, l->terminal, NULL), DQ_OK);
    dq_offline_rows source = dq_sessions_rows(w.sessions, NULL);
    c.gamma = .9;
    c.fit_rows = c.batch = 8;
    c.target_every = 20;
    c.adam.rate = 3e-3;
    if (strcmp(kind, "tabular") == 0) c.alpha = .2;
    if (strcmp(kind, "tabular") == 0) c.states = 100;
    dq_offline_bound(&config, &source, &c);
    assert_int_equal(dq_pool_new(&w.pool, 1, NULL), DQ_OK);
    assert_int_equal(dq_agent_new(&w.agent, kind, &c, &shape, w.pool, NULL), DQ_OK);
    assert_int_equal(dq_offline_new(&w.run, &config, w.agent, &source, NULL), DQ_OK);
    run_out(&w);
    const float *one[] = {start};
    const dq_vectors states = {one, 1, shape.state_width};
    dq_agent_values(w.agent, &states, NULL, 1, q);
    drop(&w);
}

static void expect_worth(const char *kind, const short_log *log, int item, double wanted)
{
    float q[2];
    learn_values(kind, log, q);
    if (fabs((double)q[item] - wanted) > .2)
        fail_msg("%s, %u events%s%s, gap %g, rewards %g and %g: item %d is worth %g, not %g", kind,
                 log->events, log->terminal ? ", terminal" : "", log->still ? ", still" : "", log->gap,
                 (double)log->reward[0], (double)log->reward[1], item, (double)q[item], wanted);
}

/* A reward that never ends is worth r / (1 - gamma), however much of it was logged: the log's end is none.
 * Where the state stays, the better item is worth that, and the other one as much less as its reward. */
static void endless_reward_is_worth_its_sum_from_any_log(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {1, 2, 5, 50};
    static const char *const kinds[] = {"tabular", "dqn"};
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < 4; i++) {
            uint32_t n = lengths[i];
            expect_worth(kinds[k], &(short_log){.events = n, .items = 2, .reward = {1, 1}}, 0, 10);
            expect_worth(kinds[k], &(short_log){.events = n, .items = 2, .reward = {-1, -1}}, 0, -10);
            expect_worth(kinds[k], &(short_log){.events = n, .items = 2, .reward = {1, 1}, .gap = 500}, 0,
                         10);
            expect_worth(kinds[k], &(short_log){.events = n, .items = 2, .reward = {1, 0}, .still = true}, 0,
                         10);
            if (n > 1)
                expect_worth(kinds[k], &(short_log){.events = n, .items = 2, .reward = {1, 0}, .still = true},
                             1, 9);
            expect_worth(kinds[k],
                         &(short_log){.events = n, .items = 2, .reward = {1, 1}, .gap = 500, .n_step = 3}, 0,
                         10);
        }
}

/* Where sessions end, what is still to come is worth what was logged of it. */
static void a_session_that_ends_is_worth_what_it_brought(void **state)
{
    (void)state;
    static const char *const kinds[] = {"tabular", "dqn"};
    for (int k = 0; k < 2; k++) {
        for (uint32_t n = 1; n <= 5; n++)
            expect_worth(kinds[k], &(short_log){.events = n, .items = 1, .reward = {1}, .terminal = true}, 0,
                         (1 - pow(.9, n)) / (1 - .9));
    }
    /* Gaps of 100, 300, 500 and 700 seconds: a session of four, and one of one, which begin alike. */
    expect_worth("dqn", &(short_log){.events = 5, .items = 1, .reward = {1}, .terminal = true, .gap = 600}, 0,
                 (1 + (1 - pow(.9, 4)) / (1 - .9)) / 2);
}

/* Two users, of four events and one; a gap before the third event of the first. */
static void what_follows_is_the_next_event_of_the_session(void **state)
{
    (void)state;
    static const uint32_t first[] = {0, 4, 5}, item[] = {0, 1, 0, 1, 0};
    static const uint32_t whole[] = {1, 2, 3, NONE, NONE}, cut[] = {1, NONE, 3, NONE, NONE};
    static const float reward[] = {1, 1, 1, 1, 1}, vector[] = {1, 2};
    static const double second[] = {0, 10, 500, 510, 0};
    const float *at[2] = {&vector[0], &vector[1]};
    for (int terminal = 0; terminal < 2; terminal++)
        for (double gap = 0; gap <= 100; gap += 100) {
            const dq_session_rows log = {.users = {.count = 2},
                                         .items = {.at = at, .count = 2, .width = 1},
                                         .layout = {.item_width = 1, .history = 1, .recency = 1},
                                         .gap = gap,
                                         .first = first,
                                         .item = item,
                                         .reward = reward,
                                         .second = second};
            dq_sessions *sessions;
            assert_int_equal(dq_sessions_new(&sessions, &log, terminal, NULL), DQ_OK);
            dq_offline_rows rows = dq_sessions_rows(sessions, NULL);
            assert_memory_equal(rows.following, gap > 0 ? cut : whole, sizeof whole);
            assert_int_equal(rows.ends, terminal);
            for (size_t e = 0; e < 5; e++) {
                dq_transition t;
                rows.fill(rows.self, e, &t, NULL, NULL);
                assert_int_equal(t.done, terminal && rows.following[e] == NONE);
            }
            dq_sessions_free(sessions);
        }
}

/* ---- held-out users ---- */

static void held_out_users_are_evaluated_by_rank(void **state)
{
    (void)state;
    world w;
    dq_offline_config config = usual();
    populate(&w);
    config.epochs = 1;
    start(&w, &config);
    dq_offline_sizes sizes = dq_offline_size(w.run);
    assert_int_equal(sizes.groups, USERS);
    assert_int_equal(sizes.held_out_groups, USERS / 5);
    assert_int_equal(sizes.training + sizes.held_out, EVENTS);
    run_out(&w);
    dq_offline_epoch epoch = dq_offline_last(w.run);
    assert_true(epoch.best);
    assert_true(epoch.hit == 1); /* of eight items each is in the first ten */
    assert_true(epoch.ndcg > 1 / log2(9) && epoch.ndcg <= 1);
    drop(&w);
}

static void patience_stops_and_the_best_weights_return(void **state)
{
    (void)state;
    world w;
    dq_offline_config config = usual();
    float best[ITEMS], after[ITEMS];
    double greatest = 0;
    populate(&w);
    config.epochs = 1000;
    config.patience = 3;
    start(&w, &config);
    while (!dq_offline_done(w.run)) {
        bool ended;
        assert_int_equal(dq_offline_step(w.run, &ended, NULL), DQ_OK);
        if (!ended) continue;
        dq_offline_epoch epoch = dq_offline_last(w.run);
        assert_int_equal(epoch.best, epoch.ndcg > greatest);
        if (epoch.best) values_after(&w, w.agent, 3, best);
        if (epoch.best) greatest = epoch.ndcg;
    }
    assert_true(dq_offline_last(w.run).epoch < config.epochs);
    assert_int_equal(dq_offline_finish(w.run, NULL), DQ_OK);
    values_after(&w, w.agent, 3, after);
    assert_memory_equal(after, best, sizeof best);
    drop(&w);
}

/* ---- going on ---- */

/* Saved after any number of batches and taken up by a run made anew, it ends with the same weights. */
static void resumes_exactly(void **state)
{
    (void)state;
    dq_offline_config config = usual();
    float whole[ITEMS], resumed[ITEMS];
    world w;
    config.epochs = 4;
    populate(&w);
    start(&w, &config);
    run_out(&w);
    assert_int_equal(dq_offline_finish(w.run, NULL), DQ_OK);
    values_after(&w, w.agent, 3, whole);
    drop(&w);
    for (int cut = 1; cut < 60; cut += 13) {
        world a, b;
        dq_bundle model;
        populate(&a);
        populate(&b);
        start(&a, &config);
        for (int i = 0; i < cut; i++) step(&a);
        assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
        assert_int_equal(dq_agent_save(a.agent, true, &model, NULL), DQ_OK);
        assert_int_equal(dq_offline_save(a.run, &model, NULL), DQ_OK);
        start(&b, &config);
        assert_int_equal(dq_agent_load(b.agent, true, &model, NULL), DQ_OK);
        assert_int_equal(dq_offline_restore(b.run, &model, NULL), DQ_OK);
        dq_bundle_free(&model);
        run_out(&b);
        assert_int_equal(dq_offline_finish(b.run, NULL), DQ_OK);
        values_after(&b, b.agent, 3, resumed);
        assert_memory_equal(resumed, whole, sizeof whole);
        drop(&a);
        drop(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shape_describes_actions),
        cmocka_unit_test(a_world_model_tells_actions_apart),
        cmocka_unit_test(no_state_knows_what_comes),
        cmocka_unit_test(learns_what_follows),
        cmocka_unit_test(what_was_passed_over_does_not_enter),
        cmocka_unit_test(what_has_no_reward_is_only_remembered),
        cmocka_unit_test(endless_reward_is_worth_its_sum_from_any_log),
        cmocka_unit_test(a_session_that_ends_is_worth_what_it_brought),
        cmocka_unit_test(what_follows_is_the_next_event_of_the_session),
        cmocka_unit_test(held_out_users_are_evaluated_by_rank),
        cmocka_unit_test(patience_stops_and_the_best_weights_return),
        cmocka_unit_test(resumes_exactly),
    };
    return cmocka_run_group_tests_name("sessions", tests, NULL, NULL);
}
