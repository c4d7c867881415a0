/* SPDX-License-Identifier: MIT
 *
 * Linear bandits: posteriors against NumPy's and against sums of whole numbers, draws against the posterior's
 * moments, regret against the theory's rate.
 */
#include "allocations.h"

#include "../fixtures/bandit/bandit.h"
#include "core/record.h"
#include "learn/bandit/bandit.h"
#include "learn/bandit/posterior.h"
#include "life.h"
#include "math/cholesky.h"

#include <stdio.h>

static dq_agent_config config_of(const char *kind)
{
    dq_agent_config config = dq_agent_find(kind)->defaults;
    config.fit_rows = config.batch;
    return config;
}

/* ---- posteriors ---- */

static const float *action_at[BANDIT_ACTIONS], *state_at[BANDIT_ROWS + BANDIT_TESTS];

static dq_env_spec fixture_shape(void)
{
    for (int i = 0; i < BANDIT_ACTIONS; i++) action_at[i] = bandit_actions[i];
    for (int i = 0; i < BANDIT_ROWS + BANDIT_TESTS; i++) state_at[i] = bandit_states[i];
    return (dq_env_spec){.state_width = BANDIT_STATE,
                         .action_count = BANDIT_ACTIONS,
                         .action_width = BANDIT_WIDTH,
                         .actions = action_at};
}

static void learn_fixture(dq_agent *agent)
{
    dq_transition rows[BANDIT_ROWS];
    dq_agent_losses losses;
    dq_error e = DQ_ERROR_NONE;
    const dq_vectors states = {state_at, BANDIT_ROWS + BANDIT_TESTS, BANDIT_STATE};
    for (uint32_t i = 0; i < BANDIT_ROWS; i++)
        rows[i] = (dq_transition){i, bandit_action[i], i, bandit_reward[i], 1, true};
    if (dq_agent_fit(agent, &states, rows, BANDIT_ROWS, bandit_weight, &losses, &e)) fail_msg("%s", e.reason);
}

static void equals_numpy(const dq_agent_config *config, const double mean[][BANDIT_ACTIONS],
                         const double upper[][BANDIT_ACTIONS])
{
    const dq_env_spec shape = fixture_shape();
    dq_pool *pool = pool_of(1);
    dq_agent *agent = make("linucb", config, &shape, pool);
    const dq_vectors states = {state_at, BANDIT_ROWS + BANDIT_TESTS, BANDIT_STATE};
    float q[BANDIT_ACTIONS];
    learn_fixture(agent);
    for (uint32_t t = 0; t < BANDIT_TESTS; t++) {
        uint32_t number = BANDIT_ROWS + t, best = 0, taken;
        dq_agent_values(agent, &states, &number, 1, q);
        for (int a = 0; a < BANDIT_ACTIONS; a++)
            assert_true(fabs((double)q[a] - mean[t][a]) <= 1e-6 * (1 + fabs(mean[t][a])));
        dq_bandit_upper(agent, &states, number, NAN, q);
        for (uint32_t a = 0; a < BANDIT_ACTIONS; a++) {
            assert_true(fabs((double)q[a] - upper[t][a]) <= 1e-6 * (1 + fabs(upper[t][a])));
            if (upper[t][a] > upper[t][best]) best = a;
        }
        dq_agent_act(agent, &states, &number, 1, true, &taken);
        assert_int_equal(taken, best);
    }
    dq_agent_free(agent);
    dq_pool_free(pool);
}

static void posteriors_are_numpys(void **state)
{
    (void)state;
    dq_agent_config config = config_of("linucb");
    config.ridge = bandit_ridge;
    config.spread = bandit_spread;
    equals_numpy(&config, bandit_own_mean, bandit_own_upper);
    config.head = DQ_HEAD_ACTIONS;
    config.features[0] = (dq_pairing){1, 0, 2};
    config.feature_count = 1;
    equals_numpy(&config, bandit_plain_mean, bandit_plain_upper);
    config.outer = true;
    equals_numpy(&config, bandit_product_mean, bandit_product_upper);
}

/* Rows of whole numbers have sums that are exact. */
static void a_million_rows_do_not_drift(void **state)
{
    (void)state;
    enum { WIDTH = 6, ROWS = 1000000 };
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_posterior p;
    dq_rng rng = dq_rng_new(3);
    double a[WIDTH][WIDTH] = {{0}}, b[WIDTH] = {0}, exact[WIDTH * (WIDTH + 1) / 2], theta[WIDTH];
    assert_true(dq_posterior_init(&p, &arena, 1, WIDTH, 1));
    for (int i = 0; i < WIDTH; i++) a[i][i] = 1;
    for (int r = 0; r < ROWS; r++) {
        double x[WIDTH], reward = (double)dq_rng_below(&rng, 21) - 10;
        for (int i = 0; i < WIDTH; i++) x[i] = (double)dq_rng_below(&rng, 19) - 9;
        x[5] = x[4] + (x[5] > 8); /* nearly one direction */
        dq_posterior_add(&p, 0, x, reward, 1);
        for (int i = 0; i < WIDTH; i++) {
            b[i] += reward * x[i];
            for (int j = 0; j < WIDTH; j++) a[i][j] += x[i] * x[j];
        }
    }
    for (size_t i = 0; i < WIDTH; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = 0;
            for (size_t k = 0; k <= j; k++)
                sum += p.factor[dq_triangle(i) + k] * p.factor[dq_triangle(j) + k];
            assert_true(fabs(sum - a[i][j]) <= 1e-10 * a[i][i]);
            exact[dq_triangle(i) + j] = a[i][j];
        }
    memcpy(theta, b, sizeof theta);
    assert_true(dq_cholesky_solve(exact, WIDTH, theta));
    for (int i = 0; i < WIDTH; i++) assert_true(fabs(dq_posterior_mean(&p, 0)[i] - theta[i]) <= 1e-9);
    assert_int_equal(p.rows[0], ROWS);
    dq_arena_free(&arena);
}

/* A reward that becomes greater is as if it had been so from the start. */
static void rewards_are_corrected(void **state)
{
    (void)state;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_posterior told, corrected;
    dq_rng rng = dq_rng_new(9);
    assert_true(dq_posterior_init(&told, &arena, 1, 4, 0.3));
    assert_true(dq_posterior_init(&corrected, &arena, 1, 4, 0.3));
    double late[4] = {0};
    for (int r = 0; r < 20; r++) {
        double x[4], reward = dq_rng_normal(&rng);
        for (int i = 0; i < 4; i++) x[i] = dq_rng_normal(&rng);
        dq_posterior_add(&told, 0, x, reward + (r == 3 ? 2.5 : 0), 1);
        dq_posterior_add(&corrected, 0, x, reward, 1);
        if (r == 3) memcpy(late, x, sizeof late);
    }
    dq_posterior_correct(&corrected, 0, late, 2.5);
    for (int i = 0; i < 4; i++)
        assert_true(fabs(dq_posterior_mean(&told, 0)[i] - dq_posterior_mean(&corrected, 0)[i]) < 1e-12);
    dq_arena_free(&arena);
}

/* Mean and covariance of many draws, against those of the posterior: A^-1 column by column. */
static void draws_are_of_the_posterior(void **state)
{
    (void)state;
    enum { WIDTH = 3, DRAWS = 200000 };
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_posterior p;
    dq_rng rng = dq_rng_new(5);
    double mean[WIDTH] = {0}, second[WIDTH][WIDTH] = {{0}}, theta[WIDTH];
    assert_true(dq_posterior_init(&p, &arena, 2, WIDTH, 0.5));
    for (int r = 0; r < 7; r++) {
        double x[WIDTH] = {1, dq_rng_normal(&rng), dq_rng_normal(&rng)};
        dq_posterior_add(&p, 1, x, dq_rng_normal(&rng), 1.5);
    }
    const double *known = dq_posterior_mean(&p, 1);
    for (int d = 0; d < DRAWS; d++) {
        dq_posterior_draw(&p, 1, 2, &rng, theta);
        for (int i = 0; i < WIDTH; i++) {
            mean[i] += (theta[i] - known[i]) / DRAWS;
            for (int j = 0; j < WIDTH; j++)
                second[i][j] += (theta[i] - known[i]) * (theta[j] - known[j]) / DRAWS;
        }
    }
    for (int j = 0; j < WIDTH; j++) {
        double column[WIDTH] = {0};
        column[j] = 1;
        dq_cholesky_solve_factored(p.factor + dq_triangle(WIDTH), WIDTH, column);
        assert_true(fabs(mean[j]) < 0.02);
        for (int i = 0; i < WIDTH; i++) assert_true(fabs(second[i][j] - 4 * column[i]) < 0.02);
    }
    dq_arena_free(&arena);
}

/* Whole samples of a list's values have the same mean and deviation as single choices have, and items that
 * share a theta move together. */
static void samples_of_lists(void **state)
{
    (void)state;
    enum { DRAWS = 20000 };
    static float q[DRAWS * BANDIT_ACTIONS];
    const dq_env_spec shape = fixture_shape();
    const dq_vectors states = {state_at, BANDIT_ROWS + BANDIT_TESTS, BANDIT_STATE};
    dq_pool *pool = pool_of(1);
    for (int shared = 0; shared < 2; shared++) {
        dq_agent_config config = config_of("thompson");
        config.head = shared ? DQ_HEAD_ACTIONS : DQ_HEAD_OUTPUTS;
        config.outer = shared;
        dq_agent *agent = make("thompson", &config, &shape, pool);
        dq_rng rng = dq_rng_new(8);
        float mean[BANDIT_ACTIONS], upper[BANDIT_ACTIONS];
        learn_fixture(agent);
        dq_agent_values(agent, &states, &(uint32_t){BANDIT_ROWS}, 1, mean);
        dq_bandit_upper(agent, &states, BANDIT_ROWS, 1, upper);
        dq_bandit_draw(agent, &states, BANDIT_ROWS, 1, DRAWS, &rng, q);
        double product = 0;
        for (int a = 0; a < BANDIT_ACTIONS; a++) {
            double sum = 0, square = 0, wanted = (double)upper[a] - (double)mean[a];
            for (int d = 0; d < DRAWS; d++) {
                double by = (double)(q[d * BANDIT_ACTIONS + a] - mean[a]);
                sum += by / DRAWS;
                square += by * by / DRAWS;
                if (a == 3) product += by * (double)(q[d * BANDIT_ACTIONS] - mean[0]) / DRAWS;
            }
            assert_true(fabs(sum) < 0.05 * wanted);
            assert_true(fabs(sqrt(square) - wanted) < 0.03 * wanted);
        }
        assert_true(shared ? fabs(product) > 0.01 : fabs(product) < 0.01);
        dq_agent_free(agent);
    }
    dq_pool_free(pool);
}

/* ---- regret in a linear world ---- */

enum { FIRST = 6000, ALL = 4 * FIRST, WORLDS = 4 };

/* Mean regret over worlds after FIRST and ALL steps; greedy with probability 1 - epsilon, epsilon < 0: as the
 * agent explores. */
static void find_regret(const char *kind, dq_head head, double epsilon, double regret[2])
{
    regret[0] = regret[1] = 0;
    for (int world = 0; world < WORLDS; world++) {
        char options[64];
        dq_agent_config config = config_of(kind);
        dq_rng rng = dq_rng_new(77);
        life l;
        double sum = 0;
        config.head = head;
        config.outer = head == DQ_HEAD_ACTIONS;
        config.seed = (uint64_t)world + 1;
        (void)snprintf(options, sizeof options, "world=%d,steps=%d,features=5", world + 1, ALL + 1);
        begin(&l, "linear", options, kind, &config, 1);
        for (int t = 0; t < ALL; t++) {
            const float *at[] = {l.envs[0]->state};
            const dq_vectors states = {at, 1, 5};
            uint32_t action;
            dq_agent_act(l.agent, &states, NULL, 1, epsilon < 0, &action);
            if (epsilon > 0 && dq_rng_uniform(&rng) < epsilon) action = (uint32_t)dq_rng_below(&rng, 10);
            live_step(&l, 0, action);
            while (dq_agent_ready(l.agent)) assert_int_equal(dq_agent_learn(l.agent, &l.losses, NULL), DQ_OK);
            sum = l.envs[0]->counters[0];
            if (t == FIRST - 1) regret[0] += sum / WORLDS;
        }
        regret[1] += sum / WORLDS;
        end(&l);
    }
}

/* Theory: of order sqrt(T) up to logarithms (docs/bandits.md), so 4 T cost at most about twice T's; a share
 * of random actions costs in proportion to T. */
static void regret_grows_as_the_root(void **state)
{
    (void)state;
    double epsilon[2], regret[2];
    for (dq_head head = DQ_HEAD_OUTPUTS; head <= DQ_HEAD_ACTIONS; head++) {
        find_regret("linucb", head, 0.1, epsilon);
        for (int kind = 0; kind < 2; kind++) {
            const char *name = kind ? "thompson" : "linucb";
            find_regret(name, head, -1, regret);
            print_message("%s, head %d: regret %.1f, %.1f; by epsilon %.1f, %.1f\n", name, head, regret[0],
                          regret[1], epsilon[0], epsilon[1]);
            assert_true(regret[1] / regret[0] < 2.2);
            assert_true(regret[1] < 0.6 * epsilon[1]);
        }
        assert_true(epsilon[1] / epsilon[0] > 3);
    }
}

/* ---- agents ---- */

static dq_bundle saved(dq_agent *agent, bool checkpoint)
{
    dq_bundle model;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
    if (dq_agent_save(agent, checkpoint, &model, &e)) fail_msg("%s", e.reason);
    return model;
}

static void same_column(const dq_bundle *a, const dq_bundle *b, const char *name)
{
    const dq_column *c = dq_bundle_column(a, name), *d = dq_bundle_column(b, name);
    assert_non_null(c);
    assert_memory_equal(c->data, d->data, c->shape[0] * dq_column_width(c) * 8);
}

/* One that goes on from a checkpoint ends as one that never stopped. */
static void goes_on_to_the_same_bits(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        const char *name = kind ? "thompson" : "linucb";
        dq_agent_config config = config_of(name);
        config.envs = SIDE_BY_SIDE;
        life once, twice;
        begin(&once, "linear", NULL, name, &config, 1);
        live(&once, 120);
        dq_bundle half = saved(once.agent, true);
        begin(&twice, "linear", NULL, name, &config, 1);
        assert_int_equal(dq_agent_load(twice.agent, true, &half, NULL), DQ_OK);
        for (int i = 0; i < SIDE_BY_SIDE; i++) {
            dq_env_copy(twice.envs[i], once.envs[i]);
            twice.envs[i]->rng = once.envs[i]->rng;
            twice.envs[i]->steps = once.envs[i]->steps;
        }
        dq_bundle_free(&half);
        live(&once, 150);
        live(&twice, 150);
        dq_bundle a = saved(once.agent, true), b = saved(twice.agent, true);
        same_column(&a, &b, "bandit.factor");
        same_column(&a, &b, "bandit.y");
        same_column(&a, &b, "bandit.rows");
        same_column(&a, &b, "agent.rng");
        dq_agent *acts;
        assert_int_equal(dq_agent_of_model(&acts, &b, NULL, once.pool, NULL), DQ_OK);
        dq_agent_free(acts);
        dq_bundle_free(&a);
        dq_bundle_free(&b);
        end(&once);
        end(&twice);
    }
}

static void refuse(const dq_agent_config *config, const char *why)
{
    const dq_env_spec shape = fixture_shape();
    dq_agent *agent;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_agent_new(&agent, "thompson", config, &shape, NULL, &e), DQ_ERR_RANGE);
    if (!strstr(e.reason, why)) fail_msg("%s", e.reason);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    dq_agent_config config = config_of("thompson");
    config.gamma = 0.9;
    refuse(&config, "gamma is 0, not 0.9");
    config = config_of("thompson");
    config.epsilon = 0.1;
    refuse(&config, "not by epsilon");
    config = config_of("thompson");
    config.hidden[0] = config.hidden_count = 1;
    refuse(&config, "hidden means nothing to a bandit");
    config = config_of("thompson");
    config.outer = true;
    refuse(&config, "without a head on actions");
    config = config_of("thompson");
    config.ridge = 0;
    refuse(&config, "a ridge of 0");
    const dq_env_spec wide = {.state_width = 100000, .action_count = 10};
    dq_agent *agent;
    dq_error e = DQ_ERROR_NONE;
    config = config_of("thompson");
    assert_int_equal(dq_agent_new(&agent, "thompson", &config, &wide, NULL, &e), DQ_ERR_RANGE);
    assert_non_null(strstr(e.reason, "over 2 GiB"));
}

/* A posterior that was begun otherwise, and one that is none. */
static void models_are_checked(void **state)
{
    (void)state;
    const dq_env_spec shape = fixture_shape();
    dq_pool *pool = pool_of(1);
    dq_agent_config config = config_of("thompson");
    dq_agent *agent = make("thompson", &config, &shape, pool), *other;
    learn_fixture(agent);
    dq_bundle model = saved(agent, false);
    config.ridge = 2;
    other = make("linucb", &config, &shape, pool);
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_agent_load(other, false, &model, &e), DQ_ERR_RANGE);
    assert_non_null(strstr(e.reason, "began with a ridge of 1"));
    dq_agent_free(other);
    config.ridge = 1;
    other = make("linucb", &config, &shape, pool); /* either kind takes up the other's posterior */
    assert_int_equal(dq_agent_load(other, false, &model, &e), DQ_OK);
    double *factor = (double *)dq_bundle_column(&model, "bandit.factor")->data,
           *y = (double *)dq_bundle_column(&model, "bandit.y")->data;
    const double was = factor[0], bad[] = {-1, 0, 0.99, (double)INFINITY, (double)NAN}; /* it began with 1 */
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        factor[0] = bad[i];
        assert_int_equal(dq_agent_load(other, false, &model, &e), DQ_ERR_SCHEMA);
    }
    factor[0] = was;
    factor[1] = 1e300; /* a mean that no number is */
    y[1] = 1e300;
    assert_int_equal(dq_agent_load(other, false, &model, &e), DQ_ERR_SCHEMA);
    dq_agent_free(other);
    dq_bundle_free(&model);
    dq_agent_free(agent);
    dq_pool_free(pool);
}

static void a_step_allocates_nothing(void **state)
{
    (void)state;
    if (!COUNTS_ALLOCATIONS) skip();
    for (int kind = 0; kind < 4; kind++) {
        const char *name = kind % 2 ? "thompson" : "linucb";
        dq_agent_config config = config_of(name);
        config.head = kind / 2 ? DQ_HEAD_ACTIONS : DQ_HEAD_OUTPUTS;
        config.outer = kind / 2;
        life l;
        begin(&l, "linear", NULL, name, &config, 1);
        live(&l, 5);
        unsigned before = atomic_load(&allocations);
        live(&l, 300);
        assert_int_equal(atomic_load(&allocations), before);
        end(&l);
    }
}

/* Numbered states: the users of a catalogue. */
static void learns_in_a_catalogue(void **state)
{
    (void)state;
    dq_agent_config config = config_of("linucb");
    config.head = DQ_HEAD_ACTIONS;
    config.outer = true;
    life l;
    begin(&l, "catalogue", NULL, "linucb", &config, 1);
    live(&l, 600);
    float q[LIFE_ITEMS];
    int right = 0;
    dq_agent_offer(l.agent, NULL, 0);
    for (uint32_t u = 0; u < LIFE_USERS; u++) {
        uint32_t best;
        dq_agent_act(l.agent, NULL, &u, 1, false, &best);
        dq_agent_values(l.agent, NULL, &u, 1, q);
        right += life_vectors[u][0] * life_vectors[LIFE_USERS + best][0] > 0;
    }
    assert_int_equal(right, LIFE_USERS);
    end(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posteriors_are_numpys),    cmocka_unit_test(a_million_rows_do_not_drift),
        cmocka_unit_test(rewards_are_corrected),    cmocka_unit_test(draws_are_of_the_posterior),
        cmocka_unit_test(samples_of_lists),         cmocka_unit_test(regret_grows_as_the_root),
        cmocka_unit_test(goes_on_to_the_same_bits), cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(models_are_checked),       cmocka_unit_test(a_step_allocates_nothing),
        cmocka_unit_test(learns_in_a_catalogue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
