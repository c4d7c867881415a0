/* SPDX-License-Identifier: MIT
 *
 * Reptile: its outer update against the formula, a run against one by hand, and the paper's own example.
 */
#include "dq/schema.h"
#include "offline/meta.h"
#include "offline/rows.h"

#include "allocations.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Users are sines, a sin(x + b), each of its own height and phase, which no state tells; items are places x
 * from -5 to 5. A user has SHOTS rows. */
enum { USERS = 600, ITEMS = 41, SHOTS = 10, ROWS = USERS * SHOTS, NEW = 40 };

typedef struct world {
    dq_pool *pool;
    dq_agent *agent;
    dq_offline *run;
    float state[1], item[ITEMS][1];
    const float *user_at[USERS], *item_at[ITEMS];
    double height[USERS], phase[USERS];
    dq_transition row[ROWS];
    float reward[ROWS];
    uint32_t row_user[ROWS], row_item[ROWS];
    dq_offline_catalogue source;
    dq_env_spec shape;
    dq_agent_config config;
} world;

static double place(uint32_t item)
{
    return -5 + 10 * (double)item / (ITEMS - 1);
}

static float sine(const world *w, uint32_t user, uint32_t item)
{
    return (float)(w->height[user] * sin(place(item) + w->phase[user]));
}

static void populate(world *w)
{
    dq_rng rng = dq_rng_new(8);
    memset(w, 0, sizeof *w);
    w->state[0] = 1;
    for (uint32_t i = 0; i < ITEMS; i++) {
        w->item[i][0] = (float)place(i) / 5;
        w->item_at[i] = w->item[i];
    }
    for (uint32_t u = 0; u < USERS; u++) {
        uint32_t drawn[SHOTS], scratch[ITEMS];
        w->user_at[u] = w->state;
        w->height[u] = 0.1 + 4.9 * dq_rng_uniform(&rng); /* the paper's: [0.1, 5], [0, 2 pi] */
        w->phase[u] = 2 * acos(-1) * dq_rng_uniform(&rng);
        dq_rng_sample(&rng, drawn, SHOTS, scratch, ITEMS);
        for (uint32_t k = 0; k < SHOTS; k++) {
            size_t r = (size_t)u * SHOTS + k;
            w->row[r] = (dq_transition){.state = u, .action = drawn[k], .next = u, .discount = 1};
            w->row_user[r] = u;
            w->row_item[r] = drawn[k];
            w->reward[r] = sine(w, u, drawn[k]);
        }
    }
}

static dq_offline_config usual(void)
{
    return (dq_offline_config){
        .epochs = 1, .batch = 5, .seed = 3, .meta = {.users = 4, .steps = 3, .step = 0.5, .step_end = 0.5}};
}

static dq_agent_config usual_agent(const char *kind)
{
    dq_agent_config c = dq_agent_find(kind)->defaults;
    c.hidden_count = 2;
    c.hidden[0] = c.hidden[1] = 32;
    c.activation = DQ_TANH;
    c.head = DQ_HEAD_ACTIONS;
    c.gamma = 0;
    c.loss = DQ_LOSS_MSE;
    c.clip_norm = 0;
    c.adam.rate = 1e-2;
    return c;
}

static dq_status try_start(world *w, dq_offline_config config, const char *kind, dq_agent_config c,
                           dq_error *error)
{
    w->source = (dq_offline_catalogue){.users = {w->user_at, USERS, 1},
                                       .items = ITEMS,
                                       .count = ROWS,
                                       .transitions = w->row,
                                       .reward = w->reward,
                                       .user = w->row_user,
                                       .action = w->row_item};
    for (size_t i = 0; i < ROWS; i++)
        assert_int_equal(dq_pairset_add(&w->source.met, w->row_user[i], w->row_item[i], NULL, NULL), DQ_OK);
    dq_offline_rows rows = dq_offline_catalogue_rows(&w->source, NULL);
    w->shape = (dq_env_spec){.state_width = 1,
                             .action_count = ITEMS,
                             .action_width = 1,
                             .actions = w->item_at,
                             .states = {w->user_at, USERS, 1}};
    c.batch = config.batch;
    dq_offline_learn_only(&config, &c);
    config.seed = 3;
    dq_offline_suit(&config, &rows, &c);
    w->config = c;
    assert_int_equal(dq_pool_new(&w->pool, 1, NULL), DQ_OK);
    dq_status status = dq_agent_new(&w->agent, kind, &c, &w->shape, w->pool, error);
    return status ? status : dq_offline_new(&w->run, &config, w->agent, &rows, error);
}

static void start(world *w, dq_offline_config config, const char *kind, dq_agent_config c)
{
    populate(w);
    assert_int_equal(try_start(w, config, kind, c, NULL), DQ_OK);
}

static void drop(world *w)
{
    dq_offline_free(w->run);
    dq_agent_free(w->agent);
    dq_pool_free(w->pool);
    dq_pairset_free(&w->source.met);
}

static void go(world *w)
{
    bool ended;
    while (!dq_offline_done(w->run)) assert_int_equal(dq_offline_step(w->run, &ended, NULL), DQ_OK);
    assert_int_equal(dq_offline_finish(w->run, NULL), DQ_OK);
}

/* ---- weights ---- */

enum { MAX_WEIGHTS = 1 << 13 };

/* All weights of a network, in the order of its columns; returns how many. */
static size_t weights_of(world *w, const char *name, double *to)
{
    dq_bundle model;
    size_t n = 0;
    assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
    assert_int_equal(dq_net_save(dq_agent_network(w->agent, name), name, false, &model, NULL), DQ_OK);
    for (size_t c = 0; c < model.column_count; c++) {
        const dq_column *column = &model.columns[c];
        size_t count = dq_column_width(column) * column->shape[0];
        for (size_t i = 0; i < count; i++) to[n++] = (double)((const float *)column->data)[i];
    }
    dq_bundle_free(&model);
    assert_true(n > 0 && n < MAX_WEIGHTS);
    return n;
}

/* Puts them back; the optimiser is not touched. */
static void set_weights(world *w, const char *name, const double *from)
{
    static float flat[MAX_WEIGHTS];
    dq_bundle model;
    size_t n = 0;
    assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
    assert_int_equal(dq_net_save(dq_agent_network(w->agent, name), name, false, &model, NULL), DQ_OK);
    for (size_t c = 0; c < model.column_count; c++) {
        size_t count = dq_column_width(&model.columns[c]) * model.columns[c].shape[0];
        for (size_t i = 0; i < count; i++) flat[n + i] = (float)from[n + i];
        model.columns[c].data = flat + n;
        n += count;
    }
    assert_int_equal(dq_net_load(dq_agent_network(w->agent, name), name, false, &model, NULL), DQ_OK);
    dq_bundle_free(&model);
}

static void fit(world *w, const uint32_t *rows, size_t n)
{
    dq_transition batch[SHOTS];
    dq_agent_losses losses;
    for (size_t i = 0; i < n; i++) {
        batch[i] = w->row[rows[i]];
        batch[i].reward = w->reward[rows[i]];
    }
    assert_int_equal(dq_agent_fit(w->agent, &w->shape.states, batch, n, NULL, &losses, NULL), DQ_OK);
}

/* ---- the outer update ---- */

/* w + 0.3 (mean of two adapted - w), of Q, of what it is bootstrapped from and of the world model. */
static void the_outer_update_is_a_step_to_the_mean(void **state)
{
    (void)state;
    static const char *const names[] = {"q", "target", "world.0"};
    static double before[3][MAX_WEIGHTS], sum[3][MAX_WEIGHTS], after[MAX_WEIGHTS];
    world *w = test_malloc(sizeof *w);
    dq_agent_config c = usual_agent("dyna-q");
    c.gamma = 0.5;
    c.target_every = 1;
    start(w, usual(), "dyna-q", c);
    size_t counts[3];
    dq_meta *meta;
    memset(sum, 0, sizeof sum);
    assert_int_equal(dq_meta_new(&meta, w->agent, NULL), DQ_OK);
    for (int k = 0; k < 3; k++) counts[k] = weights_of(w, names[k], before[k]);
    dq_meta_begin(meta);
    for (uint32_t user = 0; user < 2; user++) {
        const uint32_t rows[] = {user * SHOTS, user * SHOTS + 1, user * SHOTS + 2};
        fit(w, rows, 3);
        fit(w, rows, 2);
        for (int k = 0; k < 3; k++) {
            weights_of(w, names[k], after);
            for (size_t i = 0; i < counts[k]; i++) sum[k][i] += after[i] / 2;
        }
        dq_meta_adapted(meta);
        for (int k = 0; k < 3; k++) {
            weights_of(w, names[k], after);
            assert_memory_equal(after, before[k], counts[k] * sizeof *after);
        }
    }
    dq_meta_update(meta, 0.3);
    for (int k = 0; k < 3; k++) {
        double moved = 0;
        weights_of(w, names[k], after);
        for (size_t i = 0; i < counts[k]; i++) {
            double wanted = before[k][i] + 0.3 * (sum[k][i] - before[k][i]);
            assert_true(fabs(after[i] - wanted) < 1e-6);
            moved = fmax(moved, fabs(after[i] - before[k][i]));
        }
        assert_true(moved > 1e-3);
    }
    dq_meta_free(meta);
    drop(w);
    test_free(w);
}

/* ---- a run ---- */

/* One outer update by hand, from the rows in the order that the run's random numbers say. */
static void by_hand(world *w, const dq_offline_config *config, const uint32_t *users, dq_rng *rng,
                    double step)
{
    static double begin[MAX_WEIGHTS], adapted[MAX_WEIGHTS], sum[MAX_WEIGHTS];
    size_t n = weights_of(w, "q", begin);
    memset(sum, 0, sizeof sum);
    for (uint32_t u = 0; u < config->meta.users; u++) {
        uint32_t rows[SHOTS], batch[SHOTS];
        for (uint32_t k = 0; k < SHOTS; k++) rows[k] = users[u] * SHOTS + k;
        dq_rng_shuffle(rng, rows, SHOTS);
        for (size_t k = 0; k < config->meta.steps; k++) {
            for (size_t i = 0; i < config->batch; i++) batch[i] = rows[(k * config->batch + i) % SHOTS];
            fit(w, batch, config->batch);
        }
        weights_of(w, "q", adapted);
        for (size_t i = 0; i < n; i++) sum[i] += adapted[i] / config->meta.users;
        set_weights(w, "q", begin);
    }
    for (size_t i = 0; i < n; i++) begin[i] += step * (sum[i] - begin[i]);
    set_weights(w, "q", begin);
}

/* Adam's moments go on from user to user in both; the step falls from 0.8 to 0.2 over the run. */
static void a_run_equals_one_by_hand(void **state)
{
    (void)state;
    static double found[MAX_WEIGHTS], wanted[MAX_WEIGHTS];
    world *w = test_malloc(sizeof *w), *v = test_malloc(sizeof *v);
    dq_offline_config config = usual();
    config.meta.step = 0.8;
    config.meta.step_end = 0.2;
    start(w, config, "dqn", usual_agent("dqn"));
    start(v, config, "dqn", usual_agent("dqn"));
    assert_true(w->config.adam.beta1 == 0);
    assert_int_equal(dq_offline_size(w->run).batches, USERS / 4);
    go(w);
    dq_rng rng = dq_rng_stream(3, 200);
    static uint32_t order[ROWS], users[USERS];
    for (uint32_t r = 0; r < ROWS; r++) order[r] = r;
    for (uint32_t u = 0; u < USERS; u++) users[u] = u;
    dq_rng_shuffle(&rng, order, ROWS);
    dq_rng_shuffle(&rng, users, USERS);
    for (uint32_t b = 0; b < USERS / 4; b++)
        by_hand(v, &config, users + 4 * b, &rng, 0.8 - 0.6 * b / (USERS / 4.0 - 1));
    size_t n = weights_of(w, "q", found);
    weights_of(v, "q", wanted);
    for (size_t i = 0; i < n; i++) assert_true(fabs(found[i] - wanted[i]) < 1e-4);
    drop(w);
    drop(v);
    test_free(w);
    test_free(v);
}

/* ---- the paper's example ---- */

/* The mean squared error over all places of sines that nobody has trained on, after 10 updates on 10 rows of
 * theirs; the agent is back where it was. */
static double error_after_adapting(world *w)
{
    static double begin[MAX_WEIGHTS];
    static float q[ITEMS];
    double sum = 0;
    weights_of(w, "q", begin);
    for (uint32_t user = USERS - NEW; user < USERS; user++) {
        uint32_t rows[SHOTS], number = user;
        for (uint32_t k = 0; k < SHOTS; k++) rows[k] = user * SHOTS + k;
        dq_net_reset_optimizer(dq_agent_network(w->agent, "q"));
        for (int k = 0; k < 10; k++) fit(w, rows, SHOTS);
        dq_agent_values(w->agent, &w->shape.states, &number, 1, q);
        for (uint32_t i = 0; i < ITEMS; i++) sum += pow((double)(q[i] - sine(w, user, i)), 2) / ITEMS;
        set_weights(w, "q", begin);
    }
    return sum / NEW;
}

static double error_of(dq_meta_config meta, uint64_t epochs)
{
    world *w = test_malloc(sizeof *w);
    dq_offline_config config = usual();
    config.batch = SHOTS;
    config.epochs = epochs;
    config.meta = meta;
    populate(w);
    for (size_t r = (size_t)(USERS - NEW) * SHOTS; r < ROWS; r++) w->reward[r] = NAN; /* held back */
    assert_int_equal(try_start(w, config, "dqn", usual_agent("dqn"), NULL), DQ_OK);
    go(w);
    for (size_t r = (size_t)(USERS - NEW) * SHOTS; r < ROWS; r++)
        w->reward[r] = sine(w, w->row_user[r], w->row_item[r]);
    double error = error_after_adapting(w);
    drop(w);
    test_free(w);
    return error;
}

/* Sines have a mean square of 4.5, and their mean is 0 everywhere: that is all that a start for all can know.
 */
static void it_adapts_to_sines_where_plain_training_does_not(void **state)
{
    (void)state;
    const dq_meta_config reptile = {.users = 5, .steps = 5, .step = 1, .step_end = 0}, none = {0};
    double adapted = error_of(reptile, 10), plain = error_of(none, 50); /* as many updates on ten rows */
    assert_true(adapted < 1.5);
    assert_true(plain > 3);
}

/* ---- going on ---- */

static void check_resume(const char *kind, dq_loss loss)
{
    static double whole[MAX_WEIGHTS], resumed[MAX_WEIGHTS];
    for (int batches = 1; batches < 60; batches += 29) {
        world *w = test_malloc(sizeof *w), *v = test_malloc(sizeof *v);
        dq_offline_config config = usual();
        dq_agent_config agent = usual_agent(kind);
        dq_bundle model;
        bool ended;
        config.meta.users = 25; /* 18 batches a pass, a part in the last */
        config.meta.step_end = 0;
        config.epochs = 3;
        config.negatives = loss == DQ_LOSS_MSE ? 2 : 10;
        config.negative_reward = -1;
        config.validation = 0.25;
        agent.loss = loss;
        agent.dropout = 0.1;
        start(w, config, kind, agent);
        start(v, config, kind, agent);
        for (int i = 0; i < batches && !dq_offline_done(w->run); i++)
            assert_int_equal(dq_offline_step(w->run, &ended, NULL), DQ_OK);
        assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
        assert_int_equal(dq_agent_save(w->agent, true, &model, NULL), DQ_OK);
        assert_int_equal(dq_offline_save(w->run, &model, NULL), DQ_OK);
        assert_int_equal(dq_agent_load(v->agent, true, &model, NULL), DQ_OK);
        assert_int_equal(dq_offline_restore(v->run, &model, NULL), DQ_OK);
        dq_bundle_free(&model);
        go(w);
        go(v);
        size_t n = weights_of(w, "q", whole);
        weights_of(v, "q", resumed);
        assert_memory_equal(whole, resumed, n * sizeof *whole);
        assert_true(isfinite(dq_offline_last(w->run).validation_loss));
        assert_true(isnan(dq_offline_last(w->run).world_loss) == (strcmp(kind, "dqn") == 0));
        drop(w);
        drop(v);
        test_free(w);
        test_free(v);
    }
}

static void it_goes_on_as_if_it_had_never_stopped(void **state)
{
    (void)state;
    check_resume("dqn", DQ_LOSS_MSE);
    check_resume("dyna-q", DQ_LOSS_MSE);
    check_resume("dyna-q", DQ_LOSS_SOFTMAX);
}

static void a_step_allocates_nothing(void **state)
{
    (void)state;
    if (!COUNTS_ALLOCATIONS) skip();
    for (int lists = 0; lists < 2; lists++) {
        world *w = test_malloc(sizeof *w);
        dq_offline_config config = usual();
        dq_agent_config agent = usual_agent("dyna-q");
        bool ended;
        config.negatives = lists ? 10 : 2;
        config.negative_reward = -1;
        agent.loss = lists ? DQ_LOSS_SOFTMAX : DQ_LOSS_HUBER;
        start(w, config, "dyna-q", agent);
        assert_int_equal(dq_offline_step(w->run, &ended, NULL), DQ_OK);
        unsigned before = allocations;
        for (int i = 0; i < 5; i++) assert_int_equal(dq_offline_step(w->run, &ended, NULL), DQ_OK);
        assert_int_equal(allocations, before);
        drop(w);
        test_free(w);
    }
}

/* ---- lists ---- */

/* Of two kinds of users, who like places right or left, each sees ten: the start can be either in a few
 * updates on a list, which its loss after them says. */
static void users_lists_are_tasks_too(void **state)
{
    (void)state;
    world *w = test_malloc(sizeof *w);
    dq_offline_config config = usual();
    dq_agent_config agent = usual_agent("dqn");
    agent.loss = DQ_LOSS_SOFTMAX;
    config.epochs = 2;
    config.meta = (dq_meta_config){.users = 10, .steps = 8, .step = 1, .step_end = 0.5};
    populate(w);
    for (size_t r = 0; r < ROWS; r++) w->reward[r] = (w->row_item[r] > ITEMS / 2) == (w->row_user[r] % 2);
    assert_int_equal(try_start(w, config, "dqn", agent, NULL), DQ_OK);
    go(w);
    double loss = dq_offline_last(w->run).q_loss; /* the mean over the updates on a user */
    drop(w);
    config.meta = (dq_meta_config){0};
    memset(&w->source.met, 0, sizeof w->source.met);
    assert_int_equal(try_start(w, config, "dqn", agent, NULL), DQ_OK);
    go(w);
    assert_true(loss < 3.3);
    assert_true(fabs(dq_offline_last(w->run).q_loss - log(ITEMS)) < 0.1); /* any place is as good */
    drop(w);
    test_free(w);
}

/* ---- what cannot be ---- */

static void refused(dq_offline_config config, const char *kind, dq_agent_config agent, const char *word)
{
    world *w = test_malloc(sizeof *w);
    dq_error error = DQ_ERROR_NONE;
    populate(w);
    assert_int_not_equal(try_start(w, config, kind, agent, &error), DQ_OK);
    assert_non_null(strstr(error.reason, word));
    drop(w);
    test_free(w);
}

static void what_cannot_be_is_an_error(void **state)
{
    (void)state;
    dq_offline_config config = usual();
    dq_agent_config agent = usual_agent("dqn"), table = dq_agent_find("tabular")->defaults;
    config.meta.steps = 0;
    refused(config, "dqn", agent, "one update");
    config = usual();
    config.meta.step = NAN;
    refused(config, "dqn", agent, "steps of 0");
    config = usual();
    agent.priority = 0.5;
    refused(config, "dqn", agent, "priorities");
    agent.priority = 0;
    agent.batch_norm = true;
    refused(config, "dqn", agent, "batch norm");
    table.gamma = 0;
    refused(config, "tabular", table, "without networks");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_outer_update_is_a_step_to_the_mean),
        cmocka_unit_test(a_run_equals_one_by_hand),
        cmocka_unit_test(it_adapts_to_sines_where_plain_training_does_not),
        cmocka_unit_test(it_goes_on_as_if_it_had_never_stopped),
        cmocka_unit_test(a_step_allocates_nothing),
        cmocka_unit_test(users_lists_are_tasks_too),
        cmocka_unit_test(what_cannot_be_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
