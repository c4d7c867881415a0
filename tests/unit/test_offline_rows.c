/* SPDX-License-Identifier: MIT
 *
 * Where offline training's rows come from, and what becomes of them in a batch: returns over n steps,
 * negatives, draws by priority.
 */
#include "offline/offline_impl.h"
#include "offline/rows.h"

#include "tables.h"

#include <math.h>
#include <stdlib.h>

#define NONE DQ_OFFLINE_NO_ROW

/* ---- a catalogue's transitions ---- */

static void add(dq_dataset *dataset, dq_bundle b)
{
    assert_int_equal(dq_dataset_add(dataset, &b, 0, NULL), DQ_OK);
    dq_bundle_free(&b);
}

static dq_bundle entities(const char *kind, uint64_t count, const char *const *ids)
{
    static const float vectors[6] = {1, 2, 3, 4, 5, 6};
    dq_bundle b = table(kind, count);
    add_texts(&b, "id", DQ_TEXT, ids);
    add_vectors(&b, DQ_F4, 2, vectors);
    return b;
}

static void transitions_are_rows_and_interactions_have_met(void **state)
{
    (void)state;
    static const uint32_t user[3] = {0, 1, 1}, item[3] = {2, 0, 1}, group[2] = {7, 7};
    static const float reward[3] = {0.5F, 0, -1};
    static const uint8_t none[3] = {0, 1, 0}, done[3] = {0, 0, 1};
    dq_dataset d = DQ_DATASET_EMPTY;
    dq_offline_catalogue c;
    dq_transition t;
    add(&d, entities("users", 2, TEXTS("a", "b")));
    add(&d, entities("items", 3, TEXTS("x", "y", "z")));
    dq_bundle b = table("transitions", 3);
    add_numbers(&b, "user", DQ_U4, user, "users", NULL);
    add_numbers(&b, "item", DQ_U4, item, "items", NULL);
    add_numbers(&b, "reward", DQ_F4, reward, NULL, none);
    add_numbers(&b, "done", DQ_U1, done, NULL, NULL);
    add(&d, b);
    b = table("interactions", 1);
    add_texts(&b, "user", DQ_TEXT, TEXTS("a"));
    add_texts(&b, "item", DQ_TEXT, TEXTS("y"));
    add(&d, b);
    assert_int_equal(dq_catalogue_finish(&d.catalogue, false, NULL), DQ_OK);
    assert_int_equal(dq_offline_catalogue_init(&c, &d, NULL), DQ_OK);
    dq_offline_rows rows = dq_offline_catalogue_rows(&c, group);
    assert_true(rows.count == 3 && rows.users == 2 && rows.actions == 3 && rows.state_width == 2);
    assert_true(rows.states.count == 2 && rows.states.at[1][0] == 3 && rows.group == group);
    assert_true(rows.user[2] == 1 && rows.action[2] == 1 && isnan(rows.reward[1]) && !rows.following);
    rows.fill(rows.self, 2, &t, NULL, NULL);
    assert_true(t.state == 1 && t.action == 1 && t.next == 1 && t.reward == -1 && t.done);
    c.reward[0] = 0.75F; /* as a weight that changes from epoch to epoch does */
    rows.fill(rows.self, 0, &t, NULL, NULL);
    assert_true(t.state == 0 && t.action == 2 && t.reward == 0.75F && !t.done);
    assert_int_equal(dq_pairset_count(rows.met), 4);
    assert_true(dq_pairset_has(rows.met, 0, 1) && dq_pairset_has(rows.met, 1, 0));
    assert_false(dq_pairset_has(rows.met, 0, 0));
    dq_offline_catalogue_free(&c);
    dq_dataset_free(&d);
}

/* ---- returns over n steps, by hand ---- */

/* States are one number; the rows of two episodes come by turns. */
enum { LOG = 10 };

static const float log_state[LOG] = {10, 20, 11, 21, 12, 30, 35, 40, 41, 42};
static const float log_next[LOG] = {11, 21, 12, 22, 13, 31, 36, 41, 42, 43};
static const uint32_t log_episode[LOG] = {0, 1, 0, 1, 0, 2, 2, 3, 3, 3};
static const uint32_t log_action[LOG] = {0, 1, 0, 1, 0, 1, 0, 1, 0, 1};
static const float log_reward[LOG] = {1, 8, 2, 16, 4, 1, 1, 1, NAN, 1};
static const uint8_t log_done[LOG] = {[3] = 1};

typedef struct world {
    dq_pool *pool;
    dq_agent *agent;
    dq_offline *run;
    dq_offline_vectors log;
    dq_offline_rows rows;
} world;

static void make_agent(world *w, const dq_offline_config *config, const char *kind, double gamma, double rate)
{
    dq_agent_config c = dq_agent_find(kind)->defaults;
    dq_env_spec shape = {.state_width = w->log.state_width, .action_count = w->log.actions};
    c.hidden_count = 1;
    c.hidden[0] = 8;
    c.dropout = 0;
    c.gamma = gamma;
    c.adam.rate = rate;
    c.target_every = 10;
    c.target_by = DQ_BY_UPDATES;
    c.batch = config->batch;
    c.fit_rows = DQ_OFFLINE_ROWS(*config);
    assert_int_equal(dq_pool_new(&w->pool, 1, NULL), DQ_OK);
    assert_int_equal(dq_agent_new(&w->agent, kind, &c, &shape, w->pool, NULL), DQ_OK);
}

static void drop(world *w)
{
    dq_offline_free(w->run);
    dq_agent_free(w->agent);
    dq_pool_free(w->pool);
    free(w->log.following);
}

static void start_log(world *w, const dq_offline_config *config)
{
    *w = (world){.log = {.count = LOG,
                         .state_width = 1,
                         .actions = 2,
                         .episodes = 4,
                         .state = log_state,
                         .next = log_next,
                         .action = log_action,
                         .episode = log_episode,
                         .reward = log_reward,
                         .done = log_done}};
    assert_int_equal(dq_offline_vectors_follow(&w->log, NULL), DQ_OK);
    w->rows = dq_offline_vectors_rows(&w->log);
    make_agent(w, config, "dqn", 0.5, 1e-3);
    assert_int_equal(dq_offline_new(&w->run, config, w->agent, &w->rows, NULL), DQ_OK);
}

static void what_follows_begins_where_the_row_ended(void **state)
{
    (void)state;
    static const uint32_t following[LOG] = {2, 3, 4, NONE, NONE, NONE, NONE, 8, 9, NONE};
    world w;
    dq_offline_config config = {.epochs = 1, .batch = 4};
    start_log(&w, &config);
    assert_memory_equal(w.rows.following, following, sizeof following);
    drop(&w);
}

typedef struct wanted {
    uint32_t row;
    float reward, discount, next;
    bool done;
} wanted;

/* gamma is 1/2. A cut bootstraps from where the log was cut, an end from nothing, and a row without a reward
 * from the state that it begins in. */
static void returns_are_summed_over_what_follows(void **state)
{
    (void)state;
    static const wanted three[] = {
        {0, 1 + 1 + 1, 0.25F, 13, false}, /* three steps */
        {2, 2 + 2, 0.5F, 13, false},      /* two, and the log is cut */
        {4, 4, 1, 13, false},             /* one */
        {1, 8 + 8, 0.5F, 22, true},       /* two, and an end */
        {3, 16, 1, 22, true},
        {5, 1, 1, 31, false}, /* what comes next in the log begins elsewhere */
        {7, 1, 1, 41, false}, /* the next one's reward is unknown */
        {9, 1, 1, 43, false},
    };
    static const wanted two[] = {{0, 1 + 1, 0.5F, 12, false}, {1, 8 + 8, 0.5F, 22, true}};
    static const wanted one[] = {{0, 1, 1, 11, false}, {1, 8, 1, 21, false}, {3, 16, 1, 22, true}};
    static const struct {
        uint32_t n;
        const wanted *rows;
        size_t count;
    } tables[] = {{3, three, 8}, {2, two, 2}, {1, one, 3}, {0, one, 3}};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        world w;
        dq_offline_config config = {.epochs = 1, .batch = 4, .n_step = tables[i].n};
        start_log(&w, &config);
        for (size_t r = 0; r < tables[i].count; r++) {
            const wanted *row = &tables[i].rows[r];
            bool ends = offline_fill(w.run, 1, row->row);
            const dq_transition *t = &w.run->batch[1];
            assert_true(t->reward == row->reward && t->discount == row->discount && t->done == row->done);
            assert_true(t->state == 2 && t->next == 3 && t->action == log_action[row->row]);
            assert_true(w.run->states.at[2][0] == log_state[row->row]);
            assert_true(w.run->states.at[3][0] == row->next);
            assert_int_equal(ends, log_done[row->row]);
        }
        drop(&w);
    }
}

/* What was passed over leaves the state as it is, takes one step, and ends what its row ends by itself. */
static void a_negative_stands_in_its_row_s_state(void **state)
{
    (void)state;
    world w;
    dq_offline_config config = {.epochs = 1, .batch = 4, .n_step = 3, .negative_reward = -0.5F};
    start_log(&w, &config);
    bool ends = offline_fill(w.run, 0, 1); /* ends after its second step, not after its first */
    offline_pass_over(w.run, 1, 0, ends, 0);
    const dq_transition *t = &w.run->batch[1];
    assert_true(t->state == 0 && t->next == 0 && t->action == 0 && t->reward == -0.5F);
    assert_true(t->discount == 1 && !t->done && w.run->batch[0].done);
    drop(&w);
}

static void a_world_model_learns_single_steps(void **state)
{
    (void)state;
    world w;
    dq_offline *run;
    dq_error e = DQ_ERROR_NONE;
    dq_offline_config config = {.epochs = 1, .batch = 4};
    start_log(&w, &config);
    dq_offline_free(w.run);
    dq_agent_free(w.agent);
    dq_pool_free(w.pool);
    make_agent(&w, &config, "dyna-q", 0.5, 1e-3);
    assert_int_equal(dq_offline_new(&w.run, &config, w.agent, &w.rows, NULL), DQ_OK);
    config.n_step = 2;
    assert_int_equal(dq_offline_new(&run, &config, w.agent, &w.rows, &e), DQ_ERR_RANGE);
    assert_non_null(strstr(e.reason, "single steps"));
    drop(&w);
}

/* ---- learning from vectors ---- */

enum { PLACES = 4, COPIES = 30, CORRIDOR = COPIES * PLACES * 2 };

/* A corridor of four places: action 1 goes right, and the last place pays 1. Each place is left to both
 * sides, or to the right alone. */
typedef struct corridor {
    float state[CORRIDOR][PLACES], next[CORRIDOR][PLACES], reward[CORRIDOR];
    uint32_t action[CORRIDOR], episode[CORRIDOR];
    uint8_t done[CORRIDOR];
} corridor;

static void log_corridor(corridor *c, bool both, world *w)
{
    uint32_t rows = both ? CORRIDOR : CORRIDOR / 2;
    memset(c, 0, sizeof *c);
    for (uint32_t r = 0; r < rows; r++) {
        uint32_t at = (both ? r / 2 : r) % PLACES, right = !both || r % 2;
        uint32_t to = right ? at + 1 : at ? at - 1 : 0;
        c->state[r][at] = 1;
        if (to < PLACES) c->next[r][to] = 1;
        c->done[r] = to == PLACES;
        c->reward[r] = c->done[r];
        c->action[r] = right;
        c->episode[r] = r * COPIES / rows;
    }
    *w = (world){.log = {.count = rows,
                         .state_width = PLACES,
                         .actions = 2,
                         .episodes = COPIES,
                         .state = c->state[0],
                         .next = c->next[0],
                         .action = c->action,
                         .episode = c->episode,
                         .reward = c->reward,
                         .done = c->done}};
}

/* Q of going right is gamma to the power of the steps that are left: by bootstrapping over single steps, or
 * as the return over all of them. */
static void learns_from_transitions(void **state)
{
    (void)state;
    static corridor c;
    for (uint32_t n = 1; n <= PLACES; n += PLACES - 1) {
        world w;
        dq_offline_config config = {.epochs = 300, .batch = 24, .validation = 0.2, .n_step = n, .seed = 1};
        bool ended;
        log_corridor(&c, n == 1, &w);
        assert_int_equal(dq_offline_vectors_follow(&w.log, NULL), DQ_OK);
        w.rows = dq_offline_vectors_rows(&w.log);
        make_agent(&w, &config, "dqn", 0.5, 5e-3);
        assert_int_equal(dq_offline_new(&w.run, &config, w.agent, &w.rows, NULL), DQ_OK);
        while (!dq_offline_done(w.run)) assert_int_equal(dq_offline_step(w.run, &ended, NULL), DQ_OK);
        assert_true(isnan(dq_offline_last(w.run).ndcg));
        for (uint32_t at = 0; at < PLACES; at++) {
            float q[2], place[PLACES] = {0};
            const float *one[] = {place};
            const dq_vectors places = {one, 1, PLACES};
            place[at] = 1;
            dq_agent_values(w.agent, &places, NULL, 1, q);
            assert_true(fabs((double)q[1] - pow(0.5, PLACES - 1 - at)) < 0.05);
        }
        drop(&w);
    }
}

/* ---- by priority ---- */

enum { DRAWN = 8 };

/* Rows of one-hot states that count how often they are filled. */
typedef struct counted {
    float state[DRAWN][DRAWN], reward[DRAWN];
    const float *at[DRAWN];
    uint32_t user[DRAWN], action[DRAWN];
    size_t times[DRAWN];
    dq_pairset met; /* each user has met action 0 of two */
} counted;

static void fill_counted(void *self, size_t row, dq_transition *t, float *state, float *next)
{
    counted *c = self;
    memcpy(state, c->state[row], sizeof c->state[row]);
    memcpy(next, c->state[row], sizeof c->state[row]);
    *t = (dq_transition){.action = 0, .reward = c->reward[row], .done = true};
    c->times[row]++;
}

static dq_offline_rows count_rows(counted *c)
{
    *c = (counted){0};
    for (uint32_t i = 0; i < DRAWN; i++) {
        c->state[i][i] = 1;
        c->at[i] = c->state[i];
        c->reward[i] = (float)(i + 1) / 2;
        c->user[i] = i;
        assert_int_equal(dq_pairset_add(&c->met, i, 0, NULL, NULL), DQ_OK);
    }
    return (dq_offline_rows){.self = c,
                             .count = DRAWN,
                             .users = DRAWN,
                             .user = c->user,
                             .action = c->action,
                             .reward = c->reward,
                             .actions = 2,
                             .state_width = DRAWN,
                             .fill = fill_counted,
                             .met = &c->met};
}

/* Of an agent that does not learn the errors are known, and so are the shares; negatives have no say. */
static void rows_are_drawn_by_the_power_of_their_error(void **state)
{
    (void)state;
    for (size_t negatives = 0; negatives < 2; negatives++) {
        world w = {.log = {.state_width = DRAWN, .actions = 2}};
        counted c;
        float q[DRAWN][2];
        double share[DRAWN], sum = 0, drawn = 0;
        dq_offline_config config = {.epochs = 4000,
                                    .batch = 4,
                                    .negatives = negatives,
                                    .negative_reward = 9,
                                    .priority = 0.7,
                                    .importance = 0.5,
                                    .seed = 2};
        bool ended;
        dq_offline_rows rows = count_rows(&c);
        make_agent(&w, &config, "dqn", 0, 1e-12);
        assert_int_equal(dq_offline_new(&w.run, &config, w.agent, &rows, NULL), DQ_OK);
        while (dq_offline_last(w.run).epoch < 200) /* each row's error is known by then */
            assert_int_equal(dq_offline_step(w.run, &ended, NULL), DQ_OK);
        memset(c.times, 0, sizeof c.times);
        while (!dq_offline_done(w.run)) assert_int_equal(dq_offline_step(w.run, &ended, NULL), DQ_OK);
        const dq_vectors states = {c.at, DRAWN, DRAWN};
        dq_agent_values(w.agent, &states, NULL, DRAWN, q[0]);
        for (uint32_t i = 0; i < DRAWN; i++) {
            share[i] = pow(fabs((double)(q[i][0] - c.reward[i])) + 1e-6, config.priority);
            sum += share[i];
            drawn += (double)c.times[i];
        }
        assert_true(drawn == 3800 * DRAWN);    /* a pass draws as many as it would shuffle */
        for (uint32_t i = 0; i < DRAWN; i++) { /* within four standard deviations */
            double due = share[i] / sum, sd = sqrt(due * (1 - due) / drawn);
            assert_true(fabs((double)c.times[i] / drawn - due) < 4 * sd);
        }
        assert_true(dq_offline_last(w.run).beta == 1);
        dq_pairset_free(&c.met);
        drop(&w);
    }
}

/* One state, whose reward is -2, and -1 once in ten times: with beta 1 its value is the mean, -1.9, though
 * the surprise is drawn as often as all others together. Without weights it would be where 9 (q + 2)^2 is (q
 * + 1)^2, at -1.75. */
static void importance_weights_undo_the_bias(void **state)
{
    (void)state;
    enum { MANY = 10 };
    world w = {.log = {.count = MANY, .state_width = 1, .actions = 1, .episodes = MANY}};
    static const float ones[MANY] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
                       reward[MANY] = {-2, -2, -2, -2, -1, -2, -2, -2, -2, -2};
    static const uint32_t zeros[MANY] = {0}, each[MANY] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    static const uint8_t done[MANY] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    dq_offline_config config = {.epochs = 4000, .batch = MANY, .priority = 1, .importance = 1, .seed = 4};
    const float *one[] = {ones};
    const dq_vectors states = {one, 1, 1};
    double sum = 0;
    bool ended;
    w.log.state = w.log.next = ones;
    w.log.action = zeros;
    w.log.episode = each;
    w.log.reward = reward;
    w.log.done = done;
    w.rows = dq_offline_vectors_rows(&w.log);
    make_agent(&w, &config, "dqn", 0, 1e-3);
    assert_int_equal(dq_offline_new(&w.run, &config, w.agent, &w.rows, NULL), DQ_OK);
    while (!dq_offline_done(w.run)) {
        float q;
        assert_int_equal(dq_offline_step(w.run, &ended, NULL), DQ_OK);
        dq_agent_values(w.agent, &states, NULL, 1, &q);
        if (dq_offline_last(w.run).epoch > 2000) sum += (double)q / 2000;
    }
    assert_true(fabs(sum + 1.9) < 0.05);
    drop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transitions_are_rows_and_interactions_have_met),
        cmocka_unit_test(what_follows_begins_where_the_row_ended),
        cmocka_unit_test(returns_are_summed_over_what_follows),
        cmocka_unit_test(a_negative_stands_in_its_row_s_state),
        cmocka_unit_test(a_world_model_learns_single_steps),
        cmocka_unit_test(learns_from_transitions),
        cmocka_unit_test(rows_are_drawn_by_the_power_of_their_error),
        cmocka_unit_test(importance_weights_undo_the_bias),
    };
    return cmocka_run_group_tests_name("offline_rows", tests, NULL, NULL);
}
